//! Plasticity of a network's projections, as synapse drivers and arrays tell it apart.
//!
//! A driver is static, depresses or facilitates, and all its synapses with it: projections that ask
//! for the same settings are of one *kind*. How fast resources recover, and the offset of
//! facilitation, are cells that the drivers of a quadrant share (analog §5.3): kinds that agree
//! there have one *gate*, and a quadrant serves the kinds of one gate besides static ones.
//!
//! Long-term plasticity is another gate: the controller of an array updates the weights of a range of
//! its rows, whatever they are for, so both quadrants of the array serve that plasticity alone.

use std::ops::Range;

use calib::{
    BlockPlasticity, DriverPlasticity, PairRule, PairSettings, Scaling, TsodyksMarkram,
    translate_pairs, translate_plasticity as translate,
};

use crate::network::{Network, ProjectionId};
use crate::options::MapError;

/// Number of a kind; 0 is static.
pub(crate) type Kind = u16;

/// Static synapses.
pub(crate) const STATIC: Kind = 0;

/// What drivers of a kind are set to, and their block.
pub(crate) type Settings = (DriverPlasticity, BlockPlasticity);

/// What tells a kind from others.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Law {
    Static,
    ShortTerm(Settings),
    /// With the largest weight in uS, which all rows of a driver share.
    Pairs(PairSettings, f64),
}

/// What a quadrant does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Gate {
    /// Constant weights, and short-term plasticity of these cells.
    Constant(Option<BlockPlasticity>),
    /// The controller of the array updates all weights.
    Pairs(PairSettings),
}

/// All kinds and gates of a network.
#[derive(Debug)]
pub(crate) struct Kinds {
    of_projection: Vec<Kind>,
    /// By kind.
    laws: Vec<Law>,
    /// Those of constant weights first.
    gates: Vec<Gate>,
    /// By projection: what the drivers give; none where nothing is asked for.
    realised: Vec<Option<TsodyksMarkram>>,
    /// By projection: what controllers give; none where nothing is asked for.
    pairs: Vec<Option<PairRule>>,
    /// Parameters of projections that had to be clipped.
    clipped: Vec<(ProjectionId, &'static str)>,
}

impl Kinds {
    /// No plasticity at all, whatever the projections ask for.
    pub(crate) fn none(network: &Network) -> Self {
        let n = network.projections().count();
        Self {
            of_projection: vec![STATIC; n],
            laws: vec![Law::Static],
            gates: vec![Gate::Constant(None)],
            realised: vec![None; n],
            pairs: vec![None; n],
            clipped: Vec::new(),
        }
    }

    pub(crate) fn new(network: &Network, scaling: &Scaling) -> Result<Self, MapError> {
        let mut kinds = Self::none(network);
        for (id, projection) in network.projections() {
            let label = || projection.label.clone();
            let mut law = Law::Static;
            let mut clipped = Vec::new();
            if let Some(wanted) = &projection.plasticity {
                let made = translate(wanted, scaling)
                    .map_err(|source| MapError::Plasticity { projection: label(), source })?;
                kinds.realised[id.index()] = Some(made.realised);
                law = made.settings.map_or(Law::Static, Law::ShortTerm);
                clipped = made.clipped;
            }
            if let Some(wanted) = &projection.pairs {
                let made = translate_pairs(wanted, scaling)
                    .map_err(|source| MapError::Pairs { projection: label(), source })?;
                kinds.pairs[id.index()] = Some(made.realised);
                law = Law::Pairs(made.settings, wanted.w_max);
                clipped = made.clipped;
            }
            kinds.clipped.extend(clipped.iter().map(|c| (id, c.parameter)));
            let kind = kinds.laws.iter().position(|known| *known == law);
            let kind = kind.unwrap_or_else(|| {
                kinds.laws.push(law);
                kinds.laws.len() - 1
            });
            kinds.of_projection[id.index()] =
                Kind::try_from(kind).map_err(|_| MapError::TooManyKinds)?;
        }
        kinds.gates = gates(&kinds.laws);
        Ok(kinds)
    }

