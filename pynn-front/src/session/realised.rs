//! What became of the network on the wafer: synapses with their weights and delays, lost ones with
//! the cause, cells; and the mapping as a file and a picture.

use std::collections::BTreeMap;
use std::path::Path;

use hal::archive;
use hal::coord::Coordinate as _;
use hal::wafer::DncCycles;
use marocco::mapping::{LossCause, SynapseFate};
use marocco::network::{Network, PopulationId, ProjectionId};
use marocco::{MapOptions, SavedMapping};

use super::chips::Chips;
use super::error::SessionError;
use super::population::PopulationState;
use super::wafer::Running;
use super::{Session, Stale, Watch, learned, listening};
use crate::described::Described;
use crate::export::Delays;
use crate::picture::{self, Facts, View};

/// The synapses of a projection that are on the wafer, sorted by presynaptic member, postsynaptic
/// member and creation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RealisedSynapses {
    /// Position in the request.
    pub request: Vec<u32>,
    /// Presynaptic member.
    pub pre: Vec<u32>,
    /// Postsynaptic member.
    pub post: Vec<u32>,
    /// Nominal conductance of the four-bit weight, uS.
    pub weights_us: Vec<f64>,
    /// Delay of the route, biological ms.
    pub delays_ms: Vec<f64>,
}

/// A synapse that is not on the wafer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostSynapse {
    /// Position in the request.
    pub request: u32,
    /// Presynaptic member.
    pub pre: u32,
    /// Postsynaptic member.
    pub post: u32,
    /// Why.
    pub cause: LossCause,
}

/// What the mapping says; errors before the first one.
impl Session {
    /// The mapping of the network as it is now.
    fn mapped(&self) -> Result<&Chips, SessionError> {
        self.chips.as_ref().ok_or(SessionError::NotMapped)
    }

    /// Whether the mapping holds everything that was asked for since. If not, it is made anew at the
    /// next run.
    pub fn is_mapped(&self) -> bool {
        self.chips.is_some() && self.stale == Stale::Nothing
    }

    /// The mapping of a projection; a mapping may be older than the projection.
    fn fates(&self, id: ProjectionId) -> Result<(&Chips, &[SynapseFate]), SessionError> {
        self.known_projection(id)?;
        let chips = self.mapped()?;
        let fates = chips.mapped.mapping.synapses.get(id.index()).ok_or(SessionError::NotMapped)?;
        Ok((chips, fates))
    }

    /// The synapses of a projection that are on the wafer.
    pub fn realised_synapses(&self, id: ProjectionId) -> Result<RealisedSynapses, SessionError> {
        let (chips, fates) = self.fates(id)?;
        let mapping = &chips.mapped.mapping;
        let delays = chips.delays.get_or_init(|| Delays::new(mapping));
        let synapses = &self.network.projection(id).synapses;
        let nominal = &mapping.realised_weights_us[id.index()];
        let weights: Vec<f64> = match self.learned.get(&id) {
            Some(now) => learned::conductances_us(id, now, &self.network, &chips.mapped),
            None => nominal.iter().map(|&weight| f64::from(weight)).collect(),
        };
        let mut order: Vec<u32> = (0..fates.len() as u32)
            .filter(|&i| matches!(fates[i as usize], SynapseFate::Realised { .. }))
            .collect();
        order.sort_by_key(|&i| (synapses[i as usize].pre, synapses[i as usize].post, i));
        let mut realised = RealisedSynapses::default();
        for &i in &order {
            let SynapseFate::Realised { synapse: at, .. } = fates[i as usize] else { continue };
            let synapse = synapses[i as usize];
            let delay = delays.of(at.local.row().driver().on(at.hicann));
            let delay_ms = delay.map_or(f64::NAN, |d| d.hardware_s() * chips.speedup() * 1e3);
            realised.pre.push(synapse.pre);
            realised.post.push(synapse.post);
            realised.weights_us.push(weights[i as usize]);
            realised.delays_ms.push(delay_ms);
        }
        realised.request = order;
        Ok(realised)
    }

    /// Shortest and longest delay of the routes, ms; none without routes.
    pub fn route_delays_ms(&self) -> Result<Option<(f64, f64)>, SessionError> {
        let chips = self.mapped()?;
        let delays = chips.delays.get_or_init(|| Delays::new(&chips.mapped.mapping));
        let ms = |delay: DncCycles| delay.hardware_s() * chips.speedup() * 1e3;
        Ok(delays.range().map(|(shortest, longest)| (ms(shortest), ms(longest))))
    }

    /// The synapses of a projection that are not on the wafer, in the order of the request.
    pub fn lost(&self, id: ProjectionId) -> Result<Vec<LostSynapse>, SessionError> {
        let (_, fates) = self.fates(id)?;
        let synapses = &self.network.projection(id).synapses;
        let lost = fates.iter().zip(synapses).zip(0..).filter_map(|((fate, synapse), request)| {
            let SynapseFate::Lost(cause) = *fate else { return None };
            Some(LostSynapse { request, pre: synapse.pre, post: synapse.post, cause })
        });
        Ok(lost.collect())
    }

