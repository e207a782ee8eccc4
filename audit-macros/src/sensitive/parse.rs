//! What the user wrote, read into a model: the marks of the fields, and serde's names and shape.

use proc_macro2::{Ident, Literal};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, DeriveInput, ExprPath, Generics, Index, Member, Type};

use super::container::Container;
use super::marks::{self, Marks};
use super::serde::{ContainerNames, FieldNames, VariantNames};
use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::meta;
use crate::mode::Mode;
use crate::symbol::SENSITIVE;

/// A type that derives `Sensitive`.
pub(crate) struct Input<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) container: Container,
    pub(crate) packed: bool,
    pub(crate) non_exhaustive: bool,
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
    pub(crate) marks: Marks,
    pub(crate) names: FieldNames,
    pub(crate) skip: Skip,
    /// The place among the fields that are registered, where it is one of them.
    pub(crate) at: usize,
}

/// Whether a field is written.
#[derive(Clone)]
pub(crate) enum Skip {
    Never,
    If(ExprPath),
    Always,
}

impl<'a> Input<'a> {
    /// Reads a struct or an enum; a union has no safe reading.
    pub(crate) fn parse(cx: &Ctxt, input: &'a DeriveInput) -> Self {
        let container = Container::parse(cx, &input.attrs);
        let names = ContainerNames::parse(&input.attrs);
        let mut data = match &input.data {
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
                Data::Enum(Vec::new())
            }
        };
        match &mut data {
            Data::Struct(fields) => {
                if names.transparent {
                    fields.keep_transparent();
                }
                number([fields]);
            }
            Data::Enum(variants) => number(variants.iter_mut().filter(|v| !v.names.skipped).map(|v| &mut v.fields)),
        }
        Self {
            ident: &input.ident,
            generics: &input.generics,
            container,
            packed: meta::foreign_items(&input.attrs, "repr").iter().any(|item| item.is("packed")),
            non_exhaustive: meta::named(&input.attrs, "non_exhaustive").next().is_some(),
            names,
            data,
        }
    }

    /// Every list of fields that can be in a record, with the variant it belongs to.
    pub(crate) fn fields(&self) -> Vec<(Option<&'a Ident>, &Fields<'a>)> {
        match &self.data {
            // Another type is written instead.
            _ if self.names.into.is_some() => Vec::new(),
            Data::Struct(fields) => vec![(None, fields)],
            Data::Enum(variants) => {
                variants.iter().filter(|v| !v.names.skipped).map(|v| (Some(v.ident), &v.fields)).collect()
            }
        }
    }

    /// The one field that stands for all of a transparent struct.
    pub(crate) fn transparent_field(&self) -> Option<&Field<'a>> {
        match &self.data {
            Data::Struct(fields) if self.names.transparent => fields.written().next(),
            Data::Struct(_) | Data::Enum(_) => None,
        }
    }
}

/// Gives the fields that can be in a record their places in the registry, over all variants.
pub(crate) fn number<'f, 'a: 'f>(lists: impl IntoIterator<Item = &'f mut Fields<'a>>) {
    let fields = lists.into_iter().flat_map(Fields::written_mut);
    for (at, field) in fields.enumerate() {
        field.at = at;
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

    /// None at all.
    pub(crate) const fn nothing() -> Self {
        Self { style: Style::Unit, list: Vec::new() }
    }

    /// The fields that can be in a record.
    pub(crate) fn written(&self) -> impl Iterator<Item = &Field<'a>> {
        let unit = self.style == Style::Unit;
        self.list.iter().filter(move |field| !unit && !matches!(field.skip, Skip::Always))
    }

    /// The place of the first field that is registered.
    pub(crate) fn first(&self) -> Literal {
        Literal::usize_unsuffixed(self.written().next().map_or(0, |field| field.at))
    }

    fn written_mut(&mut self) -> impl Iterator<Item = &mut Field<'a>> {
        let unit = self.style == Style::Unit;
        self.list.iter_mut().filter(move |field| !unit && !matches!(field.skip, Skip::Always))
    }

    /// Skips all but the field that serde takes for the whole.
    fn keep_transparent(&mut self) {
        let stands = |field: &Field<'_>| !matches!(field.names.skip, Skip::Always) && !is_phantom(field.ty);
        let found = self.list.iter().position(stands);
        for (at, field) in self.list.iter_mut().enumerate() {
            field.skip = if found == Some(at) { Skip::Never } else { Skip::Always };
        }
    }
}

impl<'a> Field<'a> {
    fn parse(cx: &Ctxt, at: usize, field: &'a syn::Field, case: Option<Case>) -> Self {
        let names = FieldNames::parse(cx, &field.attrs);
        let marks = marks::parse(cx, &field.attrs);
        let (member, name, key) = if let Some(ident) = &field.ident {
            let name = ident.unraw().to_string();
            let renamed = || case.map_or_else(|| name.clone(), |case| case.of_field(&name));
            // Flattened, it has no key: should it be written as one value after all, its name in Rust is known.
            let key = if names.flatten { name.clone() } else { names.rename.clone().unwrap_or_else(renamed) };
            (Member::Named(ident.clone()), name, key)
        } else {
            let index = u32::try_from(at).expect("fewer fields than that");
            (Member::Unnamed(Index { index, span: field.ty.span() }), at.to_string(), at.to_string())
        };
        Self { member, name, key, ty: &field.ty, marks, names, skip: Skip::Never, at: 0 }
    }

    /// What is done to it; none where its own type decides.
    pub(crate) fn mode(&self) -> Option<&Mode> {
        self.marks.mode.as_ref()
    }
}

fn is_phantom(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "PhantomData"))
}
