//! Lists and their filters.

use super::*;

fn filter(json: Value) -> Filter {
    serde_json::from_value(json).unwrap()
}

#[test]
fn a_list_has_a_limit_by_default_and_takes_limit_and_offset() {
    let log = Log::new();
    let count = DEFAULT_LIMIT + 7;
    for _ in 0..count {
        log.write_all(["logout"]);
    }
    log.write_all(["bootstrap"]);
    assert_eq!(log.list(&Filter::default()).len(), DEFAULT_LIMIT);
    assert_eq!(log.list(&filter(json!({ "limit": 500 }))).len(), count + 1);
    assert_eq!(log.listed(&filter(json!({ "limit": 2 }))), "bootstrap logout");
    assert_eq!(log.listed(&filter(json!({ "limit": 2, "offset": 1 }))), "logout logout");
    assert_eq!(log.list(&filter(json!({ "offset": DEFAULT_LIMIT }))).len(), 8);
}

#[test]
fn by_event_type_and_event_type_in() {
    let log = Log::new();
    log.write_all(["login", "logout", "bootstrap", "comment_hidden", "comment_eaten"]);
    assert_eq!(log.listed(&filter(json!({ "event_type": "logout" }))), "logout");
    assert_eq!(log.listed(&filter(json!({ "event_type_in": ["login", "comment_hidden"] }))), "comment_hidden login");
    assert_eq!(log.listed(&filter(json!({ "event_type_in": [] }))), "");
    let both = |one: &str| filter(json!({ "event_type": one, "event_type_in": ["login", "logout"] }));
    assert_eq!((&*log.listed(&both("login")), &*log.listed(&both("bootstrap"))), ("login", ""));
    assert_eq!(log.list(&Filter::default()).len(), 5, "and what the framework says of itself is none of them");
    assert!(serde_json::from_value::<Filter>(json!({ "event_typ": "login" })).is_err());
}

#[test]
fn by_account_and_outcome() {
    let log = Log::new();
    for (event_type, failed, by, target) in [
        ("login", true, Some(actor(1)), None),
        ("login", false, Some(actor(1)), None),
        ("role_grant_create", false, Some(actor(2)), Some(Target::Actor(actor(1)))),
        ("session_revoke_all", false, Some(actor(2)), Some(Target::Account(actor(1).account_id))),
        ("logout", false, Some(actor(2)), None),
    ] {
        log.write(&Happened { event_type, failed, by, target, ..Happened::default() });
    }
    let account = |number| json!({ "account_id": actor(number).account_id });
    assert_eq!(log.listed(&filter(account(1))), "session_revoke_all role_grant_create login login");
    assert_eq!(log.listed(&filter(account(2))), "logout session_revoke_all role_grant_create");
    assert_eq!(log.listed(&filter(account(3))), "");
    assert_eq!(log.listed(&filter(json!({ "outcome": "failure" }))), "login");
    let mut both = account(1);
    both["outcome"] = json!("success");
    assert_eq!(log.listed(&filter(both)), "session_revoke_all role_grant_create login");
}

#[test]
fn since_seq_fills_the_gap_oldest_missed_first_and_none_skipped() {
    let log = Log::new();
    let reader = log.reader();
    let mut stream = block_on(live(&reader, &Filter::default())).unwrap();
    log.write_all(["login"]);
    let (first, seen) = block_on(stream.next()).unwrap();
    assert_eq!(first.action(), "login");
    drop(stream);

    let missed = ["bootstrap", "signup", "password_change", "comment_hidden", "comment_eaten"];
    log.write_all(missed);
    let mut lists = Vec::new();
    let mut gap = Filter { limit: Some(2), since_seq: Some(seen.clone()), ..Filter::default() };
    for _ in 0..4 {
        let list = block_on(list(&reader, &gap)).unwrap();
        gap.since_seq = list.next.map(|next| next.to_string());
        lists.push(names(&list.events));
    }
    assert_eq!(lists, ["bootstrap signup", "password_change comment_hidden", "comment_eaten", ""]);

    let mut stream = block_on(live(&reader, &Filter { since_seq: Some(seen), ..Filter::default() })).unwrap();
    log.write_all(["logout"]);
    for event_type in missed.into_iter().chain(["logout"]) {
        assert_eq!(block_on(stream.next()).unwrap().0.action(), event_type);
    }
}

#[test]
fn a_filter_holds_for_a_live_stream_and_its_gap_and_a_place_of_another_filter_is_refused() {
    let log = Log::new();
    let reader = log.reader();
    let mut only = filter(json!({ "event_type_in": ["login", "comment_hidden"] }));
    let mut stream = block_on(live(&reader, &only)).unwrap();
    log.write_all(["logout", "login"]);
    let (event, seen) = block_on(stream.next()).unwrap();
    assert_eq!(event.action(), "login");
    log.write_all(["logout", "comment_hidden", "logout"]);
    only.since_seq = Some(seen.clone());
    assert_eq!(log.listed(&only), "comment_hidden");
    for wrong in [filter(json!({ "since_seq": seen })), filter(json!({ "since_seq": "12" }))] {
        assert!(block_on(list(&reader, &wrong)).is_err());
        assert!(block_on(live(&reader, &wrong)).is_err());
    }
}
