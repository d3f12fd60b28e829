//! Bits that break a rule, with the claim left as it is.

use hal::config::{
    AnalogSource, BackgroundGenerator, CurrentScaling, FgCellOnBlock, GbitDirection, MergerMode,
    NeuronParameter, RepeaterMode, SharedParameter, StpMode,
};
use hal::coord::{
    AnalogOnHicann, BackgroundGeneratorOnHicann, Coordinate, CrossbarSwitchOnHicann,
    DncMergerOnHicann, FgBlockOnHicann, FgColumnOnBlock, FgRowOnBlock, GbitLinkOnHicann,
    HLineOnHicann, HRepeaterOnHicann, HicannOnWafer, L1Address, MergerOnHicann, NeuronOnHicann,
    QuadOnHicann, RepeaterBlockOnHicann, Side, SynapseArrayOnHicann, SynapseDecoder,
    SynapseSwitchOnHicann, VLineOnHicann, VRepeaterOnHicann, Vertical,
};
use hal::value::{DacCode, GmaxDivisor, GmaxSelect, RepeaterCapacitor, SynapseWeight};
use marocco::verify::Rule;

use super::breaks;
use super::hand_made::{HandMade, INPUT_BUS, NEURON_BUS, driver, synapse};

const N0: NeuronOnHicann = NeuronOnHicann::new::<0>();
const N1: NeuronOnHicann = NeuronOnHicann::new::<1>();
const N100: NeuronOnHicann = NeuronOnHicann::new::<100>();

#[test]
fn v02_membranes_are_those_of_the_neurons() {
    let quad = QuadOnHicann::new::<0>();
    breaks(Rule::V02, |made| made.chip(93).neurons.quads[quad].vertical[0] = false);
    breaks(Rule::V02, |made| made.chip(93).neurons.quads[quad].horizontal[1] = false);
    // two neurons shorted
    breaks(Rule::V02, |made| {
        let second = NeuronOnHicann::new::<2>();
        made.chip(93).neurons.circuits[second].enable_fire_input = true;
    });
    // circuits of nobody shorted
    breaks(Rule::V02, |made| {
        made.chip(93).neurons.quads[QuadOnHicann::new::<9>()].vertical[1] = true;
    });
    breaks(Rule::V02, |made| made.chip(93).neurons.circuits[N0].enable_fire_input = true);
}

#[test]
fn v05_cells_and_modes() {
    breaks(Rule::V05, |made| made.chip(93).neurons.halves[1].big_capacitor = false);
    breaks(Rule::V05, |made| made.chip(94).neurons.halves[0].i_gl = CurrentScaling::Fast);
    breaks(Rule::V05, |made| made.chip(93).neurons.halves[0].held_in_reset = true);
    breaks(Rule::V28, |made| made.chip(93).neurons.halves[0].held_in_reset = true);
    for parameter in NeuronParameter::all() {
        breaks(Rule::V05, |made| {
            let gates = &mut made.chip(93).floating_gates;
            let code = gates.neuron(N1, parameter);
            let flipped = DacCode::try_from(u32::from(code) as usize ^ 1).unwrap();
            gates.set_neuron(N1, parameter, flipped);
        });
    }
    for parameter in [SharedParameter::VReset, SharedParameter::VGmax0, SharedParameter::VGmax2] {
        breaks(Rule::V05, |made| {
            let block = FgBlockOnHicann::new::<0>();
            made.chip(93).floating_gates.set_shared(block, parameter, DacCode::new::<7>());
        });
    }
    breaks(Rule::V05, |made| {
        let row = made.chip(93).synapses.row_mut(synapse(34, 0).row());
        row.gmax_divisor[1] = GmaxDivisor::new::<2>();
    });
    breaks(Rule::V05, |made| {
        let row = made.chip(93).synapses.row_mut(synapse(34, 0).row());
        row.gmax_select = GmaxSelect::new::<1>();
    });
}

