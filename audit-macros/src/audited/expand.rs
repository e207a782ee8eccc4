//! The expansion. An async function becomes
//!
//! ```ignore
//! fn transfer(to: AccountId, body: Transfer) -> impl Future<Output = Result<Receipt, Error>> {
//!     let __body = async move {
//!         let to = to;
//!         let body = body;
//!         __private::capture(|call| { call.resource("account", &to); call.fields(|fields| fields.value("body", &body)); });
//!         if let Err(refusal) = __private::intent().await { return Refuse::refuse(refusal); } // fail_closed
//!         { …the user's body… }
//!     };
//!     __private::audit(&SITE, __body, |value| …the verdict…, |refusal| …)
//! }
//! ```
//!
//! and any other function
//!
//! ```ignore
//! fn transfer(to: AccountId, body: Transfer) -> Result<Receipt, Error> {
//!     let __begun = __private::begin_sync(&SITE, |call| { …captures…; Ok(()) });
//!     __private::audit_sync(__begun, move || -> Result<Receipt, Error> { …the user's body… }, …, …)
//! }
//! ```

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{ReturnType, Type};

use super::args::{Args, Captured, Showing, VerdictSource};
use super::item::Function;
use super::params;

pub(super) fn expand(args: &Args, function: &Function) -> TokenStream {
    let parts = Parts::new(args, function);
    if function.sig.asyncness.is_some() { parts.expand_async() } else { parts.expand_sync() }
}

struct Parts<'a> {
    args: &'a Args,
    function: &'a Function,
    private: TokenStream,
    /// The return type as it can be named inside the function.
    returns: TokenStream,
    /// Whether [`Parts::returns`] says it all: no `impl` in it.
    nameable: bool,
}

