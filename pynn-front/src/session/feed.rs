//! What the sources of a session send to the wafer, part by part of a run.

use std::ops::ControlFlow;

use super::Watch;
use super::population::{Members, PopulationState};
use super::sources::Sources;
use crate::run::Progress;
use crate::stimulus::SpikeTrains;

/// Spikes of sources that are worth a part of a run of their own: so much is drawn, coded and sent in
/// a fraction of a second.
const SPIKES_PER_PART: f64 = 1e6;
/// Steps in which the spikes of a part are drawn, and after which it may be stopped.
const DRAWS: u32 = 20;

/// The sources of a network.
fn sources(populations: &mut [PopulationState]) -> impl Iterator<Item = &mut Sources> {
    populations.iter_mut().filter_map(|state| match &mut state.members {
        Members::Neurons(_) => None,
        Members::Sources(sources) => Some(sources),
    })
}

/// How many parts a run is done in.
pub(super) fn parts(populations: &[PopulationState], now_ms: f64, until_ms: f64) -> u32 {
    let expected = |state: &PopulationState| {
        state.sources().map_or(0.0, |sources| sources.expected(now_ms, until_ms))
    };
    let spikes: f64 = populations.iter().map(expected).sum();
    (spikes / SPIKES_PER_PART).ceil().max(1.0) as u32
}

/// Draws the spikes of all sources up to a time, and gives those that the wafer has not got yet, in ms
/// after `origin_ms`; none if the watch stops it.
pub(super) fn draw(
    populations: &mut [PopulationState],
    origin_ms: f64,
    now_ms: f64,
    until_ms: f64,
    watch: Watch<'_>,
) -> Option<SpikeTrains> {
    for draw in 1..=DRAWS {
        let part_ms = (until_ms - now_ms) * f64::from(draw) / f64::from(DRAWS);
        let end_ms = if draw == DRAWS { until_ms } else { now_ms + part_ms };
        sources(populations).for_each(|sources| sources.send_until(end_ms));
        if watch(Progress::Configuring) == ControlFlow::Break(()) {
            return None;
        }
    }
    let trains = populations.iter().map(|state| match &state.members {
        Members::Neurons(_) => vec![Vec::new(); state.size()],
        Members::Sources(sources) => sources.ahead(origin_ms, until_ms),
    });
    Some(trains.collect())
}

/// Notes that the wafer has got all spikes for which `has_come` holds; those are the first ones.
pub(super) fn hand_over(populations: &mut [PopulationState], has_come: impl Fn(f64) -> bool) {
    sources(populations).for_each(|sources| sources.hand_over(&has_come));
}
