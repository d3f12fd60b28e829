//! Analog outputs: who drives them, and what the ADC samples (topology §7.7, hal-config §3.8).

use std::collections::BTreeMap;

use hal::config::{AnalogSource, HicannConfig, WaferConfig};
use hal::coord::{
    AnalogOnHicann, Coordinate, DncOnWafer, HicannOnWafer, NeuronOnHicann, OnWafer, Vertical,
};
use hal::wafer::DncCycles;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::flaws::Flaws;
use crate::silicon::AdcNoise;

/// Cycles of 4 ns in 96 samples of the ADC: the sample rate is 96 MHz, the cycle 250 MHz.
const CYCLES_PER_96_SAMPLES: u64 = 250;
/// What fits into the memory of the ADC.
const MAX_SAMPLES: usize = 128 * 1024 * 1024;
/// Voltage of raw value 0; raw value 4095 is 0 V.
const FULL_SCALE_V: f64 = 1.8;

/// Two things drive one analog output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OutputConflict {
    /// Two chips of a reticle.
    #[error(
        "analog output {output} of reticle {dnc} is driven by {first} and {second}; \
         the eight chips of a reticle share it, so enable it on one of them"
    )]
    Chips {
        /// The reticle.
        dnc: DncOnWafer,
        /// The output.
        output: AnalogOnHicann,
        /// A chip that drives it.
        first: HicannOnWafer,
        /// Another one.
        second: HicannOnWafer,
    },
    /// Two circuits of the class that the output shows.
    #[error(
        "analog output {output} of {hicann} shows both {first} and {second}; \
         one circuit per row and column parity may have its analog output enabled"
    )]
    Circuits {
        /// The chip.
        hicann: HicannOnWafer,
        /// The output.
        output: AnalogOnHicann,
        /// A circuit of the class.
        first: NeuronOnHicann,
        /// Another one.
        second: NeuronOnHicann,
    },
}

/// The membranes that the outputs of the reticles show.
pub(crate) type Shown = BTreeMap<(DncOnWafer, AnalogOnHicann), OnWafer<NeuronOnHicann>>;

/// Finds the membrane at every analog output.
pub(crate) fn shown(config: &WaferConfig, flaws: &Flaws<'_>) -> Result<Shown, OutputConflict> {
    let mut drivers: BTreeMap<(DncOnWafer, AnalogOnHicann), HicannOnWafer> = BTreeMap::new();
    let mut shown = Shown::new();
    for (&hicann, chip) in &config.hicanns {
        let dnc = hicann.dnc();
        for output in AnalogOnHicann::all() {
            let Some(source) = chip.analog.source[output] else { continue };
            if source == AnalogSource::Nothing || !flaws.works(output.on(hicann)) {
                continue;
            }
            if let Some(first) = drivers.insert((dnc, output), hicann) {
                return Err(OutputConflict::Chips { dnc, output, first, second: hicann });
            }
            let mut circuits = class(chip, source);
            if let Some(first) = circuits.next() {
                if let Some(second) = circuits.next() {
                    return Err(OutputConflict::Circuits { hicann, output, first, second });
                }
                shown.insert((dnc, output), first.on(hicann));
            }
        }
    }
    Ok(shown)
}

/// Circuits with `enable_aout` among those that a source shows.
fn class(chip: &HicannConfig, source: AnalogSource) -> impl Iterator<Item = NeuronOnHicann> {
    let class = match source {
        AnalogSource::MembraneTopEven => Some((Vertical::Top, 0)),
        AnalogSource::MembraneTopOdd => Some((Vertical::Top, 1)),
        AnalogSource::MembraneBottomEven => Some((Vertical::Bottom, 0)),
        AnalogSource::MembraneBottomOdd => Some((Vertical::Bottom, 1)),
        AnalogSource::FgLeft
        | AnalogSource::FgRight
        | AnalogSource::FireLine
        | AnalogSource::Preout
        | AnalogSource::DllVoltage
        | AnalogSource::Nothing => None,
    };
    NeuronOnHicann::all().filter(move |n| {
        class == Some((n.vertical(), n.column() % 2)) && chip.neurons.circuits[*n].enable_aout
    })
}

/// Samples a voltage that is known at the ends of steps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sampler {
    samples: Vec<u16>,
    /// What the output amplifier adds, V.
    offset_v: f64,
    noise: Option<AdcNoise>,
    /// Time of the first sample.
    start: DncCycles,
    before: DncCycles,
    volts_before: f64,
}

impl Sampler {
    /// Starts with a voltage at time 0.
    pub(crate) fn new(volts: f64, offset_v: f64, noise: Option<AdcNoise>) -> Self {
        let (samples, start) = (Vec::new(), DncCycles(0));
        let mut sampler =
            Self { samples, offset_v, noise, start, before: start, volts_before: volts };
        sampler.sample(volts);
        sampler
    }

    /// Begins anew with a voltage at some time.
    pub(crate) fn begin(&mut self, time: DncCycles, volts: f64) {
        (self.start, self.before, self.volts_before) = (time, time, volts);
        self.samples.clear();
        self.sample(volts);
    }

    fn sample(&mut self, volts: f64) {
        let noise_v = self.noise.map_or(0.0, |noise| noise.volts(self.samples.len()));
        self.samples.push(raw(volts + self.offset_v + noise_v));
    }

    /// Takes the samples until `time`, when the voltage is `volts`, on the straight line between.
    pub(crate) fn advance(&mut self, time: DncCycles, volts: f64) {
        let length = (96 * (time.0 - self.before.0)) as f64;
        // in units of 1/96 cycle sampling times are whole numbers
        while let at = 96 * self.start.0 + self.samples.len() as u64 * CYCLES_PER_96_SAMPLES
            && at <= 96 * time.0
            && self.samples.len() < MAX_SAMPLES
        {
            let part = (at - 96 * self.before.0) as f64 / length;
            let v = self.volts_before + part * (volts - self.volts_before);
            self.sample(v);
        }
        self.before = time;
        self.volts_before = volts;
    }

    pub(crate) fn samples(&self) -> &[u16] {
        &self.samples
    }
}

/// Raw value of a voltage, held at the ends of the range; inverse of
/// [`hal::wafer::AdcTrace::volts`].
fn raw(volts: f64) -> u16 {
    ((1.0 - volts / FULL_SCALE_V) * 4095.0).round().clamp(0.0, 4095.0) as u16
}

#[cfg(test)]
mod tests {
    use hal::wafer::AdcTrace;

    use super::*;

    #[test]
    fn raw_values_are_the_inverse_of_the_default_calibration() {
        for value in 0..4096 {
            assert_eq!(raw(AdcTrace::volts(value)), value);
        }
        assert_eq!([raw(-1.0), raw(0.0), raw(1.8), raw(9.0)], [4095, 4095, 0, 0]);
    }

    #[test]
    fn a_ramp_is_sampled_at_96_mhz() {
        let mut sampler = Sampler::new(0.5, 0.0, None);
        for t in 1..=250 {
            sampler.advance(DncCycles(t), 0.5 + 0.001 * t as f64);
        }
        // 250 cycles are 1 us: samples 0..=96
        assert_eq!(sampler.samples().len(), 97);
        for (i, &sample) in sampler.samples().iter().enumerate() {
            let exact = 0.5 + 0.25 * i as f64 / 96.0;
            assert!((AdcTrace::volts(sample) - exact).abs() <= 0.5 * 1.8 / 4095.0 + 1e-12);
        }
    }
}
