//! Where nothing is hidden, a record looks like the JSON that users know, to the byte.

use audited::testing::Secrets;
use audited::{Action, Record};
use serde_json::Value;

use super::driver::Case;

/// How a shape may differ.
enum Differs {
    /// In what is escaped: it is the same JSON.
    InEscapes,
    /// It is cut, and flagged.
    AsCut,
    /// Names tell of secrets, and something is redacted.
    AsRedacted,
}

/// The shapes that a record shows otherwise than `serde_json`, and why.
const EXCEPTIONS: &[(&str, Differs, &str)] = &[
    ("flattened_free_keys", Differs::AsRedacted, REGISTERED),
    ("json_with_registered_keys", Differs::AsRedacted, REGISTERED),
    ("keys_that_mislead", Differs::InEscapes, "what ends a line or turns a text around could forge one"),
    ("many_items", Differs::AsCut, "no record holds five thousand entries"),
    ("plain_wrapper_of_classified", Differs::AsRedacted, OF_ANOTHER_MODE),
    ("raw_json_with_registered_keys", Differs::AsRedacted, REGISTERED),
    ("too_deep", Differs::AsCut, "no record holds a hundred levels"),
    ("unclassified_around_classified", Differs::AsRedacted, OF_ANOTHER_MODE),
    ("unclassified_around_enums", Differs::AsRedacted, OF_ANOTHER_MODE),
    ("very_long", Differs::AsCut, "no record holds a text of that length"),
];

const REGISTERED: &str = "a key that tells of a secret, or that any type hides, is hidden wherever it stands";

/// Inside of what serde writes, a type is known by its name: that of this mode has the names of those of the others.
const OF_ANOTHER_MODE: &str = "a type of that name hides the field";

/// Compares what a record holds of a value with what `serde_json` writes of it.
#[track_caller]
pub(super) fn as_serde_writes_it(case: &Case) {
    let (made, _) = case.make(&mut Secrets::default());
    let json = made.json.expect("a shown value").expect("JSON");
    let record = Record::builder(Action::new("corpus.same")).field("v", &*made.value).build();
    let detail = record.detail().expect("a detail");
    let written = detail.strip_prefix(r#"{"v":"#).and_then(|rest| rest.strip_suffix('}')).expect("one field");
    let Some((_, differs, why)) = EXCEPTIONS.iter().find(|(name, ..)| *name == case.name) else {
        assert_eq!(written, json);
        assert!(record.flags().is_empty() && record.redacted().is_empty(), "{record:?}");
        return;
    };
    assert_ne!(written, json, "no exception any more, although {why}");
    let parsed = |json| serde_json::from_str::<Value>(json).expect("JSON");
    match differs {
        Differs::InEscapes => assert_eq!(parsed(written), parsed(&json)),
        Differs::AsCut => assert_eq!(record.flags(), ["cut"]),
        Differs::AsRedacted => assert!(!record.redacted().is_empty(), "{record:?}"),
    }
}
