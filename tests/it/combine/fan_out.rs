use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use audited::__private::{Inline, Ticket};
use audited::{AuditSink, Durability, FanOut, FanOutError, Member, MemorySink, Record, Retry, SinkError, TracingSink};
use tracing::Dispatch;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use super::{SHORT, numbers, reason, record, timed, write};
use crate::contract::block_on;
use crate::support::{Behaviour, Capture, PATIENCE, eventually};

fn dynamic(sink: impl AuditSink) -> Arc<dyn AuditSink> {
    Arc::new(sink)
}

fn behaving(behaviour: Behaviour) -> Capture {
    let sink = Capture::new();
    sink.set(behaviour);
    sink
}

const BAD: [Behaviour; 4] = [Behaviour::Fail, Behaviour::Panic, Behaviour::HangAsync, Behaviour::HangBlocking];

#[test]
fn it_prints_as_what_it_is() {
    let built = FanOut::builder()
        .required(MemorySink::new())
        .any([dynamic(Retry::new(Capture::new())), dynamic(TracingSink::new())])
        .quorum(2, [MemorySink::new(), MemorySink::new(), MemorySink::new()])
        .build()
        .unwrap();
    let text = "fan_out(all: memory, any: [retry(capture), tracing], quorum(2): [memory, memory, memory])";
    assert_eq!((built.describe().as_str(), format!("{built:?}").as_str()), (text, text));
}

#[test]
fn what_cannot_be_is_refused_with_what_to_do() {
    let none: [MemorySink; 0] = [];
    assert_eq!(FanOut::builder().build().unwrap_err(), FanOutError::NoMembers);
    let text = FanOut::builder().build().unwrap_err().to_string();
    assert!(text.contains("required(…)"), "{text}");
    for (builder, group) in [(FanOut::builder().all(none.clone()), "all"), (FanOut::builder().any(none.clone()), "any")]
    {
        assert_eq!(builder.required(MemorySink::new()).build().unwrap_err(), FanOutError::Empty { group });
    }
    for needed in [0, 3] {
        let quorum = FanOut::builder().quorum(needed, [MemorySink::new(), MemorySink::new()]).build();
        assert_eq!(quorum.unwrap_err(), FanOutError::Quorum { needed, members: 2 });
    }
    assert!(matches!(FanOut::builder().quorum(1, none).build(), Err(FanOutError::Quorum { needed: 1, members: 0 })));
}

#[test]
fn a_bad_member_delays_no_other_and_nobody_who_does_not_need_it() {
    for behaviour in BAD {
        let (good, bad) = (Capture::new(), behaving(behaviour));
        let any = FanOut::builder().any([bad.clone(), good.clone()]).deadline(PATIENCE).build().unwrap();
        for n in 0..5 {
            let (answer, took) = timed(|| write(&any, n));
            assert_eq!(reason(answer), "ok", "{behaviour:?}");
            assert!(took < PATIENCE / 4, "{behaviour:?} took {took:?}");
        }
        assert_eq!(numbers(&good.records()), [0, 1, 2, 3, 4]);
        bad.set(Behaviour::Ok);
    }
}

#[test]
fn a_bad_member_that_is_needed_is_an_error_by_its_deadline() {
    for (behaviour, expected) in BAD.into_iter().zip(["failed", "panicked", "deadline", "deadline"]) {
        let (good, bad) = (Capture::new(), behaving(behaviour));
        let all = FanOut::builder().all([bad.clone(), good.clone()]).deadline(SHORT).build().unwrap();
        let (answer, took) = timed(|| write(&all, 1));
        assert_eq!(reason(answer), expected, "{behaviour:?}");
        assert!(took < SHORT * 10, "{behaviour:?} took {took:?}");
        assert_eq!(numbers(&good.wait_for(1, PATIENCE)), [1], "the others go on");
        bad.set(Behaviour::Ok);
    }
}

#[test]
fn a_quorum_needs_as_many_as_it_says() {
    for (bad, expected) in [(0, "ok"), (1, "ok"), (2, "failed"), (3, "failed")] {
        let sinks: Vec<_> = (0..3).map(|n| behaving(if n < bad { Behaviour::Fail } else { Behaviour::Ok })).collect();
        let quorum = FanOut::builder().quorum(2, sinks.clone()).build().unwrap();
        assert_eq!(reason(write(&quorum, 1)), expected, "{bad} bad");
        for sink in &sinks[bad..] {
            sink.wait_for(1, PATIENCE);
        }
    }
}

