//! Actions that are declared at more than one place.

use std::sync::LazyLock;

use super::{CatalogueAction, CatalogueField, actions};

/// Two declarations of one action that are not doors of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Collision {
    pub(crate) action: String,
    pub(crate) places: [String; 2],
}

/// The first collision in this binary.
pub(crate) fn of_this_binary() -> Option<&'static Collision> {
    static FIRST: LazyLock<Option<Collision>> = LazyLock::new(|| first(&actions()));
    FIRST.as_ref()
}

/// The first collision: its actions are sorted, so that equal ones are neighbours.
fn first(actions: &[CatalogueAction]) -> Option<Collision> {
    let counted = actions.iter().filter(|entry| !entry.unlocked && !is_example(entry));
    let counted: Vec<_> = counted.collect();
    let pair = counted.windows(2).find(|pair| pair[0].action == pair[1].action && pair[0].collides_with(pair[1]))?;
    Some(Collision { action: pair[0].action.clone(), places: [pair[0], pair[1]].map(|entry| entry.place.to_string()) })
}

/// Whether it belongs to an example in documentation: rustdoc makes one program of many, which know nothing of each other.
fn is_example(entry: &CatalogueAction) -> bool {
    entry.place.module.starts_with("doctest_bundle_")
}

impl CatalogueAction {
    /// Whether the two cannot both have the name that they have: they are not doors of one operation, or their records
    /// do not show the same, or are not as sure to be there.
    pub(crate) fn collides_with(&self, other: &Self) -> bool {
        // A package that is linked in two versions is one, if both record alike: the same item in another file.
        let twice = self.place.file != other.place.file
            && (&self.place.package, &self.place.module, &self.place.item)
                == (&other.place.package, &other.place.module, &other.place.item)
            && self.records_as(other);
        let same = self.place == other.place;
        let doors = self.shared && other.shared && self.records_as(other);
        // What is recorded under a prefix has another name.
        let elsewhere = self.prefixed || other.prefixed;
        !(same || twice || doors || elsewhere)
    }

    fn records_as(&self, other: &Self) -> bool {
        // An event has no policy of its own.
        let policies = match (&self.policy, &other.policy) {
            (Some(one), Some(another)) => {
                (one, self.intent, self.transaction) == (another, other.intent, other.transaction)
            }
            _ => true,
        };
        policies
            && (&self.severity, &self.surface) == (&other.severity, &other.surface)
            && self.fields_by_key() == other.fields_by_key()
    }

    fn fields_by_key(&self) -> Vec<&CatalogueField> {
        let mut fields: Vec<_> = self.fields.iter().collect();
        fields.sort_by(|one, other| one.key.cmp(&other.key));
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Origin, Place};
    use super::*;

    fn entry(item: &str, file: &str, shared: bool) -> CatalogueAction {
        let place =
            Place { package: "bank".into(), module: "bank::api".into(), item: item.into(), file: file.into(), line: 7 };
        let policy = Some("fail_open".to_owned());
        CatalogueAction { policy, shared, ..CatalogueAction::new("account.close", Origin::Function, place) }
    }

    #[test]
    fn both_places_are_named() {
        let found = first(&[entry("rest", "api.rs", false), entry("grpc", "api.rs", true)]).unwrap();
        assert_eq!(found.action, "account.close");
        assert_eq!(
            found.places,
            ["bank::api::rest (api.rs:7, package bank)", "bank::api::grpc (api.rs:7, package bank)"]
        );
    }

    #[test]
    fn doors_of_one_operation_share_it_if_their_records_do_not_differ() {
        let (rest, mut grpc) = (entry("rest", "api.rs", true), entry("grpc", "api.rs", true));
        assert_eq!(first(&[rest.clone(), grpc.clone()]), None);
        grpc.intent = true;
        assert!(first(&[rest, grpc]).is_some());
    }

    #[test]
    fn what_is_recorded_under_a_prefix_collides_with_nothing() {
        let (mut nested, other) = (entry("rest", "api.rs", false), entry("grpc", "api.rs", false));
        assert!(first(&[nested.clone(), other.clone()]).is_some());
        nested.prefixed = true;
        assert_eq!(first(&[nested.clone(), other.clone()]), None);
        assert_eq!(first(&[other, nested]), None);
    }

    #[test]
    fn a_package_in_two_versions_is_one_and_what_is_unlocked_or_an_example_does_not_count() {
        assert_eq!(first(&[entry("rest", "bank-1.0/api.rs", false), entry("rest", "bank-2.0/api.rs", false)]), None);
        let (mut old, new) = (entry("rest", "bank-1.0/api.rs", false), entry("rest", "bank-2.0/api.rs", false));
        old.policy = Some("fail_closed".into());
        assert!(first(&[old, new]).is_some(), "records of the two versions are not alike");
        let mut example = entry("grpc", "api.rs", false);
        example.place.module = "doctest_bundle_2024::__doctest_2".into();
        assert_eq!(first(&[example.clone(), entry("rest", "api.rs", false), example]), None);
        let mut test_only = entry("grpc", "api.rs", false);
        test_only.unlocked = true;
        assert_eq!(first(&[entry("rest", "api.rs", false), test_only]), None);
    }
}
