//! Background generators: the events that keep L1 receivers locked (topology §5.6).
//!
//! They run on the chip clock of 125 MHz and start with the run. Synapses that answer to their
//! address receive them; they are not sent to the FPGA, which filters them out.

use hal::config::{BackgroundGenerator, WaferConfig};
use hal::coord::{BackgroundGeneratorOnHicann, L1Address};
use hal::wafer::DncCycles;

use crate::connectivity::{Bus, BusAddress, buses};
use crate::flaws::Flaws;

/// DNC cycles of 4 ns per cycle of the chip clock.
const CYCLES_PER_CLOCK: u64 = 2;

/// One generator; `next_clock` iterates over the chip clocks at which it fires.
#[derive(Debug, Clone)]
struct Generator {
    settings: BackgroundGenerator,
    clock: u64,
    register: u16,
}

impl Generator {
    fn new(settings: BackgroundGenerator) -> Self {
        Self { settings, clock: 0, register: settings.seed }
    }

    /// The next clock at which it fires; never for a random generator whose threshold its shift
    /// register cannot exceed.
    fn next_clock(&mut self) -> Option<u64> {
        if !self.settings.random {
            self.clock += u64::from(self.settings.period) + 1;
            return Some(self.clock);
        }
        // every value of the register comes once in 65535 clocks
        for _ in 0..=2 * u32::from(u16::MAX) {
            let before = self.register;
            self.register = shift(before);
            self.clock += 1;
            if self.register > self.settings.period && before <= self.settings.period {
                return Some(self.clock);
            }
        }
        None
    }
}

/// One clock of the 16-bit shift register with feedback of bits 15, 13, 12 and 10.
const fn shift(register: u16) -> u16 {
    let bit = (register >> 15 ^ register >> 13 ^ register >> 12 ^ register >> 10) & 1;
    register << 1 | bit
}

/// A generator and the buses that its events come to.
#[derive(Debug, Clone)]
struct Feeding {
    generator: Generator,
    next: Option<DncCycles>,
    place: Place,
}

/// Where the events of a generator come from and go to.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) generator: BackgroundGeneratorOnHicann,
    /// The buses, all with the address of the events.
    pub(crate) buses: Vec<BusAddress>,
}

/// The generators whose events come to a bus.
#[derive(Debug, Clone)]
pub(crate) struct Generators(Vec<Feeding>);

impl Generators {
    /// The generators that send; those with the address of locking events do if `locking` is set.
    pub(crate) fn new(config: &WaferConfig, flaws: &Flaws<'_>, locking: bool) -> Self {
        let mut all = Vec::new();
        for (&hicann, chip) in &config.hicanns {
            let buses = buses(hicann, chip, flaws);
            for (generator, &settings) in chip.mergers.background.iter() {
                let address = Bus::generator_address(chip, generator);
                if address == L1Address::BACKGROUND && !locking {
                    continue;
                }
                let feeds = |b: &&Bus| b.generators.contains(&generator);
                let buses: Vec<_> = buses.iter().filter(feeds).map(|b| b.at(address)).collect();
                if !buses.is_empty() {
                    let place = Place { generator, buses };
                    let mut feeding =
                        Feeding { generator: Generator::new(settings), next: None, place };
                    feeding.step();
                    all.push(feeding);
                }
            }
        }
        Self(all)
    }

    /// How far each of them is: clock, shift register, next event.
    pub(crate) fn state(&self) -> Vec<(u64, u16, Option<DncCycles>)> {
        let state = |f: &Feeding| (f.generator.clock, f.generator.register, f.next);
        self.0.iter().map(state).collect()
    }

    /// Takes over a state of the same generators.
    pub(crate) fn restore(&mut self, state: &[(u64, u16, Option<DncCycles>)]) {
        for (feeding, &(clock, register, next)) in self.0.iter_mut().zip(state) {
            (feeding.generator.clock, feeding.generator.register) = (clock, register);
            feeding.next = next;
        }
    }

    /// Hands out all events up to a time.
    pub(crate) fn until(&mut self, time: DncCycles, mut send: impl FnMut(&Place, DncCycles)) {
        for feeding in &mut self.0 {
            while let Some(next) = feeding.next.filter(|&t| t <= time) {
                send(&feeding.place, next);
                feeding.step();
            }
        }
    }
}

impl Feeding {
    fn step(&mut self) {
        self.next = self.generator.next_clock().map(|c| DncCycles(c * CYCLES_PER_CLOCK));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generator(random: bool, period: u16, seed: u16) -> Generator {
        let address = L1Address::BACKGROUND;
        Generator::new(BackgroundGenerator { enable: true, random, period, seed, address })
    }

    #[test]
    fn shift_register_has_the_published_sequence_and_full_length() {
        // vectors bg_lfsr-001 to -003
        let after = |seed: u16| std::iter::successors(Some(shift(seed)), |r| Some(shift(*r)));
        let values: Vec<u16> = after(1).take(20).collect();
        let expected = [
            2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2049, 4098, 8197, 16395, 32790, 45, 90, 180,
            360, 720,
        ];
        assert_eq!(values, expected);
        let values: Vec<u16> = after(44257).take(10).collect();
        let expected = [22979, 45959, 26383, 52766, 39996, 14457, 28914, 57828, 50120, 34705];
        assert_eq!(values, expected);
        let (mut register, mut length) = (shift(1), 1);
        while register != 1 {
            assert_ne!(register, 0);
            register = shift(register);
            length += 1;
        }
        assert_eq!(length, 65535);
    }

    #[test]
    fn random_generators_fire_at_the_published_clocks() {
        // vectors bg_random-001 to -004
        for (period, clocks) in [
            (100, [7, 18, 673, 785, 1339]),
            (500, [9, 20, 257, 394, 515]),
            (5000, [13, 23, 35, 86, 126]),
            (30000, [15, 26, 28, 31, 37]),
        ] {
            let mut g = generator(true, period, 1);
            let fired: Vec<u64> = (0..5).filter_map(|_| g.next_clock()).collect();
            assert_eq!(fired, clocks, "period {period}");
        }
    }

    #[test]
    fn mean_intervals_follow_the_period() {
        // vectors bg_random_mean-001 to -005
        for (period, mean) in [
            (100, 1310.72),
            (500, 262.144),
            (5000, 26.2144),
            (30000, 4.369_066_666_666_667),
            (40000, 5.132832080200501),
        ] {
            let mut g = generator(true, period, 1);
            let mut last = 0;
            let mut count = 0;
            while last < 2 * 65535 {
                last = g.next_clock().expect("it fires");
                count += 1;
            }
            let measured = last as f64 / f64::from(count);
            assert!((measured / mean - 1.0).abs() < 0.02, "period {period}: {measured}");
        }
    }

    #[test]
    fn regular_generators_are_regular_and_dead_ones_are_silent() {
        let mut g = generator(false, 124, 0);
        assert_eq!([g.next_clock(), g.next_clock()], [Some(125), Some(250)]);
        // vector bg_regular-001: 4008 ns
        assert_eq!(generator(false, 500, 0).next_clock().map(|clocks| 8 * clocks), Some(4008));
        assert_eq!(generator(true, 100, 0).next_clock(), None);
        assert_eq!(generator(true, u16::MAX, 1).next_clock(), None);
    }
}
