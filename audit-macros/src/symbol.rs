//! The names in attributes, and what was probably meant by a wrong one.

use std::fmt::Display;

/// The helper attribute of `#[derive(Sensitive)]`.
pub(crate) const SENSITIVE: &str = "sensitive";
/// The helper attribute of `#[derive(AuditEvent)]`.
pub(crate) const EVENT: &str = "event";
/// The helper attribute of `#[derive(Deny)]` for denials.
pub(crate) const DENIED: &str = "denied";
/// The helper attribute of `#[derive(Deny)]` for failures.
pub(crate) const FAILED: &str = "failed";
/// Serde's attribute, read for names and shape.
pub(crate) const SERDE: &str = "serde";

/// The keys of `#[sensitive(…)]` on a field.
pub(crate) const MARKS: &[&str] = &["plain", "hash", "mask", "truncate", "len", "present", "with", "reason", "class"];

/// Whether a word belongs on a field.
pub(crate) fn is_mark(word: &str) -> bool {
    MARKS.contains(&word)
}

/// The valid name that `found` is probably a slip of.
pub(crate) fn nearest<'a>(found: &str, valid: &[&'a str]) -> Option<&'a str> {
    let allowed = (found.chars().count() / 3).max(1);
    valid
        .iter()
        .map(|name| (distance(found, name), *name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The message for a key that does not exist: what was probably meant, and what there is.
pub(crate) fn unknown_key(found: impl Display, valid: &[&str]) -> String {
    unknown("key", found, valid)
}

/// As [`unknown_key`], for what is called something else than a key.
pub(crate) fn unknown(what: &str, found: impl Display, valid: &[&str]) -> String {
    let found = found.to_string();
    let meant = nearest(&found, valid).map(|name| format!(" did you mean `{name}`?")).unwrap_or_default();
    format!("unknown {what} `{found}`:{meant} valid {what}s are {}", list(valid))
}

/// The names, in backticks.
pub(crate) fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Levenshtein's distance, with a swap of neighbours as one step, since that is the commonest slip.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let valid = ["hash", "plain", "reason", "rename_all"];
        assert_eq!(nearest("hahs", &valid), Some("hash"));
        assert_eq!(nearest("plan", &valid), Some("plain"));
        assert_eq!(nearest("renameall", &valid), Some("rename_all"));
        assert_eq!(nearest("truncate", &valid), None);
        assert_eq!(nearest("", &valid), None);
    }

    #[test]
    fn the_message_says_what_there_is() {
        assert_eq!(
            unknown_key("hahs", &["hash", "plain"]),
            "unknown key `hahs`: did you mean `hash`? valid keys are `hash`, `plain`"
        );
        assert_eq!(unknown_key("xyz", &["hash"]), "unknown key `xyz`: valid keys are `hash`");
    }
}
