//! Who calls, as far as the framework vouches for it.

use std::collections::{BTreeSet, HashMap};

use audited::{Actor, ActorId, AuditContext, Code, SessionId as AuditedSession, TenantId};

use super::decision::DenyReason;
use super::names::{RoleName, Scope, SessionId, UserId};

/// A caller who has been verified.
///
/// [`Sessions`] alone makes one: its fields are private, nothing constructs it, and nothing deserializes it, so that an
/// originator is never what a caller says it is.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    account: Account,
}

/// What the identity provider knows of an account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) tenant: String,
    pub(crate) roles: Vec<RoleName>,
    pub(crate) scopes: BTreeSet<Scope>,
}

/// The open sessions, by their tokens.
#[derive(Debug, Default)]
pub(crate) struct Sessions(HashMap<String, Principal>);

impl Sessions {
    pub(crate) fn new(accounts: impl IntoIterator<Item = (&'static str, Account)>) -> Self {
        Self(accounts.into_iter().map(|(token, account)| (token.to_owned(), Principal { account })).collect())
    }

    /// Whose token it is.
    pub(crate) fn verify(&self, token: Option<&str>) -> Result<Principal, DenyReason> {
        let token = token.ok_or(DenyReason::Unauthenticated)?;
        self.0.get(token).cloned().ok_or(DenyReason::InvalidSession)
    }
}

impl Principal {
    pub(crate) fn session(&self) -> &SessionId {
        &self.account.session
    }

    pub(crate) fn owns(&self, tenant: &str) -> bool {
        self.account.tenant == tenant
    }

    pub(crate) fn may(&self, scope: &Scope) -> bool {
        self.account.scopes.contains(scope)
    }

    /// The same caller with no more than these scopes.
    pub(crate) fn narrowed(&self, scopes: &[Scope]) -> Self {
        let mut account = self.account.clone();
        account.scopes.retain(|scope| scopes.contains(scope));
        Self { account }
    }

    /// What every record of a call by this caller says.
    pub(crate) fn context(&self) -> AuditContext {
        let context = AuditContext::new()
            .actor(Actor::user(ActorId::plain(self.account.user.to_string())))
            .session(AuditedSession::new(self.account.session.to_string()))
            .tenant(TenantId::plain(&*self.account.tenant));
        self.account.roles.iter().fold(context, |context, role| context.role(Code::custom(role.to_string())))
    }
}
