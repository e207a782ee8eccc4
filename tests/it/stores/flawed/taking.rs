//! How a list takes a batch, with a flaw.

use serde_json::Value;

use super::super::model::{Entry, Model};
use super::Flaw;

/// Takes a batch, or says that it is a conflict.
pub(super) fn take(flaw: Flaw, model: &mut Model, batch: &[Entry]) -> bool {
    let same_id = |model: &Model, entry: &Entry| model.entries.iter().any(|other| other.key.1 == entry.key.1);
    let unplaced = |entry: &Entry| {
        let mut unplaced = entry.clone();
        let keys = unplaced.json.as_object_mut().unwrap();
        keys.retain(|key: &String, _: &mut Value| !matches!(&**key, "stream" | "seq"));
        unplaced
    };
    match flaw {
        Flaw::StoresAgain => {
            let before = model.clone();
            if !model.write(batch) {
                return false;
            }
            *model = before;
            model.entries.extend(batch.iter().cloned());
            true
        }
        Flaw::TakesOtherContents => {
            let fresh: Vec<_> = batch.iter().filter(|entry| !same_id(model, entry)).cloned().collect();
            model.write(&fresh)
        }
        Flaw::RefusesWhatItHas => !batch.iter().any(|entry| same_id(model, entry)) && model.write(batch),
        Flaw::IgnoresPlaces => {
            let unplaced: Vec<_> = batch.iter().map(unplaced).collect();
            let before = model.entries.len();
            let taken = model.write(&unplaced);
            let fresh = model.entries.len() - before;
            // What it shows is what came.
            for entry in &mut model.entries[before..before + fresh] {
                let came = batch.iter().find(|came| came.key.1 == entry.key.1).unwrap();
                entry.record = came.record.clone();
            }
            taken
        }
        Flaw::TakesRecordsElsewhere => {
            let known: Vec<_> = batch.iter().filter(|entry| !same_id(model, entry)).cloned().collect();
            let others: Vec<_> = batch.iter().filter(|entry| same_id(model, entry)).map(unplaced).collect();
            model.clone().write(&others) && model.write(&known)
        }
        Flaw::SeesNoPairInABatch => {
            let mut fresh = Vec::new();
            for entry in batch {
                if !model.clone().write(std::slice::from_ref(entry)) {
                    return false;
                }
                if !same_id(model, entry) {
                    fresh.push(entry.clone());
                }
            }
            model.entries.extend(fresh);
            true
        }
        Flaw::WritesHalfOfABatch => batch.iter().all(|entry| model.write(std::slice::from_ref(entry))),
        _ => model.write(batch),
    }
}
