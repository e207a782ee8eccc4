//! Finding secrets, in every form, in one pass over what was put out.

use std::collections::HashMap;
use std::ops::Range;

use super::form::{Form, Needle, needles};
use super::secret::{PART, Secret};

/// From how many bytes on a part counts wherever it stands. Fewer may be there by chance.
const LONG: usize = 12;

/// From how many characters on a run of hex digits and dashes is an id or a hash.
const ID: usize = 16;

/// What is searched for, indexed by the first bytes of every part.
pub(super) struct Scanner {
    secrets: Vec<Secret>,
    needles: Vec<Needle>,
    /// Of those whose case does not tell.
    folded: Index,
    exact: Index,
}

/// Which units of which needles begin with these bytes.
struct Index {
    parts: HashMap<[u8; PART], Vec<(usize, usize)>>,
    /// Whether any begins with these two: most places are passed over by that alone.
    begun: Vec<bool>,
}

impl Index {
    fn new() -> Self {
        Self { parts: HashMap::new(), begun: vec![false; 1 << 16] }
    }

    fn add(&mut self, start: [u8; PART], part: (usize, usize)) {
        self.begun[pair(&start)] = true;
        self.parts.entry(start).or_default().push(part);
    }

    fn may_begin(&self, rest: &[u8]) -> bool {
        self.begun[pair(rest)]
    }

    fn get(&self, rest: &[u8]) -> &[(usize, usize)] {
        rest.first_chunk().and_then(|start| self.parts.get(start)).map_or(&[], Vec::as_slice)
    }
}

/// The first two bytes, as one number.
fn pair(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

/// Where a secret, or a part of it, was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    /// Which secret.
    pub(super) secret: usize,
    pub(super) form: Form,
    /// Which characters of it.
    pub(super) characters: Range<usize>,
    /// Where in what was scanned.
    pub(super) at: Range<usize>,
}

impl Scanner {
    pub(super) fn new(secrets: Vec<Secret>) -> Self {
        let needles: Vec<_> = secrets.iter().enumerate().flat_map(|(at, secret)| needles(at, secret)).collect();
        let (mut folded, mut exact) = (Index::new(), Index::new());
        for (at, needle) in needles.iter().enumerate() {
            let index = if needle.is_exact() { &mut exact } else { &mut folded };
            for unit in 0..(needle.units.len() + 1).saturating_sub(needle.least) {
                if let Some(start) = needle.text[needle.units[unit].start..].first_chunk() {
                    index.add(*start, (at, unit));
                }
            }
        }
        Self { secrets, needles, folded, exact }
    }

    pub(super) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// Everything that is not declared to be shown, in the order of the output. No two overlap.
    pub(super) fn hits(&self, output: &[u8]) -> Vec<Hit> {
        let lower = output.to_ascii_lowercase();
        let mut hits = Vec::new();
        let mut at = 0;
        while at + PART <= output.len() {
            if !self.folded.may_begin(&lower[at..]) && !self.exact.may_begin(&output[at..]) {
                at += 1;
                continue;
            }
            let found = [(&self.folded, &lower[at..]), (&self.exact, &output[at..])];
            let found = found.into_iter().flat_map(|(index, rest)| self.starting(index, rest, at));
            // The longest; of those as long the plainest, which comes first.
            match found.rev().max_by_key(|hit| hit.at.len()) {
                Some(hit) if !self.is_shown(&hit) && !self.is_chance(&hit, output) => {
                    at = hit.at.end;
                    hits.push(hit);
                }
                _ => at += 1,
            }
        }
        hits
    }

    /// What begins where `rest` does, which is at `start` of the output.
    fn starting(&self, index: &Index, rest: &[u8], start: usize) -> Vec<Hit> {
        let hit = |&(at, unit): &(usize, usize)| {
            let needle = &self.needles[at];
            let (units, bytes) = needle.matched(unit, rest);
            let last = (units >= needle.least).then(|| needle.units[unit + units - 1])?;
            let characters = needle.units[unit].first..last.last + 1;
            Some(Hit { secret: needle.secret, form: needle.form, characters, at: start..start + bytes })
        };
        index.get(rest).iter().filter_map(hit).collect()
    }

