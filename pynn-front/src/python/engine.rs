//! The reference engine in Python.
#![expect(clippy::needless_pass_by_value, reason = "Python hands arguments over by value")]

use marocco::Cancel;
use numpy::{IntoPyArray as _, PyArray1};
use pyo3::prelude::*;

use super::{Indices, MembersAndReals, Reals, column, exception, watch};
use crate::reference::{
    CurrentId, Dynamics, PairRule, PopulationId, ProjectionId, ReferenceError, Settings, Synapses,
    TsodyksMarkram, Variable, Waveform,
};

/// A network on nothing but arithmetic. Populations, projections and currents are numbers in the
/// order of creation; cells of projections and currents are counted over all populations.
#[pyclass]
pub(super) struct Engine {
    inner: crate::reference::Engine,
    populations: Vec<PopulationId>,
    projections: Vec<ProjectionId>,
    currents: Vec<CurrentId>,
}

fn absent(what: &'static str, index: usize, known: usize) -> ReferenceError {
    ReferenceError::Absent { what, index, known }
}

impl Engine {
    fn population(&self, index: usize) -> Result<PopulationId, ReferenceError> {
        let known = self.populations.len();
        self.populations.get(index).copied().ok_or(absent("population", index, known))
    }

    fn projection(&self, index: usize) -> Result<ProjectionId, ReferenceError> {
        let known = self.projections.len();
        self.projections.get(index).copied().ok_or(absent("projection", index, known))
    }

    fn current(&self, index: usize) -> Result<CurrentId, ReferenceError> {
        let known = self.currents.len();
        self.currents.get(index).copied().ok_or(absent("current source", index, known))
    }
}

fn variable(name: &str) -> PyResult<Variable> {
    Variable::from_name(name)
        .ok_or_else(|| exception("value", &format!("there is no state variable `{name}`")))
}

