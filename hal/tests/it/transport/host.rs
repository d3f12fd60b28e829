//! Host-ARQ between two machines in one process, in a time of their own.

use hal::transport::window::{SendRules, SendWindow};
use hal::transport::{
    Arq as _, ArqError, ArqEvent, Datagram, Faults, Frame, HostArq, Limits, Packet, PacketType,
    Pair, Parameters, SendError, Ticks,
};
use proptest::prelude::*;

/// The original on a line that may reorder: fewer frames under way.
const REORDERED: Parameters = Parameters { in_flight: 32, ..Parameters::FCP };
const SECOND: u64 = 1_000_000;

fn pair(parameters: Parameters, faults: Faults) -> Pair<HostArq> {
    let host = HostArq::host(parameters, 0xfeed, Ticks(0));
    Pair::new(host, HostArq::fpga(parameters), faults)
}

fn packet(n: u64) -> Packet {
    Packet::new(PacketType::HICANN_CONFIG, vec![n; 1 + n as usize % 3])
}

/// What an end heard so far: numbers of packets, and how it ended.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    is_open: bool,
    numbers: Vec<u64>,
    end: Option<ArqEvent>,
}

impl Heard {
    fn listen(&mut self, machine: &mut HostArq) {
        while let Some(event) = machine.event() {
            match event {
                ArqEvent::Opened => {
                    assert!(!self.is_open, "opened twice");
                    self.is_open = true;
                }
                ArqEvent::Received(received) => {
                    assert!(self.is_open && self.end.is_none());
                    assert_eq!(received, packet(received.words[0]));
                    self.numbers.push(received.words[0]);
                }
                end => assert_eq!(self.end.replace(end), None, "ended twice"),
            }
        }
    }
}

/// Steps until `done`, at most for some (virtual) seconds.
fn run(
    pair: &mut Pair<HostArq>,
    heard: &mut [Heard; 2],
    seconds: u64,
    done: impl Fn(&[Heard; 2]) -> bool,
) -> bool {
    let limit = pair.now.after(seconds * SECOND);
    loop {
        let is_alive = pair.step();
        heard[0].listen(&mut pair.left);
        heard[1].listen(&mut pair.right);
        if done(heard) {
            return true;
        }
        if !is_alive || pair.now > limit {
            return false;
        }
    }
}

fn both_open(heard: &[Heard; 2]) -> bool {
    heard.iter().all(|h| h.is_open)
}

/// Sends `counts` packets each way, closes, and wants everything there once and in order.
fn exchange(parameters: Parameters, faults: Faults, counts: [u64; 2]) {
    let mut pair = pair(parameters, faults);
    let mut heard = <[Heard; 2]>::default();
    // the host may send before the stream is open
    (0..counts[0]).for_each(|n| pair.left.send(packet(n)).unwrap());
    assert!(run(&mut pair, &mut heard, 10, both_open), "{faults:?}: not open: {heard:?}");
    (0..counts[1]).for_each(|n| pair.right.send(packet(n)).unwrap());
    let arrived = |heard: &[Heard; 2]| {
        heard[0].numbers.len() as u64 >= counts[1] && heard[1].numbers.len() as u64 >= counts[0]
    };
    assert!(run(&mut pair, &mut heard, 60, arrived), "{faults:?}: lost something");
    pair.left.close(pair.now);
    run(&mut pair, &mut heard, 1, |heard| heard.iter().all(|h| h.end.is_some()));
    for (heard, count) in heard.iter().zip([counts[1], counts[0]]) {
        assert!(heard.numbers.iter().copied().eq(0..count), "{faults:?}: wrong order or number");
        assert_eq!(heard.end, Some(ArqEvent::Closed), "{faults:?}");
    }
    assert!(pair.left.is_over() && pair.right.is_free());
}

