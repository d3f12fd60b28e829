//! Integration tests: configurations by hand, mutations, and the pipeline as a whole.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod analog_vectors;
mod bounds;
mod calibration;
mod equality;
mod experiment;
mod functional;
mod hand;
mod learning;
mod mapping_commands;
mod mutation;
mod network;
mod networks;
mod pictures;
mod pipeline;
mod plasticity;
mod program;
mod recipes;
mod reference;
mod serve;
mod session;
mod spike_file;
mod spike_times;
mod sweep;
mod wafers;
