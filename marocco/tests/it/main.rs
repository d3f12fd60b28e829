//! Tests of the mapper and of its verifier.

mod map;
mod networks;
mod verify;
