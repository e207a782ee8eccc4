//! The power is lost at each operation.

use super::failing::{assert_goes_on, assert_kept, live};
use super::model::{EIO, ModelDisk};
use super::*;

/// In each case of losing and keeping nothing, everything, or some; `AUDITED_POWER_CUTS` sets how often.
fn seeds() -> u64 {
    std::env::var("AUDITED_POWER_CUTS").map_or(8, |cuts| cuts.parse().unwrap())
}

#[test]
fn what_was_acknowledged_outlives_a_power_cut_at_any_operation() {
    let mut cuts = 0;
    while bounded(move || outlives_a_cut(cuts)) {
        cuts += 1;
    }
    assert!(cuts > 60, "{cuts}");
}

/// Says whether there was such an operation.
fn outlives_a_cut(at: usize) -> bool {
    let disk = ModelDisk::default();
    disk.cut_at(at);
    let acknowledged = live(&disk, &options()).acknowledged();
    let operation = disk.lock().log.get(at).cloned();
    (0..seeds()).all(|seed| {
        let Some(after) = disk.after_the_cut(seed) else { return false };
        assert_goes_on(&after, &acknowledged, &format!("cut at {at}, {operation:?}, seed {seed}"));
        true
    })
}

/// The same checks must find a journal that acknowledges before it has synced.
#[test]
fn a_writer_that_answers_before_it_syncs_is_caught() {
    bounded(|| {
        let hasty = options().os_buffer();
        let caught = (0..40).any(|at| {
            let disk = ModelDisk::default();
            disk.cut_at(at);
            let acknowledged = live(&disk, &hasty).acknowledged();
            let Some(after) = disk.after_the_cut(0) else { return false };
            drop(open(&after));
            let found = sound_actions(&after);
            std::panic::catch_unwind(|| assert_kept(&found, &acknowledged, "as it must")).is_err()
        });
        assert!(caught);
    });
}

#[test]
fn a_last_line_that_never_reached_the_disk_is_written_again() {
    bounded(|| {
        let disk = ModelDisk::default();
        let journal = open(&disk);
        write(&journal, 0).unwrap();
        disk.block(true);
        let closing = thread::spawn(move || drop(journal));
        until(|| disk.is_in_sync());
        disk.fail_at(disk.operations(), EIO);
        disk.block(false);
        closing.join().unwrap();

        let disk = disk.after_the_process();
        let journal = open(&disk);
        assert_eq!(journal.recovered().last_seq, 3, "the last line of the file shows");
        write(&journal, 1).unwrap();
        disk.cut_at(disk.operations());
        drop(journal);
        assert_eq!(sound_actions(&disk.after_the_cut(0).unwrap()), ["test.n0", "test.n1"]);
    });
}
