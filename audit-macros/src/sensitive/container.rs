//! What `#[sensitive(…)]` says on a type.

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, LitStr, Meta};

use super::marks;
use crate::ctxt::Ctxt;
use crate::meta::{self, set_once};
use crate::private;
use crate::symbol::{self, SENSITIVE};

const KEYS: &[&str] = &["class", "debug", "schema", "crate"];

/// The attribute of a type.
pub(crate) struct Container {
    /// The path of the module that generated code names.
    pub(crate) private: TokenStream,
    /// The class of each field that has none of its own.
    pub(crate) class: Option<LitStr>,
    /// Where `debug` stands.
    pub(crate) debug: Option<Ident>,
    /// Where `schema` stands.
    pub(crate) schema: Option<Ident>,
}

impl Container {
    pub(crate) fn parse(cx: &Ctxt, attrs: &[Attribute]) -> Self {
        let (mut path, mut class, mut debug, mut schema) = (None, None, None, None);
        for attr in meta::named(attrs, SENSITIVE) {
            let Meta::List(list) = &attr.meta else {
                cx.error_spanned_by(attr, "`#[sensitive]` says what happens to one field: put it there");
                continue;
            };
            let items = meta::parse_items(list.tokens.clone());
            for item in items.map_err(|error| cx.syn_error(error)).unwrap_or_default() {
                let key = &item.key;
                match key.to_string().as_str() {
                    "crate" => set_once(cx, &mut path, item.expect_path(cx).cloned(), key),
                    "class" => set_once(cx, &mut class, marks::class(cx, &item), key),
                    "debug" => {
                        item.expect_word(cx);
                        set_once(cx, &mut debug, Some(key.clone()), key);
                    }
                    "schema" => {
                        item.expect_word(cx);
                        set_once(cx, &mut schema, Some(key.clone()), key);
                    }
                    word if symbol::is_mark(word) => {
                        cx.error_spanned_by(key, format!("`{key}` says what happens to one field: put it there"));
                    }
                    unknown => cx.error_spanned_by(key, symbol::unknown_key(unknown, KEYS)),
                }
            }
        }
        Self { private: private::of(path.as_ref()), class, debug, schema }
    }
}
