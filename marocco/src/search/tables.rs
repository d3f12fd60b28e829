//! The loss tables of all chips, kept up to date move by move.

use rayon::prelude::*;

use crate::inputs::InputTable;
use crate::loss::{self, DriverLoss, HalfRowLoss, Priced};
use crate::network::Receptor;
use crate::plan::{Plan, Seat, Spot};
use crate::search::Model;
use crate::structure::Channels;

/// Largest loss of a vector that leaves room for the changes of a move.
const MAX_VECTOR: u16 = 30_000;

/// A target of a source.
#[derive(Debug, Clone, Copy)]
struct Edge {
    /// Row of the target neuron.
    row: u32,
    /// Synapses between the two on one receptor.
    count: u16,
    receptor: Receptor,
}

/// Counts and losses.
pub(super) struct Tables {
    chain_length: usize,
    channels: Channels,
    /// Position of each bus's receptors, for [`Channels::of`].
    position: Vec<[u8; 2]>,
    n_buses: usize,
    /// Row of each member that is a neuron.
    row: Vec<u32>,
    /// Chip and width by row.
    place: Vec<(u32, u8)>,
    /// Edges by member.
    first_edge: Vec<u32>,
    edges: Vec<Edge>,
    /// Synapses by row and channel.
    counts: Vec<u16>,
    /// By chip and channel.
    vectors: Vec<HalfRowLoss>,
    /// By chip and bus.
    bus_loss: Vec<DriverLoss>,
    priced: Vec<Priced>,
    chip_loss: Vec<i32>,
    /// Drivers of each chip that its buses share, unless they are fixed.
    drivers: Vec<usize>,
    /// Drivers by chip and bus.
    fixed: Option<Vec<u8>>,
    total: i64,
    /// Number of the present move, and when each (chip, bus) and chip was last touched.
    now: u32,
    touched_at: Vec<u32>,
    chip_at: Vec<u32>,
    /// What the present move has touched, as it was before.
    pub(super) before: Before,
}

/// Losses before a move.
#[derive(Debug, Clone, Default)]
pub(super) struct Before {
    buses: Vec<(u32, DriverLoss)>,
    chips: Vec<(u32, Priced, i32)>,
    total: i64,
}

/// Where a source sends: its bus and decoder group.
type Sender = Seat;

impl Tables {
    /// The tables of a plan, if the numbers are small enough for them.
    pub(super) fn new(
        plan: &Plan,
        inputs: &InputTable,
        chain_length: usize,
        model: &Model,
    ) -> Option<Self> {
        let channels = Channels::new(plan);
        let n_buses = plan.buses.len();
        let n_chips = plan.chips.len();
        let mut row = vec![u32::MAX; plan.seats.len()];
        let mut place = Vec::new();
        let mut members = Vec::new();
        for (member, spot) in plan.spots.iter().enumerate() {
            if let Some(Spot { chip, width, .. }) = *spot {
                row[member] = place.len() as u32;
                place.push((chip, width));
                members.push(member);
            }
        }
        let position: Vec<[u8; 2]> = plan
            .buses
            .iter()
            .map(|b| Receptor::ALL.map(|r| b.receptors.position(r) as u8))
            .collect();
        let mut counts = vec![0u16; place.len() * channels.total];
        counts.par_chunks_exact_mut(channels.total.max(1)).zip(&members).for_each(
            |(counts, &member)| {
                for input in inputs.of(member) {
                    if let Some(Seat { bus, group }) = plan.seats[input.source as usize] {
                        let receptor = position[bus as usize][input.receptor.index()];
                        counts[channels.of(bus as usize, receptor.into(), group)] += 1;
                    }
                }
            },
        );
        let mut vectors = vec![[0u16; 16]; n_chips * channels.total];
        vectors.par_chunks_exact_mut(channels.total.max(1)).enumerate().for_each(
            |(chip, vectors)| {
                for &member in &plan.chips[chip].members {
                    let row = row[member as usize] as usize;
                    let width = place[row].1;
                    let counts = &counts[row * channels.total..(row + 1) * channels.total];
                    for (vector, &count) in vectors.iter_mut().zip(counts) {
                        if count > 0 {
                            loss::add(vector, count, width);
                        }
                    }
                }
            },
        );
        if vectors.iter().any(|v| v[0] > MAX_VECTOR) {
            return None;
        }
        let (first_edge, edges) = edges(plan, inputs, &row, &members);
        let (drivers, fixed) = match model {
            Model::Share { percent } => {
                (plan.chips.iter().map(|c| c.drivers * percent / 100).collect(), None)
            }
            Model::Fixed(drivers) => (Vec::new(), Some(drivers.clone())),
        };
        let mut tables = Self {
            chain_length,
            channels,
            position,
            n_buses,
            row,
            place,
            first_edge,
            edges,
            counts,
            vectors,
            bus_loss: vec![[0; 4]; n_chips * n_buses],
            priced: vec![Priced::default(); n_chips],
            chip_loss: vec![0; n_chips],
            drivers,
            fixed,
            total: 0,
            now: 0,
            touched_at: vec![0; n_chips * n_buses],
            chip_at: vec![0; n_chips],
            before: Before::default(),
        };
        tables.evaluate();
        Some(tables)
    }

