//! For the tests of those who use `audited`; `audited::testing` says what it is for.

mod canary;
mod capture;
mod contract;
mod declared;
mod faithful;
mod form;
mod listener;
mod places;
mod plant;
mod report;
mod scan;
mod secret;
mod stage;
mod store_contract;
mod tree;

pub use self::canary::{Canary, canary};
pub use self::capture::Place;
pub use self::contract::{SinkCase, SinkUnderTest, SinkViolation, sink_contract, sink_violations};
pub use self::faithful::{Faithful, faithful};
pub use self::form::Form;
pub use self::plant::Unplanted;
pub use self::report::{CanaryReport, Leak};
pub use self::secret::Secrets;
#[doc(hidden)]
pub use self::store_contract::made;
pub use self::store_contract::{StoreCase, StoreUnderTest, store_contract, store_violations};
