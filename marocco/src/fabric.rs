//! What each chip of the wafer offers to neurons and inputs: healthy columns, working mergers,
//! usable drivers.

use hal::coord::{
    BackgroundGeneratorOnHicann, Coordinate, DncMergerOnHicann, HicannOnWafer, MergerOnHicann,
    NeuronBlockOnHicann, NeuronOnHicann, OnWafer, RowOnSynapseDriver, SynapseDriverOnHicann,
    SynapticInputOnHicann, SynapticInputOnNeuron, Table, Vertical,
};
use hal::defects::Defects;
use hal::l1::{L1Line, L1Repeater};

use crate::mapping::Bus;

/// Columns of a neuron block.
pub(crate) const BLOCK_COLUMNS: usize = 32;
/// Neuron blocks of a chip.
const BLOCKS: usize = NeuronBlockOnHicann::SIZE;

/// Healthy columns next to each other within one neuron block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) block: u8,
    /// First column on the chip, 0..=255.
    pub(crate) first: u8,
    /// Number of columns, 1..=32.
    pub(crate) len: u8,
}

/// Into how many buses the neurons of a chip are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Split {
    /// All blocks onto DNC merger 3, the only one that every block reaches.
    One,
    /// Blocks 0 to 3 onto merger 3, blocks 4 to 7 onto merger 5.
    Two,
    /// Two blocks each onto mergers 1, 3, 5 and 6.
    Four,
    /// Each block onto its own merger.
    Eight,
}

impl Split {
    /// Coarse first.
    pub(crate) const ALL: [Self; 4] = [Self::One, Self::Two, Self::Four, Self::Eight];

    /// Buses of a chip.
    pub(crate) const fn buses(self) -> usize {
        self.mergers().len()
    }

    /// DNC merger of each bus: those that the blocks of the bus merge into (topology §5.1).
    pub(crate) const fn mergers(self) -> &'static [usize] {
        match self {
            Self::One => &[3],
            Self::Two => &[3, 5],
            Self::Four => &[1, 3, 5, 6],
            Self::Eight => &[0, 1, 2, 3, 4, 5, 6, 7],
        }
    }

    /// The DNC merger of a bus of the chip.
    pub(crate) fn merger(self, bus: usize) -> DncMergerOnHicann {
        DncMergerOnHicann::from_index(self.mergers()[bus]).expect("the table holds mergers")
    }

    /// Bus of a neuron block.
    pub(crate) const fn bus_of(self, block: u8) -> usize {
        block as usize * self.buses() / BLOCKS
    }

    /// Blocks of a bus.
    pub(crate) fn blocks(self, bus: usize) -> std::ops::Range<usize> {
        let each = BLOCKS / self.buses();
        bus * each..(bus + 1) * each
    }

    /// The mergers of the tree between a block and the DNC merger of its bus, upwards.
    pub(crate) fn tree(self, block: usize) -> impl Iterator<Item = MergerOnHicann> {
        let top = self.merger(self.bus_of(block as u8)).tree_input();
        (0..=top.level()).filter_map(move |level| MergerOnHicann::at_level(level, block >> level))
    }

    /// The generator that locks a bus: the one beside the block of the merger's number.
    pub(crate) fn generator(self, bus: usize) -> BackgroundGeneratorOnHicann {
        BackgroundGeneratorOnHicann::from_index(self.mergers()[bus]).expect("eight generators")
    }
}

/// A chip as a place for neurons.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) hicann: HicannOnWafer,
    /// Runs whose events reach their bus, in order.
    pub(crate) runs: Vec<Run>,
    /// Usable synapse drivers.
    pub(crate) drivers: usize,
}

impl Site {
    /// Neurons of `width` columns that fit into the runs of a bus.
    pub(crate) fn room(&self, split: Split, bus: usize, width: u8) -> usize {
        self.runs
            .iter()
            .filter(|run| split.bus_of(run.block) == bus)
            .map(|run| usize::from(run.len / width))
            .sum()
    }
}

/// All chips that can be used.
#[derive(Debug)]
pub(crate) struct Fabric<'a> {
    defects: &'a Defects,
    excluded: Vec<HicannOnWafer>,
    drivers: Table<HicannOnWafer, u16>,
    columns: Table<HicannOnWafer, Vec<Run>>,
}

