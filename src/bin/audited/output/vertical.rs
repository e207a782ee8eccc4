//! Records one below the other, for terminals that are too narrow for a table.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::Cell;

/// How much of a line is left for a value at least, where its key stands before it.
const LEAST: usize = 12;
/// What stands before a value otherwise.
const INDENT: usize = 2;

/// A part of a line, and the cell whose colours it has; none where it is a key.
pub(super) type Piece<'a> = (String, Option<&'a Cell>);

/// The lines of some records: each key before its value, or above it where both do not fit. A value that is empty is left out,
/// and an empty line stands between two records.
pub(super) fn lines<'a>(header: &[Cell], rows: &'a [Vec<Cell>], width: usize) -> Vec<Vec<Piece<'a>>> {
    let keys = header.iter().map(|key| key.text().width()).max().unwrap_or(0);
    let is_beside = width >= keys + 2 + LEAST;
    let indent = if is_beside { keys + 2 } else { INDENT };
    let mut lines: Vec<Vec<Piece<'a>>> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            lines.push(Vec::new());
        }
        for (key, cell) in header.iter().zip(row).filter(|(_, cell)| !cell.text().is_empty()) {
            let mut before = key.text().to_owned();
            if is_beside {
                before += &" ".repeat(indent - before.width());
            } else {
                lines.push(wrap(&before, width).into_iter().map(|part| (part, None)).collect());
                before = " ".repeat(indent);
            }
            for line in cell.text().lines().flat_map(|line| wrap(line, width.saturating_sub(indent))) {
                let before = std::mem::replace(&mut before, " ".repeat(indent));
                lines.push(vec![(before, None), (line, Some(cell))]);
            }
        }
    }
    lines
}

/// Cuts a line into parts that are no wider, between words where it can. What has no width stays with what is before it.
fn wrap(line: &str, width: usize) -> Vec<String> {
    let (mut parts, mut part, mut column) = (Vec::new(), String::new(), 0);
    for c in line.chars() {
        let wide = c.width().unwrap_or(0);
        if column + wide > width && !part.is_empty() {
            let rest = match part.rfind(' ').filter(|space| !part[..*space].trim().is_empty()) {
                Some(space) if c != ' ' => part.split_off(space + 1),
                _ => String::new(),
            };
            parts.push(std::mem::replace(&mut part, rest));
            column = part.width();
            if c == ' ' {
                continue;
            }
        }
        part.push(c);
        column += wide;
    }
    parts.push(part);
    parts.into_iter().map(|part| part.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(header: &[&str], rows: &[&[&str]], width: usize) -> Vec<String> {
        let cells = |texts: &[&str]| texts.iter().map(Cell::new).collect::<Vec<_>>();
        let rows: Vec<_> = rows.iter().map(|row| cells(row)).collect();
        let lines = lines(&cells(header), &rows, width);
        let lines = lines.into_iter().map(|line| line.into_iter().map(|(text, _)| text).collect::<String>());
        lines.map(|line| line.trim_end().to_owned()).collect()
    }

    #[test]
    fn a_value_stands_beside_its_key_or_below_it() {
        let (header, rows) = (["ID", "ACTION"], [&["1", "door.open"][..], &["2", ""]]);
        assert_eq!(shown(&header, &rows, 20), ["ID      1", "ACTION  door.open", "", "ID      2"]);
        assert_eq!(shown(&header, &rows, 19), ["ID", "  1", "ACTION", "  door.open", "", "ID", "  2"]);
    }

    #[test]
    fn what_is_too_long_goes_on_below_itself_and_words_stay_whole() {
        let rows = [&["one two  three", "abcdefghijklmnopqrstuvwxyz"][..]];
        assert_eq!(
            shown(&["KEY", "LONG"], &rows, 18),
            ["KEY   one two", "      three", "LONG  abcdefghijkl", "      mnopqrstuvwx", "      yz"]
        );
    }

    #[test]
    fn what_is_wide_takes_two_columns_and_what_has_none_stays_where_it_is() {
        let rows = [
            &["日本語日本語日本", "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}"][..],
            &["שלום עולם", "🔒🔒🔒🔒🔒🔒🔒"],
        ];
        let lines = shown(&["A", "B"], &rows, 15);
        assert!(lines.iter().all(|line| line.width() <= 15), "{lines:#?}");
        assert_eq!(lines[..2], ["A  日本語日本語", "   日本"]);
        assert_eq!(lines[2], format!("B  {}", "e\u{301}".repeat(7)));
        assert_eq!(lines[4..], ["A  שלום עולם", "B  🔒🔒🔒🔒🔒🔒", "   🔒"]);
    }
}
