use audited::{AuditEvent, EventView, Seen, StoredRecord};
use serde::Serialize;

#[derive(AuditEvent)]
#[event(prefix = "user", view = "UserView")]
enum Value {
    Created,
}

#[derive(AuditEvent)]
#[event(prefix = "user", view("Debug"))]
enum Literal {
    #[event(view)]
    Created,
}

#[derive(AuditEvent)]
#[event(prefix = "user", view)]
enum Generic<'a, T> {
    Created(&'a T),
}

#[derive(Serialize, AuditEvent)]
#[event(prefix = "user", view)]
enum Shapes {
    Flat {
        #[serde(flatten)]
        #[sensitive]
        flat: String,
    },
    Function {
        #[serde(with = "function")]
        #[sensitive(plain)]
        written: u64,
    },
}

mod function {
    pub fn serialize<S: serde::Serializer>(_: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_none()
    }
}

fn view<E: EventView>(_: &StoredRecord) {}

fn read(stored: &StoredRecord, flat: Seen<String>) {
    // Nothing follows from the mistakes above.
    view::<Shapes>(stored);
    let _ = ShapesView::Flat { flat };
}

fn main() {}
