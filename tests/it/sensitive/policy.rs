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
fn a_rule_for_a_bare_field_names_one_that_is_there_or_says_that_it_is_for_free_keys() {
    let build = |policy| Recorder::builder().sink(MemorySink::new()).allow_weak_fail_closed().redaction(policy).build();
    let bare = |field: &str| RedactionPolicy::new().rule(rule(Mode::Drop).field(field));
    for there in ["phone", "policyBare", "policy_bare", "policyCaptured"] {
        assert!(build(bare(there)).is_ok(), "{there}");
    }
    for slip in ["phnoe", "policy_bear"] {
        let Some(BuildError::Policy(error @ InvalidPolicy::UnknownField { .. })) = build(bare(slip)).err() else {
            panic!("{slip}")
        };
        assert_eq!(
            error.to_string(),
            format!(
                "the rule `drop field `{slip}`` fits no field and no capture of this binary: mend the name, or say \
                 `free_key()` if it is a key of maps, or `allow_unmatched()`"
            )
        );
    }
    assert!(build(RedactionPolicy::new().rule(rule(Mode::Drop).field("phnoe").free_key())).is_ok());
    assert!(build(bare("phnoe").allow_unmatched()).is_ok());
    let said: RedactionPolicy =
        serde_json::from_str(r#"{ "rules": [{ "mode": "drop", "field": "phnoe", "free_key": true }] }"#).unwrap();
    assert!(build(said).is_ok());
    // It is a word about bare fields alone.
    let typed = rule(Mode::Drop).of_type("PolicyAccount").field("phnoe").free_key();
    assert!(matches!(build(RedactionPolicy::new().rule(typed)), Err(BuildError::Policy(_))));

    let (memory, recorder) = memory_with(bare("policyBare").rule(rule(Mode::Drop).field("policyCaptured")));
    with_recorder_sync(recorder, || captures(&PolicyBare { policy_bare: "s3cret".into() }, "s3cret"));
    let detail = r#"{"value":{"policyBare":"<redacted>"},"policy_captured":"<redacted>"}"#;
    assert_eq!(memory.last("policy.bare").unwrap().detail(), Some(detail));
}

#[derive(Serialize, Sensitive)]
struct PolicyBare {
    #[serde(rename = "policyBare")]
    #[sensitive(plain)]
    policy_bare: String,
}

#[audited(action = "policy.bare", fields(value, policy_captured = plain(text)))]
fn captures(value: &PolicyBare, text: &str) {}

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

#[derive(Serialize)]
struct NotClassified {
    account: PolicyAccount,
}

#[test]
fn a_type_that_its_own_serialize_writes_obeys_it() {
    let rules = [
        rule(Mode::Drop).class("policy.contact"),
        rule(Mode::Drop).of_type("PolicyAccount"),
        rule(Mode::Drop).field("phone"),
    ];
    for rule in rules {
        let (memory, recorder) = memory_with(RedactionPolicy::new().rule(rule.clone()));
        with_recorder_sync(recorder, || {
            let value = NotClassified { account: account() };
            record_action(Action::new("policy.plain")).fields(|fields| fields.plain("v", &value)).wait().unwrap();
        });
        let record = memory.last("policy.plain").unwrap();
        assert!(record.json().contains(r#""phone":"<redacted>""#), "{rule}: {}", record.json());
    }
}

#[derive(Sensitive, PartialEq, Eq, PartialOrd, Ord)]
#[allow(non_camel_case_types, reason = "as it is written")]
enum PolicyKey {
    limit,
    other,
}

#[test]
fn a_rule_for_a_key_is_for_every_map_and_every_object() {
    struct ByHand;

    impl Sensitive for ByHand {
        fn write(&self, encoder: &mut audited::Encoder<'_>) {
            encoder.object(|object| object.value("limit", &4_711_u32));
        }
    }

    let (memory, recorder) = memory_with(RedactionPolicy::new().rule(rule(Mode::Drop).field("limit").free_key()));
    let by_key = std::collections::BTreeMap::from([(PolicyKey::limit, 4_711_u32), (PolicyKey::other, 2)]);
    with_recorder_sync(recorder, || {
        record_action(Action::new("policy.map"))
            .field("map", &by_key)
            .field("by_hand", &ByHand)
            .fields(|fields| fields.flatten(&by_key))
            .wait()
            .unwrap();
    });
    let record = memory.last("policy.map").unwrap();
    let detail =
        r#"{"map":{"limit":"<redacted>","other":2},"by_hand":{"limit":"<redacted>"},"limit":"<redacted>","other":2}"#;
    assert_eq!(record.detail(), Some(detail));
}

#[test]
fn a_detail_made_beforehand_obeys_it() {
    let (memory, recorder) = memory_with(RedactionPolicy::new().rule(rule(Mode::Drop).class("policy.contact")));
    with_recorder_sync(recorder, || {
        let detail = audited::Detail::new(&account());
        record_action(Action::new("policy.detail")).detail(detail).wait().unwrap();
    });
    let record = memory.last("policy.detail").unwrap();
    assert!(record.json().contains(r#""phone":"<redacted>""#), "{}", record.json());
    assert!(record.json().contains(r#""device":"<redacted>""#), "{}", record.json());
}

#[audited(action = "policy.hashed_tenant", tenant = hash(tenant), fields(account))]
fn of_hashed_tenant(tenant: &str, account: &PolicyAccount) {}

#[audited(action = "policy.dropped_tenant", tenant = drop(tenant), fields(account))]
fn of_dropped_tenant(tenant: &str, account: &PolicyAccount) {}

#[test]
fn a_tenants_rule_holds_where_its_name_is_not_shown() {
    let (memory, recorder) =
        memory_with(RedactionPolicy::new().rule(rule(Mode::Drop).class("policy.contact").tenant("acme")));
    with_recorder_sync(recorder, || {
        of_hashed_tenant("acme", &account());
        of_hashed_tenant("other", &account());
        of_dropped_tenant("acme", &account());
    });
    let keys = KeyRing::new("k", [7; 32]).unwrap();
    let phone = |record: &audited::Record| record.json().contains(r#""phone":"+43 1 234567890""#);
    let [acme, other] =
        &memory.records().into_iter().filter(|r| r.action() == "policy.hashed_tenant").collect::<Vec<_>>()[..]
    else {
        panic!()
    };
    assert!(!phone(acme) && phone(other));
    for (record, tenant) in [(acme, "acme"), (other, "other")] {
        assert!(record.json().contains(&keys.hash(Some(tenant), None, "pixel")), "{}", record.json());
        assert_eq!(record.tenant().unwrap(), keys.hash(Some(tenant), None, tenant), "as one that the context hashes");
    }
    // Nobody knows whose it is: every tenant's rules hold, and a hash would be the same for all of them.
    let dropped = memory.last("policy.dropped_tenant").unwrap();
    assert!(!phone(&dropped) && !dropped.json().contains("hash:"), "{}", dropped.json());
}

#[test]
fn a_tenant_that_is_stated_after_the_payload_has_its_rules_and_its_hashes() {
    let (memory, recorder) =
        memory_with(RedactionPolicy::new().rule(rule(Mode::Drop).class("policy.contact").tenant("acme")));
    with_recorder_sync(recorder, || {
        record(&PolicyEvent::Opened { phone: "+43 1 99".into() })
            .context(AuditContext::new().tenant(TenantId::plain("acme")))
            .wait()
            .unwrap();
    });
    let record = memory.last("policy_event.opened").unwrap();
    assert!(!record.json().contains("+43"), "{}", record.json());
}

#[derive(Serialize, Sensitive)]
enum PolicyStatus {
    Rejected { code: u32 },
    Moved(u32),
    Open,
}

#[derive(Serialize, Sensitive)]
struct PolicyHolder {
    statuses: Vec<PolicyStatus>,
    account: PolicyAccount,
}

#[test]
fn of_what_is_shown_in_part_neither_variants_nor_descriptions_are_shown() {
    let mask = rule(Mode::Mask { first: 1, last: 0 }).of_type("PolicyHolder");
    let (memory, recorder) = memory_with(RedactionPolicy::new().rule(mask));
    let statuses = vec![PolicyStatus::Rejected { code: 123 }, PolicyStatus::Moved(4), PolicyStatus::Open];
    with_recorder_sync(recorder, || {
        let value = PolicyHolder { statuses, account: account() };
        record_action(Action::new("policy.part")).field("v", &value).wait().unwrap();
    });
    let record = memory.last("policy.part").unwrap();
    let value: serde_json::Value = serde_json::from_str(record.detail().unwrap()).unwrap();
    let expected = serde_json::json!([{ "R*** 1": { "code": "1***" } }, { "M*** 1": "***" }, "O***"]);
    assert_eq!(value["v"]["statuses"], expected);
    assert_eq!(value["v"]["account"]["device"], "<redacted>");
}

struct Fails;

impl Serialize for Fails {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no"))
    }
}

#[derive(Sensitive)]
struct PolicyNode {
    next: Option<Box<PolicyNode>>,
    #[sensitive(plain)]
    fails: Fails,
}

#[test]
fn what_fails_on_every_level_is_not_tried_ever_more_often() {
    let (memory, recorder) =
        memory_with(RedactionPolicy::new().rule(rule(Mode::Hash).of_type("PolicyNode").field("next")));
    let mut node = PolicyNode { next: None, fails: Fails };
    for _ in 0..60 {
        node = PolicyNode { next: Some(Box::new(node)), fails: Fails };
    }
    with_recorder_sync(recorder, || {
        record_action(Action::new("policy.nodes")).field("v", &node).wait().unwrap();
    });
    let detail = r#"{"v":{"next":"<redacted>","fails":"<unencodable>"}}"#;
    assert_eq!(memory.last("policy.nodes").unwrap().detail(), Some(detail));
}

#[test]
fn its_debug_names_no_tenant() {
    let policy = RedactionPolicy::new().rule(rule(Mode::Drop).field("x").tenant("s3cret"));
    assert!(!format!("{policy:?}").contains("s3cret"));
}
