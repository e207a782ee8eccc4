//! Negative controls: one for each form and each place, and the harness finds it.

use std::cell::Cell;
use std::error::Error;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use audited::testing::{Canary, CanaryReport, Form, Place, canary};
use audited::{Action, AuditSink, Durability, Encoder, Mode, Record, Sensitive, SinkError, record_action};
use serde::{Deserialize, Serialize};

use super::{Transfer, look, the_leak, transfer};

fn log() -> Place {
    Place::Log { target: module_path!().to_owned() }
}

/// Runs a handler that hands the memo to `leak`.
fn leaking(leak: impl FnOnce(&str)) -> CanaryReport<()> {
    canary(&Transfer::sample()).run_sync(|body| {
        look(&body);
        leak(&body.memo);
    })
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = text.bytes().fold(String::new(), |bits, byte| bits + &format!("{byte:08b}"));
    let chunks = bits.as_bytes().chunks(6).map(|chunk| std::str::from_utf8(chunk).unwrap());
    chunks.map(|chunk| DIGITS[usize::from_str_radix(&format!("{chunk:0<6}"), 2).unwrap()] as char).collect()
}

fn url(text: &str) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        let _ = if byte.is_ascii_alphanumeric() { write!(url, "{}", byte as char) } else { write!(url, "%{byte:02X}") };
        url
    })
}

#[test]
fn a_log_line_leaks_in_every_form() {
    type Write = fn(&str) -> String;
    let forms: [(Form, Write); 8] = [
        (Form::Raw, |memo| memo.to_owned()),
        (Form::Raw, str::to_lowercase),
        (Form::JsonEscaped, |memo| serde_json::to_string(memo).unwrap()),
        (Form::UrlEscaped, url),
        (Form::Hex, hex),
        (Form::Hex, |memo| hex(memo).to_uppercase()),
        (Form::Base64, base64),
        (Form::ByteList, |memo| format!("{:?}", memo.as_bytes())),
    ];
    for (form, write) in forms {
        let report = leaking(|memo| tracing::debug!("said: {}", write(memo)));
        let leak = the_leak(&report, form);
        assert!(leak.place == log() && leak.characters + 1 >= leak.of, "{report}");
    }
}

#[test]
fn a_log_line_leaks_by_every_kind_of_field() {
    let report = leaking(|memo| tracing::trace!(said = memo));
    the_leak(&report, Form::Raw);
    let report = leaking(|memo| tracing::trace!(said = ?Some(memo)));
    the_leak(&report, Form::JsonEscaped);
    let report = leaking(|memo| tracing::error!(error = &std::io::Error::other(memo) as &dyn Error));
    the_leak(&report, Form::Raw);
    let report = leaking(|memo| tracing::error!(said = memo.as_bytes()));
    the_leak(&report, Form::ByteList);
    let report = leaking(|memo| drop(tracing::debug_span!("work", said = %memo)));
    the_leak(&report, Form::Raw);
    let report = leaking(|memo| {
        let _entered = tracing::debug_span!("work", said = tracing::field::Empty).entered();
        tracing::Span::current().record("said", memo);
    });
    the_leak(&report, Form::Raw);
}

#[test]
fn a_part_of_six_characters_is_a_leak_and_one_of_five_is_not() {
    let report = leaking(|memo| tracing::info!("{}…", memo.chars().skip(3).take(6).collect::<String>()));
    let leak = the_leak(&report, Form::Raw);
    assert_eq!((leak.characters, leak.place.clone()), (6, log()));
    leaking(|memo| tracing::info!("{}…", &memo[..5])).assert_clean();
}

#[tokio::test]
async fn a_log_line_of_async_code_leaks_after_an_await() {
    let report = canary(&Transfer::sample())
        .run(async |body| {
            let memo = body.memo.clone();
            let done = transfer(body).await;
            tokio::task::yield_now().await;
            tracing::info!("{memo}");
            done
        })
        .await;
    assert_eq!(the_leak(&report, Form::Raw).place, log());
}

