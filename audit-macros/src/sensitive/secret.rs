//! Names that tell of a secret.

/// Words that name what must not be in a record.
const WORDS: [&str; 8] = ["password", "passwd", "token", "secret", "authorization", "cookie", "ssn", "card"];

/// The word in a name that tells of a secret, in whatever case the name is written.
pub(crate) fn word_in(name: &str) -> Option<String> {
    // `APIToken` ends an acronym where `SSNs` goes on with one.
    words(name, true).chain(words(name, false)).find(|word| is_secret(word))
}

/// Why a value with such a name needs a reason to be shown.
pub(crate) fn shown_without_reason(name: &str, word: &str) -> String {
    format!(
        "`{name}` is named like a secret (`{word}`), and `plain` would show it: say why that is right, \
         `#[sensitive(plain, reason = \"…\")]`, or mark it `#[sensitive]` or `#[sensitive(hash)]`"
    )
}

/// The words of a name in whatever case it is written.
fn words(name: &str, acronyms: bool) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut lower_before = false;
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let separator = !c.is_alphabetic();
        let last = acronyms && chars.peek().is_some_and(|next| next.is_lowercase());
        if separator || (c.is_uppercase() && (lower_before || last)) {
            words.push(String::new());
        }
        if let (false, Some(word)) = (separator, words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        lower_before = c.is_lowercase();
    }
    words.into_iter()
}

fn is_secret(word: &str) -> bool {
    let singular = word.strip_suffix('s').unwrap_or(word);
    WORDS.iter().any(|secret| word == *secret || singular == *secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_in_every_case_and_not_inside_of_words() {
        for name in [
            "password",
            "user_password",
            "authToken",
            "API_TOKEN",
            "Cookie",
            "session-cookie",
            "card_number",
            "tokens",
            "APIToken",
            "CSRFTokens",
            "SSNs",
            "userSSN",
            "USERPassword",
            "password2",
            "oauth2token",
        ] {
            assert!(word_in(name).is_some(), "{name}");
        }
        for name in ["discard", "tokenizer", "cardinal", "passwordless", "id", ""] {
            assert!(word_in(name).is_none(), "{name}");
        }
    }
}
