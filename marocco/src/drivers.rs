//! Synapse drivers to buses, chip by chip.
//!
//! Each bus that a chip listens to needs a *primary* driver at a synapse switch of its vertical
//! line (one driver in eight of that side, seven per quadrant) and extends from there over
//! neighbouring drivers to a chain. Chains of a quadrant must not overlap. For given primaries the
//! best chain lengths follow from a dynamic programme over the quadrant; the primaries are found by
//! simulated annealing (mapping §7.4).

mod gates;
mod quadrant;

use std::ops::Range;

use hal::coord::{
    Coordinate, DriverOnQuadrant, HicannOnWafer, OnWafer, QuadrantOnHicann, Side,
    SynapseDriverOnHicann, SynapseSwitchOnHicann, VLineOnHicann, Vertical,
};
use hal::defects::Defects;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use crate::demand::BusDemand;
use crate::fabric::driver_is_usable;
pub(crate) use gates::{Gates, choose_gates};
use quadrant::{Chain, best_chains};

/// Positions of the 112 drivers of a side: first the top quadrant, then the bottom one.
const POSITIONS: usize = 2 * DriverOnQuadrant::SIZE;
/// Temperatures in synapses at the start and at the end.
const HOT: f64 = 5.0;
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

/// A chip whose drivers are to be given away.
pub(crate) struct Bidding<'a> {
    pub(crate) hicann: HicannOnWafer,
    pub(crate) demands: &'a [BusDemand],
    /// The vertical line that brings each demand's bus; none if the bus does not reach the chip.
    pub(crate) taps: &'a [Option<OnWafer<VLineOnHicann>>],
    /// Gate of the short-term plasticity of each quadrant.
    pub(crate) gates: Gates,
    pub(crate) defects: &'a Defects,
    pub(crate) chain_length: usize,
    /// Moves of the annealing per bus.
    pub(crate) moves: usize,
    pub(crate) seed: u64,
}

/// Gives the drivers of a chip to its buses, starting from `before` where that is given.
///
/// Buses that find no driver are absent from the result, which is sorted by primary. The result
/// depends on the arguments only.
pub(crate) fn assign(bidding: &Bidding<'_>, before: &[Assigned]) -> Vec<Assigned> {
    let places: Vec<(Side, Vec<u8>)> = bidding
        .taps
        .iter()
        .map(|&tap| tap.map_or((Side::Left, Vec::new()), |tap| bidding.slots(tap)))
        .collect();
    let mut assigned: Vec<Assigned> = Side::ALL
        .into_iter()
        .flat_map(|side| {
            let stream = (2 * bidding.hicann.index() + side.index()) as u64;
            let mut rng = ChaCha8Rng::seed_from_u64(bidding.seed);
            rng.set_stream(stream);
            Bank::new(side, bidding, &places).solve(before, bidding.moves, &mut rng)
        })
        .collect();
    assigned.sort_by_key(|a| a.primary);
    assigned
}

impl Bidding<'_> {
    /// The side of the drivers that a line reaches on the chip, and their positions.
    fn slots(&self, tap: OnWafer<VLineOnHicann>) -> (Side, Vec<u8>) {
        let drivers: Vec<SynapseDriverOnHicann> = tap
            .local
            .synapse_switches()
            .filter(|switch| self.defects.is_usable(switch.on(tap.hicann)))
            .filter_map(|switch: SynapseSwitchOnHicann| switch.row().driver(tap.hicann))
            .filter(|driver| driver.hicann == self.hicann)
            .filter(|&driver| driver_is_usable(self.defects, driver))
            .map(|driver| driver.local)
            .collect();
        let side = drivers.first().map_or(Side::Left, |d| d.side());
        (side, drivers.into_iter().map(position).collect())
    }
}

/// Position of a driver on its side.
fn position(driver: SynapseDriverOnHicann) -> u8 {
    (driver.vertical().index() * DriverOnQuadrant::SIZE + driver.on_quadrant().index()) as u8
}

/// A bus that wants drivers of one side.
struct Bidder<'a> {
    demand: usize,
    /// Synapses realised with 0, 1, ... drivers of the top and of the bottom quadrant.
    realised: [&'a [u32]; 2],
    /// Positions with a switch to the bus.
    slots: Vec<u8>,
}

impl Bidder<'_> {
    /// Synapses realised with the longest chain.
    fn most(&self) -> u32 {
        self.realised.iter().filter_map(|table| table.last().copied()).max().unwrap_or(0)
    }
}

