//! Invariant 11: the differential configuration of the original.

use hal::codec::{Operation, Unit};
use hal::config::WaferConfig;
use hal::coord::*;
use hal::stateful::{Differential, Plan, StatefulWafer};
use hal::value::SynapseWeight;

use crate::stateful::{
    Registers, SMART, accesses, busy, busy_wafer, commands, programs_gates, wafer,
};
use crate::stream::CHIP;

/// The same twice: the second time only what the original never compares is written.
#[test]
fn hal_invariant_11_the_same_again() {
    let mut hardware = Registers::default();
    let mut wafer = wafer(SMART, &busy_wafer());
    let first = wafer.configure(&mut hardware).unwrap();
    assert!(programs_gates(&first) && !commands(&first).is_empty());
    let again = wafer.configure(&mut hardware).unwrap();
    assert!(!programs_gates(&again));
    assert_eq!(commands(&again), []);
    // one count per chip, or of the words that each chip gets
    let mut found = std::collections::BTreeMap::<&str, usize>::new();
    for access in accesses(&again) {
        let Operation::Write(data) = access.operation else { continue };
        let subsystem = match (access.unit, access.local) {
            (Unit::FloatingGate(_), local) => {
                assert!(local != 0x101 || data >> 14 >= 4, "a stimulus only");
                "pass settings and stimuli"
            }
            (Unit::Repeater(_), 0x80..) => "repeater blocks",
            (Unit::Synapse(_), 0x500..) => "controllers",
            (Unit::NeuronBuilder, _) => "neurons and analog",
            (Unit::NeuronControl, _) => "mergers, phase, background",
            (Unit::Spl1, _) => "links",
            (Unit::Crossbar(_) | Unit::SynapseSwitch(..), _) => "switches",
            other => panic!("{other:?} is compared and has not changed"),
        };
        *found.entry(subsystem).or_default() += 1;
    }
    let all: Vec<&str> = found.keys().copied().collect();
    let wanted = [
        "controllers",
        "links",
        "mergers, phase, background",
        "neurons and analog",
        "pass settings and stimuli",
        "repeater blocks",
        "switches",
    ];
    assert_eq!(all, wanted);
    assert_eq!(found["switches"], 3 * (2 * 64 + 4 * 112), "all rows of three chips");
    assert!(again.stages[0].words.is_empty(), "no initialisation");
    // nothing is locked anew: no loop goes into reset
    let resets = |plan: &Plan| {
        let accesses = accesses(plan);
        accesses
            .iter()
            .filter(|a| matches!(a.unit, Unit::Repeater(_)) && a.local == 0x80)
            .filter(|a| matches!(a.operation, Operation::Write(data) if data & 0x10 == 0))
            .count()
    };
    assert_eq!((resets(&again), resets(&first) > 0), (0, true));
}

/// Every row of a chip of which all drivers are in use: a changed weight writes that row and a
/// changed decoder the words of its driver, nothing else in the arrays, in both modes.
#[test]
fn hal_invariant_11_single_rows() {
    let mut chip = busy();
    chip.synapses.drivers.values_mut().iter_mut().for_each(|d| d.enable = true);
    let config = WaferConfig { hicanns: [(CHIP, chip)].into() };
    for differential in [SMART, Differential::Minimal] {
        let mut wafer = wafer(differential, &config);
        wafer.configure(&mut Registers::default()).unwrap();
        let base = wafer.plan().unwrap().cost().words;
        for row in SynapseRowOnHicann::all() {
            let synapse = row.synapse(SynapseColumnOnHicann::new::<200>());
            let written = |wafer: &StatefulWafer| {
                let plan = wafer.plan().unwrap();
                let rows = commands(&plan).into_iter().map(|(array, word)| {
                    let hardware = (word >> 8 & 0xff) as usize;
                    let on_array = if array.index() == 0 { 223 - hardware } else { hardware };
                    (224 * array.index() + on_array, word & 15, word >> 24 & 7)
                });
                (rows.collect::<Vec<_>>(), plan.cost().words - base)
            };
            let set = |wafer: &mut StatefulWafer, weight: Option<SynapseWeight>, decoder| {
                let synapses = &mut wafer.hicann_mut(CHIP).unwrap().synapses;
                let old = (synapses.weights[synapse], synapses.decoders[synapse]);
                synapses.weights[synapse] = weight.unwrap_or(old.0);
                synapses.decoders[synapse] = decoder;
                old
            };
            let sets = |row: usize, command: u32| (0..8).map(move |set| (row, command, set));
            let (weight, decoder) =
                set(&mut wafer, Some(SynapseWeight::MAX), SynapseDecoder::DISABLED);
            assert_eq!(decoder, SynapseDecoder::DISABLED);
            assert_eq!(written(&wafer), (sets(row.index(), 3).collect(), 64));
            set(&mut wafer, Some(weight), SynapseDecoder::new::<9>());
            let both = [0, 1].map(|r| row.index() / 2 * 2 + r);
            let (mut rows, words) = written(&wafer);
            rows.sort_unstable();
            assert_eq!(rows, both.into_iter().flat_map(|r| sets(r, 5)).collect::<Vec<_>>());
            assert_eq!(words, 2 * 64);
            set(&mut wafer, None, decoder);
            assert_eq!(written(&wafer), (vec![], 0));
        }
    }
}
