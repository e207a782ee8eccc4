//! A selection as SQL.
//!
//! Every text is a parameter. What cannot be said in SQL is asked of the selection itself, by a function that SQLite
//! calls, so that limits and counts are right. The same function is asked about conditions that are not known here.

use audit_core::{AnyOf, Condition, Intents, Order, Selection, StoreError, StoredRecord};
use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::columns::Text;
use super::readers::{HOLDS, Reading, failed, parse};

/// How many beginnings of actions are asked for in SQL: its expressions are nested up to a bound.
const MAX_PREFIXES: usize = 100;

/// What a query asks for, after `WHERE`, of `audit_records AS r`.
#[derive(Default)]
pub(super) struct Where {
    terms: Vec<String>,
    params: Vec<Value>,
    /// Whether something is left that only the selection itself can say.
    residual: bool,
}

/// Finds the records of a selection.
pub(super) fn select(reading: &Reading, selection: &Selection) -> Result<Vec<StoredRecord>, StoreError> {
    let (sql, params) = page(reading, selection);
    let mut statement = failed(reading.connection.prepare_cached(&sql))?;
    let mut rows = failed(statement.query(params_from_iter(&params)))?;
    let mut records = Vec::new();
    while let Some(row) = failed(rows.next())? {
        records.push(parse(failed(row.get(0))?)?);
    }
    Ok(records)
}

/// Counts the records of a selection.
pub(super) fn count(reading: &Reading, selection: &Selection) -> Result<u64, StoreError> {
    let (sql, params) = number(reading, selection);
    let mut statement = failed(reading.connection.prepare_cached(&sql))?;
    let count: i64 = failed(statement.query_row(params_from_iter(&params), |row| row.get(0)))?;
    Ok(count.unsigned_abs())
}

/// The statement that finds the records of a selection.
fn page(reading: &Reading, selection: &Selection) -> (String, Vec<Value>) {
    let mut found = Where::of_those(selection, |condition| !is_implied(condition, selection));
    found.intents(selection.intents());
    let (behind, order) = match selection.order() {
        Order::NewestFirst => ("<", "DESC"),
        Order::OldestFirst => (">", "ASC"),
    };
    if let Some(after) = selection.after() {
        let (at, id) = (found.param(after.micros), found.param(after.id.as_uuid().as_bytes().to_vec()));
        found.terms.push(format!("(r.at, r.id) {behind} ({at}, {id})"));
    }
    let condition = found.condition(reading, selection);
    let limit = found.param(i64::try_from(selection.limit()).unwrap_or(i64::MAX));
    let offset = found.param(i64::try_from(selection.offset()).unwrap_or(i64::MAX));
    let sql = format!(
        "SELECT r.json FROM main.audit_records AS r WHERE {condition}
        ORDER BY r.at {order}, r.id {order} LIMIT {limit} OFFSET {offset}"
    );
    (sql, found.params)
}

/// The statement that counts them.
fn number(reading: &Reading, selection: &Selection) -> (String, Vec<Value>) {
    let mut found = Where::of(selection);
    found.intents(selection.intents());
    let condition = found.condition(reading, selection);
    (format!("SELECT count(*) FROM main.audit_records AS r WHERE {condition}"), found.params)
}

/// Which indexes are to lead to the records. SQLite has no statistics: to it, a tenant has as few records as an id, and
/// those are in the right order.
enum Leading {
    /// Whichever do.
    Any,
    /// Those of ids, in which a tenant may be the next column.
    Ids,
    /// Those of a user, as the actor and as a subject. Where SQLite combines two, it forgets what is likely.
    User,
}

impl Leading {
    fn of(selection: &Selection) -> Self {
        selection.conditions().iter().fold(Self::Any, |leading, condition| match (condition, &leading) {
            (Condition::User(_), _) | (_, Self::User) => Self::User,
            (
                Condition::Actor { id: Some(_), .. }
                | Condition::Subject { id: Some(_), .. }
                | Condition::Resource { id: Some(_), .. }
                | Condition::CorrelationId(_),
                _,
            ) => Self::Ids,
            _ => leading,
        })
    }
}

