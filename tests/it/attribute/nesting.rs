//! Calls within calls.

use audited::{Record, audited, carry};

use super::Recorded;

#[audited(action = "nest.leaf", unlocked, fields(number))]
async fn leaf(number: u32) -> u32 {
    tokio::task::yield_now().await;
    number
}

#[audited(action = "nest.leaf", unlocked, fields(number))]
fn leaf_sync(number: u32) -> u32 {
    number
}

#[audited(action = "nest.joined")]
async fn joined() -> u32 {
    let (a, b) = tokio::join!(leaf(1), leaf(2));
    a + b + leaf_sync(3)
}

#[audited(action = "nest.selected")]
async fn selected() -> u32 {
    tokio::select! {
        biased;
        () = std::future::ready(()) => leaf_sync(1),
        number = leaf(2) => number,
    }
}

fn parents(records: &[Record]) -> bool {
    let outer = records.last().unwrap();
    records[..records.len() - 1].iter().all(|record| record.parent() == outer.id()) && outer.parent().is_none()
}

#[test]
fn joined_and_selected_calls_leave_one_record_each_with_their_parent() {
    let recorded = Recorded::new();
    assert_eq!(recorded.run(joined()), 6);
    let records = recorded.records();
    assert_eq!(records.len(), 4);
    assert!(parents(&records), "{records:#?}");

    let recorded = Recorded::new();
    assert_eq!(recorded.run(selected()), 1);
    // The branch that lost was never polled.
    let records = recorded.records();
    assert_eq!(records.len(), 2);
    assert!(parents(&records));
}

#[test]
fn a_call_after_another_has_no_parent() {
    let recorded = Recorded::new();
    recorded.run(leaf(1));
    recorded.run(async {
        leaf(2).await;
        leaf_sync(3);
    });
    assert!(recorded.records().iter().all(|record| record.parent().is_none()));
}

#[tokio::test]
async fn a_spawned_task_keeps_its_parent_when_carried() {
    #[audited(action = "nest.spawns")]
    async fn spawns() -> u32 {
        tokio::spawn(carry(leaf(1))).await.unwrap()
    }
    let recorded = Recorded::new();
    assert_eq!(audited::with_recorder(recorded.recorder.clone(), spawns()).await, 1);
    assert!(parents(&recorded.records()));
}

macro_rules! tower {
    ($name:ident) => {
        #[audited(action = "nest.floor", unlocked)]
        async fn $name(number: u32) -> u32 { number + 1 }
    };
    ($name:ident $below:ident $($rest:ident)*) => {
        tower!($below $($rest)*);
        #[audited(action = "nest.floor", unlocked)]
        async fn $name(number: u32) -> u32 { $below(number).await + 1 }
    };
}

tower!(f25 f24 f23 f22 f21 f20 f19 f18 f17 f16 f15 f14 f13 f12 f11 f10 f9 f8 f7 f6 f5 f4 f3 f2 f1);

#[test]
fn twenty_five_floors_compile_and_stay_small() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let recorded = Recorded::new();
    assert_eq!(recorded.run(is_send(f25(0))), 25);
    assert_eq!(recorded.records().len(), 25);
    let level = (size_of_val(&f25(0)) - size_of_val(&f5(0))) / 20;
    // Beyond what each floor holds anyway: its argument, and the result of the floor below.
    let held = size_of::<u32>() * 2;
    assert!(level <= 96 + held, "{level} bytes a level");
}

#[audited(action = "nest.closed", fail_closed)]
async fn closed() -> Result<u32, super::Error> {
    Ok(leaf(1).await + leaf_sync(2))
}

#[test]
fn calls_within_calls_never_wait_for_each_others_room() {
    let memory = audited::MemorySink::new();
    let recorder =
        audited::Recorder::builder().sink(memory.clone()).max_in_flight(1).allow_weak_fail_closed().build().unwrap();
    let recorded = Recorded { recorder, memory };
    assert_eq!(recorded.run(closed()), Ok(3));
    assert_eq!(recorded.records().len(), 4);
    assert_eq!(recorded.recorder.stats().lost, 0);
}
