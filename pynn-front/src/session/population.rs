//! Populations and projections of a session: how they come to be, change, and are recorded.

use std::collections::BTreeMap;
use std::path::Path;

use calib::{PairRule, TsodyksMarkram};
use marocco::MapError;
use marocco::network::{
    Population, PopulationId, PopulationKind, Projection, ProjectionId, Receptor, Synapse,
};
use marocco::options::HICANN_INPUT_HZ;

use super::cells::{CellModel, Cells, Columns};
use super::currents::StepCurrent;
use super::error::SessionError;
use super::sources::{self, Sources};
use super::traces::Trace;
use super::{Session, Stale};
use crate::spike_file::{self, Train};

/// What the synapses of a projection do.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum SynapseKind {
    /// Constant weights.
    #[default]
    Static,
    /// Short-term plasticity, the same for all.
    TsodyksMarkram(TsodyksMarkram),
    /// Long-term plasticity of spike pairs, the same for all.
    Pairs(PairRule),
}

/// A projection to be added. Several synapses between a pair are synapses of their own.
#[derive(Debug, Clone, Copy)]
pub struct NewProjection<'a> {
    /// Name for reports and errors.
    pub label: &'a str,
    /// Presynaptic and postsynaptic population.
    pub ends: (PopulationId, PopulationId),
    /// Synaptic input of the targets.
    pub receptor: Receptor,
    /// Presynaptic member of each synapse.
    pub pre: &'a [u32],
    /// Postsynaptic member of each synapse.
    pub post: &'a [u32],
    /// Weights in uS, one for all or one for each; not negative for either receptor.
    pub weights_us: &'a [f64],
    /// What the synapses do.
    pub kind: SynapseKind,
}

/// Spikes of a population, sorted by member and time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Spikes {
    /// Member of each spike.
    pub members: Vec<u32>,
    /// Biological time of each spike, ms.
    pub times_ms: Vec<f64>,
}

/// What the members are.
#[derive(Debug)]
pub(super) enum Members {
    Neurons(Cells),
    Sources(Sources),
}

/// A population as the session knows it, beyond what is mapped.
#[derive(Debug)]
pub(super) struct PopulationState {
    pub(super) members: Members,
    /// By member.
    pub(super) records_spikes: Vec<bool>,
    /// Spikes of neurons that the wafer has handed out for good, and those that come again.
    pub(super) spikes: Vec<(u32, f64)>,
    pub(super) latest: Vec<(u32, f64)>,
    /// From where on spikes of sources count, ms.
    from_ms: f64,
    /// By member: its membrane.
    pub(super) traces: BTreeMap<u32, Trace>,
    /// By member: the current into it.
    pub(super) currents: BTreeMap<u32, StepCurrent>,
}

impl PopulationState {
    fn new(size: usize, members: Members) -> Self {
        Self {
            members,
            records_spikes: vec![false; size],
            spikes: Vec::new(),
            latest: Vec::new(),
            from_ms: 0.0,
            traces: BTreeMap::new(),
            currents: BTreeMap::new(),
        }
    }

    pub(super) fn size(&self) -> usize {
        self.records_spikes.len()
    }

    pub(super) fn cells(&self) -> Option<&Cells> {
        match &self.members {
            Members::Neurons(cells) => Some(cells),
            Members::Sources(_) => None,
        }
    }

    pub(super) fn sources(&self) -> Option<&Sources> {
        match &self.members {
            Members::Neurons(_) => None,
            Members::Sources(sources) => Some(sources),
        }
    }

    pub(super) fn reset(&mut self) {
        if let Members::Sources(sources) = &mut self.members {
            sources.reset();
        }
        self.clear(0.0);
    }

    /// What the wafer has told so far is all that it tells.
    pub(super) fn settle(&mut self) {
        self.spikes.append(&mut self.latest);
    }

    fn clear(&mut self, now_ms: f64) {
        self.spikes.clear();
        self.latest.clear();
        self.from_ms = now_ms;
        self.traces.values_mut().for_each(|trace| trace.restart(now_ms));
    }