proptest! {
    #[test]
    fn nothing_is_lost_doubled_or_swapped(seed: u64, to_fpga in 0..900_u64, to_host in 0..900_u64) {
        exchange(REORDERED, Faults::all(0.1, seed), [to_fpga, to_host]);
    }

    #[test]
    fn the_full_window_holds_on_a_line_that_keeps_the_order(seed: u64, count in 0..1500_u64) {
        let faults = Faults { reordering: 0.0, ..Faults::all(0.1, seed) };
        exchange(Parameters::FCP, faults, [count, count / 2]);
    }

    #[test]
    fn a_bad_line_is_only_slow(seed: u64) {
        exchange(REORDERED, Faults { overtaken: 6, ..Faults::all(0.4, seed) }, [100, 100]);
    }

    #[test]
    fn any_bytes_are_survived(
        noise in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..60),
        is_fpga: bool,
    ) {
        let mut machine = if is_fpga {
            HostArq::fpga(Parameters::FCP)
        } else {
            HostArq::host(Parameters::FCP, 1, Ticks(0))
        };
        machine.receive_bytes(Ticks(0), &Datagram::Reset.encode());
        for (time, bytes) in noise.iter().enumerate() {
            let now = Ticks(time as u64 * 700);
            if let Ok(datagram) = Datagram::decode(bytes) {
                prop_assert_eq!(&datagram.encode(), bytes);
            }
            machine.receive_bytes(now, bytes);
            while machine.transmit(now).is_some() {}
        }
    }

    #[test]
    fn any_frames_are_survived(
        frames in proptest::collection::vec((0..300_u32, 0..300_u32, 0..6_u16, 0..6_usize), 0..80),
        is_fpga: bool,
    ) {
        let mut machine = if is_fpga {
            HostArq::fpga(Parameters::FCP)
        } else {
            HostArq::host(Parameters::FCP, 0, Ticks(0))
        };
        machine.receive_bytes(Ticks(0), &Datagram::Reset.encode());
        for (time, (ack, sequence, kind, len)) in frames.into_iter().enumerate() {
            let now = Ticks(time as u64 * 300);
            let packet = Packet::new(PacketType(0x7fff + kind), vec![0; len]);
            let _ = machine.send(packet.clone());
            let frame = Datagram::Frame(Frame { ack, sequence, packet });
            machine.receive_bytes(now, &frame.encode());
            while machine.transmit(now).is_some() {}
            prop_assert!(machine.unacknowledged() <= 128 + 80);
        }
    }
}

#[test]
fn a_clean_line_carries_each_frame_once() {
    let mut pair = pair(Parameters::FCP, Faults::NONE);
    let mut heard = <[Heard; 2]>::default();
    assert!(run(&mut pair, &mut heard, 1, both_open));
    (0..1000).for_each(|n| pair.left.send(packet(n)).unwrap());
    // 128 frames go out at once, all others wait for acknowledgements
    let now = pair.now;
    let sent = std::iter::from_fn(|| pair.left.transmit(now)).count();
    assert_eq!((sent, pair.left.unacknowledged()), (128, 1000));
}

#[test]
fn a_frame_is_sent_again_at_equal_distances() {
    let mut pair = pair(Parameters::FCP, Faults::NONE);
    assert!(run(&mut pair, &mut <[Heard; 2]>::default(), 1, both_open));
    let start = pair.now;
    pair.left.send(packet(0)).unwrap();
    let sent_at = (0..4000).filter(|t| pair.left.transmit(start.after(*t)).is_some());
    assert_eq!(sent_at.collect::<Vec<_>>(), [0, 756, 1512, 2268, 3024, 3780]);
}

/// Why fewer frames are under way where acknowledgements may overtake each other.
#[test]
fn an_old_acknowledgement_does_no_harm_if_few_frames_are_under_way() {
    let low_after = |in_flight: u32, overtaking: u32| {
        let rules = SendRules { modulus: 256, in_flight, resend_after: 756 };
        let mut window = SendWindow::new(rules);
        let fill = |window: &mut SendWindow<()>| {
            while window.has_room() {
                window.push(Ticks(0), ());
            }
        };
        fill(&mut window);
        window.acknowledge(Ticks(0), 0);
        fill(&mut window);
        for n in 1..=overtaking {
            window.acknowledge(Ticks(0), in_flight * n % 256);
            fill(&mut window);
        }
        let low = window.low();
        // number 0 is acknowledged once more, late
        window.acknowledge(Ticks(0), 0);
        (low, window.low())
    };
    assert_eq!(low_after(128, 1), (129, 1), "frames count as arrived that are under way");
    assert_eq!(low_after(32, 6), (193, 193));
    assert_eq!(low_after(32, 7), (225, 1));
}

