//! V_reset of the blocks while intervals between spikes are measured.
//!
//! A block has one cell for the reset of all its circuits, and every programming of it is off by
//! some 10 mV: the times of 128 circuits move together by what that changes in the way to the
//! threshold. A few circuits of each block have a refractory time long enough to show their reset,
//! and tell what it is this time. Their own intervals are not looked at.

use hal::config::NeuronParameter as P;
use hal::coord::{Coordinate as _, FgBlockOnHicann, NeuronOnHicann, Table};

use super::CalibrationError;
use super::gates::Gates;
use super::measure::{self, PerCircuit};
use super::rig::Rig;
use crate::fit::robust_mean;

/// Circuits of a block that are looked at.
const EACH: usize = 3;
/// Their nominal refractory time, s.
const LONG_S: f64 = 0.5e-6;
/// Intervals of a recording of theirs.
const INTERVALS: f64 = 10.0;

/// Circuits that show the reset of their block.
pub(super) struct Watched(Vec<NeuronOnHicann>);

impl Watched {
    /// Some circuits of each block, others for each turn.
    pub(super) fn new(turn: usize) -> Self {
        let of_block = |block: FgBlockOnHicann| {
            let circuits = NeuronOnHicann::all().filter(move |n| n.shared_fg_block() == block);
            let circuits: Vec<NeuronOnHicann> = circuits.collect();
            (0..EACH).map(move |i| circuits[(EACH * turn + i) % circuits.len()])
        };
        Self(FgBlockOnHicann::all().flat_map(of_block).collect())
    }

    /// Gives them their long refractory time. Nothing else may set it afterwards.
    pub(super) fn hold(&self, gates: &mut Gates<'_>) {
        gates.nominal_of(P::IPl, &self.0, LONG_S);
    }

    /// How far the reset of each block lies above `expected_v` as the chip is programmed, V, 0 if none
    /// of its circuits fires. `rise_s` is the time that they take from there to their threshold,
    /// `shift_v` what the readout of each circuit adds, `own_v` what its reset differs by from that of
    /// its block.
    pub(super) fn above_v(
        &self,
        rig: &mut Rig<'_>,
        (expected_v, rise_s): (f64, f64),
        shift_v: &PerCircuit<f64>,
        own_v: &PerCircuit<f64>,
    ) -> Result<Table<FgBlockOnHicann, f64>, CalibrationError> {
        let firing = measure::firing_of(rig, &self.0, INTERVALS * (LONG_S + rise_s), shift_v)?;
        Ok(Table::from_fn(|block| {
            let here = self.0.iter().filter(|n| n.shared_fg_block() == block);
            let resets = here.filter_map(|&n| Some(firing[n]?.reset_v - own_v[n]));
            robust_mean(&resets.collect::<Vec<_>>()).map_or(0.0, |v| v - expected_v)
        }))
    }

    /// Whether the interval of a circuit is that of the cells asked for.
    pub(super) fn leaves(&self, n: NeuronOnHicann) -> bool {
        !self.0.contains(&n)
    }
}
