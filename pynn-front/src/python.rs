//! The module `pynn_brainscales1._core`: what the Python package asks of Rust.
//!
//! Columns cross as numpy arrays, objects do not. Whatever takes time runs without the interpreter's
//! lock and can be interrupted.

mod connect;
mod engine;
mod session;
mod watch;

use std::ffi::OsString;

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::reference::ReferenceError;
use crate::session::{ErrorKind, SessionError};

/// What the Python package asks of Rust.
#[pymodule]
mod _core {
    use pyo3::prelude::{Bound, PyModule, PyModuleMethods as _, PyResult};

    #[pymodule_export]
    use super::connect::random_pairs;
    #[pymodule_export]
    use super::engine::Engine;
    #[pymodule_export]
    use super::png;
    #[pymodule_export]
    use super::program;
    #[pymodule_export]
    use super::session::Session;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}

/// Runs the program `bss1` with these arguments, the first being its name; returns its exit status.
#[pyfunction]
fn program(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| crate::cli::run(arguments))
}

/// A picture as PNG, from SVG.
#[pyfunction]
fn png(py: Python<'_>, svg: &str) -> PyResult<Vec<u8>> {
    py.detach(|| crate::figure::png(svg, 1.0)).map_err(|e| exception("value", &e.to_string()))
}

/// A column of numbers.
type Reals<'py> = PyReadonlyArray1<'py, f64>;
/// A column of members.
type Indices<'py> = PyReadonlyArray1<'py, u32>;

/// Members and a number for each, or rows of numbers, as arrays of Python's.
type MembersAndReals<'py> = (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<f64>>);

fn column<T: numpy::Element + Copy>(array: &PyReadonlyArray1<'_, T>) -> Vec<T> {
    array.as_array().iter().copied().collect()
}

/// PyNN's exception of this kind, made by the module `pynn_brainscales1._errors`.
fn exception(kind: &str, message: &str) -> PyErr {
    Python::attach(|py| {
        let make =
            || py.import("pynn_brainscales1._errors")?.getattr("make")?.call1((kind, message));
        match make() {
            Ok(exception) => PyErr::from_value(exception),
            Err(_) => PyRuntimeError::new_err(message.to_owned()),
        }
    })
}

impl From<SessionError> for PyErr {
    fn from(error: SessionError) -> Self {
        let kind = match error.kind() {
            ErrorKind::Parameter => "parameter",
            ErrorKind::UnknownParameter => "unknown_parameter",
            ErrorKind::Dimensions => "dimensions",
            ErrorKind::Connection => "connection",
            ErrorKind::Weight => "weight",
            ErrorKind::Recording => "recording",
            ErrorKind::Value => "value",
            ErrorKind::File => "file",
            ErrorKind::State | ErrorKind::Other => "state",
        };
        exception(kind, &error.to_string())
    }
}

impl From<ReferenceError> for PyErr {
    fn from(error: ReferenceError) -> Self {
        let kind = match &error {
            ReferenceError::Value { .. }
            | ReferenceError::Reset { .. }
            | ReferenceError::SpikeTimes { .. } => "parameter",
            ReferenceError::Unknown { .. } => "unknown_parameter",
            ReferenceError::Length { .. } => "dimensions",
            ReferenceError::NoSuchMember { .. }
            | ReferenceError::Receptor(_)
            | ReferenceError::Delay { .. } => "connection",
            ReferenceError::Weight { .. } => "weight",
            ReferenceError::Threads { .. } => "state",
            _ => "value",
        };
        exception(kind, &error.to_string())
    }
}
