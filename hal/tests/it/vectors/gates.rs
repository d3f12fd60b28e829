//! Floating gates.

use hal::codec::{FgAnswer, FgBias, FgDirection, FgPass, Unit};
use hal::config::{FgCellOnBlock, FloatingGates, HicannConfig, NeuronParameter, SharedParameter};
use hal::coord::*;
use hal::value::{DacCode, StimulusSample};
use serde_json::Value;

use super::controllers::leaves_default;
use super::{coord, flag, index, number, numbers};
use crate::stream::Stream;

const BLOCK: FgBlockOnHicann = FgBlockOnHicann::new::<2>();

pub(crate) fn fg_instruction(input: &Value, expected: &Value) {
    let unit = Unit::FloatingGate(BLOCK);
    if !expected["error"].is_null() {
        // out of range: such an instruction is refused
        let code = if input["i"] == "writeDown" { 2 } else { 0 };
        let column = input["col"].as_u64().unwrap_or(0) as u32;
        let data = code << 14 | column << 5 | number(&input["row"]) as u32;
        assert_eq!(leaves_default(&[(unit, 0x101, data)]), None);
        return;
    }
    let (local, data) = (number(&expected["local_addr"]) as u16, number(&expected["data"]) as u32);
    match input["i"].as_str().unwrap() {
        "writeDown" | "writeUp" if !flag(&input["bank"]) => {
            let sent = Stream::of(&HicannConfig::default()).all(unit, local);
            assert!(sent.contains(&data));
        }
        name @ ("stimulateNeurons" | "stimulateNeuronsContinuous") => {
            let mut config = HicannConfig::default();
            config.current_stimuli[BLOCK].continuous = name == "stimulateNeuronsContinuous";
            assert_eq!(Stream::of(&config).last(unit, local), data);
        }
        "writeUp" => {
            // bank 1 is empty, so that nothing is raised
            assert_eq!(leaves_default(&[(unit, 0, 0xfffff), (unit, local, data)]), Some(true));
        }
        _ => assert_eq!(leaves_default(&[(unit, local, data)]), Some(true)),
    }
}

fn pass(input: &Value) -> FgPass {
    FgPass {
        direction: FgDirection::Down,
        max_cycle: number(&input["maxcycle"]) as u8,
        read_time: coord(&input["readtime"]),
        acceleration_step: coord(&input["accel"]),
        voltage_write_time: coord(&input["vwt"]),
        current_write_time: coord(&input["cwt"]),
        pulse_length: coord(&input["pulselength"]),
    }
}

pub(crate) fn fg_config(input: &Value, expected: &Value) {
    let pass = pass(input);
    assert_eq!(u64::from(pass.operation()), number(&expected["op(0x102)"]));
    let bias = FgBias {
        bias: coord(&input["bias"]),
        bias_n: coord(&input["biasn"]),
        pulse_length: pass.pulse_length,
        ground: flag(&input["groundvm"]),
        calibrate: flag(&input["calib"]),
    };
    assert_eq!(u64::from(bias.to_register()), number(&expected["bias(0x108)"]));
    // in a pass the bias currents, calibration and grounding are always off
    assert_eq!(pass.bias(), bias.to_register() & 0xf00);
    // all passes but the one with calibration switches are in use
    let used = Stream::of(&HicannConfig::default()).all(Unit::FloatingGate(BLOCK), 0x102);
    assert!(used.contains(&pass.operation()));
}

pub(crate) fn fg_programming_time(input: &Value, expected: &Value) {
    let clocks = number(&expected["pll_cycles"]);
    let rows = FgRowOnBlock::all().map(|row| pass(input).worst_case_clocks(row));
    // the two vectors are for a current row and a voltage row
    let [voltage, current] = [0, 1].map(|row| rows.clone().nth(row).unwrap());
    assert!(clocks == if clocks < 56_000_000 { current } else { voltage });
}

pub(crate) fn fg_row_words(input: &Value, expected: &Value) {
    // a row of voltages without any other use: 18 on the left has E_syni
    let row = FgRowOnBlock::new::<18>();
    let mut config = HicannConfig::default();
    let cells = &mut config.floating_gates.blocks[BLOCK].cells;
    for column in FgColumnOnBlock::all() {
        let value = match column.index().checked_sub(1) {
            None => number(&input["shared"]),
            Some(_) if input["neuron"] == "all 0" => 0,
            Some(raw) if !input["neuron_formula"].is_null() => 8 * raw as u64,
            Some(raw) => input["neuron"][raw.to_string()].as_u64().unwrap_or(0),
        };
        cells[FgCellOnBlock::at(row, column)] = DacCode::try_from(value as usize).unwrap();
    }
    // what stands in the memory when the row is programmed after erasing
    let mut memory = [0; 65];
    let mut programmed = None;
    for (unit, local, data) in Stream::of(&config).writes {
        match (unit == Unit::FloatingGate(BLOCK), local) {
            (true, 0..=0x40) => memory[usize::from(local)] = data,
            (true, 0x101) if data & 0x1f == 18 => programmed = Some(memory),
            _ => {}
        }
    }
    let found = programmed.unwrap().map(u64::from).to_vec();
    let wanted = match expected["words"].as_array() {
        Some(_) => numbers(&expected["words"]),
        None => (0..65_usize)
            .map(|i| &expected["nonzero_words"][i.to_string()])
            .map(|word| if word.is_null() { 0 } else { number(word) })
            .collect(),
    };
    assert_eq!(found, wanted);
}

