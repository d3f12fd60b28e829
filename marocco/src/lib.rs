#![doc = include_str!("../README.md")]

pub mod mapping;
pub mod network;
