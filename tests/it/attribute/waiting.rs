//! Sync calls wait for their record wherever they are called from.

use std::time::Duration;

use audited::{audited, with_recorder, with_recorder_sync};

use crate::support::{Behaviour, Capture, recorder};

#[audited(action = "wait.sync")]
fn work(number: u32) -> u32 {
    number
}

#[test]
fn without_a_runtime() {
    let sink = Capture::new();
    assert_eq!(with_recorder_sync(recorder(sink.clone()), || work(1)), 1);
    assert_eq!(sink.records().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn inside_a_current_thread_runtime() {
    let sink = Capture::new();
    sink.set(Behaviour::Slow(Duration::from_millis(5)));
    assert_eq!(with_recorder(recorder(sink.clone()), async { work(1) }).await, 1);
    assert_eq!(sink.records().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn inside_spawn_blocking() {
    let sink = Capture::new();
    let recorder = recorder(sink.clone());
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let recorder = recorder.clone();
            tokio::task::spawn_blocking(move || with_recorder_sync(recorder, || work(number)))
        })
        .collect();
    for (number, task) in (0..).zip(tasks) {
        assert_eq!(task.await.unwrap(), number);
    }
    assert_eq!(sink.records().len(), 16);
}
