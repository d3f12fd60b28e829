//! Invariants 1 and 3: every value of a register leads to a setting that has this very value, and
//! every setting to a value that has this very setting; nonsense leads to neither.

use std::collections::BTreeSet;

use crate::codec::fg_controller::FgBias;
use crate::codec::merger::{self, NeuronControl};
use crate::codec::{FgPass, Unencodable, analog, neuron, repeater, switches, synapse_driver};
use crate::config::{
    AnalogOutputs, AnalogSource, Crossbar, DncMerger, GbitDirection, GbitLinks, Merger, MergerMode,
    MergerTree, Neurons, Repeater, RepeaterMode, Repeaters, SynapseDriver, SynapseSwitches,
};
use crate::coord::*;
use crate::value::{FgTime, RepeaterCapacitor};

const MODES: [MergerMode; 3] = [MergerMode::RightOnly, MergerMode::LeftOnly, MergerMode::Merge];

#[test]
fn hal_invariant_01_crossbar_rows() {
    for (side, hline) in
        Side::ALL.into_iter().flat_map(|s| HLineOnHicann::all().map(move |h| (s, h)))
    {
        let local = 63 - hline.index() as u16;
        for data in 0..16 {
            let mut crossbar = Crossbar::default();
            switches::write_crossbar(&mut crossbar, side, local, data).unwrap();
            assert!(crossbar.closed().all(|s| s.hline() == hline && s.vline().side() == side));
            assert_eq!(crossbar.closed().count(), data.count_ones() as usize);
            assert_eq!(switches::read_crossbar(&crossbar, side, local), Ok(data));
        }
    }
}

/// All subsets of one row of each unit; one subset in 64 of all others.
#[test]
fn hal_invariant_01_synapse_switch_rows() {
    for row in SynapseSwitchRowOnHicann::all() {
        let (y, side) = (row.y(), row.side());
        let local = match y.vertical() {
            Vertical::Top => 111 - y.index() as u16,
            Vertical::Bottom => y.index() as u16 - 112,
        };
        let step = if local == 77 { 1 } else { 64 };
        let of_row: Vec<_> = SynapseSwitchOnHicann::all().filter(|s| s.row() == row).collect();
        let mut switches = SynapseSwitches::default();
        for data in (u32::from(local) % step..1 << 16).step_by(step as usize) {
            switches::write_synapse_switches(&mut switches, y.vertical(), side, local, data)
                .unwrap();
            let closed = of_row.iter().filter(|s| switches.is_closed(**s)).count();
            assert_eq!(closed, data.count_ones() as usize);
            let read = switches::read_synapse_switches(&switches, y.vertical(), side, local);
            assert_eq!(read, Ok(data));
        }
        assert!(switches.closed().all(|s| s.row() == row));
    }
}

/// The 40 bits of a driver are five registers that do not touch each other.
#[test]
fn hal_invariant_01_synapse_drivers() {
    for place in SynapseDriverOnHicann::all() {
        let array = SynapseArrayOnHicann::wrap(place.index() / 112);
        let shift = if place.side() == Side::Left { 0 } else { 8 };
        let row = 2 * if array.index() == 0 { 111 - place.index() } else { place.index() - 112 };
        for local in [0x200, 0x201, 0x100, 0x000, 0x001].map(|kind| kind + row as u16) {
            let mut found = BTreeSet::new();
            for byte in 0..256 {
                let mut drivers = Table::filled(SynapseDriver::default());
                synapse_driver::write(&mut drivers, array, local, byte << shift).unwrap();
                let read = synapse_driver::read(&drivers, array, local);
                assert_eq!(read, Ok(byte << shift), "{place} {local:#x}");
                found.insert(format!("{:?}", drivers[place]));
            }
            assert_eq!(found.len(), 256, "no two values mean the same");
        }
    }
}

/// Every word of a quad, on all quads in turn.
#[test]
fn hal_invariant_01_neuron_quads() {
    let round_trip = |quad: QuadOnHicann, local: u16, data: u32| {
        let mut neurons = Neurons::default();
        neuron::write(&mut neurons, 4 * quad.index() as u16 + local, data).unwrap();
        // top left, top right, bottom left, bottom right
        let mut wanted = [0; 4];
        wanted[[2, 0, 3, 1][usize::from(local)]] = data;
        assert_eq!(neuron::quad_words(&neurons, quad), Ok(wanted));
    };
    let quads = || QuadOnHicann::all().cycle();
    // all switches of both rows, and all codes of outputs and inputs
    for (data, quad) in (0..1 << 16).zip(quads()) {
        round_trip(quad, 3, data << 6);
    }
    // addresses, outputs and vertical switches: top left, top right, bottom left, bottom right
    for (offset, spl1, vertical) in
        [(1, 23, None), (3, 23, None), (0, 24, Some(22)), (2, 24, Some(22))]
    {
        let bits = if vertical.is_some() { 8 } else { 7 };
        for (i, quad) in (0..1_u32 << bits).zip(quads()) {
            let switch = vertical.map_or(0, |shift| (i >> 7) << shift);
            round_trip(quad, offset, i & 63 | (i >> 6 & 1) << spl1 | switch);
        }
    }
}

