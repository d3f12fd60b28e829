//! Neuron circuits and analog outputs.

use hal::codec::{Unit, encode_hicann};
use hal::config::{AnalogSource, CurrentScaling, HicannConfig, NeuronSize, Neurons};
use hal::coord::*;
use hal::fpga::adc_samples;
use hal::wafer::AdcTrace;
use serde_json::Value;

use super::{coord, flag, number, numbers};
use crate::stream::{CHIP, Stream};

pub(crate) fn neuron_quad(input: &Value, expected: &Value) {
    let quad: QuadOnHicann = coord(&input["quad"]);
    let mut config = HicannConfig::default();
    for on_quad in NeuronOnQuad::all() {
        let given = &input["neurons_TL_TR_BL_BR"][on_quad.index()];
        let circuit = &mut config.neurons.circuits[quad.neuron(on_quad)];
        circuit.address = coord(&given["addr"]);
        circuit.activate_firing = flag(&given["firing"]);
        circuit.enable_spl1_output = flag(&given["spl1"]);
        circuit.enable_fire_input = flag(&given["fire_in"]);
        circuit.enable_aout = flag(&given["aout"]);
        circuit.enable_current_input = flag(&given["curin"]);
    }
    for i in 0..2 {
        config.neurons.quads[quad].vertical[i] = flag(&input["vertical_x0_x1"][i]);
        config.neurons.quads[quad].horizontal[i] = flag(&input["horizontal_y0_y1"][i]);
    }
    let stream = Stream::of(&config);
    let wanted: Vec<(u16, u32)> = expected["writes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| (number(&w["local_addr"]) as u16, number(&w["data"]) as u32))
        .collect();
    let of_quad = stream.writes.iter().filter(|(unit, local, _)| {
        *unit == Unit::NeuronBuilder && *local < 0x200 && usize::from(local / 4) == quad.index()
    });
    // the first four are those of the initialisation
    let found: Vec<(u16, u32)> = of_quad.skip(4).map(|&(_, local, data)| (local, data)).collect();
    assert_eq!(found, wanted);
}

pub(crate) fn neuron_quad_hw_address(_: &Value, expected: &Value) {
    let offsets = NeuronOnQuad::all().map(|on_quad| {
        let mut config = HicannConfig::default();
        let neuron = QuadOnHicann::new::<0>().neuron(on_quad);
        config.neurons.circuits[neuron].address = L1Address::new::<63>();
        let stream = Stream::of(&config);
        (0..4).find(|&local| stream.last(Unit::NeuronBuilder, local) == 63).unwrap().into()
    });
    assert_eq!(offsets.collect::<Vec<u64>>(), numbers(&expected["offsets"]));
}

pub(crate) fn neuron_iomap(input: &Value, expected: &Value) {
    let bits = number(&input["inout_bits"]);
    let mut config = HicannConfig::default();
    for x in 0..2_u8 {
        let circuit = &mut config.neurons.circuits[NeuronOnHicann::at(x, Vertical::Bottom)];
        circuit.enable_aout = bits >> (1 - x) & 1 != 0;
        circuit.enable_current_input = bits >> (3 - x) & 1 != 0;
    }
    if expected["error"].is_null() {
        let code = Stream::of(&config).last(Unit::NeuronBuilder, 3) >> 14 & 7;
        assert_eq!(u64::from(code), number(&expected["iomap"]));
    } else {
        let error = encode_hicann(CHIP, &config).unwrap_err();
        assert!(error.to_string().starts_with("H93: quad0, Bottom row: "), "{error}");
    }
}

pub(crate) fn neuron_config(input: &Value, expected: &Value) {
    let (local, word) = (number(&expected["local_addr"]) as u16, number(&expected["data"]) as u32);
    let mut config = HicannConfig::default();
    if flag(&input["neuron_reset"]) {
        config.neurons.halves.iter_mut().for_each(|half| half.held_in_reset = true);
        config.neurons.outputs_held_in_reset = flag(&input["spl1_reset"]);
    }
    if let Some(bits) = input["bits"].as_array() {
        let set = |name: &str, y: usize| bits.iter().any(|b| *b == format!("{name}{y}"));
        for y in 0..2 {
            let scaling = |name: &str| {
                let bit = |speed: &str| set(&format!("{name}_{speed}"), y);
                CurrentScaling::from_bits(bit("slow"), bit("fast"))
            };
            let half = &mut config.neurons.halves[y];
            half.big_capacitor = set("bigcap", y);
            half.i_radapt = scaling("ra");
            half.i_gladapt = scaling("gla");
            half.i_gl = scaling("gl");
        }
    }
    let found = Stream::of(&config).all(Unit::NeuronBuilder, local);
    // initialisation, then twice a reset and the word
    assert_eq!(found, [0, 0, word, 0, word]);
}

pub(crate) fn neuron_to_shared_fg_block(input: &Value, expected: &Value) {
    let neuron: NeuronOnHicann = coord(&input["neuron_enum"]);
    assert_eq!(neuron.shared_fg_block(), coord(&expected["block"]));
}

fn source(name: &Value) -> Option<AnalogSource> {
    Some(match name.as_str()? {
        "membrane_top_even" => AnalogSource::MembraneTopEven,
        "membrane_bot_odd" => AnalogSource::MembraneBottomOdd,
        "fg_left" => AnalogSource::FgLeft,
        "fg_right" => AnalogSource::FgRight,
        "dll_voltage" => AnalogSource::DllVoltage,
        "preout" => AnalogSource::Preout,
        "fireline_neuron0" => AnalogSource::FireLine,
        other => panic!("{other}"),
    })
}

pub(crate) fn analog_output(input: &Value, expected: &Value) {
    let mut config = HicannConfig::default();
    for (output, name) in AnalogOnHicann::all().zip(["analog0", "analog1"]) {
        config.analog.source[output] = source(&input[name]);
    }
    if expected["error"].is_null() {
        let local = number(&expected["local_addr"]) as u16;
        let found = Stream::of(&config).last(Unit::NeuronBuilder, local);
        assert_eq!(u64::from(found), number(&expected["data"]));
    } else {
        assert!(encode_hicann(CHIP, &config).is_err());
    }
}

pub(crate) fn adc_default_calibration(input: &Value, expected: &Value) {
    let volts = AdcTrace::volts(number(&input["raw"]) as u16);
    let tolerance = expected["tolerance"].as_f64().unwrap();
    assert!((volts - expected["volt"].as_f64().unwrap()).abs() <= tolerance);
}

pub(crate) fn adc_unpack(input: &Value, expected: &Value) {
    let samples = adc_samples(number(&input["word"]) as u32);
    assert_eq!(samples.map(u64::from).to_vec(), numbers(&expected["samples"]));
}

pub(crate) fn sthal_neuron_size(input: &Value, expected: &Value) {
    let size = NeuronSize::try_from(number(&input["size"]) as usize).unwrap();
    let mut neurons = Neurons::default();
    neurons.set_size(size);
    let firing = neurons.circuits.values().iter().filter(|c| c.activate_firing).count();
    assert_eq!(firing as u64, number(&expected["active_firing_count"]));
    let vertical = flag(&expected["vertical_connected"]);
    assert!(neurons.quads.values().iter().all(|quad| quad.vertical == [vertical; 2]));
}
