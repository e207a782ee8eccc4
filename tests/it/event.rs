//! Typed vocabularies.

mod about;
mod nested;
mod verdicts;
mod view;

use std::collections::HashSet;
use std::str::FromStr;

use audited::{Action, AuditEvent, EventKind, Mode, Record, Sensitive, UnknownAction, sensitive_types};
use serde::{Deserialize, Serialize};

const SECRET: &str = "kX9-Zq7-canary";

#[derive(Sensitive)]
struct Address {
    #[sensitive]
    street: String,
    zip: u32,
}

/// What happens to users.
#[derive(AuditEvent)]
#[event(prefix = "user")]
enum UserEvent {
    /// Somebody signed up.
    Created {
        id: u64,
        #[sensitive]
        name: String,
        #[sensitive(plain)]
        plan: String,
    },
    Moved(Address),
    PasswordChanged,
    Merged(u64, #[sensitive(hash)] String),
    #[event(action = "person.removed")]
    Deleted {},
}

/// The record of an event, made by hand: what `record(&event)` sends to the recorder.
fn record_of<E: AuditEvent>(event: &E) -> Record {
    Record::builder(event.kind().action()).fields(|fields| event.write_fields(fields)).build()
}

fn created() -> UserEvent {
    UserEvent::Created { id: 7, name: SECRET.into(), plan: "gold".into() }
}

#[test]
fn the_action_is_prefix_and_name_unless_one_is_given() {
    let actions: Vec<_> = UserEventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(actions, ["user.created", "user.moved", "user.password_changed", "user.merged", "person.removed"]);
}

#[test]
fn every_kind_of_variant_writes_its_payload_redacted() {
    let cases = [
        (created(), Some(r#"{"id":7,"name":"<redacted>","plan":"gold"}"#), vec!["name"]),
        (
            UserEvent::Moved(Address { street: SECRET.into(), zip: 12 }),
            Some(r#"{"value":{"street":"<redacted>","zip":12}}"#),
            vec!["value.street"],
        ),
        (UserEvent::PasswordChanged, None, vec![]),
        (UserEvent::Merged(7, SECRET.into()), Some(r#"{"0":7,"1":"<redacted>"}"#), vec!["1"]),
        (UserEvent::Deleted {}, None, vec![]),
    ];
    for (event, detail, redacted) in cases {
        let record = record_of(&event);
        assert_eq!(record.action(), event.kind().as_str());
        assert_eq!(record.detail(), detail);
        assert_eq!(record.redacted(), redacted);
        assert!(!record.json().contains(SECRET) && !format!("{record:?}").contains(SECRET));
    }
}

#[test]
fn a_kind_is_a_copy_with_order_hash_and_a_constant_name() {
    const NAME: &str = UserEventKind::Created.as_str();
    const ALL: &[UserEventKind] = UserEventKind::ALL;
    assert_eq!(NAME, "user.created");
    let kind = created().kind();
    let copy = kind;
    assert_eq!(kind, copy);
    assert!(UserEventKind::Created < UserEventKind::Moved);
    assert_eq!(ALL.iter().collect::<HashSet<_>>().len(), 5);
    assert_eq!(<UserEventKind as EventKind>::ALL, ALL);
    assert_eq!(kind.action(), Action::new("user.created"));
    assert_eq!(format!("{kind} {kind:?} [{kind:>14}]"), "user.created Created [  user.created]");
}

#[test]
fn a_kind_is_its_action_as_text_and_in_serde() {
    for kind in UserEventKind::ALL {
        assert_eq!(kind.as_str().parse::<UserEventKind>().as_ref(), Ok(kind));
        let json = serde_json::to_string(kind).unwrap();
        assert_eq!(json, format!("{:?}", kind.as_str()));
        assert_eq!(serde_json::from_str::<UserEventKind>(&json).unwrap(), *kind);
        assert_eq!(serde_json::from_value::<UserEventKind>(serde_json::json!(kind.as_str())).unwrap(), *kind);
    }
    assert!(serde_json::from_str::<UserEventKind>("7").is_err());
}

#[test]
fn an_unknown_action_is_named_escaped_and_cut() {
    let error: UnknownAction = UserEventKind::from_str("user.\n\u{202e}x").unwrap_err();
    assert_eq!(error.to_string(), r"`user.\n\u{202e}x` is no action of this vocabulary");
    let long = UserEventKind::from_str(&"é".repeat(10_000)).unwrap_err();
    assert!(long.to_string().len() < 200 && format!("{long:?}").len() < 200);
    let serde = serde_json::from_str::<UserEventKind>(r#""user.gone""#).unwrap_err();
    assert!(serde.to_string().starts_with("`user.gone` is no action"), "{serde}");
}

#[derive(AuditEvent)]
#[event(prefix = "billing/invoice", separator = "-", rename_all = "SCREAMING_SNAKE_CASE")]
enum Separated {
    WasPaid,
    #[event(action = "x")]
    Other,
}

/// The vocabulary of somebody who has no nouns.
#[derive(AuditEvent)]
#[event(prefix = "")]
enum EmptyPrefix {
    SignedIn,
    #[event(action = "x.y")]
    Other,
}

#[derive(AuditEvent)]
enum WithoutPrefix {
    #[event(action = "a.b")]
    One,
    #[event(action = "c.d")]
    #[allow(dead_code)]
    Two,
}

#[test]
fn separator_case_and_prefix_can_be_chosen() {
    assert_eq!(Separated::WasPaid.kind().as_str(), "billing/invoice-WAS_PAID");
    assert_eq!(Separated::Other.kind().as_str(), "x");
    assert_eq!(WithoutPrefix::One.kind().as_str(), "a.b");
    assert_eq!([EmptyPrefix::SignedIn, EmptyPrefix::Other].map(|event| event.kind().as_str()), ["signed_in", "x.y"]);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, AuditEvent)]
#[event(prefix = "copied")]
enum Copied {
    On,
    #[event(severity = "notice")]
    Off,
}

#[test]
fn an_empty_prefix_leaves_the_names_alone() {
    #[derive(AuditEvent)]
    #[event(prefix = "", rename_all = "snake_case", unlocked)]
    enum Old {
        SignIn,
        #[event(action = "sign_in_mfa")]
        Mfa,
        #[event(nested, prefix = "user")]
        Nested(New),
    }

    #[derive(AuditEvent)]
    #[event(prefix = "", unlocked)]
    enum New {
        SignOut,
    }

    let actions: Vec<_> = OldKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(actions, ["sign_in", "sign_in_mfa", "user.sign_out"]);
    assert_eq!("sign_in".parse(), Ok(OldKind::SignIn));
    let written =
        [Old::SignIn, Old::Mfa, Old::Nested(New::SignOut)].map(|event| record_of(&event).action().into_owned());
    assert_eq!(written, ["sign_in", "sign_in_mfa", "user.sign_out"]);
}

#[test]
fn an_event_without_payload_can_be_a_copy() {
    let event = Copied::On;
    let copies = [event, event, Copied::Off];
    assert_eq!(copies.map(|event| event.kind().as_str()), ["copied.on", "copied.on", "copied.off"]);
    assert_eq!(copies.map(|event| record_of(&event).detail().is_none()), [true; 3]);
}

#[derive(AuditEvent)]
#[event(prefix = "generic")]
#[non_exhaustive]
enum Generic<'a, T, I: Iterator> {
    Happened { value: T, list: Vec<T>, first: Option<I::Item>, text: &'a [u8] },
    Renamed(#[sensitive(plain)] T),
    Type { r#type: u8 },
}

#[test]
fn generics_are_bounded_by_what_their_fields_need() {
    type Of<'a> = Generic<'a, u8, std::vec::IntoIter<u16>>;
    let cases = [
        (
            Of::Happened { value: 1, list: vec![2], first: Some(3), text: &[4] },
            r#"{"value":1,"list":[2],"first":3,"text":[4]}"#,
        ),
        (Of::Renamed(5), r#"{"value":5}"#),
        (Of::Type { r#type: 6 }, r#"{"type":6}"#),
    ];
    for (event, detail) in cases {
        assert_eq!(record_of(&event).detail(), Some(detail));
    }
}

#[derive(Serialize, Deserialize, AuditEvent)]
#[event(prefix = "serde")]
enum AlsoSerde {
    Happened {
        #[serde(rename = "identifier")]
        id: u8,
        #[serde(skip)]
        left_out: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        absent: Option<u8>,
    },
}

#[test]
fn names_and_skips_of_serde_hold_for_fields() {
    let event = AlsoSerde::Happened { id: 1, left_out: 2, absent: None };
    assert_eq!(record_of(&event).detail(), Some(r#"{"identifier":1}"#));
}

#[test]
fn payload_fields_are_registered_by_variant() {
    let types = sensitive_types();
    let mut entries = types.iter().filter(|entry| entry.module == module_path!() && entry.name == "UserEvent");
    let entry = entries.next().expect("registered");
    assert!(entries.next().is_none());
    let rows: Vec<_> = entry.fields().map(|f| (f.variant.unwrap(), f.name, f.key, f.mode)).collect();
    assert_eq!(
        rows,
        [
            ("Created", "id", "id", None),
            ("Created", "name", "name", Some(Mode::Drop)),
            ("Created", "plan", "plan", Some(Mode::Plain)),
            ("Moved", "0", "value", None),
            ("Merged", "0", "0", None),
            ("Merged", "1", "1", Some(Mode::Hash)),
        ]
    );
}
