//! What comes after a loss stands behind the record that says so, whatever becomes of the tries to write that.

use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use audited::{
    Acknowledging, AuditSink, Durability, MemorySink, Record, Recorder, SinkError, Timeout, record_action,
    with_recorder_sync,
};

use super::{DONE, SHORT, record_n};
use crate::support::{PATIENCE, eventually};

/// A sink of which each write waits for what the test has it answer.
struct Puppet(Mutex<Sender<Asked>>);

/// A write of a [`Puppet`], until it is answered.
struct Asked {
    batch: Vec<Record>,
    answer: Sender<Result<(), SinkError>>,
}

/// What the test holds of a [`Puppet`], and what that has written.
struct Strings {
    asked: Receiver<Asked>,
    written: Vec<Record>,
}

impl Asked {
    fn actions(&self) -> Vec<String> {
        actions(&self.batch)
    }

    fn fails(self) {
        self.answer.send(Err(SinkError::failed(std::io::Error::other("no")))).unwrap();
    }
}

impl Puppet {
    fn new() -> (Self, Strings) {
        let (sender, asked) = channel();
        (Self(Mutex::new(sender)), Strings { asked, written: Vec::new() })
    }

    fn strings(&self) -> MutexGuard<'_, Sender<Asked>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl AuditSink for Puppet {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let (answer, answers) = channel();
        let asked = Asked { batch: batch.to_vec(), answer };
        self.strings().send(asked).map_err(|_| SinkError::Closed)?;
        answers.recv().unwrap_or(Err(SinkError::Closed))
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn describe(&self) -> String {
        "puppet".into()
    }
}

impl Strings {
    fn next(&self) -> Asked {
        self.asked.recv_timeout(PATIENCE).expect("the sink is asked")
    }

    /// Says yes to a write.
    fn takes(&mut self, asked: Asked) {
        self.written.extend(asked.batch);
        asked.answer.send(Ok(())).unwrap();
    }

    /// Says yes until a record of this action is written.
    fn takes_until(&mut self, action: &str) {
        while !actions(&self.written).iter().any(|written| written == action) {
            let asked = self.next();
            self.takes(asked);
        }
    }

    /// Says yes to everything that comes until the test ends.
    fn takes_all(self) {
        thread::spawn(move || self.asked.iter().for_each(|asked| drop(asked.answer.send(Ok(())))));
    }

    fn is_asked_nothing(&self) -> bool {
        matches!(self.asked.try_recv(), Err(TryRecvError::Empty))
    }
}

fn actions(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.action().into_owned()).collect()
}

fn lost(records: &[Record]) -> Vec<u64> {
    let gaps = records.iter().filter(|record| record.action() == "audit.gap");
    let lost = |gap: &Record| serde_json::from_str::<serde_json::Value>(gap.detail()?).unwrap()["lost"].as_u64();
    gaps.map(|gap| lost(gap).unwrap()).collect()
}

/// The two ways to a sink: on the caller's thread, as [`Timeout`] takes what it is given, and on the recorder's own.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Inline,
    Lane,
}

/// A recorder whose sink has taken the start record.
fn recorder(way: Way, deadline: Duration) -> (Recorder, Strings) {
    let (puppet, mut strings) = Puppet::new();
    let builder = Recorder::builder().allow_weak_fail_closed().deadline(deadline);
    let recorder = match way {
        Way::Inline => builder.sink(Timeout::new(puppet, PATIENCE)),
        Way::Lane => builder.sink(puppet),
    };
    let recorder = recorder.build().unwrap();
    strings.takes_until("audit.started");
    eventually("it has started", || recorder.stats().acknowledged == 1);
    (recorder, strings)
}

