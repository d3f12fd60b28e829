//! Configuration words: what goes in comes out again, and nonsense is refused.

use hal::check::{ConfigFault, SwitchLimits, check_wafer};
use hal::codec::{
    Access, DecodeError, FgPass, Operation, Programming, Unit, WaferState, decode_wafer,
    encode_hicann, encode_wafer,
};
use hal::config::{FloatingGates, HicannConfig, WaferConfig};
use hal::coord::*;
use hal::value::{DacCode, SynapseWeight};
use hal::wafer::ConfigurationWords;
use proptest::prelude::*;

use crate::configs;
use crate::stream::{CHIP, Stream};

fn words_of(words: Vec<u64>) -> ConfigurationWords {
    ConfigurationWords { by_fpga: [(CHIP.fpga(), words)].into() }
}

fn decoded(words: Vec<u64>) -> Result<WaferConfig, DecodeError> {
    decode_wafer(&words_of(words))
}

fn word(unit: Unit, local: u16, data: u32) -> u64 {
    Access { unit, local, operation: Operation::Write(data) }.to_word(CHIP.link())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_chip_survives_its_words(config in configs::hicann()) {
        let words = encode_hicann(CHIP, &config).unwrap();
        let wafer = decoded(words).unwrap();
        prop_assert_eq!(wafer.hicanns.len(), 1);
        // not prop_assert_eq: a difference of whole chips is no readable text
        prop_assert!(wafer.hicanns[&CHIP] == config);
    }

    #[test]
    fn a_chip_is_put_into_its_state_from_any_other(
        before in configs::hicann(),
        mut after in configs::hicann(),
    ) {
        // rows of drivers that are off may keep what they had, which nobody can tell
        for (_, driver) in (0..224).zip(after.synapses.drivers.values_mut()) {
            driver.enable = true;
        }
        let mut state = WaferState::default();
        state.apply(&words_of(encode_hicann(CHIP, &before).unwrap())).unwrap();
        state.apply(&words_of(encode_hicann(CHIP, &after).unwrap())).unwrap();
        prop_assert!(state.config().unwrap().hicanns[&CHIP] == after);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_wafer_survives_its_words(config in configs::wafer()) {
        let words = encode_wafer(&config).unwrap();
        prop_assert!(decode_wafer(&words).unwrap() == config);
        // chips full of random settings break rules, but none that the words could not express
        let faults = check_wafer(&config, &SwitchLimits::default());
        prop_assert!(!faults.iter().any(|f| matches!(f, ConfigFault::Unencodable(_))));
        for (fpga, words) in &words.by_fpga {
            prop_assert!(config.hicanns.keys().any(|h| h.fpga() == *fpga) && !words.is_empty());
        }
    }
}

/// Words that look like configuration words: right header, known registers more often than not.
fn almost_words() -> impl Strategy<Value = Vec<u64>> {
    let local = prop_oneof![0..0x310_u16, 0x4000..0x4004_u16, 0x4100..0x4106_u16, any::<u16>()];
    let data = prop_oneof![0..0x100_u32, any::<u32>()];
    let header = (0..8_u64, any::<bool>(), any::<bool>(), 0..0x20_u64);
    let word = (header, local, data).prop_map(|((link, tag, read, unit), local, data)| {
        let address = (unit << 11).wrapping_add(u64::from(local)) & 0xffff;
        link << 59 | u64::from(tag) << 49 | u64::from(!read) << 48 | address << 32 | u64::from(data)
    });
    proptest::collection::vec(prop_oneof![9 => word, 1 => any::<u64>()], 0..200)
}

proptest! {
    #[test]
    fn decoding_never_panics(words in almost_words()) {
        let mut state = WaferState::default();
        for word in words {
            // one by one, since a refused word hides those behind it
            let _ = state.apply(&words_of(vec![word]));
            let _ = Access::from_word(word).map(|(link, access)| {
                assert_eq!(access.to_word(link) >> 48, word >> 48);
            });
        }
        let _ = state.config();
    }

    #[test]
    fn an_access_survives_its_word(link in configs::place(), tag in 0..2_u8, address: u16, data: u32) {
        let (unit, local) = Unit::at(tag, address);
        prop_assert_eq!(unit.tag(), tag);
        prop_assert_eq!(unit.start() + local, address);
        prop_assert!(local <= unit.max_local());
        for operation in [Operation::Write(data), Operation::Read] {
            let access = Access { unit, local, operation };
            prop_assert_eq!(Access::from_word(access.to_word(link)), Some((link, access)));
        }
    }
}

#[test]
fn the_empty_wafer_has_no_words() {
    let words = encode_wafer(&WaferConfig::default()).unwrap();
    assert!(words.is_empty());
    assert_eq!(decode_wafer(&words).unwrap(), WaferConfig::default());
}

#[test]
fn a_chip_comes_up_as_default_and_reads_do_not_wake_it() {
    let read = Access { unit: Unit::NeuronBuilder, local: 0x200, operation: Operation::Read };
    assert_eq!(decoded(vec![read.to_word(CHIP.link())]).unwrap(), WaferConfig::default());
    let timing = word(Unit::NeuronBuilder, 0x210, 64);
    assert_eq!(decoded(vec![timing]).unwrap().hicanns[&CHIP], HicannConfig::default());
}

#[test]
fn later_words_change_the_state_left_by_earlier_ones() {
    let mut config = HicannConfig::default();
    let line = HLineOnHicann::new::<48>();
    let switch = CrossbarSwitchOnHicann::between(line, VLineOnHicann::new::<39>()).unwrap();
    config.crossbar.set(switch, true);
    let mut state = WaferState::default();
    state.apply(&words_of(encode_hicann(CHIP, &config).unwrap())).unwrap();
    // row 63 - 48, second switch on the left
    state.apply(&words_of(vec![word(Unit::Crossbar(Side::Left), 15, 0b1000)])).unwrap();
    let changed = state.config().unwrap();
    let closed: Vec<_> = changed.hicanns[&CHIP].crossbar.closed().collect();
    assert_eq!(closed, [CrossbarSwitchOnHicann::new::<387>()]);
}

#[test]
fn chips_of_an_fpga_go_through_the_stages_together() {
    let mut config = WaferConfig::default();
    let chips: Vec<_> = CHIP.dnc().hicanns().take(3).collect();
    for chip in &chips {
        config.hicann_mut(*chip);
    }
    let words = encode_wafer(&config).unwrap();
    assert_eq!(words.by_fpga.keys().copied().collect::<Vec<_>>(), [CHIP.fpga()]);
    let (gates, rest): (Vec<_>, Vec<_>) = words.by_fpga[&CHIP.fpga()]
        .iter()
        .map(|word| Access::from_word(*word).unwrap())
        .partition(|(_, access)| matches!(access.unit, Unit::FloatingGate(_)));
    let links: Vec<_> = rest.into_iter().map(|(link, _)| link).collect();
    let runs: Vec<_> = links.chunk_by(|a, b| a == b).map(|run| run[0]).collect();
    let of_stage: Vec<_> = chips.iter().map(|chip| chip.link()).collect();
    // five stages
    assert_eq!(runs, of_stage.repeat(5));
    // all chips start a pass of their floating gates before any of them is waited for
    let starts = gates.iter().map(|(link, access)| (*link, access.operation == Operation::Read));
    let turns: Vec<_> = starts.collect::<Vec<_>>().chunk_by(|a, b| a == b).map(|r| r[0]).collect();
    let turn = |waits: bool| of_stage.iter().map(move |link| (*link, waits));
    assert!(turns.starts_with(&turn(false).chain(turn(true)).collect::<Vec<_>>()));
}

#[test]
fn loops_lock_after_everything_else_and_neurons_run_last() {
    let mut config = HicannConfig::default();
    config.repeater_blocks.values_mut().iter_mut().for_each(|b| b.dll_released = true);
    config.synapse_controllers.values_mut().iter_mut().for_each(|c| c.dll_released = [true; 2]);
    config.mergers.background.values_mut().iter_mut().for_each(|b| b.enable = true);
    let writes = Stream::of(&config).writes;
    let last = |wanted: &dyn Fn(Unit, u16, u32) -> bool| {
        writes.iter().rposition(|&(unit, local, data)| wanted(unit, local, data)).unwrap()
    };
    let first = |wanted: &dyn Fn(Unit, u16, u32) -> bool| {
        writes.iter().position(|&(unit, local, data)| wanted(unit, local, data)).unwrap()
    };
    let locking_blocks =
        |u, l, d: u32| matches!(u, Unit::Repeater(_)) && l == 0x80 && d & 0x10 != 0;
    let locking_drivers =
        |u, l, d: u32| matches!(u, Unit::Synapse(_)) && l == 0x4001 && d >> 20 & 3 != 0;
    let background = last(&|u, l, _| u == Unit::NeuronControl && l == 4);
    assert!(background < first(&locking_blocks));
    assert!(last(&locking_blocks) < first(&locking_drivers));
    let running = |u, l, d: u32| u == Unit::NeuronBuilder && l == 3 && d == 0;
    assert!(last(&locking_drivers) < last(&running));
}

#[test]
fn synapses_of_idle_drivers_are_skipped() {
    let commands = |config: &HicannConfig| {
        let writes = Stream::of(config).writes;
        let command = |(u, l, d): &(Unit, u16, u32)| {
            matches!(u, Unit::Synapse(_)) && *l == 0x4000 && d & 0x40 != 0
        };
        writes.iter().filter(|w| command(w)).count()
    };
    let mut config = HicannConfig::default();
    assert_eq!(commands(&config), 0);
    // weights and decoders of two rows in eight column sets
    config.synapses.drivers[SynapseDriverOnHicann::new::<7>()].enable = true;
    assert_eq!(commands(&config), 2 * 2 * 8);
    config.synapses.weights[SynapseOnHicann::new::<100_000>()] = SynapseWeight::MAX;
    assert_eq!(commands(&config), 2 * 2 * 2 * 8);
}

#[test]
fn floating_gates_are_programmed_not_written() {
    let block = FgBlockOnHicann::new::<0>();
    let unit = Unit::FloatingGate(block);
    let row = 6;
    let load = |value: u32| (0..65).map(move |local| word(unit, local, value << 10 | value));
    let instruction = |code: u32| word(unit, 0x101, code << 14 | row);
    let value = |words: Vec<u64>| {
        let config = decoded(words).unwrap();
        config.hicanns[&CHIP].floating_gates.blocks[block].cells.values()[129 * 6 + 1]
    };
    let (up, down) = (instruction(1), instruction(2));
    // E_l of circuit 0 comes up at 300
    assert_eq!(value(load(500).collect()), DacCode::new::<300>());
    assert_eq!(value(load(500).chain([down]).collect()), DacCode::new::<300>());
    assert_eq!(value(load(500).chain([up]).collect()), DacCode::new::<500>());
    assert_eq!(value(load(100).chain([up]).collect()), DacCode::new::<300>());
    assert_eq!(value(load(100).chain([down]).collect()), DacCode::new::<100>());
}

#[test]
fn programming_time_counts_every_pass_once() {
    let time = |passes: &[FgPass], row: usize| -> u64 {
        let row = FgRowOnBlock::from_index(row).unwrap();
        passes.iter().map(|pass| pass.worst_case_clocks(row)).sum()
    };
    let (erase, fast_up) = (FgPass::ERASE, FgPass::FAST_UP);
    let erased = 12 * (time(&[erase], 0) + time(&[erase], 1));
    let slow = [0, 1].map(|row| time(&FgPass::DEFAULT, row));

    let mut gates = FloatingGates::default();
    gates.blocks.values_mut().iter_mut().for_each(|b| b.cells.values_mut().fill(DacCode::MAX));
    // the row of the amplifiers, twelve rows of voltages, twelve of large currents
    let large = erased + slow[1] + 12 * slow[0] + 12 * time(&[fast_up], 1);
    assert_eq!(Programming::default().worst_case_clocks(&gates), large);
    gates
        .blocks
        .values_mut()
        .iter_mut()
        .for_each(|b| b.cells.values_mut().fill(DacCode::new::<0>()));
    let small = erased + slow[1] + 12 * slow[0] + 12 * slow[1];
    assert_eq!(Programming::default().worst_case_clocks(&gates), small);
}

#[test]
fn refused_words_name_chip_and_address() {
    let message = |words: Vec<u64>| decoded(words).unwrap_err().to_string();
    assert_eq!(
        message(vec![word(Unit::NeuronControl, 20, 1)]),
        "H93, word 0: 0x1 to NeuronControl 0x14: written to an address without a register"
    );
    let wide = word(Unit::Crossbar(Side::Right), 63, 0x10);
    assert_eq!(
        message(vec![wide]),
        "H93, word 0: 0x10 to Crossbar(Right) 0x3f: wider than the register"
    );
    assert!(message(vec![1 << 62]).starts_with("F20, word 0: reserved bits"));
    // enable and select of the same merger
    let both = [0, 1].map(|register| word(Unit::NeuronControl, register, 1)).to_vec();
    assert_eq!(
        message(both),
        "H93: the words leave a merger with both its enable and its select bit set"
    );
}
