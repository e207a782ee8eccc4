//! `#[sensitive]` on parameters, and the words around captured values.

use std::pin::Pin;

use async_trait::async_trait;
use audited::{Encoder, KeyRing, MemorySink, Record, Recorder, Redactor, Sensitive, audited};

use super::{Error, Recorded};

const SECRET: &str = "kX9-Zq7-canary";

fn detail(record: &Record) -> String {
    assert!(!record.json().contains(SECRET), "{}", record.json());
    record.detail().expect("a detail").to_owned()
}

#[audited(action = "user.sign_in", unlocked, fields(password, again = password, code, pin = &pin, given = drop(code)))]
fn sign_in(
    #[sensitive] password: String,
    #[sensitive(mask(last = 2))] code: &str,
    #[sensitive(len)] mut pin: String,
) -> usize {
    pin.push('1');
    password.len() + code.len() + pin.len()
}

#[audited(action = "user.sign_in", unlocked, fields(password, again = password, code, pin = &pin, given = drop(code)))]
async fn sign_in_async(
    #[sensitive] password: String,
    #[sensitive(mask(last = 2))] code: &str,
    #[sensitive(len)] mut pin: String,
) -> usize {
    pin.push('1');
    password.len() + code.len() + pin.len()
}

#[audited(action = "user.sign_in", unlocked, fields(password, again = password, code, pin = &pin, given = drop(code)))]
fn sign_in_boxed<'a>(
    #[sensitive] password: String,
    #[sensitive(mask(last = 2))] code: &'a str,
    #[sensitive(len)] mut pin: String,
) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
    Box::pin(async move {
        pin.push('1');
        password.len() + code.len() + pin.len()
    })
}

#[test]
fn a_marked_parameter_is_captured_as_marked_in_every_kind_of_function() {
    let expected =
        r#"{"password":"<redacted>","again":"<redacted>","code":"***56","pin":"<4 characters>","given":"<redacted>"}"#;
    let arguments = || (SECRET.to_owned(), "123456", "0000".to_owned());
    let (password, code, pin) = arguments();
    let recorded = Recorded::new();
    assert_eq!(recorded.call(|| sign_in(password, code, pin)), 25);
    assert_eq!(detail(&recorded.only()), expected);
    let (password, code, pin) = arguments();
    let recorded = Recorded::new();
    assert_eq!(recorded.run(sign_in_async(password, code, pin)), 25);
    assert_eq!(detail(&recorded.only()), expected);
    let (password, code, pin) = arguments();
    let recorded = Recorded::new();
    assert_eq!(recorded.run(async { sign_in_boxed(password, code, pin).await }), 25);
    assert_eq!(detail(&recorded.only()), expected);
}

#[audited(action = "user.move", actor = who, subject = whom, tenant = org, resource("street", street))]
async fn identities(
    #[sensitive(hash)] who: &str,
    #[sensitive(hash(scope = "user"))] whom: String,
    #[sensitive(plain)] org: &str,
    #[sensitive(truncate(3))] street: &str,
) {
    let _ = (who, whom, org, street);
}

#[test]
fn a_marked_parameter_can_be_an_identity() {
    let keys = KeyRing::new("k", [7; 32]).unwrap();
    let memory = MemorySink::new();
    let recorder =
        Recorder::builder().sink(memory.clone()).keys(keys.clone()).allow_weak_fail_closed().build().unwrap();
    let recorded = Recorded { recorder, memory };
    recorded.run(identities("ann", "bob".into(), "acme", "main street"));
    let record = recorded.only();
    assert_eq!(record.tenant().as_deref(), Some("acme"));
    assert_eq!(record.actor().and_then(|actor| actor.id), Some(keys.hash(Some("acme"), None, "ann")));
    let subjects: Vec<_> = record.subjects().into_iter().map(|subject| subject.id).collect();
    assert_eq!(subjects, [keys.hash(Some("acme"), Some("user"), "bob")]);
    assert_eq!(record.resource().unwrap().id, "mai…");
}

/// Of a text its first letter.
struct Initial<const N: usize>;

