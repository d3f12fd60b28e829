//! The choice of V_gmax, of its selection and of the divisors, so that requested conductances
//! fall onto the 15 steps of a weight (analog §1.7).
//!
//! A chip has four V_gmax, and each row selects one and divides it by the sum 1..=30 of its two
//! divisors. All 15 conductances of a row scale together with V_gmax over that sum: the *scale*.

use std::sync::LazyLock;

use hal::config::SharedParameter;
use hal::coord::Coordinate;
use hal::law;
use hal::value::{DacCode, GmaxDivisor, GmaxSelect, SynapseWeight};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Largest sum of the two divisors of a row.
const MAX_DIVISOR_SUM: usize = 30;
/// Ratio of neighbouring scales at which the error of a class is tabulated.
const SCALE_STEP: f64 = 1.0025;
/// Scales that a chip reaches: code 1 over the largest sum, code 1023 over 1.
const SCALES: (f64, f64) = (1.0 / MAX_DIVISOR_SUM as f64, 1023.0);
/// Different conductances of a class that are told apart; more are merged with their neighbours.
const MAX_BINS: usize = 64;
/// How far a chosen V_gmax may move in the final polish, codes.
const POLISH: usize = 8;
/// A programmed cell is off by 1 code or 1 % (analog §4.3): below this code the former counts.
const NOISE_LIMIT: f64 = 100.0;
/// Share of that noise that counts as error: enough to choose among equals, too little to spoil
/// weights on a wafer without noise.
const NOISE_SHARE: f64 = 0.1;
/// Mean relative errors below this one are equal.
const GOOD_ENOUGH: f64 = 0.001;

/// Which V_gmax a row takes, and its left and right divisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GmaxSetting {
    /// Which of the four.
    pub select: GmaxSelect,
    /// The two halves; their sum counts.
    pub divisor: [GmaxDivisor; 2],
}

impl GmaxSetting {
    /// The nominal conductance of each weight, S, in rising order.
    pub fn levels_s(&self, v_gmax: [DacCode; 4]) -> [f64; 16] {
        levels_s(v_gmax[self.select.index()].into(), self.divisor)
    }
}

/// The V_gmax of a chip and the setting of each class of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GmaxChoice {
    /// By [`GmaxSelect`]; the same for all four blocks of the chip.
    pub v_gmax: [DacCode; 4],
    /// By class.
    pub settings: Vec<GmaxSetting>,
}

/// A requested conductance is not a number, or negative.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("class {class}: conductance {value} S; conductances are finite and not negative")]
pub struct InvalidConductance {
    /// Index of the class.
    pub class: usize,
    /// The conductance in S.
    pub value: f64,
}

/// The V_gmax of a chip and the settings of its classes of rows with the least mean relative error
/// of all conductances that are not 0.
///
/// A class is a histogram of hardware conductances in S and their numbers. The error of a synapse
/// that gets weight 0 is 1, for it is lost. There is no headroom: the largest conductance of a
/// class may take weight 15, and may lie above it where that helps the others more than it harms.
///
/// Mean errors below 0.1 % count as equal, and codes of 100 and more are preferred then, because the
/// noise of programming exceeds 1 % below. Classes may share a V_gmax.
pub fn choose_v_gmax(classes: &[Vec<(f64, u64)>]) -> Result<GmaxChoice, InvalidConductance> {
    let classes: Vec<Class> = classes
        .iter()
        .enumerate()
        .map(|(index, histogram)| Class::new(index, histogram))
        .collect::<Result<_, _>>()?;
    let costs: Vec<Vec<f64>> = classes.iter().map(Class::cost_by_code).collect();
    let mut codes = Vec::new();
    while codes.len() < GmaxSelect::SIZE
        && let Some((code, _)) = best_addition(&costs, &codes)
    {
        codes.push(code);
    }
    while let Some((place, code)) = best_exchange(&costs, &codes) {
        codes[place] = code;
    }
    // a V_gmax that nobody needs repeats the first one
    let spare = codes.first().copied().unwrap_or(SharedParameter::VGmax0.default_code());
    let mut v_gmax = [spare; GmaxSelect::SIZE];
    v_gmax[..codes.len()].copy_from_slice(&codes);
    let selects: Vec<GmaxSelect> = classes.iter().map(|c| c.best_setting(v_gmax).select).collect();
    for select in GmaxSelect::all() {
        let users = classes.iter().zip(&selects).filter(|(_, s)| **s == select);
        let users: Vec<&Class> = users.map(|(class, _)| class).collect();
        v_gmax[select.index()] = polished(&users, v_gmax[select.index()]);
    }
    let settings = classes.iter().map(|class| class.best_setting(v_gmax)).collect();
    Ok(GmaxChoice { v_gmax, settings })
}

