//! The rules for what lasts: actions, codes and classes.

/// The longest of each, in bytes.
const MAX_LEN: usize = 128;

/// The rule for actions, in words.
pub(crate) const ACTION_RULE: &str =
    "an action matches ^[A-Za-z][A-Za-z0-9_./-]*$ and has at most 128 bytes, such as `user.created`";
/// The rule for codes, in words.
pub(crate) const CODE_RULE: &str =
    "a code matches ^[A-Za-z][A-Za-z0-9_.-]*$ and has at most 128 bytes, such as `missing_scope`";
/// The rule for codes, said of where something comes from.
pub(crate) const SURFACE_RULE: &str =
    "a surface matches ^[A-Za-z][A-Za-z0-9_.-]*$ and has at most 128 bytes, such as `cli`";

/// The rule for classes, in words.
pub(crate) const CLASS_RULE: &str = "a class matches ^[a-z][a-z0-9_.-]*$ and has at most 128 bytes, such as `pii`";

pub(crate) fn is_action(name: &str) -> bool {
    follows(name, "_./-")
}

pub(crate) fn is_code(name: &str) -> bool {
    follows(name, "_.-")
}

pub(crate) fn is_class(name: &str) -> bool {
    is_code(name) && !name.contains(|c: char| c.is_ascii_uppercase())
}

fn follows(name: &str, marks: &str) -> bool {
    name.len() <= MAX_LEN
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_hold_at_their_edges() {
        for good in ["a", "A.b_c-9", &"x".repeat(MAX_LEN)] {
            assert!(is_action(good) && is_code(good), "{good}");
        }
        for bad in ["", ".a", "9a", "a b", "a\n", "é", &"x".repeat(MAX_LEN + 1)] {
            assert!(!is_action(bad) && !is_code(bad), "{bad}");
        }
        assert!(is_action("a/b") && !is_code("a/b"));
        assert!(is_class("gdpr.art-9") && !is_class("PII") && !is_class("a/b") && !is_class(""));
    }
}
