//! The lock as data: what of a catalogue is to stay as it is.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::catalogue::{Catalogue, CatalogueAction, CatalogueField};

/// What `audit.lock` says: which actions, types and errors the packages of a workspace have.
///
/// It holds what matters to those who read records, and nothing that changes without a meaning: no lines of source, no
/// docs, no order. Its text is sorted, so that the same code gives the same bytes.
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
/// assert_eq!(lock.packages["bank"].actions["account.open"].policy.as_deref(), Some("fail_open"));
/// assert_eq!(lock.to_string().parse::<Lock>()?, lock);
/// # Ok::<(), audited::InvalidLock>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lock {
    /// The section of each package, by its name.
    pub packages: BTreeMap<String, LockedPackage>,
}

/// The section of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LockedPackage {
    /// Its actions, by their names.
    #[serde(default, rename = "action")]
    pub actions: BTreeMap<String, LockedAction>,
    /// The types that derive `Sensitive`, by module and name.
    #[serde(default, rename = "type")]
    pub types: BTreeMap<String, LockedType>,
    /// The errors that derive `Deny`, by module and name.
    #[serde(default, rename = "error")]
    pub errors: BTreeMap<String, LockedErrorType>,
    /// The actions that there are no longer, whose names are never used again. Written by hand.
    #[serde(default)]
    pub retired: BTreeMap<String, LockRetired>,
    /// The changes for the worse that the next update may take, by [`LockChange::key`](super::LockChange::key). Written
    /// by hand.
    #[serde(default)]
    pub accept: BTreeMap<String, LockAccept>,
    /// The changes for the worse that updates took, and why. Where it happened more than once, there are more reasons.
    #[serde(default)]
    pub accepted: BTreeMap<String, LockAccepted>,
}

/// An action, as it is locked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LockedAction {
    /// What declares it: `function bank::api::transfer`. More than one where places share it.
    pub from: Vec<String>,
    /// Of a function, `fail_open` or `fail_closed`.
    pub policy: Option<String>,
    /// Whether an intent is written before the body runs.
    #[serde(default)]
    pub intent: bool,
    /// Whether a success is recorded in a transaction of the caller's.
    #[serde(default)]
    pub transaction: bool,
    /// Where it may be recorded from, if not everywhere.
    pub surface: Option<String>,
    /// The version in which it came.
    pub since: Option<String>,
    /// What it was called before.
    #[serde(default)]
    pub was: Vec<String>,
    /// Whether several places may declare it.
    #[serde(default)]
    pub shared: bool,
    /// What its payload can hold, sorted by key.
    #[serde(default)]
    pub fields: Vec<LockedField>,
}

/// A type that derives `Sensitive`, as it is locked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LockedType {
    /// Its fields, sorted by key.
    #[serde(default)]
    pub fields: Vec<LockedField>,
}

/// A field, as it is locked.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LockedField {
    /// Its key in the record.
    pub key: String,
    /// Its type as it is written, where that is known.
    #[serde(rename = "type")]
    pub ty: Option<String>,
    /// What is done to it; nothing where its own type decides.
    pub mode: Option<String>,
    /// What kind of data it is.
    pub class: Option<String>,
    /// What its hash can be compared with.
    pub scope: Option<String>,
}

/// An error that derives `Deny`, as it is locked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LockedErrorType {
    /// Why it denies.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// How else a call can fail with it.
    #[serde(default)]
    pub codes: Vec<String>,
}

/// An action that there is no longer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LockRetired {
    /// Why.
    pub reason: String,
    /// What it was called before: these names are gone, too.
    #[serde(default)]
    pub was: Vec<String>,
}

/// A change for the worse that the next update may take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LockAccept {
    /// Why.
    pub reason: String,
}

/// A change for the worse that an update took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LockAccepted {
    /// Why, the latest at the end.
    pub reasons: Vec<String>,
}

impl Lock {
    /// What the lock of these packages says when it is up to date with a catalogue.
    ///
    /// What is declared `unlocked` is left out. What two places of a package declare is one entry.
    pub fn of<S: AsRef<str>>(catalogue: &Catalogue, packages: &[S]) -> Self {
        let mut lock = Self {
            packages: packages.iter().map(|name| (name.as_ref().to_owned(), LockedPackage::default())).collect(),
        };
        for action in catalogue.actions.iter().filter(|action| !action.unlocked) {
            let Some(package) = lock.packages.get_mut(&action.place.package) else { continue };
            package.actions.entry(action.action.clone()).or_default().absorb(action);
        }
        for ty in &catalogue.types {
            let Some(package) = lock.packages.get_mut(&ty.package) else { continue };
            let locked = package.types.entry(format!("{}::{}", ty.module, ty.name)).or_default();
            locked.fields.extend(ty.fields.iter().map(LockedField::of));
        }
        for error in &catalogue.errors {
            let Some(package) = lock.packages.get_mut(&error.package) else { continue };
            let locked = package.errors.entry(format!("{}::{}", error.module, error.name)).or_default();
            locked.reasons.extend_from_slice(&error.reasons);
            locked.codes.extend_from_slice(&error.codes);
        }
        lock.sort();
        lock
    }

