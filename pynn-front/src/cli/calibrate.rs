//! `bss1 calibrate`: measure chips of a wafer and keep the result.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::anyhow;
use calib::campaign::{self, CampaignError, Progress, Summary};
use calib::database::{Database, DatabaseError};
use calib::procedure::{CalibrationError, PROCEDURE_VERSION, Settings};
use clap::Args;
use emulator::{Effects, Instance};
use hal::coord::{Coordinate as _, HicannOnWafer, NeuronOnHicann, WaferNumber};
use hal::defects::Defects;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::io::IsTerminal as _;

use super::console::say;
use super::{Failure, effect};
use crate::calibration::{Bench, DEFAULT_SET, default_database, open_or_create};

/// Some chips: `0-7,33` or `all`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hicanns {
    /// All that the wafer has, or the database.
    All,
    /// These.
    Listed(Vec<HicannOnWafer>),
}

/// Reads a list of chips.
pub(super) fn hicanns(text: &str) -> Result<Hicanns, String> {
    if text == "all" {
        return Ok(Hicanns::All);
    }
    let chip = |text: &str| {
        let number = text.trim().parse().ok().and_then(HicannOnWafer::from_index);
        number.ok_or_else(|| format!("`{text}` is no chip; write numbers 0 to 383, like 0-7,33"))
    };
    let mut chips = BTreeSet::new();
    for part in text.split(',') {
        match part.split_once('-') {
            None => {
                chips.insert(chip(part)?);
            }
            Some((first, last)) => {
                let (first, last) = (chip(first)?, chip(last)?);
                if last < first {
                    return Err(format!("`{part}` runs backwards; write {last}-{first}"));
                }
                let range = first.index()..=last.index();
                chips.extend(range.filter_map(HicannOnWafer::from_index));
            }
        }
    }
    Ok(Hicanns::Listed(chips.into_iter().collect()))
}

impl Hicanns {
    /// The chips of a wafer; one that it lacks is a wrong request.
    pub(super) fn on(
        &self,
        wafer: WaferNumber,
        defects: &Defects,
    ) -> Result<Vec<HicannOnWafer>, Failure> {
        match self {
            Self::All => Ok(defects.usable_hicanns().collect()),
            Self::Listed(chips) => match chips.iter().find(|&&h| !defects.is_usable(h)) {
                Some(&hicann) => Err(Failure::request(CampaignError::NoChip { wafer, hicann })),
                None => Ok(chips.clone()),
            },
        }
    }
}

/// Which database, and which set in it.
#[derive(Debug, Clone, Args)]
pub(super) struct Where {
    /// The calibration database [default: calibration.db in BSS1_HOME or ~/.bss1]
    #[arg(long = "db", value_name = "FILE")]
    pub(super) database: Option<PathBuf>,
    /// The calibration set; experiments use the one named default
    #[arg(long, default_value = DEFAULT_SET)]
    pub(super) set: String,
}

impl Where {
    pub(super) fn path(&self) -> Result<PathBuf, Failure> {
        self.database.clone().map_or_else(|| default_database().map_err(Failure::request), Ok)
    }

    /// The database, which must be there.
    pub(super) fn open(&self) -> Result<Database, Failure> {
        Database::open(&self.path()?).map_err(database_failure)
    }
}

/// The chips to measure, and how.
#[derive(Debug, Args)]
pub(super) struct CalibrateArguments {
    #[command(flatten)]
    pub(super) bench: BenchArguments,
    /// Programmings of each value of a sweep
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=50))]
    repetitions: u8,
    /// Measure chips anew that the set has
    #[arg(long)]
    again: bool,
}

/// A wafer, some of its chips, a database.
#[derive(Debug, Args)]
pub(super) struct BenchArguments {
    /// Number of the wafer
    #[arg(long, default_value_t = 30)]
    pub(super) wafer: u32,
    /// The chips, like 0-7,33, or all
    #[arg(long, value_parser = hicanns)]
    hicanns: Hicanns,
    #[command(flatten)]
    pub(super) place: Where,
    /// Switch an effect or a group of effects; all but fg_drift are on
    #[arg(long = "effect", value_name = "NAME=on|off", value_parser = effect)]
    effects: Vec<(Effects, bool)>,
    /// Chips at a time; results do not depend on it [default: all processors]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl BenchArguments {
    pub(super) fn bench(&self) -> Bench {
        let wafer = WaferNumber(self.wafer);
        let default = Instance::Manufactured(wafer).default_effects();
        let effects = self.effects.iter().fold(default, |set, &(which, on)| set.with(which, on));
        Bench::new(wafer, effects)
    }

    pub(super) fn chips(&self, bench: &Bench) -> Result<Vec<HicannOnWafer>, Failure> {
        self.hicanns.on(WaferNumber(self.wafer), bench.defects())
    }

    pub(super) fn threads(&self) -> usize {
        threads(self.threads.map(usize::from))
    }
}

/// A number of threads, that of the processors if none is given.
pub(super) fn threads(wanted: Option<usize>) -> usize {
    let all = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    wanted.unwrap_or_else(all)
}