#[test]
fn numbers_leak_too() {
    let report = canary(&Transfer::sample()).run_sync(|body| {
        look(&body);
        tracing::info!(limit = body.limit, "{:x}", body.limit);
        tracing::info!("{}", body.limit % 1_000_000_000);
    });
    let forms: Vec<_> = report.leaks().iter().map(|leak| (leak.path.as_str(), leak.form)).collect();
    assert_eq!(forms, [("limit", Form::Hex), ("limit", Form::Raw)]);
}

/// What a handler and a sink share, as by a global.
type Elsewhere = Arc<Mutex<String>>;

/// A sink that logs what it gets, and what it got elsewhere.
struct Leaky {
    elsewhere: Elsewhere,
    leak: fn(&str) -> Result<(), SinkError>,
}

#[async_trait]
impl AuditSink for Leaky {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let memo = self.elsewhere.lock().unwrap().clone();
        for record in batch {
            tracing::info!("{}", record.json());
        }
        (self.leak)(&memo)
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn describe(&self) -> String {
        "leaky".into()
    }
}

fn with_sink(leak: fn(&str) -> Result<(), SinkError>) -> CanaryReport<()> {
    let elsewhere = Elsewhere::default();
    canary(&Transfer::sample()).sink(Leaky { elsewhere: elsewhere.clone(), leak }).run_sync(|body| {
        elsewhere.lock().unwrap().clone_from(&body.memo);
        look(&body);
    })
}

#[test]
fn a_leaky_sink_is_found() {
    with_sink(|_| Ok(())).assert_clean();
    let report = with_sink(|memo| {
        tracing::info!("{memo}");
        Ok(())
    });
    assert_eq!(the_leak(&report, Form::Raw).place, log());
    let report = with_sink(|memo| {
        tracing::info!("{}", base64(memo));
        Ok(())
    });
    the_leak(&report, Form::Base64);
    let report = with_sink(|memo| {
        tracing::info!("{}", hex(memo));
        Ok(())
    });
    the_leak(&report, Form::Hex);
    let report = with_sink(|memo| {
        tracing::info!("{}", url(memo));
        Ok(())
    });
    the_leak(&report, Form::UrlEscaped);
}

#[test]
fn a_leaky_error_of_a_sink_is_found_in_its_sources() {
    let report = with_sink(|memo| Err(SinkError::failed(std::io::Error::other(memo))));
    assert_eq!(the_leak(&report, Form::Raw).place, Place::Error { what: "a sink".into() });
}

/// Writes the field as redacted, and again through a back door.
#[derive(Deserialize, Serialize)]
struct Door {
    memo: String,
}

impl Sensitive for Door {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.object(|fields| {
            fields.redacted("memo");
            fields.plain("hint", &BACK.get()(&self.memo));
        });
    }
}

thread_local! {
    static BACK: Cell<fn(&str) -> String> = const { Cell::new(|_| String::new()) };
}

fn door(back: fn(&str) -> String) -> CanaryReport<()> {
    BACK.set(back);
    canary(&Door { memo: "gift".into() }).check()
}

#[test]
fn a_leaky_type_is_found_whole_and_in_part() {
    door(|_| "harmless".into()).assert_clean();
    let report = door(str::to_owned);
    let record = Place::Record { action: "canary.check".into() };
    assert!(report.leaks().iter().any(|leak| leak.place == record && leak.form == Form::JsonEscaped), "{report}");
    let report = door(|memo| memo.chars().take(20).collect());
    assert!(report.leaks().iter().any(|leak| leak.place == record && leak.characters == 20), "{report}");
    let report = door(base64);
    assert!(report.leaks().iter().all(|leak| leak.form == Form::Base64) && !report.leaks().is_empty(), "{report}");
}