impl<'a> Fabric<'a> {
    pub(crate) fn new(defects: &'a Defects, excluded: &[HicannOnWafer]) -> Self {
        let mut drivers = Table::from_fn(|_: HicannOnWafer| 0);
        let mut columns = Table::from_fn(|_: HicannOnWafer| Vec::new());
        for hicann in defects.usable_hicanns().filter(|h| !excluded.contains(h)) {
            drivers[hicann] = SynapseDriverOnHicann::all()
                .filter(|&d| driver_is_usable(defects, d.on(hicann)))
                .count() as u16;
            columns[hicann] = runs(defects, hicann);
        }
        Self { defects, excluded: excluded.to_vec(), drivers, columns }
    }

    fn is_open(&self, hicann: HicannOnWafer) -> bool {
        self.defects.is_usable(hicann) && !self.excluded.contains(&hicann)
    }

    /// Whether a merger can send onto L1: merger, repeater and line work, on the chip or, at the
    /// western neighbour's, one side is enough.
    fn can_send(&self, bus: Bus) -> bool {
        let Bus { hicann, merger } = bus;
        let repeater = L1Repeater::H(merger.sending_repeater().repeater());
        let line = L1Line::H(merger.hline());
        self.defects.is_usable(merger.on(hicann))
            && self.defects.is_usable(repeater.on(hicann))
            && self.defects.is_usable(line.on(hicann))
    }

    /// The chip as a place for neurons on so many buses; none if a bus could not be sent or
    /// locked.
    pub(crate) fn site(&self, hicann: HicannOnWafer, split: Split) -> Option<Site> {
        if !self.is_open(hicann) {
            return None;
        }
        let usable = |block: usize| split.tree(block).all(|m| self.defects.is_usable(m.on(hicann)));
        let locks = |bus: usize| {
            let generator = split.generator(bus);
            self.defects.is_usable(generator.on(hicann)) && usable(generator.index())
        };
        let sends = |bus: usize| self.can_send(Bus { hicann, merger: split.merger(bus) });
        let live: Vec<bool> = (0..split.buses()).map(|bus| sends(bus) && locks(bus)).collect();
        if !live[0] {
            return None;
        }
        let mut works = [false; BLOCKS];
        for bus in (0..split.buses()).filter(|&bus| live[bus]) {
            for block in split.blocks(bus) {
                works[block] = usable(block);
            }
        }
        let runs: Vec<Run> = self.columns[hicann]
            .iter()
            .copied()
            .filter(|run| works[usize::from(run.block)])
            .collect();
        (!runs.is_empty()).then(|| Site {
            hicann,
            runs,
            drivers: usize::from(self.drivers[hicann]),
        })
    }

    /// Whether external inputs can enter at a chip: link, merger 3 and the generator that locks it.
    pub(crate) fn takes_inputs(&self, hicann: HicannOnWafer) -> bool {
        let split = Split::One;
        let link = split.merger(0).gbit_link();
        self.is_open(hicann)
            && self.can_send(Bus { hicann, merger: split.merger(0) })
            && self.defects.is_usable(link.on(hicann))
            && self.defects.is_usable(split.generator(0).on(hicann))
            && split.tree(3).all(|m| self.defects.is_usable(m.on(hicann)))
    }
}

/// Whether a driver can be given to a bus: it and both of its rows work. A driver with one dead
/// row would serve half as many synapses; they are few enough to leave alone.
pub(crate) fn driver_is_usable(defects: &Defects, driver: OnWafer<SynapseDriverOnHicann>) -> bool {
    let OnWafer { hicann, local } = driver;
    defects.is_usable(local.on(hicann))
        && RowOnSynapseDriver::all().all(|row| defects.is_usable(local.row(row).on(hicann)))
}

/// Columns whose two circuits work with both of their inputs, as runs within the blocks.
fn runs(defects: &Defects, hicann: HicannOnWafer) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for column in 0..=255u8 {
        let healthy = Vertical::ALL.into_iter().map(|v| NeuronOnHicann::at(column, v)).all(|n| {
            let mut inputs = SynapticInputOnNeuron::all();
            inputs.all(|i| defects.is_usable(SynapticInputOnHicann::of(n, i).on(hicann)))
        });
        if !healthy {
            continue;
        }
        let block = column / BLOCK_COLUMNS as u8;
        match runs.last_mut() {
            Some(run) if run.block == block && run.first + run.len == column => run.len += 1,
            _ => runs.push(Run { block, first: column, len: 1 }),
        }
    }
    runs
}
