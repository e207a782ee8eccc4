use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use audited::{AuditSink, Durability, Record, Retry, SinkError};

use super::{SHORT, reason, record, timed, write};
use crate::contract::block_on;
use crate::support::{Behaviour, Capture, PATIENCE};

/// Answers with what was prepared, then well; keeps what it was given each time.
#[derive(Clone)]
struct Scripted {
    answers: Arc<Mutex<Vec<Option<SinkError>>>>,
    given: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Scripted {
    /// `None` panics.
    fn new(answers: impl IntoIterator<Item = Option<SinkError>>) -> Self {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Self { answers: Arc::new(Mutex::new(answers)), given: Arc::default() }
    }

    fn times(&self) -> usize {
        self.given.lock().unwrap().len()
    }
}

#[async_trait]
impl AuditSink for Scripted {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        self.given.lock().unwrap().push(batch.iter().map(|record| record.json().to_owned()).collect());
        let answer = self.answers.lock().unwrap().pop();
        match answer {
            None => Ok(()),
            Some(Some(error)) => Err(error),
            Some(None) => std::panic::resume_unwind(Box::new("as told")),
        }
    }

    fn durability(&self) -> Durability {
        Durability::Disk
    }

    fn describe(&self) -> String {
        "scripted".into()
    }
}

fn quick(sink: &Scripted) -> Retry {
    Retry::new(sink.clone()).delays(Duration::from_millis(1), Duration::from_millis(4))
}

#[test]
fn it_writes_the_same_again_until_it_is_acknowledged() {
    let sink = Scripted::new([Some(SinkError::Full), None, Some(SinkError::Deadline)]);
    let retry = quick(&sink);
    assert_eq!((retry.describe().as_str(), retry.durability()), ("retry(scripted)", Durability::Disk));
    let batch = [record(1), record(2)];
    block_on(retry.write(&batch)).unwrap();
    let given = sink.given.lock().unwrap();
    assert_eq!(given.len(), 4);
    let same: Vec<_> = batch.iter().map(|record| record.json().to_owned()).collect();
    assert!(given.iter().all(|given| *given == same), "the same ids: {given:?}");
}

#[test]
fn it_ends_with_the_last_error_after_its_attempts() {
    for attempts in [0, 1, 3] {
        let sink = Scripted::new((0..9).map(|_| Some(SinkError::Full)));
        assert_eq!(reason(write(&quick(&sink).attempts(attempts), 1)), "full");
        assert_eq!(sink.times(), attempts.max(1));
    }
}

#[test]
fn what_cannot_get_better_is_not_tried_again() {
    for error in [SinkError::Poisoned, SinkError::Closed] {
        let expected = error.reason();
        let sink = Scripted::new([Some(SinkError::Full), Some(error)]);
        assert_eq!(reason(write(&quick(&sink).attempts(9), 1)), expected);
        assert_eq!(sink.times(), 2);
    }
}

#[test]
fn it_ends_in_time_whatever_the_sink_does() {
    let sink = Scripted::new((0..1000).map(|_| Some(SinkError::Full)));
    let retry = Retry::new(sink.clone()).attempts(1000).delays(SHORT, SHORT).total(SHORT * 3);
    let (answer, took) = timed(|| write(&retry, 1));
    assert_eq!(reason(answer), "full", "the error of the last attempt");
    assert!(took < SHORT * 8 && sink.times() > 1, "{took:?}, {} attempts", sink.times());

    let hanging = Capture::new();
    hanging.set(Behaviour::HangAsync);
    let (answer, took) = timed(|| write(&Retry::new(hanging.clone()).total(SHORT), 1));
    assert_eq!(reason(answer), "deadline");
    assert!(took >= SHORT && took < PATIENCE / 4, "{took:?}");
}

#[test]
fn the_time_between_is_drawn_and_bounded() {
    let sink = Scripted::new((0..9).map(|_| Some(SinkError::Full)));
    let retry = Retry::new(sink.clone()).attempts(10).delays(Duration::from_millis(8), Duration::from_millis(32));
    let took: Vec<_> = (0..2).map(|_| timed(|| write(&retry, 1)).1).collect();
    // At most 8 + 16 + 7 · 32 ms.
    assert!(took[0] < Duration::from_millis(248) * 10, "{took:?}");
    assert_eq!(sink.times(), 11, "ten the first time, and well at once the second");
}
