//! What a change is, what it means and what to do, in words.

use std::fmt::{self, Display, Formatter};

use super::actions::TRANSACTION;
use super::change::{FormerUse, LockChange, LockDifference, LockItem, LockSeverity};
use super::write::Head;

impl Display for LockItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action(name) => f.write_str(name),
            Self::Type(name) => write!(f, "type {name}"),
            Self::Error(name) => write!(f, "error {name}"),
            Self::Accept(key) => write!(f, "accept {key:?}"),
        }
    }
}

impl Display for LockChange {
    /// Its severity and what it is; then what it means; then what to do, where an update does not do.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<9} {}", self.severity().as_str(), self.headline())?;
        write!(f, "          {}", self.meaning())?;
        self.mend().iter().try_for_each(|line| write!(f, "\n          {line}"))
    }
}

impl LockChange {
    /// What it is, in one line: `account.transfer: field note: drop -> plain`.
    pub fn headline(&self) -> String {
        // It is one line, and part of a key, whatever the types and reasons are made of.
        format!("{}: {}", self.item, self.what()).replace(char::is_control, " ")
    }

    fn what(&self) -> String {
        use LockDifference as D;
        match &self.difference {
            D::Added { from } if from.is_empty() => "added".to_owned(),
            D::Added { from } => format!("added by {}", from.join(" and ")),
            D::Removed { .. } => "removed".to_owned(),
            D::Unlocked => "`unlocked` now".to_owned(),
            D::Retired { reason } => format!("retired: {reason}"),
            D::Renamed { from, declared: true } => format!("renamed from {from}, as it says"),
            D::Renamed { from, declared: false } => format!("renamed, likely from {from}"),
            D::Merged { from } => format!("merged with {from}, as it says"),
            D::Moved { from, to } => format!("moved from {} to {}", from.join(" and "), to.join(" and ")),
            D::Handed { from, .. } => format!("moved here from the package {from}"),
            D::ShowsMore { package, than } => format!("added, and shows more than {than} of the package {package}"),
            D::FieldAdded(field) => format!("field {}: added{}", field.key, in_brackets(field)),
            D::FieldAddedBeside(field) => {
                format!("field {}: added{} beside one that shows less", field.key, in_brackets(field))
            }
            D::FieldRemoved(field) => format!("field {}: removed", field.key),
            D::FieldType { key, from, to, .. } => {
                format!("field {key}: of the type {} -> {}", or(from.as_ref(), "unknown"), or(to.as_ref(), "unknown"))
            }
            D::Redaction { key, from, to, .. } => format!("field {key}: {from} -> {to}"),
            D::Policy { from, to, .. } => format!("policy: {from} -> {to}"),
            D::Surface { from, to } => {
                format!("recorded from {} -> {}", or(from.as_ref(), "everywhere"), or(to.as_ref(), "everywhere"))
            }
            D::Since { from, to } => {
                format!("since {} -> {}", or(from.as_ref(), "nothing"), or(to.as_ref(), "nothing"))
            }
            D::FormerNameAdded(name) => format!("former name {name}: added"),
            D::FormerNameRemoved(name) => format!("former name {name}: removed"),
            D::Shared { now: true } => "shared now".to_owned(),
            D::Shared { now: false } => "no longer shared".to_owned(),
            D::ReasonAdded(code) => format!("reason {code}: added"),
            D::ReasonRemoved(code) => format!("reason {code}: removed"),
            D::CodeAdded(code) => format!("code {code}: added"),
            D::CodeRemoved(code) => format!("code {code}: removed"),
            D::Reused(FormerUse::Retired { package, reason }) => {
                format!("was retired in the section of {package}: {reason}")
            }
            D::Reused(FormerUse::RenamedTo { package, action }) => {
                format!("is the former name of {action} of the package {package}")
            }
            D::Collides { places } => {
                let [one, other] = &**places;
                let place = |place: &crate::Place| {
                    format!("{}::{} of {} ({}:{})", place.module, place.item, place.package, place.file, place.line)
                };
                format!("declared twice, by {} and by {}", place(one), place(other))
            }
            D::Unused => "no change of this build is called so".to_owned(),
        }
    }

