//! The setup of a session: PyNN's `setup` keywords with their values and defaults (contract §3).

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use calib::{InvalidScaling, Scaling};
use emulator::{Effects, Instance};
use hal::config::CurrentScaling;
use hal::coord::WaferNumber;
use hal::defects::{Defects, DefectsError};
use marocco::{Cancel, Capacitor, Choice, Effort, NeuronSize, NeuronSizeChoice};
use thiserror::Error;

/// How membranes are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Readout {
    /// By the ADC, as on the wafer: two membranes per reticle, 96 per wafer, with offset and noise.
    #[default]
    Adc,
    /// The true state of any neuron, which no wafer shows.
    Probe,
}

/// What is done about something that the wafer cannot do quite as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// A warning.
    #[default]
    Warn,
    /// An error.
    Error,
    /// Nothing; the reports tell.
    Ignore,
}

/// What does not work on the wafer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum WaferDefects {
    /// The defects of the wafer.
    #[default]
    Wafer,
    /// Nothing is defective.
    None,
    /// What a file says.
    File(PathBuf),
}

/// Where calibrations come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CalibrationSource {
    /// The user's database, filled on demand.
    #[default]
    Default,
    /// This database, filled on demand.
    File(PathBuf),
    /// None: all circuits are taken to be nominal.
    None,
}

/// Biological potentials and the voltages that stand for them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VoltageWindow {
    /// Biological potentials, mV.
    pub bio_mv: [f64; 2],
    /// Voltages on the wafer, V.
    pub hw_v: [f64; 2],
}

impl VoltageWindow {
    /// The scaling that maps the window.
    pub fn scaling(self, speedup: f64) -> Result<Scaling, InvalidScaling> {
        let Self { bio_mv: [bio_min, bio_max], hw_v: [hw_min, hw_max] } = self;
        let scaling = Scaling::from_voltage_window(bio_min, bio_max, hw_min, hw_max)?;
        let scaling = Scaling { speedup, ..scaling };
        scaling.validate()?;
        Ok(scaling)
    }
}

/// What a user chooses besides the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// The wafer.
    pub wafer: Instance,
    /// Effects that are switched on.
    pub effects: Effects,
    /// Circuits per neuron.
    pub neuron_size: NeuronSizeChoice,
    /// Membrane capacitor.
    pub capacitor: Choice<Capacitor>,
    /// Scaling of the leak.
    pub leak: Choice<CurrentScaling>,
    /// Biological to hardware voltages; all potentials of all cells fit if it is left open.
    pub voltage_window: Option<VoltageWindow>,
    /// How membranes are recorded.
    pub readout: Readout,
    /// Biological over hardware time, above 0.
    pub speedup: f64,
    /// Seed of mapping and Poisson sources.
    pub seed: u64,
    /// Number of threads; results do not depend on it. All processors if none.
    pub threads: Option<usize>,
    /// Calibration of a manufactured wafer.
    pub calibration: CalibrationSource,
    /// What does not work.
    pub defects: WaferDefects,
    /// Time for the search for a mapping.
    pub effort: Effort,
    /// If synapses are lost.
    pub on_loss: Policy,
    /// If parameters or weights are clipped.
    pub on_clip: Policy,
    /// Stops what the session is doing, from another thread.
    pub cancel: Cancel,
}

impl Setup {
    /// The defaults on some wafer, with its effects.
    pub fn on(wafer: Instance) -> Self {
        Self {
            wafer,
            effects: wafer.default_effects(),
            neuron_size: NeuronSizeChoice::Auto,
            capacitor: Choice::Auto,
            leak: Choice::Auto,
            voltage_window: None,
            readout: Readout::Adc,
            speedup: 1e4,
            seed: 0,
            threads: None,
            calibration: CalibrationSource::Default,
            defects: WaferDefects::Wafer,
            effort: Effort::Normal,
            on_loss: Policy::Warn,
            on_clip: Policy::Warn,
            cancel: Cancel::default(),
        }
    }

    /// The defects as the setup has them.
    pub(super) fn defects(&self) -> Result<Defects, DefectsError> {
        match (&self.defects, self.wafer) {
            (WaferDefects::Wafer, wafer) => Ok(wafer.defects()),
            (WaferDefects::None, _) => Ok(Defects::default()),
            (WaferDefects::File(path), Instance::Ideal) => Defects::read(path),
            (WaferDefects::File(path), Instance::Manufactured(n)) => Defects::read_for(path, n),
        }
    }
}

