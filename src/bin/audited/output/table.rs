//! Tables for people.

use comfy_table::{Attribute, Cell as Shown, Color, ContentArrangement, presets};
use unicode_width::UnicodeWidthStr;

use super::{Style, escape, painted, pretty, vertical};

/// How wide the columns of a table are at least, one with the other. Where they would not be, and all of it does not fit,
/// records are shown one below the other.
const LEAST_SHARE: usize = 8;
/// How far columns are apart.
const GAP: usize = 2;

/// A table without lines, which fits itself into the terminal.
pub(crate) struct Table {
    header: Vec<Cell>,
    rows: Vec<Vec<Cell>>,
}

/// What stands in a place of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Table {
    pub(crate) fn new<T: Into<Cell>>(header: impl IntoIterator<Item = T>) -> Self {
        Self { header: header.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    pub(crate) fn row<T: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// As text, with its last line break. Without a width nothing is wrapped.
    pub(super) fn render(&self, width: Option<usize>, colours: bool) -> String {
        match width {
            Some(width) if self.is_too_wide(width) => self.vertical(width, colours),
            _ => self.aligned(width, colours),
        }
    }

    /// Whether its columns would be too narrow to be read.
    fn is_too_wide(&self, width: usize) -> bool {
        let columns = self.header.len();
        let gaps = GAP * columns.saturating_sub(1);
        let of = |at: usize| {
            let cells = self.rows.iter().filter_map(move |row| row.get(at)).chain(self.header.get(at));
            cells.flat_map(|cell| cell.text().lines()).map(UnicodeWidthStr::width).max().unwrap_or(0)
        };
        (0..columns).map(of).sum::<usize>() + gaps > width && width.saturating_sub(gaps) < LEAST_SHARE * columns
    }

    fn vertical(&self, width: usize, colours: bool) -> String {
        let mut text = String::new();
        for line in vertical::lines(&self.header, &self.rows, width) {
            for (part, cell) in line {
                text += &painted(cell.map_or(Style::Heading, Cell::style), &part, colours);
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
        text
    }

    fn aligned(&self, width: Option<usize>, colours: bool) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        let header = self.header.iter().map(|cell| shown(cell).add_attribute(Attribute::Bold));
        table.set_header(header.collect::<Vec<_>>());
        for row in &self.rows {
            table.add_row(row.iter().map(shown).collect::<Vec<_>>());
        }
        match width {
            Some(width) => {
                table.set_content_arrangement(ContentArrangement::Dynamic);
                table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
            }
            None => drop(table.set_content_arrangement(ContentArrangement::Disabled)),
        }
        if colours {
            table.enforce_styling()
        } else {
            table.force_no_tty()
        };
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }
}

impl Cell {
    /// A text of records, which may hold anything.
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Self { text: escape(text.as_ref()).into_owned(), style: Style::Plain }
    }

    /// JSON of a record, over as many lines as it takes to be read.
    pub(crate) fn json(json: &str) -> Self {
        Self { text: pretty(json), style: Style::Plain }
    }

    pub(crate) const fn styled(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) const fn style(&self) -> Style {
        self.style
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

fn shown(cell: &Cell) -> Shown {
    let shown = Shown::new(&cell.text);
    match cell.style {
        Style::Plain => shown,
        Style::Dim => shown.add_attribute(Attribute::Dim),
        Style::Heading => shown.add_attribute(Attribute::Bold),
        Style::Good => shown.fg(Color::DarkGreen),
        Style::Bad => shown.fg(Color::DarkRed),
        Style::Doubtful => shown.fg(Color::DarkYellow),
    }
}
