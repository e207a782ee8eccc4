//! Serde's attributes, read for names and shape, so that a record looks like the JSON that users know.
//!
//! What is malformed is left to serde's own derive to report.

use proc_macro2::Ident;
use syn::{Attribute, ExprPath};

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
    /// What makes serde write something else than the field's type would.
    pub(crate) unsupported: Vec<Unsupported>,
}

/// An attribute of a field that the derive does not follow.
pub(crate) struct Unsupported {
    pub(crate) key: Ident,
    pub(crate) kind: UnsupportedKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnsupportedKind {
    Flatten,
    With,
    Getter,
}

impl ContainerNames {
    pub(crate) fn parse(cx: &Ctxt, attrs: &[Attribute]) -> Self {
        let (mut tag, mut content, mut untagged) = (None, None, false);
        let mut names = Self {
            rename: None,
            rename_all: None,
            rename_all_fields: None,
            transparent: false,
            tagging: Tagging::External,
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
                "into" => cx.error_spanned_by(
                    &item.key,
                    "`serde(into)` writes another type, whose marks would decide: implement `Sensitive` by hand, \
                     converting and calling `encoder.value(&target)`, instead of deriving it",
                ),
                "remote" => cx.error_spanned_by(
                    &item.key,
                    "`serde(remote)` describes a foreign type, which cannot be classified here: derive `Sensitive` \
                     on a struct of your own that holds it, with the field marked `#[sensitive]`",
                ),
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
        let mut names = Self { rename: None, skip: Skip::Never, unsupported: Vec::new() };
        for item in foreign_items(attrs, SERDE) {
            let kind = match item.key.to_string().as_str() {
                "rename" => {
                    names.rename = serialized(&item).or(names.rename);
                    continue;
                }
                "skip" | "skip_serializing" => {
                    names.skip = Skip::Always;
                    continue;
                }
                "skip_serializing_if" => {
                    names.skip = skip_if(cx, &item, names.skip);
                    continue;
                }
                "flatten" => UnsupportedKind::Flatten,
                "with" | "serialize_with" => UnsupportedKind::With,
                "getter" => UnsupportedKind::Getter,
                _ => continue,
            };
            names.unsupported.push(Unsupported { key: item.key, kind });
        }
        names
    }
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
