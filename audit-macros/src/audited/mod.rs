//! `#[audited]`: parse the attribute and the function, check them together, expand.

mod args;
mod check;
mod expand;
mod item;
mod params;
mod pieces;
mod shape;

use proc_macro2::TokenStream;
use quote::quote;

use self::args::Args;
use self::item::Function;
use crate::ctxt::Ctxt;

pub(crate) fn audited(args: TokenStream, item: TokenStream) -> TokenStream {
    match try_audited(args, &item) {
        Ok(expanded) => expanded,
        // The user's item stays, so that nothing else complains that it is gone.
        Err(errors) => {
            let errors = errors.into_compile_error();
            quote! { #item #errors }
        }
    }
}

fn try_audited(args: TokenStream, item: &TokenStream) -> syn::Result<TokenStream> {
    let ctxt = Ctxt::new();
    let args = Args::parse(&ctxt, args);
    let function = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => Some(function),
        Err(error) => {
            ctxt.syn_error(error);
            None
        }
    };
    if let Some(function) = &function {
        check::check(&ctxt, &args, function);
    }
    ctxt.check()?;
    Ok(function.map(|function| expand::expand(&args, &function)).unwrap_or_default())
}