    /// What it means for those who read records, in a sentence.
    pub fn meaning(&self) -> &'static str {
        use LockDifference as D;
        match &self.difference {
            D::Added { .. } if matches!(self.item, LockItem::Action(_)) => {
                "Records will carry this name for ever: read it once more."
            }
            D::Added { .. } => "Nothing was promised of it so far.",
            D::Removed { .. } => match self.item {
                LockItem::Action(_) => {
                    "Nothing is recorded under this name any more; whoever searches for it finds only the past."
                }
                LockItem::Error(_) => "Its reasons and codes come in no record any more.",
                _ => {
                    "Its marks are gone, if it had any; where its values are still captured, records may show what they hid."
                }
            },
            D::Unlocked => "Nobody will be told when its name, its fields or its redaction change.",
            D::Retired { .. } => "Nothing is recorded under this name any more, and nothing ever may be.",
            D::Renamed { .. } => {
                "Whoever searches for the name before finds only the past, and alerts on it fall silent."
            }
            D::Merged { .. } => "What was told apart is one from now on, and alerts on the other name fall silent.",
            D::Moved { .. } | D::Since { .. } => "Records stay as they are.",
            D::Handed { .. } => {
                "Records stay as they are; the other package must not declare it any more, and its section loses it."
            }
            D::ShowsMore { .. } => "Is it the same in another package, then records may show what they hid before.",
            D::FieldAdded(_) => "Records will show one thing more: look at how it is redacted.",
            D::FieldAddedBeside(_) => "Two have this key: one of them may show what it hid before.",
            D::FieldRemoved(_) => "Records will no longer tell this.",
            D::FieldType { from: None, .. } => "The lock tells its type from now on.",
            D::FieldType { .. } => "Records may show the field in another form, and other marks may hold for it.",
            D::Redaction { weakened: true, .. } => "Records may show what they hid before.",
            D::Redaction { .. } => "Records show less than before.",
            D::Policy { weakened: true, from, to } if from.contains(TRANSACTION) && !to.contains(TRANSACTION) => {
                "Calls may be recorded as successes whose transaction is rolled back."
            }
            D::Policy { weakened: true, .. } => "Calls may go on, or break off, that leave no record.",
            D::Policy { .. } => "More is promised of its records than before.",
            D::Surface { from, to } => match (from, to) {
                (Some(_), None) => "Widened: it can be recorded from everywhere.",
                (None, Some(_)) => "Narrowed: what records it from elsewhere has to stop.",
                _ => "It can be recorded from where it could not.",
            },
            D::FormerNameAdded(_) => "The name can never stand for anything else.",
            D::FormerNameRemoved(_) => "Nobody will find out that records under the former name are of this action.",
            D::Shared { now: true } => "Other places may record under this name.",
            D::Shared { now: false } => "No other place may record under this name.",
            D::ReasonAdded(_) | D::CodeAdded(_) => "Records may carry it: alerts may have to know it.",
            D::ReasonRemoved(_) | D::CodeRemoved(_) => "Alerts on it fall silent.",
            D::Reused(_) => "Records of two meanings could not be told apart.",
            D::Collides { .. } => "Records of the two could not be told apart.",
            D::Unused => "It would let a later change pass that nobody has read. An update takes it away.",
        }
    }

    /// What to do, where an update alone does not do, in lines: a sentence, and what is to be pasted into the lock.
    pub fn mend(&self) -> Vec<String> {
        let paste = |table: &str, key: &str| {
            vec![format!("    {}", Head(&self.package, table, key)), "    reason = \"…\"".to_owned()]
        };
        let name = match &self.item {
            LockItem::Action(name) | LockItem::Type(name) | LockItem::Error(name) | LockItem::Accept(name) => name,
        };
        match &self.difference {
            LockDifference::Renamed { from, declared: false } => {
                let mut lines = vec![format!(
                    "Keep the name by `action = \"{from}\"`, or say by `was(\"{from}\")` that it was called so; is it \
                     another action, then write into the lock why there is none of that name:"
                )];
                lines.extend(paste("retired", from));
                lines
            }
            LockDifference::Removed { .. } if matches!(self.item, LockItem::Action(_)) => {
                let mut lines = vec![
                    "Is it in another package, then update the lock of that first. Else write into the lock why:"
                        .to_owned(),
                ];
                lines.extend(paste("retired", name));
                lines
            }
            LockDifference::Reused(_) => vec!["Take another name.".to_owned()],
            LockDifference::Collides { .. } => vec![
                "Give one another name; or declare both `shared`, with the same fields, policy and surface.".to_owned(),
            ],
            _ => self.key().map_or_else(Vec::new, |key| {
                let mut lines = vec!["Undo it, or write into the lock why:".to_owned()];
                lines.extend(paste("accept", &key));
                lines
            }),
        }
    }
}

/// Changes by their packages, and how to accept them.
pub(super) struct Report<'a>(pub(super) &'a [LockChange]);

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut package = None;
        for change in self.0 {
            if package != Some(&change.package) {
                package = Some(&change.package);
                writeln!(f, "\npackage {}:", change.package)?;
            }
            for line in change.to_string().lines() {
                writeln!(f, "  {line}")?;
            }
        }
        let severity = self.0.iter().map(LockChange::severity).max();
        f.write_str(match severity {
            Some(LockSeverity::Forbidden) => {
                "\nWhat is FORBIDDEN has to be mended in the code.\nThen, to accept the rest"
            }
            Some(LockSeverity::Breaking) => "\nTo accept this, write the reasons that are asked for, then",
            _ => "\nTo accept this",
        })?;
        f.write_str(": `AUDIT_LOCK=update cargo test`, and commit the file.")
    }
}

fn in_brackets(field: &super::model::LockedField) -> String {
    let shown = [field.ty.as_deref(), field.mode.as_deref()];
    let shown: Vec<_> = shown.into_iter().flatten().collect();
    if shown.is_empty() { String::new() } else { format!(" ({})", shown.join(", ")) }
}

fn or<'a>(text: Option<&'a String>, none: &'a str) -> &'a str {
    text.map_or(none, String::as_str)
}
