//! Which chips the buses get.
//!
//! Two chips with equal `(x + 2 y) mod 32` send into the same component of the L1 network and
//! compete for the same two horizontal and eight vertical lines of every chip (topology §4.7). At
//! most seven senders per class can be broadcast to all chips and still find a switch into the
//! drivers: seven times four classes fill the 14 + 14 slots of a switch group (mapping §7.3).

use std::cmp::Reverse;
use std::collections::BTreeMap;

use hal::coord::{FpgaOnWafer, HicannOnWafer};

use crate::options::{FPGA_INPUT_HZ, MapError, MapOptions};
use crate::plan::{BusKind, Plan};

/// Senders per class of `(x + 2 y) mod 32`.
const MAX_PER_CLASS: usize = 7;

/// The largest rectangle of chips: every row spans every column, so that a trunk along any row
/// meets every column (mapping §1.1).
const COLUMNS: std::ops::RangeInclusive<usize> = 8..=27;
const ROWS: std::ops::RangeInclusive<usize> = 2..=13;

/// Buses that can be broadcast at once: chips of the rectangle with at most seven per class.
pub(crate) const MAX_BUSES: usize = places(MAX_PER_CLASS);

const fn class(x: usize, y: usize) -> usize {
    (x + 2 * y) % 32
}

/// Chips of the rectangle when each class has at most `cap`.
const fn places(cap: usize) -> usize {
    let mut count = [0; 32];
    let mut places = 0;
    let mut y = *ROWS.start();
    while y <= *ROWS.end() {
        let mut x = *COLUMNS.start();
        while x <= *COLUMNS.end() {
            let c = class(x, y);
            if count[c] < cap {
                count[c] += 1;
                places += 1;
            }
            x += 1;
        }
        y += 1;
    }
    places
}

/// The chip of each bus of the plan.
///
/// Chips near the centre of the wafer are taken first, with classes as equally used as possible.
/// Neurons follow each other column by column, and inputs are spread evenly between them, as far
/// as the FPGAs have bandwidth.
pub(crate) fn choose(plan: &Plan, options: &MapOptions) -> Result<Vec<HicannOnWafer>, MapError> {
    let n_buses = plan.buses.len();
    let cap = (1..=MAX_PER_CLASS).find(|&cap| places(cap) >= n_buses).unwrap_or(MAX_PER_CLASS);
    let mut sites = Vec::with_capacity(n_buses);
    let mut used = [0; 32];
    for hicann in by_distance_from_centre() {
        let c = class(hicann.x(), hicann.y());
        if used[c] < cap && sites.len() < n_buses {
            used[c] += 1;
            sites.push(hicann);
        }
    }
    sites.sort_by_key(|h| (h.x(), h.y()));
    seat_inputs(plan, &sites, options)
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

fn seat_inputs(
    plan: &Plan,
    sites: &[HicannOnWafer],
    options: &MapOptions,
) -> Result<Vec<HicannOnWafer>, MapError> {
    let limit_hz = options.bandwidth_utilisation * FPGA_INPUT_HZ;
    let mut load: BTreeMap<FpgaOnWafer, f64> = BTreeMap::new();
    let mut taken = vec![None; sites.len()];
    // the fastest buses choose first
    let mut inputs: Vec<(usize, f64)> = plan
        .buses
        .iter()
        .enumerate()
        .filter_map(|(bus, b)| match b.kind {
            BusKind::Inputs { rate_hz } => Some((bus, rate_hz)),
            BusKind::Neurons => None,
        })
        .collect();
    let n_inputs = inputs.len();
    let wish: BTreeMap<usize, usize> = inputs
        .iter()
        .enumerate()
        .map(|(i, &(bus, _))| (bus, (2 * i + 1) * sites.len() / (2 * n_inputs)))
        .collect();
    inputs.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut unplaced = 0;
    for (bus, rate_hz) in inputs {
        let fits = |site: usize, load: &BTreeMap<FpgaOnWafer, f64>| {
            load.get(&sites[site].fpga()).copied().unwrap_or(0.0) + rate_hz <= limit_hz
        };
        let site = (0..sites.len())
            .filter(|&s| taken[s].is_none() && fits(s, &load))
            .min_by_key(|&s| (s.abs_diff(wish[&bus]), Reverse(s)));
        match site {
            Some(site) => {
                taken[site] = Some(bus);
                *load.entry(sites[site].fpga()).or_default() += rate_hz;
            }
            None => unplaced += 1,
        }
    }
    if unplaced > 0 {
        return Err(MapError::InputBandwidth { unplaced, inputs: n_inputs, limit_hz });
    }
    let mut neurons = (0..plan.buses.len()).filter(|&bus| plan.buses[bus].kind == BusKind::Neurons);
    let mut chosen = vec![HicannOnWafer::new::<0>(); sites.len()];
    for (site, bus) in taken.into_iter().enumerate() {
        let bus = bus.or_else(|| neurons.next()).expect("as many sites as buses");
        chosen[bus] = sites[site];
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_caps_give_the_places_of_the_study() {
        // lossless-mapping, "Results": cap 6: 192 places, cap 7: 210, cap 8: 224
        assert_eq!([places(6), places(7), places(8)], [192, 210, 224]);
    }
}
