//! Legal holds: what must not be removed, whatever a retention says.

use audit_core::{Action, Kind, Record, Timestamp};
use serde::{Deserialize, Serialize};

/// Keeps records from being removed until it is lifted.
///
/// ```
/// # use audit_sinks as audited;
/// use audited::LegalHold;
///
/// let all = LegalHold::new("case-17", "litigation, ask legal@");
/// assert_eq!(all.name(), "case-17");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "a hold does nothing until it is placed"]
pub struct LegalHold {
    name: String,
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<String>,
}

impl LegalHold {
    /// Holds every record, those to come among them. Name and reason are written into the stream as they are: no
    /// secrets in them.
    pub fn new(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { name: name.into(), reason: reason.into(), from: None, to: None }
    }

    /// Holds only what was recorded from a moment on.
    pub fn from(mut self, moment: Timestamp) -> Self {
        self.from = Some(moment.to_string());
        self
    }

    /// Holds only what was recorded up to a moment.
    pub fn to(mut self, moment: Timestamp) -> Self {
        self.to = Some(moment.to_string());
        self
    }

    /// Its name, by which it is lifted.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why it was placed.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether it covers anything of a time. What is not known is covered.
    pub(crate) fn covers(&self, from: Option<Timestamp>, to: Option<Timestamp>) -> bool {
        let moment = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<Timestamp>().ok());
        let before = moment(&self.from).zip(to).is_some_and(|(held, to)| to < held);
        let behind = moment(&self.to).zip(from).is_some_and(|(held, from)| from > held);
        !before && !behind
    }

    /// The same, with a reason of another moment.
    pub(crate) fn because(self, reason: &str) -> Self {
        Self { reason: reason.to_owned(), ..self }
    }

    /// What is recorded when it is placed or lifted.
    pub(crate) fn record(&self, action: &'static str) -> Record {
        let about = Record::builder(Action::new(action)).kind(Kind::System).fields(|fields| {
            fields.plain("hold", &self.name);
            fields.plain("reason", &self.reason);
            for (key, moment) in [("from", &self.from), ("to", &self.to)] {
                if let Some(moment) = moment {
                    fields.plain(key, moment);
                }
            }
        });
        about.build()
    }
}
