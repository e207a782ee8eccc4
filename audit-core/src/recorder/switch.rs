//! Actions that leave no records for a while: which ones, since the operator says so, and never in silence.
//!
//! Each recorder has an epoch, which no other recorder ever has and which is another after each change. A thread
//! remembers, of the few sites that it called last, what was so in which epoch: a call that is switched off has next to
//! nothing else to do.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use thiserror::Error;

use super::Recorder;
use super::ambient::surrounding_context;
use super::event::Unacknowledged;
use super::site::{Described, FailurePolicy, sites};
use crate::__private::debug_as_display;
use crate::action::Action;
use crate::record::{Draft, Kind};
use crate::request::HTTP_REQUEST;
use crate::sensitive::Redaction;

/// How the names of the records begin that the framework writes about itself.
const OWN: &str = "audit.";

/// The last epoch that any recorder has had.
static LAST_EPOCH: AtomicU64 = AtomicU64::new(ALL_ON);

/// The epoch of a recorder that has nothing switched off.
const ALL_ON: u64 = 0;

/// How many sites a thread remembers.
const REMEMBERED: usize = 16;

thread_local! {
    /// By a few bits of the site's address: the address, and what was so in which epoch.
    static SEEN: [Cell<(usize, Seen)>; REMEMBERED] = const { [const { Cell::new((0, Seen::NOTHING)) }; REMEMBERED] };
}

/// Whether a site was switched off in some epoch.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    epoch: u64,
    off: bool,
}

impl Seen {
    const NOTHING: Self = Self { epoch: ALL_ON, off: false };
}

/// Where a thread remembers a site.
fn place_of(site: Described) -> usize {
    // Texts are hardly closer to each other than this.
    (site.address() >> 5) % REMEMBERED
}

/// What is switched off, and why.
#[derive(Debug, Default)]
pub(super) struct Switches {
    epoch: AtomicU64,
    off: RwLock<BTreeMap<String, String>>,
}

impl Switches {
    /// Whether the calls of a site leave nothing. Those of a `fail_closed` function always do.
    #[inline]
    pub(super) fn is_site_off(&self, site: Described) -> bool {
        let epoch = self.epoch.load(Ordering::Acquire);
        epoch != ALL_ON && self.is_site_off_in(epoch, site)
    }

    #[inline]
    fn is_site_off_in(&self, epoch: u64, site: Described) -> bool {
        let remembered = SEEN.try_with(|seen| {
            let (of, seen) = seen[place_of(site)].get();
            (of == site.address() && seen.epoch == epoch).then_some(seen.off)
        });
        remembered.ok().flatten().unwrap_or_else(|| self.look(epoch, site))
    }

    /// Looks it up, and remembers it.
    #[cold]
    fn look(&self, epoch: u64, site: Described) -> bool {
        let off = site.policy() == FailurePolicy::Open && self.is_off(&site.action());
        let _ = SEEN.try_with(|seen| seen[place_of(site)].set((site.address(), Seen { epoch, off })));
        off
    }

    /// Whether records of an action are left out.
    pub(super) fn is_off(&self, action: &Action) -> bool {
        self.epoch.load(Ordering::Acquire) != ALL_ON && self.read(|off| off.contains_key(action.as_str()))
    }

    /// What is switched off, with the reasons.
    pub(super) fn read<R>(&self, read: impl FnOnce(&BTreeMap<String, String>) -> R) -> R {
        read(&self.off.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes what is switched off.
    pub(super) fn change(&self, change: impl FnOnce(&mut BTreeMap<String, String>)) {
        let mut off = self.off.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut off);
        let epoch = if off.is_empty() { ALL_ON } else { LAST_EPOCH.fetch_add(1, Ordering::Relaxed) + 1 };
        self.epoch.store(epoch, Ordering::Release);
    }
}

/// Whether an action may be switched off.
pub(super) fn check(action: &Action) -> Result<(), SwitchError> {
    let name = action.as_str();
    if name.starts_with(OWN) || name == HTTP_REQUEST {
        return Err(SwitchError::Reserved { action: name.to_owned() });
    }
    if sites().iter().any(|site| site.action == *action && site.policy == FailurePolicy::Closed) {
        return Err(SwitchError::FailClosed { action: name.to_owned() });
    }
    Ok(())
}

impl Recorder {
    /// Has an action leave no records, from when the record of that, `audit.switched_off`, is acknowledged until
    /// [`switch_on`](Self::switch_on): neither its audited calls nor its events, allowed or denied. The calls themselves
    /// go on as before, and so do their guards. What was begun before is recorded still. Of a request whose handler is
    /// switched off, a layer leaves `http.request` where it was refused or failed, since nothing inside says so.
    ///
    /// The record names who does it where the context here does. An action that is switched off already gets another
    /// record, and its reason is the new one.
    ///
    /// ```
    /// # use audit_core as audited;
    /// # async fn operate(recorder: &audited::Recorder) -> Result<(), audited::SwitchError> {
    /// use audited::Action;
    ///
    /// const READ: Action = Action::new("cache.read");
    /// recorder.switch_off(READ, "ten thousand a second, and nobody ever asked for one").await?;
    /// recorder.switch_on(READ, "the auditor asked").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SwitchError`]; nothing is switched off then.
    pub async fn switch_off(&self, action: Action, reason: &str) -> Result<(), SwitchError> {
        check(&action)?;
        self.record_switch("audit.switched_off", &action, reason).await?;
        self.core().switches.change(|off| drop(off.insert(action.as_str().to_owned(), reason.to_owned())));
        Ok(())
    }

    /// Has an action leave records again, from now on, and records that as `audit.switched_on`. Nothing is done where it
    /// is not switched off.
    ///
    /// # Errors
    ///
    /// [`SwitchError::Unacknowledged`]; it is switched on all the same.
    pub async fn switch_on(&self, action: Action, reason: &str) -> Result<(), SwitchError> {
        let mut was_off = false;
        self.core().switches.change(|off| was_off = off.remove(action.as_str()).is_some());
        if was_off {
            self.record_switch("audit.switched_on", &action, reason).await?;
        }
        Ok(())
    }

    /// The names of the actions that are switched off, in their order.
    pub fn switched_off(&self) -> Vec<String> {
        self.core().switches.read(|off| off.keys().cloned().collect())
    }

    async fn record_switch(&self, what: &'static str, action: &Action, reason: &str) -> Result<(), SwitchError> {
        let mut draft = Draft::new(Action::new(what), Kind::System);
        draft.detail.add(Redaction::default(), &mut |fields| {
            fields.plain("action", action.as_str());
            fields.plain("reason", reason);
        });
        let receipt = self.core().submit_system(&draft, surrounding_context().as_deref());
        receipt.await.map_err(|error| SwitchError::Unacknowledged(Unacknowledged(error)))
    }
}

/// An action cannot be switched off, or on.
#[derive(Error)]
#[non_exhaustive]
pub enum SwitchError {
    /// A function with this action is `fail_closed`: it does not run without a record.
    #[error(
        "`{action}` cannot be switched off: it is the action of a `fail_closed` function, which does not run without a record"
    )]
    FailClosed {
        /// The action.
        action: String,
    },
    /// The name is that of a record that is not an action of the program.
    #[error(
        "`{action}` cannot be switched off: names that begin with `audit.`, and `http.request`, are of records that the framework writes itself"
    )]
    Reserved {
        /// The action.
        action: String,
    },
    /// The record of it was not acknowledged.
    #[error("the record of it was not acknowledged")]
    Unacknowledged(#[source] Unacknowledged),
}

debug_as_display!(SwitchError);
