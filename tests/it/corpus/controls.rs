//! Negative controls: one wrong shape of each kind, and the corpus reports it.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::panic::{AssertUnwindSafe, catch_unwind};

use audited::{
    Action, ActorId, Anywhere, AuditEvent, Encoder, EventKind, Mode, Object, Sensitive, record, record_action,
};
use serde::{Deserialize, Serialize};

use super::driver::{self, Case, Made, Planting};

/// Writes its text by a closure.
struct Leaky<W>(String, W);

impl<W: Fn(&str, &mut Encoder<'_>)> Sensitive for Leaky<W> {
    fn write(&self, encoder: &mut Encoder<'_>) {
        (self.1)(&self.0, encoder);
    }
}

impl<W> Debug for Leaky<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leaky")
    }
}

/// With what the corpus fails.
fn failure(check: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(check)).expect_err("it must fail");
    *panic.downcast().expect("a text")
}

#[track_caller]
fn assert_reported(mode: Mode, make: fn(&mut Planting<'_>) -> Made) {
    let message = failure(|| driver::leaks_nothing(&Case { name: "control", make }, mode));
    assert!(message.contains("  leak: "), "{message}");
}

/// Tries a writer that says that it redacts, and shows what it should not.
macro_rules! reported {
    ($mode:expr, $write:expr) => {
        assert_reported($mode, |p| {
            let write: fn(&str, &mut Encoder<'_>) = $write;
            Made::marked(Box::new(Leaky(p.leaf("memo"), write)))
        });
    };
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}

#[test]
fn a_writer_that_shows_all_or_a_part_in_whatever_form() {
    reported!(Mode::Drop, |memo, encoder| encoder.remainder(memo));
    reported!(Mode::Drop, |memo, encoder| encoder.remainder(&memo.to_lowercase()));
    reported!(Mode::Drop, |memo, encoder| encoder.remainder(&memo[memo.len() - 8..]));
    reported!(Mode::Hash, |memo, encoder| encoder.remainder(&format!("hash:{}", hex(memo))));
    reported!(Mode::Len, |memo, encoder| encoder.remainder(&format!("{:?}", memo.as_bytes())));
    reported!(Mode::Present, |memo, encoder| encoder.remainder(&memo[3..9]));
    reported!(Mode::Custom("x"), |memo, encoder| encoder.redacted_by(Mode::Plain, memo));
}

#[test]
fn a_part_that_is_not_the_one_which_the_mode_shows() {
    const FIRST: Mode = Mode::Mask { first: 6, last: 0 };
    const LAST: Mode = Mode::Mask { first: 0, last: 6 };
    reported!(FIRST, |memo, encoder| encoder.redacted_by(Mode::Mask { first: 7, last: 0 }, memo));
    reported!(FIRST, |memo, encoder| encoder.redacted_by(LAST, memo));
    reported!(LAST, |memo, encoder| encoder.redacted_by(FIRST, memo));
    reported!(LAST, |memo, encoder| encoder.redacted_by(Mode::Mask { first: 6, last: 6 }, memo));
    reported!(Mode::Truncate(8), |memo, encoder| encoder.redacted_by(Mode::Truncate(9), memo));
    reported!(Mode::Drop, |memo, encoder| encoder.redacted_by(FIRST, memo));
}

#[test]
fn a_place_that_is_forgotten() {
    reported!(Mode::Drop, |memo, encoder| encoder.array(|items| {
        items.item(Encoder::redacted);
        items.item(|encoder| encoder.plain(memo));
    }));
    reported!(Mode::Drop, |memo, encoder| encoder.object(|fields| {
        fields.redacted("memo");
        fields.plain(memo, &1);
    }));
    reported!(Mode::Drop, |memo, encoder| encoder.object(|fields| {
        fields.redacted("memo");
        fields.plain("inner", &BTreeMap::from([(1, [Some(memo)])]));
    }));
    reported!(Mode::Hash, |memo, encoder| encoder.object(|fields| {
        fields.hashed("memo", memo);
        fields.plain(&"x".repeat(300), memo);
    }));
}

#[test]
fn a_debug_that_shows_it() {
    #[derive(Debug)]
    struct Shown(#[allow(dead_code, reason = "its Debug is read")] String);

    impl Sensitive for Shown {
        fn write(&self, encoder: &mut Encoder<'_>) {
            encoder.redacted();
        }
    }

    assert_reported(Mode::Drop, |p| Made::marked(Box::new(Shown(p.leaf("")))));
}

#[test]
fn a_number_in_a_log_line() {
    assert_reported(Mode::Drop, |p| {
        let write: fn(&str, &mut Encoder<'_>) = |digits, encoder| {
            tracing::debug!("writing {:x}", digits.parse::<u64>().unwrap());
            encoder.redacted();
        };
        Made::marked(Box::new(Leaky(p.leaf::<u64>("").to_string(), write)))
    });
}

/// Comes back from its JSON, and its record says nothing of its memo.
#[derive(Deserialize, Serialize)]
struct Unsaid {
    memo: String,
    note: String,
}

impl Sensitive for Unsaid {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.object(|fields| {
            fields.plain("memo", &self.memo.len());
            fields.redacted("note");
        });
    }
}

impl Debug for Unsaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        audited::__private::debug(self, "Unsaid", f)
    }
}