#[test]
fn a_leaky_error_is_found_once_it_is_handed_over() {
    let run = || {
        let body = Transfer { to: 0, ..Transfer::sample() };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        canary(&body).run_sync(|body| runtime.block_on(transfer(body)))
    };
    let report = run().and_error();
    assert_eq!(the_leak(&report, Form::Raw).place, Place::Error { what: "the result".into() });
    let report = run().and_debug();
    assert_eq!(the_leak(&report, Form::JsonEscaped).place, Place::Debug { what: "the result".into() });
    let report = run();
    let error: Box<dyn Error> =
        Box::new(std::io::Error::other(report.result().unwrap().as_ref().unwrap_err().to_string()));
    let report = report.saw_error("the answer", &*error);
    assert_eq!(the_leak(&report, Form::Raw).place, Place::Error { what: "the answer".into() });
}

#[test]
fn a_derived_debug_is_found_where_it_is_asked_for() {
    let report = canary(&Transfer::sample()).and_debug().check();
    let found: Vec<_> = report.leaks().iter().map(|leak| (leak.path.as_str(), leak.place.clone())).collect();
    let place = Place::Debug { what: "the value".into() };
    assert_eq!(found, ["memo", "device", "limit"].map(|path| (path, place.clone())));
}

#[test]
fn what_the_test_hands_over_is_scanned() {
    let run = || {
        canary(&Transfer::sample()).run_sync(|body| {
            look(&body);
            body
        })
    };
    let report = run();
    let memo = report.result().unwrap().memo.clone();
    let report = report.saw("the answer", format!("<p>{memo}</p>"));
    assert_eq!(the_leak(&report, Form::Raw).place, Place::Seen { what: "the answer".into() });

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("deep/er/journal");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let report = run();
    std::fs::write(&file, [b"\xff\xfe", report.result().unwrap().memo.as_bytes()].concat()).unwrap();
    let report = report.saw_dir(dir.path());
    assert_eq!(the_leak(&report, Form::Raw).place, Place::Seen { what: file.display().to_string() });
    let report = run();
    std::fs::write(&file, &report.result().unwrap().memo).unwrap();
    the_leak(&report.saw_file(&file), Form::Raw);
}

#[test]
fn the_report_tells_where_and_shows_no_whole_secret() {
    let report = canary(&Transfer::sample()).run_sync(|body| {
        look(&body);
        tracing::info!("before {} after", body.memo);
        body
    });
    let memo = report.result().unwrap().memo.clone();
    let message = report.to_string();
    let panic = catch_unwind(AssertUnwindSafe(|| drop(report.assert_clean()))).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>(), Some(&message));
    let of = memo.chars().count();
    let start = &memo[..3];
    for part in [
        "planted: memo".to_owned(),
        format!("leak: memo: raw, {of} of {of} characters, in the log line of `{}`", module_path!()),
        format!("before {start}… after"),
    ] {
        assert!(message.contains(&part), "{part} is missing in {message}");
    }
    assert!(!message.contains(&memo[..6]), "{message}");
}

/// Shows some of the first characters.
#[derive(Deserialize, Serialize)]
struct Masked(String);

impl Sensitive for Masked {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.object(|fields| {
            fields.redacted("memo");
            fields.plain("shown", &format!("{}***", self.0.chars().take(8).collect::<String>()));
        });
    }
}

#[test]
fn what_a_field_may_show_is_declared_by_hand_and_one_character_more_leaks() {
    let run = |mode| {
        let canary = Canary::with(|secrets| Masked(secrets.text("memo")));
        canary.shows("memo", mode).check()
    };
    run(Mode::Mask { first: 8, last: 0 }).assert_clean();
    let report = run(Mode::Mask { first: 7, last: 1 });
    assert_eq!(the_leak(&report, Form::Raw).characters, 8);
}

#[test]
fn a_record_by_hand_leaks() {
    let report = canary(&Transfer::sample()).run_sync(|body| {
        record_action(Action::new("note.write")).fields(|fields| fields.plain("said", &body.memo)).wait().unwrap();
    });
    assert_eq!(the_leak(&report, Form::JsonEscaped).place, Place::Record { action: "note.write".into() });
}
