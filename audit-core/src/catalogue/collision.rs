//! Actions that are declared at more than one place.

use std::sync::LazyLock;

use super::{Catalogue, CatalogueAction, catalogue};

/// Two declarations of one action that are not doors of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Collision {
    pub(crate) action: String,
    pub(crate) places: [String; 2],
}

/// The first collision in this binary.
pub(crate) fn of_this_binary() -> Option<&'static Collision> {
    static FIRST: LazyLock<Option<Collision>> = LazyLock::new(|| first(&catalogue()));
    FIRST.as_ref()
}

/// The first collision: its actions are sorted, so that equal ones are neighbours.
fn first(catalogue: &Catalogue) -> Option<Collision> {
    let counted: Vec<_> = catalogue.actions.iter().filter(|entry| !entry.unlocked).collect();
    let pair = counted.windows(2).find(|pair| pair[0].action == pair[1].action && collide(pair[0], pair[1]))?;
    Some(Collision { action: pair[0].action.clone(), places: [pair[0], pair[1]].map(|entry| entry.place.to_string()) })
}

fn collide(one: &CatalogueAction, other: &CatalogueAction) -> bool {
    // A package that is linked in two versions is one: the same item in another file.
    let twice = one.place.file != other.place.file
        && (&one.place.package, &one.place.module, &one.place.item)
            == (&other.place.package, &other.place.module, &other.place.item);
    let doors = one.shared && other.shared && one.records_as(other);
    !(twice || doors)
}

impl CatalogueAction {
    /// Whether the records of both show the same, and are as sure to be there.
    fn records_as(&self, other: &Self) -> bool {
        let of = |entry: &Self| (entry.policy.clone(), entry.intent, entry.severity.clone(), entry.surface.clone());
        self.fields == other.fields && of(self) == of(other)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Origin, Place};
    use super::*;

    fn entry(item: &str, file: &str, shared: bool) -> CatalogueAction {
        let place =
            Place { package: "bank".into(), module: "bank::api".into(), item: item.into(), file: file.into(), line: 7 };
        CatalogueAction { shared, ..CatalogueAction::new("account.close", Origin::Function, place) }
    }

    fn of(actions: Vec<CatalogueAction>) -> Option<Collision> {
        first(&Catalogue { actions, ..Catalogue::default() })
    }

    #[test]
    fn both_places_are_named() {
        let found = of(vec![entry("rest", "api.rs", false), entry("grpc", "api.rs", true)]).unwrap();
        assert_eq!(found.action, "account.close");
        assert_eq!(
            found.places,
            ["bank::api::rest (api.rs:7, package bank)", "bank::api::grpc (api.rs:7, package bank)"]
        );
    }

    #[test]
    fn doors_of_one_operation_share_it_if_their_records_do_not_differ() {
        let (rest, mut grpc) = (entry("rest", "api.rs", true), entry("grpc", "api.rs", true));
        assert_eq!(of(vec![rest.clone(), grpc.clone()]), None);
        grpc.intent = true;
        assert!(of(vec![rest, grpc]).is_some());
    }

    #[test]
    fn a_package_in_two_versions_is_one_and_what_is_unlocked_does_not_count() {
        assert_eq!(of(vec![entry("rest", "bank-1.0/api.rs", false), entry("rest", "bank-2.0/api.rs", false)]), None);
        let mut test_only = entry("grpc", "api.rs", false);
        test_only.unlocked = true;
        assert_eq!(of(vec![entry("rest", "api.rs", false), test_only]), None);
    }
}
