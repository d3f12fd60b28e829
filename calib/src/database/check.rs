//! The integrity of a database: pages, records, and what belongs together.

use std::collections::BTreeMap;

use hal::coord::NeuronOnHicann;
use serde::Serialize;

use super::store::{Database, explain, guarded};
use super::{ChipKey, CircuitRecord, DatabaseError};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Check {
    /// Calibrated chips by set.
    pub chips: BTreeMap<String, usize>,
    /// Records of circuits.
    pub circuits: usize,
    /// What is wrong; empty if nothing is.
    pub problems: Vec<String>,
}

impl Database {
    /// Verifies the checksums of all pages and reads all records.
    pub fn check(&mut self) -> Result<Check, DatabaseError> {
        let path = self.path.clone();
        let mut found = Check::default();
        let redb = &mut self.redb;
        let sound =
            guarded(&path, || redb.check_integrity().map_err(|e| explain(&path, e.into())))?;
        if !sound {
            found.problems.push("pages were repaired".to_owned());
        }
        let snapshot = self.snapshot()?;
        for key in snapshot.chips()? {
            *found.chips.entry(key.set.clone()).or_default() += 1;
            let ChipKey { set, wafer, hicann } = &key;
            let place = format!("set {set}, wafer {}, {hicann}", wafer.0);
            if let Err(error) = snapshot.chip(&key) {
                found.problems.push(format!("{place}: {error}"));
            }
        }
        let mut records = 0;
        for ((set, wafer, hicann, circuit), bytes) in snapshot.raw_circuits()? {
            records += 1;
            if snapshot.decode::<CircuitRecord>(&bytes).is_err() {
                let place = format!("set {set}, wafer {wafer}, chip {hicann}");
                found.problems.push(format!("{place}: circuit {circuit} is not readable"));
            }
        }
        found.circuits = records;
        let expected = NeuronOnHicann::SIZE * found.chips.values().sum::<usize>();
        if records != expected {
            found.problems.push(format!("{records} records of circuits instead of {expected}"));
        }
        Ok(found)
    }
}