    /// What the cells of the wafer give, by PyNN's names, one value per member: biological units,
    /// nominal, mean over the circuits of a neuron. NaN for members that have no circuits; empty for sources.
    pub fn realised_cells(
        &self,
        id: PopulationId,
    ) -> Result<BTreeMap<&'static str, Vec<f64>>, SessionError> {
        let state = self.state(id)?;
        let given = self.mapped()?.mean_cells()?;
        let first = self.network.member_offsets()[id.index()];
        let given = given.get(first..first + state.size()).ok_or(SessionError::NotMapped)?;
        Ok(state.cells().map(|cells| cells.realised(given)).unwrap_or_default())
    }

    /// A picture of the mapping as SVG.
    pub fn picture(&self, view: View) -> Result<String, SessionError> {
        let facts = Facts::new(&self.network, &self.mapped()?.mapped.mapping, &self.defects);
        Ok(picture::svg(&facts, view))
    }

    /// The mapping with network and words, and after a run the spikes of sources as they entered the
    /// wafer since time 0.
    pub fn saved_mapping(&self) -> Result<SavedMapping, SessionError> {
        let chips = self.mapped()?;
        if !self.is_mapped() {
            return Err(SessionError::NotMapped);
        }
        let running = self.running.as_ref().filter(|_| self.now_ms > 0.0);
        Ok(chips.to_save(&self.network, running.map(Running::released).cloned()))
    }

    /// Writes the mapping to a file, which is replaced as a whole or not at all.
    pub fn save_mapping(&self, path: &Path) -> Result<(), SessionError> {
        Ok(archive::write(path, &self.saved_mapping()?)?)
    }

    /// Writes the network, as it is asked for, to a file that `bss1 map` takes.
    pub fn save_network(&self, path: &Path) -> Result<(), SessionError> {
        let (_, options) = super::chips::options(&self.setup, &self.network, None, &[])?;
        let MapOptions { scaling, mode, neuron_size, .. } = options;
        let network = self.network.clone();
        Ok(archive::write(path, &Described { network, scaling, mode, neuron_size })?)
    }

    /// Takes placement, routes and drivers from a file, instead of searching for them. It has to be
    /// the mapping of a network with the same populations and projections onto a wafer with the
    /// same defects; weights and cells may differ.
    pub fn load_mapping(&mut self, path: &Path, watch: Watch<'_>) -> Result<(), SessionError> {
        let saved: SavedMapping = archive::read(path)?;
        let other = |reason: String| SessionError::OtherMapping { path: path.to_owned(), reason };
        if let Some(reason) = difference(&self.network, &saved.network) {
            return Err(other(reason));
        }
        let (ours, theirs) = (self.defects.wafer, saved.rules.defects.wafer);
        if ours != theirs {
            let name = |w: Option<hal::coord::WaferNumber>| {
                w.map_or_else(|| "no certain wafer".to_owned(), |w| format!("wafer {}", w.0))
            };
            let (theirs, ours) = (name(theirs), name(ours));
            return Err(other(format!("it is for {theirs}, the session has {ours}; map anew")));
        }
        let Self { setup, defects, network, .. } = &*self;
        let cancel = setup.cancel.clone();
        cancel.rearm();
        let chips = Chips::load(setup, defects, network, &saved, &mut listening(&cancel, watch));
        if cancel.is_cancelled() {
            return Err(SessionError::Stopped);
        }
        let chips = chips?;
        self.notes.about_mapping(&self.setup, &self.network, &self.populations, &chips)?;
        self.running = None;
        self.populations.iter_mut().for_each(PopulationState::settle);
        self.chips = Some(chips);
        self.stale = Stale::Nothing;
        Ok(())
    }
}

/// The first difference between the populations and projections of two networks.
fn difference(ours: &Network, theirs: &Network) -> Option<String> {
    let (a, b) = (ours.populations().count(), theirs.populations().count());
    if a != b {
        return Some(format!("it is of a network with {b} populations, this one has {a}"));
    }
    for ((_, ours), (_, theirs)) in ours.populations().zip(theirs.populations()) {
        if ours.size != theirs.size || ours.is_source() != theirs.is_source() {
            let (label, a, b) = (&ours.label, ours.size, theirs.size);
            return Some(format!(
                "population `{label}` has {a} members, its counterpart `{}` in the file {b}, or \
                 one of them consists of sources",
                theirs.label
            ));
        }
    }
    let (a, b) = (ours.projections().count(), theirs.projections().count());
    if a != b {
        return Some(format!("it is of a network with {b} projections, this one has {a}"));
    }
    for ((id, a), (_, b)) in ours.projections().zip(theirs.projections()) {
        let ends = |s: &marocco::network::Synapse| (s.pre, s.post);
        let same = ours.endpoints(id) == theirs.endpoints(id)
            && a.receptor == b.receptor
            && a.synapses.len() == b.synapses.len()
            && a.synapses.iter().map(ends).eq(b.synapses.iter().map(ends));
        if !same {
            return Some(format!("projection `{}` has other synapses in the file", a.label));
        }
    }
    None
}
