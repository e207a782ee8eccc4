//! What an older edition sees otherwise: lifetimes that `impl Trait` captures, and when the temporaries of a last
//! expression are dropped.

use std::cell::RefCell;
use std::future::Future;
use std::pin::{pin, Pin};
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use renamed::{audited, with_recorder, with_recorder_sync, Deny, MemorySink, Recorder, Refusal, Verdict};

#[derive(Debug, PartialEq)]
struct Error;

impl Deny for Error {
    fn deny(&self) -> Verdict {
        Verdict::failure("broken")
    }
}

impl From<Refusal> for Error {
    fn from(_: Refusal) -> Self {
        Self
    }
}

/// The value of a call, which left so many records.
fn call<T>(records: usize, call: impl FnOnce() -> T) -> T {
    let memory = MemorySink::new();
    let recorder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build().expect("a recorder");
    let value = with_recorder_sync(recorder, call);
    assert_eq!(memory.records().iter().filter(|record| record.action().starts_with("shape.")).count(), records);
    value
}

fn run<F: Future>(records: usize, future: F) -> F::Output {
    call(records, || {
        let mut future = pin!(with_recorder(Recorder::current(), future));
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return value;
            }
        }
    })
}

struct Shelf {
    books: Vec<u32>,
    lent: Mutex<Vec<u32>>,
}

impl Shelf {
    #[audited(crate = renamed, action = "shape.elided", fields(length = a.len() + b.len()))]
    async fn elided(&self, a: &str, b: &str) -> usize {
        std::future::ready(()).await;
        self.books.len() + a.len() + b.len()
    }

    #[audited(crate = renamed, action = "shape.explicit")]
    async fn explicit<'a>(&self, a: &'a str, b: &str) -> &'a str {
        std::future::ready(()).await;
        &a[self.books.len().min(b.len())..]
    }

    #[audited(crate = renamed, action = "shape.of_self")]
    async fn of_self(&mut self, at: &usize) -> Option<&mut u32> {
        self.books.get_mut(*at)
    }

    #[audited(crate = renamed, action = "shape.books", unlocked)]
    fn books(&self) -> impl Iterator<Item = &u32> + '_ {
        self.books.iter()
    }

    #[audited(crate = renamed, action = "shape.books", unlocked)]
    async fn books_async(&self) -> impl Iterator<Item = &u32> + '_ {
        self.books.iter()
    }

    #[audited(crate = renamed, action = "shape.boxed", fail_closed)]
    fn boxed<'a>(&'a self, by: &'a u32) -> Pin<Box<dyn Future<Output = Result<u32, Error>> + Send + 'a>> {
        Box::pin(async move { self.books.first().map(|book| book + by).ok_or(Error) })
    }

    /// The guard outlives what it is called on, unless temporaries go first.
    #[audited(crate = renamed, action = "shape.lent", unlocked)]
    fn lent(&self) -> Vec<u32> {
        self.lent.lock().unwrap().clone()
    }

    #[audited(crate = renamed, action = "shape.lent", unlocked)]
    async fn lent_async(&self) -> Vec<u32> {
        self.lent.lock().unwrap().clone()
    }

    #[audited(crate = renamed, action = "shape.lent", unlocked)]
    async fn lent_by_argument(self, more: Mutex<u32>) -> usize {
        self.lent.lock().unwrap().len() + *more.lock().unwrap() as usize
    }
}

#[test]
fn borrowed_arguments_and_returns() {
    let mut shelf = Shelf { books: vec![1, 2, 3], lent: Mutex::new(vec![4]) };
    assert_eq!(run(1, shelf.elided("ab", &String::from("c"))), 6);
    assert_eq!(run(1, shelf.explicit("abcdef", "xy")), "cdef");
    assert_eq!(run(1, shelf.of_self(&1)), Some(&mut 2));
    assert_eq!(call(1, || shelf.books().count()), 3);
    assert_eq!(run(1, shelf.books_async()).count(), 3);
    assert_eq!(run(2, shelf.boxed(&1)), Ok(2));
    assert_eq!(call(1, || shelf.lent()), [4]);
    assert_eq!(run(1, shelf.lent_async()), [4]);
    assert_eq!(run(1, shelf.lent_by_argument(Mutex::new(1))), 2);
}

#[audited(crate = renamed, action = "shape.measured", fields(text = plain(text)))]
fn measured(text: &str, by: &dyn Fn(&str) -> usize) -> usize {
    by(text)
}

#[audited(crate = renamed, action = "shape.opaque")]
fn opaque(number: u32) -> impl Future<Output = u32> {
    async move { number }
}

#[audited(crate = renamed, action = "shape.question", fail_closed)]
async fn question(number: Option<u32>) -> Result<u32, Error> {
    let number = number.ok_or(Error)?;
    if number == 0 {
        return Err(Error);
    }
    Ok(number)
}

#[test]
fn dyn_arguments_futures_and_question_marks() {
    assert_eq!(call(1, || measured("abc", &str::len)), 3);
    assert_eq!(run(1, opaque(3)), 3);
    assert_eq!(run(2, question(Some(1))), Ok(1));
    assert_eq!(run(2, question(Some(0))), Err(Error));
    assert_eq!(run(2, question(None)), Err(Error));
}

thread_local! {
    static DROPS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// Says when it is dropped.
struct Bell(&'static str);

impl Bell {
    fn ring(&self) -> usize {
        self.0.len()
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        DROPS.with_borrow_mut(|drops| drops.push(self.0));
    }
}

macro_rules! rings {
    ($(#[$attr:meta])* $sync:ident $asynchronous:ident) => {
        $(#[$attr])*
        fn $sync(argument: Bell) -> usize {
            let _local = Bell("local");
            let _ = &argument;
            Bell("temporary").ring()
        }

        $(#[$attr])*
        async fn $asynchronous(argument: Bell) -> usize {
            let _local = Bell("local");
            let _ = &argument;
            Bell("temporary").ring()
        }
    };
}

rings!(plain plain_async);
rings!(
    #[audited(crate = renamed, action = "shape.rings", unlocked)]
    rings rings_async
);

#[test]
fn temporaries_of_the_last_expression_go_when_they_would() {
    let drops = |ring: &dyn Fn() -> usize| {
        assert_eq!(ring(), "temporary".len());
        DROPS.take()
    };
    let plain = drops(&|| plain(Bell("argument")));
    assert_eq!(drops(&|| call(1, || rings(Bell("argument")))), plain);
    assert_eq!(drops(&|| run(0, plain_async(Bell("argument")))), plain);
    assert_eq!(drops(&|| run(1, rings_async(Bell("argument")))), plain);
}
