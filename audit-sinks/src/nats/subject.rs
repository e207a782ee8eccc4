//! Which subject a record has: one token for its tenant, one for its action.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// How long a token may become before its digest stands for it.
const MAX_TOKEN: usize = 128;
/// No other token begins with a tilde.
const NO_TENANT: &str = "~none";
const EMPTY: &str = "~empty";
const DIGEST: &str = "~sha256-";

/// `PREFIX.<tenant>.<action>`.
pub(super) fn subject(prefix: &str, tenant: Option<&str>, action: &str) -> String {
    format!("{prefix}.{}.{}", tenant.map_or_else(|| NO_TENANT.to_owned(), token), token(action))
}

/// All actions of a tenant.
pub(super) fn subjects_of(prefix: &str, tenant: Option<&str>) -> String {
    format!("{prefix}.{}.*", tenant.map_or_else(|| NO_TENANT.to_owned(), token))
}

/// Everything that the sink writes.
pub(super) fn all(prefix: &str) -> String {
    format!("{prefix}.*.*")
}

/// Whether a name may stand as one token, or as several with dots between.
pub(super) fn is_plain(name: &str, dots: bool) -> bool {
    let is_token = |token: &str| {
        !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if dots { name.split('.').all(is_token) } else { is_token(name) }
}

/// Text as one token: equal only for equal text, and for the same digest.
///
/// Letters, digits, `-` and `_` stand for themselves, a colon for a dot, `%` and two hex digits for every other byte.
pub(super) fn token(text: &str) -> String {
    if text.is_empty() {
        return EMPTY.to_owned();
    }
    let mut token = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => token.push(char::from(byte)),
            b'.' => token.push(':'),
            _ => {
                let _ = write!(token, "%{byte:02X}");
            }
        }
        if token.len() > MAX_TOKEN {
            return format!("{DIGEST}{}", hex(&Sha256::digest(text)));
        }
    }
    token
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Whether a stream that takes `pattern` takes every subject of `wanted`, which may hold wildcards, too.
pub(super) fn covers(pattern: &str, wanted: &str) -> bool {
    let (mut pattern, mut wanted) = (pattern.split('.'), wanted.split('.'));
    loop {
        match (pattern.next(), wanted.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some("*"), Some(one)) if one != ">" => {}
            (Some(same), Some(one)) if same == one => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_it_takes() {
        for (pattern, taken) in [
            ("audit.*.*", true),
            ("audit.>", true),
            (">", true),
            ("*.*.*", true),
            ("audit.*", false),
            ("audit.*.*.*", false),
            ("audit.acme.*", false),
            ("audit.*.account:open", false),
            ("audits.*.*", false),
            ("audit.*.*.>", false),
        ] {
            assert_eq!(covers(pattern, "audit.*.*"), taken, "{pattern}");
        }
    }
}