    fn evaluate(&mut self) {
        let n_buses = self.n_buses.max(1);
        let (channels, vectors, chain) = (&self.channels, &self.vectors, self.chain_length);
        self.bus_loss.par_iter_mut().enumerate().for_each(|(i, loss)| {
            let (chip, bus) = (i / n_buses, i % n_buses);
            let first = chip * channels.total;
            let range = channels.range(bus);
            *loss = loss::of_bus(&vectors[first + range.start..first + range.end], chain);
        });
        self.total = 0;
        for (chip, losses) in self.bus_loss.chunks_exact(n_buses).enumerate() {
            self.chip_loss[chip] = match &self.fixed {
                None => {
                    for loss in losses {
                        loss::add_priced(&mut self.priced[chip], *loss);
                    }
                    loss::of_chip(&self.priced[chip], self.drivers[chip])
                }
                Some(drivers) => {
                    let drivers = &drivers[chip * n_buses..(chip + 1) * n_buses];
                    losses.iter().zip(drivers).map(|(l, &d)| i32::from(at(*l, d))).sum()
                }
            };
            self.total += i64::from(self.chip_loss[chip]);
        }
    }

    pub(super) const fn total(&self) -> i64 {
        self.total
    }

    pub(super) fn loss(&self, chip: u32) -> i32 {
        self.chip_loss[chip as usize]
    }

    /// A bus that loses synapses on a chip though all its drivers could serve them, if there is one;
    /// the search starts at a bus chosen by the caller.
    pub(super) fn losing_bus(&self, chip: u32, start: usize) -> Option<u32> {
        let first = chip as usize * self.n_buses;
        let lost = |bus: usize| match &self.fixed {
            Some(drivers) => at(self.bus_loss[first + bus], drivers[first + bus]),
            None => self.bus_loss[first + bus][1],
        };
        (0..self.n_buses)
            .map(|i| (start + i) % self.n_buses)
            .find(|&b| lost(b) > 0)
            .map(|b| b as u32)
    }

    /// Starts a move: what it touches is noted from here on.
    pub(super) fn begin(&mut self) {
        self.now += 1;
        self.before.buses.clear();
        self.before.chips.clear();
        self.before.total = self.total;
    }

    fn touch(&mut self, chip: u32, bus: u32) {
        let i = chip as usize * self.n_buses + bus as usize;
        if self.touched_at[i] != self.now {
            self.touched_at[i] = self.now;
            self.before.buses.push((i as u32, self.bus_loss[i]));
        }
    }

    fn channel(&self, sender: Sender, receptor: Receptor) -> usize {
        let position = self.position[sender.bus as usize][receptor.index()];
        self.channels.of(sender.bus as usize, position.into(), sender.group)
    }

    /// A source sends on another bus or in another group.
    pub(super) fn move_source(&mut self, member: u32, from: Sender, to: Sender) {
        let edges = self.first_edge[member as usize] as usize
            ..self.first_edge[member as usize + 1] as usize;
        let total = self.channels.total;
        for edge in edges {
            let Edge { row, count, receptor } = self.edges[edge];
            let (chip, width) = self.place[row as usize];
            let (old, new) = (self.channel(from, receptor), self.channel(to, receptor));
            for (channel, change) in [(old, 0_u16.wrapping_sub(count)), (new, count)] {
                let at = row as usize * total + channel;
                let vector = &mut self.vectors[chip as usize * total + channel];
                loss::subtract(vector, self.counts[at], width);
                self.counts[at] = self.counts[at].wrapping_add(change);
                loss::add(vector, self.counts[at], width);
            }
            self.touch(chip, from.bus);
            if to.bus != from.bus {
                self.touch(chip, to.bus);
            }
        }
    }

