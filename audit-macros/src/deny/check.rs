//! What each variant is, and what is wrong with it.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Fields, Index, Member, Type};

use super::parse::{Data, Input, Mark, Variant, Verdict};
use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::names::{CODE_RULE, is_code};

/// What a struct or a variant is.
pub(super) enum Meaning<'a> {
    Denied(String),
    Failed(String),
    /// What the error in this field is.
    Inner {
        member: Member,
        ty: &'a Type,
    },
}

/// The meaning of the struct, or of each variant; shorter where something was wrong.
pub(super) fn cases<'a>(cx: &Ctxt, input: &Input<'a>) -> Vec<Meaning<'a>> {
    match &input.data {
        Data::Struct(fields) => {
            if input.mark.is_none() {
                cx.error_spanned_by(
                    input.ident,
                    "nothing says what this error is: mark it `#[denied]` (refused) or `#[failed]` (tried, and went \
                     wrong), or `#[denied(transparent)]` if the error in it says so",
                );
            }
            input.mark.iter().filter_map(|mark| meaning(cx, mark, input.ident, fields)).collect()
        }
        Data::Enum(variants) => {
            if let Some(transparent) = input.mark.as_ref().and_then(|mark| mark.transparent.as_ref()) {
                cx.error_spanned_by(transparent, "`transparent` goes on the variants that hold another error");
                return Vec::new();
            }
            let meanings = variants.iter().filter_map(|variant| {
                let mark = variant.mark.as_ref().or(input.mark.as_ref());
                if mark.is_none() {
                    unmarked(cx, variant);
                }
                meaning(cx, mark?, variant.ident, variant.fields)
            });
            meanings.collect()
        }
        Data::Nothing => Vec::new(),
    }
}

fn unmarked(cx: &Ctxt, variant: &Variant<'_>) {
    cx.error_spanned_by(
        variant.ident,
        format!(
            "nothing says what `{}` is: mark it `#[denied]` (refused) or `#[failed]` (tried, and went wrong), or mark \
             the enum for all that have no mark",
            variant.ident
        ),
    );
}

fn meaning<'a>(cx: &Ctxt, mark: &Mark, ident: &Ident, fields: &'a Fields) -> Option<Meaning<'a>> {
    if mark.slip {
        return None;
    }
    if let Some(transparent) = &mark.transparent {
        return inner(cx, mark, transparent, fields);
    }
    let code = match &mark.code {
        Some(code) => code.value(),
        None => Case::Snake.of_variant(&ident.unraw().to_string()),
    };
    if !is_code(&code) {
        let place: &dyn ToTokens = match &mark.code {
            Some(code) => code,
            None => ident,
        };
        let hint = if mark.code.is_some() { String::new() } else { format!(": `#[{}(\"…\")]`", mark.verdict.name()) };
        cx.error_spanned_by(place, format!("{CODE_RULE}{hint}"));
        return None;
    }
    Some(match mark.verdict {
        Verdict::Denied => Meaning::Denied(code),
        Verdict::Failed => Meaning::Failed(code),
    })
}

fn inner<'a>(cx: &Ctxt, mark: &Mark, transparent: &Ident, fields: &'a Fields) -> Option<Meaning<'a>> {
    if mark.verdict == Verdict::Failed {
        cx.error_spanned_by(
            transparent,
            "the inner error says itself whether it is a denial or a failure: write `#[denied(transparent)]`",
        );
        return None;
    }
    if let Some(code) = &mark.code {
        cx.error_spanned_by(code, "with `transparent` the code is that of the inner error: remove one of them");
        return None;
    }
    let mut all = fields.iter();
    let (Some(field), None) = (all.next(), all.next()) else {
        cx.error_spanned_by(
            &mark.attr,
            "`transparent` needs exactly one field, the error that says what this one is: give a code instead, \
             `#[denied(\"…\")]` or `#[failed(\"…\")]`",
        );
        return None;
    };
    let member = field.ident.clone().map_or_else(|| Member::Unnamed(Index::from(0)), Member::Named);
    Some(Meaning::Inner { member, ty: &field.ty })
}
