//! Combinations up to three deep, against a model of a page, with sinks that work, fail, panic, never answer, and never
//! come back from a poll.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use audited::{
    Action, AuditSink, Batch, Durability, Failover, FanOut, Filter, Map, Member, RateLimit, Record, Retry, SinkError,
    Timeout,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// How many cases run at a time, since they wait most of it, and how many times longer than usual each may take.
///
/// A sink that answers late on a busy machine is no other than one that does not answer in time. So a case that
/// disagrees runs again, several times over, with fewer others and more time. What disagrees at the last pace does not
/// do so for want of time.
const PACES: [(usize, u32); 3] = [(96, 1), (24, 4), (6, 16)];

/// How often a case that has disagreed runs at each of the slower paces.
const AGAIN: usize = 3;

/// How many times a `Retry` asks.
const ATTEMPTS: usize = 2;

/// How long a sink has, by the height of the combination that gives it so long: what is below has answered by then.
const DEADLINES: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(300), Duration::from_secs(1), Duration::from_millis(2600)];

/// Longer than any combination takes that answers at all.
const NEVER: Duration = Duration::from_secs(6);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Behaviour {
    Ok,
    Error,
    Panic,
    Hang,
    Block,
}

const BEHAVIOURS: [Behaviour; 5] =
    [Behaviour::Ok, Behaviour::Error, Behaviour::Panic, Behaviour::Hang, Behaviour::Block];

#[derive(Clone, Copy, Debug, PartialEq)]
enum One {
    Retry,
    Timeout,
    Map,
    Batch,
    RateLimit,
}

const ONES: [One; 5] = [One::Retry, One::Timeout, One::Map, One::Batch, One::RateLimit];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Several {
    All,
    Any,
    /// Of two, both in a list of their own; of three, two.
    Most,
    Filter,
    Failover,
}

const PAIRS: [Several; 4] = [Several::All, Several::Any, Several::Filter, Several::Failover];

#[derive(Clone, Debug)]
enum Tree {
    Leaf(Behaviour),
    One(One, Box<Tree>),
    Several(Several, Vec<Tree>),
}

/// What a sink answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Ok,
    Err,
    Never,
}

/// How often a leaf has a record, by its number and by whether its payload is left out.
type Kept = BTreeMap<(u32, bool), usize>;

impl Tree {
    fn one(one: One, of: Self) -> Self {
        Self::One(one, Box::new(of))
    }

    fn height(&self) -> usize {
        match self {
            Self::Leaf(_) => 0,
            Self::One(_, of) => of.height() + 1,
            Self::Several(_, of) => of.iter().map(Self::height).max().unwrap_or(0) + 1,
        }
    }

    fn leaves(&self) -> usize {
        match self {
            Self::Leaf(_) => 1,
            Self::One(_, of) => of.leaves(),
            Self::Several(_, of) => of.iter().map(Self::leaves).sum(),
        }
    }

    /// The trees below, with the number of the first leaf of each.
    fn below(&self, first: usize) -> Vec<(&Self, usize)> {
        let of: &[Self] = match self {
            Self::Leaf(_) => &[],
            Self::One(_, of) => std::slice::from_ref(of),
            Self::Several(_, of) => of,
        };
        let mut next = first;
        of.iter()
            .map(|tree| {
                let first = next;
                next += tree.leaves();
                (tree, first)
            })
            .collect()
    }
}

/// What a combination does with some records, and what its leaves have in the end.
fn expected(tree: &Tree, first: usize, records: &[u32], hidden: bool, kept: &mut [Kept]) -> Answer {
    let in_time = |answer| if answer == Answer::Never { Answer::Err } else { answer };
    let below = tree.below(first);
    let ask = |which: usize, records: &[u32], hidden: bool, kept: &mut [Kept]| {
        expected(below[which].0, below[which].1, records, hidden, kept)
    };
    match tree {
        Tree::Leaf(Behaviour::Ok) => {
            for record in records {
                *kept[first].entry((*record, hidden)).or_default() += 1;
            }
            Answer::Ok
        }
        Tree::Leaf(Behaviour::Error | Behaviour::Panic) => Answer::Err,
        Tree::Leaf(Behaviour::Hang | Behaviour::Block) => Answer::Never,
        Tree::One(One::Retry, _) => {
            let mut answer = ask(0, records, hidden, kept);
            for _ in 1..ATTEMPTS {
                if answer == Answer::Err {
                    answer = ask(0, records, hidden, kept);
                }
            }
            answer
        }
        Tree::One(One::Timeout | One::Batch, _) => in_time(ask(0, records, hidden, kept)),
        Tree::One(One::Map, _) => ask(0, records, true, kept),
        Tree::One(One::RateLimit, _) => ask(0, records, hidden, kept),
        Tree::Several(Several::Filter, _) => {
            let (odd, even): (Vec<_>, Vec<_>) = records.iter().partition(|record| **record % 2 == 1);
            let ways = [(0, odd), (1, even)].map(|(way, part)| match &part[..] {
                [] => Answer::Ok,
                part => in_time(ask(way, part, hidden, kept)),
            });
            if ways == [Answer::Ok; 2] { Answer::Ok } else { Answer::Err }
        }
        Tree::Several(Several::Failover, _) => match in_time(ask(0, records, hidden, kept)) {
            Answer::Ok => Answer::Ok,
            _ => in_time(ask(1, records, hidden, kept)),
        },
        Tree::Several(several, of) => {
            let good = (0..of.len()).filter(|member| ask(*member, records, hidden, kept) == Answer::Ok).count();
            let need = match several {
                Several::All => of.len(),
                Several::Any => 1,
                _ => 2,
            };
            if good >= need { Answer::Ok } else { Answer::Err }
        }
    }
}