/// Hands a record over, and has nobody wait for it yet.
fn hand_over(recorder: &Recorder, n: u32) -> Acknowledging {
    let mut recording = with_recorder_sync(recorder.clone(), || record_action(DONE).field("n", &n).into_future());
    assert!(std::pin::Pin::new(&mut recording).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    recording
}

fn is_acknowledged(recording: Acknowledging) -> bool {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(recording).is_ok()
}

/// Loses one record: the sink says no.
fn lose_one(recorder: &Recorder, strings: &Strings) {
    let recording = hand_over(recorder, 0);
    strings.next().fails();
    assert!(!is_acknowledged(recording));
}

/// Loses another one: the sink says no to whatever it is asked. `each` sees that.
fn lose_another(recorder: &Recorder, strings: &Strings, each: impl Fn(&Asked)) {
    let recording = hand_over(recorder, 0);
    let answered = thread::spawn(|| is_acknowledged(recording));
    while !answered.is_finished() {
        if let Ok(asked) = strings.asked.recv_timeout(Duration::from_millis(1)) {
            each(&asked);
            asked.fails();
        }
    }
    assert!(!answered.join().unwrap());
}

#[test]
fn a_record_that_meets_a_gap_on_its_way_stands_behind_it_though_that_try_fails() {
    for way in [Way::Inline, Way::Lane] {
        let (recorder, mut strings) = recorder(way, PATIENCE);
        lose_one(&recorder, &strings);
        // Nobody records anything: the recorder asks by itself.
        let gap = strings.next();
        assert_eq!(gap.actions(), ["audit.gap"], "{way:?}");
        let first = hand_over(&recorder, 1);
        gap.fails();
        // From here on the disk is back.
        strings.takes_until("thing.done");
        assert_eq!(actions(&strings.written), ["audit.started", "audit.gap", "thing.done"], "{way:?}");
        assert!(is_acknowledged(first), "{way:?}: it was not lost with the try that failed");
        assert_eq!((lost(&strings.written), recorder.stats().lost), (vec![1], 1), "{way:?}");
        strings.takes_all();
    }
}

#[test]
fn all_that_come_meanwhile_keep_their_order() {
    for way in [Way::Inline, Way::Lane] {
        let (recorder, mut strings) = recorder(way, PATIENCE);
        lose_one(&recorder, &strings);
        let gap = strings.next();
        let waiting: Vec<_> = (1..=20).map(|n| hand_over(&recorder, n)).collect();
        strings.takes(gap);
        while actions(&strings.written).len() < 22 {
            let asked = strings.next();
            strings.takes(asked);
        }
        assert_eq!(strings.written[1].action(), "audit.gap");
        let number = |record: &Record| serde_json::from_str::<serde_json::Value>(record.detail()?).ok()?["n"].as_u64();
        assert_eq!(strings.written[2..].iter().filter_map(number).collect::<Vec<_>>(), (1..=20).collect::<Vec<_>>());
        assert!(waiting.into_iter().all(is_acknowledged), "{way:?}");
        strings.takes_all();
    }
}

#[test]
fn a_gap_is_tried_again_as_the_same_record_and_what_was_lost_since_is_another() {
    for way in [Way::Inline, Way::Lane] {
        let (recorder, mut strings) = recorder(way, PATIENCE);
        lose_one(&recorder, &strings);
        let gap = strings.next();
        let first = gap.batch[0].clone();
        gap.fails();
        for _ in 0..2 {
            lose_another(&recorder, &strings, |again| assert_eq!(again.batch[0].json(), first.json(), "{way:?}"));
        }
        let recording = hand_over(&recorder, 3);
        strings.takes_until("thing.done");
        assert!(is_acknowledged(recording));
        assert_eq!(actions(&strings.written[1..]), ["audit.gap", "audit.gap", "thing.done"], "{way:?}");
        assert_eq!(lost(&strings.written), [1, 2], "{way:?}");
        let ids: Vec<_> = strings.written.iter().map(|record| record.id().unwrap()).collect();
        assert!(Some(ids[1]) == first.id() && ids[1] < ids[2]);
        // Nothing is owed any more.
        recorder_is_quiet(&recorder, strings);
    }
}

/// A shutdown writes the stop record and nothing else.
fn recorder_is_quiet(recorder: &Recorder, mut strings: Strings) {
    let written = strings.written.len();
    thread::scope(|scope| {
        let shutdown = scope.spawn(|| recorder.shutdown(PATIENCE));
        strings.takes_until("audit.stopped");
        shutdown.join().unwrap().unwrap();
    });
    assert_eq!(actions(&strings.written[written..]), ["audit.stopped"]);
    assert!(strings.is_asked_nothing());
}

#[test]
fn while_the_sink_says_no_each_is_answered_at_once() {
    for way in [Way::Inline, Way::Lane] {
        let (recorder, mut strings) = recorder(way, PATIENCE);
        lose_one(&recorder, &strings);
        // What has waited since before the try is lost with it; nobody waits for his deadline.
        let gap = strings.next();
        let early: Vec<_> = (0..3).map(|n| hand_over(&recorder, n)).collect();
        gap.fails();
        let again = strings.next();
        assert_eq!(again.actions()[0], "audit.gap");
        let late = hand_over(&recorder, 9);
        again.fails();
        assert!(early.into_iter().all(|recording| !is_acknowledged(recording)), "{way:?}");
        strings.takes_until("thing.done");
        assert!(is_acknowledged(late), "{way:?}");
        assert_eq!((lost(&strings.written).iter().sum::<u64>(), recorder.stats().lost), (4, 4), "{way:?}");
        assert_eq!(strings.written.last().unwrap().action(), "thing.done");
        recorder_is_quiet(&recorder, strings);
    }
}

#[test]
fn a_gap_that_hangs_keeps_nobody_beyond_the_deadline() {
    for way in [Way::Inline, Way::Lane] {
        let (recorder, mut strings) = recorder(way, SHORT);
        lose_one(&recorder, &strings);
        let gap = strings.next();
        record_n(&recorder, 1).unwrap_err();
        assert!(!is_acknowledged(hand_over(&recorder, 2)), "{way:?}");
        let stats = recorder.stats();
        assert_eq!((stats.unacknowledged, stats.lost), (3, 1), "{way:?}: late, and not lost");
        strings.takes(gap);
        while strings.written.len() < 4 {
            let asked = strings.next();
            strings.takes(asked);
        }
        assert_eq!(actions(&strings.written[1..]), ["audit.gap", "thing.done", "thing.done"], "{way:?}");
        eventually("late", || recorder.stats().late == 2);
        recorder_is_quiet(&recorder, strings);
    }
}

#[test]
fn a_shutdown_and_a_drop_write_all_gaps() {
    for (way, drops) in [(Way::Inline, false), (Way::Inline, true), (Way::Lane, false), (Way::Lane, true)] {
        let (recorder, mut strings) = recorder(way, PATIENCE);
        lose_one(&recorder, &strings);
        strings.next().fails();
        lose_another(&recorder, &strings, |_| {});
        // One is in a record that was tried, the other in none yet.
        let ends = thread::spawn(move || if drops { Ok(()) } else { recorder.shutdown(PATIENCE) });
        while lost(&strings.written).len() < 2 {
            let asked = strings.next();
            strings.takes(asked);
        }
        if !drops {
            strings.takes_until("audit.stopped");
        }
        ends.join().unwrap().unwrap();
        assert_eq!(lost(&strings.written), [1, 1], "{way:?}, {drops}");
        strings.takes_all();
    }
}

#[test]
fn a_sink_that_is_full_answers_everybody() {
    let memory = MemorySink::with_capacity(1);
    let recorder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build().unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..200).for_each(|n| drop(record_n(&recorder, n).unwrap_err())));
        }
    });
    assert_eq!((memory.len(), recorder.stats().lost), (1, 1600));
    assert_eq!(recorder.shutdown(PATIENCE).unwrap_err().lost, 1601, "the stop record, too");
}
