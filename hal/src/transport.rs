//! Transport: words travel to an FPGA and back over lines that lose, double and reorder
//! (hal-config §4).
//!
//! The protocols are state machines without sockets, threads or clocks of their own: datagrams
//! and the time go in; datagrams, events and deadlines come out ([`Arq`]). [`HostArq`] is the
//! protocol between host and FPGA, [`HicannArq`] the one between FPGA and chip.
//!
//! Two drivers move them: [`Pair`] joins two machines in one process and keeps a time of its own,
//! [`Streams`] speaks UDP. Both pass every datagram through a [`FaultyLine`], which harms it with
//! the rates of [`Faults`], from a seed.
//!
//! On top of them a wafer can be far away: [`RemoteWafer`] is a [`Wafer`](crate::wafer::Wafer)
//! behind 48 streams, one per FPGA, and [`Server`] shows any wafer as 48 FPGAs. On the streams
//! travel, as on those of a real wafer,
//!
//! - HICANNCONFIG words, and the answers to those that read;
//! - playback words, and after the run trace words;
//! - FPGACONFIG words, each echoed by its FPGA: all FPGAs are primed, then told to wait for the
//!   master, whose start comes last and begins the experiment (hal-config §3.5);
//!
//! and packets of our own where a real wafer has other means or none: where words end, verdicts,
//! progress, counters and samples of the ADC.

pub mod window;

mod fault;
mod frame;
mod hicann_arq;
mod host_arq;
mod message;
mod pair;
mod parameters;
mod remote;
mod server;
mod transfer;
mod udp;

pub use fault::{Faults, FaultyLine};
pub use frame::{Datagram, Frame, FrameError, Packet, PacketType};
pub use hicann_arq::{HicannArq, HicannArqDead, HicannCommand, HicannPacket};
pub use host_arq::{ArqError, ArqEvent, HostArq, SendError};
pub use pair::Pair;
pub use parameters::{Limits, Parameters};
pub use remote::RemoteWafer;
pub use server::Server;
pub use udp::{StreamEvent, Streams, TransportError};

/// A time by the clock of a protocol: microseconds for [`HostArq`], ticks for [`HicannArq`]. The
/// zero is the driver's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ticks(pub u64);

impl Ticks {
    /// The time `ticks` later.
    #[must_use]
    pub const fn after(self, ticks: u64) -> Self {
        Self(self.0.saturating_add(ticks))
    }

    /// Ticks since an earlier time; 0 if it is not earlier.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// One end of a line that repeats what was lost ("automatic repeat request").
pub trait Arq {
    /// What travels on the line.
    type Datagram: Clone;

    /// Takes a datagram from the line. Whatever it holds, it does no harm.
    fn receive(&mut self, now: Ticks, datagram: &Self::Datagram);

    /// The next datagram to go out now. To be called until there is none.
    fn transmit(&mut self, now: Ticks) -> Option<Self::Datagram>;

    /// When [`transmit`](Self::transmit) has something to do although nothing is received or sent.
    fn deadline(&self) -> Option<Ticks>;
}
