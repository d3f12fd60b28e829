//! Short-term plasticity: from the parameters of Tsodyks and Markram to the settings of a synapse
//! driver and of its floating-gate block, and back (analog §1.8, §5.3).
//!
//! A driver depresses or facilitates, never both, and an event uses one of eight shares U of its
//! resources. How fast these recover, and the offset of facilitation, are cells of the block, which
//! all drivers of a quadrant share. The settings here are those of nominal silicon; a measured
//! [`BlockCalibration`](crate::BlockCalibration) has those of a block that do the same.
//!
//! A row conducts its weight times 1 - I when it depresses and times I + U/(1-U) when it
//! facilitates, where I is the inactive share that the last events left. The model's efficacy, weight
//! times u times x, is that when the row's weight is U times, or 1 - U times, that of the model.

use hal::config::{SharedParameter, StpMode};
use hal::law::{self, Outside};
use hal::value::{DacCode, StpCapacitor};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{BlockCalibration, Clipped, InvalidScaling, Scaling};

/// Strength of the plasticity: the full one, at V_stdf of 1 V.
const STRENGTH: f64 = 1.0;

/// Short-term plasticity as PyNN's `TsodyksMarkramSynapse` has it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TsodyksMarkram {
    /// Share of the resources that the first event uses, above 0 and at most 1.
    pub u: f64,
    /// Time constant of recovery in biological ms; 0: no depression.
    pub tau_rec: f64,
    /// Time constant of facilitation in biological ms; 0: no facilitation.
    pub tau_facil: f64,
}

impl TsodyksMarkram {
    /// What a row must conduct per weight of the model, 0..=1: see the head of this file. With
    /// neither time constant every event finds all resources and uses U of them.
    pub fn row_share(&self) -> f64 {
        if self.tau_facil > 0.0 { 1.0 - self.u } else { self.u }
    }

    /// Whether all numbers are physical.
    pub fn validate(&self) -> Result<(), PlasticityError> {
        if !(self.u > 0.0 && self.u <= 1.0) {
            return Err(PlasticityError::Utilisation(self.u));
        }
        for (parameter, ms) in [("tau_rec", self.tau_rec), ("tau_facil", self.tau_facil)] {
            if !(ms.is_finite() && ms >= 0.0) {
                return Err(PlasticityError::Time { parameter, ms });
            }
        }
        Ok(())
    }
}

/// Plasticity settings of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DriverPlasticity {
    /// Depression or facilitation.
    pub mode: StpMode,
    /// How much an event uses.
    pub capacitor: StpCapacitor,
}

impl DriverPlasticity {
    /// The settings with which drivers of a block do what nominal ones do with these.
    #[must_use]
    pub fn on(self, block: &BlockCalibration) -> Self {
        Self { capacitor: block.capacitor(self.capacitor), ..self }
    }

    /// Whether the block has no capacitor within half a step of what these settings ask for.
    pub fn is_clipped_on(self, block: &BlockCalibration) -> bool {
        let realised = block.utilisation(block.capacitor(self.capacitor));
        let ends = [StpCapacitor::new::<0>(), StpCapacitor::new::<7>()];
        let [low, high] = ends.map(|end| block.utilisation(end));
        let half_step = 0.5 * (high - low) / (StpCapacitor::SIZE - 1) as f64;
        (realised - law::stp_utilisation(self.capacitor)).abs() > half_step * (1.0 + 1e-9)
    }
}

/// Cells of a block on which the drivers of its quadrant depend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BlockPlasticity {
    /// Recovery, V_dtc.
    pub recovery: DacCode,
    /// Offset of facilitation, V_fac; none for drivers that depress, which do not depend on it.
    pub facilitation: Option<DacCode>,
}

impl BlockPlasticity {
    /// The cells of the block that matter to its drivers; all others of plasticity stay 0.
    pub fn cells(self) -> impl Iterator<Item = (SharedParameter, DacCode)> {
        let strength = code(SharedParameter::VStdf, STRENGTH);
        let facilitation = self.facilitation.map(|code| (SharedParameter::VFac, code));
        [(SharedParameter::VStdf, strength), (SharedParameter::VDtc, self.recovery)]
            .into_iter()
            .chain(facilitation)
    }

    /// The cells with which the drivers of a block do what nominal ones do with these.
    #[must_use]
    pub fn on(self, block: &BlockCalibration) -> Self {
        Self { recovery: block.recovery_code(self.recovery), ..self }
    }
}

/// A plasticity on the wafer.
#[derive(Debug, Clone, PartialEq)]
pub struct PlasticityTranslation {
    /// Driver and block; none if there is neither depression nor facilitation.
    pub settings: Option<(DriverPlasticity, BlockPlasticity)>,
    /// What these settings stand for.
    pub realised: TsodyksMarkram,
    /// What had to be clipped. To be rounded to the nearest setting is not to be clipped.
    pub clipped: Vec<Clipped>,
}

