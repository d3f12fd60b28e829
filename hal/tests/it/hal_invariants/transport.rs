//! Invariant 8: the send window and the frames of Host-ARQ.

use hal::transport::window::{SendRules, SendWindow};
use hal::transport::{Datagram, Frame, Packet, PacketType, Parameters, Ticks};
use proptest::prelude::*;

const RULES: SendRules = SendRules {
    modulus: Parameters::FCP.limits.modulus,
    in_flight: Parameters::FCP.in_flight,
    resend_after: Parameters::FCP.resend_after,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is acknowledged, old or nonsense: `low` moves forward only, never beyond what was
    /// sent, and at most 128 frames are under way.
    #[test]
    fn hal_invariant_08_window(
        start in 0..256_u32,
        steps in proptest::collection::vec((0..200_usize, 0..300_u32), 0..60),
    ) {
        let mut window = SendWindow::starting_at(RULES, start);
        // numbers without wrap
        let (mut low, mut high) = (u64::from(start), u64::from(start));
        for (frames, ack) in steps {
            for _ in 0..frames {
                if window.has_room() {
                    window.push(Ticks(0), ());
                    high += 1;
                }
            }
            prop_assert!(window.len() <= 128);
            window.acknowledge(Ticks(0), ack);
            let forward = u64::from((window.low() + 256 - (low % 256) as u32) % 256);
            low += forward;
            prop_assert!(low <= high, "nothing is freed that was not sent");
            prop_assert_eq!(window.len() as u64, high - low);
            if forward > 0 {
                prop_assert_eq!((window.low() + 255) % 256, ack);
            }
        }
    }
}

/// Every state of the window and every number that may come back.
#[test]
fn hal_invariant_08_acknowledgements() {
    for (low, under_way) in (0..256).flat_map(|low| (0..=128).map(move |n| (low, n))) {
        // 256 low x 129 fillings x the numbers at the edges of the window
        for offset in [0, 1, 2, 64, 126, 127, 128, 129, 200, 255] {
            let mut window = SendWindow::starting_at(RULES, low);
            (0..under_way).for_each(|_| window.push(Ticks(0), ()));
            window.acknowledge(Ticks(0), (low + offset) % 256);
            let freed = if offset < under_way { offset + 1 } else { 0 };
            assert_eq!(window.low(), (low + freed) % 256);
            assert_eq!(window.len() as u32, under_way - freed);
        }
    }
}

#[test]
fn hal_invariant_08_frame_length() {
    for words in 0..=Parameters::FCP.limits.words as usize {
        let packet = Packet::new(PacketType::HICANN_CONFIG, vec![u64::MAX; words]);
        let datagram = Datagram::Frame(Frame { ack: 255, sequence: 0, packet });
        let bytes = datagram.encode();
        assert_eq!(bytes.len(), 12 + 8 * words);
        assert_eq!(bytes[10..12], (words as u16).to_be_bytes());
        assert_eq!(Datagram::decode(&bytes), Ok(datagram));
    }
}
