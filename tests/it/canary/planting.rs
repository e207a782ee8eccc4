//! Where secrets are planted: every shape that serde knows.

use std::collections::{BTreeMap, HashMap};

use audited::Sensitive;
use audited::testing::canary;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

/// Checks a type, and tells where secrets were planted and where none.
#[track_caller]
fn planted<T: Serialize + DeserializeOwned + Sensitive>(value: &T) -> (Vec<String>, Vec<String>) {
    let report = canary(value).check();
    let planted = report.planted().into_iter().map(str::to_owned).collect();
    let unplanted = report.unplanted().iter().map(|unplanted| unplanted.path.clone()).collect();
    report.assert_clean();
    (planted, unplanted)
}

#[track_caller]
fn assert_planted<T: Serialize + DeserializeOwned + Sensitive>(value: &T, paths: &[&str]) {
    assert_eq!(planted(value), (paths.iter().map(|path| (*path).to_owned()).collect(), vec![]));
}

#[derive(Deserialize, Serialize, Sensitive)]
struct Memo {
    id: u64,
    #[sensitive]
    memo: String,
}

fn memo() -> Memo {
    Memo { id: 1, memo: "gift".into() }
}

#[derive(Deserialize, Serialize, Sensitive)]
#[serde(rename_all = "camelCase")]
struct Nested {
    inner_one: Memo,
    many: Vec<Memo>,
    by_id: BTreeMap<u64, Memo>,
    maybe: Option<Box<Memo>>,
    #[serde(flatten)]
    flat: Memo,
    #[sensitive(hash)]
    #[serde(rename = "dev")]
    device: String,
}

#[test]
fn nested_lists_maps_and_flattened_fields() {
    let value = Nested {
        inner_one: memo(),
        many: vec![memo(), memo()],
        by_id: BTreeMap::from([(7, memo())]),
        maybe: Some(Box::new(memo())),
        flat: memo(),
        device: "phone".into(),
    };
    assert_planted(&value, &["innerOne.memo", "many[].memo", "byId.7.memo", "maybe.memo", "memo", "dev"]);
}

#[derive(Deserialize, Serialize, Sensitive)]
struct Tuple(u64, #[sensitive] String, #[sensitive(plain)] String, #[sensitive(hash)] u64);

#[derive(Deserialize, Serialize, Sensitive)]
struct Newtype(#[sensitive] String);

#[derive(Deserialize, Serialize, Sensitive)]
#[serde(transparent)]
struct Transparent {
    #[sensitive(hash)]
    secret: u64,
}

#[test]
fn of_a_tuple_only_what_is_marked_and_a_newtype_whole() {
    assert_planted(&Tuple(1, "a".into(), "b".into(), 2), &["[]"]);
    assert_planted(&Newtype("a".into()), &[""]);
    assert_planted(&Transparent { secret: 1 }, &[""]);
    let value = canary(&Tuple(1, "a".into(), "b".into(), 2)).without_record().run_sync(|value| value).assert_clean();
    assert!(value.0 == 1 && value.1.len() > 40 && value.2 == "b" && value.3 > 1_000_000, "only what is marked");
}

#[derive(Deserialize, Serialize, Sensitive)]
enum External {
    Newtype(#[sensitive] String),
    Struct {
        #[sensitive]
        memo: String,
        id: u8,
    },
}

#[derive(Deserialize, Serialize, Sensitive)]
#[serde(tag = "t")]
enum Internal {
    Struct {
        #[sensitive]
        memo: String,
    },
}

#[derive(Deserialize, Serialize, Sensitive)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Tuple(#[sensitive] String, u8),
}

#[derive(Deserialize, Serialize, Sensitive)]
#[serde(untagged)]
enum Untagged {
    Mail(#[sensitive] Mail),
    Other(#[sensitive(plain)] String),
}

#[test]
fn enums_however_they_are_tagged() {
    assert_planted(&External::Newtype("a".into()), &["Newtype"]);
    assert_planted(&External::Struct { memo: "a".into(), id: 1 }, &["Struct.memo"]);
    assert_planted(&Internal::Struct { memo: "a".into() }, &["memo"]);
    assert_planted(&Adjacent::Tuple("a".into(), 1), &["c[]"]);
}

/// Takes only what looks like an address, in lower case.
#[derive(Serialize)]
struct Mail(String);

impl<'de> Deserialize<'de> for Mail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mail = String::deserialize(deserializer)?;
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'.');
        match mail.split_once('@') {
            Some((name, host)) if plain(name) && plain(host) => Ok(Self(mail)),
            _ => Err(serde::de::Error::custom("no address")),
        }
    }
}

#[test]
fn what_is_validated_gets_a_secret_in_the_shape_of_the_sample() {
    assert_planted(&Untagged::Mail(Mail("ann@example.org".into())), &[""]);
    let value = canary(&Untagged::Mail(Mail("ann@example.org".into()))).without_record().run_sync(|value| value);
    assert!(matches!(value.assert_clean(), Untagged::Mail(Mail(mail)) if mail != "ann@example.org"));
    assert_eq!(
        planted(&(memo(), Validated { mail: Mail("a@b".into()) })),
        (vec!["[].memo".into()], vec!["[].mail".into()])
    );
}

#[derive(Deserialize, Serialize, Sensitive)]
struct Validated {
    #[sensitive]
    mail: Mail,
}

#[derive(Deserialize, Serialize, Sensitive)]
struct Composite {
    #[sensitive]
    bytes: Vec<u8>,
    #[sensitive]
    digest: [u8; 16],
    #[sensitive(hash)]
    numbers: Vec<u64>,
    #[sensitive]
    by_name: HashMap<String, u64>,
    #[sensitive]
    inner: Unmarked,
    #[sensitive]
    share: f64,
    #[sensitive]
    wide: u128,
    #[sensitive]
    passport: Id,
    #[sensitive]
    free: serde_json::Value,
}

/// Takes only what looks like a UUID.
#[derive(Serialize)]
struct Id(String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        uuid::Uuid::parse_str(&id).map_err(serde::de::Error::custom)?;
        Ok(Self(id))
    }
}

