//! The names of a vocabulary that another nests with a prefix, put together at compile time.

use super::distinct::is_same;
use crate::action::MAX_ACTION_LEN;

/// How long all of the names are together, with the prefix before each.
///
/// # Panics
///
/// Where one is too long for an action: at compile time, since it is called in a constant.
pub const fn prefixed_len(prefix: &str, names: &[&str]) -> usize {
    let (mut len, mut at) = (0, 0);
    while at < names.len() {
        assert!(
            prefix.len() + names[at].len() <= MAX_ACTION_LEN,
            "with this prefix an action of the nested vocabulary has more than 128 bytes: take a shorter one"
        );
        len += prefix.len() + names[at].len();
        at += 1;
    }
    len
}

/// All of the names, one behind the other, with the prefix before each.
pub const fn prefixed<const LEN: usize>(prefix: &str, names: &[&str]) -> [u8; LEN] {
    let (mut bytes, mut len, mut at) = ([0; LEN], 0, 0);
    while at < names.len() {
        len = crate::text::push(&mut bytes, len, prefix.as_bytes());
        len = crate::text::push(&mut bytes, len, names[at].as_bytes());
        at += 1;
    }
    bytes
}

/// Each of the names with its prefix.
///
/// # Panics
///
/// Where they are not what [`prefixed`] gave.
pub const fn prefixed_names<const COUNT: usize>(
    joined: &'static [u8],
    prefix: &str,
    names: &[&str; COUNT],
) -> [&'static str; COUNT] {
    let (mut split, mut rest, mut at) = ([""; COUNT], joined, 0);
    while at < COUNT {
        let (name, others) = rest.split_at(prefix.len() + names[at].len());
        split[at] = match std::str::from_utf8(name) {
            Ok(name) => name,
            Err(_) => panic!("a name is no text"),
        };
        rest = others;
        at += 1;
    }
    split
}

/// The one of the names in the first list that stands where a name does in the second.
///
/// # Panics
///
/// Where it is not there: a kind has a name that none of its vocabulary's has.
pub const fn name_beside(prefixed: &[&'static str], names: &[&str], name: &str) -> &'static str {
    let mut at = 0;
    while at < names.len() {
        if is_same(names[at].as_bytes(), name.as_bytes()) {
            return prefixed[at];
        }
        at += 1;
    }
    panic!("the kind is none of its vocabulary")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["user.created", "user.é", "u"];
    const JOINED: &[u8] = &prefixed::<{ prefixed_len("billing.", &NAMES) }>("billing.", &NAMES);

    #[test]
    fn each_name_has_the_prefix() {
        let names = prefixed_names(JOINED, "billing.", &NAMES);
        assert_eq!(names, ["billing.user.created", "billing.user.é", "billing.u"]);
        assert_eq!(name_beside(&names, &NAMES, "user.é"), "billing.user.é");
        assert_eq!(prefixed_names(&[], "billing.", &[]), [""; 0]);
    }

    #[test]
    #[should_panic(expected = "more than 128 bytes")]
    fn a_name_that_would_be_too_long_is_none() {
        prefixed_len(&"x".repeat(125), &["a.b", "a.bc"]);
    }
}
