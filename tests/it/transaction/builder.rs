//! Records that are put into a transaction by hand.

use std::time::Duration;

use audited::{
    Action, Actor, ActorId, AuditContext, AuditEvent, CorrelationId, Coverage, FloodControl, Kind, MemorySink, Payload,
    Recorder, SinkError, StoredActor, TenantId, Vocabulary, audited, covered, record, record_action, with_context,
    with_context_sync, with_recorder,
};

use super::bank::{Answer, Bank, Recorded, now};

#[derive(AuditEvent)]
#[event(prefix = "tx_event", unlocked)]
enum Moved {
    Cents {
        cents: u64,
        #[sensitive]
        memo: String,
    },
    #[event(denied("limit"))]
    Refused,
}

fn moved() -> Moved {
    Moved::Cents { cents: 7, memo: "s3cret".into() }
}

#[test]
fn it_is_what_would_have_gone_to_the_sink() {
    let (recorded, bank) = (Recorded::new(), Bank::new());
    let context = || {
        AuditContext::new()
            .actor(Actor::user(ActorId::plain("ann")))
            .tenant(TenantId::plain("acme"))
            .correlation_id(CorrelationId::parse("c-1").unwrap())
    };
    let tx = bank.begin();
    let id = recorded.run(async { with_context(context(), record(&moved()).in_transaction(&tx)).await }).unwrap();
    let sync = recorded.call(|| with_context_sync(context(), || record(&moved()).wait_in_transaction(&tx))).unwrap();
    assert!(bank.records().is_empty());
    tx.commit();
    let records = bank.records();
    assert_eq!(records.iter().map(|record| record.id()).collect::<Vec<_>>(), [Some(id), Some(sync)]);
    for record in &records {
        assert_eq!((record.kind(), &*record.action()), (Some(Kind::Event), "tx_event.cents"));
        assert_eq!(record.detail(), Some(r#"{"cents":7,"memo":"<redacted>"}"#));
        assert_eq!(record.redacted(), ["memo"]);
        assert_eq!(record.actor().and_then(|StoredActor { id, .. }| id).as_deref(), Some("ann"));
        assert_eq!((record.tenant().as_deref(), record.correlation_id().as_deref()), (Some("acme"), Some("c-1")));
        assert_eq!(record.flags(), ["in_transaction"]);
    }
    assert!(recorded.records().is_empty());
    let stats = recorded.recorder.stats();
    assert_eq!((stats.in_transactions, stats.not_in_transactions), (2, 0));
}

#[test]
fn rolled_back_it_is_nowhere() {
    let (recorded, bank) = (Recorded::new(), Bank::new());
    let tx = bank.begin();
    recorded.run(async { record(&moved()).in_transaction(&tx).await }).unwrap();
    drop(tx);
    assert!(bank.records().is_empty() && recorded.records().is_empty());
}

#[test]
fn what_is_not_written_is_told_and_is_not_lost() {
    for answer in [Answer::Fail, Answer::Panic, Answer::PanicAtOnce, Answer::Hang] {
        let (recorded, bank) = (Recorded::hasty(), Bank::new());
        let tx = bank.begin_with(answer);
        let errors = [
            recorded.run(async { record(&moved()).in_transaction(&tx).await }).unwrap_err(),
            recorded.call(|| record(&moved()).wait_in_transaction(&tx)).unwrap_err(),
        ];
        for error in errors {
            let text = format!("{error} {error:?} {}", std::error::Error::source(&error).unwrap());
            assert!(!text.contains("s3cret"), "{text}");
            let source = std::error::Error::source(&error).unwrap().downcast_ref::<SinkError>().unwrap();
            let expected = match answer {
                Answer::Fail => "failed",
                Answer::Hang => "deadline",
                _ => "panicked",
            };
            assert_eq!(source.reason(), expected, "{answer:?}");
        }
        tx.commit();
        let stats = recorded.recorder.stats();
        assert_eq!((stats.in_transactions, stats.not_in_transactions), (0, 2), "{answer:?}");
        assert_eq!((stats.lost, stats.unacknowledged), (0, 0), "{answer:?}");
        assert!(bank.records().is_empty() && recorded.records().is_empty(), "{answer:?}");
    }
}

#[test]
fn who_waits_for_the_transaction_waits() {
    let (recorded, bank) = (Recorded::new(), Bank::new());
    let tx = bank.begin_with(Answer::TakeAfter(3));
    recorded.run(async { record(&moved()).in_transaction(&tx).await }).unwrap();
    assert_eq!(tx.asked.get(), 3);
    tx.commit();
    assert_eq!(bank.records().len(), 1);
}

#[test]
fn dropped_while_it_is_written_it_is_counted() {
    let (recorded, bank) = (Recorded::new(), Bank::new());
    let tx = bank.begin_with(Answer::Hang);
    recorded.drop_after(2, async { record(&moved()).in_transaction(&tx).await });
    let stats = recorded.recorder.stats();
    assert_eq!((stats.in_transactions, stats.not_in_transactions, stats.lost), (0, 1, 0));
}

#[test]
fn the_vocabulary_speaks_and_flood_control_does_not() {
    let memory = MemorySink::new();
    let recorder = Recorder::builder()
        .sink(memory)
        .vocabulary(Vocabulary::builder().custom("tx_event.else", Payload::new()).build().unwrap())
        .flood_control(FloodControl::new(0, Duration::from_secs(3600)))
        .allow_weak_fail_closed()
        .build()
        .unwrap();
    let bank = Bank::new();
    let tx = bank.begin();
    for _ in 0..5 {
        now(with_recorder(recorder.clone(), async { record(&Moved::Refused).in_transaction(&tx).await.unwrap() }));
    }
    tx.commit();
    let records = bank.records();
    assert_eq!(records.len(), 5);
    assert!(records.iter().all(|record| record.flags() == ["unknown_action", "in_transaction"]), "{records:?}");
    let stats = recorder.stats();
    assert_eq!((stats.unknown, stats.coalesced, stats.in_transactions), (5, 0, 5));
}

#[test]
fn it_has_the_call_around_it_as_its_parent() {
    #[audited(action = "tx.around", unlocked)]
    async fn around(tx: &super::bank::Tx<'_>) {
        record_action(Action::new("tx.within")).in_transaction(tx).await.unwrap();
    }

    let (recorded, bank) = (Recorded::new(), Bank::new());
    let tx = bank.begin();
    recorded.run(around(&tx));
    tx.commit();
    assert_eq!(bank.records()[0].parent(), recorded.only().id());
}

#[test]
fn a_request_that_records_in_a_transaction_is_covered() {
    let (recorded, bank) = (Recorded::new(), Bank::new());
    let tx = bank.begin();
    let (_, coverage) = recorded.run(covered(async { record(&moved()).in_transaction(&tx).await.unwrap() }));
    assert_eq!(coverage, Coverage::Audited);
}
