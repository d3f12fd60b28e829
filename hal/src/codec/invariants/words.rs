//! Invariants 1 to 3 of what takes several words: floating-gate rows, stimuli and instructions,
//! lookup tables, quads.

use proptest::prelude::*;

use super::drawn;
use crate::codec::fg_controller::{FgController, INSTRUCTION, WRITE_DOWN, WRITE_UP};
use crate::codec::floating_gate::{row_words, stimulus_registers};
use crate::codec::{Programming, neuron, synapse_controller};
use crate::config::{
    CurrentStimulus, FgBlock, FgCellOnBlock, FloatingGates, LookupTables, Neurons, SharedParameter,
};
use crate::coord::*;
use crate::value::{DacCode, SynapseWeight};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// A row that is programmed down and up holds what was loaded; its neighbours are untouched.
    #[test]
    fn hal_invariant_01_fg_rows(seed: u64, row in 0..FgRowOnBlock::SIZE) {
        let values: Vec<DacCode> = (0..FgColumnOnBlock::SIZE).map(|i| drawn(seed, i)).collect();
        let mut block = FgBlock { cells: Table::filled(DacCode::new::<511>()) };
        let mut stimulus = CurrentStimulus::default();
        let mut controller = FgController::default();
        for (local, word) in (0..).zip(row_words(&values)) {
            controller.write(&mut block, &mut stimulus, local, word).unwrap();
        }
        for instruction in [WRITE_DOWN, WRITE_UP] {
            let word = instruction << 14 | row as u32;
            controller.write(&mut block, &mut stimulus, INSTRUCTION, word).unwrap();
        }
        for (cell, code) in block.cells.iter() {
            let (r, column) = (cell.index() / 129, cell.index() % 129);
            prop_assert_eq!(*code, if r == row { values[column] } else { DacCode::new::<511>() });
        }
    }

    #[test]
    fn hal_invariant_01_fg_stimuli(seed: u64, continuous: bool, pulse_length in 0..16_usize) {
        let sent = CurrentStimulus {
            samples: Table::from_fn(|s: crate::value::StimulusSample| drawn(seed, s.index())),
            continuous,
            pulse_length: crate::value::PulseLength::wrap(pulse_length),
        };
        let place = FgBlockOnHicann::new::<2>();
        let mut block = FloatingGates::default().blocks[place].clone();
        let (mut found, mut controller) = (CurrentStimulus::default(), FgController::default());
        for (_, local, word) in stimulus_registers(place, &sent, &Programming::default()) {
            controller.write(&mut block, &mut found, local, word).unwrap();
        }
        prop_assert_eq!(found, sent);
    }

    #[test]
    fn hal_invariant_01_lookup_tables(seed: u64) {
        let table = |t: u64| std::array::from_fn(|i| drawn::<SynapseWeight>(seed ^ t, i));
        let tables = LookupTables { causal: table(1), acausal: table(2), combined: table(3) };
        let mut again = LookupTables::default();
        for register in 0..6 {
            let word = synapse_controller::lookup_word(&tables, register);
            synapse_controller::write_lookup(&mut again, register, word);
        }
        prop_assert_eq!(again, tables);
    }
}

/// An entry of a lookup table is one nibble of one register.
#[test]
fn hal_invariant_02_lookup_entries() {
    let words = |tables: &LookupTables| -> [u32; 6] {
        std::array::from_fn(|register| synapse_controller::lookup_word(tables, register))
    };
    let zero = LookupTables {
        causal: [SynapseWeight::default(); 16],
        acausal: [SynapseWeight::default(); 16],
        combined: [SynapseWeight::default(); 16],
    };
    let mut seen = std::collections::BTreeSet::new();
    for (table, entry) in (0..3).flat_map(|t| (0..16).map(move |e| (t, e))) {
        for weight in SynapseWeight::all().skip(1) {
            let mut tables = zero;
            [&mut tables.causal, &mut tables.acausal, &mut tables.combined][table][entry] = weight;
            let found = words(&tables);
            let used: Vec<_> = (0..6).filter(|r| found[*r] != 0).collect();
            assert_eq!(used.len(), 1);
            let nibble = found[used[0]].trailing_zeros() / 4;
            assert_eq!(found[used[0]] & !(15 << (4 * nibble)), 0);
            assert!(seen.insert(found));
        }
    }
}