    fn is_shown(&self, hit: &Hit) -> bool {
        let secret = &self.secrets[hit.secret];
        secret.shown.unwrap_or_default().allows(&hit.characters, secret.text.chars().count())
    }

    /// Whether so little is there by chance: digits in a time, in an id, in a hash; letters in base64.
    fn is_chance(&self, hit: &Hit, output: &[u8]) -> bool {
        let secret = &self.secrets[hit.secret].text;
        let part = &output[hit.at.clone()];
        if part.len() >= LONG || hit.characters.len() == secret.chars().count() {
            return false;
        }
        if part.iter().all(|byte| is_id(*byte)) {
            return is_time(run(output, &hit.at, is_time_byte)) || run(output, &hit.at, is_id).len() >= ID;
        }
        // Whoever changes the case changes that of all.
        let one_case = part.iter().all(u8::is_ascii_lowercase) || part.iter().all(u8::is_ascii_uppercase);
        part.iter().all(u8::is_ascii_alphabetic)
            && hit.form != Form::Base64
            && !one_case
            && !secret.as_bytes().windows(part.len()).any(|same| same == part)
    }
}

/// What stands around a place, as far as `belongs` says.
fn run<'a>(output: &'a [u8], at: &Range<usize>, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
    let before = output[..at.start].iter().rev().take_while(|byte| belongs(**byte)).count();
    let after = output[at.end..].iter().take_while(|byte| belongs(**byte)).count();
    &output[at.start - before..at.end + after]
}

const fn is_id(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || byte == b'-'
}

const fn is_time_byte(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b'T' | b'Z' | b'+')
}

