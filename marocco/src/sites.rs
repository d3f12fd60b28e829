//! Which chips of the wafer are taken.
//!
//! Two chips with equal `(x + 2 y) mod 32` send into the same component of the L1 network and
//! compete for the same two horizontal and eight vertical lines of every chip (topology §4.7). At
//! most seven senders per component can be broadcast to all chips and still find a switch into the
//! drivers: seven times four classes fill the 14 + 14 slots of a switch group (mapping §7.3). Up to
//! that number the chips are taken from the centre of the wafer; more need routes of local reach,
//! for which chips follow each other along bands of rows.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use hal::coord::{Coordinate, FpgaOnWafer, HicannOnWafer};
use hal::l1::{L1Component, L1Line};

use crate::fabric::{Fabric, Split};
use crate::mapping::Bus;
use crate::options::{FPGA_INPUT_HZ, MapError, MapOptions};

/// Senders per component that can be broadcast.
pub(crate) const MAX_PER_COMPONENT: usize = 7;

/// The largest rectangle of chips: every row spans every column, so that a trunk along any row
/// meets every column (mapping §1.1).
const COLUMNS: std::ops::RangeInclusive<usize> = 8..=27;
const ROWS: std::ops::RangeInclusive<usize> = 2..=13;

/// Rows of a band of local networks.
const BAND: usize = 4;

/// The component of the L1 network that a bus is sent into.
pub(crate) fn component(bus: Bus) -> L1Component {
    L1Line::H(bus.merger.hline()).on(bus.hicann).component()
}

/// How the buses of a plan reach their targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Every bus can be heard everywhere. Up to six senders per component leave drivers between
    /// those that take a bus from its line; seven leave none.
    Broadcast {
        /// Whether a component has seven.
        crowded: bool,
    },
    /// Too many for that: buses should be heard near their chips.
    Local,
}

/// Chips in the order in which pools should fill them.
#[derive(Debug, Clone)]
pub(crate) struct Sites {
    pub(crate) chips: Vec<HicannOnWafer>,
    pub(crate) reach: Reach,
}

/// Takes `n` chips that send on the buses of `split` each, besides the reserved ones; none if the
/// wafer has not so many.
pub(crate) fn take(
    fabric: &Fabric<'_>,
    n: usize,
    split: Split,
    reserved: &[HicannOnWafer],
) -> Option<Sites> {
    for cap in 1..=MAX_PER_COMPONENT {
        if let Some(chips) = balanced(fabric, n, split, cap, reserved) {
            let reach = Reach::Broadcast { crowded: cap == MAX_PER_COMPONENT };
            return Some(Sites { chips, reach });
        }
    }
    let mut chips: Vec<HicannOnWafer> =
        bands().filter(|h| !reserved.contains(h) && fabric.site(*h, split).is_some()).collect();
    if chips.len() < n {
        return None;
    }
    // leave out chips evenly, so that neighbours in the order stay near each other
    let spare = chips.len();
    chips = (0..n).map(|i| chips[i * spare / n]).collect();
    Some(Sites { chips, reach: Reach::Local })
}

/// The `n` chips nearest to the centre of the rectangle with at most `cap` senders per component,
/// reserved chips counted.
fn balanced(
    fabric: &Fabric<'_>,
    n: usize,
    split: Split,
    cap: usize,
    reserved: &[HicannOnWafer],
) -> Option<Vec<HicannOnWafer>> {
    let components = |hicann: HicannOnWafer| -> Vec<usize> {
        (0..split.buses())
            .map(|bus| component(Bus { hicann, merger: split.merger(bus) }).index())
            .collect()
    };
    let mut used = [0usize; L1Component::SIZE];
    for &hicann in reserved {
        for c in components(hicann) {
            used[c] += 1;
        }
    }
    let mut chips = Vec::with_capacity(n);
    for hicann in by_distance_from_centre() {
        if chips.len() == n {
            break;
        }
        let components = components(hicann);
        let free = components.iter().all(|&c| used[c] < cap) && !reserved.contains(&hicann);
        if free && fabric.site(hicann, split).is_some() {
            for c in components {
                used[c] += 1;
            }
            chips.push(hicann);
        }
    }
    chips.sort_by_key(|h| (h.x(), h.y()));
    (chips.len() == n).then_some(chips)
}

