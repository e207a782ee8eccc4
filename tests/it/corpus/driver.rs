//! Runs one shape through the harness, whatever its type: all that is generic here is a few lines.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use audited::testing::{Canary, CanaryReport, Secrets, canary};
use audited::{Action, Encoder, Mode, Recorder, Sensitive, TracingSink, record_action, with_recorder_sync};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A value of some shape.
pub(crate) trait Shape: Sensitive + fmt::Debug {}

impl<T: Sensitive + fmt::Debug> Shape for T {}

/// A value and what can be done with it.
pub(crate) struct Made {
    pub(crate) value: Box<dyn Shape>,
    /// What `serde_json` writes of it, where that can be had.
    pub(crate) json: Option<serde_json::Result<String>>,
    /// Reads such a value, where it comes back from its JSON.
    read: Option<Read>,
}

type Read = fn(&str) -> serde_json::Result<Made>;

impl Made {
    pub(crate) fn marked(value: Box<dyn Shape>) -> Self {
        Self { value, json: None, read: None }
    }

    pub(crate) fn shown<T: Shape + Serialize + 'static>(value: Box<T>) -> Self {
        let mut json = Vec::new();
        let written = value.serialize(&mut serde_json::Serializer::new(&mut json));
        Self { json: Some(written.map(|()| text(json))), ..Self::marked(value) }
    }

    pub(crate) fn read<T: Shape + Serialize + DeserializeOwned + 'static>(value: Box<T>) -> Self {
        let read: Read = |json| {
            T::deserialize(&mut serde_json::Deserializer::from_str(json)).map(|value| Self::shown(Box::new(value)))
        };
        Self { read: Some(read), ..Self::shown(value) }
    }
}

fn text(json: Vec<u8>) -> String {
    String::from_utf8(json).expect("text")
}

/// A shape, under one mark.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) make: fn(&mut Planting<'_>) -> Made,
}

impl Case {
    /// A value with secrets in it, and where they are.
    pub(crate) fn make(&self, secrets: &mut Secrets) -> (Made, Paths) {
        let mut planting = Planting { secrets, paths: Paths::default() };
        let made = (self.make)(&mut planting);
        (made, planting.paths)
    }
}

/// Where secrets were planted, as the record calls the place.
#[derive(Default)]
pub(crate) struct Paths {
    /// Of which the mode may show some.
    marked: BTreeSet<&'static str>,
    /// That are written, and of which nothing may be shown whatever the mode.
    hidden: BTreeSet<&'static str>,
    /// That are not written.
    left_out: BTreeSet<&'static str>,
}

impl Paths {
    /// Every path that is written, with what may be shown of it.
    fn written(&self, mode: Mode) -> impl Iterator<Item = (&'static str, Mode)> {
        let marked = self.marked.iter().map(move |path| (*path, mode));
        marked.chain(self.hidden.iter().map(|path| (*path, Mode::Drop)))
    }
}

/// Secrets for the fields of a shape.
pub(crate) struct Planting<'a> {
    secrets: &'a mut Secrets,
    paths: Paths,
}

/// What a secret can be.
pub(crate) trait Plant {
    fn plant(secrets: &mut Secrets, path: &str) -> Self;
}

impl Plant for String {
    fn plant(secrets: &mut Secrets, path: &str) -> Self {
        secrets.text(path)
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl Plant for $number {
            fn plant(secrets: &mut Secrets, path: &str) -> Self {
                secrets.number(path)
            }
        })*
    };
}

numbers! { u32 u64 u128 i64 i128 f32 f64 std::num::NonZeroU64 }

impl Planting<'_> {
    /// A secret in a marked field.
    pub(crate) fn leaf<T: Plant>(&mut self, path: &'static str) -> T {
        self.paths.marked.insert(path);
        T::plant(self.secrets, path)
    }

    /// A secret that no mode shows anything of.
    pub(crate) fn hidden<T: Plant>(&mut self, path: &'static str) -> T {
        self.paths.hidden.insert(path);
        T::plant(self.secrets, path)
    }

    /// A secret in a field that is not written.
    pub(crate) fn left_out<T: Plant>(&mut self, path: &'static str) -> T {
        self.paths.left_out.insert(path);
        T::plant(self.secrets, path)
    }

    /// A secret in a marked field, drawn by hand.
    pub(crate) fn drawn<T>(&mut self, path: &'static str, draw: impl FnOnce(&mut Secrets, &str) -> T) -> T {
        self.paths.marked.insert(path);
        draw(self.secrets, path)
    }
}

