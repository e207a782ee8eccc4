//! Identities that are shown as hashes alone, wherever a record has one.

use audited::{
    Action, Actor, ActorId, AuditContext, Encoder, Mode, Resource, ResourceId, Sensitive, SessionId, Subject,
    SubjectId, TenantId, record_action, with_context_sync,
};

use super::driver::{self, Planting};

fn check(make: fn(&mut Planting<'_>) -> Box<dyn Fn()>) {
    driver::code_leaks_nothing(make, Mode::Hash);
}

#[test]
fn of_a_record() {
    check(|p| {
        let actor = Actor::user(ActorId::hash(p.leaf::<String>("actor")));
        let subject = Subject::user(SubjectId::hash(p.leaf::<String>("subject")));
        let resource = Resource::new("account", ResourceId::hash(p.leaf::<String>("resource")));
        Box::new(move || {
            tracing::info!(?actor, ?subject, ?resource, "known by hash alone");
            let record = record_action(Action::new("corpus.identity"));
            let record = record.actor(actor.clone()).subject(subject.clone()).resource(resource.clone());
            record.wait().unwrap();
        })
    });
}

#[test]
fn of_the_context() {
    check(|p| {
        let context = AuditContext::new()
            .actor(Actor::user(ActorId::hash(p.leaf::<String>("actor"))))
            .on_behalf_of(Actor::user(ActorId::hash(p.leaf::<String>("principal"))))
            .called_by(Actor::service(ActorId::hash(p.leaf::<String>("caller"))))
            .subject(Subject::user(SubjectId::hash(p.leaf::<String>("subject"))))
            .tenant(TenantId::hash(p.leaf::<String>("tenant")))
            .session(SessionId::new(p.leaf::<String>("session")));
        Box::new(move || {
            tracing::info!(?context, "known by hash alone");
            with_context_sync(context.clone(), || record_action(Action::new("corpus.identity")).wait().unwrap());
        })
    });
}

/// An identity as a field of a payload.
#[derive(Sensitive)]
#[sensitive(debug)]
struct Payload {
    actor: ActorId,
    sessions: Vec<SessionId>,
    tenant: Option<TenantId>,
    marked: Marked,
}

/// One that is marked by hand.
struct Marked(String);

impl Sensitive for Marked {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.hashed(&self.0);
    }
}

#[test]
fn of_a_payload() {
    check(|p| {
        let payload = Payload {
            actor: ActorId::hash(p.leaf::<String>("actor")),
            sessions: vec![SessionId::new(p.leaf::<String>("session"))],
            tenant: Some(TenantId::hash(p.leaf::<String>("tenant"))),
            marked: Marked(p.leaf("marked")),
        };
        Box::new(move || {
            tracing::info!(?payload, "known by hash alone");
            record_action(Action::new("corpus.identity")).field("payload", &payload).wait().unwrap();
        })
    });
}
