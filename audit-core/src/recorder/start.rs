//! What a recorder says when it starts.

use serde::Serialize;

use super::Recorder;
use crate::action::Action;
use crate::contain::contained;
use crate::record::{Draft, Kind};
use crate::sensitive::Redaction;

/// An action that is switched off from the start.
#[derive(Serialize)]
struct SwitchedOff<'a> {
    action: &'a str,
    reason: &'a str,
}

impl Recorder {
    /// States, in a log line and in a first record, what this configuration guarantees.
    pub(super) fn announce_start(&self) {
        let core = self.core();
        let (sink, durability) = (core.sink.description(), core.sink.durability().as_str());
        contained(|| {
            tracing::info!(
                target: "audited",
                sink,
                durability,
                guarantee = core.sink.durability().guarantee(),
                weak_fail_closed = core.weak.is_all(),
                weak_fail_closed_for = core.weak.named().join(", "),
                "audit recorder started"
            );
        });
        let mut draft = Draft::new(Action::new("audit.started"), Kind::System);
        draft.detail.add(Redaction::default(), &mut |fields| {
            fields.plain("sink", sink);
            fields.plain("durability", durability);
            fields.value("weak_fail_closed", &core.weak.is_all());
            if !core.weak.named().is_empty() {
                fields.plain("weak_fail_closed_for", &core.weak.named());
            }
            if let Some(keys) = &core.rules.keys {
                fields.plain("hash_key", keys.id());
            }
            if let Some(policy) = &core.rules.policy {
                let rules: Vec<_> = policy.rules().iter().map(ToString::to_string).collect();
                fields.plain("redaction_rules", &rules);
            }
            core.switches.read(|off| {
                let off: Vec<_> = off.iter().map(|(action, reason)| SwitchedOff { action, reason }).collect();
                if !off.is_empty() {
                    fields.plain("switched_off", &off);
                }
            });
            fields.plain("guarantee", core.sink.durability().guarantee());
            if let Some(flood) = &core.flood {
                fields.value("flood_quota", &flood.control.quota);
                fields.value("flood_window_ms", &u64::try_from(flood.control.window.as_millis()).unwrap_or(u64::MAX));
            }
            fields.value("deadline_ms", &u64::try_from(core.deadline.as_millis()).unwrap_or(u64::MAX));
        });
        drop(core.submit_system(&draft, None));
    }
}
