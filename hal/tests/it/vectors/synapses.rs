//! Weights, decoders and drivers.

use hal::codec::Unit;
use hal::config::{HicannConfig, RowConfig, StpMode, SynapseDriver};
use hal::coord::*;
use hal::value::{GmaxDivisor, GmaxDivisorSum, GmaxSelect, StpCapacitor, SynapseWeight};
use serde_json::Value;

use super::{coord, flag, index, number, numbers};
use crate::stream::Stream;

const WRITE: u32 = 3;
const WRITE_DECODERS: u32 = 5;
const TOP: SynapseArrayOnHicann = SynapseArrayOnHicann::new::<0>();

/// The value of a column by explicit list, or by one of the formulas of the file.
fn column_value(values: &Value, formula: &Value, column: usize) -> usize {
    match formula.as_str() {
        None => values[column.to_string()].as_u64().unwrap_or(0) as usize,
        Some("i % 16" | "i%16") => column % 16,
        Some("(3*i+1)%16") => (3 * column + 1) % 16,
        Some(constant) => constant.parse().unwrap(),
    }
}

/// Compares 32 words with a list, or with the words that are not zero.
fn words(found: [u32; 32], list: &Value, nonzero: &Value) {
    let wanted = if list.is_null() {
        (0..32)
            .map(|i: usize| {
                nonzero[i.to_string()].as_str().map_or(0, |_| number(&nonzero[i.to_string()]))
            })
            .collect()
    } else {
        numbers(list)
    };
    assert_eq!(found.map(u64::from).to_vec(), wanted);
}

pub(crate) fn weight_row(input: &Value, expected: &Value) {
    // any row will do; this one is hardware row 218
    let row = SynapseRowOnHicann::new::<5>();
    let mut config = HicannConfig::default();
    for column in SynapseColumnOnHicann::all() {
        let weight = column_value(&input["weights"], &input["weights_formula"], column.index());
        config.synapses.weights[row.synapse(column)] = SynapseWeight::try_from(weight).unwrap();
    }
    let found = Stream::of(&config).synapse_row(TOP, WRITE, 218);
    words(found, &expected["words"], &expected["nonzero_words"]);
}

pub(crate) fn synapse_column_mapping(input: &Value, expected: &Value) {
    let column: SynapseColumnOnHicann = coord(&input["column"]);
    let mut config = HicannConfig::default();
    let synapse = SynapseRowOnHicann::new::<0>().synapse(column);
    config.synapses.weights[synapse] = SynapseWeight::MAX;
    let found = Stream::of(&config).synapse_row(TOP, WRITE, 223);
    let word = index(&expected["word"]);
    assert_eq!(word, 8 * index(&expected["synin_register"]) + index(&expected["colset_sel"]));
    assert_eq!(found[word], 0xf << number(&expected["bit_shift"]));
    assert_eq!(number(&expected["bit_shift"]), 28 - 4 * number(&expected["nibble_from_msb"]));
    assert!((0..32).all(|i| i == word || found[i] == 0));
}

pub(crate) fn synapse_row_hw_address(input: &Value, expected: &Value) {
    let row: SynapseRowOnHicann = coord(&input["synapse_row_on_hicann"]);
    let array = usize::from(expected["array"] == "bottom");
    assert_eq!(row.array().index(), array);
    assert_eq!(row.on_array(), coord(&expected["row_on_array"]));
    assert_eq!(row.driver(), coord(&expected["driver_line"]));
    assert_eq!(row.on_driver().index(), usize::from(expected["row_on_driver"] == "bottom"));
    let mut config = HicannConfig::default();
    config.synapses.weights[row.synapse(SynapseColumnOnHicann::new::<0>())] = SynapseWeight::MAX;
    let hardware_row = number(&expected["hw_row"]) as u32;
    assert_eq!(Stream::of(&config).synapse_row(row.array(), WRITE, hardware_row)[0], 0xf << 28);
}

pub(crate) fn decoder_double_row(input: &Value, expected: &Value) {
    // in the bottom array the rows change their roles
    for (array, driver, exchanged) in [(0, 2, false), (1, 114, true)] {
        let driver = SynapseDriverOnHicann::from_index(driver).unwrap();
        let [mut upper, mut lower] =
            [0_usize, 1].map(|r| driver.row(RowOnSynapseDriver::try_from(r).unwrap()));
        if exchanged {
            std::mem::swap(&mut upper, &mut lower);
        }
        let mut config = HicannConfig::default();
        for column in SynapseColumnOnHicann::all() {
            for (row, name) in [(upper, "top"), (lower, "bottom")] {
                let formula = &input[format!("{name}_formula")];
                let value = column_value(&input[name], formula, column.index());
                let decoder = SynapseDecoder::try_from(value).unwrap();
                config.synapses.decoders[row.synapse(column)] = decoder;
            }
        }
        let stream = Stream::of(&config);
        let array = SynapseArrayOnHicann::from_index(array).unwrap();
        for (row, name) in [(upper, "hw_top"), (lower, "hw_bottom")] {
            let on_array = row.on_array().index() as u32;
            let hardware_row = if array == TOP { 223 - on_array } else { on_array };
            let found = stream.synapse_row(array, WRITE_DECODERS, hardware_row);
            words(found, &expected[name], &expected[format!("{name}_nonzero")]);
        }
    }
}

fn row(value: &Value) -> RowConfig {
    RowConfig {
        synaptic_input: [flag(&value["syn_in_left"]), flag(&value["syn_in_right"])],
        decoder: [coord(&value["dec_top"]), coord(&value["dec_bottom"])],
        gmax_select: GmaxSelect::try_from(index(&value["gmax"])).unwrap(),
        gmax_divisor: ["gmax_div_left", "gmax_div_right"]
            .map(|side| GmaxDivisor::try_from(index(&value[side])).unwrap()),
    }
}

pub(crate) fn synapse_driver(input: &Value, expected: &Value) {
    let place: SynapseDriverOnHicann = coord(&input["line"]);
    let side = if input["side"] == "left" { Side::Left } else { Side::Right };
    assert_eq!(place.side(), side);
    let driver = &input["driver"];
    let mode = if flag(&driver["stp_mode"]) { StpMode::Depression } else { StpMode::Facilitation };
    let mut config = HicannConfig::default();
    config.synapses.drivers[place] = SynapseDriver {
        enable: flag(&driver["enable"]),
        locin: flag(&driver["locin"]),
        connect_neighbor: flag(&driver["connect_neighbor"]),
        stp_enable: flag(&driver["stp_enable"]),
        stp_mode: mode,
        stp_capacitor: StpCapacitor::try_from(index(&driver["stp_cap"])).unwrap(),
        rows: [row(&driver["rows"][0]), row(&driver["rows"][1])],
    };
    let stream = Stream::of(&config);
    let unit = super::lines::unit(&expected["synapse_unit"]);
    assert!(matches!(unit, Unit::Synapse(_)));
    for write in expected["writes"].as_array().unwrap() {
        let found = stream.last(unit, number(&write["local_addr"]) as u16);
        assert_eq!(u64::from(found), number(&write["data"]));
    }
}

pub(crate) fn gmax_div_split(input: &Value, expected: &Value) {
    let sum: GmaxDivisorSum = coord(&input["gmax_div"]);
    assert_eq!(sum.split(), ["left", "right"].map(|side| coord(&expected[side])));
}
