//! What the implementation asks of the types of fields that depend on a parameter.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::{Generics, Type, WhereClause};

use super::parse::{Field, Fields, Input};
use crate::mode::Mode;

/// The user's `where` clause, and a bound for the type of each field that depends on a parameter.
pub(crate) fn where_clause<'a>(
    private: &TokenStream,
    ident: &Ident,
    generics: &Generics,
    fields: impl Iterator<Item = &'a Fields<'a>>,
) -> WhereClause {
    let mut clause = Clause::of(generics);
    for field in fields.flat_map(Fields::written) {
        let Some(bound) = bound(private, field) else { continue };
        for ty in bounded(field.ty, ident, generics) {
            clause.add(&match &bound {
                Bound::Is(bound) => quote!(#ty: #bound),
                Bound::RedactedBy(redactor) => quote!(#redactor: #private::Redactor<#ty>),
            });
        }
    }
    clause.whole
}

/// The same for a type that is converted and written as `target`.
pub(crate) fn where_into(private: &TokenStream, input: &Input<'_>, target: &Type) -> WhereClause {
    let mut clause = Clause::of(input.generics);
    if input.generics.type_params().next().is_some() {
        clause.add(&quote!(Self: #private::core::clone::Clone + #private::core::convert::Into<#target>));
    }
    for ty in bounded(target, input.ident, input.generics) {
        clause.add(&quote!(#ty: #private::Sensitive));
    }
    clause.whole
}

/// A `where` clause in the making.
struct Clause {
    whole: WhereClause,
    added: Vec<String>,
}

impl Clause {
    fn of(generics: &Generics) -> Self {
        let empty = || WhereClause { where_token: <_>::default(), predicates: <_>::default() };
        Self { whole: generics.where_clause.clone().unwrap_or_else(empty), added: Vec::new() }
    }

    /// Adds a predicate, once.
    fn add(&mut self, predicate: &TokenStream) {
        let text = predicate.to_string();
        if !self.added.contains(&text) {
            self.added.push(text);
            self.whole.predicates.push(syn::parse_quote!(#predicate));
        }
    }
}

enum Bound {
    Is(TokenStream),
    RedactedBy(TokenStream),
}

fn bound(private: &TokenStream, field: &Field<'_>) -> Option<Bound> {
    match field.mode() {
        None => Some(Bound::Is(quote!(#private::Sensitive))),
        Some(Mode::Drop) => None,
        Some(Mode::With(redactor)) => Some(Bound::RedactedBy(quote!(#redactor))),
        // What the function asks for is the user's to say, as for serde.
        Some(_) if field.names.with.is_some() => None,
        Some(_) => Some(Bound::Is(quote!(#private::serde::Serialize))),
    }
}

/// What must be bounded for a field of this type: the type, or, where it contains the very type that is derived,
/// its parameters, since a bound on the type itself would have no end.
pub(crate) fn bounded(ty: &Type, ident: &Ident, generics: &Generics) -> Vec<TokenStream> {
    let tokens = quote!(#ty);
    let used = generics.type_params().filter(|param| mentions(tokens.clone(), &param.ident)).map(|param| &param.ident);
    let used: Vec<_> = used.collect();
    if used.is_empty() {
        Vec::new()
    } else if mentions(tokens.clone(), ident) || mentions(tokens.clone(), &Ident::new("Self", Span::call_site())) {
        used.iter().map(|param| quote!(#param)).collect()
    } else {
        vec![tokens]
    }
}

/// Whether a name stands in a type; not as a lifetime or behind `::`.
fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    let mut before = ' ';
    tokens.into_iter().any(|token| {
        let led_by = std::mem::replace(&mut before, ' ');
        match token {
            TokenTree::Ident(ident) => ident == *name && !matches!(led_by, '\'' | ':'),
            TokenTree::Group(group) => mentions(group.stream(), name),
            TokenTree::Punct(punct) => {
                before = punct.as_char();
                false
            }
            TokenTree::Literal(_) => false,
        }
    })
}
