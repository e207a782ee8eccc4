//! What happened to a payload while it was encoded.

use std::borrow::Cow;

use super::registry::Known;
use crate::json;
use crate::text::start;

/// The most paths that a record lists, of redacted and of cut fields each.
const MAX_PATHS: usize = 64;
/// The most bytes of a path.
pub(super) const MAX_PATH_BYTES: usize = 256;

#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    /// Of most values there is nothing to note, and an encoder is moved together with its notes.
    lists: Option<Box<Lists>>,
    pub(crate) unencodable: bool,
    /// Whether a value was dropped for want of a key to hash it with.
    pub(crate) keyless: bool,
}

#[derive(Clone, Debug, Default)]
struct Lists {
    redacted: Paths,
    cut: Paths,
}

/// What most lists have that are texts.
const TYPICAL_BYTES: usize = 96;

/// How many paths are listed without a text.
const MAX_READY: usize = 4;

impl Notes {
    pub(crate) fn redacted(&self) -> &Paths {
        self.lists.as_ref().map_or(&NOTHING, |lists| &lists.redacted)
    }

    pub(crate) fn redacted_mut(&mut self) -> &mut Paths {
        &mut self.lists.get_or_insert_default().redacted
    }

    pub(crate) fn cut(&self) -> &Paths {
        self.lists.as_ref().map_or(&NOTHING, |lists| &lists.cut)
    }

    pub(crate) fn cut_mut(&mut self) -> &mut Paths {
        &mut self.lists.get_or_insert_default().cut
    }

    /// Where both lists end.
    pub(super) fn mark(&self) -> [Extent; 2] {
        [self.redacted().mark(), self.cut().mark()]
    }

    /// Takes back what was added to the lists since.
    pub(super) fn back_to(&mut self, [redacted, cut]: [Extent; 2]) {
        if let Some(lists) = &mut self.lists {
            lists.redacted.back_to(redacted);
            lists.cut.back_to(cut);
        }
    }

    /// Forgets all; the memory stays.
    pub(crate) fn clear(&mut self) {
        if let Some(lists) = &mut self.lists {
            lists.redacted.clear();
            lists.cut.clear();
        }
        (self.unencodable, self.keyless) = (false, false);
    }
}

static NOTHING: Paths = Paths { items: Items::NONE, count: 0, spare: String::new() };

/// The length of a list's text, and how many paths it has.
pub(super) type Extent = (usize, usize);

/// A list of paths.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paths {
    items: Items,
    count: usize,
    /// Empty: the memory of a text that was listed before.
    spare: String,
}

#[derive(Clone, Debug)]
enum Items {
    /// Fields whose keys are ready, as many as are counted: most lists are short and of these alone.
    Ready([Option<Known>; MAX_READY]),
    /// The items of a JSON array, without its brackets.
    Text(String),
}

impl Items {
    const NONE: Self = Self::Ready([None; MAX_READY]);
}

impl Default for Items {
    fn default() -> Self {
        Self::NONE
    }
}

impl Paths {
    /// Adds a path; past the bound an ellipsis says that there are more.
    pub(crate) fn note(&mut self, path: &str) {
        self.note_by(|json| {
            json::push_fragment(json, start(path, MAX_PATH_BYTES));
            path.contains("[]")
        });
    }

    /// The same for a field whose key is ready.
    #[inline]
    pub(super) fn note_ready(&mut self, field: Known) {
        if let Items::Ready(ready) = &mut self.items
            && let Some(ready) = ready.get_mut(self.count)
        {
            *ready = Some(field);
            self.count += 1;
        } else {
            self.note_by(|json| {
                json.push_str(field.key());
                false
            });
        }
    }

    /// The same with what stands between the quotes of the path's JSON, and whether several values share it: those of a
    /// list are noted once.
    pub(super) fn note_by(&mut self, write: impl FnOnce(&mut String) -> bool) {
        if self.count > MAX_PATHS {
            return;
        }
        let mut json = self.take_text();
        if !json.is_empty() {
            json.push(',');
        }
        let start = json.len();
        json.push('"');
        let shared = if self.count < MAX_PATHS {
            write(&mut json)
        } else {
            json.push('…');
            false
        };
        json.push('"');
        if is_last(&json, start) || shared && is_known(&json, start) {
            json.truncate(start - 1);
        } else {
            self.count += 1;
        }
        self.items = Items::Text(json);
    }

    fn clear(&mut self) {
        if let Items::Text(json) = &mut self.items {
            json.clear();
            self.spare = std::mem::take(json);
            self.items = Items::default();
        }
        self.count = 0;
    }

    fn take_text(&mut self) -> String {
        if let Items::Text(json) = &mut self.items {
            return std::mem::take(json);
        }
        let mut json = std::mem::take(&mut self.spare);
        json.reserve(TYPICAL_BYTES);
        self.push_json(&mut json);
        json
    }