#[test]
fn a_marked_field_that_the_record_does_not_list() {
    let case =
        Case { name: "control", make: |p| Made::read(Box::new(Unsaid { memo: p.leaf("memo"), note: p.leaf("note") })) };
    let message = failure(|| driver::leaks_nothing(&case, Mode::Drop));
    assert!(message.contains("nothing was planted at `memo`"), "{message}");
}

#[test]
fn a_value_that_redacts_nothing_or_holds_no_secret() {
    let case = Case { name: "control", make: |_| Made::marked(Box::new(1)) };
    let message = failure(|| driver::leaks_nothing(&case, Mode::Drop));
    assert!(message.contains("no record says that something was redacted"), "{message}");
    let make: fn(&mut Planting<'_>) -> Made = |_| {
        let write: fn(&str, &mut Encoder<'_>) = |_, encoder| encoder.redacted();
        Made::marked(Box::new(Leaky(String::new(), write)))
    };
    let message = failure(|| driver::leaks_nothing(&Case { name: "control", make }, Mode::Drop));
    assert!(message.contains("nothing was planted"), "{message}");
}

/// An event that shows what it says.
struct Said(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct SaidKind;

impl EventKind for SaidKind {
    const ALL: &'static [Self] = &[Self];

    fn action(self) -> Action {
        Action::new("corpus.said")
    }
}

impl Anywhere for Said {}

impl AuditEvent for Said {
    type Kind = SaidKind;

    fn kind(&self) -> SaidKind {
        SaidKind
    }

    fn write_fields(&self, fields: &mut Object<'_, '_>) {
        fields.redacted("note");
        fields.plain("said", &self.0);
    }
}

#[test]
fn code_that_shows_an_event_or_an_identity() {
    let controls: [fn(&mut Planting<'_>) -> Box<dyn Fn()>; 3] = [
        |p| {
            let event = Said(p.leaf("said"));
            Box::new(move || assert!(record(&event).wait().is_ok()))
        },
        |p| {
            let id: String = p.leaf("actor");
            Box::new(move || {
                let actor = audited::Actor::user(ActorId::plain(id.clone()));
                let record = record_action(Action::new("corpus.identity")).actor(actor);
                record.fields(|fields| fields.redacted("note")).wait().unwrap();
            })
        },
        |p| {
            let resource: String = p.leaf("resource");
            Box::new(move || {
                let action =
                    Action::parse(format!("corpus.{}", resource.replace(|c: char| !c.is_ascii_alphabetic(), "-")));
                let record = record_action(action.unwrap());
                record.fields(|fields| fields.redacted("note")).wait().unwrap();
            })
        },
    ];
    for control in controls {
        let message = failure(|| driver::code_leaks_nothing(control, Mode::Drop));
        assert!(message.contains("  leak: "), "{message}");
    }
}
