//! A PyNN session on the wafer: a network that grows, a mapping that is kept as long as it holds, runs
//! that continue each other.
//!
//! ```
//! use std::collections::BTreeMap;
//! use emulator::Instance;
//! use marocco::network::Receptor;
//! use pynn_front::session::{CellModel, NewProjection, Session, Setup, SynapseKind, go_on};
//!
//! let mut session = Session::new(Setup::on(Instance::Ideal))?;
//! let input = session.add_spike_arrays("input", vec![vec![10.0, 30.0]; 20])?;
//! let cell = BTreeMap::from([("tau_refrac".to_owned(), vec![2.0])]);
//! let cells = session.add_neurons("cells", 5, CellModel::IfCondExp, &cell)?;
//! let (pre, post): (Vec<u32>, Vec<u32>) = (0..100).map(|i| (i % 20, i / 20)).unzip();
//! session.add_projection(NewProjection {
//!     label: "drive",
//!     ends: (input, cells),
//!     receptor: Receptor::Excitatory,
//!     pre: &pre,
//!     post: &post,
//!     weights_us: &[0.01],
//!     kind: SynapseKind::Static,
//! })?;
//! session.record_spikes(cells, &[0, 1, 2, 3, 4])?;
//! session.run(20.0, &mut go_on)?;
//! session.run(20.0, &mut go_on)?;
//! assert_eq!(session.now_ms(), 40.0);
//! assert!(session.spikes(cells)?.times_ms.len() >= 10);
//! # Ok::<(), pynn_front::session::SessionError>(())
//! ```

mod apart;
mod calibrate;
mod cells;
mod chips;
mod currents;
mod error;
mod feed;
mod learned;
mod notes;
mod population;
mod realised;
mod setup;
mod sources;
mod traces;
mod wafer;

use std::ops::ControlFlow;

use hal::defects::Defects;
use marocco::network::{Network, PopulationId, ProjectionId};
use marocco::{Cancel, MappingReport};

use crate::report::RunReport;
use crate::run::{Progress, RunError};
use chips::Chips;
use learned::Learned;
use notes::Notes;
use population::PopulationState;
use wafer::Running;

pub use cells::{CellModel, Columns};
pub use error::{ErrorKind, SessionError};
pub use population::{NewProjection, Spikes, SynapseKind};
pub use realised::{LostSynapse, RealisedSynapses};
pub use setup::{
    CalibrationSource, InvalidChoice, Policy, Readout, Setup, VoltageWindow, WaferDefects,
    capacitor, leak, neuron_size,
};
pub use traces::Trace;

/// Hears of progress, ten to a hundred times per second during a run, and may stop it.
pub type Watch<'a> = &'a mut (dyn FnMut(Progress) -> ControlFlow<()> + Send);

/// A watch that never stops.
pub const fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A watch that raises the flag when it stops something, and hears of a flag that others have raised.
fn listening<'a>(
    cancel: &'a Cancel,
    watch: Watch<'a>,
) -> impl FnMut(Progress) -> ControlFlow<()> + Send + 'a {
    move |progress| {
        if watch(progress).is_break() {
            cancel.cancel();
        }
        if cancel.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// How often a network is mapped to show all recorded membranes.
const MOST_MAPPINGS: usize = 4;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// At its end.
    Done,
    /// The watch stopped it; what was recorded until then is there.
    Stopped,
}

/// What is to be done before the next run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stale {
    Nothing,
    /// Weights or cells have changed: placement and routes stay.
    Values,
    /// The network has grown.
    Structure,
}

/// A network, its mapping, and the wafer that it runs on.
#[derive(Debug)]
pub struct Session {
    setup: Setup,
    /// Of the wafer.
    defects: Defects,
    network: Network,
    populations: Vec<PopulationState>,
    stale: Stale,
    chips: Option<Chips>,
    running: Option<Running>,
    now_ms: f64,
    learned: Learned,
    notes: Notes,
    run_report: Option<RunReport>,
}

impl Session {
    /// An empty network.
    pub fn new(setup: Setup) -> Result<Self, SessionError> {
        // what makes no sense is said here and not at the first run
        if let Some(window) = setup.voltage_window {
            window.scaling(setup.speedup)?;
        } else {
            calib::Scaling { speedup: setup.speedup, ..calib::Scaling::default() }.validate()?;
        }
        let defects = setup.defects()?;
        Ok(Self {
            setup,
            defects,
            network: Network::default(),
            populations: Vec::new(),
            stale: Stale::Structure,
            chips: None,
            running: None,
            now_ms: 0.0,
            learned: Learned::default(),
            notes: Notes::default(),
            run_report: None,
        })
    }

