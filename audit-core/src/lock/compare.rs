//! From a lock and a catalogue to the list of changes. Linear in both: everything is looked up, nothing searched.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::change::{FormerUse, LockChange, LockDifference, LockItem};
use super::collide;
use super::fields;
use super::model::{Lock, LockedErrorType, LockedPackage, LockedType};
use super::pair::pair;
use crate::catalogue::Catalogue;

impl Catalogue {
    /// What another build of the same program records otherwise, as the lock would say it: what did this release change?
    ///
    /// ```
    /// # use audit_core as audited;
    /// use audited::Catalogue;
    ///
    /// # fn example(released: &str, built: &str) -> Result<(), serde_json::Error> {
    /// let (released, built) = (Catalogue::from_json(released)?, Catalogue::from_json(built)?);
    /// for change in released.changes_to(&built) {
    ///     println!("{change}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn changes_to(&self, newer: &Self) -> Vec<LockChange> {
        let of = |catalogue: &Self| {
            let actions = catalogue.actions.iter().map(|action| action.place.package.clone());
            let types = catalogue.types.iter().map(|ty| ty.package.clone());
            actions.chain(types).collect::<Vec<_>>()
        };
        let mut packages = of(self);
        packages.extend(of(newer));
        packages.sort();
        packages.dedup();
        Lock::of(self, &packages).compare(newer, &packages)
    }
}

impl Lock {
    /// What differs between the sections of these packages and what a build records, by package.
    ///
    /// Other packages are left alone, but for an action that one of them declares, too.
    pub fn compare<S: AsRef<str>>(&self, catalogue: &Catalogue, packages: &[S]) -> Vec<LockChange> {
        let new = Self::of(catalogue, packages);
        self.changes(&new, catalogue, Absences::Count)
    }

    pub(super) fn changes<'a>(
        &'a self,
        new: &'a Self,
        catalogue: &'a Catalogue,
        absences: Absences,
    ) -> Vec<LockChange> {
        let unlocked = catalogue.actions.iter().filter(|action| action.unlocked);
        let unlocked = unlocked.map(|action| (action.place.package.as_str(), action.action.as_str())).collect();
        let types_elsewhere = types_elsewhere(self, new);
        let mut comparison = Comparison { old: self, new, unlocked, types_elsewhere, absences, changes: Vec::new() };
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

pub(super) static EMPTY: LockedPackage = LockedPackage {
    actions: BTreeMap::new(),
    types: BTreeMap::new(),
    errors: BTreeMap::new(),
    retired: BTreeMap::new(),
    accept: BTreeMap::new(),
    accepted: BTreeMap::new(),
};

/// What is compared, and what was found so far.
pub(super) struct Comparison<'a> {
    pub(super) old: &'a Lock,
    pub(super) new: &'a Lock,
    /// What is left out of the new one, by package and name.
    pub(super) unlocked: HashSet<(&'a str, &'a str)>,
    types_elsewhere: TypesElsewhere<'a>,
    pub(super) absences: Absences,
    changes: Vec<LockChange>,
}

/// The types of the sections that are not asked for, by their likeness: package, name and type.
type TypesElsewhere<'a> = HashMap<Likeness<'a>, Vec<(&'a str, &'a str, &'a LockedType)>>;

/// The name without its crate, and the keys of the fields.
type Likeness<'a> = (&'a str, Vec<&'a str>);

fn types_elsewhere<'a>(old: &'a Lock, new: &Lock) -> TypesElsewhere<'a> {
    let mut elsewhere = TypesElsewhere::new();
    for (package, section) in old.packages.iter().filter(|(package, _)| !new.packages.contains_key(*package)) {
        for (name, ty) in &section.types {
            elsewhere.entry(likeness(name, ty)).or_default().push((package, name, ty));
        }
    }
    elsewhere
}

fn likeness<'a>(name: &'a str, ty: &'a LockedType) -> Likeness<'a> {
    let mut keys: Vec<_> = ty.fields.iter().map(|field| field.key.as_str()).collect();
    keys.dedup();
    (name.split_once("::").map_or(name, |(_, rest)| rest), keys)
}

impl<'a> Comparison<'a> {
    pub(super) fn push(&mut self, package: &str, item: LockItem, difference: LockDifference) {
        self.changes.push(LockChange { package: package.to_owned(), item, difference });
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
            // Without marks of its own it may have hidden what the types of its fields did.
            let fields = !ty.fields.is_empty();
            self.push(package, item(name), LockDifference::Removed { fields });
        }
        for (name, ty) in fresh {
            let added = || LockDifference::Added { from: Vec::new() };
            let difference = self.shows_more(name, ty).unwrap_or_else(added);
            self.push(package, item(name), difference);
        }
    }

    /// A package that gets another name takes its types along: their marks must not get lost on the way.
    fn shows_more(&self, name: &str, ty: &LockedType) -> Option<LockDifference> {
        let alike = self.types_elsewhere.get(&likeness(name, ty))?;
        let weaker =
            |other: &LockedType| fields::differences(&other.fields, &ty.fields).iter().any(LockDifference::shows_more);
        let (package, than, _) = alike.iter().find(|(.., other)| weaker(other))?;
        Some(LockDifference::ShowsMore { package: (*package).to_owned(), than: (*than).to_owned() })
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
            self.push(package, item(name), LockDifference::Removed { fields: false });
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
        // What is unlocked writes records, too. Sorted: the order of a hash set is nobody's.
        let asked = |(package, _): &(&str, &str)| self.new.packages.contains_key(*package);
        let mut names: BTreeSet<(&str, &str)> = self.unlocked.iter().copied().filter(asked).collect();
        for (package, section) in &self.new.packages {
            names.extend(section.actions.keys().map(|name| (package.as_str(), name.as_str())));
        }
        for (package, name) in names {
            if let Some(former) = taken.remove(name) {
                self.push(package, LockItem::Action(name.to_owned()), LockDifference::Reused(former));
            }
        }
    }

    /// An `accept` that waits would let a later change pass unread.
    fn unused(&mut self) {
        let needed = self.changes.iter().filter_map(|change| Some((change.package.clone(), change.key()?)));
        let needed: HashSet<_> = needed.collect();
        for package in self.new.packages.keys() {
            for key in self.old.packages.get(package).unwrap_or(&EMPTY).accept.keys() {
                if !needed.contains(&(package.clone(), key.clone())) {
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

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}
