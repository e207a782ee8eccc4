//! What is redacted under measurement: a struct of eight fields, two of them sensitive.

use audited::Sensitive;
use serde::Serialize;

/// A payment, whose last two texts are nobody's business.
#[derive(Debug, Clone, Serialize, Sensitive)]
#[allow(missing_docs, reason = "they say what they are")]
pub struct Payment {
    pub id: u64,
    pub cents: u64,
    pub urgent: bool,
    #[sensitive(plain)]
    pub currency: String,
    #[sensitive(plain)]
    pub to: String,
    #[sensitive]
    pub memo: String,
    #[sensitive]
    pub device: String,
    pub at: i64,
}

impl Payment {
    /// Always the same one.
    pub fn example() -> Self {
        Self {
            id: 7_000_123,
            cents: 125_000,
            urgent: false,
            currency: "EUR".into(),
            to: "acc-0750".into(),
            memo: "Rent for November, thank you".into(),
            device: "9f1c2d34-77b0-4e1c-8f0a-5d1b7c6e2a90".into(),
            at: 1_790_000_000,
        }
    }
}
