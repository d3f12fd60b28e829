//! Short-term plasticity of a network's projections, as synapse drivers tell it apart.
//!
//! A driver is static, depresses or facilitates, and all its synapses with it: projections that ask
//! for the same settings are of one *kind*. How fast resources recover, and the offset of
//! facilitation, are cells that the drivers of a quadrant share (analog §5.3): kinds that agree
//! there have one *gate*, and a quadrant serves the kinds of one gate besides static ones.

use std::ops::Range;

use calib::{
    BlockPlasticity, DriverPlasticity, Scaling, TsodyksMarkram, translate_plasticity as translate,
};

use crate::network::{Network, ProjectionId};
use crate::options::MapError;

/// Number of a kind; 0 is static.
pub(crate) type Kind = u16;

/// Static synapses.
pub(crate) const STATIC: Kind = 0;

/// What drivers of a kind are set to, and their block.
pub(crate) type Settings = (DriverPlasticity, BlockPlasticity);

/// All kinds and gates of a network.
#[derive(Debug)]
pub(crate) struct Kinds {
    of_projection: Vec<Kind>,
    /// By kind; none for static synapses.
    settings: Vec<Option<Settings>>,
    gates: Vec<BlockPlasticity>,
    /// By projection: what the drivers give; none where nothing is asked for.
    realised: Vec<Option<TsodyksMarkram>>,
    /// Parameters of projections that had to be clipped.
    clipped: Vec<(ProjectionId, &'static str)>,
}

impl Kinds {
    /// No plasticity at all, whatever the projections ask for.
    pub(crate) fn none(network: &Network) -> Self {
        let n = network.projections().count();
        Self {
            of_projection: vec![STATIC; n],
            settings: vec![None],
            gates: Vec::new(),
            realised: vec![None; n],
            clipped: Vec::new(),
        }
    }

    pub(crate) fn new(network: &Network, scaling: &Scaling) -> Result<Self, MapError> {
        let mut kinds = Self::none(network);
        for (id, projection) in network.projections() {
            let Some(wanted) = &projection.plasticity else { continue };
            let made = translate(wanted, scaling).map_err(|source| MapError::Plasticity {
                projection: projection.label.clone(),
                source,
            })?;
            kinds.realised[id.index()] = Some(made.realised);
            kinds.clipped.extend(made.clipped.iter().map(|c| (id, c.parameter)));
            let kind = kinds.settings.iter().position(|s| *s == made.settings);
            let kind = kind.unwrap_or_else(|| {
                kinds.settings.push(made.settings);
                kinds.settings.len() - 1
            });
            kinds.of_projection[id.index()] =
                Kind::try_from(kind).map_err(|_| MapError::TooManyKinds)?;
        }
        kinds.gates = gates(&kinds.settings);
        Ok(kinds)
    }

    pub(crate) fn of(&self, projection: ProjectionId) -> Kind {
        self.of_projection[projection.index()]
    }

    /// Settings of the drivers of a kind, and of their block; none if it is static.
    pub(crate) fn settings(&self, kind: Kind) -> Option<Settings> {
        self.settings[usize::from(kind)]
    }

    /// What the drivers give to each projection.
    pub(crate) fn realised(&self) -> &[Option<TsodyksMarkram>] {
        &self.realised
    }

    /// Parameters that had to be clipped, with their projections.
    pub(crate) fn clipped(&self) -> &[(ProjectionId, &'static str)] {
        &self.clipped
    }

    /// What a row conducts per weight of a projection.
    pub(crate) fn row_share(&self, projection: ProjectionId) -> f64 {
        self.realised[projection.index()].map_or(1.0, |p| p.row_share())
    }

    /// The gates that a quadrant can have: one at least, which without plasticity serves all.
    pub(crate) fn gates(&self) -> Range<usize> {
        0..self.gates.len().max(1)
    }

    /// The first gate that serves a kind as a bit, 0 for static synapses; beyond the 64th all share
    /// the last bit.
    pub(crate) fn gate_bit(&self, kind: Kind) -> u64 {
        if self.settings[usize::from(kind)].is_none() {
            return 0;
        }
        self.gates().find(|&gate| self.serves(gate, kind)).map_or(0, |gate| 1 << gate.min(63))
    }

    /// Whether a quadrant with this gate serves a kind.
    pub(crate) fn serves(&self, gate: usize, kind: Kind) -> bool {
        let Some((_, wanted)) = self.settings[usize::from(kind)] else { return true };
        self.gates.get(gate).is_some_and(|&gate| agrees(wanted, gate))
    }
}

/// Whether a block with the cells `gate` gives what is wanted.
fn agrees(wanted: BlockPlasticity, gate: BlockPlasticity) -> bool {
    let facilitation = wanted.facilitation.is_none() || wanted.facilitation == gate.facilitation;
    wanted.recovery == gate.recovery && facilitation
}

/// As few gates as serve all kinds.
fn gates(settings: &[Option<Settings>]) -> Vec<BlockPlasticity> {
    let mut wanted: Vec<BlockPlasticity> = settings.iter().flatten().map(|s| s.1).collect();
    // facilitation first: depression joins any gate of its recovery
    wanted.sort_by_key(|w| (w.facilitation.is_none(), *w));
    let mut gates: Vec<BlockPlasticity> = Vec::new();
    for wanted in wanted {
        if !gates.iter().any(|&gate| agrees(wanted, gate)) {
            gates.push(wanted);
        }
    }
    gates
}
