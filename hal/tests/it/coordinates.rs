//! Text forms, serialisation and conversions of coordinates.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use hal::coord::*;
use hal::l1::{L1Component, L1Line, L1Repeater};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Every element keeps its identity through index, text and JSON, and there is none beyond.
fn enumeration<C>()
where
    C: Coordinate + Display + FromStr<Err: Debug> + Serialize + DeserializeOwned,
{
    for (i, c) in C::all().enumerate() {
        assert_eq!(c.index(), i);
        assert_eq!(c.to_string().parse::<C>().unwrap(), c);
        let json = serde_json::to_string(&c).unwrap();
        assert_eq!(serde_json::from_str::<C>(&json).unwrap(), c);
    }
    assert_eq!(C::all().len(), C::SIZE);
    assert_eq!(C::from_index(C::SIZE), None);
    assert!(C::all().zip(C::all().skip(1)).all(|(a, b)| a < b));
}

macro_rules! every {
    ($($name:ident),* $(,)?) => {
        #[test]
        fn every_coordinate_keeps_its_identity() {
            $(enumeration::<$name>();)*
        }

        #[test]
        fn prefixes_differ() {
            let mut prefixes = vec![$($name::PREFIX),*];
            let number = prefixes.len();
            prefixes.sort_unstable();
            prefixes.dedup();
            assert_eq!(prefixes.len(), number);
        }

        #[test]
        fn texts_that_are_no_coordinate_are_refused() {
            $(
                let first = $name::all().next().unwrap().to_string();
                let beyond = format!("{}{}", $name::PREFIX, $name::SIZE + 1);
                for text in ["", "0", "-1", &first[..first.len() - 1], &format!("{first} "),
                             &format!(" {first}"), &format!("{}+1", $name::PREFIX), &beyond,
                             &format!("{}99999999999999999999999", $name::PREFIX)] {
                    let error = text.parse::<$name>().unwrap_err();
                    assert!(error.to_string().contains(stringify!($name)), "{text}: {error}");
                }
            )*
        }
    };
}

every!(
    AdcGroupOnWafer,
    AnalogOnHicann,
    AnanasChannelOnSlice,
    AnanasOnWafer,
    AnanasSliceOnAnanas,
    AnanasSliceOnWafer,
    AuxPowerOnWafer,
    BackgroundGeneratorOnHicann,
    CrossbarSwitchOnHicann,
    CrossbarSwitchOnRow,
    DncMergerOnHicann,
    DncOnFpga,
    DncOnWafer,
    DriverDecoder,
    DriverOnQuadrant,
    FgBlockOnHicann,
    FgColumnOnBlock,
    FgRowOnBlock,
    FpgaOnWafer,
    GbitLinkOnHicann,
    HLineOnHicann,
    HRepeaterOnHicann,
    HicannOnDnc,
    HicannOnWafer,
    HighspeedLinkOnDnc,
    InputOnAdc,
    L1Address,
    L1Class,
    L1Component,
    Merger0OnHicann,
    Merger1OnHicann,
    Merger2OnHicann,
    Merger3OnHicann,
    MergerOnHicann,
    NeuronBlockOnHicann,
    NeuronOnFgBlock,
    NeuronOnHicann,
    NeuronOnNeuronBlock,
    NeuronOnQuad,
    PowerOnWafer,
    QuadOnHicann,
    QuadrantOnHicann,
    RepeaterBlockOnHicann,
    RowOnSynapseDriver,
    SendingRepeaterOnHicann,
    SocketOnWio,
    SynapseArrayOnHicann,
    SynapseColumnOnHicann,
    SynapseDecoder,
    SynapseDriverOnHicann,
    SynapseOnHicann,
    SynapseRowOnArray,
    SynapseRowOnHicann,
    SynapseSwitchOnHicann,
    SynapseSwitchOnRow,
    SynapseSwitchRowOnHicann,
    SynapticInputOnHicann,
    SynapticInputOnNeuron,
    TestPortOnRepeaterBlock,
    TriggerOnAdc,
    TriggerOnWafer,
    VLineOnHicann,
    VRepeaterOnHicann,
    WioOnWafer,
);

