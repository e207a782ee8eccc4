//! Denials that say nothing.

use audit_core::Verdict;
use audit_core::{Decision, Effect, Refusal};

/// The status that all denials have, where an `AuditLayer` or an `AuditMiddleware` is told to make them alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DenialStatus {
    /// 401, with the layer's challenge as `www-authenticate`.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404, where it is a secret that something exists. What really is not found is answered alike.
    NotFound,
}

/// How denials are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Denials {
    /// As the service says.
    #[default]
    AsTheyAre,
    /// With the status that the service says, and nothing else of its answer.
    Bare,
    /// With one status.
    Alike(DenialStatus),
}

/// What the client gets in place of an answer: a status, and no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instead {
    /// A denial with this status. With 401 there is the challenge.
    Denial(u16),
    /// What `audited` itself answers.
    Refusal(Refusal),
}

impl Instead {
    /// In place of an answer whose record was not acknowledged, or that nobody can account for.
    pub(crate) const fn unavailable(effect: Effect) -> Self {
        Self::Refusal(Refusal::Unavailable { effect })
    }
}

impl DenialStatus {
    const fn code(self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
        }
    }
}

impl Denials {
    /// What the client gets in place of an answer that is a denial, or looks like one; `None` for the answer itself.
    pub(crate) fn of(self, status: u16, denied: bool) -> Option<Instead> {
        let shown = match self {
            // A denial with a status of success, or of a failure of the server, would not say that it is one.
            Self::Bare if denied => {
                if (400..500).contains(&status) {
                    status
                } else {
                    403
                }
            }
            Self::Alike(alike) if denied => alike.code(),
            // What is hidden behind a 404 must look like any other.
            Self::Bare | Self::Alike(DenialStatus::NotFound) if status == 404 => 404,
            Self::AsTheyAre | Self::Bare | Self::Alike(_) => return None,
        };
        Some(Instead::Denial(shown))
    }
}

/// Whether a verdict is a denial.
pub(crate) fn is_denied(verdict: &Verdict) -> bool {
    matches!(verdict.decision(), Decision::Deny { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_denials_change_and_what_they_are_hidden_among() {
        use DenialStatus::{Forbidden, NotFound, Unauthorized};
        for (denials, status, denied, shown) in [
            (Denials::AsTheyAre, 403, true, None),
            (Denials::Bare, 403, true, Some(403)),
            (Denials::Bare, 404, true, Some(404)),
            (Denials::Bare, 404, false, Some(404)),
            (Denials::Bare, 429, true, Some(429)),
            (Denials::Bare, 200, true, Some(403)),
            (Denials::Bare, 500, true, Some(403)),
            (Denials::Bare, 422, false, None),
            (Denials::Alike(NotFound), 401, true, Some(404)),
            (Denials::Alike(NotFound), 404, false, Some(404)),
            (Denials::Alike(NotFound), 405, false, None),
            (Denials::Alike(Forbidden), 404, false, None),
            (Denials::Alike(Unauthorized), 403, true, Some(401)),
            (Denials::Alike(Forbidden), 200, false, None),
        ] {
            assert_eq!(denials.of(status, denied), shown.map(Instead::Denial), "{denials:?} {status} {denied}");
        }
    }
}
