//! From a lock and a catalogue to the list of changes. Linear in both: everything is looked up, nothing searched.

use std::collections::{BTreeMap, HashMap};

use super::change::{FormerUse, LockChange, LockDifference, LockItem};
use super::collide;
use super::fields;
use super::model::{Lock, LockedAction, LockedErrorType, LockedField, LockedPackage, LockedType};
use super::pair::pair;
use crate::catalogue::Catalogue;

impl Lock {
    /// What differs between the sections of these packages and what a build records, by package.
    ///
    /// Other packages are left alone, but for an action that one of them declares, too.
    pub fn compare<S: AsRef<str>>(&self, catalogue: &Catalogue, packages: &[S]) -> Vec<LockChange> {
        let new = Self::of(catalogue, packages);
        self.changes(&new, catalogue, Absences::Count)
    }

    pub(super) fn changes(&self, new: &Self, catalogue: &Catalogue, absences: Absences) -> Vec<LockChange> {
        let mut comparison = Comparison { old: self, new, absences, changes: Vec::new() };
        comparison.actions();
        for (name, section) in &new.packages {
            let before = self.packages.get(name).unwrap_or(&EMPTY);
            comparison.types(name, before, section);
            comparison.errors(name, before, section);
        }
        comparison.reused();
        comparison.changes.extend(collide::collisions(catalogue, new));
        comparison.unused();
        let mut changes = comparison.changes;
        // Stable: what belongs to one item stays in its order.
        changes.sort_by(|a, b| (&a.package, &a.item).cmp(&(&b.package, &b.item)));
        changes
    }
}

/// Whether it means something that a thing is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absences {
    /// It does: the build is whole.
    Count,
    /// It may be switched off.
    MayBeOff,
}

static EMPTY: LockedPackage = LockedPackage {
    actions: BTreeMap::new(),
    types: BTreeMap::new(),
    errors: BTreeMap::new(),
    retired: BTreeMap::new(),
    accept: BTreeMap::new(),
    accepted: BTreeMap::new(),
};

type Actions<'a> = BTreeMap<(&'a str, &'a str), &'a LockedAction>;

struct Comparison<'a> {
    old: &'a Lock,
    new: &'a Lock,
    absences: Absences,
    changes: Vec<LockChange>,
}

impl<'a> Comparison<'a> {
    fn push(&mut self, package: &str, item: LockItem, difference: LockDifference) {
        self.changes.push(LockChange { package: package.to_owned(), item, difference });
    }

    fn actions(&mut self) {
        let (mut gone, mut fresh) = (Actions::new(), Actions::new());
        for (package, section) in &self.new.packages {
            let before = self.old.packages.get(package).unwrap_or(&EMPTY);
            for (name, action) in &section.actions {
                match before.actions.get(name) {
                    Some(old) => self.action(package, name, old, action, None),
                    None => drop(fresh.insert((package, name), action)),
                }
            }
            let absent = before.actions.iter().filter(|(name, _)| !section.actions.contains_key(*name));
            gone.extend(absent.map(|(name, action)| ((package.as_str(), name.as_str()), action)));
        }
        self.handed(&mut gone, &mut fresh);
        self.renamed(&mut gone, &mut fresh);
        gone.retain(|(package, name), _| match self.old.packages[*package].retired.get(*name) {
            Some(retired) => {
                let difference = LockDifference::Retired { reason: retired.reason.clone() };
                self.push(package, LockItem::Action((*name).to_owned()), difference);
                false
            }
            None => true,
        });
        let rest = if self.absences == Absences::Count { self.guessed(gone, &mut fresh) } else { gone };
        for (package, name) in rest.into_keys() {
            self.push(package, LockItem::Action(name.to_owned()), LockDifference::Removed { redacting: false });
        }
        for ((package, name), action) in fresh {
            let from = action.from.clone();
            self.push(package, LockItem::Action(name.to_owned()), LockDifference::Added { from });
        }
    }

    /// What another package had and has no longer, or is not asked for: then its own test finds out.
    fn handed(&mut self, gone: &mut Actions<'a>, fresh: &mut Actions<'a>) {
        let mut holders: HashMap<&str, (&str, &LockedAction)> = HashMap::new();
        for (package, section) in &self.old.packages {
            for (name, action) in &section.actions {
                let asked = self.new.packages.contains_key(package);
                if !action.shared && (!asked || gone.contains_key(&(package.as_str(), name.as_str()))) {
                    holders.insert(name, (package, action));
                }
            }
        }
        fresh.retain(|(package, name), action| {
            let Some((from, old)) = holders.get(name).filter(|_| !action.shared) else { return true };
            let difference = LockDifference::Handed { from: (*from).to_owned() };
            self.push(package, LockItem::Action((*name).to_owned()), difference);
            self.action(package, name, old, action, None);
            gone.remove(&(*from, *name));
            false
        });
    }

