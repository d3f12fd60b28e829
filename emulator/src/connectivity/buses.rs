//! What a chip puts onto its eight L1 buses: the merger tree (topology §5.1).

use hal::config::{GbitDirection, HicannConfig};
use hal::coord::{
    BackgroundGeneratorOnHicann, Coordinate, DncMergerOnHicann, HicannOnWafer, L1Address,
    MergerInput, MergerOnHicann, NeuronBlockOnHicann, NeuronOnHicann,
};

use super::{BusAddress, NeuronOutput};

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

/// The eight buses of a chip in the order of their mergers.
pub(crate) fn buses(hicann: HicannOnWafer, chip: &HicannConfig) -> Vec<Bus> {
    DncMergerOnHicann::all()
        .map(|merger| {
            let mode = chip.mergers.dnc[merger].mode;
            let direction = chip.gbit_links.direction[merger.gbit_link()];
            let mut bus = Bus {
                hicann,
                merger,
                neurons: Vec::new(),
                generators: Vec::new(),
                link: mode.passes(0) && direction == GbitDirection::ToHicann,
                recorded: mode.passes(1) && direction == GbitDirection::ToDnc,
            };
            if mode.passes(1) {
                bus.collect(chip, merger.tree_input());
            }
            bus.neurons.sort_unstable();
            bus.generators.sort_unstable();
            bus
        })
        .collect()
}

impl Bus {
    /// Walks the tree against the direction of the events.
    fn collect(&mut self, chip: &HicannConfig, merger: MergerOnHicann) {
        let mode = chip.mergers.tree[merger].mode;
        for (side, input) in merger.inputs().into_iter().enumerate() {
            if !mode.passes(side) {
                continue;
            }
            match input {
                MergerInput::Merger(other) => self.collect(chip, other),
                MergerInput::NeuronBlock(block) => self.neurons.extend(firing(chip, block)),
                MergerInput::Background(generator) => {
                    if chip.mergers.background[generator].enable {
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

/// Circuits of a block whose events enter the tree: output works with an active comparator only.
fn firing(chip: &HicannConfig, block: NeuronBlockOnHicann) -> impl Iterator<Item = NeuronOnHicann> {
    NeuronOnHicann::all().filter(move |&n| {
        let circuit = &chip.neurons.circuits[n];
        n.block() == block && circuit.activate_firing && circuit.enable_spl1_output
    })
}
