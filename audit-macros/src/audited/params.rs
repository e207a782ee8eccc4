//! The parameters of an async function: they move into its future, in the order in which a plain async function
//! drops them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, Pat, PatIdent, ReceiverKind, Signature};

/// Gives every parameter a name in the signature; the statements bind the user's patterns to them.
pub(super) fn move_inside(sig: &mut Signature) -> TokenStream {
    let mut bindings: TokenStream = hold_receiver(sig).into_iter().collect();
    for (at, input) in sig.inputs.iter_mut().enumerate() {
        let FnArg::Typed(param) = input else { continue };
        let attrs: Vec<_> = param.attrs.iter().filter(|attr| !attr.path().is_ident("doc")).cloned().collect();
        param.attrs.retain(is_cfg);
        let (name, plain) = name_in_signature(&param.pat, at);
        let in_signature = Pat::Verbatim(name.to_token_stream());
        let pattern = std::mem::replace(&mut param.pat, Box::new(in_signature));
        if !plain {
            // A pattern may borrow mutably.
            let cfgs = &param.attrs;
            bindings.extend(quote_spanned! {Span::mixed_site()=>
                #(#cfgs)*
                #[allow(unused_mut)]
                let mut #name = #name;
            });
        }
        // A plain parameter that is not used raises no lint.
        let unused = plain && name.unraw().to_string().starts_with('_');
        let quiet = unused.then(|| quote!(#[allow(clippy::no_effect_underscore_binding)]));
        bindings.extend(quote! {
            #(#attrs)*
            #quiet
            let #pattern = #name;
        });
    }
    bindings
}

/// A plain parameter keeps its name, which the documentation shows, and yet is another one than the user's; a pattern
/// gets a name that nobody else has.
fn name_in_signature(pattern: &Pat, at: usize) -> (Ident, bool) {
    match pattern {
        Pat::Ident(PatIdent { by_ref: None, ident, subpat: None, .. }) => {
            let mut name = ident.clone();
            name.set_span(Span::mixed_site().located_at(ident.span()));
            (name, true)
        }
        _ => (format_ident!("__arg{at}", span = Span::mixed_site()), false),
    }
}

/// A receiver by value lives as long as the future, whether the body mentions it or not.
fn hold_receiver(sig: &Signature) -> Option<TokenStream> {
    let receiver = sig.receiver()?;
    let by_value = !matches!(receiver.kind, ReceiverKind::Reference(..));
    by_value.then(|| {
        let this = Ident::new("self", receiver.self_token.span);
        quote! { let _ = &#this; }
    })
}

fn is_cfg(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg") || attr.path().to_token_stream().to_string() == "cfg_attr"
}
