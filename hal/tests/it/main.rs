//! The specification of the crate: published vectors, invariants of the wafer, and round trips.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod archive;
mod check;
mod configs;
mod coordinates;
mod defects;
mod description;
mod fpga;
mod fuzz;
mod hal_invariants;
mod invariants;
mod l1;
mod playback;
mod reads;
mod roundtrip;
mod shortcuts;
mod stateful;
mod stream;
mod topology;
mod trace;
mod transport;
mod vectors;
