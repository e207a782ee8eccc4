//! What the implementation asks of the types of fields that depend on a parameter.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
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
    clause_by(ident, generics, fields, &|field| bound(private, field), private)
}

/// The same for the schema of a type.
pub(crate) fn where_schema(private: &TokenStream, input: &Input<'_>) -> WhereClause {
    if let Some(target) = &input.names.into {
        let mut clause = Clause::of(input.generics);
        for ty in bounded(target, input.ident, input.generics) {
            clause.add(&quote!(#ty: #private::schema::SensitiveSchema));
        }
        return clause.whole;
    }
    let fields = input.fields();
    where_schema_of(private, input.ident, input.generics, fields.iter().map(|(_, fields)| *fields))
}

/// The same for the schema of these fields.
pub(crate) fn where_schema_of<'a>(
    private: &TokenStream,
    ident: &Ident,
    generics: &Generics,
    fields: impl Iterator<Item = &'a Fields<'a>>,
) -> WhereClause {
    let of_schema = |field: &Field<'_>| match field.mode() {
        None => Some(Bound::Is(quote!(#private::schema::SensitiveSchema))),
        Some(Mode::Plain) if field.names.with.is_none() => Some(Bound::Is(quote!(#private::schema::JsonSchema))),
        Some(_) => None,
    };
    clause_by(ident, generics, fields, &of_schema, private)
}

fn clause_by<'a>(
    ident: &Ident,
    generics: &Generics,
    fields: impl Iterator<Item = &'a Fields<'a>>,
    bound: &dyn Fn(&Field<'_>) -> Option<Bound>,
    private: &TokenStream,
) -> WhereClause {
    let mut clause = Clause::of(generics);
    for field in fields.flat_map(Fields::written) {
        let Some(bound) = bound(field) else { continue };
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

/// What must be bounded for a field of this type: the type, or, where it contains the very type that is derived, since a
/// bound on that would have no end, the parameters that stand elsewhere in it. What that type asks of its own parameters
/// its other fields say.
pub(crate) fn bounded(ty: &Type, ident: &Ident, generics: &Generics) -> Vec<TokenStream> {
    let tokens = quote!(#ty);
    let this = |name: &Ident| name == ident || name == "Self";
    if !mentions(tokens.clone(), &this) {
        let used = generics.type_params().any(|param| mentions(tokens.clone(), &|name| *name == param.ident));
        return if used { vec![tokens] } else { Vec::new() };
    }
    let rest = without(tokens, &this);
    let used = generics.type_params().filter(|param| mentions(rest.clone(), &|name| *name == param.ident));
    used.map(|param| param.ident.to_token_stream()).collect()
}

/// Whether a name stands in a type; not as a lifetime or behind `::`.
pub(crate) fn mentions(tokens: TokenStream, is_it: &dyn Fn(&Ident) -> bool) -> bool {
    let mut before = ' ';
    tokens.into_iter().any(|token| {
        let led_by = std::mem::replace(&mut before, ' ');
        match token {
            TokenTree::Ident(ident) => is_it(&ident) && !matches!(led_by, '\'' | ':'),
            TokenTree::Group(group) => mentions(group.stream(), is_it),
            TokenTree::Punct(punct) => {
                before = punct.as_char();
                false
            }
            TokenTree::Literal(_) => false,
        }
    })
}

/// A type without a name and the arguments that follow it.
fn without(tokens: TokenStream, is_it: &dyn Fn(&Ident) -> bool) -> TokenStream {
    let (mut rest, mut before) = (Vec::new(), ' ');
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let led_by = std::mem::replace(&mut before, ' ');
        match token {
            TokenTree::Ident(ident) if is_it(&ident) && !matches!(led_by, '\'' | ':') => {
                let mut open = 0_usize;
                while let Some(next) = tokens.next_if(|next| open > 0 || is_punct(next, ":<")) {
                    // That of an arrow closes nothing.
                    open += usize::from(is_punct(&next, "<"));
                    open -= usize::from(is_punct(&next, ">") && before != '-');
                    before = if let TokenTree::Punct(punct) = &next { punct.as_char() } else { ' ' };
                    if open == 0 && before == '>' {
                        break;
                    }
                }
            }
            TokenTree::Group(group) => {
                let inner = Group::new(group.delimiter(), without(group.stream(), is_it));
                rest.push(TokenTree::Group(inner));
            }
            TokenTree::Punct(punct) => {
                before = punct.as_char();
                rest.push(TokenTree::Punct(punct));
            }
            other => rest.push(other),
        }
    }
    rest.into_iter().collect()
}

fn is_punct(token: &TokenTree, any_of: &str) -> bool {
    matches!(token, TokenTree::Punct(punct) if any_of.contains(punct.as_char()))
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn of(ty: &str) -> Vec<String> {
        let generics: Generics = syn::parse_str("<'a, T, U, const N: usize>").unwrap();
        let bounded = bounded(&syn::parse_str(ty).unwrap(), &Ident::new("Tree", Span::call_site()), &generics);
        bounded.iter().map(|bound| bound.to_string().replace(' ', "")).collect()
    }

    #[test]
    fn a_type_that_depends_on_a_parameter_is_bounded() {
        assert_eq!(of("Vec<T>"), ["Vec<T>"]);
        assert_eq!(of("&'a [(u8, U)]"), ["&'a[(u8,U)]"]);
        assert_eq!(of("Vec<[u8; N]>"), [""; 0]);
        assert_eq!(of("other::T"), [""; 0]);
    }

    #[test]
    fn the_type_itself_asks_for_nothing() {
        assert_eq!(of("Vec<Tree<T, U, N>>"), [""; 0]);
        assert_eq!(of("Option<Box<Self>>"), [""; 0]);
        assert_eq!(of("Tree::<fn(T) -> U, (Vec<T>, U), N>"), [""; 0]);
    }

    #[test]
    fn what_stands_beside_it_does() {
        assert_eq!(of("HashMap<T, Tree<T, U, N>>"), ["T"]);
        assert_eq!(of("(Tree<T, U, N>, Option<U>)"), ["U"]);
        assert_eq!(of("[(Vec<Tree<Vec<T>, U, N>>, T, U); 2]"), ["T", "U"]);
        assert_eq!(of("other::Tree<T>"), ["other::Tree<T>"]);
    }
}
