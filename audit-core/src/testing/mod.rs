//! For the tests of those who use `audited`.
//!
//! [`canary`] shows that nothing sensitive leaves: it plants a unique secret in every sensitive field of a value, runs
//! your code with it, and looks for those secrets in everything that was put out meanwhile: records, log lines,
//! `Debug`, errors. It finds them raw, in base64, in hex, escaped for URLs and for JSON, as lists of bytes, and every
//! part of six characters or more, less what the mode of a field declares to show.
//!
//! It does not pass for want of something to look at: where nothing was planted, or no record was left, it fails.
//!
//! What it does not see unless a test hands it over ([`CanaryReport::saw`]): what code writes to files and to the
//! standard output, what it logs on threads of its own or into a subscriber of its own, the text of panics, the
//! `Debug` of your types. What it cannot see: a secret that was digested without a key, encrypted, compressed, or cut
//! into parts of fewer than six characters; six to eleven digits in the midst of a time, an id or a hash, where they
//! stand by chance.

mod canary;
mod capture;
mod declared;
mod form;
mod listener;
mod places;
mod plant;
mod report;
mod scan;
mod secret;
mod stage;
mod tree;

pub use self::canary::{Canary, canary};
pub use self::capture::Place;
pub use self::form::Form;
pub use self::plant::Unplanted;
pub use self::report::{CanaryReport, Leak};
pub use self::secret::Secrets;
