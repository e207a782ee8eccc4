//! Sinks that fail, panic, hang and come back.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;
use audited::{AuditSink, Durability, Record, Recorder, SinkError, record_action, with_recorder, with_recorder_sync};

use super::{DONE, SHORT, numbers, record_n, recorder_with};
use crate::child;
use crate::contract::block_on;
use crate::support::{self, Behaviour, Capture, PATIENCE, eventually};

#[test]
fn a_sink_that_says_no_costs_the_record_and_nothing_else() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    sink.set(Behaviour::Fail);
    let error = record_n(&recorder, 1).unwrap_err();
    assert_eq!(error.to_string(), "the audit record was not acknowledged");
    assert_eq!(error.source().unwrap().to_string(), "the sink failed");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    let stats = recorder.stats();
    assert_eq!((stats.acknowledged, stats.unacknowledged, stats.late, stats.lost), (1, 1, 0, 1));
    sink.set(Behaviour::Ok);
    record_n(&recorder, 2).unwrap();
    assert_eq!(numbers(&sink), [2]);
}

#[test]
fn a_panic_while_it_is_polled_is_a_loss() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    sink.set(Behaviour::Panic);
    let error = record_n(&recorder, 1).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "the sink panicked");
    sink.set(Behaviour::Ok);
    record_n(&recorder, 2).unwrap();
    assert_eq!(recorder.stats().lost, 1);
}

/// Panics wherever it is asked for anything, also before there is a future.
struct Hostile;

#[allow(clippy::manual_async_fn)]
impl AuditSink for Hostile {
    fn write<'a, 'b, 'f>(
        &'a self,
        _batch: &'b [Record],
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 'f>>
    where
        'a: 'f,
        'b: 'f,
        Self: 'f,
    {
        panic!("write")
    }

    fn durability(&self) -> Durability {
        panic!("durability")
    }

    fn describe(&self) -> String {
        panic!("describe")
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        panic!("drop");
    }
}

#[test]
fn a_sink_that_panics_wherever_it_can_is_contained() {
    let recorder = support::recorder(Hostile);
    assert_eq!(recorder.durability(), Durability::None);
    assert_eq!(format!("{recorder:?}"), r#"Recorder { sink: "a sink that cannot describe itself", .. }"#);
    record_n(&recorder, 1).unwrap_err();
    assert_eq!(recorder.stats().lost, 2);
    recorder.flush(PATIENCE).unwrap();
    drop(recorder);
}

#[test]
fn a_sink_that_stays_pending_is_given_up_and_asked_again() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.deadline(SHORT));
    sink.set(Behaviour::HangAsync);
    let error = record_n(&recorder, 1).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "the sink did not answer in time");
    // Its future is dropped at the deadline: then the record is lost for certain.
    eventually("lost", || recorder.stats().lost == 1);
    assert_eq!((recorder.stats().unacknowledged, recorder.stats().late), (1, 0));
    // It is down: whoever comes now does not wait for it.
    for n in 2..50 {
        record_n(&recorder, n).unwrap_err();
    }
    assert_eq!(recorder.stats().lost, 49);
    sink.set(Behaviour::Ok);
    let gap = sink.wait_for_action("audit.gap", PATIENCE);
    assert!(gap.detail().unwrap().starts_with(r#"{"lost":"#));
    eventually("it is back", || record_n(&recorder, 50).is_ok());
}

#[test]
fn a_late_acknowledgement_is_unacknowledged_but_not_lost() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.deadline(SHORT));
    sink.set(Behaviour::HangBlocking);
    record_n(&recorder, 1).unwrap_err();
    let stats = recorder.stats();
    assert_eq!((stats.acknowledged, stats.unacknowledged, stats.late, stats.lost), (1, 1, 0, 0));
    sink.set(Behaviour::Ok);
    sink.wait_for(1, PATIENCE);
    eventually("late", || recorder.stats().late == 1);
    let stats = recorder.stats();
    assert_eq!((stats.acknowledged, stats.unacknowledged, stats.lost), (1, 1, 0));
    recorder.shutdown(PATIENCE).unwrap();
    assert!(sink.all().iter().all(|record| record.action() != "audit.gap"), "nothing was lost");
}

#[test]
fn a_record_that_nobody_waits_for_counts_all_the_same() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.deadline(SHORT));
    sink.set(Behaviour::HangBlocking);
    let mut recording = Box::pin(with_recorder_sync(recorder.clone(), || record_action(DONE).into_future()));
    assert!(recording.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(recording);
    eventually("unacknowledged", || recorder.stats().unacknowledged == 1);
    sink.set(Behaviour::Ok);
    eventually("late", || recorder.stats().late == 1);
}