impl<const N: usize> Redactor<str> for Initial<N> {
    fn redact(value: &str, encoder: &mut Encoder<'_>) {
        encoder.remainder(&value[..N]);
    }
}

fn len(text: &str) -> usize {
    text.len() + 1000
}

#[audited(action = "text.show", fields(
    masked = mask(text, first = 1, last = 1),
    cut = truncate(text.trim(), 2),
    hashed = hash(text, scope = "text"),
    len(text),
    own = self::len(text),
    there = present(maybe),
    custom = with(*text, Initial<1>),
    classified = plain(order),
    temporary = plain(text.to_uppercase()),
))]
fn show(text: &str, maybe: Option<f64>, order: &Order) {
    let _ = (text, maybe, order);
}

#[derive(Sensitive)]
struct Order {
    #[sensitive]
    memo: String,
    id: u64,
}

#[test]
fn a_word_around_a_captured_value_is_its_mode() {
    let recorded = Recorded::new();
    recorded.call(|| show("abcdefghi", None, &Order { memo: SECRET.into(), id: 7 }));
    let record = recorded.only();
    assert_eq!(
        detail(&record),
        concat!(
            r#"{"masked":"a***i","cut":"ab…","hashed":"<redacted>","text":"<9 characters>","own":1009,"#,
            r#""there":"<absent>","custom":"a","classified":{"memo":"<redacted>","id":7},"temporary":"ABCDEFGHI"}"#
        )
    );
    assert_eq!(record.redacted(), ["masked", "cut", "hashed", "text", "there", "custom", "classified.memo"]);
}

#[audited(action = "text.find", ok_fields(|found| at = found, after = text), fields(text, again = &text))]
fn find(#[sensitive(with = Initial<2>)] text: &str) -> Result<u64, Error> {
    if text.is_empty() { Err(Error::Broken) } else { Ok(1) }
}

#[audited(action = "text.shadow", ok_fields(|text| text = *text))]
fn shadowed(#[sensitive] text: &str) -> Option<u64> {
    Some(text.len() as u64)
}

#[test]
fn what_the_result_binds_is_not_the_parameter() {
    let recorded = Recorded::new();
    assert_eq!(recorded.call(|| find(SECRET)), Ok(1));
    assert_eq!(detail(&recorded.only()), r#"{"text":"kX","again":"kX","at":1,"after":"kX"}"#);
    let recorded = Recorded::new();
    assert_eq!(recorded.call(|| shadowed(SECRET)), Some(14));
    assert_eq!(detail(&recorded.only()), r#"{"text":14}"#);
}

trait Service {
    fn run(&self, password: String, id: u64) -> usize;
    fn run_later(&self, password: String) -> impl Future<Output = usize> + Send;
}

#[async_trait]
trait Boxed {
    async fn run_boxed(&self, password: &str) -> usize;
}

struct Server(usize);

impl Service for Server {
    #[audited(action = "service.run", unlocked, fields(password, id))]
    fn run(&self, #[sensitive(present)] password: String, id: u64) -> usize {
        self.0 + password.len()
    }

    #[audited(action = "service.run", unlocked, fields(password))]
    async fn run_later(&self, #[sensitive(present)] password: String) -> usize {
        self.0 + password.len()
    }
}

#[async_trait]
impl Boxed for Server {
    #[audited(action = "service.run", unlocked, fields(password))]
    async fn run_boxed(&self, #[sensitive(present)] password: &str) -> usize {
        self.0 + password.len()
    }
}

#[test]
fn methods_take_marks_too() {
    let recorded = Recorded::new();
    recorded.call(|| Server(1).run(SECRET.into(), 2));
    assert_eq!(detail(&recorded.only()), r#"{"password":"<present>","id":2}"#);
    let recorded = Recorded::new();
    recorded.run(async { Server(1).run_later(SECRET.into()).await });
    assert_eq!(detail(&recorded.only()), r#"{"password":"<present>"}"#);
    let recorded = Recorded::new();
    recorded.run(async { Server(1).run_boxed(SECRET).await });
    assert_eq!(detail(&recorded.only()), r#"{"password":"<present>"}"#);
}
