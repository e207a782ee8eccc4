//! Putting secrets into a value, by way of its JSON.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::places::{Look, Place};
use super::secret::{NUMBER_DIGITS, Secrets};
use super::tree::{Step, Tree};
use crate::sensitive::Sensitive;

/// A sensitive place that holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unplanted {
    /// Where, as in a record's list of redacted paths; empty where it is the value itself.
    pub path: String,
    /// Why.
    pub why: &'static str,
}

impl fmt::Display for Unplanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", named(&self.path), self.why)
    }
}

/// A path for people.
pub(super) fn named(path: &str) -> &str {
    if path.is_empty() { "(the value itself)" } else { path }
}

const ABSENT: &str = "it is null: take a sample that has it";
const EMPTY: &str = "it is empty: take a sample that has something in it";
const BOOLEAN: &str = "a boolean carries no secret";
const TAKES_NONE: &str = "its type takes no secret, or is another with it: build the value with `Canary::with`";
const SMALL: &str = "its type takes no number of seven digits, and a shorter one stands somewhere by chance";
const FULL: &str = "the record has no room for more secrets: take a smaller sample";
const OMITTED: &str = "the record leaves it out without a word: name it with `Canary::plant`";

/// What comes back from its own JSON, and can be recorded.
pub(super) trait Roundtrip: Serialize + DeserializeOwned + Sensitive {}

impl<T: Serialize + DeserializeOwned + Sensitive> Roundtrip for T {}

/// A value as JSON, and the secrets that have been put into it.
pub(super) struct Planted {
    tree: Tree,
    pub(super) secrets: Secrets,
    pub(super) unplanted: Vec<Unplanted>,
    /// Whether a record with one more secret would be too large.
    full: bool,
}

/// Whether a place has taken a secret.
type Taken = Result<(), &'static str>;

impl Planted {
    /// Plants in every sensitive place. Why it fails is for the user to read.
    pub(super) fn in_value<T: Roundtrip>(value: &T) -> Result<Self, String> {
        let look = Look::at(value)?;
        let tree = look.plain().clone();
        read::<T>(&tree).map_err(|error| format!("it does not come back from its own JSON: {error}"))?;
        let mut planted = Self { tree, ..Self::empty() };
        let places = look.places();
        // A new name changes the paths of what lies below it, so names come last.
        let (names, values): (Vec<_>, Vec<_>) =
            places.sensitive.into_iter().partition(|place| matches!(place.steps.last(), Some(Step::Name(_))));
        for place in values.iter().chain(&names) {
            planted.fill::<T>(&Site { place, must_hide: true }, &place.steps, &place.path);
        }
        planted.unplanted.extend(places.omitted.into_iter().map(|path| Unplanted { path, why: OMITTED }));
        Ok(planted)
    }

    /// For a value that is built by hand.
    pub(super) fn empty() -> Self {
        Self { tree: Tree::Other("null".into()), secrets: Secrets::default(), unplanted: Vec::new(), full: false }
    }

    /// Plants at a path whatever the record says of it, unless something is planted there.
    pub(super) fn plant<T: Roundtrip>(&mut self, path: &str) {
        if self.secrets.all.iter().any(|secret| secret.path == path) {
            return;
        }
        self.unplanted.retain(|unplanted| unplanted.path != path);
        let mut places = Vec::new();
        find(&self.tree, path, "", &mut Vec::new(), &mut places);
        for steps in places {
            let place = Place { steps, path: path.to_owned() };
            self.fill::<T>(&Site { place: &place, must_hide: false }, &place.steps, path);
        }
    }

    /// The value with its secrets.
    pub(super) fn value<T: Roundtrip>(&self) -> Result<T, String> {
        read::<T>(&self.tree).map_err(|error| error.to_string())
    }

    /// Plants in all that lies where the steps lead.
    fn fill<T: Roundtrip>(&mut self, site: &Site<'_>, steps: &[Step], path: &str) {
        let taken = match (steps.last(), self.tree.at(steps).cloned()) {
            (Some(Step::Name(_)), _) => self.text::<T>(site, steps, path, ""),
            (_, Some(Tree::Text(sample))) => self.text::<T>(site, steps, path, &sample),
            (_, Some(Tree::Other(raw))) => match raw.as_str() {
                "null" => Err(ABSENT),
                "true" | "false" => Err(BOOLEAN),
                _ => self.number::<T>(site, steps, path),
            },
            (_, Some(Tree::Object(entries))) if !entries.is_empty() => {
                for (at, (name, _)) in entries.iter().enumerate() {
                    let dot = if path.is_empty() { "" } else { "." };
                    self.fill::<T>(site, &below(steps, Step::Entry(at)), &format!("{path}{dot}{name}"));
                }
                for at in 0..entries.len() {
                    // The name of a field takes no other, and is no secret; that of an entry of a map does, and is.
                    let _ = self.text::<T>(site, &below(steps, Step::Name(at)), path, "");
                }
                Ok(())
            }
            (_, Some(array @ Tree::Array(_))) => self.array::<T>(site, steps, path, &array),
            (_, Some(Tree::Object(_)) | None) => Err(EMPTY),
        };
        if let Err(why) = taken {
            let why = if std::mem::take(&mut self.full) { FULL } else { why };
            let unplanted = Unplanted { path: path.to_owned(), why };
            if !self.unplanted.contains(&unplanted) {
                self.unplanted.push(unplanted);
            }
        }
    }

