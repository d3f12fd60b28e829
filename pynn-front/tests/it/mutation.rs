//! Flipped bits: whatever changes in the configuration of a valid mapping, the verifier notices.
//!
//! The flips are made in the data of HICANNCONFIG words, the only form in which a configuration
//! reaches a wafer, so no bit that a chip stores can be missed: every register of every unit is
//! written, and every bit of its width can be drawn. Words are drawn by register, all kinds of
//! registers alike, because most words of a chip are floating-gate cells and synapses.
//! A flip has one of these ends:
//! - the words are refused: the chip has no such register value;
//! - the state of the chip does not change, for a reason that the word tells ([`without_effect`]);
//! - the verifier reports the changed state;
//! - the verifier is silent: then the emulator's connectivity must be the same, and the change must
//!   lie in settings that nothing in use depends on ([`idle`]).

use std::collections::{BTreeMap, BTreeSet};

use calib::{TsodyksMarkram, WaferCalibration};
use hal::codec::{Access, Operation, Unit, decode_wafer, encode_wafer};
use hal::config::{HicannConfig, MergerMode, WaferConfig};
use hal::coord::{
    Coordinate, DncMergerOnHicann, HicannOnWafer, MergerInput, MergerOnHicann, NeuronOnHicann,
    Parity, Side, SynapseArrayOnHicann, SynapseColumnOnHicann, SynapseDriverOnHicann,
    SynapseRowOnHicann, Table, VLineOnHicann,
};
use hal::defects::Defects;
use hal::l1::L1Repeater;
use hal::value::SynapseWeight;
use hal::wafer::ConfigurationWords;
use marocco::network::Network;
use marocco::verify::{Rules, verify_config};
use marocco::{MapOptions, Mapped, map};
use pynn_front::defects::uniform;
use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::networks::{Shape, mapped, options};

/// Flips that change the state of a chip.
const FLIPS: usize = 500;

const SHAPE: Shape = Shape { neurons: [160, 40], sources: 100, degrees: [30, 8, 20], seed: 11 };

/// What became of a flip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Refused,
    WithoutEffect(&'static str),
    Reported,
    Idle(&'static str),
    Unexplained,
}

#[test]
fn no_flipped_bit_escapes() {
    let network = SHAPE.network();
    let mapped = mapped(&network, Some(4), 0);
    judge_flips(&network, &mapped, Rules::default());
}

/// Some projections depress, some facilitate.
#[test]
fn no_flipped_bit_escapes_with_short_term_plasticity() {
    let mut network = SHAPE.network();
    let ids: Vec<_> = network.projections().map(|(id, _)| id).collect();
    for (i, id) in ids.into_iter().enumerate() {
        let plasticity = match i % 3 {
            0 => Some(TsodyksMarkram { u: 0.3, tau_rec: 200.0, tau_facil: 0.0 }),
            1 => Some(TsodyksMarkram { u: 0.35, tau_rec: 0.0, tau_facil: 200.0 }),
            _ => None,
        };
        network.set_plasticity(id, plasticity).unwrap();
    }
    let mapped = mapped(&network, Some(4), 0);
    let drivers = mapped.mapping.chains.iter().flat_map(|chain| &chain.plasticity).flatten();
    assert_eq!(drivers.map(|d| d.mode as u8).collect::<BTreeSet<_>>().len(), 2);
    judge_flips(&network, &mapped, Rules::default());
}

/// Few chips, so that each sends several buses; one of them without vertical lines, so that its
/// neighbours inject; and everything else defective here and there.
#[test]
fn no_flipped_bit_escapes_among_defects() {
    let network = SHAPE.network();
    let mut defects = uniform(0.01, 0, 3).unwrap();
    let near = |h: &HicannOnWafer| (16..21).contains(&h.x()) && h.y() == 7;
    let options = MapOptions {
        excluded: HicannOnWafer::all().filter(|h| !near(h)).collect(),
        ..options(Some(4), 0)
    };
    let on = |defects: &Defects| {
        map(&network, &options, defects, &WaferCalibration::ideal(), &mut |_| {}).unwrap()
    };
    let first = on(&defects).mapping.placement.neurons[0].unwrap();
    for vline in VLineOnHicann::all() {
        defects.insert(vline.on(first.hicann));
    }
    let mapped = on(&defects);
    let neurons = mapped.mapping.placement.neurons.iter().zip(&mapped.mapping.placement.addresses);
    let buses: BTreeSet<_> =
        neurons.filter_map(|(neuron, address)| neuron.and(address.map(|a| a.bus))).collect();
    let senders: BTreeSet<_> = buses.iter().map(|bus| bus.hicann).collect();
    assert!(buses.len() > senders.len(), "{buses:?}");
    assert!(mapped.mapping.chains.iter().any(|chain| chain.vline.hicann != chain.hicann));
    judge_flips(&network, &mapped, options.rules(&defects));
}

fn judge_flips(network: &Network, mapped: &Mapped, rules: Rules) {
    let mut bench = Bench::new(network, mapped, rules);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut ends: BTreeMap<End, usize> = BTreeMap::new();
    let mut unexplained = Vec::new();
    let mut changed = 0;
    while changed < FLIPS {
        let flip = bench.draw(&mut rng);
        let end = bench.judge(flip);
        changed += usize::from(!matches!(end, End::Refused | End::WithoutEffect(_)));
        *ends.entry(end).or_default() += 1;
        if end == End::Unexplained {
            unexplained.push(flip);
        }
    }
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    assert!(ends[&End::Reported] * 10 >= FLIPS * 7, "few flips were reported: {ends:?}");
}

/// A flipped bit in the words of a chip.
#[derive(Debug, Clone, Copy)]
struct Flip {
    hicann: HicannOnWafer,
    /// Position among the words of the chip.
    word: usize,
    bit: u32,
    access: Access,
}

/// A kind of register, with its width in bits: words are drawn kind by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    name: &'static str,
    local: u16,
    width: u32,
}

