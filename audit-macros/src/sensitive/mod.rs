//! `#[derive(Sensitive)]`.
//!
//! The reading of fields, their check and their writing serve `#[derive(AuditEvent)]` as well.

pub(crate) mod check;
mod expand;
pub(crate) mod fields;
mod marks;
pub(crate) mod parse;
mod serde;
mod shape;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::ctxt::Ctxt;
use crate::symbol::SENSITIVE;

/// Expands the derive.
pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let private = parse::private_path(&cx, &input.attrs, SENSITIVE);
    let parsed = parse::Input::parse(&cx, input);
    if let Some(parsed) = &parsed {
        check::input(&cx, parsed);
    }
    match (cx.check(), parsed) {
        (Ok(()), Some(parsed)) => expand::expand(&private, &parsed),
        (Ok(()), None) => TokenStream::new(),
        (Err(error), _) => expand::fallback(&private, input, &error),
    }
}