#[test]
fn its_promise_is_the_weakest_that_its_ok_can_mean() {
    let durability = |builder: audited::FanOutBuilder| builder.build().unwrap().durability();
    let (memory, nothing) = (|| dynamic(MemorySink::new()), || dynamic(TracingSink::new()));
    assert_eq!(durability(FanOut::builder().any([memory(), nothing()])), Durability::None);
    assert_eq!(durability(FanOut::builder().all([memory(), nothing()])), Durability::Memory);
    assert_eq!(durability(FanOut::builder().quorum(2, [nothing(), memory(), nothing()])), Durability::None);
    assert_eq!(durability(FanOut::builder().quorum(2, [nothing(), memory(), memory()])), Durability::Memory);
    assert_eq!(durability(FanOut::builder().any([nothing()]).required(memory())), Durability::Memory);
}

#[test]
fn members_go_on_when_the_answer_is_given_and_each_is_accounted_for() {
    let (fast, slow) = (Capture::new(), behaving(Behaviour::HangAsync));
    let any = FanOut::builder().any([fast, slow.clone()]).deadline(PATIENCE).build().unwrap();
    for n in 0..10 {
        write(&any, n).unwrap();
    }
    let [fast_stats, slow_stats] = &any.stats()[..] else { panic!("two members") };
    assert_eq!((fast_stats.acknowledged, slow_stats.acknowledged), (10, 0));
    slow.set(Behaviour::Ok);
    assert_eq!(numbers(&slow.wait_for(10, PATIENCE)), (0..10).collect::<Vec<_>>(), "in order");
    eventually("all acknowledged", || any.stats()[1].acknowledged == 10);
    assert_eq!((any.stats()[1].missed, any.stats()[1].failed.len()), (0, 0));
    assert!(slow.batches() <= 2, "what had to wait was written at once: {}", slow.batches());
}

#[test]
fn what_a_member_misses_is_counted_by_reason_and_late_ones_apart() {
    let (good, bad) = (Capture::new(), behaving(Behaviour::Fail));
    let any = FanOut::builder().any([good, bad.clone()]).deadline(SHORT).build().unwrap();
    let counts = || {
        let stats = &any.stats()[1];
        (stats.acknowledged, stats.missed, stats.late)
    };
    let failed = |reason: &str| any.stats()[1].failed.get(reason).copied().unwrap_or(0);
    block_on(any.write(&[record(1), record(2)])).unwrap();
    eventually("missed", || counts() == (0, 2, 0) && failed("failed") == 2);
    bad.set(Behaviour::Panic);
    write(&any, 3).unwrap();
    eventually("missed", || counts() == (0, 3, 0) && failed("panicked") == 1);
    // It blocks beyond its deadline and comes back before it is taken for stuck.
    bad.set(Behaviour::HangBlocking);
    write(&any, 4).unwrap();
    eventually("missed", || counts() == (0, 4, 0) && failed("deadline") == 1);
    bad.set(Behaviour::Ok);
    eventually("late", || counts() == (0, 4, 1));
    write(&any, 5).unwrap();
    eventually("again", || counts() == (1, 4, 1));
    eventually("the other has all", || any.stats()[0].acknowledged == 5);
    assert_eq!(any.stats()[0].missed, 0);
}

