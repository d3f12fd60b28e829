//! The way of events from the buses to the synapses of the chips.
//!
//! The chips are cut into parts, one piece of work for a thread each. A part has a list of legs for
//! every source: one leg for each delay and chip, in this order, with its targets in one row behind
//! those of the leg before. So an event reads memory straight on. Window by window, the legs that end
//! there write what they bring into the calendars of the chips, which need no more rows than a window
//! has steps.

use hal::wafer::DncCycles;
use serde::{Deserialize, Serialize};

use super::chip::Chip;
use super::network::SourceId;
use crate::silicon::Jitter;

/// An event on its way from a bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) source: SourceId,
    /// When it came onto the bus.
    pub(super) time: DncCycles,
}

/// The synapses of a chip that an event reaches after the same delay.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leg {
    /// Position of the chip in its part.
    pub(super) chip: u16,
    /// Cycles.
    pub(super) delay: u16,
    /// Synapses behind it. Several may share a target.
    pub(super) synapses: u32,
    pub(super) targets: u32,
    /// Number of the resource that scales the events, if their driver has short-term plasticity;
    /// else [`Leg::NO_RESOURCE`].
    pub(super) resource: u32,
}

impl Leg {
    pub(super) const NO_RESOURCE: u32 = u32::MAX;
}

/// An input of a membrane and what an event adds to its conductance, in the unit of the slot.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Target {
    pub(super) slot: u32,
    pub(super) increment: f32,
}

/// The steps of a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// Number of the first step, of the one behind the last, and of the one behind the last that
    /// matters.
    pub(super) first: u64,
    pub(super) end: u64,
    pub(super) last: u64,
    /// Length of a step.
    pub(super) step: DncCycles,
    /// Rows of the calendars, and the row of the first step.
    pub(super) rows: usize,
    pub(super) row: usize,
    /// Deviation of arrivals from their delay.
    pub(super) jitter: Option<Jitter>,
}

impl Window {
    /// Rows that calendars need for windows of some steps.
    pub(super) fn rows(steps: u64, step: DncCycles, jitter: Option<Jitter>) -> usize {
        // what may come early is looked at early, and may then come late
        (steps + (2 * Jitter::largest(jitter)).div_ceil(step.0)) as usize
    }

    /// The latest nominal arrival that may come before the end of the window, in cycles.
    fn horizon(&self) -> u64 {
        self.end * self.step.0 + Jitter::largest(self.jitter)
    }

    /// The step in which an arrival at `time` changes a conductance, at its end; none behind the
    /// run. Conductance that arrives at time t acts from the end of the step that ends at t on.
    fn step_of(&self, time: u64) -> Option<u64> {
        let step = if self.step.0 == 1 { time } else { time.div_ceil(self.step.0) };
        let step = step.saturating_sub(1).max(self.first);
        (step < self.last).then_some(step)
    }

    /// The row of a step that is at most as many steps ahead as there are rows.
    pub(super) fn row_of(&self, step: u64) -> usize {
        let row = self.row + (step - self.first) as usize;
        if row < self.rows { row } else { row - self.rows }
    }
}

/// An event that has legs in front of it.
#[derive(Debug, Clone, Copy)]
struct Flight {
    event: Event,
    /// The next leg and its first target, and the end of its legs.
    leg: u32,
    target: u32,
    end: u32,
}

/// The legs to the chips of a part.
#[derive(Debug, Clone, Default)]
pub(super) struct Wiring {
    /// By source: its first leg and its first target; and the ends of the last one.
    starts: Vec<(u32, u32)>,
    legs: Vec<Leg>,
    targets: Vec<Target>,
    flights: Vec<Flight>,
    /// Events that arrived at synapses.
    pub(super) synaptic_events: u64,
}

impl Wiring {
    /// Begins the legs of the next source.
    pub(super) fn next_source(&mut self) {
        self.starts.push((self.legs.len() as u32, self.targets.len() as u32));
    }

    /// Adds a leg of the present source. Delays must not descend.
    pub(super) fn add(&mut self, leg: Leg, targets: impl Iterator<Item = Target>) {
        let before = self.targets.len();
        self.targets.extend(targets);
        let targets = (self.targets.len() - before) as u32;
        self.legs.push(Leg { targets, ..leg });
    }

    /// Longest delay in cycles.
    pub(super) fn longest_delay(&self) -> u64 {
        self.legs.iter().map(|leg| u64::from(leg.delay)).max().unwrap_or(0)
    }

    fn flight(&self, event: Event) -> Flight {
        let (leg, target) = self.starts[event.source as usize];
        let (end, _) = self.starts[event.source as usize + 1];
        Flight { event, leg, target, end }
    }

    /// Sends off an event whose legs up to a nominal arrival, in cycles, it has behind it.
    pub(super) fn resume(&mut self, event: Event, arrived: u64) {
        let mut flight = self.flight(event);
        let legs = &self.legs[flight.leg as usize..flight.end as usize];
        for leg in legs {
            if event.time.0 + u64::from(leg.delay) > arrived {
                break;
            }
            flight.leg += 1;
            flight.target += leg.targets;
        }
        self.flights.push(flight);
    }

    /// Writes what comes within a window into the calendars of the part's chips, event after event.
    pub(super) fn deliver(&mut self, chips: &mut [Chip], events: &[Event], window: &Window) {
        let mut flights = std::mem::take(&mut self.flights);
        flights.extend(events.iter().map(|&event| self.flight(event)));
        flights.retain_mut(|flight| {
            self.advance(flight, chips, window);
            flight.leg < flight.end
        });
        self.flights = flights;
    }

    /// The legs of an event that end within a window.
    #[inline]
    fn advance(&mut self, flight: &mut Flight, chips: &mut [Chip], window: &Window) {
        let Event { source, time } = flight.event;
        let Some(longest) = window.horizon().checked_sub(time.0) else { return };
        let jitter = window.jitter.map(|jitter| jitter.of_event(source, time));
        for leg in &self.legs[flight.leg as usize..flight.end as usize] {
            if u64::from(leg.delay) > longest {
                break;
            }
            let first = flight.target as usize;
            let targets = &self.targets[first..first + leg.targets as usize];
            flight.leg += 1;
            flight.target += leg.targets;
            let chip = &mut chips[leg.chip as usize];
            let arrival = time.0 + u64::from(leg.delay);
            let arrival = jitter.map_or(arrival, |jitter| jitter.arrival(arrival, chip.hicann));
            let Some(step) = window.step_of(arrival) else { continue };
            self.synaptic_events += u64::from(leg.synapses);
            let row = &mut chip.calendar[window.row_of(step)];
            if leg.resource == Leg::NO_RESOURCE {
                row.extend_from_slice(targets);
            } else {
                let resource = &mut chip.resources[leg.resource as usize];
                let factor = resource.event(DncCycles(arrival)) as f32;
                let scaled = |t: &Target| Target { slot: t.slot, increment: factor * t.increment };
                row.extend(targets.iter().map(scaled));
            }
        }
    }
}