/// The sets of leaves of which each may be all that has a record when the combination says that it is kept.
fn worlds(tree: &Tree, first: usize) -> Vec<Vec<usize>> {
    let below: Vec<_> = tree.below(first).into_iter().map(|(tree, first)| worlds(tree, first)).collect();
    let union = |sets: &[&Vec<Vec<usize>>]| sets.iter().flat_map(|set| (*set).clone()).collect::<Vec<_>>();
    let both = |a: &[Vec<usize>], b: &[Vec<usize>]| {
        a.iter().flat_map(|a| b.iter().map(|b| [&a[..], b].concat())).collect::<Vec<_>>()
    };
    match (tree, &below[..]) {
        (Tree::Leaf(_), _) => vec![vec![first]],
        (Tree::One(..), [of]) => of.clone(),
        (Tree::Several(Several::All, _), [a, b]) => both(a, b),
        (Tree::Several(Several::Most, _), [a, b, c]) => union(&[&both(a, b), &both(a, c), &both(b, c)]),
        (_, [a, b]) => union(&[a, b]),
        other => unreachable!("{other:?}"),
    }
}

const PROMISES: [Durability; 5] =
    [Durability::Disk, Durability::Memory, Durability::Replicated, Durability::None, Durability::OsBuffer];

fn promise_of(leaf: usize) -> Durability {
    PROMISES[leaf % PROMISES.len()]
}

/// The weakest that an acknowledgement can mean.
fn expected_durability(tree: &Tree) -> Durability {
    let promise = |world: &Vec<usize>| world.iter().map(|leaf| promise_of(*leaf)).max().unwrap();
    worlds(tree, 0).iter().map(promise).min().unwrap()
}

/// A foreign sink with a behaviour of its own.
struct Leaf {
    behaviour: Behaviour,
    promise: Durability,
    kept: Arc<Mutex<Vec<Record>>>,
    released: Arc<(Mutex<bool>, Condvar)>,
}

#[async_trait]
impl AuditSink for Leaf {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        match self.behaviour {
            Behaviour::Ok => {
                self.kept.lock().unwrap().extend_from_slice(batch);
                return Ok(());
            }
            Behaviour::Error => {}
            Behaviour::Panic => std::panic::resume_unwind(Box::new("as it does")),
            Behaviour::Hang => std::future::pending::<()>().await,
            Behaviour::Block => {
                let (released, changed) = &*self.released;
                drop(changed.wait_while(released.lock().unwrap(), |released| !*released).unwrap());
            }
        }
        Err(SinkError::failed(std::io::Error::other("as it does")))
    }

    fn durability(&self) -> Durability {
        self.promise
    }

    fn describe(&self) -> String {
        "leaf".into()
    }
}

/// What a combination was made of, to look at.
#[derive(Clone)]
struct Leaves {
    kept: Vec<Arc<Mutex<Vec<Record>>>>,
    released: Arc<(Mutex<bool>, Condvar)>,
    /// How many times longer than usual everything may take.
    longer: u32,
}

