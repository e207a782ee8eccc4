//! What was looked at, and what was found.

use serde_json::json;

use crate::failure::{Exit, Failure};
use crate::output::{Output, Style, escape};

#[derive(Default)]
pub(super) struct Report(Vec<Check>);

struct Check {
    verdict: Verdict,
    /// What was looked at, in a word or two.
    what: &'static str,
    says: String,
    mend: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Ok,
    /// It cannot be seen from here.
    Unknown,
    Warning,
    Failure,
}

impl Report {
    pub(super) fn ok(&mut self, what: &'static str, says: impl Into<String>) {
        self.add(Verdict::Ok, what, says.into(), None);
    }

    pub(super) fn unknown(&mut self, what: &'static str, says: impl Into<String>) {
        self.add(Verdict::Unknown, what, says.into(), None);
    }

    pub(super) fn warning(&mut self, what: &'static str, says: impl Into<String>, mend: impl Into<String>) {
        self.add(Verdict::Warning, what, says.into(), Some(mend.into()));
    }

    pub(super) fn failure(&mut self, what: &'static str, says: impl Into<String>, mend: impl Into<String>) {
        self.add(Verdict::Failure, what, says.into(), Some(mend.into()));
    }

    /// A failure that says by itself how to mend it.
    pub(super) fn fault(&mut self, what: &'static str, says: impl Into<String>) {
        self.add(Verdict::Failure, what, says.into(), None);
    }

    fn add(&mut self, verdict: Verdict, what: &'static str, says: String, mend: Option<String>) {
        self.0.push(Check { verdict, what, says, mend });
    }

    pub(super) fn print(&self, output: &mut Output) -> Result<(), Failure> {
        let widest = self.0.iter().map(|check| check.what.len()).max().unwrap_or_default();
        for Check { verdict, what, says, mend } in &self.0 {
            if output.is_json() {
                let check = json!({ "check": what, "verdict": verdict.as_str(), "says": says, "mend": mend });
                output.json(&check.to_string())?;
                continue;
            }
            let word = output.paint(verdict.style(), format_args!("{:<7}", verdict.as_str()));
            output.line(format_args!("{word}  {what:widest$}  {}", escape(says)))?;
            if let Some(mend) = mend {
                output.line(format_args!("{:7}  {:widest$}  {}", "", "", escape(mend)))?;
            }
        }
        Ok(())
    }

    pub(super) fn exit(&self, strict: bool) -> Exit {
        let least = if strict { Verdict::Warning } else { Verdict::Failure };
        let found = |check: &Check| check.verdict == Verdict::Failure || check.verdict == least;
        if self.0.iter().any(found) { Exit::Findings } else { Exit::Clean }
    }
}

impl Verdict {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }

    const fn style(self) -> Style {
        match self {
            Self::Ok => Style::Good,
            Self::Unknown => Style::Dim,
            Self::Warning => Style::Doubtful,
            Self::Failure => Style::Bad,
        }
    }
}