    /// What says that it was called as something that is gone.
    fn renamed(&mut self, gone: &mut Actions<'a>, fresh: &mut Actions<'a>) {
        let mut holders: HashMap<&str, &str> = HashMap::new();
        holders.extend(gone.keys().map(|(package, name)| (*name, *package)));
        for (package, section) in &self.new.packages {
            for (name, action) in &section.actions {
                for was in &action.was {
                    let here = (package.as_str(), was.as_str());
                    let place = if gone.contains_key(&here) {
                        Some(here)
                    } else {
                        holders.get(was.as_str()).map(|holder| (*holder, was.as_str()))
                    };
                    let Some(old) = place.and_then(|place| gone.remove(&place)) else { continue };
                    let difference = LockDifference::Renamed { from: was.clone(), declared: true };
                    self.push(package, LockItem::Action(name.clone()), difference);
                    if fresh.remove(&(package.as_str(), name.as_str())).is_some() {
                        self.action(package, name, old, action, Some(was));
                    }
                }
            }
        }
    }

    /// What has the place of something that is gone, or its fields.
    fn guessed(&mut self, gone: Actions<'a>, fresh: &mut Actions<'a>) -> Actions<'a> {
        let mut rest = Actions::new();
        let mut by_package: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for ((package, name), action) in gone {
            by_package.entry(package).or_default().push((name, action));
        }
        let mut all_new: HashMap<&str, Vec<_>> = HashMap::new();
        for ((package, name), action) in &*fresh {
            all_new.entry(*package).or_default().push((*name, *action));
        }
        for (package, mut gone) in by_package {
            let mut new = all_new.remove(package).unwrap_or_default();
            let mut pairs = pair(&mut gone, &mut new, |_, action| Some(&action.from));
            pairs.extend(pair(&mut gone, &mut new, |_, action| Some((owner(action)?, &action.fields))));
            pairs.extend(pair(&mut gone, &mut new, |_, action| Some(&action.fields).filter(|all| !all.is_empty())));
            for ((from, _), (name, _)) in pairs {
                fresh.remove(&(package, name));
                let difference = LockDifference::Renamed { from: from.to_owned(), declared: false };
                self.push(package, LockItem::Action(name.to_owned()), difference);
            }
            rest.extend(gone.into_iter().map(|(name, action)| ((package, name), action)));
        }
        rest
    }

    fn action(&mut self, package: &str, name: &str, old: &LockedAction, new: &LockedAction, renamed: Option<&String>) {
        let mut differences = Vec::new();
        if old.from != new.from {
            differences.push(LockDifference::Moved { from: old.from.clone(), to: new.from.clone() });
        }
        differences.extend(fields::differences(&old.fields, &new.fields));
        if (&old.policy, old.intent) != (&new.policy, new.intent) {
            let closed = |action: &LockedAction| action.policy.as_deref() == Some("fail_closed");
            let weakened = (closed(old) && !closed(new)) || (old.intent && !new.intent);
            differences.push(LockDifference::Policy { from: policy(old), to: policy(new), weakened });
        }
        if old.surface != new.surface {
            differences.push(LockDifference::Surface { from: old.surface.clone(), to: new.surface.clone() });
        }
        if old.since != new.since {
            differences.push(LockDifference::Since { from: old.since.clone(), to: new.since.clone() });
        }
        let added = new.was.iter().filter(|was| !old.was.contains(was) && Some(*was) != renamed);
        differences.extend(added.cloned().map(LockDifference::FormerNameAdded));
        let removed = old.was.iter().filter(|was| !new.was.contains(was));
        differences.extend(removed.cloned().map(LockDifference::FormerNameRemoved));
        if old.shared != new.shared {
            differences.push(LockDifference::Shared { now: new.shared });
        }
        for difference in differences {
            self.push(package, LockItem::Action(name.to_owned()), difference);
        }
    }

    fn types(&mut self, package: &str, old: &'a LockedPackage, new: &'a LockedPackage) {
        let item = |name: &str| LockItem::Type(name.to_owned());
        for (name, ty) in &new.types {
            for difference in
                old.types.get(name).into_iter().flat_map(|old| fields::differences(&old.fields, &ty.fields))
            {
                self.push(package, item(name), difference);
            }
        }
        let (mut gone, mut fresh) = (without(&old.types, &new.types), without(&new.types, &old.types));
        if self.absences == Absences::Count {
            let keys = |ty: &'a LockedType| ty.fields.iter().map(|field| &field.key).collect::<Vec<_>>();
            let mut pairs = pair(&mut gone, &mut fresh, |name, _| Some(last(name)));
            pairs.extend(pair(&mut gone, &mut fresh, |_, ty| Some(keys(ty)).filter(|keys| !keys.is_empty())));
            for ((from, old), (to, new)) in pairs {
                let (from, moved_to) = (vec![from.to_owned()], vec![to.to_owned()]);
                self.push(package, item(to), LockDifference::Moved { from, to: moved_to });
                for difference in fields::differences(&old.fields, &new.fields) {
                    self.push(package, item(to), difference);
                }
            }
        }
        for (name, ty) in gone {
            let redacts = |field: &LockedField| field.mode.as_deref().is_some_and(|mode| mode != "plain");
            let redacting = ty.fields.iter().any(redacts);
            self.push(package, item(name), LockDifference::Removed { redacting });
        }
        for (name, _) in fresh {
            self.push(package, item(name), LockDifference::Added { from: Vec::new() });
        }
    }

    fn errors(&mut self, package: &str, old: &'a LockedPackage, new: &'a LockedPackage) {
        let item = |name: &str| LockItem::Error(name.to_owned());
        for (name, error) in &new.errors {
            for difference in old.errors.get(name).into_iter().flat_map(|old| codes(old, error)) {
                self.push(package, item(name), difference);
            }
        }
        let (mut gone, mut fresh) = (without(&old.errors, &new.errors), without(&new.errors, &old.errors));
        if self.absences == Absences::Count {
            for ((from, old), (to, new)) in pair(&mut gone, &mut fresh, |name, _| Some(last(name))) {
                let (from, moved_to) = (vec![from.to_owned()], vec![to.to_owned()]);
                self.push(package, item(to), LockDifference::Moved { from, to: moved_to });
                for difference in codes(old, new) {
                    self.push(package, item(to), difference);
                }
            }
        }
        for (name, _) in gone {
            self.push(package, item(name), LockDifference::Removed { redacting: false });
        }
        for (name, _) in fresh {
            self.push(package, item(name), LockDifference::Added { from: Vec::new() });
        }
    }

    /// Former and retired names hold for the whole file: the records of its packages may lie in one store.
    fn reused(&mut self) {
        let mut taken: HashMap<&str, FormerUse> = HashMap::new();
        for lock in [self.old, self.new] {
            for (package, section) in &lock.packages {
                for (action, locked) in &section.actions {
                    let to = || FormerUse::RenamedTo { package: package.clone(), action: action.clone() };
                    taken.extend(locked.was.iter().map(|was| (was.as_str(), to())));
                }
                for (name, retired) in &section.retired {
                    let names = retired.was.iter().chain([name]);
                    let because = || FormerUse::Retired { package: package.clone(), reason: retired.reason.clone() };
                    taken.extend(names.map(|name| (name.as_str(), because())));
                }
            }
        }
        for (package, section) in &self.new.packages {
            for name in section.actions.keys() {
                if let Some(former) = taken.remove(name.as_str()) {
                    self.push(package, LockItem::Action(name.clone()), LockDifference::Reused(former));
                }
            }
        }
    }

    /// An `accept` that waits would let a later change pass unread.
    fn unused(&mut self) {
        let keys: HashMap<_, _> =
            self.changes.iter().filter_map(|change| Some(((change.package.clone(), change.key()?), ()))).collect();
        for package in self.new.packages.keys() {
            for key in self.old.packages.get(package).unwrap_or(&EMPTY).accept.keys() {
                if !keys.contains_key(&(package.clone(), key.clone())) {
                    self.push(package, LockItem::Accept(key.clone()), LockDifference::Unused);
                }
            }
        }
    }
}

