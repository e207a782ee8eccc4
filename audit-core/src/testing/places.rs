//! Which places of a value are sensitive: those that its record hides.

use serde::Serialize;

use super::tree::{Step, Tree};
use crate::action::Action;
use crate::record::Record;
use crate::sensitive::Sensitive;

/// The key of the value in the record that is looked at.
const KEY: &str = "v";

/// What stands in a list of paths for those that have no room.
const MORE: &str = "…";

/// Paths are listed up to here at least; longer ones may be cut.
const LONG_PATH: usize = 200;

/// What a record shows of a value, beside its JSON.
pub(super) struct Look {
    written: Tree,
    plain: Tree,
    /// The paths that the record lists as redacted.
    redacted: Vec<String>,
}

/// Where something sensitive stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) steps: Vec<Step>,
    /// As in the list of redacted paths, from the value on.
    pub(super) path: String,
}

/// What was found in a value.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) sensitive: Vec<Place>,
    /// What is in the JSON and not in the record, neither shown nor redacted.
    pub(super) omitted: Vec<String>,
}

impl Look {
    /// Why it fails is for the user to read.
    pub(super) fn at<T: Serialize + Sensitive>(value: &T) -> Result<Self, String> {
        let plain = Tree::of(value).map_err(|error| format!("it has no JSON: {error}"))?;
        let record = Record::builder(Action::new("canary.look")).field(KEY, value).build();
        if !record.flags().is_empty() {
            return Err(format!("its record is flagged `{}`: take a smaller sample", record.flags().join("`, `")));
        }
        let written = match record.detail().map(Tree::parse) {
            Some(Ok(Tree::Object(mut entries))) if entries.len() == 1 => entries.remove(0).1,
            _ => return Err("its record cannot be read".into()),
        };
        Ok(Self { written, plain, redacted: record.redacted() })
    }

    pub(super) fn plain(&self) -> &Tree {
        &self.plain
    }

    pub(super) fn places(&self) -> Places {
        let mut places = Places::default();
        self.walk(&self.written, &self.plain, KEY, false, &mut Vec::new(), &mut places);
        places
    }

    /// Whether the record lists this place, or one around it.
    pub(super) fn hides(&self, place: &Place) -> bool {
        let dot = if place.path.is_empty() || place.path.starts_with('[') { "" } else { "." };
        let path = format!("{KEY}{dot}{}", place.path);
        self.lists(&path) || self.redacted.iter().any(|listed| is_below(&path, listed) || listed == MORE)
    }

    /// `inside` is whether something around this is listed.
    fn walk(&self, written: &Tree, plain: &Tree, path: &str, inside: bool, steps: &mut Vec<Step>, places: &mut Places) {
        let listed = self.lists(path);
        // What was redacted as a whole has nothing listed below.
        let whole = listed && !self.redacted.iter().any(|other| is_below(other, path));
        let inside = inside || listed || self.redacted.iter().any(|listed| listed == MORE);
        match (written, plain) {
            (Tree::Object(written), Tree::Object(plain)) if !whole => {
                self.entries(written, plain, path, inside, steps, places);
            }
            (Tree::Array(written), Tree::Array(plain)) if !whole => {
                let path = format!("{path}[]");
                for (at, (written, plain)) in written.iter().zip(plain).enumerate() {
                    steps.push(Step::Item(at));
                    self.walk(written, plain, &path, inside, steps, places);
                    steps.pop();
                }
            }
            // All items of an array share a path: of those, what looks alike is not the one that is redacted.
            _ if listed && !path.contains("[]") || inside && written != plain => {
                places.sensitive.push(Place { steps: steps.clone(), path: from_value(path) });
            }
            _ => {}
        }
    }

