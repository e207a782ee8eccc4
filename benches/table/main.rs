//! One Markdown table: what `audited` costs, beside what one would do without it, and beside what nobody can do without.
//!
//! ```text
//! cargo bench -p audited-benches --bench table                     # all of it: some minutes
//! cargo bench -p audited-benches --bench table -- hot redaction    # some of it
//! ```
//!
//! All ways of a section take turns in every round, and a ratio is taken within its round: what disturbs the machine
//! disturbs both sides of it. A figure is the median of all rounds, with the least and the greatest beside it.
//! `AUDITED_BENCH_DIRECTORY` says where the files are, for a disk other than that of this package.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures that are printed"
)]

mod by_hand;
mod durable;
mod growth;
mod hot;
mod loggers;
mod memory;
mod paced;
mod peers;
mod reading;
mod redaction;
mod sinks;
#[cfg(feature = "stores")]
mod stores;
mod threads;
mod ways;

use std::path::{Path, PathBuf};

use audited_benches::table;

/// A name, and what prints it with files in a directory.
type Section = (&'static str, fn(&Path));

fn main() {
    if memory::is_child(directory().path()) {
        return;
    }
    let asked: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let sections: &[Section] = &[
        ("hot", hot::print),
        ("paced", paced::print),
        ("threads", threads::print),
        ("sinks", sinks::print),
        ("redaction", redaction::print),
        ("durable", durable::print),
        #[cfg(feature = "stores")]
        ("sqlite", stores::sqlite::print),
        #[cfg(feature = "stores")]
        ("newest", stores::newest::print),
        #[cfg(feature = "stores")]
        ("postgres", stores::postgres::print),
        #[cfg(feature = "stores")]
        ("callers", stores::callers::print),
        #[cfg(feature = "stores")]
        ("nats", stores::nats::print),
        ("reading", reading::print),
        ("memory", memory::print),
        ("growth", growth::print),
    ];
    if let Some(unknown) = asked.iter().find(|asked| sections.iter().all(|(name, _)| name != asked)) {
        eprintln!(
            "no section {unknown}; there are {}",
            sections.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
        );
        std::process::exit(2);
    }
    table::begin();
    for (name, print) in sections {
        if asked.is_empty() || asked.iter().any(|asked| asked == *name) {
            let directory = directory();
            print(directory.path());
        }
    }
}

/// A directory on a disk: the one for temporary files is in memory on many machines.
fn directory() -> tempfile::TempDir {
    let within = std::env::var_os("AUDITED_BENCH_DIRECTORY");
    tempfile::tempdir_in(within.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)).unwrap()
}
