//! Invariants 6 and 7: playback programs and traces, entry by entry.

use hal::coord::{FpgaOnWafer, PulseLabel};
use hal::playback::{self, MAX_GROUP};
use hal::trace;
use hal::wafer::{DncCycles, FPGA_HICANN_DELAY, PulseEvent};
use proptest::prelude::*;

fn pulses(gap: impl Strategy<Value = u64>) -> impl Strategy<Value = Vec<PulseEvent>> {
    proptest::collection::vec((gap, 0..4096_u16), 0..400).prop_map(|list| {
        let mut time = FPGA_HICANN_DELAY.0;
        list.into_iter()
            .map(|(gap, label)| {
                time += gap;
                PulseEvent { time: DncCycles(time), label: PulseLabel::from_bits(label) }
            })
            .collect()
    })
}

/// What a program consists of.
#[derive(Debug, PartialEq)]
enum Entry {
    /// Periods of 2^14 FPGA cycles are skipped.
    Wait,
    /// A group at a 14-bit time, with the release stamp and label of its pulses.
    Group(u32, Vec<(u32, u32)>),
    /// Configuration of the FPGA at a 14-bit time: its upper half.
    Config(u32, u32),
}

/// Takes a program apart by the layout of hal-config §3.3 alone.
fn entries(words: &[u64]) -> Vec<Entry> {
    let halves: Vec<u32> = words.iter().flat_map(|w| [*w as u32, (*w >> 32) as u32]).collect();
    let (mut at, mut found) = (0, Vec::new());
    while at < halves.len() {
        let (header, count) = (halves[at], (halves[at] >> 18) as usize);
        if header & 1 == 1 {
            found.push(Entry::Wait);
            at += 2;
        } else if header & 1 << 16 != 0 {
            assert_eq!((count, halves[at + 1]), (1, 0));
            found.push(Entry::Config(header >> 1 & 0x3fff, halves[at + 3]));
            at += 4;
        } else {
            // as many pulse words as the header says, and one of padding after an even number
            let words = &halves[at + 1..=at + count];
            assert!(words.iter().all(|w| w & (1 | 1 << 16) == 0));
            let pulses = words.iter().map(|w| (w >> 1 & 0x7fff, w >> 18)).collect();
            found.push(Entry::Group(header >> 1 & 0x3fff, pulses));
            at += 1 + count;
            if count % 2 == 0 {
                assert_eq!(halves[at], 0);
                at += 1;
            }
        }
    }
    found
}

/// Whether 14-bit times do not fall within a period. A smaller one belongs to the next period,
/// which needs no wait if it is near. `last` becomes the time of the last of `length` cycles.
fn follows(last: &mut Option<u32>, time: u32, length: u32) -> bool {
    let before = last.replace((time + length - 1) & 0x3fff);
    before.is_none_or(|b| time >= b || (time + (1 << 14) - b) & 0x3fff <= 0x2000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn hal_invariant_06_playback(
        pulses in pulses(prop_oneof![0..3_u64, 0..40_u64, 0x7ff0..0x8010_u64, 0..200_000_u64]),
    ) {
        let end = pulses.last().map_or(0, |p| p.time.0) + 5000;
        let words =
            playback::encode_fpga(FpgaOnWafer::new::<3>(), &pulses, DncCycles(end), true).unwrap();
        let entries = entries(&words);
        let mut sent = Vec::new();
        // nothing is sent before time 0
        let mut last = Some(0);
        for (i, entry) in entries.iter().enumerate() {
            match entry {
                // skips periods: any time may follow
                Entry::Wait => last = None,
                Entry::Group(time, pulses) => {
                    prop_assert!((1..=MAX_GROUP).contains(&pulses.len()), "184 at most");
                    prop_assert!(follows(&mut last, *time, pulses.len() as u32));
                    sent.extend(pulses);
                }
                Entry::Config(time, high) => {
                    prop_assert!(follows(&mut last, *time, 1));
                    let is_end = high & 1 << 30 != 0;
                    prop_assert_eq!(is_end, i + 1 == entries.len(), "the end marker comes last");
                }
            }
        }
        // pulses in their order, those of the same FPGA cycle as well
        let wanted: Vec<(u32, u32)> = pulses
            .iter()
            .map(|p| ((p.time.0 & 0x7fff) as u32, p.label.bits().into()))
            .collect();
        prop_assert_eq!(sent.into_iter().copied().collect::<Vec<_>>(), wanted);
    }

    /// A trace as an FPGA writes it: the count of wraps comes when its clock wraps, and events that
    /// were in flight then come after it.
    #[test]
    fn hal_invariant_07_trace(
        pulses in pulses(prop_oneof![0..10_u64, 0..3000_u64, 0..100_000_u64]),
        delays in proptest::collection::vec(0..200_u64, 400),
        first_half: bool,
    ) {
        let mut arrivals: Vec<(u64, PulseEvent)> =
            pulses.iter().zip(delays).map(|(p, delay)| (p.time.0 + delay, *p)).collect();
        arrivals.sort_unstable();
        let (mut halves, mut wraps, mut in_flight) = (Vec::new(), 0, 0);
        if first_half {
            halves.push(1 << 30);
        }
        for (arrival, pulse) in arrivals {
            let missing = (arrival >> 15) - wraps;
            if missing > 0 {
                if halves.len() % 2 == 0 {
                    halves.push(1 << 30);
                }
                halves.push(1 << 31 | missing as u32);
                wraps += missing;
            }
            let (stamp, msb) = (pulse.time.0 as u32 & 0x7fff, (arrival >> 14 & 1) as u32);
            in_flight += usize::from(pulse.time.0 >> 15 < wraps);
            halves.push(msb << 29 | u32::from(pulse.label.bits()) << 15 | stamp);
        }
        if halves.len() % 2 == 1 {
            halves.push(1 << 30);
        }
        let pairs = halves.chunks(2).map(|h| u64::from(h[1]) << 32 | u64::from(h[0]));
        let words: Vec<u64> = pairs.chain([trace::END_OF_TRACE]).collect();
        let decoded = trace::decode(&words).unwrap();
        let mut sorted = pulses;
        sorted.sort_unstable();
        prop_assert!(decoded == sorted, "{in_flight} in flight at a wrap");
    }
}
