//! What a vocabulary with others nested in it must keep to, checked at compile time.

use crate::text::push;

/// Makes sure that no name of an action is there twice, and that no former name is in use.
///
/// # Panics
///
/// Where one is: at compile time, since it is called in a constant.
pub const fn distinct(names: &[&str], formers: &[&str]) {
    let mut at = 0;
    while at < names.len() {
        if stands_in(names[at], names, at + 1) {
            fail("the action `", names[at], "` is there twice, here and in a nested vocabulary or in two of them");
        }
        at += 1;
    }
    at = 0;
    while at < formers.len() {
        if stands_in(formers[at], names, 0) {
            fail("the former name `", formers[at], "` is an action of a nested vocabulary");
        }
        at += 1;
    }
}

const fn stands_in(name: &str, names: &[&str], mut from: usize) -> bool {
    while from < names.len() {
        if is_same(name.as_bytes(), names[from].as_bytes()) {
            return true;
        }
        from += 1;
    }
    false
}

pub(super) const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut left = a.len();
    if left != b.len() {
        return false;
    }
    // The ends of actions differ more than their beginnings.
    while left > 0 {
        left -= 1;
        if a[left] != b[left] {
            return false;
        }
    }
    true
}

/// Panics with the name in the text: a constant can show a text, but not put it together.
const fn fail(before: &str, name: &str, after: &str) -> ! {
    let mut text = [b' '; 512];
    let len = push(&mut text, 0, before.as_bytes());
    let len = push(&mut text, len, name.as_bytes());
    let len = push(&mut text, len, after.as_bytes());
    match std::str::from_utf8(text.split_at(len).0) {
        Ok(text) => panic!("{}", text),
        Err(_) => panic!("an action is there twice"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_pass() {
        distinct(&["a.b", "a.c", "b.b"], &["a.d", "a.d"]);
        distinct(&[], &[]);
    }

    #[test]
    #[should_panic(expected = "the action `a.b` is there twice")]
    fn an_action_stands_once() {
        distinct(&["a.b", "a.c", "a.b"], &[]);
    }

    #[test]
    #[should_panic(expected = "the former name `a.c` is an action")]
    fn a_former_name_is_not_in_use() {
        distinct(&["a.b", "a.c"], &["a.c"]);
    }
}
