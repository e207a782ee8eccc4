//! Statements that capture what the attribute names.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::LitStr;
use syn::spanned::Spanned;

use super::args::{Captured, Field};
use super::pieces::Pieces;
use crate::mode::Mode;

/// Which call a capture is for.
#[derive(Clone, Copy)]
pub(super) enum WhichCall {
    /// The one whose body is running.
    Running,
    /// The one at hand, `__call`.
    Local,
    /// The one that is told of the returned value, `__told`.
    Told,
}

impl Pieces<'_> {
    /// Statements that capture. The tenant comes first: it is part of what a keyed hash is made of.
    pub(super) fn captures(&self, which: WhichCall) -> TokenStream {
        let args = self.args;
        let mut captures = TokenStream::new();
        for (what, captured) in [("tenant", &args.tenant), ("actor", &args.actor), ("subject", &args.subject)] {
            if let Some(captured) = captured {
                captures.extend(self.capture(which, what, None, captured));
            }
        }
        if let Some((kind, id)) = &args.resource {
            captures.extend(self.capture(which, "resource", Some(kind), id));
        }
        captures.extend(self.fields(which, &args.fields));
        captures
    }

    pub(super) fn fields(&self, which: WhichCall, fields: &[Field]) -> TokenStream {
        // Neighbours that are no more than looked at are captured at once, which is less to compile.
        let runs = fields.chunk_by(|one, other| one.value.is_looked_at() && other.value.is_looked_at());
        let statement = |run: &[Field]| match run {
            [field] => self.capture(which, "field", Some(&field.key), &field.value),
            run => self.capture_all(which, run),
        };
        runs.map(statement).collect()
    }

    fn capture_all(&self, which: WhichCall, fields: &[Field]) -> TokenStream {
        let private = &self.private;
        let target = match which {
            WhichCall::Running => quote_spanned!(Span::mixed_site()=> #private::fields),
            WhichCall::Local => quote_spanned!(Span::mixed_site()=> __call.fields),
            WhichCall::Told => quote_spanned!(Span::mixed_site()=> __told.fields),
        };
        let keys: Vec<_> = fields.iter().map(|field| field.key.value()).collect();
        let keys = keys.join(",");
        let values = fields.iter().map(|field| self.shown(&field.value));
        let statement = quote_spanned!(Span::mixed_site()=> #target(#keys, &[#(#values),*]););
        let plain = fields.iter().any(|field| matches!(field.value.mode, Some(Mode::Plain)));
        if plain { self.choosing(&statement) } else { statement }
    }

    fn capture(&self, which: WhichCall, what: &str, name: Option<&LitStr>, captured: &Captured) -> TokenStream {
        let at = Span::mixed_site().located_at(captured.value.span());
        let (what, value) = (Ident::new(what, at), self.shown(captured));
        let target = match which {
            WhichCall::Running => {
                let private = self.private_at(at);
                quote_spanned!(at=> #private::#what)
            }
            WhichCall::Local => quote_spanned!(Span::mixed_site()=> __call.#what),
            WhichCall::Told => quote_spanned!(Span::mixed_site()=> __told.#what),
        };
        let name = name.map(|name| quote!(#name,));
        let statement = quote_spanned!(Span::mixed_site()=> #target(#name #value););
        if matches!(captured.mode, Some(Mode::Plain)) { self.choosing(&statement) } else { statement }
    }

    /// A statement with the traits by which a plain value is shown: by its own type's word if it has any.
    fn choosing(&self, statement: &TokenStream) -> TokenStream {
        let private = &self.private;
        quote_spanned! {Span::mixed_site()=> {
            #[allow(unused_imports)]
            use #private::ViaSerialize as _;
            #statement
        }}
    }

    /// A reference to the value, inside what says how it may be shown.
    fn shown(&self, captured: &Captured) -> TokenStream {
        let span = Span::mixed_site().located_at(captured.value.span());
        let (private, value) = (self.private_at(span), captured.value.to_token_stream());
        // From the first token of the expression to the last, so that a mistake is shown at all of it.
        let end = value.clone().into_iter().last().map_or(span, |last| span.located_at(last.span()));
        let mut value = Group::new(Delimiter::Parenthesis, value);
        value.set_span(end);
        match &captured.mode {
            None => quote_spanned!(span=> &#value),
            Some(Mode::Plain) => quote_spanned!(span=> &#private::Declared(&#value).choose()),
            Some(Mode::Drop) => quote_spanned!(span=> &#private::Dropped(&#value)),
            Some(Mode::With(redactor)) => quote_spanned!(span=> &#private::Custom::<#redactor, _>::new(&#value)),
            Some(mode) => {
                let scope = match mode {
                    Mode::Hash { scope: Some(scope) } => Some(quote_spanned!(span=> .scope(#scope))),
                    _ => None,
                };
                let mode = mode.in_core(&private);
                quote_spanned!(span=> &#private::Shown::new(&#value, #mode) #scope)
            }
        }
    }
}
