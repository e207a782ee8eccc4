//! A recorder without a key, in a program that has something to hash.

use super::site::sites;
use crate::contain::contained;
use crate::sensitive::{Mode, SensitiveType, sensitive_types};

/// Says that what is to be hashed will be redacted, where there is something.
pub(super) fn warn() {
    let fields = sensitive_types().into_iter().flat_map(SensitiveType::fields);
    let fields = fields.filter(|field| field.mode == Some(Mode::Hash)).count();
    let hash = Mode::Hash.to_string();
    let captures = sites().iter().flat_map(|site| &site.captures).filter(|captured| captured.mode == hash).count();
    if fields + captures == 0 {
        return;
    }
    // The subscriber is foreign code.
    contained(|| {
        tracing::warn!(
            target: "audited::redaction",
            fields,
            captures,
            "the audit recorder has no key: what is to be hashed is redacted, and nobody finds it. Give it one, with \
             `RecorderBuilder::keys`"
        );
    });
}
