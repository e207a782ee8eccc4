//! The context: who acts is known where a record is made, and nowhere else.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use audited::{
    Action, Actor, ActorId, AuditContext, CorrelationId, KeyRing, Record, Recorder, SessionId, Source, Subject,
    TenantId, carry, current_context, extend_context, record_action, with_context, with_context_sync, with_recorder,
    with_recorder_sync,
};

use crate::support::{self, Capture};

const DONE: Action = Action::new("thing.done");

fn of(actor: &str) -> AuditContext {
    AuditContext::new().actor(Actor::user(ActorId::plain(actor)))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// The ids of the actors in the sink; `-` where there is none.
fn actors(sink: &Capture) -> Vec<String> {
    let actor = |record: &Record| record.actor().and_then(|actor| actor.id).unwrap_or_else(|| "-".into());
    sink.records().iter().map(actor).collect()
}

/// Who acts here, as a record would say it.
fn here() -> String {
    let Some(context) = current_context() else { return "none".into() };
    let record = Record::builder(DONE).context(context).build();
    record.actor().and_then(|actor| actor.id).unwrap_or_else(|| "-".into())
}

/// Pending once.
async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::replace(&mut paused, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[test]
fn a_context_holds_across_await_points_and_nowhere_else() {
    assert_eq!(here(), "none");
    runtime().block_on(async {
        let scoped = with_context(of("ann"), async {
            assert_eq!(here(), "ann");
            pause().await;
            assert_eq!(here(), "ann");
            with_context(of("bob"), async {
                pause().await;
                assert_eq!(here(), "bob");
            })
            .await;
            assert_eq!(here(), "ann");
            with_context_sync(of("cid"), || assert_eq!(here(), "cid"));
            assert_eq!(here(), "ann");
        });
        assert_eq!(here(), "none");
        scoped.await;
        assert_eq!(here(), "none");
    });
}

#[test]
fn a_missing_actor_is_absent() {
    let sink = Capture::new();
    with_recorder_sync(support::recorder(sink.clone()), || {
        record_action(DONE).wait().unwrap();
        with_context_sync(AuditContext::new(), || record_action(DONE).wait()).unwrap();
        with_context_sync(AuditContext::new().actor(Actor::anonymous()), || record_action(DONE).wait()).unwrap();
    });
    let records = sink.records();
    assert_eq!(records[0].actor(), None);
    assert_eq!(records[1].actor(), None);
    assert_eq!(records[2].get("actor"), Some(r#"{"kind":"anonymous"}"#));
}

#[test]
fn scopes_of_recorder_and_context_nest_in_either_order() {
    let sink = Capture::new();
    let recorder = support::recorder(sink.clone());
    runtime().block_on(async {
        let event = || async { record_action(DONE).await.map(drop) };
        with_recorder(recorder.clone(), with_context(of("inside"), event())).await.unwrap();
        with_context(of("outside"), with_recorder(recorder.clone(), event())).await.unwrap();
        let made_outside = with_context(of("late"), event());
        with_recorder(recorder.clone(), made_outside).await.unwrap();
    });
    assert_eq!(actors(&sink), ["inside", "outside", "late"]);
}

#[test]
fn interleaved_futures_on_one_thread_do_not_see_each_other() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let task = |name: &'static str| {
        let seen = seen.clone();
        with_context(of(name), async move {
            for _ in 0..3 {
                seen.lock().unwrap().push((name, here()));
                pause().await;
            }
        })
    };
    runtime().block_on(async {
        tokio::join!(task("ann"), task("bob"), async {
            for _ in 0..3 {
                assert_eq!(here(), "none");
                pause().await;
            }
        });
    });
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 6);
    assert_eq!((seen[0].0, seen[1].0), ("ann", "bob"), "interleaved");
    assert!(seen.iter().all(|(name, actor)| name == actor), "{seen:?}");
}

#[test]
fn a_spawned_task_has_the_context_that_it_carries_and_no_other() {
    let sink = Capture::new();
    let recorder = support::recorder(sink.clone());
    runtime().block_on(with_recorder(
        recorder.clone(),
        with_context(of("ann"), async {
            assert_eq!(tokio::spawn(async { here() }).await.unwrap(), "none");
            tokio::spawn(carry(async { record_action(DONE).await.map(drop) })).await.unwrap().unwrap();
        }),
    ));
    with_recorder_sync(recorder, || {
        with_context_sync(of("bob"), || {
            let carried = carry(async { here() });
            let seen = std::thread::spawn(move || runtime().block_on(carried)).join().unwrap();
            assert_eq!(seen, "bob");
            assert_eq!(std::thread::spawn(here).join().unwrap(), "none");
            let context = current_context().unwrap();
            let seen = std::thread::spawn(|| with_context_sync(context, here)).join().unwrap();
            assert_eq!(seen, "bob");
        });
    });
    assert_eq!(actors(&sink), ["ann"]);
}

#[test]
fn what_a_handler_adds_is_seen_around_it_too() {
    runtime().block_on(with_context(AuditContext::new(), async {
        assert_eq!(here(), "-");
        let handler = async {
            pause().await;
            extend_context(of("ann")).unwrap();
        };
        handler.await;
        assert_eq!(here(), "ann");
        tokio::spawn(carry(async { extend_context(AuditContext::new().tenant(TenantId::plain("acme"))).unwrap() }))
            .await
            .unwrap();
        let record = Record::builder(DONE).context(current_context().unwrap()).build();
        assert_eq!(record.tenant().as_deref(), Some("acme"));
    }));
}

#[test]
fn there_is_nothing_to_add_to_outside_of_a_scope() {
    let error = extend_context(of("ann")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no audit context here: scope one with `with_context`, and carry it into spawned tasks with `carry`"
    );
    assert_eq!(current_context(), None);
}

#[test]
fn what_was_before_is_back_after_a_panic() {
    with_context_sync(of("ann"), || {
        let panicked = std::panic::catch_unwind(|| with_context_sync(of("bob"), || panic!("inside")));
        assert!(panicked.is_err());
        assert_eq!(here(), "ann");
        let mut future = Box::pin(with_context(of("cid"), async { panic!("inside") }));
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _: Poll<()> = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }));
        assert!(polled.is_err());
        assert_eq!(here(), "ann");
    });
    assert_eq!(here(), "none");
}