fn by_distance_from_centre() -> Vec<HicannOnWafer> {
    let mut chips: Vec<HicannOnWafer> =
        ROWS.flat_map(|y| COLUMNS.filter_map(move |x| HicannOnWafer::at(x, y))).collect();
    // twice the distance from (17.5, 7.5), to stay in whole numbers
    let distance = |h: &HicannOnWafer| {
        let (dx, dy) = ((2 * h.x()).abs_diff(35), (2 * h.y()).abs_diff(15));
        dx * dx + dy * dy
    };
    chips.sort_by_key(|h| (distance(h), *h));
    chips
}

/// All chips along bands of rows, forth and back, down and up the columns of a band: chips that
/// follow each other are neighbours, and so are most that are a few places apart.
fn bands() -> impl Iterator<Item = HicannOnWafer> {
    const WIDTH: usize = 36;
    (0..16 / BAND).flat_map(|band| {
        (0..WIDTH).flat_map(move |i| {
            let x = if band % 2 == 0 { i } else { WIDTH - 1 - i };
            (0..BAND).filter_map(move |j| {
                let y = BAND * band + if i % 2 == 0 { j } else { BAND - 1 - j };
                HicannOnWafer::at(x, y)
            })
        })
    })
}

/// Chips of external inputs and of neurons.
#[derive(Debug)]
pub(crate) struct Seating {
    /// In the order of the buses.
    pub(crate) inputs: Vec<HicannOnWafer>,
    /// The rest, in order.
    pub(crate) neurons: Vec<HicannOnWafer>,
}

/// Spreads the buses of inputs, given by their rates in events per hardware second, evenly over
/// the chips, as far as the FPGAs have bandwidth beyond the load that is there (mapping §1.8).
pub(crate) fn seat_inputs(
    fabric: &Fabric<'_>,
    sites: &Sites,
    rates_hz: &[f64],
    load: BTreeMap<FpgaOnWafer, f64>,
    options: &MapOptions,
) -> Result<Seating, MapError> {
    let limit_hz = options.bandwidth_utilisation * FPGA_INPUT_HZ;
    let chips = &sites.chips;
    let mut load = load;
    let mut taken = vec![None; chips.len()];
    let n_inputs = rates_hz.len();
    // the fastest buses choose first
    let mut order: Vec<usize> = (0..n_inputs).collect();
    order.sort_by(|&a, &b| rates_hz[b].total_cmp(&rates_hz[a]).then(a.cmp(&b)));
    let open: Vec<bool> = chips.iter().map(|&h| fabric.takes_inputs(h)).collect();
    let mut unplaced = 0;
    for bus in order {
        let wish = (2 * bus + 1) * chips.len() / (2 * n_inputs);
        let fits = |chip: usize, load: &BTreeMap<FpgaOnWafer, f64>| {
            load.get(&chips[chip].fpga()).copied().unwrap_or(0.0) + rates_hz[bus] <= limit_hz
        };
        let chip = (0..chips.len())
            .filter(|&c| open[c] && taken[c].is_none() && fits(c, &load))
            .min_by_key(|&c| (c.abs_diff(wish), Reverse(c)));
        match chip {
            Some(chip) => {
                taken[chip] = Some(bus);
                *load.entry(chips[chip].fpga()).or_default() += rates_hz[bus];
            }
            None => unplaced += 1,
        }
    }
    if unplaced > 0 {
        return Err(MapError::InputBandwidth { unplaced, inputs: n_inputs, limit_hz });
    }
    let mut seating = Seating { inputs: Vec::new(), neurons: Vec::new() };
    let mut seated = vec![None; n_inputs];
    for (&hicann, bus) in chips.iter().zip(taken) {
        match bus {
            Some(bus) => seated[bus] = Some(hicann),
            None => seating.neurons.push(hicann),
        }
    }
    seating.inputs = seated.into_iter().flatten().collect();
    Ok(seating)
}

#[cfg(test)]
mod tests {
    use hal::defects::Defects;

    use super::*;

    #[test]
    fn caps_give_the_places_of_the_study() {
        // lossless-mapping, "Results": cap 6: 192 places, cap 7: 210
        let defects = Defects::default();
        let fabric = Fabric::new(&defects, &[]);
        for (cap, places) in [(6, 192), (7, 210)] {
            assert!(balanced(&fabric, places, Split::One, cap, &[]).is_some());
            assert!(balanced(&fabric, places + 1, Split::One, cap, &[]).is_none());
        }
    }

    #[test]
    fn bands_visit_every_chip_once() {
        let mut chips: Vec<HicannOnWafer> = bands().collect();
        chips.sort_unstable();
        assert_eq!(chips, HicannOnWafer::all().collect::<Vec<_>>());
    }
}