/// A plasticity has no translation.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum PlasticityError {
    /// U is no share.
    #[error("U = {0}: a share of the resources above 0 and up to 1")]
    Utilisation(f64),
    /// A time constant is negative or not a number.
    #[error("{parameter} = {ms} ms: time constants are finite and not negative")]
    Time {
        /// PyNN's name of the parameter.
        parameter: &'static str,
        /// Its value.
        ms: f64,
    },
    /// A driver has one mode.
    #[error(
        "tau_rec = {tau_rec} ms and tau_facil = {tau_facil} ms: a synapse driver depresses or \
         facilitates, not both; set one of them to 0"
    )]
    BothTimes {
        /// Time constant of recovery, ms.
        tau_rec: f64,
        /// Time constant of facilitation, ms.
        tau_facil: f64,
    },
    /// A value is too far beyond what the drivers reach to be clipped.
    #[error(
        "{parameter} = {value} is out of reach: with this speedup synapse drivers do {low:.4} to \
         {high:.4}; choose a value there"
    )]
    OutOfReach {
        /// PyNN's name of the parameter.
        parameter: &'static str,
        /// The value asked for.
        value: f64,
        /// The smallest value.
        low: f64,
        /// The largest value.
        high: f64,
    },
    /// The scaling makes no sense.
    #[error(transparent)]
    Scaling(#[from] InvalidScaling),
}

/// The nearest settings for a plasticity. Values up to a factor of 2 beyond what the drivers reach
/// are clipped and listed.
pub fn translate_plasticity(
    wanted: &TsodyksMarkram,
    scaling: &Scaling,
) -> Result<PlasticityTranslation, PlasticityError> {
    wanted.validate()?;
    scaling.validate()?;
    let TsodyksMarkram { u, tau_rec, tau_facil } = *wanted;
    if tau_rec > 0.0 && tau_facil > 0.0 {
        return Err(PlasticityError::BothTimes { tau_rec, tau_facil });
    }
    let (mode, name, tau_ms) = match (tau_rec > 0.0, tau_facil > 0.0) {
        (true, _) => (StpMode::Depression, "tau_rec", tau_rec),
        (_, true) => (StpMode::Facilitation, "tau_facil", tau_facil),
        _ => {
            let (settings, clipped) = (None, Vec::new());
            return Ok(PlasticityTranslation { settings, realised: *wanted, clipped });
        }
    };
    let capacitor = law::stp_capacitor(u);
    let realised_u = law::stp_utilisation(capacitor);
    let range = [StpCapacitor::new::<0>(), StpCapacitor::new::<7>()].map(law::stp_utilisation);
    let mut clipped = Vec::new();
    clipped.extend(clip("U", u, range, realised_u)?);

    let time = law::shared_transformation(SharedParameter::VDtc);
    let bio_ms = |code: DacCode| {
        // the law is monotone and defined for every code
        scaling.time_to_bio_ms(time.inverse(code.into(), Outside::Clip).unwrap_or(f64::NAN))
    };
    let recovery = code(SharedParameter::VDtc, scaling.time_to_hw_s(tau_ms));
    let realised_ms = bio_ms(recovery);
    let range = [bio_ms(DacCode::MAX), bio_ms(DacCode::default())];
    clipped.extend(clip(name, tau_ms, range, realised_ms)?);

    let mut realised = TsodyksMarkram { u: realised_u, tau_rec: 0.0, tau_facil: 0.0 };
    let facilitation = match mode {
        StpMode::Depression => {
            realised.tau_rec = realised_ms;
            None
        }
        StpMode::Facilitation => {
            realised.tau_facil = realised_ms;
            let offset = (1.0 - 2.0 * realised_u) / (1.0 - realised_u);
            Some(code(SharedParameter::VFac, STRENGTH * offset))
        }
    };
    let driver = DriverPlasticity { mode, capacitor };
    let settings = Some((driver, BlockPlasticity { recovery, facilitation }));
    Ok(PlasticityTranslation { settings, realised, clipped })
}

/// The nearest code for a value in the unit of the parameter's law.
fn code(parameter: SharedParameter, value: f64) -> DacCode {
    let code = law::shared_transformation(parameter).apply(value, Outside::Clip);
    // only NaN has no code
    law::nearest_code(code.unwrap_or_default())
}

/// How a value is clipped to a range, if it is outside.
fn clip(
    parameter: &'static str,
    wanted: f64,
    [low, high]: [f64; 2],
    realised: f64,
) -> Result<Option<Clipped>, PlasticityError> {
    const ROUNDING: f64 = 1e-9;
    if (low * (1.0 - ROUNDING)..=high * (1.0 + ROUNDING)).contains(&wanted) {
        return Ok(None);
    }
    if !(low / 2.0..=high * 2.0).contains(&wanted) {
        return Err(PlasticityError::OutOfReach { parameter, value: wanted, low, high });
    }
    Ok(Some(Clipped { parameter, wanted, low, high, realised }))
}

