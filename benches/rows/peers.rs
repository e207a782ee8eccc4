//! What must not be compiled as a test: there `redactable` shows everything.

use redactable::Sensitive;
use serde::Serialize;

/// The struct under measurement, as `redactable` wants it.
#[derive(Clone, Serialize, Sensitive)]
#[allow(missing_docs, reason = "they are those of the struct under measurement")]
pub struct ByRedactable {
    pub id: u64,
    pub cents: u64,
    pub urgent: bool,
    pub currency: String,
    pub to: String,
    #[sensitive(redactable::Secret)]
    pub memo: String,
    #[sensitive(redactable::Secret)]
    pub device: String,
    pub at: i64,
}
