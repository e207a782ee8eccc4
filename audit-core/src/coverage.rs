//! Whether a request left a record.

mod tally;

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use pin_project_lite::pin_project;

pub(crate) use self::tally::Tally;
pub use self::tally::{Left, LeftEnding, LeftRecord};
use crate::action::Action;
use crate::correlation::CorrelationId;
use crate::record::{Draft, Kind};
use crate::recorder::{Ambient, Recorder, Scoped, scoped_to_tally, surrounding_context};
use crate::sensitive::Redaction;

/// What a request left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Coverage {
    /// Nothing: nobody can say later that it was there.
    Unaudited,
    /// Nothing, and that is meant: a function with `#[not_audited]` ran. So the mark belongs on handlers: on a helper that
    /// many of them call it would excuse them all.
    Exempt,
    /// At least one record, or a loss that is counted.
    Audited,
}

impl Coverage {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unaudited => "UNAUDITED",
            Self::Exempt => "exempt",
            Self::Audited => "audited",
        }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Notes what happens here in the scope of [`covered`], if there is one.
pub fn note_exempt() {
    if let Some(tally) = Ambient::current().tally {
        tally.note(Coverage::Exempt);
    }
}

/// Runs the handling of a request, and says besides its answer whether it left a record. Tasks that it spawns count
/// while it runs, if they are carried ([`carry`](crate::carry)).
///
/// In a middleware, around everything that can answer:
///
/// ```
/// # use audit_core as audited;
/// use audited::{Coverage, Recorder, covered, report_unaudited};
///
/// # async fn handle() -> u16 { 200 }
/// # async fn middleware() -> u16 {
/// let (answer, coverage) = covered(handle()).await;
/// if coverage == Coverage::Unaudited {
///     report_unaudited("GET", "/accounts/{id}");
/// }
/// answer
/// # }
/// ```
///
/// A service that asks for strictness answers with an error of its own instead. The features `tower` and `axum` of
/// `audited` have a layer that does all that.
pub fn covered<F: IntoFuture>(future: F) -> Covered<F::IntoFuture> {
    covered_by(Arc::new(Tally::default()), future.into_future())
}

/// The same of the future that a call returns, such as that of a service: what the call itself leaves, before that
/// future is polled, counts as well.
pub fn covered_call<F: Future>(call: impl FnOnce() -> F) -> Covered<F> {
    let tally = Arc::new(Tally::default());
    let (mut call, mut future) = (Some(call), None);
    let calling = poll_fn(|_| {
        future = call.take().map(|call| call());
        Poll::Ready(())
    });
    // It waits for nothing.
    let called = pin!(scoped_to_tally(tally.clone(), calling)).poll(&mut Context::from_waker(Waker::noop()));
    match (called, future) {
        (Poll::Ready(()), Some(future)) => covered_by(tally, future),
        _ => unreachable!("a call waits for nothing"),
    }
}

fn covered_by<F: Future>(tally: Arc<Tally>, future: F) -> Covered<F> {
    Covered { scoped: scoped_to_tally(tally.clone(), future), tally, around: Ambient::current().tally }
}

pin_project! {
    /// The future of an answer and its [`Coverage`]: what [`covered`] returns.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Covered<F> {
        #[pin]
        scoped: Scoped<F>,
        tally: Arc<Tally>,
        // Who asks around this one: what is left here is left there too.
        around: Option<Arc<Tally>>,
    }
}

impl<F> Covered<F> {
    /// What was left so far.
    pub fn coverage(&self) -> Coverage {
        self.tally.coverage()
    }
}

impl<F: Future> Future for Covered<F> {
    type Output = (F::Output, Coverage);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let output = ready!(this.scoped.poll(cx));
        let coverage = this.tally.coverage();
        if let Some(around) = this.around {
            around.note(coverage);
        }
        Poll::Ready((output, coverage))
    }
}

impl<F> fmt::Debug for Covered<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Covered").field("coverage", &self.tally.coverage()).finish_non_exhaustive()
    }
}

/// Leaves a record, `audit.unaudited`, that a request left none; without waiting for its acknowledgement. It is stamped
/// with the context around it, if there is one: call it where that is the request's, and it says who asked, and by which
/// correlation id the request is found.
///
/// The route is the pattern that matched, not the path: that may hold what nobody has classified.
pub fn report_unaudited(method: &str, route: &str) {
    let core = Recorder::current().into_core();
    let context = surrounding_context();
    let mut draft = Draft::new(Action::new("audit.unaudited"), Kind::System);
    draft.detail.add(Redaction::default(), &mut |fields| {
        fields.plain("method", method);
        fields.plain("route", route);
    });
    let correlation_id =
        context.as_ref().and_then(|context| context.correlation_id.as_ref()).map(CorrelationId::as_str);
    tracing::warn!(target: "audited", method, route, correlation_id, "a request left no audit record");
    drop(core.submit_system(&draft, context.as_deref()));
}

/// What each of a list of routes leaves: for a test that walks all of them.
///
/// ```
/// # use audit_core as audited;
/// use audited::CoverageTable;
///
/// # async fn send(request: &str) {}
/// # async fn test() {
/// let mut table = CoverageTable::new();
/// for route in ["GET /healthz", "POST /accounts/{id}/transfers"] {
///     table.visit(route, send(route)).await;
/// }
/// table.assert_covered();
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct CoverageTable {
    routes: BTreeMap<String, Coverage>,
}

impl CoverageTable {
    /// A table without routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends a request to a route, and notes what it leaves. Of several to one route the least counts.
    pub async fn visit<F: IntoFuture>(&mut self, route: impl Into<String>, request: F) -> F::Output {
        let (answer, coverage) = covered(request).await;
        let noted = self.routes.entry(route.into()).or_insert(coverage);
        *noted = coverage.min(*noted);
        answer
    }

    /// The routes and what they leave, sorted.
    pub fn routes(&self) -> impl Iterator<Item = (&str, Coverage)> {
        self.routes.iter().map(|(route, coverage)| (route.as_str(), *coverage))
    }

    /// # Panics
    ///
    /// Where a route left nothing and is not exempt: with the table.
    #[track_caller]
    pub fn assert_covered(&self) {
        let unaudited = self.routes().filter(|(_, coverage)| *coverage == Coverage::Unaudited).count();
        assert!(
            unaudited == 0,
            "{unaudited} of {} routes left no record: audit their handlers, or say `#[not_audited(reason = …)]`\n\n{self}",
            self.routes.len()
        );
    }
}

impl fmt::Display for CoverageTable {
    /// One route a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.routes.keys().map(|route| route.chars().count()).max().unwrap_or_default();
        self.routes().try_for_each(|(route, coverage)| writeln!(f, "{route:<width$}  {coverage}"))
    }
}