    fn spikes_until(&self, now_ms: f64) -> Vec<(u32, f64)> {
        let wanted = |member: u32| self.records_spikes[member as usize];
        let mut spikes: Vec<(u32, f64)> = match &self.members {
            Members::Neurons(_) => {
                let all = self.spikes.iter().chain(&self.latest).copied();
                all.filter(|&(member, time)| wanted(member) && time <= now_ms).collect()
            }
            Members::Sources(sources) => {
                let of_member = |(member, train): (usize, &Vec<f64>)| {
                    let from = train.partition_point(|&t| t < self.from_ms);
                    let to = train.partition_point(|&t| t <= now_ms);
                    let train = &train[from..to.max(from)];
                    train.iter().map(|&t| (member as u32, t)).collect::<Vec<_>>()
                };
                let trains = sources.sent().iter().enumerate();
                trains.filter(|(member, _)| wanted(*member as u32)).flat_map(of_member).collect()
            }
        };
        spikes.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        spikes
    }
}

/// Adding.
impl Session {
    /// Adds a population of neurons; parameters that are not given have PyNN's defaults.
    pub fn add_neurons(
        &mut self,
        label: &str,
        size: usize,
        model: CellModel,
        columns: &Columns,
    ) -> Result<PopulationId, SessionError> {
        let mut cells = Cells::new(model, size);
        cells.set(label, columns)?;
        let kind = PopulationKind::Neurons(cells.wanted());
        self.add(label, size, kind, Members::Neurons(cells))
    }

    /// Adds a population of Poisson sources: mean rates in biological Hz, first and last time in ms;
    /// one value for all or one for each.
    pub fn add_poisson(
        &mut self,
        label: &str,
        size: usize,
        rate_hz: &[f64],
        start_ms: &[f64],
        duration_ms: &[f64],
    ) -> Result<PopulationId, SessionError> {
        let sources = sources::poisson(label, size, rate_hz, start_ms, duration_ms)?;
        let stream = self.network.n_members() as u64;
        let sources = Sources::poisson(sources, self.setup.seed, stream);
        self.add(
            label,
            size,
            PopulationKind::Sources(sources.rates_hz()),
            Members::Sources(sources),
        )
    }

    /// Adds a population of sources that send at given times, biological ms, ascending.
    pub fn add_spike_arrays(
        &mut self,
        label: &str,
        times_ms: Vec<Vec<f64>>,
    ) -> Result<PopulationId, SessionError> {
        sources::check_times(label, &times_ms)?;
        let size = times_ms.len();
        let sources = Sources::array(times_ms);
        self.add(
            label,
            size,
            PopulationKind::Sources(sources.rates_hz()),
            Members::Sources(sources),
        )
    }

    fn add(
        &mut self,
        label: &str,
        size: usize,
        kind: PopulationKind,
        members: Members,
    ) -> Result<PopulationId, SessionError> {
        if size == 0 {
            return Err(SessionError::Empty { population: label.to_owned() });
        }
        let population = Population { label: label.to_owned(), size, kind };
        let id = self.network.add_population(population)?;
        self.populations.push(PopulationState::new(size, members));
        self.mark(Stale::Structure);
        Ok(id)
    }

    /// Adds a projection.
    pub fn add_projection(&mut self, new: NewProjection<'_>) -> Result<ProjectionId, SessionError> {
        let NewProjection { label, ends: (pre, post), receptor, kind, .. } = new;
        self.state(pre)?;
        self.state(post)?;
        let n = new.pre.len();
        let length = |given: usize, list: &str| {
            let what = format!("projection `{label}`: {list}");
            Err(SessionError::Length { what, expected: n, given })
        };
        if new.post.len() != n {
            return length(new.post.len(), "postsynaptic members");
        }
        if new.weights_us.len() != 1 && new.weights_us.len() != n {
            return length(new.weights_us.len(), "weights");
        }
        let weight = |i: usize| new.weights_us[if new.weights_us.len() == 1 { 0 } else { i }];
        let synapse =
            |i: usize| Synapse { pre: new.pre[i], post: new.post[i], weight_us: weight(i) as f32 };
        let (plasticity, pairs) = match kind {
            SynapseKind::Static => (None, None),
            SynapseKind::TsodyksMarkram(parameters) => (Some(parameters), None),
            SynapseKind::Pairs(rule) => (None, Some(rule)),
        };
        let projection = Projection {
            label: label.to_owned(),
            receptor,
            plasticity,
            pairs,
            synapses: (0..n).map(synapse).collect(),
        };
        let id = self.network.add_projection(pre, post, projection)?;
        self.mark(Stale::Structure);
        Ok(id)
    }
}

