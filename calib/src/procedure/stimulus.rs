//! Synapses for measurements: eight buses, each through one crossbar switch and one synapse switch
//! into a chain of up to three drivers, so that four buses serve each half of the chip.
//!
//! The first row of each driver excites, the second one inhibits, by two addresses.

mod rotation;

use hal::config::{BackgroundGenerator, GbitDirection, HicannConfig, StpMode};
use hal::coord::{
    BackgroundGeneratorOnHicann, Coordinate as _, CrossbarSwitchOnHicann, DncMergerOnHicann,
    FgBlockOnHicann, HicannOnWafer, L1Address, NeuronOnHicann, PulseLabel, Side,
    SynapseColumnOnHicann, SynapseDriverOnHicann, SynapseSwitchOnHicann, Table, Vertical,
};
use hal::law;
use hal::value::{GmaxSelect, StpCapacitor, SynapseWeight};
use hal::wafer::{DncCycles, PulseEvent};

use super::rig::Rig;
pub(super) use rotation::{COLLECTING, Rotation, side_of_row};

/// Address of events for each input: excitatory, inhibitory.
const ADDRESSES: [L1Address; 2] = [L1Address::new::<2>(), L1Address::new::<18>()];
/// Longest chain of drivers.
const CHAIN: usize = 3;
/// Chip clocks between two events of a generator that drives synapses: 5 MHz.
const DRIVING_CLOCKS: u32 = 25;
/// Chip clocks between two events that keep receivers locked: 1 MHz.
const LOCKING_CLOCKS: u32 = 125;
/// Sum of the divisors of all rows that are used: the largest, for small conductances.
pub(super) const DIVISOR_SUM: usize = 30;
/// How much later the buses of the lower half get their pulses: four fit through the link before.
const LOWER_HALF_LATER: DncCycles = DncCycles(76);

/// A bus and the drivers it reaches.
#[derive(Debug, Clone)]
struct Feed {
    merger: DncMergerOnHicann,
    crossbar: CrossbarSwitchOnHicann,
    switch: SynapseSwitchOnHicann,
    drivers: Vec<SynapseDriverOnHicann>,
}

/// The buses of a chip.
#[derive(Debug, Clone)]
pub(super) struct Stimulus {
    hicann: HicannOnWafer,
    feeds: Vec<Feed>,
    /// Synapses of each circuit that work, by input.
    pub(super) synapses: Table<NeuronOnHicann, [u32; 2]>,
}

impl Stimulus {
    /// Chooses the buses among what works, and sets them up with all weights alike.
    pub(super) fn new(rig: &mut Rig<'_>, weight: SynapseWeight) -> Self {
        let mut taken = Vec::new();
        let feeds: Vec<Feed> = DncMergerOnHicann::all()
            .filter_map(|merger| {
                let half = if merger.index() < 4 { Vertical::Top } else { Vertical::Bottom };
                let feed = best_feed(rig, merger, half, &taken)?;
                taken.extend(feed.drivers.iter().copied());
                Some(feed)
            })
            .collect();
        let mut synapses: Table<NeuronOnHicann, [u32; 2]> = Table::default();
        for driver in feeds.iter().flat_map(|f| &f.drivers) {
            for column in SynapseColumnOnHicann::all() {
                for side in [0, 1] {
                    let synapse = driver.row(row(side)).synapse(column);
                    if rig.works(synapse) {
                        synapses[synapse.neuron()][side] += 1;
                    }
                }
            }
        }
        let stimulus = Self { hicann: rig.hicann, feeds, synapses };
        stimulus.set_up(rig.chip(), weight);
        stimulus
    }

