//! The attribute and the derives of the `audited` framework.

#![forbid(unsafe_code)]

mod about;
mod audited;
mod case;
mod ctxt;
mod deny;
mod event;
mod meta;
mod mode;
mod names;
mod not_audited;
mod private;
mod sensitive;
mod symbol;
mod written;

use syn::{DeriveInput, parse_macro_input};

/// Wraps a function so that every call leaves a record, acknowledged before the function returns.
///
/// ```text
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
/// | `ok_fields(\|value\| a = value.b)` | what to capture of the returned value, of a `Result` unless it is an error |
/// | `require = expr` | a guard: a `bool`, a `Decision`, or a `Result` of one; denies before the intent and the body |
/// | `intent` | a record that the call begins, acknowledged before the body runs |
/// | `fail_open` | the default: a call whose record is not acknowledged goes on, and the loss is counted |
/// | `fail_closed` | an intent is acknowledged before the body runs; an unacknowledged record refuses the call |
/// | `transaction = expr` | a success is recorded in a transaction of the caller's, and vanishes with it; see below |
/// | `errors = failure("code")`, `errors = denied("reason")` | what every error means, where its type does not say |
/// | `outcome = \|value\| …` | decision and outcome from the returned value, as a `Verdict`, `Decision` or `Outcome` |
/// | `was("old.name")` | what the action was called before |
/// | `since = "1.2"` | the version in which it came |
/// | `deprecated` | the operation is no longer to be used |
/// | `shared` | several functions are doors of this one operation: their records must show the same |
/// | `only_from = "cli"` | where alone it is called from: without a `Surface` of that name its records are flagged |
/// | `unlocked` | left out of the lock, such as a function of a test |
/// | `crate = path` | where `audited` is, if it has another name |
///
/// A captured value is shown as its type is classified. Of a value that no type classifies it is said where it is
/// captured, or where it comes from, by a mark on the parameter:
///
/// | at the capture | on the parameter | in the record |
/// |---|---|---|
/// | `drop(expr)` | `#[sensitive]` | `"<redacted>"` |
/// | `hash(expr)`, `hash(expr, scope = "email")` | `#[sensitive(hash)]`, `#[sensitive(hash(scope = "email"))]` | its keyed hash |
/// | `mask(expr, first = 2, last = 4)` | `#[sensitive(mask(first = 2, last = 4))]` | its ends |
/// | `truncate(expr, 8)` | `#[sensitive(truncate(8))]` | its start |
/// | `len(expr)` | `#[sensitive(len)]` | its length |
/// | `present(expr)` | `#[sensitive(present)]` | whether there is one |
/// | `with(expr, path::Type)` | `#[sensitive(with = path::Type)]` | what that `Redactor` writes |
/// | `plain(expr)` | `#[sensitive(plain)]` | the value; of a classified type what that type shows |
///
/// The modes are those of `#[derive(Sensitive)]`, which says more about them. Only the bare word is such a wrapper:
/// `self::len(x)` calls a function of that name. A marked parameter is captured by its name, and no wrapper but `drop`
/// goes with it; an expression made of it, such as `name.trim()`, is a value of its own. The mark needs a parameter
/// with a name; of `Path(id)` it is said at the capture. A redactor is one of what a marked parameter refers to; around
/// a captured reference that is `with(*text, path::Type)`.
///
/// ```text
/// #[audited(action = "user.sign_in", subject = hash(email), fields(password, agent = truncate(agent, 16)))]
/// async fn sign_in(email: &str, #[sensitive] password: String, agent: &str) -> Result<Session, ApiError> { … }
/// ```
///
/// All captures but `ok_fields` are read before the body runs; in an async function they may `.await`.
///
/// # In a transaction
///
/// `transaction` names an `AuditTransaction` that the function was given, and the success of a call (allowed, and
/// succeeded) is recorded in it instead of in the recorder's sink: after the body, before the function returns. So the
/// change and its record commit together or vanish together.
///
/// ```text
/// #[audited(action = "account.transfer", fields(body), transaction = store.within(tx), fail_closed)]
/// fn transfer(store: &SqliteStore, tx: &Transaction<'_>, body: &Transfer) -> Result<Receipt, BankError> { … }
/// ```
///
/// Everything else goes to the recorder's sink and is there whatever becomes of the transaction: the intent, and a call
/// that is denied, fails, panics or is cancelled. That sink must not wait for what the transaction holds: an embedded
/// database with one writer is the store behind a journal and a forwarder, not the sink. Of a call that is rolled back
/// after its success there is the intent alone, where there is one, and its outcome is unknown.
///
/// Where the transaction does not take the record, fails, panics, or does not answer within the recorder's deadline, the
/// record goes to the recorder's sink with the outcome unknown and the flag `not_in_transaction`. Under `fail_closed` the
/// caller then gets `Refusal::Unavailable { effect: MayHaveHappened }` in place of the value, and must roll back; under
/// `fail_open` it gets the value, and if it commits, the change is there without a record that vouches for it. A store
/// that takes such a record nevertheless, and commits it, refuses the other one as a conflict: there is one or the other.
///
/// A call whose future is dropped while its record is written is not cancelled, since its body is over: there is an
/// `audit.undelivered` with its id, and whatever the transaction says.
///
/// The expression is evaluated after the body, and only of a success. It names a place, such as an argument or a field of
/// one, or is a call with such, and it is borrowed: a transaction that the function owns would be gone before its record.
/// Of `tx: &mut Transaction` the body borrows it anew (`&mut *tx`) where it would give it away. A function that returns a
/// future takes a shared reference, since that future moves what it uses. The future of the function is `Send` where
/// that of the transaction is.
///
/// # Differences
///
/// The function behaves as without the attribute, with three exceptions. In a function that is not async, the arguments
/// that the body or the attribute mentions are dropped before the others, and in another order, and `#[track_caller]`
/// gives the body a line of the function itself. A function that builds its future by hand and returns it is captured
/// when it is called, and recorded when the future ends; with `require`, `intent` or `fail_closed` all of its body runs
/// when the future is first polled.
///
/// A function that is not async blocks its thread until its record is acknowledged.
#[proc_macro_attribute]
pub fn audited(args: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    audited::audited(args.into(), &item.into()).into()
}