/// The drivers of one side of a chip and the buses that want them.
struct Bank<'a> {
    side: Side,
    bidders: Vec<Bidder<'a>>,
    /// Position of each bidder's primary.
    place: Vec<Option<u8>>,
    /// Bidder whose primary is at each position.
    occupant: [Option<u16>; POSITIONS],
    /// Positions whose driver cannot be used.
    blocked: [bool; POSITIONS],
    /// Synapses realised.
    realised: u32,
}

impl<'a> Bank<'a> {
    fn new(side: Side, bidding: &Bidding<'a>, places: &[(Side, Vec<u8>)]) -> Self {
        let chain_length = bidding.chain_length;
        let mut bidders: Vec<Bidder<'a>> = places
            .iter()
            .enumerate()
            .filter(|(_, (of, slots))| *of == side && !slots.is_empty())
            .map(|(demand, (_, slots))| Bidder {
                demand,
                realised: Vertical::ALL.map(|vertical| {
                    let gate = bidding.gates[QuadrantOnHicann::at(side, vertical).index()];
                    &bidding.demands[demand].realised(gate)[..=chain_length]
                }),
                slots: slots.clone(),
            })
            .collect();
        bidders.sort_by_key(|b| (std::cmp::Reverse(b.most()), b.demand));
        let place = vec![None; bidders.len()];
        let mut blocked = [false; POSITIONS];
        for driver in SynapseDriverOnHicann::all().filter(|d| d.side() == side) {
            let usable = driver_is_usable(bidding.defects, driver.on(bidding.hicann));
            blocked[usize::from(position(driver))] = !usable;
        }
        Self { side, bidders, place, occupant: [None; POSITIONS], blocked, realised: 0 }
    }

    fn solve(mut self, before: &[Assigned], moves: usize, rng: &mut ChaCha8Rng) -> Vec<Assigned> {
        if self.bidders.is_empty() {
            return Vec::new();
        }
        for assigned in before {
            let bidder = self.bidders.iter().position(|b| b.demand == assigned.demand);
            if let Some(bidder) = bidder {
                let slot = position(assigned.primary);
                if self.bidders[bidder].slots.contains(&slot) {
                    self.occupant[usize::from(slot)] = Some(bidder as u16);
                    self.place[bidder] = Some(slot);
                }
            }
        }
        self.place_greedily();
        self.realised = self.stretches().map(|stretch| self.value(stretch)).sum();
        let wanted: u32 = self.bidders.iter().map(Bidder::most).sum();
        self.anneal(wanted, moves, rng);
        self.chains()
    }

