//! From a network to words that are known to realise it: place and route, encode, verify.

use std::sync::Arc;
use std::time::Instant;

use calib::WaferCalibration;
use hal::codec::encode_wafer;
use hal::config::WaferConfig;
use hal::defects::Defects;
use hal::wafer::ConfigurationWords;
use marocco::mapping::Mapping;
use marocco::network::Network;
use marocco::verify::{Rules, Verification, verify};
use marocco::{MapError, MapOptions, Mapped, Stage, map, remap};

use crate::calibration::Bench;
use crate::run::{Progress, RunError};
use crate::trim::trim;

/// A network on the wafer.
#[derive(Debug)]
pub struct Realised {
    /// What was placed where, what was lost and why.
    pub mapping: Mapping,
    /// The configuration of the chips.
    pub config: WaferConfig,
    /// The same as words.
    pub words: ConfigurationWords,
    /// What it was verified against: limits and the defects of the wafer.
    pub rules: Rules,
    /// Whether the words realise exactly this mapping.
    pub verification: Verification,
    /// Wall seconds of the encoder.
    pub encode_s: f64,
    /// Wall seconds of the verifier.
    pub verify_s: f64,
}

/// Maps a network onto a wafer with these defects, encodes the configuration, and has the words
/// verified.
pub fn realise(
    network: &Network,
    options: &MapOptions,
    defects: &Defects,
    observe: &mut dyn FnMut(Progress),
) -> Result<Realised, RunError> {
    realise_calibrated(network, options, defects, &WaferCalibration::ideal(), None, observe)
}

/// As [`realise`], through the calibration of the wafer. Its blacklisted circuits have to be among
/// the defects. With the wafer to measure on, the circuits that fire are chosen there ([`trim()`]).
pub fn realise_calibrated(
    network: &Network,
    options: &MapOptions,
    defects: &Defects,
    calibration: &WaferCalibration,
    bench: Option<&Bench>,
    observe: &mut dyn FnMut(Progress),
) -> Result<Realised, RunError> {
    let stage = &mut |stage| observe(Progress::Mapping(stage));
    let mut mapped = map(network, options, defects, calibration, stage)?;
    if let Some(bench) = bench.filter(|_| !calibration.hicanns.is_empty()) {
        observe(Progress::Trimming);
        trim(&mut mapped, calibration, bench)?;
    }
    verified(network, mapped, options, defects, calibration, observe)
}

/// As [`realise_calibrated`], on placement, routes and drivers of an earlier mapping.
pub fn realise_again(
    network: &Network,
    before: &Mapped,
    options: &MapOptions,
    defects: &Defects,
    calibration: &WaferCalibration,
    observe: &mut dyn FnMut(Progress),
) -> Result<Realised, RunError> {
    observe(Progress::Mapping(Stage::Parameters));
    let mapped = remap(network, before, options, defects, calibration)?;
    verified(network, mapped, options, defects, calibration, observe)
}

/// Encodes a mapping and has its words verified.
fn verified(
    network: &Network,
    mapped: Mapped,
    options: &MapOptions,
    defects: &Defects,
    calibration: &WaferCalibration,
    observe: &mut dyn FnMut(Progress),
) -> Result<Realised, RunError> {
    let Mapped { mapping, config } = mapped;
    // from here on only words
    observe(Progress::Encoding);
    let clock = Instant::now();
    let words = encode_wafer(&config)?;
    options.cancel.check().map_err(MapError::from)?;
    let encode_s = clock.elapsed().as_secs_f64();
    observe(Progress::Verifying);
    let clock = Instant::now();
    let measured = Some(calibration).filter(|calibration| !calibration.hicanns.is_empty());
    let calibrated = measured.and_then(|calibration| calibration.wafer);
    let calibration = measured.map(|calibration| Arc::new(calibration.clone()));
    let rules = Rules { calibrated, calibration, ..options.rules(defects) };
    let verification = verify(network, &mapping, &words, &rules)?;
    options.cancel.check().map_err(MapError::from)?;
    let verify_s = clock.elapsed().as_secs_f64();
    Ok(Realised { mapping, config, words, rules, verification, encode_s, verify_s })
}

/// Does some work on this number of threads, on all processors if there is none, and tells it how
/// many they are.
pub fn on_threads<T: Send>(
    threads: Option<usize>,
    work: impl FnOnce(usize) -> T + Send,
) -> Result<T, RunError> {
    let all = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = threads.filter(|&n| n > 0).unwrap_or_else(all);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| RunError::Threads { threads, reason: e.to_string() })?;
    Ok(pool.install(|| work(threads)))
}
