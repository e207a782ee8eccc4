//! What is asked of records, in the words of `Query`.

use audited::{ActorKind, AnyOf, Cursor, Ending, Kind, Query, RecordId, Timestamp};
use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;

use crate::failure::Failure;
use crate::moment;
use crate::output::{escape, note};
use crate::reading::Session;

/// What is asked of records; all of it must hold.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Filter (all that is given must hold)")]
pub(crate) struct FilterArgs {
    /// It happened then or later: `2h`, `3d`, `yesterday`, `2026-11-21`, `2026-11-21T09:30:00Z`.
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// It happened before that; written as with `--since`.
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<String>,
    /// The action is this one, or another one that is given.
    #[arg(long, value_name = "ACTION")]
    action: Vec<String>,
    /// The action begins so: `account.`, with the dot.
    #[arg(long, value_name = "PREFIX")]
    action_prefix: Vec<String>,
    /// A user did it, or it is about that user.
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Who did it: `user:ID`, `service:ID`, or a kind alone, which may be `system` or `anonymous`.
    #[arg(long, value_name = "KIND[:ID]")]
    actor: Option<String>,
    /// Whom it is about.
    #[arg(long, value_name = "KIND:ID")]
    subject: Option<String>,
    /// What was acted on, or its kind alone.
    #[arg(long, value_name = "KIND[:ID]")]
    resource: Option<String>,
    /// It was allowed.
    #[arg(long, conflicts_with_all = ["denied", "deny_reason"])]
    allowed: bool,
    /// It was denied.
    #[arg(long)]
    denied: bool,
    /// It was denied for this reason, or another one that is given.
    #[arg(long, value_name = "REASON")]
    deny_reason: Vec<String>,
    /// How it ended.
    #[arg(long, value_name = "HOW")]
    outcome: Option<Outcome>,
    /// It failed with this code, or another one that is given.
    #[arg(long, value_name = "CODE")]
    failure_code: Vec<String>,
    /// It belongs to that request.
    #[arg(long, value_name = "ID")]
    correlation_id: Option<String>,
    /// What it is about: calls of audited functions, events, or the framework itself.
    #[arg(long, value_name = "KIND")]
    kind: Option<What>,
    /// It is that record.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// A text stands at a path: `detail.method=card`, `subjects.id=u-17`. Stores have no index for it.
    #[arg(long, value_name = "PATH=TEXT")]
    text: Vec<String>,
    /// As `--text`, where records keep the text as a hash. Needs `--keys`, and `--tenant`, as `--hashed-ids` does.
    #[arg(long, value_name = "PATH=TEXT", requires = "keys")]
    hashed: Vec<String>,
    /// The ids of `--user`, `--actor`, `--subject` and `--resource` are kept as hashes. Needs `--keys`, and `--tenant`:
    /// hashes of one tenant are not those of another.
    #[arg(long, requires = "keys")]
    hashed_ids: bool,
}

/// How a page of records is cut.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Page")]
pub(crate) struct PageArgs {
    /// Shows so many records at most; 1000 is the most.
    #[arg(long, short = 'n', value_name = "RECORDS", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Goes on behind a page, with what was printed there: the filter must be the same.
    #[arg(long, value_name = "CURSOR", allow_hyphen_values = true)]
    after: Option<String>,
    /// Skips so many records first.
    #[arg(long, value_name = "RECORDS", default_value_t = 0, conflicts_with = "after")]
    offset: usize,
    /// Shows what happened first at the beginning.
    #[arg(long)]
    oldest_first: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Outcome {
    Success,
    Failure,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    Call,
    Event,
    System,
}

impl FilterArgs {
    /// Whether it asks for ids as they are, though records may keep them as hashes.
    pub(crate) fn asks_for_plain_ids(&self) -> bool {
        let ids = [&self.user, &self.actor, &self.subject, &self.resource];
        !self.hashed_ids && ids.into_iter().any(Option::is_some)
    }

    /// The same with moments that stay the same, and how those are said that were others: a cursor goes on with the
    /// moments of its page, and `2h` is another one a second later.
    pub(crate) fn fixed(&self, zone: &TimeZone) -> Result<(Self, String), Failure> {
        let (mut fixed, mut said) = (self.clone(), String::new());
        for (option, moment) in [("--since", &mut fixed.since), ("--until", &mut fixed.until)] {
            let Some(text) = moment else { continue };
            if text.parse::<Timestamp>().is_err() {
                *text = moment::parse(option, text, zone)?.to_string();
                said = format!("{said}{option} {text} ");
            }
        }
        Ok((fixed, said))
    }

