//! Of a journal: the chain.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use audited::{Anchored, Intact, Journal, JournalError, JournalHead, Verification, VerifyOptions};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::{Expected, VerifyArgs};
use crate::failure::{Exit, Failure};
use crate::output::{Output, Style, escape, note};

pub(super) fn verify(
    path: &Path,
    expected: Option<Expected>,
    args: &VerifyArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut journals = vec![path.to_owned()];
    journals.extend(Journal::streams(path).map_err(|error| unreadable(&error))?);
    let (mut exit, mut compared) = (Exit::Clean, false);
    for journal in &journals {
        let anchor = match expected {
            Some(expected) if !compared => anchor(journal, expected)?,
            _ => None,
        };
        compared |= anchor.is_some();
        let found = check(journal, anchor)?;
        if !found.is_sound() {
            exit = Exit::Findings;
        }
        if args.head {
            print_head(journal, &found, output)?;
        } else if output.is_json() {
            output.json(&as_json(journal, &found, args.most).to_string())?;
        } else {
            Shown { journal, found: &found, most: args.most }.print(output)?;
        }
    }
    if expected.is_some() && !compared {
        exit = Exit::Findings;
        note("the head that was kept is of none of these streams: another journal stands here, or none");
    }
    Ok(exit)
}

fn unreadable(error: &JournalError) -> Failure {
    Failure::because("the journal cannot be read", error)
}

/// The head to compare a journal with; none where it is another stream's.
fn anchor(journal: &Path, expected: Expected) -> Result<Option<JournalHead>, Failure> {
    let mut stream = None;
    for record in Journal::read(journal).map_err(|error| unreadable(&error))? {
        match record {
            Ok(record) => stream = record.stream().and_then(|stream| stream.parse::<uuid::Uuid>().ok()),
            Err(JournalError::Damaged { .. }) => continue,
            // It would be the next one, too.
            Err(error) => return Err(unreadable(&error)),
        }
        break;
    }
    let stream = match (stream, expected.stream) {
        // All of it is gone: then it is shorter than what was kept.
        (None, wanted) => wanted.unwrap_or_default(),
        (Some(found), Some(wanted)) if found != wanted => return Ok(None),
        (Some(found), _) => found,
    };
    Ok(Some(JournalHead::new(stream, expected.seq, expected.hash)))
}

fn check(journal: &Path, anchor: Option<JournalHead>) -> Result<Verification, Failure> {
    let mut options = VerifyOptions::new();
    if let Some(anchor) = anchor {
        options = options.anchor(anchor);
    }
    let bar = std::io::stderr().is_terminal().then(bar);
    if let Some(bar) = bar.clone() {
        options = options.on_progress(move |progress| {
            bar.set_length(progress.of);
            bar.set_position(progress.bytes.max(bar.position()));
        });
    }
    let found = Journal::verify_with(journal, &options).map_err(|error| unreadable(&error));
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    found
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("verifying {bar:40} {bytes} of {total_bytes}, {eta} left");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A head as it is kept.
fn shown(head: &JournalHead) -> String {
    format!("{}:{}:{}", head.stream, head.seq, head.hash)
}

fn print_head(journal: &Path, found: &Verification, output: &mut Output) -> Result<(), Failure> {
    if !found.is_sound() {
        note(format_args!("{} is damaged: `audited verify` says how", escape(&journal.display().to_string())));
    }
    match &found.head {
        Some(head) => Ok(output.line(shown(head))?),
        None => Err(Failure::Missing(format!("{} has no line yet", escape(&journal.display().to_string())))),
    }
}

/// What was found in one journal.
struct Shown<'a> {
    journal: &'a Path,
    found: &'a Verification,
    most: usize,
}

