//! How fields are written.

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ExprPath, Type};

use super::parse::{Field, Fields, Skip, Style};
use super::serde::With;
use crate::mode::Mode;
use crate::private;

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

/// A reference to what a pattern has bound a field to.
pub(crate) fn bound(binding: &Ident, field: &Field<'_>) -> TokenStream {
    reference(Delimiter::Parenthesis, quote!(*#binding), field.ty)
}

/// A reference to a place that holds a value of this type. It begins where the type does and ends where that ends, so
/// that a mistake is shown at all of it; the tokens of the place lie elsewhere, since where the type comes out of a macro
/// `self` would be another one.
pub(crate) fn reference(delimiter: Delimiter, place: TokenStream, ty: &Type) -> TokenStream {
    let mut spans = ty.to_token_stream().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::mixed_site);
    let mut place = Group::new(delimiter, place);
    place.set_span(spans.last().unwrap_or(first));
    quote_spanned!(first=> &#place)
}

/// Statements that look at the fields that are never written, so that none is called unread.
pub(crate) fn unread(fields: &Fields<'_>, access: &dyn Fn(usize) -> TokenStream) -> TokenStream {
    let never = |field: &Field<'_>| fields.style == Style::Unit || matches!(field.skip, Skip::Always);
    let unread = fields.list.iter().enumerate().filter(|(_, field)| never(field)).map(|(at, _)| access(at));
    quote!(#(let _ = #unread;)*)
}

/// The fields of one object or array, in the order in which they are written.
pub(crate) struct Writes<'f, 'a> {
    private: &'f TokenStream,
    runs: Vec<Run<'f, 'a>>,
}

/// Fields that are written by one call.
enum Run<'f, 'a> {
    /// Each as one value.
    Values(Vec<(&'f Field<'a>, TokenStream)>),
    /// One that is not always there.
    Unless(&'f ExprPath, &'f Field<'a>, TokenStream),
    /// One whose own fields stand among the others.
    Flat(&'f Field<'a>, TokenStream),
}

impl<'f, 'a> Writes<'f, 'a> {
    /// Of the fields that are ever written; `access` gives a reference to each.
    pub(crate) fn of(private: &'f TokenStream, fields: &'f Fields<'a>, access: &dyn Fn(usize) -> TokenStream) -> Self {
        let mut runs = Vec::new();
        for (at, field) in fields.list.iter().enumerate() {
            let value = access(at);
            match (&field.skip, runs.last_mut()) {
                _ if fields.style == Style::Unit => {}
                (Skip::Always, _) => {}
                (Skip::If(skip), _) => runs.push(Run::Unless(skip, field, value)),
                (Skip::Never, _) if field.names.flatten => runs.push(Run::Flat(field, value)),
                (Skip::Never, Some(Run::Values(values))) => values.push((field, value)),
                (Skip::Never, _) => runs.push(Run::Values(vec![(field, value)])),
            }
        }
        Self { private, runs }
    }

    /// The one field of a newtype, whose own fields stand among others.
    pub(crate) fn flat(private: &'f TokenStream, field: &'f Field<'a>, value: TokenStream) -> Self {
        Self { private, runs: vec![Run::Flat(field, value)] }
    }

    /// Statements that write an object of these alone.
    pub(crate) fn object(&self, first: &Literal) -> TokenStream {
        let [Run::Values(values)] = self.runs.as_slice() else { return self.opened("open", first, None) };
        let (encoder, ty) = (local("__encoder"), local("__TYPE"));
        let (looks, count, values) = self.values(values);
        quote!(#looks #encoder.members(&#ty, #first, #count, &[#values]);)
    }

    /// Statements that write an array of these.
    pub(crate) fn array(&self, first: &Literal) -> TokenStream {
        self.opened("open_array", first, None)
    }

    /// Statements that write an object whose first field is the tag.
    pub(crate) fn tagged(&self, first: &Literal, tag: &str, name: &str) -> TokenStream {
        self.opened("open", first, Some((tag, name)))
    }

    fn opened(&self, open: &str, first: &Literal, tag: Option<(&str, &str)>) -> TokenStream {
        let (private, encoder, members, ty) = (self.private, local("__encoder"), local("__members"), local("__TYPE"));
        let (open, writes) = (local(open), self.among());
        let tag = tag.map(|(tag, name)| quote!(#members.tag(#tag, #name);));
        quote! {
            if let #private::core::option::Option::Some(mut #members) = #encoder.#open(&#ty, #first) {
                #tag
                #writes
                #members.end();
            }
        }
    }

    /// Statements that write these among `__members`.
    pub(crate) fn among(&self) -> TokenStream {
        let members = local("__members");
        self.runs
            .iter()
            .map(|run| match run {
                Run::Values(values) => {
                    let (looks, count, values) = self.values(values);
                    quote!(#looks #members.values(#count, &[#values]);)
                }
                Run::Unless(skip, field, value) => {
                    let write = if field.names.flatten { self.flatten(field, value) } else { self.value(field, value) };
                    quote!(if #skip(#value) { #members.skip(); } else { #write })
                }
                Run::Flat(field, value) => self.flatten(field, value),
            })
            .collect()
    }

    fn value(&self, field: &Field<'a>, value: &TokenStream) -> TokenStream {
        let (members, (looks, count, values)) = (local("__members"), self.values(&[(field, value.clone())]));
        quote!(#looks #members.values(#count, &[#values]);)
    }

    fn flatten(&self, field: &Field<'a>, value: &TokenStream) -> TokenStream {
        let (private, members, ty) = (self.private, local("__members"), field.ty);
        let generics = typed(field);
        match (field.mode(), shown(private, field, value)) {
            (None | Some(Mode::Plain), Some(shown)) => quote_spanned!(ty.span()=> #members.flatten #generics(#shown);),
            // What describes a foreign type writes its fields; any other redactor whatever it likes.
            (Some(Mode::With(redactor)), Some(shown)) => {
                let one = self.value(field, value);
                quote! {
                    if <#redactor as #private::Redactor<#ty>>::REMOTE { #members.flatten(#shown); } else { #one }
                }
            }
            _ => self.value(field, value),
        }
    }

    /// Looks at what is dropped, so that it is not called unread; how many fields there are; and the values of those
    /// that are not dropped.
    fn values(&self, fields: &[(&Field<'a>, TokenStream)]) -> (TokenStream, Literal, TokenStream) {
        let (mut looks, mut values) = (TokenStream::new(), TokenStream::new());
        for (field, value) in fields {
            match shown(self.private, field, value) {
                Some(shown) if is_unsized(field.ty) => values.extend(quote_spanned!(field.ty.span()=> &#shown,)),
                Some(shown) => values.extend(quote_spanned!(field.ty.span()=> #shown,)),
                None => looks.extend(quote!(let _ = #value;)),
            }
        }
        (looks, Literal::usize_unsuffixed(fields.len()), values)
    }
}

/// Whether a type looks as if it had no size, or is a parameter, which may have none.
fn is_unsized(ty: &Type) -> bool {
    match ty {
        Type::Slice(_) | Type::TraitObject(_) => true,
        Type::Path(path) => path.path.is_ident("str"),
        Type::Group(group) => is_unsized(&group.elem),
        Type::Paren(paren) => is_unsized(&paren.elem),
        _ => false,
    }
}

/// A statement that writes one field as all of the value that is due.
pub(crate) fn write_only(private: &TokenStream, field: &Field<'_>, value: &TokenStream) -> TokenStream {
    let (at, encoder, ty) = (Literal::usize_unsuffixed(field.at), local("__encoder"), local("__TYPE"));
    let generics = typed(field);
    let Some(value) = shown(private, field, value) else {
        // Looked at, so that a field which only `audited` drops is not called unread.
        return quote!(let _ = #value; #encoder.redacted(););
    };
    quote_spanned!(field.ty.span()=> #encoder.only #generics(&#ty, #at, #value);)
}

/// The generic argument of a call that takes a field as its type says: a mistake is shown there.
fn typed(field: &Field<'_>) -> Option<TokenStream> {
    let ty = field.ty;
    field.mode().is_none().then(|| quote_spanned!(ty.span()=> ::<#ty>))
}

/// What of a field is handed to the encoder: the value in whatever its mode asks for; nothing of what is dropped.
fn shown(private: &TokenStream, field: &Field<'_>, value: &TokenStream) -> Option<TokenStream> {
    let Some(mode) = field.mode() else { return Some(value.clone()) };
    let (ty, with) = (field.ty, &field.names.with);
    // Where the compiler shows that the type does not fit.
    let span = match (mode, with) {
        (Mode::With(redactor), _) => redactor.span(),
        (_, Some(with)) => with.function.span(),
        _ => ty.span(),
    };
    let (private, value) = (private::among_users(private, span), private::at(value, span));
    let shown = match (mode, with) {
        (Mode::Drop, _) => return None,
        (Mode::With(redactor), _) => quote_spanned!(span=> &#private::Custom::<#redactor, #ty>::new(#value)),
        (_, Some(With { function, .. })) => {
            let serializer = local("__serializer");
            quote_spanned! {span=>
                &#private::With(|#serializer: #private::PlainSerializer<'_, '_>| #function(#value, #serializer))
            }
        }
        (Mode::Plain, None) => quote_spanned!(span=> &#private::Declared::<#ty>(#value).choose()),
        (_, None) => quote_spanned!(span=> &#private::Plain::<#ty>(#value)),
    };
    Some(shown)
}
