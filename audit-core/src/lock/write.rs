//! From the lock to its text: sorted, a block an action and a line a field, so that branches conflict seldom and a diff
//! can be read.

use std::fmt::{self, Display, Formatter, Write};

use super::model::{Lock, LockedAction, LockedErrorType, LockedField, LockedPackage, LockedType};
use super::parse::VERSION;

const HEADER: &str = "\
# What this workspace records. It is read in review: names are for ever, and what was redacted stays redacted.
# Written by `AUDIT_LOCK=update cargo test`; by hand only `retired` and `accept`, each with its reason.
";

impl Display for Lock {
    /// The whole file.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        writeln!(f, "version = {VERSION}")?;
        self.packages.iter().try_for_each(|(name, package)| section(f, name, package))
    }
}

/// A table's head, to be pasted or written.
pub(super) struct Head<'a>(pub(super) &'a str, pub(super) &'a str, pub(super) &'a str);

impl Display for Head<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(package, table, key) = self;
        write!(f, "[package.{}.{table}.{}]", Bare(package), Quoted(key))
    }
}

fn section(f: &mut Formatter<'_>, name: &str, package: &LockedPackage) -> fmt::Result {
    for (key, locked) in &package.actions {
        writeln!(f, "\n{}", Head(name, "action", key))?;
        action(f, locked)?;
    }
    for (key, LockedType { fields }) in &package.types {
        writeln!(f, "\n{}", Head(name, "type", key))?;
        list(f, "fields", fields)?;
    }
    for (key, LockedErrorType { reasons, codes }) in &package.errors {
        writeln!(f, "\n{}", Head(name, "error", key))?;
        texts(f, "reasons", reasons)?;
        texts(f, "codes", codes)?;
    }
    for (key, retired) in &package.retired {
        writeln!(f, "\n{}", Head(name, "retired", key))?;
        line(f, "reason", Some(&retired.reason))?;
        texts(f, "was", &retired.was)?;
    }
    for (key, accept) in &package.accept {
        writeln!(f, "\n{}", Head(name, "accept", key))?;
        line(f, "reason", Some(&accept.reason))?;
    }
    for (key, accepted) in &package.accepted {
        writeln!(f, "\n{}", Head(name, "accepted", key))?;
        write!(f, "reasons = ")?;
        array(f, accepted.reasons.iter().map(|reason| Quoted(reason)))?;
    }
    Ok(())
}

fn action(f: &mut Formatter<'_>, action: &LockedAction) -> fmt::Result {
    write!(f, "from = ")?;
    match &action.from[..] {
        [one] => writeln!(f, "[{}]", Quoted(one))?,
        more => array(f, more.iter().map(|place| Quoted(place)))?,
    }
    line(f, "policy", action.policy.as_deref())?;
    flag(f, "intent", action.intent)?;
    flag(f, "transaction", action.transaction)?;
    line(f, "surface", action.surface.as_deref())?;
    line(f, "since", action.since.as_deref())?;
    flag(f, "shared", action.shared)?;
    texts(f, "was", &action.was)?;
    list(f, "fields", &action.fields)
}

fn line(f: &mut Formatter<'_>, key: &str, text: Option<&str>) -> fmt::Result {
    text.map_or(Ok(()), |text| writeln!(f, "{key} = {}", Quoted(text)))
}

fn flag(f: &mut Formatter<'_>, key: &str, set: bool) -> fmt::Result {
    if set { writeln!(f, "{key} = true") } else { Ok(()) }
}

fn texts(f: &mut Formatter<'_>, key: &str, texts: &[String]) -> fmt::Result {
    list(f, key, &texts.iter().map(|text| Quoted(text)).collect::<Vec<_>>())
}

fn list<T: Display>(f: &mut Formatter<'_>, key: &str, items: &[T]) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    write!(f, "{key} = ")?;
    array(f, items.iter())
}

fn array<T: Display>(f: &mut Formatter<'_>, items: impl Iterator<Item = T>) -> fmt::Result {
    f.write_str("[\n")?;
    items.into_iter().try_for_each(|item| writeln!(f, "    {item},"))?;
    f.write_str("]\n")
}

impl Display for LockedField {
    /// The field as a line of the lock has it.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{{ key = {}", Quoted(&self.key))?;
        let rest = [("type", &self.ty), ("mode", &self.mode), ("class", &self.class), ("scope", &self.scope)];
        for (key, text) in rest {
            if let Some(text) = text {
                write!(f, ", {key} = {}", Quoted(text))?;
            }
        }
        f.write_str(" }")
    }
}

/// A key without quotes where that can be.
struct Bare<'a>(&'a str);

impl Display for Bare<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !self.0.is_empty() && self.0.bytes().all(bare) { f.write_str(self.0) } else { Quoted(self.0).fmt(f) }
    }
}

/// A text of one line in quotes.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for char in self.0.chars() {
            match char {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                _ if misleads(char) => escape(f, char)?,
                _ => f.write_char(char)?,
            }
        }
        f.write_char('"')
    }
}

fn escape(f: &mut Formatter<'_>, char: char) -> fmt::Result {
    let code = u32::from(char);
    if code > 0xffff { write!(f, "\\U{code:08X}") } else { write!(f, "\\u{code:04X}") }
}

