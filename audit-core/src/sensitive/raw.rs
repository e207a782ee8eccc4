//! JSON that a value holds as text: read, and written anew, so that it is one value on one line, within the bounds, and
//! redacted by its keys. Its numbers keep their digits.

use serde::de::IgnoredAny;

use super::Mode;
use super::encoder::Encoder;
use super::names;
use super::plain::PlainError;

/// Writes what the text of a `RawValue` holds.
pub(super) fn write_text(encoder: &mut Encoder<'_>, json: &str) -> Result<(), PlainError> {
    // Where the reader has lost its way nothing below would find it again.
    serde_json::from_str::<IgnoredAny>(json).map_err(|_| PlainError)?;
    write(encoder, &mut Tokens { json, at: 0 })
}

/// Valid JSON, token by token.
struct Tokens<'j> {
    json: &'j str,
    at: usize,
}

impl<'j> Tokens<'j> {
    fn peek(&mut self) -> u8 {
        let rest = &self.json.as_bytes()[self.at..];
        self.at += rest.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(rest.len());
        self.json.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// Goes past a mark, where it comes next.
    fn pass(&mut self, mark: u8) -> bool {
        let there = self.peek() == mark;
        self.at += usize::from(there);
        there
    }

    /// The text of the string that comes next. Half a surrogate pair is a string by the grammar, but no text.
    fn text(&mut self) -> Result<String, PlainError> {
        self.peek();
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.json.as_bytes().get(self.at) {
            self.at += if *byte == b'\\' { 2 } else { 1 };
            if *byte == b'"' {
                break;
            }
        }
        self.json.get(start..self.at).and_then(|json| serde_json::from_str(json).ok()).ok_or(PlainError)
    }

    /// The number or name that comes next.
    fn word(&mut self) -> &'j str {
        self.peek();
        let rest = &self.json[self.at..];
        let end = rest.find(|c: char| c.is_ascii_whitespace() || ",:]}".contains(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }
}

fn write(encoder: &mut Encoder<'_>, tokens: &mut Tokens<'_>) -> Result<(), PlainError> {
    match tokens.peek() {
        b'{' => object(encoder, tokens),
        b'[' => array(encoder, tokens),
        b'"' => {
            let text = tokens.text()?;
            if encoder.claim() {
                encoder.push_text(&text);
            }
            Ok(())
        }
        b'n' => {
            tokens.word();
            encoder.null();
            Ok(())
        }
        b't' | b'f' => {
            encoder.bool(tokens.word() == "true");
            Ok(())
        }
        _ => {
            let word = tokens.word();
            if encoder.claim() {
                encoder.push_scalar(word);
            }
            Ok(())
        }
    }
}

fn object(encoder: &mut Encoder<'_>, tokens: &mut Tokens<'_>) -> Result<(), PlainError> {
    let frame = encoder.open_frame('{', '}');
    tokens.pass(b'{');
    while !tokens.pass(b'}') {
        let key = tokens.text()?;
        tokens.pass(b':');
        if frame.is_some() {
            let policy = encoder.redaction.of_key(&key);
            let mode = names::of_key(&key).into_iter().chain(policy).reduce(Mode::tightened_by);
            encoder.push_free_key(&key);
            entry(encoder, tokens, mode.filter(|_| !encoder.is_bare()))?;
        } else {
            skip(tokens)?;
        }
        tokens.pass(b',');
    }
    if let Some(frame) = &frame {
        encoder.close_frame(frame);
    }
    Ok(())
}

fn array(encoder: &mut Encoder<'_>, tokens: &mut Tokens<'_>) -> Result<(), PlainError> {
    let frame = encoder.open_frame('[', ']');
    tokens.pass(b'[');
    while !tokens.pass(b']') {
        if frame.is_some() {
            encoder.next_entry();
            entry(encoder, tokens, None)?;
        } else {
            skip(tokens)?;
        }
        tokens.pass(b',');
    }
    if let Some(frame) = &frame {
        encoder.close_frame(frame);
    }
    Ok(())
}

fn entry(encoder: &mut Encoder<'_>, tokens: &mut Tokens<'_>, mode: Option<Mode>) -> Result<(), PlainError> {
    let depth = encoder.begin_value();
    match mode {
        None => write(encoder, tokens)?,
        Some(mode) => {
            let start = tokens.at;
            skip(tokens)?;
            let mut written = Ok(());
            let json = tokens.json;
            encoder.by(mode, None, &mut |encoder| written = write(encoder, &mut Tokens { json, at: start }));
            written?;
        }
    }
    encoder.end_value(depth);
    Ok(())
}

fn skip(tokens: &mut Tokens<'_>) -> Result<(), PlainError> {
    let mut open = 0_usize;
    loop {
        match tokens.peek() {
            b'{' | b'[' => {
                open += 1;
                tokens.at += 1;
            }
            b'}' | b']' => {
                open -= 1;
                tokens.at += 1;
            }
            b',' | b':' => tokens.at += 1,
            b'"' => drop(tokens.text()?),
            _ => drop(tokens.word()),
        }
        if open == 0 {
            return Ok(());
        }
    }
}
