//! Room for records, and callers that wait for it or for their answer.

use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use audited::{Actor, AuditContext, SinkError, record_action, with_context, with_recorder, with_recorder_sync};

use super::{DONE, SHORT, numbers, record_n, recorder_with};
use crate::support::{Behaviour, Capture, PATIENCE, eventually};

#[test]
fn fifty_callers_share_one_place_in_the_order_in_which_they_came() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.max_in_flight(1).deadline(PATIENCE));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..50_u32)
            .map(|n| {
                tokio::spawn(with_recorder(recorder.clone(), async move { record_action(DONE).field("n", &n).await }))
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    });
    assert_eq!(numbers(&sink), (0..50).collect::<Vec<_>>());
    assert_eq!(recorder.stats().lost, 0);
}

#[test]
fn fifty_threads_share_one_place() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.max_in_flight(1).deadline(PATIENCE));
    std::thread::scope(|scope| {
        for n in 0..50 {
            let recorder = &recorder;
            scope.spawn(move || record_n(recorder, n).unwrap());
        }
    });
    assert_eq!(sink.records().len(), 50);
}

#[test]
fn whoever_leaves_the_queue_leaves_his_turn_to_the_next() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.max_in_flight(1).deadline(PATIENCE));
    sink.set(Behaviour::HangBlocking);
    let mut cx = Context::from_waker(Waker::noop());
    let mut record = |n: u32| {
        let mut recording =
            Box::pin(with_recorder_sync(recorder.clone(), || record_action(DONE).field("n", &n).into_future()));
        assert!(recording.as_mut().poll(&mut cx).is_pending());
        recording
    };
    let (first, called_and_gone, gone, mut last) = (record(1), record(2), record(3), record(4));
    drop(gone);
    drop(first);
    sink.set(Behaviour::Ok);
    // The second is called once the first is written, and never looks.
    sink.wait_for(1, PATIENCE);
    eventually("landed", || recorder.stats().acknowledged == 2);
    drop(called_and_gone);
    let mut cx = Context::from_waker(Waker::noop());
    // Its turn has come: looking submits it.
    let _ = last.as_mut().poll(&mut cx);
    sink.wait_for(2, PATIENCE);
    assert_eq!(numbers(&sink), [1, 4]);
}

#[test]
fn whoever_times_out_in_the_queue_does_not_keep_the_recorder() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.max_in_flight(1).deadline(Duration::from_millis(5)));
    sink.set(Behaviour::HangBlocking);
    for n in 0..200 {
        record_n(&recorder, n).unwrap_err();
    }
    let stats = recorder.stats();
    assert_eq!((stats.unacknowledged, stats.lost), (200, 199));
    sink.set(Behaviour::Ok);
    sink.wait_for(1, PATIENCE);
    recorder.flush(PATIENCE).unwrap();
    record_n(&recorder, 201).unwrap();
}

#[test]
fn a_call_inside_a_current_thread_runtime_may_block_it() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.deadline(PATIENCE));
    sink.set(Behaviour::Slow(Duration::from_millis(5)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        record_n(&recorder, 1).unwrap();
        let spawned = recorder.clone();
        tokio::spawn(async move { record_n(&spawned, 2) }).await.unwrap().unwrap();
        let blocking = recorder.clone();
        tokio::task::spawn_blocking(move || record_n(&blocking, 3)).await.unwrap().unwrap();
        tokio::task::LocalSet::new().run_until(async { record_n(&recorder, 4) }).await.unwrap();
    });
    assert_eq!(numbers(&sink), [1, 2, 3, 4]);
}

/// Tells that it was woken.
struct Tell(mpsc::Sender<()>);
impl std::task::Wake for Tell {
    fn wake(self: std::sync::Arc<Self>) {
        let _ = self.0.send(());
    }
}

#[test]
fn an_event_needs_no_runtime_at_all() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    let (sender, told) = mpsc::channel();
    let waker = Waker::from(std::sync::Arc::new(Tell(sender)));
    let mut cx = Context::from_waker(&waker);
    let context = AuditContext::new().actor(Actor::system());
    let mut recording = pin!(with_recorder(recorder, with_context(context, async { record_action(DONE).await })));
    let id = loop {
        match recording.as_mut().poll(&mut cx) {
            Poll::Ready(answer) => break answer.unwrap(),
            Poll::Pending => told.recv_timeout(PATIENCE).unwrap(),
        }
    };
    let records = sink.records();
    assert_eq!(records[0].id(), Some(id));
    assert_eq!(records[0].actor().unwrap().kind, Some(audited::ActorKind::System));
}

#[test]
fn an_awaited_event_expires_without_anybody_polling_it() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.deadline(SHORT));
    sink.set(Behaviour::HangBlocking);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let error = runtime.block_on(async {
        let recording = with_recorder(recorder.clone(), async { record_action(DONE).await });
        tokio::time::timeout(PATIENCE, recording).await.expect("no hang").unwrap_err()
    });
    let source = std::error::Error::source(&error).unwrap();
    assert!(matches!(source.downcast_ref::<SinkError>(), Some(SinkError::Deadline)), "{source}");
    sink.set(Behaviour::Ok);
}
