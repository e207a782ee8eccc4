//! What became of the actions: which stayed, which have another name or package, which are new or gone.

use std::collections::{BTreeMap, HashMap};

use super::change::{LockChange, LockDifference, LockItem, LockSeverity};
use super::compare::{Absences, Comparison, EMPTY};
use super::fields;
use super::model::LockedAction;
use super::pair::pair;

/// By package and name.
type Actions<'a> = BTreeMap<(&'a str, &'a str), &'a LockedAction>;

impl<'a> Comparison<'a> {
    pub(super) fn actions(&mut self) {
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
        gone.retain(|place, _| {
            let unlocked = self.unlocked.contains(place);
            if unlocked {
                self.push(place.0, LockItem::Action(place.1.to_owned()), LockDifference::Unlocked);
            }
            !unlocked
        });
        let rest = if self.absences == Absences::Count { self.guessed(gone, &mut fresh) } else { gone };
        for (package, name) in rest.into_keys() {
            self.push(package, LockItem::Action(name.to_owned()), LockDifference::Removed { fields: false });
        }
        for ((package, name), action) in fresh {
            let from = action.from.clone();
            self.push(package, LockItem::Action(name.to_owned()), LockDifference::Added { from });
        }
    }

    /// What another package had and has no longer, or is not asked for: then somebody has to say why it may go.
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
            let given = self.new.packages.contains_key(*from);
            let difference = LockDifference::Handed { from: (*from).to_owned(), given };
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
                    if fresh.remove(&(package.as_str(), name.as_str())).is_some() {
                        let difference = LockDifference::Renamed { from: was.clone(), declared: true };
                        self.push(package, LockItem::Action(name.clone()), difference);
                        self.action(package, name, old, action, Some(was));
                    } else {
                        self.merged(package, name, was, old, action);
                    }
                }
            }
        }
    }

    /// A name that stands for more than before: what it has of its own was compared, what it swallows may lose.
    fn merged(&mut self, package: &str, name: &str, was: &str, old: &LockedAction, new: &LockedAction) {
        let item = || LockItem::Action(name.to_owned());
        self.push(package, item(), LockDifference::Merged { from: was.to_owned() });
        for difference in differences(old, new, None) {
            let change = LockChange { package: package.to_owned(), item: item(), difference };
            if change.severity() >= LockSeverity::Breaking {
                self.push(package, item(), change.difference);
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
        for difference in differences(old, new, renamed) {
            self.push(package, LockItem::Action(name.to_owned()), difference);
        }
    }
}

fn differences(old: &LockedAction, new: &LockedAction, renamed: Option<&String>) -> Vec<LockDifference> {
    let mut differences = Vec::new();
    if old.from != new.from {
        differences.push(LockDifference::Moved { from: old.from.clone(), to: new.from.clone() });
    }
    differences.extend(fields::differences(&old.fields, &new.fields));
    if (&old.policy, old.intent, old.transaction) != (&new.policy, new.intent, new.transaction) {
        let closed = |action: &LockedAction| action.policy.as_deref() == Some("fail_closed");
        let weakened =
            (closed(old) && !closed(new)) || (old.intent && !new.intent) || (old.transaction && !new.transaction);
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
    differences
}

/// The module of a function, the enum of a variant.
fn owner(action: &LockedAction) -> Option<&str> {
    Some(action.from.first()?.rsplit_once("::")?.0)
}

/// What the policy of an action says that records its success in a transaction of the caller's.
pub(super) const TRANSACTION: &str = ", transaction";

fn policy(action: &LockedAction) -> String {
    let mut policy = action.policy.clone().unwrap_or_else(|| "none".to_owned());
    if action.intent {
        policy.push_str(", intent");
    }
    if action.transaction {
        policy.push_str(TRANSACTION);
    }
    policy
}
