//! What differs between a lock and a catalogue.

use super::model::LockedField;
use crate::catalogue::Place;

/// One difference between a lock and what a build records.
///
/// [`Display`](std::fmt::Display) says what it is, what it means, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockChange {
    /// In whose section it is.
    pub package: String,
    /// What it is about.
    pub item: LockItem,
    /// What happened to it.
    pub difference: LockDifference,
}

/// What a [`LockChange`] is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LockItem {
    /// An action, by its name.
    Action(String),
    /// A type that derives `Sensitive`, by module and name.
    Type(String),
    /// An error that derives `Deny`, by module and name.
    Error(String),
    /// An `accept` of the lock, by its key.
    Accept(String),
}

/// What happened to a [`LockItem`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockDifference {
    /// It is new.
    Added {
        /// What declares it, where it is an action.
        from: Vec<String>,
    },
    /// It is gone, and nothing says why.
    Removed {
        /// Whether it is a type that has fields: what records show of them may have been less because of it.
        fields: bool,
    },
    /// It is declared to be left out of the lock.
    Unlocked,
    /// It is gone, and the lock says why.
    Retired {
        /// The reason.
        reason: String,
    },
    /// Another action is gone, of which this one has the place.
    Renamed {
        /// The name before.
        from: String,
        /// Whether the action says so, by `was`; otherwise place or fields suggest it.
        declared: bool,
    },
    /// Another action is gone, and this one says that it was that, though it has been there beside it.
    Merged {
        /// The other name.
        from: String,
    },
    /// It is declared elsewhere.
    Moved {
        /// Where it was.
        from: Vec<String>,
        /// Where it is.
        to: Vec<String>,
    },
    /// It is declared in another package.
    Handed {
        /// The package before.
        from: String,
        /// Whether that package was compared, too, and has it no longer.
        given: bool,
    },
    /// It is new, and records may show more of it than of one like it in a section that was not compared.
    ShowsMore {
        /// The package of the other one.
        package: String,
        /// Its name.
        than: String,
    },
    /// A field is new.
    FieldAdded(LockedField),
    /// A field is new, beside one of the same key of which records show less.
    FieldAddedBeside(LockedField),
    /// A field is gone.
    FieldRemoved(LockedField),
    /// A field is of another type.
    FieldType {
        /// Its key.
        key: String,
        /// The type before, where that is known.
        from: Option<String>,
        /// The type now, where that is known.
        to: Option<String>,
        /// Whether it says what records show of the field: nothing else hides any of it.
        decides: bool,
    },
    /// Something else is done to a field.
    Redaction {
        /// Its key.
        key: String,
        /// What was done to it.
        from: String,
        /// What is done to it.
        to: String,
        /// Whether records may show more than before.
        weakened: bool,
    },
    /// Something else happens when a record is not acknowledged.
    Policy {
        /// The policy before.
        from: String,
        /// The policy now.
        to: String,
        /// Whether more calls go on without a record.
        weakened: bool,
    },
    /// It may be recorded from elsewhere.
    Surface {
        /// The surface before, none for everywhere.
        from: Option<String>,
        /// The surface now.
        to: Option<String>,
    },
    /// It says another version in which it came.
    Since {
        /// The version before.
        from: Option<String>,
        /// The version now.
        to: Option<String>,
    },
    /// It names one more former name.
    FormerNameAdded(String),
    /// It does not name a former name any more.
    FormerNameRemoved(String),
    /// Whether several places may declare it has changed.
    Shared {
        /// Whether they may now.
        now: bool,
    },
    /// An error denies with one more reason.
    ReasonAdded(String),
    /// An error does not deny with a reason any more.
    ReasonRemoved(String),
    /// An error fails with one more code.
    CodeAdded(String),
    /// An error does not fail with a code any more.
    CodeRemoved(String),
    /// A name is used again.
    Reused(FormerUse),
    /// Two places declare the same action.
    Collides {
        /// Both.
        places: Box<[Place; 2]>,
    },
    /// An `accept` of the lock is for no change of this build.
    Unused,
}

