#![doc = include_str!("../README.md")]

pub mod calibration;
pub mod cli;
pub mod compare;
pub mod defects;
pub mod described;
pub mod experiment;
pub mod export;
pub mod figure;
pub mod model;
pub mod networks;
pub mod parameter;
pub mod picture;
#[cfg(feature = "python")]
mod python;
pub mod random;
pub mod realise;
pub mod recording;
pub mod reference;
pub mod report;
pub mod run;
pub mod session;
pub mod spike_file;
pub mod statistics;
pub mod stimulus;
pub mod trim;
pub mod wafer;