/// All settings of both halves; a read returns them without the resets.
#[test]
fn hal_invariant_01_neuron_config() {
    let mut found = BTreeSet::new();
    for data in 0..1 << 17 {
        let mut neurons = Neurons::default();
        neuron::write(&mut neurons, neuron::HALVES, data).unwrap();
        assert_eq!(neuron::halves_word(&neurons), data);
        assert_eq!(neuron::read(&neurons, neuron::HALVES), Ok(data & 0x3fff));
        found.insert(data);
    }
    assert_eq!(found.len(), 1 << 17);
    assert_eq!(neuron::halves_word(&Neurons::default()), 0x1f000);
}

#[test]
fn hal_invariant_01_analog_outputs() {
    let sources = || AnalogSource::ALL.iter().map(|(s, _)| Some(*s)).chain([None]);
    let mut words = BTreeSet::new();
    for (first, second) in sources().flat_map(|a| sources().map(move |b| (a, b))) {
        let mut outputs = AnalogOutputs::default();
        outputs.source[AnalogOnHicann::new::<0>()] = first;
        outputs.source[AnalogOnHicann::new::<1>()] = second;
        let register = analog::register(&outputs);
        // invariant 3: the second output lacks the fire line
        if second == Some(AnalogSource::FireLine) {
            assert_eq!(register, Err(Unencodable::FireLine));
            continue;
        }
        let (_, _, word) = register.unwrap();
        assert!(words.insert(word), "invariant 2");
        let mut again = AnalogOutputs::default();
        analog::write(&mut again, word).unwrap();
        assert_eq!(again, outputs);
    }
    // more than one source per output, or the fire line on the second, is no setting
    let accepted = (0..1 << 22).filter(|&word| {
        let mut outputs = AnalogOutputs::default();
        analog::write(&mut outputs, word).is_ok_and(|()| analog::read(&outputs) == Ok(word))
    });
    assert_eq!(accepted.collect::<BTreeSet<u32>>(), words);
}

/// Every mode, direction and capacitor of every repeater, and every byte.
#[test]
fn hal_invariant_01_repeaters() {
    use RepeaterMode::{Forwarding, Idle, Input, Loopback, Output, OutputBoth};
    fn settings<D: Copy>([a, b]: [D; 2]) -> impl Iterator<Item = Repeater<D>> {
        let modes = [
            Idle,
            Forwarding(a),
            Forwarding(b),
            Output(a),
            Output(b),
            OutputBoth,
            Input(a),
            Input(b),
        ];
        let capacitors = || RepeaterCapacitor::all();
        modes.into_iter().chain([Loopback]).flat_map(move |mode| {
            capacitors()
                .flat_map(move |ren| capacitors().map(move |len| Repeater { mode, ren, len }))
        })
    }
    let mut repeaters = Repeaters::default();
    let registers =
        |repeaters: &Repeaters| repeater::repeater_registers(repeaters).collect::<Vec<_>>();
    let places: Vec<_> =
        registers(&repeaters).iter().map(|(unit, local, _)| (*unit, *local)).collect();
    let mut bytes = vec![BTreeSet::new(); places.len()];
    // all repeaters go through all settings at the same time
    for (h, v) in settings(Side::ALL).zip(settings(Vertical::ALL)) {
        repeaters.horizontal.values_mut().fill(h);
        repeaters.vertical.values_mut().fill(v);
        let mut again = Repeaters::default();
        let mut blocks = Table::default();
        for ((unit, local, data), bytes) in registers(&repeaters).into_iter().zip(&mut bytes) {
            let crate::codec::Unit::Repeater(block) = unit else { panic!("{unit:?}") };
            repeater::write(&mut again, &mut blocks, block, local, data).unwrap();
            assert_eq!(repeater::read(&again, block, local), Ok(data));
            assert!(bytes.insert(data), "invariant 2: {block} {local}");
        }
        assert_eq!(again, repeaters);
    }
    // invariant 3: all other bytes are refused, but for the one with two meanings, which is read
    // as an input (bits 7 and 6 with one direction)
    for (&(unit, local), bytes) in places.iter().zip(&bytes) {
        let crate::codec::Unit::Repeater(block) = unit else { panic!("{unit:?}") };
        for byte in 0..256 {
            let written = repeater::write(
                &mut Repeaters::default(),
                &mut Table::default(),
                block,
                local,
                byte,
            );
            let is_doubtful = byte & 0xc0 == 0xc0 && [0x10, 0x20].contains(&(byte & 0x30));
            assert_eq!(written.is_ok(), bytes.contains(&byte) || is_doubtful, "{byte:#x}");
        }
    }
}