fn neuron_parameter(name: &str) -> NeuronParameter {
    NeuronParameter::all().find(|p| p.name() == name).unwrap()
}

fn side(blocks: &Value) -> Side {
    coord::<FgBlockOnHicann>(&blocks[0]).side()
}

pub(crate) fn fg_neuron_rows(input: &Value, expected: &Value) {
    let rows = expected.as_object().unwrap();
    assert_eq!(rows.len(), NeuronParameter::COUNT);
    for (name, row) in rows {
        assert_eq!(neuron_parameter(name).row(side(&input["blocks"])), coord(row), "{name}");
    }
}

pub(crate) fn fg_shared_rows(input: &Value, expected: &Value) {
    let rows = expected.as_object().unwrap();
    assert_eq!(rows.len(), SharedParameter::COUNT);
    for (name, row) in rows {
        let parameter = SharedParameter::all().find(|p| p.name() == name).unwrap();
        let wanted = (!row.is_null()).then(|| coord(row));
        assert_eq!(parameter.row(side(&input["blocks"])), wanted, "{name}");
    }
}

pub(crate) fn fg_neuron_cell(input: &Value, expected: &Value) {
    let neuron: NeuronOnHicann = coord(&input["neuron_enum"]);
    let parameter = neuron_parameter(input["parameter"].as_str().unwrap());
    let cell = FgCellOnBlock::at(coord(&expected["row"]), coord(&expected["column"]));
    let block = coord(&expected["block"]);
    assert_eq!(FloatingGates::neuron_cell(neuron, parameter), (block, cell));
    assert_eq!(neuron.index() % 128, index(&expected["neuron_on_block"]));
}

pub(crate) fn fg_row_to_neuron_parameter(input: &Value, expected: &Value) {
    let block: FgBlockOnHicann = coord(&input["block"]);
    let row = coord(&input["row"]);
    let mut found = NeuronParameter::all().filter(|p| p.row(block.side()) == row);
    assert_eq!(found.next().map(NeuronParameter::name), expected["parameter"].as_str());
    assert_eq!(found.next(), None);
}

pub(crate) fn fg_row_to_shared_parameter(input: &Value, expected: &Value) {
    let block: FgBlockOnHicann = coord(&input["block"]);
    let row = coord(&input["row"]);
    let mut found = SharedParameter::all().filter(|p| p.row(block.side()) == Some(row));
    assert_eq!(found.next().map(SharedParameter::name), expected["parameter"].as_str());
    assert_eq!(found.next(), None);
}

pub(crate) fn fg_stimulus(input: &Value, expected: &Value) {
    let unit = Unit::FloatingGate(BLOCK);
    let mut config = HicannConfig::default();
    let stimulus = &mut config.current_stimuli[BLOCK];
    stimulus.continuous = flag(&input["continuous"]);
    for sample in StimulusSample::all() {
        stimulus.samples[sample] = DacCode::try_from(sample.index()).unwrap();
    }
    let stream = Stream::of(&config);
    let words = numbers(&expected["words"]);
    assert_eq!(words.len(), 65);
    for (local, word) in (0..).zip(words) {
        assert_eq!(u64::from(stream.last(unit, local)), word);
    }
    let instruction = number(&expected["then_instruction"]) as u32;
    assert_eq!(stream.last(unit, 0x101), instruction);
}

pub(crate) fn fg_config_readback(input: &Value, expected: &Value) {
    let bias = FgBias::from_read_back(number(&input["raw_bias_register"]) as u32);
    let wanted = FgBias {
        bias: coord(&expected["bias"]),
        bias_n: coord(&expected["biasn"]),
        pulse_length: coord(&expected["pulselength"]),
        ground: flag(&expected["groundvm"]),
        calibrate: flag(&expected["calib"]),
    };
    assert_eq!(bias, wanted);
}

pub(crate) fn fg_slave_answer(input: &Value, expected: &Value) {
    let answer = FgAnswer::from_register(number(&input["raw"]) as u32);
    assert_eq!(u64::from(answer.column), number(&expected["cell"]));
    assert_eq!(answer.busy, flag(&expected["busy"]));
    assert_eq!(answer.error, flag(&expected["error"]));
    assert_eq!(answer.is_valid(), flag(&expected["valid"]));
}
