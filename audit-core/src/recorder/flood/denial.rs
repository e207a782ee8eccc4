//! Denials that are told apart, and counts of them.

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};

use crate::action::Action;
use crate::context::AuditContext;
use crate::decision::{Code, Decision};
use crate::identity::TenantId;
use crate::record::{Draft, Kind, Stage};
use crate::sensitive::Redaction;
use crate::timestamp::Timestamp;

/// How many kinds of denials are told apart at once; all others count as one more.
pub(super) const MAX_KINDS: usize = 1024;

/// The longest tenant that is told apart. What is counted is kept in memory, and must not grow with what clients send.
const MAX_TENANT_BYTES: usize = 256;

/// What denials have in common that count as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct DenialKind {
    action: String,
    reason: String,
    source: Option<Network>,
    tenant: Option<TenantId>,
}

/// Where a client can choose its address: all of its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Network(IpAddr);

/// How many denials were counted, and when.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Counted {
    pub(in super::super) denials: u64,
    from: Timestamp,
    to: Timestamp,
}

/// What was counted of each kind.
#[derive(Debug, Default)]
pub(in super::super) struct Counts(HashMap<DenialKind, Counted>);

impl DenialKind {
    /// The kind of what may be counted: of the denial of a call that has ended without an intent, of that of an event,
    /// or of what becomes of a request by somebody whom nobody knows.
    pub(super) fn of(draft: &Draft, context: Option<&AuditContext>) -> Option<Self> {
        let reason = match (&draft.floods, &draft.decision) {
            (Some(code), _) => code,
            (None, Some(Decision::Deny { reason }))
                if draft.kind != Kind::System && draft.stage == Stage::Completed && !draft.announced =>
            {
                reason
            }
            _ => return None,
        };
        let source = context.and_then(|context| context.source.ip).or_else(|| draft.stated.said()?.source.ip);
        // What a client says must not buy it another quota: the tenant is the one that authentication has set.
        let tenant = context.and_then(|context| context.tenant.as_ref());
        Some(Self {
            action: draft.action.as_str().to_owned(),
            reason: Code::as_str(reason).to_owned(),
            source: source.map(Network::of),
            tenant: tenant.filter(|tenant| tenant.0.secret().len() <= MAX_TENANT_BYTES).cloned(),
        })
    }

    pub(super) fn others() -> Self {
        Self { action: "…".to_owned(), reason: "…".to_owned(), source: None, tenant: None }
    }

    /// The record of what was counted. It is the tenant's, who could not read it otherwise.
    pub(in super::super) fn draft(&self, counted: &Counted) -> Draft {
        let mut draft = Draft::new(Action::new("audit.coalesced"), Kind::System);
        draft.stated.edit(|stated| stated.tenant.clone_from(&self.tenant));
        draft.detail.add(Redaction::default(), &mut |fields| {
            fields.plain("action", &self.action);
            fields.plain("reason", &self.reason);
            if let Some(source) = self.source {
                fields.plain("ip", &source.to_string());
            }
            fields.value("denials", &counted.denials);
            fields.value("from", &counted.from);
            fields.value("to", &counted.to);
        });
        draft
    }
}

/// Equal ones have equal texts.
impl Hash for DenialKind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.action, &self.reason, self.source).hash(state);
        self.tenant.as_ref().map(|tenant| tenant.0.secret()).hash(state);
    }
}

impl Network {
    /// Of IPv6 the first 64 bits, which is what one client has at least.
    fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(prefix) => write!(f, "{prefix}/64"),
        }
    }
}

impl Counted {
    pub(super) fn one(when: Timestamp) -> Self {
        Self { denials: 1, from: when, to: when }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.denials += other.denials;
        self.from = self.from.min(other.from);
        self.to = self.to.max(other.to);
    }
}

impl Counts {
    /// Adds to what was counted of a kind. The kinds stay bounded, however long nothing takes them out.
    pub(in super::super) fn add(&mut self, kind: DenialKind, counted: Counted) {
        let known = self.0.len() < MAX_KINDS || self.0.contains_key(&kind);
        let kind = if known { kind } else { DenialKind::others() };
        self.0.entry(kind).and_modify(|sum| sum.merge(counted)).or_insert(counted);
    }

    pub(in super::super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many denials all of them are.
    pub(in super::super) fn denials(&self) -> u64 {
        self.0.values().map(|counted| counted.denials).sum()
    }
}

impl IntoIterator for Counts {
    type Item = (DenialKind, Counted);
    type IntoIter = std::collections::hash_map::IntoIter<DenialKind, Counted>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
