//! Serde's attributes, read for names and shape, so that a record looks like the JSON that users know.
//!
//! What is malformed is left to serde's own derive to report.

use proc_macro2::Ident;
use syn::parse::Parse;
use syn::{Attribute, ExprPath, Path, PathSegment, Type};

use super::parse::Skip;
use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::meta::{Item, foreign_items};
use crate::symbol::SERDE;

/// How an enum tells its variants apart.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Tagging {
    External,
    Internal { tag: String },
    Adjacent { tag: String, content: String },
    Untagged,
}

/// The attributes of a type.
pub(crate) struct ContainerNames {
    pub(crate) rename: Option<String>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) rename_all_fields: Option<Case>,
    pub(crate) transparent: bool,
    pub(crate) tagging: Tagging,
    /// The type that is written instead.
    pub(crate) into: Option<Type>,
    /// The foreign type that this one describes.
    pub(crate) remote: Option<Path>,
}

/// The attributes of a variant.
#[derive(Default)]
pub(crate) struct VariantNames {
    pub(crate) rename: Option<String>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) skipped: bool,
    pub(crate) untagged: bool,
}

/// The attributes of a field.
pub(crate) struct FieldNames {
    pub(crate) rename: Option<String>,
    pub(crate) skip: Skip,
    pub(crate) flatten: bool,
    pub(crate) with: Option<With>,
    /// What reads the field of a foreign type.
    pub(crate) getter: Option<ExprPath>,
}

/// A function that writes something else than the field's type would.
pub(crate) struct With {
    /// `with` or `serialize_with`.
    pub(crate) key: Ident,
    pub(crate) function: ExprPath,
}

impl ContainerNames {
    pub(crate) fn parse(attrs: &[Attribute]) -> Self {
        let (mut tag, mut content, mut untagged) = (None, None, false);
        let mut names = Self {
            rename: None,
            rename_all: None,
            rename_all_fields: None,
            transparent: false,
            tagging: Tagging::External,
            into: None,
            remote: None,
        };
        for item in foreign_items(attrs, SERDE) {
            match item.key.to_string().as_str() {
                "rename" => names.rename = serialized(&item).or(names.rename),
                "rename_all" => names.rename_all = case(&item).or(names.rename_all),
                "rename_all_fields" => names.rename_all_fields = case(&item).or(names.rename_all_fields),
                "transparent" => names.transparent = true,
                "tag" => tag = serialized(&item),
                "content" => content = serialized(&item),
                "untagged" => untagged = true,
                "into" => names.into = parsed(&item).or(names.into),
                "remote" => names.remote = parsed(&item).or(names.remote),
                _ => {}
            }
        }
        names.tagging = match (tag, content, untagged) {
            (Some(tag), Some(content), _) => Tagging::Adjacent { tag, content },
            (Some(tag), None, _) => Tagging::Internal { tag },
            (None, _, true) => Tagging::Untagged,
            (None, _, false) => Tagging::External,
        };
        names
    }
}

impl VariantNames {
    pub(crate) fn parse(cx: &Ctxt, attrs: &[Attribute]) -> Self {
        let mut names = Self::default();
        for item in foreign_items(attrs, SERDE) {
            match item.key.to_string().as_str() {
                "rename" => names.rename = serialized(&item).or(names.rename),
                "rename_all" => names.rename_all = case(&item).or(names.rename_all),
                "skip" | "skip_serializing" => names.skipped = true,
                "untagged" => names.untagged = true,
                key @ ("with" | "serialize_with") => cx.error_spanned_by(
                    &item.key,
                    format!(
                        "`serde({key})` on a variant writes what no mark describes: remove it, and mark the fields \
                         of the variant"
                    ),
                ),
                _ => {}
            }
        }
        names
    }
}

impl FieldNames {
    pub(crate) fn parse(cx: &Ctxt, attrs: &[Attribute]) -> Self {
        let mut names = Self { rename: None, skip: Skip::Never, flatten: false, with: None, getter: None };
        for item in foreign_items(attrs, SERDE) {
            match item.key.to_string().as_str() {
                "rename" => names.rename = serialized(&item).or(names.rename),
                "skip" | "skip_serializing" => names.skip = Skip::Always,
                "skip_serializing_if" => names.skip = skip_if(cx, &item, names.skip),
                "flatten" => names.flatten = true,
                "with" | "serialize_with" => names.with = With::parse(item).or(names.with),
                "getter" => names.getter = parsed(&item).or(names.getter),
                _ => {}
            }
        }
        names
    }
}

impl With {
    fn parse(item: Item) -> Option<Self> {
        let mut function: ExprPath = parsed(&item)?;
        if item.is("with") {
            let span = item.string().map_or_else(|| item.key.span(), syn::LitStr::span);
            function.path.segments.push(PathSegment::from(Ident::new("serialize", span)));
        }
        Some(Self { key: item.key, function })
    }
}

/// What the string after `=` says.
fn parsed<T: Parse>(item: &Item) -> Option<T> {
    item.string()?.parse().ok()
}

/// The string of `key = "…"` or `key(serialize = "…")`.
fn serialized(item: &Item) -> Option<String> {
    let nested = item.nested();
    let found = nested.iter().find(|nested| nested.is("serialize")).unwrap_or(item);
    found.string().map(syn::LitStr::value)
}

fn case(item: &Item) -> Option<Case> {
    Case::parse(&serialized(item)?).ok()
}

fn skip_if(cx: &Ctxt, item: &Item, known: Skip) -> Skip {
    match (known, item.string().map(syn::LitStr::parse::<ExprPath>)) {
        (Skip::Always, _) => Skip::Always,
        (_, Some(Ok(path))) => Skip::If(path),
        (known, Some(Err(error))) => {
            cx.syn_error(error);
            known
        }
        (known, None) => known,
    }
}