/// Declares that nobody needs a record of a function: it is in the catalogue with the reason, and no finding.
///
/// ```text
/// #[not_audited(reason = "liveness probe: no data, no caller")]
/// async fn healthz() -> &'static str { "ok" }
/// ```
///
/// `crate = path` says where `audited` is, if it has another name. The function stays as it is.
#[proc_macro_attribute]
pub fn not_audited(args: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    not_audited::not_audited(args.into(), &item.into()).into()
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
/// | `#[sensitive(hash(scope = "email"))]` | the same, equal only to hashes of that scope |
/// | `#[sensitive(mask(first = 2, last = 4))]` | so many characters of either end (0 to 32), never more than a third of the value, and `***` between them whatever its length; either may be left out. Of a list or a map each value, and each key, by itself |
/// | `#[sensitive(truncate(8))]` | so many characters of the start (1 to 1024), never more than a third of the value |
/// | `#[sensitive(len)]` | its length alone |
/// | `#[sensitive(present)]` | whether there is a value, and nothing of it |
/// | `#[sensitive(with = path::Type)]` | what that type writes, a `Redactor` of the field's type |
/// | `#[sensitive(plain)]` | the value, through its own `Serialize`; of a classified type what that type shows |
/// | `#[sensitive(plain, reason = "…")]` | the same, for a field that is named like a secret |
///
/// Fields that are named like a secret (password, token, cookie, card and the like) need a mark even where their type
/// is classified. Every mark but `plain` works for any type that implements `Serialize`; a dropped field, and one with
/// a `Redactor`, needs nothing of its type. `class = "pii"` beside any of them names the class by which an operator's
/// policy finds the field; without a mode such a field is dropped.
///
/// | on the type | |
/// |---|---|
/// | `#[sensitive(class = "pii")]` | the class of each field that has none of its own |
/// | `#[sensitive(debug)]` | generates `Debug`, which shows what a record shows without keys and without a policy; instead of the derived one |
/// | `#[sensitive(schema)]` | generates `SensitiveSchema`: the JSON Schema of what a record shows; needs the feature `schemars` |
/// | `#[sensitive(crate = my::audited)]` | where `audited` is re-exported |
///
/// ```text
/// #[derive(Serialize, Sensitive)]
/// #[sensitive(class = "pii", debug)]
/// struct Transfer {
///     cents: u64,
///     #[sensitive(plain)]
///     currency: String,
///     #[sensitive]
///     memo: String,
///     #[sensitive(hash(scope = "device"))]
///     device: String,
///     #[sensitive(mask(first = 2, last = 4), class = "account")]
///     iban: String,
/// }
/// ```
///
/// # In the shape of serde
///
/// The derive generates the writer, so that no `Serialize` goes round a mark, and reads serde's attributes for names
/// and shape, so that a record looks like the JSON that users know:
///
/// | serde | here |
/// |---|---|
/// | `rename`, `rename_all`, `rename_all_fields`, also for `serialize` alone | followed |
/// | `skip`, `skip_serializing`, `skip_serializing_if` | followed; a field that is never written needs no mark |
/// | `tag`, `content`, `untagged`, `transparent` | followed |
/// | `flatten` | followed; a field with a mode that shows one value is that value, under its name in Rust |
/// | `with`, `serialize_with` on a field | what the function writes is the value that the mark is about; without a mark an error |
/// | `into` | the other type is written, and its marks decide: a mark here is an error, and none is needed |
/// | `remote` | the derive implements `Redactor` of the foreign type; fields use it by `#[sensitive(with = Definition)]` |
/// | `with`, `serialize_with` on a variant | an error |
///
/// A foreign type is described once, as for serde:
///
/// ```text
/// #[derive(Serialize, Sensitive)]
/// #[serde(remote = "bank::Account")]
/// struct AccountDef {
///     id: u64,
///     #[sensitive(hash)]
///     #[serde(getter = "bank::Account::iban")]
///     iban: String,
/// }
///
/// #[derive(Serialize, Sensitive)]
/// struct Order {
///     #[serde(with = "AccountDef")]
///     #[sensitive(with = AccountDef)]
///     account: bank::Account,
/// }
/// ```
///
/// # Generics
///
/// A field's type that mentions a type parameter becomes a bound of the implementation: `Vec<T>: Sensitive`, or
/// `Vec<T>: Serialize` under a mark that reads the value.
#[proc_macro_derive(Sensitive, attributes(sensitive))]
pub fn sensitive(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    sensitive::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes an enum a typed vocabulary: each variant an action, its fields the payload.
///
/// The action is the prefix, the separator and the variant's name in `snake_case`; names are for ever, so that a
/// variant which is renamed keeps its action by `action`.
///
/// | on the enum | |
/// |---|---|
/// | `prefix = "user"` | what every action starts with, `""` for nothing; needed unless each variant has an `action` |
/// | `separator = "."` | what stands between; `.` by default |
/// | `rename_all = "snake_case"` | the case of the variants' names, as serde has them |
/// | `since = "1.2"` | the version of each variant that names none |
/// | `only_from = "cli"` | the surface of each variant that names none; it is recorded by `record_from`, with the token |
/// | `unlocked` | `audit.lock` leaves the vocabulary out |
/// | `view`, `view(Debug, PartialEq)` | records can be read back as values; in `()` what the view derives |
/// | `schema` | there are JSON Schemas of what records hold; needs the feature `schemars` |
/// | `crate = path` | where `audited` is, if it has another name |
///
/// | on a variant | |
/// |---|---|
/// | `action = "user.created"` | the whole action |
/// | `was("user.added")` | what it was called before: read as this variant, and never written |
/// | `since = "1.2"` | the version in which it came: shown in the catalogue |
/// | `deprecated` | it is no longer to be used: shown in the catalogue; Rust's `#[deprecated]` says so too |
/// | `shared` | several places may declare it: shown in the catalogue |
/// | `only_from = "cli"` | where alone the event comes from: without a `Surface` of that name its record is flagged |
/// | `denied`, `denied("unknown_token")` | what it tells of was refused, for that reason |
/// | `failed`, `failed("no_stock")` | it was allowed, and failed with that code |
/// | `severity = "warning"` | how grave it is: `info`, `notice`, `warning`, `error` or `critical` |
/// | `nested` | the one field is another vocabulary, whose actions, payloads and the rest stand for this variant |
/// | `nested, prefix = "billing"` | the same, with this and the separator before each of its names |
///
/// Without a code a denial or failure has the variant's name in `snake_case`; what is neither leaves a record of a
/// success that nobody decided. What the builder that `record(&event)` gives is told comes first.
///
/// The fields are classified as by `#[derive(Sensitive)]`, with the same marks; `#[sensitive(class = "pii")]` on the
/// enum is the class of each field that has none of its own. Named fields are keys of the payload;
/// the one field of a newtype variant has the key `value`, those of a tuple variant `0`, `1`, and so on.
///
/// Beside the enum `UserEvent` stands `UserEventKind`, the action without the payload: `Copy`, with `as_str`, `ALL`,
/// `Display`, `FromStr`, and serde's traits as the string. A former name reads as the variant that had it.
///
/// ```text
/// #[derive(AuditEvent)]
/// #[event(prefix = "user")]
/// enum UserEvent {
///     Created { id: u64, #[sensitive] name: String },
///     #[event(action = "user.removed")]
///     Deleted,
/// }
/// assert_eq!(UserEventKind::Created.as_str(), "user.created");
/// ```
///
/// # Nested vocabularies
///
/// A variant with `nested` holds another enum that derives this, or a `Box` of one, and says nothing else. Its kind holds
/// the kind of that enum, `ALL` has all of these in its place, and the prefix of the outer enum leaves their names alone.
/// The catalogue shows each action once, where it is declared. An action that is there twice, or a former name that is an
/// action of the nested enum, does not compile.
///
/// ```text
/// #[derive(AuditEvent)]
/// #[event(prefix = "app")]
/// enum AppEvent {
///     Started,
///     #[event(nested)]
///     User(UserEvent),
/// }
/// assert_eq!(AppEventKind::User(UserEventKind::Created).as_str(), "user.created");
/// ```
///
/// With `prefix` the names of the nested vocabulary, and of those within it, have that before them, and the separator
/// of the outer enum: in the record, in the kind and what is read as one, former names too, in the view, the catalogue
/// and the lock, where they belong to the package that says so. So two vocabularies of other crates which have the same
/// names can be told apart. Recorded by itself, and not as the variant, an event has its own name still. That name is
/// in the catalogue as one that is recorded under a prefix, and collides with no other, unless another vocabulary nests
/// it without.
///
/// ```text
/// #[derive(AuditEvent)]
/// #[event(prefix = "service")]
/// enum ServiceEvent {
///     #[event(nested, prefix = "billing")]
///     Billing(billing::UserEvent),
///     #[event(nested)]
///     Shop(shop::UserEvent),
/// }
/// assert_eq!(ServiceEventKind::Billing(billing::UserEventKind::Created).as_str(), "billing.user.created");
/// assert_eq!(ServiceEventKind::Shop(shop::UserEventKind::Created).as_str(), "user.created");
/// ```
///
/// # Reading records back
///
/// With `view` there is `UserEventView` too, with the same variants, and `stored.view::<UserEvent>()` reads a record as
/// one. A field of type `T` is a `Seen<T>` there: `Seen::Value` where the record shows all of it, `Seen::Redacted` where
/// a mark, a policy or a limit has hidden it or a part of it. With `skip_serializing_if` it is an `Option` of that; a
/// field that is never written is left out.
///
/// The type of a field that is typed or `plain` is read by its own `Deserialize`; of the others nothing is asked. The enum
/// takes no parameters, no field is flattened, and no plain one is written by a function. What is nested has a view too.
///
/// ```text
/// #[derive(AuditEvent)]
/// #[event(prefix = "user", view(Debug))]
/// enum UserEvent {
///     Created { id: u64, #[sensitive] name: String },
/// }
/// if let UserEventView::Created { id: Seen::Value(id), .. } = stored.view::<UserEvent>()? { … }
/// ```
///
/// # JSON Schemas
///
/// With `schema`, and the feature `schemars` of `audited`, `UserEvent::detail_schema(kind)` is the JSON Schema of the
/// detail of one action, and `UserEvent::record_schema()` that of the records of all. A typed field is described by its
/// own type, where that says `#[sensitive(schema)]` or is one of those that are classified without a derive; a plain
/// one by the `JsonSchema` of its type; any other by what its mode leaves. Of a type that says neither nothing is
/// known, and the field may be anything: no type has to implement a trait for the sake of a schema, and nothing changes
/// for those that ask for none, whoever turns the feature on.
///
/// ```text
/// #[derive(AuditEvent)]
/// #[event(prefix = "user", schema)]
/// enum UserEvent {
///     Created { id: u64, #[sensitive] name: String },
/// }
/// // {"type": "object", "properties": {"id": {"type": "integer", …}, "name": {"const": "<redacted>"}}, …}
/// UserEvent::detail_schema(UserEventKind::Created)
/// ```
#[proc_macro_derive(AuditEvent, attributes(event, sensitive))]
pub fn event(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    event::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Says which values of an error are denials, with what reason, and which are failures, with what code.
///
/// | mark | the call was |
/// |---|---|
/// | `#[denied]`, `#[denied("missing_scope")]` | denied, for that reason |
/// | `#[failed]`, `#[failed("ledger_down")]` | allowed, and failed with that code |
/// | `#[denied(transparent)]` | whatever the one inner error says, which implements `Deny` itself |
///
/// Without a code it is the variant's name in `snake_case`. Every variant has a mark, or the enum has one for all
/// that have none; a struct has one itself. `#[denied(crate = path)]` on the type says where `audited` is, if it has
/// another name.
///
/// ```text
/// #[derive(Debug, Deny)]
/// enum TransferError {
///     #[denied]
///     MissingScope,
///     #[failed("ledger_down")]
///     Ledger(io::Error),
///     #[denied(transparent)]
///     Limits(LimitError),
/// }
/// ```
#[proc_macro_derive(Deny, attributes(denied, failed))]
pub fn deny(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    deny::derive(&parse_macro_input!(input as DeriveInput)).into()
}
