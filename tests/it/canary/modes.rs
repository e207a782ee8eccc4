//! What a mode declares to show is no leak, and one character more is.

use audited::testing::{CanaryReport, Form, canary};
use audited::{Encoder, Redactor, Sensitive};
use serde::{Deserialize, Serialize};

use crate::canary::the_leak;

struct LastFour;

impl Redactor<String> for LastFour {
    fn redact(value: &String, encoder: &mut Encoder<'_>) {
        encoder.remainder(&value.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect::<String>());
    }
}

#[derive(Clone, Deserialize, Serialize, Sensitive)]
struct Everything {
    id: u64,
    #[sensitive]
    dropped: String,
    #[sensitive(hash)]
    hashed: String,
    #[sensitive(mask(first = 6, last = 7))]
    masked: String,
    #[sensitive(mask(last = 6))]
    account: u64,
    #[sensitive(mask(first = 8))]
    many: Vec<String>,
    #[sensitive(mask(first = 8))]
    inner: Inner,
    #[sensitive(truncate(100))]
    cut: String,
    #[sensitive(len)]
    counted: String,
    #[sensitive(present)]
    there: String,
    #[sensitive(with = LastFour)]
    custom: String,
    alone: Alone,
    tagged: Tagged,
}

#[derive(Clone, Deserialize, Serialize, Sensitive)]
struct Inner {
    #[sensitive(plain)]
    text: String,
    #[sensitive]
    dropped: String,
    number: u64,
}

#[derive(Clone, Deserialize, Serialize, Sensitive)]
struct Alone(#[sensitive(mask(first = 9))] String);

#[derive(Clone, Deserialize, Serialize, Sensitive)]
enum Tagged {
    Card(#[sensitive(mask(first = 10))] String),
}

fn everything() -> Everything {
    let text = || "0123456789abcdefghijklmnopqrstuvwxyz".to_owned();
    Everything {
        id: 1,
        dropped: text(),
        hashed: text(),
        masked: text(),
        account: 7,
        many: vec![text(), text()],
        inner: Inner { text: text(), dropped: text(), number: 7 },
        cut: text(),
        counted: text(),
        there: text(),
        custom: text(),
        alone: Alone(text()),
        tagged: Tagged::Card(text()),
    }
}

#[test]
fn every_mode_is_clean_and_shows_what_it_declares() {
    let report = canary(&everything()).check();
    assert_eq!(
        report.planted(),
        [
            "dropped",
            "hashed",
            "masked",
            "account",
            "many[]",
            "inner.text",
            "inner.dropped",
            "inner.number",
            "cut",
            "counted",
            "there",
            "custom",
            "alone",
            "tagged.Card"
        ]
    );
    assert_eq!(report.unplanted(), []);
    let detail = report.records()[0].detail().unwrap().to_owned();
    assert_eq!(detail.matches("***").count(), 8, "{detail}");
    for shown in ["hash:", "<redacted>", "…", "<40 characters>", "<present>"] {
        assert!(detail.contains(shown), "{detail}");
    }
    report.assert_clean();
}

/// Runs code that shows one character more than the field may, of what the field takes.
fn one_more(secret: impl FnOnce(&Everything) -> String) -> CanaryReport<()> {
    canary(&everything()).run_sync(|value| {
        audited::record_action(audited::Action::new("test.write")).field("value", &value).wait().unwrap();
        tracing::info!("{}", secret(&value));
    })
}

#[test]
fn one_character_more_than_a_mode_declares_is_a_leak() {
    type Show = (&'static str, usize, fn(&Everything) -> String);
    let shows: [Show; 5] = [
        ("masked", 7, |value| value.masked.chars().take(7).collect()),
        ("masked", 8, |value| value.masked.chars().skip(40 - 8).collect()),
        ("account", 7, |value| value.account.to_string()[12..].to_owned()),
        ("many[]", 9, |value| value.many[1].chars().take(9).collect()),
        ("alone", 10, |value| value.alone.0.chars().take(10).collect()),
    ];
    for (path, characters, show) in shows {
        let report = one_more(show);
        let leaks: Vec<_> = report.leaks().iter().map(|leak| (leak.path.as_str(), leak.characters)).collect();
        assert_eq!(leaks, [(path, characters)], "{report}");
    }
    for show in [
        (|value: &Everything| value.masked.chars().take(6).collect()) as fn(&Everything) -> String,
        |value| value.masked.chars().skip(40 - 7).collect(),
        |value| value.account.to_string()[13..].to_owned(),
        |value| value.cut.chars().take(13).collect(),
    ] {
        one_more(show).assert_clean();
    }
}

/// A mask of its own that shows one character more than a field of that name does.
#[derive(Deserialize, Serialize)]
struct Careless {
    memo: String,
}

/// Registers what a field of that name may show.
#[derive(Sensitive)]
#[allow(dead_code)]
struct Careful {
    #[sensitive(mask(first = 9))]
    memo: String,
    other: u64,
}

impl Sensitive for Careless {
    fn write(&self, encoder: &mut Encoder<'_>) {
        let shown: String = self.memo.chars().take(10).chain("***".chars()).collect();
        encoder.object(|fields| fields.field("memo", |encoder| encoder.remainder(&shown)));
    }
}

#[test]
fn a_mask_that_shows_one_character_too_many_is_a_leak() {
    let report = canary(&Careless { memo: "gift".into() }).check();
    assert_eq!(the_leak(&report, Form::Raw).characters, 10);
}