/// Notes who acts when it is dropped.
struct NotesWhenDropped(Arc<Mutex<Vec<String>>>);

impl Drop for NotesWhenDropped {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(here());
    }
}

#[test]
fn what_a_future_holds_is_dropped_in_its_scope() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let hold = |name: &str| {
        let guard = NotesWhenDropped(seen.clone());
        with_context(of(name), async move {
            let _guard = guard;
            pause().await;
        })
    };
    let mut cancelled = Box::pin(hold("cancelled"));
    assert!(cancelled.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(cancelled);
    drop(hold("never polled"));
    runtime().block_on(hold("done"));
    assert_eq!(*seen.lock().unwrap(), ["cancelled", "never polled", "done"]);
}

#[test]
fn a_scope_may_end_with_its_thread() {
    thread_local! {
        static KEPT: std::cell::RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>> = const { std::cell::RefCell::new(None) };
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let guard = NotesWhenDropped(seen.clone());
    std::thread::spawn(move || {
        // Dropped while the thread's locals are, in whatever order.
        KEPT.set(Some(Box::pin(with_context(of("ann"), async move {
            let _guard = guard;
            std::future::pending::<()>().await;
        }))));
        with_context_sync(of("bob"), || {
            KEPT.with_borrow_mut(|kept| {
                let _ = kept.as_mut().unwrap().as_mut().poll(&mut Context::from_waker(Waker::noop()));
            });
        });
    })
    .join()
    .unwrap();
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[test]
fn what_authentication_set_stays_and_what_differs_is_claimed() {
    let sink = Capture::new();
    let verified = of("ann").tenant(TenantId::plain("acme")).correlation_id(CorrelationId::parse("c-1").unwrap());
    with_recorder_sync(support::recorder(sink.clone()), || {
        with_context_sync(verified, || {
            record_action(DONE).actor(Actor::user(ActorId::plain("ann"))).wait().unwrap();
            record_action(DONE).actor(Actor::user(ActorId::plain("mallory"))).wait().unwrap();
            extend_context(AuditContext::new().tenant(TenantId::plain("evil")).source(Source::new().origin("x")))
                .unwrap();
            record_action(DONE).wait().unwrap();
        });
    });
    let records = sink.records();
    assert_eq!(actors(&sink), ["ann", "ann", "ann"]);
    assert_eq!((records[0].claimed(), records[0].flags()), (None, vec![]));
    assert_eq!(records[1].claimed(), Some(r#"{"actor":{"kind":"user","id":"mallory"}}"#));
    assert_eq!(records[1].flags(), ["claimed"]);
    assert_eq!(records[2].tenant().as_deref(), Some("acme"));
    assert_eq!(records[2].claimed(), Some(r#"{"tenant":"evil"}"#));
    assert_eq!(records[2].source().unwrap().origin.as_deref(), Some("x"));
}

#[test]
fn hashed_identities_are_compared_by_what_they_denote() {
    let keys = KeyRing::new("k", [5; 32]).unwrap();
    let sink = Capture::new();
    let recorder = Recorder::builder().sink(sink.clone()).keys(keys.clone()).allow_weak_fail_closed().build().unwrap();
    let verified = AuditContext::new().actor(Actor::user(ActorId::hash("ann"))).session(SessionId::new("s-1"));
    with_recorder_sync(recorder, || {
        with_context_sync(verified, || {
            record_action(DONE).actor(Actor::user(ActorId::hash("ann"))).wait().unwrap();
            record_action(DONE).actor(Actor::user(ActorId::plain("ann"))).wait().unwrap();
            extend_context(AuditContext::new().session(SessionId::new("s-2"))).unwrap();
            record_action(DONE).actor(Actor::user(ActorId::hash("bob"))).wait().unwrap();
        });
    });
    let records = sink.records();
    let ann = keys.hash(None, None, "ann");
    assert_eq!(actors(&sink), [&*ann, &*ann, &*ann]);
    assert_eq!((records[0].claimed(), records[1].claimed()), (None, None));
    let claimed = format!(
        r#"{{"session":"{}","actor":{{"kind":"user","id":"{}"}}}}"#,
        keys.hash(None, None, "s-2"),
        keys.hash(None, None, "bob")
    );
    assert_eq!(records[2].claimed(), Some(&*claimed));
    assert_eq!(records[2].redacted(), ["actor.id", "session", "claimed.session", "claimed.actor.id"]);
    for text in ["s-1", "s-2", "bob", "\"ann\""] {
        assert!(!records[2].json().contains(text), "{text}: {}", records[2].json());
    }
}

#[test]
fn a_context_that_is_added_to_for_ever_stays_small() {
    let record = with_context_sync(AuditContext::new(), || {
        for n in 0..10_000_u32 {
            extend_context(of(&format!("u{n}")).subject(Subject::user(n))).unwrap();
        }
        Record::builder(DONE).context(current_context().unwrap()).build()
    });
    assert_eq!(record.subjects().len(), 32);
    assert_eq!(record.cut(), ["subjects"]);
    assert_eq!(record.flags(), ["claimed", "cut"]);
    assert!(record.json().len() < 4096);
}

#[test]
fn debug_shows_nothing_that_is_hashed() {
    let context = AuditContext::new()
        .actor(Actor::user(ActorId::hash("s3cret-a")))
        .session(SessionId::new("s3cret-b"))
        .tenant(TenantId::hash("s3cret-c"))
        .subject(Subject::user(audited::SubjectId::hash("s3cret-d")));
    let scoped = pin!(with_context(context.clone(), async {}));
    let builder = record_action(DONE).context(context.clone());
    for shown in
        [format!("{context:?}"), format!("{scoped:?}"), format!("{builder:?}"), format!("{:?}", builder.build())]
    {
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