/// Chips and positions among their words.
#[derive(Default)]
struct Places {
    /// Words whose register is not written again, or is read by a command before that.
    lasting: Vec<(HicannOnWafer, usize)>,
    /// All others; they are drawn less often.
    overwritten: Vec<(HicannOnWafer, usize)>,
}

struct Bench<'a> {
    network: &'a Network,
    mapped: &'a Mapped,
    rules: Rules,
    /// The words of each chip in their order.
    words: BTreeMap<HicannOnWafer, Vec<u64>>,
    /// The writing words by kind of register.
    kinds: Vec<(Kind, Places)>,
    /// The valid configuration, changed while a flip is judged.
    config: WaferConfig,
    connectivity: emulator::Connectivity,
}

impl<'a> Bench<'a> {
    fn new(network: &'a Network, mapped: &'a Mapped, rules: Rules) -> Self {
        let all = encode_wafer(&mapped.config).unwrap();
        let config = decode_wafer(&all).unwrap();
        let found = verify_config(network, &mapped.mapping, &config, &rules);
        assert!(found.is_ok(), "{:#?}", found.violations);
        let mut words: BTreeMap<HicannOnWafer, Vec<u64>> = BTreeMap::new();
        for (fpga, list) in &all.by_fpga {
            for &word in list {
                let (link, _) = Access::from_word(word).unwrap();
                words.entry(fpga.dnc().hicann(link.hicann())).or_default().push(word);
            }
        }
        let mut kinds: BTreeMap<Kind, Places> = BTreeMap::new();
        for (&hicann, list) in &words {
            let mut written: BTreeSet<(Unit, u16)> = BTreeSet::new();
            for (i, &word) in list.iter().enumerate().rev() {
                let (_, access) = Access::from_word(word).unwrap();
                if matches!(access.operation, Operation::Read) {
                    continue;
                }
                let places = kinds.entry(kind(access)).or_default();
                if written.insert((access.unit, access.local)) || feeds_a_command(access) {
                    places.lasting.push((hicann, i));
                } else {
                    places.overwritten.push((hicann, i));
                }
            }
        }
        let connectivity = emulator::connectivity(&config);
        let kinds = kinds.into_iter().collect();
        Self { network, mapped, rules, words, kinds, config, connectivity }
    }

    fn draw(&self, rng: &mut ChaCha8Rng) -> Flip {
        let (kind, places) = self.kinds.choose(rng).unwrap();
        let lasting = places.overwritten.is_empty() || rng.random_ratio(7, 8);
        let list = if lasting { &places.lasting } else { &places.overwritten };
        let &(hicann, word) = list.choose(rng).unwrap();
        let (_, access) = Access::from_word(self.words[&hicann][word]).unwrap();
        Flip { hicann, word, bit: rng.random_range(0..kind.width), access }
    }

