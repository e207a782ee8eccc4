//! `#[sensitive]` on the parameters of an audited function.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, FnArg, Pat, PatIdent, Signature, Token, Type, UnOp, parse_quote};

use super::args::{Args, Captured};
use crate::ctxt::Ctxt;
use crate::meta;
use crate::mode::Mode;
use crate::sensitive::{marks, secret};
use crate::symbol::SENSITIVE;

/// A parameter that is marked.
pub(super) struct Marked {
    name: Ident,
    mode: Mode,
    /// The mark as the user wrote it.
    mark: String,
    /// Whether it is a reference.
    refers: bool,
}

/// Reads the marks of the parameters.
pub(super) fn read(ctxt: &Ctxt, sig: &Signature) -> Vec<Marked> {
    sig.inputs.iter().filter_map(|input| parameter(ctxt, input)).collect()
}

/// Takes the marks off the parameters, where the compiler knows none; says whether there were any.
pub(super) fn strip(sig: &mut Signature) -> bool {
    let mut any = false;
    for input in &mut sig.inputs {
        let attrs = match input {
            FnArg::Receiver(receiver) => &mut receiver.attrs,
            FnArg::Typed(param) => &mut param.attrs,
        };
        let before = attrs.len();
        attrs.retain(|attr| !attr.path().is_ident(SENSITIVE));
        any |= attrs.len() < before;
    }
    any
}

/// Gives every capture of a marked parameter its mode.
pub(super) fn apply(ctxt: &Ctxt, marked: &[Marked], args: &mut Args) {
    for captured in args.captured() {
        apply_to(ctxt, marked, captured);
    }
    let Some((pattern, fields)) = &mut args.ok_fields else { return };
    let bound = |name: &Ident| mentions(pattern, name);
    let free: Vec<_> = marked.iter().filter(|marked| !bound(&marked.name)).collect();
    for field in fields {
        apply_to(ctxt, free.iter().copied(), &mut field.value);
    }
}

fn parameter(ctxt: &Ctxt, input: &FnArg) -> Option<Marked> {
    let param = match input {
        FnArg::Receiver(receiver) => {
            for mark in meta::named(&receiver.attrs, SENSITIVE) {
                ctxt.error_spanned_by(
                    mark,
                    "`self` is of a type that says itself what may be shown: mark its fields, or what is captured of \
                     it, as in `fields(name = drop(self.name))`",
                );
            }
            return None;
        }
        FnArg::Typed(param) => param,
    };
    let marks = marks::parse(ctxt, &param.attrs);
    let (first, mode) = (marks.first.as_ref()?, marks.mode?);
    let Some(name) = name_of(&param.pat) else {
        ctxt.error_spanned_by(
            first,
            "a mark needs the name of what it marks: name the parameter, or say it where a part of it is captured, as \
             in `fields(name = drop(name))`",
        );
        return None;
    };
    if let Some(class) = &marks.class {
        ctxt.error_spanned_by(class, "a class is kept with the fields of a type: a parameter takes a mode alone");
    }
    let text = name.unraw().to_string();
    if let (Mode::Plain, None, Some(word)) = (&mode, &marks.reason, secret::word_in(&text)) {
        ctxt.error_spanned_by(name, secret::shown_without_reason(&text, &word));
    }
    let refers = matches!(*param.ty, Type::Reference(_));
    Some(Marked { name: name.clone(), mode, mark: written(first), refers })
}

fn name_of(pattern: &Pat) -> Option<&Ident> {
    match pattern {
        Pat::Ident(PatIdent { ident, subpat: None, .. }) => Some(ident),
        _ => None,
    }
}

fn apply_to<'a>(ctxt: &Ctxt, marked: impl IntoIterator<Item = &'a Marked>, captured: &mut Captured) {
    let Some(name) = variable(&captured.value) else {
        if let (Some(Mode::Plain), Some(wrapper)) = (&captured.mode, &captured.wrapper) {
            not_round(ctxt, marked, wrapper, &captured.value);
        }
        return;
    };
    let Some(marked) = marked.into_iter().find(|marked| marked.name.unraw() == name.unraw()) else { return };
    let Some(wrapper) = &captured.wrapper else {
        captured.mode = Some(marked.mode.clone());
        if matches!(marked.mode, Mode::With(_)) {
            // A redactor is one of what is referred to, however the parameter and the capture refer to it.
            let star = marked.refers.then(|| Token![*](name.span()));
            captured.value = parse_quote!(#star #name);
        }
        return;
    };
    let mark = &marked.mark;
    match captured.mode {
        // Less than a mark allows can be shown anywhere.
        Some(Mode::Drop) => {}
        Some(Mode::Plain) => ctxt.error_spanned_by(
            wrapper,
            format!("`{name}` is marked `{mark}`, which `plain` would go round: capture it without `plain`"),
        ),
        _ => ctxt.error_spanned_by(
            wrapper,
            format!("`{name}` is marked `{mark}`, and this is another mode: keep the one that is meant"),
        ),
    }
}

/// `plain` shows no expression that a marked parameter is part of.
fn not_round<'a>(ctxt: &Ctxt, marked: impl IntoIterator<Item = &'a Marked>, wrapper: &Ident, value: &Expr) {
    let tokens = value.to_token_stream();
    if let Some(Marked { name, mark, .. }) = marked.into_iter().find(|marked| reads(tokens.clone(), &marked.name)) {
        ctxt.error_spanned_by(
            wrapper,
            format!(
                "`{name}` is marked `{mark}`, and `plain` would show what is made of it: capture `{name}` itself, or \
                 say `drop`, `hash`, `mask` or `len` here"
            ),
        );
    }
}

/// Whether an expression reads a variable: by its name, or inside of a format string.
fn reads(tokens: TokenStream, name: &Ident) -> bool {
    let plain = name.unraw().to_string();
    let mut after_dot = false;
    tokens.into_iter().any(|token| {
        let field = std::mem::replace(&mut after_dot, matches!(&token, TokenTree::Punct(dot) if dot.as_char() == '.'));
        match token {
            TokenTree::Ident(ident) => !field && ident.unraw() == plain,
            TokenTree::Group(group) => reads(group.stream(), name),
            TokenTree::Literal(text) => {
                let text = text.to_string();
                [format!("{{{plain}}}"), format!("{{{plain}:")].iter().any(|argument| text.contains(argument))
            }
            TokenTree::Punct(_) => false,
        }
    })
}

/// The variable that an expression is, or refers to.
fn variable(value: &Expr) -> Option<&Ident> {
    match value {
        Expr::Path(path) if path.qself.is_none() => path.path.get_ident(),
        Expr::Reference(inner) => variable(&inner.expr),
        Expr::Unary(inner) if matches!(inner.op, UnOp::Deref(_)) => variable(&inner.expr),
        Expr::Paren(inner) => variable(&inner.expr),
        Expr::Group(inner) => variable(&inner.expr),
        _ => None,
    }
}

/// Whether a pattern may bind a name.
fn mentions(pattern: &Pat, name: &Ident) -> bool {
    fn any(tokens: TokenStream, name: &Ident) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident.unraw() == name.unraw(),
            TokenTree::Group(group) => any(group.stream(), name),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        })
    }
    any(pattern.to_token_stream(), name)
}

/// A mark as one reads it.
fn written(mark: &Attribute) -> String {
    let text = mark.meta.to_token_stream().to_string();
    format!("#[{}]", text.replace(" (", "(").replace("( ", "(").replace(" )", ")").replace(" ,", ","))
}
