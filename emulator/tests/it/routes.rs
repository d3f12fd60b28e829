//! Connectivity on hand-made routes (topology §4, §7).

use emulator::{BusAddress, FunctionalSynapse, connectivity};
use hal::config::{
    Crossbar, GbitDirection, HicannConfig, MergerMode, RepeaterMode, SynapseSwitches, WaferConfig,
};
use hal::coord::*;
use hal::law::route_delay;

use crate::support::*;

const DNC_2: DncMergerOnHicann = DncMergerOnHicann::new::<2>();
/// Upper bits 2, lower bits 5: even columns of opened drivers.
const EVEN: usize = 37;
/// Upper bits 3, lower bits 5: odd columns of opened drivers.
const ODD: usize = 53;

fn released() -> HicannConfig {
    let mut chip = HicannConfig::default();
    release(&mut chip);
    chip
}

/// A chip whose circuit 64, in block 2, sends to the right through DNC merger 2.
fn sender() -> HicannConfig {
    let mut chip = released();
    fire(&mut chip, neuron(64), address(EVEN));
    send_right(&mut chip, DNC_2);
    chip
}

/// The route of topology §4.8: H93, line 46, east to H94, line 48, vertical line 39, driver 99.
fn worked_route() -> WaferConfig {
    let (line, vline) = (HLineOnHicann::new::<48>(), VLineOnHicann::new::<39>());
    let driver = SynapseDriverOnHicann::new::<99>();
    let mut target = released();
    target.repeaters.horizontal[line.repeater()].mode = RepeaterMode::Forwarding(Side::Right);
    close_crossbar(&mut target, line, vline);
    close_synapse_switch(&mut target, vline, driver);
    open_driver(&mut target, driver);
    set_synapse(&mut target, synapse(driver, 0, 6), EVEN % 16, 9);
    wafer([(HicannOnWafer::new::<93>(), sender()), (HicannOnWafer::new::<94>(), target)])
}

#[test]
fn the_worked_route_connects_one_synapse() {
    let found = connectivity(&worked_route());
    let (h93, h94) = (HicannOnWafer::new::<93>(), HicannOnWafer::new::<94>());
    let source = BusAddress { hicann: h93, merger: DNC_2, address: address(EVEN) };
    let place = synapse(SynapseDriverOnHicann::new::<99>(), 0, 6);
    assert_eq!(place.row().index(), 198);
    let expected = FunctionalSynapse {
        source,
        synapse: place.on(h94),
        target: neuron(6).on(h94),
        input: SynapticInputOnNeuron::EXCITATORY,
        weight: weight(9),
        delay: route_delay(2),
    };
    assert_eq!(found.synapses, [expected]);
    let sent: Vec<_> = found.outputs.iter().filter(|o| o.bus == source).collect();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].neuron, neuron(64).on(h93));
}

#[test]
fn every_link_of_the_route_is_needed() {
    type Change = fn(&mut HicannConfig);
    let on_sender: [Change; 6] = [
        |c| c.neurons.circuits[neuron(64)].activate_firing = false,
        |c| c.neurons.circuits[neuron(64)].enable_spl1_output = false,
        |c| c.mergers.dnc[DNC_2].mode = MergerMode::LeftOnly,
        |c| c.mergers.tree[MergerOnHicann::new::<2>()].mode = MergerMode::LeftOnly,
        |c| c.repeaters.horizontal[HRepeaterOnHicann::new::<46>()].mode = RepeaterMode::Idle,
        |c| c.repeater_blocks[RepeaterBlockOnHicann::new::<2>()].driver_released = false,
    ];
    let on_target: [Change; 10] = [
        |c| c.repeater_blocks[RepeaterBlockOnHicann::new::<2>()].dll_released = false,
        |c| c.repeater_blocks[RepeaterBlockOnHicann::new::<2>()].driver_released = false,
        |c| {
            let repeater = HRepeaterOnHicann::new::<48>();
            c.repeaters.horizontal[repeater].mode = RepeaterMode::Forwarding(Side::Left);
        },
        |c| c.crossbar = Crossbar::default(),
        |c| c.synapse_switches = SynapseSwitches::default(),
        |c| c.synapses.drivers[SynapseDriverOnHicann::new::<99>()].enable = false,
        |c| c.synapses.drivers[SynapseDriverOnHicann::new::<99>()].locin = false,
        |c| {
            c.synapses.drivers[SynapseDriverOnHicann::new::<99>()].rows[0].synaptic_input[0] =
                false;
        },
        |c| c.synapse_controllers[SynapseArrayOnHicann::new::<0>()].dll_released[0] = false,
        |c| set_synapse(c, synapse(SynapseDriverOnHicann::new::<99>(), 0, 6), EVEN % 16, 0),
    ];
    for (hicann, changes) in [(93, &on_sender[..]), (94, &on_target[..])] {
        for (i, change) in changes.iter().enumerate() {
            let mut config = worked_route();
            let hicann = HicannOnWafer::from_index(hicann).expect("a chip");
            change(config.hicann_mut(hicann));
            assert_eq!(connectivity(&config).synapses, [], "{hicann} change {i}");
        }
    }
}