    /// A neuron moves to another chip, or gets another width.
    pub(super) fn move_target(&mut self, member: u32, to_chip: u32, to_width: u8) {
        let row = self.row[member as usize] as usize;
        let (chip, width) = self.place[row];
        let total = self.channels.total;
        for bus in 0..self.n_buses {
            let range = self.channels.range(bus);
            let mut any = false;
            for channel in range {
                let count = self.counts[row * total + channel];
                if count > 0 {
                    loss::subtract(
                        &mut self.vectors[chip as usize * total + channel],
                        count,
                        width,
                    );
                    let there = &mut self.vectors[to_chip as usize * total + channel];
                    loss::add(there, count, to_width);
                    any = true;
                }
            }
            if any {
                self.touch(chip, bus as u32);
                if to_chip != chip {
                    self.touch(to_chip, bus as u32);
                }
            }
        }
        self.place[row] = (to_chip, to_width);
    }

    /// Evaluates what the move has touched; tells the change of the loss so far.
    pub(super) fn settle(&mut self) -> i64 {
        for i in 0..self.before.buses.len() {
            let place = self.before.buses[i].0 as usize;
            let (chip, bus) = (place / self.n_buses, place % self.n_buses);
            let range = self.channels.range(bus);
            let first = chip * self.channels.total;
            let vectors = &self.vectors[first + range.start..first + range.end];
            let loss = loss::of_bus(vectors, self.chain_length);
            let old = self.bus_loss[place];
            if loss == old {
                continue;
            }
            if self.chip_at[chip] != self.now {
                self.chip_at[chip] = self.now;
                self.before.chips.push((chip as u32, self.priced[chip], self.chip_loss[chip]));
            }
            self.bus_loss[place] = loss;
            if let Some(drivers) = &self.fixed {
                let change =
                    i32::from(at(loss, drivers[place])) - i32::from(at(old, drivers[place]));
                self.chip_loss[chip] += change;
                self.total += i64::from(change);
            } else {
                loss::subtract_priced(&mut self.priced[chip], old);
                loss::add_priced(&mut self.priced[chip], loss);
            }
        }
        if self.fixed.is_some() {
            return self.total - self.before.total;
        }
        for i in 0..self.before.chips.len() {
            let chip = self.before.chips[i].0 as usize;
            let loss = loss::of_chip(&self.priced[chip], self.drivers[chip]);
            self.total += i64::from(loss - self.chip_loss[chip]);
            self.chip_loss[chip] = loss;
        }
        self.total - self.before.total
    }

    /// Takes the losses back to before the move; counts and vectors go back by the opposite moves.
    pub(super) fn restore(&mut self) {
        let before = std::mem::take(&mut self.before);
        for &(i, loss) in &before.buses {
            self.bus_loss[i as usize] = loss;
        }
        for &(chip, priced, loss) in &before.chips {
            self.priced[chip as usize] = priced;
            self.chip_loss[chip as usize] = loss;
        }
        self.total = before.total;
        self.before = before;
    }
}

/// Loss of a bus with this many drivers.
fn at(loss: DriverLoss, drivers: u8) -> u16 {
    loss[usize::from(drivers).min(loss.len() - 1)]
}

/// The targets of each member.
fn edges(
    plan: &Plan,
    inputs: &InputTable,
    row: &[u32],
    members: &[usize],
) -> (Vec<u32>, Vec<Edge>) {
    let mut first = vec![0u32; plan.seats.len() + 1];
    // synapses of a neuron by source and receptor, sorted
    let runs = |member: usize| {
        let mut sources: Vec<(u32, Receptor)> =
            inputs.of(member).iter().map(|i| (i.source, i.receptor)).collect();
        sources.sort_unstable();
        sources
    };
    let sorted: Vec<Vec<(u32, Receptor)>> = members.par_iter().map(|&m| runs(m)).collect();
    for sources in &sorted {
        for group in sources.chunk_by(|a, b| a == b) {
            first[group[0].0 as usize + 1] += 1;
        }
    }
    for i in 1..first.len() {
        first[i] += first[i - 1];
    }
    let mut next = first.clone();
    let none = Edge { row: 0, count: 0, receptor: Receptor::Excitatory };
    let mut edges = vec![none; first.last().copied().unwrap_or(0) as usize];
    for (&member, sources) in members.iter().zip(&sorted) {
        for group in sources.chunk_by(|a, b| a == b) {
            let (source, receptor) = group[0];
            let slot = &mut next[source as usize];
            edges[*slot as usize] = Edge { row: row[member], count: group.len() as u16, receptor };
            *slot += 1;
        }
    }
    (first, edges)
}
