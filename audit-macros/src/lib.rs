//! The attribute and the derives of the `audited` framework.

mod audited;
mod ctxt;
mod symbol;

/// Wraps a function so that every call leaves a record, acknowledged before the function returns.
///
/// ```ignore
/// #[audited(action = "account.transfer", resource("account", to), fields(body), fail_closed)]
/// async fn transfer(to: AccountId, body: Transfer) -> Result<Receipt, ApiError> { … }
/// ```
///
/// | key | meaning |
/// |---|---|
/// | `action = "noun.verb"` | the stable name; without it package, module path and function, dotted |
/// | `actor = expr` | who acts: an `Actor`, or the classified id of a user; authentication's word comes first |
/// | `subject = expr` | whom it is about: a `Subject`, or the classified id of a user |
/// | `tenant = expr` | the owner of the record: a classified id |
/// | `resource("kind", expr)` | what is acted on: its kind and its classified id |
/// | `fields(a, b = expr)` | what else to capture: classified values |
/// | `fail_open` | the default: a call whose record is not acknowledged goes on, and the loss is counted |
/// | `fail_closed` | an intent is acknowledged before the body runs; an unacknowledged record refuses the call |
/// | `errors = failure("code")`, `errors = denied("reason")` | what every error means, where its type does not say |
/// | `outcome = \|value\| …` | decision and outcome from the returned value, as a `Verdict`, `Decision` or `Outcome` |
/// | `crate = path` | where `audited` is, if it has another name |
///
/// Values that no type classifies name what may be shown where they are captured: `plain(expr)`, `hash(expr)`,
/// `drop(expr)`. All of them are read before the body runs.
#[proc_macro_attribute]
pub fn audited(args: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    audited::audited(args.into(), item.into()).into()
}