#[test]
fn columns_answer_to_the_decoder_of_their_parity() {
    let mut config = worked_route();
    let driver = SynapseDriverOnHicann::new::<99>();
    config.hicann_mut(HicannOnWafer::new::<93>()).neurons.circuits[neuron(64)].address =
        address(ODD);
    assert_eq!(connectivity(&config).synapses, []);
    let target = config.hicann_mut(HicannOnWafer::new::<94>());
    set_synapse(target, synapse(driver, 1, 7), ODD % 16, 3);
    let found = connectivity(&config).synapses;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].target.local, neuron(7));
    assert_eq!(found[0].input, SynapticInputOnNeuron::INHIBITORY);
}

#[test]
fn a_row_with_both_inputs_delivers_to_both() {
    let mut config = worked_route();
    let target = config.hicann_mut(HicannOnWafer::new::<94>());
    target.synapses.drivers[SynapseDriverOnHicann::new::<99>()].rows[0].synaptic_input = [true; 2];
    let inputs: Vec<_> = connectivity(&config).synapses.iter().map(|s| s.input).collect();
    assert_eq!(inputs, [SynapticInputOnNeuron::EXCITATORY, SynapticInputOnNeuron::INHIBITORY]);
}

#[test]
fn a_bus_can_enter_the_western_neighbour_directly() {
    let merger = DncMergerOnHicann::new::<0>();
    let chip = CHIP;
    let west = chip.west().expect("an inner chip");
    // own line 62, line 60 of the neighbour
    let mut receiver = released();
    let (line, vline) = (HLineOnHicann::new::<60>(), VLineOnHicann::new::<1>());
    close_crossbar(&mut receiver, line, vline);
    let driver = left_driver(vline);
    close_synapse_switch(&mut receiver, vline, driver);
    open_driver(&mut receiver, driver);
    set_synapse(&mut receiver, synapse(driver, 0, 0), EVEN % 16, 1);
    for (mode, own, neighbour) in [
        (RepeaterMode::Output(Side::Right), 1, 0),
        (RepeaterMode::Output(Side::Left), 0, 1),
        (RepeaterMode::OutputBoth, 1, 1),
    ] {
        let (mut sender, own_driver) = input_chip();
        set_synapse(&mut sender, synapse(own_driver, 0, 0), EVEN % 16, 1);
        let repeater = merger.sending_repeater().repeater();
        sender.repeaters.horizontal[repeater].mode = mode;
        let found = connectivity(&wafer([(chip, sender), (west, receiver.clone())])).synapses;
        let count = |h| found.iter().filter(|s| s.target.hicann == h).count();
        assert_eq!([count(chip), count(west)], [own, neighbour], "{mode:?}");
        assert!(found.iter().all(|s| {
            let hicanns = if s.target.hicann == chip { 1 } else { 2 };
            s.delay == route_delay(hicanns)
        }));
    }
}

#[test]
fn at_the_western_rim_only_the_own_line_is_driven() {
    let rim = HicannOnWafer::new::<156>();
    assert_eq!(rim.west(), None);
    let (mut chip, driver) = input_chip();
    set_synapse(&mut chip, synapse(driver, 0, 0), EVEN % 16, 1);
    let repeater = DncMergerOnHicann::new::<0>().sending_repeater().repeater();
    chip.repeaters.horizontal[repeater].mode = RepeaterMode::Output(Side::Left);
    assert_eq!(connectivity(&wafer([(rim, chip.clone())])).synapses, []);
    chip.repeaters.horizontal[repeater].mode = RepeaterMode::OutputBoth;
    assert_eq!(connectivity(&wafer([(rim, chip)])).synapses.len(), 1);
}

