//! The types of events and their metadata.

use audited::{InvalidVocabulary, record};
use tracing::Level;

use super::audit_log::events::AuthEventKind;
use super::*;

const BUILT_IN: &str = "login logout bootstrap signup password_change session_revoke session_revoke_all token_create \
    token_revoke token_revoke_all role_grant_create role_grant_revoke role_grant_offer_create role_grant_offer_accept \
    role_grant_offer_decline role_grant_offer_retract role_grant_offer_expire role_grant_offer_supersede \
    invite_create invite_delete app_settings_update";

#[test]
fn there_are_21_built_in_types() {
    let kinds: Vec<_> = AuthEventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(kinds, BUILT_IN.split_whitespace().collect::<Vec<_>>());
    assert_eq!(kinds.len(), 21);
    let types = types();
    assert!(kinds.iter().all(|kind| types.knows(kind)) && types.knows("comment_hidden"));
}

/// Writes one event, and says whether its metadata drifted and whether its type is unknown.
fn written(event_type: &str, metadata: &Value) -> (u64, u64) {
    let log = Log::new();
    log.write(&Happened { event_type, metadata: fields(metadata.clone()), ..Happened::default() });
    let events = log.list(&Filter::default());
    let [event] = &events[..] else { panic!("it is written, whatever it is") };
    assert_eq!(event.action(), event_type);
    let kept: Value = serde_json::from_str(event.detail().unwrap_or("{}")).unwrap();
    assert_eq!(kept, *metadata, "all of it is kept");
    let stats = log.recorder.stats();
    (stats.drift, stats.unknown)
}

const ID: &str = "01a22a9f-5c06-713f-b40b-ac23d690d0b2";

#[test]
fn metadata_schemas_are_loose_known_fields_are_checked_and_extra_fields_kept() {
    let schemas = [
        ("login", json!({ "username": "ann" })),
        ("signup", json!({ "username": "ann" })),
        ("password_change", json!({ "sessions_revoked": 2 })),
        ("session_revoke", json!({ "session_id": ID })),
        ("session_revoke_all", json!({ "count": 2 })),
        ("token_create", json!({ "token_id": ID, "name": "laptop" })),
        ("token_revoke", json!({ "token_id": ID })),
        ("token_revoke_all", json!({ "count": 2 })),
        ("role_grant_create", json!({ "role_grant_id": ID, "role": "editor" })),
        ("role_grant_revoke", json!({ "role_grant_id": ID, "role": "editor" })),
        ("role_grant_offer_create", json!({ "offer_id": ID, "role": "editor" })),
        ("role_grant_offer_accept", json!({ "offer_id": ID, "role_grant_id": ID })),
        ("role_grant_offer_decline", json!({ "offer_id": ID })),
        ("role_grant_offer_retract", json!({ "offer_id": ID })),
        ("role_grant_offer_expire", json!({ "offer_id": ID })),
        ("role_grant_offer_supersede", json!({ "offer_id": ID, "superseded_by": ID })),
        ("invite_create", json!({ "invite_id": ID })),
        ("invite_delete", json!({ "invite_id": ID })),
        ("app_settings_update", json!({ "setting": "open" })),
        ("comment_hidden", json!({ "comment_id": 7 })),
    ];
    for (event_type, good) in schemas {
        let mut more = good.clone();
        more["extra"] = json!({ "is": ["kept"] });
        assert_eq!(written(event_type, &good), (0, 0), "{event_type}");
        assert_eq!(written(event_type, &more), (0, 0), "{event_type}");
        for key in good.as_object().unwrap().keys() {
            let (mut missing, mut other) = (good.clone(), good.clone());
            missing.as_object_mut().unwrap().remove(key);
            other[key] = json!([true]);
            assert_eq!(written(event_type, &missing), (1, 0), "{event_type} without {key}");
            assert_eq!(written(event_type, &other), (1, 0), "{event_type} with another {key}");
        }
    }
    for (event_type, key) in [("signup", "invite_id"), ("role_grant_revoke", "reason")] {
        let mut metadata = json!({ "username": "ann", "role_grant_id": ID, "role": "editor" });
        metadata[key] = json!(ID);
        assert_eq!(written(event_type, &metadata), (0, 0));
        metadata[key] = json!(7);
        assert_eq!(written(event_type, &metadata), (1, 0), "what need not be there is checked where it is");
    }
}