/// One class of rows.
struct Class {
    /// Conductances in S, above 0 and ascending, and their numbers.
    bins: Vec<(f64, f64)>,
}

impl Class {
    fn new(class: usize, histogram: &[(f64, u64)]) -> Result<Self, InvalidConductance> {
        if let Some((value, _)) = histogram.iter().find(|(x, _)| !(x.is_finite() && *x >= 0.0)) {
            return Err(InvalidConductance { class, value: *value });
        }
        let requested = histogram.iter().filter(|(x, n)| *x > 0.0 && *n > 0);
        let mut sorted: Vec<(f64, f64)> = requested.map(|(x, n)| (*x, *n as f64)).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let range = sorted.first().zip(sorted.last()).map(|(first, last)| (first.0, last.0));
        let Some((low, high)) = range else { return Ok(Self { bins: Vec::new() }) };
        sorted.dedup_by(|next, bin| {
            bin.1 += if next.0 == bin.0 { next.1 } else { 0.0 };
            next.0 == bin.0
        });
        if sorted.len() <= MAX_BINS {
            return Ok(Self { bins: sorted });
        }
        // sums of conductances and numbers in bins of equal ratio
        let mut sums = vec![(0.0, 0.0); MAX_BINS];
        for (x, n) in sorted {
            let position = (x / low).ln() / (high / low).ln() * MAX_BINS as f64;
            let sum = &mut sums[(position as usize).min(MAX_BINS - 1)];
            sum.0 += x * n;
            sum.1 += n;
        }
        let bins = sums.into_iter().filter(|(_, n)| *n > 0.0).map(|(sum, n)| (sum / n, n));
        Ok(Self { bins: bins.collect() })
    }

    /// Number of synapses.
    fn size(&self) -> f64 {
        self.bins.iter().map(|(_, n)| n).sum()
    }

    /// Sum of the relative errors of all synapses at a scale: V_gmax over sum of divisors.
    fn error(&self, scale: f64) -> f64 {
        let unit = &*UNIT_LEVELS_S;
        let real = |w: usize| if w == 0 { 0.0 } else { unit[w] };
        // bins and levels ascend: the first level that is not below goes along
        let mut above = 1;
        let error = |&(x, n): &(f64, f64)| {
            let x = x / scale;
            while above < unit.len() && unit[above] < x {
                above += 1;
            }
            let below = x - real(above - 1);
            let nearest = unit.get(above).map_or(below, |level| below.min(level - x));
            n * (nearest / x)
        };
        self.bins.iter().map(error).sum()
    }

    /// The scales at which the median is neither above the largest weight nor lost.
    fn scales(&self) -> Option<(f64, f64)> {
        let half = self.size() / 2.0;
        let mut sum = 0.0;
        let (median, _) = self.bins.iter().find(|(_, n)| {
            sum += n;
            sum >= half
        })?;
        let within = |scale: f64| scale.clamp(SCALES.0, SCALES.1);
        Some((within(median / UNIT_LEVELS_S[15]), within(2.0 * median / UNIT_LEVELS_S[1])))
    }

    /// The least sum of errors with each code of V_gmax, from errors tabulated by scale.
    fn cost_by_code(&self) -> Vec<f64> {
        let Some((low, high)) = self.scales() else { return vec![0.0; DacCode::SIZE] };
        let (ln_low, ln_step) = (low.ln(), SCALE_STEP.ln());
        let index = |ln_scale: f64| ((ln_scale - ln_low) / ln_step).round();
        let errors: Vec<f64> = (0..=index(high.ln()) as u32)
            .map(|i| self.error((ln_low + ln_step * f64::from(i)).exp()))
            .collect();
        let size = self.size();
        let error = |ln_scale: f64| {
            let i = index(ln_scale);
            if i < 0.0 { size } else { errors.get(i as usize).copied().unwrap_or(size) }
        };
        let ln_sums: Vec<f64> = (1..=MAX_DIVISOR_SUM).map(|sum| (sum as f64).ln()).collect();
        let cost = |code: DacCode| {
            let ln_code = f64::from(code).ln();
            let errors = ln_sums.iter().map(|ln_sum| error(ln_code - ln_sum));
            self.cost(code, errors.fold(size, f64::min))
        };
        DacCode::all().map(cost).collect()
    }

