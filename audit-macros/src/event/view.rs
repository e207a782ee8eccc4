//! The enum beside a vocabulary as which its records are read back: `#[event(view)]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Path, Token};

use super::kind;
use super::parse::Input;
use super::variant::Variant;
use crate::ctxt::Ctxt;
use crate::meta::{Item, Value};
use crate::mode::Mode;
use crate::sensitive::fields::local;
use crate::sensitive::parse::{Field, Skip, Style};

/// That records can be read back.
pub(super) struct View {
    key: Ident,
    /// What is derived for the view.
    derives: Vec<Path>,
}

impl View {
    /// Reads `view` and `view(Debug, PartialEq)`.
    pub(super) fn parse(cx: &Ctxt, item: &Item) -> Option<Self> {
        let derives = match &item.value {
            Value::Nothing => Some(Vec::new()),
            Value::List(tokens) => {
                let paths = Punctuated::<Path, Token![,]>::parse_terminated.parse2(tokens.clone());
                paths.ok().map(|paths| paths.into_iter().collect())
            }
            Value::Is(_) | Value::IsType(_) => None,
        };
        if derives.is_none() {
            cx.error_spanned_by(item, "`view` takes nothing, or what it shall derive: `view(Debug, PartialEq)`");
        }
        Some(Self { key: item.key.clone(), derives: derives? })
    }
}

pub(super) fn check(cx: &Ctxt, input: &Input<'_>) {
    let Some(view) = &input.view else { return };
    if !input.generics.params.is_empty() {
        cx.error_spanned_by(
            &view.key,
            "what is read back owns its values and is of known types: the enum of a view takes no parameters",
        );
    }
    for field in input.own().flat_map(|variant| variant.fields.written()) {
        if field.names.flatten {
            cx.error_spanned_by(
                field.ty,
                "a view cannot tell the keys of this field from the others: remove `flatten`, or `view` from the enum",
            );
        }
        if let (Some(Mode::Plain), Some(with)) = (field.mode(), &field.names.with) {
            cx.error_spanned_by(
                &with.function,
                "a view cannot read what a function of yours writes: give the field a type that reads it, or remove \
                 `view` from the enum",
            );
        }
    }
}

/// For `UserEvent` this is
///
/// ```text
/// pub enum UserEventView { Created { id: Seen<u64>, name: Seen<String> }, Deleted }
/// impl EventView for UserEvent {
///     type View = UserEventView;
///     fn view(__kind: UserEventKind, __fields: &ViewFields<'_>) -> Result<UserEventView, ViewError> {
///         Ok(match __kind {
///             UserEventKind::Created =>
///                 UserEventView::Created { id: __fields.value("id")?, name: __fields.redacted("name")? },
///             UserEventKind::Deleted => UserEventView::Deleted,
///         })
///     }
/// }
/// ```
pub(super) fn expand(input: &Input<'_>) -> Option<TokenStream> {
    let definition = definition(input)?;
    let (private, kind, view, inner) = (&input.private, kind::ident(input), ident(input), local("__inner"));
    let (of, fields) = (local("__kind"), local("__fields"));
    let arms = input.variants.iter().map(|variant| {
        let ident = variant.ident;
        if let Some(nested) = variant.inner() {
            let ty = nested.ty;
            let read = quote_spanned!(ty.span()=> <#ty as #private::EventView>::view(#inner, #fields)?);
            return quote!(#kind::#ident(#inner) => #view::#ident(#read),);
        }
        let reads = shape(variant, None, &|field| read(private, field));
        quote!(#kind::#ident => #view::#ident #reads,)
    });
    let body = quote!(#private::core::result::Result::Ok(match #of { #(#arms)* }));
    let implementation = implement(input, &body);
    Some(quote!(#definition #implementation))
}

/// The same where something is wrong, so that code which reads records says nothing more.
pub(super) fn fallback(input: &Input<'_>) -> Option<TokenStream> {
    if !input.generics.params.is_empty() {
        return None;
    }
    let (definition, implementation) = (definition(input)?, implement(input, &quote!(loop {})));
    Some(quote!(#definition #implementation))
}

fn implement(input: &Input<'_>, body: &TokenStream) -> TokenStream {
    let (event, private, kind, view) = (input.ident, &input.private, kind::ident(input), ident(input));
    let (of, fields, core) = (local("__kind"), local("__fields"), quote!(#private::core));
    quote! {
        #[automatically_derived]
        impl #private::EventView for #event {
            type View = #view;

            fn view(
                #of: #kind,
                #fields: &#private::ViewFields<'_>,
            ) -> #core::result::Result<#view, #private::ViewError> {
                #body
            }
        }
    }
}

fn ident(input: &Input<'_>) -> Ident {
    format_ident!("{}View", input.ident, span = Span::call_site().located_at(input.ident.span()))
}

/// The enum; none where nobody asked for it.
fn definition(input: &Input<'_>) -> Option<TokenStream> {
    let View { derives, .. } = input.view.as_ref()?;
    let (view, private, vis, non_exhaustive) = (ident(input), &input.private, input.vis, input.non_exhaustive);
    let about = format!("What the record of a [`{}`] shows.", input.ident);
    let variants = input.variants.iter().map(|variant| {
        let (ident, docs) = (variant.ident, &variant.docs);
        let recorded = docs.is_empty().then(|| quote!(#[doc = "As it was recorded."]));
        let shape = match variant.inner() {
            Some(nested) => {
                let ty = nested.ty;
                let inner = quote_spanned!(ty.span()=> <#ty as #private::EventView>::View);
                quote!((#[doc = "What its record shows."] #inner))
            }
            None => shape(variant, Some(&quote!(#[doc = "What its record shows."])), &|field| seen(private, field)),
        };
        quote!(#(#docs)* #recorded #ident #shape)
    });
    Some(quote! {
        #[doc = #about]
        #[derive(#(#derives),*)]
        #[allow(dead_code)]
        #non_exhaustive
        #vis enum #view { #(#variants),* }
    })
}

/// The fields of a variant that can be in a record, each as something.
fn shape(variant: &Variant<'_>, doc: Option<&TokenStream>, each: &dyn Fn(&Field<'_>) -> TokenStream) -> TokenStream {
    let values = variant.fields.written().map(each);
    match variant.fields.style {
        Style::Unit => TokenStream::new(),
        Style::Named => {
            let fields = variant.fields.written().zip(values).map(|(field, value)| {
                let name = &field.member;
                quote!(#doc #name: #value)
            });
            quote!({ #(#fields),* })
        }
        Style::Newtype | Style::Tuple => quote!((#(#values),*)),
    }
}

/// The type of a field of the view.
fn seen(private: &TokenStream, field: &Field<'_>) -> TokenStream {
    let ty = field.ty;
    let seen = quote_spanned!(ty.span()=> #private::Seen<#ty>);
    match field.skip {
        Skip::If(_) => quote!(#private::core::option::Option<#seen>),
        Skip::Never | Skip::Always => seen,
    }
}

/// The expression that reads it.
fn read(private: &TokenStream, field: &Field<'_>) -> TokenStream {
    let (fields, ty, key) = (local("__fields"), field.ty, &field.key);
    let shows = matches!(field.mode(), None | Some(Mode::Plain));
    let method = Ident::new(if shows { "value" } else { "redacted" }, ty.span());
    match field.skip {
        Skip::If(_) => {
            quote_spanned!(ty.span()=> #fields.optional(#key, #private::ViewFields::#method::<#ty>)?)
        }
        Skip::Never | Skip::Always => quote_spanned!(ty.span()=> #fields.#method::<#ty>(#key)?),
    }
}
