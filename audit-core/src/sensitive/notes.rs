//! What happened to a payload while it was encoded.

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
}

/// A list of paths, as JSON.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paths {
    /// The items of an array, without its brackets.
    json: String,
    count: usize,
}

impl Paths {
    /// Adds a path once; past the bound an ellipsis says that there are more.
    pub(crate) fn note(&mut self, path: &str) {
        if self.count > MAX_PATHS {
            return;
        }
        let path = if self.count == MAX_PATHS { "…" } else { start(path, MAX_PATH_BYTES) };
        let (before, with_comma) = (self.json.len(), usize::from(self.count > 0));
        if with_comma > 0 {
            self.json.push(',');
        }
        json::push_string(&mut self.json, path);
        // A whole item stands between commas: quotes inside of one are escaped.
        let (known, new) = self.json.split_at(before);
        if before > 0 && known.split(',').any(|item| item == &new[with_comma..]) && !new[with_comma..].contains(',') {
            self.json.truncate(before);
        } else {
            self.count += 1;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The items of a JSON array, without its brackets.
    pub(crate) fn json(&self) -> &str {
        &self.json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_listed_once_and_too_many_end_in_an_ellipsis() {
        let mut paths = Paths::default();
        for path in ["a", "b.a", "a", "a\"b", "a\"b"] {
            paths.note(path);
        }
        assert_eq!(paths.json(), r#""a","b.a","a\"b""#);
        for number in 0..100 {
            paths.note(&number.to_string());
        }
        assert!(paths.json().ends_with(r#","60","…""#), "{}", paths.json());
    }
}
