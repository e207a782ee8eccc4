//! What holds for every text and for all JSON.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use audited::{Action, Encoder, Mode, Record, sensitive_types};
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The JSON that a record holds of what is written, and the record.
fn written(write: impl FnOnce(&mut Encoder<'_>)) -> (String, Record) {
    let record = Record::builder(Action::new("corpus.property")).fields(|fields| fields.field("v", write)).build();
    let detail = record.detail().expect("a detail");
    let json = detail.strip_prefix(r#"{"v":"#).and_then(|rest| rest.strip_suffix('}')).expect("one field");
    (json.to_owned(), record)
}

fn left_of(mode: Mode, value: &Value) -> Value {
    let (json, _) = written(|encoder| encoder.redacted_by(mode, value));
    serde_json::from_str(&json).expect("JSON")
}

/// No more than a third of each value, and nothing but the ends that the mode names.
fn shows_a_third_at_most(mode: Mode, value: &Value, left: &Value) -> Result<(), TestCaseError> {
    let text = match value {
        Value::Array(items) => {
            let left = left.as_array().expect("a list");
            prop_assert_eq!(left.len(), items.len());
            return items.iter().zip(left).try_for_each(|(item, left)| shows_a_third_at_most(mode, item, left));
        }
        Value::Object(entries) => {
            let left = left.as_object().expect("a map");
            prop_assert_eq!(left.len(), entries.len());
            // Its keys are shown in part themselves, with the number of the entry.
            for (key, left) in entries.keys().zip(keys_in_order(left)) {
                let (left, _) = left.rsplit_once(' ').expect("a number");
                part_of(mode, key, left)?;
            }
            return Ok(());
        }
        Value::Null => return Ok(()),
        // Of two words the first character tells all.
        Value::Bool(_) => String::new(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
    };
    part_of(mode, &text, left.as_str().expect("a text"))
}

fn keys_in_order(entries: &serde_json::Map<String, Value>) -> Vec<&str> {
    let mut keys: Vec<_> = entries.keys().map(String::as_str).collect();
    keys.sort_by_key(|key| key.rsplit_once(' ').and_then(|(_, number)| number.parse::<usize>().ok()));
    keys
}

fn part_of(mode: Mode, text: &str, left: &str) -> Result<(), TestCaseError> {
    let all = text.chars().count();
    let (first, last) = match mode {
        Mode::Mask { first, last } => {
            let hidden = left.find("***").map(|_| left.chars().count() - 3).expect("a mask");
            let (first, last) = (usize::from(first), usize::from(last));
            let expected = if (first + last) * 3 <= all { (first, last) } else { (0, 0) };
            prop_assert_eq!(hidden, expected.0 + expected.1);
            expected
        }
        Mode::Truncate(first) => {
            let first = usize::from(first).min(all / 3);
            prop_assert_eq!(left.chars().count(), first + 1);
            (first, 0)
        }
        _ => unreachable!("a mode that shows a part"),
    };
    prop_assert!((first + last) * 3 <= all);
    prop_assert!(left.chars().take(first).eq(text.chars().take(first)), "{left} of {text}");
    prop_assert!(left.chars().rev().take(last).eq(text.chars().rev().take(last)), "{left} of {text}");
    Ok(())
}

fn part_modes() -> impl Strategy<Value = Mode> {
    prop_oneof![
        (0..=32_u8, 0..=32_u8)
            .prop_filter("it keeps something", |ends| *ends != (0, 0))
            .prop_map(|(first, last)| Mode::Mask { first, last }),
        (1..=64_u16).prop_map(Mode::Truncate),
    ]
}

/// Texts of which a record writes each character as `serde_json` does.
const TAME: &str = "[ -~\n\t\r\u{1}äß東🦀]{0,20}";

/// Keys as they come, and some that are hidden: registered, or like a secret.
fn keys() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,3}[0-9]{1,2}",
        1 => TAME,
        1 => prop::sample::select(vec!["memo", "Me-Mo", "apiToken", "PASSWORD", "cardinal", "discard", "card_number", "id", ""])
            .prop_map(str::to_owned),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        TAME.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((keys(), inner), 0..6).prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

/// What is done to a key, as the documentation says it: by any registered field, or where it is named like a secret.
fn mode_of(key: &str) -> Option<Mode> {
    static NAMES: LazyLock<HashMap<String, Mode>> = LazyLock::new(|| {
        let mut names = HashMap::new();
        for field in sensitive_types().into_iter().flat_map(|ty| ty.fields()) {
            let Some(mode) = field.mode.filter(|mode| *mode != Mode::Plain) else { continue };
            let mode = if matches!(mode, Mode::Custom(_)) { Mode::Drop } else { mode };
            for name in [field.key, field.name].into_iter().filter(|name| name.bytes().any(|b| !b.is_ascii_digit())) {
                names
                    .entry(folded(name))
                    .and_modify(|known: &mut Mode| *known = known.tightened_by(mode))
                    .or_insert(mode);
            }
        }
        names
    });
    let secrets = ["apiToken", "PASSWORD", "card_number"];
    if secrets.contains(&key) { Some(Mode::Drop) } else { NAMES.get(&folded(key)).copied() }
}

fn folded(name: &str) -> String {
    let folded: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if folded.is_empty() { name.to_owned() } else { folded }
}

fn has_hidden_keys(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_hidden_keys),
        Value::Object(entries) => entries.iter().any(|(key, value)| mode_of(key).is_some() || has_hidden_keys(value)),
        _ => false,
    }
}

