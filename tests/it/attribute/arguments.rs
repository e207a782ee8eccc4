//! Every kind of parameter and receiver, and when it is dropped.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use audited::audited;

use super::{call, run};

struct Pair {
    first: u32,
    second: String,
}

#[audited]
#[allow(clippy::toplevel_ref_arg, clippy::needless_arbitrary_self_type)]
fn patterns(
    mut start: u32,
    Pair { first, second: _ }: Pair,
    (third, _): (u32, u32),
    [fourth, ..]: [u32; 3],
    &fifth: &u32,
    _: u32,
    _unused: u32,
    ref sixth: String,
    ref mut seventh: String,
    eighth @ 0..=u32::MAX: u32,
    (Ok(ninth) | Err(ninth)): Result<u32, u32>,
) -> u32 {
    start += 1;
    seventh.push_str(sixth);
    start + first + third + fourth + fifth + u32::try_from(seventh.len()).unwrap() + eighth + ninth
}

#[audited]
#[allow(clippy::toplevel_ref_arg)]
async fn patterns_async(
    mut start: u32,
    Pair { first, second: _ }: Pair,
    (third, _): (u32, u32),
    [fourth, ..]: [u32; 3],
    &fifth: &u32,
    _: u32,
    _unused: u32,
    ref sixth: String,
    ref mut seventh: String,
    eighth @ 0..=u32::MAX: u32,
    (Ok(ninth) | Err(ninth)): Result<u32, u32>,
) -> u32 {
    start += 1;
    seventh.push_str(sixth);
    start + first + third + fourth + fifth + u32::try_from(seventh.len()).unwrap() + eighth + ninth
}

#[test]
fn patterns_bind_as_they_do_in_a_plain_function() {
    let pair = || Pair { first: 2, second: "unused".into() };
    let text = String::from("abc");
    let sum = call(|| patterns(1, pair(), (3, 0), [4, 0, 0], &5, 0, 0, text.clone(), text.clone(), 7, Err(8)));
    assert_eq!(sum, 37);
    let sum = run(patterns_async(1, pair(), (3, 0), [4, 0, 0], &5, 0, 0, text.clone(), text.clone(), 7, Ok(8)));
    assert_eq!(sum, 37);
    assert_eq!(pair().second, "unused");
}

#[audited(fields(always))]
async fn configured(always: u32, #[cfg(windows)] never: u32, #[cfg(not(windows))] here: u32) -> u32 {
    #[cfg(windows)]
    let here = never;
    always + here
}

#[audited]
async fn formatted(name: String, count: u32) -> String {
    format!("{name} has {count:>3}")
}

#[audited]
fn formatted_sync(name: String, count: u32) -> String {
    format!("{name} has {count:>3}")
}

#[test]
fn configured_and_formatted_arguments() {
    assert_eq!(run(configured(1, 2)), 3);
    assert_eq!(run(formatted("Ann".into(), 7)), "Ann has   7");
    assert_eq!(call(|| formatted_sync("Ann".into(), 7)), "Ann has   7");
}

struct Door(Vec<u32>);

impl Door {
    #[audited(action = "door.value", unlocked)]
    fn by_value(mut self) -> usize {
        self.0.push(1);
        self.0.len()
    }

    #[audited(action = "door.value", unlocked)]
    async fn by_value_async(mut self) -> usize {
        self.0.push(1);
        self.0.len()
    }

    #[audited(action = "door.box")]
    async fn by_box(self: Box<Self>) -> usize {
        self.0.len()
    }

    #[audited(action = "door.rc", unlocked)]
    fn by_rc(self: Rc<Self>) -> usize {
        self.0.len()
    }

    #[audited(action = "door.rc", unlocked)]
    async fn by_rc_async(self: Rc<Self>) -> usize {
        self.0.len()
    }

    #[audited(action = "door.arc", unlocked)]
    async fn by_arc(self: Arc<Self>) -> usize {
        self.0.len()
    }

    #[audited(action = "door.arc", unlocked)]
    async fn by_arc_reference(self: &Arc<Self>) -> usize {
        self.0.len()
    }

    #[audited(action = "door.pin", unlocked)]
    async fn by_pin(self: Pin<&mut Self>) -> usize {
        self.0.len()
    }

    #[audited(action = "door.pin", unlocked)]
    fn by_pin_sync(self: Pin<&mut Self>) -> usize {
        self.0.len()
    }

    #[audited(action = "door.unused")]
    async fn unused(self) {}
}

#[test]
fn every_receiver() {
    let door = || Door(vec![1, 2]);
    assert_eq!(call(|| door().by_value()), 3);
    assert_eq!(run(door().by_value_async()), 3);
    assert_eq!(run(Box::new(door()).by_box()), 2);
    assert_eq!(call(|| Rc::new(door()).by_rc()), 2);
    assert_eq!(run(Rc::new(door()).by_rc_async()), 2);
    assert_eq!(run(Arc::new(door()).by_arc()), 2);
    assert_eq!(run(Arc::new(door()).by_arc_reference()), 2);
    assert_eq!(run(Pin::new(&mut door()).by_pin()), 2);
    assert_eq!(call(|| Pin::new(&mut door()).by_pin_sync()), 2);
    run(door().unused());
}

thread_local! {
    static DROPS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// Says when it is dropped.
struct Bell(&'static str);

impl Drop for Bell {
    fn drop(&mut self) {
        DROPS.with_borrow_mut(|drops| drops.push(self.0));
    }
}

fn drops(run: impl FnOnce()) -> Vec<&'static str> {
    DROPS.take();
    run();
    DROPS.take()
}

macro_rules! twice {
    ($(#[$attr:meta])* $name:ident) => {
        $(#[$attr])*
        async fn $name(a: Bell, _b: Bell, _: Bell, (c, _): (Bell, Bell), _unused: Bell) {
            let _local = Bell("local");
            let _ = (&a, &c);
            std::future::ready(()).await;
        }
    };
}

twice!(plain_async);
twice!(
    #[audited]
    audited_async
);

#[test]
fn an_async_function_drops_in_the_plain_order() {
    let bells = || (Bell("a"), Bell("b"), Bell("_"), (Bell("c"), Bell("c_")), Bell("unused"));
    let plain = drops(|| {
        let (a, b, c, d, e) = bells();
        super::Recorded::new().run(plain_async(a, b, c, d, e));
    });
    let audited = drops(|| {
        let (a, b, c, d, e) = bells();
        run(audited_async(a, b, c, d, e));
    });
    assert_eq!(audited, plain);
    let plain = drops(|| {
        let (a, b, c, d, e) = bells();
        drop(plain_async(a, b, c, d, e));
    });
    let audited = drops(|| {
        let (a, b, c, d, e) = bells();
        drop(audited_async(a, b, c, d, e));
    });
    assert_eq!(
        {
            let mut sorted = audited;
            sorted.sort_unstable();
            sorted
        },
        {
            let mut sorted = plain;
            sorted.sort_unstable();
            sorted
        }
    );
}

#[audited]
fn audited_sync(a: Bell, _b: Bell, _: Bell, (c, _): (Bell, Bell), _unused: Bell) {
    let _local = Bell("local");
    let _ = (&a, &c);
}

/// The arguments that the body mentions move into it, and are dropped with its locals; the others are dropped after.
#[test]
fn a_sync_function_drops_what_the_body_mentions_first() {
    let audited = drops(|| {
        call(|| audited_sync(Bell("a"), Bell("b"), Bell("_"), (Bell("c"), Bell("c_")), Bell("unused")));
    });
    assert_eq!(audited, ["local", "a", "c", "unused", "c_", "_", "b"]);
}
