//! Audited functions in a crate of the edition 2021.
#![cfg(test)]

#[path = "../shapes.rs"]
mod shapes;