    fn set_up(&self, chip: &mut HicannConfig, weight: SynapseWeight) {
        for controller in chip.synapse_controllers.values_mut() {
            controller.dll_released = [true; 2];
        }
        for feed in &self.feeds {
            let repeater = feed.merger.sending_repeater().repeater();
            chip.repeaters.horizontal[repeater].mode =
                hal::config::RepeaterMode::Output(Side::Right);
            chip.crossbar.set(feed.crossbar, true);
            chip.synapse_switches.set(feed.switch, true);
            for (i, &driver) in feed.drivers.iter().enumerate() {
                let settings = &mut chip.synapses.drivers[driver];
                (settings.enable, settings.locin) = (true, i == 0);
                settings.connect_neighbor = i + 1 < feed.drivers.len();
                for side in [0, 1] {
                    let address = ADDRESSES[side];
                    let row_settings = &mut settings.rows[side];
                    row_settings.synaptic_input[side] = true;
                    row_settings.decoder = [address.driver_decoder(); 2];
                    row_settings.gmax_divisor = law::split_divisor(DIVISOR_SUM);
                }
                for column in SynapseColumnOnHicann::all() {
                    for side in [0, 1] {
                        let synapse = driver.row(row(side)).synapse(column);
                        chip.synapses.decoders[synapse] = ADDRESSES[side].synapse_decoder();
                        chip.synapses.weights[synapse] = weight;
                    }
                }
            }
        }
    }

    /// Gives all synapses of each circuit and input a weight of its own.
    pub(super) fn set_weights(
        &self,
        chip: &mut HicannConfig,
        weight: impl Fn(NeuronOnHicann, usize) -> SynapseWeight,
    ) {
        for driver in self.drivers() {
            for column in SynapseColumnOnHicann::all() {
                for side in [0, 1] {
                    let synapse = driver.row(row(side)).synapse(column);
                    chip.synapses.weights[synapse] = weight(synapse.neuron(), side);
                }
            }
        }
    }

    /// Excitatory synapses of each circuit that work, in rows on one side of the chip.
    pub(super) fn excitatory_from(&self, rig: &Rig<'_>, side: Side) -> Table<NeuronOnHicann, u32> {
        let mut synapses: Table<NeuronOnHicann, u32> = Table::default();
        for driver in self.drivers().filter(|&d| side_of(d) == side) {
            for column in SynapseColumnOnHicann::all() {
                let synapse = driver.row(row(0)).synapse(column);
                synapses[synapse.neuron()] += u32::from(rig.works(synapse));
            }
        }
        synapses
    }

    /// Lets all rows take a V_gmax.
    pub(super) fn select(&self, chip: &mut HicannConfig, select: GmaxSelect) {
        for driver in self.drivers() {
            for row in &mut chip.synapses.drivers[driver].rows {
                row.gmax_select = select;
            }
        }
    }

    /// Lets all drivers depress with a capacitor, or none.
    pub(super) fn depress(
        &self,
        chip: &mut HicannConfig,
        capacitor: impl Fn(FgBlockOnHicann) -> Option<StpCapacitor>,
    ) {
        for driver in self.drivers() {
            let capacitor = capacitor(driver.quadrant().fg_block());
            let settings = &mut chip.synapses.drivers[driver];
            settings.stp_enable = capacitor.is_some();
            settings.stp_mode = StpMode::Depression;
            settings.stp_capacitor = capacitor.unwrap_or_default();
        }
    }

    fn drivers(&self) -> impl Iterator<Item = SynapseDriverOnHicann> {
        self.feeds.iter().flat_map(|feed| feed.drivers.iter().copied())
    }

    /// Background generators drive the synapses of an input at 5 MHz; without an input they only
    /// keep receivers locked.
    pub(super) fn drive(&self, chip: &mut HicannConfig, side: Option<usize>) {
        for feed in &self.feeds {
            let clocks = if side.is_some() { DRIVING_CLOCKS } else { LOCKING_CLOCKS };
            let generator = BackgroundGeneratorOnHicann::from_index(feed.merger.index());
            let generator = generator.expect("as many generators as mergers");
            chip.mergers.background[generator] = BackgroundGenerator {
                enable: true,
                random: false,
                period: (clocks - 1) as u16,
                address: side.map_or(L1Address::BACKGROUND, |side| ADDRESSES[side]),
                ..BackgroundGenerator::default()
            };
            // pulses of the FPGA enter where events of the chip would leave
            chip.gbit_links.direction[feed.merger.gbit_link()] =
                if side.is_some() { GbitDirection::Off } else { GbitDirection::ToHicann };
        }
        chip.gbit_links.timestamp_enable = side.is_none();
    }

