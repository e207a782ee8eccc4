//! The static description of an audited function.

use crate::action::Action;
use crate::catalogue::registered::Capture;

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
#[derive(Debug)]
#[non_exhaustive]
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
    pub(crate) captures: &'static [Capture],
    pub(crate) decided_by: &'static [&'static str],
    pub(crate) about: &'static AboutSite,
}

/// What few attributes say. What is not said is empty.
#[doc(hidden)]
#[derive(Debug)]
pub struct AboutSite {
    pub was: &'static [&'static str],
    pub since: &'static str,
    pub deprecated: bool,
    pub shared: bool,
    pub unlocked: bool,
    pub only_from: &'static str,
}

impl AboutSite {
    /// Nothing of it is said.
    pub const NOTHING: &'static Self =
        &Self { was: &[], since: "", deprecated: false, shared: false, unlocked: false, only_from: "" };
}

impl Site {
    #[doc(hidden)]
    #[allow(clippy::too_many_arguments, reason = "generated code gives them in the order of the fields")]
    pub const fn new(
        action: &'static str,
        policy: FailurePolicy,
        intent: bool,
        package: &'static str,
        module: &'static str,
        function: &'static str,
        file: &'static str,
        line: u32,
        doc: &'static str,
        captures: &'static [Capture],
        decided_by: &'static [&'static str],
        about: &'static AboutSite,
    ) -> Self {
        let action = Action::new(action);
        Self { action, policy, intent, package, module, function, file, line, doc, captures, decided_by, about }
    }
}

/// A [`Site`] as `inventory` wants it.
#[derive(Debug)]
pub struct RegisteredSite(pub &'static Site);

inventory::collect!(RegisteredSite);

/// Every audited function linked into this binary, sorted by action, module and function.
pub fn sites() -> Vec<&'static Site> {
    let mut sites: Vec<_> = inventory::iter::<RegisteredSite>().map(|entry| entry.0).collect();
    sites.sort_by_key(|site| (site.action.as_str(), site.module, site.function, site.line));
    sites
}
