//! Calibration on demand: a mapping asks for chips, and those that no database knows are measured.

use std::collections::BTreeSet;
use std::sync::Mutex;

use calib::WaferCalibration;
use calib::campaign::CampaignError;
use hal::coord::HicannOnWafer;
use hal::defects::Defects;
use marocco::MapOptions;
use marocco::network::Network;

use super::Watch;
use super::error::SessionError;
use super::setup::{CalibrationSource, Setup};
use crate::calibration::{
    CalibratedError, Source, bench_for, calibrate_for, complete, default_database, open_or_create,
    rule_out,
};
use crate::run::Progress;

/// The calibration of the chips that a network uses; circuits that it rules out join the defects.
/// Ideal if the circuits of the wafer are nominal.
pub(super) fn for_network(
    setup: &Setup,
    network: &Network,
    options: &MapOptions,
    defects: &mut Defects,
    threads: usize,
    watch: Watch<'_>,
) -> Result<WaferCalibration, SessionError> {
    with_source(setup, defects, threads, watch, |source, defects| {
        calibrate_for(network, options, defects, source)
    })
}

/// The same for chips that are known.
pub(super) fn of_chips(
    setup: &Setup,
    hicanns: BTreeSet<HicannOnWafer>,
    defects: &mut Defects,
    threads: usize,
    watch: Watch<'_>,
) -> Result<WaferCalibration, SessionError> {
    let hicanns: Vec<HicannOnWafer> = hicanns.into_iter().collect();
    with_source(setup, defects, threads, watch, |source, defects| {
        let calibration = source(&hicanns)?;
        rule_out(&calibration, defects);
        Ok(calibration)
    })
}

/// Does some work with the database of a setup.
fn with_source(
    setup: &Setup,
    defects: &mut Defects,
    threads: usize,
    watch: Watch<'_>,
    work: impl FnOnce(&mut Source<'_>, &mut Defects) -> Result<WaferCalibration, CalibratedError>,
) -> Result<WaferCalibration, SessionError> {
    let path = match &setup.calibration {
        CalibrationSource::None => return Ok(WaferCalibration::ideal()),
        CalibrationSource::Default => None,
        CalibrationSource::File(path) => Some(path.clone()),
    };
    let Some(bench) = bench_for(setup.wafer, setup.effects) else {
        return Ok(WaferCalibration::ideal());
    };
    let path = path.map_or_else(default_database, Ok)?;
    let bench = bench.with_defects(defects.clone());
    let database =
        open_or_create(&path).map_err(CampaignError::from).map_err(CalibratedError::from)?;
    let mut source = |hicanns: &[HicannOnWafer]| {
        // the campaign works in threads of its own
        let watch = Mutex::new(&mut *watch);
        let goes_on = |done, chips| match watch.lock() {
            Ok(mut watch) => watch(Progress::Calibrating { done, chips }).is_continue(),
            Err(_) => false,
        };
        let mut announce = |missing: &[HicannOnWafer]| {
            goes_on(0, missing.len());
        };
        complete(&bench, &database, hicanns, threads, &mut announce, &|progress| {
            goes_on(progress.done, progress.chips)
        })
    };
    Ok(work(&mut source, defects)?)
}