    fn judge(&mut self, flip: Flip) -> End {
        let mut words = self.words[&flip.hicann].clone();
        words[flip.word] ^= 1 << flip.bit;
        let by_fpga = BTreeMap::from([(flip.hicann.fpga(), words)]);
        let Ok(mut decoded) = decode_wafer(&ConfigurationWords { by_fpga }) else {
            return End::Refused;
        };
        let changed = decoded.hicanns.remove(&flip.hicann).unwrap();
        if changed == self.config.hicanns[&flip.hicann] {
            return self.without_effect(flip).map_or(End::Unexplained, End::WithoutEffect);
        }
        let valid = self.config.hicanns.insert(flip.hicann, changed).unwrap();
        let found = verify_config(self.network, &self.mapped.mapping, &self.config, &self.rules);
        let same = !found.is_ok() || emulator::connectivity(&self.config) == self.connectivity;
        let changed = self.config.hicanns.insert(flip.hicann, valid).unwrap();
        if !found.is_ok() {
            return End::Reported;
        }
        if !same {
            return End::Unexplained;
        }
        idle(&self.config.hicanns[&flip.hicann], &changed).map_or(End::Unexplained, End::Idle)
    }

    /// Why a write can be different without changing the state that the chip ends up in.
    fn without_effect(&self, flip: Flip) -> Option<&'static str> {
        let Access { unit, local, .. } = flip.access;
        let reason = match (unit, local) {
            _ if self.is_overwritten(flip) => "written again later",
            (Unit::NeuronControl, 0..=2) if flip.bit == 15 => "bit of no merger",
            (Unit::NeuronControl, 6) => "seed that no generator takes over",
            (Unit::NeuronBuilder, 0x201) if flip.bit < 20 => "source of an output that is off",
            (Unit::Spl1, 0) if (8..16).contains(&flip.bit) => "direction of a link that is off",
            (Unit::FloatingGate(_), 0x101) => {
                "pass that later ones repeat, or column of a row pass"
            }
            (Unit::FloatingGate(_), 0x102 | 0x108) => "speed of a programming pass",
            _ => return None,
        };
        Some(reason)
    }

    /// Whether a later write goes to the same register.
    fn is_overwritten(&self, flip: Flip) -> bool {
        let here = (flip.access.unit, flip.access.local);
        self.words[&flip.hicann][flip.word + 1..].iter().any(|&word| {
            let (_, access) = Access::from_word(word).unwrap();
            (access.unit, access.local) == here && matches!(access.operation, Operation::Write(_))
        })
    }
}

/// Whether a register is the operand of commands, or takes them: floating-gate rows, synapse rows.
fn feeds_a_command(access: Access) -> bool {
    match access.unit {
        Unit::FloatingGate(_) => access.local <= 0x101,
        Unit::Synapse(_) => access.local == 0x4000 || (0x4200..0x4300).contains(&access.local),
        _ => false,
    }
}

/// The kind of a register: its unit's kind, the register or the block of registers, and the bits
/// that it has (hal-config §2).
fn kind(access: Access) -> Kind {
    let local = access.local;
    let (name, local, width) = match access.unit {
        Unit::Crossbar(_) => ("crossbar", 0, 4),
        Unit::SynapseSwitch(..) => ("synapse switches", 0, 16),
        Unit::Repeater(_) if local < 0x80 => ("repeaters", 0, 8),
        Unit::Repeater(_) if (0x81..=0x8c).contains(&local) => ("test events", 0, 8),
        Unit::Repeater(_) => ("repeater block", local, 8),
        Unit::NeuronControl => ("neuron control", local, 16),
        Unit::NeuronBuilder if local < 0x200 => ("quads", local % 4, 25),
        Unit::NeuronBuilder => ("neuron builder", local, 22),
        Unit::FloatingGate(_) if local < 0x80 => ("floating gates", 0, 20),
        Unit::FloatingGate(_) => ("floating-gate controller", local, 32),
        Unit::DncInterface => ("DNC interface", local, 32),
        Unit::Spl1 => ("event links", local, 17),
        Unit::Synapse(_) if local < 0x300 => ("drivers", local / 0x100, 16),
        Unit::Synapse(_) if (0x4200..0x4204).contains(&local) => ("synapse rows", 0, 32),
        Unit::Synapse(_) => ("synapse controller", local, 32),
    };
    Kind { name, local, width }
}