impl Where {
    /// What a selection asks of each record by itself.
    pub(super) fn of(selection: &Selection) -> Self {
        Self::of_those(selection, |_| true)
    }

    /// The same, of some of its conditions.
    fn of_those(selection: &Selection, is_asked: impl Fn(&Condition) -> bool) -> Self {
        let mut found = Self::default();
        for condition in selection.conditions().iter().filter(|condition| is_asked(condition)) {
            match found.term(condition, selection) {
                Some(term) => found.terms.push(term),
                None => found.residual = true,
            }
        }
        match selection.intents() {
            Intents::Orphans => {}
            Intents::OrphansOnly => found.terms.push("r.stage = 'intent'".into()),
            Intents::Hidden => found.terms.push("r.stage IS NOT 'intent'".into()),
        }
        found
    }

    /// An intent whose call has its final record is not found.
    fn intents(&mut self, intents: Intents) {
        if intents != Intents::Hidden {
            let ended = "EXISTS (SELECT 1 FROM main.audit_records AS f WHERE f.id = r.call)";
            self.terms.push(format!("(r.call IS NULL OR NOT {ended})"));
        }
    }

    /// All of it; what is left is asked last.
    pub(super) fn condition(&mut self, reading: &Reading, selection: &Selection) -> String {
        if self.residual {
            reading.asks(Some(selection.clone()));
            self.terms.push(format!("{HOLDS}(r.json)"));
        }
        if self.terms.is_empty() { "1".into() } else { self.terms.join(" AND ") }
    }

    pub(super) fn params(&self) -> &[Value] {
        &self.params
    }

    /// A place for a value.
    pub(super) fn param(&mut self, value: impl Into<Value>) -> String {
        self.params.push(value.into());
        format!("?{}", self.params.len())
    }

    /// One of these texts.
    fn any(&mut self, column: &str, any: &AnyOf) -> String {
        let texts: Vec<_> = any.texts().iter().map(|text| self.param(Text(text.as_str()))).collect();
        match texts.as_slice() {
            [text] => format!("{column} = {text}"),
            texts => format!("{column} IN ({})", texts.join(", ")),
        }
    }

    /// One of these texts, where there may be many records of each.
    fn any_of_many(&mut self, column: &str, any: &AnyOf, selection: &Selection) -> String {
        match Leading::of(selection) {
            Leading::Any => self.any(column, any),
            Leading::Ids => format!("likely({})", self.any(column, any)),
            Leading::User => self.any(&format!("+{column}"), any),
        }
    }

    /// The user did it, or it is about the user.
    fn user(&mut self, user: &AnyOf, selection: &Selection) -> String {
        let mut terms = vec![self.any("r.actor_id", user)];
        for condition in selection.conditions() {
            if let Condition::Tenant(any) = condition {
                // It is the next column of the index.
                terms.push(self.any("r.tenant", any));
            }
        }
        let (actor, subject) = (terms.join(" AND "), self.subject("user", Some(user)));
        format!("({actor} AND r.actor_kind = 'user' OR {subject})")
    }

    /// Of a kind, and with one of these ids where that is asked.
    fn kind_and_id(&mut self, columns: (&str, &str), kind: &str, id: Option<&AnyOf>) -> String {
        let kind = self.param(Text(kind));
        let of_kind = format!("{} = {kind}", columns.0);
        match id {
            Some(id) => format!("{} AND {of_kind}", self.any(columns.1, id)),
            None => of_kind,
        }
    }

    fn subject(&mut self, kind: &str, id: Option<&AnyOf>) -> String {
        let of = self.kind_and_id(("s.kind", "s.id"), kind, id);
        match id {
            Some(_) => format!("r.position IN (SELECT s.position FROM main.audit_subjects AS s WHERE {of})"),
            // They may be too many to gather.
            None => format!("EXISTS (SELECT 1 FROM main.audit_subjects AS s WHERE s.position = r.position AND {of})"),
        }
    }

