//! The marks of a field: `#[sensitive]`, `#[sensitive(hash)]`, `#[sensitive(plain, reason = "…")]`.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Attribute, LitStr, Meta};

use super::parse::set_once;
use crate::ctxt::Ctxt;
use crate::meta::{self, Item};
use crate::symbol::{self, MARKS, SENSITIVE};

/// What is done to a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Its own type decides.
    Own,
    Plain,
    Drop,
    Hash,
}

/// Reads the marks; a field with a mistake in them counts as dropped, so that nothing follows from the mistake.
pub(super) fn parse(cx: &Ctxt, attrs: &[Attribute]) -> (Mode, Option<LitStr>) {
    let mut marks = Marks { cx, mode: None, reason: None, reason_key: None, slip: false };
    for attr in meta::named(attrs, SENSITIVE) {
        marks.read(attr);
    }
    marks.finish()
}

struct Marks<'a> {
    cx: &'a Ctxt,
    mode: Option<Mode>,
    reason: Option<LitStr>,
    reason_key: Option<Ident>,
    slip: bool,
}

impl Marks<'_> {
    fn read(&mut self, attr: &Attribute) {
        match &attr.meta {
            Meta::Path(_) => self.set(Mode::Drop, attr),
            Meta::List(list) if list.tokens.is_empty() => self.slip(
                attr,
                "no mode: write `#[sensitive]` to drop the value, `#[sensitive(hash)]` to keep its keyed hash",
            ),
            Meta::List(list) => match meta::parse_items(list.tokens.clone()) {
                Ok(items) => items.into_iter().for_each(|item| self.item(item)),
                Err(error) => {
                    self.slip = true;
                    self.cx.syn_error(error);
                }
            },
            Meta::NameValue(_) => {
                self.slip(attr, "`sensitive` takes no value: write `#[sensitive]` or `#[sensitive(hash)]`");
            }
        }
    }

    fn item(&mut self, item: Item) {
        match item.key.to_string().as_str() {
            "plain" => self.word(Mode::Plain, &item),
            "hash" => self.word(Mode::Hash, &item),
            "reason" => {
                set_once(self.cx, &mut self.reason, item.expect_string(self.cx).cloned(), &item.key);
                self.slip |= self.reason.is_none();
                self.reason_key = Some(item.key);
            }
            "drop" => self.slip(&item.key, "dropping needs no word: write `#[sensitive]`"),
            "crate" => self.slip(&item.key, "`crate` goes on the type, not on a field"),
            unknown => self.slip(&item.key, &symbol::unknown_key(unknown, MARKS)),
        }
    }

    fn word(&mut self, mode: Mode, item: &Item) {
        item.expect_word(self.cx);
        self.set(mode, &item.key);
    }

    fn set(&mut self, mode: Mode, at: &dyn ToTokens) {
        match self.mode {
            Some(known) if known == mode => self.slip(at, "this field is marked twice: keep one mark"),
            Some(_) => self.slip(at, "this field has two modes: keep the one that is meant"),
            None => self.mode = Some(mode),
        }
    }

    fn slip(&mut self, at: &dyn ToTokens, message: &str) {
        self.cx.error_spanned_by(at, message);
        self.slip = true;
    }

    fn finish(self) -> (Mode, Option<LitStr>) {
        if self.slip {
            return (Mode::Drop, None);
        }
        if let (Some(key), true) = (self.reason_key, self.mode != Some(Mode::Plain)) {
            self.cx.error_spanned_by(key, "`reason` says why a value may be shown: it goes with `plain` only");
        }
        if let Some(empty) = self.reason.as_ref().filter(|reason| reason.value().trim().is_empty()) {
            self.cx.error_spanned_by(empty, "an empty reason is none: say why this value may be in the record");
        }
        (self.mode.unwrap_or(Mode::Own), self.reason)
    }
}
