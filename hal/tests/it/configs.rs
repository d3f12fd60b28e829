//! Random configurations: a strategy for every container.

use hal::config::*;
use hal::coord::*;
use hal::value::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Any place.
pub(crate) fn place<C: Coordinate>() -> impl Strategy<Value = C> {
    (0..C::SIZE).prop_map(|i| C::from_index(i).unwrap())
}

/// A table with independent entries.
fn table<C: Coordinate, T: std::fmt::Debug + Clone>(
    entry: impl Strategy<Value = T>,
) -> impl Strategy<Value = Table<C, T>> {
    vec(entry, C::SIZE).prop_map(|values| Table::from_fn(|c: C| values[c.index()].clone()))
}

/// A table too large for a strategy per entry: entries computed from a seed. With density d, one
/// entry in 2^d is drawn and the others have the default.
fn large<C: Coordinate, T: Coordinate>(default: T) -> impl Strategy<Value = Table<C, T>> {
    (any::<u64>(), 0..6_u32).prop_map(move |(seed, density)| {
        Table::from_fn(|c: C| {
            let hash = mix(seed ^ c.index() as u64);
            let drawn = hash >> 32 & ((1 << density) - 1) == 0;
            let value = T::from_index(hash as u32 as usize % T::SIZE).unwrap();
            if drawn { value } else { default }
        })
    })
}

/// The finaliser of splitmix64.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

fn scaling() -> impl Strategy<Value = CurrentScaling> {
    any::<(bool, bool)>().prop_map(|(slow, fast)| CurrentScaling::from_bits(slow, fast))
}

prop_compose! {
    fn half()(
        big_capacitor: bool, i_radapt in scaling(), i_gladapt in scaling(), i_gl in scaling(),
        held_in_reset: bool,
    ) -> NeuronHalf {
        NeuronHalf { big_capacitor, i_radapt, i_gladapt, i_gl, held_in_reset }
    }
}

prop_compose! {
    fn timing()(
        read_delay: std::num::NonZeroU8, setup_precharge in place(), write_delay in place(),
    ) -> SramTiming {
        SramTiming { read_delay, setup_precharge, write_delay }
    }
}

prop_compose! {
    fn circuit()(
        address in place(), activate_firing: bool, enable_spl1_output: bool,
        enable_fire_input: bool,
    ) -> Neuron {
        Neuron {
            address, activate_firing, enable_spl1_output, enable_fire_input,
            enable_aout: false, enable_current_input: false,
        }
    }
}

fn quad() -> impl Strategy<Value = Quad> {
    any::<([bool; 2], [bool; 2])>().prop_map(|(vertical, horizontal)| Quad { vertical, horizontal })
}

/// Combinations of outputs and inputs that have a code: output left and right, input left and
/// right.
const IO: [[bool; 4]; 8] = [
    [false, false, false, false],
    [false, true, false, false],
    [true, false, false, false],
    [true, true, false, false],
    [false, false, false, true],
    [false, true, false, true],
    [false, false, true, false],
    [true, false, true, false],
];

prop_compose! {
    pub(crate) fn neurons()(
        mut circuits in table(circuit()), quads in table(quad()), halves in [half(), half()],
        io in vec(select(&IO[..]), 2 * QuadOnHicann::SIZE), outputs_held_in_reset: bool,
        timing in timing(),
    ) -> Neurons {
        for (i, [out_left, out_right, in_left, in_right]) in io.into_iter().enumerate() {
            let vertical = Vertical::ALL[i % 2];
            let left = NeuronOnHicann::at(2 * (i / 2) as u8, vertical);
            let right = NeuronOnHicann::at(2 * (i / 2) as u8 + 1, vertical);
            circuits[left].enable_aout = out_left;
            circuits[right].enable_aout = out_right;
            circuits[left].enable_current_input = in_left;
            circuits[right].enable_current_input = in_right;
        }
        Neurons { circuits, quads, halves, outputs_held_in_reset, timing }
    }
}

pub(crate) fn analog() -> impl Strategy<Value = AnalogOutputs> {
    let sources = || select(&AnalogSource::ALL[..]).prop_map(|(source, _)| source);
    let second = sources().prop_filter("only on the first", |s| *s != AnalogSource::FireLine);
    (proptest::option::of(sources()), proptest::option::of(second)).prop_map(|(first, second)| {
        AnalogOutputs { source: Table::from_fn(|o: AnalogOnHicann| [first, second][o.index()]) }
    })
}

