//! Synapse drivers to buses, chip by chip.
//!
//! Each bus that a chip listens to needs a *primary* driver at a synapse switch of its vertical
//! line (one driver in eight of that side, seven per quadrant) and extends from there over
//! neighbouring drivers to a chain. Chains of a quadrant must not overlap. For given primaries the
//! best chain lengths follow from a dynamic programme over the quadrant; the primaries are found by
//! simulated annealing (mapping §7.4).

mod quadrant;

use hal::coord::{
    Coordinate, DriverOnQuadrant, HicannOnWafer, QuadrantOnHicann, Side, SynapseDriverOnHicann,
    SynapseSwitchOnHicann, VLineOnHicann, Vertical,
};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use crate::demand::BusDemand;
use quadrant::{Chain, best_chains};

/// Positions of the 112 drivers of a side: first the top quadrant, then the bottom one.
const POSITIONS: usize = 2 * DriverOnQuadrant::SIZE;
/// Moves of the annealing per bus; enough for the result to stop improving on the networks of
/// mapping §5.
const MOVES_PER_BUS: usize = 300;
/// Temperatures in synapses at the start and at the end.
const HOT: f64 = 20.0;
const COLD: f64 = 0.3;

/// The drivers of one bus on one chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assigned {
    /// Position in the list of demands.
    pub(crate) demand: usize,
    pub(crate) primary: SynapseDriverOnHicann,
    /// From north to south.
    pub(crate) members: Vec<SynapseDriverOnHicann>,
}

/// Gives the drivers of a chip to its buses; `vlines[i]` carries the bus of `demands[i]`.
///
/// Buses that find no driver are absent from the result, which is sorted by primary. The result
/// depends on the arguments only.
pub(crate) fn assign(
    hicann: HicannOnWafer,
    demands: &[BusDemand],
    vlines: &[VLineOnHicann],
    chain_length: usize,
    seed: u64,
) -> Vec<Assigned> {
    let mut assigned: Vec<Assigned> = Side::ALL
        .into_iter()
        .flat_map(|side| {
            let buses = (0..demands.len()).filter(|&d| vlines[d].side() == side);
            let stream = (2 * hicann.index() + side.index()) as u64;
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(stream);
            Bank::new(side, buses, demands, vlines, chain_length).solve(&mut rng)
        })
        .collect();
    assigned.sort_by_key(|a| a.primary);
    assigned
}

/// A bus that wants drivers of one side.
struct Bidder<'a> {
    demand: usize,
    realised: &'a [u32],
    /// Positions with a switch to the bus.
    slots: Vec<u8>,
}

/// The drivers of one side of a chip and the buses that want them.
struct Bank<'a> {
    side: Side,
    bidders: Vec<Bidder<'a>>,
    /// Position of each bidder's primary.
    place: Vec<Option<u8>>,
    /// Bidder whose primary is at each position.
    occupant: [Option<u16>; POSITIONS],
    /// Synapses realised in the top and bottom quadrant.
    realised: [u32; 2],
}

impl<'a> Bank<'a> {
    fn new(
        side: Side,
        buses: impl Iterator<Item = usize>,
        demands: &'a [BusDemand],
        vlines: &[VLineOnHicann],
        chain_length: usize,
    ) -> Self {
        let mut bidders: Vec<Bidder<'a>> = buses
            .map(|demand| Bidder {
                demand,
                realised: &demands[demand].realised[..=chain_length],
                slots: slots(vlines[demand]),
            })
            .collect();
        bidders.sort_by_key(|b| (std::cmp::Reverse(b.realised[chain_length]), b.demand));
        let place = vec![None; bidders.len()];
        Self { side, bidders, place, occupant: [None; POSITIONS], realised: [0; 2] }
    }

    fn solve(mut self, rng: &mut ChaCha8Rng) -> Vec<Assigned> {
        if self.bidders.is_empty() {
            return Vec::new();
        }
        self.place_greedily();
        self.realised = [self.value(0), self.value(1)];
        let wanted: u32 =
            self.bidders.iter().map(|b| b.realised.last().copied().unwrap_or(0)).sum();
        self.anneal(wanted, rng);
        self.chains()
    }

    /// Large demands first, each where the gap around it is widest.
    fn place_greedily(&mut self) {
        for bidder in 0..self.bidders.len() {
            let free = self.bidders[bidder].slots.iter().copied();
            let free = free.filter(|&s| self.occupant[s as usize].is_none());
            if let Some(slot) = free.max_by_key(|&s| self.gap(s)) {
                self.occupant[slot as usize] = Some(bidder as u16);
                self.place[bidder] = Some(slot);
            }
        }
    }

    /// Free positions around a position within its quadrant, counted up to two on each side.
    fn gap(&self, slot: u8) -> usize {
        let quadrant = slot as usize / DriverOnQuadrant::SIZE;
        let free = |s: Option<usize>| {
            s.is_some_and(|s| {
                s < POSITIONS
                    && s / DriverOnQuadrant::SIZE == quadrant
                    && self.occupant[s].is_none()
            })
        };
        let s = slot as usize;
        let up = (1..=2).take_while(|&d| free(s.checked_sub(d))).count();
        let down = (1..=2).take_while(|&d| free(Some(s + d))).count();
        up + down
    }

