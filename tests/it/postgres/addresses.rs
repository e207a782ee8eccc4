//! What an address shows, and what it does not.

use std::error::Error;

use audited::{PostgresError, PostgresOptions};

/// All that an error shows, and what is behind it.
fn all_of(error: &PostgresError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text} {source} {source:?}");
        next = source.source();
    }
    text
}

#[test]
fn an_address_whose_password_is_not_escaped_is_refused_and_shown_nowhere() {
    for address in [
        "postgres://bank:s3c@ret@db.example.org/bank",
        "postgresql://bank:s3c@ret@db.example.org/bank",
        "postgres://bank:s3c@ret/more@db.example.org/bank",
        "postgres://bank:s3c/ret@db.example.org/bank",
        "postgres://bank:s3c?ret@db.example.org/bank",
        "postgres://bank:s3c#ret@db.example.org/bank",
        "postgres://bank:s3c ret@db.example.org/bank",
        "postgres://bank:s3c\nret@db.example.org/bank",
        "postgres://db.example.org/bank?password=s3c@ret",
        "postgres://bank@db.example.org/bank?password=s3c@ret",
    ] {
        let error = PostgresOptions::new(address).expect_err(address);
        let shown = all_of(&error);
        assert!(matches!(error, PostgresError::Options(..)), "{address:?}: {shown}");
        assert!(!shown.contains("s3c") && !shown.contains("ret"), "{address:?}: {shown}");
        assert!(shown.contains("%40"), "it says how to mend it: {shown}");
    }
}

#[test]
fn an_address_whose_password_is_escaped_is_taken_and_shows_nothing_of_it() {
    for address in [
        "postgres://bank:s3c%40ret@db.example.org/bank",
        "postgres://bank:s3c:ret@db.example.org/bank",
        "postgres://bank:s3c%2F%3F%23%20ret@db.example.org:5433/bank?sslmode=require",
        "postgres://db.example.org/bank?password=s3c%40ret&user=bank",
        "host=db.example.org user=bank dbname=bank password=s3c@ret",
    ] {
        let options = PostgresOptions::new(address).expect(address);
        assert_eq!(options.to_string(), "postgres(db.example.org/bank)", "{address}");
        assert_eq!(format!("{options:?}"), "PostgresOptions(postgres(db.example.org/bank))", "{address}");
    }
}
