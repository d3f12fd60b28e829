//! Spikes as a columnar file: Apache Parquet, one row per spike.
//!
//! Parquet and not HDF5, because its writer is plain Rust and every data-frame library reads it in one
//! line: `pandas.read_parquet("spikes.parquet")`. Columns: `population` (text), `neuron` (number of the
//! member) and `time_ms` (biological ms), sorted by population, member and time.

use std::path::Path;
use std::sync::Arc;

use hal::archive::{ArchiveError, write_atomically};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use thiserror::Error;

const SCHEMA: &str = "message spikes {
    required binary population (UTF8);
    required int32 neuron;
    required double time_ms;
}";

/// Spikes could not be written.
#[derive(Debug, Error)]
pub enum SpikeFileError {
    /// The file.
    #[error(transparent)]
    File(#[from] ArchiveError),
    /// They have no form as columns.
    #[error("spikes not written: {0}")]
    Columns(#[from] ParquetError),
}

/// The spikes of a population.
#[derive(Debug, Clone, Copy)]
pub struct Train<'a> {
    /// Label of the population.
    pub population: &'a str,
    /// Member of each spike.
    pub neurons: &'a [u32],
    /// Biological time of each spike, ms.
    pub times_ms: &'a [f64],
}

/// Writes the spikes of some populations, each as long as its shorter list. The file is replaced as a
/// whole or not at all.
pub fn write(path: &Path, trains: &[Train<'_>]) -> Result<(), SpikeFileError> {
    Ok(write_atomically(path, &to_bytes(trains)?)?)
}

/// The content of the file.
pub fn to_bytes(trains: &[Train<'_>]) -> Result<Vec<u8>, SpikeFileError> {
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let properties = WriterProperties::builder().set_created_by("bss1".to_owned()).build();
    let mut bytes = Vec::new();
    let mut file = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties))?;
    for train in trains {
        let mut rows = file.next_row_group()?;
        row_group(&mut rows, train)?;
        rows.close()?;
    }
    file.close()?;
    Ok(bytes)
}

/// One row group per population: a reader that wants one of them skips the others.
fn row_group<W: std::io::Write + Send>(
    rows: &mut SerializedRowGroupWriter<'_, W>,
    train: &Train<'_>,
) -> Result<(), ParquetError> {
    let n = train.neurons.len().min(train.times_ms.len());
    let label = ByteArray::from(train.population);
    let labels: Vec<ByteArray> = std::iter::repeat_n(label, n).collect();
    let neurons: Vec<i32> = train.neurons[..n].iter().map(|&neuron| neuron as i32).collect();
    if let Some(mut column) = rows.next_column()? {
        column.typed::<ByteArrayType>().write_batch(&labels, None, None)?;
        column.close()?;
    }
    if let Some(mut column) = rows.next_column()? {
        column.typed::<Int32Type>().write_batch(&neurons, None, None)?;
        column.close()?;
    }
    if let Some(mut column) = rows.next_column()? {
        column.typed::<DoubleType>().write_batch(&train.times_ms[..n], None, None)?;
        column.close()?;
    }
    Ok(())
}