/// Whether this begins like `2026-11-21T09:30`.
fn is_time(text: &[u8]) -> bool {
    let pattern = b"0000-00-00T00:00";
    let fits = |(byte, like): (&u8, &u8)| if *like == b'0' { byte.is_ascii_digit() } else { byte == like };
    text.len() >= pattern.len() && text.iter().zip(pattern).all(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::declared::Shown;
    use super::super::secret::Secrets;
    use super::*;

    fn scanner(text: &str, shown: Shown) -> Scanner {
        Scanner::new(vec![Secret { path: "memo".into(), text: text.into(), shown: Some(shown) }])
    }

    fn encoded(form: Form, text: &str) -> Vec<u8> {
        match form {
            Form::Raw => text.into(),
            Form::JsonEscaped => {
                let json = serde_json::to_string(text).unwrap();
                json[1..json.len() - 1].into()
            }
            Form::UrlEscaped => text.bytes().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect(),
            Form::Hex => text.bytes().flat_map(|byte| format!("{byte:02X}").into_bytes()).collect(),
            Form::ByteList => format!("{:?}", text.as_bytes()).into_bytes(),
            Form::Base64 => base64(text.as_bytes()),
        }
    }

    /// As in RFC 4648, by three bytes at a time.
    fn base64(bytes: &[u8]) -> Vec<u8> {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let digits = |chunk: &[u8]| {
            let whole = (0..3).fold(0_u32, |whole, at| whole << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
            let digit = |at: usize| {
                if at > chunk.len() { b'=' } else { DIGITS[(whole >> (18 - 6 * at) & 63) as usize] }
            };
            [digit(0), digit(1), digit(2), digit(3)]
        };
        bytes.chunks(3).flat_map(digits).collect()
    }

    const FORMS: [Form; 6] = [Form::Raw, Form::JsonEscaped, Form::UrlEscaped, Form::Hex, Form::ByteList, Form::Base64];

    fn secrets() -> Vec<String> {
        let mut secrets = Secrets::default();
        let number: u64 = secrets.number("number");
        vec![
            secrets.text("text"),
            secrets.letters("letters"),
            secrets.like("like", "ann.miller@example.org"),
            number.to_string(),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_form_it_has_and_wherever_it_stands_a_secret_is_found(
            which in 0..4_usize,
            form in prop::sample::select(FORMS.to_vec()),
            before in "[ -~ü]{0,50}",
            after in "[ -~ü]{0,50}",
        ) {
            let secret = &secrets()[which];
            let scanner = scanner(secret, Shown::default());
            let output = [before.as_bytes(), &*encoded(form, secret), after.as_bytes()].concat();
            let hits = scanner.hits(&output);
            let told: usize = hits.iter().map(|hit| hit.characters.len()).max().unwrap_or(0);
            prop_assert!(told + 2 >= secret.chars().count(), "{hits:?} in {}", String::from_utf8_lossy(&output));
            prop_assert!(hits[0].at.start + 3 >= before.len());
        }

        #[test]
        fn in_base64_a_secret_is_found_whatever_is_encoded_with_it(
            which in 0..4_usize,
            before in prop::collection::vec(any::<u8>(), 0..50),
            after in prop::collection::vec(any::<u8>(), 0..50),
            url_safe: bool,
        ) {
            let secret = &secrets()[which];
            let mut output = base64(&[&*before, secret.as_bytes(), &*after].concat());
            if url_safe {
                for byte in &mut output {
                    *byte = match *byte { b'+' => b'-', b'/' => b'_', other => other };
                }
            }
            let hits = scanner(secret, Shown::default()).hits(&output);
            prop_assert!(hits.iter().any(|hit| hit.form == Form::Base64), "{hits:?}");
            // Six characters that by chance stand right before it are told by themselves, and the secret from their end on.
            let (start, end) = (before.len() * 4 / 3, (before.len() + secret.len()) * 4 / 3);
            let told: usize = hits.iter().map(|hit| hit.at.end.min(end).saturating_sub(hit.at.start.max(start))).sum();
            prop_assert!(told + 5 >= end - start, "{hits:?} in {}", String::from_utf8_lossy(&output));
        }

        #[test]
        fn a_part_of_six_characters_is_found_in_every_form(
            which in 0..3_usize,
            form in prop::sample::select(FORMS.to_vec()),
            start in 0..16_usize,
            around in "[a-f]{0,20}",
        ) {
            let secret = &secrets()[which];
            let part: String = secret.chars().skip(start).take(PART).collect();
            // In base64 a neighbour that begins with the same bits may stand for one more.
            let fewer: String = part.chars().skip(if form == Form::Base64 { 2 } else { 1 }).collect();
            let scanner = scanner(secret, Shown::default());
            let within = |part: &str| {
                let inner = if form == Form::Base64 { base64(format!("{around}{part}{around}").as_bytes()) } else { encoded(form, part) };
                [around.as_bytes(), &*inner, around.as_bytes()].concat()
            };
            prop_assert!(!scanner.hits(&within(&part)).is_empty(), "{part} of {secret}");
            prop_assert!(scanner.hits(&within(&fewer)).is_empty(), "{fewer} of {secret}");
        }

        /// Fewer hex digits than an id has are not asked for: six decimal ones among them are there by chance once in ten
        /// million times, and nothing tells that from a leak.
        #[test]
        fn noise_is_clean(
            noise in prop::collection::vec(any::<u8>(), 0..2000),
            text in "\\PC{0,400}",
            hex in "[0-9a-f]{16,400}",
        ) {
            for secret in secrets() {
                let scanner = scanner(&secret, Shown::default());
                prop_assert_eq!(scanner.hits(&noise), []);
                prop_assert_eq!(scanner.hits(text.as_bytes()), []);
                prop_assert_eq!(scanner.hits(hex.as_bytes()), []);
            }
        }
    }

    /// Base64 has every letter and digit, so that six of a secret in a row are there by chance: of one of these four
    /// once in 500 MB, as 30 MB tell with a thousand of each kind. To call that chance would be to miss a leak of six
    /// letters, so that the scanner tells it, and what is claimed is how rare it is: three in a megabyte are there once in
    /// a billion runs.
    #[test]
    fn in_noise_of_base64_next_to_nothing_is_found_and_nothing_long() {
        let noise: Vec<u8> = std::iter::repeat_with(rand::random::<[u8; 32]>).take(24_000).flatten().collect();
        let output = base64(&noise);
        let hits: Vec<_> =
            secrets().iter().flat_map(|secret| scanner(secret, Shown::default()).hits(&output)).collect();
        assert!(hits.len() < 3 && hits.iter().all(|hit| hit.characters.len() < LONG), "{hits:?}");
    }

    #[test]
    fn what_is_declared_to_be_shown_is_and_one_character_more_is_not() {
        let secret = Secrets::default().letters("memo");
        let scanner = scanner(&secret, Shown { first: 8, last: 7 });
        assert_eq!(scanner.hits(format!("{}***{}", &secret[..8], &secret[33..]).as_bytes()), []);
        let hits = scanner.hits(format!("{}***", &secret[..9]).as_bytes());
        assert!(hits.len() == 1 && hits[0].characters == (0..9), "{hits:?}");
        let hits = scanner.hits(format!("***{}", &secret[32..]).as_bytes());
        assert!(hits.len() == 1 && hits[0].characters == (32..40), "{hits:?}");
        assert_eq!(scanner.hits(&encoded(Form::Hex, &secret[..8])), []);
        assert_eq!(scanner.hits(&encoded(Form::Base64, &secret[..8])), []);
    }

    #[test]
    fn few_digits_are_chance_in_times_and_ids_alone() {
        let scanner = scanner("1234567890123456789", Shown::default());
        for chance in [
            "2026-11-21T09:30:00.234567Z",
            "01890a5d-ac96-774b-bcce-b34567899a80",
            "hash:k:00ff2345678900ff00ff00ff00ff0000",
        ] {
            assert_eq!(scanner.hits(chance.as_bytes()), [], "{chance}");
        }
        for leak in
            ["id=234567", "\"234567\"", "1234567890123456789", "00ff123456789012ff00ff00ff00", "112210f47de98115"]
        {
            assert_eq!(scanner.hits(leak.as_bytes()).len(), 1, "{leak}");
        }
    }

    #[test]
    fn two_secrets_are_told_apart_and_every_place_is_found() {
        let mut secrets = Secrets::default();
        let (one, other) = (secrets.text("one"), secrets.text("other"));
        let output = format!("{one}{other}-{}-{one}", other.to_lowercase());
        let hits = Scanner::new(secrets.all).hits(output.as_bytes());
        assert_eq!(hits.iter().map(|hit| hit.secret).collect::<Vec<_>>(), [0, 1, 1, 0]);
        assert!(hits.iter().all(|hit| hit.form == Form::Raw && hit.characters == (0..one.chars().count())), "{hits:?}");
    }

    #[test]
    fn large_outputs_are_scanned_in_one_pass() {
        let mut secrets = Secrets::default();
        let all: Vec<_> = (0..100).map(|_| secrets.text("text")).collect();
        let scanner = Scanner::new(secrets.all);
        // Half of it are the beginnings of secrets, too short to count.
        let noise = all.iter().cycle().take(100_000).map(|secret| &secret[..5]).collect::<Vec<_>>().join(", {} ");
        let started = std::time::Instant::now();
        assert_eq!(scanner.hits(noise.as_bytes()), []);
        assert!(started.elapsed().as_secs() < 20, "{:?} for {} bytes", started.elapsed(), noise.len());
    }
}