    /// Switches all generators off and closes the links.
    pub(super) fn stop(chip: &mut HicannConfig) {
        chip.mergers.background = Table::default();
        chip.gbit_links = hal::config::GbitLinks::default();
    }

    /// One event at each synapse of an input at about a time, or at those of the rows on one side of the
    /// chip; the lower half of the chip gets it [later](Self::delay_s).
    pub(super) fn event(
        &self,
        side: usize,
        rows: Option<Side>,
        time: DncCycles,
    ) -> Vec<PulseEvent> {
        let pulse = |feed: &Feed| PulseEvent {
            time: DncCycles(time.0 + later(feed.drivers[0].vertical()).0),
            label: PulseLabel {
                link: self.hicann.link(),
                gbit_link: feed.merger.gbit_link(),
                address: ADDRESSES[side],
            },
        };
        let wanted = |feed: &&Feed| rows.is_none_or(|side| side_of(feed.drivers[0]) == side);
        let mut pulses: Vec<PulseEvent> = self.feeds.iter().filter(wanted).map(pulse).collect();
        pulses.sort();
        pulses
    }

    /// From the time of an event to the arrival at a circuit, s.
    pub(super) fn delay_s(circuit: NeuronOnHicann) -> f64 {
        law::route_delay_s(1) + later(circuit.vertical()).hardware_s()
    }
}

const fn later(half: Vertical) -> DncCycles {
    match half {
        Vertical::Top => DncCycles(0),
        Vertical::Bottom => LOWER_HALF_LATER,
    }
}

/// The row of a driver for an input.
fn row(side: usize) -> hal::coord::RowOnSynapseDriver {
    hal::coord::RowOnSynapseDriver::from_index(side).expect("a driver has two rows")
}

/// The way of a merger to the longest chain of working drivers that nobody else uses, in one half
/// of the chip.
fn best_feed(
    rig: &Rig<'_>,
    merger: DncMergerOnHicann,
    half: Vertical,
    taken: &[SynapseDriverOnHicann],
) -> Option<Feed> {
    let hline = merger.hline();
    let generator = BackgroundGeneratorOnHicann::from_index(merger.index())?;
    let enters = rig.works(merger) && rig.works(merger.gbit_link()) && rig.works(generator);
    if !enters || !rig.works(hline) || !rig.works(merger.sending_repeater().repeater()) {
        return None;
    }
    if !rig.works(merger.tree_input()) {
        return None;
    }
    let mut best: Option<((usize, bool), Feed)> = None;
    for vline in hline.crossbar_vlines().filter(|&v| rig.works(v)) {
        let Some(crossbar) = CrossbarSwitchOnHicann::between(hline, vline) else { continue };
        if !rig.works(crossbar) {
            continue;
        }
        for switch in vline.synapse_switches().filter(|&s| rig.works(s)) {
            let row = switch.row();
            let first = row.y();
            if !row.is_local() || first.vertical() != half || !rig.works(row) {
                continue;
            }
            let chain = std::iter::successors(Some(first), |driver| driver.outward());
            let usable = |d: &SynapseDriverOnHicann| {
                rig.works(*d)
                    && d.usable_on_hicann_v4()
                    && !taken.contains(d)
                    && [0, 1].iter().all(|&side| rig.works(d.row(self::row(side))))
            };
            let drivers: Vec<_> = chain.take_while(usable).take(CHAIN).collect();
            // neighbouring buses take different sides: each side has a V_gmax of its own
            let wanted = drivers.first().is_some_and(|d| side_of(*d).index() == merger.index() % 2);
            let rank = (drivers.len(), wanted);
            if drivers.is_empty() || best.as_ref().is_some_and(|(found, _)| *found >= rank) {
                continue;
            }
            best = Some((rank, Feed { merger, crossbar, switch, drivers }));
        }
    }
    best.map(|(_, feed)| feed)
}

/// The side of the chip that a driver lies on.
fn side_of(driver: SynapseDriverOnHicann) -> Side {
    driver.quadrant().fg_block().side()
}