#[derive(Deserialize, Serialize)]
struct Unmarked {
    name: String,
    on: bool,
}

#[test]
fn values_of_every_kind_that_are_sensitive_as_a_whole() {
    let value = Composite {
        bytes: vec![1, 2],
        digest: [7; 16],
        numbers: vec![1, 2],
        by_name: HashMap::from([("ann".into(), 1), ("bob".into(), 2)]),
        inner: Unmarked { name: "ann".into(), on: true },
        share: 0.5,
        wide: 1,
        passport: Id("01890a5d-ac96-774b-bcce-b302099a8057".into()),
        free: serde_json::json!({"a": ["b"]}),
    };
    let (mut planted, unplanted) = planted(&value);
    planted.sort();
    assert_eq!(
        planted,
        [
            "by_name",
            "by_name.ann",
            "by_name.bob",
            "bytes",
            "digest",
            "free",
            "free.a[]",
            "inner.name",
            "numbers[]",
            "passport",
            "share",
            "wide"
        ]
    );
    assert_eq!(unplanted, ["inner.on"]);
}

#[derive(Deserialize, Serialize, Sensitive, PartialEq, Eq, Hash)]
struct Name(#[sensitive] String);

#[test]
fn names_of_entries_that_are_sensitive() {
    let value = HashMap::from([(Name("ann".into()), memo()), (Name("bob".into()), memo())]);
    let (planted, _) = planted(&value);
    assert!(
        planted.iter().any(|path| path.ends_with("memo")) && planted.iter().any(|path| path.starts_with("<redacted>")),
        "{planted:?}"
    );
}

#[derive(Deserialize, Serialize, Sensitive)]
struct Wide {
    all: Vec<Numbered>,
}

#[derive(Deserialize, Serialize, Sensitive)]
struct Numbered {
    #[sensitive]
    secret: String,
}

#[test]
fn a_hundred_items_have_a_hundred_secrets() {
    let value = Wide { all: (0..100).map(|at| Numbered { secret: at.to_string() }).collect() };
    let wide = canary(&value).without_record().run_sync(|value| value).assert_clean();
    let secrets: std::collections::HashSet<_> = wide.all.iter().map(|item| &item.secret).collect();
    assert_eq!(secrets.len(), 100);
}

#[derive(Deserialize, Serialize, Sensitive)]
struct Full {
    #[sensitive(plain)]
    padding: String,
    #[sensitive(mask(first = 12))]
    memo: String,
}

#[test]
fn more_paths_than_a_record_lists_are_planted() {
    let value: BTreeMap<u64, Memo> = (0..100).map(|id| (id, memo())).collect();
    let (all, none) = planted(&value);
    assert_eq!((all.len(), none), (100, vec![]));
}

#[test]
fn a_sample_that_leaves_no_room_is_told() {
    let report = canary(&Full { padding: "x".repeat(16 * 1024 - 30), memo: "gift".into() }).check();
    assert!(report.planted().is_empty() && report.unplanted()[0].why.contains("no room"), "{report}");
}