    fn entries(
        &self,
        written: &[(String, Tree)],
        plain: &[(String, Tree)],
        path: &str,
        inside: bool,
        steps: &mut Vec<Step>,
        places: &mut Places,
    ) {
        for (at, (key, value)) in plain.iter().enumerate() {
            let in_order = written.get(at).filter(|_| written.len() == plain.len());
            let same =
                in_order.filter(|entry| entry.0 == *key).or_else(|| written.iter().find(|entry| entry.0 == *key));
            let Some((written_key, written_value)) = same.or(in_order) else {
                places.omitted.push(from_value(&format!("{path}.{key}")));
                continue;
            };
            let path = format!("{path}.{written_key}");
            if written_key != key {
                steps.push(Step::Name(at));
                places.sensitive.push(Place { steps: steps.clone(), path: from_value(&path) });
                steps.pop();
            }
            steps.push(Step::Entry(at));
            self.walk(written_value, value, &path, inside, steps, places);
            steps.pop();
        }
    }

    fn lists(&self, path: &str) -> bool {
        let cut = |listed: &str| listed.len() > LONG_PATH && path.starts_with(listed);
        self.redacted.iter().any(|listed| listed == path || cut(listed))
    }
}

fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with('.') || rest.starts_with("[]"))
}

/// A path of the record as one from the value on: empty where it is the value itself.
fn from_value(path: &str) -> String {
    let path = path.strip_prefix(KEY).unwrap_or(path);
    path.strip_prefix('.').unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(written: &str, plain: &str, redacted: &[&str]) -> (Vec<String>, Vec<String>) {
        let look = Look {
            written: Tree::parse(written).unwrap(),
            plain: Tree::parse(plain).unwrap(),
            redacted: redacted.iter().map(|path| (*path).to_owned()).collect(),
        };
        let found = look.places();
        let value = |steps: &[Step]| look.plain.at(steps).map_or_else(|| "a name".to_owned(), Tree::json);
        let shown = |place: &Place| format!("{}={}", place.path, value(&place.steps));
        (found.sensitive.iter().map(shown).collect(), found.omitted)
    }

    fn sensitive(written: &str, plain: &str, redacted: &[&str]) -> Vec<String> {
        places(written, plain, redacted).0
    }

    #[test]
    fn what_is_listed_is_sensitive_whatever_it_looks_like() {
        assert_eq!(sensitive(r#""x""#, r#""a""#, &["v"]), [r#"="a""#]);
        assert_eq!(
            sensitive(r#"{"a":"<redacted>","b":"c"}"#, r#"{"a":"<redacted>","b":"c"}"#, &["v.a"]),
            [r#"a="<redacted>""#]
        );
        assert_eq!(sensitive(r#"{"a":"<redacted>"}"#, r#"{"a":{"b":1}}"#, &["v.a"]), [r#"a={"b":1}"#]);
    }

    #[test]
    fn of_the_items_of_an_array_those_that_look_otherwise_are() {
        assert_eq!(
            sensitive(r#"[1,"<redacted>","c",{"a":"***"}]"#, r#"[1,"b","c",{"a":"d"}]"#, &["v[]", "v[].a"]),
            [r#"[]="b""#, r#"[].a="d""#]
        );
    }

    #[test]
    fn inside_of_what_is_listed_whatever_looks_otherwise_is() {
        let (written, plain) =
            (r#"{"a":{"b":"***","c":"<redacted>","d":true}}"#, r#"{"a":{"b":"x","c":"y","d":true}}"#);
        assert_eq!(sensitive(written, plain, &["v.a", "v.a.c"]), [r#"a.b="x""#, r#"a.c="y""#]);
        assert_eq!(sensitive(written, plain, &["v.a"]), [r#"a={"b":"x","c":"y","d":true}"#]);
        assert_eq!(sensitive(written, plain, &["v.z", "…"]), [r#"a.b="x""#, r#"a.c="y""#]);
    }

    #[test]
    fn names_that_differ_are_sensitive_and_what_is_left_out_is_said() {
        assert_eq!(sensitive(r#"{"<redacted> 1":1}"#, r#"{"ann":1}"#, &[]), ["<redacted> 1=a name"]);
        assert_eq!(places(r#"{"b":1}"#, r#"{"a":2,"b":1}"#, &[]).1, ["a"]);
    }
}
