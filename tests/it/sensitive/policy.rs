//! The operator's policy: it tightens what the types say, in every place, and cannot loosen it.

use audited::{
    Action, AuditContext, AuditEvent, BuildError, InvalidPolicy, KeyRing, MemorySink, Mode, PolicyRule, Recorder,
    RedactionPolicy, Sensitive, TenantId, audited, record, record_action, with_context_sync, with_recorder_sync,
};
use serde::Serialize;

#[derive(Serialize, Sensitive)]
#[sensitive(class = "policy.account")]
struct PolicyAccount {
    number: u64,
    #[sensitive(plain)]
    owner: String,
    #[sensitive(plain, class = "policy.contact")]
    phone: String,
    #[sensitive(hash)]
    device: String,
    #[sensitive(with = First)]
    nick: String,
    inner: PolicyInner,
    #[sensitive]
    memo: String,
}

#[derive(Serialize, Sensitive)]
struct PolicyInner {
    #[sensitive(plain)]
    city: String,
}

struct First;

impl audited::Redactor<String> for First {
    fn redact(value: &String, encoder: &mut audited::Encoder<'_>) {
        encoder.remainder(&value.chars().take(1).collect::<String>());
    }
}

fn account() -> PolicyAccount {
    PolicyAccount {
        number: 4_711,
        owner: "Ann Example".into(),
        phone: "+43 1 234567890".into(),
        device: "pixel".into(),
        nick: "annie".into(),
        inner: PolicyInner { city: "Vienna".into() },
        memo: "rent".into(),
    }
}

fn memory_with(policy: RedactionPolicy) -> (MemorySink, Recorder) {
    let memory = MemorySink::new();
    let recorder = Recorder::builder()
        .sink(memory.clone())
        .keys(KeyRing::new("k", [7; 32]).unwrap())
        .redaction(policy)
        .allow_weak_fail_closed()
        .build()
        .unwrap();
    (memory, recorder)
}

/// What a record shows of the account under a policy.
fn shown(policy: RedactionPolicy, tenant: Option<&str>) -> (serde_json::Value, Vec<String>) {
    let (memory, recorder) = memory_with(policy);
    let context = tenant.map_or_else(AuditContext::new, |tenant| AuditContext::new().tenant(TenantId::plain(tenant)));
    with_recorder_sync(recorder, || {
        with_context_sync(context, || {
            record_action(Action::new("policy.shown")).field("account", &account()).wait().unwrap();
        });
    });
    let record = memory.last("policy.shown").unwrap();
    let detail: serde_json::Value = serde_json::from_str(record.detail().unwrap()).unwrap();
    (detail["account"].clone(), record.redacted().iter().map(ToString::to_string).collect())
}

fn rule(mode: Mode) -> PolicyRule {
    PolicyRule::new(mode)
}

#[test]
fn without_a_policy_the_types_decide() {
    let (account, redacted) = shown(RedactionPolicy::new(), None);
    assert_eq!(account["owner"], "Ann Example");
    assert_eq!(account["nick"], "a");
    assert_eq!(account["inner"]["city"], "Vienna");
    assert_eq!(redacted, ["account.device", "account.nick", "account.memo"]);
}

#[test]
fn a_rule_tightens_by_field_class_type_and_all_together() {
    let by_field =
        RedactionPolicy::new().rule(rule(Mode::Mask { first: 3, last: 0 }).of_type("PolicyAccount").field("owner"));
    let (account, redacted) = shown(by_field, None);
    assert_eq!(account["owner"], "Ann***");
    assert_eq!(account["phone"], "+43 1 234567890");
    assert!(redacted.contains(&"account.owner".to_owned()));

    let by_class = RedactionPolicy::new().rule(rule(Mode::Present).class("policy.contact"));
    assert_eq!(shown(by_class, None).0["phone"], "<present>");

    let by_type = RedactionPolicy::new().rule(rule(Mode::Drop).of_type(format!("{}::PolicyInner", module_path!())));
    let (account, redacted) = shown(by_type, None);
    assert_eq!(account["inner"]["city"], "<redacted>");
    assert!(redacted.contains(&"account.inner.city".to_owned()));

    let other_field = RedactionPolicy::new().rule(rule(Mode::Drop).class("policy.account").field("number"));
    let (account, _) = shown(other_field, None);
    assert_eq!(account["number"], "<redacted>");
    assert_eq!(account["owner"], "Ann Example");
}

#[test]
fn every_mode_takes_a_field_that_its_own_type_decides() {
    for (mode, number, inner) in [
        (Mode::Drop, "<redacted>", serde_json::json!("<redacted>")),
        (Mode::Len, "<4 characters>", serde_json::json!("<1 entry>")),
        (Mode::Present, "<present>", serde_json::json!("<present>")),
        (Mode::Truncate(2), "4…", serde_json::json!({ "city": "Vi…" })),
        (Mode::Mask { first: 1, last: 0 }, "4***", serde_json::json!({ "city": "V***" })),
    ] {
        let policy = RedactionPolicy::new()
            .rule(rule(mode).of_type("PolicyAccount").field("number"))
            .rule(rule(mode).of_type("PolicyAccount").field("inner"));
        let (account, redacted) = shown(policy, None);
        assert_eq!(account["number"], number, "{mode}");
        assert_eq!(account["inner"], inner, "{mode}");
        assert!(redacted.contains(&"account.number".to_owned()), "{mode}");
    }
    let policy = RedactionPolicy::new().rule(rule(Mode::Hash).of_type("PolicyAccount").field("number"));
    let hash = KeyRing::new("k", [7; 32]).unwrap().hash(Some("acme"), None, "4711");
    assert_eq!(shown(policy, Some("acme")).0["number"], hash);
}

