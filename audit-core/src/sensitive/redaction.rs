//! What the encoder is told of the recorder and the record.

use std::fmt;
use std::sync::LazyLock;

use super::policy::{Folded, Modes};
use super::{KeyRing, Limits, Mode, SensitiveType};
use crate::identity::TenantId;

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
    whose: Whose<'a>,
    keyless: bool,
}

/// Whose record it is.
#[derive(Clone, Copy)]
pub(super) enum Whose<'a> {
    Nobodys,
    Of(&'a str),
    /// Of the tenant only what redaction has left is known, which may be the same of several.
    Remains(&'a str),
}

impl<'a> Redaction<'a> {
    pub(crate) fn new(rules: &'a Rules, tenant: Option<&'a TenantId>) -> Self {
        let whose = match tenant {
            None => Whose::Nobodys,
            Some(TenantId(tenant)) if tenant.is_remains() => Whose::Remains(tenant.secret()),
            Some(TenantId(tenant)) => Whose::Of(tenant.secret()),
        };
        Self { rules, whose, keyless: false }
    }

    /// The same without keys: what should be hashed is dropped.
    pub(crate) fn keyless(self) -> Self {
        Self { keyless: true, ..self }
    }

    /// The keyed hash of a text, where there is a key, and a tenant is told from any other.
    pub(crate) fn hash(self, scope: Option<&str>, text: &str) -> Option<String> {
        let keys = self.rules.keys.as_ref().filter(|_| !self.keyless)?;
        let tenant = match self.whose {
            Whose::Nobodys => None,
            Whose::Of(tenant) => Some(tenant),
            Whose::Remains(hash) if hash.starts_with("hash:") => Some(hash),
            Whose::Remains(_) => return None,
        };
        Some(keys.hash(tenant, scope, text))
    }

    pub(super) fn can_hash(self) -> bool {
        self.rules.keys.is_some() && !self.keyless
    }

    /// The modes of a type's fields.
    #[inline]
    pub(super) fn modes_of(self, ty: &'static SensitiveType) -> Modes<'a> {
        match &self.rules.policy {
            None => Modes::AsTyped,
            Some(policy) => policy.modes_of(ty, self.whose),
        }
    }

    /// Whether a policy may say something of the fields of a type, by the name that it has for serde.
    pub(super) fn rules_for(self, serialized: &str) -> bool {
        self.rules.policy.as_ref().is_some_and(|policy| policy.knows(serialized))
    }

    /// What a policy says of a field of such a type.
    pub(super) fn of_field(self, serialized: &str, key: &str) -> Option<Mode> {
        self.rules.policy.as_ref()?.of_field(serialized, key, self.whose)
    }

    /// What a policy says of a key, whatever it belongs to.
    pub(super) fn of_key(self, key: &str) -> Option<Mode> {
        self.rules.policy.as_ref()?.of_key(key, self.whose)
    }
}

impl Default for Redaction<'_> {
    fn default() -> Self {
        Self::new(&DEFAULT, None)
    }
}

impl fmt::Debug for Redaction<'_> {
    /// The tenant is an identity, and may be one that is not to be shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redaction").field("rules", self.rules).finish_non_exhaustive()
    }
}