#[test]
fn v07_events_arrive_at_their_merger_and_nowhere_else() {
    let merger = MergerOnHicann::new::<0>();
    breaks(Rule::V07, |made| made.chip(93).mergers.tree[merger].mode = MergerMode::LeftOnly);
    breaks(Rule::V07, |made| made.chip(93).mergers.tree[merger].slow = true);
    // block 0 also passes the first merger of level 1 and the tap of DNC merger 1
    breaks(Rule::V07, |made| {
        let mergers = &mut made.chip(93).mergers;
        mergers.tree[MergerOnHicann::new::<8>()].mode = MergerMode::Merge;
        mergers.dnc[DncMergerOnHicann::new::<1>()].mode = MergerMode::Merge;
    });
}

#[test]
fn v08_one_generator_locks_each_bus() {
    let generator = BackgroundGeneratorOnHicann::new::<0>();
    breaks(Rule::V08, |made| made.chip(93).mergers.background[generator].enable = false);
    breaks(Rule::V08, |made| made.chip(93).mergers.background[generator].random = true);
    breaks(Rule::V08, |made| made.chip(93).mergers.background[generator].period = 125);
    breaks(Rule::V08, |made| {
        made.chip(93).mergers.background[generator].address = L1Address::new::<2>();
    });
    // one that nobody hears
    breaks(Rule::V08, |made| {
        let idle = BackgroundGeneratorOnHicann::new::<5>();
        made.chip(93).mergers.background[idle] =
            BackgroundGenerator { enable: true, period: 124, ..BackgroundGenerator::default() };
    });
    // two on the input's merger: the first merger of the tree in front of it merges nothing else
    breaks(Rule::V08, |made| {
        made.chip(94).mergers.tree[MergerOnHicann::new::<7>()].mode = MergerMode::RightOnly;
    });
}

#[test]
fn v09_links_and_dnc_mergers() {
    let (used, unused) = (DncMergerOnHicann::new::<0>(), DncMergerOnHicann::new::<4>());
    breaks(Rule::V09, |made| made.chip(93).mergers.dnc[used].slow = false);
    breaks(Rule::V09, |made| made.chip(93).mergers.dnc[used].mode = MergerMode::RightOnly);
    breaks(Rule::V09, |made| made.chip(93).mergers.dnc[used].loopback = true);
    breaks(Rule::V09, |made| made.chip(93).mergers.dnc[unused].mode = MergerMode::Merge);
    let link = GbitLinkOnHicann::new::<7>();
    for direction in [GbitDirection::Off, GbitDirection::ToDnc] {
        breaks(Rule::V09, |made| made.chip(94).gbit_links.direction[link] = direction);
    }
    breaks(Rule::V09, |made| made.chip(93).gbit_links.direction[link] = GbitDirection::ToDnc);
    breaks(Rule::V09, |made| made.chip(94).gbit_links.timestamp_enable = false);
}

#[test]
fn v10_neurons_stay_out_of_input_mergers() {
    // a neuron of block 7 on the chip of the inputs, whose level-0 merger lets it pass
    breaks(Rule::V10, |made| {
        let neuron = made.mapping.placement.neurons[1].as_mut().unwrap();
        (neuron.hicann, neuron.column) = (INPUT_BUS.hicann, 224);
        let address = made.mapping.placement.addresses[1].as_mut().unwrap();
        address.bus.hicann = INPUT_BUS.hicann;
        address.bus.merger = DncMergerOnHicann::new::<3>();
        made.chip(94).mergers.tree[MergerOnHicann::new::<7>()].mode = MergerMode::Merge;
    });
}

#[test]
fn v12_neurons_send_what_they_shall() {
    breaks(Rule::V12, |made| {
        made.chip(93).neurons.circuits[N0].address = L1Address::new::<44>();
    });
    breaks(Rule::V12, |made| made.chip(93).neurons.circuits[N0].activate_firing = false);
    breaks(Rule::V12, |made| made.chip(93).neurons.circuits[N0].enable_spl1_output = false);
    breaks(Rule::V12, |made| made.chip(93).neurons.circuits[N1].activate_firing = true);
    breaks(Rule::V12, |made| made.chip(93).neurons.circuits[N100].enable_spl1_output = true);
}

