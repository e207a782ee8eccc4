//! Reading the record of an event back as values.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::event::{AuditEvent, UnknownAction};
use crate::record::StoredRecord;
use crate::sensitive::{Notes, REDACTED, UNENCODABLE, leads_to};

/// A vocabulary whose records can be read back: derived where the enum says `#[event(view)]`.
#[diagnostic::on_unimplemented(
    message = "records of `{Self}` cannot be read back as values",
    label = "has no view",
    note = "ask the derive for one: `#[event(view)]` on the enum"
)]
pub trait EventView: AuditEvent<Kind: FromStr<Err = UnknownAction>> {
    /// The enum beside it, with the same variants, whose fields are [`Seen`].
    type View;

    /// Reads the payload of one kind.
    ///
    /// # Errors
    ///
    /// [`ViewError`] where the payload is not that of this kind.
    fn view(kind: Self::Kind, fields: &ViewFields<'_>) -> Result<Self::View, ViewError>;
}

impl<E: EventView> EventView for Box<E> {
    type View = E::View;

    fn view(kind: E::Kind, fields: &ViewFields<'_>) -> Result<E::View, ViewError> {
        E::view(kind, fields)
    }
}

impl StoredRecord {
    /// Reads the record of an event back, as far as it shows its values.
    ///
    /// ```text
    /// match stored.view::<UserEvent>()? {
    ///     UserEventView::Created { id: Seen::Value(id), .. } => println!("{id}"),
    ///     _ => {}
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ViewError`] where the action is none of that vocabulary, or the payload is not what the variant says today.
    pub fn view<E: EventView>(&self) -> Result<E::View, ViewError> {
        E::view(self.action().parse::<E::Kind>()?, &ViewFields::of(self)?)
    }
}

/// What a record shows of a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Seen<T> {
    /// The value itself.
    Value(T),
    /// Not all of it: it was redacted, here or in a part of it, or cut for its size. In doubt, too: a field that is called
    /// as an identity, such as `session`, reads so where that identity of the record is redacted.
    Redacted(RedactedText),
}

impl<T> Seen<T> {
    /// The value, where it is shown.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Redacted(_) => None,
        }
    }

    /// The value, where it is shown.
    pub fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Redacted(_) => None,
        }
    }
}

/// What stands in a record where a value does not: `<redacted>`, a hash, what a mask leaves; of anything but a string
/// its JSON.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RedactedText(String);

impl RedactedText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RedactedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Why a record cannot be read as an event of a vocabulary.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ViewError {
    /// Its action is none of that vocabulary.
    #[error(transparent)]
    UnknownAction(#[from] UnknownAction),
    /// Its payload is no JSON object, or holds what is no JSON.
    #[error("the payload is no JSON object")]
    NoObject,
    /// Its payload lacks a field.
    #[error("the payload has no `{key}`")]
    Missing {
        /// The key of the field.
        key: &'static str,
    },
    /// A field has a value of another type.
    #[error("`{key}` is of another type")]
    Malformed {
        /// The key of the field.
        key: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// The payload of a record, while it is read as an event.
#[derive(Debug)]
pub struct ViewFields<'r> {
    fields: HashMap<Cow<'r, str>, &'r RawValue>,
    /// Where something was redacted or cut.
    hidden: Vec<String>,
}

impl<'r> ViewFields<'r> {
    fn of(record: &'r StoredRecord) -> Result<Self, ViewError> {
        Self::read(record.detail().unwrap_or("{}"), [record.redacted(), record.cut()].concat())
    }

    /// What is about to be written.
    pub(crate) fn of_detail(json: &'r str, notes: &Notes) -> Result<Self, ViewError> {
        Self::read(json, [notes.redacted().list(), notes.cut().list()].concat())
    }

    fn read(json: &'r str, hidden: Vec<String>) -> Result<Self, ViewError> {
        let fields = serde_json::from_str(json).map_err(|_| ViewError::NoObject)?;
        Ok(Self { fields, hidden })
    }

    /// A field that is shown unless it was redacted all the same.
    ///
    /// # Errors
    ///
    /// [`ViewError`] where it is missing or of another type.
    pub fn value<T: DeserializeOwned>(&self, key: &'static str) -> Result<Seen<T>, ViewError> {
        let json = self.json(key)?;
        if self.is_hidden(key, json) {
            return Ok(Seen::Redacted(text(json)));
        }
        let value = serde_json::from_str(json).map_err(|source| ViewError::Malformed { key, source })?;
        Ok(Seen::Value(value))
    }

    /// A field that is never shown, whatever its type.
    ///
    /// # Errors
    ///
    /// [`ViewError`] where it is missing.
    pub fn redacted<T>(&self, key: &'static str) -> Result<Seen<T>, ViewError> {
        self.json(key).map(|json| Seen::Redacted(text(json)))
    }

    /// Reads a field that is not always there.
    ///
    /// # Errors
    ///
    /// What reading it gives.
    pub fn optional<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Self, &'static str) -> Result<Seen<T>, ViewError>,
    ) -> Result<Option<Seen<T>>, ViewError> {
        if self.fields.contains_key(key) { read(self, key).map(Some) } else { Ok(None) }
    }

    fn json(&self, key: &'static str) -> Result<&'r str, ViewError> {
        self.fields.get(key).map(|value| value.get()).ok_or(ViewError::Missing { key })
    }

    /// Whether something of the value is not there. In doubt it is.
    fn is_hidden(&self, key: &str, json: &str) -> bool {
        let stands_for_it = |word: &str| json.strip_prefix('"').and_then(|json| json.strip_suffix('"')) == Some(word);
        if stands_for_it(REDACTED) || stands_for_it(UNENCODABLE) {
            return true;
        }
        self.hidden.iter().any(|path| {
            // The list ends so where there was more to say, and a path where it was too long.
            if let Some(start) = path.strip_suffix('…') {
                return key.starts_with(start) || start.starts_with(key);
            }
            // The path of an identity, such as `actor.id`, reads like one of the payload: then it may be either.
            leads_to(path, key)
        })
    }
}

fn text(json: &str) -> RedactedText {
    RedactedText(serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()))
}