    /// The query that asks this.
    pub(crate) fn query(&self, session: &Session, zone: &TimeZone) -> Result<Query, Failure> {
        let mut query = Query::new();
        if let Some(text) = &self.since {
            query = query.from(moment::parse("--since", text, zone)?);
        }
        if let Some(text) = &self.until {
            query = query.until(moment::parse("--until", text, zone)?);
        }
        if !self.action.is_empty() {
            query = query.actions(&self.action);
        }
        for prefix in &self.action_prefix {
            query = query.action_prefix(prefix);
        }
        if session.tenant.is_none() && (self.hashed_ids || !self.hashed.is_empty()) {
            note(
                "hashes are of one tenant: this finds only those of records without a tenant, so name one by --tenant",
            );
        }
        let id = |text: &str| match &session.keys {
            Some(keys) if self.hashed_ids => AnyOf::hashed(keys, session.tenant.as_deref(), None, text),
            _ => text.into(),
        };
        if let Some(user) = &self.user {
            query = query.user(id(user));
        }
        if let Some(actor) = &self.actor {
            let (kind, actor) = kind_and_id(actor);
            let kind = actor_kind(kind)?;
            query = match actor {
                Some(actor) => query.actor(kind, id(actor)),
                None => query.actor_kind(kind),
            };
        }
        if let Some(subject) = &self.subject {
            let (kind, Some(subject)) = kind_and_id(subject) else {
                return Err(Failure::usage("--subject wants a kind and an id: user:u-17"));
            };
            query = query.subject(kind, id(subject));
        }
        if let Some(resource) = &self.resource {
            query = match kind_and_id(resource) {
                (kind, Some(resource)) => query.resource(kind, id(resource)),
                (kind, None) => query.resource_kind(kind),
            };
        }
        query = self.endings(query);
        if let Some(id) = &self.correlation_id {
            query = query.correlation_id(id);
        }
        if let Some(id) = &self.id {
            query = query.id(record_id("--id", id)?);
        }
        for text in &self.text {
            let (path, text) = path_and_text("--text", text)?;
            query = query.text(path, text);
        }
        for text in &self.hashed {
            let (path, text) = path_and_text("--hashed", text)?;
            let keys = session.keys.as_ref().ok_or_else(|| Failure::usage("--hashed needs --keys FILE"))?;
            query = query.hashed(path, keys, session.tenant.as_deref(), None, text);
        }
        Ok(query)
    }

    fn endings(&self, mut query: Query) -> Query {
        if self.allowed {
            query = query.allowed();
        }
        if self.denied {
            query = query.denied();
        }
        if !self.deny_reason.is_empty() {
            query = query.deny_reason(AnyOf::from_iter(&self.deny_reason));
        }
        if let Some(outcome) = self.outcome {
            query = query.outcome(match outcome {
                Outcome::Success => Ending::Success,
                Outcome::Failure => Ending::Failure,
                Outcome::Unknown => Ending::Unknown,
            });
        }
        if !self.failure_code.is_empty() {
            query = query.failure_code(AnyOf::from_iter(&self.failure_code));
        }
        if let Some(kind) = self.kind {
            query = query.kind(match kind {
                What::Call => Kind::Call,
                What::Event => Kind::Event,
                What::System => Kind::System,
            });
        }
        query
    }
}

impl PageArgs {
    /// Adds which page is wanted.
    pub(crate) fn of(&self, query: Query) -> Result<Query, Failure> {
        let mut query = query.limit(usize::from(self.limit)).offset(self.offset);
        if self.oldest_first {
            query = query.oldest_first();
        }
        if let Some(cursor) = &self.after {
            let cursor = cursor.parse::<Cursor>().map_err(|error| Failure::usage(format!("--after: {error}")))?;
            query = query.after(cursor);
        }
        Ok(query)
    }
}

/// Reads the id of a record.
pub(crate) fn record_id(option: &str, text: &str) -> Result<RecordId, Failure> {
    text.parse().map_err(|_| {
        let text = escape(text);
        Failure::usage(format!(
            "`{text}` is no id of a record for {option}: such as 019a9c8e-5f3b-7000-8000-3a2f6e0c1d2b"
        ))
    })
}

fn kind_and_id(text: &str) -> (&str, Option<&str>) {
    text.split_once(':').map_or((text, None), |(kind, id)| (kind, Some(id)))
}

fn actor_kind(kind: &str) -> Result<ActorKind, Failure> {
    const KINDS: [ActorKind; 4] = [ActorKind::User, ActorKind::Service, ActorKind::System, ActorKind::Anonymous];
    KINDS.into_iter().find(|known| known.as_str() == kind).ok_or_else(|| {
        let kind = escape(kind);
        Failure::usage(format!("`{kind}` is no kind of actor: user, service, system or anonymous, as in user:u-17"))
    })
}

fn path_and_text<'a>(option: &str, text: &'a str) -> Result<(&'a str, &'a str), Failure> {
    text.split_once('=')
        .filter(|(path, _)| !path.is_empty())
        .ok_or_else(|| Failure::usage(format!("{option} wants a path and a text: detail.method=card")))
}
