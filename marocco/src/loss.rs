//! Synapses lost as a function of half rows and drivers: the arithmetic of the ideal-L1 model
//! (mapping §7.2, lossless-mapping "Model").
//!
//! A neuron of width `w` gets at most `h w / 2` synapses of one decoder group through `h` half
//! rows. What exceeds that is lost. Summed over the neurons of a chip this is a vector over `h`;
//! the vectors of the groups of a bus are joined to the least loss with 0 to 3 drivers; and the
//! buses of a chip share its drivers, of which a price per driver takes care.

/// Drivers per bus that the model counts on: the default chain.
pub(crate) const MODEL_CHAIN: usize = 3;
/// Half rows of that many drivers.
const HALVES: usize = 4 * MODEL_CHAIN;
/// Prices per driver at which a chip's loss is bounded, in synapses: every one where chips run out
/// of drivers with little loss, coarser beyond.
const PRICES: [i32; 32] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 22, 25, 29, 34, 40, 50,
    65, 85, 120, 200, 400, 800,
];

/// Synapses lost with 0..=12 half rows; the rest of the 16 entries repeats the pattern for the
/// vector units.
pub(crate) type HalfRowLoss = [u16; 16];
/// Synapses lost with 0..=3 drivers.
pub(crate) type DriverLoss = [u16; MODEL_CHAIN + 1];
/// Sum over buses of the least loss plus price, by price.
pub(crate) type Priced = [i32; PRICES.len()];

/// Synapses of one group that half rows give to a neuron, by width and number of half rows. Half
/// rows are split over the parities as evenly as possible, so the value holds for either parity of
/// the first column.
static CAPACITY: [[u16; 16]; 33] = capacities();

const fn capacities() -> [[u16; 16]; 33] {
    let mut table = [[0; 16]; 33];
    let mut width = 0;
    while width < 33 {
        let mut halves = 0;
        while halves < 16 {
            table[width][halves] = (halves * width / 2) as u16;
            halves += 1;
        }
        width += 1;
    }
    table
}

/// Adds the loss of a neuron with `count` synapses from a group.
pub(crate) fn add(loss: &mut HalfRowLoss, count: u16, width: u8) {
    let capacity = &CAPACITY[usize::from(width)];
    for (sum, capacity) in loss.iter_mut().zip(capacity) {
        *sum = sum.saturating_add(count.saturating_sub(*capacity));
    }
}

/// Takes back the loss of a neuron, which was added before.
pub(crate) fn subtract(loss: &mut HalfRowLoss, count: u16, width: u8) {
    let capacity = &CAPACITY[usize::from(width)];
    for (sum, capacity) in loss.iter_mut().zip(capacity) {
        *sum = sum.wrapping_sub(count.saturating_sub(*capacity));
    }
}

/// Least loss when half rows are split over two groups.
fn join(a: &HalfRowLoss, b: &HalfRowLoss) -> HalfRowLoss {
    if a[0] == 0 {
        return *b;
    }
    if b[0] == 0 {
        return *a;
    }
    // b behind a wall of losses that no minimum takes
    let mut shifted = [u16::MAX; 32];
    shifted[16..].copy_from_slice(b);
    let mut least = [u16::MAX; 16];
    for halves in 0..=HALVES {
        let window = &shifted[16 - halves..32 - halves];
        for (least, &b) in least.iter_mut().zip(window) {
            *least = (*least).min(b.saturating_add(a[halves]));
        }
        if a[halves] == 0 {
            break;
        }
    }
    least
}

/// Least loss of a bus with 0..=3 drivers, at most `chain`. Its groups come receptor by receptor:
/// four vectors for a bus that acts on one receptor, eight for one that acts on both.
pub(crate) fn of_bus(groups: &[HalfRowLoss], chain: usize) -> DriverLoss {
    let receptor =
        |groups: &[HalfRowLoss]| join(&join(&groups[0], &groups[1]), &join(&groups[2], &groups[3]));
    let mut loss = [0; MODEL_CHAIN + 1];
    let excitatory = receptor(&groups[..4]);
    if groups.len() == 4 {
        for (drivers, loss) in loss.iter_mut().enumerate() {
            *loss = excitatory[4 * drivers.min(chain)];
        }
        return loss;
    }
    let inhibitory = receptor(&groups[4..]);
    for (drivers, loss) in loss.iter_mut().enumerate() {
        let rows = 2 * drivers.min(chain);
        *loss = (0..=rows)
            .map(|r| excitatory[2 * r].saturating_add(inhibitory[2 * (rows - r)]))
            .min()
            .unwrap_or(0);
    }
    loss
}

