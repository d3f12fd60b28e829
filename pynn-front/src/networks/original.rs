//! Random connections as the C++ library of the original draws them, word by word, so that its
//! benchmarks can be drawn anew (mapping §5).
//!
//! It draws from the Mersenne Twister through the algorithms of libstdc++. Probabilities use the
//! user's seed. Fixed numbers of sources use a generator that is always seeded alike: the seed
//! that a user gives has no effect, and two projections from one population pick the same sources.

use rand_mt::Mt;

/// Seed of every C++ generator that is not given one.
const DEFAULT_SEED: u32 = 5489;

/// `std::uniform_real_distribution<double>(0, 1)`.
fn unit(words: &mut Mt) -> f64 {
    let (low, high) = (f64::from(words.next_u32()), f64::from(words.next_u32()));
    (low + high * 4_294_967_296.0) / 18_446_744_073_709_551_616.0
}

/// `std::uniform_int_distribution<>(0, below - 1)` for `below > 0`: the upper half of a product, with
/// rejection.
fn below(words: &mut Mt, below: u32) -> u32 {
    let mut product = u64::from(words.next_u32()) * u64::from(below);
    if (product as u32) < below {
        let threshold = below.wrapping_neg() % below;
        while (product as u32) < threshold {
            product = u64::from(words.next_u32()) * u64::from(below);
        }
    }
    (product >> 32) as u32
}

/// `std::shuffle` of up to 65,535 items, which takes two positions from one number.
fn shuffle(items: &mut [u32], words: &mut Mt) {
    let n = items.len();
    let mut next = 1;
    if n > 0 && n % 2 == 0 {
        let other = below(words, 2) as usize;
        items.swap(next, other);
        next += 1;
    }
    while next < n {
        let range = next as u32 + 1;
        let both = below(words, range * (range + 1));
        items.swap(next, (both / (range + 1)) as usize);
        items.swap(next + 1, (both % (range + 1)) as usize);
        next += 2;
    }
}

/// Pairs (pre, post) of a population of `n` with itself, each with probability `p`, autapses too;
/// source by source.
pub(super) fn fixed_probability(n: u32, p: f64, seed: u32) -> Vec<(u32, u32)> {
    let mut words = Mt::new(seed);
    let pairs = (0..n).flat_map(|pre| (0..n).map(move |post| (pre, post)));
    pairs.filter(|_| p > unit(&mut words)).collect()
}

/// The sources of the targets of a projection, drawn without replacement target by target.
#[derive(Debug)]
pub(super) struct FixedNumber {
    words: Mt,
    sources: u32,
}

impl FixedNumber {
    /// A population of up to 65,535 sources.
    pub(super) fn new(sources: u32) -> Self {
        Self { words: Mt::new(DEFAULT_SEED), sources }
    }

    /// `number` sources of the next target, fewer if there are not as many; never the source
    /// `except`.
    pub(super) fn draw(&mut self, number: usize, except: Option<u32>) -> Vec<u32> {
        let mut all: Vec<u32> = (0..self.sources).collect();
        shuffle(&mut all, &mut self.words);
        all.retain(|&source| Some(source) != except);
        all.truncate(number);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffles_equal_libstdcxx() {
        let first = |n, number| {
            let mut sources = FixedNumber::new(n);
            [sources.draw(number, None), sources.draw(number, None)]
        };
        assert_eq!(
            first(10, 10),
            [vec![2, 9, 0, 5, 4, 6, 7, 1, 3, 8], vec![5, 4, 8, 7, 6, 0, 1, 9, 3, 2]]
        );
        assert_eq!(first(100, 10)[0], [62, 21, 27, 85, 4, 50, 40, 66, 60, 81]);
        assert_eq!(first(500, 10)[0], [206, 21, 488, 311, 392, 455, 325, 113, 170, 81]);
    }

    #[test]
    fn odd_numbers_are_shuffled_too() {
        for n in [0, 1, 2, 3, 7, 33] {
            let mut drawn = FixedNumber::new(n).draw(100, None);
            drawn.sort_unstable();
            assert_eq!(drawn, (0..n).collect::<Vec<_>>());
        }
        assert_eq!(FixedNumber::new(10).draw(9, Some(2)), [9, 0, 5, 4, 6, 7, 1, 3, 8]);
    }

    #[test]
    fn probabilities_equal_libstdcxx() {
        let row = |p| -> Vec<u32> {
            let pairs = fixed_probability(100, p, 42);
            pairs.iter().filter(|(pre, _)| *pre == 0).map(|(_, post)| *post).take(6).collect()
        };
        assert_eq!(row(0.1), [5, 10, 13, 17, 18, 21]);
        assert_eq!(row(0.3), [1, 5, 8, 10, 13, 17]);
    }
}
