//! The action of an audited function that names none: package, module path and function, dotted.

use crate::action::{MAX_ACTION_LEN, is_valid};
use crate::text;

/// Puts the text of its site together at compile time, of what stands before the action and what stands behind it; the
/// package is that of the crate which the attribute stands in.
#[doc(hidden)]
#[macro_export]
macro_rules! __derived_site {
    ($function:literal, $before:expr, $behind:expr) => {{
        const BEHIND: &str = $behind;
        const ACTION: ([u8; 128], usize) =
            $crate::__private::derive(::core::env!("CARGO_PKG_NAME"), ::core::module_path!(), $function);
        const LEN: usize = $before.len() + ACTION.1 + BEHIND.len();
        const BYTES: [u8; LEN] = $crate::__private::derived_site($before, &ACTION, BEHIND);
        match ::core::str::from_utf8(&BYTES) {
            ::core::result::Result::Ok(text) => text,
            ::core::result::Result::Err(_) => ::core::panic!("give this function an action: `action = \"noun.verb\"`"),
        }
    }};
}

/// `my-bank`, `my_bank::api::v1`, `transfer` → `my-bank.api.v1.transfer`, and its length.
pub const fn derive(package: &str, module: &str, function: &str) -> ([u8; MAX_ACTION_LEN], usize) {
    let mut bytes = [0; MAX_ACTION_LEN];
    let len = write(&mut bytes, package, module, function);
    let Ok(action) = str::from_utf8(bytes.split_at(len).0) else { panic!("a derived action is text") };
    assert!(is_valid(action), "no action can be derived here: give one, `action = \"noun.verb\"`");
    (bytes, len)
}

/// The text of a site with a derived action.
pub const fn derived_site<const LEN: usize>(
    before: &str,
    action: &([u8; MAX_ACTION_LEN], usize),
    behind: &str,
) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    let (head, rest) = bytes.split_at_mut(before.len());
    head.copy_from_slice(before.as_bytes());
    let (middle, rest) = rest.split_at_mut(action.1);
    middle.copy_from_slice(action.0.split_at(action.1).0);
    rest.copy_from_slice(behind.as_bytes());
    bytes
}

const fn write(out: &mut [u8], package: &str, module: &str, function: &str) -> usize {
    let mut len = push(out, 0, package.as_bytes());
    let module = module.as_bytes();
    let mut at = 0;
    // The first segment is the crate, which the package stands for.
    while at < module.len() && module[at] != b':' {
        at += 1;
    }
    while at < module.len() {
        if module[at] == b':' {
            len = push(out, len, b".");
            at += 2;
            // A raw module name reads without its mark.
            if at + 1 < module.len() && module[at] == b'r' && module[at + 1] == b'#' {
                at += 2;
            }
        } else {
            len = push(out, len, &[module[at]]);
            at += 1;
        }
    }
    len = push(out, len, b".");
    push(out, len, function.as_bytes())
}

const fn push(out: &mut [u8], len: usize, bytes: &[u8]) -> usize {
    assert!(bytes.len() <= out.len() - len, "the derived action is too long: give one, `action = \"noun.verb\"`");
    text::push(out, len, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_stands_for_the_crate() {
        let derived = |module| {
            let (bytes, len) = derive("my-bank", module, "transfer");
            String::from_utf8(bytes[..len].to_vec()).unwrap()
        };
        assert_eq!(derived("my_bank"), "my-bank.transfer");
        assert_eq!(derived("my_bank::api::v1"), "my-bank.api.v1.transfer");
        assert_eq!(derived("main_binary::r#in"), "my-bank.in.transfer");
    }
}
