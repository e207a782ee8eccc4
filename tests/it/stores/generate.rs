//! Records and questions at random, from a seed.

use audited::{KeyRing, Query};
use serde_json::{Map, Value, json};

use super::made::{EPOCH, id, moment, of_json};
use super::model::{Ask, Entry, Shown, cut};

/// `SplitMix64`: the same numbers from the same seed, everywhere.
pub(crate) struct Random(u64);

/// Whose records are read.
#[derive(Clone, Debug)]
pub(crate) enum Whose {
    Everybodys,
    Tenants(&'static str),
    Hashed(&'static str),
}

/// A question.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) asks: Vec<Ask>,
    pub(crate) shown: Shown,
    pub(crate) oldest_first: bool,
    pub(crate) offset: usize,
    pub(crate) limit: usize,
}

pub(crate) const TENANTS: &[&str] = &["acme", "Acme", "a_me", "acm%", "acme\0", "o'h", "ünï", "other"];
const TEXTS: &[&str] = &["a", "A", "a ", "%", "_", "a%", "a\0", "a\0b", "'", "\\", "ä", "1", "true", ""];
const ACTIONS: &[&str] = &["a", "a.b", "a.bc", "A.b", "a%b", "a_b", "a.b\0c", "ä.b", "b"];
const KINDS: &[&str] = &["user", "account", "User", "us_r", "a\0"];
const ACTORS: &[&str] = &["user", "service", "system", "anonymous"];
const CODES: &[&str] = &["closed", "Closed", "clos%", "missing_scope", "a\0", ""];
const PATHS: &[&str] = &["detail.x", "detail.x.y", "detail.y", "detail.x.z", "tenant", "subjects.id", "detail.X"];
/// The most records that a stream of the tests has.
const PLACES: u64 = 12;

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    /// Once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn texts(&mut self, of: &[&str]) -> Vec<String> {
        let count = self.one_of(&[0, 1, 1, 1, 1, 1, 2, 3]);
        (0..count).map(|_| self.one_of(of).to_owned()).collect()
    }

    fn identities(&mut self) -> Vec<String> {
        let mut texts = self.texts(TEXTS);
        if self.once_in(12) {
            texts.push(long());
        }
        texts
    }

    /// One that a record shows.
    fn identity(&mut self) -> String {
        if self.once_in(12) { cut(&long()) } else { self.one_of(TEXTS).to_owned() }
    }
}

fn long() -> String {
    "lóng".repeat(100)
}

/// The keys of those tenants that records hash: those of today, and those of before.
pub(crate) fn rings() -> (KeyRing, KeyRing) {
    let old = KeyRing::new("k1", [1; 32]).unwrap();
    (KeyRing::new("k2", [2; 32]).unwrap().previous("k1", [1; 32]).unwrap(), old)
}

fn hashed(random: &mut Random, tenant: &str) -> String {
    let (new, old) = rings();
    let ring = if random.once_in(2) { new } else { old };
    ring.hashes(Some(tenant), None, tenant).next().unwrap()
}

