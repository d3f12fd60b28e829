//! The hidden order of structured networks.
//!
//! Members that stand next to each other in their population become neighbours on the wafer. In a
//! lattice or a ring whose members come in random order that is of no use: every bus would have to
//! be heard everywhere. Here such networks are recognised, and an order is found in which neighbours
//! talk to each other: recursive bisection of the graph of synapses, each time along a smooth
//! coordinate that starts as the distance from an outermost member.
//!
//! Random networks have no such order. They are told by the sources that a neuron and those around
//! it have in common, which costs little.

use std::collections::VecDeque;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};
use rayon::prelude::*;

use crate::inputs::InputTable;

/// Members that may share a chip: what an order is judged by.
const BLOCK: usize = 32;
/// Smallest network in which an order matters.
const MIN_MEMBERS: usize = 4 * BLOCK;
/// Neighbourhoods that are looked at to tell whether there is structure.
const PROBES: usize = 24;
/// Neighbourhoods of structured networks hear at most this share of the sources that they would
/// hear in a random network.
const STRUCTURED: f64 = 0.6;
/// Networks whose blocks talk to at most this share of those that they would talk to in random
/// order are in order already; and an order is kept if it has at most this share of the pairs that
/// the given one has.
const WORTHWHILE: f64 = 0.5;
/// Neighbours per member that are looked at, out of those that it listens to.
const MAX_DEGREE: usize = 24;
/// Parts up to this size are not divided further.
const LEAF: usize = 8;
/// Rounds of smoothing per bisection.
const SMOOTHING: usize = 40;
/// Rounds of refinement of the whole order, and the share of it, one over this, that counts as far.
const REFINEMENTS: usize = 30;
const FAR: usize = 6;
/// Rounds of exchange over the border of a bisection.
const EXCHANGES: usize = 4;

/// The position of each member in an order of all members that keeps those together who talk to
/// each other; none if the given order does so, or if there is no such order.
pub(crate) fn hidden_order(inputs: &InputTable) -> Option<Vec<u32>> {
    let n = inputs.members();
    if n < MIN_MEMBERS {
        return None;
    }
    let given: Vec<u32> = (0..n as u32).collect();
    let graph = Graph::new(inputs);
    if !graph.is_structured(inputs) {
        return None;
    }
    let (before, in_random_order) = pairs(inputs, &given);
    if before as f64 <= WORTHWHILE * in_random_order {
        return None;
    }
    let mut members = given;
    graph.arrange(&mut members);
    let coarse = positions(&members);
    graph.refine(&mut members);
    let fine = positions(&members);
    let (best, after) = [coarse, fine]
        .map(|position| (pairs(inputs, &position).0, position))
        .into_iter()
        .min_by_key(|(pairs, _)| *pairs)?;
    (best as f64 <= WORTHWHILE * before as f64).then_some(after)
}

/// The position of each member in a list of all.
fn positions(members: &[u32]) -> Vec<u32> {
    let mut position = vec![0u32; members.len()];
    for (&member, place) in members.iter().zip(0..) {
        position[member as usize] = place;
    }
    position
}

/// Pairs of blocks of members, one of which listens to the other, if members stand at these
/// positions; and how many there would be if those that a block listens to stood anywhere.
fn pairs(inputs: &InputTable, position: &[u32]) -> (usize, f64) {
    let n = position.len();
    let n_blocks = n.div_ceil(BLOCK);
    let mut blocks: Vec<Vec<u32>> = vec![Vec::new(); n_blocks];
    for (member, &place) in position.iter().enumerate() {
        blocks[place as usize / BLOCK].push(member as u32);
    }
    let heard = |members: &Vec<u32>| {
        let mut heard = vec![false; n_blocks];
        let mut sources: Vec<u32> =
            members.iter().flat_map(|&m| inputs.of(m as usize)).map(|i| i.source).collect();
        sources.sort_unstable();
        sources.dedup();
        for &source in &sources {
            heard[position[source as usize] as usize / BLOCK] = true;
        }
        let anywhere = n_blocks as f64 * (1.0 - (-(sources.len() as f64) / n_blocks as f64).exp());
        (heard.into_iter().filter(|&h| h).count(), anywhere)
    };
    let all: Vec<(usize, f64)> = blocks.par_iter().map(heard).collect();
    // one after the other: sums of floats depend on their order
    all.into_iter().fold((0, 0.0), |sum, of| (sum.0 + of.0, sum.1 + of.1))
}

/// Who talks to whom, in either direction, with a limited number of neighbours each.
struct Graph {
    first: Vec<u32>,
    neighbours: Vec<u32>,
}

