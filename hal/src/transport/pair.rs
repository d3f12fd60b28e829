//! The driver for two machines in one process, with a time of its own.

use super::{Arq, Faults, FaultyLine, Ticks};

/// Two machines and the line between them. Time passes in [`step`](Self::step) only, from
/// deadline to deadline, so that a second takes no second.
#[derive(Debug)]
pub struct Pair<M: Arq> {
    /// One end.
    pub left: M,
    /// The other end.
    pub right: M,
    /// The time.
    pub now: Ticks,
    to_right: FaultyLine<M::Datagram>,
    to_left: FaultyLine<M::Datagram>,
}

impl<M: Arq> Pair<M> {
    /// Joins two machines.
    pub fn new(left: M, right: M, faults: Faults) -> Self {
        let (to_right, to_left) = (FaultyLine::new(faults, 0), FaultyLine::new(faults, 1));
        Self { left, right, now: Ticks(0), to_right, to_left }
    }

    /// Cuts the line, or mends it: other faults from now on. What is under way is lost.
    pub fn set_faults(&mut self, faults: Faults) {
        self.to_right = FaultyLine::new(faults, 0);
        self.to_left = FaultyLine::new(faults, 1);
    }

    /// Moves everything that moves now, then lets time pass until the next deadline. False if
    /// there is none: nothing will happen any more.
    pub fn step(&mut self) -> bool {
        let now = self.now;
        while self.exchange() {}
        let deadlines = [
            self.left.deadline(),
            self.right.deadline(),
            self.to_left.deadline(),
            self.to_right.deadline(),
        ];
        let Some(next) = deadlines.into_iter().flatten().min() else { return false };
        // a deadline that has passed without effect must not stop the clock
        self.now = next.max(now.after(1));
        true
    }

    /// One round of datagrams; false if there were none.
    fn exchange(&mut self) -> bool {
        let now = self.now;
        let mut moved = false;
        while let Some(datagram) = self.left.transmit(now) {
            self.to_right.push(now, datagram);
        }
        while let Some(datagram) = self.to_right.pop(now) {
            self.right.receive(now, &datagram);
            moved = true;
        }
        while let Some(datagram) = self.right.transmit(now) {
            self.to_left.push(now, datagram);
        }
        while let Some(datagram) = self.to_left.pop(now) {
            self.left.receive(now, &datagram);
            moved = true;
        }
        moved
    }
}
