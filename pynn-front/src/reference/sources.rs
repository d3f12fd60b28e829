//! Spike sources and current sources.

use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp1, StandardNormal};

/// A Poisson process.
#[derive(Debug)]
pub(super) struct Poisson {
    random: ChaCha8Rng,
    rate_hz: f64,
    start_ms: f64,
    stop_ms: f64,
}

impl Poisson {
    /// The process of a member of the network, counted over all populations.
    pub(super) fn new(seed: u64, member: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(member);
        Self { random, rate_hz: 0.0, start_ms: 0.0, stop_ms: 0.0 }
    }

    /// Sets rate, start and duration from `now_ms` on. A process has no memory: the next spike is
    /// drawn anew, unless nothing changes.
    pub(super) fn set(
        &mut self,
        rate_hz: f64,
        start_ms: f64,
        duration_ms: f64,
        now_ms: f64,
        due_ms: &mut f64,
    ) {
        let stop_ms = start_ms + duration_ms;
        if (rate_hz, start_ms, stop_ms) == (self.rate_hz, self.start_ms, self.stop_ms) {
            return;
        }
        (self.rate_hz, self.start_ms, self.stop_ms) = (rate_hz, start_ms, stop_ms);
        *due_ms = self.after(start_ms.max(now_ms));
    }

    /// The next spike after a time, ms; at infinity if there is none.
    pub(super) fn after(&mut self, time_ms: f64) -> f64 {
        let interval: f64 = Exp1.sample(&mut self.random);
        let next_ms = time_ms + interval * 1e3 / self.rate_hz;
        if next_ms > self.stop_ms { f64::INFINITY } else { next_ms }
    }
}

/// A current, nA, as a function of time, ms. A value at a time acts in the step that starts there.
#[derive(Debug, Clone, PartialEq)]
pub enum Waveform {
    /// From each time on, the amplitude at the same position; zero before.
    Steps {
        /// Ascending.
        times_ms: Vec<f64>,
        /// nA
        amplitudes: Vec<f64>,
    },
    /// A sine between two times.
    Sine {
        /// nA
        amplitude: f64,
        /// nA
        offset: f64,
        /// Hz
        frequency: f64,
        /// Degrees.
        phase: f64,
        /// ms
        start_ms: f64,
        /// ms
        stop_ms: f64,
    },
    /// Normally distributed amplitudes between two times.
    Noise {
        /// nA
        mean: f64,
        /// nA
        stdev: f64,
        /// How long an amplitude lasts, ms.
        every_ms: f64,
        /// ms
        start_ms: f64,
        /// ms
        stop_ms: f64,
    },
}

/// A current source and what it has done so far.
#[derive(Debug)]
pub(super) struct CurrentSource {
    pub(super) waveform: Waveform,
    seed: u64,
    number: u64,
    random: ChaCha8Rng,
    /// Amplitude of the noise, and the time until which it lasts.
    noise: (f64, f64),
    /// Amplitudes at the steps so far, if they are recorded, and the step of the first.
    pub(super) recorded: Option<Vec<f64>>,
}

impl CurrentSource {
    pub(super) fn new(waveform: Waveform, seed: u64, number: u64) -> Self {
        let random = ChaCha8Rng::seed_from_u64(seed);
        let mut source = Self {
            waveform,
            seed,
            number,
            random,
            noise: (0.0, f64::NEG_INFINITY),
            recorded: None,
        };
        source.reset();
        source
    }

    /// Back to the start of time.
    pub(super) fn reset(&mut self) {
        self.random = ChaCha8Rng::seed_from_u64(self.seed ^ 0x6375_7272_656e_7473);
        self.random.set_stream(self.number);
        self.noise = (0.0, f64::NEG_INFINITY);
        if let Some(recorded) = &mut self.recorded {
            recorded.clear();
        }
    }

    /// The current in the step that starts at `now_ms`; times are asked for in ascending order.
    pub(super) fn current(&mut self, now_ms: f64, step_ms: f64) -> f64 {
        // times a little late through rounding still count
        let now = now_ms + 1e-6 * step_ms;
        let runs = |start: f64, stop: f64| (start..stop).contains(&now);
        match &self.waveform {
            Waveform::Steps { times_ms, amplitudes } => {
                let begun = times_ms.partition_point(|&time| time <= now);
                begun.checked_sub(1).map_or(0.0, |last| amplitudes[last])
            }
            &Waveform::Sine { amplitude, offset, frequency, phase, start_ms, stop_ms } => {
                if !runs(start_ms, stop_ms) {
                    return 0.0;
                }
                let angle = std::f64::consts::TAU * frequency * (now_ms - start_ms) * 1e-3;
                offset + amplitude * (angle + phase.to_radians()).sin()
            }
            &Waveform::Noise { mean, stdev, every_ms, start_ms, stop_ms } => {
                if !runs(start_ms, stop_ms) {
                    return 0.0;
                }
                if now >= self.noise.1 {
                    let deviation: f64 = StandardNormal.sample(&mut self.random);
                    let ends = if self.noise.1.is_finite() { self.noise.1 } else { start_ms };
                    let ends = if ends + every_ms < now { now_ms } else { ends };
                    self.noise = (mean + stdev * deviation, ends + every_ms);
                }
                self.noise.0
            }
        }
    }
}
