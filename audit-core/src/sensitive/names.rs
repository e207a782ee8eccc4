//! What the registry says of names that turn up where no type says anything: in maps with free keys, and in values that
//! were declared plain and hold a type that is not.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::{Mode, sensitive_types};

/// Words that name a secret wherever they turn up.
const SECRET_WORDS: [&str; 8] = ["password", "passwd", "token", "secret", "authorization", "cookie", "ssn", "card"];

/// What is done to the fields of one name.
pub(super) type Fields = HashMap<&'static str, Mode>;

struct Names {
    /// By the name that a type has for serde, and a field's key.
    types: HashMap<&'static str, Fields>,
    /// The keys that are shown, by the name that the type has for serde.
    shown: HashMap<&'static str, HashSet<&'static str>>,
    /// By key and by name in Rust, in lower case and without what separates words.
    keys: HashMap<String, Mode>,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let mut names = Names { types: HashMap::new(), shown: HashMap::new(), keys: HashMap::new() };
    for ty in sensitive_types() {
        for field in ty.fields() {
            let Some(mode) = field.mode.filter(|mode| *mode != Mode::Plain) else {
                names.shown.entry(ty.serialized).or_default().insert(field.key);
                continue;
            };
            // What a redactor shows of its own type it cannot show of another.
            let mode = if mode.shows_all() { Mode::Drop } else { mode };
            let of_type = names.types.entry(ty.serialized).or_default();
            of_type.entry(field.key).and_modify(|known| *known = known.tightened_by(mode)).or_insert(mode);
            for name in [field.key, field.name].into_iter().filter(|name| !is_position(name)) {
                let of_key = names.keys.entry(folded(name)).or_insert(mode);
                *of_key = of_key.tightened_by(mode);
            }
        }
    }
    names
});

/// What is done to a free key, where any registered field of that name is not shown, or the name tells of a secret.
pub(super) fn of_key(key: &str) -> Option<Mode> {
    if tells_of_a_secret(key) {
        return Some(Mode::Drop);
    }
    NAMES.keys.get(&folded(key)).copied()
}

/// The fields that are not shown of a type, by the name that it has for serde.
pub(super) fn of_type(serialized: &str) -> Option<&'static Fields> {
    NAMES.types.get(serialized)
}

/// What is done to the content of a variant beside its tag: it has the key that the enum says, and holds a value
/// without a name, of which nobody here knows what is to be shown.
pub(super) fn of_content(serialized: &str, key: &str) -> Option<Mode> {
    let fields = of_type(serialized)?;
    let known = || NAMES.shown.get(serialized).is_some_and(|keys| keys.contains(key));
    (fields.keys().any(|key| is_position(key)) && !fields.contains_key(key) && !known()).then_some(Mode::Drop)
}

fn is_position(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit())
}

/// `cardNumber`, `card_number` and `Card-Number` are one name. Names without a letter are as many as there are.
pub(super) fn folded(name: &str) -> String {
    let folded: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if folded.is_empty() { name.to_owned() } else { folded }
}

/// Whether one of the words of a name, in whatever case it is written, is that of a secret.
fn tells_of_a_secret(name: &str) -> bool {
    // `APIToken` ends an acronym where `SSNs` goes on with one.
    has_secret_word(name, true) || has_secret_word(name, false)
}

fn has_secret_word(name: &str, acronyms: bool) -> bool {
    let bytes = name.as_bytes();
    let mut start = 0;
    for at in 0..=bytes.len() {
        let separator = bytes.get(at).is_none_or(|byte| !byte.is_ascii_alphabetic() && byte.is_ascii());
        let upper = bytes.get(at).is_some_and(u8::is_ascii_uppercase);
        let hump = at > start && upper && bytes[at - 1].is_ascii_lowercase();
        let last = acronyms && at > start && upper && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        if separator || hump || last {
            if is_secret(&bytes[start..at]) {
                return true;
            }
            start = if separator { at + 1 } else { at };
        }
    }
    false
}

fn is_secret(word: &[u8]) -> bool {
    let singular = word.strip_suffix(b"s").unwrap_or(word);
    SECRET_WORDS.iter().any(|secret| [word, singular].iter().any(|word| word.eq_ignore_ascii_case(secret.as_bytes())))
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
            "cardNumber",
            "tokens",
            "APIToken",
            "CSRFTokens",
            "SSNs",
            "userSSN",
            "USERPassword",
            "password2",
            "oauth2token",
        ] {
            assert!(tells_of_a_secret(name), "{name}");
        }
        for name in ["discard", "tokenizer", "cardinal", "passwordless", "id", "", "_", "größe"] {
            assert!(!tells_of_a_secret(name), "{name}");
        }
    }

    #[test]
    fn one_name_in_every_case() {
        for name in ["cardNumber", "card_number", "Card-Number", "CARD NUMBER"] {
            assert_eq!(folded(name), "cardnumber");
        }
        assert_ne!(folded("#"), folded("$"));
    }
}
