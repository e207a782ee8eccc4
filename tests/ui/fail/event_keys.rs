use audited::AuditEvent;

#[derive(AuditEvent)]
#[event(prefx = "user")]
#[event(prefix = "user", prefix = "person")]
enum OnTheEnum {
    #[event(prefix = "x")]
    Created,
    #[event(acton = "user.moved")]
    Moved,
    #[event(action = 7)]
    Seven,
    #[event]
    Bare,
    Field {
        #[event(action = "x")]
        id: u64,
    },
}

#[derive(AuditEvent)]
#[event(action = "user.created")]
enum Action {
    Created,
}

fn main() {}
