//! Tests of the mapper and of its verifier.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod firing;
mod map;
mod modes;
mod networks;
mod order;
mod original;
mod plasticity;
mod property;
mod requests;
mod reuse;
mod routing;
mod verify;
mod wafers;