#[test]
fn a_dead_peer_is_an_error_in_time() {
    let mut pair = pair(Parameters::FCP, Faults::NONE);
    let mut heard = <[Heard; 2]>::default();
    assert!(run(&mut pair, &mut heard, 1, both_open));
    pair.left.send(packet(0)).unwrap();
    pair.set_faults(Faults { loss: 1.0, ..Faults::NONE });
    let cut = pair.now;
    assert!(run(&mut pair, &mut heard, 20, |heard| heard[0].end.is_some()));
    let within = Parameters::FCP.dead_after;
    assert_eq!(heard[0].end, Some(ArqEvent::Failed(ArqError::Dead { within })));
    assert!((within..within + 1000).contains(&pair.now.since(cut)), "{:?}", pair.now.since(cut));
    assert_eq!(pair.left.send(packet(1)), Err(SendError::NotOpen));
    // the end that had nothing to say notices as well, since it sends a dummy after a second
    assert!(run(&mut pair, &mut heard, 2, |heard| heard[1].end.is_some()));
    assert_eq!(heard[1].end, Some(ArqEvent::Failed(ArqError::Dead { within })));
    let limit = within + Parameters::FCP.dummy_after + 2000;
    assert!(pair.now.since(cut) <= limit, "{:?}", pair.now.since(cut));
}

#[test]
fn a_silent_peer_that_lives_is_no_error() {
    let mut pair = pair(Parameters::FCP, Faults::all(0.1, 7));
    let mut heard = <[Heard; 2]>::default();
    assert!(run(&mut pair, &mut heard, 1, both_open));
    assert!(!run(&mut pair, &mut heard, 100, |heard| heard.iter().any(|h| h.end.is_some())));
    pair.left.send(packet(0)).unwrap();
    assert!(run(&mut pair, &mut heard, 1, |heard| heard[1].numbers == [0]));
}

#[test]
fn nobody_at_the_other_end_is_an_error_in_time() {
    let mut pair = pair(Parameters::FCP, Faults { loss: 1.0, ..Faults::NONE });
    let mut heard = <[Heard; 2]>::default();
    assert!(run(&mut pair, &mut heard, 20, |heard| heard[0].end.is_some()));
    let within = Parameters::FCP.open_within;
    assert_eq!(heard[0].end, Some(ArqEvent::Failed(ArqError::NoAnswer { within })));
    assert!(pair.now.0 <= within + 1000);
    assert!(pair.right.is_free());
}

#[test]
fn a_stream_that_cannot_be_flushed_is_an_error_in_time() {
    let mut pair = pair(Parameters::FCP, Faults::NONE);
    let mut heard = <[Heard; 2]>::default();
    assert!(run(&mut pair, &mut heard, 1, both_open));
    pair.set_faults(Faults { loss: 1.0, ..Faults::NONE });
    let cut = pair.now;
    pair.left.close(cut);
    assert!(run(&mut pair, &mut heard, 20, |heard| heard[0].end.is_some()));
    let within = Parameters::FCP.close_within;
    assert_eq!(heard[0].end, Some(ArqEvent::Failed(ArqError::NotFlushed { within })));
    assert!(pair.now.since(cut) <= within + 1000);
}

#[test]
fn different_limits_are_refused() {
    let host = HostArq::host(Parameters::FCP, 1, Ticks(0));
    let mut pair = Pair::new(host, HostArq::fpga(Parameters::ANANAS), Faults::NONE);
    let mut heard = <[Heard; 2]>::default();
    assert!(run(&mut pair, &mut heard, 1, |heard| heard[0].end.is_some()));
    let theirs = Limits { modulus: 512, window: 32, words: 126 };
    let mismatch = ArqError::Mismatch { ours: Parameters::FCP.limits, theirs };
    assert_eq!(heard[0].end, Some(ArqEvent::Failed(mismatch)));
    exchange(Parameters::ANANAS, Faults::all(0.1, 3), [2000, 10]);
}

#[test]
fn packets_that_are_too_long_are_refused() {
    let mut host = HostArq::host(Parameters::FCP, 1, Ticks(0));
    let long = Packet::new(PacketType::HICANN_CONFIG, vec![0; 181]);
    assert_eq!(host.send(long), Err(SendError::TooLong { words: 181, max: 180 }));
    let fits = Packet::new(PacketType::HICANN_CONFIG, vec![0; 180]);
    assert_eq!(host.send(fits.clone()), Ok(()));
    // an endpoint without a host has nobody to send to
    assert_eq!(HostArq::fpga(Parameters::FCP).send(fits), Err(SendError::NotOpen));
}

#[test]
fn signs_of_life_are_no_data_while_the_stream_closes() {
    // a keep-alive crosses the close of the other end under this seed
    let faults = Faults { reordering: 0.0, ..Faults::all(0.1, 15648148595478347148) };
    exchange(Parameters::FCP, faults, [0, 0]);
}
