//! The stores behind features, under the suite. How many random questions each is asked is a matter of patience:
//! `AUDITED_STORE_CASES` and `AUDITED_STORE_QUERIES` ask for more.

#[cfg(feature = "postgres")]
mod postgres {
    use super::super::fuzz::gives_no_foreign_row;
    use super::super::random::answers_as_the_model;
    use super::super::{Fixture, store_contract};
    use crate::servers::postgres::database;

    fn fixture() -> Fixture {
        let database = database();
        let again = database.clone();
        Fixture::new(database.store()).reopened_by(move || std::sync::Arc::new(again.store()))
    }

    #[test]
    fn postgresql_keeps_it() {
        store_contract(fixture);
    }

    #[test]
    fn postgresql_answers_as_the_model() {
        answers_as_the_model(fixture, 500);
    }

    #[test]
    fn postgresql_gives_no_foreign_row() {
        gives_no_foreign_row(fixture, 2_000);
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::sync::Arc;

    use audited::SqliteOptions;

    use super::super::fuzz::gives_no_foreign_row;
    use super::super::random::answers_as_the_model;
    use super::super::{Fixture, store_contract};

    fn fixture(options: &SqliteOptions) -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        let (path, options) = (directory.path().join("audit.db"), options.clone());
        let store = options.open(&path).unwrap();
        Fixture::new(store).holding(directory).reopened_by(move || Arc::new(options.open(&path).unwrap()))
    }

    #[test]
    fn sqlite_keeps_it() {
        store_contract(|| fixture(&SqliteOptions::new()));
    }

    #[test]
    fn sqlite_answers_as_the_model() {
        answers_as_the_model(|| fixture(&SqliteOptions::new().os_buffer()), 2_000);
    }

    #[test]
    fn sqlite_gives_no_foreign_row() {
        gives_no_foreign_row(|| fixture(&SqliteOptions::new().os_buffer()), 5_000);
    }
}
