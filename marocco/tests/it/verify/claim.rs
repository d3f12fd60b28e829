//! Claims that break a rule, with the bits left as they are.

use calib::{CellParameters, IfCondExp};
use hal::config::CurrentScaling;
use hal::coord::{DncMergerOnHicann, HicannOnWafer, L1Address};
use hal::value::SynapseWeight;
use marocco::mapping::{Bus, BusAddress, LogicalNeuron, LossCause, RouteLine, SynapseFate};
use marocco::network::PerMember;
use marocco::verify::{Requested, RequestedMode, RequestedPlace, Rule, Rules};

use super::breaks;
use super::hand_made::{HandMade, INPUT_BUS, NEURON_BUS, driver, hline, network, synapse, vline};
use crate::networks::cell;

fn address(bus: Bus, address: usize) -> BusAddress {
    BusAddress { bus, address: L1Address::try_from(address).unwrap() }
}

#[test]
fn v01_everybody_is_placed_once_and_has_an_address() {
    breaks(Rule::V01, |made| made.mapping.placement.neurons[0] = None);
    breaks(Rule::V01, |made| made.mapping.placement.addresses[1] = None);
    // a source whose synapse is realised
    breaks(Rule::V01, |made| made.mapping.placement.addresses[2] = None);
    // a source has no circuits
    breaks(Rule::V01, |made| {
        made.mapping.placement.neurons[2] =
            Some(LogicalNeuron { hicann: NEURON_BUS.hicann, column: 8, width: 2 });
    });
    breaks(Rule::V01, |made| made.mapping.placement.neurons.push(None));
}

#[test]
fn v02_a_neuron_lies_in_one_block() {
    breaks(Rule::V02, |made| made.mapping.placement.neurons[0].as_mut().unwrap().width = 0);
    breaks(Rule::V02, |made| made.mapping.placement.neurons[1].as_mut().unwrap().column = 31);
    breaks(Rule::V02, |made| {
        let neuron = made.mapping.placement.neurons[1].as_mut().unwrap();
        (neuron.column, neuron.width) = (250, 10);
    });
    // a size that the switches do not make
    breaks(Rule::V02, |made| made.mapping.placement.neurons[1].as_mut().unwrap().width = 3);
}

#[test]
fn v03_circuits_of_neurons_are_disjoint() {
    breaks(Rule::V03, |made| {
        made.mapping.placement.neurons[1] = made.mapping.placement.neurons[0];
    });
    breaks(Rule::V03, |made| made.mapping.placement.neurons[1].as_mut().unwrap().column = 1);
}

#[test]
fn v04_places_and_sizes_are_those_asked_for() {
    let population = HandMade::new().network.populations().next().unwrap().0;
    let block = |b: &str| RequestedPlace::Blocks(vec![b.parse().unwrap()]);
    let exactly = |columns: [u8; 2]| {
        let place = |column| LogicalNeuron { hicann: NEURON_BUS.hicann, column, width: 2 };
        RequestedPlace::Circuits(columns.map(place).to_vec())
    };
    let mode = RequestedMode::default();
    let ask = |place, circuits, members| Requested { population, members, place, circuits, mode };
    let anywhere = RequestedPlace::Anywhere;
    for kept in [
        ask(block("H93.nb0"), Some(4), None),
        ask(exactly([0, 2]), None, None),
        ask(exactly([2, 9]), None, Some(1..2)),
        ask(anywhere.clone(), Some(4), Some(0..1)),
    ] {
        let mut made = HandMade::new();
        made.rules.requests = vec![kept];
        made.rules.neuron_circuits = Some(4);
        let found = made.verify();
        assert!(found.is_ok(), "{found:#?}");
    }
    for broken in [
        ask(block("H93.nb1"), None, None),
        ask(block("H94.nb0"), None, Some(1..2)),
        ask(exactly([0, 4]), None, None),
        ask(exactly([0, 2]), None, Some(1..2)),
        ask(anywhere.clone(), Some(8), None),
        ask(anywhere, None, Some(0..3)),
    ] {
        breaks(Rule::V04, |made| made.rules.requests = vec![broken]);
    }
    breaks(Rule::V04, |made| made.rules.mode.big_capacitor = Some(false));
    breaks(Rule::V04, |made| made.rules.mode.leak = Some(CurrentScaling::Slow));
    breaks(Rule::V04, |made| made.rules.neuron_circuits = Some(8));
}

#[test]
fn v05_the_cells_are_as_claimed() {
    breaks(Rule::V05, |made| {
        let mode = made.mapping.modes.values_mut().next().unwrap();
        mode.big_capacitor = false;
    });
    breaks(Rule::V05, |made| made.mapping.scaling.alpha_v *= 1.001);
    breaks(Rule::V05, |made| made.mapping.parameters.cells[0] = None);
    breaks(Rule::V05, |made| {
        let weight = &mut made.mapping.realised_weights_us[0][0];
        *weight *= 1.001;
    });
}