impl Graph {
    fn new(inputs: &InputTable) -> Self {
        let n = inputs.members();
        // every k-th of those that a member listens to, so that large networks cost no more
        let sampled = |member: usize| {
            let all = inputs.of(member);
            let step = all.len().div_ceil(MAX_DEGREE).max(1);
            let sources = all.iter().step_by(step).map(|input| input.source);
            sources.filter(move |&source| source as usize != member)
        };
        let mut first = vec![0u32; n + 1];
        for member in 0..n {
            for source in sampled(member) {
                first[member + 1] += 1;
                first[source as usize + 1] += 1;
            }
        }
        for i in 0..n {
            first[i + 1] += first[i];
        }
        let mut next = first.clone();
        let mut neighbours = vec![0; first[n] as usize];
        for member in 0..n {
            for source in sampled(member) {
                for (a, b) in [(member, source), (source as usize, member as u32)] {
                    neighbours[next[a] as usize] = b;
                    next[a] += 1;
                }
            }
        }
        Self { first, neighbours }
    }

    fn of(&self, member: u32) -> &[u32] {
        let member = member as usize;
        &self.neighbours[self.first[member] as usize..self.first[member + 1] as usize]
    }

    /// Whether members around some of them hear far fewer sources than in a random network.
    fn is_structured(&self, inputs: &InputTable) -> bool {
        let n = inputs.members();
        let senders = (0..n).filter(|&m| !inputs.receptors(m).is_empty()).count().max(1) as f64;
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let (mut found, mut expected) = (0.0, 0.0);
        let mut seen = vec![u32::MAX; n];
        for probe in 0..PROBES as u32 {
            let start = rng.random_range(0..n) as u32;
            let ball = self.ball(start);
            let mut sources = 0;
            let mut synapses = 0;
            for input in ball.iter().flat_map(|&m| inputs.of(m as usize)) {
                synapses += 1;
                sources += u32::from(seen[input.source as usize] != probe);
                seen[input.source as usize] = probe;
            }
            found += f64::from(sources);
            expected += senders * (1.0 - (-f64::from(synapses) / senders).exp());
        }
        found < STRUCTURED * expected
    }

    /// A block of members around one, nearest first: those with most connections to the rest of
    /// the block.
    fn ball(&self, start: u32) -> Vec<u32> {
        let mut ball = vec![start];
        let mut ties: std::collections::BTreeMap<u32, u32> = std::collections::BTreeMap::new();
        while ball.len() < BLOCK {
            let last = ball[ball.len() - 1];
            for &neighbour in self.of(last) {
                *ties.entry(neighbour).or_default() += 1;
            }
            let outside = ties.iter().filter(|(m, _)| !ball.contains(m));
            let best = outside.max_by_key(|&(&m, &n)| (n, std::cmp::Reverse(m)));
            let Some((&next, _)) = best else { break };
            ball.push(next);
        }
        ball
    }

    /// Sorts members so that those who talk to each other are near each other.
    fn arrange(&self, members: &mut [u32]) {
        let n = self.first.len() - 1;
        let mut bisection = Bisection {
            graph: self,
            part: vec![0; n],
            parts: 1,
            rank: vec![0.0; n],
            value: vec![0.0; n],
            smoothed: vec![0.0; n],
        };
        let mut waiting = vec![(0, members.len())];
        while let Some((from, to)) = waiting.pop() {
            if to - from > LEAF {
                let middle = from + bisection.divide(&mut members[from..to]);
                for (number, &member) in members[from..to].iter().enumerate() {
                    bisection.rank[member as usize] = (from + number) as f32;
                }
                // the second half first, so that what stands left of a part is settled
                waiting.push((middle, to));
                waiting.push((from, middle));
            }
        }
    }
}

impl Graph {
    /// Moves members towards the mean of those neighbours that are not too far away: what is far
    /// is on the other side of a ring, or in another row.
    fn refine(&self, members: &mut [u32]) {
        let far = (members.len() / FAR) as i64;
        let mut position = positions(members);
        for _ in 0..REFINEMENTS {
            let wish = |member: u32| {
                let own = i64::from(position[member as usize]);
                let near = self.of(member).iter().map(|&m| i64::from(position[m as usize]));
                let near = near.filter(|p| (p - own).abs() <= far);
                let (sum, n) = near.fold((0, 0), |(sum, n), p| (sum + p, n + 1));
                // in quarters of a place
                if n > 0 { 2 * own + 2 * sum / n } else { 4 * own }
            };
            let mut wishes: Vec<(i64, u32)> = members.iter().map(|&m| (wish(m), m)).collect();
            wishes.sort_unstable();
            for (member, (_, next)) in members.iter_mut().zip(wishes) {
                *member = next;
            }
            position = positions(members);
        }
    }
}

