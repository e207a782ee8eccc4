//! A variant, read into a model.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Generics, LitStr, Token};

use super::nested::{self, Nested};
use super::parse::{ENUM_KEYS, Names};
use super::verdict::{self, Verdict};
use crate::about::About;
use crate::ctxt::Ctxt;
use crate::meta::{self, Item, Value, set_once};
use crate::sensitive::parse::{Fields, Style, reject_marks};
use crate::symbol::{self, EVENT};
use crate::written::summary;

/// The keys of `#[event(…)]` on a variant.
pub(super) const VARIANT_KEYS: &[&str] =
    &["action", "was", "since", "deprecated", "shared", "only_from", "denied", "failed", "severity", "nested"];

pub(super) struct Variant<'a> {
    pub(super) ident: &'a Ident,
    pub(super) docs: Vec<&'a Attribute>,
    /// The first line of the documentation.
    pub(super) doc: String,
    /// The action as the user wrote it.
    pub(super) written: Option<LitStr>,
    /// The action, written or made.
    pub(super) action: String,
    pub(super) about: About,
    pub(super) verdict: Option<Verdict>,
    pub(super) severity: Option<LitStr>,
    /// Where the actions are those of another vocabulary; then there is no action here, and there are no fields.
    pub(super) nested: Option<Nested<'a>>,
    pub(super) fields: Fields<'a>,
}

impl<'a> Variant<'a> {
    pub(super) fn parse(cx: &Ctxt, of: (&Ident, &Generics), variant: &'a syn::Variant, names: &Names) -> Self {
        let (mut written, mut was, mut about) = (None, None, About::default());
        let (mut verdict, mut severity, mut nested) = (None, None, None);
        let items = meta::items(cx, &variant.attrs, EVENT);
        let is_nested = items.iter().any(|item| item.is("nested"));
        for item in &items {
            let key = &item.key;
            match key.to_string().as_str() {
                "action" => set_once(cx, &mut written, item.expect_string(cx).cloned(), key),
                "was" => set_once(cx, &mut was, former_names(cx, item), key),
                "since" => set_once(cx, &mut about.since, item.expect_string(cx).cloned(), key),
                "only_from" => set_once(cx, &mut about.only_from, item.expect_string(cx).cloned(), key),
                "deprecated" => set_flag(cx, &mut about.deprecated, item),
                "shared" => set_flag(cx, &mut about.shared, item),
                "denied" | "failed" => verdict::set(cx, &mut verdict, item),
                "severity" => set_once(cx, &mut severity, item.expect_string(cx).cloned(), key),
                "decision" | "outcome" => cx.error_spanned_by(key, verdict::KEYS),
                "nested" => set_once(cx, &mut nested, Some(()), key),
                nested::PREFIX if is_nested => {}
                nested::PREFIX => cx.error_spanned_by(
                    key,
                    "`prefix` goes on the enum, or beside `nested`; a variant takes `action = \"…\"`",
                ),
                known if ENUM_KEYS.contains(&known) => {
                    cx.error_spanned_by(key, format!("`{known}` goes on the enum; a variant takes `action = \"…\"`"));
                }
                unknown => cx.error_spanned_by(key, symbol::unknown_key(unknown, VARIANT_KEYS)),
            }
        }
        about.was = was.unwrap_or_default();
        about.deprecated |= meta::named(&variant.attrs, "deprecated").next().is_some();
        reject_marks(cx, &variant.attrs);
        for attr in variant.fields.iter().flat_map(|field| meta::named(&field.attrs, EVENT)) {
            cx.error_spanned_by(attr, "`#[event]` goes on the enum or a variant; a field takes `#[sensitive]`");
        }
        let nested = nested.map(|()| Nested::parse(cx, of, variant, &items, names));
        let action = written.as_ref().map_or_else(|| names.action(&variant.ident.unraw().to_string()), LitStr::value);
        Self {
            ident: &variant.ident,
            docs: meta::named(&variant.attrs, "doc").collect(),
            doc: summary(&variant.attrs),
            written,
            action,
            about,
            verdict,
            severity,
            fields: if nested.is_some() { Fields::nothing() } else { payload(cx, variant) },
            nested,
        }
    }
}

/// Takes a key without a value; a second one is a mistake.
pub(super) fn set_flag(cx: &Ctxt, place: &mut bool, item: &Item) {
    item.expect_word(cx);
    let mut given = place.then_some(());
    set_once(cx, &mut given, Some(()), &item.key);
    *place = true;
}

fn former_names(cx: &Ctxt, item: &Item) -> Option<Vec<LitStr>> {
    if let Value::List(tokens) = &item.value
        && let Ok(names) = Punctuated::<LitStr, Token![,]>::parse_terminated.parse2(tokens.clone())
        && !names.is_empty()
    {
        return Some(names.into_iter().collect());
    }
    cx.error_spanned_by(item, "`was` takes the former names: `was(\"old.name\")`");
    None
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