#[test]
fn v14_v16_crossbar_switches() {
    let switch = |h: usize, v: usize| {
        let (h, v) = (HLineOnHicann::try_from(h).unwrap(), VLineOnHicann::try_from(v).unwrap());
        CrossbarSwitchOnHicann::between(h, v).unwrap()
    };
    for rule in [Rule::V14, Rule::V16] {
        breaks(rule, |made| made.chip(93).crossbar.set(switch(62, 0), false));
    }
    for rule in [Rule::V15, Rule::V16] {
        breaks(rule, |made| made.chip(93).crossbar.set(switch(62, 32), true));
    }
    breaks(Rule::V16, |made| made.chip(94).crossbar.set(switch(20, 21), true));
    // a loop: 62 and 63 joined through 0 and 32
    breaks(Rule::V17, |made| {
        for (h, v) in [(63, 0), (62, 32), (63, 32)] {
            made.chip(93).crossbar.set(switch(h, v), true);
        }
    });
}

#[test]
fn v18_repeaters() {
    let forwarding = HRepeaterOnHicann::new::<0>();
    for mode in [
        RepeaterMode::Idle,
        RepeaterMode::Forwarding(Side::Left),
        RepeaterMode::Input(Side::Right),
        RepeaterMode::Loopback,
    ] {
        breaks(Rule::V18, |made| made.chip(94).repeaters.horizontal[forwarding].mode = mode);
    }
    breaks(Rule::V18, |made| {
        let sending = HRepeaterOnHicann::new::<6>();
        made.chip(94).repeaters.horizontal[sending].mode = RepeaterMode::OutputBoth;
    });
    breaks(Rule::V18, |made| {
        let idle = VRepeaterOnHicann::new::<200>();
        made.chip(93).repeaters.vertical[idle].mode = RepeaterMode::Forwarding(Vertical::Top);
    });
    let block = RepeaterBlockOnHicann::new::<2>();
    breaks(Rule::V18, |made| made.chip(94).repeater_blocks[block].dll_released = false);
    breaks(Rule::V18, |made| made.chip(94).repeater_blocks[block].driver_released = false);
}

#[test]
fn v19_a_chip_of_the_claim_without_words() {
    breaks(Rule::V19, |made| {
        made.config.hicanns.remove(&INPUT_BUS.hicann);
    });
}

#[test]
fn v20_v21_synapse_switches() {
    let switch = |v: usize, y| {
        SynapseSwitchOnHicann::between(VLineOnHicann::try_from(v).unwrap(), driver(y)).unwrap()
    };
    breaks(Rule::V21, |made| made.chip(93).synapse_switches.set(switch(0, 17), false));
    breaks(Rule::V21, |made| made.chip(93).synapse_switches.set(switch(40, 5), true));
    // a second switch on line 0, a second one in row 17
    breaks(Rule::V20, |made| made.chip(93).synapse_switches.set(switch(0, 33), true));
    breaks(Rule::V20, |made| made.chip(93).synapse_switches.set(switch(1, 17), true));
    // driver 98 of H93 is fed from its own right side and from the left side of H94
    breaks(Rule::V20, |made| {
        made.chip(93).synapse_switches.set(switch(152, 98), true);
        made.chip(94).synapse_switches.set(switch(39, 98), true);
    });
}

#[test]
fn v23_v24_drivers() {
    breaks(Rule::V23, |made| made.chip(93).synapses.drivers[driver(15)].enable = false);
    breaks(Rule::V23, |made| made.chip(93).synapses.drivers[driver(17)].locin = false);
    breaks(Rule::V23, |made| made.chip(93).synapses.drivers[driver(17)].connect_neighbor = false);
    // the chain is open at both ends, and nobody else listens
    breaks(Rule::V23, |made| made.chip(93).synapses.drivers[driver(15)].connect_neighbor = true);
    breaks(Rule::V23, |made| made.chip(93).synapses.drivers[driver(19)].connect_neighbor = true);
    breaks(Rule::V23, |made| made.chip(93).synapses.drivers[driver(19)].enable = true);
    breaks(Rule::V23, |made| {
        let array = SynapseArrayOnHicann::new::<0>();
        made.chip(93).synapse_controllers[array].dll_released[0] = false;
    });
    breaks(Rule::V24, |made| made.chip(93).synapses.drivers[driver(17)].stp_enable = true);
}

