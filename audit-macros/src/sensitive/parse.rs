//! What the user wrote, read into a model: the marks of the fields, and serde's names and shape.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, DeriveInput, ExprPath, Generics, Index, LitStr, Member, Path, Type};

use super::marks::{self, Mode};
use super::serde::{ContainerNames, FieldNames, VariantNames};
use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::meta;
use crate::symbol::{self, SENSITIVE};

/// A type that derives `Sensitive`.
pub(crate) struct Input<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) packed: bool,
    pub(crate) names: ContainerNames,
    pub(crate) data: Data<'a>,
}

pub(crate) enum Data<'a> {
    Struct(Fields<'a>),
    Enum(Vec<Variant<'a>>),
}

pub(crate) struct Variant<'a> {
    pub(crate) ident: &'a Ident,
    /// The name in the record.
    pub(crate) name: String,
    pub(crate) names: VariantNames,
    pub(crate) fields: Fields<'a>,
}

pub(crate) struct Fields<'a> {
    pub(crate) style: Style,
    pub(crate) list: Vec<Field<'a>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Unit,
    Newtype,
    Tuple,
    Named,
}

pub(crate) struct Field<'a> {
    pub(crate) member: Member,
    /// The name in Rust; the position in a tuple.
    pub(crate) name: String,
    /// The key in the record.
    pub(crate) key: String,
    pub(crate) ty: &'a Type,
    pub(crate) mode: Mode,
    pub(crate) reason: Option<LitStr>,
    pub(crate) names: FieldNames,
    pub(crate) skip: Skip,
}

/// Whether a field is written.
#[derive(Clone)]
pub(crate) enum Skip {
    Never,
    If(ExprPath),
    Always,
}

/// The path of the module that generated code names, from `crate = …` of that helper attribute.
pub(crate) fn private_path(cx: &Ctxt, attrs: &[Attribute], helper: &str) -> TokenStream {
    let mut path = None;
    for item in meta::items(cx, attrs, helper) {
        if item.is("crate") {
            set_once(cx, &mut path, item.expect_path(cx).cloned(), &item.key);
        } else if symbol::is_mark(&item.key) {
            cx.error_spanned_by(&item.key, format!("`{}` says what happens to one field: put it there", item.key));
        } else {
            cx.error_spanned_by(&item.key, symbol::unknown_key(&item.key, &["crate"]));
        }
    }
    private_in(path.as_ref())
}