/// Adds a bus to the priced sums of its chip.
pub(crate) fn add_priced(priced: &mut Priced, loss: DriverLoss) {
    for (sum, price) in priced.iter_mut().zip(PRICES) {
        *sum += least_at(loss, price);
    }
}

/// Takes a bus out of the priced sums of its chip.
pub(crate) fn subtract_priced(priced: &mut Priced, loss: DriverLoss) {
    for (sum, price) in priced.iter_mut().zip(PRICES) {
        *sum -= least_at(loss, price);
    }
}

fn least_at(loss: DriverLoss, price: i32) -> i32 {
    let [none, one, two, three] = loss.map(i32::from);
    none.min(one + price).min((two + 2 * price).min(three + 3 * price))
}

/// Loss of a chip with `drivers` drivers: the best bound over the prices. It never exceeds the
/// exact minimum, and where the losses of the buses are convex and small it is that minimum.
pub(crate) fn of_chip(priced: &Priced, drivers: usize) -> i32 {
    let drivers = drivers as i32;
    let bound = |(sum, price): (&i32, i32)| sum - drivers * price;
    priced.iter().zip(PRICES).map(bound).max().unwrap_or(0).max(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Least loss over all splits of half rows, by trying them.
    fn brute_force(groups: &[HalfRowLoss], rows: usize) -> u16 {
        fn split(groups: &[HalfRowLoss], halves: usize) -> u16 {
            let Some((first, rest)) = groups.split_first() else { return 0 };
            (0..=halves).map(|h| first[h] + split(rest, halves - h)).min().unwrap()
        }
        if groups.len() == 4 {
            return split(groups, 2 * rows);
        }
        (0..=rows)
            .map(|r| split(&groups[..4], 2 * r) + split(&groups[4..], 2 * (rows - r)))
            .min()
            .unwrap()
    }

    proptest! {
        #[test]
        fn the_loss_of_a_bus_is_the_best_split(
            neurons in proptest::collection::vec(
                (1u8..9, proptest::array::uniform8(0u16..6)), 1..8),
            receptors in 1usize..=2,
            chain in 1usize..=3,
        ) {
            let mut groups = vec![[0; 16]; 4 * receptors];
            for (width, counts) in &neurons {
                for (group, &count) in groups.iter_mut().zip(counts) {
                    add(group, count, *width);
                }
            }
            let loss = of_bus(&groups, chain);
            for (drivers, &loss) in loss.iter().enumerate() {
                prop_assert_eq!(loss, brute_force(&groups, 2 * drivers.min(chain)));
            }
            for (width, counts) in &neurons {
                for (group, &count) in groups.iter_mut().zip(counts) {
                    subtract(group, count, *width);
                }
            }
            prop_assert!(groups.iter().all(|g| *g == [0; 16]));
        }

        #[test]
        fn prices_never_claim_too_little_loss_is_possible(
            gains in proptest::collection::vec(proptest::array::uniform3(0u16..20), 1..20),
            drivers in 0usize..30,
        ) {
            let losses: Vec<DriverLoss> = gains
                .iter()
                .map(|&[a, b, c]| [a + b + c, b + c, c, 0])
                .collect();
            let mut priced = [0; PRICES.len()];
            for loss in &losses {
                add_priced(&mut priced, *loss);
            }
            // exact: a knapsack over the buses
            let mut least = vec![0i32; drivers + 1];
            for loss in &losses {
                least = (0..=drivers)
                    .map(|n| (0..=n.min(3)).map(|d| least[n - d] + i32::from(loss[d])).min().unwrap())
                    .collect();
            }
            let bound = of_chip(&priced, drivers);
            prop_assert!(bound <= least[drivers], "{} > {}", bound, least[drivers]);
            let convex = gains.iter().all(|g| g[0] >= g[1] && g[1] >= g[2]);
            prop_assert!(!convex || bound == least[drivers]);
            for loss in &losses {
                subtract_priced(&mut priced, *loss);
            }
            prop_assert_eq!(priced, [0; PRICES.len()]);
        }
    }
}
