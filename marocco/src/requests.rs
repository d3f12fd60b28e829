//! What a user asks of single populations: where their neurons or inputs go, and how large neurons
//! are (mapping §2.3, manual requests).

use std::ops::Range;

use hal::coord::{Coordinate as _, FpgaOnWafer, HicannOnWafer, NeuronBlockOnHicann, OnWafer};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::fabric::{BLOCK_COLUMNS, Fabric, Run, Site, Split};
use crate::mapping::LogicalNeuron;
use crate::network::{Network, PopulationId};
use crate::options::{ModeChoice, NeuronSizeChoice};

/// A wish about a population or a part of it. Neurons of a request share no chip with others, inputs
/// share no bus with others. Inputs have a place, [`Place::Hicanns`] or [`Place::Fpgas`], and nothing
/// else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The population.
    pub population: PopulationId,
    /// Which of its members, all if none.
    pub members: Option<Range<usize>>,
    /// Where they go, anywhere if none.
    pub place: Option<Place>,
    /// Circuits per neuron, as in the options if none. Circuits that are given one by one have
    /// their own sizes.
    pub size: Option<NeuronSizeChoice>,
    /// Capacitor and leak of their chips, as in the options if none.
    pub mode: Option<ModeChoice>,
}

/// A place for neurons or inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// On these chips, the first ones first.
    Hicanns(Vec<HicannOnWafer>),
    /// On the chips of these FPGAs.
    Fpgas(Vec<FpgaOnWafer>),
    /// In these neuron blocks.
    Blocks(Vec<OnWafer<NeuronBlockOnHicann>>),
    /// On exactly these circuits, one entry per member.
    Circuits(Vec<LogicalNeuron>),
}

/// Why a request cannot be met.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum RequestProblem {
    /// The members do not exist.
    #[error("members {from} to {to} are asked for, but it has {size}")]
    Members {
        /// First member.
        from: usize,
        /// End of the members.
        to: usize,
        /// Size of the population.
        size: usize,
    },
    /// A member is in two requests.
    #[error("member {0} is in two requests; ask once for each")]
    Twice(usize),
    /// Something else than a chip or an FPGA for a spike source.
    #[error(
        "its members are spike sources, which have no circuits: chips or FPGAs can be asked for, no \
         blocks, circuits, sizes or modes"
    )]
    Sources,
    /// The chips asked for take no more inputs.
    #[error(
        "its inputs need {buses} chips, {seated} of those asked for take them: each takes one bus of \
         inputs and no neurons, and an FPGA {limit_hz:.3e} events/s; ask for more chips or lower the \
         rates"
    )]
    Inputs {
        /// Buses of its inputs.
        buses: usize,
        /// Buses that found a chip.
        seated: usize,
        /// Limit of an FPGA in events per hardware second.
        limit_hz: f64,
    },
    /// A chip cannot be used.
    #[error("{0} is missing, excluded, or cannot send its neurons' spikes; ask for another chip")]
    Chip(HicannOnWafer),
    /// A chip is in two requests.
    #[error("{0} is in two requests; give each request chips of its own")]
    SharedChip(HicannOnWafer),
    /// No place at all.
    #[error("its list of places is empty; name some or leave the place open")]
    NoPlace,
    /// The number of circuits differs from that of the members.
    #[error("{given} places for {members} neurons; give one for each")]
    Circuits {
        /// Places given.
        given: usize,
        /// Members.
        members: usize,
    },
    /// Circuits that make no neuron.
    #[error(
        "columns {column} to {end} of {hicann} make no neuron: 1 to 32 working columns within one \
         block of 32 that no other neuron has",
        end = usize::from(*column) + usize::from(*width)
    )]
    Columns {
        /// The chip.
        hicann: HicannOnWafer,
        /// First column.
        column: u8,
        /// Number of columns.
        width: u8,
    },
}

/// The places of a request, found to be usable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Pinned {
    /// Chips with the blocks that may be used, one bit each.
    Blocks(Vec<(HicannOnWafer, u8)>),
    /// One place per member; sorted by chip and column.
    Circuits(Vec<LogicalNeuron>),
}

impl Pinned {
    /// The chips, in the order in which they are filled.
    pub(crate) fn hicanns(&self) -> Vec<HicannOnWafer> {
        let mut hicanns: Vec<HicannOnWafer> = match self {
            Self::Blocks(chips) => chips.iter().map(|c| c.0).collect(),
            Self::Circuits(places) => places.iter().map(|p| p.hicann).collect(),
        };
        hicanns.dedup();
        hicanns
    }

    /// What a chip offers to the request.
    pub(crate) fn restrict(&self, mut site: Site) -> Site {
        match self {
            Self::Blocks(chips) => {
                let mask = chips.iter().find(|c| c.0 == site.hicann).map_or(0, |c| c.1);
                site.runs.retain(|run| mask >> run.block & 1 != 0);
            }
            Self::Circuits(places) => {
                site.runs = places
                    .iter()
                    .filter(|p| p.hicann == site.hicann)
                    .map(|p| Run {
                        block: p.column / BLOCK_COLUMNS as u8,
                        first: p.column,
                        len: p.width,
                    })
                    .collect();
            }
        }
        site
    }
}

/// A request that was checked: its members over all populations, and where they go.
#[derive(Debug, Clone)]
pub(crate) struct Granted {
    /// Members in the order of their places.
    pub(crate) members: Vec<u32>,
    pub(crate) pinned: Option<Pinned>,
    pub(crate) size: Option<NeuronSizeChoice>,
    pub(crate) mode: Option<ModeChoice>,
}

/// Which population a problem is about.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) population: String,
    pub(crate) problem: RequestProblem,
}

