//! Where in a payload the encoder is. The keys lie in the text that it writes, so that knowing where costs nothing until
//! somebody asks.

use super::SensitiveField;
use super::notes::MAX_PATH_BYTES;

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
#[derive(Clone, Copy, Debug)]
enum Step {
    Nothing,
    Item,
    /// A registered field.
    Field(&'static SensitiveField),
    /// The key that lies here, without its quotes.
    Key {
        start: u32,
        length: u32,
    },
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

    /// The value that comes next on this level belongs to this field.
    pub(super) fn field(&mut self, level: usize, field: &'static SensitiveField) {
        self.set(level, Step::Field(field));
    }

    /// The value that comes next on this level belongs to the key that lies there, without its quotes.
    pub(super) fn key(&mut self, level: usize, start: usize, length: usize) {
        let step = match (u32::try_from(start), u32::try_from(length)) {
            (Ok(start), Ok(length)) => Step::Key { start, length },
            _ => Step::Nothing,
        };
        self.set(level, step);
    }

    /// Nothing leads to the value of this level.
    pub(super) fn nothing(&mut self, level: usize) {
        self.set(level, Step::Nothing);
    }

    fn set(&mut self, level: usize, step: Step) {
        match self.near.get_mut(level) {
            Some(place) => *place = step,
            None => self.set_far(level - NEAR, step),
        }
    }

    #[cold]
    fn set_far(&mut self, level: usize, step: Step) {
        if level >= self.far.len() {
            self.far.resize(level + 1, Step::Nothing);
        }
        self.far[level] = step;
    }

    fn get(&self, level: usize) -> Step {
        self.near.get(level).or_else(|| self.far.get(level - NEAR)).copied().unwrap_or(Step::Nothing)
    }

    /// Writes the path to the value of this level, as it stands between the quotes of a JSON string. Says whether it
    /// leads through items, which share it.
    pub(super) fn write(&self, level: usize, text: &str, path: &mut String) -> bool {
        let (start, mut shared) = (path.len(), false);
        for level in 0..=level {
            let key = match self.get(level) {
                Step::Nothing => continue,
                Step::Item => {
                    path.push_str("[]");
                    shared = true;
                    continue;
                }
                Step::Field(field) => field.key_in_json(),
                Step::Key { start, length } => lying(text, start, length),
                Step::Saved => self.saved(level),
            };
            if path.len() > start {
                path.push('.');
            }
            if path.len() - start + key.len() > MAX_PATH_BYTES {
                path.push('…');
                break;
            }
            path.push_str(key);
        }
        shared
    }

    fn saved(&self, level: usize) -> &str {
        self.saved.iter().rev().find(|(of, _)| *of == level).map_or("", |(_, key)| key)
    }

    /// The text is about to be taken away from here on.
    pub(super) fn save(&mut self, text: &str, from: usize) {
        for level in 0..NEAR + self.far.len() {
            let Step::Key { start, length } = self.get(level) else { continue };
            if start as usize >= from {
                let key = lying(text, start, length).to_owned();
                self.saved.retain(|(of, _)| *of != level);
                self.saved.push((level, key));
                self.set(level, Step::Saved);
            }
        }
    }
}

fn lying(text: &str, start: u32, length: u32) -> &str {
    let start = start as usize;
    text.get(start..start + length as usize).unwrap_or_default()
}
