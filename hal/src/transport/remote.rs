//! A wafer behind 48 streams.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::message::{self, EndOfWords, Refusal, Reply, Request};
use super::transfer::{Gathered, send_words};
use super::{
    ArqEvent, Faults, Packet, PacketType, Parameters, StreamEvent, Streams, TransportError,
};
use crate::coord::{AnalogOnHicann, Coordinate, DncOnWafer, FpgaOnWafer};
use crate::fpga::FpgaCommand;
use crate::wafer::{
    AdcTrace, ConfigurationWords, Counters, PlaybackWords, Progress, TraceWords, Wafer, WaferError,
};

/// The server has nothing to say for at most this long before the streams are looked at again.
const PATIENCE: Duration = Duration::from_secs(1);

/// A wafer that a [`Server`](super::Server) shows. It begins in reset with every connection.
#[derive(Debug)]
pub struct RemoteWafer {
    streams: Mutex<Streams>,
    words_per_packet: usize,
    trace: Option<TraceWords>,
    counters: Counters,
}

/// What comes in while the host waits.
#[derive(Debug)]
enum Incoming {
    Opened,
    Packet(Packet),
}

impl RemoteWafer {
    /// Connects to the wafer whose first FPGA listens at `first`, the others at the ports that
    /// follow. Datagrams suffer the faults in both directions.
    pub fn connect(first: SocketAddr, faults: Faults) -> Result<Self, TransportError> {
        let parameters = Parameters::SHARED;
        let streams = Streams::connect(first, parameters, faults)?;
        let mut missing = FpgaOnWafer::SIZE;
        while missing > 0 {
            if let (_, Incoming::Opened) = wait(&streams)? {
                missing -= 1;
            }
        }
        Ok(Self {
            streams: Mutex::new(streams),
            words_per_packet: parameters.limits.words as usize,
            trace: None,
            counters: Counters::default(),
        })
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        // the streams hold no invariant that a panic could break
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives every FPGA a command and waits for the echoes, in any order (hal-config §3.5).
fn command(
    streams: &Streams,
    fpgas: impl Iterator<Item = FpgaOnWafer>,
    command: impl Fn(FpgaOnWafer) -> FpgaCommand,
) -> Result<(), WaferError> {
    let mut missing = BTreeMap::new();
    for fpga in fpgas {
        let packet = Packet::new(PacketType::FPGA_CONFIG, [command(fpga).bits()]);
        streams.send(fpga, packet.clone())?;
        missing.insert(fpga, packet);
    }
    while !missing.is_empty() {
        let (fpga, packet) = wait_for_packet(streams)?;
        if missing.remove(&fpga).as_ref() == Some(&packet) {
            continue;
        }
        return Err(match reply(&packet) {
            Some(Reply::Refused(refusal)) => refusal.into(),
            _ => TransportError::Unexpected { fpga, what: "no echo of a command" }.into(),
        });
    }
    Ok(())
}

/// Waits for the next packet, or for a stream to open.
fn wait(streams: &Streams) -> Result<(FpgaOnWafer, Incoming), TransportError> {
    loop {
        let Some((fpga, event)) = streams.event(PATIENCE)? else { continue };
        return match event {
            StreamEvent::Arq(ArqEvent::Opened) => Ok((fpga, Incoming::Opened)),
            StreamEvent::Arq(ArqEvent::Received(packet)) => Ok((fpga, Incoming::Packet(packet))),
            StreamEvent::Arq(ArqEvent::Closed) => Err(TransportError::Closed { fpga }),
            StreamEvent::Arq(ArqEvent::Failed(source)) => {
                Err(TransportError::Stream { fpga, source })
            }
            StreamEvent::Socket(source) => Err(TransportError::Socket { fpga, source }),
        };
    }
}

fn wait_for_packet(streams: &Streams) -> Result<(FpgaOnWafer, Packet), TransportError> {
    match wait(streams)? {
        (fpga, Incoming::Packet(packet)) => Ok((fpga, packet)),
        (fpga, Incoming::Opened) => {
            Err(TransportError::Unexpected { fpga, what: "the stream opened twice" })
        }
    }
}

fn reply(packet: &Packet) -> Option<Reply> {
    (packet.kind == message::REPLY).then(|| Reply::decode(&packet.words)).flatten()
}

fn unexpected(what: &'static str) -> TransportError {
    TransportError::Unexpected { fpga: FpgaOnWafer::MASTER, what }
}

impl From<TransportError> for WaferError {
    fn from(error: TransportError) -> Self {
        Self::Transport(error.into())
    }
}

impl Wafer for RemoteWafer {
    fn configure(&mut self, words: &ConfigurationWords) -> Result<(), WaferError> {
        self.read(words).map(drop)
    }

    fn read(&mut self, words: &ConfigurationWords) -> Result<ConfigurationWords, WaferError> {
        let streams = self.streams();
        send_words(&streams, PacketType::HICANN_CONFIG, &words.by_fpga, self.words_per_packet)?;
        let mut answers = Gathered::default();
        let (mut is_complete, mut is_done) = (false, false);
        // the answers come by themselves, each FPGA at its own pace
        while !(is_complete && is_done) {
            let (fpga, packet) = wait_for_packet(&streams)?;
            let strange = TransportError::Unexpected { fpga, what: "not an answer" };
            match packet.kind {
                PacketType::HICANN_CONFIG => answers.extend(fpga, packet.words),
                message::END_OF_WORDS => {
                    let end = EndOfWords::decode(&packet.words).ok_or(strange)?;
                    is_complete = answers.end(fpga, end)?;
                }
                _ => match reply(&packet).ok_or(strange)? {
                    Reply::Done => is_done = true,
                    Reply::Refused(refusal) => return Err(refusal.into()),
                    _ => return Err(unexpected("a reply to another request").into()),
                },
            }
        }
        Ok(ConfigurationWords { by_fpga: answers.take() })
    }

    fn stimulate(&mut self, playback: &PlaybackWords) -> Result<(), WaferError> {
        let streams = self.streams();
        send_words(&streams, PacketType::FPGA_PLAYBACK, &playback.by_fpga, self.words_per_packet)?;
        let (fpga, packet) = wait_for_packet(&streams)?;
        match reply(&packet) {
            Some(Reply::Done) => Ok(()),
            Some(Reply::Refused(refusal)) => Err(refusal.into()),
            _ => Err(TransportError::Unexpected { fpga, what: "not a reply" }.into()),
        }
    }

    fn run(
        &mut self,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(), WaferError> {
        let streams = self.streams();
        // all FPGAs get ready and wait for the master, which comes last
        command(&streams, FpgaOnWafer::all(), |_| FpgaCommand::prime_system_time(true))?;
        let start = |fpga| FpgaCommand::start_system_time(fpga, true, true);
        command(&streams, FpgaOnWafer::all().filter(|f| *f != FpgaOnWafer::MASTER), start)?;
        let last = Packet::new(PacketType::FPGA_CONFIG, [start(FpgaOnWafer::MASTER).bits()]);
        streams.send(FpgaOnWafer::MASTER, last.clone())?;
        let (mut trace, mut counters) = (Gathered::default(), None);
        let (mut is_complete, mut is_stopping) = (false, false);
        // the trace comes by itself, then the counters, then the end; each FPGA at its own pace
        let mut result = None;
        while result.is_none() || counters.is_some() && !is_complete {
            let (fpga, packet) = wait_for_packet(&streams)?;
            let strange = TransportError::Unexpected { fpga, what: "not part of a run" };
            match packet.kind {
                // the echo of the start; the trace of another FPGA may overtake it
                PacketType::FPGA_CONFIG if packet == last => {}
                PacketType::FPGA_TRACE => trace.extend(fpga, packet.words),
                message::END_OF_WORDS => {
                    let end = EndOfWords::decode(&packet.words).ok_or(strange)?;
                    is_complete = trace.end(fpga, end)?;
                }
                _ => match reply(&packet).ok_or(strange)? {
                    Reply::Progress(p) => {
                        if progress(p).is_break() && !is_stopping {
                            streams.send(FpgaOnWafer::MASTER, Request::Stop.encode())?;
                            is_stopping = true;
                        }
                    }
                    Reply::Counters(c) => counters = Some(c),
                    Reply::Done => result = Some(Ok(())),
                    Reply::Refused(refusal) => result = Some(Err(refusal)),
                    Reply::Samples(_) => return Err(unexpected("samples during a run").into()),
                },
            }
        }
        drop(streams);
        if let Some(counters) = counters {
            self.counters = counters;
            self.trace = Some(TraceWords { by_fpga: trace.take() });
        }
        result.unwrap_or(Ok(())).map_err(Refusal::into)
    }

    fn read_trace(&self) -> Result<TraceWords, WaferError> {
        self.trace.clone().ok_or(WaferError::NotReady { needed: "run an experiment with `run`" })
    }

    fn read_adc(&self, dnc: DncOnWafer, output: AnalogOnHicann) -> Result<AdcTrace, WaferError> {
        let streams = self.streams();
        streams.send(FpgaOnWafer::MASTER, Request::ReadAdc(dnc, output).encode())?;
        let mut words = Vec::new();
        loop {
            let (_, packet) = wait_for_packet(&streams)?;
            if packet.kind == message::SAMPLES {
                words.extend(packet.words);
                continue;
            }
            let count = match reply(&packet) {
                Some(Reply::Samples(count)) => count as usize,
                Some(Reply::Refused(refusal)) => return Err(refusal.into()),
                _ => return Err(unexpected("not a sample").into()),
            };
            let samples: Vec<u16> = message::samples(&words).take(count).collect();
            if samples.len() < count {
                return Err(unexpected("less samples than announced").into());
            }
            return Ok(AdcTrace { samples });
        }
    }

    fn counters(&self) -> Counters {
        self.counters.clone()
    }
}
