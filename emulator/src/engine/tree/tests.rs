//! The tree against published orders, rates and losses.

use super::*;

/// Requests and results as time in ns and line, and the number of losses.
type Case<'a> = (&'a [(u64, usize)], &'a [(u64, usize)], u64);

const CHIP: HicannOnWafer = HicannOnWafer::new::<200>();

fn tree(config: &HicannConfig) -> Tree {
    Tree::new(CHIP, config, &Flaws::NONE)
}

/// The circuit of a line of neuron block 0.
fn line(line: usize) -> Origin {
    let on_block = NeuronOnNeuronBlock::from_index(line).expect("one of 64 lines");
    Origin::Neuron(NeuronBlockOnHicann::new::<0>().neuron(on_block))
}

fn address(origin: Origin) -> L1Address {
    let Origin::Neuron(n) = origin else { return L1Address::BACKGROUND };
    L1Address::from_index(n.on_block().index()).expect("six bits")
}

/// Each circuit has the number of its line as its address.
fn numbered() -> HicannConfig {
    let mut config = HicannConfig::default();
    for n in NeuronOnHicann::all() {
        config.neurons.circuits[n].address = address(Origin::Neuron(n));
    }
    config
}

fn run(tree: &mut Tree, events: &[(u64, Origin)], until: u64) -> Vec<Sent> {
    for &(time, origin) in events {
        tree.announce(DncCycles(time), origin, address(origin));
    }
    let mut sent = Vec::new();
    tree.run(DncCycles(until), |s| sent.push(s));
    sent
}

#[test]
fn the_encoder_has_the_published_order_and_losses() {
    // vectors priority_encoder-001 to -003: clocks of 5 ns, and one clock of constant delay
    // that stands in the delay of the routes here
    let eight: Vec<(u64, usize)> = (0..8).map(|i| (1, i)).collect();
    let cases: [Case<'_>; 3] = [
        (&[(1, 5), (1, 0), (1, 63)], &[(10, 0), (20, 5), (30, 63)], 0),
        (&[(1, 3), (2, 3), (12, 3)], &[(10, 3), (20, 3)], 1),
        (&eight, &[(10, 0), (20, 1), (30, 2), (40, 3), (50, 4), (60, 5), (70, 6), (80, 7)], 0),
    ];
    for (requests, expected, lost) in cases {
        let mut tree = tree(&numbered());
        let cycles = |ns: u64| (ns * CYCLES_PER_CLOCK).div_ceil(5);
        let events: Vec<_> = requests.iter().map(|&(t, l)| (cycles(t), line(l))).collect();
        let sent: Vec<(u64, usize)> = run(&mut tree, &events, 1000)
            .iter()
            .map(|s| (5 * (s.time.0 / CYCLES_PER_CLOCK + 1), s.address.index()))
            .collect();
        assert_eq!(sent, expected);
        let flow = tree.flow_so_far();
        assert_eq!(flow.dropped.get(&DropCause::EncoderBusy).copied().unwrap_or(0), lost);
        assert!(flow.is_conserved());
    }
}

#[test]
fn a_single_event_does_not_wait_and_is_copied_to_every_bus() {
    let mut config = numbered();
    for m in MergerOnHicann::all() {
        config.mergers.tree[m].mode = MergerMode::Merge;
    }
    let mut tree = tree(&config);
    let sent = run(&mut tree, &[(100, line(7))], 100);
    // block 0 reaches D0, D1 and D3 (topology §5.1)
    let buses: Vec<usize> = sent.iter().map(|s| s.merger.index()).collect();
    assert_eq!(buses, [0, 1, 3]);
    assert!(sent.iter().all(|s| s.time == DncCycles(100)));
    assert_eq!(tree.delays.summary().mean_s(), 0.0);
    let flow = Flow { sent: 3, delivered: 3, ..Flow::default() };
    assert_eq!(tree.flow_so_far(), flow);
}

