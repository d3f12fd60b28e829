//! A wafer elsewhere gives the same spikes, byte for byte, although the line loses, doubles and
//! swaps datagrams.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use emulator::{Emulator, Settings};
use hal::archive;
use hal::transport::{Faults, Server};
use pynn_front::experiment::{Experiment, Protocol};
use pynn_front::run::{RunOptions, run};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn protocol() -> Protocol {
    let experiment = Experiment::find("balanced-random-network").unwrap();
    let mut parameters = experiment.defaults();
    for setting in ["scale=60", "simulation_time=200", "neuron_size=8"] {
        parameters.set(setting).unwrap();
    }
    experiment.build(&parameters).unwrap()
}

/// Ends the server however the test ends.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_run_over_a_bad_line_gives_the_same_bytes() {
    let server = Server::bind(LOCALHOST, 0, Faults::all(0.1, 11)).unwrap();
    let (address, stop) = (server.address(), AtomicBool::new(false));
    let (protocol, options) = (protocol(), RunOptions::default());
    let here = run(&protocol, &options, &mut |_| {}).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| server.serve(|| Emulator::new(Settings::default()), &stop).unwrap());
        let _stop = Stop(&stop);
        let options = RunOptions { remote: Some(address), ..options };
        let remote = run(&protocol, &options, &mut |_| {}).unwrap();
        assert!(here.recording.n_spikes() > 0);
        assert_eq!(
            archive::to_bytes(&remote.trace).unwrap(),
            archive::to_bytes(&here.trace).unwrap()
        );
        assert_eq!(remote.recording.to_csv(), here.recording.to_csv());
        assert_eq!(remote.released, None);
        let (remote, here) = (remote.run_report, here.run_report);
        assert_eq!((remote.spikes, remote.stimulus), (here.spikes, here.stimulus));
        assert_eq!(remote.synaptic_events, here.synaptic_events);
        assert_eq!(remote.wafer, format!("remote {address}"));
        assert!(remote.effects.is_empty() && !here.effects.is_empty());
    });
}

/// The program as a server, ended with the test.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bss1"))
            .args(["serve-wafer", "--json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines().map(Result::unwrap);
        let text: String = lines.take_while(|line| line != "}").chain(["}".to_owned()]).collect();
        let ready: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(ready["fpgas"], 48);
        let address = ready["address"].as_str().unwrap().parse().unwrap();
        Self { child, address }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_program_serves_a_wafer_to_the_program() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("serve");
    let _ = fs::remove_dir_all(&folder);
    let server = Process::start(&["--fault-rate", "0.1", "--fault-seed", "4", "--threads", "2"]);
    let address = server.address.to_string();
    let bss1 = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_bss1")).args(arguments).output().unwrap()
    };
    let path = |name: &str| folder.join(name).display().to_string();
    let settings = ["scale=100", "simulation_time=100", "neuron_size=8"];
    let mut run = vec!["experiment", "run", "balanced-random-network", "--remote", &address];
    for setting in &settings {
        run.extend(["--set", setting]);
    }
    let out = path("remote");
    let output = bss1(&[&run[..], &["--out", &out]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    // the words of that run once here and once there, each in a fresh process
    let (words, input) = (path("remote/words.bss1"), path("remote/input.bss1"));
    for (place, remote) in [("here", &[][..]), ("there", &["--remote", &address])] {
        let out = path(place);
        let output = bss1(&[&["emulate", &words, &input, "--out", &out], remote].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let bytes = |name: &str| fs::read(folder.join(name)).unwrap();
    for name in ["trace.bss1", "spikes.csv", "counters.json"] {
        assert_eq!(bytes(&format!("here/{name}")), bytes(&format!("there/{name}")), "{name}");
    }
    assert_eq!(bytes("remote/trace.bss1"), bytes("here/trace.bss1"));

    // effects belong to the server
    let arguments = ["emulate", &words, &input, "--out", &out, "--remote", &address];
    let output = bss1(&[&arguments[..], &["--effect", "all=on"]].concat());
    assert_eq!(output.status.code(), Some(2));
    drop(server);
    let output = bss1(&arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("no connection to the wafer"), "{message}");
}
