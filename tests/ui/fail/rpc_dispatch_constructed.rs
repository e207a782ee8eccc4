//! Nobody but the sessions of the example makes a principal from an account.
#![allow(dead_code)]

#[path = "../../../examples/rpc_dispatch/framework/mod.rs"]
mod framework;

use framework::principal::{Account, Principal};

fn constructed(account: Account) -> Principal {
    Principal { account }
}

fn main() {}