#[test]
fn v05_a_population_gets_its_mean_v_reset() {
    let ask = |made: &mut HandMade, v_reset: [f64; 2]| {
        let cells = v_reset.map(|v_reset| {
            let CellParameters::IfCondExp(it) = cell() else { panic!("another kind of cell") };
            CellParameters::IfCondExp(IfCondExp { v_reset, ..it })
        });
        made.network = network(PerMember::Each(cells.to_vec()), 10.0);
    };
    let count = |made: &mut HandMade, n| {
        made.mapping.parameters.clipped.insert("v_reset".to_owned(), n);
    };
    // the neurons are reset to 10 mV; a step of the cell is 0.58 mV
    breaks(Rule::V05, |made| ask(made, [11.0; 2]));
    breaks(Rule::V05, |made| {
        ask(made, [8.0, 10.0]);
        count(made, 2);
    });
    breaks(Rule::V05, |made| {
        ask(made, [8.0, 12.0]);
        count(made, 1);
    });
    let mut made = HandMade::new();
    ask(&mut made, [8.0, 12.0]);
    count(&mut made, 2);
    let found = made.verify();
    assert!(found.is_ok(), "{found:#?}");
}

#[test]
fn v06_blocks_go_to_mergers_that_they_reach_in_order() {
    let merger = |m| Bus { merger: m, ..NEURON_BUS };
    breaks(Rule::V06, |made| {
        made.mapping.placement.addresses[0] =
            Some(address(merger(DncMergerOnHicann::new::<7>()), 40));
    });
    // block 0 on two mergers
    breaks(Rule::V06, |made| {
        made.mapping.placement.addresses[0] =
            Some(address(merger(DncMergerOnHicann::new::<1>()), 40));
    });
    // crossing: block 0 to merger 3, block 1 to merger 1
    breaks(Rule::V06, |made| {
        made.mapping.placement.addresses[0] =
            Some(address(merger(DncMergerOnHicann::new::<3>()), 40));
        made.mapping.placement.addresses[1] =
            Some(address(merger(DncMergerOnHicann::new::<1>()), 41));
        made.mapping.placement.neurons[1].as_mut().unwrap().column = 32;
    });
    // a neuron cannot send from another chip
    breaks(Rule::V06, |made| {
        made.mapping.placement.addresses[0] =
            Some(address(Bus { hicann: INPUT_BUS.hicann, ..NEURON_BUS }, 40));
    });
}

#[test]
fn v09_v10_inputs_have_a_merger_of_their_own() {
    breaks(Rule::V10, |made| made.mapping.placement.addresses[2] = Some(address(NEURON_BUS, 63)));
    breaks(Rule::V09, |made| made.mapping.placement.addresses[2] = None);
}

#[test]
fn v11_addresses_are_usable_and_unique() {
    breaks(Rule::V11, |made| made.mapping.placement.addresses[1] = Some(address(NEURON_BUS, 40)));
    for reserved in [0, 1, 17, 33, 49] {
        breaks(Rule::V11, |made| {
            made.mapping.placement.addresses[1] = Some(address(NEURON_BUS, reserved));
        });
    }
}

#[test]
fn v13_inputs_fit_through_their_links() {
    // 17.8 M events/s * 0.8 / 10^4 = 1424 Hz
    breaks(Rule::V13, |made| made.network = network(PerMember::Uniform(cell()), 1425.0));
    breaks(Rule::V13, |made| {
        made.network = network(PerMember::Uniform(cell()), 1000.0);
        made.rules.bandwidth_utilisation = 0.5;
    });
}

#[test]
fn v14_routes_are_legal() {
    // 62 goes on as 0 to the east, not as 62
    breaks(Rule::V14, |made| made.mapping.routes[0].lines[2].line = hline(INPUT_BUS.hicann, 62));
    // no switch between 62 and 1
    breaks(Rule::V14, |made| made.mapping.routes[0].lines[1].line = vline(NEURON_BUS.hicann, 1));
    // parents come first
    breaks(Rule::V14, |made| made.mapping.routes[0].lines[1].parent = Some(1));
    // merger 0 injects into 62 of its own chip or 60 of the western one
    breaks(Rule::V14, |made| made.mapping.routes[0].lines[0].line = hline(NEURON_BUS.hicann, 60));
    breaks(Rule::V14, |made| made.mapping.routes.swap(0, 1));
}

#[test]
fn v15_a_line_carries_one_bus() {
    breaks(Rule::V15, |made| {
        let line = RouteLine { line: vline(NEURON_BUS.hicann, 0), parent: Some(0) };
        made.mapping.routes[1].lines.push(line);
    });
    // the bits carry a line that the claim does not know
    breaks(Rule::V15, |made| {
        made.mapping.routes[0].lines.pop();
    });
}

