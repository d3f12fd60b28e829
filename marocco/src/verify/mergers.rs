//! Event flow from neuron blocks, generators and links to the DNC mergers (V06 to V10).

use hal::config::{GbitDirection, HicannConfig, MergerMode};
use hal::coord::{
    BackgroundGeneratorOnHicann, Coordinate, DncMergerOnHicann, HicannOnWafer, L1Address,
    MergerInput, MergerOnHicann, NeuronBlockOnHicann, NeuronOnHicann, Table,
};

use super::{Case, Faults, Rule, per_chip};

/// What arrives at one place of the tree: a bit per neuron block, per generator, and the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Streams {
    /// Neuron blocks whose events arrive.
    pub blocks: u8,
    /// Background generators whose events arrive.
    pub generators: u8,
    /// Whether events of the FPGA arrive.
    pub link: bool,
}

impl Streams {
    fn join(self, other: Self) -> Self {
        Self {
            blocks: self.blocks | other.blocks,
            generators: self.generators | other.generators,
            link: self.link || other.link,
        }
    }
}

fn passed(mode: MergerMode, inputs: [Streams; 2]) -> Streams {
    let taken = |i: usize| if mode.passes(i) { inputs[i] } else { Streams::default() };
    taken(0).join(taken(1))
}

/// What leaves each DNC merger of a chip (topology §5.1).
pub(super) fn streams(chip: &HicannConfig) -> Table<DncMergerOnHicann, Streams> {
    let mut tree: Table<MergerOnHicann, Streams> = Table::default();
    for merger in MergerOnHicann::all() {
        // inputs have smaller numbers than the mergers behind them
        let inputs = merger.inputs().map(|input| match input {
            MergerInput::Background(g) => {
                let on = chip.mergers.background[g].enable;
                Streams { generators: u8::from(on) << g.index(), ..Streams::default() }
            }
            MergerInput::NeuronBlock(b) => Streams { blocks: 1 << b.index(), ..Streams::default() },
            MergerInput::Merger(m) => tree[m],
        });
        tree[merger] = passed(chip.mergers.tree[merger].mode, inputs);
    }
    Table::from_fn(|dnc: DncMergerOnHicann| {
        let link = chip.gbit_links.direction[dnc.gbit_link()] == GbitDirection::ToHicann;
        let inputs = [Streams { link, ..Streams::default() }, tree[dnc.tree_input()]];
        passed(chip.mergers.dnc[dnc].mode, inputs)
    })
}

/// The addresses that appear on a bus with these streams, one bit each; `link` are those that the
/// event link brings.
pub(super) fn sent_addresses(chip: &HicannConfig, streams: Streams, link: u64) -> u64 {
    let neurons = NeuronOnHicann::all()
        .filter(|n| streams.blocks >> n.block().index() & 1 != 0)
        .filter(|&n| !chip.neurons.outputs_held_in_reset && !chip.neurons.half(n).held_in_reset)
        .map(|n| &chip.neurons.circuits[n])
        .filter(|circuit| circuit.activate_firing && circuit.enable_spl1_output)
        .map(|circuit| circuit.address);
    let generators = BackgroundGeneratorOnHicann::all()
        .filter(|g| streams.generators >> g.index() & 1 != 0)
        .map(|g| &chip.mergers.background[g])
        .map(|g| if g.random { L1Address::BACKGROUND } else { g.address });
    let link = if streams.link { link } else { 0 };
    neurons.chain(generators).fold(link, |mask, address| mask | 1 << address.index())
}

/// What the claim wants of the DNC mergers of a chip.
#[derive(Clone, Copy, Default)]
struct Wanted {
    /// Neuron blocks with neurons on this merger.
    blocks: u8,
    /// Whether external sources have addresses on this merger.
    inputs: bool,
}

pub(super) fn check(case: &Case<'_>, faults: &mut Faults) {
    let mut wanted: Table<HicannOnWafer, [Wanted; 8]> = Table::default();
    let placement = &case.mapping.placement;
    for (member, (neuron, address)) in
        placement.neurons.iter().zip(&placement.addresses).enumerate()
    {
        let Some(address) = address else { continue };
        let bus = address.bus;
        let want = &mut wanted[bus.hicann][bus.merger.index()];
        match neuron {
            Some(neuron) if neuron.hicann == bus.hicann => {
                want.blocks |= 1 << neuron.first_circuit().block().index();
            }
            Some(neuron) => faults.add(
                Rule::V06,
                format!("{} on {} cannot send on {bus}", case.name(member), neuron.hicann),
            ),
            None => want.inputs = true,
        }
    }
    per_chip(case, faults, |hicann, chip, faults| {
        check_assignment(hicann, &wanted[hicann], faults);
        check_flow(hicann, chip, &wanted[hicann], faults);
        check_locking(case, hicann, chip, &wanted[hicann], faults);
        check_settings(hicann, chip, &wanted[hicann], faults);
    });
}

/// Blocks that can reach each DNC merger when all mergers merge (topology §5.1).
const REACHING: [u8; 8] = [1, 0b11, 1 << 2, 0xff, 1 << 4, 0xf0, 0xc0, 1 << 7];