/// Plants in the marked fields, by hand and by way of the JSON, and finds nothing of it anywhere, with keys and without.
#[track_caller]
pub(crate) fn leaks_nothing(case: &Case, mode: Mode) {
    for keys in [true, false] {
        assert_clean(by_hand(case, mode, keys));
    }
    if let Some(report) = by_json(case, mode) {
        assert_clean(report);
    }
}

#[track_caller]
fn assert_clean(report: CanaryReport<()>) {
    let redacted = report.records().iter().any(|record| !record.redacted().is_empty());
    assert!(redacted, "no record says that something was redacted: {report}");
    report.assert_clean();
}

/// The same of code.
#[track_caller]
pub(crate) fn code_leaks_nothing(make: fn(&mut Planting<'_>) -> Box<dyn Fn()>, mode: Mode) {
    for keys in [true, false] {
        assert_clean(planted(make, mode, keys).run_sync(|code| in_every_way(&code)));
    }
}

/// A value that the case builds.
#[track_caller]
fn by_hand(case: &Case, mode: Mode, keys: bool) -> CanaryReport<()> {
    planted(|planting| (case.make)(planting).value, mode, keys).and_debug().run_sync(run)
}

#[track_caller]
fn planted<T>(make: impl FnOnce(&mut Planting<'_>) -> T, mode: Mode, keys: bool) -> Canary<T> {
    let mut paths = Paths::default();
    let canary = Canary::with(|secrets| {
        let mut planting = Planting { secrets, paths: Paths::default() };
        let value = make(&mut planting);
        paths = planting.paths;
        value
    });
    let shown = paths.written(mode).chain(paths.left_out.iter().map(|path| (*path, Mode::Drop)));
    let canary = shown.fold(canary, |canary, (path, mode)| canary.shows(path, mode));
    if keys { canary } else { canary.without_keys() }
}

/// A value that the harness builds from the JSON of another, where that can be. It plants where the case does.
#[track_caller]
fn by_json(case: &Case, mode: Mode) -> Option<CanaryReport<()>> {
    let (sample, paths) = case.make(&mut Secrets::default());
    READ.set(Some(sample.read?));
    let canary = canary(&Erased(sample));
    let canary = paths.written(mode).fold(canary, |canary, (path, mode)| canary.shows(path, mode));
    Some(canary.and_debug().run_sync(|erased| run(erased.0.value)))
}

fn run(value: Box<dyn Shape>) {
    in_every_way(&|| {
        record_action(Action::new("corpus.shape")).field("value", &value).wait().expect("an acknowledged record");
    });
}

/// Into the sink of the harness, and into `tracing`, field by field and whole.
fn in_every_way(code: &dyn Fn()) {
    code();
    for sink in [TracingSink::new(), TracingSink::json()] {
        let recorder = Recorder::builder().sink(sink).allow_weak_fail_closed().build().expect("a recorder");
        with_recorder_sync(recorder, code);
    }
}

thread_local! {
    /// How an [`Erased`] is read.
    static READ: Cell<Option<Read>> = const { Cell::new(None) };
}

/// A value of any shape that comes back from its JSON: one type, so that the harness is compiled once.
struct Erased(Made);

impl fmt::Debug for Erased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.value.fmt(f)
    }
}

impl Sensitive for Erased {
    fn write(&self, encoder: &mut Encoder<'_>) {
        self.0.value.write(encoder);
    }
}

impl Serialize for Erased {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = self.0.json.as_ref().expect("JSON").as_ref().map_err(serde::ser::Error::custom)?;
        <&RawValue>::deserialize(&mut serde_json::Deserializer::from_str(json)).expect("JSON").serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Erased {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        let read = READ.get().expect("how it is read");
        read(json.get()).map(Self).map_err(serde::de::Error::custom)
    }
}
