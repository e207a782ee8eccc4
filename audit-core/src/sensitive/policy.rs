//! The operator's policy: it tightens what the types say, and cannot loosen it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ptr;

use serde::{Deserialize, Deserializer};
use thiserror::Error;

use super::names::folded;
use super::redaction::Whose;
use super::{Mode, SensitiveField, SensitiveType, sensitive_types};
use crate::__private::debug_as_display;
use crate::recorder::sites;

/// What an operator wants redacted beyond what the types say: by type, field, class or tenant.
///
/// A rule can only tighten: where a type says more than the rule, the type stands; where neither covers the other, the
/// value is dropped. A recorder takes a policy when it is built, refuses one whose rules name what does not exist, and
/// writes it into its start record. What does exist is what is linked: the types that derive `Sensitive` or `AuditEvent`,
/// their fields and classes, and what `#[audited]` captures. Keys that turn up at run time alone, those of maps and of
/// `RecordBuilder::field`, are not known beforehand: a rule for one says so, by [`PolicyRule::free_key`].
///
/// ```
/// # use audit_core as audited;
/// use audited::{Mode, PolicyRule, RedactionPolicy};
///
/// let policy = RedactionPolicy::new()
///     .rule(PolicyRule::new(Mode::Drop).class("contact"))
///     .rule(PolicyRule::new(Mode::Hash).of_type("Transfer").field("iban").tenant("acme"));
/// ```
///
/// It reads from configuration, too:
///
/// ```
/// # use audit_core as audited;
/// let policy: audited::RedactionPolicy = serde_json::from_str(
///     r#"{ "rules": [{ "mode": "mask(last = 4)", "type": "Transfer", "field": "iban", "tenant": "acme" }] }"#,
/// )?;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedactionPolicy {
    #[serde(default)]
    rules: Vec<PolicyRule>,
    #[serde(default)]
    allow_unmatched: bool,
}

/// One rule of a [`RedactionPolicy`]: a mode, and what it is for. All that is named must fit; a rule that names nothing
/// is for every field.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRule {
    #[serde(deserialize_with = "mode")]
    mode: Mode,
    #[serde(rename = "type")]
    ty: Option<String>,
    field: Option<String>,
    class: Option<String>,
    tenant: Option<String>,
    #[serde(default)]
    free_key: bool,
}

