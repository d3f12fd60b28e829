#![doc = include_str!("../README.md")]

pub mod archive;
pub mod check;
pub mod codec;
pub mod config;
pub mod coord;
pub mod defects;
pub mod description;
pub mod fpga;
pub mod jtag;
pub mod l1;
pub mod law;
pub mod playback;
pub mod trace;
pub mod transport;
pub mod value;
pub mod wafer;