#[test]
fn what_waits_for_a_member_is_bounded_and_what_does_not_fit_is_counted() {
    let slow = behaving(Behaviour::HangAsync);
    let member = Member::new(slow.clone()).queue(10, 1 << 20).deadline(PATIENCE);
    let any = FanOut::builder().any([Member::from(MemorySink::new()), member]).build().unwrap();
    write(&any, 0).unwrap();
    slow.wait_for_batches(1, PATIENCE);
    for n in 1..50 {
        write(&any, n).unwrap();
    }
    let stats = &any.stats()[1];
    assert_eq!((stats.dropped, stats.missed, stats.failed["full"]), (40, 40, 40));
    slow.set(Behaviour::Ok);
    assert_eq!(numbers(&slow.wait_for(10, PATIENCE)), (0..10).collect::<Vec<_>>());
    write(&any, 50).unwrap();
    assert_eq!(slow.wait_for(11, PATIENCE).len(), 11, "there is room again");

    let slow = behaving(Behaviour::HangAsync);
    let member = Member::new(slow.clone()).queue(1000, 8 << 10).deadline(PATIENCE);
    let any = FanOut::builder().any([Member::from(MemorySink::new()), member]).build().unwrap();
    (0..100).for_each(|n| write(&any, n).unwrap());
    let dropped = any.stats()[1].dropped;
    assert!((90..100).contains(&dropped), "bounded by bytes as well: {dropped} of 100 dropped");
    slow.set(Behaviour::Ok);
}

/// Takes records on the caller's thread, and answers for them when it is told to.
#[derive(Clone, Debug, Default)]
struct Silent(Arc<Mutex<Vec<(usize, Ticket)>>>);

impl Silent {
    /// How many records it has not answered for.
    fn held(&self) -> usize {
        self.0.lock().unwrap().iter().map(|(records, _)| records).sum()
    }

    fn answer(&self) {
        let all = std::mem::take(&mut *self.0.lock().unwrap());
        for (_, ticket) in all {
            ticket.settle(Ok(()));
        }
    }
}

#[async_trait]
impl AuditSink for Silent {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let (ticket, receipt) = Ticket::new();
        self.submit_batch(batch, ticket);
        receipt.await
    }

    fn durability(&self) -> Durability {
        Durability::None
    }

    fn describe(&self) -> String {
        "silent".into()
    }

    fn inline(&self) -> Option<&dyn Inline> {
        Some(self)
    }
}

impl Inline for Silent {
    fn submit(&self, record: Record, ticket: Ticket) {
        self.submit_batch(&[record], ticket);
    }

    fn submit_batch(&self, batch: &[Record], ticket: Ticket) {
        self.0.lock().unwrap().push((batch.len(), ticket));
    }
}

#[test]
fn what_a_member_never_answers_for_is_bounded_too_where_it_takes_records_at_once() {
    let silent = Silent::default();
    let member = Member::new(silent.clone()).queue(10, 1 << 20).deadline(SHORT);
    let any = FanOut::builder().any([Member::from(MemorySink::new()), member]).build().unwrap();
    (0..50).for_each(|n| write(&any, n).unwrap());
    assert_eq!(silent.held(), 10);
    eventually("its deadline is over", || any.stats()[1].failed.get("deadline") == Some(&10));
    (50..60).for_each(|n| write(&any, n).unwrap());
    assert_eq!(silent.held(), 10, "nobody waits for them, and it has them all the same");
    let stats = &any.stats()[1];
    assert_eq!((stats.dropped, stats.missed, stats.failed["full"]), (50, 60, 50));
    silent.answer();
    write(&any, 60).unwrap();
    assert_eq!((silent.held(), any.stats()[1].late), (1, 10), "there is room again");

    let member = Member::new(Silent::default()).queue(1000, 8 << 10).deadline(PATIENCE);
    let any = FanOut::builder().any([Member::from(MemorySink::new()), member]).build().unwrap();
    (0..100).for_each(|n| write(&any, n).unwrap());
    let dropped = any.stats()[1].dropped;
    assert!((90..100).contains(&dropped), "bounded by bytes as well: {dropped} of 100 dropped");
}

#[test]
fn a_member_that_does_not_come_back_is_left_alone_until_it_does() {
    let stuck = behaving(Behaviour::HangBlocking);
    let all = FanOut::builder().required(stuck.clone()).deadline(SHORT).build().unwrap();
    assert_eq!(reason(write(&all, 1)), "deadline");
    std::thread::sleep(SHORT * 2);
    for n in 2..10 {
        let (answer, took) = timed(|| write(&all, n));
        assert_eq!(reason(answer), "deadline");
        assert!(took < SHORT, "nobody waits for it: {took:?}");
    }
    assert_eq!(all.stats()[0].dropped, 8);
    stuck.set(Behaviour::Ok);
    eventually("it is back", || write(&all, 10).is_ok());
    assert!(stuck.records().len() >= 2, "what it hung on was written late");
    assert!(all.stats()[0].late >= 1);
}

