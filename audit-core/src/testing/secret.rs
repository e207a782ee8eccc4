//! What is planted: values that stand nowhere by chance.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;

use super::declared::Shown;

/// What the letters of a secret are drawn from: no vowel, so that they make no word, and no hex digit, so that they
/// stand in no id and no hash. Six of them in a row are there by chance in base64 alone, once in a gigabyte.
const LETTERS: &[u8; 16] = b"GHJKLMNPQRSTVWXZ";
const DIGITS: &[u8; 10] = b"0123456789";
const HEX: &[u8; 16] = b"0123456789abcdef";

/// How many characters in a row count as a part of a secret.
pub(super) const PART: usize = 6;

/// The fewest characters that are drawn for a secret in the shape of a sample.
const LEAST_DRAWN: usize = 8;

/// The lengths of numbers, the longest first: as many digits as an `i64`, an `f64`, an `i32` and an `f32` hold.
pub(super) const NUMBER_DIGITS: [usize; 4] = [19, 15, 10, 7];

/// A planted value.
pub(super) struct Secret {
    /// Where it was planted.
    pub(super) path: String,
    /// Its text; of a number the digits.
    pub(super) text: String,
    /// What a record may show of it, where the test has said so.
    pub(super) shown: Option<Shown>,
}

/// Secrets to build a value from by hand, each under the name by which the report calls it.
///
/// ```
/// # use audit_core as audited;
/// use audited::testing::Canary;
///
/// struct Login { user: String, password: String, pin: u32 }
///
/// let canary = Canary::with(|secrets| Login {
///     user: "ann".into(),
///     password: secrets.text("password"),
///     pin: secrets.number("pin"),
/// });
/// # drop(canary);
/// ```
#[derive(Default)]
pub struct Secrets {
    pub(super) all: Vec<Secret>,
    /// The parts of what was planted, so that no part stands for two secrets.
    taken: HashSet<Vec<u8>>,
    draw: Draw,
}

impl Secrets {
    /// A text of about 40 characters, some of which JSON and URLs escape.
    pub fn text(&mut self, name: &str) -> String {
        let text = self.draw_text();
        self.keep(name, text)
    }

    /// A text of 40 upper-case letters, for what takes no others.
    pub fn letters(&mut self, name: &str) -> String {
        let text = self.draw_letters(40);
        self.keep(name, text)
    }

    /// A text in the shape of a sample: letters, digits and hex digits become others, the rest stays.
    ///
    /// # Panics
    ///
    /// When the sample has fewer than eight letters and digits: so few stand somewhere by chance.
    #[track_caller]
    pub fn like(&mut self, name: &str, sample: &str) -> String {
        let text = self.draw_like(sample);
        let text =
            text.unwrap_or_else(|| panic!("the sample of `{name}` has fewer than {LEAST_DRAWN} letters and digits"));
        self.keep(name, text)
    }

    /// A number as long as its type takes: 19, 15, 10 or 7 digits.
    ///
    /// # Panics
    ///
    /// When the type takes none of seven digits: shorter ones stand somewhere by chance.
    #[track_caller]
    pub fn number<N: FromStr + fmt::Display>(&mut self, name: &str) -> N {
        for digits in NUMBER_DIGITS {
            let text = self.draw_number(digits);
            // A float may take more digits than it keeps.
            if let Some(number) = text.parse::<N>().ok().filter(|number| number.to_string() == text) {
                self.keep(name, text);
                return number;
            }
        }
        panic!("the type of `{name}` takes no number of seven digits, and a shorter one stands somewhere by chance")
    }

    /// Bytes, 40 of them.
    pub fn bytes(&mut self, name: &str) -> Vec<u8> {
        self.letters(name).into_bytes()
    }

    /// Notes what was planted.
    pub(super) fn keep(&mut self, path: &str, text: String) -> String {
        self.taken.extend(parts(&text));
        self.all.push(Secret { path: path.to_owned(), text: text.clone(), shown: None });
        text
    }

    pub(super) fn draw_text(&mut self) -> String {
        self.fresh(|draw| {
            let mut text = draw.letters(14);
            // Letters stand between what is escaped, so that no part consists of what other escaped text consists of.
            for special in ['"', '\\', '/', ' ', '%', 'ü'] {
                text.extend([draw.letter(), special]);
            }
            text + &draw.letters(14)
        })
    }

    pub(super) fn draw_letters(&mut self, length: usize) -> String {
        self.fresh(|draw| draw.letters(length))
    }