impl Leaves {
    fn build(&self, tree: &Tree, first: usize) -> Arc<dyn AuditSink> {
        let deadline = DEADLINES[tree.height()] * self.longer;
        let below = tree.below(first);
        let sink = |which: usize| self.build(below[which].0, below[which].1);
        let member = |which: usize| Member::new(sink(which)).deadline(deadline);
        let many = NonZeroU32::new(1_000_000).unwrap();
        match tree {
            Tree::Leaf(behaviour) => Arc::new(Leaf {
                behaviour: *behaviour,
                promise: promise_of(first),
                kept: self.kept[first].clone(),
                released: self.released.clone(),
            }),
            Tree::One(One::Retry, _) => Arc::new(
                Retry::new(sink(0))
                    .attempts(ATTEMPTS)
                    .delays(Duration::from_millis(1), Duration::from_millis(2))
                    .total(Duration::from_secs(600)),
            ),
            Tree::One(One::Timeout, _) => Arc::new(Timeout::new(sink(0), deadline)),
            Tree::One(One::Map, _) => Arc::new(Map::builder(sink(0)).drop_detail().build().unwrap()),
            Tree::One(One::Batch, _) => Arc::new(Batch::builder(member(0)).delay(Duration::from_millis(1)).build()),
            Tree::One(One::RateLimit, _) => Arc::new(RateLimit::new(sink(0), many, many)),
            Tree::Several(Several::Filter, _) => {
                Arc::new(Filter::new(|record| number(record) % 2 == 1, member(0), member(1)))
            }
            Tree::Several(Several::Failover, _) => Arc::new(Failover::new(member(0), member(1))),
            Tree::Several(several, of) => {
                let (fan_out, members) = (FanOut::builder(), (0..of.len()).map(member));
                let fan_out = match several {
                    Several::All => fan_out.all(members),
                    Several::Any => fan_out.any(members),
                    _ => fan_out.quorum(2, members),
                };
                Arc::new(fan_out.build().unwrap())
            }
        }
    }

    fn kept(&self) -> Vec<Kept> {
        let count = |leaf: &Arc<Mutex<Vec<Record>>>| {
            let mut kept = Kept::new();
            for record in &*leaf.lock().unwrap() {
                *kept.entry((number(record), record.detail() == Some(r#""<redacted>""#))).or_default() += 1;
            }
            kept
        };
        self.kept.iter().map(count).collect()
    }
}

/// The number stands in what a copy keeps.
fn number(record: &Record) -> u32 {
    record.action().strip_prefix("combine.n").unwrap().parse().unwrap()
}

/// Runs a case and says what is not as expected; what its leaves have is looked at once more in the end.
fn disagreement(tree: &Tree, longer: u32) -> Result<Case, String> {
    let released = Arc::default();
    let leaves = Leaves { kept: (0..tree.leaves()).map(|_| Arc::default()).collect(), released, longer };
    let sink = leaves.build(tree, 0);
    let mut kept = vec![Kept::new(); tree.leaves()];
    let answer = expected(tree, 0, &[1, 2], false, &mut kept);
    if sink.durability() != expected_durability(tree) {
        return Err(format!("{tree:?} promises {}, not {}", sink.durability(), expected_durability(tree)));
    }
    let (answers, answered) = channel();
    let stop = Arc::new(AtomicBool::new(false));
    let (writing, stopped) = (sink.clone(), stop.clone());
    let writer = thread::spawn(move || {
        let batch = [1, 2].map(|n| Record::builder(action(n)).field("secret", &n).build());
        let poll = || poll_until(writing.write(&batch), &stopped);
        let _ = answers.send(std::panic::catch_unwind(std::panic::AssertUnwindSafe(poll)).unwrap_or(None));
    });
    // Whatever takes longer than that never answers.
    let found = match answered.recv_timeout(NEVER * longer) {
        Ok(Some(Ok(()))) => Answer::Ok,
        Ok(Some(Err(_))) => Answer::Err,
        Ok(None) => return Err(format!("{tree:?} panics")),
        Err(_) => Answer::Never,
    };
    let until = Instant::now() + Duration::from_secs(4) * longer;
    while leaves.kept() != kept && Instant::now() < until {
        thread::sleep(Duration::from_millis(5));
    }
    stop.store(true, Ordering::SeqCst);
    writer.thread().unpark();
    let case = Case { tree: tree.clone(), leaves, kept };
    *case.leaves.released.0.lock().unwrap() = true;
    case.leaves.released.1.notify_all();
    if found != answer {
        return Err(format!("{tree:?} answers {found:?}, not {answer:?}"));
    }
    case.check()?;
    Ok(case)
}

/// Polls until there is an answer, or nobody waits for it.
fn poll_until<F: Future>(future: F, stop: &AtomicBool) -> Option<F::Output> {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let (mut future, waker) = (pin!(future), Waker::from(Arc::new(Unpark(thread::current()))));
    while !stop.load(Ordering::SeqCst) {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(answer);
        }
        thread::park();
    }
    None
}

const fn action(n: u32) -> Action {
    if n == 1 { Action::new("combine.n1") } else { Action::new("combine.n2") }
}

struct Case {
    tree: Tree,
    leaves: Leaves,
    kept: Vec<Kept>,
}

impl Case {
    fn check(&self) -> Result<(), String> {
        let found = self.leaves.kept();
        if found == self.kept { Ok(()) } else { Err(format!("{:?}: {found:?}, not {:?}", self.tree, self.kept)) }
    }
}

#[track_caller]
fn agree(mut trees: Vec<Tree>) {
    let (count, mut errors) = (trees.len(), Vec::new());
    for (at_a_time, longer) in PACES {
        let disagreeing = run(trees, at_a_time, longer);
        (trees, errors) = disagreeing.into_iter().unzip();
        if errors.is_empty() {
            return;
        }
        trees = trees.iter().flat_map(|tree| std::iter::repeat_n(tree.clone(), AGAIN)).collect();
    }
    panic!("{} disagree, of {count} cases:\n{}", errors.len(), errors.join("\n"));
}

/// Those that disagree, each with what is not as expected.
fn run(trees: Vec<Tree>, at_a_time: usize, longer: u32) -> Vec<(Tree, String)> {
    let trees = Mutex::new(trees.into_iter());
    let (cases, disagreeing) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(|| {
                loop {
                    let next = trees.lock().unwrap().next();
                    let Some(tree) = next else { break };
                    match disagreement(&tree, longer) {
                        Ok(case) => cases.lock().unwrap().push(case),
                        Err(error) => disagreeing.lock().unwrap().push((tree, error)),
                    }
                }
            });
        }
    });
    let (cases, mut disagreeing) = (cases.into_inner().unwrap(), disagreeing.into_inner().unwrap());
    // Nothing has come since.
    disagreeing.extend(cases.iter().filter_map(|case| Some((case.tree.clone(), case.check().err()?))));
    disagreeing
}

