//! `bss1 calibration`: what a calibration database holds, and how good it is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use calib::BlockCalibration;
use calib::campaign;
use calib::database::{ChipKey, Export, Snapshot};
use calib::evaluation::Evaluation;
use calib::procedure::{Quantity, Settings};
use clap::{Args, Subcommand, ValueEnum};
use hal::config::{NeuronParameter, SharedParameter};
use hal::coord::{Coordinate as _, FgBlockOnHicann, HicannOnWafer, NeuronOnHicann, WaferNumber};
use hal::defects::Defects;
use hal::law::Outside;
use hal::value::{DacCode, GmaxSelect, StpCapacitor};
use serde_json::{Value, json};

use super::Failure;
use super::calibrate::{
    BenchArguments, Hicanns, Watch, Where, campaign_failure, database_failure, hicanns,
};
use super::console::say;
use super::folder::Folder;
use crate::calibration::open_or_create;
use crate::figure::spreads_svg;

#[derive(Debug, Subcommand)]
pub(super) enum CalibrationCommand {
    /// List the chips of a set, their provenance and blacklisted circuits
    Show(Selection),
    /// Write chips of a wafer as JSON or CSV
    Export {
        #[command(flatten)]
        selection: Selection,
        /// Form of the file
        #[arg(long, value_enum, default_value_t = Form::Json)]
        format: Form,
        /// File to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Read chips that were exported into a set
    Import {
        /// A file of `bss1 calibration export`
        file: PathBuf,
        #[command(flatten)]
        place: Where,
    },
    /// Verify all pages and records
    Check {
        #[command(flatten)]
        place: Where,
    },
    /// How far the calibrations of the same chips in two sets or files differ
    Diff {
        #[command(flatten)]
        selection: Selection,
        /// The other file [default: the same]
        #[arg(long, value_name = "FILE")]
        other_db: Option<PathBuf>,
        /// The other set [default: that of the same name]
        #[arg(long)]
        other_set: Option<String>,
    },
    /// Measure chips anew at other targets, with and without their calibration
    Evaluate {
        #[command(flatten)]
        bench: BenchArguments,
        /// Folder for histograms, table and blacklist
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

/// Form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// One object.
    Json,
    /// One line per value.
    Csv,
}

/// Some chips of a set.
#[derive(Debug, Args)]
pub(super) struct Selection {
    #[command(flatten)]
    place: Where,
    /// Number of the wafer
    #[arg(long, default_value_t = 30)]
    wafer: u32,
    /// The chips, like 0-7,33
    #[arg(long, value_parser = hicanns, default_value = "all")]
    hicanns: Hicanns,
}

impl Selection {
    /// The chips, as far as the set has them if all are asked for.
    fn chips(&self, snapshot: &Snapshot) -> Result<Vec<HicannOnWafer>, Failure> {
        if let Hicanns::Listed(chips) = &self.hicanns {
            return Ok(chips.clone());
        }
        let keys = snapshot.chips().map_err(database_failure)?;
        let mine = |k: &ChipKey| k.set == self.place.set && k.wafer.0 == self.wafer;
        Ok(keys.into_iter().filter(mine).map(|k| k.hicann).collect())
    }

    fn key(&self, hicann: HicannOnWafer) -> ChipKey {
        ChipKey::new(&self.place.set, WaferNumber(self.wafer), hicann)
    }
}

pub(super) fn run(command: &CalibrationCommand) -> Result<Value, Failure> {
    match command {
        CalibrationCommand::Show(selection) => show(selection),
        CalibrationCommand::Export { selection, format, out } => export(selection, *format, out),
        CalibrationCommand::Import { file, place } => import(file, place),
        CalibrationCommand::Check { place } => check(place),
        CalibrationCommand::Diff { selection, other_db, other_set } => {
            diff(selection, other_db.as_deref(), other_set.as_deref())
        }
        CalibrationCommand::Evaluate { bench, out } => evaluate(bench, out.as_deref()),
    }
}

fn show(selection: &Selection) -> Result<Value, Failure> {
    let database = selection.place.open()?;
    let snapshot = database.snapshot().map_err(database_failure)?;
    let mut sets: BTreeMap<String, usize> = BTreeMap::new();
    for key in snapshot.chips().map_err(database_failure)? {
        *sets.entry(format!("{} of wafer {}", key.set, key.wafer.0)).or_default() += 1;
    }
    for (set, chips) in &sets {
        say(&format!("set {set}: {chips} chips"));
    }
    let mut chips = Vec::new();
    for hicann in selection.chips(&snapshot)? {
        let key = selection.key(hicann);
        let record = snapshot.chip(&key).map_err(database_failure)?;
        let circuits = snapshot.circuits(&key).map_err(database_failure)?;
        let faulty: Vec<_> = circuits.iter().filter(|(_, c)| !c.faults.is_empty()).collect();
        let p = &record.provenance;
        let (n, bad) = (hicann.index(), faulty.len());
        say(&format!(
            "  chip {n:>3}: {bad:>3} circuits blacklisted; procedure {}, {}, {:.1} s",
            p.procedure, p.wafer, p.wall_s
        ));
        let faults: BTreeMap<usize, Vec<String>> = faulty
            .iter()
            .map(|(n, c)| {
                let reasons = c.faults.iter().map(|f| format!("{}: {}", f.parameter, f.reason));
                (n.index(), reasons.collect())
            })
            .collect();
        let blocks: Vec<Value> = record.blocks.iter().map(|(b, own)| show_block(b, own)).collect();
        chips
            .push(json!({ "hicann": n, "provenance": p, "blocks": blocks, "blacklisted": faults }));
    }
    Ok(json!({
        "wafer": selection.wafer,
        "set": selection.place.set,
        "sets": sets,
        "chips": chips,
    }))
}

/// What the drivers of a block need to do what nominal ones do with these codes, and with this capacitor.
const SHOWN_GMAX: DacCode = DacCode::new::<500>();
const SHOWN_RECOVERY: DacCode = DacCode::new::<62>();
const SHOWN_CAPACITOR: StpCapacitor = StpCapacitor::new::<3>();

fn show_block(block: FgBlockOnHicann, own: &BlockCalibration) -> Value {
    let gmax: Vec<usize> =
        GmaxSelect::all().map(|select| own.gmax_code(select, SHOWN_GMAX).index()).collect();
    let recovery = own.recovery_code(SHOWN_RECOVERY).index();
    let u = own.utilisation(SHOWN_CAPACITOR);
    let (i, wanted, capacitor) = (block.index(), SHOWN_GMAX.index(), SHOWN_CAPACITOR.index());
    let [a, b, c, d] = [0, 1, 2, 3].map(|select| gmax[select]);
    say(&format!(
        "    block {i}: V_gmax {a} {b} {c} {d} for {wanted}, V_dtc {recovery} for 10 us, U {u:.3} with \
         capacitor {capacitor}"
    ));
    json!({ "block": i, "v_gmax_for_500": gmax, "v_dtc_for_10_us": recovery, "u_of_capacitor_3": u })
}

fn export(selection: &Selection, form: Form, out: &Path) -> Result<Value, Failure> {
    let database = selection.place.open()?;
    let snapshot = database.snapshot().map_err(database_failure)?;
    let chips = selection.chips(&snapshot)?;
    let (set, wafer) = (&selection.place.set, WaferNumber(selection.wafer));
    if chips.is_empty() {
        let n = selection.wafer;
        return Err(Failure::request(anyhow!("set {set} has no chip of wafer {n}")));
    }
    let export = Export::read(&snapshot, set, wafer, &chips).map_err(database_failure)?;
    let text = match form {
        Form::Json => export.to_json(),
        Form::Csv => export.to_csv(),
    };
    let text = text.map_err(Failure::other)?;
    hal::archive::write_atomically(out, text.as_bytes()).map_err(Failure::request)?;
    say(&format!("{} chips to {}", chips.len(), out.display()));
    Ok(json!({ "chips": chips.len(), "files": [out] }))
}

fn import(file: &Path, place: &Where) -> Result<Value, Failure> {
    let text = std::fs::read_to_string(file);
    let text = text.with_context(|| file.display().to_string()).map_err(Failure::Request)?;
    let is_table = file.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    let export = if is_table { Export::from_csv(&text) } else { Export::from_json(&text) };
    let export = export.with_context(|| file.display().to_string()).map_err(Failure::Request)?;
    let database = open_or_create(&place.path()?).map_err(database_failure)?;
    export.write(&database, &place.set).map_err(database_failure)?;
    let (n, wafer) = (export.chips.len(), export.wafer.0);
    say(&format!("{n} chips of wafer {wafer} into set {}", place.set));
    Ok(json!({ "wafer": wafer, "chips": n, "set": place.set }))
}

fn check(place: &Where) -> Result<Value, Failure> {
    let path = place.path()?;
    let found = place.open()?.check().map_err(database_failure)?;
    for problem in &found.problems {
        say(problem);
    }
    if let Some(first) = found.problems.first() {
        let n = found.problems.len();
        let path = path.display();
        return Err(Failure::other(anyhow!("{path}: {n} problems, the first one: {first}")));
    }
    say(&format!("{}: sound, {} circuits", path.display(), found.circuits));
    serde_json::to_value(&found).map_err(Failure::other)
}

/// Values at which transformations are compared, by parameter.
const COMPARED: [(NeuronParameter, f64); 8] = [
    (NeuronParameter::VT, 0.9),
    (NeuronParameter::EL, 0.8),
    (NeuronParameter::ESynx, 1.1),
    (NeuronParameter::ESyni, 0.5),
    (NeuronParameter::IGl, 1e-6),
    (NeuronParameter::IPl, 0.2e-6),
    (NeuronParameter::VSyntcx, 0.4e-6),
    (NeuronParameter::VSyntci, 0.4e-6),
];

/// The same of blocks.
const COMPARED_BLOCKS: [(SharedParameter, f64); 6] = [
    (SharedParameter::VReset, 0.7),
    (SharedParameter::VGmax0, 1.2e-6),
    (SharedParameter::VGmax1, 1.2e-6),
    (SharedParameter::VGmax2, 1.2e-6),
    (SharedParameter::VGmax3, 1.2e-6),
    (SharedParameter::VDtc, 10e-6),
];

fn diff(
    selection: &Selection,
    other_db: Option<&Path>,
    other_set: Option<&str>,
) -> Result<Value, Failure> {
    let mine = selection.place.open()?;
    let snapshot = mine.snapshot().map_err(database_failure)?;
    let place = Where {
        database: other_db.map(Path::to_owned).or(Some(selection.place.path()?)),
        set: other_set.unwrap_or(&selection.place.set).to_owned(),
    };
    let theirs = place.open()?;
    let other = theirs.snapshot().map_err(database_failure)?;
    let mut differences: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut note = |name, a: Result<f64, _>, b: Result<f64, _>| {
        if let (Ok(a), Ok(b)) = (a, b) {
            differences.entry(name).or_default().push(b - a);
        }
    };
    let (mut chips, mut blacklist) = (0, 0);
    for hicann in selection.chips(&snapshot)? {
        let key = selection.key(hicann);
        let other_key = ChipKey { set: place.set.clone(), ..key.clone() };
        let a = snapshot.hicann(&key).map_err(database_failure)?;
        let b = other.hicann(&other_key).map_err(database_failure)?;
        let (Some(a), Some(b)) = (a, b) else { continue };
        chips += 1;
        blacklist += a.blacklist.symmetric_difference(&b.blacklist).count();
        let both = |n: &NeuronOnHicann| !a.blacklist.contains(n) && !b.blacklist.contains(n);
        for n in NeuronOnHicann::all().filter(both) {
            for (parameter, value) in COMPARED {
                let mode = calib::CircuitMode::default();
                let code = |c: &calib::HicannCalibration| {
                    c.neurons[n].transformation(parameter, mode).apply(value, Outside::Clip)
                };
                note(parameter.name(), code(&a), code(&b));
            }
        }
        for block in FgBlockOnHicann::all() {
            for (parameter, value) in COMPARED_BLOCKS {
                let code = |c: &calib::HicannCalibration| {
                    c.blocks[block].transformation(parameter).apply(value, Outside::Clip)
                };
                note(parameter.name(), code(&a), code(&b));
            }
        }
    }
    say(&format!("{chips} chips in both; {blacklist} circuits are blacklisted in one only"));
    let mut parameters = BTreeMap::new();
    for (name, list) in &differences {
        let n = list.len() as f64;
        let mean = list.iter().sum::<f64>() / n;
        let rms = (list.iter().map(|d| d * d).sum::<f64>() / n).sqrt();
        let largest = list.iter().fold(0.0_f64, |m, d| m.max(d.abs()));
        say(&format!("  {name:<10} mean {mean:+.2}, rms {rms:.2}, largest {largest:.1} codes"));
        parameters.insert(*name, json!({ "mean": mean, "rms": rms, "largest": largest }));
    }
    Ok(json!({ "chips": chips, "blacklist": blacklist, "codes": parameters }))
}

fn evaluate(bench: &BenchArguments, out: Option<&Path>) -> Result<Value, Failure> {
    let folder = out.map(Folder::new).transpose()?;
    let wafer = bench.bench();
    let chips = bench.chips(&wafer)?;
    let database = bench.place.open()?;
    let campaign =
        wafer.campaign(&database, &bench.place.set, &chips, Settings::default(), bench.threads());
    let watch = Watch::new();
    let done = campaign::evaluate(&campaign, &|h| wafer.connect(h), &|p| watch.note(p));
    watch.done();
    let evaluation = done.map_err(campaign_failure)?;
    let facts = Facts::new(&evaluation, wafer.defects());
    let title = format!("wafer {}, {} chips", bench.wafer, evaluation.hicanns.len());
    let page = format!("{title}\n{}{}", evaluation.table(), facts.page(&evaluation));
    say(page.trim_end());
    let mut answer = answer(bench.wafer, &evaluation, &facts);
    if let Some(mut folder) = folder {
        let svg = spreads_svg(&evaluation, &title).map_err(Failure::other)?;
        folder.figure("histograms", &svg)?;
        folder.bytes("report.txt", page.as_bytes())?;
        let mut list = "hicann,circuit\n".to_owned();
        for place in &evaluation.blacklist {
            // writing to a string cannot fail
            let _ = writeln!(list, "{},{}", place.hicann.index(), place.local.index());
        }
        folder.bytes("blacklist.csv", list.as_bytes())?;
        folder.announce("evaluation.json");
        answer["files"] = json!(folder.files());
        folder.bytes("evaluation.json", format!("{answer:#}").as_bytes())?;
    }
    Ok(answer)
}

/// How the blacklist compares with what is known about the emulated wafer.
struct Facts {
    /// Circuits that were made defective.
    made: usize,
    /// Those of them that are not blacklisted.
    missed: usize,
    /// Blacklisted circuits that are whole.
    healthy: usize,
}

impl Facts {
    fn new(evaluation: &Evaluation, defects: &Defects) -> Self {
        let mut facts = Self { made: 0, missed: 0, healthy: 0 };
        for &hicann in &evaluation.hicanns {
            for n in NeuronOnHicann::all() {
                let made = defects.is_defective(n.on(hicann));
                let listed = evaluation.blacklist.contains(&n.on(hicann));
                facts.made += usize::from(made);
                facts.missed += usize::from(made && !listed);
                facts.healthy += usize::from(!made && listed);
            }
        }
        facts
    }

    fn page(&self, evaluation: &Evaluation) -> String {
        let (circuits, listed) = (evaluation.circuits(), evaluation.blacklist.len());
        let whole = (circuits - self.made).max(1);
        format!(
            "blacklisted: {listed} of {circuits} circuits; {} were made defective, {} of them \
             missed; {} healthy ones listed ({:.2} %)\n",
            self.made,
            self.missed,
            self.healthy,
            100.0 * self.healthy as f64 / whole as f64
        )
    }
}

fn answer(wafer: u32, evaluation: &Evaluation, facts: &Facts) -> Value {
    let parameters: BTreeMap<&str, Value> = Quantity::ALL
        .into_iter()
        .map(|quantity| {
            let [before, after] = evaluation.spreads(quantity);
            (quantity.name(), json!({ "before": before, "after": after }))
        })
        .collect();
    json!({
        "wafer": wafer,
        "hicanns": evaluation.hicanns.iter().map(|h| h.index()).collect::<Vec<_>>(),
        "circuits": evaluation.circuits(),
        "blacklisted": evaluation.blacklist.len(),
        "blacklisted_healthy": facts.healthy,
        "defective_made": facts.made,
        "defective_missed": facts.missed,
        "hardware_s": evaluation.hardware_s,
        "wall_s": evaluation.wall_s,
        "parameters": parameters,
    })
}