#[cfg(test)]
mod tests {
    use hal::config::FloatingGates;
    use hal::coord::FgBlockOnHicann;
    use proptest::prelude::*;

    use super::*;

    fn translated(u: f64, tau_rec: f64, tau_facil: f64) -> PlasticityTranslation {
        let wanted = TsodyksMarkram { u, tau_rec, tau_facil };
        translate_plasticity(&wanted, &Scaling::default()).unwrap()
    }

    #[test]
    fn published_recovery_times_have_their_codes() {
        // analog §1.8: 10 us -> 62, 5 us -> 125, 104 us -> 5 at a speedup of 10^4
        for (ms, recovery) in [(100.0, 62), (50.0, 125), (1040.0, 5)] {
            for (rec, facil) in [(ms, 0.0), (0.0, ms)] {
                let (_, block) = translated(0.3, rec, facil).settings.unwrap();
                assert_eq!(block.recovery.index(), recovery);
            }
        }
    }

    #[test]
    fn neither_time_is_a_static_synapse_of_u_times_the_weight() {
        let none = translated(0.9, 0.0, 0.0);
        assert_eq!(none.settings, None);
        assert_eq!(none.realised.row_share(), 0.9);
    }

    #[test]
    fn what_drivers_cannot_do_is_clipped_or_refused_by_name() {
        let half = translated(0.5, 100.0, 0.0);
        assert_eq!(half.clipped.len(), 1);
        assert_eq!((half.clipped[0].parameter, half.clipped[0].high), ("U", 0.4));
        assert!((half.realised.u - 0.4).abs() < 1e-12);
        let refusal = |u, tau_rec, tau_facil| {
            let wanted = TsodyksMarkram { u, tau_rec, tau_facil };
            translate_plasticity(&wanted, &Scaling::default()).unwrap_err().to_string()
        };
        assert!(refusal(0.3, 100.0, 100.0).contains("not both"));
        assert!(refusal(0.9, 100.0, 0.0).starts_with("U = 0.9"));
        assert!(refusal(0.1, 0.0, 100.0).starts_with("U = 0.1"));
        assert!(refusal(0.3, 1.0, 0.0).starts_with("tau_rec = 1 "));
        assert!(refusal(0.3, 0.0, 20_000.0).starts_with("tau_facil = 20000 "));
        assert!(refusal(0.0, 0.0, 100.0).starts_with("U = 0"));
        assert!(refusal(0.3, -1.0, 0.0).starts_with("tau_rec = -1"));
    }

    #[test]
    fn blocks_have_settings_of_their_own() {
        let (driver, cells) = translated(0.3, 100.0, 0.0).settings.unwrap();
        let mut block = BlockCalibration::ideal();
        assert_eq!((driver.on(&block), cells.on(&block)), (driver, cells));
        assert!(!driver.is_clipped_on(&block));
        block.set_utilisation(1.1);
        block.set(SharedParameter::VDtc, law::recovery_transformation(0.8).unwrap());
        let (own, own_cells) = (driver.on(&block), cells.on(&block));
        assert!((block.utilisation(own.capacitor) - 0.3).abs() < 0.013);
        // 10 us of such drivers are 12.5 us of nominal ones: 6.319e-4 / 12.5e-6 - 1.08
        assert_eq!((cells.recovery.index(), own_cells.recovery.index()), (62, 49));
        assert_eq!(own_cells.facilitation, cells.facilitation);
        let (weakest, _) = translated(0.25, 100.0, 0.0).settings.unwrap();
        assert!(!driver.is_clipped_on(&block) && weakest.is_clipped_on(&block));
    }

    proptest! {
        #[test]
        fn cells_give_back_what_was_realised(
            u in 0.25..0.40_f64,
            tau_ms in 10.0..3000.0_f64,
            depresses: bool,
        ) {
            let (rec, facil) = if depresses { (tau_ms, 0.0) } else { (0.0, tau_ms) };
            let made = translated(u, rec, facil);
            prop_assert!(made.clipped.is_empty());
            prop_assert!((made.realised.u - u).abs() < 0.15 / 14.0 + 1e-9);
            let (driver, cells) = made.settings.unwrap();
            let mut gates = FloatingGates::default();
            let block = FgBlockOnHicann::new::<0>();
            for (parameter, code) in cells.cells() {
                gates.set_shared(block, parameter, code);
            }
            let law = law::short_term_plasticity(&gates, block).unwrap();
            let realised_ms = made.realised.tau_rec + made.realised.tau_facil;
            prop_assert!((law.tau_rec_s * 1e7 - realised_ms).abs() < 1e-9 * realised_ms);
            prop_assert!((law.lambda - 1.0).abs() < 1e-3);
            // the first event of each train is that of the model
            let first = match driver.mode {
                StpMode::Depression => 1.0 + law.lambda * law.n_dep,
                StpMode::Facilitation => 1.0 - law.lambda * law.n_fac,
            };
            prop_assert!((first * made.realised.row_share() - made.realised.u).abs() < 2e-3);
        }
    }
}
