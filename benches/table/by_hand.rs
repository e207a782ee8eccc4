//! The record as one would write it who writes nothing else: JSON by hand, into a ring that all threads share.

use std::cell::Cell;
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use audited_benches::transfer::Order;

/// Where encoded records go, one after another: bytes that nobody takes out again.
pub(super) struct Ring {
    words: Box<[AtomicU64]>,
    next: AtomicUsize,
}

impl Ring {
    /// One of so many bytes, a power of two.
    pub(super) fn of(bytes: usize) -> Self {
        Self { words: (0..bytes / 8).map(|_| AtomicU64::new(0)).collect(), next: AtomicUsize::new(0) }
    }

    /// Copies bytes to where no other thread does.
    pub(super) fn copy(&self, bytes: &[u8]) {
        let (words, mask) = (bytes.len().div_ceil(8), self.words.len() - 1);
        let at = self.next.fetch_add(words, Ordering::Relaxed);
        let (whole, rest) = bytes.as_chunks::<8>();
        for (word, chunk) in (at..).zip(whole) {
            self.words[word & mask].store(u64::from_le_bytes(*chunk), Ordering::Relaxed);
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.words[(at + whole.len()) & mask].store(u64::from_le_bytes(last), Ordering::Release);
    }
}

thread_local! {
    static LINE: Cell<String> = const { Cell::new(String::new()) };
    static RANDOM: Cell<u64> = const { Cell::new(0x9E37_79B9_7F4A_7C15) };
}

/// Encodes the record and copies it into the ring.
pub(super) fn record(ring: &Ring, order: &Order) {
    let mut line = LINE.take();
    line.clear();
    encode(&mut line, order);
    ring.copy(line.as_bytes());
    LINE.set(line);
}

/// What the clock says now, since 1970.
pub(super) fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock past 1970")
}

/// The line itself.
pub(super) fn encode(out: &mut String, order: &Order) {
    let now = now();
    out.push_str(r#"{"schema":1,"id":""#);
    id(out, now);
    out.push_str(r#"","kind":"call","stage":"completed","action":"account.transfer","occurred_at":""#);
    time(out, now);
    out.push_str(r#"","recorded_at":""#);
    time(out, now);
    out.push_str(r#"","decision":"allow","outcome":"success","latency_us":"#);
    number(out, u64::from(now.subsec_nanos() % 7));
    out.push_str(r#","actor":{"kind":"user","id":""#);
    text(out, black_box("u-17"));
    out.push_str(r#""},"resource":{"kind":"account","id":""#);
    text(out, black_box("acc-2020"));
    out.push_str(r#""},"tenant":""#);
    text(out, black_box("acme"));
    out.push_str(r#"","source":{"ip":""#);
    let [a, b, c, d] = black_box([203_u8, 0, 113, 7]);
    let _ = write!(out, "{a}.{b}.{c}.{d}");
    out.push_str(r#"","user_agent":""#);
    text(out, black_box("acme-app/4.2"));
    out.push_str(r#""},"correlation_id":""#);
    text(out, black_box("req-01hv8k"));
    out.push_str(r#"","detail":{"order":{"cents":"#);
    number(out, order.cents);
    out.push_str(if order.urgent { r#","urgent":true,"currency":""# } else { r#","urgent":false,"currency":""# });
    text(out, &order.currency);
    out.push_str(r#"","to":""#);
    text(out, &order.to);
    out.push_str(
        r#"","memo":"<redacted>","device":"<redacted>"}},"redacted":["detail.order.memo","detail.order.device"]}"#,
    );
    out.push('\n');
}

fn text(out: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        return out.push_str(text);
    }
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\0'..' ' => write!(out, "\\u{:04x}", u32::from(letter)).expect("a string takes all"),
            _ => out.push(letter),
        }
    }
}

fn number(out: &mut String, mut number: u64) {
    let (mut digits, mut at) = ([b'0'; 20], 20);
    loop {
        at -= 1;
        digits[at] += u8::try_from(number % 10).expect("a digit");
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.push_str(std::str::from_utf8(&digits[at..]).expect("digits"));
}

/// A UUID of version 7, its random bits from xorshift.
fn id(out: &mut String, now: Duration) {
    let mut random = RANDOM.get();
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    RANDOM.set(random);
    let high = (u64::from(now.subsec_millis()) + now.as_secs() * 1_000) << 16 | 0x7000 | (random >> 52);
    let low = 1 << 63 | (random & (u64::MAX >> 2));
    let mut digits = [b'-'; 36];
    let mut at = 0;
    for nibble in (0..16).map(|n| high >> (60 - 4 * n)).chain((0..16).map(|n| low >> (60 - 4 * n))) {
        if matches!(at, 8 | 13 | 18 | 23) {
            at += 1;
        }
        digits[at] = b"0123456789abcdef"[(nibble & 15) as usize];
        at += 1;
    }
    out.push_str(std::str::from_utf8(&digits).expect("digits"));
}

/// A moment as RFC 3339 writes it, with microseconds.
fn time(out: &mut String, now: Duration) {
    let (days, second) = (now.as_secs() / 86_400, now.as_secs() % 86_400);
    // Howard Hinnant's days_from_civil, the other way round.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let parts = [(year, 4, "-"), (month, 2, "-"), (day, 2, "T"), (second / 3_600, 2, ":"), (second / 60 % 60, 2, ":")];
    for (value, width, after) in parts {
        padded(out, value, width);
        out.push_str(after);
    }
    padded(out, second % 60, 2);
    out.push('.');
    padded(out, u64::from(now.subsec_micros()), 6);
    out.push('Z');
}

fn padded(out: &mut String, mut value: u64, width: usize) {
    let mut digits = [b'0'; 6];
    for digit in digits[..width].iter_mut().rev() {
        *digit += u8::try_from(value % 10).expect("a digit");
        value /= 10;
    }
    out.push_str(std::str::from_utf8(&digits[..width]).expect("digits"));
}
