//! From a lock back to what a catalogue would say.

use super::change::LockChange;
use super::model::{Lock, LockedAction, LockedField};
use crate::catalogue::{Catalogue, CatalogueAction, CatalogueError, CatalogueField, CatalogueType, Origin, Place};

impl Lock {
    /// What a catalogue would say of what is locked: the actions, types and errors, without what a lock does not hold,
    /// such as lines of source and docs. Where several places share an action, there is an entry for each.
    ///
    /// ```
    /// # use audit_core as audited;
    /// use audited::Lock;
    ///
    /// let lock: Lock = r#"
    ///     version = 1
    ///
    ///     [package.bank.action."account.open"]
    ///     from = ["function bank::api::open"]
    ///     policy = "fail_open"
    /// "#
    /// .parse()?;
    /// let catalogue = lock.to_catalogue();
    /// assert_eq!(catalogue.actions[0].place.item, "open");
    /// assert_eq!(Lock::of(&catalogue, &["bank"]), lock);
    /// # Ok::<(), audited::InvalidLock>(())
    /// ```
    pub fn to_catalogue(&self) -> Catalogue {
        let mut catalogue = Catalogue::default();
        for (package, section) in &self.packages {
            for (name, action) in &section.actions {
                catalogue.actions.extend(action.from.iter().map(|from| of_action(package, name, from, action)));
            }
            for (name, ty) in &section.types {
                let (module, name) = split(name);
                let fields = ty.fields.iter().map(of_field).collect();
                catalogue.types.push(CatalogueType { package: package.clone(), module, name, fields });
            }
            for (name, error) in &section.errors {
                let (module, name) = split(name);
                let (reasons, codes) = (error.reasons.clone(), error.codes.clone());
                catalogue.errors.push(CatalogueError { package: package.clone(), module, name, reasons, codes });
            }
        }
        catalogue.actions.sort_by(|a, b| (&a.action, a.origin, &a.place).cmp(&(&b.action, b.origin, &b.place)));
        catalogue
    }

    /// What a newer lock of the same workspace says otherwise, as an update would have said it. A reason that the newer
    /// one gives for an action that is gone counts; what was accepted on the way is told again.
    pub fn changes_to(&self, newer: &Self) -> Vec<LockChange> {
        let mut older = self.clone();
        for (name, section) in &newer.packages {
            older.packages.entry(name.clone()).or_default().retired.extend(section.retired.clone());
        }
        older.packages.values_mut().for_each(|section| section.accept.clear());
        let packages: Vec<_> = older.packages.keys().collect();
        older.compare(&newer.to_catalogue(), &packages)
    }

    /// What is wrong with a lock by itself: a name that is used again, two packages that declare one action, an `accept`
    /// that waits for a change.
    ///
    /// Of an `accept` only a build can tell whether it is still for something: [`LockCheck`](super::LockCheck).
    pub fn faults(&self) -> Vec<LockChange> {
        let packages: Vec<_> = self.packages.keys().collect();
        self.compare(&self.to_catalogue(), &packages)
    }
}

fn of_action(package: &str, name: &str, from: &str, action: &LockedAction) -> CatalogueAction {
    let (origin, path) = from.split_once(' ').unwrap_or(("", from));
    let origin = if origin == Origin::Event.as_str() { Origin::Event } else { Origin::Function };
    let (module, item) = match origin {
        Origin::Event => split_event(path),
        Origin::Function => split(path),
    };
    let place = Place { package: package.to_owned(), module, item, file: String::new(), line: 0 };
    let of_function = origin == Origin::Function;
    CatalogueAction {
        since: action.since.clone(),
        was: action.was.clone(),
        fields: action.fields.iter().map(of_field).collect(),
        policy: action.policy.clone().filter(|_| of_function),
        intent: action.intent && of_function,
        transaction: action.transaction && of_function,
        surface: action.surface.clone(),
        shared: action.shared,
        ..CatalogueAction::new(name, origin, place)
    }
}

fn of_field(field: &LockedField) -> CatalogueField {
    let LockedField { key, ty, mode, class, scope } = field.clone();
    CatalogueField { key, ty, mode, class, scope }
}

/// `bank::api::Transfer` into the module and the name.
fn split(path: &str) -> (String, String) {
    let (module, name) = path.rsplit_once("::").unwrap_or(("", path));
    (module.to_owned(), name.to_owned())
}

/// `bank::Event::Opened` into the module and `Event::Opened`; what is nested stands in brackets behind that.
fn split_event(path: &str) -> (String, String) {
    let outer = path.split('(').next().unwrap_or(path);
    let mut ends = outer.rmatch_indices("::").map(|(at, _)| at);
    match ends.nth(1) {
        Some(at) => (path[..at].to_owned(), path[at + 2..].to_owned()),
        None => (String::new(), path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::samples;
    use crate::lock::{LockDifference, LockSeverity};

    #[test]
    fn what_is_locked_comes_back_whole() {
        let lock = samples::lock();
        assert_eq!(Lock::of(&lock.to_catalogue(), &["bank"]), lock);
        assert_eq!(lock.faults(), []);
    }

    #[test]
    fn places_are_taken_apart_as_they_were_put_together() {
        let cases = [
            ("event bank::api::Event::Opened", "bank::api", "Event::Opened"),
            ("event bank::Outer::Inner(Event::Opened)", "bank", "Outer::Inner(Event::Opened)"),
            ("function bank::api::open", "bank::api", "open"),
        ];
        for (from, module, item) in cases {
            let action = LockedAction { from: vec![from.to_owned()], ..LockedAction::default() };
            let place = of_action("bank", "a.b", from, &action).place;
            assert_eq!((place.module.as_str(), place.item.as_str()), (module, item));
        }
    }

    #[test]
    fn two_locks_are_compared_with_the_reasons_of_the_newer() {
        let old = samples::lock();
        assert_eq!(old.changes_to(&old), []);
        let mut new = old.clone();
        let bank = new.packages.get_mut("bank").unwrap();
        bank.actions.remove("account.opened");
        assert_eq!(old.changes_to(&new).iter().map(LockChange::severity).max(), Some(LockSeverity::Breaking));
        let bank = new.packages.get_mut("bank").unwrap();
        bank.retired.insert("account.opened".into(), crate::lock::LockRetired { reason: "sold".into(), was: vec![] });
        let changes = old.changes_to(&new);
        assert!(
            matches!(&changes[..], [change] if matches!(change.difference, LockDifference::Retired { .. })),
            "{changes:?}"
        );
    }

    #[test]
    fn a_retired_name_that_is_used_again_and_a_waiting_accept_are_faults() {
        let lock: Lock = r#"
            version = 1
            [package.bank.action."account.open"]
            from = ["function bank::open"]
            [package.shop.retired."account.open"]
            reason = "sold"
            [package.shop.accept."order.place: field note: removed"]
            reason = "no use"
        "#
        .parse()
        .unwrap();
        let faults = lock.faults();
        assert!(matches!(faults[0].difference, LockDifference::Reused(_)), "{faults:?}");
        assert_eq!(faults[0].severity(), LockSeverity::Forbidden);
        assert!(matches!(faults[1].difference, LockDifference::Unused), "{faults:?}");
        assert_eq!(faults.len(), 2);
    }
}