#[test]
fn each_member_has_a_deadline_of_its_own() {
    let (quick, patient) = (behaving(Behaviour::HangAsync), behaving(Behaviour::HangAsync));
    let members = [Member::new(quick.clone()).deadline(SHORT), Member::new(patient.clone()).deadline(PATIENCE)];
    let any = FanOut::builder().any(members).build().unwrap();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| write(&any, 1));
        eventually("the first has given up", || any.stats()[0].failed.contains_key("deadline"));
        assert!(any.stats()[1].failed.is_empty());
        patient.set(Behaviour::Ok);
        assert!(writing.join().unwrap().is_ok());
    });
    assert_eq!(any.stats()[0].missed, 1);
    quick.set(Behaviour::Ok);
}

#[test]
fn a_flush_reaches_all_at_once_and_says_who_could_not() {
    let sinks = [Capture::new(), Capture::new(), Capture::new()];
    let any = FanOut::builder().any(sinks.clone()).deadline(SHORT).build().unwrap();
    block_on(any.flush()).unwrap();
    assert!(sinks.iter().all(|sink| sink.flushes() == 1));
    sinks[0].set(Behaviour::HangBlocking);
    sinks[1].set(Behaviour::HangAsync);
    let (answer, took) = timed(|| block_on(any.flush()));
    assert_eq!(reason(answer), "deadline");
    assert!(took < SHORT * 10, "{took:?}");
    assert_eq!(sinks[2].flushes(), 2);
    for sink in &sinks {
        sink.set(Behaviour::Ok);
    }
}

#[test]
fn a_batch_stays_whole_at_each_member() {
    let (memory, foreign) = (MemorySink::with_capacity(3), Capture::new());
    let all = FanOut::builder().all([dynamic(memory.clone()), dynamic(foreign.clone())]).build().unwrap();
    block_on(all.write(&[record(1), record(2)])).unwrap();
    assert_eq!(reason(block_on(all.write(&[record(3), record(4)]))), "full");
    assert_eq!(numbers(&memory.records()), [1, 2], "all of a batch or nothing");
    foreign.wait_for(4, PATIENCE);
    assert_eq!(foreign.batches(), 2);
}

/// The fields of the events of one target, as text.
#[derive(Clone, Default)]
struct Losses(Arc<std::sync::Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Losses {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        use std::fmt::Write as _;

        struct Text(String);

        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                write!(self.0, "{}={value:?} ", field.name()).unwrap();
            }
        }

        if event.metadata().target() == "audited::loss" {
            let mut text = Text(String::new());
            event.record(&mut text);
            self.0.lock().unwrap().push(text.0);
        }
    }
}

#[test]
fn what_a_member_misses_is_logged_without_payload_and_only_where_it_is_acknowledged() {
    let losses = Losses::default();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(losses.clone()));
    let full = MemorySink::with_capacity(0);
    let any = FanOut::builder().any([full.clone(), MemorySink::new()]).build().unwrap();
    let all = FanOut::builder().all([full, MemorySink::new()]).build().unwrap();
    let records = [record(4711), record(815)];
    tracing::dispatcher::with_default(&dispatch, || {
        block_on(any.write(&records)).unwrap();
        block_on(all.write(&records)).unwrap_err();
    });
    let logged = losses.0.lock().unwrap();
    let [line] = &logged[..] else { panic!("one line: {logged:?}") };
    let [first, last] = [&records[0], &records[1]].map(|record| record.id().unwrap().to_string());
    for part in ["sink=\"memory\"", "reason=\"full\"", "records=2", &format!("first={first}"), &format!("last={last}")]
    {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert!(!line.contains("4711") && !line.contains("combine.done"), "{line}");
}

#[test]
fn nothing_is_asked_of_members_for_nothing() {
    let sink = behaving(Behaviour::Fail);
    let all = FanOut::builder().required(sink.clone()).deadline(Duration::ZERO).build().unwrap();
    block_on(all.write(&[])).unwrap();
    assert_eq!(sink.batches(), 0);
}
