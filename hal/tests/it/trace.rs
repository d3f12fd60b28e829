//! Trace: wraps of the time stamp, padding, limits.

use hal::coord::PulseLabel;
use hal::trace::{END_OF_TRACE, TraceError, decode, encode};
use hal::wafer::{DncCycles, PulseEvent};
use proptest::prelude::*;

fn pulse(time: u64, label: u16) -> PulseEvent {
    PulseEvent { time: DncCycles(time), label: PulseLabel::from_bits(label) }
}

fn pulses() -> impl Strategy<Value = Vec<PulseEvent>> {
    let time = prop_oneof![0..100_000_u64, 0x7ff0..0x8010_u64, 0..1_u64 << 40];
    proptest::collection::vec((time, 0..4096_u16), 0..300)
        .prop_map(|list| list.into_iter().map(|(time, label)| pulse(time, label)).collect())
}

proptest! {
    #[test]
    fn pulses_survive_their_words(mut pulses in pulses()) {
        let decoded = decode(&encode(&pulses)).unwrap();
        pulses.sort_unstable();
        prop_assert_eq!(decoded, pulses);
    }

    #[test]
    fn decoding_never_panics(mut words in proptest::collection::vec(any::<u64>(), 0..50)) {
        let _ = decode(&words);
        words.push(END_OF_TRACE);
        let _ = decode(&words);
    }
}

#[test]
fn an_empty_trace_is_its_end_marker() {
    assert_eq!(encode(&[]), [END_OF_TRACE]);
    assert_eq!(decode(&[END_OF_TRACE]), Ok(vec![]));
}

#[test]
fn an_event_from_just_before_a_wrap_may_come_after_its_count() {
    let wrapped = 0x8000_0001_4000_0000;
    let late_event = 0x4000_0000_0000_7fff;
    assert_eq!(decode(&[wrapped, late_event, END_OF_TRACE]), Ok(vec![pulse(0x7fff, 0)]));
    // without a wrap before it, it is from before the run
    assert_eq!(decode(&[late_event, END_OF_TRACE]), Ok(vec![]));
}

#[test]
fn broken_traces_are_refused() {
    let words = encode(&[pulse(5, 1), pulse(70_000, 2)]);
    assert_eq!(decode(&words[..words.len() - 1]), Err(TraceError::Truncated));
    assert_eq!(decode(&[]), Err(TraceError::Truncated));
    let twice = [&words[..], &words[..]].concat();
    let early = TraceError::EarlyEnd { index: words.len() - 1, words: twice.len() };
    assert_eq!(decode(&twice), Err(early));
    let padding = [1 << 27, END_OF_TRACE];
    assert_eq!(decode(&padding), Err(TraceError::Padding { index: 0, entry: 1 << 27 }));
    let overflow = vec![u64::MAX << 32 | 1 << 30; (1 << 18) + 1];
    let words = [&overflow[..], &[END_OF_TRACE]].concat();
    assert!(matches!(decode(&words), Err(TraceError::TimeOverflow { .. })));
}