    /// Large demands first, each where the gap around it is widest.
    fn place_greedily(&mut self) {
        for bidder in 0..self.bidders.len() {
            if self.place[bidder].is_some() {
                continue;
            }
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
                    && !self.blocked[s]
            })
        };
        let s = slot as usize;
        let up = (1..=2).take_while(|&d| free(s.checked_sub(d))).count();
        let down = (1..=2).take_while(|&d| free(Some(s + d))).count();
        up + down
    }

    /// Moves primaries between their slots, swapping with the occupant, until every synapse is
    /// realised or the moves are used up. Keeps the best state seen.
    fn anneal(&mut self, wanted: u32, moves: usize, rng: &mut ChaCha8Rng) {
        let moves = moves * self.bidders.len();
        let mut best = (self.realised, self.place.clone(), self.occupant);
        for step in 0..moves {
            if best.0 == wanted {
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
            let there = self.stretch(to, &change);
            let here = change
                .from
                .filter(|from| !there.contains(&usize::from(*from)))
                .map(|from| self.stretch(from, &change));
            let value = |bank: &Self| {
                bank.value(there.clone()) + here.clone().map_or(0, |here| bank.value(here))
            };
            let before = value(self);
            self.make(&change);
            let after = value(self);
            let gain = f64::from(after) - f64::from(before);
            if gain >= 0.0 || rng.random::<f64>() < (gain / temperature).exp() {
                self.realised = self.realised + after - before;
                if self.realised > best.0 {
                    best = (self.realised, self.place.clone(), self.occupant);
                }
            } else {
                self.take_back(&change);
            }
        }
        (self.realised, self.place, self.occupant) = best;
    }

    /// The positions around one whose chains can depend on it, before and after a move: up to the
    /// ends of the quadrant, a blocked driver, or two primaries next to each other that stay.
    fn stretch(&self, position: u8, change: &Move) -> Range<usize> {
        let stays = |s: usize| {
            self.occupant[s].is_some()
                && s != usize::from(change.to)
                && change.from.is_none_or(|from| s != usize::from(from))
        };
        let ends = |s: usize| {
            s.is_multiple_of(DriverOnQuadrant::SIZE)
                || self.blocked[s - 1]
                || self.blocked[s]
                || stays(s - 1) && stays(s)
        };
        let position = usize::from(position);
        let first = (0..=position).rev().find(|&s| ends(s)).unwrap_or(0);
        let end = (position + 1..POSITIONS).find(|&s| ends(s)).unwrap_or(POSITIONS);
        first..end
    }

    /// All positions in stretches that do not depend on each other.
    fn stretches(&self) -> impl Iterator<Item = Range<usize>> {
        let ends = |s: usize| {
            s.is_multiple_of(DriverOnQuadrant::SIZE)
                || self.blocked[s - 1]
                || self.blocked[s]
                || self.occupant[s - 1].is_some() && self.occupant[s].is_some()
        };
        let starts: Vec<usize> = (0..POSITIONS).filter(|&s| ends(s)).collect();
        let ends: Vec<usize> = starts.iter().copied().skip(1).chain([POSITIONS]).collect();
        starts.into_iter().zip(ends).map(|(a, b)| a..b)
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

    /// Primaries of a stretch from north to south: bidder, position in the stretch, and what chains
    /// there realise.
    fn primaries(&self, stretch: Range<usize>) -> impl Iterator<Item = (usize, u8, &'a [u32])> {
        let first = stretch.start;
        let quadrant = first / DriverOnQuadrant::SIZE;
        stretch.filter_map(move |slot| {
            let bidder = usize::from(self.occupant[slot]?);
            Some((bidder, (slot - first) as u8, self.bidders[bidder].realised[quadrant]))
        })
    }

    fn value(&self, stretch: Range<usize>) -> u32 {
        let length = stretch.len();
        best_chains(length, self.primaries(stretch).map(|(_, slot, realised)| (slot, realised))).0
    }

    fn chains(&self) -> Vec<Assigned> {
        let mut assigned = Vec::new();
        for stretch in self.stretches() {
            let primaries: Vec<(usize, u8, &[u32])> = self.primaries(stretch.clone()).collect();
            let realised = primaries.iter().map(|&(_, slot, realised)| (slot, realised));
            let (_, chains) = best_chains(stretch.len(), realised);
            let vertical = Vertical::ALL[stretch.start / DriverOnQuadrant::SIZE];
            let quadrant = QuadrantOnHicann::at(self.side, vertical);
            let driver = |i: u8| {
                let on_quadrant = stretch.start % DriverOnQuadrant::SIZE + usize::from(i);
                quadrant.driver(
                    DriverOnQuadrant::from_index(on_quadrant).expect("chains stay in the quadrant"),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demand::MAX_CHAIN;

    /// Vertical lines with the drivers they want: sixteen, seventeen and twelve routes on one side
    /// of a chip that a greedy packing once could not serve (mapping §10, T34).
    const LISTS: [&str; 3] = [
        "133:2 172:7 238:8 208:7 175:6 135:1 163:1 142:7 169:6 234:7 235:7 143:6 177:7 209:8 205:3 \
         203:4",
        "142:6 226:2 236:8 207:6 177:7 176:6 228:2 237:7 137:8 178:7 212:7 146:7 145:7 144:4 174:4 \
         202:4 200:4",
        "47:7 63:2 49:7 16:7 20:6 51:8 109:8 107:6 10:8 108:7 45:4 111:4",
    ];

    #[test]
    fn t34_all_drivers_that_fit_are_given() {
        let defects = Defects::default();
        let hicann = HicannOnWafer::from_index(200).unwrap();
        for (list, sum) in LISTS.into_iter().zip([87, 96, 74]) {
            let routes: Vec<(usize, usize)> = list
                .split_whitespace()
                .map(|route| {
                    let (line, drivers) = route.split_once(':').unwrap();
                    (line.parse().unwrap(), drivers.parse().unwrap())
                })
                .collect();
            let demands: Vec<BusDemand> = routes
                .iter()
                .enumerate()
                .map(|(bus, &(_, drivers))| BusDemand::of_drivers(bus as u32, drivers))
                .collect();
            let taps: Vec<Option<OnWafer<VLineOnHicann>>> = routes
                .iter()
                .map(|&(line, _)| Some(VLineOnHicann::from_index(line).unwrap().on(hicann)))
                .collect();
            let bidding = Bidding {
                hicann,
                demands: &demands,
                taps: &taps,
                gates: [0; 4],
                defects: &defects,
                chain_length: MAX_CHAIN,
                moves: 2000,
                seed: 1,
            };
            let assigned = assign(&bidding, &[]);
            let given: u32 =
                assigned.iter().map(|a| demands[a.demand].realised(0)[a.members.len()]).sum();
            assert_eq!(given, sum);
        }
    }
}
