//! How the log is asked, on each backend.

use audited::{RecordId, Timestamp, record, with_context_sync, with_recorder_sync};

use super::log::{SecurityEvent, about, rows};
use super::*;

/// Ann of Acme deletes Bob; Eve of Globex signs out, and acts on a user of hers that has Bob's name; a job has no tenant.
fn filled() -> Vec<Log> {
    let logs = Log::on_each();
    for log in &logs {
        with_recorder_sync(log.recorder.clone(), || {
            with_context_sync(within("org_acme", "usr_ann"), || {
                record(&SecurityEvent::AccountDelete).subject(about("usr_bob")).wait().unwrap();
            });
            with_context_sync(within("org_globex", "usr_eve"), || {
                record(&SecurityEvent::SignOut).wait().unwrap();
                record(&SecurityEvent::OrgMemberRemove).subject(about("usr_bob")).wait().unwrap();
            });
            record(&SecurityEvent::ApiKeyRevoke).subject(about("usr_bob")).wait().unwrap();
        });
    }
    logs
}

fn asked(reader: &Reader, user: Option<&str>, limit: usize) -> Vec<Row> {
    block_on(rows(reader, user, limit)).unwrap()
}

#[test]
fn an_admin_who_deletes_a_user_is_found_and_so_is_the_user() {
    for log in filled() {
        let acme = log.tenant("org_acme");
        for user in ["usr_ann", "usr_bob"] {
            let rows = asked(&acme, Some(user), 10);
            assert_eq!(actions(&rows), ["account_delete"]);
            let ids = (rows[0].user_id.as_deref(), rows[0].actor_id.as_deref());
            assert_eq!(ids, (Some("usr_bob"), Some("usr_ann")));
        }
    }
}

#[test]
fn a_tenant_sees_itself_alone_and_nothing_without_a_tenant() {
    for log in filled() {
        assert_eq!(actions(&asked(&log.tenant("org_acme"), None, 10)), ["account_delete"]);
        assert_eq!(actions(&asked(&log.tenant("org_globex"), None, 10)), ["org_member_remove", "sign_out"]);
        for stranger in ["org", "ORG_ACME", "org_acme "] {
            assert_eq!(actions(&asked(&log.tenant(stranger), None, 10)), [] as [&str; 0], "{stranger:?}");
        }
    }
}

#[test]
fn a_user_is_found_within_one_tenant_unless_a_global_reader_asks() {
    for log in filled() {
        assert_eq!(actions(&asked(&log.tenant("org_acme"), Some("usr_bob"), 10)), ["account_delete"]);
        assert_eq!(actions(&asked(&log.tenant("org_globex"), Some("usr_bob"), 10)), ["org_member_remove"]);
        let everywhere = asked(&log.global(), Some("usr_bob"), 10);
        assert_eq!(actions(&everywhere), ["api_key_revoke", "org_member_remove", "account_delete"]);
    }
}

#[test]
fn a_global_reader_gives_its_reason_and_both_leave_a_record() {
    for log in filled() {
        let (global, tenant) = (log.store.global("ticket 4711"), log.store.tenant("org_acme"));
        for reader in [global, tenant] {
            let _ = asked(&reader.recorded_by(log.recorder.clone()), Some("usr_bob"), 10);
        }
        let reads = block_on(log.global().page(&audited::Query::new().action("audit.read"))).unwrap().records;
        let scopes: Vec<_> = reads.iter().map(|read| read.detail().unwrap_or_default().to_owned()).collect();
        assert!(scopes[0].contains(r#""scope":"tenant""#), "{scopes:?}");
        assert!(scopes[1].contains("ticket 4711"), "{scopes:?}");
    }
}

#[test]
fn the_newest_come_first_and_a_limit_holds() {
    for log in filled() {
        let all = asked(&log.global(), None, 10);
        assert_eq!(actions(&all), ["api_key_revoke", "org_member_remove", "sign_out", "account_delete"]);
        assert_eq!(actions(&asked(&log.global(), None, 2)), ["api_key_revoke", "org_member_remove"]);
    }
}

#[test]
fn the_newest_come_first_within_one_second_too() {
    for log in Log::on_each() {
        let second = Timestamp::from_unix_micros(1_700_000_000_000_000).unwrap();
        let later = Timestamp::from_unix_micros(1_700_000_000_000_001).unwrap();
        let ids: Vec<_> = (0..6_u128).map(|n| RecordId::from(uuid::Uuid::from_u128(n))).collect();
        with_recorder_sync(log.recorder.clone(), || {
            // Written in another order than they happened, and most of them at the same moment.
            for n in [3, 0, 5, 1, 4, 2] {
                let moment = if n == 5 { later } else { second };
                let event = record(&SecurityEvent::SignOut).id(ids[n]).occurred_at(moment);
                event.context(within("org_acme", "usr_ann")).wait().unwrap();
            }
        });
        for reader in [log.tenant("org_acme"), log.global()] {
            let rows = asked(&reader, Some("usr_ann"), 10);
            assert!(rows.iter().all(|row| row.created_at == 1_700_000_000));
            let newest_first: Vec<_> = ids.iter().rev().map(|id| format!("evt_{id}")).collect();
            assert_eq!(rows.into_iter().map(|row| row.id).collect::<Vec<_>>(), newest_first);
        }
    }
}

#[test]
fn errors_are_returned() {
    let log = Log::in_memory();
    assert!(block_on(rows(&log.tenant(""), None, 10)).is_err(), "nobody's rows");
    let full = Log::on(|_| Arc::new(MemoryStore::with_capacity(1)));
    with_recorder_sync(full.recorder.clone(), || {
        assert!(record(&SecurityEvent::SignOut).wait().is_err(), "there is room for the start of the recorder alone");
    });
    let unread = full.store.tenant("org_acme").recorded_by(full.recorder);
    assert!(block_on(rows(&unread, None, 10)).is_err(), "who reads must be on record");
}
