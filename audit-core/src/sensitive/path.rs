//! Where in a payload the encoder is. The keys lie in the text that it writes, so that knowing where costs nothing until
//! somebody asks.

use super::notes::MAX_PATH_BYTES;
use super::registry::Known;

/// How many levels need no allocation.
const NEAR: usize = 4;

#[derive(Debug)]
pub(super) struct Path {
    near: [Step; NEAR],
    far: Vec<Step>,
    /// The keys that no longer lie in the text.
    saved: Vec<(usize, String)>,
}

/// What leads to the value of one level. Its parts are set one by one, in place: the whole is larger than what the
/// processor forwards from a store to the next load.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// A registered field; it comes before the span.
    field: Option<Known>,
    span: Span,
}

/// A key that lies in the text, without its quotes; or one of the constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u32,
    length: u32,
}

impl Span {
    const NOTHING: Self = Self { start: 0, length: u32::MAX };
    const ITEM: Self = Self { start: 1, length: u32::MAX };
    const SAVED: Self = Self { start: 2, length: u32::MAX };

    fn key(start: usize, length: usize) -> Self {
        match (u32::try_from(start), u32::try_from(length)) {
            (Ok(start), Ok(length)) => Self { start, length },
            _ => Self::NOTHING,
        }
    }

    /// The key that lies there, where it is one.
    fn of(self, text: &str) -> Option<&str> {
        let start = self.start as usize;
        (self.length != u32::MAX).then(|| text.get(start..start + self.length as usize).unwrap_or_default())
    }
}

impl Path {
    pub(super) const fn new() -> Self {
        Self { near: [Step { field: None, span: Span::NOTHING }; NEAR], far: Vec::new(), saved: Vec::new() }
    }

    /// The values of this level are items.
    pub(super) fn item(&mut self, level: usize) {
        self.set(level, Span::ITEM);
    }

    /// The value that comes next on this level belongs to this field.
    #[inline]
    pub(super) fn field(&mut self, level: usize, field: Known) {
        self.step(level).field = Some(field);
    }

    /// The value that comes next on this level belongs to the key that lies there, without its quotes.
    pub(super) fn key(&mut self, level: usize, start: usize, length: usize) {
        self.set(level, Span::key(start, length));
    }

    /// Nothing leads to the value of this level.
    pub(super) fn nothing(&mut self, level: usize) {
        self.set(level, Span::NOTHING);
    }

    fn set(&mut self, level: usize, span: Span) {
        let step = self.step(level);
        step.field = None;
        step.span = span;
    }

    #[inline]
    fn step(&mut self, level: usize) -> &mut Step {
        if level < NEAR { &mut self.near[level] } else { self.far_step(level - NEAR) }
    }

    #[cold]
    fn far_step(&mut self, level: usize) -> &mut Step {
        if level >= self.far.len() {
            self.far.resize(level + 1, Step { field: None, span: Span::NOTHING });
        }
        &mut self.far[level]
    }

    /// Whether the way to a field of this level begins there.
    pub(super) fn begins_at(&self, level: usize) -> bool {
        level == 1 && self.near[0].field.is_none() && self.near[0].span == Span::NOTHING
    }

    /// Writes the path to the value of this level, as it stands between the quotes of a JSON string. Says whether it
    /// leads through items, which share it.
    pub(super) fn write(&self, level: usize, text: &str, path: &mut String) -> bool {
        let (start, mut shared) = (path.len(), false);
        for level in 0..=level {
            let step = if level < NEAR { self.near.get(level) } else { self.far.get(level - NEAR) };
            let Some(step) = step else { break };
            let key = match (step.field, step.span) {
                // A registered field has a ready key, which needs no escaping.
                (Some(field), _) => field.key(),
                (None, Span::NOTHING) => continue,
                (None, Span::ITEM) => {
                    path.push_str("[]");
                    shared = true;
                    continue;
                }
                (None, span) => span.of(text).unwrap_or_else(|| self.saved(level)),
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
        let Self { near, far, saved } = self;
        for (level, step) in near.iter_mut().chain(far).enumerate() {
            if let (None, Some(key), true) = (step.field, step.span.of(text), step.span.start as usize >= from) {
                saved.retain(|(of, _)| *of != level);
                saved.push((level, key.to_owned()));
                step.span = Span::SAVED;
            }
        }
    }
}