fn mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Mode, D::Error> {
    let text = Cow::<str>::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

impl RedactionPolicy {
    /// A policy without rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rule.
    #[must_use]
    pub fn rule(mut self, rule: PolicyRule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Lets rules stand that fit nothing in this binary: for a policy that several services share. Otherwise such a
    /// rule is taken for a slip, and the recorder is not built.
    #[must_use]
    pub fn allow_unmatched(mut self) -> Self {
        self.allow_unmatched = true;
        self
    }

    pub(crate) fn rules(&self) -> &[PolicyRule] {
        &self.rules
    }

    /// Works out the mode of every registered field.
    pub(crate) fn fold(self) -> Result<Folded, InvalidPolicy> {
        for rule in &self.rules {
            if matches!(rule.mode, Mode::Plain | Mode::Custom(_)) {
                return Err(InvalidPolicy::Loosens { rule: rule.to_string() });
            }
            if self.allow_unmatched || rule.names_what_is_there() {
                continue;
            }
            let (bare, rule) = (rule.is_for_any_key(), rule.to_string());
            return Err(if bare { InvalidPolicy::UnknownField { rule } } else { InvalidPolicy::Unmatched { rule } });
        }
        let tenants: HashSet<_> = self.rules.iter().filter_map(|rule| rule.tenant.clone()).collect();
        let known = sensitive_types();
        let table = |whose: Whose<'_>| {
            known
                .iter()
                .map(|ty| (ptr::from_ref::<SensitiveType>(ty).addr(), tightened_fields(&self.rules, ty, whose)))
                .collect()
        };
        let (base, strictest) = (table(Whose::Nobodys), table(Whose::Remains("")));
        let tenants = tenants.into_iter().map(|tenant| (tenant.clone(), table(Whose::Of(&tenant)))).collect();
        let mut serialized: HashMap<_, Vec<_>> = HashMap::new();
        for ty in known {
            serialized.entry(ty.serialized).or_default().push(ty);
        }
        Ok(Folded { rules: self.rules, base, strictest, tenants, serialized })
    }
}

impl PolicyRule {
    /// A rule for every field.
    pub const fn new(mode: Mode) -> Self {
        Self { mode, ty: None, field: None, class: None, tenant: None, free_key: false }
    }

    /// Names a type: `Transfer`, or with its module, `bank::Transfer`.
    #[must_use]
    pub fn of_type(mut self, name: impl Into<String>) -> Self {
        self.ty = Some(name.into());
        self
    }

    /// Names a field, by its name in Rust or its key in the record.
    ///
    /// Without a type or a class the rule is also for that key in maps with free keys, and for what `#[audited]`
    /// captures under it. A name that neither a linked type nor a capture has is taken for a slip, and the recorder is not
    /// built: a key that only maps have is named with [`Self::free_key`] besides.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.field = Some(name.into());
        self
    }

    /// Says that the field is a key that need not be known beforehand: one of a map, or of `RecordBuilder::field`. Then
    /// nobody checks how it is spelt. It is a word about rules without a type and a class; others are checked as before.
    #[must_use]
    pub fn free_key(mut self) -> Self {
        self.free_key = true;
        self
    }

    /// Names a class of data.
    #[must_use]
    pub fn class(mut self, class: impl Into<String>) -> Self {
        self.class = Some(class.into());
        self
    }

    /// Names a tenant, in whose records alone the rule applies: and in those whose tenant was itself redacted where it
    /// was captured, since it may be any. What a tenant's id says is compared, also where records show its hash.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    fn fits(&self, ty: &SensitiveType, field: &SensitiveField) -> bool {
        let whole = |name: &str| name.strip_suffix(ty.name).and_then(|path| path.strip_suffix("::")) == Some(ty.module);
        self.ty.as_deref().is_none_or(|name| name == ty.name || whole(name))
            && self.field.as_deref().is_none_or(|name| name == field.name || name == field.key)
            && self.class.as_deref().is_none_or(|class| field.class == Some(class))
    }

    /// Whether anything that is linked into this binary is what it is for, as far as that can be known.
    fn names_what_is_there(&self) -> bool {
        let fits = |ty: &SensitiveType| ty.fields().any(|field| self.fits(ty, &field));
        sensitive_types().into_iter().any(fits) || self.is_for_any_key() && (self.free_key || self.names_a_key())
    }

    /// Whether a field or a capture has its name as a key, as keys are compared.
    fn names_a_key(&self) -> bool {
        let Some(name) = self.field.as_deref().map(folded) else { return false };
        let fields = sensitive_types().into_iter().flat_map(SensitiveType::fields).map(|field| field.key);
        let captures = sites().into_iter().flat_map(|site| site.captures).map(|capture| capture.key);
        fields.chain(captures).any(|key| folded(key) == name)
    }

    /// Whether it is for a key wherever it turns up.
    fn is_for_any_key(&self) -> bool {
        self.ty.is_none() && self.class.is_none() && self.field.is_some()
    }

    fn applies_to(&self, whose: Whose<'_>) -> bool {
        self.tenant.as_deref().is_none_or(|of| match whose {
            Whose::Nobodys => false,
            Whose::Of(tenant) => of == tenant,
            // It may be any.
            Whose::Remains(_) => true,
        })
    }
}

impl fmt::Debug for PolicyRule {
    /// As for people: a tenant may be one that is not to be shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PolicyRule({self})")
    }
}

impl fmt::Display for PolicyRule {
    /// For people, and for the start record.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mode)?;
        let named = [("type", &self.ty), ("field", &self.field), ("class", &self.class), ("tenant", &self.tenant)];
        named.iter().filter_map(|(what, name)| Some((what, name.as_ref()?))).try_for_each(|(what, name)| {
            // A tenant may be one that is not to be shown.
            if *what == "tenant" {
                f.write_str(" for one tenant")
            } else {
                write!(f, " {what} `{}`", name.escape_debug())
            }
        })
    }
}

/// The modes of one type's fields, where any differs from what the type says.
type Tightened = Option<Box<[Option<Mode>]>>;

/// The modes of every registered type, by where its description lies.
type Table = HashMap<usize, Tightened>;

/// The modes of one type's fields in one record.
#[derive(Clone, Copy)]
pub(super) enum Modes<'a> {
    /// No rule is for the type.
    AsTyped,
    /// Worked out when the recorder was built.
    Tightened(&'a [Option<Mode>]),
    /// The linker has lost the type's registration: the rules hold nevertheless.
    Unregistered(&'a [PolicyRule], Whose<'a>),
}

impl fmt::Debug for Modes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Modes")
    }
}