    /// Puts into order what was put together from several places, or by hand.
    pub(super) fn sort(&mut self) {
        for package in self.packages.values_mut() {
            for action in package.actions.values_mut() {
                sort(&mut action.from);
                sort(&mut action.was);
                sort(&mut action.fields);
            }
            package.types.values_mut().for_each(|ty| sort(&mut ty.fields));
            for error in package.errors.values_mut() {
                sort(&mut error.reasons);
                sort(&mut error.codes);
            }
            package.retired.values_mut().for_each(|retired| sort(&mut retired.was));
        }
    }
}

impl LockedAction {
    /// Adds one more place. That the places agree is not asked here.
    fn absorb(&mut self, action: &CatalogueAction) {
        self.from.push(place_of(action));
        self.promise(action);
        self.surface = self.surface.take().or_else(|| action.surface.clone());
        self.since = self.since.take().or_else(|| action.since.clone());
        self.shared |= action.shared;
        self.was.extend_from_slice(&action.was);
        self.fields.extend(action.fields.iter().map(LockedField::of));
    }

    /// No more is promised than the weakest of the functions does. An event has no policy of its own.
    fn promise(&mut self, action: &CatalogueAction) {
        match (&self.policy, &action.policy) {
            (Some(_), None) => {}
            (None, policy) => {
                self.policy.clone_from(policy);
                self.intent = action.intent;
                self.transaction = action.transaction;
            }
            (Some(_), Some(policy)) => {
                if policy != "fail_closed" {
                    self.policy = Some(policy.clone());
                }
                self.intent &= action.intent;
                self.transaction &= action.transaction;
            }
        }
    }
}

impl LockedField {
    pub(super) fn of(field: &CatalogueField) -> Self {
        Self {
            key: field.key.clone(),
            ty: field.ty.clone(),
            mode: field.mode.clone(),
            class: field.class.clone(),
            scope: field.scope.clone(),
        }
    }
}

fn place_of(action: &CatalogueAction) -> String {
    format!("{} {}::{}", action.origin.as_str(), action.place.module, action.place.item)
}

fn sort<T: Ord>(list: &mut Vec<T>) {
    list.sort();
    list.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::samples;

    #[test]
    fn only_what_is_asked_for_and_not_unlocked_is_there() {
        let catalogue = samples::catalogue(
            r#"{ "actions": [
                { "action": "a.b", "origin": "event", "package": "bank", "module": "bank", "item": "E::B", "file": "f", "line": 1 },
                { "action": "a.c", "origin": "event", "package": "bank", "module": "bank", "item": "E::C", "file": "f", "line": 1, "unlocked": true },
                { "action": "a.d", "origin": "event", "package": "shop", "module": "shop", "item": "E::D", "file": "f", "line": 1 }
            ] }"#,
        );
        let lock = Lock::of(&catalogue, &["bank"]);
        assert_eq!(lock.packages.keys().collect::<Vec<_>>(), ["bank"]);
        assert_eq!(lock.packages["bank"].actions.keys().collect::<Vec<_>>(), ["a.b"]);
        assert_eq!(lock.packages["bank"].actions["a.b"].from, ["event bank::E::B"]);
    }

    #[test]
    fn two_places_are_one_entry_and_the_order_of_fields_does_not_matter() {
        let action = |item: &str, fields: &str| {
            format!(
                r#"{{ "action": "a.b", "origin": "function", "package": "bank", "module": "bank", "item": "{item}",
                   "file": "f", "line": 1, "shared": true, "policy": "fail_open", "fields": [{fields}] }}"#
            )
        };
        let (x, y) = (r#"{ "key": "x" }"#, r#"{ "key": "y" }"#);
        let one = action("two", &format!("{x}, {y}"));
        let other = action("one", &format!("{y}, {x}"));
        let lock = Lock::of(&samples::catalogue(&format!(r#"{{ "actions": [{one}, {other}] }}"#)), &["bank"]);
        let locked = &lock.packages["bank"].actions["a.b"];
        assert_eq!(locked.from, ["function bank::one", "function bank::two"]);
        assert_eq!(locked.fields.iter().map(|field| field.key.as_str()).collect::<Vec<_>>(), ["x", "y"]);
    }
}
