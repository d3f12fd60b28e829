//! Playback: times, wraps, groups, limits.

use hal::coord::*;
use hal::playback::{self, MAX_GROUP, MAX_LATENESS, MAX_RUNTIME, PlaybackError};
use hal::wafer::{DncCycles, FPGA_HICANN_DELAY, PulseEvent, Pulses};
use proptest::prelude::*;

const FPGA: FpgaOnWafer = FpgaOnWafer::new::<3>();

fn pulse(time: u64, label: u16) -> PulseEvent {
    PulseEvent { time: DncCycles(time), label: PulseLabel::from_bits(label) }
}

fn released(words: &[u64]) -> Vec<PulseEvent> {
    let pulses = playback::decode(words).unwrap().pulses;
    pulses.iter().map(|p| PulseEvent { time: p.release, label: p.label }).collect()
}

/// Sorted pulses with gaps from none to several wraps of the 15-bit stamp and the 14-bit time.
fn pulses() -> impl Strategy<Value = Vec<PulseEvent>> {
    let gap = prop_oneof![0..4_u64, 0..100_u64, 0x7ff0..0x8010_u64, 0..200_000_u64];
    proptest::collection::vec((gap, 0..4096_u16), 0..300).prop_map(|list| {
        let mut time = FPGA_HICANN_DELAY.0;
        let mut pulses = Vec::new();
        for (gap, label) in list {
            time += gap;
            pulses.push(pulse(time, label));
        }
        pulses
    })
}

proptest! {
    #[test]
    fn pulses_survive_their_words(pulses in pulses(), extra in 1000..100_000_u64) {
        let last = pulses.last().map_or(0, |p| p.time.0);
        let runtime = DncCycles(last + extra);
        let words = playback::encode_fpga(FPGA, &pulses, runtime, true).unwrap();
        prop_assert_eq!(released(&words), pulses);
        let program = playback::decode(&words).unwrap();
        prop_assert_eq!(program.end.0, runtime.0.div_ceil(2) * 2);
        let sent: Vec<u64> = program.pulses.iter().map(|p| p.fpga_send_time).collect();
        prop_assert!(sent.is_sorted_by(|a, b| a < b), "one pulse per FPGA cycle");
        for p in &program.pulses {
            let nominal = (p.release.0 - FPGA_HICANN_DELAY.0) / 2;
            // a pulse shares a group if it is less than six cycles away
            prop_assert!(p.fpga_send_time + 5 >= nominal);
        }
    }

    #[test]
    fn decoding_never_panics(words in proptest::collection::vec(any::<u64>(), 0..50)) {
        let _ = playback::decode(&words);
    }

    #[test]
    fn damaged_programs_never_panic(
        pulses in pulses(), flips in proptest::collection::vec((any::<usize>(), 0..64_u32), 1..8),
    ) {
        let last = pulses.last().map_or(0, |p| p.time.0);
        let mut words =
            playback::encode_fpga(FPGA, &pulses, DncCycles(last + 1000), true).unwrap();
        for (at, bit) in flips {
            let at = at % words.len();
            words[at] ^= 1 << bit;
        }
        let _ = playback::decode(&words);
    }
}

#[test]
fn fpgas_without_pulses_get_the_end_marker() {
    let silent = FpgaOnWafer::new::<40>();
    let pulses = Pulses::from([(FPGA, vec![pulse(100, 7)])]);
    let words = playback::encode(&pulses, [silent], DncCycles(2000)).unwrap();
    assert_eq!(words.by_fpga.keys().copied().collect::<Vec<_>>(), [FPGA, silent]);
    assert_eq!(released(&words.by_fpga[&FPGA]), pulses[&FPGA]);
    let end = playback::decode(&words.by_fpga[&silent]).unwrap();
    assert!(end.pulses.is_empty() && end.end == DncCycles(2000) && end.record);
}

#[test]
fn full_groups_are_split() {
    let pulses: Vec<_> = (0..2 * MAX_GROUP as u64 + 5).map(|i| pulse(1000 + 2 * i, 1)).collect();
    let words = playback::encode_fpga(FPGA, &pulses, DncCycles(10_000), true).unwrap();
    let counts = words.iter().map(|w| (*w as u32 >> 18) as usize);
    assert_eq!(counts.filter(|c| *c == MAX_GROUP).count(), 2);
    assert_eq!(released(&words), pulses);
}

#[test]
fn one_pulse_per_cycle_and_no_more() {
    // a backlog of as many cycles as there are pulses at the same time
    let burst = |n: u64| (0..n).map(|_| pulse(1000, 1)).collect::<Vec<_>>();
    let encode = |n| playback::encode_fpga(FPGA, &burst(n), DncCycles(1_000_000), true);
    let fits = MAX_LATENESS - 200;
    assert_eq!(released(&encode(fits).unwrap()), burst(fits));
    let error = encode(MAX_LATENESS + 200).unwrap_err();
    assert!(matches!(error, PlaybackError::TooDense { fpga: FPGA, .. }), "{error}");
}

#[test]
fn impossible_stimuli_are_refused() {
    let encode = |pulses: &[PulseEvent], runtime| {
        playback::encode_fpga(FPGA, pulses, DncCycles(runtime), true).unwrap_err()
    };
    let unsorted = encode(&[pulse(300, 1), pulse(299, 1)], 1000);
    assert_eq!(unsorted, PlaybackError::Unsorted { fpga: FPGA, index: 1 });
    let early = encode(&[pulse(49, 1)], 1000);
    assert_eq!(early, PlaybackError::TooEarly { fpga: FPGA, time: DncCycles(49) });
    let (runtime, time) = (DncCycles(1000), DncCycles(1001));
    let late = encode(&[pulse(1001, 1)], 1000);
    assert_eq!(late, PlaybackError::RuntimeTooShort { fpga: FPGA, runtime, time });
    let runtime = DncCycles(MAX_RUNTIME.0 + 1);
    assert_eq!(encode(&[], runtime.0), PlaybackError::RuntimeTooLong { runtime });
    assert!(playback::encode_fpga(FPGA, &[], MAX_RUNTIME, true).is_ok());
}

#[test]
fn the_longest_run_is_read_back() {
    let pulses = [pulse(50, 1), pulse(MAX_RUNTIME.0 - 10, 2)];
    let words = playback::encode_fpga(FPGA, &pulses, MAX_RUNTIME, true).unwrap();
    assert_eq!(released(&words), pulses);
    assert_eq!(playback::decode(&words).unwrap().end, MAX_RUNTIME);
}

#[test]
fn broken_programs_are_refused() {
    let words = playback::encode_fpga(FPGA, &[pulse(500, 1)], DncCycles(1000), true).unwrap();
    for cut in 0..words.len() {
        let truncated = playback::decode(&words[..cut]);
        assert_eq!(truncated, Err(PlaybackError::Truncated { words: cut }));
    }
    let twice = [&words[..], &words[..]].concat();
    assert_eq!(playback::decode(&twice), Err(PlaybackError::AfterEnd { index: words.len() }));
    let mut foreign = words.clone();
    foreign[2] |= 1 << 63;
    assert!(matches!(playback::decode(&foreign), Err(PlaybackError::Malformed { index: 2, .. })));
}
