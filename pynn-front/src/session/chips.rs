//! A network on the chips: the mapping of a session, and how it is made anew.

use std::sync::OnceLock;

use calib::{CellParameters, WaferCalibration};
use emulator::Instance;
use hal::defects::{Component, Defects};
use hal::wafer::{ConfigurationWords, Pulses};
use marocco::mapping::StageTimes;
use marocco::network::Network;
use marocco::requests::Request;
use marocco::verify::{Rules, Verification};
use marocco::{MapError, MapOptions, Mapped, MappingReport, SavedMapping};

use super::Watch;
use super::calibrate;
use super::cells::{mode, scaling_for};
use super::error::SessionError;
use super::setup::{Setup, VoltageWindow};
use crate::calibration::Bench;
use crate::export::Delays;
use crate::realise::{Realised, on_threads, realise_again, realise_calibrated};
use crate::recording::Senders;
use crate::run::{Progress, RunError};

/// A mapped network.
#[derive(Debug)]
pub(super) struct Chips {
    pub(super) mapped: Mapped,
    pub(super) words: ConfigurationWords,
    pub(super) rules: Rules,
    pub(super) verification: Verification,
    pub(super) report: MappingReport,
    /// Who sends under which label.
    pub(super) senders: Senders,
    /// Of the routes, once somebody asked for them.
    pub(super) delays: OnceLock<Delays>,
    options: MapOptions,
    window: VoltageWindow,
    /// Those of the wafer, and circuits that calibration rules out.
    defects: Defects,
    calibration: WaferCalibration,
}

/// What the mapper is asked for, and the voltage window behind it.
pub(super) fn options(
    setup: &Setup,
    network: &Network,
    before: Option<VoltageWindow>,
    apart: &[Request],
) -> Result<(VoltageWindow, MapOptions), SessionError> {
    let (window, scaling) = scaling_for(setup, network, before)?;
    let mut options = MapOptions::new(scaling, mode(setup));
    options.neuron_size = setup.neuron_size;
    options.effort = setup.effort;
    options.seed = setup.seed;
    options.requests = apart.to_vec();
    options.cancel = setup.cancel.clone();
    Ok((window, options))
}

/// Tells of progress; what is to stop hears of it by the flag of the options.
fn quietly(watch: Watch<'_>) -> impl FnMut(Progress) {
    |progress| {
        let _ = watch(progress);
    }
}

impl Chips {
    /// Maps from the beginning, some neurons apart from the others.
    pub(super) fn new(
        setup: &Setup,
        defects: &Defects,
        network: &Network,
        apart: &[Request],
        watch: Watch<'_>,
    ) -> Result<Self, SessionError> {
        let (window, options) = options(setup, network, None, apart)?;
        let (broken, mut defects) = (defects, defects.clone());
        on_threads(setup.threads, |threads| {
            let calibration =
                calibrate::for_network(setup, network, &options, &mut defects, threads, watch)?;
            let bench = match setup.wafer {
                Instance::Manufactured(wafer) => Some(Bench::new(wafer, setup.effects)),
                Instance::Ideal => None,
            };
            let bench = bench.map(|bench| bench.with_defects(broken.clone()));
            let watch = &mut quietly(watch);
            let realised = realise_calibrated(
                network,
                &options,
                &defects,
                &calibration,
                bench.as_ref(),
                watch,
            )?;
            Ok(Self::of(network, realised, options, window, defects, calibration))
        })?
    }

    /// Maps a network that differs in weights and cells only: placement and routes stay. Cells that
    /// the chips with their present capacitor and leak cannot do are placed anew.
    pub(super) fn again(
        &self,
        setup: &Setup,
        network: &Network,
        watch: Watch<'_>,
    ) -> Result<Self, SessionError> {
        let apart = &self.options.requests;
        let (window, options) = options(setup, network, Some(self.window), apart)?;
        let Self { mapped, defects, calibration, .. } = self;
        let again = on_threads(setup.threads, |_| {
            realise_again(network, mapped, &options, defects, calibration, &mut quietly(watch))
        })?;
        match again {
            Ok(realised) => {
                let (defects, calibration) = (defects.clone(), calibration.clone());
                Ok(Self::of(network, realised, options, window, defects, calibration))
            }
            Err(RunError::Map(MapError::Cell { .. })) => {
                Self::new(setup, defects, network, apart, watch)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes over placement, routes and drivers of a saved mapping.
    pub(super) fn load(
        setup: &Setup,
        defects: &Defects,
        network: &Network,
        saved: &SavedMapping,
        watch: Watch<'_>,
    ) -> Result<Self, SessionError> {
        let (window, options) = options(setup, network, None, &[])?;
        let mapped = saved.mapped().map_err(RunError::from)?;
        let mut defects = defects.clone();
        on_threads(setup.threads, |threads| {
            let placed = saved.mapping.placement.neurons.iter().flatten();
            let used = placed.map(|neuron| neuron.hicann).collect();
            let calibration = calibrate::of_chips(setup, used, &mut defects, threads, watch)?;
            let realised = realise_again(
                network,
                &mapped,
                &options,
                &defects,
                &calibration,
                &mut quietly(watch),
            )?;
            Ok(Self::of(network, realised, options, window, defects, calibration))
        })?
    }

    fn of(
        network: &Network,
        realised: Realised,
        options: MapOptions,
        window: VoltageWindow,
        defects: Defects,
        calibration: WaferCalibration,
    ) -> Self {
        let Realised { mapping, config, words, rules, verification, .. } = realised;
        Self {
            report: marocco::report(network, &mapping, verification.is_ok()),
            senders: Senders::new(network, &mapping),
            mapped: Mapped { mapping, config },
            words,
            rules,
            verification,
            delays: OnceLock::new(),
            options,
            window,
            defects,
            calibration,
        }
    }

    /// As a file keeps it. Times of the mapper would make equal mappings unequal files.
    pub(super) fn to_save(&self, network: &Network, released: Option<Pulses>) -> SavedMapping {
        let mut mapping = self.mapped.mapping.clone();
        mapping.times = StageTimes::default();
        let (network, words, rules) = (network.clone(), self.words.clone(), self.rules.clone());
        SavedMapping { network, mapping, words, rules, released }
    }

    /// What the cells give to each member.
    pub(super) fn mean_cells(&self) -> Result<Vec<Option<CellParameters>>, SessionError> {
        Ok(self.mapped.mean_cells(&self.calibration)?)
    }

    /// Whether a component works.
    pub(super) fn is_usable(&self, component: impl Into<Component>) -> bool {
        self.defects.is_usable(component)
    }

    pub(super) const fn speedup(&self) -> f64 {
        self.options.scaling.speedup
    }
}
