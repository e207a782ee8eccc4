//! The runtime goes away first.

use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use audited::{Recorder, Stage, audited, carry, record_action, with_recorder, with_recorder_sync};
use tokio::runtime::{Builder, Runtime};

use super::{DONE, record_n, recorder_with};
use crate::support::{Behaviour, Capture, PATIENCE, eventually};

#[audited(action = "runtime.pending", unlocked)]
async fn pending() {
    std::future::pending::<()>().await;
}

#[audited(action = "runtime.blocking", unlocked)]
fn blocking() {}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs it on a thread of its own, which must come back.
#[track_caller]
fn in_time<R: Send + 'static>(run: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, done) = mpsc::channel();
    std::thread::spawn(move || sender.send(run()));
    done.recv_timeout(PATIENCE).expect("it hangs")
}

/// Ten calls whose body waits for ever, ten events that wait for their answer, ten that wait for room.
fn busy(runtime: &Runtime, recorder: &Recorder, sink: &Capture) {
    runtime.block_on(with_recorder(recorder.clone(), async {
        for _ in 0..10 {
            tokio::spawn(carry(pending()));
        }
        tokio::task::yield_now().await;
    }));
    runtime.block_on(async { tokio::time::sleep(Duration::from_millis(50)).await });
    sink.set(Behaviour::HangBlocking);
    runtime.block_on(with_recorder(recorder.clone(), async {
        for _ in 0..20 {
            tokio::spawn(carry(async { record_action(DONE).await }));
        }
    }));
    runtime.block_on(async { tokio::time::sleep(Duration::from_millis(50)).await });
}

/// Has a runtime go away with calls in flight while the sink hangs, and looks at what became of them.
fn goes_away(make: fn() -> Runtime, away: fn(Runtime)) {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.max_in_flight(10).deadline(PATIENCE));
    let (theirs, of_them) = (recorder.clone(), sink.clone());
    in_time(move || {
        let runtime = make();
        busy(&runtime, &theirs, &of_them);
        away(runtime);
    });
    sink.set(Behaviour::Ok);
    // A runtime that is left to itself still has to get to the drop of its tasks.
    let cancelled = || sink.records().iter().filter(|record| record.stage() == Some(Stage::Cancelled)).count();
    eventually("each call has its end", || cancelled() == 10);
    sink.wait_for(20, PATIENCE);
    recorder.shutdown(PATIENCE).unwrap();
    assert_eq!(cancelled(), 10);
    assert_eq!(recorder.stats().lost, 0);
    record_n(&recorder, 1).unwrap();
}

fn in_another(away: impl FnOnce() + Send) {
    current_thread().block_on(async { away() });
}

#[test]
fn a_runtime_is_dropped_with_calls_in_flight() {
    goes_away(current_thread, drop);
    goes_away(multi_thread, drop);
}

#[test]
fn a_runtime_is_left_to_itself_inside_of_another() {
    let leave: fn(Runtime) = |runtime| in_another(|| runtime.shutdown_background());
    goes_away(current_thread, leave);
    goes_away(multi_thread, leave);
}

#[test]
fn a_runtime_is_dropped_on_a_thread_of_another() {
    let hand_over: fn(Runtime) = |runtime| {
        multi_thread().block_on(async { tokio::task::spawn_blocking(move || drop(runtime)).await.unwrap() });
    };
    goes_away(current_thread, hand_over);
    goes_away(multi_thread, hand_over);
}

#[test]
fn a_runtime_is_dropped_while_a_call_blocks_its_thread() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.deadline(Duration::from_millis(300)));
    sink.set(Behaviour::HangBlocking);
    let theirs = recorder.clone();
    in_time(move || {
        let runtime = multi_thread();
        let blocked = theirs.clone();
        runtime.spawn(async move { with_recorder_sync(blocked, blocking) });
        runtime.spawn_blocking(move || with_recorder_sync(theirs, blocking));
        std::thread::sleep(Duration::from_millis(50));
        drop(runtime);
    });
    assert!(recorder.stats().unacknowledged >= 1, "the blocked call was answered at its deadline");
    sink.set(Behaviour::Ok);
    recorder.shutdown(PATIENCE).unwrap();
}

#[test]
fn the_last_recorder_is_dropped_with_the_runtime() {
    for make in [current_thread, multi_thread] {
        let sink = Capture::new();
        let recorder = recorder_with(&sink, |builder| builder.deadline(PATIENCE));
        in_time({
            let sink = sink.clone();
            move || {
                let runtime = make();
                busy(&runtime, &recorder, &sink);
                drop(recorder);
                drop(runtime);
            }
        });
        sink.set(Behaviour::Ok);
        sink.wait_for(30, PATIENCE);
    }
}

const EXIT: &str = "AUDITED_TEST_EXIT";

/// The child of the test below; by itself it does nothing.
#[test]
fn child() {
    let Some(how) = std::env::var_os(EXIT) else { return };
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.max_in_flight(10).deadline(Duration::MAX));
    let runtime = multi_thread();
    busy(&runtime, &recorder, &sink);
    let blocked = recorder.clone();
    std::thread::spawn(move || record_n(&blocked, 1));
    if how == "exit" {
        std::process::exit(7);
    }
    // The process ends with its main thread, which is another.
}

#[test]
fn a_process_exits_with_calls_in_flight() {
    for (how, code) in [("exit", 7), ("return", 0)] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "recorder::runtime::child"])
            .env(EXIT, how)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let until = std::time::Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if std::time::Instant::now() > until {
                child.kill().unwrap();
                panic!("{how}: it hangs");
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        assert_eq!(status.code(), Some(code), "{how}");
    }
}
