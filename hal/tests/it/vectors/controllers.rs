//! Synapse controllers and the timing of small memories.

use std::num::NonZeroU8;

use hal::codec::{Access, Operation, Unit, WaferState, recorded_event};
use hal::config::{
    EvaluationPattern, HicannConfig, LookupTables, SramTiming, TestEvent, WaferConfig,
};
use hal::coord::*;
use hal::value::SynapseWeight;
use hal::wafer::ConfigurationWords;
use serde_json::Value;

use super::{coord, index, number, numbers};
use crate::stream::{CHIP, Stream};

/// The words of single writes to the chip.
pub(crate) fn writes(list: &[(Unit, u16, u32)]) -> ConfigurationWords {
    let word = |&(unit, local, data): &(Unit, u16, u32)| {
        Access { unit, local, operation: Operation::Write(data) }.to_word(CHIP.link())
    };
    ConfigurationWords { by_fpga: [(CHIP.fpga(), list.iter().map(word).collect())].into() }
}

/// Whether a chip takes single writes without a change of its configuration; `None` if it refuses.
pub(crate) fn leaves_default(list: &[(Unit, u16, u32)]) -> Option<bool> {
    let mut state = WaferState::default();
    state.apply(&writes(list)).ok()?;
    let mut default = WaferConfig::default();
    default.hicann_mut(CHIP);
    Some(state.config().ok()? == default)
}

pub(crate) fn syn_ctrl_register(input: &Value, expected: &Value) {
    let array = SynapseArrayOnHicann::from_index(usize::from(input["array"] == "bottom")).unwrap();
    let unit = Unit::Synapse(array);
    let (local, data) = (number(&expected["local_addr"]) as u16, number(&expected["data"]) as u32);
    let row = input["row"].as_u64().unwrap_or(0) as usize;
    if let Some("START_READ" | "CLOSE_ROW") = input["cmd"].as_str() {
        // what is not a write is never sent, but understood
        assert_eq!(leaves_default(&[(unit, local, data)]), Some(true));
        return;
    }
    let row = SynapseRowOnArray::from_index(row).unwrap();
    let row = SynapseRowOnHicann::from_array(array, row);
    let mut config = HicannConfig::default();
    let synapse = row.synapse(SynapseColumnOnHicann::new::<0>());
    config.synapses.weights[synapse] = SynapseWeight::MAX;
    assert!(Stream::of(&config).all(unit, local).contains(&data));
}

pub(crate) fn syn_cnfg_register(input: &Value, expected: &Value) {
    let array = SynapseArrayOnHicann::new::<1>();
    let (local, data) = (number(&expected["local_addr"]) as u16, number(&expected["data"]) as u32);
    let mut config = HicannConfig::default();
    let controller = &mut config.synapse_controllers[array];
    let released = input["dllresetb"].as_u64() == Some(3);
    controller.dll_released = [released; 2];
    if !input["gen"].is_null() {
        controller.plasticity.generator = coord(&input["gen"]);
        controller.plasticity.evaluation = ["p0", "p1"].map(|name| {
            let bits = numbers(&input[name]);
            let [cc, ca, ac, aa] = [0, 1, 2, 3].map(|i| bits[i] != 0);
            EvaluationPattern { aa, ac, ca, cc }
        });
    }
    assert_eq!(Stream::of(&config).last(Unit::Synapse(array), local), data);
}

pub(crate) fn stdp_lut(input: &Value, expected: &Value) {
    let entries = numbers(&input["lut"]);
    let table: [SynapseWeight; 16] =
        std::array::from_fn(|i| SynapseWeight::try_from(entries[i] as usize).unwrap());
    // the vectors are the tables after reset, each in its place; elsewhere they give the same words
    let default = LookupTables::default();
    assert!([default.causal, default.acausal, default.combined].contains(&table));
    let mut config = HicannConfig::default();
    for controller in config.synapse_controllers.values_mut() {
        controller.plasticity.lookup =
            LookupTables { causal: table, acausal: table, combined: table };
    }
    for (config, anywhere) in [(HicannConfig::default(), false), (config, true)] {
        let stream = Stream::of(&config);
        for half in ["low", "high"] {
            let (register, data) = (&expected[half], number(&expected[half]["data"]));
            for array in SynapseArrayOnHicann::all() {
                let local = number(&register["local_addr"]) as u16;
                let tables = if anywhere { 0..3 } else { 0..1 };
                for table in tables {
                    let local = if anywhere { 0x4100 + local % 2 + 2 * table } else { local };
                    assert_eq!(u64::from(stream.last(Unit::Synapse(array), local)), data);
                }
            }
        }
    }
}

pub(crate) fn sram_timings(input: &Value, expected: &Value) {
    let timing = SramTiming {
        read_delay: NonZeroU8::new(number(&input["read_delay"]) as u8).unwrap(),
        setup_precharge: coord(&input["setup_precharge"]),
        write_delay: coord(&input["write_delay"]),
    };
    assert_eq!(timing, SramTiming::DEFAULT);
    let stream = Stream::of(&HicannConfig::default());
    let local = number(&expected["local_addrs"][0]);
    let units: Vec<Unit> = match local {
        0x210 => vec![Unit::NeuronBuilder],
        0xa0 => RepeaterBlockOnHicann::all().map(Unit::Repeater).collect(),
        _ => SynapseArrayOnHicann::all().map(Unit::Synapse).collect(),
    };
    for unit in units {
        for i in 0..2 {
            let local = index(&expected["local_addrs"][i]) as u16;
            let wanted = number(&expected["data"][i]) as u32;
            assert!(stream.all(unit, local).iter().all(|found| *found == wanted));
        }
    }
}

pub(crate) fn repeater_test_event_tdo(input: &Value, expected: &Value) {
    let block = RepeaterBlockOnHicann::new::<2>();
    let mut config = HicannConfig::default();
    let event = TestEvent { address: coord(&input["address"]), time: coord(&input["time"]) };
    let port = &mut config.repeater_blocks[block].test_ports[index(&input["port"])];
    port.events[index(&input["entry"])] = event;
    let stream = Stream::of(&config);
    for write in expected["writes"].as_array().unwrap() {
        let (local, data) = (number(&write["local_addr"]) as u16, number(&write["data"]) as u32);
        assert_eq!(stream.last(Unit::Repeater(block), local), data);
    }
}

pub(crate) fn repeater_test_event_tdi(input: &Value, expected: &Value) {
    let bytes = ["hb", "lb"].map(|name| number(&input[name]) as u8);
    let wanted = TestEvent { address: coord(&expected["address"]), time: coord(&expected["time"]) };
    assert_eq!(recorded_event(bytes), wanted);
}

pub(crate) fn gray_to_binary(input: &Value, expected: &Value) {
    let gray = number(&input["gray"]) as u16;
    assert_eq!(u64::from(hal::codec::gray_to_binary(gray)), number(&expected["binary"]));
}