#[test]
fn nothing_is_loosened_and_what_has_no_common_mode_is_dropped() {
    let policy = RedactionPolicy::new()
        .rule(rule(Mode::Mask { first: 2, last: 0 }).of_type("PolicyAccount").field("memo"))
        .rule(rule(Mode::Len).of_type("PolicyAccount").field("device"))
        .rule(rule(Mode::Hash).of_type("PolicyAccount").field("nick"));
    let (account, _) = shown(policy, None);
    assert_eq!(account["memo"], "<redacted>");
    assert_eq!(account["device"], "<redacted>");
    assert_eq!(account["nick"], "<redacted>");
}

#[test]
fn a_tenants_rule_is_for_that_tenant() {
    let policy = || RedactionPolicy::new().rule(rule(Mode::Drop).class("policy.contact").tenant("acme"));
    assert_eq!(shown(policy(), Some("acme")).0["phone"], "<redacted>");
    assert_eq!(shown(policy(), Some("other")).0["phone"], "+43 1 234567890");
    assert_eq!(shown(policy(), None).0["phone"], "+43 1 234567890");
}

#[derive(AuditEvent)]
#[event(prefix = "policy_event")]
enum PolicyEvent {
    Opened {
        #[sensitive(plain, class = "policy.contact")]
        phone: String,
    },
}

#[audited(action = "policy.call", fields(reference = plain(reference), account))]
fn call(reference: &str, account: &PolicyAccount) {}

#[test]
fn events_captures_and_free_keys_obey_it() {
    let policy =
        RedactionPolicy::new().rule(rule(Mode::Drop).class("policy.contact")).rule(rule(Mode::Len).field("reference"));
    let (memory, recorder) = memory_with(policy);
    with_recorder_sync(recorder, || {
        record(&PolicyEvent::Opened { phone: "+43 1 99".into() }).wait().unwrap();
        call("ref-12", &account());
        record_action(Action::new("policy.free"))
            .fields(|fields| fields.plain("extra", &serde_json::json!({ "Reference": "ref-12", "shown": 1 })))
            .wait()
            .unwrap();
    });
    assert_eq!(memory.last("policy_event.opened").unwrap().detail(), Some(r#"{"phone":"<redacted>"}"#));
    let call = memory.last("policy.call").unwrap();
    assert!(call.detail().unwrap().contains(r#""reference":"<6 characters>""#), "{}", call.json());
    assert!(!call.json().contains("+43"), "{}", call.json());
    let free = memory.last("policy.free").unwrap();
    assert_eq!(free.detail(), Some(r#"{"extra":{"Reference":"<6 characters>","shown":1}}"#));
}

#[test]
fn it_stands_in_the_start_record() {
    let (memory, _recorder) = memory_with(RedactionPolicy::new().rule(rule(Mode::Drop).class("policy.contact")));
    let started = memory.last("audit.started").unwrap();
    assert!(
        started.detail().unwrap().contains(r#""redaction_rules":["drop class `policy.contact`"]"#),
        "{}",
        started.json()
    );
}

#[test]
fn a_rule_that_fits_nothing_or_loosens_is_refused() {
    let build = |policy| Recorder::builder().sink(MemorySink::new()).allow_weak_fail_closed().redaction(policy).build();
    let refused = build(RedactionPolicy::new().rule(rule(Mode::Drop).of_type("PolicyAcount").field("owner"))).err();
    let Some(BuildError::Policy(error @ InvalidPolicy::Unmatched { .. })) = refused else { panic!("{refused:?}") };
    assert_eq!(
        error.to_string(),
        "the rule `drop type `PolicyAcount` field `owner`` fits no field of this binary: mend the name, or `allow_unmatched()`"
    );
    let refused = build(RedactionPolicy::new().rule(rule(Mode::Plain).class("policy.contact"))).err();
    assert!(matches!(refused, Some(BuildError::Policy(InvalidPolicy::Loosens { .. }))), "{refused:?}");
    let shared = RedactionPolicy::new().rule(rule(Mode::Drop).class("elsewhere")).allow_unmatched();
    assert!(build(shared).is_ok());
}

#[test]
fn it_reads_from_configuration_and_says_what_is_wrong() {
    let policy: RedactionPolicy = serde_json::from_str(
        r#"{ "rules": [{ "mode": "mask(first = 3)", "type": "PolicyAccount", "field": "owner", "tenant": "acme" }] }"#,
    )
    .unwrap();
    assert_eq!(shown(policy, Some("acme")).0["owner"], "Ann***");
    let error = serde_json::from_str::<RedactionPolicy>(r#"{ "rules": [{ "mode": "dorp" }] }"#).unwrap_err();
    assert!(error.to_string().starts_with("`dorp` is no mode: there are `drop`, `hash`"), "{error}");
    let error =
        serde_json::from_str::<RedactionPolicy>(r#"{ "rules": [{ "mode": "drop", "clas": "x" }] }"#).unwrap_err();
    assert!(error.to_string().contains("unknown field `clas`"), "{error}");
}