prop_compose! {
    fn row()(
        synaptic_input: [bool; 2], decoder in [place(), place()], gmax_select in place(),
        gmax_divisor in [place(), place()],
    ) -> RowConfig {
        RowConfig { synaptic_input, decoder, gmax_select, gmax_divisor }
    }
}

prop_compose! {
    pub(crate) fn driver()(
        enable: bool, locin: bool, connect_neighbor: bool, stp_enable: bool,
        stp_mode in select(vec![StpMode::Facilitation, StpMode::Depression]),
        stp_capacitor in place(), rows in [row(), row()],
    ) -> SynapseDriver {
        SynapseDriver {
            enable, locin, connect_neighbor, stp_enable, stp_mode, stp_capacitor, rows,
        }
    }
}

prop_compose! {
    pub(crate) fn synapses()(
        weights in large(SynapseWeight::new::<0>()), decoders in large(SynapseDecoder::DISABLED),
        drivers in table(prop_oneof![Just(SynapseDriver::default()), driver()]),
    ) -> SynapseArrays {
        SynapseArrays { weights, decoders, drivers }
    }
}

fn lookup() -> impl Strategy<Value = LookupTables> {
    let table = || proptest::array::uniform16(place());
    (table(), table(), table()).prop_map(|(causal, acausal, combined)| LookupTables {
        causal,
        acausal,
        combined,
    })
}

prop_compose! {
    fn pattern()([aa, ac, ca, cc]: [bool; 4]) -> EvaluationPattern {
        EvaluationPattern { aa, ac, ca, cc }
    }
}

prop_compose! {
    fn update()(
        first_row in place(), last_row in place(), continuous: bool,
    ) -> AutomaticUpdate {
        AutomaticUpdate { first_row, last_row, continuous }
    }
}

prop_compose! {
    fn plasticity()(
        [read_acausal, read_causal, without_reset, encr]: [bool; 4], generator in place(),
        evaluation in [pattern(), pattern()], lookup in lookup(), correlation_reset: u32,
        automatic in proptest::option::of(update()),
    ) -> Plasticity {
        Plasticity {
            read_acausal, read_causal, without_reset, encr, generator, evaluation, lookup,
            correlation_reset, automatic,
        }
    }
}

prop_compose! {
    fn controller()(
        dll_released: [bool; 2], write_delay in place(), output_delay in place(),
        setup_precharge in place(), enable_delay in place(), driver_timing in timing(),
        plasticity in plasticity(),
    ) -> SynapseController {
        SynapseController {
            dll_released, write_delay, output_delay, setup_precharge, enable_delay, driver_timing,
            plasticity,
        }
    }
}

pub(crate) fn controllers() -> impl Strategy<Value = Table<SynapseArrayOnHicann, SynapseController>>
{
    table(controller())
}

pub(crate) fn crossbar() -> impl Strategy<Value = Crossbar> {
    vec(place(), 0..64).prop_map(|closed| {
        let mut crossbar = Crossbar::default();
        for switch in closed {
            crossbar.set(switch, true);
        }
        crossbar
    })
}

pub(crate) fn synapse_switches() -> impl Strategy<Value = SynapseSwitches> {
    vec(place(), 0..256).prop_map(|closed| {
        let mut switches = SynapseSwitches::default();
        for switch in closed {
            switches.set(switch, true);
        }
        switches
    })
}

fn repeater<D: Copy + std::fmt::Debug + 'static>(
    directions: [D; 2],
) -> impl Strategy<Value = Repeater<D>> {
    use RepeaterMode::{Forwarding, Idle, Input, Loopback, Output, OutputBoth};
    let [a, b] = directions;
    let modes = vec![
        Idle,
        Forwarding(a),
        Forwarding(b),
        Output(a),
        Output(b),
        OutputBoth,
        Input(a),
        Input(b),
        Loopback,
    ];
    (select(modes), place(), place()).prop_map(|(mode, ren, len)| Repeater { mode, ren, len })
}

pub(crate) fn repeaters() -> impl Strategy<Value = Repeaters> {
    (table(repeater(Side::ALL)), table(repeater(Vertical::ALL)))
        .prop_map(|(horizontal, vertical)| Repeaters { horizontal, vertical })
}

prop_compose! {
    fn test_port()(
        play: bool, record: bool, events in proptest::array::uniform3((place(), place())),
    ) -> TestPort {
        let events = events.map(|(address, time)| TestEvent { address, time });
        TestPort { play, record, events }
    }
}

