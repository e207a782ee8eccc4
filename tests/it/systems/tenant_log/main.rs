//! The security log of a backend with many tenants: each line of what it promises is the name of a test.
//!
//! A program of its own: one of its actions has the name of another system's, and one program cannot have both.

#[path = "../../../../examples/tenant_log/log.rs"]
mod log;
#[path = "../../../../examples/tenant_log/server.rs"]
mod server;
#[path = "../service.rs"]
mod service;

mod asking;
mod backend;
mod recording;

use std::future::Future;
use std::sync::Arc;

use audited::{Actor, ActorId, AuditContext, AuditStore, KeyRing, MemoryStore, Reader, Recorder, TenantId};

use self::log::Row;

/// A log, on one of the backends.
struct Log {
    store: Arc<dyn AuditStore>,
    recorder: Recorder,
    /// What lives as long.
    _folder: tempfile::TempDir,
}

impl Log {
    fn on(store: impl FnOnce(&tempfile::TempDir) -> Arc<dyn AuditStore>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let keys = KeyRing::new("2026", [7; 32]).unwrap();
        let builder = Recorder::builder().sink(store.clone()).keys(keys).allow_weak_fail_closed();
        Self { recorder: builder.build().unwrap(), store, _folder: folder }
    }

    fn in_memory() -> Self {
        Self::on(|_| Arc::new(MemoryStore::new()))
    }

    /// The same log on each backend.
    fn on_each() -> Vec<Self> {
        vec![
            Self::in_memory(),
            #[cfg(feature = "sqlite")]
            Self::on(|folder| Arc::new(audited::SqliteStore::open(folder.path().join("audit.db")).unwrap())),
        ]
    }

    fn tenant(&self, tenant: &str) -> Reader {
        self.store.tenant(tenant).unrecorded()
    }

    fn global(&self) -> Reader {
        self.store.global("test").unrecorded()
    }
}

/// Who acts in which tenant.
fn within(tenant: &str, actor: &str) -> AuditContext {
    AuditContext::new().tenant(TenantId::plain(tenant)).actor(Actor::user(ActorId::plain(actor)))
}

fn actions(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| &*row.action).collect()
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