/// Changing. What is changed holds from the next run on and needs no new placement.
impl Session {
    /// Sets some parameters of neurons.
    pub fn set_cells(&mut self, id: PopulationId, columns: &Columns) -> Result<(), SessionError> {
        let label = self.label(id)?;
        let state = self.state_mut(id)?;
        let Members::Neurons(cells) = &mut state.members else {
            let (are, wanted) = ("spike sources", "neurons");
            return Err(SessionError::OtherKind { population: label, are, wanted });
        };
        let mut changed = cells.clone();
        changed.set(&label, columns)?;
        let wanted = changed.wanted();
        *cells = changed;
        self.network.set_cells(id, wanted)?;
        self.mark(Stale::Values);
        Ok(())
    }

    /// Gives Poisson sources other rates, starts and durations from now on.
    pub fn set_poisson(
        &mut self,
        id: PopulationId,
        rate_hz: &[f64],
        start_ms: &[f64],
        duration_ms: &[f64],
    ) -> Result<(), SessionError> {
        let (label, now_ms) = (self.label(id)?, self.now_ms);
        let size = self.state(id)?.size();
        let new = sources::poisson(&label, size, rate_hz, start_ms, duration_ms)?;
        self.sources_mut(id, "Poisson sources")?.set_poisson(&label, new, now_ms)?;
        self.take_rates(id)
    }

    /// Gives sources other spike times; those before now stay as they were.
    pub fn set_spike_times(
        &mut self,
        id: PopulationId,
        times_ms: Vec<Vec<f64>>,
    ) -> Result<(), SessionError> {
        let (label, now_ms) = (self.label(id)?, self.now_ms);
        let size = self.state(id)?.size();
        if times_ms.len() != size {
            let what = format!("population `{label}`: spike_times");
            return Err(SessionError::Length { what, expected: size, given: times_ms.len() });
        }
        sources::check_times(&label, &times_ms)?;
        self.sources_mut(id, "sources of given spikes")?.set_array(&label, times_ms, now_ms)?;
        self.take_rates(id)
    }

    /// Tells the network of new rates, if the link of a chip can carry each of them.
    fn take_rates(&mut self, id: PopulationId) -> Result<(), SessionError> {
        let Some(sources) = self.state(id)?.sources() else { return Ok(()) };
        let rates = sources.rates_hz();
        let (size, speedup) = (self.state(id)?.size(), self.setup.speedup);
        let too_fast = (0..size).find(|&m| rates.get(m) * speedup > HICANN_INPUT_HZ);
        if let Some(member) = too_fast {
            let rate_hz = *rates.get(member);
            return Err(SessionError::Map(MapError::SourceTooFast {
                population: self.label(id)?,
                member,
                rate_hz,
                hardware_hz: rate_hz * speedup,
                limit_hz: HICANN_INPUT_HZ,
            }));
        }
        Ok(self.network.set_rates(id, rates)?)
    }

    fn sources_mut(
        &mut self,
        id: PopulationId,
        wanted: &'static str,
    ) -> Result<&mut Sources, SessionError> {
        let label = self.label(id)?;
        match &mut self.state_mut(id)?.members {
            Members::Sources(sources) => Ok(sources),
            Members::Neurons(_) => {
                Err(SessionError::OtherKind { population: label, are: "neurons", wanted })
            }
        }
    }

    /// Sets all weights of a projection, uS, in the order of its synapses; one for all or one for
    /// each.
    pub fn set_weights(
        &mut self,
        id: ProjectionId,
        weights_us: &[f64],
    ) -> Result<(), SessionError> {
        self.known_projection(id)?;
        let n = self.network.projection(id).synapses.len();
        let weights: Vec<f32> = match weights_us {
            [one] => vec![*one as f32; n],
            each => each.iter().map(|&w| w as f32).collect(),
        };
        self.network.set_weights(id, &weights)?;
        self.learned.remove(&id);
        self.mark(Stale::Values);
        Ok(())
    }