prop_compose! {
    fn block()(
        dll_released: bool, driver_released: bool, filter_capacitor in place(),
        test_ports in [test_port(), test_port()], timing in timing(),
    ) -> RepeaterBlock {
        RepeaterBlock { dll_released, driver_released, filter_capacitor, test_ports, timing }
    }
}

pub(crate) fn blocks() -> impl Strategy<Value = Table<RepeaterBlockOnHicann, RepeaterBlock>> {
    table(block())
}

prop_compose! {
    fn stimulus()(
        samples in table(place()), continuous: bool, pulse_length in place(),
    ) -> CurrentStimulus {
        CurrentStimulus { samples, continuous, pulse_length }
    }
}

pub(crate) fn stimuli() -> impl Strategy<Value = Table<FgBlockOnHicann, CurrentStimulus>> {
    table(prop_oneof![Just(CurrentStimulus::default()), stimulus()])
}

fn merger_mode() -> impl Strategy<Value = MergerMode> {
    select(vec![MergerMode::RightOnly, MergerMode::LeftOnly, MergerMode::Merge])
}

prop_compose! {
    /// A chip does not keep the seed of a generator that is off.
    fn background()(
        enable: bool, random: bool, period: u16, seed: u16, address in place(),
    ) -> BackgroundGenerator {
        let seed = if enable { seed } else { 0 };
        BackgroundGenerator { enable, random, period, seed, address }
    }
}

prop_compose! {
    pub(crate) fn mergers()(
        tree in table((merger_mode(), any::<bool>()).prop_map(|(mode, slow)| Merger { mode, slow })),
        dnc in table((merger_mode(), any::<bool>())),
        // per pair: no loopback, or from one to the other
        loopback in [0..3_usize, 0..3_usize, 0..3_usize, 0..3_usize],
        background in table(background()), phase in table(any::<bool>()),
    ) -> MergerTree {
        let dnc: Table<DncMergerOnHicann, _> = dnc;
        let dnc = Table::from_fn(|m: DncMergerOnHicann| {
            let (mode, slow) = dnc[m];
            DncMerger { mode, slow, loopback: loopback[m.index() / 2] == 1 + m.index() % 2 }
        });
        MergerTree { tree, dnc, background, phase }
    }
}

pub(crate) fn gbit_links() -> impl Strategy<Value = GbitLinks> {
    use GbitDirection::{Off, ToDnc, ToHicann};
    (table(select(vec![Off, ToDnc, ToHicann])), any::<bool>())
        .prop_map(|(direction, timestamp_enable)| GbitLinks { direction, timestamp_enable })
}

/// Cells drawn from a seed, in half of the cases large ones, so that all ways of programming occur.
pub(crate) fn floating_gates() -> impl Strategy<Value = FloatingGates> {
    let block = (large(DacCode::new::<0>()), any::<[bool; 24]>()).prop_map(|(cells, large)| {
        let cells: Table<FgCellOnBlock, DacCode> = cells;
        let raised = |cell: FgCellOnBlock| {
            let code = cells[cell].index();
            if large[cell.index() / 129] { 800 + code % 224 } else { code }
        };
        FgBlock { cells: Table::from_fn(|c| DacCode::try_from(raised(c)).unwrap()) }
    });
    table(block).prop_map(|blocks| FloatingGates { blocks })
}

prop_compose! {
    /// A whole chip.
    pub(crate) fn hicann()(
        neurons in neurons(), analog in analog(), synapses in synapses(),
        (synapse_controllers, current_stimuli) in (controllers(), stimuli()),
        crossbar in crossbar(), synapse_switches in synapse_switches(), repeaters in repeaters(),
        repeater_blocks in blocks(), mergers in mergers(), gbit_links in gbit_links(),
        floating_gates in floating_gates(),
    ) -> HicannConfig {
        HicannConfig {
            neurons, analog, synapses, synapse_controllers, crossbar, synapse_switches, repeaters,
            repeater_blocks, mergers, gbit_links, floating_gates, current_stimuli,
        }
    }
}

/// A few chips anywhere on the wafer.
pub(crate) fn wafer() -> impl Strategy<Value = WaferConfig> {
    proptest::collection::btree_map(place(), hicann(), 0..4)
        .prop_map(|hicanns| WaferConfig { hicanns })
}
