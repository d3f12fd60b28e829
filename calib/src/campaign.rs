//! Many chips of a wafer: measured at the same time where the wafer allows it, stored one by one.
//!
//! The two analog outputs of a reticle are shared by its eight chips, so chips of one reticle follow
//! each other, while reticles work side by side, each with its own FPGA. A chip is stored as soon as
//! it is measured: a campaign that is stopped or killed goes on where it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use hal::coord::{DncOnWafer, HicannOnWafer, WaferNumber};
use hal::defects::Defects;
use hal::wafer::{Wafer, WaferError};
use thiserror::Error;

use crate::HicannCalibration;
use crate::database::{Age, ChipKey, ChipRecord, Database, DatabaseError, Provenance};
use crate::evaluation::Evaluation;
use crate::procedure::{
    self, CalibrationError, Cost, Measured, PROCEDURE_VERSION, Quantity, Settings, Step,
};

/// A way to the wafer for one chip: a wafer in reset. On a real wafer this is the FPGA of the chip's
/// reticle; ways to different reticles are independent.
pub type Connect<'a> = dyn Fn(HicannOnWafer) -> Result<Box<dyn Wafer>, WaferError> + Sync + 'a;

/// What to measure or evaluate.
#[derive(Debug, Clone, Copy)]
pub struct Campaign<'a> {
    /// Where results go to, or come from.
    pub database: &'a Database,
    /// Name of the calibration set.
    pub set: &'a str,
    /// The wafer.
    pub wafer: WaferNumber,
    /// What the wafer calls itself.
    pub identity: &'a str,
    /// The chips.
    pub hicanns: &'a [HicannOnWafer],
    /// Lines, drivers, synapses and mergers that do not work. Circuits are judged by measuring.
    pub defects: &'a Defects,
    /// How thoroughly to measure.
    pub settings: Settings,
    /// Chips at a time, 1 or more.
    pub threads: usize,
}

/// How far a campaign is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// A chip that is worked on.
    pub hicann: HicannOnWafer,
    /// What begins there; none if the chip is finished.
    pub step: Option<&'static str>,
    /// Chips that are finished.
    pub done: usize,
    /// All chips.
    pub chips: usize,
    /// Time until the end, s, once there is something to go by.
    pub left_s: Option<f64>,
}

/// Hears of progress, and tells whether to go on.
pub type Observe<'a> = dyn Fn(&Progress) -> bool + Sync + 'a;

/// A campaign did not come to its end. Chips that were finished before are stored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CampaignError {
    /// A chip could not be measured.
    #[error(transparent)]
    Chip(#[from] CalibrationError),
    /// Results could not be stored or read.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The wafer lacks a chip.
    #[error("wafer {} has no {hicann}; leave it out", .wafer.0)]
    NoChip {
        /// The wafer.
        wafer: WaferNumber,
        /// The chip.
        hicann: HicannOnWafer,
    },
}

/// What a campaign has done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// Chips that were measured, with the number of their blacklisted circuits.
    pub measured: BTreeMap<HicannOnWafer, usize>,
    /// Chips that were in the set already, measured by the present procedures.
    pub present: Vec<HicannOnWafer>,
    /// Chips that were in the set from earlier procedures, and were measured anew for that.
    pub outdated: Vec<HicannOnWafer>,
    /// Programmings of floating gates and runs.
    pub programmings: u64,
    /// Runs of the wafer.
    pub runs: u64,
    /// Hardware time with reticles side by side, s.
    pub hardware_s: f64,
    /// Time on the computer, s.
    pub wall_s: f64,
}

