//! What a chip puts onto its eight L1 buses: the merger tree (topology §5.1).

use hal::config::{GbitDirection, HicannConfig};
use hal::coord::{
    BackgroundGeneratorOnHicann, Coordinate, DncMergerOnHicann, HicannOnWafer, L1Address,
    MergerInput, MergerOnHicann, NeuronBlockOnHicann, NeuronOnHicann,
};

use super::{BusAddress, NeuronOutput};
use crate::flaws::Flaws;

/// The event sources that one DNC merger passes on. A block or generator stands on every bus whose
/// merger is tapped behind it, and its events are copied to each.
#[derive(Debug, Clone)]
pub(crate) struct Bus {
    /// The chip.
    pub(crate) hicann: HicannOnWafer,
    /// The DNC merger.
    pub(crate) merger: DncMergerOnHicann,
    /// Circuits whose events arrive, ascending.
    pub(crate) neurons: Vec<NeuronOnHicann>,
    /// Enabled generators whose events arrive.
    pub(crate) generators: Vec<BackgroundGeneratorOnHicann>,
    /// Whether pulses of the FPGA arrive.
    pub(crate) link: bool,
    /// Whether events of the tree leave through the event link as well.
    pub(crate) recorded: bool,
}

/// The buses of a chip in the order of their mergers. What is defective passes nothing on.
pub(crate) fn buses(hicann: HicannOnWafer, chip: &HicannConfig, flaws: &Flaws<'_>) -> Vec<Bus> {
    let defects = flaws.record(hicann);
    DncMergerOnHicann::all()
        .filter(|&merger| defects.is_none_or(|d| !d.dnc_mergers.contains(merger)))
        .map(|merger| {
            let mode = chip.mergers.dnc[merger].mode;
            let link = merger.gbit_link();
            let direction = chip.gbit_links.direction[link];
            let answers = defects.is_none_or(|d| !d.gbit_links.contains(link));
            let mut bus = Bus {
                hicann,
                merger,
                neurons: Vec::new(),
                generators: Vec::new(),
                link: answers && mode.passes(0) && direction == GbitDirection::ToHicann,
                recorded: answers && mode.passes(1) && direction == GbitDirection::ToDnc,
            };
            if mode.passes(1) {
                bus.collect(chip, flaws, merger.tree_input());
            }
            bus.neurons.sort_unstable();
            bus.generators.sort_unstable();
            bus
        })
        .collect()
}

impl Bus {
    /// Walks the tree against the direction of the events.
    fn collect(&mut self, chip: &HicannConfig, flaws: &Flaws<'_>, merger: MergerOnHicann) {
        let defects = flaws.record(self.hicann);
        if defects.is_some_and(|d| d.mergers.contains(merger)) {
            return;
        }
        let mode = chip.mergers.tree[merger].mode;
        for (side, input) in merger.inputs().into_iter().enumerate() {
            if !mode.passes(side) {
                continue;
            }
            match input {
                MergerInput::Merger(other) => self.collect(chip, flaws, other),
                MergerInput::NeuronBlock(block) => {
                    let works = |n: &NeuronOnHicann| flaws.fires(self.hicann, *n);
                    self.neurons.extend(firing(chip, block).filter(works));
                }
                MergerInput::Background(generator) => {
                    let dead = defects.is_some_and(|d| d.background_generators.contains(generator));
                    if chip.mergers.background[generator].enable && !dead {
                        self.generators.push(generator);
                    }
                }
            }
        }
    }

    /// This bus with an address.
    pub(crate) fn at(&self, address: L1Address) -> BusAddress {
        BusAddress { hicann: self.hicann, merger: self.merger, address }
    }

    /// Address of a generator's events; random generators always send address 0 (topology §5.6).
    pub(crate) fn generator_address(
        chip: &HicannConfig,
        generator: BackgroundGeneratorOnHicann,
    ) -> L1Address {
        let settings = &chip.mergers.background[generator];
        if settings.random { L1Address::BACKGROUND } else { settings.address }
    }

    /// The addresses that can appear on the bus, one bit each. A link can carry any.
    pub(crate) fn addresses(&self, chip: &HicannConfig) -> u64 {
        if self.link {
            return u64::MAX;
        }
        let neurons = self.neurons.iter().map(|&n| chip.neurons.circuits[n].address);
        let generators = self.generators.iter().map(|&g| Self::generator_address(chip, g));
        neurons.chain(generators).fold(0, |mask, a| mask | 1 << a.index())
    }

    /// The circuits on this bus with the address that they send.
    pub(crate) fn outputs(&self, chip: &HicannConfig) -> impl Iterator<Item = NeuronOutput> {
        self.neurons.iter().map(|&n| NeuronOutput {
            neuron: n.on(self.hicann),
            bus: self.at(chip.neurons.circuits[n].address),
        })
    }
}

/// Whether a circuit may put events into the tree: its output is on and not held in reset.
pub(crate) fn sends(chip: &HicannConfig, n: NeuronOnHicann) -> bool {
    chip.neurons.circuits[n].enable_spl1_output && !chip.neurons.outputs_held_in_reset
}

/// Circuits of a block whose events enter the tree: output works with an active comparator only.
fn firing(chip: &HicannConfig, block: NeuronBlockOnHicann) -> impl Iterator<Item = NeuronOnHicann> {
    NeuronOnHicann::all().filter(move |&n| {
        n.block() == block && sends(chip, n) && chip.neurons.circuits[n].activate_firing
    })
}