/// Every combination of sinks that combine nothing.
fn flat() -> Vec<Tree> {
    let leaves = BEHAVIOURS.map(Tree::Leaf);
    let mut trees = Vec::new();
    for a in &leaves {
        trees.extend(ONES.map(|one| Tree::one(one, a.clone())));
        for b in &leaves {
            trees.extend(PAIRS.map(|pair| Tree::Several(pair, vec![a.clone(), b.clone()])));
            trees.extend(leaves.iter().map(|c| Tree::Several(Several::Most, vec![a.clone(), b.clone(), c.clone()])));
        }
    }
    trees
}

#[test]
fn every_flat_combination_agrees_with_the_model() {
    let trees = flat();
    assert_eq!(trees.len(), 5 * 5 + 25 * 4 + 125);
    agree(trees);
}

#[test]
fn every_combination_around_a_flat_one_agrees_with_the_model() {
    let of_few = |tree: &Tree| tree.leaves() <= 2;
    let trees: Vec<_> = flat().into_iter().filter(of_few).collect();
    agree(ONES.iter().flat_map(|one| trees.iter().map(|tree| Tree::one(*one, tree.clone()))).collect());
}

#[test]
fn every_chain_of_three_agrees_with_the_model() {
    let mut trees = BEHAVIOURS.map(Tree::Leaf).to_vec();
    for _ in 0..3 {
        trees = ONES.iter().flat_map(|one| trees.iter().map(|tree| Tree::one(*one, tree.clone()))).collect();
    }
    assert_eq!(trees.len(), 625);
    agree(trees);
}

/// Works more often than not, so that there is something to see three levels above.
fn any_tree() -> impl Strategy<Value = Tree> {
    let behaviour = prop_oneof![4 => Just(Behaviour::Ok), 4 => prop::sample::select(BEHAVIOURS.to_vec())];
    behaviour.prop_map(Tree::Leaf).prop_recursive(3, 27, 3, |below| {
        let one = (prop::sample::select(ONES.to_vec()), below.clone()).prop_map(|(one, of)| Tree::one(one, of));
        let pair = (prop::sample::select(PAIRS.to_vec()), prop::collection::vec(below.clone(), 2));
        let most = prop::collection::vec(below, 3).prop_map(|of| Tree::Several(Several::Most, of));
        prop_oneof![2 => one, 3 => pair.prop_map(|(pair, of)| Tree::Several(pair, of)), 1 => most]
    })
}

#[test]
fn combinations_three_deep_agree_with_the_model() {
    let (mut runner, strategy) = (TestRunner::deterministic(), any_tree());
    let trees = std::iter::repeat_with(|| strategy.new_tree(&mut runner).unwrap().current());
    agree(trees.filter(|tree| tree.height() == 3).take(500).collect());
}