/// The law of synapses from its columns: none for static ones.
fn dynamics(kind: &str, columns: &[Reals<'_>]) -> PyResult<Dynamics> {
    let columns: Vec<Vec<f64>> = columns.iter().map(column).collect();
    let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
    let at = |c: usize, row: usize| columns[c][if columns[c].len() == 1 { 0 } else { row }];
    let fits =
        |wanted| columns.len() == wanted && columns.iter().all(|c| c.len() == rows || c.len() == 1);
    match kind {
        "static" => Ok(Dynamics::Static),
        "tsodyks_markram" if fits(3) => {
            let law = |k| TsodyksMarkram { u: at(0, k), tau_rec: at(1, k), tau_facil: at(2, k) };
            Ok(Dynamics::TsodyksMarkram((0..rows).map(law).collect()))
        }
        "stdp" if fits(9) => {
            let rule = |k| PairRule {
                tau_plus: at(0, k),
                tau_minus: at(1, k),
                a_plus: at(2, k),
                a_minus: at(3, k),
                w_min: at(4, k),
                w_max: at(5, k),
                mu_plus: at(6, k),
                mu_minus: at(7, k),
                dendritic_delay_fraction: at(8, k),
            };
            Ok(Dynamics::Stdp((0..rows).map(rule).collect()))
        }
        _ => Err(exception("value", &format!("no synapses of kind `{kind}` with these columns"))),
    }
}

/// A waveform from its name and columns of one value, or times and amplitudes.
fn waveform(kind: &str, columns: &[Reals<'_>]) -> PyResult<Waveform> {
    let columns: Vec<Vec<f64>> = columns.iter().map(column).collect();
    let one = |c: usize| columns[c][0];
    let singles = |n| columns.len() == n && columns.iter().all(|c| c.len() == 1);
    match kind {
        "steps" if columns.len() == 2 => {
            Ok(Waveform::Steps { times_ms: columns[0].clone(), amplitudes: columns[1].clone() })
        }
        "sine" if singles(6) => Ok(Waveform::Sine {
            amplitude: one(0),
            offset: one(1),
            frequency: one(2),
            phase: one(3),
            start_ms: one(4),
            stop_ms: one(5),
        }),
        "noise" if singles(5) => Ok(Waveform::Noise {
            mean: one(0),
            stdev: one(1),
            every_ms: one(2),
            start_ms: one(3),
            stop_ms: one(4),
        }),
        _ => Err(exception("value", &format!("no current `{kind}` with these columns"))),
    }
}

#[pymethods]
impl Engine {
    #[new]
    fn new(step_ms: f64, seed: u64, threads: Option<usize>) -> PyResult<Self> {
        let inner = crate::reference::Engine::new(Settings { step_ms, seed, threads })?;
        let (populations, projections, currents) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { inner, populations, projections, currents })
    }

    /// The time, ms.
    #[getter]
    fn now(&self) -> f64 {
        self.inner.now_ms()
    }

    fn add_population(&mut self, model: &str, size: usize) -> PyResult<usize> {
        let Some(model) = crate::reference::Model::from_name(model) else {
            return Err(exception("value", &format!("the engine has no cell type {model}")));
        };
        self.populations.push(self.inner.add_population(model, size)?);
        Ok(self.populations.len() - 1)
    }

    fn set_parameter(&mut self, population: usize, name: &str, values: Reals<'_>) -> PyResult<()> {
        let id = self.population(population)?;
        Ok(self.inner.set_parameter(id, name, &column(&values))?)
    }

    fn set_spike_times(&mut self, population: usize, times: Vec<Reals<'_>>) -> PyResult<()> {
        let id = self.population(population)?;
        Ok(self.inner.set_spike_times(id, times.iter().map(column).collect())?)
    }

    fn initialize(&mut self, population: usize, name: &str, values: Reals<'_>) -> PyResult<()> {
        let id = self.population(population)?;
        Ok(self.inner.initialize(id, variable(name)?, &column(&values))?)
    }

    #[expect(clippy::too_many_arguments, reason = "columns of synapses")]
    fn connect(
        &mut self,
        receptor: usize,
        pre: Indices<'_>,
        post: Indices<'_>,
        weight: Reals<'_>,
        delay: Reals<'_>,
        kind: &str,
        laws: Vec<Reals<'_>>,
    ) -> PyResult<usize> {
        let synapses = Synapses {
            pre: column(&pre),
            post: column(&post),
            weight: column(&weight),
            delay_ms: column(&delay),
            dynamics: dynamics(kind, &laws)?,
        };
        self.projections.push(self.inner.connect(receptor, synapses)?);
        Ok(self.projections.len() - 1)
    }

    fn set_weights(&mut self, projection: usize, weight: Reals<'_>) -> PyResult<()> {
        let id = self.projection(projection)?;
        Ok(self.inner.set_weights(id, &column(&weight))?)
    }

    fn set_delays(&mut self, projection: usize, delay: Reals<'_>) -> PyResult<()> {
        let id = self.projection(projection)?;
        Ok(self.inner.set_delays(id, &column(&delay))?)
    }

    fn set_laws(&mut self, projection: usize, kind: &str, laws: Vec<Reals<'_>>) -> PyResult<()> {
        let id = self.projection(projection)?;
        Ok(self.inner.set_dynamics(id, dynamics(kind, &laws)?)?)
    }

    fn weights<'py>(
        &mut self,
        py: Python<'py>,
        projection: usize,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let id = self.projection(projection)?;
        Ok(self.inner.weights(id).into_pyarray(py))
    }

    fn add_current(&mut self, kind: &str, columns: Vec<Reals<'_>>) -> PyResult<usize> {
        self.currents.push(self.inner.add_current(waveform(kind, &columns)?)?);
        Ok(self.currents.len() - 1)
    }

    fn set_current(&mut self, current: usize, kind: &str, columns: Vec<Reals<'_>>) -> PyResult<()> {
        let id = self.current(current)?;
        Ok(self.inner.set_current(id, waveform(kind, &columns)?)?)
    }

    fn inject(&mut self, current: usize, cells: Indices<'_>) -> PyResult<()> {
        let id = self.current(current)?;
        Ok(self.inner.inject(id, &column(&cells))?)
    }

    fn record_current(&mut self, current: usize) -> PyResult<()> {
        let id = self.current(current)?;
        self.inner.record_current(id);
        Ok(())
    }

    fn recorded_current<'py>(
        &self,
        py: Python<'py>,
        current: usize,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let id = self.current(current)?;
        Ok(self.inner.recorded_current(id).to_vec().into_pyarray(py))
    }

    fn record_spikes(&mut self, population: usize, members: Indices<'_>) -> PyResult<()> {
        let id = self.population(population)?;
        Ok(self.inner.record_spikes(id, &column(&members))?)
    }

    fn record(
        &mut self,
        population: usize,
        name: &str,
        members: Indices<'_>,
        every: u64,
    ) -> PyResult<()> {
        let id = self.population(population)?;
        Ok(self.inner.record(id, variable(name)?, &column(&members), every)?)
    }

    fn record_nothing(&mut self, population: usize) -> PyResult<()> {
        let id = self.population(population)?;
        self.inner.record_nothing(id);
        Ok(())
    }

    fn clear_data(&mut self, population: usize) -> PyResult<()> {
        let id = self.population(population)?;
        self.inner.clear_data(id);
        Ok(())
    }

    /// Members and times in ms, by time.
    fn spikes<'py>(&self, py: Python<'py>, population: usize) -> PyResult<MembersAndReals<'py>> {
        let (members, times) = self.inner.spikes(self.population(population)?)?;
        Ok((members.into_pyarray(py), times.into_pyarray(py)))
    }

    /// Members, and samples with one row per time.
    fn signal<'py>(
        &self,
        py: Python<'py>,
        population: usize,
        name: &str,
    ) -> PyResult<MembersAndReals<'py>> {
        let id = self.population(population)?;
        let signal = self.inner.signal(id, variable(name)?);
        Ok((signal.members.into_pyarray(py), signal.samples.into_pyarray(py)))
    }

    fn reset(&mut self) {
        self.inner.reset();
    }

    /// Runs until a time in ms. An interrupt stops it, and what has been done stays.
    fn run(&mut self, py: Python<'_>, until_ms: f64, progress: Option<Py<PyAny>>) -> PyResult<()> {
        let engine = &mut self.inner;
        let start = engine.now_ms();
        let (result, raised) =
            watch::supervise(py, progress.as_ref(), Cancel::default(), |shared| {
                engine.run(until_ms, &mut |now| {
                    let share = (now - start) / (until_ms - start).max(f64::MIN_POSITIVE);
                    shared.tell(|| "running".to_owned(), share)
                })
            });
        result?;
        raised.map_or(Ok(()), Err)
    }
}
