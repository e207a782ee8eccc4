//! `#[derive(Sensitive)]`.
//!
//! The reading of fields, their check and their writing serve `#[derive(AuditEvent)]` as well, and the marks of a field
//! are those of a parameter.

pub(crate) mod bounds;
pub(crate) mod check;
pub(crate) mod container;
mod expand;
pub(crate) mod fields;
pub(crate) mod marks;
pub(crate) mod parse;
pub(crate) mod register;
pub(crate) mod schema;
pub(crate) mod secret;
mod serde;
mod shape;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::ctxt::Ctxt;

/// Expands the derive.
pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let parsed = parse::Input::parse(&cx, input);
    check::input(&cx, &parsed);
    match cx.check() {
        Ok(()) => expand::expand(&parsed),
        Err(error) => expand::fallback(&parsed, &error),
    }
}
