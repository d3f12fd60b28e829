//! The reference engine: a network as PyNN describes it, on nothing but arithmetic.
//!
//! No wafer, no mapping: double precision, exact refractory periods, any delay on the grid of time
//! steps, currents from outside, and every state variable can be recorded. So a script can be run
//! as the wafer realises it, and as it was meant.
//!
//! ```
//! use pynn_front::reference::{Dynamics, Engine, Model, Settings, Synapses};
//!
//! let mut engine = Engine::new(Settings { step_ms: 0.1, seed: 1, threads: None })?;
//! let noise = engine.add_population(Model::SpikeSourcePoisson, 100)?;
//! let cells = engine.add_population(Model::IfCondExp, 20)?;
//! engine.set_parameter(noise, "rate", &[40.0])?;
//! let (pre, post) = (0..100_u32).flat_map(|i| (100..120).map(move |j| (i, j))).unzip();
//! let one_to_all = Synapses {
//!     pre,
//!     post,
//!     weight: vec![0.004],
//!     delay_ms: vec![1.5],
//!     dynamics: Dynamics::Static,
//! };
//! engine.connect(0, one_to_all)?;
//! engine.record_spikes(cells, &(0..20).collect::<Vec<_>>())?;
//! engine.run(500.0, &mut |_now_ms| std::ops::ControlFlow::Continue(()))?;
//! let (members, times_ms) = engine.spikes(cells)?;
//! assert_eq!(members.len(), times_ms.len());
//! assert!(times_ms.iter().all(|t| (0.0..=500.0).contains(t)));
//! # Ok::<(), pynn_front::reference::ReferenceError>(())
//! ```

mod adex;
mod block;
mod build;
mod error;
mod lif;
mod math;
mod model;
mod part;
mod record;
mod run;
mod sources;
mod synapses;

pub use error::ReferenceError;
pub use model::{Model, Variable};
pub use record::Signal;
pub use sources::Waveform;
pub use synapses::{Dynamics, PairRule, Synapses, TsodyksMarkram};

use block::{Block, Event};
use error::{check_laws, check_length, check_waveform, check_weights};
use model::Allowed;
use part::Part;
use sources::{CurrentSource, Poisson};
use synapses::{Resources, Traces};

/// Longest delay, in steps.
const MAX_DELAY_STEPS: f64 = 16_384.0;

/// What a user chooses besides the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Time step, ms.
    pub step_ms: f64,
    /// Seed of Poisson sources and noise.
    pub seed: u64,
    /// Number of threads; results do not depend on it. All processors by default.
    pub threads: Option<usize>,
}

/// A population; numbered in the order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PopulationId(usize);

/// A projection; numbered in the order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectionId(usize);

/// A current source; numbered in the order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentId(usize);

/// A population of the network.
#[derive(Debug)]
struct Population {
    model: Model,
    size: usize,
    /// Its first member, counted over all populations.
    first: usize,
    /// Values of each parameter, in the order of the model's rows; one or one each.
    columns: Vec<Vec<f64>>,
    /// Initial values of each state variable, likewise.
    initial: Vec<Vec<f64>>,
    /// Spike times in ms of arrays, and the next of each.
    times_ms: Vec<Vec<f64>>,
    next: Vec<usize>,
    /// Poisson processes, and the next spike of each.
    poisson: Vec<Poisson>,
    due_ms: Vec<f64>,
    /// Whether spikes of each member are recorded, and those that were.
    recorded: Vec<bool>,
    spikes: Vec<(u32, f64)>,
}

fn of(column: &[f64], member: usize) -> f64 {
    column[if column.len() == 1 { 0 } else { member }]
}

/// What plastic synapses remember while blocks are rebuilt.
#[derive(Debug, Clone)]
enum Memory {
    None,
    Short(Vec<Resources>),
    Long(Vec<Traces>),
}

/// A projection of the network.
#[derive(Debug, Clone)]
struct Projection {
    receptor: usize,
    synapses: Synapses,
    delay_steps: Vec<u16>,
    /// Weights before any plasticity.
    initial_weight: Vec<f64>,
    memory: Memory,
}

/// A network and its state.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    populations: Vec<Population>,
    projections: Vec<Projection>,
    currents: Vec<CurrentSource>,
    /// Receiving members of each current source.
    injected: Vec<Vec<u32>>,
    /// Steps done.
    now: u64,
    /// Source spikes until this step have been sent; none before the first run.
    sent: Option<u64>,
    parts: Vec<Part>,
    /// Part and place in it of each block, by its first cell.
    order: Vec<(usize, usize)>,
    /// Population of each member.
    population_of: Vec<u32>,
    /// Shortest and longest delay, in steps.
    delays: (u16, u16),
    /// Spikes that were not delivered yet.
    events: Vec<Event>,
    /// Whether blocks have to be built anew, or take over parameters or weights.
    stale: build::Stale,
    pool: Option<rayon::ThreadPool>,
}

