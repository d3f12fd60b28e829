//! A steady excitatory drive: the rows of all drivers get events in turn, each by an address of its
//! own, so that the conductance of an input hardly ripples.

use hal::config::{BackgroundGenerator, GbitDirection, HicannConfig, MergerMode, RowConfig};
use hal::coord::{
    BackgroundGeneratorOnHicann, Coordinate as _, DncMergerOnHicann, L1Address, NeuronOnHicann,
    PulseLabel, Side, SynapseColumnOnHicann, SynapseRowOnHicann, Table, Vertical,
};
use hal::value::{GmaxDivisor, GmaxSelect, SynapseWeight};
use hal::wafer::{DncCycles, PulseEvent};

use super::{CHAIN, LOCKING_CLOCKS, Stimulus, row, side_of};
use crate::procedure::rig::Rig;

/// The merger that takes the spikes of all blocks to the FPGA; its bus has no drivers.
pub(in crate::procedure) const COLLECTING: DncMergerOnHicann = DncMergerOnHicann::new::<3>();
/// Addresses of the rows of a bus. Neurons must not use addresses below 16 meanwhile.
const ROW_ADDRESSES: [L1Address; 2 * CHAIN] = [
    L1Address::new::<2>(),
    L1Address::new::<3>(),
    L1Address::new::<4>(),
    L1Address::new::<5>(),
    L1Address::new::<6>(),
    L1Address::new::<7>(),
];

/// The rows of a chip that are driven in turn.
#[derive(Debug, Clone)]
pub(in crate::procedure) struct Rotation {
    /// By half of the chip, rows on the left and on the right with their link and address: the sides
    /// have a V_gmax each, and neurons get synapses from both.
    rows: [Vec<Vec<(SynapseRowOnHicann, PulseLabel)>>; 2],
    /// Share of the events of its half that a circuit hears through rows on the left and on the right: some
    /// synapses do not work.
    share: Table<NeuronOnHicann, [f64; 2]>,
}

impl Rotation {
    /// Sets all synapses up as excitatory, of weight 0. None if a half has no rows, or spikes cannot
    /// leave.
    pub(in crate::procedure) fn new(
        rig: &mut Rig<'_>,
        stimulus: &Stimulus,
        select: GmaxSelect,
        divisor: [GmaxDivisor; 2],
    ) -> Option<Self> {
        if !rig.collects(COLLECTING) {
            return None;
        }
        let mut rows = [0, 1].map(|_| vec![Vec::new(), Vec::new()]);
        for feed in stimulus.feeds.iter().filter(|f| f.merger != COLLECTING) {
            let half = feed.drivers[0].vertical();
            let places = feed.drivers.iter().flat_map(|d| [0, 1].map(|side| d.row(row(side))));
            for (place, address) in places.zip(ROW_ADDRESSES) {
                let link = stimulus.hicann.link();
                let label = PulseLabel { link, gbit_link: feed.merger.gbit_link(), address };
                let side = side_of(feed.drivers[0]).index();
                rows[half.index()][side].push((place, label));
            }
        }
        for half in &mut rows {
            half.retain(|side| !side.is_empty());
        }
        if rows.iter().any(Vec::is_empty) {
            return None;
        }
        let mut share: Table<NeuronOnHicann, [f64; 2]> = Table::default();
        for half in &rows {
            for side in half {
                for (place, _) in side {
                    for column in SynapseColumnOnHicann::all() {
                        let synapse = place.synapse(column);
                        if rig.works(synapse) {
                            share[synapse.neuron()][side_of_row(*place).index()] +=
                                1.0 / (half.len() * side.len()) as f64;
                        }
                    }
                }
            }
        }
        let rotation = Self { rows, share };
        rotation.set_up(rig.chip(), stimulus, select, divisor);
        Some(rotation)
    }

    /// Share of the events of its half that a circuit hears through rows on each side of the chip.
    pub(in crate::procedure) fn share(&self, circuit: NeuronOnHicann) -> [f64; 2] {
        self.share[circuit]
    }

    fn set_up(
        &self,
        chip: &mut HicannConfig,
        stimulus: &Stimulus,
        select: GmaxSelect,
        divisor: [GmaxDivisor; 2],
    ) {
        for (place, label) in self.rows.iter().flatten().flatten() {
            let decoder = [label.address.driver_decoder(); 2];
            *chip.synapses.row_mut(*place) = RowConfig {
                synaptic_input: [true, false],
                decoder,
                gmax_select: select,
                gmax_divisor: divisor,
            };
            for column in SynapseColumnOnHicann::all() {
                let synapse = place.synapse(column);
                chip.synapses.decoders[synapse] = label.address.synapse_decoder();
            }
        }
        for merger in chip.mergers.tree.values_mut() {
            merger.mode = MergerMode::Merge;
        }
        for feed in stimulus.feeds.iter().filter(|f| f.merger != COLLECTING) {
            let generator = BackgroundGeneratorOnHicann::from_index(feed.merger.index());
            let generator = generator.expect("as many generators as mergers");
            chip.mergers.background[generator] = BackgroundGenerator {
                enable: true,
                period: (LOCKING_CLOCKS - 1) as u16,
                address: L1Address::BACKGROUND,
                ..BackgroundGenerator::default()
            };
            chip.gbit_links.direction[feed.merger.gbit_link()] = GbitDirection::ToHicann;
        }
        chip.gbit_links.direction[COLLECTING.gbit_link()] = GbitDirection::ToDnc;
        chip.gbit_links.timestamp_enable = true;
    }

    /// Gives the synapses of each circuit a weight for each side of the chip.
    pub(in crate::procedure) fn set_weights(
        &self,
        chip: &mut HicannConfig,
        weight: impl Fn(NeuronOnHicann) -> [SynapseWeight; 2],
    ) {
        for (place, _) in self.rows.iter().flatten().flatten() {
            let side = side_of_row(*place);
            for column in SynapseColumnOnHicann::all() {
                let synapse = place.synapse(column);
                chip.synapses.weights[synapse] = weight(synapse.neuron())[side.index()];
            }
        }
    }

    /// Events at `every_s` in each half from the beginning to the end, s.
    pub(in crate::procedure) fn pulses(&self, every_s: f64, end_s: f64) -> Vec<PulseEvent> {
        // the last one comes before the end
        let room_s = end_s - FIRST.hardware_s() - 2.0 * every_s;
        let events = (room_s.max(0.0) / every_s) as usize;
        let mut pulses: Vec<PulseEvent> = Vec::with_capacity(2 * events);
        for half in Vertical::ALL {
            let sides = &self.rows[half.index()];
            // the halves take turns on the link
            let later = 0.5 * half.index() as f64;
            pulses.extend((0..events).map(|i| {
                let cycles = (i as f64 + 1.0 + later) * every_s / DncCycles::SECONDS;
                let rows = &sides[i % sides.len()];
                let (_, label) = rows[i / sides.len() % rows.len()];
                PulseEvent { time: DncCycles(cycles as u64 + FIRST.0), label }
            }));
        }
        pulses.sort();
        pulses
    }
}

/// The side of the chip that a row lies on.
pub(in crate::procedure) fn side_of_row(row: SynapseRowOnHicann) -> Side {
    side_of(row.driver())
}

/// No pulse can be released earlier.
const FIRST: DncCycles = hal::wafer::FPGA_HICANN_DELAY;
