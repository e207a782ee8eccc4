//! Names as tokens of subjects.

use proptest::prelude::*;

use super::*;

fn subject(tenant: Option<&str>, action: &str) -> String {
    NatsOptions::new("nats://127.0.0.1:4222", STREAM).prefix("audit.eu").subject(tenant, action)
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        ".*",
        "[a-c.:%*>~ -]{0,6}",
        "(~none|~empty|%7Enone|~sha256-[0-9a-f]{64}|a%2Eb|a:b|a.b|\u{e4}|\r\nPUB x 0)",
        "[a.\u{1f980}]{120,300}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Whatever a tenant calls itself, its records are under a subject of their own, one that a server takes.
    #[test]
    fn different_names_have_different_subjects(
        first in (proptest::option::of(name()), name()),
        second in (proptest::option::of(name()), name()),
    ) {
        let one = subject(first.0.as_deref(), &first.1);
        let other = subject(second.0.as_deref(), &second.1);
        prop_assert_eq!(first == second, one == other, "{} {}", one, other);
        prop_assert!(one.len() < 300);
        let tokens: Vec<_> = one.split('.').collect();
        prop_assert_eq!(tokens.len(), 4);
        for token in tokens {
            prop_assert!(!token.is_empty());
            let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '*' | '>' | '.' | '$');
            prop_assert!(token.chars().all(plain), "{}", token);
        }
    }
}

#[test]
fn a_server_takes_them_all() {
    let server = nats::start();
    let sink = sink(&server);
    let long = "\u{e4}.".repeat(500);
    let tenants = ["", "a", "A", "a.b", "a:b", "~none", "*", ">", " ", "\r\n", "$SYS", "\0", "\u{1f980}", &long];
    let records: Vec<_> = tenants
        .iter()
        .map(|tenant| {
            Record::builder(Action::new("a/b.c")).context(AuditContext::new().tenant(TenantId::plain(*tenant))).build()
        })
        .chain([record(0)])
        .collect();
    block_on(sink.write(&records)).unwrap();
    let messages = Client::connect(&server).messages(STREAM);
    let expected: Vec<_> = records
        .iter()
        .map(|record| {
            let subject = options(&server).subject(record.tenant().as_deref(), &record.action());
            (subject, record.json().to_owned())
        })
        .collect();
    assert_eq!(messages, expected);
    let subjects: std::collections::BTreeSet<_> = messages.into_iter().map(|(subject, _)| subject).collect();
    assert_eq!(subjects.len(), records.len());
}