#[test]
fn a_stuck_sink_is_marked_down_and_comes_back() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.deadline(Duration::from_millis(20)));
    sink.set(Behaviour::HangBlocking);
    record_n(&recorder, 1).unwrap_err();
    // Once it is down, what comes is refused for good instead of queued.
    let mut n = 1;
    eventually("refused", || record_n(&recorder, 2).is_err() && recorder.stats().lost > 0);
    let lost = recorder.stats().lost;
    while recorder.stats().lost < lost + 100 {
        n += 1;
        record_n(&recorder, n).unwrap_err();
    }
    assert_eq!(sink.batches(), 2, "the start record, and the one that hangs");
    assert_eq!(recorder.flush(SHORT).unwrap_err().on_their_way, 1);
    sink.set(Behaviour::Ok);
    eventually("it is back", || record_n(&recorder, 9).is_ok());
    assert!(numbers(&sink).contains(&1), "the one that hung was written after all");
    recorder.flush(PATIENCE).unwrap();
}

#[test]
fn a_slow_sink_gets_batches_and_everybody_an_answer() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    sink.set(Behaviour::Slow(Duration::from_millis(20)));
    std::thread::scope(|scope| {
        for n in 0..40 {
            let recorder = &recorder;
            scope.spawn(move || record_n(recorder, n).unwrap());
        }
    });
    let mut numbers = numbers(&sink);
    numbers.sort_unstable();
    assert_eq!(numbers, (0..40).collect::<Vec<_>>());
    assert!(sink.batches() < 30, "{} batches", sink.batches());
}

#[test]
fn ten_thousand_records_come_in_order_and_once() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.max_in_flight(20_000));
    let receipts: Vec<_> = with_recorder_sync(recorder.clone(), || {
        let mut cx = Context::from_waker(Waker::noop());
        (0..10_000_u32)
            .map(|n| {
                let mut recording = Box::pin(record_action(DONE).field("n", &n).into_future());
                let _ = recording.as_mut().poll(&mut cx);
                recording
            })
            .collect()
    });
    sink.wait_for(10_000, PATIENCE);
    assert_eq!(numbers(&sink), (0..10_000).collect::<Vec<_>>());
    let ids: Vec<_> = sink.records().iter().map(|record| record.id().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a < b));
    drop(receipts);
    recorder.flush(PATIENCE).unwrap();
    assert_eq!(recorder.stats().acknowledged, 10_001);
}

/// Panics when it is woken.
struct Grumpy(AtomicUsize);

impl Wake for Grumpy {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
        panic!("woken");
    }
}

#[test]
fn a_waker_that_panics_hurts_nobody_else() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    sink.set(Behaviour::HangBlocking);
    let grumpy = Arc::new(Grumpy(AtomicUsize::new(0)));
    let waker = Waker::from(grumpy.clone());
    let mut recording =
        Box::pin(with_recorder_sync(recorder.clone(), || record_action(DONE).field("n", &1).into_future()));
    assert!(recording.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let other = std::thread::spawn({
        let recorder = recorder.clone();
        move || record_n(&recorder, 2)
    });
    sink.set(Behaviour::Ok);
    other.join().unwrap().unwrap();
    assert_eq!(grumpy.0.load(Ordering::Relaxed), 1);
    record_n(&recorder, 3).unwrap();
}

/// Reports from which threads it is polled.
#[derive(Clone)]
struct Threads(Arc<std::sync::Mutex<Vec<String>>>);

#[async_trait]
impl AuditSink for Threads {
    async fn write(&self, _batch: &[Record]) -> Result<(), SinkError> {
        self.0.lock().unwrap().push(std::thread::current().name().unwrap_or("?").to_owned());
        Ok(())
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.write(&[]).await
    }

    fn durability(&self) -> Durability {
        Durability::Disk
    }

    fn describe(&self) -> String {
        "threads".into()
    }
}

#[test]
fn a_foreign_sink_is_only_ever_polled_on_its_own_thread() {
    let sink = Threads(Arc::default());
    let recorder = Recorder::builder().sink(sink.clone()).build().unwrap();
    record_n(&recorder, 1).unwrap();
    recorder.flush(PATIENCE).unwrap();
    let threads = sink.0.lock().unwrap().clone();
    assert!(threads.len() >= 2 && threads.iter().all(|name| name == "audited-sink"), "{threads:?}");
}