/// What a name stood for that is used again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormerUse {
    /// An action that was retired.
    Retired {
        /// The package in whose section that is.
        package: String,
        /// Why.
        reason: String,
    },
    /// An action that has another name now.
    RenamedTo {
        /// The package of that action.
        package: String,
        /// Its name now.
        action: String,
    },
}

/// How much a [`LockChange`] matters, and what it takes to accept it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LockSeverity {
    /// Records say and protect what they did. An update takes it.
    Harmless,
    /// Those who read records may have to know. An update takes it.
    Notable,
    /// Records lose what was promised of them. An update takes it with a written reason only.
    Breaking,
    /// It cannot be: the code has to change.
    Forbidden,
}

impl LockDifference {
    /// Whether records may show more of a field than before.
    pub(super) const fn shows_more(&self) -> bool {
        matches!(
            self,
            Self::Redaction { weakened: true, .. }
                | Self::FieldType { from: Some(_), decides: true, .. }
                | Self::FieldAddedBeside(_)
        )
    }
}

impl LockSeverity {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Harmless => "harmless",
            Self::Notable => "notable",
            Self::Breaking => "BREAKING",
            Self::Forbidden => "FORBIDDEN",
        }
    }
}

impl LockChange {
    /// How much it matters.
    pub fn severity(&self) -> LockSeverity {
        use LockDifference as D;
        match &self.difference {
            difference if difference.shows_more() => LockSeverity::Breaking,
            D::Removed { fields } => match self.item {
                LockItem::Action(_) => LockSeverity::Breaking,
                _ if *fields => LockSeverity::Breaking,
                _ => LockSeverity::Notable,
            },
            D::Renamed { declared: false, .. }
            | D::Merged { .. }
            | D::Handed { given: false, .. }
            | D::ShowsMore { .. }
            | D::Unlocked
            | D::FieldRemoved(_)
            | D::Policy { weakened: true, .. }
            | D::FormerNameRemoved(_) => LockSeverity::Breaking,
            D::Renamed { .. }
            | D::Retired { .. }
            | D::Handed { .. }
            | D::FieldType { from: Some(_), .. }
            | D::Surface { .. }
            | D::Shared { .. }
            | D::ReasonRemoved(_)
            | D::CodeRemoved(_)
            | D::Unused => LockSeverity::Notable,
            D::Added { .. }
            | D::Moved { .. }
            | D::FieldAdded(_)
            | D::FieldAddedBeside(_)
            // It is only told now.
            | D::FieldType { from: None, .. }
            | D::Redaction { .. }
            | D::Policy { .. }
            | D::Since { .. }
            | D::FormerNameAdded(_)
            | D::ReasonAdded(_)
            | D::CodeAdded(_) => LockSeverity::Harmless,
            D::Reused(_) | D::Collides { .. } => LockSeverity::Forbidden,
        }
    }

    /// What an `accept` of the lock has to name for an update to take this change: `account.transfer: field note: drop
    /// -> plain`. None where no `accept` is asked for, or where none helps.
    pub fn key(&self) -> Option<String> {
        let removed_action =
            matches!((&self.item, &self.difference), (LockItem::Action(_), LockDifference::Removed { .. }));
        let guessed = matches!(self.difference, LockDifference::Renamed { .. });
        (self.severity() == LockSeverity::Breaking && !removed_action && !guessed).then(|| self.headline())
    }

    /// Whether it only says that something is not there, as in a build with features off.
    pub fn is_absence(&self) -> bool {
        match &self.difference {
            LockDifference::Removed { .. }
            | LockDifference::FieldRemoved(_)
            | LockDifference::ReasonRemoved(_)
            | LockDifference::CodeRemoved(_)
            | LockDifference::Unused => true,
            // Of several places that share an action, some.
            LockDifference::Moved { from, to } => to.iter().all(|place| from.contains(place)),
            _ => false,
        }
    }
}
