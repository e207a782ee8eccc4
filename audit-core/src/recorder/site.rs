//! The static description of an audited function: one text, which costs the compiler less than a table does, and the
//! program fewer relocations.
//!
//! ```text
//! <flags><action>\n<only_from>\n<parts><package>\n<module>\n<line>\n<file>
//! ```
//!
//! The flags are one letter. The parts are texts with their length before them, `4:user`, and numbers, `2;`: the
//! function, its doc comment, `since`; then three lists, each with its length first, of the former names, of the captured
//! values (the key, the type, the mode and its scope), and of what says how a call was decided.

use std::fmt;

use crate::action::Action;

/// What happens to a call whose record is not acknowledged. Fixed at compile time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailurePolicy {
    /// The call goes on; the loss is counted, logged, and written into the stream as a gap.
    Open,
    /// An intent is acknowledged before the body runs, and a call whose record is not acknowledged is refused.
    Closed,
}

impl FailurePolicy {
    /// The name, as in the attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "fail_open",
            Self::Closed => "fail_closed",
        }
    }
}

/// An audited function, as the linker collected it.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is a word of the attribute")]
pub struct Site {
    /// Its action.
    pub action: Action,
    /// What happens when its record is not acknowledged.
    pub policy: FailurePolicy,
    /// Whether an intent is written before the body runs. Always with [`FailurePolicy::Closed`].
    pub intent: bool,
    /// The package that declares it.
    pub package: &'static str,
    /// The module that declares it.
    pub module: &'static str,
    /// The function.
    pub function: &'static str,
    /// The source file.
    pub file: &'static str,
    /// The line of the attribute.
    pub line: u32,
    /// The first line of the doc comment.
    pub(crate) doc: &'static str,
    pub(crate) captures: Vec<Capture>,
    pub(crate) decided_by: Vec<&'static str>,
    // What few attributes say. What is not said is empty.
    pub(crate) was: Vec<&'static str>,
    pub(crate) since: &'static str,
    pub(crate) deprecated: bool,
    pub(crate) shared: bool,
    pub(crate) unlocked: bool,
    pub(crate) only_from: &'static str,
    /// Whether a success is recorded in a transaction of the caller's.
    pub(crate) transaction: bool,
}

/// A captured value.
#[derive(Clone, Debug)]
pub(crate) struct Capture {
    pub(crate) key: &'static str,
    /// What a parameter of that name was written with; else empty.
    pub(crate) ty: &'static str,
    /// What is done to it; empty where its own type decides.
    pub(crate) mode: &'static str,
    pub(crate) scope: &'static str,
}

/// Every audited function linked into this binary, sorted by action, module and function.
pub fn sites() -> Vec<Site> {
    let mut sites: Vec<_> = inventory::iter::<RegisteredSite>().map(|site| Described(site.0).read()).collect();
    sites.sort_by(|a, b| {
        (a.action.as_str(), a.module, a.function, a.line).cmp(&(b.action.as_str(), b.module, b.function, b.line))
    });
    sites
}

