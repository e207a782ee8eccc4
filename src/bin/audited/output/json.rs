//! JSON for people.

use super::escape_json;

/// Spreads JSON over lines where it is long: every number and every text stays as it is written, but for what a terminal
/// would act on.
pub(super) fn pretty(json: &str) -> String {
    /// What is shorter stays on one line.
    const LINE: usize = 60;
    let json = escape_json(json);
    if json.len() <= LINE {
        return json.into_owned();
    }
    let (mut shown, mut depth, mut in_text, mut escaped) =
        (String::with_capacity(json.len() * 2), 0_usize, false, false);
    let mut rest = json.chars().filter(|c| !c.is_control()).peekable();
    while let Some(c) = rest.next() {
        if in_text {
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
            shown.push(c);
            continue;
        }
        match c {
            '{' | '[' if matches!(rest.peek(), Some('}' | ']')) => shown.push(c),
            '}' | ']' if shown.ends_with(['{', '[']) => shown.push(c),
            '{' | '[' => {
                depth += 1;
                shown.push(c);
                indent(&mut shown, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                indent(&mut shown, depth);
                shown.push(c);
            }
            ',' => {
                shown.push(c);
                indent(&mut shown, depth);
            }
            ':' => shown.push_str(": "),
            ' ' => {}
            c => {
                in_text = c == '"';
                shown.push(c);
            }
        }
    }
    shown
}

fn indent(shown: &mut String, depth: usize) {
    /// Deeper is not shown deeper.
    const MOST: usize = 20;
    shown.push('\n');
    (0..depth.min(MOST)).for_each(|_| shown.push_str("  "));
}