    pub(crate) fn of(&self, projection: ProjectionId) -> Kind {
        self.of_projection[projection.index()]
    }

    /// Settings of the drivers of a kind, and of their block; none without short-term plasticity.
    pub(crate) fn settings(&self, kind: Kind) -> Option<Settings> {
        match self.laws[usize::from(kind)] {
            Law::ShortTerm(settings) => Some(settings),
            Law::Static | Law::Pairs(..) => None,
        }
    }

    /// What the drivers give to each projection.
    pub(crate) fn realised(&self) -> &[Option<TsodyksMarkram>] {
        &self.realised
    }

    /// What controllers give to each projection.
    pub(crate) fn pairs(&self) -> &[Option<PairRule>] {
        &self.pairs
    }

    /// Largest weight of a kind that controllers update, uS.
    pub(crate) fn w_max_us(&self, kind: Kind) -> Option<f64> {
        match self.laws[usize::from(kind)] {
            Law::Pairs(_, w_max_us) => Some(w_max_us),
            Law::Static | Law::ShortTerm(_) => None,
        }
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
        0..self.gates.len()
    }

    /// The settings of the controller of an array with this gate, if it updates weights. Both sides
    /// of an array share its controller.
    pub(crate) fn controller(&self, gate: usize) -> Option<PairSettings> {
        match self.gates.get(gate)? {
            Gate::Pairs(settings) => Some(*settings),
            Gate::Constant(_) => None,
        }
    }

    /// The first gate that serves a kind as a bit, 0 for static synapses; beyond the 64th all share
    /// the last bit.
    pub(crate) fn gate_bit(&self, kind: Kind) -> u64 {
        if self.laws[usize::from(kind)] == Law::Static {
            return 0;
        }
        self.gates().find(|&gate| self.serves(gate, kind)).map_or(0, |gate| 1 << gate.min(63))
    }

    /// Whether a quadrant with this gate serves a kind.
    pub(crate) fn serves(&self, gate: usize, kind: Kind) -> bool {
        let Some(gate) = self.gates.get(gate) else { return false };
        match (self.laws[usize::from(kind)], *gate) {
            (Law::Static, Gate::Constant(_)) => true,
            (Law::ShortTerm((_, wanted)), Gate::Constant(Some(cells))) => agrees(wanted, cells),
            (Law::Pairs(wanted, _), Gate::Pairs(settings)) => wanted == settings,
            _ => false,
        }
    }
}

/// Whether a block with the cells `gate` gives what is wanted.
fn agrees(wanted: BlockPlasticity, gate: BlockPlasticity) -> bool {
    let facilitation = wanted.facilitation.is_none() || wanted.facilitation == gate.facilitation;
    wanted.recovery == gate.recovery && facilitation
}

/// As few gates as serve all kinds; one of constant weights at least.
fn gates(laws: &[Law]) -> Vec<Gate> {
    let mut wanted: Vec<BlockPlasticity> = laws
        .iter()
        .filter_map(|law| match law {
            Law::ShortTerm((_, cells)) => Some(*cells),
            Law::Static | Law::Pairs(..) => None,
        })
        .collect();
    // facilitation first: depression joins any gate of its recovery
    wanted.sort_by_key(|w| (w.facilitation.is_none(), *w));
    let mut cells: Vec<BlockPlasticity> = Vec::new();
    for wanted in wanted {
        if !cells.iter().any(|&gate| agrees(wanted, gate)) {
            cells.push(wanted);
        }
    }
    let mut gates: Vec<Gate> = cells.into_iter().map(|c| Gate::Constant(Some(c))).collect();
    if gates.is_empty() {
        gates.push(Gate::Constant(None));
    }
    for law in laws {
        if let Law::Pairs(settings, _) = law
            && !gates.contains(&Gate::Pairs(*settings))
        {
            gates.push(Gate::Pairs(*settings));
        }
    }
    gates
}
