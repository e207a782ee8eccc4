//! The static description of an audited function, registered with the linker. It is one text: a table costs the compiler
//! more, and the program a relocation for each of its texts.

use std::fmt::Write as _;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::{Expr, FnArg, GenericArgument, LitStr, Pat, PathArguments, Type};

use super::args::VerdictSource;
use super::pieces::Pieces;
use crate::mode::Mode;
use crate::written::{as_written, summary};

impl Pieces<'_> {
    /// The description, which is one text, registered, in a block of its own. How it reads is told where it is read, in the
    /// core.
    pub(super) fn site(&self) -> TokenStream {
        let private = &self.private;
        let text = self.text();
        quote_spanned! {Span::mixed_site()=> {
            const TEXT: &#private::core::primitive::str = #text;
            #private::inventory::submit! { #private::RegisteredSite(TEXT) }
            TEXT
        }}
    }

    fn text(&self) -> TokenStream {
        let (private, args) = (&self.private, self.args);
        let name = self.function.sig.ident.unraw().to_string();
        let flags = self.flags();
        let only_from = args.about.only_from.as_ref().map(LitStr::value).unwrap_or_default();
        let mut parts = format!("\n{only_from}\n");
        push(&mut parts, &name);
        push(&mut parts, &summary(&self.function.attrs));
        push(&mut parts, &args.about.since.as_ref().map(LitStr::value).unwrap_or_default());
        push_list(&mut parts, args.about.was.len(), args.about.was.iter().map(LitStr::value));
        self.push_captures(&mut parts);
        let decided_by = self.decided_by();
        push_list(&mut parts, decided_by.len(), decided_by);
        let span = Span::mixed_site();
        let place = quote_spanned! {span=>
            #private::core::env!("CARGO_PKG_NAME"), "\n", #private::core::module_path!(), "\n",
            #private::core::line!(), "\n", #private::core::file!()
        };
        if let Some(action) = &args.action {
            let before = format!("{flags}{}{parts}", action.value());
            return quote_spanned!(span=> #private::core::concat!(#before, #place));
        }
        let flags = flags.to_string();
        quote_spanned!(span=> #private::derived_site_text!(#name, #flags, #private::core::concat!(#parts, #place)))
    }

    /// One letter.
    fn flags(&self) -> char {
        let (args, about) = (self.args, &self.args.about);
        let closed = args.fail_closed.is_some();
        let transaction = args.transaction.is_some();
        let flags = [closed, closed || args.intent, about.deprecated, about.shared, args.unlocked, transaction];
        let bits = flags.iter().enumerate().map(|(at, flag)| u8::from(*flag) << at).sum::<u8>();
        char::from(b'@' | bits)
    }

    /// What is captured: the key, the type of the parameter if it is one, and what is done to it.
    fn push_captures(&self, text: &mut String) {
        let args = self.args;
        let named = [("tenant", &args.tenant), ("actor", &args.actor), ("subject", &args.subject)];
        let named = named.into_iter().filter_map(|(key, captured)| Some((key.to_owned(), captured.as_ref()?)));
        let resource = args.resource.iter().map(|(kind, id)| (format!("resource {}", kind.value()), id));
        let fields = args.fields.iter().map(|field| (field.key.value(), &field.value));
        let before = named.chain(resource).chain(fields).map(|(key, captured)| (key, captured, true));
        let after = args.ok_fields.iter().flat_map(|(_, fields)| fields);
        let after = after.map(|field| (field.key.value(), &field.value, false));
        let captures: Vec<_> = before.chain(after).collect();
        push_list(text, captures.len(), []);
        for (key, captured, before) in captures {
            push(text, &key);
            push(text, &if before { self.parameter(&captured.value) } else { String::new() });
            push(text, &captured.mode.as_ref().map(ToString::to_string).unwrap_or_default());
            let scope = match &captured.mode {
                Some(Mode::Hash { scope: Some(scope) }) => scope.value(),
                _ => String::new(),
            };
            push(text, &scope);
        }
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
}

/// A list: how many, then each.
fn push_list(text: &mut String, len: usize, parts: impl IntoIterator<Item = String>) {
    let _ = write!(text, "{len};");
    parts.into_iter().for_each(|part| push(text, &part));
}

/// A text with its length before it.
fn push(text: &mut String, part: &str) {
    let _ = write!(text, "{}:{part}", part.len());
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
