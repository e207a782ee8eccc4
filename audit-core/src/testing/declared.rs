//! What the mode of a field declares to show.

use std::collections::HashSet;
use std::ops::Range;

use crate::sensitive::{Mode, SensitiveField, sensitive_types};

/// How many characters at the beginning and at the end of a value may be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Shown {
    /// What a mode shows of a text.
    pub(super) fn of(mode: Mode, text: &str) -> Self {
        let _ = (mode, text);
        Self::default()
    }

    /// Whether all of these characters of so many may be shown.
    pub(super) fn allows(self, characters: &Range<usize>, of: usize) -> bool {
        characters.end <= self.first || characters.start + self.last >= of
    }
}

/// What may be shown of a secret: what the mode shows of a registered field whose name is in the path, where that is
/// what the record does show.
pub(super) fn declared(path: &str, text: &str, shown: &HashSet<&str>) -> Shown {
    let names: Vec<_> = path.split('.').map(|name| folded(name.trim_end_matches("[]"))).collect();
    let types = sensitive_types().into_iter();
    let fields = types.flat_map(|ty| ty.fields.iter().filter(|field| ty.fields.len() == 1 || fits(field, &names)));
    let modes = fields.filter_map(|field| field.mode);
    modes
        .filter(|mode| leaves(*mode, text).is_some_and(|left| shown.contains(left.as_str())))
        .map(|mode| Shown::of(mode, text))
        .max_by_key(|shown| shown.first + shown.last)
        .unwrap_or_default()
}

fn fits(field: &SensitiveField, names: &[String]) -> bool {
    [field.name, field.key].iter().any(|name| names.contains(&folded(name)))
}

fn folded(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// What a mode leaves of a text, where it shows some of it.
fn leaves(_mode: Mode, _text: &str) -> Option<String> {
    None
}
