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
    /// What a mode shows of a text: never more than a third.
    pub(super) fn of(mode: Mode, text: &str) -> Self {
        let characters = text.chars().count();
        match mode {
            Mode::Plain => Self { first: characters, last: 0 },
            Mode::Mask { first, last } => {
                let (first, last) = (usize::from(first), usize::from(last));
                if (first + last) * 3 <= characters { Self { first, last } } else { Self::default() }
            }
            Mode::Truncate(first) => Self { first: usize::from(first).min(characters / 3), last: 0 },
            _ => Self::default(),
        }
    }

    /// Whether all of these characters of so many may be shown.
    pub(super) fn allows(self, characters: &Range<usize>, of: usize) -> bool {
        characters.end <= self.first || characters.start + self.last >= of
    }
}

/// What may be shown of a secret: what the mode of a registered field of that name shows, where the record shows that
/// and no more.
///
/// Names stand for more than one field. That is why the record is asked: the most that a field of that name may show is
/// not what this one may.
pub(super) fn declared(path: &str, text: &str, shown: &HashSet<&str>) -> Shown {
    let names: Vec<_> = path.split('.').map(|name| folded(name.trim_end_matches("[]"))).collect();
    let fields: Vec<_> =
        sensitive_types().into_iter().flat_map(|ty| ty.fields().map(move |field| (field, ty.fields().len()))).collect();
    let own = fields.iter().filter(|(field, _)| is_named(field, &names[names.len() - 1..]));
    let own: Vec<_> = own.map(|(field, _)| field.mode).collect();
    // Where a field leaves it to its type, that may have fields without a name in the path: one alone, or of a tuple.
    let its_type_says = own.is_empty() || own.contains(&None);
    let nameless = |field: &SensitiveField, of| its_type_says && (of == 1 || field.name.parse::<usize>().is_ok());
    let fits = |field: &SensitiveField, of| is_named(field, &names) || nameless(field, of);
    let modes = fields.into_iter().filter(|(field, of)| fits(field, *of)).filter_map(|(field, _)| field.mode);
    let is_left = |mode: &Mode| left(*mode, text).is_some_and(|left| shown.contains(left.as_str()));
    let declared = modes.filter(is_left).map(|mode| Shown::of(mode, text));
    declared.max_by_key(|shown| shown.first + shown.last).unwrap_or_default()
}

fn is_named(field: &SensitiveField, names: &[String]) -> bool {
    [field.name, field.key].iter().any(|name| names.contains(&folded(name)))
}

fn folded(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// What a record has in place of a text of which some is shown.
fn left(mode: Mode, text: &str) -> Option<String> {
    let Shown { first, last } = Shown::of(mode, text);
    let middle = match mode {
        Mode::Mask { .. } => "***",
        Mode::Truncate(_) => "…",
        _ => return None,
    };
    let characters = text.chars().count();
    let part = |from: usize, to: usize| text.chars().skip(from).take(to - from).collect::<String>();
    Some(part(0, first) + middle + &part(characters - last, characters))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "GHJKLMNPQRSTVWXZGHJKLMNPQRSTVWXZGHJKLMNP";

    #[test]
    fn a_mode_shows_a_third_at_most() {
        let shown = |mode| {
            let Shown { first, last } = Shown::of(mode, TEXT);
            (first, last)
        };
        assert_eq!(shown(Mode::Mask { first: 6, last: 7 }), (6, 7));
        assert_eq!(shown(Mode::Mask { first: 7, last: 7 }), (0, 0));
        assert_eq!(shown(Mode::Truncate(4)), (4, 0));
        assert_eq!(shown(Mode::Truncate(100)), (13, 0));
        for mode in [Mode::Hash, Mode::Len, Mode::Present, Mode::Custom("x"), Mode::Drop] {
            assert_eq!(shown(mode), (0, 0));
        }
    }

    #[test]
    fn what_is_left_is_what_the_encoder_writes() {
        let modes = [
            Mode::Mask { first: 6, last: 7 },
            Mode::Mask { first: 0, last: 4 },
            Mode::Mask { first: 20, last: 0 },
            Mode::Truncate(9),
            Mode::Truncate(100),
        ];
        for mode in modes {
            let record = crate::Record::builder(crate::Action::new("x"))
                .fields(|fields| fields.field("x", |encoder| encoder.redacted_by(mode, TEXT)))
                .build();
            let detail = record.detail().unwrap();
            assert_eq!(detail, format!(r#"{{"x":"{}"}}"#, left(mode, TEXT).unwrap()));
        }
        assert_eq!(left(Mode::Hash, TEXT), None);
    }

    #[test]
    fn the_first_and_the_last_characters_are_allowed_and_no_others() {
        let shown = Shown { first: 6, last: 7 };
        assert!(shown.allows(&(0..6), 40) && shown.allows(&(33..40), 40));
        assert!(!shown.allows(&(0..7), 40) && !shown.allows(&(32..40), 40) && !shown.allows(&(10..16), 40));
    }
}
