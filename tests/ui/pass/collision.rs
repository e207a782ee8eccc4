//! A recorder is not built where two places declare one action; what says `shared` at both may.

use audited::{AuditEvent, BuildError, MemorySink, Recorder, audited};

#[audited(action = "account.close")]
fn rest() {}

#[derive(AuditEvent)]
#[event(prefix = "account")]
enum AccountEvent {
    Close,
}

#[audited(action = "account.open", shared)]
fn open_by_rest(id: u64) -> u64 {
    id
}

#[audited(action = "account.open", shared)]
fn open_by_grpc(id: u64) -> u64 {
    id
}

fn main() {
    let built = Recorder::builder().sink(MemorySink::new()).build();
    let Err(BuildError::Collision { action, first, second }) = built else { panic!("it was built") };
    assert_eq!(action, "account.close");
    assert!(first.contains("AccountEvent::Close") && first.contains("collision.rs:8"), "{first}");
    assert!(second.contains("rest") && second.contains("collision.rs:5"), "{second}");
    if false {
        rest();
        let _ = (open_by_rest(1), open_by_grpc(1), AccountEvent::Close);
    }
}
