//! The marks of a field or a parameter: `#[sensitive]`, `#[sensitive(hash)]`, `#[sensitive(plain, reason = "…")]`.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Attribute, LitStr, Meta};

use crate::ctxt::Ctxt;
use crate::meta::{self, Item, Value, set_once};
use crate::mode::Mode;
use crate::names::{CLASS_RULE, is_class};
use crate::symbol::{self, MARKS, SENSITIVE};

/// What the marks say.
pub(crate) struct Marks {
    /// None where the type of the value decides.
    pub(crate) mode: Option<Mode>,
    /// Why the value may be shown.
    pub(crate) reason: Option<LitStr>,
    pub(crate) class: Option<LitStr>,
    /// The first mark, where there is one.
    pub(crate) first: Option<Attribute>,
}

/// Reads the marks. What has a mistake in its marks counts as dropped, so that nothing follows from the mistake.
pub(crate) fn parse(cx: &Ctxt, attrs: &[Attribute]) -> Marks {
    let mut reader = Reader { cx, mode: None, reason: None, reason_key: None, class: None, slip: false };
    for attr in meta::named(attrs, SENSITIVE) {
        reader.read(attr);
    }
    let first = meta::named(attrs, SENSITIVE).next().cloned();
    reader.finish(first)
}

/// The class of `class = "…"`.
pub(super) fn class(cx: &Ctxt, item: &Item) -> Option<LitStr> {
    let class = item.expect_string(cx)?;
    if !is_class(&class.value()) {
        cx.error_spanned_by(class, CLASS_RULE);
    }
    Some(class.clone())
}

struct Reader<'a> {
    cx: &'a Ctxt,
    mode: Option<Mode>,
    reason: Option<LitStr>,
    reason_key: Option<Ident>,
    class: Option<LitStr>,
    slip: bool,
}

impl Reader<'_> {
    fn read(&mut self, attr: &Attribute) {
        match &attr.meta {
            Meta::Path(_) => self.set(Mode::Drop, attr),
            Meta::List(list) if list.tokens.is_empty() => self.slip(
                attr,
                "no mode: write `#[sensitive]` to drop the value, `#[sensitive(hash)]` to keep its keyed hash",
            ),
            Meta::List(list) => match meta::parse_items(list.tokens.clone()) {
                Ok(items) => items.iter().for_each(|item| self.item(item)),
                Err(error) => self.error(error),
            },
            Meta::NameValue(_) => {
                self.slip(attr, "`sensitive` takes no value: write `#[sensitive]` or `#[sensitive(hash)]`");
            }
        }
    }

    fn item(&mut self, item: &Item) {
        let key = &item.key;
        match key.to_string().as_str() {
            "plain" => self.word(Mode::Plain, item),
            "len" => self.word(Mode::Len, item),
            "present" => self.word(Mode::Present, item),
            "hash" => match &item.value {
                Value::Nothing => self.set(Mode::Hash { scope: None }, key),
                _ => self.arguments(item, "`hash` or `hash(scope = \"…\")`", Mode::hash),
            },
            "mask" => self.arguments(item, "`mask(first = 2, last = 4)`", Mode::mask),
            "truncate" => self.arguments(item, "`truncate(8)`", Mode::truncate),
            "with" => match &item.value {
                Value::IsType(ty) => self.set_read(Mode::with(ty), key),
                Value::Is(text) if item.string().is_some() => {
                    self.slip(text, "the redactor's type stands without quotes: `with = path::Type`");
                }
                _ => self.slip(item, "`with` takes the type that redacts: `with = path::Type`"),
            },
            "reason" => {
                set_once(self.cx, &mut self.reason, item.expect_string(self.cx).cloned(), key);
                self.slip |= self.reason.is_none();
                self.reason_key = Some(key.clone());
            }
            "class" => {
                set_once(self.cx, &mut self.class, class(self.cx, item), key);
                self.slip |= self.class.is_none();
            }
            "drop" => self.slip(key, "dropping needs no word: write `#[sensitive]`"),
            "scope" => self.slip(key, "`scope` belongs to the hash: write `hash(scope = \"…\")`"),
            "first" | "last" => self.slip(key, &format!("`{key}` belongs to the mask: write `mask({key} = 2)`")),
            "crate" | "debug" => self.slip(key, &format!("`{key}` goes on the type, not on a field")),
            unknown => self.slip(key, &symbol::unknown_key(unknown, MARKS)),
        }
    }

    fn word(&mut self, mode: Mode, item: &Item) {
        item.expect_word(self.cx);
        self.set(mode, &item.key);
    }

    /// A mode whose arguments stand in parentheses.
    fn arguments(&mut self, item: &Item, form: &str, read: fn(&Ident, TokenStream) -> syn::Result<Mode>) {
        match &item.value {
            Value::List(arguments) => self.set_read(read(&item.key, arguments.clone()), &item.key),
            Value::Nothing => self.set_read(read(&item.key, TokenStream::new()), &item.key),
            Value::Is(_) | Value::IsType(_) => {
                self.slip(item, &format!("`{}` takes no value: write {form}", item.key));
            }
        }
    }

    fn set_read(&mut self, mode: syn::Result<Mode>, at: &dyn ToTokens) {
        match mode {
            Ok(mode) => self.set(mode, at),
            Err(error) => self.error(error),
        }
    }

    fn set(&mut self, mode: Mode, at: &dyn ToTokens) {
        match &self.mode {
            Some(known) if known.is_like(&mode) => self.slip(at, "marked twice: keep one mark"),
            Some(_) => self.slip(at, "two modes: keep the one that is meant"),
            None => self.mode = Some(mode),
        }
    }

    fn slip(&mut self, at: &dyn ToTokens, message: &str) {
        self.error(syn::Error::new_spanned(at.to_token_stream(), message));
    }

    fn error(&mut self, error: syn::Error) {
        self.cx.syn_error(error);
        self.slip = true;
    }

    fn finish(self, first: Option<Attribute>) -> Marks {
        if self.slip {
            return Marks { mode: Some(Mode::Drop), reason: None, class: None, first };
        }
        if let (Some(key), false) = (&self.reason_key, matches!(self.mode, Some(Mode::Plain))) {
            self.cx.error_spanned_by(key, "`reason` says why a value may be shown: it goes with `plain` only");
        }
        if let Some(empty) = self.reason.as_ref().filter(|reason| reason.value().trim().is_empty()) {
            self.cx.error_spanned_by(empty, "an empty reason is none: say why this value may be in the record");
        }
        // Marked, with a class alone: nobody has said that anything of it may be shown.
        let mode = self.mode.or_else(|| first.as_ref().map(|_| Mode::Drop));
        Marks { mode, reason: self.reason, class: self.class, first }
    }
}
