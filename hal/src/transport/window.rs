//! Sliding windows: which sequence numbers are under way, what has to be sent again, what is
//! delivered (hal-config §4.1, §4.4).
//!
//! Sequence numbers count modulo a small number. A number from an earlier round is told from one
//! of this round by its distance to the window only. On a line that keeps the order it is enough
//! that the modulus is twice the window. On a line that reorders fewer frames `n` may be under
//! way: a frame of the last round is taken for a new one unless `n + overtaken <= modulus - window`,
//! and an acknowledgement unless `(overtaken + 1) n < modulus`, where `overtaken` is the number of
//! later datagrams that may overtake one.

use std::collections::VecDeque;

use super::Ticks;

/// `number + n` modulo `modulus`.
const fn forward(number: u32, n: u32, modulus: u32) -> u32 {
    (number + n) % modulus
}

/// How far `to` lies behind `from` modulo `modulus`; both below the modulus.
const fn distance(from: u32, to: u32, modulus: u32) -> u32 {
    (to + modulus - from) % modulus
}

/// How a sender behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendRules {
    /// Number of sequence numbers, 2..=2^16.
    pub modulus: u32,
    /// Most payloads under way, at most half of `modulus`.
    pub in_flight: u32,
    /// Ticks until a payload is sent again.
    pub resend_after: u64,
}

/// Payloads that were sent and not yet acknowledged.
#[derive(Debug)]
pub struct SendWindow<T> {
    rules: SendRules,
    low: u32,
    flights: VecDeque<Flight<T>>,
    next_scan: Ticks,
    progress: Ticks,
}

#[derive(Debug)]
struct Flight<T> {
    payload: T,
    first_sent: Ticks,
    sent: u64,
    is_due: bool,
}

impl<T> SendWindow<T> {
    /// An empty window; the first payload gets number 0.
    pub fn new(rules: SendRules) -> Self {
        Self::starting_at(rules, 0)
    }

    /// An empty window; the first payload gets number `low` (modulo the modulus).
    pub fn starting_at(rules: SendRules, low: u32) -> Self {
        let low = low % rules.modulus;
        let (next_scan, progress) = (Ticks(0), Ticks(0));
        Self { rules, low, flights: VecDeque::new(), next_scan, progress }
    }

    /// Number of the oldest payload that is not acknowledged.
    pub fn low(&self) -> u32 {
        self.low
    }

    /// How many payloads are not acknowledged.
    pub fn len(&self) -> usize {
        self.flights.len()
    }

    /// Whether everything is acknowledged.
    pub fn is_empty(&self) -> bool {
        self.flights.is_empty()
    }

    /// Whether one more payload may be sent.
    pub fn has_room(&self) -> bool {
        self.flights.len() < self.rules.in_flight as usize
    }

    /// Adds a payload, to be sent at once. To be called only if there is [room](Self::has_room).
    pub fn push(&mut self, now: Ticks, payload: T) {
        debug_assert!(self.has_room());
        if self.is_empty() {
            self.next_scan = now.after(self.rules.resend_after);
            self.progress = now;
        }
        self.flights.push_back(Flight { payload, first_sent: now, sent: 0, is_due: true });
    }

    /// Takes note that everything up to the number `ack` has arrived. A number outside of the
    /// window is old or nonsense and changes nothing.
    pub fn acknowledge(&mut self, now: Ticks, ack: u32) {
        let SendRules { modulus, .. } = self.rules;
        if ack >= modulus {
            return;
        }
        let known = distance(self.low, ack, modulus) as usize;
        if known < self.flights.len() {
            self.flights.drain(..=known);
            self.low = forward(ack, 1, modulus);
            self.progress = now;
        }
    }

    /// The next payload to send now, with its number.
    ///
    /// Every `resend_after` ticks all payloads are looked at, and one is sent for the `n`-th time
    /// if `n - 1` such intervals have passed since its first time: no back-off.
    pub fn transmit(&mut self, now: Ticks) -> Option<(u32, &T)> {
        let SendRules { modulus, resend_after, .. } = self.rules;
        if !self.is_empty() && now >= self.next_scan {
            for flight in &mut self.flights {
                flight.is_due |= now.since(flight.first_sent) / resend_after.max(1) >= flight.sent;
            }
            self.next_scan = now.after(resend_after);
        }
        let position = self.flights.iter().position(|f| f.is_due)?;
        let flight = &mut self.flights[position];
        flight.is_due = false;
        flight.sent += 1;
        Some((forward(self.low, position as u32, modulus), &flight.payload))
    }

    /// When payloads are looked at again.
    pub fn deadline(&self) -> Option<Ticks> {
        (!self.is_empty()).then_some(self.next_scan)
    }

    /// Ticks since the last progress; 0 if nothing is under way.
    pub fn stalled(&self, now: Ticks) -> u64 {
        if self.is_empty() { 0 } else { now.since(self.progress) }
    }

    /// Forgets everything under way.
    pub fn clear(&mut self) {
        self.low = forward(self.low, self.flights.len() as u32, self.rules.modulus);
        self.flights.clear();
    }
}

/// Payloads that came out of order and wait for those before them.
#[derive(Debug)]
pub struct ReceiveWindow<T> {
    modulus: u32,
    low: u32,
    slots: VecDeque<Option<T>>,
}

impl<T> ReceiveWindow<T> {
    /// An empty window of `size` numbers modulo `modulus`; number 0 is expected first.
    pub fn new(modulus: u32, size: u32) -> Self {
        let slots = (0..size).map(|_| None).collect();
        Self { modulus, low: 0, slots }
    }

    /// Takes a payload. It is dropped if it is known already or lies outside of the window.
    pub fn accept(&mut self, number: u32, payload: T) {
        if number >= self.modulus {
            return;
        }
        let position = distance(self.low, number, self.modulus) as usize;
        if let Some(slot) = self.slots.get_mut(position) {
            slot.get_or_insert(payload);
        }
    }

    /// The next payload in order.
    pub fn pop(&mut self) -> Option<T> {
        let payload = self.slots.front_mut()?.take()?;
        self.slots.rotate_left(1);
        self.low = forward(self.low, 1, self.modulus);
        Some(payload)
    }

    /// The last number in order that was popped: what to acknowledge. Before the first payload it
    /// is the largest number.
    pub fn acknowledgement(&self) -> u32 {
        forward(self.low, self.modulus - 1, self.modulus)
    }
}
