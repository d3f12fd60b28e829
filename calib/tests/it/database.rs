//! The database: what goes in comes out, whatever happens to processes and files.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use calib::CircuitMode;
use calib::campaign::{self, Campaign};
use calib::database::{
    Age, ChipKey, ChipRecord, CircuitFault, CircuitRecord, Database, DatabaseError, Export,
    ExportError, Provenance, Quality,
};
use calib::procedure::{PROCEDURE_VERSION, Settings};
use hal::config::{NeuronParameter, SharedParameter};
use hal::coord::{
    Coordinate as _, FgBlockOnHicann, HicannOnWafer, NeuronOnHicann, SynapticInputOnNeuron, Table,
    WaferNumber,
};
use hal::defects::Defects;
use hal::law::{Formula, Transformation};
use hal::wafer::WaferError;

const WAFER: WaferNumber = WaferNumber(30);
/// Names the database that the child of the kill test writes to.
const CHILD: &str = "BSS1_TEST_KILLED_WRITER";

fn key(set: &str, hicann: usize) -> ChipKey {
    ChipKey::new(set, WAFER, HicannOnWafer::from_index(hicann).unwrap())
}

fn line(offset: f64) -> Transformation {
    Transformation::new(Formula::Polynomial(vec![offset, 568.0]), 0.0, 1.8).unwrap()
}

/// Records that tell by their numbers which write they are from.
fn records(number: u32) -> (ChipRecord, Table<NeuronOnHicann, CircuitRecord>) {
    let x = f64::from(number) + 0.1;
    let provenance = Provenance {
        measured_at_s: 1_700_000_000,
        procedure: 1,
        program: "test".into(),
        wafer: "wafer 30, \"emulated\"".into(),
        settings: [("repetitions".to_owned(), "2".to_owned())].into(),
        programmings: number,
        runs: 17,
        hardware_s: x / 3.0,
        wall_s: 0.1,
    };
    let mut chip = ChipRecord { provenance, blocks: Table::default(), quality: Table::default() };
    for block in FgBlockOnHicann::all() {
        chip.blocks[block].set(SharedParameter::VReset, line(x / 7.0));
    }
    let circuits = Table::from_fn(|n: NeuronOnHicann| {
        let mut record = CircuitRecord { readout_shift_v: x / 1e3, ..CircuitRecord::default() };
        let mode = CircuitMode::default();
        record.calibration.set(NeuronParameter::VT, mode, line(x + n.index() as f64 / 3.0));
        let speed = Transformation::nominal(NeuronParameter::IGl, (true, mode.leak), 1.1, 1.0);
        record.calibration.set(NeuronParameter::IGl, mode, speed.unwrap());
        record.calibration.set_input_gain(SynapticInputOnNeuron::EXCITATORY, 1.25);
        let parameter = "V_t".to_owned();
        record.quality.push(Quality { parameter, points: 10, residual: 0.1 + x / 1e4 });
        if n.index() % 100 == 3 {
            let reason = "no spikes, \"none\" at all".to_owned();
            record.faults.push(CircuitFault { parameter: "V_t".into(), reason });
        }
        record
    });
    (chip, circuits)
}

fn put(database: &Database, key: &ChipKey, number: u32) {
    let (chip, circuits) = records(number);
    database.put_chip(key, &chip, &circuits).unwrap();
}

fn file(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("calibration.db")
}

#[test]
fn sets_chips_and_circuits_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open_or_create(&file(&folder)).unwrap();
    put(&database, &key("default", 7), 1);
    put(&database, &key("default", 200), 2);
    put(&database, &key("cold", 7), 3);
    drop(database);

    let database = Database::open(&file(&folder)).unwrap();
    let snapshot = database.snapshot().unwrap();
    let all = [key("cold", 7), key("default", 7), key("default", 200)];
    assert_eq!(snapshot.chips().unwrap(), all);
    for (key, number) in all.iter().zip([3, 1, 2]) {
        let (chip, circuits) = records(number);
        assert_eq!(snapshot.chip(key).unwrap(), chip);
        assert_eq!(snapshot.circuits(key).unwrap(), circuits);
    }
    let mode = CircuitMode::default();
    let v_t = snapshot.parameter(&all[1], NeuronParameter::VT, mode).unwrap();
    assert_eq!(v_t.len(), 512);
    assert_eq!(v_t[9], (NeuronOnHicann::new::<9>(), line(1.1 + 3.0)));
    let e_l = snapshot.parameter(&all[1], NeuronParameter::EL, mode).unwrap();
    assert_eq!(e_l.len(), 0);

    let wafer = snapshot.wafer("default", WAFER, HicannOnWafer::all()).unwrap();
    assert_eq!(wafer.hicanns.len(), 2);
    let chip = &wafer.hicanns[&HicannOnWafer::new::<7>()];
    assert_eq!(
        chip.blacklist.iter().map(|n| n.index()).collect::<Vec<_>>(),
        [3, 103, 203, 303, 403, 503]
    );
    let gain = |input| chip.neurons[NeuronOnHicann::new::<0>()].input_gain(input);
    assert!((gain(SynapticInputOnNeuron::EXCITATORY) - 1.25).abs() < 1e-12);
    assert_eq!(gain(SynapticInputOnNeuron::INHIBITORY), 1.0);

    let missing = snapshot.chip(&key("default", 8)).unwrap_err().to_string();
    assert!(missing.contains("H8") && missing.contains("default"), "{missing}");
    assert!(database.remove_chip(&all[0]).unwrap());
    assert!(!database.remove_chip(&all[0]).unwrap());
    assert_eq!(database.snapshot().unwrap().chips().unwrap().len(), 2);
}