    pub(super) fn label(&self, id: PopulationId) -> Result<String, SessionError> {
        self.state(id)?;
        Ok(self.network.population(id).label.clone())
    }
}

/// Recording.
impl Session {
    /// Records the spikes of exactly these members.
    pub fn record_spikes(&mut self, id: PopulationId, members: &[u32]) -> Result<(), SessionError> {
        self.check_members(id, members)?;
        let state = self.state_mut(id)?;
        state.records_spikes.fill(false);
        for &member in members {
            state.records_spikes[member as usize] = true;
        }
        Ok(())
    }

    /// Records the membranes of exactly these neurons, a value every so many ms. Members that were
    /// recorded with the same interval keep what they have.
    pub fn record_v(
        &mut self,
        id: PopulationId,
        members: &[u32],
        every_ms: f64,
    ) -> Result<(), SessionError> {
        self.check_members(id, members)?;
        if !(every_ms.is_finite() && every_ms > 0.0) {
            return Err(SessionError::Interval(every_ms));
        }
        let (now_ms, label) = (self.now_ms, self.label(id)?);
        let state = self.state_mut(id)?;
        if matches!(state.members, Members::Sources(_)) {
            return Err(SessionError::NoMembrane { population: label });
        }
        let mut before = std::mem::take(&mut state.traces);
        for &member in members {
            let known = before.remove(&member).filter(|t| t.every_ms == every_ms);
            state.traces.insert(member, known.unwrap_or_else(|| Trace::new(now_ms, every_ms)));
        }
        // before the first run neurons can still be placed where they are seen
        let seen = |chips| self.look(chips).1.is_empty();
        if now_ms == 0.0 && self.chips.as_ref().is_some_and(|chips| !seen(chips)) {
            self.mark(Stale::Structure);
        }
        Ok(())
    }

    fn check_members(&self, id: PopulationId, members: &[u32]) -> Result<(), SessionError> {
        let size = self.state(id)?.size();
        match members.iter().find(|&&member| member as usize >= size) {
            Some(&member) => {
                Err(SessionError::NoSuchMember { population: self.label(id)?, size, member })
            }
            None => Ok(()),
        }
    }

    /// The recorded spikes of a population so far.
    pub fn spikes(&self, id: PopulationId) -> Result<Spikes, SessionError> {
        let spikes = self.state(id)?.spikes_until(self.now_ms);
        let (members, times_ms) = spikes.into_iter().unzip();
        Ok(Spikes { members, times_ms })
    }

    /// Writes the recorded spikes of all populations that record any as a columnar file, see
    /// [`crate::spike_file`].
    pub fn write_spikes(&self, path: &Path) -> Result<(), SessionError> {
        let recorded = self.network.populations().zip(&self.populations);
        let spikes: Vec<(&str, Spikes)> = recorded
            .filter(|(_, state)| state.records_spikes.contains(&true))
            .map(|((id, population), _)| Ok((population.label.as_str(), self.spikes(id)?)))
            .collect::<Result<_, SessionError>>()?;
        let trains: Vec<Train<'_>> = spikes
            .iter()
            .map(|(population, spikes)| {
                let Spikes { members: neurons, times_ms } = spikes;
                Train { population, neurons, times_ms }
            })
            .collect();
        Ok(spike_file::write(path, &trains)?)
    }

    /// The recorded membrane of a neuron so far; none if it is not recorded.
    pub fn trace(&self, id: PopulationId, member: u32) -> Result<Option<&Trace>, SessionError> {
        Ok(self.state(id)?.traces.get(&member))
    }

    /// Forgets what a population has recorded so far; recording goes on.
    pub fn clear_recording(&mut self, id: PopulationId) -> Result<(), SessionError> {
        let now_ms = self.now_ms;
        self.state_mut(id)?.clear(now_ms);
        Ok(())
    }
}
