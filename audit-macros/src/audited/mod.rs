//! `#[audited]`: parse the attribute and the function, check them together, expand.

mod args;
mod captures;
mod check;
mod expand;
pub(crate) mod item;
mod marked;
mod params;
mod pieces;
mod shape;
mod site;
mod transaction;
mod types;
mod values;
mod wrapper;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use self::args::Args;
use self::item::Function;
use crate::ctxt::Ctxt;

pub(crate) fn audited(args: TokenStream, item: &TokenStream) -> TokenStream {
    match try_audited(args, item) {
        Ok(expanded) => expanded,
        Err(errors) => with_item(item, &errors.into_compile_error()),
    }
}

/// The user's item stays, so that nothing else complains that it is gone.
fn with_item(item: &TokenStream, errors: &TokenStream) -> TokenStream {
    if syn::parse2::<syn::ExprClosure>(item.clone()).is_ok() {
        return quote! {{ #errors #item }};
    }
    let Ok(mut function) = syn::parse2::<Function>(item.clone()) else { return quote!(#item #errors) };
    let item = if marked::strip(&mut function.sig) { function.into_token_stream() } else { item.clone() };
    // What only a capture uses is not used now.
    quote! { #[allow(unused_variables)] #item #errors }
}

fn try_audited(args: TokenStream, item: &TokenStream) -> syn::Result<TokenStream> {
    let ctxt = Ctxt::new();
    let mut args = Args::parse(&ctxt, args);
    let mut function = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => Some(function),
        Err(error) => {
            ctxt.syn_error(error);
            None
        }
    };
    if let Some(function) = &mut function {
        let marked = marked::read(&ctxt, &function.sig);
        marked::strip(&mut function.sig);
        marked::apply(&ctxt, &marked, &mut args);
        check::check(&ctxt, &args, function);
    }
    ctxt.check()?;
    Ok(function.map(|function| expand::expand(&args, &function)).unwrap_or_default())
}