/// Measures those chips that the set lacks or knows from earlier procedures only, or all of them with
/// `again`, and stores each of them.
pub fn calibrate(
    campaign: &Campaign<'_>,
    again: bool,
    connect: &Connect<'_>,
    observe: &Observe<'_>,
) -> Result<Summary, CampaignError> {
    let clock = Instant::now();
    check(campaign)?;
    let mut summary = Summary::default();
    let mut wanted = Vec::new();
    let snapshot = campaign.database.snapshot()?;
    for &hicann in campaign.hicanns {
        let key = ChipKey::new(campaign.set, campaign.wafer, hicann);
        match snapshot.age(&key)? {
            Age::Present if !again => {
                summary.present.push(hicann);
                continue;
            }
            Age::Outdated if !again => summary.outdated.push(hicann),
            _ => {}
        }
        wanted.push(hicann);
    }
    drop(snapshot);
    let measured = run(&wanted, campaign.threads, Step::ALL.len(), observe, &|hicann, begin| {
        let clock = Instant::now();
        let mut wafer = connect(hicann).map_err(CalibrationError::from)?;
        let measured = procedure::measure_chip(
            wafer.as_mut(),
            hicann,
            campaign.defects,
            campaign.settings,
            &mut |step| begin(step.name()),
        )?;
        store(campaign, hicann, &measured, clock.elapsed().as_secs_f64())?;
        let faulty = measured.circuits.values().iter().filter(|c| !c.faults.is_empty()).count();
        Ok((faulty, measured.cost))
    })?;
    let mut by_reticle: BTreeMap<DncOnWafer, f64> = BTreeMap::new();
    for (hicann, (faulty, cost)) in measured {
        summary.measured.insert(hicann, faulty);
        add(&mut summary.programmings, &mut summary.runs, cost);
        *by_reticle.entry(hicann.dnc()).or_default() += cost.hardware_s;
    }
    summary.hardware_s = by_reticle.into_values().fold(0.0, f64::max);
    summary.wall_s = clock.elapsed().as_secs_f64();
    Ok(summary)
}

fn add(programmings: &mut u64, runs: &mut u64, cost: Cost) {
    *programmings += u64::from(cost.programmings);
    *runs += u64::from(cost.runs);
}

fn store(
    campaign: &Campaign<'_>,
    hicann: HicannOnWafer,
    measured: &Measured,
    wall_s: f64,
) -> Result<(), CampaignError> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    let repetitions = campaign.settings.repetitions.to_string();
    let provenance = Provenance {
        measured_at_s: since_1970.map_or(0, |d| d.as_secs()),
        procedure: PROCEDURE_VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        wafer: campaign.identity.to_owned(),
        settings: [("repetitions".to_owned(), repetitions)].into(),
        programmings: measured.cost.programmings,
        runs: measured.cost.runs,
        hardware_s: measured.cost.hardware_s,
        wall_s,
    };
    let (blocks, quality) = (measured.blocks.clone(), measured.block_quality.clone());
    let chip = ChipRecord { provenance, blocks, quality };
    let key = ChipKey::new(campaign.set, campaign.wafer, hicann);
    Ok(campaign.database.put_chip(&key, &chip, &measured.circuits)?)
}

/// Evaluates chips that the set has (analog §3.4).
pub fn evaluate(
    campaign: &Campaign<'_>,
    connect: &Connect<'_>,
    observe: &Observe<'_>,
) -> Result<Evaluation, CampaignError> {
    let clock = Instant::now();
    check(campaign)?;
    let snapshot = campaign.database.snapshot()?;
    // nothing is measured if a chip is missing
    for &hicann in campaign.hicanns {
        snapshot.chip(&ChipKey::new(campaign.set, campaign.wafer, hicann))?;
    }
    let chips = run(campaign.hicanns, campaign.threads, STAGES, observe, &|hicann, begin| {
        let key = ChipKey::new(campaign.set, campaign.wafer, hicann);
        let circuits = snapshot.circuits(&key)?;
        let calibration = HicannCalibration::from_records(&snapshot.chip(&key)?, &circuits);
        let mut wafer = connect(hicann).map_err(CalibrationError::from)?;
        let found = procedure::evaluate_chip(
            wafer.as_mut(),
            hicann,
            campaign.defects,
            &calibration,
            &circuits,
            &mut |quantity| begin(quantity.name()),
        )?;
        Ok((found, calibration.blacklist))
    })?;
    let mut evaluation = Evaluation::default();
    for (hicann, (found, blacklist)) in chips {
        evaluation.add(hicann, &found, blacklist);
    }
    evaluation.wall_s = clock.elapsed().as_secs_f64();
    Ok(evaluation)
}

/// Quantities that an evaluation announces: four are measured along with others.
const STAGES: usize = Quantity::ALL.len() - 4;

