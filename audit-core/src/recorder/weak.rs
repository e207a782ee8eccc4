//! Which `fail_closed` functions may run on a sink that promises less than a disk.

use super::build::BuildError;
use super::site::{FailurePolicy, sites};
use crate::guarded::Guarded;
use crate::request::HTTP_REQUEST;
use crate::sink::Durability;

#[derive(Debug)]
pub(super) enum WeakFailClosed {
    /// Those of these actions; none, unless the builder says otherwise.
    Named(Vec<String>),
    All,
}

impl Default for WeakFailClosed {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

impl WeakFailClosed {
    pub(super) fn add(&mut self, actions: impl Iterator<Item = String>) {
        if let Self::Named(named) = self {
            named.extend(actions);
            named.sort();
            named.dedup();
        }
    }

    pub(super) fn allows(&self, action: &str) -> bool {
        match self {
            Self::Named(named) => named.iter().any(|allowed| allowed == action),
            Self::All => true,
        }
    }

    pub(super) fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// The actions that are allowed by name.
    pub(super) fn named(&self) -> &[String] {
        match self {
            Self::Named(named) => named,
            Self::All => &[],
        }
    }

    /// Looks at the `fail_closed` functions of this binary: all may run on this sink, and what is named is there.
    pub(super) fn check(&self, sink: &Guarded) -> Result<(), BuildError> {
        let closed = sites().into_iter().filter(|site| site.policy == FailurePolicy::Closed);
        let mut closed: Vec<_> = closed.map(|site| site.action.as_str().to_owned()).collect();
        closed.dedup();
        // Whether a layer is `fail_closed` nobody knows here.
        let known = |named: &&String| closed.contains(named) || named.as_str() == HTTP_REQUEST;
        let unknown: Vec<_> = self.named().iter().filter(|named| !known(named)).cloned().collect();
        if !unknown.is_empty() {
            return Err(BuildError::NotFailClosed { actions: unknown, there: closed });
        }
        closed.retain(|action| !self.allows(action));
        let durability = sink.durability();
        if durability >= Durability::Disk || closed.is_empty() {
            return Ok(());
        }
        Err(BuildError::WeakSink { sink: sink.description().to_owned(), durability, actions: closed })
    }
}
