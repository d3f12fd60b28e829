//! A wafer over UDP behaves like the wafer itself.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hal::codec::encode_wafer;
use hal::config::RepeaterMode;
use hal::coord::*;
use hal::defects::Defects;
use hal::fpga::FpgaCommand;
use hal::transport::{
    ArqEvent, Faults, Packet, PacketType, Parameters, RemoteWafer, Server, StreamEvent, Streams,
    TransportError,
};
use hal::value::SynapseWeight;
use hal::verify::verify_wafer;
use hal::wafer::{
    AdcTrace, ConfigurationWords, Counters, DncCycles, DropCause, PlaybackWords, Progress,
    TraceWords, Wafer, WaferError,
};

use crate::stateful::{Registers, busy_wafer};
use crate::stream::CHIP;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A wafer whose trace is made of what it was sent.
#[derive(Debug, Default)]
struct Mirror {
    configuration: BTreeMap<FpgaOnWafer, Vec<u64>>,
    playback: BTreeMap<FpgaOnWafer, Vec<u64>>,
    runs: u64,
    /// Steps of a run.
    steps: u64,
    reached: u64,
}

impl Wafer for Mirror {
    fn configure(&mut self, words: &ConfigurationWords) -> Result<(), WaferError> {
        if words.by_fpga.values().flatten().any(|w| *w == u64::MAX) {
            return Err(WaferError::Configuration("all bits are set".into()));
        }
        for (fpga, words) in &words.by_fpga {
            self.configuration.entry(*fpga).or_default().extend(words);
        }
        Ok(())
    }

    /// Every word that is a multiple of three is answered by its successor.
    fn read(&mut self, words: &ConfigurationWords) -> Result<ConfigurationWords, WaferError> {
        self.configure(words)?;
        let answers = |words: &[u64]| -> Vec<u64> {
            words.iter().filter(|w| **w % 3 == 0).map(|w| w + 1).collect()
        };
        let by_fpga = words.by_fpga.iter().map(|(fpga, words)| (*fpga, answers(words)));
        Ok(ConfigurationWords { by_fpga: by_fpga.collect() })
    }

    fn stimulate(&mut self, playback: &PlaybackWords) -> Result<(), WaferError> {
        self.playback.clone_from(&playback.by_fpga);
        Ok(())
    }