impl Modes<'_> {
    pub(super) fn of(self, ty: &'static SensitiveType, at: usize) -> Option<Mode> {
        match self {
            Self::AsTyped => ty.field_at(at).mode(),
            Self::Tightened(modes) => modes[at],
            Self::Unregistered(rules, whose) => tightened(rules, ty, &ty.field_at(at).field(), whose),
        }
    }
}

/// A policy, worked out.
pub(crate) struct Folded {
    rules: Vec<PolicyRule>,
    base: Table,
    /// Where any tenant's rules may be meant.
    strictest: Table,
    tenants: HashMap<String, Table>,
    /// By the name that a type has for serde: where it is not the derive that writes it.
    serialized: HashMap<&'static str, Vec<&'static SensitiveType>>,
}

impl fmt::Debug for Folded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folded").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Folded {
    pub(super) fn modes_of<'a>(&'a self, ty: &'static SensitiveType, whose: Whose<'a>) -> Modes<'a> {
        let table = match whose {
            Whose::Nobodys => &self.base,
            Whose::Of(tenant) => self.tenants.get(tenant).unwrap_or(&self.base),
            Whose::Remains(_) => &self.strictest,
        };
        match table.get(&ptr::from_ref(ty).addr()) {
            Some(None) => Modes::AsTyped,
            Some(Some(modes)) => Modes::Tightened(modes),
            None => Modes::Unregistered(&self.rules, whose),
        }
    }

    pub(super) fn of_key(&self, key: &str, whose: Whose<'_>) -> Option<Mode> {
        let of_key = |rule: &&PolicyRule| {
            rule.is_for_any_key()
                && rule.applies_to(whose)
                && rule.field.as_deref().is_some_and(|name| name == key || folded(name) == folded(key))
        };
        self.rules.iter().filter(of_key).map(|rule| rule.mode).reduce(Mode::tightened_by)
    }

    pub(super) fn knows(&self, serialized: &str) -> bool {
        self.serialized.contains_key(serialized)
    }

    /// The mode of a field of any type of that name, where the rules take something away.
    pub(super) fn of_field(&self, serialized: &str, key: &str, whose: Whose<'_>) -> Option<Mode> {
        let types = self.serialized.get(serialized)?.iter();
        let fields = types.flat_map(|ty| ty.fields().enumerate().map(move |(at, field)| (*ty, at, field)));
        let modes = fields.filter(|(.., field)| field.key == key).filter_map(|(ty, at, _)| {
            let mode = self.modes_of(ty, whose).of(ty, at).filter(|mode| *mode != Mode::Plain)?;
            Some(if mode.shows_all() { Mode::Drop } else { mode })
        });
        modes.reduce(Mode::tightened_by)
    }

    pub(super) fn names_tenants(&self) -> bool {
        !self.tenants.is_empty()
    }

    pub(crate) fn rules(&self) -> &[PolicyRule] {
        &self.rules
    }
}

fn tightened_fields(rules: &[PolicyRule], ty: &SensitiveType, whose: Whose<'_>) -> Tightened {
    let modes: Box<[_]> = ty.fields().map(|field| tightened(rules, ty, &field, whose)).collect();
    let changed = modes.iter().zip(ty.fields()).any(|(mode, field)| *mode != field.mode);
    changed.then_some(modes)
}

fn tightened(rules: &[PolicyRule], ty: &SensitiveType, field: &SensitiveField, whose: Whose<'_>) -> Option<Mode> {
    let fitting = rules.iter().filter(|rule| rule.applies_to(whose) && rule.fits(ty, field));
    fitting.fold(field.mode, |mode, rule| Some(mode.unwrap_or(Mode::Plain).tightened_by(rule.mode)))
}

/// A policy cannot be taken.
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidPolicy {
    /// A rule fits no field of this binary.
    #[error("the rule `{rule}` fits no field of this binary: mend the name, or `allow_unmatched()`")]
    Unmatched {
        /// The rule.
        rule: String,
    },
    /// A rule for a bare field names none that is known.
    #[error(
        "the rule `{rule}` fits no field and no capture of this binary: mend the name, or say `free_key()` if it is a key \
         of maps, or `allow_unmatched()`"
    )]
    UnknownField {
        /// The rule.
        rule: String,
    },
    /// A rule names a mode that takes nothing away.
    #[error("the rule `{rule}` would loosen what a type says: a policy can only tighten")]
    Loosens {
        /// The rule.
        rule: String,
    },
}

debug_as_display!(InvalidPolicy);
