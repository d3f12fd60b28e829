//! The links between FPGA and chips, both ways (topology §8.2, analog §5.6).
//!
//! Without the bandwidth effects a link is a wire: pulses are released exactly at their time stamp
//! and every event is recorded. With them a chip's link carries one event at a time, up to 16 wait,
//! and whatever comes then is lost. Recorded time stamps are those of the events, not of their
//! arrival.

use std::collections::{BTreeMap, VecDeque};

use hal::config::{GbitDirection, WaferConfig};
use hal::coord::{
    Coordinate as _, DncMergerOnHicann, FpgaOnWafer, HicannOnWafer, PulseLabel, Table,
};
use hal::playback::Playback;
use hal::wafer::{DncCycles, DropCause, Flow, PulseEvent, Pulses};
use serde::{Deserialize, Serialize};

use crate::connectivity::BusAddress;
use crate::engine::Departure;
use crate::flaws::Flaws;

/// From FPGA to chip: one event per 56 ns.
const STIMULUS_CYCLES: u64 = 14;
/// From chip to FPGA: one event per 40 ns, 25 million per second.
const READOUT_CYCLES: u64 = 10;
/// Events that wait for a link.
const FIFO: usize = 16;

/// A link that carries one event at a time.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Serialiser {
    /// When the events inside have passed the link, ascending.
    departures: VecDeque<u64>,
    last: u64,
}

impl Serialiser {
    /// When an event that comes at `time` has passed; none if it is lost. Times do not descend.
    fn pass(&mut self, time: u64, cycles: u64) -> Option<u64> {
        while self.departures.front().is_some_and(|&d| d <= time) {
            self.departures.pop_front();
        }
        // one is on the link, the others wait
        if self.departures.len() > FIFO {
            return None;
        }
        self.last = self.last.max(time) + cycles;
        self.departures.push_back(self.last);
        Some(self.last)
    }
}

/// What became of a pulse of the playback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pulse {
    /// When it was released or lost.
    pub(crate) time: DncCycles,
    pub(crate) fpga: FpgaOnWafer,
    pub(crate) label: PulseLabel,
    pub(crate) fate: Result<BusAddress, DropCause>,
}

/// What the playback of a run meets: links that earlier playback has left as they are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Stimulus {
    links: BTreeMap<HicannOnWafer, Serialiser>,
    /// Pulses that were sent, and are released or lost later.
    under_way: Vec<Pulse>,
    /// The fates of all others.
    flow: Flow,
    /// Until when pulses were told of as released.
    told: DncCycles,
}

/// The ways of pulses onto the wafer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ways<'a> {
    pub(crate) config: &'a WaferConfig,
    pub(crate) flaws: Flaws<'a>,
    pub(crate) bandwidth: bool,
}

impl Stimulus {
    /// Sends the playback of all FPGAs through the links, but for pulses of later time stamps; the
    /// result, with what was under way, is in order of time.
    pub(crate) fn send(
        &mut self,
        playback: &BTreeMap<FpgaOnWafer, Playback>,
        stamps: std::ops::RangeTo<DncCycles>,
        ways: Ways<'_>,
    ) -> Vec<Pulse> {
        let mut pulses = std::mem::take(&mut self.under_way);
        for (&fpga, program) in playback {
            for pulse in program.pulses.iter().filter(|pulse| stamps.contains(&pulse.release)) {
                let hicann = fpga.dnc().hicann(pulse.label.link.hicann());
                let (mut time, mut lost) = (pulse.release, None);
                if ways.bandwidth {
                    let sent = 2 * pulse.fpga_send_time;
                    match self.links.entry(hicann).or_default().pass(sent, STIMULUS_CYCLES) {
                        Some(arrival) if waits_for_stamp(ways.config, hicann) => {
                            time = time.max(DncCycles(arrival));
                        }
                        Some(arrival) => time = DncCycles(arrival),
                        None => (time, lost) = (DncCycles(sent), Some(DropCause::StimulusLinkFull)),
                    }
                }
                let fate = match (lost, entry(ways.config, &ways.flaws, hicann, pulse.label)) {
                    (Some(cause), _) => Err(cause),
                    (None, Some(bus)) => Ok(bus),
                    (None, None) => Err(DropCause::StimulusLinkClosed),
                };
                pulses.push(Pulse { time, fpga, label: pulse.label, fate });
            }
        }
        pulses.sort_by_key(|p| (p.time, p.fpga, p.label));
        pulses
    }

    /// Keeps what a run that goes on needs of the pulses of this one, which has reached `now` and told
    /// of what was released until `told`.
    pub(crate) fn keep(&mut self, pulses: &[Pulse], now: DncCycles, told: DncCycles) {
        let (done, under_way) = pulses.split_at(pulses.partition_point(|p| p.time <= now));
        self.flow.add(&flow_of(done, now));
        self.under_way = under_way.to_vec();
        self.told = told;
    }

