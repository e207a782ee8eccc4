//! What the attribute cannot stand on: one error each, and the item is still there.

use audited::audited;

#[audited]
const fn constant() -> u32 {
    1
}

trait Shelf {
    #[audited(action = "shelf.take")]
    fn take(&self) -> u32;
}

#[audited]
struct Book;

#[audited]
impl Book {
    fn open(&self) {}
}

/// A comment before it.
#[audited]
enum Page {
    First,
}

#[audited]
mod pages {
    pub fn turn() {}
}

#[audited]
macro_rules! one {
    () => {
        1
    };
}

fn main() {
    let _: u32 = constant();
    let _ = <dyn Shelf>::take;
    Book.open();
    let _ = Page::First;
    pages::turn();
    let _ = one!();
}
