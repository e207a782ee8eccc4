//! A request that is handled: what is recorded of it, and when. Nothing here knows which framework it is.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use audit_core::__private::{Left, LeftEnding, Recording, RequestScope};
use audit_core::{
    AuditContext, Code, Coverage, Effect, Object, Outcome, RecordId, SinkError, Stage, Verdict, report_unaudited,
};

use super::client::{Client, TrustedProxies};
use super::coverage::CoverageMode;
use super::delivery::Delivery;
use super::denial::{Denials, Instead, is_denied};
use super::status::Status;

/// What a layer is told to do, whatever the framework.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) proxies: TrustedProxies,
    pub(crate) coverage: CoverageMode,
    pub(crate) fail_closed: bool,
    pub(crate) denials: Denials,
}

impl Rules {
    /// What it is told with what a layer further inside is told beyond that; `None` where that is nothing.
    fn tightened(&self, inner: &Self) -> Option<Self> {
        let mut rules = self.clone();
        if inner.coverage == CoverageMode::Strict {
            rules.coverage = CoverageMode::Strict;
        }
        rules.fail_closed |= inner.fail_closed;
        if inner.denials != Denials::AsTheyAre {
            rules.denials = inner.denials;
        }
        (rules != *self).then_some(rules)
    }
}

/// A request while it is handled. Clones are of the same one.
#[derive(Clone)]
pub(crate) struct Handled(Arc<Inner>);

struct Inner {
    scope: RequestScope,
    /// What holds for this request.
    rules: Mutex<Arc<Rules>>,
    method: &'static str,
    route: OnceLock<Cow<'static, str>>,
}

/// An answer that is to go out, once its record is acknowledged.
#[must_use]
pub(crate) struct Answered {
    handled: Handled,
    status: Status,
    /// What goes out in place of the answer, if that does not.
    instead: Option<Instead>,
    /// What goes out where the layer's own record is not acknowledged.
    closed: Option<Instead>,
    /// The record that says how the request ended.
    record: Option<RecordId>,
}

/// What stands in a record for a route that is not known.
const UNMATCHED: &str = "<unmatched>";

impl Handled {
    /// Begins the handling of a request. The route is the pattern that it matched, never its path.
    pub(crate) fn begin(rules: Arc<Rules>, client: Client, method: &str, route: Option<Cow<'static, str>>) -> Self {
        let scope = RequestScope::begin(context(client));
        let handled =
            Self(Arc::new(Inner { scope, rules: Mutex::new(rules), method: name(method), route: OnceLock::new() }));
        handled.matched(route);
        handled
    }

    /// Learns which pattern was matched, from a layer further inside.
    pub(crate) fn matched(&self, route: Option<Cow<'static, str>>) {
        if let Some(route) = route {
            let _ = self.0.route.set(route);
        }
    }

    /// Learns what a layer further inside is told for its requests: it may be stricter, and never laxer.
    pub(crate) fn tighten(&self, inner: &Rules) {
        let mut rules = self.0.rules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tightened) = rules.tightened(inner) {
            *rules = Arc::new(tightened);
        }
    }

    fn rules(&self) -> Arc<Rules> {
        self.0.rules.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn scope(&self) -> &RequestScope {
        &self.0.scope
    }

    pub(crate) fn method(&self) -> &'static str {
        self.0.method
    }

    /// The service has answered. Gives the record that is to be acknowledged first, if there is one.
    pub(crate) fn answered(&self, status: Status, verdict: Verdict) -> (Option<Recording>, Answered) {
        let (scope, rules) = (self.scope(), self.rules());
        let (coverage, left) = (scope.coverage(), scope.left());
        let by_its_record = status.http() >= 400 && left.call.is_some_and(|call| call.ending == LeftEnding::Denied);
        let denied = is_denied(&verdict) || by_its_record;
        let mut answered = Answered {
            handled: self.clone(),
            status,
            instead: rules.denials.of(status.http(), denied),
            closed: None,
            record: left.call.or(left.event).map(|record| record.id),
        };
        let failed = matches!(verdict.outcome(), Outcome::Failure { .. });
        if !denied && !failed {
            if coverage == Coverage::Unaudited && self.is_finding() {
                answered.instead = Some(Instead::unavailable(Effect::MayHaveHappened));
            }
            return (None, answered);
        }
        let excused = coverage == Coverage::Exempt && !denied;
        if excused || accounts_for_a_failure(left) {
            return (None, answered);
        }
        let refused = denied || (400..500).contains(&status.http());
        let floods = refused.then(|| code(&verdict)).flatten();
        // Where anything was recorded, or the service failed, it may have done something.
        let started = coverage == Coverage::Audited || !refused;
        answered.closed = self.closed(started);
        answered.record = Some(scope.id());
        (Some(self.ended(Stage::Completed, verdict, floods, Some(status))), answered)
    }

    /// The service has given an error in place of an answer. One of actix's is an answer.
    #[cfg(feature = "tower")]
    pub(crate) fn failed(&self) -> (Option<Recording>, Answered) {
        let left = self.0.scope.left();
        let record = left.call.or(left.event).map(|record| record.id);
        let mut answered =
            Answered { handled: self.clone(), status: Status::Http(500), instead: None, closed: None, record };
        if accounts_for_a_failure(left) {
            return (None, answered);
        }
        answered.closed = self.closed(true);
        answered.record = Some(self.0.scope.id());
        (Some(self.ended(Stage::Completed, Verdict::failure("service_error"), None, None)), answered)
    }

    /// The service says only at the end of its answer that the call has failed, and no record is there to add that to.
    #[cfg(feature = "tonic")]
    pub(crate) fn failed_late(&self, status: Status, verdict: Verdict) {
        if self.0.scope.coverage() != Coverage::Exempt || is_denied(&verdict) {
            drop(self.ended(Stage::Completed, verdict, None, Some(status)));
        }
    }

    /// The service has panicked.
    pub(crate) fn panicked(&self) -> Option<Recording> {
        if self.0.scope.left().call.is_some_and(|call| call.ending == LeftEnding::Panicked) {
            return None;
        }
        Some(self.ended(Stage::Panicked, Verdict::failure("panicked"), None, None))
    }

    /// The handling was dropped, with everything of it, before there was an answer.
    pub(crate) fn cancelled(&self) {
        let Inner { scope, .. } = &*self.0;
        let left = scope.left();
        if scope.coverage() == Coverage::Exempt || left.undelivered {
            return;
        }
        let denied = left.event.filter(|event| event.ending != LeftEnding::Allowed);
        match left.call.or(denied) {
            // It says so itself.
            Some(record) if record.ending == LeftEnding::Cancelled => {}
            Some(record) => self.lost(record.id, LostReason::Unanswered, None, 0),
            None => drop(self.ended(Stage::Cancelled, Verdict::unknown(), Some(Code::new("cancelled")), None)),
        }
    }

    /// Adds that an answer was not given to the end.
    pub(crate) fn lost(&self, record: RecordId, reason: LostReason, status: Option<Status>, bytes: u64) {
        self.0.scope.lost(record, Code::new(reason.as_str()), &mut |fields| {
            self.describe(fields, status);
            fields.value("bytes", &bytes);
            fields.plain("reason", reason.as_str());
        });
    }

    fn ended(&self, stage: Stage, verdict: Verdict, floods: Option<Code>, status: Option<Status>) -> Recording {
        self.0.scope.ended(stage, verdict, floods, &mut |fields| self.describe(fields, status))
    }

    fn describe(&self, fields: &mut Object<'_, '_>, status: Option<Status>) {
        fields.plain("method", self.0.method);
        fields.plain("route", self.route());
        if let Some(status) = status {
            status.describe(fields);
        }
    }

    fn route(&self) -> &str {
        self.0.route.get().map_or(UNMATCHED, |route| route)
    }

    /// Reports that nothing was left, where that is asked for; says whether the answer is kept back.
    fn is_finding(&self) -> bool {
        let mode = self.rules().coverage;
        if mode != CoverageMode::Off {
            self.0.scope.enter(|| report_unaudited(self.0.method, self.route()));
        }
        mode == CoverageMode::Strict
    }

    fn closed(&self, started: bool) -> Option<Instead> {
        let effect = if started { Effect::MayHaveHappened } else { Effect::NotStarted };
        self.rules().fail_closed.then_some(Instead::unavailable(effect))
    }
}

