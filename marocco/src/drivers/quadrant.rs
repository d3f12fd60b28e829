//! Best chain lengths in one quadrant for given primaries: a dynamic programme from north to south.

/// How far a chain extends from its primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Chain {
    /// Drivers north of the primary.
    pub(super) before: u8,
    /// Drivers south of the primary.
    pub(super) after: u8,
}

/// Drivers of a quadrant.
const LENGTH: usize = 56;
/// Longest extension to one side that options may ask for.
const MAX_REACH: usize = crate::demand::MAX_CHAIN;

/// Best choice for one primary that extends by `after` to the south.
#[derive(Clone, Copy)]
struct Choice {
    realised: u32,
    before: u8,
    /// `after` of the primary north of it.
    previous: u8,
}

/// The most synapses that chains around these primaries realise, and the chains.
///
/// Primaries come as position (below `length`, at most 56, strictly ascending) and synapses
/// realised with 0, 1, ... drivers; the length of that table limits the chain. Among equal results
/// the shortest chains are taken.
pub(super) fn best_chains<'a>(
    length: usize,
    primaries: impl Iterator<Item = (u8, &'a [u32])>,
) -> (u32, Vec<Chain>) {
    let mut tables: [[Option<Choice>; MAX_REACH]; LENGTH] = [[None; MAX_REACH]; LENGTH];
    let mut n = 0;
    let mut previous_slot: Option<u8> = None;
    let mut iter = primaries.peekable();
    while let Some((slot, realised)) = iter.next() {
        let longest = realised.len() - 1;
        let room_after = match iter.peek() {
            Some(&(next, _)) => next - slot - 1,
            None => length as u8 - 1 - slot,
        };
        let gap_before = previous_slot.map_or(slot, |p| slot - p - 1);
        for after in 0..longest.min(room_after as usize + 1) {
            let mut best: Option<Choice> = None;
            for before in 0..(longest - after).min(gap_before as usize + 1) {
                let here = realised[before + after + 1];
                // the northern neighbour may use what this chain leaves of the gap
                let north = if n == 0 {
                    Some((0, 0))
                } else {
                    let left = gap_before as usize - before;
                    (0..MAX_REACH.min(left + 1))
                        .filter_map(|c| tables[n - 1][c].map(|t| (t.realised, c as u8)))
                        .max_by_key(|&(realised, c)| (realised, std::cmp::Reverse(c)))
                };
                if let Some((sum, previous)) = north
                    && best.is_none_or(|b| sum + here > b.realised)
                {
                    best = Some(Choice { realised: sum + here, before: before as u8, previous });
                }
            }
            tables[n][after] = best;
        }
        previous_slot = Some(slot);
        n += 1;
    }
    let last = (0..MAX_REACH)
        .filter_map(|c| tables[n.checked_sub(1)?][c].map(|t| (t.realised, c)))
        .max_by_key(|&(realised, c)| (realised, std::cmp::Reverse(c)));
    let Some((realised, mut after)) = last else { return (0, Vec::new()) };
    let mut chains = vec![Chain::default(); n];
    for i in (0..n).rev() {
        let choice = tables[i][after].expect("the path runs over choices that exist");
        chains[i] = Chain { before: choice.before, after: after as u8 };
        after = choice.previous as usize;
    }
    (realised, chains)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All combinations of chains, by brute force.
    fn brute_force(primaries: &[(u8, Vec<u32>)]) -> u32 {
        fn go(primaries: &[(u8, Vec<u32>)], first_free: i32) -> u32 {
            let Some(((slot, realised), rest)) = primaries.split_first() else { return 0 };
            let slot = i32::from(*slot);
            let next = rest.first().map_or(56, |p| i32::from(p.0));
            let longest = realised.len() as i32 - 1;
            let mut best = 0;
            for before in 0..longest {
                for after in 0..longest - before {
                    if slot - before >= first_free && slot + after < next {
                        let here = realised[(before + after + 1) as usize];
                        best = best.max(here + go(rest, slot + after + 1));
                    }
                }
            }
            best
        }
        go(primaries, 0)
    }

    proptest! {
        #[test]
        fn chains_are_disjoint_and_optimal(
            slots in proptest::collection::btree_set(0u8..14, 1..6),
            gains in proptest::collection::vec(proptest::collection::vec(0u32..9, 3), 6),
        ) {
            let primaries: Vec<(u8, Vec<u32>)> = slots
                .iter()
                .zip(&gains)
                .map(|(&slot, gains)| {
                    let mut realised = vec![0];
                    for gain in gains {
                        realised.push(realised[realised.len() - 1] + gain);
                    }
                    (slot, realised)
                })
                .collect();
            let (realised, chains) =
                best_chains(LENGTH, primaries.iter().map(|(s, r)| (*s, r.as_slice())));
            prop_assert_eq!(realised, brute_force(&primaries));
            let mut first_free = 0;
            let mut sum = 0;
            for ((slot, realised), chain) in primaries.iter().zip(&chains) {
                prop_assert!(slot - chain.before >= first_free);
                first_free = slot + chain.after + 1;
                prop_assert!(first_free <= 56);
                sum += realised[(chain.before + chain.after + 1) as usize];
            }
            prop_assert_eq!(sum, realised);
        }
    }
}
