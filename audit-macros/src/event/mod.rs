//! `#[derive(AuditEvent)]`.

mod check;
mod describe;
mod expand;
mod kind;
mod nested;
mod parse;
mod schema;
mod unique;
mod variant;
mod verdict;
mod view;

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