#[test]
fn vertical_lines_continue_on_the_neighbour_that_holds_their_repeater() {
    // line, direction, and whether the repeater stands on the own chip (topology §4.5)
    for (v, direction, own) in [
        (0, Direction::South, true),
        (0, Direction::North, false),
        (1, Direction::South, false),
        (1, Direction::North, true),
        (130, Direction::South, false),
        (130, Direction::North, true),
        (131, Direction::South, true),
        (131, Direction::North, false),
    ] {
        let here = VLineOnHicann::from_index(v).expect("a line");
        let (next_chip, next, leaves) = match direction {
            Direction::South => (CHIP.south(), here.south(), Vertical::Bottom),
            _ => (CHIP.north(), here.north(), Vertical::Top),
        };
        let next_chip = next_chip.expect("an inner chip");
        // the line meets a sending line of its own chip, or one that the eastern neighbour drives
        let east = CHIP.east().expect("an inner chip");
        let [mut first, mut second, mut sender] = [(); 3].map(|()| released());
        let meets = |line| CrossbarSwitchOnHicann::between(line, here).is_some();
        let all = SendingRepeaterOnHicann::all;
        let hicanns = if let Some(s) = all().find(|s| meets(s.hline())) {
            open_link(&mut first, s, Side::Right);
            close_crossbar(&mut first, s.hline(), here);
            2
        } else {
            let s = all().find(|s| meets(s.hline().west())).expect("two of four classes");
            open_link(&mut sender, s, Side::Left);
            close_crossbar(&mut first, s.hline().west(), here);
            3
        };
        let mut rows = next.synapse_switches().map(SynapseSwitchOnHicann::row);
        let driver = rows.find(|r| r.is_local()).expect("half of the rows are local").y();
        close_synapse_switch(&mut second, next, driver);
        open_driver(&mut second, driver);
        set_synapse(&mut second, synapse(driver, 0, 0), EVEN % 16, 1);
        let (holder, repeater) =
            if own { (&mut first, here.repeater()) } else { (&mut second, next.repeater()) };
        holder.repeaters.vertical[repeater].mode = RepeaterMode::Forwarding(leaves);
        let config = wafer([(CHIP, first), (next_chip, second), (east, sender)]);
        let found = connectivity(&config).synapses;
        assert_eq!(found.len(), 1, "line {v} to {direction:?}");
        assert_eq!(found[0].target.hicann, next_chip);
        assert_eq!(found[0].delay, route_delay(hicanns));
    }
}

/// Opens the event link behind a sending repeater and sends its pulses to one side.
fn open_link(chip: &mut HicannConfig, repeater: SendingRepeaterOnHicann, side: Side) {
    let link = repeater.dnc_merger().gbit_link();
    chip.gbit_links.direction[link] = GbitDirection::ToHicann;
    chip.repeaters.horizontal[repeater.repeater()].mode = RepeaterMode::Output(side);
}

#[test]
fn a_line_can_feed_the_facing_drivers_of_the_neighbours() {
    for (v, row_side, neighbour) in [(0, Side::Left, CHIP.west()), (159, Side::Right, CHIP.east())]
    {
        let vline = VLineOnHicann::from_index(v).expect("a line");
        let foreign = vline.synapse_switches().map(SynapseSwitchOnHicann::row).find(|r| {
            assert_eq!(r.side(), row_side);
            !r.is_local()
        });
        let driver = foreign.expect("half of the rows are foreign").y();
        let (mut chip, _) = input_chip();
        chip.crossbar = Crossbar::default();
        close_crossbar(&mut chip, DncMergerOnHicann::new::<0>().hline(), vline);
        close_synapse_switch(&mut chip, vline, driver);
        let mut beyond = released();
        open_driver(&mut beyond, driver);
        set_synapse(&mut beyond, synapse(driver, 0, 2), EVEN % 16, 1);
        let neighbour = neighbour.expect("an inner chip");
        let found = connectivity(&wafer([(CHIP, chip), (neighbour, beyond)])).synapses;
        assert_eq!(found.len(), 1, "line {v}");
        assert_eq!(
            found[0].target,
            neuron(if driver.index() < 112 { 2 } else { 258 }).on(neighbour)
        );
        // the line path stays on one chip
        assert_eq!(found[0].delay, route_delay(1));
    }
}

#[test]
fn chains_spread_both_ways_from_their_primary_within_a_quadrant() {
    for quadrant in QuadrantOnHicann::all() {
        // a line of the quadrant's side, of the class of some sending line
        let merger = DncMergerOnHicann::new::<3>();
        let vline = merger
            .hline()
            .crossbar_vlines()
            .find(|v| v.side() == quadrant.side())
            .expect("lines on both sides");
        let primary = vline
            .synapse_switches()
            .map(SynapseSwitchOnHicann::row)
            .filter(|r| r.is_local() && r.y().quadrant() == quadrant)
            .nth(3)
            .expect("seven per quadrant")
            .y();
        let outward = primary.outward().expect("not at the end");
        let inward = primary.inward().expect("not at the end");
        let mut chip = released();
        chip.gbit_links.direction[merger.gbit_link()] = GbitDirection::ToHicann;
        send_right(&mut chip, merger);
        close_crossbar(&mut chip, merger.hline(), vline);
        close_synapse_switch(&mut chip, vline, primary);
        let beyond = [outward.outward(), inward.inward()].map(|d| d.expect("not at the end"));
        for driver in [primary, outward, inward, beyond[0], beyond[1]] {
            open_driver(&mut chip, driver);
            chip.synapses.drivers[driver].locin = driver == primary;
            set_synapse(&mut chip, synapse(driver, 0, 4), EVEN % 16, 1);
        }
        // all but the outermost bridge outwards
        for driver in [primary, inward] {
            chip.synapses.drivers[driver].connect_neighbor = true;
        }
        let found = connectivity(&wafer([(CHIP, chip)])).synapses;
        let mut reached: Vec<_> = found.iter().map(|s| s.synapse.local.row().driver()).collect();
        reached.sort_unstable();
        let mut expected = [outward, primary, inward];
        expected.sort_unstable();
        assert_eq!(reached, expected, "{quadrant}");
        assert!(expected.iter().all(|d| d.quadrant() == quadrant));
    }
}