impl Default for Setup {
    /// Wafer 30 with its effects.
    fn default() -> Self {
        Self::on(Instance::Manufactured(WaferNumber(30)))
    }
}

/// A keyword has a value that it cannot have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{keyword} = {value}: it is {allowed}")]
pub struct InvalidChoice {
    /// The keyword of `setup`.
    pub keyword: &'static str,
    /// The value asked for.
    pub value: String,
    /// What it can be.
    pub allowed: &'static str,
}

impl InvalidChoice {
    /// A value and what it can be.
    pub fn new(keyword: &'static str, value: impl fmt::Display, allowed: &'static str) -> Self {
        Self { keyword, value: value.to_string(), allowed }
    }
}

impl FromStr for Readout {
    type Err = InvalidChoice;
    /// `adc` or `probe`.
    fn from_str(text: &str) -> Result<Self, InvalidChoice> {
        match text {
            "adc" => Ok(Self::Adc),
            "probe" => Ok(Self::Probe),
            _ => Err(InvalidChoice::new("readout", text, "adc or probe")),
        }
    }
}

impl Policy {
    /// `warn`, `error` or `ignore`, as the value of a keyword.
    pub fn parse(keyword: &'static str, text: &str) -> Result<Self, InvalidChoice> {
        match text {
            "warn" => Ok(Self::Warn),
            "error" => Ok(Self::Error),
            "ignore" => Ok(Self::Ignore),
            _ => Err(InvalidChoice::new(keyword, text, "warn, error or ignore")),
        }
    }
}

/// A neuron size, or `auto`.
pub fn neuron_size(text: &str) -> Result<NeuronSizeChoice, InvalidChoice> {
    if text == "auto" {
        return Ok(NeuronSizeChoice::Auto);
    }
    let size = text.parse().ok().and_then(|circuits: usize| NeuronSize::try_from(circuits).ok());
    let wrong = || InvalidChoice::new("neuron_size", text, "auto or an even number from 2 to 64");
    size.map(NeuronSizeChoice::Fixed).ok_or_else(wrong)
}

/// A capacitor, or `auto`.
pub fn capacitor(text: &str) -> Result<Choice<Capacitor>, InvalidChoice> {
    match text {
        "auto" => Ok(Choice::Auto),
        "big" => Ok(Choice::Fixed(Capacitor::Big)),
        "small" => Ok(Choice::Fixed(Capacitor::Small)),
        _ => Err(InvalidChoice::new("capacitor", text, "auto, big or small")),
    }
}

/// A leak, or `auto`.
pub fn leak(text: &str) -> Result<Choice<CurrentScaling>, InvalidChoice> {
    match text {
        "auto" => Ok(Choice::Auto),
        "slow" => Ok(Choice::Fixed(CurrentScaling::Slow)),
        "normal" => Ok(Choice::Fixed(CurrentScaling::Normal)),
        "fast" => Ok(Choice::Fixed(CurrentScaling::Fast)),
        _ => Err(InvalidChoice::new("leak", text, "auto, slow, normal or fast")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_values_name_keyword_and_way_out() {
        let error = Policy::parse("on_loss", "panic").expect_err("no policy");
        assert_eq!(error.to_string(), "on_loss = panic: it is warn, error or ignore");
        assert!(neuron_size("7").is_err() && neuron_size("66").is_err());
        assert_eq!(neuron_size("8").map(|s| format!("{s:?}")), Ok("Fixed(NeuronSize(8))".into()));
        assert!("tape".parse::<Readout>().is_err());
    }

    #[test]
    fn windows_keep_the_speedup() {
        let window = VoltageWindow { bio_mv: [-140.0, 140.0], hw_v: [0.45, 1.3] };
        let scaling = window.scaling(1e3).expect("a window");
        assert_eq!(scaling.speedup, 1e3);
        assert!((scaling.alpha_v - 3.0357).abs() < 1e-4 && (scaling.shift_v - 0.875).abs() < 1e-12);
        assert!(window.scaling(0.0).is_err());
        assert!(VoltageWindow { bio_mv: [0.0, -70.0], ..window }.scaling(1e4).is_err());
    }
}