impl Shown<'_> {
    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        let Self { journal, found, most } = *self;
        let Verification { head, first_seq, lines, files, .. } = found;
        let journal = escape(&journal.display().to_string()).into_owned();
        let Some(head) = head else {
            output.line(format_args!("journal:{journal}: no line yet"))?;
            return self.anchored(output);
        };
        let counts = format!("{}, {}", count(*lines, "line"), count(*files, "file"));
        output.line(format_args!("journal:{journal}: {counts}, seq {first_seq} to {}", head.seq))?;
        if found.damages == 0 {
            let text = output.paint(Style::Good, "intact");
            output.line(format_args!("{text}: each line is as it was written, and follows the one before"))?;
        }
        for error in found.damage.iter().take(most) {
            let (place, what) = place_and_damage(error);
            let text = output.paint(Style::Bad, "damaged");
            output.line(format_args!("{text}: {}: {}", escape(&place), escape(&what)))?;
        }
        let untold = found.damages.saturating_sub(found.damage.len().min(most) as u64);
        if untold > 0 {
            output.line(format_args!("… and {untold} more"))?;
        }
        if found.damages > 0 {
            self.proved(output)?;
        }
        self.anchored(output)?;
        output.line(format_args!("head: {}", shown(head)))?;
        if found.anchored.is_none() {
            let text = "That its end was cut off, or all of it written anew, only a head shows that was kept elsewhere: --expect.";
            output.line(output.paint(Style::Dim, text))?;
        }
        Ok(())
    }

    /// What holds in spite of the damage.
    fn proved(&self, output: &mut Output) -> Result<(), Failure> {
        let intact = &self.found.intact;
        if intact.is_empty() {
            return Ok(output.line("proved: nothing")?);
        }
        output.line("proved all the same:")?;
        for (at, stretch) in intact.iter().enumerate().take(self.most) {
            output.line(format_args!("  {}", proof(stretch, at + 1 == intact.len())))?;
        }
        if intact.len() > self.most {
            output.line(format_args!("  … and {} more", intact.len() - self.most))?;
        }
        Ok(())
    }

    fn anchored(&self, output: &mut Output) -> Result<(), Failure> {
        let Some(anchored) = self.found.anchored else { return Ok(()) };
        let (style, says) = match anchored {
            Anchored::Yes => (Style::Good, "it leads to the head that was kept: up to there it is what it was"),
            Anchored::Shorter => (Style::Bad, "it ends before the head that was kept: its end was cut off"),
            Anchored::Different => {
                (Style::Bad, "it has another line in the place of the head that was kept: it was written anew")
            }
            Anchored::OtherStream => (Style::Bad, "it is another stream than the head that was kept is of"),
            Anchored::Removed => {
                (Style::Bad, "the file that had the head that was kept was removed: it cannot be compared")
            }
            _ => (Style::Bad, "whether it leads to the head that was kept is not known to this program"),
        };
        let text = output.paint(style, if style == Style::Good { "expected" } else { "not as expected" });
        Ok(output.line(format_args!("{text}: {says}"))?)
    }
}

/// What a stretch proves. Its last line is vouched for by none behind it.
fn proof(stretch: &Intact, is_last: bool) -> String {
    let Intact { first_seq, last_seq, hash, .. } = stretch;
    let sure = match last_seq.checked_sub(1).filter(|sure| sure >= first_seq) {
        Some(sure) if sure == *first_seq => format!("seq {first_seq}"),
        Some(sure) => format!("seq {first_seq} to {sure}"),
        None => return format!("seq {last_seq} stands alone: no line vouches for it"),
    };
    let from = if *first_seq == 1 { ", from the beginning of the stream" } else { "" };
    if is_last {
        return format!("{sure}{from}, and seq {last_seq} if {hash} is the head that was kept");
    }
    format!("{sure}{from}; no line vouches for seq {last_seq}")
}

/// The place of a damage, and what is wrong there.
fn place_and_damage(error: &JournalError) -> (String, String) {
    match error {
        JournalError::Damaged { path, line, damage, .. } => {
            (format!("{}, line {line}", name(path)), damage.to_string())
        }
        other => (String::new(), other.to_string()),
    }
}

fn name(path: &Path) -> String {
    path.file_name().map(PathBuf::from).unwrap_or_default().display().to_string()
}

fn count(number: u64, of: &str) -> String {
    if number == 1 { format!("1 {of}") } else { format!("{number} {of}s") }
}

fn as_json(journal: &Path, found: &Verification, most: usize) -> Value {
    let damage = found.damage.iter().take(most).map(|error| match error {
        JournalError::Damaged { path, line, damage, .. } => {
            json!({ "file": name(path), "line": line, "what": damage.to_string() })
        }
        other => json!({ "what": other.to_string() }),
    });
    let intact = found.intact.iter().take(most).map(|stretch| {
        json!({ "first_seq": stretch.first_seq, "last_seq": stretch.last_seq, "hash": stretch.hash.to_string() })
    });
    json!({
        "journal": journal.display().to_string(),
        "sound": found.is_sound(),
        "files": found.files,
        "lines": found.lines,
        "first_seq": found.first_seq,
        "head": found.head.as_ref().map(shown),
        "damages": found.damages,
        "damage": damage.collect::<Vec<_>>(),
        "intact": intact.collect::<Vec<_>>(),
        "expected": found.anchored.map(word),
    })
}

const fn word(anchored: Anchored) -> &'static str {
    match anchored {
        Anchored::Yes => "yes",
        Anchored::Shorter => "shorter",
        Anchored::Different => "different",
        Anchored::OtherStream => "other_stream",
        Anchored::Removed => "removed",
        _ => "unknown",
    }
}