/// The text of a site, as `inventory` wants it.
#[derive(Debug)]
pub struct RegisteredSite(pub &'static str);

inventory::collect!(RegisteredSite);

/// The text of a site, of which a call reads the beginning only.
#[derive(Clone, Copy)]
pub(super) struct Described(pub(super) &'static str);

impl Described {
    pub(super) fn action(self) -> Action {
        Action::checked(self.rest().line())
    }

    pub(super) fn policy(self) -> FailurePolicy {
        if self.says(CLOSED) { FailurePolicy::Closed } else { FailurePolicy::Open }
    }

    pub(super) fn intent(self) -> bool {
        self.says(INTENT)
    }

    pub(super) fn transaction(self) -> bool {
        self.says(TRANSACTION)
    }

    /// Its action, and where it may be recorded from, if not from everywhere.
    pub(super) fn action_and_surface(self) -> (Action, &'static str) {
        let mut rest = self.rest();
        (Action::checked(rest.line()), rest.line())
    }

    fn says(self, flag: u8) -> bool {
        self.0.as_bytes().first().is_some_and(|flags| flags & flag != 0)
    }

    /// What stands behind the flags.
    fn rest(self) -> Rest {
        Rest(self.0.get(1..).unwrap_or_default())
    }

    fn read(self) -> Site {
        let mut rest = self.rest();
        let (action, only_from) = (Action::checked(rest.line()), rest.line());
        let [function, doc, since] = [rest.part(), rest.part(), rest.part()];
        let was = rest.list(Rest::part);
        let captures =
            rest.list(|rest| Capture { key: rest.part(), ty: rest.part(), mode: rest.part(), scope: rest.part() });
        let decided_by = rest.list(Rest::part);
        let [package, module, line] = [rest.line(), rest.line(), rest.line()];
        Site {
            action,
            policy: self.policy(),
            intent: self.intent(),
            package,
            module,
            function,
            file: rest.0,
            line: line.parse().unwrap_or_default(),
            doc,
            captures,
            decided_by,
            was,
            since,
            deprecated: self.says(DEPRECATED),
            shared: self.says(SHARED),
            unlocked: self.says(UNLOCKED),
            only_from,
            transaction: self.says(TRANSACTION),
        }
    }
}

impl Described {
    /// What no other site has, unless both have the same text.
    pub(crate) fn address(self) -> usize {
        self.0.as_ptr().addr()
    }
}

impl fmt::Debug for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.action().as_str())
    }
}

/// The flags, as the attribute sets them in its letter.
const CLOSED: u8 = 1;
const INTENT: u8 = 2;
const DEPRECATED: u8 = 4;
const SHARED: u8 = 8;
const UNLOCKED: u8 = 16;
const TRANSACTION: u8 = 32;

/// What is left of a text. What generated code cannot have written reads as nothing.
struct Rest(&'static str);

impl Rest {
    fn line(&mut self) -> &'static str {
        self.up_to(b'\n')
    }

    fn part(&mut self) -> &'static str {
        let len = self.up_to(b':').parse().unwrap_or_default();
        let (part, rest) = self.0.split_at_checked(len).unwrap_or_default();
        self.0 = rest;
        part
    }

    fn list<T>(&mut self, read: impl Fn(&mut Self) -> T) -> Vec<T> {
        let len = self.up_to(b';').parse().unwrap_or(0_u16);
        (0..len).map(|_| read(self)).collect()
    }

    fn up_to(&mut self, end: u8) -> &'static str {
        let Some(at) = memchr::memchr(end, self.0.as_bytes()) else {
            self.0 = "";
            return "";
        };
        let (before, rest) = self.0.split_at(at);
        self.0 = &rest[1..];
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_reads_as_it_was_written() {
        let text = concat!(
            "wa.b\ncli\n",
            "1:f5:says\n3:1.1",
            "1;3:a.c",
            "2;1:k2:u80:0:1:u0:4:hash1:s",
            "2;1:x2:\n\n",
            "p\np::m\n7\ndir/\nodd"
        );
        let site = Described(text).read();
        assert_eq!((site.action.as_str(), site.only_from), ("a.b", "cli"));
        assert_eq!((site.policy, site.intent), (FailurePolicy::Closed, true));
        assert_eq!([site.deprecated, site.shared, site.unlocked, site.transaction], [true, false, true, true]);
        assert_eq!([site.function, site.doc, site.since], ["f", "says\n", "1.1"]);
        assert_eq!((&site.was[..], &site.decided_by[..]), (&["a.c"][..], &["x", "\n\n"][..]));
        assert_eq!([site.package, site.module, site.file], ["p", "p::m", "dir/\nodd"]);
        let captures = site.captures.iter().map(|captured| [captured.key, captured.ty, captured.mode, captured.scope]);
        assert!(captures.eq([["k", "u8", "", ""], ["u", "", "hash", "s"]]));
        assert_eq!(site.line, 7);
    }
}
