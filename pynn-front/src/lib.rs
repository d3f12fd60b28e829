#![doc = include_str!("../README.md")]

pub mod cli;
pub mod defects;
pub mod experiment;
pub mod export;
pub mod figure;
pub mod model;
pub mod networks;
pub mod parameter;
pub mod random;
pub mod realise;
pub mod recording;
pub mod report;
pub mod run;
pub mod statistics;
pub mod stimulus;
pub mod wafer;