#[test]
fn some_circuits_are_replaced_and_readers_keep_their_state() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open_or_create(&file(&folder)).unwrap();
    let (key, circuit) = (key("default", 7), NeuronOnHicann::new::<100>());
    put(&database, &key, 1);
    let before = database.snapshot().unwrap();
    // another handle, as another process has it
    let other = Database::open(&file(&folder)).unwrap();
    let changed = CircuitRecord { readout_shift_v: 9.0, ..CircuitRecord::default() };
    other.put_circuits(&key, &[(circuit, changed.clone())]).unwrap();
    assert_eq!(before.circuit(&key, circuit).unwrap(), records(1).1[circuit]);
    let after = database.snapshot().unwrap();
    assert_eq!(after.circuit(&key, circuit).unwrap(), changed);
    let neighbour = NeuronOnHicann::new::<101>();
    assert_eq!(after.circuit(&key, neighbour).unwrap(), records(1).1[neighbour]);
    let lonely = other.put_circuits(&self::key("default", 8), &[(circuit, changed)]);
    assert!(matches!(lonely, Err(DatabaseError::NoChip { .. })));
}

#[test]
fn names_of_sets_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open_or_create(&file(&folder)).unwrap();
    let (chip, circuits) = records(1);
    for name in ["", "a b", "x\n", &"y".repeat(65)] {
        let refused = database.put_chip(&key(name, 1), &chip, &circuits);
        assert!(matches!(refused, Err(DatabaseError::SetName { .. })), "{name:?}");
    }
}

#[test]
fn text_forms_are_read_back_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open_or_create(&file(&folder)).unwrap();
    put(&database, &key("default", 7), 1);
    put(&database, &key("default", 9), 2);
    let hicanns = [HicannOnWafer::new::<7>(), HicannOnWafer::new::<9>()];
    let export = Export::read(&database.snapshot().unwrap(), "default", WAFER, &hicanns).unwrap();
    assert_eq!(Export::from_json(&export.to_json().unwrap()).unwrap(), export);
    let table = export.to_csv().unwrap();
    assert_eq!(Export::from_csv(&table).unwrap(), export);
    Export::from_csv(&table).unwrap().write(&database, "copy").unwrap();
    let copy = Export::read(&database.snapshot().unwrap(), "copy", WAFER, &hicanns).unwrap();
    assert_eq!(copy, export);

    assert!(matches!(Export::from_json("[1, 2"), Err(ExportError::Text { .. })));
    assert!(matches!(Export::from_json("{}"), Err(ExportError::Text { .. })));
    let newer = "{\"bss1_calibration\": 7}";
    assert!(matches!(Export::from_json(newer), Err(ExportError::Version { found: 7 })));
    let without_last = table.trim_end().rsplit_once('\n').unwrap().0;
    assert!(matches!(Export::from_csv(without_last), Err(ExportError::Incomplete { .. })));
    let wrong = table.replacen("30,7,block", "30,7,brick", 1);
    assert!(matches!(Export::from_csv(&wrong), Err(ExportError::Line { .. })));
}

fn refusal(path: &Path) -> String {
    let read = || {
        let database = Database::open(path)?;
        let snapshot = database.snapshot()?;
        for key in snapshot.chips()? {
            snapshot.chip(&key)?;
            snapshot.circuits(&key)?;
        }
        Ok(snapshot.chips()?.len())
    };
    let read: Result<usize, DatabaseError> = read();
    read.unwrap_err().to_string()
}

#[test]
fn other_files_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder);
    assert!(refusal(&path).contains("no such"));
    for foreign in ["", "red", "a calibration in plain words, long enough for a header"] {
        std::fs::write(&path, foreign).unwrap();
        let message = refusal(&path);
        assert!(message.contains("calibration.db: not a calibration"), "{message}");
    }
    // a database of somebody else
    std::fs::remove_file(&path).unwrap();
    let table = redb::TableDefinition::<u32, u32>::new("theirs");
    let theirs = redb::Database::create(&path).unwrap();
    let transaction = theirs.begin_write().unwrap();
    transaction.open_table(table).unwrap().insert(1, 1).unwrap();
    transaction.commit().unwrap();
    drop(theirs);
    assert!(refusal(&path).contains("not a calibration database"), "{}", refusal(&path));
    // one of the future
    let future = redb::TableDefinition::<&str, u32>::new("bss1 calibration");
    let theirs = redb::Database::open(&path).unwrap();
    let transaction = theirs.begin_write().unwrap();
    transaction.open_table(future).unwrap().insert("schema version", 77).unwrap();
    transaction.commit().unwrap();
    drop(theirs);
    let message = refusal(&path);
    assert!(message.contains("calibration.db: schema version 77"), "{message}");
}