#[test]
fn slow_mergers_pass_every_second_clock_and_take_turns() {
    let mut config = numbered();
    let (dnc, generator) = (DncMergerOnHicann::new::<0>(), BackgroundGeneratorOnHicann::new::<0>());
    for (slow, gap) in [(true, 4), (false, 2)] {
        config.mergers.dnc[dnc].slow = slow;
        let mut tree = tree(&config);
        let events = [(10, line(0)), (10, Origin::Generator(generator)), (10, Origin::Link(dnc))];
        let sent = run(&mut tree, &events, 1000);
        let times: Vec<u64> = sent.iter().filter(|s| s.merger == dnc).map(|s| s.time.0).collect();
        assert_eq!(times, [10, 10 + gap, 10 + 2 * gap], "slow: {slow}");
        assert!(tree.flow_so_far().is_conserved());
    }
}

#[test]
fn pulses_from_the_link_wait_in_a_buffer_of_their_channel() {
    let dnc = DncMergerOnHicann::new::<0>();
    let mut config = numbered();
    config.mergers.dnc[dnc].slow = true;
    // one in front of the merger, ten behind it; each takes two clocks of 8 ns
    for (pulses, lost) in [(11, 0), (14, 3)] {
        let mut tree = tree(&config);
        let sent = run(&mut tree, &vec![(100, Origin::Link(dnc)); pulses], 1000);
        let times: Vec<u64> = sent.iter().map(|s| s.time.0).collect();
        assert_eq!(times, (0..11).map(|i| 100 + 4 * i).collect::<Vec<u64>>());
        let flow = tree.flow_so_far();
        assert_eq!(flow.dropped_total(), lost);
        assert_eq!(flow.dropped.get(&DropCause::ReleaseBufferFull).copied().unwrap_or(0), lost);
        assert!(flow.is_conserved());
    }
    let mut tree = tree(&config);
    run(&mut tree, &[(100, Origin::Link(dnc)); 5], 103);
    assert_eq!((tree.flow_so_far().delivered, tree.flow_so_far().pending), (1, 4));
}

#[test]
fn a_bus_carries_62_5_million_events_per_second_at_most() {
    let mut config = numbered();
    for m in MergerOnHicann::all() {
        config.mergers.tree[m].mode = MergerMode::Merge;
    }
    for m in DncMergerOnHicann::all().filter(|m| m.index() != 3) {
        config.mergers.dnc[m].mode = MergerMode::LeftOnly;
    }
    let mut tree = tree(&config);
    // eight blocks with an event per 100 ns from each of 16 lines: 1280 M/s
    let mut delivered = 0;
    for start in (0..25_000_u64).step_by(25) {
        let events: Vec<(u64, Origin)> = NeuronBlockOnHicann::all()
            .flat_map(|b| {
                (0..16).map(move |l| {
                    let l = NeuronOnNeuronBlock::from_index(l).expect("one of 64 lines");
                    (start, Origin::Neuron(b.neuron(l)))
                })
            })
            .collect();
        delivered += run(&mut tree, &events, start + 24).len();
    }
    // 100 us
    let rate = delivered as f64 / 100e-6;
    assert!((rate / 62.5e6 - 1.0).abs() < 0.01, "{rate}");
    let flow = tree.flow_so_far();
    assert!(flow.is_conserved() && flow.pending > 0, "{flow:?}");
    assert!(flow.dropped[&DropCause::EncoderBusy] > 0);
    assert!(flow.dropped[&DropCause::MergerOverrun] > 0);
    assert!(tree.delays.summary().p99_s() > tree.delays.summary().mean_s());
}

#[test]
fn windows_of_any_length_give_the_same() {
    let config = numbered();
    let events: Vec<(u64, Origin)> =
        (0..500).map(|i| (3 * i + (i * i) % 17, line((i as usize * 29) % 64))).collect();
    let whole = run(&mut tree(&config), &events, 2000);
    for window in [1, 2, 5, 17] {
        let mut tree = tree(&config);
        let mut pieces = Vec::new();
        for until in (0..=2000_u64).step_by(window) {
            let since = (until + 1).saturating_sub(window as u64);
            let now: Vec<_> =
                events.iter().copied().filter(|(t, _)| (since..=until).contains(t)).collect();
            pieces.extend(run(&mut tree, &now, until));
        }
        assert_eq!(pieces, whole, "windows of {window}");
    }
}
