//! The action of an audited function that names none: package, module path and function, dotted.

use crate::text;

/// Puts it together at compile time; the package is that of the crate which the attribute stands in.
#[doc(hidden)]
#[macro_export]
macro_rules! __derived_action {
    ($function:literal) => {{
        const LEN: usize =
            $crate::__private::derived_len(::core::env!("CARGO_PKG_NAME"), ::core::module_path!(), $function);
        const BYTES: [u8; LEN] =
            $crate::__private::derive(::core::env!("CARGO_PKG_NAME"), ::core::module_path!(), $function);
        match ::core::str::from_utf8(&BYTES) {
            ::core::result::Result::Ok(action) => action,
            ::core::result::Result::Err(_) => ::core::panic!("give this function an action: `action = \"noun.verb\"`"),
        }
    }};
}

/// The length of what [`derive`] gives.
pub const fn derived_len(package: &str, module: &str, function: &str) -> usize {
    let mut unused = [0; 1024];
    write(&mut unused, package, module, function)
}

/// `my-bank`, `my_bank::api::v1`, `transfer` → `my-bank.api.v1.transfer`
pub const fn derive<const LEN: usize>(package: &str, module: &str, function: &str) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    write(&mut bytes, package, module, function);
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
            let bytes: [u8; 64] = derive("my-bank", module, "transfer");
            let len = derived_len("my-bank", module, "transfer");
            String::from_utf8(bytes[..len].to_vec()).unwrap()
        };
        assert_eq!(derived("my_bank"), "my-bank.transfer");
        assert_eq!(derived("my_bank::api::v1"), "my-bank.api.v1.transfer");
        assert_eq!(derived("main_binary::r#in"), "my-bank.in.transfer");
    }
}