/// What is left of JSON that is declared plain.
fn expected(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(expected).collect(),
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| {
                let left = mode_of(key).map_or_else(|| expected(value), |mode| left_of(mode, value));
                (key.clone(), left)
            };
            entries.iter().map(entry).collect()
        }
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mask_or_a_cut_shows_a_third_at_most(mode in part_modes(), text in "\\PC{0,120}", number: u64, ratio: f64, on: bool) {
        for value in [json!(text), json!(number), json!(ratio), json!(on)] {
            shows_a_third_at_most(mode, &value, &left_of(mode, &value))?;
        }
    }

    #[test]
    fn of_a_list_or_a_map_each_value_and_each_key_shows_a_third_at_most(
        mode in part_modes(),
        items in prop::collection::vec("\\PC{0,60}", 0..5),
        numbers in prop::collection::vec(any::<i64>(), 0..5),
        keys in prop::collection::btree_set("[a-zé ]{0,60}", 0..5),
    ) {
        let map: BTreeMap<_, _> = keys.into_iter().map(|key| (key, 1)).collect();
        let value = json!([items, [numbers], map]);
        shows_a_third_at_most(mode, &value, &left_of(mode, &value))?;
    }

    #[test]
    fn json_is_written_as_serde_does_unless_a_key_is_hidden(value in values()) {
        let (json, record) = written(|encoder| encoder.plain(&value));
        if has_hidden_keys(&value) {
            prop_assert!(!record.redacted().is_empty());
            prop_assert_eq!(json, expected(&value).to_string());
        } else {
            prop_assert_eq!(json, value.to_string());
            prop_assert!(record.redacted().is_empty() && record.flags().is_empty());
        }
    }

    #[test]
    fn raw_json_is_written_in_one_line_unless_a_key_is_hidden(value in values(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let raw = RawValue::from_string(text).unwrap();
        let (json, record) = written(|encoder| encoder.plain(&raw));
        if has_hidden_keys(&value) {
            prop_assert!(!record.redacted().is_empty());
            prop_assert_eq!(json, expected(&value).to_string());
        } else {
            prop_assert_eq!(json, value.to_string());
        }
    }

    #[test]
    fn every_text_comes_back_and_stays_on_its_line(text in any::<String>(), key in any::<String>()) {
        prop_assume!(mode_of(&key).is_none());
        let value = json!({ key: [text] });
        let (json, record) = written(|encoder| encoder.plain(&value));
        prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
        let misleads = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        prop_assert!(!record.json().contains(misleads), "{}", record.json());
    }
}
