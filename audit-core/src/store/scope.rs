//! Whose records a reader sees.

use crate::decision::Code;
use crate::identity::TenantId;
use crate::query::{AnyOf, Condition};
use crate::record::is_cut_identity;
use crate::sensitive::{KeyRing, REDACTED, UNENCODABLE};
use crate::store::StoreError;

/// Whose records a reader sees.
#[derive(Clone, Debug)]
pub(super) enum Scope {
    /// Those of one tenant, and how records show it.
    Tenant { id: TenantId, shown: AnyOf },
    /// Everybody's, and those of nobody.
    Global { reason: Code },
    /// Nobody's: what was called a tenant is none.
    Nobody,
}

impl Scope {
    /// A tenant whose name records show as it is.
    pub(super) fn plain(tenant: String) -> Self {
        let is_remains = matches!(&*tenant, REDACTED | UNENCODABLE) || is_hash(&tenant) || is_cut_identity(&tenant);
        if tenant.is_empty() || is_remains {
            return Self::Nobody;
        }
        Self::Tenant { shown: AnyOf::from(&tenant).shown(), id: TenantId::plain(tenant) }
    }

    /// A tenant that records show as a keyed hash: made inside of itself, as all hashes in its records.
    pub(super) fn hashed(keys: &KeyRing, tenant: &str) -> Self {
        if tenant.is_empty() {
            return Self::Nobody;
        }
        Self::Tenant { shown: AnyOf::hashed(keys, Some(tenant), None, tenant), id: TenantId::hash(tenant) }
    }

    /// What it asks of every record.
    ///
    /// # Errors
    ///
    /// [`StoreError::InvalidTenant`] where nobody's are asked for.
    pub(super) fn condition(&self) -> Result<Option<Condition>, StoreError> {
        match self {
            Self::Tenant { shown, .. } => Ok(Some(Condition::Tenant(shown.clone()))),
            Self::Global { .. } => Ok(None),
            Self::Nobody => Err(StoreError::InvalidTenant),
        }
    }
}

/// Whether it looks like what a key ring makes: `hash:<key id>:<32 hex digits>`.
fn is_hash(text: &str) -> bool {
    let parts = text.strip_prefix("hash:").and_then(|rest| rest.split_once(':'));
    parts.is_some_and(|(_, digits)| digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
