//! The function that carries the attribute. Its body stays a token group.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{AttrStyle, Attribute, Error, ReturnType, Signature, Token, Type, Visibility};

/// A function with a body.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let start = input.span();
        let attrs = input.call(Attribute::parse_outer)?;
        let vis: Visibility = input.parse()?;
        let at = input.span();
        let sig: Signature = input.parse().map_err(|_| {
            let span = if attrs.is_empty() { start } else { at };
            Error::new(span, "`#[audited]` goes on a function or method with a body")
        })?;
        if input.peek(Token![;]) {
            return Err(Error::new_spanned(
                &sig,
                "`#[audited]` needs a body to audit: put it on the implementations of this method",
            ));
        }
        match input.parse()? {
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                let (inner, body) = split_inner_attributes.parse2(body.stream()).map(|(inner, stream)| {
                    let mut rest = Group::new(Delimiter::Brace, stream);
                    rest.set_span(body.span());
                    (inner, rest)
                })?;
                Ok(Self { attrs: attrs.into_iter().chain(inner).collect(), vis, sig, body })
            }
            other => Err(Error::new(other.span(), "expected the body of the function")),
        }
    }
}

/// Attributes inside the body are of the whole function, and its body is about to become a part of it.
fn split_inner_attributes(body: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, TokenStream)> {
    let outer = |attr| Attribute { style: AttrStyle::Outer, ..attr };
    let attrs = body.call(Attribute::parse_inner)?.into_iter().map(outer).collect();
    Ok((attrs, body.parse()?))
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, vis, sig, body } = self;
        tokens.extend(quote!(#(#attrs)* #vis #sig #body));
    }
}

impl Function {
    /// The declared return type, if it is not `()`.
    pub(crate) fn returns(&self) -> Option<&Type> {
        match &self.sig.output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some(ty),
        }
    }

    /// Whether it belongs to a type, as far as its signature shows.
    pub(crate) fn is_method(&self) -> bool {
        self.sig.receiver().is_some()
    }
}
