//! A wafer on the network: 48 endpoints that behave like the FPGAs of a wafer.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::message::{self, EndOfWords, Reply, Request};
use super::transfer::{Gathered, send_words};
use super::{
    ArqEvent, Faults, Packet, PacketType, Parameters, StreamEvent, Streams, TransportError,
};
use crate::coord::{AnalogOnHicann, DncOnWafer, FpgaOnWafer};
use crate::fpga::FpgaCommand;
use crate::wafer::{ConfigurationWords, PlaybackWords, Progress, Wafer, WaferError};

/// How long the server waits before it looks whether it shall stop.
const PATIENCE: Duration = Duration::from_millis(50);
/// Least time between two reports of progress.
const REPORT_EVERY: Duration = Duration::from_millis(50);

/// Endpoints that show a wafer to one host at a time. Another host gets no answer as long as the
/// one before lives; a host that dies is noticed after [`Parameters::dummy_after`] and
/// [`Parameters::dead_after`].
#[derive(Debug)]
pub struct Server {
    streams: Streams,
    address: SocketAddr,
    words_per_packet: usize,
}

impl Server {
    /// Listens at one port per FPGA, `first` and the 47 that follow; 0 lets the system choose.
    /// Datagrams suffer the faults in both directions.
    pub fn bind(address: IpAddr, first: u16, faults: Faults) -> Result<Self, TransportError> {
        let parameters = Parameters::SHARED;
        let (streams, first) = Streams::listen(address, first, parameters, faults)?;
        let words_per_packet = parameters.limits.words as usize;
        Ok(Self { streams, address: SocketAddr::new(address, first), words_per_packet })
    }

    /// Where the first FPGA listens; this is what a host connects to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves hosts, each with a wafer of its own in reset, until `stop` is set.
    pub fn serve<W: Wafer>(
        self,
        mut wafer: impl FnMut() -> W,
        stop: &AtomicBool,
    ) -> Result<(), TransportError> {
        let mut host: Option<Host<'_, W>> = None;
        let mut open = BTreeSet::new();
        while !stop.load(Ordering::Relaxed) {
            let Some((fpga, event)) = self.streams.event(PATIENCE)? else { continue };
            match event {
                StreamEvent::Arq(ArqEvent::Opened) => {
                    open.insert(fpga);
                    // a host sends nothing before all of its streams are open
                    if open.len() == FpgaOnWafer::SIZE {
                        let (wafer, words) = (wafer(), Gathered::default());
                        host = Some(Host { server: &self, stop, wafer, words });
                    }
                }
                StreamEvent::Arq(ArqEvent::Received(packet)) => {
                    let Some(current) = &mut host else { continue };
                    if let ControlFlow::Break(over) = current.take(fpga, packet)? {
                        open.remove(&over);
                        host = None;
                    }
                }
                StreamEvent::Arq(ArqEvent::Closed | ArqEvent::Failed(_)) => {
                    open.remove(&fpga);
                    host = None;
                }
                // the endpoint lives on, and its stream breaks by itself if it has to
                StreamEvent::Socket(_) => {}
            }
        }
        Ok(())
    }
}

/// A host and its wafer.
struct Host<'a, W> {
    server: &'a Server,
    stop: &'a AtomicBool,
    wafer: W,
    words: Gathered,
}