    /// Moves primaries between their slots, swapping with the occupant, until every synapse is
    /// realised or the moves are used up. Keeps the best state seen.
    fn anneal(&mut self, wanted: u32, rng: &mut ChaCha8Rng) {
        let moves = MOVES_PER_BUS * self.bidders.len();
        let mut best = (self.realised, self.place.clone(), self.occupant);
        for step in 0..moves {
            if best.0[0] + best.0[1] == wanted {
                break;
            }
            let temperature = HOT * (COLD / HOT).powf(step as f64 / moves as f64);
            let bidder = rng.random_range(0..self.bidders.len());
            let slots = &self.bidders[bidder].slots;
            let to = slots[rng.random_range(0..slots.len())];
            let change = Move {
                bidder,
                from: self.place[bidder],
                to,
                displaced: self.occupant[to as usize],
            };
            if change.from == Some(to) || !self.allows(&change) {
                continue;
            }
            self.make(&change);
            let before = self.realised;
            for quadrant in 0..2 {
                let touched = |s: u8| s as usize / DriverOnQuadrant::SIZE == quadrant;
                if touched(to) || change.from.is_some_and(touched) {
                    self.realised[quadrant] = self.value(quadrant);
                }
            }
            let gain =
                f64::from(self.realised[0] + self.realised[1]) - f64::from(before[0] + before[1]);
            if gain >= 0.0 || rng.random::<f64>() < (gain / temperature).exp() {
                if self.realised[0] + self.realised[1] > best.0[0] + best.0[1] {
                    best = (self.realised, self.place.clone(), self.occupant);
                }
            } else {
                self.take_back(&change);
                self.realised = before;
            }
        }
        (self.realised, self.place, self.occupant) = best;
    }

    /// A displaced bidder must be able to take the place that becomes free.
    fn allows(&self, change: &Move) -> bool {
        match (change.displaced, change.from) {
            (Some(other), Some(from)) => self.bidders[other as usize].slots.contains(&from),
            _ => true,
        }
    }

    fn make(&mut self, change: &Move) {
        if let Some(from) = change.from {
            self.occupant[from as usize] = change.displaced;
        }
        if let Some(other) = change.displaced {
            self.place[other as usize] = change.from;
        }
        self.occupant[change.to as usize] = Some(change.bidder as u16);
        self.place[change.bidder] = Some(change.to);
    }

    fn take_back(&mut self, change: &Move) {
        self.occupant[change.to as usize] = change.displaced;
        if let Some(other) = change.displaced {
            self.place[other as usize] = Some(change.to);
        }
        if let Some(from) = change.from {
            self.occupant[from as usize] = Some(change.bidder as u16);
        }
        self.place[change.bidder] = change.from;
    }

    /// Primaries of a quadrant from north to south, with what chains there realise.
    fn primaries(&self, quadrant: usize) -> Vec<(usize, u8, &'a [u32])> {
        let first = quadrant * DriverOnQuadrant::SIZE;
        (first..first + DriverOnQuadrant::SIZE)
            .filter_map(|slot| {
                let bidder = usize::from(self.occupant[slot]?);
                Some((bidder, (slot - first) as u8, self.bidders[bidder].realised))
            })
            .collect()
    }

    fn value(&self, quadrant: usize) -> u32 {
        let primaries = self.primaries(quadrant);
        best_chains(primaries.iter().map(|&(_, slot, realised)| (slot, realised))).0
    }

    fn chains(&self) -> Vec<Assigned> {
        let mut assigned = Vec::new();
        for vertical in Vertical::ALL {
            let primaries = self.primaries(vertical.index());
            let (_, chains) =
                best_chains(primaries.iter().map(|&(_, slot, realised)| (slot, realised)));
            let quadrant = QuadrantOnHicann::at(self.side, vertical);
            let driver = |i: u8| {
                quadrant.driver(
                    DriverOnQuadrant::from_index(i as usize).expect("chains stay in the quadrant"),
                )
            };
            for ((bidder, slot, _), Chain { before, after }) in primaries.into_iter().zip(chains) {
                assigned.push(Assigned {
                    demand: self.bidders[bidder].demand,
                    primary: driver(slot),
                    members: (slot - before..=slot + after).map(driver).collect(),
                });
            }
        }
        assigned
    }
}

/// A primary that changes its position.
struct Move {
    bidder: usize,
    from: Option<u8>,
    to: u8,
    /// Who was at the new position; it goes to the old one.
    displaced: Option<u16>,
}

/// Positions of the drivers of its own chip that a vertical line has a switch to.
fn slots(vline: VLineOnHicann) -> Vec<u8> {
    vline
        .synapse_switches()
        .map(SynapseSwitchOnHicann::row)
        .filter(|row| row.is_local())
        .map(|row| {
            let driver = row.y();
            let half = driver.vertical().index() * DriverOnQuadrant::SIZE;
            (half + driver.on_quadrant().index()) as u8
        })
        .collect()
}
