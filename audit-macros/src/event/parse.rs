//! What the user wrote, read into a model.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::{Attribute, DeriveInput, Generics, LitStr, Visibility};

use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::meta::{self, Item, set_once};
use crate::private;
use crate::sensitive::container::Container;
use crate::sensitive::parse::{Fields, Style, number, reject_marks};
use crate::symbol::{self, EVENT};
use crate::written::summary;

const KEYS: &[&str] = &["prefix", "separator", "rename_all", "crate"];
const VARIANT_KEYS: &[&str] = &["action"];

/// An enum that derives `AuditEvent`; anything else has been reported and has no variants.
pub(super) struct Input<'a> {
    pub(super) ident: &'a Ident,
    pub(super) vis: &'a Visibility,
    pub(super) generics: &'a Generics,
    pub(super) non_exhaustive: Option<&'a Attribute>,
    pub(super) private: TokenStream,
    /// The class of each field that has none of its own.
    pub(super) class: Option<LitStr>,
    pub(super) names: Names,
    pub(super) variants: Vec<Variant<'a>>,
}

/// How actions are made of the variants' names.
#[derive(Default)]
pub(super) struct Names {
    pub(super) prefix: Option<LitStr>,
    pub(super) separator: Option<LitStr>,
    rename_all: Option<Case>,
}

pub(super) struct Variant<'a> {
    pub(super) ident: &'a Ident,
    pub(super) docs: Vec<&'a Attribute>,
    /// The first line of the documentation.
    pub(super) doc: String,
    /// The action as the user wrote it.
    pub(super) written: Option<LitStr>,
    /// The action, written or made.
    pub(super) action: String,
    pub(super) fields: Fields<'a>,
}

impl<'a> Input<'a> {
    pub(super) fn parse(cx: &Ctxt, input: &'a DeriveInput) -> Self {
        let (names, private) = Names::parse(cx, &input.attrs);
        // Besides the class, what it says is for `#[derive(Sensitive)]` on the same enum.
        let class = Container::parse(cx, &input.attrs).class;
        let mut variants = match &input.data {
            syn::Data::Enum(data) if data.variants.is_empty() => {
                cx.error_spanned_by(&input.ident, "a vocabulary without a word: give the enum a variant per action");
                Vec::new()
            }
            syn::Data::Enum(data) => data.variants.iter().map(|variant| Variant::parse(cx, variant, &names)).collect(),
            syn::Data::Struct(data) => {
                not_an_enum(cx, data.struct_token);
                Vec::new()
            }
            syn::Data::Union(data) => {
                not_an_enum(cx, data.union_token);
                Vec::new()
            }
        };
        number(variants.iter_mut().map(|variant| &mut variant.fields));
        Self {
            ident: &input.ident,
            vis: &input.vis,
            generics: &input.generics,
            non_exhaustive: meta::named(&input.attrs, "non_exhaustive").next(),
            private,
            class,
            names,
            variants,
        }
    }
}

fn not_an_enum(cx: &Ctxt, keyword: impl quote::ToTokens) {
    cx.error_spanned_by(
        keyword,
        "`AuditEvent` is derived on an enum, each variant an action: make this the payload of a variant, and derive \
         `Sensitive` on it",
    );
}

impl Names {
    fn parse(cx: &Ctxt, attrs: &[Attribute]) -> (Self, TokenStream) {
        let (mut names, mut path) = (Self::default(), None);
        for item in meta::items(cx, attrs, EVENT) {
            let key = &item.key;
            match key.to_string().as_str() {
                "prefix" => set_once(cx, &mut names.prefix, item.expect_string(cx).cloned(), key),
                "separator" => set_once(cx, &mut names.separator, item.expect_string(cx).cloned(), key),
                "rename_all" => set_once(cx, &mut names.rename_all, case(cx, &item), key),
                "crate" => set_once(cx, &mut path, item.expect_path(cx).cloned(), key),
                "action" => cx.error_spanned_by(key, "`action` names one variant: put it there"),
                unknown => cx.error_spanned_by(key, symbol::unknown_key(unknown, KEYS)),
            }
        }
        (names, private::of(path.as_ref()))
    }

    fn action(&self, variant: &str) -> String {
        let verb = self.rename_all.unwrap_or(Case::Snake).of_variant(variant);
        match &self.prefix {
            Some(prefix) => {
                let separator = self.separator.as_ref().map_or_else(|| ".".to_owned(), LitStr::value);
                format!("{}{separator}{verb}", prefix.value())
            }
            None => verb,
        }
    }
}

fn case(cx: &Ctxt, item: &Item) -> Option<Case> {
    let name = item.expect_string(cx)?;
    Case::parse(&name.value()).map_err(|message| cx.error_spanned_by(name, message)).ok()
}

impl<'a> Variant<'a> {
    fn parse(cx: &Ctxt, variant: &'a syn::Variant, names: &Names) -> Self {
        let mut written = None;
        for item in meta::items(cx, &variant.attrs, EVENT) {
            let key = &item.key;
            match key.to_string().as_str() {
                "action" => set_once(cx, &mut written, item.expect_string(cx).cloned(), key),
                known if KEYS.contains(&known) => {
                    cx.error_spanned_by(key, format!("`{known}` goes on the enum; a variant takes `action = \"…\"`"));
                }
                unknown => cx.error_spanned_by(key, symbol::unknown_key(unknown, VARIANT_KEYS)),
            }
        }
        reject_marks(cx, &variant.attrs);
        for attr in variant.fields.iter().flat_map(|field| meta::named(&field.attrs, EVENT)) {
            cx.error_spanned_by(attr, "`#[event]` goes on the enum or a variant; a field takes `#[sensitive]`");
        }
        let action = written.as_ref().map_or_else(|| names.action(&variant.ident.unraw().to_string()), LitStr::value);
        Self {
            ident: &variant.ident,
            docs: meta::named(&variant.attrs, "doc").collect(),
            doc: summary(&variant.attrs),
            written,
            action,
            fields: payload(cx, variant),
        }
    }
}

/// The fields as keys of the payload: a payload is an object, so that the one field of a newtype has a key too.
fn payload<'a>(cx: &Ctxt, variant: &'a syn::Variant) -> Fields<'a> {
    let mut fields = Fields::parse(cx, &variant.fields, None);
    if fields.style == Style::Newtype {
        for field in &mut fields.list {
            "value".clone_into(&mut field.key);
            field.skip = field.names.skip.clone();
        }
    }
    fields
}
