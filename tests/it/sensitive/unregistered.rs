//! A type whose registration the linker has dropped: what is compiled in holds, and so does the policy.

use audited::__private::{Mode, More, Said, SensitiveType};
use audited::{
    Action, Encoder, MemorySink, PolicyRule, Recorder, RedactionPolicy, Sensitive, record_action, sensitive_types,
    with_recorder_sync,
};

/// As the derive describes it, but never submitted.
static LOST: SensitiveType = SensitiveType::new(
    env!("CARGO_PKG_NAME"),
    module_path!(),
    "Lost",
    "Lost",
    &[
        ("", r#","id":"#, Said::Typed),
        ("", r#","town":"#, Said::More(&TOWN)),
        ("", r#","memo":"<redacted>""#, Said::DROPPED),
    ],
);

static TOWN: More = More { name: "town", key: "town", mode: Some(Mode::Plain), class: Some("lost"), scope: None };

struct Lost;

impl Sensitive for Lost {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.members(&LOST, 0, 3, &[&7_u8, &audited::__private::Plain("Graz")]);
    }
}

fn shown(policy: RedactionPolicy) -> String {
    let memory = MemorySink::new();
    let recorder = Recorder::builder().sink(memory.clone()).redaction(policy).allow_weak_fail_closed().build().unwrap();
    with_recorder_sync(recorder, || record_action(Action::new("lost.shown")).field("v", &Lost).wait().unwrap());
    memory.last("lost.shown").unwrap().detail().unwrap().to_owned()
}

#[test]
fn it_keeps_its_modes_and_obeys_the_policy() {
    assert!(sensitive_types().iter().all(|ty| ty.name != "Lost" || ty.module != module_path!()));
    assert_eq!(shown(RedactionPolicy::new()), r#"{"v":{"id":7,"town":"Graz","memo":"<redacted>"}}"#);
    let policy = RedactionPolicy::new().rule(PolicyRule::new(Mode::Len).class("lost")).allow_unmatched();
    assert_eq!(shown(policy), r#"{"v":{"id":7,"town":"<4 characters>","memo":"<redacted>"}}"#);
}
