//! What a terminal must not act on.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

/// A text on one line, in which nothing moves the cursor, changes colours, turns the direction of writing around or is
/// invisible: such characters are shown as `\u{1b}`, and a backslash as two.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| c == '\\' || is_treacherous(c)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if is_treacherous(c) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// A path, [escaped](escape).
pub(crate) fn escape_path(path: &Path) -> String {
    escape(&path.to_string_lossy()).into_owned()
}

/// As [`escape`], for texts of files: a backslash is left as it is.
pub(crate) fn escape_controls(text: &str) -> Cow<'_, str> {
    if !text.contains(is_treacherous) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_treacherous(c) {
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// JSON that says the same, and in which a terminal has nothing to act on. Outside of its strings JSON has no such
/// characters but white space, which is what a line of it may hold.
pub(crate) fn escape_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_treacherous) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if !is_treacherous(c) {
            shown.push(c);
        } else if matches!(c, '\t' | '\n' | '\r') {
            shown.push(' ');
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        }
    }
    Cow::Owned(shown)
}

/// Controls, what turns the direction of writing around, what has no width, and what stands for language tags.
const fn is_treacherous(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}
