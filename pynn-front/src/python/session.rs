//! Sessions on the wafer in Python.
#![expect(clippy::needless_pass_by_value, reason = "Python hands arguments over by value")]

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use calib::{PairRule, TsodyksMarkram};
use emulator::{Effects, Instance};
use marocco::network::{PopulationId, ProjectionId, Receptor};
use numpy::{IntoPyArray as _, PyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use serde::Serialize;

use super::{Indices, MembersAndReals, Reals, column, exception, watch};
use crate::picture::View;
use crate::session::{
    CalibrationSource, CellModel, Columns, NewProjection, Policy, Setup, SynapseKind,
    VoltageWindow, WaferDefects, capacitor, leak, neuron_size,
};

/// A network on the wafer. Populations and projections are numbers in the order of creation.
#[pyclass]
pub(super) struct Session {
    inner: crate::session::Session,
    populations: Vec<PopulationId>,
    projections: Vec<ProjectionId>,
}

fn value_error(error: impl std::fmt::Display) -> PyErr {
    exception("value", &error.to_string())
}

impl Session {
    fn population(&self, index: usize) -> PyResult<PopulationId> {
        let id = self.populations.get(index).copied();
        id.ok_or_else(|| value_error(format!("there is no population {index}")))
    }

    fn projection(&self, index: usize) -> PyResult<ProjectionId> {
        let id = self.projections.get(index).copied();
        id.ok_or_else(|| value_error(format!("there is no projection {index}")))
    }
}

fn columns(given: HashMap<String, Reals<'_>>) -> Columns {
    given.into_iter().map(|(name, values)| (name, column(&values))).collect()
}

/// A report as Python's dicts, lists and numbers.
fn json<'py>(py: Python<'py>, report: Option<&impl Serialize>) -> PyResult<Bound<'py, PyAny>> {
    let Some(report) = report else { return Ok(py.None().into_bound(py)) };
    let text = serde_json::to_string(report).map_err(value_error)?;
    py.import("json")?.getattr("loads")?.call1((text,))
}

/// Pre- and postsynaptic members and their values, as arrays.
type SynapseColumns<'py> = (
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
);

/// The setup from words, numbers and lists.
fn setup(options: &Bound<'_, PyDict>) -> PyResult<Setup> {
    let text = |key: &str| -> PyResult<Option<String>> {
        options.get_item(key)?.map(|value| value.extract()).transpose()
    };
    let wafer: Instance = match text("wafer")? {
        Some(wafer) => wafer.parse().map_err(value_error)?,
        None => return Err(value_error("no wafer")),
    };
    let mut setup = Setup::on(wafer);
    if let Some(effects) = options.get_item("effects")? {
        for one in effects.cast::<PyList>()?.iter() {
            let (name, on): (String, bool) = one.extract()?;
            let some: Effects = name.parse().map_err(value_error)?;
            setup.effects = setup.effects.with(some, on);
        }
    }
    let policy = |key: &'static str| -> PyResult<Policy> {
        Policy::parse(key, &text(key)?.unwrap_or_default()).map_err(|e| PyErr::from(session(e)))
    };
    let word = |key: &str| -> PyResult<String> { Ok(text(key)?.unwrap_or_default()) };
    setup.on_loss = policy("on_loss")?;
    setup.on_clip = policy("on_clip")?;
    setup.neuron_size = neuron_size(&word("neuron_size")?).map_err(session)?;
    setup.capacitor = capacitor(&word("capacitor")?).map_err(session)?;
    setup.leak = leak(&word("leak")?).map_err(session)?;
    setup.readout = word("readout")?.parse().map_err(session)?;
    setup.effort = word("effort")?.parse().map_err(value_error)?;
    if let Some(window) = options.get_item("voltage_window")? {
        let [bio_min, bio_max, hw_min, hw_max]: [f64; 4] = window.extract()?;
        setup.voltage_window =
            Some(VoltageWindow { bio_mv: [bio_min, bio_max], hw_v: [hw_min, hw_max] });
    }
    if let Some(speedup) = options.get_item("speedup")? {
        setup.speedup = speedup.extract()?;
    }
    if let Some(seed) = options.get_item("seed")? {
        setup.seed = seed.extract()?;
    }
    if let Some(threads) = options.get_item("threads")? {
        setup.threads = Some(threads.extract()?);
    }
    if let Some(path) = options.get_item("calibration")? {
        setup.calibration = CalibrationSource::File(path.extract::<PathBuf>()?);
    }
    setup.defects = match word("defects")?.as_str() {
        "wafer" => WaferDefects::Wafer,
        "none" => WaferDefects::None,
        path => WaferDefects::File(path.into()),
    };
    Ok(setup)
}

fn session(error: crate::session::InvalidChoice) -> crate::session::SessionError {
    error.into()
}

#[pymethods]
impl Session {
    /// A session from keywords of `setup`, all as text but numbers and lists.
    #[new]
    fn new(options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let inner = crate::session::Session::new(setup(options)?)?;
        Ok(Self { inner, populations: Vec::new(), projections: Vec::new() })
    }

