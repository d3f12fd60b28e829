//! Integration tests of the crate.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cell;
mod database;
mod fit;
mod gmax;
mod invariants;
mod killed;
mod transformation;
mod vectors;
