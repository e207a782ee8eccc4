//! Default-deny dispatch, each check of which is on record before its caller is answered.

pub(crate) mod decision;
pub(crate) mod dispatch;
pub(crate) mod names;
pub(crate) mod principal;
pub(crate) mod row;