    /// The time, ms.
    #[getter]
    fn now(&self) -> f64 {
        self.inner.now_ms()
    }

    /// Warnings since the last call.
    fn take_warnings(&mut self) -> Vec<String> {
        self.inner.take_warnings()
    }

    fn add_neurons(
        &mut self,
        label: &str,
        model: &str,
        size: usize,
        parameters: HashMap<String, Reals<'_>>,
    ) -> PyResult<usize> {
        let known = [CellModel::IfCondExp, CellModel::EifCondExpIsfaIsta];
        let Some(model) = known.into_iter().find(|m| m.name() == model) else {
            let message = format!(
                "population `{label}`: the wafer has no circuit for {model}; it has IF_cond_exp \
                 and EIF_cond_exp_isfa_ista, and backend=\"reference\" runs the others"
            );
            return Err(exception("model", &message));
        };
        let id = self.inner.add_neurons(label, size, model, &columns(parameters))?;
        self.populations.push(id);
        Ok(self.populations.len() - 1)
    }

    fn add_poisson(
        &mut self,
        label: &str,
        size: usize,
        rate: Reals<'_>,
        start: Reals<'_>,
        duration: Reals<'_>,
    ) -> PyResult<usize> {
        let [rate, start, duration] = [rate, start, duration].map(|c| column(&c));
        let id = self.inner.add_poisson(label, size, &rate, &start, &duration)?;
        self.populations.push(id);
        Ok(self.populations.len() - 1)
    }

    fn add_spike_arrays(&mut self, label: &str, times: Vec<Reals<'_>>) -> PyResult<usize> {
        let times = times.iter().map(column).collect();
        self.populations.push(self.inner.add_spike_arrays(label, times)?);
        Ok(self.populations.len() - 1)
    }

    fn set_neurons(
        &mut self,
        population: usize,
        parameters: HashMap<String, Reals<'_>>,
    ) -> PyResult<()> {
        let id = self.population(population)?;
        Ok(self.inner.set_cells(id, &columns(parameters))?)
    }

    fn set_poisson(
        &mut self,
        population: usize,
        rate: Reals<'_>,
        start: Reals<'_>,
        duration: Reals<'_>,
    ) -> PyResult<()> {
        let id = self.population(population)?;
        let [rate, start, duration] = [rate, start, duration].map(|c| column(&c));
        Ok(self.inner.set_poisson(id, &rate, &start, &duration)?)
    }

    fn set_spike_times(&mut self, population: usize, times: Vec<Reals<'_>>) -> PyResult<()> {
        let id = self.population(population)?;
        Ok(self.inner.set_spike_times(id, times.iter().map(column).collect())?)
    }

    /// Adds static synapses; ones with short-term plasticity if `stp` holds U, tau_rec and
    /// tau_facil; ones with long-term plasticity if `pairs` holds tau_plus, tau_minus, A_plus,
    /// A_minus, w_min and w_max.
    #[expect(clippy::too_many_arguments, reason = "columns of synapses")]
    fn add_projection(
        &mut self,
        label: &str,
        pre_population: usize,
        post_population: usize,
        receptor: usize,
        pre: Indices<'_>,
        post: Indices<'_>,
        weight: Reals<'_>,
        stp: Option<[f64; 3]>,
        pairs: Option<[f64; 6]>,
    ) -> PyResult<usize> {
        let ends = (self.population(pre_population)?, self.population(post_population)?);
        let kind = match (stp, pairs) {
            (None, None) => SynapseKind::Static,
            (Some([u, tau_rec, tau_facil]), _) => {
                SynapseKind::TsodyksMarkram(TsodyksMarkram { u, tau_rec, tau_facil })
            }
            (None, Some([tau_plus, tau_minus, a_plus, a_minus, w_min, w_max])) => {
                let rule = PairRule { tau_plus, tau_minus, a_plus, a_minus, w_min, w_max };
                SynapseKind::Pairs(rule)
            }
        };
        let [receptor_of_0, receptor_of_1] = Receptor::ALL;
        let id = self.inner.add_projection(NewProjection {
            label,
            ends,
            receptor: if receptor == 0 { receptor_of_0 } else { receptor_of_1 },
            pre: &column(&pre),
            post: &column(&post),
            weights_us: &column(&weight),
            kind,
        })?;
        self.projections.push(id);
        Ok(self.projections.len() - 1)
    }

    fn set_weights(&mut self, projection: usize, weight: Reals<'_>) -> PyResult<()> {
        let id = self.projection(projection)?;
        Ok(self.inner.set_weights(id, &column(&weight))?)
    }

    /// Feeds a current that changes in steps into a member: times in ms, amplitudes in nA.
    fn set_current(
        &mut self,
        population: usize,
        member: u32,
        times: Reals<'_>,
        amplitudes: Reals<'_>,
    ) -> PyResult<()> {
        let id = self.population(population)?;
        Ok(self.inner.set_current(id, member, &column(&times), &column(&amplitudes))?)
    }

    /// Records the spikes of exactly these members.
    fn record_spikes(&mut self, population: usize, members: Indices<'_>) -> PyResult<()> {
        let id = self.population(population)?;
        Ok(self.inner.record_spikes(id, &column(&members))?)
    }

