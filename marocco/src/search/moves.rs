//! The moves of the local search. Each is tried, evaluated, and kept or taken back.

use rand::RngExt as _;
use rand::rngs::ChaCha8Rng;

use super::{AIMED, Search, pick};
use crate::plan::{BusKind, Seat, Spot};

/// Loss above which the first half of a swap is hopeless: the second half rarely wins it back.
const HOPELESS: i64 = 6;

impl Search {
    /// Two neurons of one pool on different chips change places, buses and groups.
    pub(super) fn try_swap(&mut self, limit: i64, rng: &mut ChaCha8Rng) -> Option<()> {
        let here = self.losing_chip(rng);
        let one = pick(&self.plan.chips[here as usize].members, rng)?;
        let seat = self.plan.seats[one as usize]?;
        let pool = self.plan.buses[seat.bus as usize].pool;
        let there = pick(&self.chips_of[pool as usize], rng)?;
        if there == here {
            return None;
        }
        let other = pick(&self.plan.chips[there as usize].members, rng)?;
        let (spot, other_spot) = (self.plan.spots[one as usize]?, self.plan.spots[other as usize]?);
        let other_seat = self.plan.seats[other as usize]?;

        self.tables.begin();
        self.tables.move_target(one, there, other_spot.width);
        self.tables.move_target(other, here, spot.width);
        let mut change = self.tables.settle();
        let hopeless = change > limit + HOPELESS;
        if !hopeless {
            self.tables.move_source(one, seat, other_seat);
            self.tables.move_source(other, other_seat, seat);
            change = self.tables.settle();
            if change <= limit {
                self.exchange(one, other);
                return Some(());
            }
            self.tables.move_source(one, other_seat, seat);
            self.tables.move_source(other, seat, other_seat);
        }
        self.tables.move_target(one, here, spot.width);
        self.tables.move_target(other, there, other_spot.width);
        self.tables.restore();
        None
    }

    /// Two neurons take each other's circuits, bus and group.
    fn exchange(&mut self, one: u32, other: u32) {
        let (a, b) = (one as usize, other as usize);
        let [Some(Spot { chip: chip_a, .. }), Some(Spot { chip: chip_b, .. })] =
            [self.plan.spots[a], self.plan.spots[b]]
        else {
            return;
        };
        self.plan.spots.swap(a, b);
        self.plan.chips[chip_a as usize].members[self.on_chip[a] as usize] = other;
        self.plan.chips[chip_b as usize].members[self.on_chip[b] as usize] = one;
        self.on_chip.swap(a, b);
        self.exchange_seats(one, other);
    }

    /// Two members take each other's bus and group.
    fn exchange_seats(&mut self, one: u32, other: u32) {
        let (a, b) = (one as usize, other as usize);
        let [Some(seat_a), Some(seat_b)] = [self.plan.seats[a], self.plan.seats[b]] else { return };
        self.plan.seats.swap(a, b);
        self.on_bus[seat_a.bus as usize][self.in_bus[a] as usize] = other;
        self.on_bus[seat_b.bus as usize][self.in_bus[b] as usize] = one;
        self.in_bus.swap(a, b);
    }