fn blocks_mut(parts: &mut [Part]) -> impl Iterator<Item = &mut Block> {
    parts.iter_mut().flat_map(|part| &mut part.blocks)
}

impl Engine {
    /// An empty network.
    pub fn new(settings: Settings) -> Result<Self, ReferenceError> {
        if !Allowed::Positive.holds(settings.step_ms) {
            return Err(ReferenceError::Step(settings.step_ms));
        }
        Ok(Self {
            settings,
            populations: Vec::new(),
            projections: Vec::new(),
            currents: Vec::new(),
            injected: Vec::new(),
            now: 0,
            sent: None,
            parts: Vec::new(),
            order: Vec::new(),
            population_of: Vec::new(),
            delays: (1, 1),
            events: Vec::new(),
            stale: build::Stale::default(),
            pool: None,
        })
    }

    /// The time, ms.
    pub fn now_ms(&self) -> f64 {
        self.now as f64 * self.settings.step_ms
    }

    /// All blocks, by their first cells.
    fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.order.iter().map(|&(part, place)| &self.parts[part].blocks[place])
    }

    fn members(&self) -> usize {
        self.populations.last().map_or(0, |p| p.first + p.size)
    }

    /// Adds a population with the default parameters of its model.
    pub fn add_population(
        &mut self,
        model: Model,
        size: usize,
    ) -> Result<PopulationId, ReferenceError> {
        let first = self.members();
        if size == 0 || first + size > i32::MAX as usize {
            return Err(ReferenceError::Size(size));
        }
        let sources = |wanted| if model == wanted { size } else { 0 };
        let process = |member| Poisson::new(self.settings.seed, (first + member) as u64);
        self.populations.push(Population {
            model,
            size,
            first,
            columns: model.rows().iter().map(|row| vec![row.1]).collect(),
            initial: model.states().iter().map(|state| vec![state.1]).collect(),
            times_ms: vec![Vec::new(); sources(Model::SpikeSourceArray)],
            next: vec![0; sources(Model::SpikeSourceArray)],
            poisson: (0..sources(Model::SpikeSourcePoisson)).map(process).collect(),
            due_ms: vec![f64::INFINITY; sources(Model::SpikeSourcePoisson)],
            recorded: vec![false; size],
            spikes: Vec::new(),
        });
        self.stale.structure = true;
        Ok(PopulationId(self.populations.len() - 1))
    }

    /// The population at a position in the order of creation.
    pub fn population(&self, index: usize) -> Result<PopulationId, ReferenceError> {
        if index < self.populations.len() {
            return Ok(PopulationId(index));
        }
        Err(ReferenceError::Absent { what: "population", index, known: self.populations.len() })
    }

    /// Sets a parameter, by its name in PyNN: one value for all members, or one for each.
    pub fn set_parameter(
        &mut self,
        id: PopulationId,
        name: &str,
        values: &[f64],
    ) -> Result<(), ReferenceError> {
        let now_ms = self.now_ms();
        let population = &mut self.populations[id.0];
        let rows = population.model.rows();
        let Some(column) = rows.iter().position(|row| row.0 == name) else {
            return Err(ReferenceError::Unknown { model: population.model, name: name.to_owned() });
        };
        check_length(name, values, population.size)?;
        let allowed = rows[column].2;
        if let Some(&value) = values.iter().find(|v| !allowed.holds(**v)) {
            let (name, allowed) = (name.to_owned(), allowed.words());
            return Err(ReferenceError::Value { name, value, allowed });
        }
        population.columns[column] = values.to_vec();
        if self.sent.is_some() {
            population.set_rates(now_ms);
        }
        self.stale.parameters = true;
        Ok(())
    }

    /// Sets the spike times of all members of a [`Model::SpikeSourceArray`], in ms: one list for
    /// all, or one for each. Times that have passed are skipped.
    pub fn set_spike_times(
        &mut self,
        id: PopulationId,
        times_ms: Vec<Vec<f64>>,
    ) -> Result<(), ReferenceError> {
        let (now, step_ms, sent) = (self.now, self.settings.step_ms, self.sent);
        let population = &mut self.populations[id.0];
        if population.model != Model::SpikeSourceArray {
            let name = "spike_times".to_owned();
            return Err(ReferenceError::Unknown { model: population.model, name });
        }
        if times_ms.len() != 1 && times_ms.len() != population.size {
            return Err(ReferenceError::Length {
                name: "spike_times".to_owned(),
                values: times_ms.len(),
                wanted: population.size,
            });
        }
        for (member, times) in times_ms.iter().enumerate() {
            let wrong = times
                .iter()
                .enumerate()
                .find(|&(i, &t)| !Allowed::NotNegative.holds(t) || (i > 0 && times[i - 1] > t));
            if let Some((position, &time_ms)) = wrong {
                return Err(ReferenceError::SpikeTimes { member, position, time_ms });
            }
        }
        let past = |t: &f64| sent.is_some() && run::step_of(*t, step_ms) <= now;
        population.times_ms =
            if times_ms.len() == 1 { vec![times_ms[0].clone(); population.size] } else { times_ms };
        population.next = population.times_ms.iter().map(|t| t.partition_point(past)).collect();
        Ok(())
    }

    /// Sets a state variable now, and for each later [`Engine::reset`].
    pub fn initialize(
        &mut self,
        id: PopulationId,
        variable: Variable,
        values: &[f64],
    ) -> Result<(), ReferenceError> {
        let population = &mut self.populations[id.0];
        let states = population.model.states();
        let Some(column) = states.iter().position(|state| state.0 == variable) else {
            let name = format!("{variable:?}");
            return Err(ReferenceError::Unknown { model: population.model, name });
        };
        check_length(&format!("{variable:?}"), values, population.size)?;
        if let Some(&value) = values.iter().find(|v| !v.is_finite()) {
            let (name, allowed) = (format!("{variable:?}"), Allowed::Finite.words());
            return Err(ReferenceError::Value { name, value, allowed });
        }
        population.initial[column] = values.to_vec();
        for block in blocks_mut(&mut self.parts).filter(|b| b.population == id.0) {
            for cell in 0..block.cells {
                block.membranes.set(variable, cell, of(values, block.first + cell));
            }
        }
        Ok(())
    }

    /// Adds a current source.
    pub fn add_current(&mut self, waveform: Waveform) -> Result<CurrentId, ReferenceError> {
        check_waveform(&waveform)?;
        let number = self.currents.len();
        self.currents.push(CurrentSource::new(waveform, self.settings.seed, number as u64));
        self.injected.push(Vec::new());
        Ok(CurrentId(number))
    }

    /// Replaces the waveform of a current source from now on.
    pub fn set_current(&mut self, id: CurrentId, waveform: Waveform) -> Result<(), ReferenceError> {
        check_waveform(&waveform)?;
        self.currents[id.0].waveform = waveform;
        Ok(())
    }

    /// Injects a current into members of the network, counted over all populations.
    pub fn inject(&mut self, id: CurrentId, members: &[u32]) -> Result<(), ReferenceError> {
        for (index, &member) in members.iter().enumerate() {
            self.check_target(index, member)?;
        }
        self.injected[id.0].extend(members);
        self.stale.injections = true;
        Ok(())
    }

    /// Adds a projection onto a receptor: 0 is excitatory, 1 inhibitory. Columns of weights and
    /// delays have one value, or one for each synapse.
    pub fn connect(
        &mut self,
        receptor: usize,
        mut synapses: Synapses,
    ) -> Result<ProjectionId, ReferenceError> {
        let n = synapses.pre.len();
        if receptor > 1 {
            return Err(ReferenceError::Receptor(receptor));
        }
        if synapses.post.len() != n {
            let name = "post".to_owned();
            return Err(ReferenceError::Length { name, values: synapses.post.len(), wanted: n });
        }
        for (name, column) in [("weight", &mut synapses.weight), ("delay", &mut synapses.delay_ms)]
        {
            check_length(name, column, n)?;
            if column.len() != n {
                *column = vec![column[0]; n];
            }
        }
        let members = self.members() as u32;
        for (index, (&pre, &post)) in synapses.pre.iter().zip(&synapses.post).enumerate() {
            if pre >= members {
                let what = "not in the network";
                return Err(ReferenceError::NoSuchMember { index, member: pre, what });
            }
            if index == 0 || post != synapses.post[index - 1] {
                self.check_target(index, post)?;
            }
        }
        check_weights(&synapses.weight)?;
        let delay_steps = self.delay_steps(&synapses.delay_ms)?;
        let memory = match &synapses.dynamics {
            Dynamics::Static => Memory::None,
            Dynamics::TsodyksMarkram(laws) => {
                check_laws(laws.len(), n)?;
                Memory::Short(vec![Resources::FULL; n])
            }
            Dynamics::Stdp(rules) => {
                check_laws(rules.len(), n)?;
                Memory::Long(vec![Traces::NONE; n])
            }
        };
        let initial_weight = match memory {
            Memory::Long(_) => synapses.weight.clone(),
            _ => Vec::new(),
        };
        self.projections.push(Projection {
            receptor,
            synapses,
            delay_steps,
            initial_weight,
            memory,
        });
        self.stale.structure = true;
        Ok(ProjectionId(self.projections.len() - 1))
    }

    fn check_target(&self, index: usize, member: u32) -> Result<(), ReferenceError> {
        let population = self.populations.partition_point(|p| p.first <= member as usize);
        let population = population.checked_sub(1).map(|p| &self.populations[p]);
        let what = match population.filter(|p| (member as usize) < p.first + p.size) {
            None => "not in the network",
            Some(p) if p.model.is_source() => "a spike source; these have no inputs",
            Some(_) => return Ok(()),
        };
        Err(ReferenceError::NoSuchMember { index, member, what })
    }

    fn delay_steps(&self, delays_ms: &[f64]) -> Result<Vec<u16>, ReferenceError> {
        let step_ms = self.settings.step_ms;
        let steps = delays_ms.iter().enumerate().map(|(index, &delay_ms)| {
            let steps = (delay_ms / step_ms).round();
            if (1.0..=MAX_DELAY_STEPS).contains(&steps) {
                return Ok(steps as u16);
            }
            let longest_ms = MAX_DELAY_STEPS * step_ms;
            Err(ReferenceError::Delay { index, delay_ms, step_ms, longest_ms })
        });
        steps.collect()
    }

    /// Replaces the weights of a projection, uS.
    pub fn set_weights(&mut self, id: ProjectionId, weight: &[f64]) -> Result<(), ReferenceError> {
        let projection = &mut self.projections[id.0];
        let n = projection.synapses.pre.len();
        check_length("weight", weight, n)?;
        check_weights(weight)?;
        let each = |k: usize| of(weight, k);
        projection.synapses.weight = (0..n).map(each).collect();
        if !projection.initial_weight.is_empty() {
            projection.initial_weight = projection.synapses.weight.clone();
        }
        self.stale.weights.push(id.0);
        Ok(())
    }

    /// Replaces the delays of a projection, ms. What is on its way arrives as it was sent.
    pub fn set_delays(&mut self, id: ProjectionId, delay_ms: &[f64]) -> Result<(), ReferenceError> {
        let n = self.projections[id.0].synapses.pre.len();
        check_length("delay", delay_ms, n)?;
        let steps = self.delay_steps(delay_ms)?;
        let projection = &mut self.projections[id.0];
        let each = |k: usize| of(delay_ms, k);
        projection.synapses.delay_ms = (0..n).map(each).collect();
        let each = |k: usize| steps[if steps.len() == 1 { 0 } else { k }];
        projection.delay_steps = (0..n).map(each).collect();
        self.stale.structure = true;
        Ok(())
    }

    /// Replaces the laws of a projection's plasticity by others of the same kind.
    pub fn set_dynamics(
        &mut self,
        id: ProjectionId,
        dynamics: Dynamics,
    ) -> Result<(), ReferenceError> {
        let projection = &mut self.projections[id.0];
        let n = projection.synapses.pre.len();
        match &dynamics {
            Dynamics::TsodyksMarkram(laws) => check_laws(laws.len(), n)?,
            Dynamics::Stdp(rules) => check_laws(rules.len(), n)?,
            Dynamics::Static => {}
        }
        projection.memory = match (&dynamics, projection.memory.clone()) {
            (Dynamics::TsodyksMarkram(_), memory @ Memory::Short(_))
            | (Dynamics::Stdp(_), memory @ Memory::Long(_)) => memory,
            (Dynamics::Static, _) => Memory::None,
            (Dynamics::TsodyksMarkram(_), _) => Memory::Short(vec![Resources::FULL; n]),
            (Dynamics::Stdp(_), _) => Memory::Long(vec![Traces::NONE; n]),
        };
        projection.synapses.dynamics = dynamics;
        self.stale.structure = true;
        Ok(())
    }

    /// The weights of a projection now, uS; plastic ones have seen all spikes so far.
    pub fn weights(&mut self, id: ProjectionId) -> Vec<f64> {
        if let Memory::Long(_) = self.projections[id.0].memory {
            self.settle_weights();
        }
        self.projections[id.0].synapses.weight.clone()
    }
}

impl Population {
    fn set_rates(&mut self, now_ms: f64) {
        for (member, process) in self.poisson.iter_mut().enumerate() {
            let due_ms = &mut self.due_ms[member];
            let [rate, start, duration] = [0, 1, 2].map(|c| of(&self.columns[c], member));
            process.set(rate, start, duration, now_ms, due_ms);
        }
    }
}