    fn array<T: Roundtrip>(&mut self, site: &Site<'_>, steps: &[Step], path: &str, array: &Tree) -> Taken {
        let Tree::Array(items) = array else { return Err(EMPTY) };
        let item_path = format!("{path}[]");
        if let Some(length) = array.as_bytes() {
            // Wide numbers can be small ones by chance: only what takes no other is bytes.
            return match self.number::<T>(site, &below(steps, Step::Item(0)), &item_path) {
                Ok(()) => {
                    let rest = 1..items.len();
                    rest.for_each(|at| self.fill::<T>(site, &below(steps, Step::Item(at)), &item_path));
                    Ok(())
                }
                Err(_) => self.bytes::<T>(site, steps, path, length),
            };
        }
        for at in 0..items.len() {
            self.fill::<T>(site, &below(steps, Step::Item(at)), &item_path);
        }
        if items.is_empty() { Err(EMPTY) } else { Ok(()) }
    }

    fn text<T: Roundtrip>(&mut self, site: &Site<'_>, steps: &[Step], path: &str, sample: &str) -> Taken {
        // The name of an entry may be that of a number.
        let is_name = matches!(steps.last(), Some(Step::Name(_)));
        for attempt in 0..4 {
            let text = match attempt {
                0 => Some(self.secrets.draw_text()),
                1 => Some(self.secrets.draw_letters(40)),
                2 => self.secrets.draw_like(sample),
                _ => is_name.then(|| self.secrets.draw_number(10)),
            };
            let Some(text) = text else { continue };
            let json = Tree::Text(text.clone()).json();
            if self.take::<T>(site, steps, path, Tree::Text(text.clone()), &json[1..json.len() - 1], &text) {
                return Ok(());
            }
        }
        Err(TAKES_NONE)
    }

    fn number<T: Roundtrip>(&mut self, site: &Site<'_>, steps: &[Step], path: &str) -> Taken {
        for digits in NUMBER_DIGITS {
            let text = self.secrets.draw_number(digits);
            if self.take::<T>(site, steps, path, Tree::Other(text.clone()), &text, &text) {
                return Ok(());
            }
        }
        Err(SMALL)
    }

    /// As many bytes as a text has, or as the sample has.
    fn bytes<T: Roundtrip>(&mut self, site: &Site<'_>, steps: &[Step], path: &str, length: usize) -> Taken {
        for length in [40, length] {
            if length < 12 {
                return Err("it is too short: so few bytes stand somewhere by chance");
            }
            let text = self.secrets.draw_letters(length);
            let bytes = Tree::Array(text.bytes().map(|byte| Tree::Other(byte.to_string())).collect());
            let json = bytes.json();
            if self.take::<T>(site, steps, path, bytes, &json[1..json.len() - 1], &text) {
                return Ok(());
            }
        }
        Err(TAKES_NONE)
    }

    /// Puts a secret there, if the type reads it, keeps it, and is no other with it. `mark` is how its JSON shows it.
    fn take<T: Roundtrip>(
        &mut self,
        site: &Site<'_>,
        steps: &[Step],
        path: &str,
        secret: Tree,
        mark: &str,
        text: &str,
    ) -> bool {
        let Some(tree) = self.tree.with(steps, secret) else { return false };
        let Ok(value) = read::<T>(&tree) else { return false };
        let Ok(look) = Look::at(&value) else {
            self.full = true;
            return false;
        };
        let is_name = matches!(site.place.steps.last(), Some(Step::Name(_)));
        let hidden = !site.must_hide || is_name || look.hides(site.place);
        if !hidden || !look.plain().json().contains(mark) {
            return false;
        }
        self.tree = tree;
        self.secrets.keep(path, text.to_owned());
        true
    }
}

/// What a secret is planted for.
struct Site<'a> {
    place: &'a Place,
    /// Whether the record must still list the place once the secret is in it.
    must_hide: bool,
}

fn read<T: DeserializeOwned>(tree: &Tree) -> serde_json::Result<T> {
    serde_json::from_str(&tree.json())
}

fn below(steps: &[Step], step: Step) -> Vec<Step> {
    [steps, &[step]].concat()
}

/// Every place that a path names.
fn find(tree: &Tree, path: &str, at: &str, steps: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    if at == path {
        return found.push(steps.clone());
    }
    match tree {
        Tree::Object(entries) => {
            for (position, (name, value)) in entries.iter().enumerate() {
                let at = if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
                steps.push(Step::Entry(position));
                find(value, path, &at, steps, found);
                steps.pop();
            }
        }
        Tree::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                steps.push(Step::Item(position));
                find(item, path, &format!("{at}[]"), steps, found);
                steps.pop();
            }
        }
        Tree::Text(_) | Tree::Other(_) => {}
    }
}
