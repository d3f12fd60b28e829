//! Synapse controllers and the timing of small memories.

use hal::codec::{Access, Operation, Unit, WaferState};
use hal::config::{HicannConfig, WaferConfig};
use hal::coord::*;
use hal::value::SynapseWeight;
use hal::wafer::ConfigurationWords;
use serde_json::Value;

use super::{index, number};
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
    let unit = Unit::Synapse(SynapseArrayOnHicann::new::<1>());
    let (local, data) = (number(&expected["local_addr"]) as u16, number(&expected["data"]) as u32);
    if !input["gen"].is_null() {
        assert_eq!(leaves_default(&[(unit, local, data)]), None, "plasticity is refused");
        return;
    }
    let mut config = HicannConfig::default();
    let released = input["dllresetb"].as_u64() == Some(3);
    config.synapse_controllers[SynapseArrayOnHicann::new::<1>()].dll_released = [released; 2];
    assert_eq!(Stream::of(&config).last(unit, local), data);
}

pub(crate) fn stdp_lut(_: &Value, expected: &Value) {
    let stream = Stream::of(&HicannConfig::default());
    for half in ["low", "high"] {
        let register = &expected[half];
        for array in SynapseArrayOnHicann::all() {
            let found = stream.last(Unit::Synapse(array), number(&register["local_addr"]) as u16);
            assert_eq!(u64::from(found), number(&register["data"]));
        }
    }
}

pub(crate) fn sram_timings(_: &Value, expected: &Value) {
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

pub(crate) fn repeater_test_event_tdo(_: &Value, expected: &Value) {
    // test events are understood but not part of a configuration
    for write in expected["writes"].as_array().unwrap() {
        let unit = Unit::Repeater(RepeaterBlockOnHicann::new::<2>());
        let (local, data) = (number(&write["local_addr"]) as u16, number(&write["data"]) as u32);
        assert_eq!(leaves_default(&[(unit, local, data)]), Some(true));
    }
}
