//! Which events stand on which bus: merger tree and generators (topology §5).

use emulator::connectivity;
use hal::config::{HicannConfig, MergerMode};
use hal::coord::*;

use crate::support::*;

/// Upper bits 2, lower bits 5: even columns of opened drivers.
const EVEN: usize = 37;

#[test]
fn merger_presets_lead_blocks_where_the_table_says() {
    use MergerMode::Merge;
    // levels that are all in merge mode, and the blocks at D0..D7 (topology §5.2)
    let all = vec![0, 1, 2, 3, 4, 5, 6, 7];
    let presets: [(std::ops::Range<usize>, [Vec<usize>; 8]); 4] = [
        (8..8, [0, 1, 2, 3, 4, 5, 6, 7].map(|b| vec![b])),
        (
            8..12,
            [vec![0], vec![0, 1], vec![2], vec![2, 3], vec![4], vec![4, 5], vec![6, 7], vec![7]],
        ),
        (
            8..14,
            [
                vec![0],
                vec![0, 1],
                vec![2],
                vec![0, 1, 2, 3],
                vec![4],
                vec![4, 5, 6, 7],
                vec![6, 7],
                vec![7],
            ],
        ),
        (
            8..15,
            [vec![0], vec![0, 1], vec![2], all, vec![4], vec![4, 5, 6, 7], vec![6, 7], vec![7]],
        ),
    ];
    for (merging, blocks) in presets {
        let mut chip = HicannConfig::default();
        release(&mut chip);
        for merger in MergerOnHicann::all().filter(|m| merging.contains(&m.index())) {
            chip.mergers.tree[merger].mode = Merge;
        }
        for block in 0..8 {
            fire(&mut chip, neuron(32 * block + 3), address(63 - block));
        }
        let found = connectivity(&wafer([(CHIP, chip)])).outputs;
        for merger in DncMergerOnHicann::all() {
            let mut seen: Vec<_> = found
                .iter()
                .filter(|o| o.bus.merger == merger)
                .map(|o| o.neuron.local.block().index())
                .collect();
            seen.sort_unstable();
            assert_eq!(seen, blocks[merger.index()], "{merger} with {merging:?} merging");
        }
    }
}

#[test]
fn copied_events_reach_a_synapse_once_per_bus() {
    // two-on-one: block 0 stands on D0 and on D1; both buses lead to drivers of their own
    let mut chip = HicannConfig::default();
    release(&mut chip);
    for merger in MergerOnHicann::all().filter(|m| (8..12).contains(&m.index())) {
        chip.mergers.tree[merger].mode = MergerMode::Merge;
    }
    fire(&mut chip, neuron(0), address(EVEN));
    for merger in [DncMergerOnHicann::new::<0>(), DncMergerOnHicann::new::<1>()] {
        let driver = lead_to_driver(&mut chip, merger);
        set_synapse(&mut chip, synapse(driver, 0, 8), EVEN % 16, 1);
    }
    let found = connectivity(&wafer([(CHIP, chip)]));
    let of_first: Vec<_> = found.outputs.iter().map(|o| o.bus.merger.index()).collect();
    assert_eq!(of_first, [0, 1]);
    assert_eq!(found.synapses.len(), 2);
    assert_ne!(found.synapses[0].source, found.synapses[1].source);
    assert_eq!(found.synapses[0].target, found.synapses[1].target);
}

#[test]
fn background_events_reach_synapses_that_answer_to_their_address() {
    let generator = BackgroundGeneratorOnHicann::new::<0>();
    let mut chip = HicannConfig::default();
    release(&mut chip);
    let driver = lead_to_driver(&mut chip, DncMergerOnHicann::new::<0>());
    chip.synapses.drivers[driver].rows[0].decoder = [DriverDecoder::new::<0>(); 2];
    set_synapse(&mut chip, synapse(driver, 0, 0), 0, 5);
    assert_eq!(connectivity(&wafer([(CHIP, chip.clone())])).synapses, []);
    chip.mergers.background[generator].enable = true;
    let found = connectivity(&wafer([(CHIP, chip.clone())])).synapses;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].source.address, L1Address::BACKGROUND);
    // a random generator sends address 0 whatever is programmed
    chip.mergers.background[generator].address = address(EVEN);
    assert_eq!(connectivity(&wafer([(CHIP, chip.clone())])).synapses, []);
    chip.mergers.background[generator].random = true;
    assert_eq!(connectivity(&wafer([(CHIP, chip)])).synapses, found);
}
