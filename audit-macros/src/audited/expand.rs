//! The expansion. An async function becomes
//!
//! ```text
//! fn transfer(to: AccountId, body: Transfer) -> impl Future<Output = Result<Receipt, Error>> {
//!     let __body = async move {
//!         let to = to;
//!         let body = body;
//!         __private::resource("account", &to);
//!         __private::fields("to,body", &[&to, &body]);
//!         if let Err(refusal) = __private::require(…) { return Refuse::refuse(refusal); }     // require
//!         if let Err(refusal) = __private::intent().await { return Refuse::refuse(refusal); } // fail_closed
//!         let __value: Result<Receipt, Error> = match () { () => { …the user's body… } };
//!         return __value;
//!     };
//!     __private::audit(SITE, …what judges a value of this type, and makes one of a refusal…, __body)
//! }
//! ```
//!
//! a function that is not async
//!
//! ```text
//! fn transfer(to: AccountId, body: Transfer) -> Result<Receipt, Error> {
//!     __private::audit_sync(SITE, move || -> Result<Receipt, Error> { …as above… }, |value, told| …, |refusal| …)
//! }
//! ```
//!
//! and one that returns a future
//!
//! ```text
//! fn transfer(to: AccountId, body: Transfer) -> Pin<Box<dyn Future<Output = Result<Receipt, Error>>>> {
//!     let mut __call = __private::begin(SITE);
//!     __call.resource("account", &to);
//!     let __future = __private::make(&mut __call, move || { …the user's body… });
//!     Box::pin(__private::audit_begun(__call, …, __future))
//! }
//! ```
//!
//! unless something has to come before its body: then that runs inside, as an async function's. With `transaction`
//! something comes behind it, too: see `transaction.rs`.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ReturnType, Token, Type};

use super::args::Args;
use super::captures::WhichCall;
use super::item::Function;
use super::params;
use super::pieces::Pieces;
use super::shape::Shape;

pub(super) fn expand(args: &Args, function: &Function) -> TokenStream {
    match Shape::of(function) {
        Shape::Sync => expand_sync(&Pieces::new(args, function, function.returns()), function),
        Shape::Async => expand_async(&Pieces::new(args, function, function.returns()), function),
        Shape::AsyncKept => expand_async_kept(&Pieces::new(args, function, function.returns()), function),
        Shape::Future { output, boxed } => expand_future(&Pieces::new(args, function, Some(&output)), function, boxed),
    }
}

fn expand_async(pieces: &Pieces<'_>, function: &Function) -> TokenStream {
    let private = pieces.private_at(pieces.at_type());
    let mut sig = function.sig.clone();
    sig.asyncness = None;
    let bindings = params::move_inside(&mut sig);
    let output = match &sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => ty.to_token_stream(),
    };
    // Spanned here, `impl` captures every lifetime, whatever the user's edition.
    let at = pieces.at_type();
    let opaque = quote_spanned!(at=> impl #private::core::future::Future<Output = #output>);
    sig.output = ReturnType::Type(Token![->](at), Box::new(Type::Verbatim(opaque)));
    let body = async_body(pieces, function, &bindings);
    let audited = audit(pieces);
    let expanded = quote_spanned! {Span::mixed_site()=>
        let __body = #body;
        #audited
    };
    function_with(function, &sig, expanded)
}

