//! Chips between pools, by what the local search leaves.
//!
//! How much a pool loses with random members tells little about what it loses once its members are
//! searched. With [`Effort::Max`](crate::Effort::Max) short searches find out: chips go from pools
//! that lose nothing to the pool that loses most, as long as that helps.

use crate::inputs::InputTable;
use crate::plan::{Dealer, Plan, Shape, Structure};
use crate::search::{self, Model, Schedule};

/// Exchanges of chips that are tried.
const EXCHANGES: usize = 10;
/// Moves of a short search per member.
const SHORT: usize = 10;

/// A structure, its plan after a short search, and what each pool loses then.
struct Searched {
    structure: Structure,
    plan: Plan,
    lost: Vec<i64>,
}

impl Searched {
    fn new(dealer: &Dealer<'_>, structure: Structure, plan: Plan, schedule: &Schedule) -> Self {
        let inputs: &InputTable = dealer.inputs;
        let chain_length = dealer.options.chain_length;
        let (plan, by_chip) =
            search::improve(plan, dealer.pools.len(), inputs, chain_length, schedule);
        let mut lost = vec![0; dealer.pools.len()];
        let mut last = None;
        for bus in &plan.buses {
            // a chip may send several buses of its one pool
            if last.replace(bus.chip) != Some(bus.chip) {
                lost[bus.pool as usize] += i64::from(by_chip[bus.chip as usize]);
            }
        }
        Self { structure, plan, lost }
    }

    fn total(&self) -> i64 {
        self.lost.iter().sum()
    }

    fn chips(&self, pool: usize) -> usize {
        match self.structure.shapes[pool] {
            Shape::Neurons { chips, .. } => chips,
            Shape::Inputs { .. } => 0,
        }
    }
}

/// Exchanges chips between the pools of a structure; gives the plan that loses least after a short
/// search.
pub(crate) fn balance(
    dealer: &Dealer<'_>,
    structure: Structure,
    plan: Plan,
    percent: usize,
) -> Plan {
    let schedule = Schedule {
        moves: SHORT * plan.seats.len(),
        model: Model::Share { percent },
        seed: dealer.options.seed,
        cancel: dealer.options.cancel.clone(),
    };
    let mut best = Searched::new(dealer, structure, plan, &schedule);
    let mut failed: Vec<(usize, usize)> = Vec::new();
    for _ in 0..EXCHANGES {
        if best.total() == 0 {
            break;
        }
        let Some((donor, taker)) = pair(&best, dealer, &failed) else { break };
        let mut structure = best.structure.clone();
        let n = (best.chips(donor) / 16).clamp(1, best.chips(taker).div_ceil(8));
        for (pool, chips) in [(donor, best.chips(donor) - n), (taker, best.chips(taker) + n)] {
            if let Shape::Neurons { chips: here, .. } = &mut structure.shapes[pool] {
                *here = chips;
            }
        }
        let next = dealer
            .deal(&structure)
            .ok()
            .filter(|plan| plan.reach == best.plan.reach)
            .map(|plan| Searched::new(dealer, structure, plan, &schedule));
        match next {
            Some(next) if next.total() < best.total() => best = next,
            _ => failed.push((donor, taker)),
        }
    }
    best.plan
}

/// Who should give chips to whom: the pool that loses least per chip, of equal ones the largest,
/// to the one that loses most.
fn pair(
    searched: &Searched,
    dealer: &Dealer<'_>,
    failed: &[(usize, usize)],
) -> Option<(usize, usize)> {
    let open: Vec<usize> = (0..searched.lost.len())
        .filter(|&p| searched.chips(p) > 0 && dealer.pools[p].pinned.is_none())
        .collect();
    let per_chip = |p: usize| searched.lost[p] as f64 / searched.chips(p) as f64;
    let mut takers = open.clone();
    takers.sort_by(|&a, &b| per_chip(b).total_cmp(&per_chip(a)));
    let mut donors: Vec<usize> = open.into_iter().filter(|&p| searched.chips(p) > 1).collect();
    donors.sort_by(|&a, &b| {
        let chips = searched.chips(b).cmp(&searched.chips(a));
        per_chip(a).total_cmp(&per_chip(b)).then(chips)
    });
    takers
        .into_iter()
        .filter(|&taker| searched.lost[taker] > 0)
        .flat_map(|taker| donors.iter().map(move |&donor| (donor, taker)))
        .find(|&(donor, taker)| {
            per_chip(donor) < 0.5 * per_chip(taker) && !failed.contains(&(donor, taker))
        })
}
