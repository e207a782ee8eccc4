//! The static description of an audited function, registered with the linker.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Expr, FnArg, GenericArgument, LitStr, Pat, PathArguments, Type};

use super::args::{Captured, VerdictSource};
use super::pieces::Pieces;
use crate::sensitive::register::said;
use crate::written::{as_written, summary};

impl Pieces<'_> {
    /// The description, in a block of its own, so that its names are nobody else's.
    pub(super) fn site(&self) -> TokenStream {
        let (private, args) = (&self.private, self.args);
        let name = self.function.sig.ident.unraw().to_string();
        let derived = || quote!(#private::derived_action!(#name));
        let action = args.action.as_ref().map_or_else(derived, ToTokens::to_token_stream);
        let closed = args.fail_closed.is_some();
        let policy = if closed { quote!(Closed) } else { quote!(Open) };
        let intent = closed || args.intent;
        let doc = summary(&self.function.attrs);
        let (captures, decided_by, about) = (self.described_captures(), self.decided_by(), self.about());
        quote_spanned! {Span::mixed_site()=> {
            use #private as __private;
            static SITE: __private::Site = __private::Site::new(
                #action,
                __private::FailurePolicy::#policy,
                #intent,
                __private::core::env!("CARGO_PKG_NAME"),
                __private::core::module_path!(),
                #name,
                __private::core::file!(),
                __private::core::line!(),
                #doc,
                &[#(#captures),*],
                &[#(#decided_by),*],
                #about,
            );
            __private::inventory::submit! { __private::RegisteredSite(&SITE) }
            &SITE
        }}
    }

    /// What is captured: the key, the type of the parameter if it is one, and what is done to it.
    fn described_captures(&self) -> Vec<TokenStream> {
        let args = self.args;
        let named = [("tenant", &args.tenant), ("actor", &args.actor), ("subject", &args.subject)];
        let named = named.into_iter().filter_map(|(key, captured)| Some((key.to_owned(), captured.as_ref()?)));
        let resource = args.resource.iter().map(|(kind, id)| (format!("resource {}", kind.value()), id));
        let fields = args.fields.iter().map(|field| (field.key.value(), &field.value));
        let before: Vec<_> =
            named.chain(resource).chain(fields).map(|(key, captured)| self.described(&key, captured, true)).collect();
        let after = args.ok_fields.iter().flat_map(|(_, fields)| fields);
        let after = after.map(|field| self.described(&field.key.value(), &field.value, false));
        before.into_iter().chain(after).collect()
    }

    fn described(&self, key: &str, captured: &Captured, before: bool) -> TokenStream {
        let ty = if before { self.parameter(&captured.value) } else { String::new() };
        let span = Span::mixed_site();
        let private = quote_spanned!(span=> __private);
        let said = said(&private, (key, key), captured.mode.as_ref(), None, true);
        quote_spanned!(span=> (#key, #ty, #said))
    }

    /// The type of the parameter that an expression is, as it is written.
    fn parameter(&self, value: &Expr) -> String {
        let Expr::Path(path) = value else { return String::new() };
        let Some(name) = path.path.get_ident() else { return String::new() };
        let params = self.function.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(param) => Some(param),
            FnArg::Receiver(_) => None,
        });
        let mut types = params.filter_map(|param| bound(&param.pat, &param.ty, name));
        types.next().map(|ty| as_written(ty.to_token_stream())).unwrap_or_default()
    }

    /// What says how a call was decided and how it ended.
    fn decided_by(&self) -> Vec<String> {
        let guard = self.args.require.as_ref().map(|guard| format!("guard {}", as_written(guard.to_token_stream())));
        let verdict = match &self.args.verdict {
            VerdictSource::Value => {
                let ty = self.function.returns().map_or_else(|| "()".to_owned(), |ty| as_written(ty.to_token_stream()));
                format!("returned {ty}")
            }
            VerdictSource::Errors { denied: true, code } => format!("any error is denied {}", code.value()),
            VerdictSource::Errors { denied: false, code } => format!("any error is failure {}", code.value()),
            VerdictSource::Closure(_) => "closure".to_owned(),
        };
        guard.into_iter().chain([verdict]).collect()
    }

    fn about(&self) -> TokenStream {
        let about = &self.args.about;
        let unlocked = self.args.unlocked;
        if about.says_nothing() && !unlocked {
            return quote_spanned!(Span::mixed_site()=> __private::AboutSite::NOTHING);
        }
        let text = |word: &Option<LitStr>| word.as_ref().map(LitStr::value).unwrap_or_default();
        let (was, since, only_from) = (&about.was, text(&about.since), text(&about.only_from));
        let (deprecated, shared) = (about.deprecated, about.shared);
        quote_spanned! {Span::mixed_site()=>
            &__private::AboutSite {
                was: &[#(#was),*],
                since: #since,
                deprecated: #deprecated,
                shared: #shared,
                unlocked: #unlocked,
                only_from: #only_from,
            }
        }
    }
}

/// The type of a name that a parameter's pattern binds: the parameter's own, or of an extractor, such as
/// `Json(body): Json<Transfer>`, that which it holds.
fn bound<'t>(pattern: &Pat, ty: &'t Type, name: &Ident) -> Option<&'t Type> {
    match (pattern, ty) {
        (Pat::Ident(pattern), _) => (pattern.ident == *name).then_some(ty),
        (Pat::TupleStruct(pattern), Type::Path(ty)) => {
            let (outer, last) = (pattern.path.segments.last()?, ty.path.segments.last()?);
            let PathArguments::AngleBracketed(held) = &last.arguments else { return None };
            match (pattern.elems.first()?, held.args.first()?) {
                (inner, GenericArgument::Type(held_type))
                    if outer.ident == last.ident && pattern.elems.len() == 1 && held.args.len() == 1 =>
                {
                    bound(inner, held_type, name)
                }
                _ => None,
            }
        }
        _ => None,
    }
}
