//! The catalogue for readers: people, browsers, other programs.

mod html;
mod markdown;
mod schema;
mod shape;
mod typescript;

use serde_json::Value;

use super::{Catalogue, CatalogueAction, CatalogueField};

impl Catalogue {
    /// As JSON, indented, with a newline at the end: what [`Catalogue::from_json`] reads.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).unwrap_or_default();
        json + "\n"
    }

    /// Reads what [`Catalogue::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// When the text is no JSON, or not that of a catalogue.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// As Markdown, for an auditor: what is recorded, what each record shows, and what happens when it cannot be
    /// written.
    pub fn to_markdown(&self) -> String {
        markdown::of(self)
    }

    /// As one HTML page that needs nothing else and can be searched.
    pub fn to_html(&self) -> String {
        html::of(self)
    }

    /// As a JSON Schema (draft 2020-12) of the details of the records, by action.
    ///
    /// It is made of the types as they are written: what is none of the well-known ones may be anything. Of one
    /// vocabulary the feature `schemars` makes it of the types themselves.
    pub fn to_json_schema(&self) -> Value {
        schema::of(self)
    }

    /// As TypeScript: the actions, and what the detail of each can hold. As with [`Catalogue::to_json_schema`], what is
    /// none of the well-known types is `unknown`.
    pub fn to_typescript(&self) -> String {
        typescript::of(self)
    }
}

/// The fields of the detail: not those that say who and on what, which have their own place in a record.
fn detail(action: &CatalogueAction) -> impl Iterator<Item = &CatalogueField> {
    let identity = |field: &&CatalogueField| {
        let elsewhere = matches!(field.key.as_str(), "tenant" | "actor" | "subject");
        action.policy.is_none() || !(elsewhere || field.key.starts_with("resource "))
    };
    action.fields.iter().filter(identity)
}

/// What a reader sees of a field.
fn seen(field: &CatalogueField) -> &'static str {
    let mode = field.mode.as_deref().unwrap_or_default();
    match mode.split('(').next().unwrap_or_default() {
        "" => "as its type says",
        "plain" => "the value",
        "drop" => "nothing",
        "hash" => "a keyed hash",
        "mask" | "truncate" => "a part",
        "len" => "its length",
        "present" => "whether there is one",
        _ => "what its redactor leaves",
    }
}

/// What is to be said of an action besides its place and its fields: the name of each fact, and the fact.
fn facts(action: &CatalogueAction) -> impl Iterator<Item = (&'static str, String)> {
    let said = |text: &Option<String>| text.clone().unwrap_or_default();
    let state = match (action.deprecated, action.prefixed) {
        (true, true) => "deprecated; recorded under a prefix",
        (true, false) => "deprecated",
        (false, true) => "recorded under a prefix",
        (false, false) => "",
    };
    let facts = [
        ("if the record cannot be written", unacknowledged(action).to_owned()),
        ("before it runs", if action.intent { "an intent is recorded".to_owned() } else { String::new() }),
        (
            "a success",
            if action.transaction { "is recorded in the caller's transaction".to_owned() } else { String::new() },
        ),
        ("decided by", action.decided_by.join("; ")),
        ("since", said(&action.since)),
        ("formerly", action.was.join(", ")),
        ("severity", said(&action.severity)),
        ("only from", said(&action.surface)),
        ("state", state.to_owned()),
    ];
    facts.into_iter().filter(|(_, fact)| !fact.is_empty())
}

/// What happens when the record of a call cannot be written.
fn unacknowledged(action: &CatalogueAction) -> &'static str {
    match action.policy.as_deref() {
        Some("fail_closed") => "the call is refused",
        Some(_) => "the call goes on, the loss is recorded",
        None => "the caller is told",
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CatalogueError, CatalogueExemption, CatalogueType, Origin, Place};
    use super::*;

    /// A catalogue with one of everything, and text that must not become markup.
    pub(super) fn example() -> Catalogue {
        let place = |item: &str| Place {
            package: "bank".into(),
            module: "bank::api".into(),
            item: item.into(),
            file: "src/api.rs".into(),
            line: 41,
        };
        let field = |key: &str, ty: &str, mode: &str| CatalogueField {
            key: key.into(),
            ty: (!ty.is_empty()).then(|| ty.into()),
            mode: (!mode.is_empty()).then(|| mode.into()),
            class: None,
            scope: None,
        };
        let transfer = CatalogueAction {
            doc: Some("Moves money <b>|now|</b>.".into()),
            since: Some("1.2".into()),
            was: vec!["account.send".into()],
            policy: Some("fail_closed".into()),
            intent: true,
            decided_by: vec!["returned Result<Receipt, BankError>".into()],
            fields: vec![
                field("resource account", "AccountId", ""),
                field("cents", "u64", ""),
                field("memo", "String", "drop"),
                field("codes", "Option<Vec<String>>", "plain"),
                field("device", "String", "hash"),
                field("to be", "HashMap<u8, T>", "plain"),
            ],
            ..CatalogueAction::new("account.transfer", Origin::Function, place("transfer"))
        };
        let refused = CatalogueAction {
            deprecated: true,
            fields: vec![field("actor", "u64", "")],
            ..CatalogueAction::new("session.refused", Origin::Event, place("SessionEvent::Refused"))
        };
        Catalogue {
            actions: vec![transfer, refused],
            types: vec![CatalogueType {
                package: "bank".into(),
                module: "bank::api".into(),
                name: "Transfer".into(),
                fields: vec![field("memo", "", "drop")],
            }],
            errors: vec![CatalogueError {
                package: "bank".into(),
                module: "bank::api".into(),
                name: "BankError".into(),
                reasons: vec!["missing_scope".into()],
                codes: vec!["ledger".into()],
            }],
            exemptions: vec![CatalogueExemption {
                place: place("healthz"),
                reason: "no data & no caller".into(),
                doc: None,
            }],
        }
    }

    #[test]
    fn json_comes_back() {
        assert_eq!(Catalogue::from_json(&example().to_json()).unwrap(), example());
        assert!(Catalogue::from_json("[").is_err());
    }

    #[test]
    fn identities_are_no_detail_of_a_function_but_of_an_event() {
        let example = example();
        let keys = |at: usize| detail(&example.actions[at]).map(|field| field.key.as_str()).collect::<Vec<_>>();
        assert_eq!(keys(0), ["cents", "memo", "codes", "device", "to be"]);
        assert_eq!(keys(1), ["actor"]);
    }
}