    fn run(
        &mut self,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(), WaferError> {
        if self.playback.is_empty() {
            return Err(WaferError::NotReady { needed: "load playback words with `stimulate`" });
        }
        self.runs += 1;
        for now in 1..=self.steps {
            self.reached = now;
            let (now, end) = (DncCycles(now), DncCycles(self.steps));
            if progress(Progress { now, end }).is_break() {
                return Err(WaferError::Stopped { at: now });
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    fn read_trace(&self) -> Result<TraceWords, WaferError> {
        let mut by_fpga = self.playback.clone();
        for (fpga, words) in &mut by_fpga {
            words.extend(self.configuration.get(fpga).into_iter().flatten());
        }
        Ok(TraceWords { by_fpga })
    }

    fn read_adc(&self, dnc: DncOnWafer, output: AnalogOnHicann) -> Result<AdcTrace, WaferError> {
        if dnc.index() % 2 == 1 {
            return Err(WaferError::NothingConnected { dnc, output });
        }
        Ok(AdcTrace { samples: (0..10 * dnc.index() as u16 + 7).collect() })
    }

    fn counters(&self) -> Counters {
        let mut counters = Counters { neuron_spikes: self.runs, ..Counters::default() };
        counters.stimulus.sent = self.reached;
        (0..self.reached).for_each(|_| counters.stimulus.drop_one(DropCause::StimulusLinkClosed));
        counters
    }
}

/// Serves mirrors while `work` goes on.
fn with_server(steps: u64, faults: Faults, work: impl FnOnce(SocketAddr)) {
    with_wafers(move || Mirror { steps, ..Mirror::default() }, faults, work);
}

/// Serves wafers while `work` goes on.
fn with_wafers<W: Wafer>(
    wafer: impl FnMut() -> W + Send,
    faults: Faults,
    work: impl FnOnce(SocketAddr),
) {
    let server = Server::bind(LOCALHOST, 0, faults).unwrap();
    let (address, stop) = (server.address(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let served = scope.spawn({
            let stop = &stop;
            move || server.serve(wafer, stop)
        });
        // the server has to stop even if the work panics
        let _guard = Guard(&stop);
        work(address);
        stop.store(true, Ordering::Relaxed);
        served.join().unwrap().unwrap();
    });
}

struct Guard<'a>(&'a AtomicBool);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn words(count: impl Fn(usize) -> usize) -> BTreeMap<FpgaOnWafer, Vec<u64>> {
    let of_fpga = |fpga: FpgaOnWafer| {
        let i = fpga.index();
        (0..count(i)).map(|n| (n << 8 | i) as u64).collect::<Vec<_>>()
    };
    // every fifth FPGA has no part, and others have an empty one
    FpgaOnWafer::all().filter(|f| f.index() % 5 != 1).map(|f| (f, of_fpga(f))).collect()
}

/// Everything that a wafer can be asked for, with its answers in text.
fn protocol(wafer: &mut impl Wafer) -> Vec<String> {
    let go_on = &mut |_| ControlFlow::Continue(());
    let mut answers = Vec::new();
    let mut note = |answer: &dyn std::fmt::Debug| answers.push(format!("{answer:?}"));
    let told = |result: Result<(), WaferError>| result.map_err(|e| e.to_string());
    note(&told(wafer.run(go_on)));
    note(&wafer.counters());
    note(&told(wafer.configure(&ConfigurationWords { by_fpga: words(|i| i % 3 * 1000) })));
    note(&told(wafer.configure(&ConfigurationWords { by_fpga: words(|i| i) })));
    note(&wafer.read(&ConfigurationWords { by_fpga: words(|i| i % 4 * 300) }).unwrap());
    let bad = BTreeMap::from([(FpgaOnWafer::new::<7>(), vec![3, u64::MAX])]);
    note(&told(wafer.configure(&ConfigurationWords { by_fpga: bad.clone() })));
    note(&wafer.read(&ConfigurationWords { by_fpga: bad }).map_err(|e| e.to_string()));
    note(&told(wafer.configure(&ConfigurationWords::default())));
    note(&told(wafer.stimulate(&PlaybackWords { by_fpga: words(|i| 400 - 8 * i) })));
    note(&told(wafer.run(go_on)));
    note(&wafer.read_trace().map_err(|e| e.to_string()));
    note(&wafer.counters());
    for dnc in [0_usize, 1, 46] {
        let dnc = DncOnWafer::try_from(dnc).unwrap();
        note(&wafer.read_adc(dnc, AnalogOnHicann::new::<1>()).map_err(|e| e.to_string()));
    }
    note(&told(wafer.stimulate(&PlaybackWords { by_fpga: words(|_| 1) })));
    note(&told(wafer.run(go_on)));
    note(&wafer.read_trace().map_err(|e| e.to_string()));
    note(&wafer.counters());
    answers
}

#[test]
fn a_remote_wafer_answers_like_the_wafer_itself() {
    let expected = protocol(&mut Mirror { steps: 3, ..Mirror::default() });
    for faults in [Faults::NONE, Faults::all(0.1, 5)] {
        with_server(3, faults, |address| {
            // two hosts, one after the other; each finds the wafer in reset
            for seed in [1, 2] {
                let mut wafer = RemoteWafer::connect(address, Faults { seed, ..faults }).unwrap();
                assert!(matches!(wafer.read_trace(), Err(WaferError::NotReady { .. })));
                for (found, wanted) in protocol(&mut wafer).into_iter().zip(&expected) {
                    assert_eq!(&found, wanted, "{faults:?}");
                }
            }
        });
    }
}

/// A verify run over a line that loses, doubles and swaps datagrams names every register that does
/// not hold what it should, and no other.
#[test]
fn a_remote_wafer_is_verified_over_a_bad_line() {
    let faults = Faults::all(0.1, 3);
    with_wafers(Registers::default, faults, |address| {
        let mut wafer = RemoteWafer::connect(address, Faults { seed: 4, ..faults }).unwrap();
        let mut config = busy_wafer();
        let none = Defects::default();
        wafer.configure(&encode_wafer(&config).unwrap()).unwrap();
        assert_eq!(verify_wafer(&mut wafer, &config, &none).unwrap(), []);
        // the wafer has something else than we believe: in a switch, a repeater and a weight
        let chip = config.hicann_mut(CHIP);
        chip.crossbar.set(CrossbarSwitchOnHicann::new::<385>(), true);
        chip.repeaters.vertical[VRepeaterOnHicann::new::<7>()].mode =
            RepeaterMode::Forwarding(Vertical::Top);
        let synapse = SynapseDriverOnHicann::new::<7>()
            .row(RowOnSynapseDriver::new::<1>())
            .synapse(SynapseColumnOnHicann::new::<40>());
        chip.synapses.weights[synapse] = SynapseWeight::new::<8>();
        let found = verify_wafer(&mut wafer, &config, &none).unwrap();
        assert_eq!(
            found.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "H93: Crossbar(Left) 0xf: 0x0 instead of 0x2",
                "H93: Repeater(rb0) 0x8: 0x0 instead of 0x20",
                "H93: weights of row15 from col40: 0x0 instead of 0x10000000",
            ]
        );
    });
}

/// The server echoes what an FPGA of the wafer would obey, and refuses by name what it cannot do.
#[test]
fn commands_are_echoed_or_refused() {
    with_server(1, Faults::NONE, |address| {
        let streams = Streams::connect(address, Parameters::SHARED, Faults::NONE).unwrap();
        let next = || loop {
            match streams.event(Duration::from_mins(1)).unwrap() {
                Some((fpga, StreamEvent::Arq(ArqEvent::Received(packet)))) => {
                    return (fpga, packet);
                }
                Some((_, StreamEvent::Arq(ArqEvent::Opened))) => {}
                other => panic!("{other:?}"),
            }
        };
        for _ in FpgaOnWafer::all() {
            let opened = streams.event(Duration::from_mins(1)).unwrap();
            assert!(matches!(opened, Some((_, StreamEvent::Arq(ArqEvent::Opened)))));
        }
        let fpga = FpgaOnWafer::new::<3>();
        let command = |word: u64| Packet::new(PacketType::FPGA_CONFIG, [word]);
        let prime = command(FpgaCommand::prime_system_time(true).bits());
        streams.send(fpga, prime.clone()).unwrap();
        assert_eq!(next(), (fpga, prime));
        let alone = FpgaCommand::start_system_time(fpga, false, true).bits();
        for word in [alone, FpgaCommand::StartPlayback.bits(), 1] {
            streams.send(fpga, command(word)).unwrap();
            let (from, refusal) = next();
            // type and first word of a refusal
            assert_eq!((from, refusal.kind), (FpgaOnWafer::MASTER, PacketType(0xb553)));
            assert_eq!(refusal.words[0], 4);
        }
    });
}

#[test]
fn a_run_can_be_watched_and_stopped() {
    with_server(1_000_000, Faults::NONE, |address| {
        let mut wafer = RemoteWafer::connect(address, Faults::NONE).unwrap();
        wafer.stimulate(&PlaybackWords { by_fpga: words(|_| 1) }).unwrap();
        let mut seen = Vec::new();
        let stopped = wafer.run(&mut |progress| {
            seen.push(progress.now);
            if seen.len() < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        let Err(WaferError::Stopped { at }) = stopped else { panic!("{stopped:?}") };
        assert!(seen.is_sorted() && seen.last() <= Some(&at), "{seen:?} {at}");
        assert_eq!(wafer.counters().stimulus.sent, at.0);
        assert_eq!(wafer.read_trace().unwrap().len(), words(|_| 1).len());
        // the wafer can run again
        let stopped = wafer.run(&mut |_| ControlFlow::Break(()));
        assert!(matches!(stopped, Err(WaferError::Stopped { .. })));
        assert_eq!(wafer.counters().neuron_spikes, 2);
    });
}

#[test]
fn nobody_there_is_an_error() {
    // ports of a server that is gone
    let address = Server::bind(LOCALHOST, 0, Faults::NONE).unwrap().address();
    let error = RemoteWafer::connect(address, Faults::NONE).unwrap_err();
    assert!(
        matches!(error, TransportError::Socket { .. } | TransportError::Stream { .. }),
        "{error}"
    );
    let last = SocketAddr::new(LOCALHOST, u16::MAX);
    let error = RemoteWafer::connect(last, Faults::NONE).unwrap_err();
    assert!(matches!(error, TransportError::NoPorts { first: u16::MAX }), "{error}");
}

#[test]
fn ports_in_use_are_an_error() {
    let server = Server::bind(LOCALHOST, 0, Faults::NONE).unwrap();
    let error = Server::bind(LOCALHOST, server.address().port(), Faults::NONE).unwrap_err();
    assert!(matches!(error, TransportError::Io { .. }), "{error}");
}
