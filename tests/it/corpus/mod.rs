//! The corpus: every shape of type that serde knows, under every mark, through the canary harness.
//!
//! Each shape is written once, in a macro that takes the mark. A mode is a module of all of them: the test
//! `corpus::hash::map_keys` is of the shape `map_keys` under `#[sensitive(hash)]`. Under `plain`, and where no mark is
//! needed, the record is what `serde_json` writes, to the byte.

#![allow(dead_code, unused_imports)]
#![allow(clippy::pedantic, clippy::type_complexity, reason = "the shapes are what users write, not what we would")]

#[macro_use]
mod shape;
#[macro_use]
mod calls;
#[macro_use]
mod containers;
#[macro_use]
mod enums;
#[macro_use]
mod flattened;
#[macro_use]
mod free_keys;
#[macro_use]
mod generics;
#[macro_use]
mod misbehaving;
#[macro_use]
mod structs;
#[macro_use]
mod values;

mod controls;
mod driver;
mod foreign;
mod identities;
mod properties;
mod same;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use audited::testing::Secrets;
use audited::{AuditEvent, Deny, Mode, Sensitive, audited, record};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use driver::{Case, Made, Planting};
use foreign::*;

/// Every shape whose fields are classified by a mark, or by what they are if that is a number.
macro_rules! all_shapes {
    ($kind:ident, $($mark:tt)*) => {
        structs!($kind, $($mark)*);
        generics!($kind, $($mark)*);
        enums!($kind, $($mark)*);
        containers!($kind, $($mark)*);
        flattened!($kind, $($mark)*);
    };
}

/// Every shape under one mark, which hides something.
macro_rules! corpus {
    ($module:ident, $kind:ident, $mode:expr, $($mark:tt)*) => {
        mod $module {
            use super::*;

            /// What stands in the marked fields, where the shape does not say.
            type Leaf = String;

            const MODE: Mode = $mode;

            fn check(case: &Case) {
                driver::leaks_nothing(case, MODE);
            }

            all_shapes!($kind, $($mark)*);
            values!($kind, $($mark)*);
            free_keys!($kind, $($mark)*);
            misbehaving!(marked, $($mark)*);
            calls!($($mark)*);
        }
    };
}

corpus!(drop, read, Mode::Drop, sensitive);
corpus!(hash, marked, Mode::Hash, sensitive(hash));
corpus!(mask_first, marked, Mode::Mask { first: 6, last: 0 }, sensitive(mask(first = 6)));
corpus!(mask_last, marked, Mode::Mask { first: 0, last: 6 }, sensitive(mask(last = 6)));
corpus!(mask_both, marked, Mode::Mask { first: 6, last: 6 }, sensitive(mask(first = 6, last = 6)));
corpus!(truncate, marked, Mode::Truncate(8), sensitive(truncate(8)));
corpus!(len, marked, Mode::Len, sensitive(len));
corpus!(present, marked, Mode::Present, sensitive(present));
corpus!(with, marked, Mode::Custom("Withheld"), sensitive(with = Withheld));

/// Every shape with its marked fields shown.
mod plain {
    use super::*;

    type Leaf = String;

    use super::same::as_serde_writes_it as check;

    all_shapes!(shown, sensitive(plain, reason = "compared with what serde writes"));
    values!(shown, sensitive(plain, reason = "compared with what serde writes"));
    free_keys!(shown, sensitive(plain, reason = "compared with what serde writes"));
}

/// Every shape whose fields are classified without a mark.
mod unmarked {
    use super::*;

    type Leaf = u64;

    use super::same::as_serde_writes_it as check;

    all_shapes!(shown, allow(unused));
}
