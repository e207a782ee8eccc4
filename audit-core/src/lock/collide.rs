//! Actions that two places declare without saying so.

use std::collections::HashMap;

use super::change::{LockChange, LockDifference, LockItem};
use super::model::Lock;
use crate::catalogue::{Catalogue, CatalogueAction};

/// The actions of the packages of a lock that any linked package declares again: without `shared` on both sides, or
/// otherwise.
pub(super) fn collisions(catalogue: &Catalogue, asked: &Lock) -> Vec<LockChange> {
    let mut by_name: HashMap<&str, Vec<&CatalogueAction>> = HashMap::new();
    for action in catalogue.actions.iter().filter(|action| !action.unlocked) {
        by_name.entry(&action.action).or_default().push(action);
    }
    let is_asked = |action: &CatalogueAction| asked.packages.contains_key(&action.place.package);
    let mut changes = Vec::new();
    for (name, places) in by_name {
        // All are compared with one of ours: were two others at odds, so would be one of them with ours.
        let Some(ours) = places.iter().find(|action| is_asked(action)) else { continue };
        // But for functions beside an event, which agrees with any policy: they are compared with the first of them.
        let function = places.iter().find(|action| action.policy.is_some()).filter(|_| ours.policy.is_none());
        let odd = |other: &CatalogueAction| function.is_some_and(|function| function.collides_with(other));
        let others = places.iter().filter(|other| ours.collides_with(other) || odd(other));
        changes.extend(others.map(|other| LockChange {
            package: ours.place.package.clone(),
            item: LockItem::Action(name.to_owned()),
            difference: LockDifference::Collides { places: Box::new([ours.place.clone(), other.place.clone()]) },
        }));
    }
    changes
}
