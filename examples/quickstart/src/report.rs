//! What the journal says.

use std::error::Error;
use std::path::Path;

use audited::{Journal, Stage, StoredDecision, StoredOutcome, StoredRecord};

/// Prints what the journal has behind the position `before`.
pub(crate) fn print(journal: &Path, before: u64) -> Result<(), Box<dyn Error>> {
    let records: Vec<StoredRecord> = Journal::read(journal)?.from_seq(before + 1)?.collect::<Result<_, _>>()?;
    println!("\nThe records of this run, as they lie on the disk:\n");
    println!("  {:>4} {:<10} {:<18} {:<27} {:<26} {:>9}", "seq", "stage", "action", "decision", "outcome", "µs");
    for record in &records {
        println!(
            "  {:>4} {:<10} {:<18} {:<27} {:<26} {:>9}",
            record.seq().unwrap_or_default(),
            record.stage().map_or("", Stage::as_str),
            record.action(),
            decision(record),
            outcome(record),
            record.latency().map(|latency| latency.as_micros().to_string()).unwrap_or_default(),
        );
    }
    let path = journal.display();
    println!("\nThe journal: {path} ({} records, and {before} from earlier runs)", records.len());
    let verified = Journal::verify(journal)?;
    println!(
        "Its chain: {} lines in {} files, {} of them damaged",
        verified.lines,
        verified.files,
        verified.damage.len()
    );
    let transfer = records.iter().find(|record| record.action() == "account.transfer" && record.latency().is_some());
    if let Some(record) = transfer {
        println!(
            "\nAnn's transfer, the raw line. Her memo is not there, her device and her address are keyed hashes:\n"
        );
        println!("{}", record.json());
    }
    println!("\nLook further:");
    println!("  less {path}/*.jsonl");
    println!("  grep -h '\"decision\":\"deny\"' {path}/*.jsonl");
    println!("  cargo run -p quickstart -- --serve     keeps the bank open for your own calls");
    Ok(())
}

fn decision(record: &StoredRecord) -> String {
    match record.decision() {
        Some(StoredDecision::Allow) => "allow".into(),
        Some(StoredDecision::Deny { reason }) => format!("deny: {reason}"),
        _ => String::new(),
    }
}

fn outcome(record: &StoredRecord) -> String {
    match record.outcome() {
        Some(StoredOutcome::Success) => "success".into(),
        Some(StoredOutcome::Failure { code }) => format!("failure: {code}"),
        Some(StoredOutcome::Unknown) => "unknown".into(),
        _ => String::new(),
    }
}
