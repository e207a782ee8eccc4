//! No two things have had one name: a record that carries it could not be told.

use std::collections::HashMap;

use quote::ToTokens;
use syn::LitStr;

use super::variant::Variant;
use crate::ctxt::Ctxt;

pub(super) fn names(cx: &Ctxt, variants: &[&Variant<'_>]) {
    actions(cx, variants);
    formers(cx, variants);
}

/// Two variants with one action: said at both.
fn actions(cx: &Ctxt, variants: &[&Variant<'_>]) {
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
    cx.error_spanned_by(
        place(variant),
        format!(
            "`{}` is the action of `{}` too: give one of them another with `#[event(action = \"…\")]`",
            variant.action.escape_debug(),
            other.ident
        ),
    );
}

/// Where a variant's action comes from.
fn place<'v>(variant: &'v Variant<'_>) -> &'v dyn ToTokens {
    match &variant.written {
        Some(written) => written,
        None => variant.ident,
    }
}

/// A former name that is in use, or was that of two: said at both.
fn formers(cx: &Ctxt, variants: &[&Variant<'_>]) {
    let actions: HashMap<_, _> = variants.iter().map(|variant| (variant.action.clone(), variant)).collect();
    let mut seen: HashMap<String, Vec<(&Variant<'_>, &LitStr)>> = HashMap::new();
    for variant in variants {
        for was in &variant.about.was {
            let name = was.value();
            match actions.get(&name) {
                Some(now) if now.ident == variant.ident => {
                    cx.error_spanned_by(was, "this is what the action is called now: remove it here");
                }
                Some(now) => in_use(cx, variant, was, now),
                None => seen.entry(name).or_default().push((variant, was)),
            }
        }
    }
    for (_, places) in in_order(seen) {
        for (at, (variant, was)) in places.iter().enumerate() {
            let other = places.iter().find(|(other, _)| other.ident != variant.ident);
            if let Some((other, _)) = other {
                cx.error_spanned_by(
                    was,
                    format!("this is a former name of `{}` too: keep it where the records with it belong", other.ident),
                );
            } else if at > 0 {
                cx.error_spanned_by(was, "this former name is given twice: keep one");
            }
        }
    }
}

fn in_use(cx: &Ctxt, variant: &Variant<'_>, was: &LitStr, now: &Variant<'_>) {
    cx.error_spanned_by(
        was,
        format!("this is the action of `{}`: a former name belongs to no other action now", now.ident),
    );
    cx.error_spanned_by(
        place(now),
        format!("this is a former name of `{}`: give this one another with `#[event(action = \"…\")]`", variant.ident),
    );
}

/// The same messages in the same order, whatever the map did.
fn in_order<T>(map: HashMap<String, T>) -> Vec<(String, T)> {
    let mut entries: Vec<_> = map.into_iter().collect();
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries
}
