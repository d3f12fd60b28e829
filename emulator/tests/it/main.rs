//! Integration tests of the emulator: words in, words and samples out.

mod absent;
mod adex;
mod circuits;
mod defects;
mod determinism;
mod events;
mod links;
mod long_run;
mod membrane;
mod mergers;
mod plasticity;
mod random;
mod routes;
mod silicon;
mod support;
