//! Audited functions in a crate of the edition 2018.
#![cfg(test)]

#[path = "../shapes.rs"]
mod shapes;
