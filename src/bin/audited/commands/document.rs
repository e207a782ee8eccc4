//! A file that says what a program records: the JSON of a catalogue, or a lock.

use std::io::Read as _;
use std::path::Path;

use audited::{Catalogue, Lock, LockChange, LockSeverity};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::file;
use crate::output::{Output, Style, escape};

pub(super) enum Document {
    Catalogue(Catalogue),
    Lock(Lock),
}

impl Document {
    /// Reads a file; `-` is the standard input.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let name = escape(&path.display().to_string()).into_owned();
        let text = text(path)?;
        if !text.trim_start().starts_with('{') {
            let lock = text.parse::<Lock>();
            return lock.map(Self::Lock).map_err(|error| {
                Failure::usage(format!(
                    "{name} is neither the JSON of a catalogue nor a lock: {}",
                    escape(&error.to_string())
                ))
            });
        }
        let catalogue = Catalogue::from_json(&text);
        catalogue.map(Self::Catalogue).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Failure::usage(format!(
                "{name} is no catalogue, line {line}, column {column}: it is what `Catalogue::to_json` gives, printed by your program"
            ))
        })
    }

    pub(super) fn into_catalogue(self) -> Catalogue {
        match self {
            Self::Catalogue(catalogue) => catalogue,
            Self::Lock(lock) => lock.to_catalogue(),
        }
    }

    /// What a newer one says otherwise.
    pub(super) fn changes_to(&self, newer: &Self) -> Vec<LockChange> {
        match (self, newer) {
            (Self::Catalogue(old), Self::Catalogue(new)) => old.changes_to(new),
            (Self::Catalogue(old), Self::Lock(new)) => Lock::of(old, &packages(old)).changes_to(new),
            (Self::Lock(old), Self::Lock(new)) => old.changes_to(new),
            (Self::Lock(old), Self::Catalogue(new)) => {
                let mut packages = packages(new);
                packages.extend(old.packages.keys().cloned());
                packages.sort();
                packages.dedup();
                old.compare(new, &packages)
            }
        }
    }
}

/// The packages of which a catalogue has something.
pub(super) fn packages(catalogue: &Catalogue) -> Vec<String> {
    let actions = catalogue.actions.iter().map(|action| &action.place.package);
    let types = catalogue.types.iter().map(|ty| &ty.package);
    let errors = catalogue.errors.iter().map(|error| &error.package);
    let mut packages: Vec<_> = actions.chain(types).chain(errors).cloned().collect();
    packages.sort();
    packages.dedup();
    packages
}

/// The text of a file, or of the standard input.
pub(super) fn text(path: &Path) -> Result<String, Failure> {
    if path != Path::new("-") {
        return file::text(path);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| Failure::file("read", path, &error))?;
    Ok(text)
}

/// Prints changes by their packages, the gravest in colour, or a line of JSON each.
pub(super) fn print(changes: &[LockChange], output: &mut Output) -> Result<(), Failure> {
    let mut package = None;
    for change in changes {
        if output.is_json() {
            output.json(&as_json(change).to_string())?;
            continue;
        }
        if package != Some(&change.package) {
            package = Some(&change.package);
            output.line(output.paint(Style::Heading, format_args!("package {}", escape(&change.package))))?;
        }
        let severity = change.severity();
        let style = match severity {
            LockSeverity::Breaking | LockSeverity::Forbidden => Style::Bad,
            LockSeverity::Notable => Style::Doubtful,
            _ => Style::Plain,
        };
        let word = output.paint(style, format_args!("{:<9}", severity.as_str()));
        output.line(format_args!("  {word} {}", escape(&change.headline())))?;
        output.line(format_args!("            {}", change.meaning()))?;
        for line in change.mend() {
            output.line(format_args!("            {}", escape(&line)))?;
        }
    }
    Ok(())
}

pub(super) fn as_json(change: &LockChange) -> Value {
    json!({
        "package": change.package,
        "severity": change.severity().as_str().to_ascii_lowercase(),
        "what": change.headline(),
        "meaning": change.meaning(),
        "accept": change.key(),
    })
}

/// Whether one of the changes takes a reason, or cannot be at all.
pub(super) fn breaks(changes: &[LockChange]) -> bool {
    changes.iter().any(|change| change.severity() >= LockSeverity::Breaking)
}