fn through_neuron_control(mergers: &MergerTree) -> MergerTree {
    let mut control = NeuronControl::default();
    let writes = merger::tree_registers(&mergers.tree)
        .into_iter()
        .chain(merger::dnc_registers(&mergers.dnc))
        .chain(merger::background_writes(&mergers.background))
        .chain(merger::phase_registers(&mergers.phase));
    for (register, data) in writes {
        control.write(register as u16, data.into()).unwrap();
    }
    control.mergers().unwrap()
}

#[test]
fn hal_invariant_01_merger_tree_and_phase() {
    for mode in MODES {
        for slow in [false, true] {
            for place in MergerOnHicann::all() {
                let mut mergers = MergerTree::default();
                mergers.tree[place] = Merger { mode, slow };
                assert_eq!(through_neuron_control(&mergers), mergers);
            }
        }
    }
    for bits in 0..256 {
        let phase = Table::from_fn(|m: DncMergerOnHicann| bits >> m.index() & 1 != 0);
        let mergers = MergerTree { phase, ..MergerTree::default() };
        assert_eq!(through_neuron_control(&mergers), mergers);
        assert_eq!(
            merger::phase_registers(&mergers.phase)[0].1,
            u16::from((bits as u8).reverse_bits())
        );
    }
}

/// All settings of each pair of DNC mergers; both directions of a loopback at once (invariant 3).
#[test]
fn hal_invariant_01_dnc_mergers() {
    let one = || {
        MODES.into_iter().flat_map(|mode| {
            [(false, false), (false, true), (true, false), (true, true)]
                .map(|(slow, loopback)| DncMerger { mode, slow, loopback })
        })
    };
    for pair in 0..4 {
        let mut words = BTreeSet::new();
        for (a, b) in one().flat_map(|a| one().map(move |b| (a, b))) {
            let mut mergers = MergerTree::default();
            mergers.dnc[DncMergerOnHicann::wrap(2 * pair)] = a;
            mergers.dnc[DncMergerOnHicann::wrap(2 * pair + 1)] = b;
            let both = a.loopback && b.loopback;
            assert_eq!(merger::check_dnc(&mergers.dnc).is_err(), both);
            if !both {
                assert_eq!(through_neuron_control(&mergers), mergers);
                assert!(words.insert(merger::dnc_registers(&mergers.dnc)), "invariant 2");
            }
        }
        assert_eq!(words.len(), 12 * 12 - 6 * 6);
    }
}

#[test]
fn hal_invariant_01_gbit_links() {
    let directions = [GbitDirection::Off, GbitDirection::ToDnc, GbitDirection::ToHicann];
    let mut words = BTreeSet::new();
    for code in 0..2 * 3_usize.pow(8) {
        let digit = |l: GbitLinkOnHicann| directions[code / 2 / 3_usize.pow(l.index() as u32) % 3];
        let links = GbitLinks { direction: Table::from_fn(digit), timestamp_enable: code % 2 == 1 };
        let (_, local, word) = merger::link_register(&links);
        assert!(words.insert(word), "invariant 2");
        let mut again = GbitLinks::default();
        merger::write_links(&mut again, local, word).unwrap();
        assert_eq!(again, links);
    }
}

/// The bias register, straight when written and with reversed currents when read; the operation
/// register, field by field.
#[test]
fn hal_invariant_01_fg_config() {
    for word in 0..1 << 14 {
        let reversed = |bits: u32| (bits & 15).reverse_bits() >> 28;
        let read = word & 0x3f00 | reversed(word >> 4) << 4 | reversed(word);
        let bias = FgBias::from_read_back(read);
        assert_eq!(bias.to_register(), word);
        assert_eq!((bias.bias.into(), bias.bias_n.into()), (word & 15, word >> 4 & 15));
    }
    let mut words = BTreeSet::new();
    for i in 0..256_u32 {
        // all values of each field, all different ones at the same time
        let [a, b, c, d] = [1, 3, 5, 7].map(|factor| FgTime::wrap((i * factor % 64) as usize));
        let pass = FgPass {
            max_cycle: i as u8,
            read_time: a,
            acceleration_step: b,
            voltage_write_time: c,
            current_write_time: d,
            ..FgPass::DEFAULT[0]
        };
        let word = pass.operation();
        let fields = [word & 0xff, word >> 8 & 63, word >> 14 & 63, word >> 20 & 63, word >> 26];
        assert_eq!(fields, [i, a.into(), b.into(), c.into(), d.into()]);
        words.insert(word);
    }
    assert_eq!(words.len(), 256, "invariant 2");
}