fn codes(old: &LockedErrorType, new: &LockedErrorType) -> Vec<LockDifference> {
    let without = |all: &[String], others: &[String]| {
        all.iter().filter(|code| others.binary_search(code).is_err()).cloned().collect::<Vec<_>>()
    };
    let mut differences = Vec::new();
    differences.extend(without(&old.reasons, &new.reasons).into_iter().map(LockDifference::ReasonRemoved));
    differences.extend(without(&new.reasons, &old.reasons).into_iter().map(LockDifference::ReasonAdded));
    differences.extend(without(&old.codes, &new.codes).into_iter().map(LockDifference::CodeRemoved));
    differences.extend(without(&new.codes, &old.codes).into_iter().map(LockDifference::CodeAdded));
    differences
}

fn without<'a, T>(all: &'a BTreeMap<String, T>, others: &BTreeMap<String, T>) -> Vec<(&'a str, &'a T)> {
    all.iter().filter(|(name, _)| !others.contains_key(*name)).map(|(name, one)| (name.as_str(), one)).collect()
}

/// The module of a function, the enum of a variant.
fn owner(action: &LockedAction) -> Option<&str> {
    Some(action.from.first()?.rsplit_once("::")?.0)
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

fn policy(action: &LockedAction) -> String {
    let policy = action.policy.as_deref().unwrap_or("none");
    if action.intent { format!("{policy}, intent") } else { policy.to_owned() }
}
