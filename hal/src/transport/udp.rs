//! The driver for UDP: one thread moves the streams of all 48 FPGAs.

mod link;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TryRecvError, channel, sync_channel,
};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::{ArqError, ArqEvent, Faults, Packet, Parameters, Ticks};
use crate::coord::{Coordinate, FpgaOnWafer};
use link::Link;

/// Packets that wait in the thread before it takes no more.
const MAX_WAITING: usize = 64 * FpgaOnWafer::SIZE;
/// Packets between the application and the thread.
const CHANNEL: usize = 1024;
/// The thread looks at the sockets this often if nothing happens.
const PAUSE: Duration = Duration::from_millis(1);
/// How often the system is asked for 48 ports in a row.
const PORT_TRIALS: usize = 100;

/// The streams to or from the FPGAs of a wafer do not work.
#[derive(Debug, Error)]
pub enum TransportError {
    /// The operating system refused.
    #[error("{what} {address}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which address.
        address: SocketAddr,
        /// Why it did not work.
        source: io::Error,
    },
    /// A socket broke.
    #[error("{fpga}: {source}")]
    Socket {
        /// The FPGA.
        fpga: FpgaOnWafer,
        /// Why.
        source: io::Error,
    },
    /// The stream of an FPGA broke.
    #[error("{fpga}: {source}")]
    Stream {
        /// The FPGA.
        fpga: FpgaOnWafer,
        /// Why.
        source: ArqError,
    },
    /// The other end closed the stream of an FPGA.
    #[error("{fpga}: the other end closed the stream")]
    Closed {
        /// The FPGA.
        fpga: FpgaOnWafer,
    },
    /// The other end sent something that makes no sense here.
    #[error("{fpga}: unexpected packet, {what}; is the other end of the same version?")]
    Unexpected {
        /// The FPGA.
        fpga: FpgaOnWafer,
        /// What it was.
        what: &'static str,
    },
    /// There is no room for one port per FPGA.
    #[error("no 48 free ports from {first} on; choose another first port")]
    NoPorts {
        /// The first port.
        first: u16,
    },
    /// The thread of the streams ended.
    #[error("the streams have ended")]
    Ended,
}

/// What happens on a stream.
#[derive(Debug)]
pub enum StreamEvent {
    /// The protocol has something to tell.
    Arq(ArqEvent),
    /// The socket broke.
    Socket(io::Error),
}

/// 48 streams, one per FPGA, in one end of the line.
#[derive(Debug)]
pub struct Streams {
    packets: Option<SyncSender<(FpgaOnWafer, Packet)>>,
    events: Receiver<(FpgaOnWafer, StreamEvent)>,
    thread: Option<JoinHandle<()>>,
}

impl Streams {
    /// Opens a stream to every FPGA of a wafer at `first` and the 47 ports that follow. Whether
    /// the streams open is told by their events.
    pub fn connect(
        first: SocketAddr,
        parameters: Parameters,
        faults: Faults,
    ) -> Result<Self, TransportError> {
        let links = FpgaOnWafer::all().map(|fpga| {
            let peer = SocketAddr::new(first.ip(), port(first.port(), fpga)?);
            let link = Link::connect(peer, parameters, faults, fpga.index() as u64);
            link.map_err(|source| TransportError::Io {
                what: "no connection to",
                address: peer,
                source,
            })
        });
        Self::start(links.collect::<Result<_, _>>()?, first)
    }

