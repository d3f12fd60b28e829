//! Random numbers as numpy's legacy generator draws them, so that a network drawn here equals the
//! one that a Python script draws from the same seed (frontend §1.11, mapping §5).

use rand_mt::Mt;

/// `numpy.random.RandomState(seed)`: the Mersenne Twister MT19937 with numpy's recipes.
#[derive(Debug, Clone)]
pub struct NumpyRandom {
    words: Mt,
}

impl NumpyRandom {
    /// The generator that numpy makes from this seed.
    pub fn new(seed: u32) -> Self {
        Self { words: Mt::new(seed) }
    }

    /// `randint(0, below)`: masked rejection, one 32-bit word per trial. 0 if `below` is 0 or 1;
    /// then no word is drawn.
    pub fn below(&mut self, below: u32) -> u32 {
        let Some(largest) = below.checked_sub(1).filter(|&n| n > 0) else { return 0 };
        let mask = u32::MAX >> largest.leading_zeros();
        loop {
            let value = self.words.next_u32() & mask;
            if value <= largest {
                return value;
            }
        }
    }

    /// `random_sample()`: 53 bits from two words, in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        let (high, low) = (self.words.next_u32() >> 5, self.words.next_u32() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_equal_numpy() {
        // numpy.random.RandomState(1234).randint(0, 1666, 10)
        let mut random = NumpyRandom::new(1234);
        let drawn: Vec<u32> = (0..10).map(|_| random.below(1666)).collect();
        assert_eq!(drawn, [815, 723, 1318, 1077, 1228, 1396, 664, 689, 279, 1257]);
    }

    #[test]
    fn reals_equal_numpy() {
        // numpy.random.RandomState(1234).random_sample()
        assert_eq!(NumpyRandom::new(1234).unit(), 0.1915194503788923);
    }

    #[test]
    fn a_range_of_one_needs_no_word() {
        let mut random = NumpyRandom::new(1);
        assert_eq!((random.below(0), random.below(1)), (0, 0));
        assert_eq!(random.unit(), NumpyRandom::new(1).unit());
    }
}
