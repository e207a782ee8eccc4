//! Whether an event was denied or failed, and how grave it is.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::LitStr;
use syn::ext::IdentExt;

use super::parse::Input;
use super::variant::Variant;
use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::meta::{Item, Value};
use crate::names::{CODE_RULE, is_code};
use crate::symbol;

/// What to write instead of a key that says neither.
pub(super) const KEYS: &str = "write `denied` where it was refused, or `failed` where it went wrong, each with a code of its own if need be: \
     `denied(\"unknown_token\")`";

const SEVERITIES: [&str; 5] = ["info", "notice", "warning", "error", "critical"];

/// What `denied` or `failed` says.
pub(super) struct Verdict {
    key: Ident,
    code: Option<LitStr>,
}

/// Takes `denied`, `failed("code")` and the like.
pub(super) fn set(cx: &Ctxt, place: &mut Option<Verdict>, item: &Item) {
    let key = &item.key;
    let code = match &item.value {
        Value::Nothing => Some(None),
        Value::List(tokens) => syn::parse2::<LitStr>(tokens.clone()).ok().map(Some),
        Value::Is(_) | Value::IsType(_) => None,
    };
    let Some(code) = code else {
        return cx.error_spanned_by(item, format!("`{key}` takes nothing or its code: `{key}(\"…\")`"));
    };
    match place {
        Some(known) if known.key == *key => cx.error_spanned_by(key, format!("`{key}` is given twice: keep one")),
        Some(_) => cx.error_spanned_by(key, "`denied` and `failed` exclude each other: keep one"),
        None => *place = Some(Verdict { key: key.clone(), code }),
    }
}

pub(super) fn check(cx: &Ctxt, variant: &Variant<'_>) {
    if let Some(verdict) = &variant.verdict
        && !is_code(&verdict.code(variant.ident))
    {
        let (place, mend): (&dyn ToTokens, _) = match &verdict.code {
            Some(code) => (code, String::new()),
            None => (variant.ident, format!(": `{}(\"…\")`", verdict.key)),
        };
        cx.error_spanned_by(place, format!("{CODE_RULE}{mend}"));
    }
    if let Some(severity) = &variant.severity
        && !SEVERITIES.contains(&severity.value().as_str())
    {
        let meant = symbol::nearest(&severity.value(), &SEVERITIES);
        let meant = meant.map(|name| format!(": did you mean `{name}`?")).unwrap_or_default();
        cx.error_spanned_by(severity, format!("a severity is one of {}{meant}", symbol::list(&SEVERITIES)));
    }
}

impl Verdict {
    /// The code, written or made.
    fn code(&self, variant: &Ident) -> String {
        self.code.as_ref().map_or_else(|| Case::Snake.of_variant(&variant.unraw().to_string()), LitStr::value)
    }

    /// The key and the code, for the catalogue.
    pub(super) fn described(&self, variant: &Ident) -> String {
        format!("{} {}", self.key, self.code(variant))
    }
}

/// The methods that say it, where any variant has something to say:
///
/// ```text
/// fn verdict(&self) -> Option<Verdict> {
///     match self { Self::Refused { .. } => Some(Verdict::denied("refused")), _ => None }
/// }
/// fn severity(&self) -> Option<Severity> {
///     match self { Self::Refused { .. } => Some(Severity::Warning), _ => None }
/// }
/// fn surface(&self) -> Option<&'static str> {
///     match self { Self::Refused { .. } => Some("cli"), _ => None }
/// }
/// ```
pub(super) fn methods(input: &Input<'_>) -> TokenStream {
    let private = &input.private;
    let verdict = method(input, "verdict", &quote!(#private::Verdict), |variant| {
        let verdict = variant.verdict.as_ref()?;
        let (code, make) = (verdict.code(variant.ident), if verdict.key == "denied" { "denied" } else { "failure" });
        let make = Ident::new(make, proc_macro2::Span::mixed_site());
        Some(quote!(#private::Verdict::#make(#code)))
    });
    let severity = method(input, "severity", &quote!(#private::Severity), |variant| {
        let name = Case::Pascal.of_field(&variant.severity.as_ref()?.value());
        let name = Ident::new(&name, proc_macro2::Span::mixed_site());
        Some(quote!(#private::Severity::#name))
    });
    let surface = method(input, "surface", &quote!(&'static #private::core::primitive::str), |variant| {
        let surface = variant.about.only_from.as_ref().or(input.defaults.only_from.as_ref())?;
        Some(quote!(#surface))
    });
    quote!(#verdict #severity #surface)
}

/// A method that gives something for some of the variants.
fn method(
    input: &Input<'_>,
    name: &str,
    ty: &TokenStream,
    value: impl Fn(&Variant<'_>) -> Option<TokenStream>,
) -> Option<TokenStream> {
    let (private, ident) = (&input.private, Ident::new(name, proc_macro2::Span::mixed_site()));
    let option = quote!(#private::core::option::Option);
    let arms: Vec<_> = input
        .variants
        .iter()
        .filter_map(|variant| {
            if let Some(passed) = variant.passes_on(private, name, &TokenStream::new()) {
                return Some(passed);
            }
            let (ident, value) = (variant.ident, value(variant)?);
            Some(quote!(Self::#ident { .. } => #option::Some(#value),))
        })
        .collect();
    let others = (arms.len() < input.variants.len()).then(|| quote!(_ => #option::None,));
    (!arms.is_empty()).then(|| {
        quote! {
            fn #ident(&self) -> #option<#ty> {
                match self { #(#arms)* #others }
            }
        }
    })
}