/// All 2^17 instructions: those of rows, columns and codes that exist are taken, and only the two
/// that program change cells, those of their row alone.
#[test]
fn hal_invariant_03_fg_instructions() {
    let mut controller = FgController::default();
    let mut stimulus = CurrentStimulus::default();
    let before = FgBlock { cells: Table::filled(DacCode::new::<511>()) };
    let mut block = before.clone();
    for word in 0..1_u32 << 17 {
        let (code, column, row) = (word >> 14, word >> 5 & 0xff, (word & 0x1f) as usize);
        let taken = controller.write(&mut block, &mut stimulus, INSTRUCTION, word);
        assert_eq!(taken.is_ok(), code <= 5 && column <= 128 && row < 24, "{word:#x}");
        if taken.is_ok() && code == WRITE_DOWN {
            // the memory is empty: the row goes down to zero
            let first = FgCellOnBlock::at(FgRowOnBlock::wrap(row), FgColumnOnBlock::SHARED).index();
            let cells = block.cells.values_mut();
            assert!(cells[first..first + 129].iter().all(|c| c.index() == 0));
            cells[first..first + 129].fill(DacCode::new::<511>());
        }
        if column == 0 {
            assert!(block == before, "{word:#x}");
        }
    }
    assert!(block == before);
    assert!(controller.write(&mut block, &mut stimulus, INSTRUCTION, 1 << 17).is_err());
    assert!(FgRowOnBlock::try_from(24_usize).is_err());
    assert!(FgColumnOnBlock::try_from(129_usize).is_err());
}

/// A parameter that a block lacks has no value there, and setting it changes nothing.
#[test]
fn hal_invariant_03_missing_parameters() {
    for block in FgBlockOnHicann::all() {
        let mut missing = 0;
        for parameter in SharedParameter::all() {
            let mut gates = FloatingGates::default();
            gates.set_shared(block, parameter, DacCode::new::<77>());
            if let Some(code) = gates.shared(block, parameter) {
                assert_eq!(code.index(), 77);
            } else {
                missing += 1;
                assert!(gates == FloatingGates::default());
            }
        }
        assert_eq!(missing, 2, "{block}");
    }
}

/// All 16 combinations of outputs and inputs in both rows of every quad: eight have a code each,
/// and a quad with any other has no words.
#[test]
fn hal_invariant_03_io_map() {
    let valid = [0, 1, 2, 3, 4, 5, 8, 10];
    for (quad, row) in QuadOnHicann::all().flat_map(|q| Vertical::ALL.map(|y| (q, y))) {
        let mut codes = std::collections::BTreeSet::new();
        for bits in 0..16_u32 {
            let mut neurons = Neurons::default();
            for (x, side) in Side::ALL.into_iter().enumerate() {
                let column = 2 * quad.index() + side.index();
                let circuit = &mut neurons.circuits[NeuronOnHicann::at(column as u8, row)];
                circuit.enable_aout = bits >> (1 - x) & 1 != 0;
                circuit.enable_current_input = bits >> (3 - x) & 1 != 0;
            }
            let registers = neuron::quad_registers(&neurons);
            assert_eq!(registers.is_ok(), valid.contains(&bits));
            assert_eq!(neurons.io_code(quad, row).is_ok(), registers.is_ok());
            let Ok(registers) = registers else { continue };
            codes.insert(neurons.io_code(quad, row).unwrap());
            let mut again = Neurons::default();
            for (_, local, word) in registers {
                neuron::write(&mut again, local, word).unwrap();
            }
            assert!(again == neurons);
        }
        assert_eq!(codes.len(), 8);
    }
}
