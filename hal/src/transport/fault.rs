//! A line that harms datagrams at given rates, from a seed.

use std::collections::VecDeque;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use super::Ticks;

/// How a line harms datagrams. Rates are probabilities per datagram, 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Faults {
    /// The datagram never arrives.
    pub loss: f64,
    /// The datagram arrives twice.
    pub duplication: f64,
    /// The datagram, or its double, is held back.
    pub reordering: f64,
    /// A datagram that is held back is overtaken by 1 to this many later ones...
    pub overtaken: u32,
    /// ...or arrives after so many ticks if less come.
    pub held_for: u64,
    /// Where the random numbers begin.
    pub seed: u64,
}

impl Faults {
    /// A line that harms nothing.
    pub const NONE: Self = Self {
        loss: 0.0,
        duplication: 0.0,
        reordering: 0.0,
        overtaken: 3,
        held_for: 2_000,
        seed: 0,
    };

    /// A line that loses, doubles and holds back datagrams, each with probability `rate`.
    #[must_use]
    pub const fn all(rate: f64, seed: u64) -> Self {
        Self { loss: rate, duplication: rate, reordering: rate, seed, ..Self::NONE }
    }
}

/// One direction of a line.
#[derive(Debug)]
pub struct FaultyLine<T> {
    faults: Faults,
    rng: ChaCha8Rng,
    /// How many datagrams came in.
    count: u64,
    ready: VecDeque<T>,
    held: Vec<Held<T>>,
}

#[derive(Debug)]
struct Held<T> {
    datagram: T,
    until_count: u64,
    until: Ticks,
}

impl<T: Clone> FaultyLine<T> {
    /// An empty line. Lines with different numbers draw different random numbers from one seed.
    pub fn new(faults: Faults, number: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(faults.seed);
        rng.set_stream(number);
        Self { faults, rng, count: 0, ready: VecDeque::new(), held: Vec::new() }
    }

    /// Puts a datagram on the line.
    pub fn push(&mut self, now: Ticks, datagram: T) {
        let Faults { loss, duplication, .. } = self.faults;
        self.count += 1;
        if !self.happens(loss) {
            if self.happens(duplication) {
                self.pass(now, datagram.clone());
            }
            self.pass(now, datagram);
        }
        self.release(now);
    }

    /// Takes the next datagram that arrives by now.
    pub fn pop(&mut self, now: Ticks) -> Option<T> {
        self.release(now);
        self.ready.pop_front()
    }

    /// When a datagram arrives that is held back.
    pub fn deadline(&self) -> Option<Ticks> {
        self.held.iter().map(|h| h.until).min()
    }

    fn happens(&mut self, rate: f64) -> bool {
        self.rng.random::<f64>() < rate
    }

    fn pass(&mut self, now: Ticks, datagram: T) {
        let Faults { reordering, overtaken, held_for, .. } = self.faults;
        if self.happens(reordering) {
            let until_count = self.count + u64::from(self.rng.random_range(1..=overtaken.max(1)));
            self.held.push(Held { datagram, until_count, until: now.after(held_for) });
        } else {
            self.ready.push_back(datagram);
        }
    }

    fn release(&mut self, now: Ticks) {
        let count = self.count;
        let over = self.held.extract_if(.., |h| h.until_count <= count || h.until <= now);
        self.ready.extend(over.map(|h| h.datagram));
    }
}