/// The fifteen tree mergers are those of the four levels, one after the other.
#[test]
fn levels_of_the_merger_tree() {
    let levels = [
        Merger0OnHicann::all().map(MergerOnHicann::from).collect::<Vec<_>>(),
        Merger1OnHicann::all().map(MergerOnHicann::from).collect(),
        Merger2OnHicann::all().map(MergerOnHicann::from).collect(),
        Merger3OnHicann::all().map(MergerOnHicann::from).collect(),
    ];
    assert!(levels.concat().into_iter().eq(MergerOnHicann::all()));
    for merger in MergerOnHicann::all() {
        let on_level = [
            Merger0OnHicann::try_from(merger).map(MergerOnHicann::from),
            Merger1OnHicann::try_from(merger).map(MergerOnHicann::from),
            Merger2OnHicann::try_from(merger).map(MergerOnHicann::from),
            Merger3OnHicann::try_from(merger).map(MergerOnHicann::from),
        ];
        assert_eq!(on_level.into_iter().filter_map(Result::ok).collect::<Vec<_>>(), [merger]);
    }
    let error = Merger2OnHicann::try_from(MergerOnHicann::new::<5>()).unwrap_err();
    assert_eq!(error.to_string(), "MergerOnHicann 5 does not exist; valid are 12..=13");
}

#[test]
fn lines_and_repeaters_are_told_by_their_prefix() {
    enumeration::<L1Line>();
    enumeration::<L1Repeater>();
}

#[test]
fn board_tables_agree_with_the_original() {
    let file: Value = serde_json::from_str(include_str!("../data/topology-vectors.json")).unwrap();
    let number = |value: &Value| value.as_u64().unwrap() as usize;
    for vector in file["dnc"].as_array().unwrap() {
        let dnc = DncOnWafer::try_from(number(&vector["id"])).unwrap();
        let trigger = dnc.trigger();
        assert_eq!(dnc.power().dnc(), dnc);
        assert_eq!(trigger.ananas().index(), number(&vector["ananas"]));
        assert_eq!(trigger.slice_on_ananas().index(), number(&vector["slice_on_ananas"]));
        assert_eq!(trigger.slice().index(), number(&vector["slice_on_wafer"]));
        assert_eq!(trigger.slice().ananas(), trigger.ananas());
        assert_eq!(trigger.slice().on_ananas(), trigger.slice_on_ananas());
        let channels = AnalogOnHicann::all().map(|output| dnc.ananas_channel(output).index());
        assert!(channels.eq(vector["ananas_channels"].as_array().unwrap().iter().map(number)));
    }
    // each slice serves four reticles, each channel one output
    let mut channels: Vec<_> = DncOnWafer::all()
        .flat_map(|d| {
            AnalogOnHicann::all().map(move |a| (d.trigger().slice(), d.ananas_channel(a)))
        })
        .collect();
    channels.sort_unstable();
    channels.dedup();
    assert_eq!(channels.len(), AnanasSliceOnWafer::SIZE * AnanasChannelOnSlice::SIZE);
    for vector in file["fpga"].as_array().unwrap() {
        let fpga = FpgaOnWafer::try_from(number(&vector["id"])).unwrap();
        assert_eq!(fpga.wio().index(), number(&vector["wio"]));
        assert_eq!(fpga.socket().index(), number(&vector["socket"]));
        assert_eq!(FpgaOnWafer::at(fpga.wio(), fpga.socket()), fpga);
        assert_eq!(usize::from(fpga.ip_last_octet()), number(&vector["ip_last_octet"]));
    }
    for vector in file["neuron"]["examples"].as_array().unwrap() {
        let neuron = NeuronOnHicann::try_from(number(&vector["id"])).unwrap();
        assert_eq!(neuron.on_block().index(), number(&vector["on_block_enum"]));
        assert_eq!(neuron.on_fg_block().index(), number(&vector["on_fg_block"]));
    }
}

#[test]
fn positions_in_groups_and_back() {
    for neuron in NeuronOnHicann::all() {
        assert_eq!(neuron.block().neuron(neuron.on_block()), neuron);
        assert_eq!(neuron.fg_block().neuron(neuron.on_fg_block()), neuron);
        for input in SynapticInputOnNeuron::all() {
            let on_hicann = SynapticInputOnHicann::of(neuron, input);
            assert_eq!((on_hicann.neuron(), on_hicann.on_neuron()), (neuron, input));
        }
    }
    for switch in CrossbarSwitchOnHicann::all() {
        let again =
            CrossbarSwitchOnHicann::at(switch.hline(), switch.vline().side(), switch.on_row());
        assert_eq!(again, switch);
    }
    for switch in SynapseSwitchOnHicann::all() {
        assert_eq!(switch.row().switch(switch.on_row()), switch);
        assert_eq!(switch.row().vlines().nth(switch.on_row().index()), Some(switch.vline()));
    }
    let mut merger = MergerOnHicann::all();
    for (level, size) in [(0, 8), (1, 4), (2, 2), (3, 1)] {
        for on_level in 0..size {
            let at = MergerOnHicann::at_level(level, on_level);
            assert_eq!(at, merger.next());
            assert_eq!(at.map(|m| (m.level(), m.on_level())), Some((level, on_level)));
        }
        assert_eq!(MergerOnHicann::at_level(level, size), None);
    }
    assert_eq!(MergerOnHicann::at_level(4, 0), None);
}

