//! What the user wrote on the enum, read into a model.

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, DeriveInput, Generics, LitStr, Path, Visibility};

use super::variant::{VARIANT_KEYS, Variant, set_flag};
use super::view::View;
use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::meta::{self, Item, set_once};
use crate::private;
use crate::sensitive::container::Container;
use crate::sensitive::parse::number;
use crate::symbol::{self, EVENT};

/// The keys of `#[event(…)]` on the enum.
pub(super) const ENUM_KEYS: &[&str] =
    &["prefix", "separator", "rename_all", "unlocked", "only_from", "since", "view", "schema", "crate"];

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
    /// Whether the lock leaves it out.
    pub(super) unlocked: bool,
    pub(super) defaults: Defaults,
    /// Whether records can be read back, and as what.
    pub(super) view: Option<View>,
    /// Whether there are schemas of what records hold.
    pub(super) schema: bool,
    pub(super) variants: Vec<Variant<'a>>,
}

/// How actions are made of the variants' names.
#[derive(Default)]
pub(super) struct Names {
    pub(super) prefix: Option<LitStr>,
    pub(super) separator: Option<LitStr>,
    rename_all: Option<Case>,
}

/// What holds for each action that says nothing else.
#[derive(Default)]
pub(super) struct Defaults {
    pub(super) since: Option<LitStr>,
    pub(super) only_from: Option<LitStr>,
}

/// All that `#[event(…)]` on the enum says.
#[derive(Default)]
struct OnTheEnum {
    names: Names,
    unlocked: bool,
    defaults: Defaults,
    view: Option<View>,
    schema: bool,
    path: Option<Path>,
}

impl<'a> Input<'a> {
    pub(super) fn parse(cx: &Ctxt, input: &'a DeriveInput) -> Self {
        let OnTheEnum { names, unlocked, defaults, view, schema, path } = OnTheEnum::parse(cx, &input.attrs);
        // Besides the class, what it says is for `#[derive(Sensitive)]` on the same enum.
        let class = Container::parse(cx, &input.attrs).class;
        let mut variants = match &input.data {
            syn::Data::Enum(data) if data.variants.is_empty() => {
                cx.error_spanned_by(&input.ident, "a vocabulary without a word: give the enum a variant per action");
                Vec::new()
            }
            syn::Data::Enum(data) => {
                let of = (&input.ident, &input.generics);
                data.variants.iter().map(|variant| Variant::parse(cx, of, variant, &names)).collect()
            }
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
            private: private::of(path.as_ref()),
            class,
            names,
            unlocked,
            defaults,
            view,
            schema,
            variants,
        }
    }
}

impl<'a> Input<'a> {
    /// The variants that are actions of this very vocabulary.
    pub(super) fn own(&self) -> impl Iterator<Item = &Variant<'a>> {
        self.variants.iter().filter(|variant| variant.nested.is_none())
    }
}

fn not_an_enum(cx: &Ctxt, keyword: impl quote::ToTokens) {
    cx.error_spanned_by(
        keyword,
        "`AuditEvent` is derived on an enum, each variant an action: make this the payload of a variant, and derive \
         `Sensitive` on it",
    );
}

impl OnTheEnum {
    fn parse(cx: &Ctxt, attrs: &[Attribute]) -> Self {
        let mut on = Self::default();
        for item in meta::items(cx, attrs, EVENT) {
            let key = &item.key;
            match key.to_string().as_str() {
                "prefix" => set_once(cx, &mut on.names.prefix, item.expect_string(cx).cloned(), key),
                "separator" => set_once(cx, &mut on.names.separator, item.expect_string(cx).cloned(), key),
                "rename_all" => set_once(cx, &mut on.names.rename_all, case(cx, &item), key),
                "unlocked" => set_flag(cx, &mut on.unlocked, &item),
                "only_from" => set_once(cx, &mut on.defaults.only_from, item.expect_string(cx).cloned(), key),
                "since" => set_once(cx, &mut on.defaults.since, item.expect_string(cx).cloned(), key),
                "view" => set_once(cx, &mut on.view, View::parse(cx, &item), key),
                "schema" => set_flag(cx, &mut on.schema, &item),
                "crate" => set_once(cx, &mut on.path, item.expect_path(cx).cloned(), key),
                "action" => cx.error_spanned_by(key, "`action` names one variant: put it there"),
                known if VARIANT_KEYS.contains(&known) => {
                    cx.error_spanned_by(key, format!("`{known}` is about one action: put it on the variant"));
                }
                unknown => cx.error_spanned_by(key, symbol::unknown_key(unknown, ENUM_KEYS)),
            }
        }
        on
    }
}

impl Names {
    /// The action of a variant that names none.
    pub(super) fn action(&self, variant: &str) -> String {
        let verb = self.rename_all.unwrap_or(Case::Snake).of_variant(variant);
        match &self.prefix {
            Some(prefix) if !prefix.value().is_empty() => format!("{}{}{verb}", prefix.value(), self.separator()),
            _ => verb,
        }
    }

    /// What stands behind a prefix.
    pub(super) fn separator(&self) -> String {
        self.separator.as_ref().map_or_else(|| ".".to_owned(), LitStr::value)
    }
}

fn case(cx: &Ctxt, item: &Item) -> Option<Case> {
    let name = item.expect_string(cx)?;
    Case::parse(&name.value()).map_err(|message| cx.error_spanned_by(name, message)).ok()
}
