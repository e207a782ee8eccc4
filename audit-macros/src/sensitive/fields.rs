//! How fields are written, bounded and registered.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Ident, Type, WhereClause};

use super::marks::Mode;
use super::parse::{Field, Fields, Skip, Style};

/// A name that the user's code cannot see.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// A pattern for a variant's fields, and the name that each is bound to.
pub(crate) fn pattern(fields: &Fields<'_>) -> (TokenStream, Vec<Ident>) {
    let names: Vec<_> =
        (0..fields.list.len()).map(|at| format_ident!("__field{}", at, span = Span::mixed_site())).collect();
    let members = fields.list.iter().map(|field| &field.member);
    (quote!({ #(#members: #names),* }), names)
}

/// Statements that write every field into `object`; `access` gives a reference to each.
pub(crate) fn write_object(fields: &Fields<'_>, object: &Ident, access: &dyn Fn(usize) -> TokenStream) -> TokenStream {
    write_each(fields, access, &|field, value| {
        let (key, ty) = (&field.key, field.ty);
        match field.mode {
            Mode::Own => quote_spanned!(ty.span()=> #object.value::<#ty>(#key, #value);),
            Mode::Plain => quote_spanned!(ty.span()=> #object.plain::<#ty>(#key, #value);),
            Mode::Hash => quote_spanned!(ty.span()=> #object.hashed::<#ty>(#key, #value);),
            Mode::Drop => quote!(#object.redacted(#key);),
        }
    })
}

/// Statements that write every field into `array`.
pub(crate) fn write_array(fields: &Fields<'_>, array: &Ident, access: &dyn Fn(usize) -> TokenStream) -> TokenStream {
    let item = local("__item");
    write_each(fields, access, &|field, value| {
        let write = write_value(field, &item, value);
        quote!(#array.item(|#item| #write);)
    })
}

/// An expression that writes one field as the value that is due.
pub(crate) fn write_value(field: &Field<'_>, encoder: &Ident, value: &TokenStream) -> TokenStream {
    let ty = field.ty;
    match field.mode {
        Mode::Own => quote_spanned!(ty.span()=> #encoder.value::<#ty>(#value)),
        Mode::Plain => quote_spanned!(ty.span()=> #encoder.plain::<#ty>(#value)),
        Mode::Hash => quote_spanned!(ty.span()=> #encoder.hashed::<#ty>(#value)),
        // Looked at, so that a field which only `audited` drops is not called unread.
        Mode::Drop => quote!({ let _ = #value; #encoder.redacted() }),
    }
}

fn write_each(
    fields: &Fields<'_>,
    access: &dyn Fn(usize) -> TokenStream,
    write: &dyn Fn(&Field<'_>, &TokenStream) -> TokenStream,
) -> TokenStream {
    let statements = fields.list.iter().enumerate().map(|(at, field)| {
        let value = access(at);
        if fields.style == Style::Unit {
            return quote!(let _ = #value;);
        }
        let write = write(field, &value);
        match (&field.skip, field.mode) {
            (Skip::Always, _) => quote!(let _ = #value;),
            (Skip::If(skip), _) => quote!(if !#skip(#value) { #write }),
            (Skip::Never, Mode::Drop) => quote!(let _ = #value; #write),
            (Skip::Never, _) => write,
        }
    });
    quote!(#(#statements)*)
}

/// The user's `where` clause, and a bound for the type of each field that depends on a parameter.
pub(crate) fn where_clause<'a>(
    private: &TokenStream,
    ident: &Ident,
    generics: &Generics,
    fields: impl Iterator<Item = &'a Fields<'a>>,
) -> WhereClause {
    let mut clause = generics
        .where_clause
        .clone()
        .unwrap_or_else(|| WhereClause { where_token: <_>::default(), predicates: <_>::default() });
    let mut seen = Vec::new();
    for field in fields.flat_map(Fields::written) {
        let bound = match field.mode {
            Mode::Own => quote!(#private::Sensitive),
            Mode::Plain | Mode::Hash => quote!(#private::serde::Serialize),
            Mode::Drop => continue,
        };
        for ty in bounded(field.ty, ident, generics) {
            let predicate = quote!(#ty: #bound);
            let text = predicate.to_string();
            if !seen.contains(&text) {
                seen.push(text);
                clause.predicates.push(syn::parse_quote!(#predicate));
            }
        }
    }
    clause
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

/// Registers a type and its fields; once, whatever its parameters.
pub(crate) fn register<'a>(
    private: &TokenStream,
    ident: &Ident,
    fields: impl Iterator<Item = (Option<&'a Ident>, &'a Fields<'a>)>,
) -> TokenStream {
    let name = unraw(ident);
    let entries = fields.flat_map(|(variant, fields)| {
        let variant = variant.map(unraw).map_or_else(
            || quote!(#private::core::option::Option::None),
            |variant| quote!(#private::core::option::Option::Some(#variant)),
        );
        fields.written().map(move |field| {
            let (name, key) = (&field.name, &field.key);
            let mode = match field.mode {
                Mode::Own => quote!(#private::core::option::Option::None),
                Mode::Plain => quote!(#private::core::option::Option::Some(#private::Mode::Plain)),
                Mode::Drop => quote!(#private::core::option::Option::Some(#private::Mode::Drop)),
                Mode::Hash => quote!(#private::core::option::Option::Some(#private::Mode::Hash)),
            };
            quote!(#private::SensitiveField::new(#variant, #name, #key, #mode))
        })
    });
    quote! {
        #private::inventory::submit! {
            #private::SensitiveType::new(
                #private::core::env!("CARGO_PKG_NAME"),
                #private::core::module_path!(),
                #name,
                &[#(#entries),*],
            )
        }
    }
}

fn unraw(ident: &Ident) -> String {
    use syn::ext::IdentExt as _;
    ident.unraw().to_string()
}
