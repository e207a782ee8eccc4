//! What attribute and function must keep to together.

use syn::ext::IdentExt;
use syn::{GenericParam, Type};

use super::args::{Args, VerdictSource};
use super::item::Function;
use super::transaction;
use crate::ctxt::Ctxt;
use crate::names::{ACTION_RULE, CODE_RULE, is_action, is_code};

pub(super) fn check(ctxt: &Ctxt, args: &Args, function: &Function) {
    check_kind(ctxt, function);
    check_action(ctxt, args, function);
    args.about.check(ctxt);
    check_codes(ctxt, args);
    check_return(ctxt, args, function);
    transaction::check(ctxt, args, function);
}

fn check_kind(ctxt: &Ctxt, function: &Function) {
    if let Some(constness) = &function.sig.constness {
        ctxt.error_spanned_by(constness, "a `const fn` cannot leave a record: remove `const` or `#[audited]`");
    }
    if let Some(variadic) = &function.sig.variadic {
        ctxt.error_spanned_by(variadic, "a C-variadic function cannot be audited: audit its callers");
    }
}

fn check_action(ctxt: &Ctxt, args: &Args, function: &Function) {
    match &args.action {
        Some(action) => {
            if !is_action(&action.value()) {
                ctxt.error_spanned_by(action, ACTION_RULE);
            }
        }
        None if function.is_method() => ctxt.error_spanned_by(
            &function.sig.ident,
            "a method needs an action of its own, since its type is not known here: `#[audited(action = \"noun.verb\")]`",
        ),
        None => {
            if !is_action(&function.sig.ident.unraw().to_string()) {
                ctxt.error_spanned_by(
                    &function.sig.ident,
                    "no action can be derived from this name: `#[audited(action = \"noun.verb\")]`",
                );
            }
        }
    }
}

fn check_codes(ctxt: &Ctxt, args: &Args) {
    if let VerdictSource::Errors { code, .. } = &args.verdict
        && !is_code(&code.value())
    {
        ctxt.error_spanned_by(code, CODE_RULE);
    }
    if let Some((kind, _)) = &args.resource
        && !is_action(&kind.value())
    {
        ctxt.error_spanned_by(kind, "a kind matches ^[A-Za-z][A-Za-z0-9_./-]*$, such as `account`");
    }
}

fn check_return(ctxt: &Ctxt, args: &Args, function: &Function) {
    let Some(returns) = function.returns() else { return };
    let own = |param: &GenericParam| matches!((param, returns), (GenericParam::Type(param), Type::Path(ty)) if ty.path.is_ident(&param.ident));
    if matches!(args.verdict, VerdictSource::Value) && function.sig.generics.params.iter().any(own) {
        ctxt.error_spanned_by(
            returns,
            "nothing is known here of how a value of this type ends the call: say it with `outcome = |value| …`",
        );
    }
}
