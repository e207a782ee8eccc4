//! The accounts, as a database would have them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::events::LoginFailure;

/// How many wrong passwords lock an account.
const TRIES: u32 = 3;

#[derive(Clone, Default)]
pub(crate) struct Account {
    pub(crate) id: u64,
    pub(crate) password: &'static str,
    pub(crate) inactive: bool,
    pub(crate) admin: bool,
    pub(crate) failures: u32,
    /// The codes that are left, with their numbers; none without a second factor.
    pub(crate) codes: Vec<(u64, &'static str)>,
}

/// A login that has come at least half way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) user: u64,
    pub(crate) mfa_pending: bool,
}

/// A login that has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) user: Option<u64>,
    pub(crate) reason: LoginFailure,
    /// Whether this one has locked the account.
    pub(crate) locks: bool,
}

#[derive(Default)]
pub(crate) struct Accounts(Mutex<State>);

#[derive(Default)]
struct State {
    by_email: HashMap<&'static str, Account>,
    sessions: HashMap<String, Session>,
}

impl Accounts {
    pub(crate) fn new(accounts: impl IntoIterator<Item = (&'static str, Account)>) -> Self {
        Self(Mutex::new(State { by_email: accounts.into_iter().collect(), sessions: HashMap::new() }))
    }

    /// Begins a session, and gives it with its token.
    pub(crate) fn login(&self, email: &str, password: &str) -> Result<(String, Session), Failed> {
        let mut state = self.state();
        let failed = |user, reason, locks| Failed { user, reason, locks };
        let Some(account) = state.by_email.get_mut(email) else {
            return Err(failed(None, LoginFailure::UnknownEmail, false));
        };
        let user = Some(account.id);
        if account.inactive {
            return Err(failed(user, LoginFailure::Inactive, false));
        }
        if account.failures >= TRIES {
            return Err(failed(user, LoginFailure::Locked, false));
        }
        if account.password != password {
            account.failures += 1;
            return Err(failed(user, LoginFailure::WrongPassword, account.failures == TRIES));
        }
        account.failures = 0;
        let session = Session { user: account.id, mfa_pending: !account.codes.is_empty() };
        let token = uuid::Uuid::now_v7().to_string();
        state.sessions.insert(token.clone(), session);
        Ok((token, session))
    }

    /// Uses up a code, and gives its number, how many are left, and whether it has completed a login.
    pub(crate) fn consume(&self, token: &str, code: &str) -> Option<(u64, usize, bool)> {
        let mut state = self.state();
        let State { by_email, sessions } = &mut *state;
        let session = sessions.get_mut(token)?;
        let account = by_email.values_mut().find(|account| account.id == session.user)?;
        let at = account.codes.iter().position(|(_, known)| *known == code)?;
        let (number, _) = account.codes.remove(at);
        Some((number, account.codes.len(), std::mem::take(&mut session.mfa_pending)))
    }

    pub(crate) fn session(&self, token: &str) -> Option<Session> {
        self.state().sessions.get(token).copied()
    }

    /// The user of a session that is complete, if he is an administrator.
    pub(crate) fn admin(&self, token: &str) -> Option<u64> {
        let state = self.state();
        let session = state.sessions.get(token).filter(|session| !session.mfa_pending)?;
        state.by_email.values().find(|account| account.id == session.user && account.admin).map(|account| account.id)
    }

    pub(crate) fn logout(&self, token: &str) -> Option<Session> {
        self.state().sessions.remove(token)
    }

    pub(crate) fn has(&self, user: u64) -> bool {
        self.state().by_email.values().any(|account| account.id == user)
    }

    pub(crate) fn delete(&self, user: u64) {
        self.state().by_email.retain(|_, account| account.id != user);
    }

    /// Changes an account, and gives its id.
    pub(crate) fn change(&self, email: &str, change: impl FnOnce(&mut Account)) -> Option<u64> {
        let mut state = self.state();
        let account = state.by_email.get_mut(email)?;
        change(account);
        Some(account.id)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
