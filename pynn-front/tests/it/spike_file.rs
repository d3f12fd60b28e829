//! Columnar spike files: what was written is read, row by row.

use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::RowAccessor as _;
use pynn_front::spike_file::{Train, write};

#[test]
fn rows_come_back_with_population_neuron_and_time() {
    let trains = [
        Train { population: "exc", neurons: &[0, 0, 7], times_ms: &[1.25, 9.0, 3.04] },
        Train { population: "silent", neurons: &[], times_ms: &[] },
        Train { population: "inh, second", neurons: &[2], times_ms: &[0.0] },
    ];
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("spikes.parquet");
    write(&path, &trains).unwrap();
    let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    let rows: Vec<(String, i32, f64)> = reader
        .get_row_iter(None)
        .unwrap()
        .map(|row| {
            let row = row.unwrap();
            let label = row.get_string(0).unwrap().clone();
            (label, row.get_int(1).unwrap(), row.get_double(2).unwrap())
        })
        .collect();
    let row = |label: &str, neuron, time_ms| (label.to_owned(), neuron, time_ms);
    let expected =
        [row("exc", 0, 1.25), row("exc", 0, 9.0), row("exc", 7, 3.04), row("inh, second", 2, 0.0)];
    assert_eq!(rows, expected);
    assert!(write(Path::new("/nowhere/spikes.parquet"), &trains).is_err());
}
