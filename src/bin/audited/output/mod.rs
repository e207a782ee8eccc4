//! What is printed: results on the standard output, for people or as JSON, and remarks on the standard error.

mod escape;
mod json;
mod line;
mod record;
mod table;
mod vertical;

use std::fmt;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write as _};

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;

pub(crate) use self::escape::{escape, escape_controls, escape_json, escape_path};
use self::json::pretty;
pub(crate) use self::record::{Column, day, describe, moment};
pub(crate) use self::table::{Cell, Table};

/// How results are shown. These stand before or behind the command.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Prints JSON, one value a line, for programs.
    ///
    /// Records are printed as they are stored, byte for byte; on a terminal, what it could act on is escaped.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Shows colours.
    ///
    /// `auto` shows them on a terminal, unless `NO_COLOR` is set.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// Shows times in UTC, and reads dates without a zone as UTC, instead of in the local time zone.
    #[arg(long, global = true)]
    pub(crate) utc: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// Where results go, and how they are shown.
pub(crate) struct Output {
    out: BufWriter<Stdout>,
    is_terminal: bool,
    json: bool,
    colours: bool,
    zone: TimeZone,
}

/// What a colour is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Dim,
    Heading,
    Good,
    Bad,
    Doubtful,
}

impl Output {
    pub(crate) fn new(args: &OutputArgs) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colours = match args.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && !unwanted,
        };
        let zone = if args.utc { TimeZone::UTC } else { TimeZone::system() };
        Self { out: BufWriter::new(io::stdout()), is_terminal, json: args.json, colours, zone }
    }

    /// Whether it is for programs.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// In which zone times are shown, and dates are read.
    pub(crate) const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Whether results go to a terminal.
    pub(crate) const fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// How many columns there are; none where it is no terminal. It is asked anew each time: windows change.
    pub(crate) fn width(&self) -> Option<usize> {
        let (width, _) = self.is_terminal.then(|| terminal_size::terminal_size_of(io::stdout()))??;
        Some(usize::from(width.0).max(20))
    }

    /// Prints a line of the program's own: what comes from records is [escaped](escape) before.
    pub(crate) fn line(&mut self, line: impl fmt::Display) -> io::Result<()> {
        writeln!(self.out, "{line}")
    }

    /// Prints a line of JSON.
    pub(crate) fn json(&mut self, json: &str) -> io::Result<()> {
        if self.is_terminal { writeln!(self.out, "{}", escape_json(json)) } else { writeln!(self.out, "{json}") }
    }

    /// Prints a text of several lines, such as a file would hold.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        for line in text.lines() {
            if self.is_terminal {
                writeln!(self.out, "{}", escape_controls(line))
            } else {
                writeln!(self.out, "{line}")
            }?;
        }
        Ok(())
    }

    /// Prints a table, as wide as the terminal.
    pub(crate) fn table(&mut self, table: &Table) -> io::Result<()> {
        let text = table.render(self.width(), self.colours);
        self.out.write_all(text.as_bytes())
    }

    /// Prints a line of cells, each as wide as is said and more where it must, cut where the terminal ends.
    pub(crate) fn cells(&mut self, cells: &[(usize, Cell)]) -> io::Result<()> {
        for (at, text) in line::pieces(cells, self.width()) {
            let text = self.paint(cells[at].1.style(), text);
            self.out.write_all(text.as_bytes())?;
        }
        writeln!(self.out)
    }

    /// Puts a text of the program's own, or one that was [escaped](escape), into a colour.
    pub(crate) fn paint(&self, style: Style, text: impl fmt::Display) -> String {
        painted(style, text, self.colours)
    }

    /// Hands what was printed to whoever reads it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Style {
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Dim => Some("2"),
            Self::Heading => Some("1"),
            Self::Good => Some("32"),
            Self::Bad => Some("31"),
            Self::Doubtful => Some("33"),
        }
    }
}

fn painted(style: Style, text: impl fmt::Display, colours: bool) -> String {
    match style.code() {
        Some(code) if colours => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        _ => text.to_string(),
    }
}

/// A remark on the standard error: it is no result. Nobody has to read it.
pub(crate) fn note(remark: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "audited: {remark}");
}
