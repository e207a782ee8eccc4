//! Vocabularies that others nest with a prefix.

use std::collections::HashSet;
use std::ptr;

use super::CatalogueAction;
use super::collect::{of_event, place};
use super::registered::EventType;

/// The vocabularies whose actions are recorded by their own names: those that no other nests, and those that such a one
/// nests without a prefix.
pub(super) fn by_their_names(events: &[&'static EventType]) -> HashSet<*const EventType> {
    let inner = |event: &'static EventType| event.nested.iter().filter_map(|nested| (nested.of)());
    let nested: HashSet<_> = events.iter().flat_map(|event| inner(event)).map(ptr::from_ref).collect();
    let mut open: Vec<_> = events.iter().copied().filter(|event| !nested.contains(&ptr::from_ref(*event))).collect();
    let mut found = HashSet::new();
    while let Some(event) = open.pop() {
        if found.insert(ptr::from_ref(event)) {
            let plain = event.nested.iter().filter(|nested| nested.prefix.is_empty());
            open.extend(plain.filter_map(|nested| (nested.of)()));
        }
    }
    found
}

/// The actions of what a vocabulary nests with a prefix: declared where that is said.
pub(super) fn actions(outer: &'static EventType) -> Vec<CatalogueAction> {
    let mut actions = Vec::new();
    for nested in outer.nested.iter().filter(|nested| !nested.prefix.is_empty()) {
        if let Some(inner) = (nested.of)() {
            add(&mut actions, outer, nested.variant, nested.prefix, inner);
        }
    }
    actions
}

/// Adds those of a vocabulary, and of what that one nests.
fn add(actions: &mut Vec<CatalogueAction>, outer: &EventType, variant: &str, prefix: &str, inner: &'static EventType) {
    actions.extend(of_event(inner).map(|action| {
        let item = format!("{}::{variant}({})", outer.ty.name, action.place.item);
        CatalogueAction {
            action: format!("{prefix}{}", action.action),
            place: place(outer.ty.package, outer.ty.module, &item, (outer.file, outer.line)),
            was: action.was.iter().map(|was| format!("{prefix}{was}")).collect(),
            unlocked: outer.unlocked,
            ..action
        }
    }));
    for nested in inner.nested {
        if let Some(innermost) = (nested.of)() {
            add(actions, outer, variant, &format!("{prefix}{}", nested.prefix), innermost);
        }
    }
}
