//! The module `pynn_brainscales1._core`: what the Python package asks of Rust.

use pyo3::prelude::*;

/// What the Python package asks of Rust. Columns cross as numpy arrays, objects do not.
#[pymodule]
mod _core {
    use super::*;

    /// Adds what only Rust knows.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
