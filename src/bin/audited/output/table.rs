//! Tables for people.

use comfy_table::{Attribute, Cell as Shown, Color, ContentArrangement, presets};

use super::{Style, escape, pretty};

/// A table without lines, which fits itself into the terminal.
pub(crate) struct Table(comfy_table::Table);

/// What stands in a place of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Table {
    pub(crate) fn new<T: Into<Cell>>(header: impl IntoIterator<Item = T>) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        let header = header.into_iter().map(|cell| shown(cell.into()).add_attribute(Attribute::Bold));
        table.set_header(header.collect::<Vec<_>>());
        Self(table)
    }

    pub(crate) fn row<T: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.0.add_row(cells.into_iter().map(|cell| shown(cell.into())).collect::<Vec<_>>());
    }

    /// As text, with its last line break. Without a width nothing is wrapped.
    pub(super) fn render(&self, width: Option<usize>, colours: bool) -> String {
        let mut table = self.0.clone();
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

fn shown(cell: Cell) -> Shown {
    let shown = Shown::new(cell.text);
    match cell.style {
        Style::Plain => shown,
        Style::Dim => shown.add_attribute(Attribute::Dim),
        Style::Heading => shown.add_attribute(Attribute::Bold),
        Style::Good => shown.fg(Color::DarkGreen),
        Style::Bad => shown.fg(Color::DarkRed),
        Style::Doubtful => shown.fg(Color::DarkYellow),
    }
}
