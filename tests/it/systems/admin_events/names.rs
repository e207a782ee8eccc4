//! The names, which are for ever.

use std::collections::BTreeSet;

use audited::{Catalogue, EventKind as _, Lock, LockCheck, LockMode, catalogue};

use super::admin::events::{LegacyEventKind, OperatorEventKind};
use super::*;

const NAMES: &str = "user_created user_updated user_deleted group_created group_updated group_deleted \
    password_changed_self password_reset_self_request password_reset_self_consume password_reset_by_other \
    forced_password_change_completed account_locked account_unlocked mfa_enabled mfa_disabled mfa_reset_by_other \
    mfa_code_consumed backup_codes_regenerated sessions_revoked_self sessions_revoked_by_other session_logout \
    login_succeeded login_failed emergency_recovery ai_proposal_approved ai_proposal_rejected ai_proposal_applied";

fn names() -> Vec<&'static str> {
    NAMES.split_whitespace().collect()
}

/// What the example alone records, as a build of it knows it.
fn of_the_example() -> Catalogue {
    let mut catalogue = catalogue();
    catalogue.actions.retain(|action| action.place.module.contains("::admin_events::"));
    catalogue.types.retain(|ty| ty.module.contains("::admin_events::"));
    catalogue.errors.clear();
    catalogue
}

#[test]
fn there_are_27_variants() {
    let kinds: Vec<_> = AnyEventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(kinds, names());
    assert_eq!(kinds.len(), 27);
}

/// What the attribute does is seen from other crates alone, to which an example is none.
#[test]
fn they_are_non_exhaustive() {
    let source = include_str!("../../../../examples/admin_events/admin/events.rs");
    for name in ["AdminEvent", "OperatorEvent", "AnyEvent"] {
        let (before, _) = source.split_once(&format!("pub(crate) enum {name} ")).unwrap();
        let (_, attributes) = before.rsplit_once("\n\n").unwrap();
        assert!(attributes.contains("#[non_exhaustive]"), "{name}");
    }
}

#[test]
fn a_kind_is_a_copy_and_as_str_is_a_const_fn() {
    const NAME: &str = AdminEventKind::LoginFailed.as_str();
    const NESTED: &str = AnyEventKind::Operator(OperatorEventKind::EmergencyRecovery).as_str();
    fn is_copy<T: Copy>() {}
    is_copy::<AnyEventKind>();
    is_copy::<AdminEventKind>();
    assert_eq!((NAME, NESTED), ("login_failed", "emergency_recovery"));
}

#[test]
fn the_strings_are_locked_also_those_that_nothing_emits_yet() {
    let lock: Lock = include_str!("../../../../examples/admin_events/audit.lock").parse().unwrap();
    let locked: BTreeSet<_> = lock.packages["audited"].actions.keys().map(String::as_str).collect();
    let known: BTreeSet<_> = names().into_iter().chain(["create", "update", "delete"]).collect();
    assert_eq!(locked, known);
    for name in names() {
        assert_eq!(name.parse::<AnyEventKind>().unwrap().as_str(), name);
    }
}

#[test]
fn a_rename_is_a_breaking_change_and_a_new_variant_is_locked_from_day_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.lock");
    let run = |catalogue: &Catalogue, mode| LockCheck::new(["audited"]).run(catalogue, &path, mode);
    let mut catalogue = of_the_example();
    assert_eq!(catalogue.actions.len(), 30);
    run(&catalogue, LockMode::Update).unwrap();
    run(&catalogue, LockMode::Check).unwrap();

    let mut renamed = catalogue.clone();
    let action = renamed.actions.iter_mut().find(|action| action.action == "session_logout").unwrap();
    action.action = "session_ended".into();
    for mode in [LockMode::Check, LockMode::Update] {
        let message = run(&renamed, mode).unwrap_err().to_string();
        assert!(message.contains("BREAKING  session_ended: renamed, likely from session_logout"), "{message}");
    }

    let mut new = catalogue.actions[0].clone();
    (new.action, new.place.item) = ("account_reviewed".into(), "AdminEvent::AccountReviewed".into());
    catalogue.actions.push(new);
    let message = run(&catalogue, LockMode::Check).unwrap_err().to_string();
    assert!(message.contains("account_reviewed"), "{message}");
    assert!(run(&catalogue, LockMode::Update).unwrap().written);
    run(&catalogue, LockMode::Check).unwrap();
}

#[test]
fn they_are_unique_and_in_snake_case() {
    let unique: BTreeSet<_> = names().into_iter().collect();
    assert_eq!(unique.len(), 27);
    for name in unique {
        let words = name.split('_').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()));
        assert!(words, "{name}");
    }
}

#[test]
fn they_are_disjoint_from_the_legacy_vocabulary_whose_parser_rejects_them() {
    let legacy: Vec<_> = LegacyEventKind::ALL.iter().map(|kind| kind.action().as_str().to_owned()).collect();
    assert_eq!(legacy, ["create", "update", "delete"]);
    for name in names() {
        assert!(name.parse::<LegacyEventKind>().is_err(), "{name}");
    }
    for name in legacy {
        assert!(name.parse::<AnyEventKind>().is_err() && name.parse::<LegacyEventKind>().is_ok(), "{name}");
    }
}