    /// The setup.
    pub const fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The network as asked for.
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// Biological time reached, ms.
    pub const fn now_ms(&self) -> f64 {
        self.now_ms
    }

    /// The warnings that came up since the last call, each one once per session.
    pub fn take_warnings(&mut self) -> Vec<String> {
        self.notes.take()
    }

    /// Places, routes and translates the network, calibrates chips that lack it, and verifies the
    /// words. Does only what is needed since the last time, nothing if nothing has changed. The watch
    /// or [`Setup::cancel`] stop it, and everything is as before.
    pub fn map(&mut self, watch: Watch<'_>) -> Result<(), SessionError> {
        let cancel = self.setup.cancel.clone();
        cancel.rearm();
        self.bring_up_to_date(&mut listening(&cancel, watch))
    }

    fn bring_up_to_date(&mut self, watch: Watch<'_>) -> Result<(), SessionError> {
        if self.stale == Stale::Nothing && self.chips.is_some() {
            return Ok(());
        }
        let before = self.chips.take().filter(|_| self.stale == Stale::Values);
        let chips = match &before {
            Some(before) => before.again(&self.setup, &self.network, watch),
            None => self.map_anew(watch),
        };
        // whatever was wrong, the old mapping can be used again
        self.chips = before;
        if self.setup.cancel.is_cancelled() {
            return Err(SessionError::Stopped);
        }
        let chips = chips?;
        self.notes.about_mapping(&self.setup, &self.network, &self.populations, &chips)?;
        if self.stale == Stale::Structure {
            self.running = None;
            self.populations.iter_mut().for_each(PopulationState::settle);
            if self.now_ms > 0.0 {
                self.notes.add(
                    "the network has grown and is mapped anew: membranes start from rest"
                        .to_owned(),
                );
            }
        }
        if let Some(running) = &mut self.running {
            running.forget_mapping();
        }
        self.chips = Some(chips);
        self.stale = Stale::Nothing;
        Ok(())
    }

    /// Maps from the beginning. Recorded neurons that no analog output would show go to other
    /// reticles; where that does not help, the next run says so.
    fn map_anew(&self, watch: Watch<'_>) -> Result<Chips, SessionError> {
        let mut apart = Vec::new();
        let mut chips = Chips::new(&self.setup, &self.defects, &self.network, &apart, watch)?;
        for _ in 0..MOST_MAPPINGS {
            let (shown, unseen) = self.look(&chips);
            let shown: Vec<_> = shown.iter().map(|s| s.circuit.hicann.dnc()).collect();
            let more = (!unseen.is_empty()).then(|| apart::requests(&chips, &unseen, &shown));
            let Some(Some(more)) = more else { break };
            apart.extend(more);
            match Chips::new(&self.setup, &self.defects, &self.network, &apart, watch) {
                Ok(made) => chips = made,
                // a chip that cannot be had
                Err(SessionError::Run(RunError::Map(_))) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(chips)
    }

    /// The mapping in numbers; none before [`map`](Self::map).
    pub fn mapping_report(&self) -> Option<&MappingReport> {
        self.chips.as_ref().map(|chips| &chips.report)
    }

    /// All runs since time 0 in numbers; none before the first one.
    pub const fn run_report(&self) -> Option<&RunReport> {
        self.run_report.as_ref()
    }

    /// Goes back to time 0: membranes rest, weights are those asked for, sources repeat their
    /// spikes, recordings are empty. Mapping and changes of the network stay.
    pub fn reset(&mut self) {
        self.now_ms = 0.0;
        self.run_report = None;
        let learned = !std::mem::take(&mut self.learned).is_empty();
        if let Some(running) = &mut self.running {
            running.rewind();
            if learned {
                running.forget_mapping();
            }
        }
        for population in &mut self.populations {
            population.reset();
        }
    }

    fn state(&self, id: PopulationId) -> Result<&PopulationState, SessionError> {
        let unknown = SessionError::Unknown { what: "population", index: id.index() };
        self.populations.get(id.index()).ok_or(unknown)
    }

    fn state_mut(&mut self, id: PopulationId) -> Result<&mut PopulationState, SessionError> {
        let unknown = SessionError::Unknown { what: "population", index: id.index() };
        self.populations.get_mut(id.index()).ok_or(unknown)
    }

    fn known_projection(&self, id: ProjectionId) -> Result<(), SessionError> {
        let known = id.index() < self.network.projections().count();
        let unknown = SessionError::Unknown { what: "projection", index: id.index() };
        known.then_some(()).ok_or(unknown)
    }

    /// At least this is stale now.
    fn mark(&mut self, stale: Stale) {
        self.stale = self.stale.max(stale);
    }
}