fn check_assignment(hicann: HicannOnWafer, wanted: &[Wanted; 8], faults: &mut Faults) {
    let mut last: Option<(NeuronBlockOnHicann, DncMergerOnHicann)> = None;
    for block in NeuronBlockOnHicann::all() {
        let of_block = DncMergerOnHicann::all()
            .filter(|dnc| wanted[dnc.index()].blocks >> block.index() & 1 != 0);
        for dnc in of_block {
            if REACHING[dnc.index()] >> block.index() & 1 == 0 {
                faults.add(Rule::V06, format!("{hicann}: no path from {block} to {dnc}"));
            }
            if let Some((before, other)) = last {
                faults.demand(Rule::V06, before != block, || {
                    format!("{hicann}: {block} is assigned to both {other} and {dnc}")
                });
                faults.demand(Rule::V06, other <= dnc, || {
                    format!("{hicann}: {before} goes to {other} but {block} to {dnc}; paths cross")
                });
            }
            last = Some((block, dnc));
        }
    }
}

fn check_flow(
    hicann: HicannOnWafer,
    chip: &HicannConfig,
    wanted: &[Wanted; 8],
    faults: &mut Faults,
) {
    let occupied = wanted.iter().fold(0, |all, w| all | w.blocks);
    let streams = streams(chip);
    for (dnc, &found) in streams.iter() {
        let want = wanted[dnc.index()];
        for block in NeuronBlockOnHicann::all() {
            let bit = 1 << block.index();
            let arrives = found.blocks & occupied & bit != 0;
            let claimed = want.blocks & bit != 0;
            faults.demand(Rule::V07, arrives || !claimed, || {
                format!("{hicann}: events of {block} do not arrive at {dnc}")
            });
            let rule = if want.inputs { Rule::V10 } else { Rule::V07 };
            faults.demand(rule, claimed || !arrives, || {
                format!("{hicann}: events of {block} arrive at {dnc}, which is not theirs")
            });
        }
        faults.demand(Rule::V09, found.link == want.inputs, || {
            let what = if found.link {
                "carries events of its link, unclaimed"
            } else {
                "is claimed for inputs, but events of its link do not pass"
            };
            format!("{hicann}: {dnc} {what}")
        });
        faults.demand(Rule::V10, !want.inputs || want.blocks == 0, || {
            format!("{hicann}: {dnc} is claimed for both neurons and inputs")
        });
    }
    for (merger, settings) in chip.mergers.tree.iter() {
        faults.demand(Rule::V07, !settings.slow, || {
            format!("{hicann}: {merger} is slow; only DNC mergers need to be")
        });
    }
}

fn check_locking(
    case: &Case<'_>,
    hicann: HicannOnWafer,
    chip: &HicannConfig,
    wanted: &[Wanted; 8],
    faults: &mut Faults,
) {
    let streams = streams(chip);
    let mut heard = 0;
    for (dnc, found) in streams.iter() {
        let want = wanted[dnc.index()];
        if want.inputs || want.blocks != 0 {
            heard |= found.generators;
            faults.demand(Rule::V08, found.generators.is_power_of_two(), || {
                let n = found.generators.count_ones();
                format!("{hicann}: {dnc} gets locking events from {n} generators, not from one")
            });
        } else {
            faults.demand(Rule::V08, found.generators == 0, || {
                format!("{hicann}: locking events arrive at {dnc}, which is not in use")
            });
        }
    }
    for (generator, settings) in chip.mergers.background.iter() {
        if !settings.enable {
            continue;
        }
        faults.demand(Rule::V08, heard >> generator.index() & 1 != 0, || {
            format!("{hicann}: {generator} runs but arrives at no DNC merger in use")
        });
        let interval = u32::from(settings.period) + 1;
        let good = !settings.random
            && settings.address == L1Address::BACKGROUND
            && interval == case.rules.locking_interval;
        faults.demand(Rule::V08, good, || {
            format!(
                "{hicann}: {generator} must send address 0 every {} clocks, but sends {} {} {interval}",
                case.rules.locking_interval,
                settings.address,
                if settings.random { "at random, register" } else { "every" },
            )
        });
    }
}

fn check_settings(
    hicann: HicannOnWafer,
    chip: &HicannConfig,
    wanted: &[Wanted; 8],
    faults: &mut Faults,
) {
    for (dnc, settings) in chip.mergers.dnc.iter() {
        let want = wanted[dnc.index()];
        let (used, link) = match want {
            Wanted { inputs: true, .. } => (true, GbitDirection::ToHicann),
            Wanted { blocks: 0, .. } => (false, GbitDirection::Off),
            Wanted { .. } => (true, GbitDirection::ToDnc),
        };
        let found = chip.gbit_links.direction[dnc.gbit_link()];
        faults.demand(Rule::V09, found == link, || {
            format!("{hicann}: {} points {found:?} instead of {link:?}", dnc.gbit_link())
        });
        if used {
            faults.demand(Rule::V09, settings.mode == MergerMode::Merge && settings.slow, || {
                format!("{hicann}: {dnc} is in use but not a slow merger of both inputs")
            });
        } else {
            faults.demand(Rule::V09, settings.mode == MergerMode::LeftOnly, || {
                format!("{hicann}: {dnc} is not in use but passes its tree input on")
            });
        }
        faults.demand(Rule::V09, !settings.loopback, || {
            format!("{hicann}: {dnc} loops incoming events back")
        });
    }
    let inputs = wanted.iter().any(|w| w.inputs);
    faults.demand(Rule::V09, chip.gbit_links.timestamp_enable || !inputs, || {
        format!("{hicann}: inputs are not released at their time stamps")
    });
}
