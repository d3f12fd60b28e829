#![doc = include_str!("../README.md")]

pub mod archive;
pub mod config;
pub mod coord;
pub mod value;
pub mod wafer;