#[test]
fn a_flush_says_what_the_sink_says() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    recorder.flush(PATIENCE).unwrap();
    assert_eq!(sink.flushes(), 1);
    sink.set(Behaviour::Fail);
    let error = recorder.flush(PATIENCE).unwrap_err();
    assert!(matches!(error.sink, Some(SinkError::Failed(_))), "{error:?}");
    sink.set(Behaviour::Panic);
    assert!(matches!(recorder.flush(PATIENCE).unwrap_err().sink, Some(SinkError::Panicked)));
    sink.set(Behaviour::HangAsync);
    assert!(matches!(recorder.flush(SHORT).unwrap_err().sink, Some(SinkError::Deadline)));
    sink.set(Behaviour::HangBlocking);
    assert!(matches!(recorder.flush(SHORT).unwrap_err().sink, Some(SinkError::Deadline)));
    sink.set(Behaviour::Ok);
    recorder.flush(PATIENCE).unwrap();
}

#[test]
fn the_longest_and_the_shortest_deadline_are_deadlines_too() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.deadline(Duration::MAX));
    record_n(&recorder, 1).unwrap();
    recorder.flush(Duration::MAX).unwrap();
    recorder.shutdown(Duration::MAX).unwrap();

    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.deadline(Duration::ZERO));
    sink.set(Behaviour::HangBlocking);
    record_n(&recorder, 1).unwrap_err();
    record_n(&recorder, 2).unwrap_err();
    let _ = recorder.flush(Duration::ZERO);
    sink.set(Behaviour::Ok);
    recorder.flush(PATIENCE).unwrap();
}

/// A sink on a disk that is full.
struct OnAFullDisk;

#[async_trait]
impl AuditSink for OnAFullDisk {
    async fn write(&self, _: &[Record]) -> Result<(), SinkError> {
        let inner = std::io::Error::other("/secret/place");
        Err(std::io::Error::new(std::io::ErrorKind::StorageFull, inner).into())
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn describe(&self) -> String {
        "on a full disk".into()
    }
}

/// In a process of its own, where the subscriber can be that of all threads.
#[test]
fn a_loss_says_what_the_system_said_and_nothing_of_where() {
    if !child::runs("recorder::failing::a_loss_says_what_the_system_said_and_nothing_of_where") {
        return;
    }
    let log = support::Log::default();
    tracing::dispatcher::set_global_default(log.dispatch()).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let builder = Recorder::builder().sink(OnAFullDisk).allow_weak_fail_closed();
    let recorder = builder.on_loss(move |loss| _ = tell.send((loss.reason, loss.io))).build().unwrap();
    record_n(&recorder, 1).unwrap_err();
    let expected = ("io", Some(std::io::ErrorKind::StorageFull));
    assert_eq!([told.recv().unwrap(), told.recv().unwrap()], [expected; 2]);
    eventually("both are logged", || log.on("audited::loss").len() >= 2);
    for logged in log.on("audited::loss").iter().filter(|logged| logged.fields.contains_key("action")) {
        assert_eq!((&*logged.fields["reason"], &*logged.fields["io"]), ("io", "no storage space"));
        assert!(!format!("{logged:?}").contains("secret"), "{logged:?}");
    }
}

/// A subscriber that takes a line and does not come back.
struct Stuck(std::sync::Mutex<std::sync::mpsc::Receiver<()>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Stuck {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        if event.metadata().target() == "audited::loss" {
            let _ = self.0.lock().unwrap().recv();
        }
    }
}

/// In a process of its own, where the subscriber can be that of all threads.
#[test]
fn a_deadline_holds_while_the_log_of_the_one_before_hangs() {
    use tracing_subscriber::layer::SubscriberExt as _;
    if !child::runs("recorder::failing::a_deadline_holds_while_the_log_of_the_one_before_hangs") {
        return;
    }
    let (release, released) = std::sync::mpsc::channel();
    let subscriber = tracing_subscriber::registry().with(Stuck(std::sync::Mutex::new(released)));
    tracing::dispatcher::set_global_default(tracing::Dispatch::new(subscriber)).unwrap();
    let sink = Capture::new();
    sink.set(Behaviour::HangAsync);
    let builder = Recorder::builder().sink(sink).allow_weak_fail_closed().deadline(SHORT);
    let recorder = builder.build().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    for n in 0..4_u32 {
        let (recorder, tell) = (recorder.clone(), tell.clone());
        let record = async move { record_action(DONE).field("n", &n).await.map(drop) };
        std::thread::spawn(move || tell.send(block_on(with_recorder(recorder, record))).unwrap());
    }
    for _ in 0..4 {
        assert!(told.recv_timeout(PATIENCE).unwrap().is_err());
    }
    assert!(recorder.stats().unacknowledged >= 4);
    drop(release);
}
