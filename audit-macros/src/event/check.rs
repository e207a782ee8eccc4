//! What a vocabulary must hold before code is made of it.

use std::collections::HashMap;

use quote::ToTokens;

use super::parse::{Input, Variant};
use crate::ctxt::Ctxt;
use crate::names::{ACTION_RULE, is_action};
use crate::sensitive::check;

pub(super) fn input(cx: &Ctxt, input: &Input<'_>) {
    let parts_are_right = parts(cx, input);
    for variant in &input.variants {
        check::fields(cx, &variant.fields);
        // A wrong prefix is said once, not at every variant.
        if variant.written.is_some() || parts_are_right {
            action(cx, variant);
        }
    }
    duplicates(cx, &input.variants);
}

/// Checks what every made action shares.
fn parts(cx: &Ctxt, input: &Input<'_>) -> bool {
    let mut right = true;
    match &input.names.prefix {
        Some(prefix) if !is_action(&prefix.value()) => {
            cx.error_spanned_by(prefix, format!("no action can start with this: {ACTION_RULE}"));
            right = false;
        }
        None if input.variants.iter().any(|variant| variant.written.is_none()) => {
            cx.error_spanned_by(
                input.ident,
                "the actions have no prefix: give the enum `#[event(prefix = \"user\")]`, or each variant \
                 `#[event(action = \"user.created\")]`",
            );
            right = false;
        }
        _ => {}
    }
    if let Some(separator) = &input.names.separator {
        let text = separator.value();
        if text.is_empty() || !text.chars().all(|c| matches!(c, '_' | '.' | '/' | '-')) {
            cx.error_spanned_by(separator, "a separator is made of `.`, `_`, `/` and `-`");
            right = false;
        }
    }
    right
}

fn action(cx: &Ctxt, variant: &Variant<'_>) {
    if is_action(&variant.action) {
        return;
    }
    match &variant.written {
        Some(written) => cx.error_spanned_by(written, ACTION_RULE),
        None => cx.error_spanned_by(
            variant.ident,
            format!(
                "this would be the action `{}`, but {ACTION_RULE}: name it with `#[event(action = \"…\")]`",
                variant.action.escape_debug()
            ),
        ),
    }
}

/// Two variants with one action could not be told apart in the records: said at both.
fn duplicates(cx: &Ctxt, variants: &[Variant<'_>]) {
    let mut first: HashMap<&str, (&Variant<'_>, bool)> = HashMap::new();
    for variant in variants {
        let Some((other, told)) = first.get_mut(variant.action.as_str()) else {
            first.insert(&variant.action, (variant, false));
            continue;
        };
        if !std::mem::replace(told, true) {
            duplicate(cx, other, variant);
        }
        duplicate(cx, variant, other);
    }
}

fn duplicate(cx: &Ctxt, variant: &Variant<'_>, other: &Variant<'_>) {
    let place: &dyn ToTokens = match &variant.written {
        Some(written) => written,
        None => variant.ident,
    };
    cx.error_spanned_by(
        place,
        format!(
            "`{}` is the action of `{}` too: give one of them another with `#[event(action = \"…\")]`",
            variant.action.escape_debug(),
            other.ident
        ),
    );
}