#[test]
fn v25_v26_rows() {
    let row = synapse(34, 2).row();
    breaks(Rule::V25, |made| made.chip(93).synapses.row_mut(row).synaptic_input = [true; 2]);
    breaks(Rule::V25, |made| made.chip(93).synapses.row_mut(row).synaptic_input = [false; 2]);
    breaks(Rule::V25, |made| {
        made.chip(93).synapses.row_mut(synapse(35, 0).row()).synaptic_input = [true, false];
    });
    breaks(Rule::V26, |made| {
        made.chip(93).synapses.row_mut(row).synaptic_input = [false, true];
    });
    breaks(Rule::V26, |made| {
        made.chip(93).synapses.row_mut(row).decoder[0] = "dd1".parse().unwrap();
    });
    breaks(Rule::V26, |made| {
        made.chip(93).synapses.decoders[synapse(34, 2)] = "sd9".parse().unwrap();
    });
}

#[test]
fn v28_v30_synapses() {
    // a false synapse: address 40 in a column of neuron 0
    for rule in [Rule::V28, Rule::V30] {
        breaks(rule, |made| {
            let arrays = &mut made.chip(93).synapses;
            arrays.decoders[synapse(34, 0)] = "sd8".parse().unwrap();
            arrays.weights[synapse(34, 0)] = SynapseWeight::MAX;
        });
    }
    // even with weight 0 a synapse that listens is not off
    breaks(Rule::V30, |made| {
        made.chip(93).synapses.decoders[synapse(34, 0)] = "sd8".parse().unwrap();
    });
    breaks(Rule::V30, |made| {
        made.chip(93).synapses.decoders[synapse(400, 0)] = SynapseDecoder::new::<0>();
    });
    breaks(Rule::V30, |made| {
        made.chip(93).synapses.weights[synapse(34, 2)] = SynapseWeight::new::<4>();
    });
    breaks(Rule::V30, |made| {
        made.chip(94).synapses.weights[synapse(34, 2)] = SynapseWeight::new::<4>();
    });
    breaks(Rule::V28, |made| {
        made.chip(93).synapses.weights[synapse(34, 2)] = SynapseWeight::new::<5>();
        made.chip(93).synapses.decoders[synapse(34, 2)] = "sd9".parse().unwrap();
    });
}