/// What TOML does not take as it is, and what a reviewer does not see or sees elsewhere than it is.
fn misleads(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lock::model::{LockAccept, LockAccepted, LockRetired};
    use crate::lock::samples;

    #[test]
    fn the_text_is_this() {
        let mut lock = samples::lock();
        let package = lock.packages.get_mut("bank").unwrap();
        package.retired.insert("account.close".into(), LockRetired { reason: "discontinued".into(), was: vec![] });
        package.accept.insert("account.open: field x: drop -> plain".into(), LockAccept { reason: "law".into() });
        package
            .accepted
            .insert("account.open: field y".into(), LockAccepted { reasons: vec!["one".into(), "two".into()] });
        let expected = r#"version = 1

[package.bank.action."account.opened"]
from = ["event bank::Event::Opened"]
surface = "cli"
since = "1.2"
fields = [
    { key = "by", type = "String", mode = "hash", class = "pii", scope = "staff" },
]

[package.bank.action."account.transfer"]
from = ["function bank::api::transfer"]
policy = "fail_closed"
intent = true
was = [
    "account.send",
]
fields = [
    { key = "body", type = "Transfer" },
    { key = "note", type = "String", mode = "drop" },
    { key = "resource account", type = "AccountId" },
]

[package.bank.type."bank::api::Transfer"]
fields = [
    { key = "cents" },
    { key = "memo", mode = "drop" },
]

[package.bank.error."bank::api::BankError"]
reasons = [
    "missing_scope",
]
codes = [
    "ledger",
]

[package.bank.retired."account.close"]
reason = "discontinued"

[package.bank.accept."account.open: field x: drop -> plain"]
reason = "law"

[package.bank.accepted."account.open: field y"]
reasons = [
    "one",
    "two",
]
"#;
        assert_eq!(lock.to_string().strip_prefix(HEADER), Some(expected));
        assert_eq!(lock.to_string().parse::<Lock>().unwrap(), lock);
    }

    #[test]
    fn what_cannot_be_seen_is_spelled_out() {
        assert_eq!(Quoted("a\u{202e}b\u{7f}\u{85}\u{e0001}ä").to_string(), "\"a\\u202Eb\\u007F\\u0085\\U000E0001ä\"");
        assert_eq!(Bare("a b").to_string(), "\"a b\"");
        assert_eq!(Bare("audit-core").to_string(), "audit-core");
    }

    fn hostile() -> impl Strategy<Value = String> {
        prop_oneof![any::<String>(), "[\"'\\\\\n\r\t\u{0}\u{7f}#\\[\\]{}=.,\u{202e}\u{feff}ä🦀 ]{0,12}"]
    }

    fn said() -> impl Strategy<Value = String> {
        hostile().prop_map(|text| text + "x")
    }

    prop_compose! {
        fn field()(key in hostile(), ty in proptest::option::of(hostile()), mode in proptest::option::of(hostile()),
                   class in proptest::option::of(hostile()), scope in proptest::option::of(hostile())) -> LockedField {
            LockedField { key, ty, mode, class, scope }
        }
    }

    prop_compose! {
        fn locked()(from in proptest::collection::vec(hostile(), 1..3), policy in proptest::option::of(hostile()),
                    surface in proptest::option::of(hostile()), since in proptest::option::of(hostile()),
                    was in proptest::collection::vec(hostile(), 0..3), intent: bool, transaction: bool, shared: bool,
                    fields in proptest::collection::vec(field(), 0..4)) -> LockedAction {
            LockedAction { from, policy, intent, transaction, surface, since, was, shared, fields }
        }
    }

    prop_compose! {
        fn package()(actions in proptest::collection::btree_map(hostile(), locked(), 0..3),
                     types in proptest::collection::btree_map(hostile(), proptest::collection::vec(field(), 0..3), 0..3),
                     errors in proptest::collection::btree_map(hostile(), proptest::collection::vec(hostile(), 0..3), 0..3),
                     reasons in proptest::collection::btree_map(hostile(), said(), 0..3)) -> LockedPackage {
            LockedPackage {
                actions,
                types: types.into_iter().map(|(name, fields)| (name, LockedType { fields })).collect(),
                errors: errors.into_iter().map(|(name, codes)| {
                    (name, LockedErrorType { reasons: codes.clone(), codes })
                }).collect(),
                retired: reasons.iter().map(|(name, reason)| {
                    (name.clone(), LockRetired { reason: reason.clone(), was: vec![reason.clone()] })
                }).collect(),
                accept: reasons.iter().map(|(key, reason)| (key.clone(), LockAccept { reason: reason.clone() })).collect(),
                accepted: reasons.into_iter().map(|(key, reason)| (key, LockAccepted { reasons: vec![reason] })).collect(),
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(packages in proptest::collection::btree_map(hostile(), package(), 0..3)) {
            let mut lock = Lock { packages };
            lock.sort();
            // A section in which nothing is has no place in the text.
            lock.packages.retain(|_, package| *package != LockedPackage::default());
            let text = lock.to_string();
            prop_assert_eq!(text.parse::<Lock>(), Ok(lock));
        }
    }
}
