//! The vectors of hal-vectors.json, category by category. Registers are looked up in the words of
//! a whole chip, the only thing that leaves the crate.

mod controllers;
mod events;
mod gates;
mod lines;
mod neurons;
mod synapses;

use serde_json::Value;

use crate::defects;

/// A test of one vector: its input and what is expected.
type Check = fn(&Value, &Value);

/// Categories that concern this crate and how many vectors each has.
const COVERED: [(&str, usize, Check); 65] = [
    ("ocp_base", 21, lines::ocp_base),
    ("hicannconfig_word", 4, lines::hicannconfig_word),
    ("crossbar_row", 5, lines::crossbar_row),
    ("crossbar_index", 7, lines::crossbar_index),
    ("crossbar_lines", 2, lines::crossbar_lines),
    ("synapse_switch_index", 13, lines::synapse_switch_index),
    ("synapse_switch_lines", 2, lines::synapse_switch_lines),
    ("synapse_switch_row", 6, lines::synapse_switch_row),
    ("vline_to_switch_row", 14, lines::vline_to_switch_row),
    ("repeater_address", 17, lines::repeater_address),
    ("repeater_byte", 19, lines::repeater_byte),
    ("repeater_block_config", 4, lines::repeater_block_config),
    ("repeater_test_port", 16, lines::repeater_test_port),
    ("sthal_check_testports", 4, lines::sthal_check_testports),
    ("dnc_merger_to_hline", 8, lines::dnc_merger_to_hline),
    ("hline_west", 6, lines::hline_west),
    ("vline_south", 7, lines::vline_south),
    ("hicann_to_highspeed_link", 8, lines::hicann_to_highspeed_link),
    ("link_lut", 2, lines::link_lut),
    ("redman_counts", 1, lines::redman_counts),
    ("redman_semantics", 4, defects::redman_semantics),
    ("redman_set_ops", 4, defects::redman_set_ops),
    ("weight_row", 3, synapses::weight_row),
    ("synapse_column_mapping", 6, synapses::synapse_column_mapping),
    ("synapse_row_hw_address", 6, synapses::synapse_row_hw_address),
    ("decoder_double_row", 3, synapses::decoder_double_row),
    ("synapse_driver", 4, synapses::synapse_driver),
    ("syn_ctrl_register", 7, controllers::syn_ctrl_register),
    ("syn_cnfg_register", 3, controllers::syn_cnfg_register),
    ("stdp_lut", 3, controllers::stdp_lut),
    ("sram_timings", 3, controllers::sram_timings),
    ("neuron_quad", 8, neurons::neuron_quad),
    ("neuron_quad_hw_address", 1, neurons::neuron_quad_hw_address),
    ("neuron_iomap", 16, neurons::neuron_iomap),
    ("neuron_config", 5, neurons::neuron_config),
    ("neuron_to_shared_fg_block", 5, neurons::neuron_to_shared_fg_block),
    ("analog_output", 6, neurons::analog_output),
    ("adc_default_calibration", 3, neurons::adc_default_calibration),
    ("pulse_label", 22, events::pulse_label),
    ("l1_address_split", 6, events::l1_address_split),
    ("playback_program", 9, events::playback_program),
    ("trace_decode", 5, events::trace_decode),
    ("merger_tree", 6, events::merger_tree),
    ("dnc_merger_line", 5, events::dnc_merger_line),
    ("gbit_link", 4, events::gbit_link),
    ("phase", 4, events::phase),
    ("background_generators", 2, events::background_generators),
    ("background_period", 10, events::background_period),
    ("fg_instruction", 10, gates::fg_instruction),
    ("fg_config", 5, gates::fg_config),
    ("fg_programming_time", 2, gates::fg_programming_time),
    ("fg_row_words", 3, gates::fg_row_words),
    ("fg_neuron_rows", 2, gates::fg_neuron_rows),
    ("fg_shared_rows", 2, gates::fg_shared_rows),
    ("fg_neuron_cell", 8, gates::fg_neuron_cell),
    ("fg_row_to_neuron_parameter", 4, gates::fg_row_to_neuron_parameter),
    ("fg_row_to_shared_parameter", 1, gates::fg_row_to_shared_parameter),
    ("repeater_test_event_tdo", 3, controllers::repeater_test_event_tdo),
    ("fg_stimulus", 1, gates::fg_stimulus),
    ("gray_to_binary", 7, controllers::gray_to_binary),
    ("repeater_test_event_tdi", 2, controllers::repeater_test_event_tdi),
    ("fg_config_readback", 1, gates::fg_config_readback),
    ("fg_slave_answer", 6, gates::fg_slave_answer),
    ("adc_unpack", 3, neurons::adc_unpack),
    ("gmax_div_split", 4, synapses::gmax_div_split),
];

/// Categories that other modules test or that are no business of this crate, with their number of
/// vectors.
const ELSEWHERE: [(&str, usize, &str); 15] = [
    ("hicann_arq_packet", 2, IN_TRANSPORT),
    ("hostarq_data_frame", 4, IN_TRANSPORT),
    ("hostarq_ack_frame", 1, IN_TRANSPORT),
    ("hostarq_reset_frame", 1, IN_TRANSPORT),
    ("hostarq_limits", 1, IN_TRANSPORT),
    ("hostarq_window", 5, IN_TRANSPORT),
    ("jtagbulk_set_frequency", 4, IN_FPGA),
    ("jtag_nibble_pair", 5, IN_FPGA),
    ("fpga_config_word", 10, IN_FPGA),
    ("fpga_reset_packet", 2, IN_FPGA),
    ("pll", 7, IN_FPGA),
    ("sthal_pll", 8, IN_FPGA),
    ("dnc_direction_word", 2, IN_FPGA),
    ("fpga_background_generator", 1, IN_FPGA),
    ("sthal_neuron_size", 7, "joining circuits to neurons is the business of the mapping"),
];
const IN_TRANSPORT: &str = "transport/vectors.rs";
const IN_FPGA: &str = "fpga.rs";

#[test]
fn every_vector_of_the_covered_categories_holds() {
    let file: Value = serde_json::from_str(include_str!("../data/hal-vectors.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    for (category, count, check) in COVERED {
        let of_category: Vec<_> = vectors.iter().filter(|v| v["category"] == category).collect();
        assert_eq!(of_category.len(), count, "number of vectors of {category}");
        for vector in of_category {
            println!("{}", vector["id"]);
            check(&vector["input"], &vector["expected"]);
        }
    }
    let elsewhere = ELSEWHERE.iter().map(|(category, count, why)| {
        let found = vectors.iter().filter(|v| v["category"] == *category).count();
        assert_eq!(found, *count, "{category}, elsewhere: {why}");
        count
    });
    let covered = COVERED.iter().map(|(_, count, _)| count);
    assert_eq!(covered.chain(elsewhere).sum::<usize>(), vectors.len(), "no category is forgotten");
}

/// A number, or a text with a hexadecimal number.
fn number(value: &Value) -> u64 {
    match value {
        Value::String(text) => u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap(),
        Value::Bool(b) => u64::from(*b),
        _ => value.as_u64().unwrap_or_else(|| panic!("{value} is no number")),
    }
}

fn index(value: &Value) -> usize {
    number(value) as usize
}

fn flag(value: &Value) -> bool {
    !value.is_null() && number(value) != 0
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn coord<C: hal::coord::Coordinate>(value: &Value) -> C {
    C::from_index(index(value)).unwrap_or_else(|| panic!("{value} is out of range"))
}
