//! A selection as SQL, as far as that goes.

use audit_core::{ActorKind, AnyOf, Condition, Intents, Selection};
use tokio_postgres::types::{ToSql, Type};

use super::names::Name;
use super::text::{column, range, subject};

/// What stands behind `WHERE`, over a table `r`.
pub(super) struct Filter {
    sql: String,
    parameters: Vec<(Parameter, Type)>,
    /// Whether all that is asked is there; the rest is to be looked at record by record.
    pub(super) is_whole: bool,
}

type Parameter = Box<dyn ToSql + Sync + Send>;

impl Filter {
    pub(super) fn of(schema: &Name, selection: &Selection) -> Self {
        let mut filter = Self::all();
        for condition in selection.conditions() {
            match filter.condition(schema, condition) {
                Some(sql) => filter.and(&sql),
                None => filter.is_whole = false,
            }
        }
        // A scalar for each, and no join: what is asked for first is found by walking an index.
        let has_ended =
            format!("(r.call IS NOT NULL AND (SELECT k.id FROM {schema}.keys k WHERE k.id = r.call) IS NOT NULL)");
        match selection.intents() {
            Intents::Orphans => filter.and(&format!("NOT {has_ended}")),
            Intents::OrphansOnly => filter.and(&format!("r.stage = 'intent' AND NOT {has_ended}")),
            Intents::Hidden => filter.and("r.stage IS DISTINCT FROM 'intent'"),
        }
        filter
    }

    /// Asks nothing.
    pub(super) fn all() -> Self {
        Self { sql: "true".into(), parameters: Vec::new(), is_whole: true }
    }

    /// What it says.
    pub(super) fn sql(&self) -> &str {
        &self.sql
    }

    /// Adds a value, and gives what stands for it.
    pub(super) fn bind(&mut self, value: impl ToSql + Sync + Send + 'static, ty: Type) -> String {
        self.parameters.push((Box::new(value), ty));
        format!("${}", self.parameters.len())
    }

    pub(super) fn and(&mut self, sql: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
    }

    /// The values, as a statement takes them.
    pub(super) fn parameters(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.parameters.iter().map(|(value, ty)| (&**value as &(dyn ToSql + Sync), ty.clone())).collect()
    }

    /// One condition; `None` where SQL cannot ask it.
    fn condition(&mut self, schema: &Name, condition: &Condition) -> Option<String> {
        Some(match condition {
            Condition::Tenant(any) => self.any("r.tenant", any),
            Condition::From(moment) => format!("r.micros >= {}", self.bind(moment.as_unix_micros(), Type::INT8)),
            Condition::Until(moment) => format!("r.micros < {}", self.bind(moment.as_unix_micros(), Type::INT8)),
            Condition::Action { exact, prefixes } => self.actions(exact, prefixes)?,
            Condition::User(any) => {
                let actor = self.any("r.actor_id", any);
                let subjects = self.subjects("user", any);
                format!("((r.actor_kind = 'user' AND {actor}) OR {subjects})")
            }
            Condition::Actor { kind, id } => {
                let kind = kind.map(|kind: ActorKind| format!("r.actor_kind = '{}'", kind.as_str()));
                let id = id.as_ref().map(|any| self.any("r.actor_id", any));
                all([kind, id])?
            }
            Condition::Subject { kind, id: Some(any) } => self.subjects(kind, any),
            Condition::Resource { kind, id } => {
                let kind = self.any("r.resource_kind", &AnyOf::from(kind));
                let id = id.as_ref().map(|any| self.any("r.resource_id", any));
                all([Some(kind), id])?
            }
            Condition::Allowed(true) => "r.decision = 'allow'".into(),
            Condition::Allowed(false) => "r.decision = 'deny'".into(),
            Condition::DenyReason(any) => format!("r.decision = 'deny' AND {}", self.any("r.reason", any)),
            Condition::Ended(ending) => format!("r.outcome = '{}'", ending.as_str()),
            Condition::FailureCode(any) => format!("r.outcome = 'failure' AND {}", self.any("r.code", any)),
            Condition::CorrelationId(any) => self.any("r.correlation_id", any),
            Condition::Kind(kind) => format!("r.kind = '{}'", kind.as_str()),
            Condition::Id(id) => {
                let id = self.bind(id.as_uuid(), Type::UUID);
                // The keys say when it was, and so in which partition.
                format!("r.id = {id} AND r.micros = (SELECT k.micros FROM {schema}.keys k WHERE k.id = {id})")
            }
            Condition::Not(id) => format!("r.id <> {}", self.bind(id.as_uuid(), Type::UUID)),
            _ => return None,
        })
    }

    fn any(&mut self, column_name: &str, any: &AnyOf) -> String {
        let mut texts: Vec<_> = any.texts().iter().map(|text| column(text).into_owned()).collect();
        match texts.pop() {
            Some(text) if texts.is_empty() => format!("{column_name} = {}", self.bind(text, Type::TEXT)),
            last => {
                texts.extend(last);
                format!("{column_name} = ANY ({})", self.bind(texts, Type::TEXT_ARRAY))
            }
        }
    }

    fn subjects(&mut self, kind: &str, any: &AnyOf) -> String {
        let subjects: Vec<_> = any.texts().iter().map(|id| subject(kind, id)).collect();
        format!("r.subjects && {}", self.bind(subjects, Type::TEXT_ARRAY))
    }

    fn actions(&mut self, exact: &AnyOf, prefixes: &AnyOf) -> Option<String> {
        let ranges: Option<Vec<_>> = prefixes.texts().iter().map(|prefix| range(prefix)).collect();
        let mut ways = vec![self.any("r.action", exact)];
        for (low, high) in ranges? {
            let low = format!("r.action >= {}", self.bind(low, Type::TEXT));
            let high = high.map(|high| format!("r.action < {}", self.bind(high, Type::TEXT)));
            ways.extend(all([Some(low), high]));
        }
        Some(format!("({})", ways.join(" OR ")))
    }
}

fn all(conditions: [Option<String>; 2]) -> Option<String> {
    let conditions: Vec<_> = conditions.into_iter().flatten().collect();
    (!conditions.is_empty()).then(|| format!("({})", conditions.join(" AND ")))
}
