//! The expansion. An async function becomes
//!
//! ```text
//! fn transfer(to: AccountId, body: Transfer) -> impl Future<Output = Result<Receipt, Error>> {
//!     let __body = async move {
//!         let to = to;
//!         let body = body;
//!         __private::capture(|call| { call.resource("account", &to); call.fields(|fields| fields.value("body", &body)); });
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
//!     let mut __call = __private::begin(&SITE, |call| { …captures… });
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
//!     let __begun = __private::begin_sync(&SITE, |call| { …captures…; Ok(()) /* or the guard */ });
//!     __private::audit_sync(__begun, move || -> Result<Receipt, Error> { …the user's body… }, …, …)
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
    // The body takes the arguments: the guard looks at them before, and its denial waits in the call.
    let guard = pieces.guard(&quote_spanned!(Span::mixed_site()=> __call.require));
    let guard = guard.map(|guard| quote_spanned!(Span::mixed_site()=> let _ = #guard;));
    let captures = pieces.captures();
    let captures = quote!(#captures #guard);
    let prologue = pieces.prologue(None);
    let (site, judge, refuse) = (pieces.site(), pieces.judge(), pieces.refuse());
    let (call, body) = (call_parameter(&captures), &function.body);
    // An opaque type cannot be named; a boxed one must be, so that the box is coerced to it.
    let returns = function.returns().filter(|_| boxed).map(|ty| quote!(-> #ty));
    let inference = pieces.inference();
    let span = Span::mixed_site();
    let audited = pieces.call("audit_begun", &quote_spanned!(span=> __call, __body, #judge, #refuse));
    let audited = if boxed { quote_spanned!(span=> #private::Box::pin(#audited)) } else { audited };
    let expanded = quote_spanned! {span=>
        let mut __call = #private::begin(#site, &mut |#call| { #captures });
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
    let (private, value) = (&pieces.private, &pieces.value);
    let captures = pieces.captures();
    let guard = pieces.guard(&quote_spanned!(Span::mixed_site()=> __call.require));
    let (site, judge, refuse) = (pieces.site(), pieces.judge(), pieces.refuse());
    let (call, body) = (call_parameter(&quote!(#captures #guard)), &function.body);
    let passed = guard.unwrap_or_else(|| quote!(#private::core::result::Result::Ok(())));
    let returns = pieces.nameable.then(|| quote!(-> #value));
    let span = Span::mixed_site();
    let arguments = quote_spanned!(span=> __begun, move || #returns #body, #judge, #refuse);
    let audited = answer(function, pieces.call("audit_sync", &arguments));
    let expanded = quote_spanned! {span=>
        let __begun = #private::begin_sync(#site, &mut |#call| {
            #captures
            #passed
        });
        #audited
    };
    function_with(function, &function.sig, expanded)
}

fn async_body(pieces: &Pieces<'_>, function: &Function, bindings: &TokenStream) -> TokenStream {
    let private = &pieces.private;
    let guard = pieces.guard(&quote_spanned!(Span::mixed_site()=> #private::require));
    let (inference, prologue, captures) = (pieces.inference(), pieces.prologue(guard.as_ref()), pieces.captures());
    let captures = (!captures.is_empty())
        .then(|| quote_spanned! {Span::mixed_site()=> #private::capture(&mut |__call| { #captures }); });
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

fn call_parameter(captures: &TokenStream) -> TokenStream {
    if captures.is_empty() { quote!(_) } else { quote_spanned!(Span::mixed_site()=> __call) }
}

/// The braces are the user's: lints about the function's body look at them.
fn function_with(function: &Function, sig: &syn::Signature, body: TokenStream) -> TokenStream {
    let Function { attrs, vis, .. } = function;
    let mut block = Group::new(Delimiter::Brace, body);
    block.set_span(function.body.span());
    quote! { #(#attrs)* #vis #sig #block }
}