/// Checks all requests against the network and the wafer.
pub(crate) fn grant(
    network: &Network,
    requests: &[Request],
    fabric: &Fabric<'_>,
) -> Result<Vec<Granted>, Refusal> {
    let offsets = network.member_offsets();
    let mut asked = vec![false; network.n_members()];
    let mut chips: Vec<HicannOnWafer> = Vec::new();
    let mut granted = Vec::with_capacity(requests.len());
    for request in requests {
        let population = network.population(request.population);
        let refuse = |problem| Refusal { population: population.label.clone(), problem };
        let range = request.members.clone().unwrap_or(0..population.size);
        if range.start > range.end || range.end > population.size {
            let (from, to, size) = (range.start, range.end, population.size);
            return Err(refuse(RequestProblem::Members { from, to, size }));
        }
        let first = offsets[request.population.index()];
        for member in range.clone() {
            if std::mem::replace(&mut asked[first + member], true) {
                return Err(refuse(RequestProblem::Twice(member)));
            }
        }
        let members: Vec<u32> = range.map(|m| (first + m) as u32).collect();
        let places = request.place.as_ref();
        if population.is_source() {
            let chips = input_chips(request, fabric).map_err(refuse)?;
            let pinned = Some(Pinned::Blocks(chips.into_iter().map(|h| (h, u8::MAX)).collect()));
            granted.push(Granted { members, pinned, size: None, mode: None });
            continue;
        }
        let (members, pinned) = match places {
            None => (members, None),
            Some(place) => {
                let (members, pinned) = pin(place, members, fabric).map_err(refuse)?;
                for hicann in pinned.hicanns() {
                    if chips.contains(&hicann) {
                        return Err(refuse(RequestProblem::SharedChip(hicann)));
                    }
                    chips.push(hicann);
                }
                (members, Some(pinned))
            }
        };
        granted.push(Granted { members, pinned, size: request.size, mode: request.mode });
    }
    Ok(granted)
}

fn pin(
    place: &Place,
    members: Vec<u32>,
    fabric: &Fabric<'_>,
) -> Result<(Vec<u32>, Pinned), RequestProblem> {
    let usable =
        |hicann: HicannOnWafer| fabric.site(hicann, Split::One).ok_or(RequestProblem::Chip(hicann));
    let mut blocks: Vec<(HicannOnWafer, u8)> = Vec::new();
    let mut add = |hicann: HicannOnWafer, mask: u8| match blocks.iter_mut().find(|b| b.0 == hicann)
    {
        Some(known) => known.1 |= mask,
        None => blocks.push((hicann, mask)),
    };
    match place {
        Place::Hicanns(list) => list.iter().for_each(|&h| add(h, u8::MAX)),
        Place::Fpgas(list) => of_fpgas(list)
            .filter(|&h| fabric.site(h, Split::One).is_some())
            .for_each(|h| add(h, u8::MAX)),
        Place::Blocks(list) => list.iter().for_each(|b| add(b.hicann, 1 << b.local.index())),
        Place::Circuits(list) => return pin_circuits(list, members, fabric),
    }
    if blocks.is_empty() {
        return Err(RequestProblem::NoPlace);
    }
    for &(hicann, _) in &blocks {
        usable(hicann)?;
    }
    Ok((members, Pinned::Blocks(blocks)))
}

/// The chips of some FPGAs.
fn of_fpgas(fpgas: &[FpgaOnWafer]) -> impl Iterator<Item = HicannOnWafer> {
    HicannOnWafer::all().filter(|h| fpgas.contains(&h.fpga()))
}

/// The chips at which the inputs of a request may enter.
fn input_chips(
    request: &Request,
    fabric: &Fabric<'_>,
) -> Result<Vec<HicannOnWafer>, RequestProblem> {
    if request.size.is_some() || request.mode.is_some() {
        return Err(RequestProblem::Sources);
    }
    let chips: Vec<HicannOnWafer> = match &request.place {
        Some(Place::Hicanns(list)) => match list.iter().find(|&&h| !fabric.takes_inputs(h)) {
            Some(&chip) => return Err(RequestProblem::Chip(chip)),
            None => list.clone(),
        },
        Some(Place::Fpgas(list)) => of_fpgas(list).filter(|&h| fabric.takes_inputs(h)).collect(),
        _ => return Err(RequestProblem::Sources),
    };
    if chips.is_empty() { Err(RequestProblem::NoPlace) } else { Ok(chips) }
}

fn pin_circuits(
    list: &[LogicalNeuron],
    members: Vec<u32>,
    fabric: &Fabric<'_>,
) -> Result<(Vec<u32>, Pinned), RequestProblem> {
    if list.len() != members.len() {
        return Err(RequestProblem::Circuits { given: list.len(), members: members.len() });
    }
    let mut pairs: Vec<(LogicalNeuron, u32)> = list.iter().copied().zip(members).collect();
    pairs.sort_unstable();
    for (i, &(place, _)) in pairs.iter().enumerate() {
        let LogicalNeuron { hicann, column, width } = place;
        let site = fabric.site(hicann, Split::One).ok_or(RequestProblem::Chip(hicann))?;
        let end = usize::from(column) + usize::from(width);
        let works = site
            .runs
            .iter()
            .any(|run| run.first <= column && end <= usize::from(run.first) + usize::from(run.len));
        let overlaps = i > 0 && {
            let before = pairs[i - 1].0;
            before.hicann == hicann
                && usize::from(before.column) + usize::from(before.width) > usize::from(column)
        };
        if width == 0 || !works || overlaps {
            return Err(RequestProblem::Columns { hicann, column, width });
        }
    }
    let (places, members) = pairs.into_iter().unzip();
    Ok((members, Pinned::Circuits(places)))
}