    /// Records the membranes of exactly these members.
    fn record_v(&mut self, population: usize, members: Indices<'_>, every_ms: f64) -> PyResult<()> {
        let id = self.population(population)?;
        Ok(self.inner.record_v(id, &column(&members), every_ms)?)
    }

    fn clear_recording(&mut self, population: usize) -> PyResult<()> {
        let id = self.population(population)?;
        Ok(self.inner.clear_recording(id)?)
    }

    /// Members and times in ms, by member and time.
    fn spikes<'py>(&self, py: Python<'py>, population: usize) -> PyResult<MembersAndReals<'py>> {
        let spikes = self.inner.spikes(self.population(population)?)?;
        Ok((spikes.members.into_pyarray(py), spikes.times_ms.into_pyarray(py)))
    }

    /// Membrane potentials of a member, mV.
    fn trace<'py>(
        &self,
        py: Python<'py>,
        population: usize,
        member: u32,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let trace = self.inner.trace(self.population(population)?, member)?;
        let potentials = trace.map(|trace| trace.potentials_mv.clone()).unwrap_or_default();
        Ok(potentials.into_pyarray(py))
    }

    /// Places, routes and translates.
    fn map(&mut self, py: Python<'_>, progress: Option<Py<PyAny>>) -> PyResult<()> {
        let session = &mut self.inner;
        let stop = session.setup().cancel.clone();
        let (result, raised) = watch::supervise(py, progress.as_ref(), stop, |shared| {
            session.map(&mut |progress| shared.watch(progress))
        });
        raised.map_or(Ok(()), Err)?;
        Ok(result?)
    }

    /// Runs for some biological ms. An interrupt stops it, and what has been recorded stays.
    fn run(
        &mut self,
        py: Python<'_>,
        duration_ms: f64,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let session = &mut self.inner;
        let stop = session.setup().cancel.clone();
        let (result, raised) = watch::supervise(py, progress.as_ref(), stop, |shared| {
            session.run(duration_ms, &mut |progress| shared.watch(progress))
        });
        raised.map_or(Ok(()), Err)?;
        result?;
        Ok(())
    }

    fn reset(&mut self) {
        self.inner.reset();
    }

    /// Whether the mapping holds everything that was asked for.
    #[getter]
    fn is_mapped(&self) -> bool {
        self.inner.is_mapped()
    }

    fn mapping_report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json(py, self.inner.mapping_report())
    }

    fn run_report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json(py, self.inner.run_report())
    }

    /// Position in the request, pre, post, weight in uS and delay in ms of synapses on the wafer.
    fn realised_synapses<'py>(
        &self,
        py: Python<'py>,
        projection: usize,
    ) -> PyResult<SynapseColumns<'py>> {
        let all = self.inner.realised_synapses(self.projection(projection)?)?;
        Ok((
            all.request.into_pyarray(py),
            all.pre.into_pyarray(py),
            all.post.into_pyarray(py),
            all.weights_us.into_pyarray(py),
            all.delays_ms.into_pyarray(py),
        ))
    }

    /// Shortest and longest delay of the routes, ms.
    fn route_delays(&self) -> PyResult<Option<(f64, f64)>> {
        Ok(self.inner.route_delays_ms()?)
    }

    /// Position in the request, pre, post and cause of lost synapses.
    fn lost(&self, projection: usize) -> PyResult<Vec<(u32, u32, u32, String)>> {
        let lost = self.inner.lost(self.projection(projection)?)?;
        let named = lost.into_iter().map(|synapse| {
            let cause = serde_json::to_value(synapse.cause).map_err(value_error)?;
            let cause = cause.as_str().unwrap_or_default().to_owned();
            Ok((synapse.request, synapse.pre, synapse.post, cause))
        });
        named.collect()
    }

    fn realised_cells<'py>(
        &self,
        py: Python<'py>,
        population: usize,
    ) -> PyResult<BTreeMap<&'static str, Bound<'py, PyArray1<f64>>>> {
        let cells = self.inner.realised_cells(self.population(population)?)?;
        Ok(cells.into_iter().map(|(name, values)| (name, values.into_pyarray(py))).collect())
    }

    /// A picture of the mapping as SVG.
    fn picture(&self, view: &str) -> PyResult<String> {
        let view: View = view.parse().map_err(value_error)?;
        Ok(self.inner.picture(view)?)
    }

    /// Writes the network for `bss1 map`.
    fn save_network(&self, path: PathBuf) -> PyResult<()> {
        Ok(self.inner.save_network(&path)?)
    }

    fn save_mapping(&self, path: PathBuf) -> PyResult<()> {
        Ok(self.inner.save_mapping(&path)?)
    }

    fn load_mapping(
        &mut self,
        py: Python<'_>,
        path: PathBuf,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let session = &mut self.inner;
        let stop = session.setup().cancel.clone();
        let (result, raised) = watch::supervise(py, progress.as_ref(), stop, |shared| {
            session.load_mapping(&path, &mut |progress| shared.watch(progress))
        });
        raised.map_or(Ok(()), Err)?;
        Ok(result?)
    }
}