impl Answered {
    /// The sink has answered for the layer's own record.
    pub(crate) fn acknowledged(&mut self, answer: &Result<(), SinkError>) {
        let relied_on = answer.is_ok() && (self.closed.is_none() || self.handled.scope().can_fail_closed());
        if !relied_on && self.closed.is_some() {
            self.instead = self.closed;
        }
    }

    /// What goes out in place of the answer, if that does not.
    pub(crate) const fn instead(&self) -> Option<Instead> {
        self.instead
    }

    pub(crate) const fn handled(&self) -> &Handled {
        &self.handled
    }

    /// The answer goes out with a body of which somebody sees to what becomes of it.
    pub(crate) fn delivered_by_a_body(self, length: Option<u64>) -> Delivery {
        Delivery::new(self.handled, self.record, self.status, length)
    }

    /// The answer did not go out, although it was there: nobody waited for it any more.
    pub(crate) fn dropped(self) {
        if let Some(record) = self.record {
            self.handled.lost(record, LostReason::Unanswered, Some(self.status), 0);
        }
    }
}

/// Why an answer was not given to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LostReason {
    /// Nobody waited for it any more when it was there.
    Unanswered,
    /// Nobody took the rest of its body.
    Dropped,
    /// Its body gave an error.
    Failed,
    /// Its body panicked.
    Panicked,
    /// It came to its end, and says there that the call has failed.
    #[cfg(feature = "tonic")]
    Status,
}

impl LostReason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Unanswered => "unanswered",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            #[cfg(feature = "tonic")]
            Self::Status => "status",
        }
    }
}

/// Whether a record says of the request that it was denied, failed or was cut short. One that says that something was
/// allowed does not: authentication may have left it, and what came after was refused.
fn accounts_for_a_failure(left: Left) -> bool {
    [left.call, left.event].into_iter().flatten().any(|record| record.ending != LeftEnding::Allowed)
}

fn code(verdict: &Verdict) -> Option<Code> {
    match verdict.outcome() {
        Outcome::Failure { code } => Some(code.clone()),
        _ => None,
    }
}

fn context(client: Client) -> AuditContext {
    let mut context = AuditContext::new().source(client.source).correlation_id(client.correlation_id);
    if let Some(id) = client.claimed_request_id {
        context = context.client_request_id(id);
    }
    if let Some(id) = client.trace_id {
        context = context.trace_id(id);
    }
    if let Some(id) = client.claimed_trace_id {
        context = context.client_trace_id(id);
    }
    context
}

/// The name of a method of the standards; any other is text of the client, which nobody has classified.
fn name(method: &str) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("<other>")
}

impl fmt::Debug for Handled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handled")
            .field("correlation_id", self.0.scope.correlation_id())
            .field("method", &self.0.method)
            .field("route", &self.route())
            .finish_non_exhaustive()
    }
}