/// Sets settings that nothing in use depends on back to those of the valid chip.
type Undo = fn(&HicannConfig, &mut HicannConfig);

/// The settings whose difference is the whole change, if nothing in use depends on them.
fn idle(valid: &HicannConfig, changed: &HicannConfig) -> Option<&'static str> {
    let reasons: [(&'static str, Undo); 5] = [
        ("slow bit of a DNC merger that does not merge", slow_bits),
        ("reset of a repeater block without repeaters in use", blocks),
        ("reset of the drivers of a quadrant without drivers in use", quadrants),
        ("decoder of a half row without synapses", half_rows),
        ("mode of a tree merger with a silent input", mergers),
    ];
    reasons.into_iter().find_map(|(reason, undo)| {
        let mut undone = changed.clone();
        undo(valid, &mut undone);
        (undone == *valid).then_some(reason)
    })
}

fn slow_bits(valid: &HicannConfig, chip: &mut HicannConfig) {
    for dnc in DncMergerOnHicann::all() {
        if chip.mergers.dnc[dnc].mode != MergerMode::Merge {
            chip.mergers.dnc[dnc].slow = valid.mergers.dnc[dnc].slow;
        }
    }
}

fn blocks(valid: &HicannConfig, chip: &mut HicannConfig) {
    use hal::config::RepeaterMode::Idle;
    for (block, reset) in valid.repeater_blocks.iter() {
        let in_use = L1Repeater::all().filter(|r| r.block() == block).any(|r| match r {
            L1Repeater::H(r) => valid.repeaters.horizontal[r].mode != Idle,
            L1Repeater::V(r) => valid.repeaters.vertical[r].mode != Idle,
        });
        if !in_use {
            chip.repeater_blocks[block].dll_released = reset.dll_released;
            chip.repeater_blocks[block].driver_released = reset.driver_released;
        }
    }
}

fn quadrants(valid: &HicannConfig, chip: &mut HicannConfig) {
    for array in SynapseArrayOnHicann::all() {
        for side in Side::ALL {
            let in_use = SynapseDriverOnHicann::all()
                .filter(|d| SynapseArrayOnHicann::in_half(d.vertical()) == array)
                .filter(|d| d.side() == side)
                .any(|d| valid.synapses.drivers[d].enable);
            if !in_use {
                chip.synapse_controllers[array].dll_released[side.index()] =
                    valid.synapse_controllers[array].dll_released[side.index()];
            }
        }
    }
}

fn half_rows(valid: &HicannConfig, chip: &mut HicannConfig) {
    for row in SynapseRowOnHicann::all() {
        for parity in Parity::ALL {
            let empty = SynapseColumnOnHicann::all()
                .filter(|c| c.parity() == parity)
                .all(|c| chip.synapses.weights[row.synapse(c)] == SynapseWeight::default());
            if empty {
                chip.synapses.row_mut(row).decoder[parity.index()] =
                    valid.synapses.row(row).decoder[parity.index()];
            }
        }
    }
}

/// A merger may take either input or both, as long as the other one is silent.
fn mergers(valid: &HicannConfig, chip: &mut HicannConfig) {
    let mut sounds: Table<MergerOnHicann, bool> = Table::default();
    for merger in MergerOnHicann::all() {
        let inputs = merger.inputs().map(|input| match input {
            MergerInput::Background(g) => valid.mergers.background[g].enable,
            MergerInput::NeuronBlock(block) => NeuronOnHicann::all()
                .filter(|n| n.block() == block)
                .any(|n| valid.neurons.circuits[n].enable_spl1_output),
            MergerInput::Merger(m) => sounds[m],
        });
        let passed = |mode: MergerMode| [0, 1].map(|i| inputs[i] && mode.passes(i));
        if passed(valid.mergers.tree[merger].mode) == passed(chip.mergers.tree[merger].mode) {
            chip.mergers.tree[merger].mode = valid.mergers.tree[merger].mode;
        }
        sounds[merger] = passed(valid.mergers.tree[merger].mode) != [false; 2];
    }
}