/// Leads a horizontal line over a vertical line of the left side to a driver with one synapse.
fn tap(chip: &mut HicannConfig, line: HLineOnHicann, vline: VLineOnHicann) {
    close_crossbar(chip, line, vline);
    let driver = left_driver(vline);
    close_synapse_switch(chip, vline, driver);
    open_driver(chip, driver);
    set_synapse(chip, synapse(driver, 0, 0), EVEN % 16, 1);
}

#[test]
fn a_line_driven_from_both_ends_carries_both_buses() {
    // sending line 6 of the first chip arrives on line 12 of the fourth, which the fifth drives too
    let chips: Vec<_> = std::iter::successors(Some(CHIP), |h| h.east()).take(5).collect::<Vec<_>>();
    let mut configs: Vec<_> = chips.iter().map(|_| released()).collect();
    let first = SendingRepeaterOnHicann::new::<0>();
    let last = SendingRepeaterOnHicann::new::<1>();
    for (chip, repeater, side) in [(0, first, Side::Right), (4, last, Side::Left)] {
        open_link(&mut configs[chip], repeater, side);
    }
    let mut line = first.hline();
    for config in &mut configs[1..=3] {
        line = line.east();
        config.repeaters.horizontal[line.repeater()].mode = RepeaterMode::Forwarding(Side::Right);
    }
    assert_eq!(line, last.hline().west());
    let vline = line.crossbar_vlines().next().expect("eight lines");
    tap(&mut configs[3], line, vline);
    let found = connectivity(&wafer(chips.iter().copied().zip(configs))).synapses;
    let sources: Vec<_> = found.iter().map(|s| (s.source.hicann, s.delay)).collect();
    assert_eq!(sources, [(chips[0], route_delay(4)), (chips[4], route_delay(2))]);
    assert_eq!(found[0].synapse, found[1].synapse);
}

#[test]
fn a_ring_of_repeaters_ends_and_serves_each_chip_once() {
    let a = CHIP;
    let b = a.east().expect("an inner chip");
    let c = b.south().expect("an inner chip");
    let d = c.west().expect("an inner chip");
    let [mut at_a, mut at_b, mut at_c, mut at_d] = [(); 4].map(|()| released());
    let merger = DncMergerOnHicann::new::<0>();
    at_a.gbit_links.direction[merger.gbit_link()] = GbitDirection::ToHicann;
    send_right(&mut at_a, merger);
    let h = |i| HLineOnHicann::from_index(i).expect("a line");
    let v = |i| VLineOnHicann::from_index(i).expect("a line");
    // east to b on line 62 -> 0, south on 31 -> 29, west on 4 -> 2, north on 30 -> 32
    at_b.repeaters.horizontal[h(0).repeater()].mode = RepeaterMode::Forwarding(Side::Right);
    tap(&mut at_b, h(0), v(31));
    at_c.repeaters.vertical[v(29).repeater()].mode = RepeaterMode::Forwarding(Vertical::Bottom);
    tap(&mut at_c, h(4), v(29));
    at_c.repeaters.horizontal[h(4).repeater()].mode = RepeaterMode::Forwarding(Side::Left);
    tap(&mut at_d, h(2), v(30));
    at_a.repeaters.vertical[v(32).repeater()].mode = RepeaterMode::Forwarding(Vertical::Top);
    tap(&mut at_a, h(62), v(32));
    let found = connectivity(&wafer([(a, at_a), (b, at_b), (c, at_c), (d, at_d)])).synapses;
    let reached: Vec<_> = found.iter().map(|s| (s.target.hicann, s.delay)).collect();
    let mut expected =
        [(a, route_delay(1)), (b, route_delay(2)), (c, route_delay(3)), (d, route_delay(4))];
    expected.sort_unstable();
    assert_eq!(reached, expected);
}