#[test]
fn v17_a_route_is_a_tree() {
    breaks(Rule::V17, |made| {
        let again = made.mapping.routes[0].lines[1];
        made.mapping.routes[0].lines.push(again);
    });
}

#[test]
fn v19_used_chips_have_words() {
    let unused = HicannOnWafer::new::<200>();
    breaks(Rule::V19, |made| {
        made.mapping.placement.neurons[1].as_mut().unwrap().hicann = unused;
    });
    breaks(Rule::V19, |made| made.mapping.routes[0].lines[2].line = hline(unused, 0));
    breaks(Rule::V19, |made| made.mapping.chains[0].hicann = unused);
    breaks(Rule::V19, |made| {
        if let SynapseFate::Realised { synapse, .. } = &mut made.mapping.synapses[0][0] {
            synapse.hicann = unused;
        }
    });
}

#[test]
fn v21_chains_hang_on_their_route() {
    breaks(Rule::V21, |made| made.mapping.chains[0].vline.local = "vl1".parse().unwrap());
    // line 0 has no switch to row 15
    breaks(Rule::V21, |made| made.mapping.chains[0].primary = driver(15));
    // a row of line 0 that ends on H92
    breaks(Rule::V21, |made| made.mapping.chains[0].primary = driver(16));
    breaks(Rule::V21, |made| made.mapping.chains[0].vline = "H94.vl0".parse().unwrap());
}

#[test]
fn v22_chains_are_short_contiguous_and_disjoint() {
    breaks(Rule::V22, |made| made.rules = Rules { chain_length: 1, ..Rules::default() });
    breaks(Rule::V22, |made| made.mapping.chains[0].members = vec![driver(13), driver(17)]);
    breaks(Rule::V22, |made| made.mapping.chains[0].members = vec![driver(16), driver(17)]);
    breaks(Rule::V22, |made| made.mapping.chains[0].members = vec![driver(13), driver(15)]);
    breaks(Rule::V22, |made| made.mapping.chains[1].members = vec![driver(17)]);
    // 111 and 113 are two apart, but in different quadrants
    breaks(Rule::V22, |made| made.mapping.chains[0].members = vec![driver(111), driver(113)]);
}

#[test]
fn v25_a_half_row_has_one_decoder_and_a_row_one_input() {
    breaks(Rule::V25, |made| {
        // addresses 40 and 63 in even columns of row 34
        if let SynapseFate::Realised { synapse: place, .. } = &mut made.mapping.synapses[1][0] {
            place.local = synapse(34, 0);
        }
    });
}

#[test]
fn v26_synapses_lie_where_source_and_target_meet() {
    let moved = |row, column| {
        breaks(Rule::V26, |made| {
            if let SynapseFate::Realised { synapse: place, .. } = &mut made.mapping.synapses[0][0] {
                place.local = synapse(row, column);
            }
        });
    };
    // a row of the other bus, a row of no chain, a column of the other neuron, the bottom array
    for (row, column) in [(62, 2), (40, 2), (34, 0), (258, 2)] {
        moved(row, column);
    }
}

#[test]
fn v27_a_hardware_synapse_is_claimed_once() {
    breaks(Rule::V27, |made| made.mapping.synapses[0][1] = made.mapping.synapses[0][0]);
}

#[test]
fn v28_what_is_claimed_lost_must_not_work() {
    breaks(Rule::V28, |made| {
        made.mapping.synapses[0][0] = SynapseFate::Lost(LossCause::NoDriver);
        made.mapping.realised_weights_us[0][0] = 0.0;
    });
}

#[test]
fn v29_realised_and_lost_add_up() {
    breaks(Rule::V29, |made| {
        made.mapping.synapses[0].pop();
    });
    breaks(Rule::V29, |made| {
        made.mapping.synapses.pop();
    });
    breaks(Rule::V29, |made| made.mapping.realised_weights_us[0][1] = 0.01);
    breaks(Rule::V29, |made| made.mapping.realised_weights_us[0][0] = 0.0);
    breaks(Rule::V29, |made| made.mapping.clipped_weights[0] = 2);
    // one of three is lost; less than the bound cannot be
    breaks(Rule::V29, |made| made.mapping.bound_loss_fraction = 0.34);
}

#[test]
fn v30_weights_are_as_claimed_and_not_zero() {
    for weight in [4_usize, 0] {
        breaks(Rule::V30, |made| {
            if let SynapseFate::Realised { weight: claimed, .. } = &mut made.mapping.synapses[0][0]
            {
                *claimed = SynapseWeight::try_from(weight).unwrap();
            }
        });
    }
}
