//! What the encoder is told of the recorder and the record.

use std::fmt;
use std::sync::LazyLock;

use super::policy::{Folded, Modes};
use super::{KeyRing, Limits, Mode, SensitiveType};

/// What a recorder has decided: its keys, its bounds, the operator's policy.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) keys: Option<KeyRing>,
    pub(crate) limits: Limits,
    pub(crate) policy: Option<Folded>,
}

static DEFAULT: Rules = Rules { keys: None, limits: Limits::DEFAULT, policy: None };

impl Rules {
    /// A key that lives and dies with the process, to compare values that are not shown.
    pub(crate) fn ephemeral() -> &'static Self {
        static RULES: LazyLock<Rules> =
            LazyLock::new(|| Rules { keys: Some(KeyRing::ephemeral()), limits: Limits::DEFAULT, policy: None });
        &RULES
    }

    /// Whether redaction depends on whose record it is.
    pub(crate) fn ask_for_the_tenant(&self) -> bool {
        self.keys.is_some() || self.policy.as_ref().is_some_and(Folded::names_tenants)
    }
}

/// What redaction needs to know of the record. Opaque outside of this crate.
#[derive(Clone, Copy)]
pub struct Redaction<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) tenant: Option<&'a str>,
}

impl<'a> Redaction<'a> {
    /// The modes of a type's fields.
    #[inline]
    pub(super) fn modes_of(self, ty: &'static SensitiveType) -> Modes<'a> {
        match &self.rules.policy {
            None => Modes::AsTyped,
            Some(policy) => policy.modes_of(ty, self.tenant),
        }
    }

    /// What a policy says of a key, whatever it belongs to.
    pub(super) fn of_key(self, key: &str) -> Option<Mode> {
        self.rules.policy.as_ref()?.of_key(key, self.tenant)
    }
}

impl Default for Redaction<'_> {
    fn default() -> Self {
        Self { rules: &DEFAULT, tenant: None }
    }
}

impl fmt::Debug for Redaction<'_> {
    /// The tenant is an identity, and may be one that is not to be shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redaction").field("rules", self.rules).finish_non_exhaustive()
    }
}
