//! Short-term plasticity (V24, V26): what is claimed of a projection is the nearest that drivers do
//! to what it asks for, and the drivers of its synapses do it, by the nominal law of `hal` (analog
//! §1.8, §5.3) or by the measured calibration of their block.

use calib::TsodyksMarkram;
use hal::config::{HicannConfig, SharedParameter, StpMode};
use hal::coord::{Coordinate as _, HicannOnWafer, SynapseDriverOnHicann};
use hal::law::{self, Outside};
use hal::value::StpCapacitor;

use super::{Case, Faults, Rule};

/// Half a step between two settings, with some room for rounding.
const HALF_STEP: f64 = 0.5 + 1e-6;
/// Rounding of a few floating-point operations.
const TOLERANCE: f64 = 1e-7;

/// Holds the claim against the request, projection by projection (V24).
pub(super) fn check(case: &Case<'_>, faults: &mut Faults) {
    let mut clipped = 0;
    for ((_, projection), claimed) in case.network.projections().zip(&case.mapping.plasticity) {
        let good = match (&projection.plasticity, claimed) {
            (None, None) => true,
            (Some(wanted), Some(claimed)) => {
                clipped += n_clipped(case, wanted) * projection.synapses.len();
                is_nearest(case, wanted, claimed)
            }
            _ => false,
        };
        faults.demand(Rule::V24, good, || {
            let (label, wanted) = (&projection.label, &projection.plasticity);
            format!("`{label}` asks for the plasticity {wanted:?}, {claimed:?} is claimed")
        });
    }
    let counts = &case.mapping.parameters.clipped;
    let counted: usize = ["U", "tau_rec", "tau_facil"].iter().filter_map(|p| counts.get(*p)).sum();
    faults.demand(Rule::V24, counted >= clipped, || {
        format!("{clipped} plasticity parameters are clipped, {counted} are counted")
    });
}

/// Smallest and largest U of drivers.
fn utilisations() -> [f64; 2] {
    let [first, last] = [StpCapacitor::all().next(), StpCapacitor::all().next_back()];
    [first, last].map(|c| law::stp_utilisation(c.expect("eight settings")))
}

/// The code of the one time constant that is not 0, before it is rounded; clipped to what the law
/// is defined for.
fn code(case: &Case<'_>, plasticity: &TsodyksMarkram) -> f64 {
    let ms = plasticity.tau_rec + plasticity.tau_facil;
    let time_s = case.mapping.scaling.time_to_hw_s(ms);
    let law = law::shared_transformation(SharedParameter::VDtc);
    law.apply(time_s, Outside::Clip).unwrap_or(f64::NAN)
}

/// How many of the two parameters lie outside of what drivers reach.
fn n_clipped(case: &Case<'_>, wanted: &TsodyksMarkram) -> usize {
    if wanted.tau_rec == 0.0 && wanted.tau_facil == 0.0 {
        return 0;
    }
    let [low, high] = utilisations();
    let within = |x: f64, low: f64, high: f64| low - TOLERANCE <= x && x <= high + TOLERANCE;
    let ms = wanted.tau_rec + wanted.tau_facil;
    let time_s = case.mapping.scaling.time_to_hw_s(ms);
    let law = law::shared_transformation(SharedParameter::VDtc);
    let [long, short] = [0.0, 1023.0].map(|c| law.inverse(c, Outside::Clip).unwrap_or(f64::NAN));
    let reached = within(time_s / long, short / long, 1.0);
    usize::from(!within(wanted.u, low, high)) + usize::from(!reached)
}

/// Whether the claim has the mode of the request and the nearest settings.
fn is_nearest(case: &Case<'_>, wanted: &TsodyksMarkram, claimed: &TsodyksMarkram) -> bool {
    let modes = |p: &TsodyksMarkram| [p.tau_rec > 0.0, p.tau_facil > 0.0];
    match modes(wanted) {
        [false, false] => wanted == claimed,
        [true, true] => false,
        mode => {
            let [low, high] = utilisations();
            let u_step = (high - low) / (StpCapacitor::SIZE - 1) as f64;
            let codes = [wanted, claimed].map(|p| code(case, p));
            mode == modes(claimed)
                && (wanted.u.clamp(low, high) - claimed.u).abs() <= HALF_STEP * u_step
                && (codes[0] - codes[1]).abs() <= HALF_STEP
        }
    }
}

/// Whether a driver does what is claimed of a projection with synapses on it (V26).
pub(super) fn fits(
    case: &Case<'_>,
    hicann: HicannOnWafer,
    chip: &HicannConfig,
    driver: SynapseDriverOnHicann,
    claimed: Option<TsodyksMarkram>,
) -> bool {
    let found = &chip.synapses.drivers[driver];
    let plastic = claimed.filter(|p| p.tau_rec > 0.0 || p.tau_facil > 0.0);
    let Some(TsodyksMarkram { u, tau_rec, tau_facil }) = plastic else { return !found.stp_enable };
    let block = driver.quadrant().fg_block();
    let calibration = case.rules.measured(hicann);
    if case.rules.calibrated.is_some() && calibration.is_none() {
        // what the settings stand for is not at hand
        let mode = if tau_rec > 0.0 { StpMode::Depression } else { StpMode::Facilitation };
        return found.stp_enable && found.stp_mode == mode;
    }
    let Some(law) = law::short_term_plasticity(&chip.floating_gates, block) else { return false };
    let near = |a: f64, b: f64, tolerance: f64| (a - b).abs() <= tolerance * b.abs();
    let time_s = case.mapping.scaling.time_to_hw_s(tau_rec + tau_facil);
    let is_code = |parameter, volts: f64| {
        let code = law::nearest_code(volts / law::volts(1.0));
        chip.floating_gates.shared(block, parameter) == Some(code)
    };
    // the first event of a train has its whole effect when a driver depresses, and U/(1 - U) of it
    // when it facilitates
    let first = match found.stp_mode {
        StpMode::Depression => tau_rec > 0.0 && is_code(SharedParameter::VDep, 0.0),
        StpMode::Facilitation => {
            let offset = 1.0 - u / (1.0 - u);
            tau_facil > 0.0 && is_code(SharedParameter::VFac, offset)
        }
    };
    let speed = match calibration.map(|c| &c.blocks[block]) {
        None => {
            near(law::stp_utilisation(found.stp_capacitor), u, TOLERANCE)
                && near(law.tau_rec_s, time_s, TOLERANCE)
        }
        Some(own) => {
            // the settings of this block for the nominal ones that the claim is of
            let nominal = law::shared_transformation(SharedParameter::VDtc);
            let code = nominal.apply(time_s, Outside::Clip).map(law::nearest_code);
            let recovery = chip.floating_gates.shared(block, SharedParameter::VDtc);
            found.stp_capacitor == own.capacitor(law::stp_capacitor(u))
                && code.is_ok_and(|code| recovery == Some(own.recovery_code(code)))
        }
    };
    found.stp_enable && first && speed && is_code(SharedParameter::VStdf, 1.0)
}