    /// Neither first nor last is a zero: neither would be sure to be written.
    pub(super) fn draw_number(&mut self, digits: usize) -> String {
        self.fresh(|draw| {
            let mut text = String::from('1');
            text.extend((2..digits).map(|_| draw.one_of(DIGITS)));
            text.push(draw.one_of(&DIGITS[1..]));
            text
        })
    }

    pub(super) fn draw_like(&mut self, sample: &str) -> Option<String> {
        let drawn = sample.bytes().filter(u8::is_ascii_alphanumeric).count();
        let is_hex = sample.bytes().all(|byte| !byte.is_ascii_alphanumeric() || byte.is_ascii_hexdigit());
        let is_hex = is_hex && sample.bytes().any(|byte| byte.is_ascii_alphabetic());
        (drawn >= LEAST_DRAWN).then(|| {
            self.fresh(|draw| {
                sample
                    .chars()
                    .map(|c| match c {
                        'a'..='z' | '0'..='9' if is_hex => draw.one_of(HEX),
                        'A'..='Z' if is_hex => draw.one_of(HEX).to_ascii_uppercase(),
                        'a'..='z' => draw.letter().to_ascii_lowercase(),
                        'A'..='Z' => draw.letter(),
                        '0'..='9' => draw.one_of(&DIGITS[1..]),
                        other => other,
                    })
                    .collect()
            })
        })
    }

    /// Draws until no part of the text is one of another secret. What keeps most of a sample may never be.
    fn fresh(&mut self, mut make: impl FnMut(&mut Draw) -> String) -> String {
        let mut text = make(&mut self.draw);
        for _ in 0..100 {
            if !parts(&text).any(|part| self.taken.contains(&part)) {
                break;
            }
            text = make(&mut self.draw);
        }
        text
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all.iter().map(|secret| &secret.path)).finish()
    }
}

fn parts(text: &str) -> impl Iterator<Item = Vec<u8>> {
    text.as_bytes().windows(PART).map(<[u8]>::to_ascii_lowercase)
}

/// Where secrets are drawn from: the standard library's hash keys are random, and differ from one to the next.
#[derive(Default)]
struct Draw {
    random: RandomState,
    drawn: u64,
}

impl Draw {
    fn one_of(&mut self, set: &[u8]) -> char {
        self.drawn += 1;
        let [byte, ..] = self.random.hash_one(self.drawn).to_ne_bytes();
        set[usize::from(byte) % set.len()].into()
    }

    fn letter(&mut self) -> char {
        self.one_of(LETTERS)
    }

    fn letters(&mut self, count: usize) -> String {
        (0..count).map(|_| self.letter()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_secrets_share_a_part() {
        let mut secrets = Secrets::default();
        for at in 0..200 {
            secrets.text("text");
            secrets.letters("letters");
            secrets.number::<u64>("number");
            if at < 20 {
                secrets.like("like", "ann.miller@example.org");
            }
        }
        let parts: Vec<_> = secrets.all.iter().flat_map(|secret| parts(&secret.text).collect::<HashSet<_>>()).collect();
        assert_eq!(parts.iter().collect::<HashSet<_>>().len(), parts.len());
    }

    #[test]
    fn a_number_is_as_long_as_its_type_takes() {
        let mut secrets = Secrets::default();
        assert_eq!(secrets.number::<u64>("n").to_string().len(), 19);
        assert_eq!(secrets.number::<i64>("n").to_string().len(), 19);
        assert_eq!(secrets.number::<i32>("n").to_string().len(), 10);
        assert_eq!(secrets.number::<std::num::NonZeroU32>("n").to_string().len(), 10);
        assert_eq!(secrets.number::<f64>("n").to_string().len(), 15);
        assert_eq!(secrets.number::<f32>("n").to_string().len(), 7);
    }

    #[test]
    #[should_panic(expected = "`pin` takes no number of seven digits")]
    fn a_type_too_small_for_a_number_is_said_to_be() {
        let _: u16 = Secrets::default().number("pin");
    }

    #[test]
    fn a_sample_keeps_its_shape() {
        let mut secrets = Secrets::default();
        let mail = secrets.like("mail", "Ann.Miller7@example.org");
        assert!(mail.bytes().filter(u8::is_ascii_uppercase).count() == 2 && mail.contains('@'), "{mail}");
        let id = secrets.like("id", "01890a5d-ac96-774b-bcce-b302099a8057");
        assert!(uuid::Uuid::parse_str(&id).is_ok(), "{id}");
        assert_eq!(secrets.draw_like("12-34"), None);
    }
}