/// The state of recursive bisection. All values are by member.
struct Bisection<'a> {
    graph: &'a Graph,
    /// Number of the part that a member is in.
    part: Vec<u32>,
    /// Parts so far.
    parts: u32,
    /// Position in the order so far.
    rank: Vec<f32>,
    value: Vec<f32>,
    smoothed: Vec<f32>,
}

impl Bisection<'_> {
    /// Sorts a part along a smooth coordinate and divides it in the middle, where it says.
    fn divide(&mut self, members: &mut [u32]) -> usize {
        let part = self.parts;
        self.parts += 1;
        for &member in &*members {
            self.part[member as usize] = part;
        }
        let outermost = self.distances(members, part, members[0]);
        self.distances(members, part, outermost);
        for _ in 0..SMOOTHING {
            self.smooth(members, part);
        }
        self.orient(members, part);
        let value = &self.value;
        let key = |m: u32| value[m as usize];
        members.sort_unstable_by(|&a, &b| key(a).total_cmp(&key(b)).then(a.cmp(&b)));
        let middle = members.len() / 2;
        self.exchange(members, middle);
        middle
    }

    /// The distance of all members of a part from one of them as their value; gives the last one
    /// reached. What is not connected follows farther away.
    fn distances(&mut self, members: &[u32], part: u32, from: u32) -> u32 {
        for &member in members {
            self.value[member as usize] = f32::NAN;
        }
        let mut last = from;
        let mut farthest = 0.0;
        let mut queue = VecDeque::new();
        for start in std::iter::once(from).chain(members.iter().copied()) {
            if !self.value[start as usize].is_nan() {
                continue;
            }
            self.value[start as usize] = farthest;
            queue.push_back(start);
            while let Some(member) = queue.pop_front() {
                last = member;
                farthest = self.value[member as usize] + 1.0;
                for &neighbour in self.graph.of(member) {
                    let known = !self.value[neighbour as usize].is_nan();
                    if self.part[neighbour as usize] == part && !known {
                        self.value[neighbour as usize] = farthest;
                        queue.push_back(neighbour);
                    }
                }
            }
        }
        last
    }

    /// Moves each value half way to the mean of the neighbours in the part, and spreads all over
    /// -1 to 1 around their mean.
    fn smooth(&mut self, members: &[u32], part: u32) {
        let (mut sum, mut least, mut most) = (0.0_f64, f32::MAX, f32::MIN);
        for &member in members {
            let (mut around, mut n) = (0.0, 0.0);
            for &neighbour in self.graph.of(member) {
                if self.part[neighbour as usize] == part {
                    around += self.value[neighbour as usize];
                    n += 1.0;
                }
            }
            let own = self.value[member as usize];
            let new = if n > 0.0 { 0.5 * (own + around / n) } else { own };
            self.smoothed[member as usize] = new;
            sum += f64::from(new);
            (least, most) = (least.min(new), most.max(new));
        }
        let mean = (sum / members.len() as f64) as f32;
        let width = (most - mean).max(mean - least).max(f32::MIN_POSITIVE);
        for &member in members {
            self.value[member as usize] = (self.smoothed[member as usize] - mean) / width;
        }
    }

    /// Turns the coordinate so that its low end is where the members with neighbours before the
    /// part are.
    fn orient(&mut self, members: &[u32], part: u32) {
        let mut slope = 0.0_f64;
        for &member in members {
            let own = self.rank[member as usize];
            for &neighbour in self.graph.of(member) {
                if self.part[neighbour as usize] != part {
                    let side = (self.rank[neighbour as usize] - own).clamp(-1.0, 1.0);
                    slope += f64::from(side * self.value[member as usize]);
                }
            }
        }
        if slope < 0.0 {
            for &member in members {
                self.value[member as usize] *= -1.0;
            }
        }
    }

    /// Exchanges pairs of members over the border that have more neighbours beyond it than on
    /// their own side.
    fn exchange(&mut self, members: &mut [u32], middle: usize) {
        let (low, high) = (self.parts, self.parts + 1);
        self.parts += 2;
        for (i, &member) in members.iter().enumerate() {
            self.part[member as usize] = if i < middle { low } else { high };
        }
        for _ in 0..EXCHANGES {
            let mut gains: [Vec<(i32, usize)>; 2] = [Vec::new(), Vec::new()];
            for (i, &member) in members.iter().enumerate() {
                let own = self.part[member as usize];
                let other = low + high - own;
                let gain = self.graph.of(member).iter().map(|&neighbour| {
                    let part = self.part[neighbour as usize];
                    i32::from(part == other) - i32::from(part == own)
                });
                let gain: i32 = gain.sum();
                if gain > 0 {
                    gains[usize::from(own == high)].push((gain, i));
                }
            }
            for side in &mut gains {
                side.sort_unstable_by(|a, b| b.cmp(a));
            }
            let [lows, highs] = gains;
            if lows.is_empty() || highs.is_empty() {
                break;
            }
            for ((_, a), (_, b)) in lows.into_iter().zip(highs) {
                members.swap(a, b);
                self.part.swap(members[a] as usize, members[b] as usize);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::seq::SliceRandom as _;

    use super::*;
    use crate::kinds::Kinds;
    use crate::network::{
        Network, PerMember, Population, PopulationKind, Projection, Receptor, Synapse,
    };

    /// Members that listen to those that `sources` names, in random order if asked for.
    fn inputs(n: usize, shuffled: bool, sources: impl Fn(usize) -> Vec<usize>) -> InputTable {
        let mut names: Vec<usize> = (0..n).collect();
        if shuffled {
            names.shuffle(&mut ChaCha8Rng::seed_from_u64(5));
        }
        let mut network = Network::default();
        let cell = calib::CellParameters::IfCondExp(calib::IfCondExp::default());
        let kind = PopulationKind::Neurons(PerMember::Uniform(cell));
        let population = Population { label: "all".into(), size: n, kind };
        let id = network.add_population(population).unwrap();
        let synapse = |pre: usize, post: usize| Synapse {
            pre: names[pre] as u32,
            post: names[post] as u32,
            weight_us: 0.001,
        };
        let synapses =
            (0..n).flat_map(|post| sources(post).into_iter().map(move |pre| (pre, post)));
        let synapses = synapses.map(|(pre, post)| synapse(pre, post)).collect();
        let (label, receptor) = ("all".into(), Receptor::Excitatory);
        let projection = Projection { label, receptor, plasticity: None, pairs: None, synapses };
        network.add_projection(id, id, projection).unwrap();
        InputTable::new(&network, Kinds::none(&network))
    }

    fn lattice(side: usize, shuffled: bool) -> InputTable {
        inputs(side * side, shuffled, |i| {
            let (x, y) = (i % side, i / side);
            let at = |x: usize, y: usize| y % side * side + x % side;
            vec![at(x + 1, y), at(x + side - 1, y), at(x, y + 1), at(x, y + side - 1)]
        })
    }

    fn ring(n: usize, shuffled: bool) -> InputTable {
        inputs(n, shuffled, |i| {
            let mut rng = ChaCha8Rng::seed_from_u64(i as u64);
            (0..40).map(|_| (i + n - 80 + rng.random_range(0..161)) % n).collect()
        })
    }

    fn given(n: usize) -> Vec<u32> {
        (0..n as u32).collect()
    }

    #[test]
    fn shuffled_lattices_and_rings_find_back_their_order() {
        for side in [40, 60, 100] {
            let (ordered, _) = pairs(&lattice(side, false), &given(side * side));
            let shuffled = lattice(side, true);
            let (found, _) = pairs(&shuffled, &hidden_order(&shuffled).unwrap());
            // squares have more neighbours than parts of rows
            assert!(found < 2 * ordered, "{side}: {found}, ordered {ordered}");
        }
        for n in [1000, 4000] {
            let (ordered, _) = pairs(&ring(n, false), &given(n));
            let shuffled = ring(n, true);
            let (found, _) = pairs(&shuffled, &hidden_order(&shuffled).unwrap());
            assert!(found < 2 * ordered, "{n}: {found}, ordered {ordered}");
        }
    }

    #[test]
    fn what_is_in_order_or_has_none_is_left_alone() {
        assert_eq!(hidden_order(&ring(2000, false)), None);
        assert_eq!(hidden_order(&lattice(60, false)), None);
        let random = inputs(2000, false, |i| {
            let mut rng = ChaCha8Rng::seed_from_u64(i as u64);
            (0..40).map(|_| rng.random_range(0..2000)).collect()
        });
        assert_eq!(hidden_order(&random), None);
        assert_eq!(hidden_order(&inputs(2000, false, |_| Vec::new())), None);
    }

    #[test]
    fn an_order_is_a_permutation() {
        let mut found = hidden_order(&lattice(30, true)).unwrap();
        found.sort_unstable();
        assert_eq!(found, given(900));
    }
}