impl<'a> Parts<'a> {
    fn new(args: &'a Args, function: &'a Function) -> Self {
        let krate = &args.krate;
        let declared = function.returns().map_or_else(|| quote!(()), ToTokens::to_token_stream);
        let returns = without_impl(declared.clone());
        let nameable = returns.to_string() == declared.to_string();
        Self { args, function, private: quote!(#krate::__private), returns, nameable }
    }

    fn expand_async(&self) -> TokenStream {
        let Function { attrs, vis, sig, body } = self.function;
        let (private, returns) = (&self.private, &self.returns);
        let mut sig = sig.clone();
        sig.asyncness = None;
        let bindings = params::move_inside(&mut sig);
        let output = match &sig.output {
            ReturnType::Default => quote!(()),
            ReturnType::Type(_, ty) => ty.to_token_stream(),
        };
        // Spanned here, `impl` captures every lifetime, whatever the user's edition.
        let future = quote_spanned!(Span::mixed_site()=> impl #private::core::future::Future<Output = #output>);
        sig.output = syn::parse_quote!(-> #future);
        let (inference, captures, intent) = (self.inference(), self.captures_async(), self.intent());
        let (site, judge, refuse) = (self.site(), self.judge(), self.refuse());
        let body = inner(body);
        let span = Span::mixed_site();
        let expanded = quote_spanned! {span=>
            let __body = async move {
                #inference
                #bindings
                #captures
                #intent
                let __value: #returns = #body;
                #[allow(unreachable_code, clippy::needless_return)]
                return __value;
            };
            #private::audit(#site, __body, #judge, #refuse)
        };
        let block = self.outer(expanded);
        quote! { #(#attrs)* #vis #sig #block }
    }

    fn expand_sync(&self) -> TokenStream {
        let Function { attrs, vis, sig, body } = self.function;
        let (private, returns) = (&self.private, &self.returns);
        let captures = self.captures();
        let (site, judge, refuse) = (self.site(), self.judge(), self.refuse());
        let body = inner(body);
        let returns = self.nameable.then(|| quote!(-> #returns));
        let span = Span::mixed_site();
        let call = if captures.is_empty() { quote_spanned!(span=> _) } else { quote_spanned!(span=> __call) };
        let expanded = quote_spanned! {span=>
            let __begun = #private::begin_sync(#site, |#call| {
                #captures
                #private::core::result::Result::Ok(())
            });
            #private::audit_sync(__begun, move || #returns #body, #judge, #refuse)
        };
        let block = self.outer(expanded);
        quote! { #(#attrs)* #vis #sig #block }
    }

    /// The braces are the user's: lints about the function's body look at them.
    fn outer(&self, tokens: TokenStream) -> Group {
        let mut group = Group::new(Delimiter::Brace, tokens);
        group.set_span(self.function.body.span());
        group
    }

    /// The static description, registered with the linker. In a block of its own, so that its names are nobody
    /// else's.
    fn site(&self) -> TokenStream {
        let private = &self.private;
        let name = self.function.sig.ident.unraw().to_string();
        let action = match &self.args.action {
            Some(action) => action.to_token_stream(),
            None => quote!(#private::derived_action!(#name)),
        };
        let policy = if self.args.fail_closed.is_some() { quote!(Closed) } else { quote!(Open) };
        quote_spanned! {Span::mixed_site()=> {
            static SITE: #private::Site = #private::Site::new(
                #action,
                #private::FailurePolicy::#policy,
                #private::core::env!("CARGO_PKG_NAME"),
                #private::core::module_path!(),
                #name,
                #private::core::file!(),
                #private::core::line!(),
            );
            #private::inventory::submit! { #private::RegisteredSite(&SITE) }
            &SITE
        }}
    }

    fn captures_async(&self) -> TokenStream {
        let (private, captures) = (&self.private, self.captures());
        if captures.is_empty() {
            return captures;
        }
        quote_spanned! {Span::mixed_site()=> #private::capture(|__call| { #captures }); }
    }

    /// Statements on `__call`. The tenant comes first: it is part of what a keyed hash is made of.
    fn captures(&self) -> TokenStream {
        let (args, span) = (self.args, Span::mixed_site());
        let mut captures = TokenStream::new();
        for (method, captured) in [("tenant", &args.tenant), ("actor", &args.actor), ("subject", &args.subject)] {
            if let Some(captured) = captured {
                let method = proc_macro2::Ident::new(method, span.located_at(captured.value.span()));
                let value = self.shown(captured);
                captures.extend(quote_spanned!(span=> __call.#method(#value);));
            }
        }
        if let Some((kind, id)) = &args.resource {
            let method = proc_macro2::Ident::new("resource", span.located_at(id.value.span()));
            let id = self.shown(id);
            captures.extend(quote_spanned!(span=> __call.#method(#kind, #id);));
        }
        if !args.fields.is_empty() {
            let fields = args.fields.iter().map(|field| {
                let method = proc_macro2::Ident::new("value", span.located_at(field.value.value.span()));
                let (key, value) = (&field.key, self.shown(&field.value));
                quote_spanned!(span=> __fields.#method(#key, #value);)
            });
            captures.extend(quote_spanned!(span=> __call.fields(|__fields| { #(#fields)* });));
        }
        captures
    }

    /// A reference to the value, inside what says how it may be shown.
    fn shown(&self, captured: &Captured) -> TokenStream {
        let (private, value) = (&self.private, &captured.value);
        let span = Span::mixed_site().located_at(value.span());
        let wrapper = match captured.showing {
            Showing::ByType => return quote_spanned!(span=> &#value),
            Showing::Plain => quote!(Plain),
            Showing::Hash => quote!(Hashed),
            Showing::Drop => quote!(Dropped),
        };
        quote_spanned!(span=> &#private::#wrapper(&#value))
    }

    fn intent(&self) -> TokenStream {
        let Some(closed) = self.args.fail_closed else { return TokenStream::new() };
        let private = &self.private;
        let refused = self.refused(closed);
        quote_spanned! {Span::mixed_site()=>
            if let #private::core::result::Result::Err(__refusal) = #private::intent().await {
                return #refused;
            }
        }
    }

    /// A closure that makes a refusal of the return type.
    fn refuse(&self) -> TokenStream {
        let private = &self.private;
        match self.args.fail_closed {
            None => quote!(#private::never_refused),
            Some(closed) => {
                let refused = self.refused(closed);
                quote_spanned!(Span::mixed_site()=> |__refusal: #private::Refusal| #refused)
            }
        }
    }

    /// A type that cannot carry a refusal is an error at the return type, or at `fail_closed` where there is none.
    fn refused(&self, closed: Span) -> TokenStream {
        let (private, returns) = (&self.private, &self.returns);
        let at = Span::mixed_site().located_at(self.function.returns().map_or(closed, Spanned::span));
        quote_spanned!(at=> <#returns as #private::Refuse>::refuse(__refusal))
    }

    /// A closure that reads the verdict from the returned value.
    fn judge(&self) -> TokenStream {
        let (private, returns) = (&self.private, &self.returns);
        let span = Span::mixed_site();
        let at = span.located_at(self.function.returns().map_or(span, Spanned::span));
        let by_type = |value: TokenStream| {
            quote_spanned! {at=> {
                #[allow(unused_imports)]
                use #private::judge::{AsData as _, ByDecision as _, ByResult as _, ByResultOfDecision as _};
                (&&&&#private::judge::Judge(#value)).verdict()
            }}
        };
        let verdict = match &self.args.verdict {
            VerdictSource::Value => by_type(quote_spanned!(span=> __value)),
            VerdictSource::Closure(closure) => quote_spanned!(span=> #private::judge::judged(__value, #closure)),
            VerdictSource::Errors { denied, code } => {
                let verdict = if *denied { quote!(denied) } else { quote!(failure) };
                let value = by_type(quote_spanned!(span=> __value));
                quote_spanned! {span=>
                    match __value {
                        #private::core::result::Result::Ok(__value) => #value,
                        #private::core::result::Result::Err(_) => #private::Verdict::#verdict(#code),
                    }
                }
            }
        };
        quote_spanned!(span=> |__value: &#returns| #verdict)
    }

    /// Tells the compiler the type of the block before the body, so that `?` in it is inferred as in a plain function
    /// and a wrong type is an error at the user's own expression.
    fn inference(&self) -> TokenStream {
        let (private, returns) = (&self.private, &self.returns);
        if matches!(self.function.returns(), Some(Type::Never(_))) {
            return TokenStream::new();
        }
        quote_spanned! {Span::mixed_site()=>
            if let #private::core::option::Option::Some(__value) = #private::core::option::Option::None::<#returns> {
                return __value;
            }
        }
    }
}

/// The user's body, in braces that lints do not take for the user's.
fn inner(body: &Group) -> Group {
    let mut group = Group::new(Delimiter::Brace, body.stream());
    group.set_span(Span::mixed_site().located_at(body.span()));
    group
}

/// Replaces every `impl Trait` by `_`.
fn without_impl(tokens: TokenStream) -> TokenStream {
    fn erase(ty: &mut Type) {
        match ty {
            Type::ImplTrait(_) => *ty = syn::parse_quote!(_),
            Type::Path(path) => {
                for segment in &mut path.path.segments {
                    if let syn::PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                        for argument in &mut arguments.args {
                            if let syn::GenericArgument::Type(ty) = argument {
                                erase(ty);
                            }
                        }
                    }
                }
            }
            Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(erase),
            Type::Reference(reference) => erase(&mut reference.elem),
            Type::Array(array) => erase(&mut array.elem),
            Type::Slice(slice) => erase(&mut slice.elem),
            Type::Paren(paren) => erase(&mut paren.elem),
            Type::Group(group) => erase(&mut group.elem),
            _ => {}
        }
    }
    match syn::parse2::<Type>(tokens.clone()) {
        Ok(mut ty) => {
            erase(&mut ty);
            ty.into_token_stream()
        }
        Err(_) => tokens,
    }
}
