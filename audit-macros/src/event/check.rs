//! What a vocabulary must hold before code is made of it.

use super::parse::Input;
use super::variant::Variant;
use super::{unique, verdict, view};
use crate::about::check_words;
use crate::ctxt::Ctxt;
use crate::names::{ACTION_RULE, is_action};
use crate::sensitive::check;

pub(super) fn input(cx: &Ctxt, input: &Input<'_>) {
    let parts_are_right = parts(cx, input);
    check_words(cx, input.defaults.since.as_ref(), input.defaults.only_from.as_ref());
    for variant in input.own() {
        check::fields(cx, &variant.fields);
        variant.about.check(cx);
        verdict::check(cx, variant);
        // A wrong prefix is said once, not at every variant.
        if variant.written.is_some() || parts_are_right {
            action(cx, variant);
        }
    }
    view::check(cx, input);
    unique::names(cx, &input.own().collect::<Vec<_>>());
}

/// Checks what every made action shares.
fn parts(cx: &Ctxt, input: &Input<'_>) -> bool {
    let mut right = true;
    match &input.names.prefix {
        Some(prefix) if !prefix.value().is_empty() && !is_action(&prefix.value()) => {
            cx.error_spanned_by(prefix, format!("no action can start with this: {ACTION_RULE}"));
            right = false;
        }
        None if input.own().any(|variant| variant.written.is_none()) => {
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
