//! What is done to a value, as every attribute writes it: on a field, on a parameter, around a captured value.

use std::fmt;
use std::mem::discriminant;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{Error, Expr, ExprLit, Lit, LitInt, LitStr, Type, TypePath};

use crate::ctxt::Ctxt;
use crate::meta::{self, Item, Value, set_once};
use crate::symbol;
use crate::written::as_written;

/// The most characters that a mask shows at either end.
const MAX_MASKED: u8 = 32;
/// The most characters that truncation keeps.
const MAX_TRUNCATED: u16 = 1024;

/// What is done to a value.
#[derive(Clone)]
pub(crate) enum Mode {
    Plain,
    Mask {
        first: u8,
        last: u8,
    },
    Truncate(u16),
    Hash {
        scope: Option<LitStr>,
    },
    Len,
    Present,
    /// By a redactor of this type.
    With(Box<TypePath>),
    Drop,
}

impl Mode {
    /// Reads `hash(scope = "…")`.
    pub(crate) fn hash(key: &Ident, arguments: TokenStream) -> syn::Result<Self> {
        let items = arguments_of(key, arguments, "in `()` a hash takes its scope: `scope = \"…\"`")?;
        let (cx, mut scope) = (Ctxt::new(), None);
        for item in items {
            if item.is("scope") {
                set_once(&cx, &mut scope, item.expect_string(&cx).cloned(), &item.key);
            } else {
                cx.error_spanned_by(&item.key, symbol::unknown_key(&item.key, &["scope"]));
            }
        }
        if let Some(empty) = scope.as_ref().filter(|scope| scope.value().is_empty()) {
            cx.error_spanned_by(empty, "an empty scope is none: name what the hashes are compared within");
        }
        cx.check()?;
        Ok(Self::Hash { scope })
    }

    /// Reads `mask(first = 2, last = 4)`.
    pub(crate) fn mask(key: &Ident, arguments: TokenStream) -> syn::Result<Self> {
        let message = "`mask` says how many characters stay: `first = 2`, `last = 4`, or both";
        let items = arguments_of(key, arguments, message)?;
        let cx = Ctxt::new();
        let (mut first, mut last) = (None, None);
        for item in &items {
            match item.key.to_string().as_str() {
                "first" => set_once(&cx, &mut first, characters(&cx, item), &item.key),
                "last" => set_once(&cx, &mut last, characters(&cx, item), &item.key),
                unknown => cx.error_spanned_by(&item.key, symbol::unknown_key(unknown, &["first", "last"])),
            }
        }
        cx.check()?;
        match (first.unwrap_or(0), last.unwrap_or(0)) {
            (0, 0) => {
                let message = "a mask that shows nothing drops the value: keep a character, or mark it as dropped";
                Err(Error::new(key.span(), message))
            }
            (first, last) => Ok(Self::Mask { first, last }),
        }
    }

    /// Reads `truncate(8)`.
    pub(crate) fn truncate(key: &Ident, arguments: TokenStream) -> syn::Result<Self> {
        let message = format!("`truncate` keeps 1 to {MAX_TRUNCATED} characters: say how many, as in `8`");
        if arguments.is_empty() {
            return Err(Error::new(key.span(), message));
        }
        let count = syn::parse2::<LitInt>(arguments.clone()).ok().and_then(|count| count.base10_parse().ok());
        match count {
            Some(count @ 1..=MAX_TRUNCATED) => Ok(Self::Truncate(count)),
            _ => Err(Error::new_spanned(arguments, message)),
        }
    }

    /// Reads the type of a redactor.
    pub(crate) fn with(ty: &Type) -> syn::Result<Self> {
        match ty {
            Type::Path(path) => Ok(Self::With(Box::new(path.clone()))),
            _ => Err(Error::new_spanned(ty, "expected the path of a type that implements `Redactor`")),
        }
    }

    /// Whether both do the same, whatever their numbers.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        discriminant(self) == discriminant(other)
    }

    /// The mode as the core knows it.
    pub(crate) fn in_core(&self, private: &TokenStream) -> TokenStream {
        let mode = match self {
            Self::Plain => quote!(Plain),
            Self::Mask { first, last } => quote!(Mask { first: #first, last: #last }),
            Self::Truncate(count) => quote!(Truncate(#count)),
            Self::Hash { .. } => quote!(Hash),
            Self::Len => quote!(Len),
            Self::Present => quote!(Present),
            Self::With(path) => {
                let path = as_written(path.to_token_stream());
                quote!(Custom(#path))
            }
            Self::Drop => quote!(Drop),
        };
        quote!(#private::Mode::#mode)
    }
}

/// As the core shows it.
impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => f.write_str("plain"),
            Self::Mask { first, last: 0 } => write!(f, "mask(first = {first})"),
            Self::Mask { first: 0, last } => write!(f, "mask(last = {last})"),
            Self::Mask { first, last } => write!(f, "mask(first = {first}, last = {last})"),
            Self::Truncate(count) => write!(f, "truncate({count})"),
            Self::Hash { .. } => f.write_str("hash"),
            Self::Len => f.write_str("len"),
            Self::Present => f.write_str("present"),
            Self::With(path) => write!(f, "with = {}", as_written(path.to_token_stream())),
            Self::Drop => f.write_str("drop"),
        }
    }
}

/// The items in the parentheses of a mode, which must be some.
fn arguments_of(key: &Ident, arguments: TokenStream, message: &str) -> syn::Result<Vec<Item>> {
    let items = meta::parse_items(arguments).map_err(|error| Error::new(error.span(), message))?;
    if items.is_empty() { Err(Error::new(key.span(), message)) } else { Ok(items) }
}

/// The number of characters in `first = 2`.
fn characters(cx: &Ctxt, item: &Item) -> Option<u8> {
    let number = match &item.value {
        Value::Is(Expr::Lit(ExprLit { lit: Lit::Int(number), .. })) => number.base10_parse().ok(),
        _ => None,
    };
    let found = number.filter(|number| *number <= MAX_MASKED);
    if found.is_none() {
        cx.error_spanned_by(item, format!("`{}` is a number of characters, from 0 to {MAX_MASKED}", item.key));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ident(name: &str) -> Ident {
        Ident::new(name, proc_macro2::Span::call_site())
    }

    #[test]
    fn a_mask_keeps_something_and_not_too_much() {
        let mask = |text: &str| Mode::mask(&ident("mask"), text.parse().unwrap());
        assert!(matches!(mask("first = 2"), Ok(Mode::Mask { first: 2, last: 0 })));
        assert!(matches!(mask("last = 32, first = 0"), Ok(Mode::Mask { first: 0, last: 32 })));
        for wrong in ["", "first = 0", "first = 0, last = 0", "first = 33", "first = -1", "first = 1, first = 1", "1"] {
            assert!(mask(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn truncation_has_bounds() {
        let truncate = |text: &str| Mode::truncate(&ident("truncate"), text.parse().unwrap());
        assert!(matches!(truncate("1"), Ok(Mode::Truncate(1))));
        assert!(matches!(truncate("1024"), Ok(Mode::Truncate(1024))));
        for wrong in ["", "0", "1025", "99999999", "\"8\"", "1, 2"] {
            assert!(truncate(wrong).is_err(), "{wrong}");
        }
    }
}
