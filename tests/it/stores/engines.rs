//! The stores behind features, under the suite. How many random questions each is asked is a matter of patience:
//! `AUDITED_STORE_CASES` and `AUDITED_STORE_QUERIES` ask for more.

#[cfg(feature = "postgres")]
mod postgres {
    use audited::testing::{StoreUnderTest, store_contract};

    use super::super::Fixture;
    use super::super::fuzz::gives_no_foreign_row;
    use super::super::random::answers_as_the_model;
    use crate::servers::postgres::database;

    fn fixture() -> Fixture {
        Fixture::new(database().store())
    }

    store_contract!(postgresql_keeps_it, || {
        let database = database();
        // The databases of the tests are copies of one, and so is the key of their cursors; triggers keep it.
        let own = "ALTER TABLE audited.secrets DISABLE TRIGGER USER; \
                   UPDATE audited.secrets SET cursor_key = decode(md5('a' || random()) || md5('b' || random()), 'hex') \
                   RETURNING 'changed'";
        assert_eq!(database.sql("postgres", own), ["changed"]);
        StoreUnderTest::new(database.store()).reopened_by(move || database.store())
    });

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
    use audited::testing::{StoreUnderTest, store_contract};
    use audited::{SqliteOptions, SqliteStore};

    use super::super::Fixture;
    use super::super::fuzz::gives_no_foreign_row;
    use super::super::random::answers_as_the_model;

    fn fixture(options: &SqliteOptions) -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        Fixture::new(options.open(directory.path().join("audit.db")).unwrap()).holding(directory)
    }

    store_contract!(sqlite_keeps_it, |place| {
        let path = place.join("audit.db");
        let store = SqliteStore::open(&path).unwrap();
        StoreUnderTest::new(store).reopened_by(move || SqliteStore::open(&path).unwrap()).is_opened_again()
    });

    #[test]
    fn sqlite_answers_as_the_model() {
        answers_as_the_model(|| fixture(&SqliteOptions::new().os_buffer()), 2_000);
    }

    #[test]
    fn sqlite_gives_no_foreign_row() {
        gives_no_foreign_row(|| fixture(&SqliteOptions::new().os_buffer()), 5_000);
    }
}
