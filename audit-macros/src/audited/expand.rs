//! The expansion. An async function becomes
//!
//! ```text
//! fn transfer(to: AccountId, body: Transfer) -> impl Future<Output = Result<Receipt, Error>> {
//!     let __body = async move {
//!         let to = to;
//!         let body = body;
//!         { let mut call = __private::call(); call.resource("account", &to); call.field("body", &body); }
//!         if let Err(refusal) = __private::require(…) { return Refuse::refuse(refusal); }     // require
//!         if let Err(refusal) = __private::intent().await { return Refuse::refuse(refusal); } // fail_closed
//!         let __value: Result<Receipt, Error> = match () { () => { …the user's body… } };
//!         return __value;
//!     };
//!     __private::audit(&SITE, __body, |value, call| …the verdict…, |refusal| …)
//! }
//! ```
//!
//! a function that returns a future
//!
//! ```text
//! fn transfer(to: AccountId, body: Transfer) -> Pin<Box<dyn Future<Output = Result<Receipt, Error>>>> {
//!     let mut __call = __private::begin(&SITE);
//!     …captures, the guard…
//!     let __future = __private::make(&mut __call, move || { …the user's body… });
//!     let __body = async move { …intent…; __future.await };
//!     Box::pin(__private::audit_begun(__call, __body, …, …))
//! }
//! ```
//!
//! and any other function
//!
//! ```text
//! fn transfer(to: AccountId, body: Transfer) -> Result<Receipt, Error> {
//!     let mut __call = __private::begin(&SITE);
//!     …captures, the guard…
//!     __private::audit_sync(__call, move || -> Result<Receipt, Error> { …the user's body… }, …, …)
//! }
//! ```

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ReturnType, Type, parse_quote_spanned};

use super::args::Args;
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
    sig.output = parse_quote_spanned!(at=> -> impl #private::core::future::Future<Output = #output>);
    let body = async_body(pieces, function, &bindings);
    let (site, judge, refuse) = (pieces.site(), pieces.judge(), pieces.refuse());
    let audited = pieces.call("audit", &quote_spanned!(Span::mixed_site()=> #site, __body, #judge, #refuse));
    let expanded = quote_spanned! {Span::mixed_site()=>
        let __body = #body;
        #audited
    };
    function_with(function, &sig, expanded)
}

/// Stays an `async fn`, for the sake of what looks for that keyword. The arguments lie in it twice.
fn expand_async_kept(pieces: &Pieces<'_>, function: &Function) -> TokenStream {
    let body = async_body(pieces, function, &TokenStream::new());
    let (site, judge, refuse) = (pieces.site(), pieces.judge(), pieces.refuse());
    let audited = pieces.call("audit", &quote_spanned!(Span::mixed_site()=> #site, __body, #judge, #refuse));
    let audited = answer(function, quote_spanned!(Span::mixed_site()=> #audited.await));
    let expanded = quote_spanned! {Span::mixed_site()=>
        let __body = #body;
        #audited
    };
    function_with(function, &function.sig, expanded)
}

fn expand_future(pieces: &Pieces<'_>, function: &Function, boxed: bool) -> TokenStream {
    let private = &pieces.private;
    let (begun, inference, prologue) = (begun(pieces), pieces.inference(), pieces.prologue(None));
    let (judge, refuse, body) = (pieces.judge(), pieces.refuse(), &function.body);
    // An opaque type cannot be named; a boxed one must be, so that the box is coerced to it.
    let returns = function.returns().filter(|_| boxed).map(|ty| quote!(-> #ty));
    let span = Span::mixed_site();
    let audited = pieces.call("audit_begun", &quote_spanned!(span=> __call, __body, #judge, #refuse));
    let audited = if boxed { quote_spanned!(span=> #private::Box::pin(#audited)) } else { audited };
    let expanded = quote_spanned! {span=>
        #begun
        let __future = #private::make(&mut __call, move || #returns #body);
        let __body = async move {
            #inference
            #prologue
            __future.await
        };
        #audited
    };
    function_with(function, &function.sig, expanded)
}

fn expand_sync(pieces: &Pieces<'_>, function: &Function) -> TokenStream {
    let (value, body) = (&pieces.value, &function.body);
    let (begun, judge, refuse) = (begun(pieces), pieces.judge(), pieces.refuse());
    let returns = pieces.nameable.then(|| quote!(-> #value));
    let span = Span::mixed_site();
    let arguments = quote_spanned!(span=> __call, move || #returns #body, #judge, #refuse);
    let audited = answer(function, pieces.call("audit_sync", &arguments));
    let expanded = quote_spanned! {span=>
        #begun
        #audited
    };
    function_with(function, &function.sig, expanded)
}

/// Begins the call before the body takes the arguments. The guard looks at them, too: its denial waits in the call.
fn begun(pieces: &Pieces<'_>) -> TokenStream {
    let (private, site, captures) = (&pieces.private, pieces.site(), pieces.captures());
    let span = Span::mixed_site();
    let guard = pieces.guard(&quote_spanned!(span=> __call.require));
    let guard = guard.map(|guard| quote_spanned!(span=> let _ = #guard;));
    quote_spanned! {span=>
        #[allow(unused_mut)]
        let mut __call = #private::begin(#site);
        #captures
        #guard
    }
}

fn async_body(pieces: &Pieces<'_>, function: &Function, bindings: &TokenStream) -> TokenStream {
    let private = &pieces.private;
    let guard = pieces.guard(&quote_spanned!(Span::mixed_site()=> #private::require));
    let (inference, prologue, captures) = (pieces.inference(), pieces.prologue(guard.as_ref()), pieces.captures());
    let captures = (!captures.is_empty())
        .then(|| quote_spanned! {Span::mixed_site()=> { let mut __call = #private::call(); #captures } });
    let value = &pieces.value;
    // The braces keep the user's edition, on which the end of the body's last temporaries depends; in the arm no lint
    // takes them for superfluous.
    let (body, returned) = (&function.body, pieces.returned());
    quote_spanned! {Span::mixed_site()=>
        async move {
            #inference
            #bindings
            #captures
            #prologue
            let __value: #value = match () { () => #body };
            #[allow(unreachable_code, clippy::needless_return)]
            #returned
        }
    }
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
