//! Where a program may be asked from: its command line, its HTTP interface, a job.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::__private::debug_as_display;
use thiserror::Error;

static MINTED: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The proof that this process is asked from somewhere, such as `cli`. It is minted once, in `main`, and handed to what
/// records from there.
///
/// A vocabulary that says `#[event(only_from = "cli")]` can only be recorded with such a token, by
/// [`record_from`](crate::record_from): elsewhere it does not compile. Where a single variant or an audited function says
/// so, it is looked at when it is recorded: without a token of that name in the process the record is kept, flagged
/// `surface`, and counted in [`Stats::violations`](crate::Stats).
///
/// ```
/// # use audit_core as audited;
/// use audited::Surface;
///
/// let cli = Surface::mint("cli")?;
/// assert_eq!(cli.name(), "cli");
/// assert!(Surface::mint("cli").is_err());
/// # Ok::<(), audited::AlreadyMinted>(())
/// ```
pub struct Surface {
    name: &'static str,
}

impl Surface {
    /// Mints the token of that name.
    ///
    /// # Errors
    ///
    /// [`AlreadyMinted`] the second time: whoever may record from there was handed the first one.
    pub fn mint(name: &'static str) -> Result<Self, AlreadyMinted> {
        let new = MINTED.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        if new { Ok(Self { name }) } else { Err(AlreadyMinted { name }) }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Debug for Surface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Surface({})", self.name)
    }
}

/// Whether this process has a token of that name.
pub(crate) fn is_minted(name: &str) -> bool {
    MINTED.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
}

/// A surface was minted before.
#[derive(Clone, PartialEq, Eq, Error)]
#[error("the surface `{name}` is minted already: mint it once, in `main`, and hand the token on")]
pub struct AlreadyMinted {
    name: &'static str,
}

debug_as_display!(AlreadyMinted);
