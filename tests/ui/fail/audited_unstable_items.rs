//! What the language does not take either.

use audited::audited;

#[audited]
unsafe extern "C" fn variadic(first: u32, _: ...) -> u32 {
    first
}

fn main() {
    let closure = #[audited]
    |number: u32| number + 1;
    let _ = closure(1);
}