/// The same for a path that is parsed already.
pub(crate) fn private_in(path: Option<&Path>) -> TokenStream {
    path.map_or_else(|| quote!(::audited::__private), |path| quote!(#path::__private))
}

/// Takes a key's value; a second one is a mistake.
pub(crate) fn set_once<T>(cx: &Ctxt, place: &mut Option<T>, value: Option<T>, key: &Ident) {
    if place.is_some() {
        cx.error_spanned_by(key, format!("`{key}` is given twice: keep one"));
    } else {
        *place = value;
    }
}

impl<'a> Input<'a> {
    /// Reads a struct or an enum; a union has no safe reading.
    pub(crate) fn parse(cx: &Ctxt, input: &'a DeriveInput) -> Option<Self> {
        let names = ContainerNames::parse(cx, &input.attrs);
        let data = match &input.data {
            syn::Data::Struct(data) => Data::Struct(Fields::parse(cx, &data.fields, names.rename_all)),
            syn::Data::Enum(data) => {
                Data::Enum(data.variants.iter().map(|variant| Variant::parse(cx, variant, &names)).collect())
            }
            syn::Data::Union(data) => {
                cx.error_spanned_by(
                    data.union_token,
                    "a union does not say which field it holds, so that nothing of it can be classified: \
                     wrap it in a struct, and mark that field `#[sensitive]`",
                );
                return None;
            }
        };
        let packed = meta::foreign_items(&input.attrs, "repr").iter().any(|item| item.is("packed"));
        Some(Self { ident: &input.ident, generics: &input.generics, packed, names, data })
    }

    /// Every list of fields, with the variant it belongs to.
    pub(crate) fn fields(&self) -> Vec<(Option<&'a Ident>, &Fields<'a>)> {
        match &self.data {
            Data::Struct(fields) => vec![(None, fields)],
            Data::Enum(variants) => {
                variants.iter().filter(|v| !v.names.skipped).map(|v| (Some(v.ident), &v.fields)).collect()
            }
        }
    }

    /// The one field that stands for all of a transparent struct.
    pub(crate) fn transparent_field(&self) -> Option<&Field<'a>> {
        match &self.data {
            Data::Struct(fields) if self.names.transparent => {
                fields.list.iter().find(|field| !matches!(field.names.skip, Skip::Always) && !is_phantom(field.ty))
            }
            Data::Struct(_) | Data::Enum(_) => None,
        }
    }
}

impl<'a> Variant<'a> {
    fn parse(cx: &Ctxt, variant: &'a syn::Variant, container: &ContainerNames) -> Self {
        let names = VariantNames::parse(cx, &variant.attrs);
        reject_marks(cx, &variant.attrs);
        let rust = variant.ident.unraw().to_string();
        let renamed = || container.rename_all.map_or_else(|| rust.clone(), |case| case.of_variant(&rust));
        let name = names.rename.clone().unwrap_or_else(renamed);
        let case = names.rename_all.or(container.rename_all_fields);
        let mut fields = Fields::parse(cx, &variant.fields, case);
        // As serde writes it: a variant whose one field is skipped is a unit variant.
        if fields.style == Style::Newtype && matches!(fields.list[0].names.skip, Skip::Always) {
            fields.style = Style::Unit;
        }
        Self { ident: &variant.ident, name, names, fields }
    }
}

/// A mark on a variant says nothing about a field.
pub(crate) fn reject_marks(cx: &Ctxt, attrs: &[Attribute]) {
    for attr in meta::named(attrs, SENSITIVE) {
        cx.error_spanned_by(attr, "`#[sensitive]` goes on a field: mark each field of this variant");
    }
}

impl<'a> Fields<'a> {
    pub(crate) fn parse(cx: &Ctxt, fields: &'a syn::Fields, case: Option<Case>) -> Self {
        let style = match fields {
            syn::Fields::Unit => Style::Unit,
            syn::Fields::Named(_) => Style::Named,
            syn::Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Style::Newtype,
            syn::Fields::Unnamed(_) => Style::Tuple,
        };
        let mut list: Vec<_> = fields.iter().enumerate().map(|(at, field)| Field::parse(cx, at, field, case)).collect();
        for field in &mut list {
            // As serde writes it: the one field of a newtype is always there.
            field.skip = if style == Style::Newtype { Skip::Never } else { field.names.skip.clone() };
        }
        Self { style, list }
    }

    /// The fields that can be in a record.
    pub(crate) fn written(&self) -> impl Iterator<Item = &Field<'a>> {
        let unit = self.style == Style::Unit;
        self.list.iter().filter(move |field| !unit && !matches!(field.skip, Skip::Always))
    }
}

impl<'a> Field<'a> {
    fn parse(cx: &Ctxt, at: usize, field: &'a syn::Field, case: Option<Case>) -> Self {
        let names = FieldNames::parse(cx, &field.attrs);
        let (mode, reason) = marks::parse(cx, &field.attrs);
        let (member, name, key) = if let Some(ident) = &field.ident {
            let name = ident.unraw().to_string();
            let key = case.map_or_else(|| name.clone(), |case| case.of_field(&name));
            (Member::Named(ident.clone()), name, names.rename.clone().unwrap_or(key))
        } else {
            let index = u32::try_from(at).expect("fewer fields than that");
            (Member::Unnamed(Index { index, span: field.ty.span() }), at.to_string(), at.to_string())
        };
        Self { member, name, key, ty: &field.ty, mode, reason, names, skip: Skip::Never }
    }
}

fn is_phantom(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "PhantomData"))
}