    /// Byte for byte: not `LIKE`, which has wildcards and folds case.
    fn prefix(&mut self, column: &str, prefix: &str) -> String {
        let Some(end) = behind_all(prefix) else { return "1".into() };
        let mut ranges = Vec::new();
        // What is kept as a blob begins with the prefix, too.
        if !prefix.contains('\0') {
            let (from, to) = (self.param(prefix.to_owned()), self.param(end.clone()));
            ranges.push(format!("({column} >= {from} AND {column} < {to})"));
        }
        let (from, to) = (self.param(prefix.as_bytes().to_vec()), self.param(end.into_bytes()));
        ranges.push(format!("({column} >= {from} AND {column} < {to})"));
        ranges.join(" OR ")
    }

    /// Whatever is not known here is left to the selection.
    fn term(&mut self, condition: &Condition, selection: &Selection) -> Option<String> {
        Some(match condition {
            Condition::Tenant(any) => self.any_of_many("r.tenant", any, selection),
            Condition::From(moment) => format!("r.at >= {}", self.param(moment.as_unix_micros())),
            Condition::Until(moment) => format!("r.at < {}", self.param(moment.as_unix_micros())),
            Condition::Action { exact, prefixes } => {
                let sayable = |prefix: &String| prefix.is_empty() || behind_all(prefix).is_some();
                if prefixes.texts().len() > MAX_PREFIXES || !prefixes.texts().iter().all(sayable) {
                    return None;
                }
                let mut any = vec![self.any_of_many("r.action", exact, selection)];
                any.extend(prefixes.texts().iter().map(|prefix| self.prefix("+r.action", prefix)));
                format!("({})", any.join(" OR "))
            }
            Condition::User(any) => self.user(any, selection),
            Condition::Actor { kind, id } => {
                let mut terms = vec!["r.actor_kind IS NOT NULL".to_owned()];
                if let Some(kind) = kind {
                    terms.push(format!("r.actor_kind = {}", self.param(kind.as_str().to_owned())));
                }
                if let Some(id) = id {
                    terms.push(self.any("r.actor_id", id));
                }
                terms.join(" AND ")
            }
            Condition::Subject { kind, id } => self.subject(kind, id.as_ref()),
            Condition::Resource { kind, id } => {
                self.kind_and_id(("r.resource_kind", "r.resource_id"), kind, id.as_ref())
            }
            Condition::Allowed(allowed) => format!("r.decision = '{}'", if *allowed { "allow" } else { "deny" }),
            Condition::DenyReason(any) => format!("r.decision = 'deny' AND {}", self.any("r.reason", any)),
            Condition::Ended(ending) => format!("r.outcome = {}", self.param(ending.as_str().to_owned())),
            Condition::FailureCode(any) => format!("r.outcome = 'failure' AND {}", self.any("r.code", any)),
            Condition::CorrelationId(any) => self.any("r.correlation_id", any),
            Condition::Kind(kind) => format!("r.kind = {}", self.param(kind.as_str().to_owned())),
            Condition::Id(id) => format!("r.id = {}", self.param(id.as_uuid().as_bytes().to_vec())),
            Condition::Not(id) => format!("r.id <> {}", self.param(id.as_uuid().as_bytes().to_vec())),
            _ => return None,
        })
    }
}

/// Whether it holds of all behind the place that a selection goes on from. SQLite would begin at the bound, and pass over
/// all pages before that place.
fn is_implied(condition: &Condition, selection: &Selection) -> bool {
    selection.after().is_some_and(|after| match (condition, selection.order()) {
        (Condition::Until(moment), Order::NewestFirst) => after.micros < moment.as_unix_micros(),
        (Condition::From(moment), Order::OldestFirst) => after.micros >= moment.as_unix_micros(),
        _ => false,
    })
}

/// The first text behind all that begin with this one; none where there is none.
fn behind_all(prefix: &str) -> Option<String> {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        // The order of UTF-8 is the order of its characters.
        if let Some(next) = (last..=char::MAX).nth(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests;
