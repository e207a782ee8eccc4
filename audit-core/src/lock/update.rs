//! From a lock and a catalogue to the lock that follows.

use super::change::{LockChange, LockDifference, LockItem, LockSeverity};
use super::compare::Absences;
use super::model::{Lock, LockRetired, LockedPackage, LockedType};
use crate::catalogue::Catalogue;

impl Lock {
    /// The lock with the sections of these packages brought up to date.
    ///
    /// What other packages have stays, as do all reasons. An `accept` that was needed becomes an `accepted`, the others
    /// go.
    ///
    /// # Errors
    ///
    /// The changes that cannot be taken: what is forbidden, and what is breaking without a written reason.
    pub fn updated<S: AsRef<str>>(&self, catalogue: &Catalogue, packages: &[S]) -> Result<Self, Vec<LockChange>> {
        let new = Self::of(catalogue, packages);
        let changes = self.changes(&new, catalogue, Absences::Count);
        self.taking(new, changes, Absences::Count)
    }

    pub(super) fn taking(
        &self,
        new: Self,
        changes: Vec<LockChange>,
        absences: Absences,
    ) -> Result<Self, Vec<LockChange>> {
        let absent = |change: &LockChange| absences == Absences::MayBeOff && change.is_absence();
        let refused = |change: &LockChange| !absent(change) && !self.accepts(change);
        if changes.iter().any(refused) {
            return Err(changes.into_iter().filter(refused).collect());
        }
        let mut next = self.clone();
        for (name, section) in new.packages {
            let kept = next.packages.entry(name).or_default();
            kept.actions = section.actions;
            kept.types = section.types;
            kept.errors = section.errors;
        }
        for change in &changes {
            if absent(change) {
                self.keep(&mut next, change);
            } else {
                self.take(&mut next, change);
            }
        }
        // A section in which nothing is has no place in the text.
        next.packages.retain(|_, package| *package != LockedPackage::default());
        next.sort();
        Ok(next)
    }

    /// Whether the lock says enough for a change to be taken.
    fn accepts(&self, change: &LockChange) -> bool {
        match change.severity() {
            LockSeverity::Harmless | LockSeverity::Notable => true,
            LockSeverity::Breaking => change.key().is_some_and(|key| {
                self.packages.get(&change.package).is_some_and(|package| package.accept.contains_key(&key))
            }),
            LockSeverity::Forbidden => false,
        }
    }

    /// What a change leaves behind, besides what there is now.
    fn take(&self, next: &mut Self, change: &LockChange) {
        if let (LockItem::Action(name), LockDifference::Handed { from, .. }) = (&change.item, &change.difference)
            && let Some(package) = next.packages.get_mut(from)
        {
            package.actions.remove(name);
        }
        let Some(package) = next.packages.get_mut(&change.package) else { return };
        match (&change.item, &change.difference) {
            // Its former names are gone with it.
            (LockItem::Action(name), LockDifference::Retired { reason }) => {
                let was = self.packages[&change.package].actions[name].was.clone();
                let retired = package.retired.entry(name.clone());
                retired.or_insert_with(|| LockRetired { reason: reason.clone(), was: Vec::new() }).was.extend(was);
            }
            (LockItem::Accept(key), LockDifference::Unused) => drop(package.accept.remove(key)),
            _ => {
                if let Some((key, accept)) = change.key().and_then(|key| package.accept.remove_entry(&key)) {
                    package.accepted.entry(key).or_default().reasons.push(accept.reason);
                }
            }
        }
    }

    /// Puts back what may only be switched off.
    fn keep(&self, next: &mut Self, change: &LockChange) {
        let (Some(old), Some(package)) = (self.packages.get(&change.package), next.packages.get_mut(&change.package))
        else {
            return;
        };
        match (&change.item, &change.difference) {
            (LockItem::Action(name), LockDifference::Removed { .. }) => {
                package.actions.extend(old.actions.get(name).map(|action| (name.clone(), action.clone())));
            }
            (LockItem::Type(name), LockDifference::Removed { .. }) => {
                package.types.extend(old.types.get(name).map(|ty| (name.clone(), ty.clone())));
            }
            (LockItem::Error(name), LockDifference::Removed { .. }) => {
                package.errors.extend(old.errors.get(name).map(|error| (name.clone(), error.clone())));
            }
            (LockItem::Action(name), difference) => {
                let Some(action) = package.actions.get_mut(name) else { return };
                match difference {
                    LockDifference::FieldRemoved(field) => action.fields.push(field.clone()),
                    LockDifference::Moved { from, .. } => action.from.clone_from(from),
                    _ => {}
                }
            }
            (LockItem::Type(name), LockDifference::FieldRemoved(field)) => {
                let LockedType { fields } = package.types.entry(name.clone()).or_default();
                fields.push(field.clone());
            }
            (LockItem::Error(name), LockDifference::ReasonRemoved(code)) => {
                package.errors.entry(name.clone()).or_default().reasons.push(code.clone());
            }
            (LockItem::Error(name), LockDifference::CodeRemoved(code)) => {
                package.errors.entry(name.clone()).or_default().codes.push(code.clone());
            }
            _ => {}
        }
    }
}
