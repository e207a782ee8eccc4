//! What a model must hold before code is made of it.

use super::parse::{Data, Field, Fields, Input, Style, Variant};
use super::secret;
use super::serde::Tagging;
use crate::ctxt::Ctxt;
use crate::mode::Mode;

/// Checks a whole type.
pub(crate) fn input(cx: &Ctxt, input: &Input<'_>) {
    if input.names.into.is_some() {
        return written_as_another(cx, input);
    }
    foreign(cx, input);
    match &input.data {
        Data::Struct(list) => {
            fields(cx, list);
            if input.names.transparent && input.transparent_field().is_none() {
                cx.error_spanned_by(input.ident, "`serde(transparent)` needs one field that is written");
            }
        }
        Data::Enum(variants) => {
            for variant in variants.iter().filter(|variant| !variant.names.skipped) {
                fields(cx, &variant.fields);
                if matches!(input.names.tagging, Tagging::Internal { .. }) {
                    internally_tagged(cx, variant);
                }
            }
        }
    }
}

/// Checks the fields of a struct or a variant that can be in a record.
pub(crate) fn fields(cx: &Ctxt, fields: &Fields<'_>) {
    for field in fields.written() {
        secret_name(cx, field);
        serialize_with(cx, field);
    }
}

/// A name that tells of a secret needs a decision that a reviewer can read.
fn secret_name(cx: &Ctxt, field: &Field<'_>) {
    let names = [Some(&field.name), field.names.rename.as_ref()];
    let found = names.into_iter().flatten().find_map(|name| Some((name, secret::word_in(name)?)));
    let Some((name, word)) = found else { return };
    match (field.mode(), &field.marks.reason) {
        (None, _) => cx.error_spanned_by(
            &field.member,
            format!(
                "`{name}` is named like a secret (`{word}`): mark it `#[sensitive]` (dropped) or \
                 `#[sensitive(hash)]` (keyed hash), or say why it may be shown: \
                 `#[sensitive(plain, reason = \"…\")]`"
            ),
        ),
        (Some(Mode::Plain), None) => {
            cx.error_spanned_by(&field.member, secret::shown_without_reason(name, &word));
        }
        (Some(_), _) => {}
    }
}

/// A function that writes the field goes round the classification of its type.
fn serialize_with(cx: &Ctxt, field: &Field<'_>) {
    let (Some(with), None) = (&field.names.with, field.mode()) else { return };
    let key = &with.key;
    cx.error_spanned_by(
        key,
        format!(
            "`serde({key})` writes something else than the field's type, which no classification covers: mark the \
             field `#[sensitive(plain)]` to show what it writes, `#[sensitive(hash)]` to hash that, \
             `#[sensitive]` to drop it, or `#[sensitive(with = path::Type)]` to write the field by a redactor"
        ),
    );
}

/// With `serde(into)` nothing of the fields is written.
fn written_as_another(cx: &Ctxt, input: &Input<'_>) {
    let lists: Vec<&Fields<'_>> = match &input.data {
        Data::Struct(fields) => vec![fields],
        Data::Enum(variants) => variants.iter().map(|variant| &variant.fields).collect(),
    };
    for mark in lists.iter().flat_map(|fields| &fields.list).filter_map(|field| field.marks.first.as_ref()) {
        cx.error_spanned_by(
            mark,
            "with `serde(into)` the other type is written, and its marks decide: put this mark there",
        );
    }
}

/// What `serde(remote)` describes is not this crate's to implement anything for.
fn foreign(cx: &Ctxt, input: &Input<'_>) {
    if let (Some(_), Some(debug)) = (&input.names.remote, &input.container.debug) {
        cx.error_spanned_by(
            debug,
            "with `serde(remote)` the values are of a foreign type, which has its own `Debug` or none: remove this",
        );
    }
}

/// With the tag among the fields there is no place for values without names.
fn internally_tagged(cx: &Ctxt, variant: &Variant<'_>) {
    if variant.names.untagged || variant.fields.style != Style::Tuple {
        return;
    }
    cx.error_spanned_by(
        variant.ident,
        "with `serde(tag)` the tag is written among the variant's fields, and these have no names: name them, or \
         give the enum `serde(tag = \"…\", content = \"…\")`",
    );
}
