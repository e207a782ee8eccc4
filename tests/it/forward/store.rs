//! A store as a sink: it knows records by stream and seq, takes the same again, and nothing else in its place.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use audited::{AuditSink, Durability, Journal, Record, SinkError};

use crate::support::PATIENCE;

/// What a store does with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Take,
    Fail,
    Reject,
    Panic,
    /// Stays pending.
    Hang,
    /// Blocks the thread that polls it until there is another behaviour.
    Block,
    /// Blocks it for a while, and takes them.
    Slow(Duration),
}

type Behaviour = Arc<dyn Fn(&[Record]) -> Answer + Send + Sync>;
/// Stream and seq.
pub(crate) type Key = (String, u64);

#[derive(Clone)]
pub(crate) struct Store(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    behaviour: Behaviour,
    behaviours: usize,
    records: BTreeMap<Key, String>,
    /// Each time that a record came and was taken, in order.
    taken: Vec<Key>,
    /// The size of each batch that came, and what was done with it.
    batches: Vec<(usize, Answer)>,
    /// The streams of which a batch is being taken now, and whether there was one twice.
    inside: BTreeSet<String>,
    concurrent: bool,
}

impl Store {
    pub(crate) fn new() -> Self {
        let state = State {
            behaviour: Arc::new(|_| Answer::Take),
            behaviours: 0,
            records: BTreeMap::new(),
            taken: Vec::new(),
            batches: Vec::new(),
            inside: BTreeSet::new(),
            concurrent: false,
        };
        Self(Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }))
    }

    pub(crate) fn that(answers: impl Fn(&[Record]) -> Answer + Send + Sync + 'static) -> Self {
        let store = Self::new();
        store.answer(answers);
        store
    }

    /// Changes what it does.
    pub(crate) fn answer(&self, answers: impl Fn(&[Record]) -> Answer + Send + Sync + 'static) {
        let mut state = self.lock();
        state.behaviour = Arc::new(answers);
        state.behaviours += 1;
        drop(state);
        self.0.changed.notify_all();
    }

    pub(crate) fn always(&self, answer: Answer) {
        self.answer(move |_| answer);
    }

    pub(crate) fn records(&self) -> BTreeMap<Key, String> {
        self.lock().records.clone()
    }

    pub(crate) fn taken(&self) -> Vec<Key> {
        self.lock().taken.clone()
    }

    pub(crate) fn batches(&self) -> Vec<(usize, Answer)> {
        self.lock().batches.clone()
    }

    /// Whether two batches of one stream were there at the same time.
    pub(crate) fn was_concurrent(&self) -> bool {
        self.lock().concurrent
    }

    /// Writes history anew.
    pub(crate) fn overwrite(&self, seq: u64, text: &str) {
        let mut state = self.lock();
        let found = state.records.iter_mut().find(|(key, _)| key.1 == seq);
        text.clone_into(found.expect("a record to overwrite").1);
    }

    /// Asserts that it has exactly the lines of a journal but for some positions.
    #[track_caller]
    pub(crate) fn assert_has_all_but(&self, journal: &Journal, but: &[u64]) {
        let head = journal.head().seq;
        let expected = Journal::read(journal.path()).unwrap().filter_map(Result::ok).filter_map(|record| {
            let seq = record.seq().unwrap();
            let key = (record.stream().unwrap().into_owned(), seq);
            (seq <= head && !but.contains(&seq)).then(|| (key, record.json().to_owned()))
        });
        let expected: BTreeMap<_, _> = expected.collect();
        let stream = journal.head().stream.to_string();
        let found: BTreeMap<_, _> = self.records().into_iter().filter(|(key, _)| key.0 == stream).collect();
        assert!(!expected.is_empty() && expected.len() as u64 + but.len() as u64 == head, "{but:?}");
        assert_eq!(found, expected);
    }

    /// Asserts that nothing overtook anything: apart from repeats, each record is the next of its stream.
    #[track_caller]
    pub(crate) fn assert_in_order_but(&self, but: &[u64]) {
        assert_in_order(&self.taken(), but);
    }

    #[track_caller]
    pub(crate) fn wait_for_batches(&self, what: &str, holds: impl Fn(&[(usize, Answer)]) -> bool) {
        let waits = |state: &mut State| !holds(&state.batches);
        let waited = self.0.changed.wait_timeout_while(self.lock(), PATIENCE, waits);
        let (state, out) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!out.timed_out(), "never: {what}: {:?}", state.batches);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[track_caller]
pub(crate) fn assert_in_order(taken: &[Key], but: &[u64]) {
    let mut next = BTreeMap::<&str, u64>::new();
    for (stream, seq) in taken {
        let next = next.entry(stream).or_insert(1);
        while but.contains(next) {
            *next += 1;
        }
        assert!(*seq <= *next, "record {seq} of {stream} came where {next} was due");
        *next = (*next).max(seq + 1);
    }
}

fn refused() -> std::io::Error {
    std::io::Error::other("s3cret in an error")
}

#[async_trait]
impl AuditSink for Store {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let (answer, streams) = {
            let mut state = self.lock();
            let answer = (state.behaviour)(batch);
            state.batches.push((batch.len(), answer));
            let streams: BTreeSet<_> = batch.iter().map(|record| record.stream().unwrap().into_owned()).collect();
            state.concurrent |= !state.inside.is_disjoint(&streams);
            state.inside.extend(streams.iter().cloned());
            (answer, streams)
        };
        self.0.changed.notify_all();
        let _inside = Inside(self, streams);
        match answer {
            Answer::Fail => return Err(SinkError::failed(refused())),
            Answer::Reject => return Err(SinkError::rejected(refused())),
            Answer::Panic => panic!("s3cret in a panic"),
            Answer::Hang => pending().await,
            Answer::Block => {
                let state = self.lock();
                let before = state.behaviours;
                let waits = |state: &mut State| state.behaviours == before;
                drop(self.0.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner));
            }
            Answer::Slow(time) => std::thread::sleep(time),
            Answer::Take => {}
        }
        let mut state = self.lock();
        for record in batch {
            let key = (record.stream().unwrap().into_owned(), record.seq().unwrap());
            match state.records.get(&key) {
                Some(there) if there != record.json() => return Err(SinkError::conflict(refused())),
                _ => {}
            }
            state.records.insert(key.clone(), record.json().to_owned());
            state.taken.push(key);
        }
        drop(state);
        self.0.changed.notify_all();
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn describe(&self) -> String {
        "store".into()
    }
}

struct Inside<'a>(&'a Store, BTreeSet<String>);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        for stream in &self.1 {
            state.inside.remove(stream);
        }
    }
}