    /// Where the list ends: how long its text is, or would be.
    fn mark(&self) -> Extent {
        let length = match &self.items {
            Items::Ready(_) => self.ready().map(str::len).sum::<usize>().saturating_sub(1),
            Items::Text(json) => json.len(),
        };
        (length, self.count)
    }

    /// Takes back what was added since.
    fn back_to(&mut self, (length, count): Extent) {
        if let Items::Text(json) = &mut self.items {
            json.truncate(length);
        }
        self.count = count;
    }

    /// Whether a field is in the list, or one within it.
    pub(crate) fn holds(&self, key: &str) -> bool {
        self.list().iter().any(|path| leads_to(path, key))
    }

    /// Each path by itself.
    pub(crate) fn list(&self) -> Vec<String> {
        serde_json::from_str(&format!("[{}]", self.json())).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The items of a JSON array, without its brackets.
    pub(crate) fn json(&self) -> Cow<'_, str> {
        if let Items::Text(json) = &self.items {
            return Cow::Borrowed(json);
        }
        let mut json = String::new();
        self.push_json(&mut json);
        Cow::Owned(json)
    }

    /// Appends what [`Self::json`] gives.
    pub(crate) fn push_json(&self, out: &mut String) {
        if let Items::Text(json) = &self.items {
            return out.push_str(json);
        }
        for (at, path) in self.ready().enumerate() {
            out.push_str(if at == 0 { &path[1..] } else { path });
        }
    }

    /// The fields that are listed without a text, as `,"key"`.
    fn ready(&self) -> impl Iterator<Item = &'static str> {
        let ready = match &self.items {
            Items::Ready(ready) => &ready[..self.count],
            Items::Text(_) => &[],
        };
        ready.iter().flatten().map(|field| field.ready_key().trim_end_matches(':'))
    }
}

/// Whether the path that was just added is the last one before it.
fn is_last(json: &str, start: usize) -> bool {
    let (known, new) = json.split_at(start);
    let rest = known.strip_suffix(',').and_then(|known| known.strip_suffix(new));
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with("\","))
}

/// Whether the path that was just added is in the list already.
fn is_known(json: &str, start: usize) -> bool {
    let (known, new) = json.split_at(start);
    known.split_inclusive(',').any(|item| item.strip_suffix(',') == Some(new))
}

/// Whether a path is that of a field of the detail, or of something within it.
pub(crate) fn leads_to(path: &str, key: &str) -> bool {
    path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensitive::{Said, SensitiveType};

    #[test]
    fn the_path_of_items_is_listed_once_and_too_many_end_in_an_ellipsis() {
        let mut paths = Paths::default();
        for path in ["a[].b", "b.a", "a[].b", "a[]\"b", "a[]\"b"] {
            paths.note(path);
        }
        assert_eq!(paths.json(), r#""a[].b","b.a","a[]\"b""#);
        for number in 0..100 {
            paths.note(&number.to_string());
        }
        assert!(paths.json().ends_with(r#","60","…""#), "{}", paths.json());
    }

    #[test]
    fn ready_paths_are_listed_as_any_others_whatever_follows_and_is_taken_back() {
        static TYPE: SensitiveType = SensitiveType::new(
            "",
            "",
            "",
            "",
            &[
                (" u8", r#","a":"<redacted>""#, Said::DROPPED),
                (" u8", r#","b":"<redacted>""#, Said::DROPPED),
                (" u8", r#","c":"<redacted>""#, Said::DROPPED),
                (" u8", r#","d":"<redacted>""#, Said::DROPPED),
                (" u8", r#","e":"<redacted>""#, Said::DROPPED),
                (" u8", r#","f":"<redacted>""#, Said::DROPPED),
                (" u8", r#","z":"<redacted>""#, Said::DROPPED),
            ],
        );
        let fields: Vec<_> = TYPE.known(0..6).collect();
        for first in 0..fields.len() {
            for more in 0..fields.len() {
                let (mut ready, mut plain) = (Paths::default(), Paths::default());
                for field in &fields[..first] {
                    ready.note_ready(*field);
                    plain.note(field.key());
                }
                let mark = ready.mark();
                ready.note("x.y");
                fields[..more].iter().for_each(|field| ready.note_ready(*field));
                ready.note("x[]");
                ready.back_to(mark);
                assert_eq!(ready.json(), plain.json());
                ready.note_ready(TYPE.field_at(6));
                plain.note("z");
                assert_eq!((ready.json(), ready.mark().1, ready.is_empty()), (plain.json(), plain.mark().1, false));
                let mut pushed = "[".to_owned();
                ready.push_json(&mut pushed);
                assert_eq!(pushed[1..], *plain.json());
                assert!(ready.holds("z") && !ready.holds("x"));
            }
        }
    }
}