    /// Two neurons of a chip share their columns differently: neighbours in a run pass a column
    /// on, others exchange their runs and widths.
    pub(super) fn try_widths(&mut self, limit: i64, rng: &mut ChaCha8Rng) -> Option<()> {
        let chip = self.losing_chip(rng);
        let members = &self.plan.chips[chip as usize].members;
        let (one, other) = (pick(members, rng)?, pick(members, rng)?);
        let pool = self.plan.buses[self.plan.seats[one as usize]?.bus as usize].pool;
        let bounds = self.plan.widths[pool as usize].clone()?;
        let (spot, other_spot) = (self.plan.spots[one as usize]?, self.plan.spots[other as usize]?);
        let (width, other_width) = if spot.run == other_spot.run {
            if one == other {
                return None;
            }
            (spot.width + 1, other_spot.width - 1)
        } else {
            let same_bus =
                self.plan.seats[one as usize]?.bus == self.plan.seats[other as usize]?.bus;
            if spot.width == other_spot.width || !same_bus {
                return None;
            }
            (other_spot.width, spot.width)
        };
        if !bounds.contains(&width) || !bounds.contains(&other_width) {
            return None;
        }
        self.tables.begin();
        self.tables.move_target(one, chip, width);
        self.tables.move_target(other, chip, other_width);
        if self.tables.settle() > limit {
            self.tables.move_target(one, chip, spot.width);
            self.tables.move_target(other, chip, other_spot.width);
            self.tables.restore();
            return None;
        }
        let runs = if spot.run == other_spot.run {
            (spot.run, other_spot.run)
        } else {
            (other_spot.run, spot.run)
        };
        self.plan.spots[one as usize] = Some(Spot { chip, run: runs.0, width });
        self.plan.spots[other as usize] = Some(Spot { chip, run: runs.1, width: other_width });
        Some(())
    }

    /// A member goes to a decoder group with room, or two members of a chip, or of two input buses
    /// of equal rates, exchange their seats.
    pub(super) fn try_groups(&mut self, limit: i64, rng: &mut ChaCha8Rng) -> Option<()> {
        let mut bus = rng.random_range(0..self.on_bus.len()) as u32;
        if rng.random::<f64>() < AIMED {
            let chip = self.losing_chip(rng);
            bus = self.tables.losing_bus(chip, bus as usize).unwrap_or(bus);
        }
        let one = pick(&self.on_bus[bus as usize], rng)?;
        let seat = self.plan.seats[one as usize]?;
        let group = rng.random_range(0..4_u8);
        let sizes = &self.group_sizes[bus as usize];
        let room = usize::from(sizes[usize::from(group)]) < self.group_rooms[usize::from(group)];
        if group != seat.group && room && rng.random::<bool>() {
            return self.try_group(one, seat, Seat { bus, group }, limit);
        }
        let other = pick(&self.on_bus[self.partner_bus(bus, rng) as usize], rng)?;
        let other_seat = self.plan.seats[other as usize]?;
        if other_seat == seat || !self.may_exchange(one, other) {
            return None;
        }
        self.tables.begin();
        self.tables.move_source(one, seat, other_seat);
        self.tables.move_source(other, other_seat, seat);
        if self.tables.settle() > limit {
            self.tables.move_source(one, other_seat, seat);
            self.tables.move_source(other, seat, other_seat);
            self.tables.restore();
            return None;
        }
        self.exchange_seats(one, other);
        Some(())
    }

    fn try_group(&mut self, member: u32, from: Seat, to: Seat, limit: i64) -> Option<()> {
        self.tables.begin();
        self.tables.move_source(member, from, to);
        if self.tables.settle() > limit {
            self.tables.move_source(member, to, from);
            self.tables.restore();
            return None;
        }
        let sizes = &mut self.group_sizes[from.bus as usize];
        sizes[usize::from(from.group)] -= 1;
        sizes[usize::from(to.group)] += 1;
        self.plan.seats[member as usize] = Some(to);
        Some(())
    }

    /// Neurons stay on the bus of their block; inputs may change places with those of another bus
    /// of their pool.
    fn partner_bus(&self, bus: u32, rng: &mut ChaCha8Rng) -> u32 {
        let BusKind::Inputs { .. } = self.plan.buses[bus as usize].kind else { return bus };
        let other = rng.random_range(0..self.on_bus.len()) as u32;
        let pool = |bus: u32| self.plan.buses[bus as usize].pool;
        if pool(other) == pool(bus) { other } else { bus }
    }

    fn may_exchange(&self, one: u32, other: u32) -> bool {
        let bus = |member: u32| self.plan.seats[member as usize].map(|s| s.bus);
        bus(one) == bus(other)
            || self.plan.rates_hz[one as usize] == self.plan.rates_hz[other as usize]
    }
}
