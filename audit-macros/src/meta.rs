//! The inside of an attribute: words, `key = value` and `key(…)`, separated by commas.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Path, Token, Type};

use crate::ctxt::Ctxt;

/// One item of a list.
pub(crate) struct Item {
    pub(crate) key: Ident,
    pub(crate) value: Value,
}

/// What follows an item's key.
pub(crate) enum Value {
    Nothing,
    Is(Expr),
    /// Of `with`, since no expression can be a generic type.
    IsType(Box<Type>),
    List(TokenStream),
}

impl Item {
    pub(crate) fn is(&self, key: &str) -> bool {
        self.key == key
    }

    /// The string after `=`.
    pub(crate) fn string(&self) -> Option<&LitStr> {
        match &self.value {
            Value::Is(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => Some(text),
            _ => None,
        }
    }

    /// As [`Item::string`]; anything else is a mistake.
    pub(crate) fn expect_string(&self, cx: &Ctxt) -> Option<&LitStr> {
        let string = self.string();
        if string.is_none() {
            cx.error_spanned_by(self, format!("`{0}` takes a string: `{0} = \"…\"`", self.key));
        }
        string
    }

    /// The path after `=`; anything else is a mistake.
    pub(crate) fn expect_path(&self, cx: &Ctxt) -> Option<&Path> {
        if let Value::Is(Expr::Path(path)) = &self.value {
            return Some(&path.path);
        }
        cx.error_spanned_by(self, format!("`{0}` takes a path: `{0} = my::audited`", self.key));
        None
    }

    /// Makes sure that nothing follows the key.
    pub(crate) fn expect_word(&self, cx: &Ctxt) {
        if !matches!(self.value, Value::Nothing) {
            cx.error_spanned_by(self, format!("`{0}` takes no value: write `{0}`", self.key));
        }
    }

    /// The items of `key(…)`; none where that is something else.
    pub(crate) fn nested(&self) -> Vec<Item> {
        match &self.value {
            Value::List(tokens) => parse_items(tokens.clone()).unwrap_or_default(),
            Value::Nothing | Value::Is(_) | Value::IsType(_) => Vec::new(),
        }
    }
}

/// The items of every attribute of that name, and what does not parse reported.
pub(crate) fn items(cx: &Ctxt, attrs: &[Attribute], name: &str) -> Vec<Item> {
    named(attrs, name)
        .filter_map(|attr| match &attr.meta {
            Meta::List(list) => Some(list),
            Meta::Path(_) | Meta::NameValue(_) => {
                cx.error_spanned_by(attr, format!("`{name}` takes a list here: `#[{name}(…)]`"));
                None
            }
        })
        .flat_map(|list| {
            parse_items(list.tokens.clone()).unwrap_or_else(|error| {
                cx.syn_error(error);
                Vec::new()
            })
        })
        .collect()
}

/// The items of attributes that another macro owns: it reports what is wrong with them.
pub(crate) fn foreign_items(attrs: &[Attribute], name: &str) -> Vec<Item> {
    named(attrs, name)
        .filter_map(|attr| attr.meta.require_list().ok())
        .flat_map(|list| parse_items(list.tokens.clone()).unwrap_or_default())
        .collect()
}

/// The attributes of that name.
pub(crate) fn named<'a>(attrs: &'a [Attribute], name: &'a str) -> impl Iterator<Item = &'a Attribute> {
    attrs.iter().filter(move |attr| attr.path().is_ident(name))
}

/// Parses what stands between an attribute's parentheses.
pub(crate) fn parse_items(tokens: TokenStream) -> syn::Result<Vec<Item>> {
    let items = Punctuated::<Item, Token![,]>::parse_terminated.parse2(tokens)?;
    Ok(items.into_iter().collect())
}

/// Takes a key's value; a second one is a mistake.
pub(crate) fn set_once<T>(cx: &Ctxt, place: &mut Option<T>, value: Option<T>, key: &Ident) {
    if place.is_some() {
        cx.error_spanned_by(key, format!("`{key}` is given twice: keep one"));
    } else {
        *place = value;
    }
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            if key == "with" && !input.peek(Lit) { Value::IsType(input.parse()?) } else { Value::Is(input.parse()?) }
        } else if input.peek(syn::token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            Value::List(content.parse()?)
        } else {
            Value::Nothing
        };
        Ok(Self { key, value })
    }
}

impl ToTokens for Item {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.key.to_tokens(tokens);
        match &self.value {
            Value::Is(value) => value.to_tokens(tokens),
            Value::IsType(ty) => ty.to_tokens(tokens),
            Value::List(list) => list.to_tokens(tokens),
            Value::Nothing => {}
        }
    }
}
