//! Lines of aligned cells, for what comes one by one.

use unicode_width::UnicodeWidthChar as _;

use super::Cell;

/// What cells are on a line: each padded to its width, and all of it cut to the width of the terminal.
pub(super) fn pieces(cells: &[(usize, Cell)], most: Option<usize>) -> Vec<(usize, String)> {
    const CUT: char = '…';
    let (mut pieces, mut column, mut wanted) = (Vec::new(), 0, 0);
    for (at, (width, cell)) in cells.iter().enumerate() {
        let mut text = " ".repeat(wanted - column.min(wanted));
        if at > 0 && column >= wanted {
            text.push(' ');
        }
        wanted = wanted.max(column + text.len()) + width + 1;
        for c in cell.text().chars().map(|c| if c == '\n' { ' ' } else { c }) {
            text.push(c);
        }
        let end = most.map_or(usize::MAX, |most| most.saturating_sub(column));
        let (text, is_cut) = cut(text, end, CUT);
        column += width_of(&text);
        pieces.push((at, text));
        if is_cut {
            break;
        }
    }
    while let Some((_, last)) = pieces.last_mut() {
        last.truncate(last.trim_end().len());
        if !last.is_empty() {
            break;
        }
        pieces.pop();
    }
    pieces
}

fn cut(text: String, most: usize, mark: char) -> (String, bool) {
    if width_of(&text) <= most {
        return (text, false);
    }
    let (mut kept, mut width) = (String::new(), 0);
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if width + wide + 1 > most {
            break;
        }
        width += wide;
        kept.push(c);
    }
    if most > 0 {
        kept.push(mark);
    }
    (kept, true)
}

fn width_of(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}