#[test]
fn everything_else_keeps_its_default() {
    let capacitor = RepeaterCapacitor::new::<2>();
    breaks(Rule::Rest, |made| {
        made.chip(93).repeaters.horizontal[HRepeaterOnHicann::new::<3>()].ren = capacitor;
    });
    breaks(Rule::Rest, |made| {
        made.chip(93).repeaters.vertical[VRepeaterOnHicann::new::<3>()].len = capacitor;
    });
    breaks(Rule::Rest, |made| {
        let block = RepeaterBlockOnHicann::new::<1>();
        made.chip(93).repeater_blocks[block].filter_capacitor = capacitor;
    });
    breaks(Rule::Rest, |made| {
        made.chip(93).neurons.circuits[N100].address = L1Address::new::<5>();
    });
    breaks(Rule::Rest, |made| made.chip(93).neurons.circuits[N1].enable_aout = true);
    breaks(Rule::Rest, |made| made.chip(93).neurons.circuits[N1].enable_current_input = true);
    breaks(Rule::Rest, |made| {
        made.chip(93).analog.source[AnalogOnHicann::new::<1>()] = Some(AnalogSource::Preout);
    });
    breaks(Rule::Rest, |made| {
        let generator = BackgroundGeneratorOnHicann::new::<0>();
        made.chip(93).mergers.background[generator].seed = 4;
    });
    breaks(Rule::Rest, |made| made.chip(93).gbit_links.timestamp_enable = true);
    breaks(Rule::Rest, |made| made.chip(93).neurons.outputs_held_in_reset = true);
    breaks(Rule::Rest, |made| {
        made.chip(93).mergers.phase[DncMergerOnHicann::new::<0>()] = true;
    });
    breaks(Rule::V24, |made| {
        made.chip(93).synapses.drivers[driver(17)].stp_mode = StpMode::Depression;
    });
    breaks(Rule::Rest, |made| {
        let row = made.chip(93).synapses.row_mut(synapse(35, 0).row());
        row.gmax_select = GmaxSelect::new::<3>();
    });
    breaks(Rule::Rest, |made| {
        made.chip(93).synapse_controllers[SynapseArrayOnHicann::new::<1>()].write_delay =
            hal::value::WriteDelay::new::<1>();
    });
    breaks(Rule::Rest, |made| {
        let gates = &mut made.chip(93).floating_gates;
        gates.set_neuron(N100, NeuronParameter::EL, DacCode::new::<7>());
    });
    // row 0 of a left block belongs to no parameter, not even of a circuit in use
    breaks(Rule::Rest, |made| {
        let cell = FgCellOnBlock::at(FgRowOnBlock::new::<0>(), FgColumnOnBlock::of_neuron(N1));
        made.chip(93).floating_gates.blocks[N1.fg_block()].cells[cell] = DacCode::new::<32>();
    });
    breaks(Rule::Rest, |made| {
        let gates = &mut made.chip(94).floating_gates;
        let block = FgBlockOnHicann::new::<3>();
        gates.set_shared(block, SharedParameter::VCcas, DacCode::new::<7>());
    });
}

#[test]
fn v31_a_reticle_shows_two_membranes() {
    let [first, second] = [AnalogOnHicann::new::<0>(), AnalogOnHicann::new::<1>()];
    let (even, odd) = (AnalogSource::MembraneTopEven, AnalogSource::MembraneTopOdd);
    let show = |made: &mut HandMade, chip, output, circuit: NeuronOnHicann, source| {
        let chip = made.chip(chip);
        chip.neurons.circuits[circuit].enable_aout = true;
        chip.analog.source[output] = Some(source);
    };
    // two membranes of one chip, each on its own line
    let mut made = HandMade::new();
    show(&mut made, 93, first, N0, even);
    show(&mut made, 93, second, N1, odd);
    assert!(!made.verify().breaks(Rule::V31));
    // one of each of two chips on different reticles
    let mut made = HandMade::new();
    show(&mut made, 93, first, N0, even);
    show(&mut made, 110, first, N0, even);
    assert!(!made.verify().breaks(Rule::V31));

    // two on one line, both outputs on one line, and a line without a membrane
    breaks(Rule::V31, |made| {
        show(made, 93, first, N0, even);
        made.chip(93).neurons.circuits[N100].enable_aout = true;
    });
    breaks(Rule::V31, |made| {
        show(made, 93, first, N0, even);
        show(made, 93, second, N0, even);
    });
    breaks(Rule::V31, |made| made.chip(93).analog.source[first] = Some(odd));
    // the first output of a reticle driven by two of its chips
    breaks(Rule::V31, |made| {
        let neighbour = HicannOnWafer::all()
            .find(|h| h.dnc() == NEURON_BUS.hicann.dnc() && *h != NEURON_BUS.hicann)
            .unwrap();
        show(made, 93, first, N0, even);
        show(made, neighbour.index(), first, N0, even);
    });
    // an output that is broken
    breaks(Rule::V31, |made| {
        show(made, 93, first, N0, even);
        made.rules.defects.insert(first.on(NEURON_BUS.hicann));
    });
}

#[test]
fn v32_a_chip_has_one_current_source() {
    let feed = |made: &mut HandMade, circuit: NeuronOnHicann| {
        made.chip(93).neurons.circuits[circuit].enable_current_input = true;
    };
    let mut made = HandMade::new();
    feed(&mut made, N0);
    assert!(!made.verify().breaks(Rule::V32));
    breaks(Rule::V32, |made| {
        feed(made, N0);
        feed(made, N100);
    });
}
