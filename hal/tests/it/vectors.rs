//! The vectors of hal-vectors.json, category by category. Registers are looked up in the words of
//! a whole chip, as they travel.

mod controllers;
mod events;
mod fpga;
mod gates;
mod lines;
mod neurons;
mod synapses;
mod transport;

use serde_json::Value;

use crate::defects;

/// A test of one vector: its input and what is expected.
type Check = fn(&Value, &Value);

/// All categories, how many vectors each has, and what tests them.
const CATEGORIES: [(&str, usize, Check); 80] = [
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
    ("sthal_neuron_size", 7, neurons::sthal_neuron_size),
    ("hicann_arq_packet", 2, transport::hicann_arq_packet),
    ("hostarq_data_frame", 4, transport::hostarq_data_frame),
    ("hostarq_ack_frame", 1, transport::hostarq_ack_frame),
    ("hostarq_reset_frame", 1, transport::hostarq_reset_frame),
    ("hostarq_limits", 1, transport::hostarq_limits),
    ("hostarq_window", 5, transport::hostarq_window),
    ("jtagbulk_set_frequency", 4, fpga::jtagbulk_set_frequency),
    ("jtag_nibble_pair", 5, fpga::jtag_nibble_pair),
    ("fpga_config_word", 10, fpga::fpga_config_word),
    ("fpga_reset_packet", 2, fpga::fpga_reset_packet),
    ("pll", 7, fpga::pll),
    ("sthal_pll", 8, fpga::sthal_pll),
    ("dnc_direction_word", 2, fpga::dnc_direction_word),
    ("fpga_background_generator", 1, fpga::fpga_background_generator),
];

/// Vectors of the file.
const TOTAL: usize = 453;

#[test]
fn every_vector_holds() {
    let file: Value = serde_json::from_str(include_str!("../data/hal-vectors.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    let mut tested = 0;
    for (category, count, check) in CATEGORIES {
        let of_category: Vec<_> = vectors.iter().filter(|v| v["category"] == category).collect();
        assert_eq!(of_category.len(), count, "number of vectors of {category}");
        for vector in of_category {
            println!("{}", vector["id"]);
            check(&vector["input"], &vector["expected"]);
            tested += 1;
        }
    }
    assert_eq!((tested, vectors.len()), (TOTAL, TOTAL), "no vector is forgotten");
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

fn bytes(hex: &Value) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    hex.as_str().unwrap().as_bytes().chunks(2).map(byte).collect()
}

fn coord<C: hal::coord::Coordinate>(value: &Value) -> C {
    C::from_index(index(value)).unwrap_or_else(|| panic!("{value} is out of range"))
}