pub(super) fn calibrate(arguments: &CalibrateArguments) -> Result<Value, Failure> {
    let bench = arguments.bench.bench();
    let chips = arguments.bench.chips(&bench)?;
    let place = &arguments.bench.place;
    let path = place.path()?;
    let database = open_or_create(&path).map_err(database_failure)?;
    let settings = Settings { repetitions: usize::from(arguments.repetitions) };
    let campaign =
        bench.campaign(&database, &place.set, &chips, settings, arguments.bench.threads());
    let watch = Watch::new();
    let done = campaign::calibrate(
        &campaign,
        arguments.again,
        &|hicann| bench.connect(hicann),
        &|progress| watch.note(progress),
    );
    watch.done();
    let summary = done.map_err(campaign_failure)?;
    say(&page(arguments.bench.wafer, &summary));
    say(&format!("  database       {}, set {}", path.display(), place.set));
    let blacklisted: usize = summary.measured.values().sum();
    Ok(json!({
        "wafer": arguments.bench.wafer,
        "set": place.set,
        "database": path,
        "hicanns": summary.measured.keys().map(|h| h.index()).collect::<Vec<_>>(),
        "present": summary.present.iter().map(|h| h.index()).collect::<Vec<_>>(),
        "outdated": summary.outdated.iter().map(|h| h.index()).collect::<Vec<_>>(),
        "blacklisted": blacklisted,
        "programmings": summary.programmings,
        "runs": summary.runs,
        "hardware_s": summary.hardware_s,
        "wall_s": summary.wall_s,
    }))
}

fn page(wafer: u32, summary: &Summary) -> String {
    let chips = summary.measured.len();
    let blacklisted: usize = summary.measured.values().sum();
    let present = summary.present.len();
    let mut head = format!("wafer {wafer}: {chips} chips calibrated, {present} were in the set");
    if !summary.outdated.is_empty() {
        let n = summary.outdated.len();
        let _ = write!(
            head,
            "\n  measured anew  {n}, known from procedures before version {PROCEDURE_VERSION}"
        );
    }
    if chips == 0 {
        return head;
    }
    let each = summary.wall_s / chips as f64;
    format!(
        "{head}\n  time           {:.1} s, {each:.1} s per chip\n  hardware       {:.0} s, reticles \
         side by side: {} programmings, {} runs (estimate)\n  blacklisted    {blacklisted} of {} \
         circuits",
        summary.wall_s,
        summary.hardware_s,
        summary.programmings,
        summary.runs,
        NeuronOnHicann::SIZE * chips,
    )
}

/// A file that is missing or not what it should be is a wrong request.
pub(super) fn database_failure(error: DatabaseError) -> Failure {
    match error {
        DatabaseError::InUse { .. } => Failure::other(error),
        _ => Failure::request(error),
    }
}

pub(super) fn campaign_failure(error: CampaignError) -> Failure {
    match error {
        CampaignError::Database(error) => database_failure(error),
        CampaignError::NoChip { .. } | CampaignError::Chip(CalibrationError::NoChip { .. }) => {
            Failure::request(error)
        }
        CampaignError::Chip(CalibrationError::Stopped) => {
            Failure::other(anyhow!("stopped; chips that were finished are stored"))
        }
        _ => Failure::other(error),
    }
}

/// Shows progress: a bar on a terminal, a line per chip elsewhere.
#[derive(Debug)]
pub(super) struct Watch {
    bar: Option<ProgressBar>,
}

impl Watch {
    pub(super) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{msg:<46} {bar:24} {pos}/{len} {elapsed}")
                .expect("the template is well formed");
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
        });
        Self { bar }
    }

    /// Takes note of progress, and never stops.
    pub(super) fn note(&self, progress: &Progress) -> bool {
        let Progress { hicann, step, done, chips, left_s } = *progress;
        let left = left_s.map_or(String::new(), |s| format!(", {s:.0} s left"));
        match (&self.bar, step) {
            (Some(bar), _) => {
                bar.set_length(chips as u64);
                bar.set_position(done as u64);
                let chip = hicann.index();
                bar.set_message(format!("chip {chip}: {}{left}", step.unwrap_or("stored")));
            }
            (None, None) => say(&format!("chip {}: done, {done} of {chips}{left}", hicann.index())),
            (None, Some(_)) => {}
        }
        true
    }

    /// Removes the bar.
    pub(super) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_chips() {
        let chips = |text| match hicanns(text) {
            Ok(Hicanns::Listed(chips)) => chips.iter().map(|h| h.index()).collect(),
            _ => Vec::new(),
        };
        assert_eq!(chips("0-3,33, 2"), [0, 1, 2, 3, 33]);
        assert_eq!(hicanns("all"), Ok(Hicanns::All));
        for wrong in ["", "384", "1-", "5-3", "a", "1,,2", "-1"] {
            assert!(hicanns(wrong).is_err(), "{wrong}");
        }
    }
}
