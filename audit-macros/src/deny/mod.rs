//! `#[derive(Deny)]`.

mod check;
mod expand;
mod parse;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::ctxt::Ctxt;

/// Expands the derive.
pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let parsed = parse::Input::parse(&cx, input);
    let cases = check::cases(&cx, &parsed);
    match cx.check() {
        Ok(()) => expand::expand(&parsed, &cases),
        Err(error) => expand::fallback(&parsed, &error),
    }
}