    /// What an error counts with a code.
    fn cost(&self, code: DacCode, error: f64) -> f64 {
        error.max(GOOD_ENOUGH * self.size()) + noise(code) * self.size()
    }

    /// The best sum of divisors with one V_gmax, and its cost.
    fn best_sum(&self, code: DacCode) -> (usize, f64) {
        let Some((low, high)) = self.scales() else { return (MAX_DIVISOR_SUM, 0.0) };
        let mut best = (MAX_DIVISOR_SUM, self.size());
        for sum in 1..=MAX_DIVISOR_SUM {
            let scale = f64::from(code) / sum as f64;
            if scale * SCALE_STEP < low || scale > high * SCALE_STEP {
                continue;
            }
            let error = self.error(scale);
            if error < best.1 {
                best = (sum, error);
            }
        }
        (best.0, self.cost(code, best.1))
    }

    /// The best setting with the V_gmax of a chip.
    fn best_setting(&self, v_gmax: [DacCode; GmaxSelect::SIZE]) -> GmaxSetting {
        let mut best = (GmaxSelect::default(), self.best_sum(v_gmax[0]));
        for (select, code) in GmaxSelect::all().zip(v_gmax).skip(1) {
            let (sum, cost) = self.best_sum(code);
            if cost < best.1.1 {
                best = (select, (sum, cost));
            }
        }
        GmaxSetting { select: best.0, divisor: law::split_divisor(best.1.0) }
    }
}

/// The conductance of each weight, S, at scale 1: all others are multiples.
static UNIT_LEVELS_S: LazyLock<[f64; 16]> = LazyLock::new(|| levels_s(1.0, law::split_divisor(1)));

/// The conductance of each weight, S.
fn levels_s(v_gmax: f64, divisor: [GmaxDivisor; 2]) -> [f64; 16] {
    let mut levels = [0.0; 16];
    for (level, weight) in levels.iter_mut().zip(SynapseWeight::all()) {
        *level = law::synapse_s(weight, v_gmax, divisor);
    }
    levels
}

/// What the noise of programming beyond the 1 % of every code counts as relative error.
fn noise(code: DacCode) -> f64 {
    NOISE_SHARE * (1.0 / f64::from(code).max(1.0) - 1.0 / NOISE_LIMIT).max(0.0)
}

/// The least cost of each class with some codes; everything is lost without any, as with code 0.
fn least_costs(costs: &[Vec<f64>], codes: &[DacCode]) -> Vec<f64> {
    let least =
        |cost: &Vec<f64>| codes.iter().map(|code| cost[code.index()]).fold(cost[0], f64::min);
    costs.iter().map(least).collect()
}

/// The code that helps most beside those that are there, and the sum of costs with it; none if no
/// code helps.
fn best_addition(costs: &[Vec<f64>], codes: &[DacCode]) -> Option<(DacCode, f64)> {
    let present = least_costs(costs, codes);
    let mut best = (None, present.iter().sum::<f64>());
    for code in DacCode::all() {
        let with = costs.iter().zip(&present).map(|(cost, least)| least.min(cost[code.index()]));
        let sum = with.sum();
        if sum < best.1 {
            best = (Some(code), sum);
        }
    }
    best.0.map(|code| (code, best.1))
}

/// A code, and the one whose place it should take; none if no exchange helps.
fn best_exchange(costs: &[Vec<f64>], codes: &[DacCode]) -> Option<(usize, DacCode)> {
    let now: f64 = least_costs(costs, codes).iter().sum();
    (0..codes.len()).find_map(|place| {
        let mut others = codes.to_vec();
        others.remove(place);
        let (code, sum) = best_addition(costs, &others)?;
        (sum < now).then_some((place, code))
    })
}

/// The code near a present one that is best for its users, by exact errors.
fn polished(users: &[&Class], present: DacCode) -> DacCode {
    let cost = |code| users.iter().map(|class| class.best_sum(code).1).sum::<f64>();
    let mut best = (present, cost(present));
    let near = present.index().saturating_sub(POLISH)..=present.index() + POLISH;
    for code in near.filter_map(DacCode::from_index) {
        let cost = cost(code);
        if cost < best.1 {
            best = (code, cost);
        }
    }
    best.0
}
