//! `#[not_audited(reason = "…")]`: a function that leaves no record on purpose.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{LitStr, Path};

use crate::audited::item::Function;
use crate::ctxt::Ctxt;
use crate::meta::{parse_items, set_once};
use crate::private;
use crate::symbol::unknown_key;
use crate::written::summary;

const KEYS: &[&str] = &["reason", "crate"];

/// The function stays as it is, but for what its body begins with:
///
/// ```text
/// {
///     static __EXEMPT: ::audited::__private::Exempt = …;
///     ::audited::__private::inventory::submit! { ::audited::__private::RegisteredExemption(&__EXEMPT) }
///     ::audited::__private::note_exempt();
/// }
/// ```
pub(crate) fn not_audited(args: TokenStream, item: &TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let args = Args::parse(&ctxt, args);
    let function = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => Some(function),
        Err(error) => {
            let message = "`#[not_audited]` goes on a function or method with a body";
            ctxt.error_at(error.span(), message);
            None
        }
    };
    let function = function.inspect(|function| check(&ctxt, function));
    match (ctxt.check(), args.reason, function) {
        (Ok(()), Some(reason), Some(function)) => expand(&reason, &args.private, function),
        (errors, ..) => {
            let errors = errors.err().map(syn::Error::into_compile_error);
            quote!(#item #errors)
        }
    }
}

struct Args {
    reason: Option<LitStr>,
    private: TokenStream,
}

impl Args {
    fn parse(ctxt: &Ctxt, args: TokenStream) -> Self {
        let (mut reason, mut krate) = (None, None::<Path>);
        let items = parse_items(args).unwrap_or_else(|error| {
            ctxt.syn_error(error);
            Vec::new()
        });
        for item in &items {
            match item.key.to_string().as_str() {
                "reason" => set_once(ctxt, &mut reason, item.expect_string(ctxt).cloned(), &item.key),
                "crate" => set_once(ctxt, &mut krate, item.expect_path(ctxt).cloned(), &item.key),
                unknown => ctxt.error_spanned_by(&item.key, unknown_key(unknown, KEYS)),
            }
        }
        match &reason {
            None if !items.iter().any(|item| item.is("reason")) => ctxt
                .error_at(Span::call_site(), "say why nobody needs a record of it: `#[not_audited(reason = \"…\")]`"),
            Some(empty) if empty.value().trim().is_empty() => {
                ctxt.error_spanned_by(empty, "an empty reason is none: say why nobody needs a record of it");
            }
            _ => {}
        }
        Self { reason, private: private::of(krate.as_ref()) }
    }
}

fn check(ctxt: &Ctxt, function: &Function) {
    if let Some(attr) = function.attrs.iter().find(|attr| is_audited(attr.path())) {
        ctxt.error_spanned_by(attr, "audited and not audited: keep one of the two attributes");
    }
    if let Some(constness) = &function.sig.constness {
        ctxt.error_spanned_by(constness, "a `const fn` needs no exemption: it could not be audited");
    }
}

fn is_audited(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| last.ident == "audited")
}

fn expand(reason: &LitStr, private: &TokenStream, mut function: Function) -> TokenStream {
    let (name, doc) = (function.sig.ident.unraw().to_string(), summary(&function.attrs));
    let exempt = Ident::new("__EXEMPT", Span::mixed_site());
    let body = function.body.stream();
    let stream = quote_spanned! {Span::mixed_site()=>
        const _: () = {
            static #exempt: #private::Exempt = #private::Exempt {
                package: #private::core::env!("CARGO_PKG_NAME"),
                module: #private::core::module_path!(),
                function: #name,
                file: #private::core::file!(),
                line: #private::core::line!(),
                reason: #reason,
                doc: #doc,
            };
            #private::inventory::submit! { #private::RegisteredExemption(&#exempt) }
        };
        #private::note_exempt();
        #body
    };
    let mut whole = proc_macro2::Group::new(function.body.delimiter(), stream);
    whole.set_span(function.body.span());
    function.body = whole;
    function.into_token_stream()
}