#[test]
fn a_type_without_a_schema_is_written_as_it_is() {
    for event_type in ["logout", "bootstrap"] {
        assert_eq!(written(event_type, &json!({})), (0, 0));
        assert_eq!(written(event_type, &json!({ "any": [1, { "thing": null }] })), (0, 0));
    }
}

#[test]
fn a_mismatch_is_logged_and_counted_and_never_refused_by_two_counters() {
    let (log, heard) = (Log::new(), crate::support::Log::default());
    tracing::dispatcher::with_default(&heard.dispatch(), || {
        log.write_all(["logout", "login", "session_revoke_all", "comment_hidden", "comment_eaten", "no name"]);
    });
    let stats = log.recorder.stats();
    assert_eq!((stats.drift, stats.unknown, stats.lost), (3, 2, 0));
    assert_eq!(log.list(&Filter::default()).len(), 6);
    let said = heard.on("audited::unexpected");
    let said: Vec<_> =
        said.iter().map(|event| (event.level, &*event.fields["action"], &*event.fields["flag"])).collect();
    let expected = [
        (Level::WARN, "login", "drift"),
        (Level::WARN, "session_revoke_all", "drift"),
        (Level::WARN, "comment_hidden", "drift"),
        (Level::WARN, "comment_eaten", "unknown_action"),
        (Level::WARN, "no name", "unknown_action"),
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_typed_event_never_drifts() {
    let log = Log::new();
    let id = Uuid::from_u128(7);
    with_recorder_sync(log.recorder.clone(), || {
        record(&AuthEvent::Signup { username: "ann".into(), invite_id: None }).wait().unwrap();
        record(&AuthEvent::Signup { username: "ann".into(), invite_id: Some(id) })
            .field("extra", &1_u8)
            .wait()
            .unwrap();
        record(&AuthEvent::TokenCreate { token_id: id, name: "laptop".into() }).wait().unwrap();
        record(&AuthEvent::Logout).wait().unwrap();
    });
    let stats = log.recorder.stats();
    assert_eq!((stats.acknowledged, stats.drift, stats.unknown), (5, 0, 0));
}

#[test]
fn the_name_rule() {
    let long = "x".repeat(128);
    for good in ["a", "Z", "a.b_c/d-9", &long] {
        assert!(event_types([(good, Payload::any())]).unwrap().knows(good), "{good}");
    }
    let too_long = "x".repeat(129);
    for bad in ["", "9a", ".a", "_a", "a b", "a\n", "é", "a:b", &too_long] {
        let refused = event_types([(bad, Payload::any())]).unwrap_err();
        assert!(matches!(refused, InvalidVocabulary::Name(_)), "{bad}: {refused}");
    }
}

#[test]
fn a_collision_with_a_built_in_or_a_bad_name_fails_at_start_up() {
    for name in BUILT_IN.split_whitespace() {
        let refused = event_types([("app.fine", Payload::any()), (name, Payload::any())]).unwrap_err();
        assert!(matches!(&refused, InvalidVocabulary::Collision { action, .. } if action == name), "{refused}");
    }
    assert!(event_types([("app.twice", Payload::any()), ("app.twice", Payload::any())]).is_err());
    assert!(event_types([("bad name", Payload::any())]).is_err());
}

#[test]
fn added_types_behave_like_built_ins_in_lists_live_streams_and_json() {
    let log = Log::new();
    let mut stream = block_on(live(&log.reader(), &Filter::default())).unwrap();
    let mut json = Vec::new();
    for (event_type, metadata) in
        [("session_revoke_all", json!({ "count": 2 })), ("comment_hidden", json!({ "comment_id": 7 }))]
    {
        log.write(&Happened {
            event_type,
            by: Some(actor(1)),
            metadata: fields(metadata.clone()),
            ..Happened::default()
        });
        let (live, _) = block_on(stream.next()).unwrap();
        let filter = Filter { event_type: Some(event_type.into()), ..Filter::default() };
        let listed = log.list(&filter);
        assert_eq!(listed, [live]);
        assert!(listed[0].flags().is_empty());
        let event = EventJson::of(&listed[0]).unwrap();
        assert_eq!((&*event.event_type, event.metadata.clone()), (event_type, Some(fields(metadata))));
        json.push(serde_json::to_value(event).unwrap());
    }
    let keys = |event: &Value| event.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&json[0]), keys(&json[1]));
    assert_eq!(log.listed(&Filter::default()), "comment_hidden session_revoke_all");
}
