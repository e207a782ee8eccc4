//! The lists of proxies, read from the right.
//!
//! What is on the right was written last, by a proxy; what is on the left may be anything. Read from the left, a quote
//! that a client opened would swallow what its proxy says. A quoted string can be read from the right as well: a `"`
//! inside of it is behind a `\`, and the one that opens it is behind a `=`.

use std::borrow::Cow;
use std::iter;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str;

/// The addresses of one line of `X-Forwarded-For`; `None` for what is none.
pub(super) fn x_forwarded_for_from_right(line: &[u8]) -> impl Iterator<Item = Option<IpAddr>> {
    line.rsplit(|byte| *byte == b',').map(|element| node(str::from_utf8(element).ok()?.trim_matches(BLANK)))
}

/// The addresses of one line of `Forwarded`; `None` for an element that has none, or is malformed.
pub(super) fn forwarded_from_right(line: &[u8]) -> impl Iterator<Item = Option<IpAddr>> {
    let mut rest = Some(line);
    iter::from_fn(move || {
        let (left, element) = split_last(rest?);
        rest = left;
        Some(element.and_then(|element| node(&for_of(element)?)))
    })
}

const BLANK: [char; 2] = [' ', '\t'];

/// Parts a line at its last comma outside of quotes. There is no element where a quote was never opened.
fn split_last(line: &[u8]) -> (Option<&[u8]>, Option<&[u8]>) {
    let mut quoted = false;
    for (at, byte) in line.iter().enumerate().rev() {
        match byte {
            b'"' if !quoted => quoted = true,
            b'"' => quoted = at.checked_sub(1).is_some_and(|before| line[before] == b'\\'),
            b',' if !quoted => return (Some(&line[..at]), Some(&line[at + 1..])),
            _ => {}
        }
    }
    (None, (!quoted).then_some(line))
}

/// The value of `for` in an element: `for=192.0.2.43;proto=http`. All of the element has to be well-formed.
fn for_of(element: &[u8]) -> Option<Cow<'_, str>> {
    let mut found = None;
    let mut rest = str::from_utf8(element).ok()?.trim_matches(BLANK);
    loop {
        let (name, value) = rest.split_once('=')?;
        if name.is_empty() || !name.bytes().all(is_token) {
            return None;
        }
        let (value, behind) = if let Some(quoted) = value.strip_prefix('"') {
            unquote(quoted)?
        } else {
            let end = value.bytes().position(|byte| !is_token(byte)).unwrap_or(value.len());
            (Cow::Borrowed(value.get(..end).filter(|token| !token.is_empty())?), &value[end..])
        };
        if name.eq_ignore_ascii_case("for") && found.replace(value).is_some() {
            return None;
        }
        let behind = behind.trim_start_matches(BLANK);
        if behind.is_empty() {
            return found;
        }
        rest = behind.strip_prefix(';')?.trim_start_matches(BLANK);
    }
}

/// What is quoted, and what is behind it.
fn unquote(quoted: &str) -> Option<(Cow<'_, str>, &str)> {
    let end = quoted.find(['"', '\\'])?;
    if quoted[end..].starts_with('"') {
        return Some((Cow::Borrowed(&quoted[..end]), &quoted[end + 1..]));
    }
    let mut text = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((Cow::Owned(text), &quoted[at + 1..])),
            '\\' => text.push(chars.next()?.1),
            plain => text.push(plain),
        }
    }
    None
}

/// `192.0.2.43`, `[2001:db8::17]`, either of them with a port, or `2001:db8::17`.
fn node(text: &str) -> Option<IpAddr> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        let port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return address.parse::<Ipv6Addr>().ok().filter(|_| port).map(IpAddr::V6);
    }
    if let Some((address, port)) = text.split_once(':')
        && let Ok(address) = address.parse::<Ipv4Addr>()
    {
        return is_port(port).then_some(IpAddr::V4(address));
    }
    text.parse().ok()
}

/// Digits, or a name that hides them.
fn is_port(port: &str) -> bool {
    match port.strip_prefix('_') {
        Some(hidden) => {
            !hidden.is_empty() && hidden.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        }
        None => (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// What a token is made of (RFC 9110).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
