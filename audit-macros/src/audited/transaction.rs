//! `transaction = …`: a success is recorded in a transaction that the function was given.
//!
//! The body, with all that comes before it, runs in a block of its own, where its returns end. Behind it the arguments
//! are still there, the transaction among them:
//!
//! ```text
//! let __body = async move {
//!     let to = to;
//!     let tx = tx;
//!     let __value: Result<Receipt, Error> = async { …as without a transaction… }.await;
//!     if __private::succeeded(&__value, |value, call| …the verdict…) { __private::write_into(&tx).await; }
//!     return __value;
//! };
//! __private::audit(SITE, __private::judge::by(&__body, __private::judged_before), __body)
//! ```

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, FnArg, Pat, ReceiverKind, Type};

use super::args::Args;
use super::item::Function;
use super::pieces::Pieces;
use crate::ctxt::Ctxt;

/// What attribute and function must keep to.
pub(super) fn check(ctxt: &Ctxt, args: &Args, function: &Function) {
    let Some(transaction) = &args.transaction else { return };
    if let Some(never @ Type::Never(_)) = function.returns() {
        ctxt.error_spanned_by(
            never,
            "what never returns has no success to record in a transaction: remove `transaction`",
        );
    }
    let mut roots = Vec::new();
    if let Err(wrong) = roots_of(transaction, &mut roots) {
        ctxt.error_spanned_by(
            wrong,
            "a transaction is named, not made: it is an argument, a field of one, or what a call makes of these, such as \
             `transaction = tx` or `transaction = store.within(tx)`",
        );
        return;
    }
    let passed: Vec<_> = roots.into_iter().filter_map(|root| Some((root, is_owned(root, function)?))).collect();
    if let (Some((owned, true)), true) = (passed.last(), passed.iter().all(|(_, is_owned)| *is_owned)) {
        ctxt.error_at(
            owned.span(),
            format!(
                "`{owned}` is passed by value: it is gone, committed or rolled back, before the record can be written \
                 into it. Take a reference, and let the caller commit"
            ),
        );
    }
}

/// Collects the variables that a transaction may be in: those that it is a place of, or that a call is given. What stands
/// before the dot of a call with arguments is the store.
fn roots_of<'e>(expr: &'e Expr, roots: &mut Vec<&'e Ident>) -> Result<(), &'e Expr> {
    match expr {
        Expr::Path(path) => {
            roots.extend(path.path.get_ident());
            Ok(())
        }
        Expr::Field(field) => roots_of(&field.base, roots),
        Expr::Reference(reference) => roots_of(&reference.expr, roots),
        Expr::Paren(paren) => roots_of(&paren.expr, roots),
        Expr::Group(group) => roots_of(&group.expr, roots),
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Deref(_)) => roots_of(&unary.expr, roots),
        Expr::MethodCall(call) if call.args.is_empty() => roots_of(&call.receiver, roots),
        Expr::MethodCall(call) => {
            roots_of(&call.receiver, &mut Vec::new())?;
            call.args.iter().try_for_each(|arg| roots_of(arg, roots))
        }
        Expr::Call(call) if matches!(*call.func, Expr::Path(_)) => {
            call.args.iter().try_for_each(|arg| roots_of(arg, roots))
        }
        other => Err(other),
    }
}

/// Whether a parameter holds its value itself. `None` for what is no parameter, or hides behind a pattern.
fn is_owned(name: &Ident, function: &Function) -> Option<bool> {
    function.sig.inputs.iter().find_map(|input| match input {
        FnArg::Receiver(receiver) => (name == "self").then_some(matches!(receiver.kind, ReceiverKind::Value)),
        FnArg::Typed(param) => match &*param.pat {
            Pat::Ident(pattern) => (pattern.ident.unraw() == name.unraw()).then(|| !is_handle(&param.ty)),
            _ => None,
        },
    })
}

/// A reference, or what counts some.
fn is_handle(ty: &Type) -> bool {
    match ty {
        Type::Reference(_) => true,
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Arc" || last.ident == "Rc"),
        Type::Paren(paren) => is_handle(&paren.elem),
        Type::Group(group) => is_handle(&group.elem),
        _ => false,
    }
}

impl Pieces<'_> {
    /// What comes behind a body whose value is `__value`.
    fn behind(&self, is_async: bool) -> Option<TokenStream> {
        let transaction = self.args.transaction.as_ref()?;
        let span = Span::mixed_site();
        let private = &self.private;
        let judge = self.judge_sync();
        let at = span.located_at(transaction.span());
        let tokens = transaction.to_token_stream();
        // From the first token of the expression to the last, so that a mistake is shown at all of it.
        let end = tokens.clone().into_iter().last().map_or(at, |last| at.located_at(last.span()));
        let mut transaction = Group::new(Delimiter::Parenthesis, tokens);
        transaction.set_span(end);
        let write = {
            let private = self.private_at(at);
            if is_async {
                quote_spanned!(at=> #private::write_into(&#transaction).await)
            } else {
                quote_spanned!(at=> #private::write_into_sync(&#transaction))
            }
        };
        Some(quote_spanned! {span=>
            if #private::succeeded(&__value, #judge) {
                #write;
            }
        })
    }

    /// Puts what is to be written behind an async body, where there is something.
    pub(super) fn with_written(&self, body: TokenStream) -> TokenStream {
        let Some(written) = self.behind(true) else { return body };
        let (inference, value, returned) = (self.inference(), &self.value, self.returned());
        quote_spanned! {Span::mixed_site()=>
            let __value: #value = async { #inference #body }.await;
            #written
            #[allow(unreachable_code, clippy::needless_return)]
            #returned
        }
    }

    /// The same, behind the body of a function that is not async.
    pub(super) fn with_written_sync(&self, body: &TokenStream) -> Option<TokenStream> {
        let written = self.behind(false)?;
        let (private, value) = (&self.private, &self.value);
        let returns = self.nameable().then(|| quote!(-> #value));
        Some(quote_spanned! {Span::mixed_site()=> {
            let __value = #private::run_body(|| #returns #body);
            #written
            __value
        }})
    }
}
