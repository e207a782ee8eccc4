//! The attribute and the derives of the `audited` framework.

mod audited;
mod case;
mod ctxt;
mod meta;
mod sensitive;
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

/// Classifies a type: what an audit record may show of each of its fields.
///
/// Each field is of a type that is itself classified (integers, booleans, UUIDs, times, other types that derive
/// this, containers of those), or it is marked:
///
/// | mark | in the record |
/// |---|---|
/// | `#[sensitive]` | `"<redacted>"` |
/// | `#[sensitive(hash)]` | a keyed hash, so that equal values can be found; without a key `"<redacted>"` |
/// | `#[sensitive(plain)]` | the value, through its own `Serialize` |
/// | `#[sensitive(plain, reason = "…")]` | the same, for a field that is named like a secret |
///
/// The derive writes the type in the shape that serde would: it reads `rename`, `rename_all`, `rename_all_fields`,
/// `skip`, `skip_serializing`, `skip_serializing_if`, `transparent`, `tag`, `content` and `untagged`. A field that
/// serde skips is not in the record and needs no mark. What it cannot follow, such as `flatten`, is an error.
///
/// A field's type that mentions a type parameter becomes a bound of the implementation, as in
/// `Vec<T>: Sensitive`.
///
/// On the type itself, `#[sensitive(crate = my::audited)]` says where `audited` is re-exported.
///
/// ```ignore
/// #[derive(Serialize, Sensitive)]
/// struct Transfer {
///     cents: u64,
///     #[sensitive(plain)]
///     currency: String,
///     #[sensitive]
///     memo: String,
///     #[sensitive(hash)]
///     device: String,
/// }
/// ```
#[proc_macro_derive(Sensitive, attributes(sensitive))]
pub fn sensitive(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    sensitive::derive(input.into()).into()
}