impl<W: Wafer> Host<'_, W> {
    /// Does what a packet asks for. Breaks, with the stream that ended, if the host is gone.
    fn take(
        &mut self,
        fpga: FpgaOnWafer,
        packet: Packet,
    ) -> Result<ControlFlow<FpgaOnWafer>, TransportError> {
        match packet.kind {
            PacketType::HICANN_CONFIG | PacketType::FPGA_PLAYBACK => {
                self.words.extend(fpga, packet.words);
            }
            message::END_OF_WORDS => self.end_of_words(fpga, &packet.words)?,
            PacketType::FPGA_CONFIG => return self.command(fpga, packet),
            message::REQUEST => match Request::decode(&packet.words) {
                Some(Request::ReadAdc(dnc, output)) => self.read_adc(dnc, output)?,
                // came too late
                Some(Request::Stop) => {}
                None => self.refuse("the request is not known; use the version of the server")?,
            },
            kind => self.refuse(&format!("packets of type {kind} are not known"))?,
        }
        Ok(ControlFlow::Continue(()))
    }

    fn reply(&self, reply: &Reply) -> Result<(), TransportError> {
        self.server.streams.send(FpgaOnWafer::MASTER, reply.encode())
    }

    fn refuse(&self, why: &str) -> Result<(), TransportError> {
        self.reply(&Reply::Refused((&WaferError::Remote(why.to_owned())).into()))
    }

    fn reply_to(&self, result: &Result<(), WaferError>) -> Result<(), TransportError> {
        match result {
            Ok(()) => self.reply(&Reply::Done),
            Err(error) => self.reply(&Reply::Refused(error.into())),
        }
    }

    /// Obeys a command to an FPGA and echoes it (hal-config §3.5). The experiment begins with the
    /// start of the master, which all others wait for.
    fn command(
        &mut self,
        fpga: FpgaOnWafer,
        packet: Packet,
    ) -> Result<ControlFlow<FpgaOnWafer>, TransportError> {
        let command = match *packet.words {
            [word] => FpgaCommand::from_bits(word),
            _ => None,
        };
        let Some(FpgaCommand::SystemTime { enable, listen_global, experiment }) = command else {
            self.refuse(&format!("{fpga} only knows commands that set the system time"))?;
            return Ok(ControlFlow::Continue(()));
        };
        let is_master = fpga == FpgaOnWafer::MASTER;
        if !is_master && !listen_global {
            self.refuse(&format!("{fpga} has to wait for the master; let it listen"))?;
            return Ok(ControlFlow::Continue(()));
        }
        self.server.streams.send(fpga, packet)?;
        if is_master && enable && experiment { self.run() } else { Ok(ControlFlow::Continue(())) }
    }

    /// Configures or loads the wafer when the words of all FPGAs have come.
    fn end_of_words(&mut self, fpga: FpgaOnWafer, words: &[u64]) -> Result<(), TransportError> {
        let Some(end) = EndOfWords::decode(words) else {
            return self.refuse("an end of words is broken");
        };
        match self.words.end(fpga, end) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => return self.refuse(&error.to_string()),
        }
        let by_fpga = self.words.take();
        let result = match end.kind {
            PacketType::HICANN_CONFIG => self.configure(&ConfigurationWords { by_fpga }),
            PacketType::FPGA_PLAYBACK => self.wafer.stimulate(&PlaybackWords { by_fpga }),
            kind => return self.refuse(&format!("words of type {kind} are not taken")),
        };
        self.reply_to(&result)
    }

    /// Configures the wafer and sends the answers to words that read.
    fn configure(&mut self, words: &ConfigurationWords) -> Result<(), WaferError> {
        let answers = self.wafer.read(words)?;
        let (streams, length) = (&self.server.streams, self.server.words_per_packet);
        send_words(streams, PacketType::HICANN_CONFIG, &answers.by_fpga, length)?;
        Ok(())
    }

    /// Runs the wafer and sends trace, counters and the result. Breaks if the host is gone.
    fn run(&mut self) -> Result<ControlFlow<FpgaOnWafer>, TransportError> {
        let Self { server, stop, wafer, .. } = self;
        let (mut last, mut over) = (Instant::now(), None);
        let mut failure = None;
        let mut look = |progress: Progress| -> Result<ControlFlow<()>, TransportError> {
            while let Some((fpga, event)) = server.streams.event(Duration::ZERO)? {
                match event {
                    StreamEvent::Arq(ArqEvent::Received(packet))
                        if Request::decode(&packet.words) == Some(Request::Stop) =>
                    {
                        return Ok(ControlFlow::Break(()));
                    }
                    StreamEvent::Arq(ArqEvent::Closed | ArqEvent::Failed(_)) => {
                        over = Some(fpga);
                        return Ok(ControlFlow::Break(()));
                    }
                    // a host waits for the end of the run
                    StreamEvent::Arq(ArqEvent::Opened | ArqEvent::Received(_))
                    | StreamEvent::Socket(_) => {}
                }
            }
            if last.elapsed() >= REPORT_EVERY {
                last = Instant::now();
                let report = Reply::Progress(progress).encode();
                server.streams.send(FpgaOnWafer::MASTER, report)?;
            }
            let stops = stop.load(Ordering::Relaxed);
            Ok(if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        };
        let result = wafer.run(&mut |progress| {
            look(progress).unwrap_or_else(|error| {
                failure = Some(error);
                ControlFlow::Break(())
            })
        });
        if let Some(error) = failure {
            return Err(error);
        }
        if let Some(fpga) = over {
            return Ok(ControlFlow::Break(fpga));
        }
        let result = match result {
            Ok(()) | Err(WaferError::Stopped { .. }) => self.send_record().and(result),
            Err(error) => Err(error),
        };
        self.reply_to(&result)?;
        Ok(ControlFlow::Continue(()))
    }

    /// Sends trace and counters of the last run.
    fn send_record(&self) -> Result<(), WaferError> {
        let trace = self.wafer.read_trace()?;
        let (streams, length) = (&self.server.streams, self.server.words_per_packet);
        send_words(streams, PacketType::FPGA_TRACE, &trace.by_fpga, length)?;
        self.reply(&Reply::Counters(self.wafer.counters()))?;
        Ok(())
    }

    fn read_adc(&self, dnc: DncOnWafer, output: AnalogOnHicann) -> Result<(), TransportError> {
        let trace = match self.wafer.read_adc(dnc, output) {
            Ok(trace) => trace,
            Err(error) => return self.reply(&Reply::Refused((&error).into())),
        };
        for chunk in message::sample_words(&trace.samples).chunks(self.server.words_per_packet) {
            let packet = Packet::new(message::SAMPLES, chunk);
            self.server.streams.send(FpgaOnWafer::MASTER, packet)?;
        }
        self.reply(&Reply::Samples(trace.samples.len() as u64))
    }
}
