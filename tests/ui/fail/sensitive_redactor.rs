//! A redactor of another type, and none at all.

use audited::{Encoder, Redactor, Sensitive};

struct Domain;

impl Redactor<String> for Domain {
    fn redact(_: &String, encoder: &mut Encoder<'_>) {
        encoder.redacted();
    }
}

struct Nothing;

#[derive(Sensitive)]
struct Mail {
    #[sensitive(with = Domain)]
    right: String,
    #[sensitive(with = Domain)]
    wrong: u64,
    #[sensitive(with = Nothing)]
    no_redactor: String,
    #[sensitive(with = Missing)]
    no_type: String,
}

fn main() {}
