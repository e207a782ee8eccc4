//! The dispatch: a call is denied unless something says that it may pass, and answered when its record is acknowledged.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use audited::{
    Actor, ActorId, CorrelationId, Deny, RecordBuilder, Resource, ResourceId, Source, Verdict, record, with_context,
};
use serde_json::Value;

use super::decision::{DenyReason, DispatchEvent, WireError};
use super::names::{MethodPath, Scope, SessionId};
use super::principal::{Principal, Sessions};

/// What comes over the wire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call {
    pub(crate) token: Option<String>,
    pub(crate) method: String,
    /// Whose data it is about.
    pub(crate) tenant: String,
    pub(crate) params: Value,
    pub(crate) source: Source,
    pub(crate) correlation_id: Option<CorrelationId>,
}

/// A method. Without a scope nobody may call it.
pub(crate) struct Method {
    scope: Option<Scope>,
    critical: bool,
    calls_a_session: u32,
    target: Target,
}

enum Target {
    Here(Handler),
    There(Arc<Dispatcher>, ForwardPolicy),
}

type Handler = Box<dyn Fn(Value) -> Answering + Send + Sync>;
type Answering = Pin<Box<dyn Future<Output = Result<Value, WireError>> + Send>>;

/// As whom another service is called.
pub(crate) struct ForwardPolicy {
    pub(crate) name: &'static str,
    pub(crate) derivation: Derivation,
}

pub(crate) enum Derivation {
    /// As the caller, with all scopes.
    Originator,
    /// As the caller, with no more than these.
    Narrowed(Vec<Scope>),
}

impl Method {
    /// A method that runs here.
    pub(crate) fn new<A>(handler: impl Fn(Value) -> A + Send + Sync + 'static) -> Self
    where
        A: Future<Output = Result<Value, WireError>> + Send + 'static,
    {
        Self::of(Target::Here(Box::new(move |params| Box::pin(handler(params)))))
    }

    /// A method of another service.
    pub(crate) fn forward(service: Arc<Dispatcher>, policy: ForwardPolicy) -> Self {
        Self::of(Target::There(service, policy))
    }

    fn of(target: Target) -> Self {
        Self { scope: None, critical: false, calls_a_session: u32::MAX, target }
    }

    pub(crate) fn scope(mut self, scope: &str) -> Self {
        self.scope = Some(Scope::new(scope));
        self
    }

    /// Does not run unless the record of its check is acknowledged.
    pub(crate) fn critical(mut self) -> Self {
        self.critical = true;
        self
    }

    pub(crate) fn calls_a_session(mut self, calls: u32) -> Self {
        self.calls_a_session = calls;
        self
    }
}

/// A service: its name among others, who may come, what they may call.
pub(crate) struct Dispatcher {
    namespace: &'static str,
    sessions: Sessions,
    methods: HashMap<MethodPath, Method>,
    calls: Mutex<HashMap<(SessionId, MethodPath), u32>>,
}

impl Dispatcher {
    pub(crate) fn new(
        namespace: &'static str,
        sessions: Sessions,
        methods: impl IntoIterator<Item = (&'static str, Method)>,
    ) -> Self {
        let methods = methods.into_iter();
        let methods = methods.map(|(path, method)| (path.parse().expect("the path of a method"), method)).collect();
        Self { namespace, sessions, methods, calls: Mutex::default() }
    }

    /// Answers a call. The answer says that it was denied, and no more.
    pub(crate) async fn dispatch(&self, call: Call) -> Result<Value, WireError> {
        let principal = self.sessions.verify(call.token.as_deref());
        self.answer(call, principal, Vec::new()).await
    }

    async fn answer(
        &self,
        mut call: Call,
        principal: Result<Principal, DenyReason>,
        chain: Vec<&'static str>,
    ) -> Result<Value, WireError> {
        let id = call.correlation_id.get_or_insert_with(CorrelationId::random).clone();
        let mut context = principal.as_ref().map(Principal::context).unwrap_or_default();
        context = context.source(call.source.clone()).correlation_id(id);
        for service in &chain {
            context = context.called_by(Actor::service(ActorId::plain(*service)));
        }
        with_context(context, self.check_and_run(call, principal, chain)).await
    }

    async fn check_and_run(
        &self,
        mut call: Call,
        principal: Result<Principal, DenyReason>,
        mut chain: Vec<&'static str>,
    ) -> Result<Value, WireError> {
        let began = Instant::now();
        let path: Option<MethodPath> = call.method.parse().ok();
        let method = path.as_ref().and_then(|path| self.methods.get(path));
        let checked = self.check(&call, principal, path.as_ref(), method);
        let event = DispatchEvent::ScopeCheck {
            scope_required: method.and_then(|method| method.scope.as_ref()),
            malformed_path: path.is_none().then_some(&*call.method),
        };
        let verdict = checked.as_ref().map_or_else(Deny::deny, |_| Verdict::success());
        let recorded = about(record(&event).verdict(verdict).latency(began.elapsed()), path.as_ref()).await;
        let (principal, method) = checked.map_err(|_| WireError::Denied)?;
        if method.critical && recorded.is_err() {
            return Err(WireError::Unavailable);
        }
        let (service, policy) = match &method.target {
            Target::Here(handler) => return handler(call.params).await,
            Target::There(service, policy) => (service, policy),
        };
        let (derivation, principal) = match &policy.derivation {
            Derivation::Originator => ("originator", principal),
            Derivation::Narrowed(scopes) => ("narrowed", principal.narrowed(scopes)),
        };
        let event =
            DispatchEvent::ForwardPolicyApplied { policy_name: policy.name, derivation, caller_ns: self.namespace };
        let recorded = about(record(&event).verdict(Verdict::success()), path.as_ref()).await;
        if method.critical && recorded.is_err() {
            return Err(WireError::Unavailable);
        }
        chain.push(self.namespace);
        call.token = None;
        Box::pin(service.answer(call, Ok(principal), chain)).await
    }

    /// Whether a call may pass: nobody may who is not let in here.
    fn check<'m>(
        &self,
        call: &Call,
        principal: Result<Principal, DenyReason>,
        path: Option<&MethodPath>,
        method: Option<&'m Method>,
    ) -> Result<(Principal, &'m Method), DenyReason> {
        let path = path.ok_or(DenyReason::Other)?;
        let principal = principal?;
        if !principal.owns(&call.tenant) {
            return Err(DenyReason::TenantBoundary);
        }
        let method = method.ok_or(DenyReason::NotAccepted)?;
        let scope = method.scope.as_ref().ok_or(DenyReason::NotAccepted)?;
        if !principal.may(scope) {
            return Err(DenyReason::MissingScope);
        }
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = calls.entry((principal.session().clone(), path.clone())).or_default();
        *calls = calls.saturating_add(1);
        if *calls > method.calls_a_session { Err(DenyReason::RateLimited) } else { Ok((principal, method)) }
    }
}

/// A record about a method, where there is one.
fn about<'e>(record: RecordBuilder<'e>, path: Option<&MethodPath>) -> RecordBuilder<'e> {
    match path {
        Some(path) => record.resource(Resource::new("method", ResourceId::plain(path.to_string()))),
        None => record,
    }
}