fn check(campaign: &Campaign<'_>) -> Result<(), CampaignError> {
    let missing = campaign.hicanns.iter().find(|&&h| !campaign.defects.is_usable(h));
    missing.map_or(Ok(()), |&hicann| Err(CampaignError::NoChip { wafer: campaign.wafer, hicann }))
}

/// Work on a chip, which tells of each part of it before that begins, and hears whether to go on.
type Work<'a, T> = dyn Fn(HicannOnWafer, &mut dyn FnMut(&'static str) -> bool) -> Result<T, CampaignError>
    + Sync
    + 'a;

/// Chips that wait, and what is going on.
struct Queue {
    waiting: Vec<HicannOnWafer>,
    busy: BTreeSet<DncOnWafer>,
    /// Parts of chips that are finished.
    parts: usize,
    done: usize,
    failed: bool,
}

/// Works on chips, those of a reticle one after the other, each within a pool of one thread. The
/// work calls back when a part of it begins, and stops if that says so.
fn run<T: Send>(
    hicanns: &[HicannOnWafer],
    threads: usize,
    parts_per_chip: usize,
    observe: &Observe<'_>,
    work: &Work<'_, T>,
) -> Result<BTreeMap<HicannOnWafer, T>, CampaignError> {
    let clock = Instant::now();
    let chips = hicanns.len();
    let queue = Mutex::new(Queue {
        waiting: hicanns.iter().rev().copied().collect(),
        busy: BTreeSet::new(),
        parts: 0,
        done: 0,
        failed: false,
    });
    let changed = Condvar::new();
    let stop = AtomicBool::new(false);
    let results: Mutex<BTreeMap<HicannOnWafer, Result<T, CampaignError>>> = Mutex::default();
    // a worker that panicked takes the campaign down with it when the scope ends
    let lock = || queue.lock().unwrap_or_else(PoisonError::into_inner);
    let next = || {
        let mut state = lock();
        loop {
            if state.failed || state.waiting.is_empty() {
                return None;
            }
            let free = |h: &HicannOnWafer| !state.busy.contains(&h.dnc());
            if let Some(i) = state.waiting.iter().rposition(free) {
                let hicann = state.waiting.remove(i);
                state.busy.insert(hicann.dnc());
                return Some(hicann);
            }
            state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    };
    let tell = |hicann, step, parts: usize, done: usize| {
        let total = (chips * parts_per_chip) as f64;
        let share = parts as f64 / total;
        let left_s = (parts > 0).then(|| clock.elapsed().as_secs_f64() * (1.0 / share - 1.0));
        if !observe(&Progress { hicann, step, done, chips, left_s }) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let worker = || {
        while let Some(hicann) = next() {
            let mut begun = 0;
            let done = work(hicann, &mut |step| {
                let mut state = lock();
                state.parts += usize::from(begun > 0);
                begun += 1;
                let (parts, done) = (state.parts, state.done);
                drop(state);
                tell(hicann, Some(step), parts, done);
                !stop.load(Ordering::Relaxed)
            });
            let mut state = lock();
            state.parts += parts_per_chip.saturating_sub(begun.max(1) - 1);
            state.done += usize::from(done.is_ok());
            state.failed |= done.is_err();
            state.busy.remove(&hicann.dnc());
            let (parts, finished) = (state.parts, state.done);
            drop(state);
            if done.is_err() {
                stop.store(true, Ordering::Relaxed);
            } else {
                tell(hicann, None, parts, finished);
            }
            changed.notify_all();
            results.lock().unwrap_or_else(PoisonError::into_inner).insert(hicann, done);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, chips.max(1)) {
            scope.spawn(|| {
                // chips are independent: more threads within one would only wait for each other
                match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
                    Ok(pool) => pool.install(worker),
                    Err(_) => worker(),
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut finished = BTreeMap::new();
    let mut first_error = None;
    for (hicann, result) in results {
        match result {
            Ok(value) => drop(finished.insert(hicann, value)),
            // that others were stopped is the consequence
            Err(CampaignError::Chip(CalibrationError::Stopped)) if first_error.is_some() => {}
            Err(error) => first_error = Some(error),
        }
    }
    first_error.map_or(Ok(finished), Err)
}
