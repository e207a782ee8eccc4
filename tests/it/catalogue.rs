//! What a binary says of what it records.

use audited::{
    AuditEvent, Catalogue, CatalogueAction, Deny, Origin, Refusal, Sensitive, audited, catalogue, not_audited,
};

#[derive(Sensitive)]
struct CataloguedOrder {
    lines: u32,
    #[sensitive(hash(scope = "catalogued"), class = "pii")]
    catalogued_buyer: String,
}

#[derive(Debug, Deny)]
enum CataloguedError {
    #[denied("not_open")]
    Closed,
    #[failed("no_stock")]
    Stock,
    #[failed]
    Refused,
}

impl From<Refusal> for CataloguedError {
    fn from(_: Refusal) -> Self {
        Self::Refused
    }
}

/// Places an order.
///
/// Not in the catalogue.
#[audited(
    action = "catalogued.place",
    resource("shop", shop),
    fields(order, note = drop(note), code = mask(code, first = 1)),
    require = shop > 0,
    was("catalogued.buy"),
    since = "0.3",
    fail_closed
)]
fn place(shop: u64, order: &CataloguedOrder, note: String, code: &str) -> Result<u32, CataloguedError> {
    match (shop, note.len() + code.len()) {
        (1, _) => Err(CataloguedError::Closed),
        (2, _) => Err(CataloguedError::Stock),
        _ => Ok(order.lines),
    }
}

/// What happens to catalogued things.
#[derive(AuditEvent)]
#[event(prefix = "catalogued")]
enum CataloguedEvent {
    /// It was sent.
    Sent {
        to: u64,
        #[sensitive]
        catalogued_by: String,
    },
    Lost,
}

fn of(catalogue: &Catalogue, action: &str) -> CatalogueAction {
    let mut found = catalogue.actions.iter().filter(|entry| entry.action == action);
    let entry = found.next().unwrap_or_else(|| panic!("{action} is not there"));
    assert!(found.next().is_none(), "{action} is there twice");
    entry.clone()
}

#[test]
fn a_function_is_there_with_all_that_its_records_can_show() {
    assert!(place(1, &CataloguedOrder { lines: 1, catalogued_buyer: "b".into() }, "n".into(), "c").is_err());
    let entry = of(&catalogue(), "catalogued.place");
    assert_eq!(entry.origin, Origin::Function);
    assert_eq!((entry.place.package.as_str(), entry.place.item.as_str()), ("audited", "place"));
    assert!(entry.place.file.ends_with("tests/it/catalogue.rs") && entry.place.line > 30);
    assert_eq!(entry.doc.as_deref(), Some("Places an order."));
    assert_eq!((entry.policy.as_deref(), entry.intent), (Some("fail_closed"), true));
    assert_eq!(entry.decided_by, ["guard shop>0", "returned Result<u32, CataloguedError>"]);
    assert_eq!((entry.since.as_deref(), entry.was.as_slice()), (Some("0.3"), &["catalogued.buy".to_owned()][..]));
    let fields: Vec<_> =
        entry.fields.iter().map(|field| (field.key.as_str(), field.ty.as_deref(), field.mode.as_deref())).collect();
    assert_eq!(
        fields,
        [
            ("resource shop", Some("u64"), None),
            ("order", Some("&CataloguedOrder"), None),
            ("note", Some("String"), Some("drop")),
            ("code", Some("&str"), Some("mask(first = 1)")),
        ]
    );
}

#[test]
fn an_event_is_there_with_its_payload() {
    let _ = (CataloguedEvent::Sent { to: 1, catalogued_by: "x".into() }.kind(), CataloguedEvent::Lost.kind());
    let catalogue = catalogue();
    let sent = of(&catalogue, "catalogued.sent");
    assert_eq!((sent.origin, sent.place.item.as_str()), (Origin::Event, "CataloguedEvent::Sent"));
    assert_eq!(sent.doc.as_deref(), Some("It was sent."));
    assert_eq!(sent.policy, None);
    let fields: Vec<_> =
        sent.fields.iter().map(|field| (field.key.as_str(), field.ty.as_deref(), field.mode.as_deref())).collect();
    assert_eq!(fields, [("to", Some("u64"), None), ("catalogued_by", Some("String"), Some("drop"))]);
    assert!(of(&catalogue, "catalogued.lost").fields.is_empty());
    assert!(catalogue.types.iter().all(|ty| ty.name != "CataloguedEvent"), "an event is no type besides");
}

#[test]
fn types_and_errors_are_there() {
    let catalogue = catalogue();
    let order = catalogue.types.iter().find(|ty| ty.name == "CataloguedOrder").unwrap();
    let buyer = &order.fields[1];
    assert_eq!(
        (buyer.mode.as_deref(), buyer.class.as_deref(), buyer.scope.as_deref()),
        (Some("hash"), Some("pii"), Some("catalogued"))
    );
    let error = catalogue.errors.iter().find(|error| error.name == "CataloguedError").unwrap();
    assert_eq!(
        (&error.reasons[..], &error.codes[..]),
        (&["not_open".to_owned()][..], &["no_stock".to_owned(), "refused".to_owned()][..])
    );
}

#[test]
fn it_is_sorted_and_comes_back_from_json() {
    let catalogue = catalogue();
    assert!(catalogue.actions.is_sorted_by_key(|entry| (&entry.action, entry.origin, &entry.place)));
    assert!(catalogue.errors.is_sorted());
    let json = serde_json::to_string(&catalogue).unwrap();
    assert_eq!(serde_json::from_str::<Catalogue>(&json).unwrap(), catalogue);
}

/// Says that it lives.
#[not_audited(reason = "no data, no caller")]
async fn healthz() -> &'static str {
    tokio::task::yield_now().await;
    "ok"
}

struct Probe;

impl Probe {
    #[not_audited(reason = "only counts")]
    fn count(&self, by: u32) -> u32 {
        let Self = self;
        by + 1
    }
}

#[tokio::test]
async fn what_is_not_audited_on_purpose_is_there_with_its_reason_and_works_as_before() {
    assert_eq!(healthz().await, "ok");
    assert_eq!(Probe.count(1), 2);
    let exemptions = catalogue().exemptions;
    let ours =
        |item: &str| exemptions.iter().find(|entry| entry.place.item == item && entry.place.module == module_path!());
    let entry = ours("healthz").unwrap();
    assert_eq!((entry.reason.as_str(), entry.doc.as_deref()), ("no data, no caller", Some("Says that it lives.")));
    assert_eq!(ours("count").unwrap().reason, "only counts");
}

#[test]
fn two_builds_are_compared() {
    let old = catalogue();
    assert!(old.changes_to(&old).is_empty());
    let mut new = old.clone();
    new.actions.retain(|entry| entry.action != "catalogued.lost");
    for field in new.types.iter_mut().filter(|ty| ty.name == "CataloguedOrder").flat_map(|ty| &mut ty.fields) {
        field.mode = field.mode.take().map(|_| "plain".to_owned());
    }
    let changes: Vec<_> = old.changes_to(&new).iter().map(ToString::to_string).collect();
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert!(changes.iter().any(|change| change.contains("catalogued.lost")), "{changes:?}");
    assert!(changes.iter().any(|change| change.contains("catalogued_buyer")), "{changes:?}");
}
