//! Where in a payload the encoder is. The keys lie in the text that it writes, so that knowing where costs nothing until
//! somebody asks.

use super::notes::MAX_PATH_BYTES;
use crate::text::start;

/// How many levels need no allocation.
const NEAR: usize = 12;

#[derive(Debug)]
pub(super) struct Path {
    near: [Step; NEAR],
    far: Vec<Step>,
    /// The keys that no longer lie in the text.
    saved: Vec<(usize, String)>,
}

/// What leads to the value of one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Nothing,
    Item,
    /// The key whose quote lies here.
    Key(u32),
    /// The key that was saved.
    Saved,
}

impl Path {
    pub(super) const fn new() -> Self {
        Self { near: [Step::Nothing; NEAR], far: Vec::new(), saved: Vec::new() }
    }

    /// The values of this level are items.
    pub(super) fn item(&mut self, level: usize) {
        self.set(level, Step::Item);
    }

    /// The value that comes next on this level belongs to the key whose quote lies `at`.
    pub(super) fn key(&mut self, level: usize, at: usize) {
        self.set(level, u32::try_from(at).map_or(Step::Nothing, Step::Key));
    }

    /// Nothing leads to the value of this level.
    pub(super) fn nothing(&mut self, level: usize) {
        self.set(level, Step::Nothing);
    }

    fn set(&mut self, level: usize, step: Step) {
        if let Some(place) = self.near.get_mut(level) {
            *place = step;
            return;
        }
        let level = level - NEAR;
        if level >= self.far.len() {
            self.far.resize(level + 1, Step::Nothing);
        }
        self.far[level] = step;
    }

    fn get(&self, level: usize) -> Step {
        self.near.get(level).or_else(|| self.far.get(level - NEAR)).copied().unwrap_or(Step::Nothing)
    }

    /// The path to the value of this level.
    pub(super) fn to(&self, level: usize, text: &str) -> String {
        let mut path = String::new();
        for level in 0..=level {
            let key = match self.get(level) {
                Step::Nothing => continue,
                Step::Item => {
                    path.push_str("[]");
                    continue;
                }
                Step::Key(at) => key_at(text, at as usize),
                Step::Saved => self.saved(level).to_owned(),
            };
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(start(&key, MAX_PATH_BYTES));
            if path.len() > MAX_PATH_BYTES {
                break;
            }
        }
        path
    }

    fn saved(&self, level: usize) -> &str {
        self.saved.iter().rev().find(|(of, _)| *of == level).map_or("", |(_, key)| key)
    }

    /// The text is about to be taken away from here on.
    pub(super) fn save(&mut self, text: &str, from: usize) {
        for level in 0..NEAR + self.far.len() {
            let Step::Key(at) = self.get(level) else { continue };
            let at = at as usize;
            if at >= from && at < text.len() {
                let key = start(&key_at(text, at), MAX_PATH_BYTES).to_owned();
                self.saved.retain(|(of, _)| *of != level);
                self.saved.push((level, key));
                self.set(level, Step::Saved);
            }
        }
    }
}

/// The key whose quote lies `at`; of one that has no end yet, what there is.
fn key_at(text: &str, at: usize) -> String {
    let Some(rest) = text.get(at + 1..) else { return String::new() };
    let mut escaped = false;
    let end = rest.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    let key = &rest[..end.unwrap_or(rest.len())];
    if key.contains('\\') {
        text.get(at..at + key.len() + 2)
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_else(|| key.to_owned())
    } else {
        key.to_owned()
    }
}
