//! Vectors about delays, programming, currents and time stamps, whose formulas live in `hal`.

use calib::Scaling;
use hal::codec::FgPass;
use hal::config::CurrentStimulus;
use hal::coord::FgRowOnBlock;
use hal::value::{FgTime, PulseLength};
use hal::{law, trace};

use super::{close, each, number};

#[test]
fn delays_of_routes() {
    each("delay_fit", |v| {
        let delay_s = law::route_delay_s(v.input["hicann_distance"].as_u64().unwrap() as usize);
        let ms = Scaling::default().time_to_bio_ms(delay_s);
        close(&v.id, ms, number(&v.expect, "delay_ms"), v.tol);
    });
}

#[test]
fn longest_times_of_programming_a_row() {
    each("fg_max_row_time", |v| {
        let default = FgPass::DEFAULT[0];
        let time = |key: &str, or: FgTime| {
            v.input.get(key).map_or(or, |x| FgTime::try_from(x.as_u64().unwrap() as u32).unwrap())
        };
        let write_time = time("wt", default.voltage_write_time);
        let pass = FgPass {
            max_cycle: v.input.get("maxcycle").map_or(255, |x| x.as_u64().unwrap() as u8),
            read_time: time("readtime", default.read_time),
            acceleration_step: time("accel", default.acceleration_step),
            voltage_write_time: write_time,
            current_write_time: write_time,
            pulse_length: v.input.get("pl").map_or(default.pulse_length, |x| {
                PulseLength::try_from(x.as_u64().unwrap() as u32).unwrap()
            }),
            ..default
        };
        let clocks = pass.worst_case_clocks(FgRowOnBlock::new::<0>());
        assert_eq!(clocks, v.expect["pll_cycles"].as_u64().unwrap(), "{}", v.id);
        close(&v.id, clocks as f64 / 125e6, number(&v.expect, "seconds_at_125MHz"), v.tol);
    });
}

#[test]
fn currents_into_membranes() {
    each("current_stimulus", |v| {
        let na = law::amperes(number(&v.input, "dac")) * 1e9;
        close(&v.id, na, number(&v.expect, "nA_ess"), v.tol);
    });
    each("current_stimulus_period", |v| {
        let code = v.input["pulselength"].as_u64().unwrap() as u32;
        let pulse_length = PulseLength::try_from(code).unwrap();
        let stimulus = CurrentStimulus { pulse_length, ..CurrentStimulus::default() };
        let clocks = f64::from(stimulus.step_clocks()) * stimulus.samples.values().len() as f64;
        let seconds = clocks / number(&v.input, "pll_Hz");
        close(&v.id, seconds, number(&v.expect, "seconds"), v.tol);
    });
}

/// Entries of a trace: no event, a count of wraps of stamps, the upper half of the FPGA's clock
/// (hal-config §3.4).
const NO_EVENT: u64 = 1 << 30;
const WRAPS: u64 = 1 << 31;
const FPGA_UPPER_HALF: u64 = 1 << 29;

#[test]
fn full_times_of_stamps() {
    each("timestamp_unwrap", |v| {
        let fpga_cycles = 2 * v.input["fpga_time_8ns"].as_u64().unwrap();
        let stamp = v.input["stamp_15bit_4ns"].as_u64().unwrap();
        let upper = if fpga_cycles >> 14 & 1 == 1 { FPGA_UPPER_HALF } else { 0 };
        let words = [
            (WRAPS | fpga_cycles >> 15) << 32 | NO_EVENT,
            NO_EVENT << 32 | upper | stamp,
            trace::END_OF_TRACE,
        ];
        let events = trace::decode(&words).unwrap();
        assert_eq!(events.len(), 1, "{}", v.id);
        assert_eq!(events[0].time.0, v.expect.as_u64().unwrap(), "{}", v.id);
    });
}
