//! Campaigns that are killed at any moment: of measuring, of storing, of opening the database.
//!
//! A child process calibrates a wafer whose membranes never move, so that chips are through in a
//! fraction of a second; procedures, campaign and database are those of every calibration.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use calib::campaign::{self, Campaign};
use calib::database::{Age, ChipKey, Database};
use calib::procedure::Settings;
use hal::coord::{
    AnalogOnHicann, Coordinate as _, DncOnWafer, FpgaOnWafer, HicannOnWafer, WaferNumber,
};
use hal::defects::Defects;
use hal::wafer::{
    AdcTrace, ConfigurationWords, Counters, PlaybackWords, Progress, TraceWords, Wafer, WaferError,
};

/// Names the database that the child writes to.
const CHILD: &str = "BSS1_TEST_KILLED_CAMPAIGN";
const WAFER: WaferNumber = WaferNumber(30);
const KILLS: u32 = 51;

/// Takes all words, and shows the same voltage everywhere.
struct Still;

impl Wafer for Still {
    fn configure(&mut self, _: &ConfigurationWords) -> Result<(), WaferError> {
        Ok(())
    }

    fn read(&mut self, _: &ConfigurationWords) -> Result<ConfigurationWords, WaferError> {
        Ok(ConfigurationWords::default())
    }

    fn stimulate(&mut self, _: &PlaybackWords) -> Result<(), WaferError> {
        Ok(())
    }

    fn run(&mut self, _: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<(), WaferError> {
        Ok(())
    }

    fn read_trace(&self) -> Result<TraceWords, WaferError> {
        let silent = FpgaOnWafer::all().map(|fpga| (fpga, hal::trace::encode(&[])));
        Ok(TraceWords { by_fpga: silent.collect() })
    }

    fn read_adc(&self, _: DncOnWafer, _: AnalogOnHicann) -> Result<AdcTrace, WaferError> {
        Ok(AdcTrace { samples: vec![2000; 100] })
    }

    fn counters(&self) -> Counters {
        Counters::default()
    }
}

/// Calibrates all chips and tells about each that is stored.
fn calibrate(path: &Path) {
    let database = Database::open_or_create(path).unwrap();
    let hicanns: Vec<HicannOnWafer> = HicannOnWafer::all().collect();
    let campaign = Campaign {
        database: &database,
        set: "default",
        wafer: WAFER,
        identity: "a still wafer",
        hicanns: &hicanns,
        defects: &Defects::default(),
        settings: Settings { repetitions: 1 },
        threads: 2,
    };
    let observe = |progress: &campaign::Progress| {
        if progress.step.is_none() {
            let mut out = std::io::stdout().lock();
            writeln!(out, "stored {}", progress.hicann.index()).unwrap();
            out.flush().unwrap();
        }
        true
    };
    campaign::calibrate(&campaign, false, &|_| Ok(Box::new(Still)), &observe).unwrap();
}

fn child(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::killed_campaigns_lose_no_chip", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn killed_campaigns_lose_no_chip() {
    if let Some(path) = std::env::var_os(CHILD) {
        calibrate(Path::new(&path));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calibration.db");
    // how long the first chip takes tells how long to live at first
    let clock = Instant::now();
    let mut first = child(&path);
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("stored")));
    let mut longest_us = clock.elapsed().as_micros() as u64;
    first.kill().unwrap();
    first.wait().unwrap();

    let mut stored: BTreeSet<HicannOnWafer> = BTreeSet::new();
    for kill in 1..KILLS {
        let mut child = child(&path);
        // in no order
        let life_us = u64::from(kill) * 7_368_787 % longest_us;
        std::thread::sleep(Duration::from_micros(life_us));
        child.kill().unwrap();
        child.wait().unwrap();
        let told = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let known = stored.len();
        stored.extend(told.filter_map(|line| {
            let chip = line.split_once("stored ")?.1.parse().ok()?;
            HicannOnWafer::from_index(chip)
        }));
        // every third life or so should see chips stored, however busy the machine is
        longest_us = if stored.len() > known { longest_us * 4 / 5 } else { longest_us * 9 / 8 };
        let mut database = Database::open(&path).unwrap();
        let snapshot = database.snapshot().unwrap();
        let there = snapshot.chips().unwrap().len();
        for &hicann in &stored {
            let key = ChipKey::new("default", WAFER, hicann);
            assert_eq!(snapshot.age(&key).unwrap(), Age::Present, "{hicann} is lost");
        }
        drop(snapshot);
        // chips are there with all their circuits, or not at all
        let found = database.check().unwrap();
        assert_eq!((found.problems, found.circuits), (Vec::new(), 512 * there), "kill {kill}");
    }
    // they were killed between chips, not always before the first one
    assert!(stored.len() > 3, "{} chips in {KILLS} lives", stored.len());
}
