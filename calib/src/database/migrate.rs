//! From earlier schema versions to the present one, in one transaction.
//!
//! Version 1 knew neither the gains of synaptic inputs nor the reset potentials of single circuits.

use hal::archive::{self, Archive};
use hal::config::NeuronParameter;
use hal::law::Transformation;
use redb::ReadableTable as _;
use serde::{Deserialize, Serialize};

use super::store::{CIRCUITS, Database, META, SCHEMA_VERSION, VERSION};
use super::{CircuitFault, CircuitRecord, DatabaseError, Quality};
use crate::{CircuitMode, NeuronCalibration};

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

/// Brings a database of version 1 to the present one.
pub(super) fn from_version_1(database: &Database) -> Result<(), DatabaseError> {
    let mut circuits = Vec::new();
    let snapshot = database.snapshot()?;
    for (key, bytes) in snapshot.raw_circuits()? {
        let record = CircuitRecord::from(snapshot.decode::<CircuitRecord1>(&bytes)?);
        let bytes = archive::to_bytes(&record);
        let damaged = |what| DatabaseError::Damaged { path: database.path.clone(), what };
        circuits.push((key, bytes.map_err(damaged)?));
    }
    database.write(|transaction| {
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
    use hal::coord::{HicannOnWafer, NeuronOnHicann, WaferNumber};

    use super::super::ChipKey;
    use super::*;

    #[test]
    fn a_database_of_version_1_becomes_one_of_today() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("old.db");
        Database::make(&path, 1).expect("made");
        let circuit = NeuronOnHicann::new::<7>();
        let old = CircuitRecord1 {
            measured: Vec::new(),
            readout_shift_v: 0.0125,
            quality: vec![Quality { parameter: "V_t".into(), points: 10, residual: 0.005 }],
            faults: vec![CircuitFault { parameter: "E_l".into(), reason: "flat".into() }],
        };
        {
            let redb = redb::Database::open(&path).expect("opened");
            let database = Database { path: path.clone(), redb };
            let bytes = archive::to_bytes(&old).expect("bytes");
            let put = database.write(|transaction| {
                let id = ("default", 30, 200, circuit.index() as u16);
                transaction.open_table(CIRCUITS)?.insert(id, bytes.as_slice())?;
                Ok(())
            });
            put.expect("written");
        }
        let key = ChipKey::new("default", WaferNumber(30), HicannOnWafer::new::<200>());
        for _ in 0..2 {
            let database = Database::open(&path).expect("migrated");
            let snapshot = database.snapshot().expect("a snapshot");
            let new = snapshot.circuit(&key, circuit).expect("the circuit");
            assert_eq!(new.readout_shift_v, 0.0125);
            assert_eq!((new.quality, new.faults.len()), (old.quality.clone(), 1));
        }
    }
}
