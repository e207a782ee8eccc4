//! What differs between the fields of two payloads or types.

use std::collections::BTreeMap;

use super::change::LockDifference;
use super::model::LockedField;
use super::redaction;

/// What differs, by key. A key that several fields have, as in the variants of an enum, is compared in order.
pub(super) fn differences(old: &[LockedField], new: &[LockedField]) -> Vec<LockDifference> {
    if old == new {
        return Vec::new();
    }
    let mut by_key: BTreeMap<&str, (Vec<&LockedField>, Vec<&LockedField>)> = BTreeMap::new();
    for field in old {
        by_key.entry(&field.key).or_default().0.push(field);
    }
    for field in new {
        by_key.entry(&field.key).or_default().1.push(field);
    }
    by_key.into_values().flat_map(|(old, new)| of_key(&old, &new)).collect()
}

fn of_key(old: &[&LockedField], new: &[&LockedField]) -> Vec<LockDifference> {
    let gone: Vec<_> = old.iter().filter(|field| !new.contains(field)).collect();
    let fresh: Vec<_> = new.iter().filter(|field| !old.contains(field)).collect();
    let paired = gone.len().min(fresh.len());
    let mut differences: Vec<_> = gone.iter().zip(&fresh).flat_map(|(old, new)| of_field(old, new)).collect();
    differences.extend(gone[paired..].iter().map(|field| LockDifference::FieldRemoved((**field).clone())));
    differences.extend(fresh[paired..].iter().map(|field| added(old, field)));
    differences
}

/// Types of one name in one module are one in the lock: a field that is added may be another's that hides less now.
fn added(old: &[&LockedField], field: &LockedField) -> LockDifference {
    let less = |other: &&LockedField| of_field(other, field).iter().any(LockDifference::shows_more);
    if old.iter().any(less) {
        LockDifference::FieldAddedBeside(field.clone())
    } else {
        LockDifference::FieldAdded(field.clone())
    }
}

fn of_field(old: &LockedField, new: &LockedField) -> Vec<LockDifference> {
    let key = || new.key.clone();
    let mut differences = Vec::new();
    if old.ty != new.ty {
        // A mode of its own hides the same of any type, a plain field shows all that its type has.
        let decides = matches!(new.mode.as_deref(), None | Some("plain"));
        differences.push(LockDifference::FieldType { key: key(), from: old.ty.clone(), to: new.ty.clone(), decides });
    }
    let (from, to) = (redaction::said(old), redaction::said(new));
    if (&old.mode, &old.class, &old.scope) != (&new.mode, &new.class, &new.scope) {
        let weakened = redaction::weakened(old, new);
        differences.push(LockDifference::Redaction { key: key(), from, to, weakened });
    }
    differences
}