    /// Waits for hosts at one port per FPGA, from `first` on; 0 lets the system choose. Returns
    /// the first port.
    pub fn listen(
        address: IpAddr,
        first: u16,
        parameters: Parameters,
        faults: Faults,
    ) -> Result<(Self, u16), TransportError> {
        let bind = |first: u16| -> Result<(Self, u16), TransportError> {
            let mut links = Vec::with_capacity(FpgaOnWafer::SIZE);
            for fpga in FpgaOnWafer::all() {
                let own = match links.first() {
                    Some(link) => port(Link::port(link), fpga)?,
                    None => first,
                };
                let own = SocketAddr::new(address, own);
                let link = Link::listen(own, parameters, faults, fpga.index() as u64);
                links.push(link.map_err(|source| TransportError::Io {
                    what: "cannot listen at",
                    address: own,
                    source,
                })?);
            }
            let first = links.first().map_or(first, Link::port);
            Ok((Self::start(links, SocketAddr::new(address, first))?, first))
        };
        // the ports behind one that the system chose may be taken
        let trials = if first == 0 { PORT_TRIALS } else { 1 };
        let mut result = bind(first);
        for _ in 1..trials {
            if result.is_ok() {
                break;
            }
            result = bind(first);
        }
        result
    }

    fn start(mut links: Vec<Link>, address: SocketAddr) -> Result<Self, TransportError> {
        let (packets, to_send) = sync_channel(CHANNEL);
        let (happened, events) = channel();
        let work = move || {
            let happened = |fpga, event| {
                // nobody listens any more while the streams are closed
                let _ = happened.send((fpga, event));
            };
            run(&mut links, &to_send, happened);
        };
        let thread = std::thread::Builder::new().name("bss1-streams".to_owned()).spawn(work);
        let thread = thread.map_err(|source| TransportError::Io {
            what: "no thread for the streams of",
            address,
            source,
        })?;
        Ok(Self { packets: Some(packets), events, thread: Some(thread) })
    }

    /// Sends a packet; waits if many are under way. A packet to a stream that is not open is
    /// dropped: the event that tells so has come or will come.
    pub fn send(&self, fpga: FpgaOnWafer, packet: Packet) -> Result<(), TransportError> {
        let packets = self.packets.as_ref().ok_or(TransportError::Ended)?;
        packets.send((fpga, packet)).map_err(|_| TransportError::Ended)
    }

    /// The next event; `None` if none comes within this time.
    pub fn event(
        &self,
        within: Duration,
    ) -> Result<Option<(FpgaOnWafer, StreamEvent)>, TransportError> {
        match self.events.recv_timeout(within) {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(TransportError::Ended),
        }
    }
}

impl Drop for Streams {
    /// Closes the streams, which takes up to [`Parameters::close_within`] if the peer is gone.
    fn drop(&mut self) {
        self.packets = None;
        if let Some(thread) = self.thread.take() {
            // a panic of the thread has been printed; there is nothing left to save
            let _ = thread.join();
        }
    }
}

/// The port of an FPGA.
fn port(first: u16, fpga: FpgaOnWafer) -> Result<u16, TransportError> {
    first.checked_add(fpga.index() as u16).ok_or(TransportError::NoPorts { first })
}

/// Moves the streams until the application lets go of them.
fn run(
    links: &mut [Link],
    to_send: &Receiver<(FpgaOnWafer, Packet)>,
    happened: impl Fn(FpgaOnWafer, StreamEvent),
) {
    let start = Instant::now();
    let now = || Ticks(start.elapsed().as_micros() as u64);
    let mut is_closing = false;
    loop {
        let mut waiting: usize = links.iter().map(Link::unacknowledged).sum();
        let mut is_busy = false;
        while waiting < MAX_WAITING && !is_closing {
            match to_send.try_recv() {
                Ok((fpga, packet)) => links[fpga.index()].send(packet),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    is_closing = true;
                    for link in links.iter_mut() {
                        link.close(now());
                    }
                }
            }
            waiting += 1;
            is_busy = true;
        }
        for (fpga, link) in FpgaOnWafer::all().zip(links.iter_mut()) {
            is_busy |= link.turn(now(), |event| happened(fpga, event));
        }
        if is_closing && links.iter().all(Link::is_over) {
            return;
        }
        if !is_busy {
            let next = links.iter().filter_map(Link::deadline).min();
            let pause = next.map_or(PAUSE, |t| Duration::from_micros(t.since(now())).min(PAUSE));
            std::thread::sleep(pause);
        }
    }
}