#[test]
fn truncated_files_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder);
    let database = Database::open_or_create(&path).unwrap();
    put(&database, &key("default", 7), 1);
    drop(database);
    let whole = std::fs::read(&path).unwrap();
    for part in 1..24 {
        let short = folder.path().join("short.db");
        std::fs::write(&short, &whole[..whole.len() * part / 24]).unwrap();
        let message = refusal(&short);
        assert!(message.contains("short.db"), "{part}: {message}");
    }
}

#[test]
fn a_check_finds_nothing_or_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder);
    let mut database = Database::open_or_create(&path).unwrap();
    put(&database, &key("default", 7), 1);
    let found = database.check().unwrap();
    assert_eq!((found.circuits, found.problems), (512, Vec::new()));
    assert_eq!(found.chips["default"], 1);
    drop(database);
    // some byte of a record
    let mut bytes = std::fs::read(&path).unwrap();
    let record = b"no spikes, \"none\"";
    let at = bytes.windows(record.len()).position(|w| w == record).unwrap();
    bytes[at] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let problem = match Database::open(&path).and_then(|mut database| database.check()) {
        Ok(found) => found.problems.join("; "),
        Err(error) => error.to_string(),
    };
    assert!(!problem.is_empty());
}

/// Commits chips without end and tells about each that is committed.
fn write_without_end(path: &Path) -> ! {
    let database = Database::open_or_create(path).unwrap();
    let first = database.snapshot().unwrap().chips().unwrap().len() as u32;
    let mut out = std::io::stdout();
    for number in first.. {
        put(&database, &key("default", number as usize % 384), number);
        writeln!(out, "committed {number}").unwrap();
        out.flush().unwrap();
    }
    unreachable!("the numbers do not end")
}

#[test]
fn killed_writers_lose_nothing() {
    if let Some(path) = std::env::var_os(CHILD) {
        write_without_end(Path::new(&path));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder);
    for kill in 0..60_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "database::killed_writers_lose_nothing", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let number = |line: &str| line.split_once("committed ")?.1.parse::<u32>().ok();
        let mut last = None;
        // every tenth one dies while it opens, the others at any moment of their commits
        if kill % 10 != 0 {
            last = lines.by_ref().find_map(|line| number(&line.unwrap()));
        }
        std::thread::sleep(Duration::from_micros(kill * 7919 % 23_000));
        child.kill().unwrap();
        child.wait().unwrap();
        last = lines.map_while(Result::ok).filter_map(|line| number(&line)).last().or(last);

        let Some(last) = last else { continue };
        let database = Database::open(&path).unwrap();
        let snapshot = database.snapshot().unwrap();
        let key = key("default", last as usize % 384);
        assert_eq!(snapshot.chip(&key).unwrap(), records(last).0);
        assert_eq!(snapshot.circuits(&key).unwrap(), records(last).1);
        for key in snapshot.chips().unwrap() {
            let number = snapshot.chip(&key).unwrap().provenance.programmings;
            // all of a chip or nothing
            let circuit = snapshot.circuit(&key, NeuronOnHicann::new::<511>()).unwrap();
            assert_eq!(circuit, records(number).1[NeuronOnHicann::new::<511>()]);
        }
    }
    let mut database = Database::open(&path).unwrap();
    assert_eq!(database.check().unwrap().problems, Vec::<String>::new());
}

#[test]
fn what_earlier_procedures_measured_is_measured_anew() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open_or_create(&file(&folder)).unwrap();
    let [old, new, missing] = [3, 4, 5].map(|hicann| key("default", hicann));
    put(&database, &old, 1);
    let (mut chip, circuits) = records(2);
    chip.provenance.procedure = PROCEDURE_VERSION;
    database.put_chip(&new, &chip, &circuits).unwrap();
    let snapshot = database.snapshot().unwrap();
    let age = |key| snapshot.age(key).unwrap();
    assert_eq!([&old, &new, &missing].map(age), [Age::Outdated, Age::Present, Age::Missing]);

    // a campaign goes to the wafer for the old one, and only for that
    let defects = Defects::default();
    let asked = Mutex::new(Vec::new());
    let connect = |hicann| {
        asked.lock().unwrap().push(hicann);
        Err(WaferError::Remote("not there".to_owned()))
    };
    let calibrate = |hicanns: &[HicannOnWafer]| {
        let (set, wafer, identity) = ("default", WAFER, "a wafer");
        let (settings, threads, database, defects) = (Settings::default(), 1, &database, &defects);
        let campaign =
            Campaign { database, set, wafer, identity, hicanns, defects, settings, threads };
        campaign::calibrate(&campaign, false, &connect, &|_| true)
    };
    let done = calibrate(&[new.hicann]).unwrap();
    assert_eq!((done.present, done.outdated), (vec![new.hicann], vec![]));
    assert!(asked.lock().unwrap().is_empty());
    assert!(calibrate(&[new.hicann, old.hicann]).is_err());
    assert_eq!(*asked.lock().unwrap(), [old.hicann]);
}
