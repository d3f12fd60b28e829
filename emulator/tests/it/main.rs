//! Integration tests of the emulator: words in, words and samples out.

mod absent;
mod adex;
mod determinism;
mod links;
mod membrane;
mod mergers;
mod random;
mod routes;
mod support;