/// Stays an `async fn`, for the sake of what looks for that keyword. The arguments lie in it twice.
fn expand_async_kept(pieces: &Pieces<'_>, function: &Function) -> TokenStream {
    let body = async_body(pieces, function, &TokenStream::new());
    let audited = audit(pieces);
    let audited = answer(function, quote_spanned!(Span::mixed_site()=> #audited.await));
    let expanded = quote_spanned! {Span::mixed_site()=>
        let __body = #body;
        #audited
    };
    function_with(function, &function.sig, expanded)
}

fn expand_future(pieces: &Pieces<'_>, function: &Function, boxed: bool) -> TokenStream {
    let (private, user) = (&pieces.private, &function.body);
    // An opaque type cannot be named; a boxed one must be, so that the box is coerced to it.
    let returns = function.returns().filter(|_| boxed).map(|ty| quote!(-> #ty));
    let span = Span::mixed_site();
    let (before, audited) = if pieces.comes_after_something() {
        let (inference, prologue) = (pieces.inference(), pieces.prologue(true));
        // What comes behind the body needs the arguments.
        let by_move = pieces.args.transaction.is_none().then(|| quote!(move));
        let body = pieces.with_written(quote_spanned! {span=>
            #prologue
            let __make = #by_move || #returns #user;
            __make().await
        });
        let body = quote_spanned! {span=>
            let __body = async move {
                #inference
                #body
            };
        };
        (body, audit(pieces))
    } else {
        let (site, captures) = (pieces.site(), pieces.captures(WhichCall::Local));
        let judge = pieces.judge_of(&quote_spanned!(span=> __future));
        let begun = quote_spanned! {span=>
            let mut __call = #private::begin(#site);
            #captures
            let __future = #private::make(&mut __call, move || #returns #user);
        };
        (begun, pieces.call("audit_begun", &quote_spanned!(span=> __call, #judge, __future)))
    };
    let audited = if boxed { quote_spanned!(span=> #private::Box::pin(#audited)) } else { audited };
    function_with(function, &function.sig, quote!(#before #audited))
}

fn expand_sync(pieces: &Pieces<'_>, function: &Function) -> TokenStream {
    let (value, user) = (&pieces.value, &function.body);
    let (private, site, refuse) = (&pieces.private, pieces.site(), pieces.refuse_sync());
    let returns = pieces.nameable().then(|| quote!(-> #value));
    let span = Span::mixed_site();
    let prologue = pieces.prologue(false);
    let body = if prologue.is_empty() {
        user.to_token_stream()
    } else {
        quote_spanned!(span=> { #prologue match () { () => #user } })
    };
    let (body, judge) = match pieces.with_written_sync(&body) {
        Some(body) => (body, quote_spanned!(span=> #private::judged_before)),
        None => (body, pieces.judge_sync()),
    };
    let arguments = quote_spanned!(span=> #site, move || #returns #body, #judge, #refuse);
    let audited = answer(function, pieces.call("audit_sync", &arguments));
    function_with(function, &function.sig, audited)
}

fn async_body(pieces: &Pieces<'_>, function: &Function, bindings: &TokenStream) -> TokenStream {
    let (inference, prologue, value) = (pieces.inference(), pieces.prologue(true), &pieces.value);
    // The braces keep the user's edition, on which the end of the body's last temporaries depends; in the arm no lint
    // takes them for superfluous.
    let (body, returned) = (&function.body, pieces.returned());
    let body = pieces.with_written(quote_spanned! {Span::mixed_site()=>
        #prologue
        let __value: #value = match () { () => #body };
        #[allow(unreachable_code, clippy::needless_return)]
        #returned
    });
    quote_spanned! {Span::mixed_site()=>
        async move {
            #inference
            #bindings
            #body
        }
    }
}

/// The body, `__body`, audited.
fn audit(pieces: &Pieces<'_>) -> TokenStream {
    let body = quote_spanned!(Span::mixed_site()=> __body);
    let (site, judge) = (pieces.site(), pieces.judge_of(&body));
    pieces.call("audit", &quote_spanned!(Span::mixed_site()=> #site, #judge, #body))
}

/// What a function that never returns does with the value that there is none of.
fn answer(function: &Function, audited: TokenStream) -> TokenStream {
    if matches!(function.returns(), Some(Type::Never(_))) {
        quote_spanned!(Span::mixed_site()=> match #audited {})
    } else {
        audited
    }
}

/// The braces are the user's: lints about the function's body look at them.
fn function_with(function: &Function, sig: &syn::Signature, body: TokenStream) -> TokenStream {
    let Function { attrs, vis, .. } = function;
    let mut block = Group::new(Delimiter::Brace, body);
    block.set_span(function.body.span());
    quote! { #(#attrs)* #vis #sig #block }
}
