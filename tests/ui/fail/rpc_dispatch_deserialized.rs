//! Nobody makes a principal of the example from JSON.
#![allow(dead_code)]

#[path = "../../../examples/rpc_dispatch/framework/mod.rs"]
mod framework;

fn deserialized<T: for<'de> serde::Deserialize<'de>>() {}

fn main() {
    deserialized::<framework::principal::Principal>();
}
