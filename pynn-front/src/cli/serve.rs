//! `bss1 serve-wafer`.

use std::net::IpAddr;
use std::sync::atomic::AtomicBool;

use emulator::Emulator;
use hal::coord::FpgaOnWafer;
use hal::transport::{Faults, Server, TransportError};
use serde_json::{Value, json};

use super::console::{Console, say};
use super::{Failure, Machine};

/// Serves until the process is ended. The answer for scripts comes when hosts can connect.
pub(super) fn serve(
    console: &Console,
    machine: &Machine,
    address: IpAddr,
    port: u16,
    faults: Faults,
) -> Result<Value, Failure> {
    let server = Server::bind(address, port, faults).map_err(|error| match error {
        TransportError::Io { .. } | TransportError::NoPorts { .. } => Failure::request(error),
        _ => Failure::other(error),
    })?;
    let first = server.address();
    say(&format!(
        "the wafer is at {first}: {} FPGAs, this port and those that follow; end with ctrl-C",
        FpgaOnWafer::SIZE
    ));
    let ready = json!({ "address": first.to_string(), "fpgas": FpgaOnWafer::SIZE });
    console.answer(&ready);
    let settings = machine.settings();
    let wafer = || {
        say("a host has connected; its wafer is in reset");
        Emulator::new(settings)
    };
    server.serve(wafer, &AtomicBool::new(false)).map_err(Failure::other)?;
    Ok(ready)
}