#[test]
fn pulses_read_like_a_path() {
    for bits in 0..4096 {
        let label = PulseLabel::from_bits(bits);
        assert_eq!(label.to_string().parse::<PulseLabel>().unwrap(), label);
    }
    assert_eq!(PulseLabel::from_bits(3217).to_string(), "hs6.gbit5.adr17");
    for (text, wanted) in [
        ("hs6.gbit5", "`hs6.gbit5` is not a PulseLabel; write it like `hs6.gbit5.adr17`"),
        ("hs6.gbit5.adr64", "L1Address 64 does not exist; valid are 0..=63"),
        ("hs6.gbit5.adr17.x", "`adr17.x` is not a L1Address; write it like `adr0`"),
    ] {
        assert_eq!(text.parse::<PulseLabel>().unwrap_err().to_string(), wanted);
    }
}

#[test]
fn power_counts_from_one() {
    assert_eq!(PowerOnWafer::all().next().unwrap().to_string(), "P1");
    assert_eq!(
        PowerOnWafer::try_from(0_usize).unwrap_err().to_string(),
        "PowerOnWafer 0 does not exist; valid are 1..=48"
    );
    assert!(PowerOnWafer::try_from(48_u32).is_ok() && "P49".parse::<PowerOnWafer>().is_err());
}

#[test]
fn adc_channels_and_jtag_clocks() {
    for number in i8::MIN..=i8::MAX {
        match ChannelOnAdc::try_from(number) {
            Ok(channel) => {
                assert!((-1..=7).contains(&number) && i8::from(channel) == number);
                assert_eq!(channel.to_string().parse::<ChannelOnAdc>().unwrap(), channel);
            }
            Err(NoAdcChannel(refused)) => assert!(!(-1..=7).contains(&number) && refused == number),
        }
    }
    assert_eq!(JtagFrequency::default().to_string(), "10000000Hz");
    for (hertz, valid) in [(9_999, false), (10_000, true), (50_000_000, true), (50_000_001, false)]
    {
        assert_eq!(JtagFrequency::try_from(hertz).is_ok(), valid, "{hertz}");
        let parsed = format!("{hertz}Hz").parse::<JtagFrequency>();
        assert_eq!(parsed.ok().map(JtagFrequency::hertz), valid.then_some(hertz));
    }
    assert!("10000000".parse::<JtagFrequency>().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn places_on_numbered_wafers(wafer in any::<u32>(), h in 0..384_usize, f in 0..48_usize) {
        let wafer = WaferNumber(wafer);
        let hicann = HicannGlobal { wafer, place: HicannOnWafer::try_from(h).unwrap() };
        prop_assert_eq!(hicann.number(), u64::from(wafer.0) * 384 + h as u64);
        prop_assert_eq!(HicannGlobal::from_number(hicann.number()), Some(hicann));
        prop_assert_eq!(hicann.to_string(), format!("W{}.H{h}", wafer.0));
        prop_assert_eq!(hicann.to_string().parse::<HicannGlobal>().unwrap(), hicann);
        let fpga = FpgaGlobal { wafer, place: FpgaOnWafer::try_from(f).unwrap() };
        prop_assert_eq!(FpgaGlobal::from_number(fpga.number()), Some(fpga));
        prop_assert_eq!(fpga.standard_ip().is_some(), wafer.0 < 256);
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "[A-Za-z]{0,4}[0-9.+ -]{0,6}[a-z0-9]{0,4}") {
        let _ = text.parse::<HicannGlobal>();
        let _ = text.parse::<OnWafer<L1Line>>();
        let _ = text.parse::<hal::defects::Component>();
    }
}

#[test]
fn numbers_beyond_the_last_wafer_are_no_place() {
    assert_eq!(HicannGlobal::from_number(u64::MAX), None);
    assert_eq!(FpgaGlobal::from_number(48 << 32), None);
}

#[test]
fn a_table_from_a_file_has_a_value_for_every_coordinate() {
    let table = Table::from_fn(|analog: AnalogOnHicann| analog.index() + 5);
    let json = serde_json::to_string(&table).unwrap();
    let read = |json: &str| serde_json::from_str::<Table<AnalogOnHicann, usize>>(json);
    assert_eq!(read(&json).unwrap(), table);
    for (wrong, len) in [("5", 1), ("5,6,7", 3)] {
        let error = read(&json.replace("5,6", wrong)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("invalid length {len}, expected 2 values")), "{error}");
    }
}
