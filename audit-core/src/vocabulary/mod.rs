//! What may be recorded: the vocabularies of the program, and what it learns at run time.

mod payload;

use std::any::type_name;
use std::collections::HashMap;
use std::fmt;

use thiserror::Error;

pub use self::payload::{Payload, PayloadType};
use crate::__private::debug_as_display;
use crate::action::{Action, InvalidAction};
use crate::catalogue::actions;
use crate::detail::Detail;
use crate::event::{AuditEvent, EventKind};
use crate::record::{Draft, Flag, Flags, Kind};
use crate::view::{EventView, ViewFields};

/// The events that a recorder expects: typed vocabularies, and actions that are known only at run time, such as those of
/// a plugin or of a configuration.
///
/// An event that is none of them, or whose payload does not fit, is written nevertheless: the record is flagged
/// (`unknown_action`, `drift`) and counted ([`Stats`](crate::Stats)). Audited functions are always expected.
///
/// ```
/// # use audit_core as audited;
/// use audited::{Payload, PayloadType, Vocabulary};
///
/// let vocabulary = Vocabulary::builder()
///     .custom("plugin.installed", Payload::new().field("id", PayloadType::Integer).optional("by", PayloadType::Text))
///     .build()?;
/// assert!(vocabulary.knows("plugin.installed"));
/// assert!(Vocabulary::builder().custom("no action", Payload::any()).build().is_err());
/// # Ok::<(), audited::InvalidVocabulary>(())
/// ```
pub struct Vocabulary {
    known: HashMap<String, Expected>,
}

/// What is expected of the payload of an action.
enum Expected {
    /// What its type writes.
    Typed,
    /// What reads back as its type.
    ReadBack(ReadsBack),
    /// What is known only at run time.
    Payload(Payload),
}

/// Whether a payload reads back as the event of that action.
type ReadsBack = fn(&str, &Detail) -> bool;

impl Vocabulary {
    /// Starts a vocabulary.
    pub fn builder() -> VocabularyBuilder {
        VocabularyBuilder { typed: Vec::new(), custom: Vec::new() }
    }

    /// Whether an action is one of these.
    pub fn knows(&self, action: &str) -> bool {
        self.known.contains_key(action)
    }

    /// What a reader must know of an event.
    pub(crate) fn flags(&self, draft: &Draft) -> Flags {
        let mut flags = Flags::default();
        if draft.kind != Kind::Event {
            return flags;
        }
        let fits = match self.known.get(draft.action.as_str()) {
            None => {
                flags.raise(Flag::UnknownAction);
                return flags;
            }
            Some(Expected::Typed) => true,
            Some(Expected::ReadBack(reads_back)) => reads_back(draft.action.as_str(), &draft.detail),
            Some(Expected::Payload(payload)) => payload.fits(&draft.detail),
        };
        if !fits {
            flags.raise(Flag::Drift);
        }
        flags
    }
}

impl fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vocabulary").field("actions", &self.known.len()).finish_non_exhaustive()
    }
}

/// Builds a [`Vocabulary`].
#[derive(Debug)]
#[must_use = "a builder makes nothing until `build`"]
pub struct VocabularyBuilder {
    typed: Vec<(String, &'static str, Option<ReadsBack>)>,
    custom: Vec<(String, Payload)>,
}

impl VocabularyBuilder {
    /// Adds the actions of a typed vocabulary. Twice is as good as once.
    pub fn extend<E: AuditEvent>(self) -> Self {
        self.typed::<E>(None)
    }

    /// Adds the actions of a typed vocabulary, and looks at what is written under their names by hand, too, as by
    /// [`record_action`](crate::record_action): a payload that does not read back as its event is drift. Further fields
    /// are no matter, and a field that was redacted or cut is whatever it is.
    ///
    /// Each of these events is read back once when it is recorded.
    pub fn extend_checked<E: EventView>(self) -> Self {
        self.typed::<E>(Some(reads_back::<E>))
    }

    fn typed<E: AuditEvent>(mut self, reads_back: Option<ReadsBack>) -> Self {
        let kinds =
            E::Kind::ALL.iter().map(|kind| (kind.action().as_str().to_owned(), type_name::<E::Kind>(), reads_back));
        self.typed.extend(kinds);
        self
    }

    /// Adds an action that is known only at run time, and what its payload holds.
    pub fn custom(mut self, action: impl Into<String>, payload: Payload) -> Self {
        self.custom.push((action.into(), payload));
        self
    }

    /// Builds the vocabulary.
    ///
    /// # Errors
    ///
    /// [`InvalidVocabulary`] when a custom name is no action, or is that of another, built here or linked into the binary.
    pub fn build(self) -> Result<Vocabulary, InvalidVocabulary> {
        let mut places: HashMap<String, String> = HashMap::new();
        let mut known = HashMap::new();
        // A vocabulary may be nested in another, or share an action with one: what collides is found when the recorder
        // is built.
        for (action, ty, reads_back) in self.typed {
            places.insert(action.clone(), format!("`{ty}`"));
            match (reads_back, known.get(&action)) {
                (Some(reads_back), _) => drop(known.insert(action, Expected::ReadBack(reads_back))),
                (None, None) => drop(known.insert(action, Expected::Typed)),
                (None, Some(_)) => {}
            }
        }
        // What was not extended is not expected, and yet no name for anything else.
        for entry in actions().into_iter().filter(|entry| !entry.prefixed) {
            places.entry(entry.action).or_insert_with(|| entry.place.to_string());
        }
        for (action, payload) in self.custom {
            let action = Action::parse(action)?.as_str().to_owned();
            let place = "`custom(…)`".to_owned();
            if let Some(other) = places.get(&action) {
                return Err(collision(action, other, place));
            }
            places.insert(action.clone(), place);
            known.insert(action, Expected::Payload(payload));
        }
        Ok(Vocabulary { known })
    }
}

fn reads_back<E: EventView>(action: &str, detail: &Detail) -> bool {
    let Ok(kind) = action.parse::<E::Kind>() else { return false };
    let json = detail.json();
    ViewFields::of_detail(&json, &detail.notes).is_ok_and(|fields| E::view(kind, &fields).is_ok())
}

fn collision(action: String, first: &str, second: String) -> InvalidVocabulary {
    InvalidVocabulary::Collision { action, first: first.to_owned(), second }
}

/// A vocabulary cannot be built.
#[derive(Error)]
#[non_exhaustive]
pub enum InvalidVocabulary {
    /// A name breaks the rule for actions.
    #[error(transparent)]
    Name(#[from] InvalidAction),
    /// Two things have one name.
    #[error("`{action}` is declared by {first} and by {second}: name one of them otherwise")]
    Collision {
        /// The action.
        action: String,
        /// What declares it first.
        first: String,
        /// What declares it again.
        second: String,
    },
}

debug_as_display!(InvalidVocabulary);
