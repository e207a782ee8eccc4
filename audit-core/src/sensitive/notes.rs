//! What happened to a payload while it was encoded.

use std::borrow::Cow;

use crate::json;
use crate::text::start;

/// The most paths that a record lists, of redacted and of cut fields each.
const MAX_PATHS: usize = 64;
/// The most bytes of a path.
pub(super) const MAX_PATH_BYTES: usize = 256;

#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    pub(crate) redacted: Paths,
    pub(crate) cut: Paths,
    pub(crate) unencodable: bool,
    /// Whether a value was dropped for want of a key to hash it with.
    pub(crate) keyless: bool,
}

/// How many paths are listed without a text of their own.
const MAX_READY: usize = 4;

/// A list of paths, as JSON.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paths {
    /// The first paths, as `,"key"`, while nothing else is in the list: most lists are short and of fields alone.
    ready: [&'static str; MAX_READY],
    /// How many of these are in the list and not in its text.
    unwritten: usize,
    /// The items of an array, without its brackets.
    json: String,
    count: usize,
}

impl Paths {
    /// Adds a path; past the bound an ellipsis says that there are more.
    pub(crate) fn note(&mut self, path: &str) {
        self.note_by(|json| {
            json::push_fragment(json, start(path, MAX_PATH_BYTES));
            path.contains("[]")
        });
    }

    /// The same for a key that is ready: `,"key":`.
    pub(super) fn note_ready(&mut self, json: &'static str) {
        let path = &json[..json.len() - 1];
        if self.json.is_empty() && self.unwritten < MAX_READY {
            self.ready[self.unwritten] = path;
            self.unwritten += 1;
        } else if self.count < MAX_PATHS {
            self.write_ready();
            self.json.push_str(path);
        } else {
            return self.note("…");
        }
        self.count += 1;
    }

    fn write_ready(&mut self) {
        if self.unwritten > 0 {
            self.json = self.written_ready();
            self.unwritten = 0;
        }
    }

    fn written_ready(&self) -> String {
        let mut json = String::with_capacity(96);
        for path in &self.ready[..self.unwritten] {
            json.push_str(if json.is_empty() { &path[1..] } else { path });
        }
        json
    }

    /// The same with what stands between the quotes of the path's JSON, and whether several values share it: those of a
    /// list are noted once.
    pub(super) fn note_by(&mut self, write: impl FnOnce(&mut String) -> bool) {
        if self.count > MAX_PATHS {
            return;
        }
        self.write_ready();
        if self.json.is_empty() {
            self.json = String::with_capacity(96);
        } else {
            self.json.push(',');
        }
        let start = self.json.len();
        self.json.push('"');
        let shared = if self.count < MAX_PATHS {
            write(&mut self.json)
        } else {
            self.json.push('…');
            false
        };
        self.json.push('"');
        if self.is_last(start) || shared && self.is_known(start) {
            self.json.truncate(start - 1);
        } else {
            self.count += 1;
        }
    }

    /// Whether the path that was just added was the last one before it.
    fn is_last(&self, start: usize) -> bool {
        let (known, new) = self.json.split_at(start);
        let rest = known.strip_suffix(',').and_then(|known| known.strip_suffix(new));
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with("\","))
    }

    /// Whether the path that was just added is in the list already.
    fn is_known(&self, start: usize) -> bool {
        let (known, new) = self.json.split_at(start);
        known.split_inclusive(',').any(|item| item.strip_suffix(',') == Some(new))
    }

    /// Where the list ends.
    pub(super) fn mark(&self) -> (usize, usize) {
        (self.json.len(), self.count)
    }

    /// Takes back what was added since.
    pub(super) fn back_to(&mut self, (length, count): (usize, usize)) {
        self.json.truncate(length);
        if length == 0 {
            // What was ready then still is.
            self.unwritten = count;
        }
        self.count = count;
    }

    /// Whether a field is in the list, or one within it.
    pub(crate) fn holds(&self, key: &str) -> bool {
        let paths: Vec<String> = serde_json::from_str(&format!("[{}]", self.json())).unwrap_or_default();
        paths.iter().any(|path| leads_to(path, key))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The items of a JSON array, without its brackets.
    pub(crate) fn json(&self) -> Cow<'_, str> {
        if self.unwritten > 0 { Cow::Owned(self.written_ready()) } else { Cow::Borrowed(&self.json) }
    }

    /// Appends what [`Self::json`] gives.
    pub(crate) fn push_json(&self, out: &mut String) {
        for (at, path) in self.ready[..self.unwritten].iter().enumerate() {
            out.push_str(if at == 0 { &path[1..] } else { path });
        }
        out.push_str(&self.json);
    }
}

/// Whether a path is that of a field of the detail, or of something within it.
pub(crate) fn leads_to(path: &str, key: &str) -> bool {
    path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        const READY: [&str; 6] = [r#","a":"#, r#","b":"#, r#","c":"#, r#","d":"#, r#","e":"#, r#","f":"#];
        for first in 0..READY.len() {
            for more in 0..READY.len() {
                let (mut ready, mut plain) = (Paths::default(), Paths::default());
                for key in &READY[..first] {
                    ready.note_ready(key);
                    plain.note(&key[2..3]);
                }
                let mark = ready.mark();
                ready.note("x.y");
                READY[..more].iter().for_each(|key| ready.note_ready(key));
                ready.note("x[]");
                ready.back_to(mark);
                assert_eq!(ready.json(), plain.json());
                ready.note_ready(r#","z":"#);
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