    /// Counts the pulses of a run that came until `reached`, on top of those before.
    pub(crate) fn flow(&self, pulses: &[Pulse], reached: DncCycles) -> Flow {
        let mut flow = self.flow.clone();
        flow.add(&flow_of(pulses, reached));
        flow
    }

    /// The pulses that were released until `reached`, and not told of before.
    pub(crate) fn released(&self, pulses: &[Pulse], reached: DncCycles) -> Pulses {
        let mut released = Pulses::new();
        let new = pulses.iter().filter(|p| p.time > self.told && p.time <= reached);
        for p in new.filter(|p| p.fate.is_ok()) {
            let event = PulseEvent { time: p.time, label: p.label };
            released.entry(p.fpga).or_default().push(event);
        }
        released
    }
}

fn waits_for_stamp(config: &WaferConfig, hicann: HicannOnWafer) -> bool {
    config.hicanns.get(&hicann).is_some_and(|c| c.gbit_links.timestamp_enable)
}

/// Where a pulse enters L1, if the link works and points to the chip and its merger passes it on.
fn entry(
    config: &WaferConfig,
    flaws: &Flaws<'_>,
    hicann: HicannOnWafer,
    label: PulseLabel,
) -> Option<BusAddress> {
    let chip = config.hicanns.get(&hicann)?;
    let merger: DncMergerOnHicann = label.gbit_link.dnc_merger();
    if !flaws.works(label.gbit_link.on(hicann)) || !flaws.works(merger.on(hicann)) {
        return None;
    }
    let open = chip.gbit_links.direction[label.gbit_link] == GbitDirection::ToHicann
        && (chip.mergers.dnc[merger].mode.passes(0) || chip.mergers.dnc[merger].loopback);
    open.then_some(BusAddress { hicann, merger, address: label.address })
}

fn flow_of(pulses: &[Pulse], reached: DncCycles) -> Flow {
    let mut flow = Flow { sent: pulses.len() as u64, ..Flow::default() };
    for pulse in pulses {
        match pulse.fate {
            _ if pulse.time > reached => flow.pending += 1,
            Ok(_) => flow.delivered += 1,
            Err(cause) => flow.drop_one(cause),
        }
    }
    flow
}

/// Longest time that an event spends on the link from a chip, in cycles.
const LONGEST_READOUT: u64 = (FIFO as u64 + 2) * READOUT_CYCLES;

/// The links from the chips to the FPGAs, and the events on them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Recorder {
    links: Table<HicannOnWafer, Serialiser>,
    /// Events by their time, each with its arrival.
    under_way: VecDeque<(u64, Departure)>,
    flow: Flow,
}

impl Recorder {
    /// Takes the events of a window; those of later windows must not be earlier. Only chips whose FPGA
    /// records take part.
    pub(crate) fn take(
        &mut self,
        departures: &mut Vec<Departure>,
        records: &Table<HicannOnWafer, bool>,
        bandwidth: bool,
    ) {
        departures.sort_unstable();
        for event in departures.drain(..).filter(|e| records[e.hicann]) {
            self.flow.sent += 1;
            let arrival = if bandwidth {
                self.links[event.hicann].pass(event.time.0, READOUT_CYCLES)
            } else {
                Some(event.time.0)
            };
            match arrival {
                None => self.flow.drop_one(DropCause::ReadoutLinkFull),
                Some(arrival) => self.under_way.push_back((arrival, event)),
            }
        }
    }

    /// Hands out what has arrived at `now` for certain, in order of time.
    pub(crate) fn hand_out(
        &mut self,
        now: DncCycles,
        sink: &mut dyn FnMut(FpgaOnWafer, PulseEvent),
    ) {
        let old = |&mut (_, event): &mut (u64, Departure)| event.time.0 + LONGEST_READOUT <= now.0;
        while let Some((_, event)) = self.under_way.pop_front_if(old) {
            self.flow.delivered += 1;
            sink(event.hicann.fpga(), PulseEvent { time: event.time, label: event.label });
        }
    }

    /// Hands out the rest of a run that ended at `reached`. What has not arrived is pending.
    pub(crate) fn finish(
        mut self,
        reached: DncCycles,
        sink: &mut dyn FnMut(FpgaOnWafer, PulseEvent),
    ) -> Flow {
        for (arrival, event) in self.under_way {
            if arrival > reached.0 {
                self.flow.pending += 1;
            } else {
                self.flow.delivered += 1;
                sink(event.hicann.fpga(), PulseEvent { time: event.time, label: event.label });
            }
        }
        self.flow
    }
}
