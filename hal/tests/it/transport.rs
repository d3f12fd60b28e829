//! Transport: what travels arrives, once and in order, or there is an error in time.

mod hicann;
mod host;
mod remote;
mod streams;
