//! A future is as `Send` as its body lets it be, and what forbids it is shown in the body.

use std::rc::Rc;

use audited::audited;

#[audited]
async fn holds(number: u32) -> u32 {
    let shared = Rc::new(number);
    std::future::ready(()).await;
    *shared
}

#[audited]
async fn takes(shared: Rc<u32>) -> u32 {
    std::future::ready(()).await;
    *shared
}

fn spawn(_: impl Future + Send) {}

fn main() {
    spawn(holds(1));
    spawn(takes(Rc::new(1)));
}
