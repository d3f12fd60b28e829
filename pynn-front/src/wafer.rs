//! The wafer of a run: emulated here, or by a server elsewhere.

use std::net::SocketAddr;

use emulator::{Emulator, Settings};
use hal::transport::{Faults, RemoteWafer};
use hal::wafer::{Pulses, Wafer, WaferError};

/// A wafer in reset, wherever it is.
#[derive(Debug)]
pub enum AnyWafer {
    /// Emulated in this process.
    Here(Box<Emulator>),
    /// Behind a server (`bss1 serve-wafer`), which has its own settings.
    Remote(Box<RemoteWafer>),
}

impl AnyWafer {
    /// The wafer at this address, or one with these settings if there is no address.
    pub fn new(settings: Settings, remote: Option<SocketAddr>) -> Result<Self, WaferError> {
        Ok(match remote {
            None => Self::Here(Box::new(Emulator::new(settings))),
            Some(address) => Self::Remote(Box::new(RemoteWafer::connect(address, Faults::NONE)?)),
        })
    }

    /// The wafer itself.
    pub fn wafer(&mut self) -> &mut dyn Wafer {
        match self {
            Self::Here(wafer) => wafer.as_mut(),
            Self::Remote(wafer) => wafer.as_mut(),
        }
    }

    /// The pulses of the last run as they were released at the wafer's edge. Only an emulator in
    /// this process knows them.
    pub fn released_stimulus(&self) -> Option<Pulses> {
        match self {
            Self::Here(wafer) => Some(wafer.released_stimulus()),
            Self::Remote(_) => None,
        }
    }
}
