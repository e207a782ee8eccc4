//! Whether what is done to a field hides less than before.

use super::model::LockedField;
use crate::sensitive::Mode;

/// What a field says of its redaction, for people, and for the key of an `accept`.
pub(super) fn said(field: &LockedField) -> String {
    let mut text = field.mode.clone().unwrap_or_else(|| "as its type says".to_owned());
    for (what, name) in [("class", &field.class), ("scope", &field.scope)] {
        if let Some(name) = name {
            text += &[", ", what, " ", name].concat();
        }
    }
    text
}

/// Whether records may show more.
pub(super) fn weakened(old: &LockedField, new: &LockedField) -> bool {
    match of_mode(old.mode.as_deref(), new.mode.as_deref()) {
        Hides::Less => return true,
        Hides::AsMuch if lost(old.scope.as_deref(), new.scope.as_deref()) => return true,
        // Of what hides more, the scope does not matter any more.
        Hides::AsMuch | Hides::More => {}
    }
    // A policy that tightens by class would pass the field by.
    lost(old.class.as_deref(), new.class.as_deref())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hides {
    Less,
    AsMuch,
    More,
}

/// Another name is a loss, too: what goes by the old one no longer holds.
fn lost(old: Option<&str>, new: Option<&str>) -> bool {
    old.is_some() && old != new
}

fn of_mode(old: Option<&str>, new: Option<&str>) -> Hides {
    if old == new {
        return Hides::AsMuch;
    }
    let (old, new) = match (old, new) {
        // Nothing shows more than plain.
        (Some("plain"), _) => return Hides::More,
        (_, None | Some("plain")) => return Hides::Less,
        // A redactor of one's own may show what the type hid.
        (None, Some(new)) => return if new.parse::<Mode>().is_ok() { Hides::More } else { Hides::Less },
        (Some(old), Some(new)) => (old, new),
    };
    let (Ok(old), Ok(new)) = (old.parse::<Mode>(), new.parse::<Mode>()) else {
        // Of what an own redactor leaves nothing is known but that it is more than nothing.
        return if new == "drop" { Hides::More } else { Hides::Less };
    };
    let more = match (old, new) {
        (_, Mode::Drop) | (Mode::Len, Mode::Present) => true,
        (Mode::Mask { first, last }, Mode::Mask { first: new_first, last: new_last }) => {
            new_first <= first && new_last <= last
        }
        (Mode::Truncate(first), Mode::Truncate(new_first)) => new_first <= first,
        // Where neither shows what the other does, something is shown that was not.
        _ => false,
    };
    if more { Hides::More } else { Hides::Less }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_more_or_something_else_is_weaker() {
        for (old, new) in [
            (Some("drop"), Some("plain")),
            (Some("drop"), Some("present")),
            (Some("drop"), None),
            (Some("hash"), Some("plain")),
            (Some("hash"), Some("len")),
            (Some("mask(first = 1)"), Some("mask(first = 2)")),
            (Some("mask(first = 1)"), Some("mask(last = 1)")),
            (Some("mask(first = 2, last = 2)"), Some("mask(first = 3, last = 1)")),
            (Some("truncate(3)"), Some("truncate(4)")),
            (Some("present"), Some("len")),
            (Some("with = A"), Some("with = B")),
            (Some("drop"), Some("with = A")),
            (Some("hash"), Some("a word that nobody knows")),
            (None, Some("plain")),
            (None, Some("with = A")),
        ] {
            assert_eq!(of_mode(old, new), Hides::Less, "{old:?} -> {new:?}");
        }
    }

    #[test]
    fn what_shows_less_is_not() {
        for (old, new) in [
            (Some("plain"), Some("drop")),
            (Some("plain"), Some("with = A")),
            (Some("plain"), None),
            (Some("hash"), Some("drop")),
            (Some("with = A"), Some("drop")),
            (Some("mask(first = 2, last = 2)"), Some("mask(last = 2)")),
            (Some("truncate(4)"), Some("truncate(3)")),
            (Some("len"), Some("present")),
            (None, Some("hash")),
        ] {
            assert_eq!(of_mode(old, new), Hides::More, "{old:?} -> {new:?}");
        }
    }

    #[test]
    fn a_lost_class_or_scope_is_a_loss() {
        let field = |mode: &str, class: Option<&str>, scope: Option<&str>| LockedField {
            mode: Some(mode.into()),
            class: class.map(Into::into),
            scope: scope.map(Into::into),
            ..LockedField::default()
        };
        let whole = field("hash", Some("pii"), Some("staff"));
        assert!(weakened(&whole, &field("hash", None, Some("staff"))));
        assert!(weakened(&whole, &field("hash", Some("other"), Some("staff"))));
        assert!(weakened(&whole, &field("hash", Some("pii"), None)));
        assert!(weakened(&whole, &field("drop", None, None)));
        assert!(!weakened(&whole, &field("drop", Some("pii"), None)), "what is dropped is compared with nothing");
        assert!(!weakened(&field("hash", None, None), &whole));
        assert_eq!(said(&whole), "hash, class pii, scope staff");
    }
}