/// A record that has some of everything; of few ids, so that some come again, with the same content or another.
pub(crate) fn entry(random: &mut Random, known: &[Entry]) -> Entry {
    if !known.is_empty() && random.once_in(8) {
        return again(random, known);
    }
    let mut keys = Map::new();
    let mut set = |key: &str, value: Value| drop(keys.insert(key.into(), value));
    set("schema", 1.into());
    set("id", json!(id(random.next().into())));
    set("action", random.one_of(ACTIONS).into());
    let (micros, when) = time(random);
    for (key, value) in when {
        set(key, value.into());
    }
    if !random.once_in(5) {
        let tenant = random.one_of(TENANTS);
        set("tenant", if random.once_in(4) { hashed(random, tenant).into() } else { tenant.into() });
    }
    if !random.once_in(6) {
        set("kind", random.one_of(&["call", "event", "system", "later"]).into());
    }
    if random.once_in(3) {
        set("stage", random.one_of(&["intent", "completed", "cancelled", "later"]).into());
    }
    match random.below(4) {
        0 => set("decision", random.one_of(&["allow", "deny", "later"]).into()),
        1 => {
            set("decision", random.one_of(&["allow", "deny", "deny", "deny"]).into());
            set("reason", random.one_of(CODES).into());
        }
        _ => {}
    }
    if !random.once_in(4) {
        set("outcome", random.one_of(&["success", "failure", "failure", "unknown", "later"]).into());
        if !random.once_in(3) {
            set("code", random.one_of(CODES).into());
        }
    }
    if !random.once_in(3) {
        let kind = if random.once_in(6) { "later" } else { random.one_of(ACTORS) };
        let with_id = json!({ "kind": kind, "id": random.identity() });
        set("actor", if random.once_in(5) { json!({ "kind": kind }) } else { with_id });
    }
    let subjects: Vec<_> = (0..random.one_of(&[0, 0, 1, 2, 3]))
        .map(|_| json!({ "kind": random.one_of(KINDS), "id": random.identity() }))
        .collect();
    if !subjects.is_empty() {
        set("subjects", subjects.into());
    }
    if random.once_in(2) {
        set("resource", json!({ "kind": random.one_of(KINDS), "id": random.identity() }));
    }
    if random.once_in(3) {
        set("correlation_id", random.one_of(TEXTS).into());
    }
    if random.once_in(2) {
        set("detail", detail(random));
    }
    if random.once_in(3) {
        // The final record of it may be there, may come, or not.
        let call = if known.is_empty() || random.once_in(2) {
            json!(id(random.next().into()))
        } else {
            known[random.below(known.len())].json["id"].clone()
        };
        set("call", call);
    }
    if random.once_in(3) {
        set("stream", random.one_of(&["s", "S", "s\0"]).into());
        set("seq", (random.next() % PLACES).into());
    }
    Entry::new(of_json(&Value::Object(keys).to_string()), micros)
}

/// One that is known already: the same, in another place, with another content, or the end of its call.
fn again(random: &mut Random, known: &[Entry]) -> Entry {
    let entry = &known[random.below(known.len())];
    let (mut json, micros) = (entry.json.clone(), entry.key.0);
    match random.below(8) {
        0 => drop(json.as_object_mut().unwrap().insert("severity".into(), "error".into())),
        1 => drop(json.as_object_mut().unwrap().insert("seq".into(), (random.next() % PLACES).into())),
        2 => ["stream", "seq"].map(|key| json.as_object_mut().unwrap().remove(key)).into_iter().for_each(drop),
        3 | 4 if json["call"].is_string() => {
            let (id, tenant) = (json["call"].clone(), json["tenant"].clone());
            let ended = json!({
                "schema": 1, "id": id, "action": "a.b", "stage": "completed", "outcome": "success", "tenant": tenant,
                "occurred_at": moment(micros - EPOCH).to_string(),
            });
            return Entry::new(of_json(&ended.to_string()), micros);
        }
        _ => {}
    }
    Entry::new(of_json(&json.to_string()), micros)
}

