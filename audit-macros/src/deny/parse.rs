//! What the user wrote, read into a model.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, DeriveInput, Generics, LitStr, Meta, Path, Token};

use crate::ctxt::Ctxt;
use crate::meta::{self, Item, set_once};
use crate::private;
use crate::symbol::{self, DENIED, FAILED};

/// A type that derives `Deny`.
pub(super) struct Input<'a> {
    pub(super) ident: &'a Ident,
    pub(super) generics: &'a Generics,
    pub(super) private: TokenStream,
    /// On a struct what it is; on an enum what its unmarked variants are.
    pub(super) mark: Option<Mark>,
    pub(super) data: Data<'a>,
}

pub(super) enum Data<'a> {
    Struct(&'a syn::Fields),
    Enum(Vec<Variant<'a>>),
    /// A union, which has been reported.
    Nothing,
}

pub(super) struct Variant<'a> {
    pub(super) ident: &'a Ident,
    pub(super) fields: &'a syn::Fields,
    pub(super) mark: Option<Mark>,
}

/// A mark: which one, and what it says.
pub(super) struct Mark {
    pub(super) attr: Attribute,
    pub(super) verdict: Verdict,
    pub(super) code: Option<LitStr>,
    pub(super) transparent: Option<Ident>,
    /// Reported already: nothing more is said about it.
    pub(super) slip: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Denied,
    Failed,
}

impl Verdict {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Denied => DENIED,
            Self::Failed => FAILED,
        }
    }
}

impl<'a> Input<'a> {
    pub(super) fn parse(cx: &Ctxt, input: &'a DeriveInput) -> Self {
        let mut path = None;
        let mark = parse_marks(cx, &input.attrs, Some(&mut path));
        let data = match &input.data {
            syn::Data::Struct(data) => Data::Struct(&data.fields),
            syn::Data::Enum(data) => {
                let variants = data.variants.iter().map(|variant| Variant {
                    ident: &variant.ident,
                    fields: &variant.fields,
                    mark: parse_marks(cx, &variant.attrs, None),
                });
                Data::Enum(variants.collect())
            }
            syn::Data::Union(data) => {
                cx.error_spanned_by(
                    data.union_token,
                    "`Deny` is derived on an enum or a struct: make this one of them",
                );
                Data::Nothing
            }
        };
        Self { ident: &input.ident, generics: &input.generics, private: private::of(path.as_ref()), mark, data }
    }
}

/// One argument of a mark.
enum Arg {
    Code(LitStr),
    Item(Item),
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) { input.parse().map(Self::Code) } else { input.parse().map(Self::Item) }
    }
}

/// The mark of a type or a variant; only a type takes `crate`.
fn parse_marks(cx: &Ctxt, attrs: &[Attribute], mut path: Option<&mut Option<Path>>) -> Option<Mark> {
    let mut found: Option<Mark> = None;
    for verdict in [Verdict::Denied, Verdict::Failed] {
        for attr in meta::named(attrs, verdict.name()) {
            let Some(mark) = parse_mark(cx, attr, verdict, path.as_deref_mut()) else { continue };
            match &mut found {
                Some(known) => {
                    cx.error_spanned_by(attr, "this is marked twice: keep the one mark that is meant");
                    known.slip = true;
                }
                None => found = Some(mark),
            }
        }
    }
    found
}

/// One mark; none where the attribute only says where `audited` is.
fn parse_mark(cx: &Ctxt, attr: &Attribute, verdict: Verdict, mut path: Option<&mut Option<Path>>) -> Option<Mark> {
    let mut mark = Mark { attr: attr.clone(), verdict, code: None, transparent: None, slip: false };
    let args = match args(attr, verdict) {
        Ok(args) => args,
        Err(error) => {
            cx.syn_error(error);
            mark.slip = true;
            return Some(mark);
        }
    };
    let only_crate = !args.is_empty() && args.iter().all(|arg| matches!(arg, Arg::Item(item) if item.is("crate")));
    for arg in args {
        match (arg, &mut path) {
            (Arg::Code(code), _) if mark.code.is_some() => {
                mark.slip(cx, &code, "one code is enough: keep the one that is meant");
            }
            (Arg::Code(code), _) => mark.code = Some(code),
            (Arg::Item(item), Some(path)) if item.is("crate") => {
                set_once(cx, path, item.expect_path(cx).cloned(), &item.key);
            }
            (Arg::Item(item), None) if item.is("crate") => {
                mark.slip(cx, &item.key, "`crate` goes on the type, not on a variant");
            }
            (Arg::Item(item), _) if item.is("transparent") => {
                item.expect_word(cx);
                mark.transparent = Some(item.key);
            }
            (Arg::Item(item), path) => {
                let valid: &[&str] = if path.is_some() { &["transparent", "crate"] } else { &["transparent"] };
                let message = format!(
                    "{}; a code is written in quotes: `#[{}(\"missing_scope\")]`",
                    symbol::unknown_key(&item.key, valid),
                    verdict.name()
                );
                mark.slip(cx, &item.key, &message);
            }
        }
    }
    (!only_crate || path.is_none()).then_some(mark)
}

fn args(attr: &Attribute, verdict: Verdict) -> syn::Result<Vec<Arg>> {
    match &attr.meta {
        Meta::Path(_) => Ok(Vec::new()),
        Meta::List(list) => {
            let args = Punctuated::<Arg, Token![,]>::parse_terminated.parse2(list.tokens.clone())?;
            Ok(args.into_iter().collect())
        }
        Meta::NameValue(_) => Err(syn::Error::new_spanned(
            attr,
            format!("a code goes into parentheses: `#[{}(\"missing_scope\")]`", verdict.name()),
        )),
    }
}

impl Mark {
    fn slip(&mut self, cx: &Ctxt, at: impl ToTokens, message: &str) {
        cx.error_spanned_by(at, message);
        self.slip = true;
    }
}
