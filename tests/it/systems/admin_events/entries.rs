//! What comes from the command line, and never from an HTTP handler.

use audited::{catalogue, record_from, with_recorder_sync};

use super::admin::events::{CliOperation, OsActor};
use super::*;

/// That an HTTP handler that records one does not compile is in `tests/ui/fail/admin_events_http.rs`.
#[test]
fn what_the_command_line_alone_can_do_is_bound_to_it_by_type_and_in_the_catalogue() {
    let bound: Vec<_> = AnyEventKind::ALL.iter().filter(|kind| matches!(kind, AnyEventKind::Operator(_))).collect();
    let names: Vec<_> = bound.iter().map(|kind| kind.as_str()).collect();
    let expected = ["emergency_recovery", "ai_proposal_approved", "ai_proposal_rejected", "ai_proposal_applied"];
    assert_eq!(names, expected);
    let catalogue = catalogue();
    let ours = catalogue.actions.iter().filter(|action| action.place.module.contains("::admin_events::"));
    for action in ours {
        let only = names.contains(&&*action.action).then_some("cli");
        assert_eq!(action.surface.as_deref(), only, "{}", action.action);
    }
}

#[test]
fn the_command_line_records_them_and_the_record_comes_before_the_change() {
    let desk = Desk::new();
    assert_eq!(desk.login("dora@example.org", "gone").0, 401);
    let id = desk.command("unlock dora@example.org").unwrap();
    desk.command("approve 7").unwrap();
    desk.command("reject 7 unwanted").unwrap();
    desk.command("apply 8 a.rs b.rs").unwrap();
    for refused in ["unlock eve@example.org", "unlock", "approve seven", "burn dora@example.org"] {
        assert!(desk.command(refused).is_err(), "{refused}");
    }
    assert_eq!(desk.login("dora@example.org", "gone").0, 200);
    let expected = "login_failed emergency_recovery ai_proposal_approved ai_proposal_rejected ai_proposal_applied \
                    login_succeeded";
    assert_eq!(desk.actions().join(" "), expected);
    let recovery = &desk.records()[1];
    assert_eq!((recovery.id(), recovery.flags()), (Some(id), Vec::new()));
    let detail: Value = serde_json::from_str(recovery.detail().unwrap()).unwrap();
    let os_actor = detail["os_actor"].as_str().unwrap();
    assert!(os_actor.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()), "{os_actor}");
    assert_eq!(recovery.actor().unwrap().id.as_deref(), Some(os_actor));
    assert_eq!(recovery.subjects()[0].id, "4");
    assert_eq!(desk.recorder.stats().violations, 0);
}

#[test]
fn nothing_is_recovered_that_is_not_on_record() {
    let full = Desk { memory: MemorySink::with_capacity(0), ..Desk::new() };
    let recorder = Recorder::builder().sink(full.memory.clone()).allow_weak_fail_closed().build().unwrap();
    let desk = Desk { recorder, ..full };
    assert!(desk.command("unlock dora@example.org").is_err());
    assert_eq!(
        desk.accounts.login("dora@example.org", "gone").unwrap_err().reason,
        super::admin::events::LoginFailure::Locked
    );
}

#[test]
fn an_http_handler_cannot_help_itself_to_the_token() {
    let desk = Desk::new();
    assert_eq!(CLI.name(), "cli");
    let (status, answer) = desk.http("POST /recover", "", &Value::Null);
    assert!(status == 403 && answer.contains("the surface `cli` is minted already"), "{answer}");
    assert_eq!(desk.actions(), [""; 0]);
}

/// Where the token is that of another surface, the record says so, and is counted.
#[test]
fn the_token_of_another_surface_is_seen() {
    static JOB: LazyLock<Surface> = LazyLock::new(|| Surface::mint("admin-job").unwrap());
    let desk = Desk::new();
    let os_actor = OsActor::new("ann", "host");
    let event = OperatorEvent::EmergencyRecovery { cli_operation: CliOperation::Promote, os_actor };
    with_recorder_sync(desk.recorder.clone(), || record_from(&JOB, &event).wait().unwrap());
    assert_eq!(desk.records()[0].flags(), ["surface"]);
    assert_eq!(desk.recorder.stats().violations, 1);
}