/// Few moments, so that many are equal; and what a record says of them.
fn time(random: &mut Random) -> (i64, Vec<(&'static str, String)>) {
    let micros = i64::try_from(random.below(6)).unwrap();
    let text = moment(micros).to_string();
    match random.below(8) {
        0 => (0, vec![]),
        1 => (EPOCH + micros, vec![("recorded_at", text)]),
        2 => (EPOCH + micros, vec![("occurred_at", text), ("recorded_at", moment(99).to_string())]),
        _ => (EPOCH + micros, vec![("occurred_at", text)]),
    }
}

fn detail(random: &mut Random) -> Value {
    let leaf = |random: &mut Random| match random.below(5) {
        0 => json!(1),
        1 => json!(true),
        2 => Value::Null,
        _ => random.one_of(TEXTS).into(),
    };
    let inner = json!({ "y": leaf(random), "z": [leaf(random), [leaf(random)]] });
    match random.below(5) {
        0 => json!({ "x": leaf(random), "y": leaf(random) }),
        1 => json!({ "x": inner }),
        2 => json!({ "x": [inner, { "y": leaf(random) }, leaf(random)] }),
        3 => json!({ "x.y": leaf(random), "X": leaf(random) }),
        _ => leaf(random),
    }
}

pub(crate) fn whose(random: &mut Random) -> Whose {
    match random.below(4) {
        0 => Whose::Everybodys,
        1 => Whose::Hashed(random.one_of(TENANTS)),
        _ => Whose::Tenants(random.one_of(TENANTS)),
    }
}

impl Whose {
    /// What it asks of every record.
    pub(crate) fn asks(&self) -> Option<Ask> {
        match self {
            Self::Everybodys => None,
            Self::Tenants(tenant) => Some(Ask::Tenant(vec![(*tenant).to_owned()])),
            Self::Hashed(tenant) => Some(Ask::Tenant(rings().0.hashes(Some(tenant), None, tenant).collect())),
        }
    }
}

/// A question; of what arrives, if it is asked of a stream.
pub(crate) fn question(random: &mut Random, known: &[Entry], of_arrivals: bool) -> Question {
    let count = random.one_of(&[0, 0, 1, 1, 1, 1, 2, 2, 3, 5]);
    let mut asks: Vec<Ask> = (0..count).map(|_| ask(random, known)).collect();
    // All that is asked of the action is one condition.
    let mut actions: Vec<Ask> = Vec::new();
    asks.retain(|ask| {
        let is_action = matches!(ask, Ask::Action { .. });
        if is_action && actions.is_empty() {
            actions.push(ask.clone());
        }
        !is_action
    });
    asks.extend(actions);
    let shown = match (of_arrivals, random.once_in(6)) {
        (true, _) => Shown::NoIntents,
        (false, true) => Shown::OrphansAlone,
        (false, false) => Shown::WithOrphans,
    };
    Question {
        asks,
        shown,
        oldest_first: !of_arrivals && random.once_in(2),
        offset: if of_arrivals { 0 } else { random.one_of(&[0, 0, 0, 1, 2, 5, 40]) },
        limit: random.one_of(&[1, 2, 3, 5, 100, 5000]),
    }
}

impl Question {
    pub(crate) fn query(&self) -> Query {
        let mut query = self.asks.iter().fold(Query::new(), |query, ask| ask.add_to(query));
        if self.shown == Shown::OrphansAlone {
            query = query.orphans();
        }
        if self.oldest_first {
            query = query.oldest_first();
        }
        query.offset(self.offset).limit(self.limit)
    }
}

fn ask(random: &mut Random, known: &[Entry]) -> Ask {
    let moment = |random: &mut Random| EPOCH + i64::try_from(random.below(8)).unwrap() - 1;
    match random.below(16) {
        0 => Ask::From(moment(random)),
        1 => Ask::Until(moment(random)),
        2 => Ask::Action { exact: random.texts(ACTIONS), prefixes: vec![] },
        3 => Ask::Action { exact: random.texts(ACTIONS), prefixes: random.texts(&["a", "a.", "A", "a%", "a.b\0", ""]) },
        4 => Ask::User(random.identities()),
        5 => {
            let id = (!random.once_in(3)).then(|| random.identities());
            Ask::Actor { kind: Some(random.one_of(ACTORS)), id }
        }
        6 => Ask::Subject { kind: random.one_of(KINDS).into(), id: random.identities() },
        7 => {
            let id = (!random.once_in(3)).then(|| random.identities());
            Ask::Resource { kind: random.one_of(KINDS).into(), id }
        }
        8 => Ask::Allowed(random.once_in(2)),
        9 => Ask::Reason(random.texts(CODES)),
        10 => Ask::Ended(random.one_of(&["success", "failure", "unknown"])),
        11 => Ask::Code(random.texts(CODES)),
        12 => Ask::Correlation(random.texts(TEXTS)),
        13 => Ask::Kind(random.one_of(&["call", "event", "system"])),
        14 => Ask::Text { path: random.one_of(PATHS).into(), texts: random.texts(TEXTS) },
        _ if known.is_empty() => Ask::Id(id(1).to_string()),
        _ => Ask::Id(known[random.below(known.len())].key.1.clone()),
    }
}
