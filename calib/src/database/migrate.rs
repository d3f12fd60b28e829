//! From earlier schema versions to the present one, in one transaction.
//!
//! Version 1 knew neither the gains of synaptic inputs nor the reset potentials of single circuits,
//! version 2 nothing of the utilisation of drivers.

use hal::archive::{self, Archive};
use hal::config::{NeuronParameter, SharedParameter};
use hal::coord::{FgBlockOnHicann, Table};
use hal::law::Transformation;
use redb::ReadableTable as _;
use serde::{Deserialize, Serialize};

use super::store::{CHIPS, CIRCUITS, Database, META, SCHEMA_VERSION, VERSION};
use super::{ChipRecord, CircuitFault, CircuitRecord, DatabaseError, Provenance, Quality};
use crate::{BlockCalibration, CircuitMode, NeuronCalibration};

/// The record of a circuit in version 1.
#[derive(Serialize, Deserialize)]
struct CircuitRecord1 {
    measured: Vec<(NeuronParameter, Option<CircuitMode>, Transformation)>,
    readout_shift_v: f64,
    quality: Vec<Quality>,
    faults: Vec<CircuitFault>,
}

impl Archive for CircuitRecord1 {
    const KIND: [u8; 8] = *b"CALCIRC ";
    const VERSION: u32 = 1;
}

impl From<CircuitRecord1> for CircuitRecord {
    fn from(old: CircuitRecord1) -> Self {
        Self {
            calibration: NeuronCalibration::from_parts(old.measured, [0.0; 2]),
            readout_shift_v: old.readout_shift_v,
            reset_shift_v: 0.0,
            quality: old.quality,
            faults: old.faults,
        }
    }
}

/// The record of a chip in versions 1 and 2.
#[derive(Serialize, Deserialize)]
struct ChipRecord1 {
    provenance: Provenance,
    blocks: Table<FgBlockOnHicann, Block1>,
    quality: Table<FgBlockOnHicann, Vec<Quality>>,
}

/// The calibration of a block in versions 1 and 2.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Block1 {
    measured: Vec<(SharedParameter, Transformation)>,
}

impl Archive for ChipRecord1 {
    const KIND: [u8; 8] = *b"CALCHIP ";
    const VERSION: u32 = 1;
}

impl From<ChipRecord1> for ChipRecord {
    fn from(old: ChipRecord1) -> Self {
        let block = |b| BlockCalibration::from_parts(old.blocks[b].measured.clone());
        let blocks = Table::from_fn(block);
        Self { provenance: old.provenance, blocks, quality: old.quality }
    }
}

/// Brings a database of an earlier version to the present one.
pub(super) fn to_present(database: &Database, version: u32) -> Result<(), DatabaseError> {
    let damaged = |what| DatabaseError::Damaged { path: database.path.clone(), what };
    let (mut chips, mut circuits) = (Vec::new(), Vec::new());
    let snapshot = database.snapshot()?;
    for (key, bytes) in snapshot.raw_chips()? {
        let record = ChipRecord::from(snapshot.decode::<ChipRecord1>(&bytes)?);
        chips.push((key, archive::to_bytes(&record).map_err(damaged)?));
    }
    if version == 1 {
        for (key, bytes) in snapshot.raw_circuits()? {
            let record = CircuitRecord::from(snapshot.decode::<CircuitRecord1>(&bytes)?);
            circuits.push((key, archive::to_bytes(&record).map_err(damaged)?));
        }
    }
    database.write(|transaction| {
        let mut table = transaction.open_table(CHIPS)?;
        for ((set, wafer, hicann), bytes) in &chips {
            table.insert((set.as_str(), *wafer, *hicann), bytes.as_slice())?;
        }
        drop(table);
        let mut table = transaction.open_table(CIRCUITS)?;
        for ((set, wafer, hicann, circuit), bytes) in &circuits {
            table.insert((set.as_str(), *wafer, *hicann, *circuit), bytes.as_slice())?;
        }
        drop(table);
        // another process may have been faster: then this was done twice, with one result
        let mut meta = transaction.open_table(META)?;
        let newer = meta.get(VERSION)?.is_some_and(|v| v.value() > SCHEMA_VERSION);
        if !newer {
            meta.insert(VERSION, SCHEMA_VERSION)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use hal::coord::{HicannOnWafer, NeuronOnHicann, WaferNumber};
    use hal::law::Formula;

    use super::super::ChipKey;
    use super::*;

    const CIRCUIT: NeuronOnHicann = NeuronOnHicann::new::<7>();

    /// A database of a version with one chip and one circuit.
    fn old(path: &Path, version: u32, circuit: &[u8]) {
        Database::make(path, version).expect("made");
        let redb = redb::Database::open(path).expect("opened");
        let database = Database { path: path.to_owned(), redb };
        let provenance = Provenance {
            measured_at_s: 1_700_000_000,
            procedure: version,
            program: "old".into(),
            wafer: "wafer 30".into(),
            settings: std::collections::BTreeMap::new(),
            programmings: 3,
            runs: 17,
            hardware_s: 1.0,
            wall_s: 0.5,
        };
        let line = Transformation::new(Formula::Polynomial(vec![3.0, 568.0]), 0.0, 1.8);
        let reset = (SharedParameter::VReset, line.expect("a line"));
        let blocks = Table::from_fn(|_| Block1 { measured: vec![reset.clone()] });
        let chip = ChipRecord1 { provenance, blocks, quality: Table::default() };
        let chip = archive::to_bytes(&chip).expect("bytes");
        let put = database.write(|transaction| {
            transaction.open_table(CHIPS)?.insert(("default", 30, 200), chip.as_slice())?;
            let id = ("default", 30, 200, CIRCUIT.index() as u16);
            transaction.open_table(CIRCUITS)?.insert(id, circuit)?;
            Ok(())
        });
        put.expect("written");
    }

    #[test]
    fn earlier_databases_become_those_of_today() {
        let folder = tempfile::tempdir().expect("a folder");
        let quality = vec![Quality { parameter: "V_t".into(), points: 10, residual: 0.005 }];
        let faults = vec![CircuitFault { parameter: "E_l".into(), reason: "flat".into() }];
        let (readout_shift_v, measured) = (0.0125, Vec::new());
        let first = CircuitRecord1 { measured, readout_shift_v, quality, faults };
        let bytes = archive::to_bytes(&first).expect("bytes");
        let second = CircuitRecord::from(first);
        let now = archive::to_bytes(&second).expect("bytes");
        let key = ChipKey::new("default", WaferNumber(30), HicannOnWafer::new::<200>());
        for (version, bytes) in [(1, &bytes), (2, &now)] {
            let path = folder.path().join(format!("{version}.db"));
            old(&path, version, bytes);
            for _ in 0..2 {
                let database = Database::open(&path).expect("migrated");
                let snapshot = database.snapshot().expect("a snapshot");
                assert_eq!(snapshot.circuit(&key, CIRCUIT).expect("the circuit"), second);
                let chip = snapshot.chip(&key).expect("the chip");
                assert_eq!((chip.provenance.runs, chip.provenance.procedure), (17, version));
                for block in chip.blocks.values() {
                    assert_eq!(block.measured().count(), 1);
                    let capacitor = hal::value::StpCapacitor::new::<3>();
                    assert_eq!(block.capacitor(capacitor), capacitor);
                }
            }
        }
    }
}
