//! The program `bss1`: what it can be asked, and how it answers.
//!
//! Human text goes to stderr. With `--json` one JSON object goes to stdout and nothing else does.
//! Exit status: 0 done; 2 the request was wrong, and the message says what and how to mend it; 1
//! anything else.

mod calibrate;
mod calibration;
mod compare;
mod console;
mod defects;
mod experiment;
mod files;
mod folder;
mod listing;
mod map;
mod point;
mod query;
mod sample;
mod serve;
mod show;
mod simulate;
mod summary;
mod sweep;
mod wishes;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use emulator::{Effects, Instance, Settings, UnknownEffect};
use hal::transport::Faults;
use serde_json::{Value, json};

use calibrate::CalibrateArguments;
use calibration::CalibrationCommand;
use console::{Console, say};
use defects::{UniformDefects, WaferDefects};
use experiment::How;
use map::MapArguments;
use show::ShowArguments;
use simulate::PeerArguments;

use crate::peer::Peer;

/// Pixels per unit of the pictures.
const PNG_SCALE: f32 = 2.0;
/// Violations that are printed.
const SHOWN_VIOLATIONS: usize = 20;

/// What `--help` shows below the commands.
const EXAMPLES: &str = "\
Examples:
  bss1 experiment list                       what there is, with its parameters
  bss1 experiment run balanced-random-network --set scale=6 --out run
                                             map, run and report: run/report.json, figures, spikes
  bss1 experiment run balanced-random-network --wafer 30 --out run30
                                             the same on a manufactured wafer, calibrated on demand
  bss1 compare run run30 --out both          how alike the two are
  bss1 map cortical-microcircuit --out m.bss1
  bss1 verify m.bss1                         hold the words of a mapping against its claim
  bss1 show m.bss1 --out m.svg               a picture of the wafer
  bss1 completions bash > ~/.local/share/bash-completion/completions/bss1

Human text goes to stderr; with --json one object goes to stdout. Exit status: 0 done, 2 the request
was wrong, 1 anything else. BSS1_HOME is the folder of the calibration database [default: ~/.bss1].";

#[derive(Debug, Parser)]
#[command(
    name = "bss1",
    version,
    about = "Spiking networks on an emulated BrainScaleS-1 wafer",
    after_help = EXAMPLES
)]
struct Cli {
    /// Print one JSON object on stdout, and nothing else there
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List or run the experiments that come with the program
    #[command(subcommand)]
    Experiment(ExperimentCommand),
    /// List the networks that can be mapped by name
    #[command(subcommand)]
    Network(NetworkCommand),
    /// Place and route a network, and verify the words
    Map(MapArguments),
    /// What of a wafer cannot be used
    #[command(subcommand)]
    Defects(DefectsCommand),
    /// Measure chips of a wafer and store their calibration; what was stored stays if it is stopped
    Calibrate(CalibrateArguments),
    /// Show, compare, exchange and evaluate stored calibrations
    #[command(subcommand)]
    Calibration(CalibrationCommand),
    /// Hold a mapping against its configuration words and the wafer it was made for, or another
    Verify {
        /// A mapping, like mapping.bss1 of a run
        mapping: PathBuf,
        #[command(flatten)]
        wafer: WaferDefects,
        /// Of a calibrated mapping: the database with its calibration [default: calibration.db in
        /// BSS1_HOME or ~/.bss1]
        #[arg(long, value_name = "FILE")]
        calibration: Option<PathBuf>,
    },
    /// Draw a mapping, and tell about it on one screen
    Show(ShowArguments),
    /// Run the emulator from register and playback words alone
    Emulate {
        /// Configuration words, like words.bss1 of a run
        words: PathBuf,
        /// Playback words, like input.bss1 of a run
        input: PathBuf,
        #[command(flatten)]
        machine: Machine,
        #[command(flatten)]
        remote: Remote,
        /// Folder for trace.bss1, spikes.csv and counters.json
        #[arg(long)]
        out: PathBuf,
    },
    /// Show the emulator to other processes as the 48 FPGAs of a wafer, over UDP
    ServeWafer {
        #[command(flatten)]
        machine: Machine,
        /// Address to listen at
        #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
        address: IpAddr,
        /// Port of the first FPGA, the others follow; 0: the system chooses
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Lose, double and delay datagrams, each with this probability, to try the protocol
        #[arg(long, default_value_t = 0.0, value_parser = rate)]
        fault_rate: f64,
        /// Seed of the faults
        #[arg(long, default_value_t = 0)]
        fault_seed: u64,
    },
    /// Compare two runs of one network: rates, irregularity, synchrony, correlation, distributions
    Compare {
        /// Folder of a run
        a: PathBuf,
        /// Folder of another run
        b: PathBuf,
        /// Folder of a run as the first one with another seed, which tells how large distances are
        /// anyway; may be repeated
        #[arg(long = "seed-run", value_name = "DIR")]
        seeds: Vec<PathBuf>,
        /// Folder for compare.json and figures
        #[arg(long)]
        out: PathBuf,
    },
    /// Run the realised network of a run in another simulator, and compare
    CoExecute {
        /// Folder of a run
        run: PathBuf,
        /// The simulator
        #[arg(long)]
        peer: Peer,
        #[command(flatten)]
        arguments: PeerArguments,
        /// Folder for its spikes and the comparison
        #[arg(long)]
        out: PathBuf,
    },
    /// Print a script that lets a shell complete commands and options
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write the realised network as arrays for other simulators
    ExportNetwork {
        /// A mapping, like mapping.bss1 of a run
        mapping: PathBuf,
        /// Folder for network.json and .npy files
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum NetworkCommand {
    /// List all networks and their parameters
    List,
}

#[derive(Debug, Subcommand)]
enum DefectsCommand {
    /// The defects of a manufactured wafer
    Show {
        /// Number of the wafer
        #[arg(long, default_value_t = 30)]
        wafer: u32,
    },
    /// Draw defects at one rate for all kinds of components, and write them to a file
    Draw {
        #[command(flatten)]
        request: UniformDefects,
        /// File of defects to write
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum ExperimentCommand {
    /// List all experiments and their parameters
    List,
    /// Run an experiment from end to end
    Run {
        /// Name of the experiment
        name: String,
        /// Set a parameter of the experiment. Lists, as in g=1,4,8,10, are a sweep: every combination, on
        /// one mapping
        #[arg(long = "set", value_name = "KEY=VALUE")]
        settings: Vec<String>,
        #[command(flatten)]
        machine: Machine,
        #[command(flatten)]
        how: Box<How>,
        /// Folder for the report, figures and words
        #[arg(long)]
        out: PathBuf,
    },
}

/// What a report calls a wafer, for titles and legends.
fn wafer_name(wafer: &str) -> String {
    if wafer == "ideal" { "ideal wafer".to_owned() } else { format!("wafer {wafer}") }
}

/// The wafer and the computer that emulates it.
#[derive(Debug, Args)]
struct Machine {
    /// Which wafer: `ideal`, or the number of a manufactured one
    #[arg(long, default_value = "ideal")]
    wafer: Instance,
    /// Switch an effect or a group of effects. The ideal wafer has none unless they are switched on,
    /// a manufactured one all but fg_drift unless they are switched off
    #[arg(long = "effect", value_name = "NAME=on|off", value_parser = effect)]
    effects: Vec<(Effects, bool)>,
    /// Number of threads; results do not depend on it [default: all processors]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl Machine {
    fn effects(&self) -> Effects {
        let default = self.wafer.default_effects();
        self.effects.iter().fold(default, |set, &(which, on)| set.with(which, on))
    }

    fn settings(&self) -> Settings {
        let (instance, effects, threads) = (self.wafer, self.effects(), self.threads());
        Settings { instance, effects, threads, ..Settings::default() }
    }

    fn threads(&self) -> Option<usize> {
        self.threads.map(usize::from)
    }
}

/// A wafer elsewhere.
#[derive(Debug, Clone, Copy, Args)]
struct Remote {
    /// Use the wafer of `bss1 serve-wafer` there, with its effects
    #[arg(
        long = "remote",
        value_name = "HOST:PORT",
        value_parser = socket_address,
        conflicts_with_all = ["effects", "wafer"]
    )]
    address: Option<SocketAddr>,
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    let mut found = text.to_socket_addrs().map_err(|e| format!("{e}; write HOST:PORT"))?;
    found.next().ok_or_else(|| format!("`{text}` has no address"))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|r| (0.0..=0.5).contains(r));
    rate.ok_or_else(|| "write a probability from 0 to 0.5".to_owned())
}

fn effect(text: &str) -> Result<(Effects, bool), String> {
    let (name, state) =
        text.split_once('=').ok_or("write NAME=on or NAME=off, like link_bandwidth=on")?;
    let effects = name.parse().map_err(|e: UnknownEffect| e.to_string())?;
    match state {
        "on" => Ok((effects, true)),
        "off" => Ok((effects, false)),
        _ => Err(format!("`{state}` is neither on nor off")),
    }
}

/// Why a command failed.
#[derive(Debug)]
enum Failure {
    /// The request was wrong.
    Request(anyhow::Error),
    /// Anything else.
    Other(anyhow::Error),
}

impl Failure {
    fn request(error: impl Into<anyhow::Error>) -> Self {
        Self::Request(error.into())
    }

    fn other(error: impl Into<anyhow::Error>) -> Self {
        Self::Other(error.into())
    }
}

/// Runs the program with these arguments, the first being its name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    ExitCode::from(run(args))
}

/// The same; returns the exit status.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error, args.iter().any(|a| a == "--json")),
    };
    let console = Console::new(cli.json);
    let answer = match cli.command {
        Command::Experiment(ExperimentCommand::List) => Ok(listing::experiments()),
        Command::Network(NetworkCommand::List) => Ok(listing::networks()),
        Command::Map(arguments) => map::map(&arguments),
        Command::Calibrate(arguments) => calibrate::calibrate(&arguments),
        Command::Calibration(command) => calibration::run(&command),
        Command::Defects(DefectsCommand::Show { wafer }) => Ok(defects::show(wafer)),
        Command::Defects(DefectsCommand::Draw { request, out }) => defects::draw(&request, &out),
        Command::Experiment(ExperimentCommand::Run { name, settings, machine, how, out }) => {
            experiment::run(&name, &settings, &machine, &how, &out)
        }
        Command::Verify { mapping, wafer, calibration } => {
            files::verify(&mapping, &wafer, calibration.as_deref())
        }
        Command::Show(arguments) => show::show(&arguments),
        Command::Emulate { words, input, machine, remote, out } => {
            files::emulate(&words, &input, &machine, remote, &out)
        }
        Command::ServeWafer { machine, address, port, fault_rate, fault_seed } => {
            let faults = Faults::all(fault_rate, fault_seed);
            serve::serve(&console, &machine, address, port, faults)
        }
        Command::Compare { a, b, seeds, out } => compare::run(&a, &b, &seeds, &out),
        Command::CoExecute { run, peer, arguments, out } => {
            simulate::run(&run, peer, &arguments, &out)
        }
        Command::Completions { shell } => Ok(completions(&console, shell)),
        Command::ExportNetwork { mapping, out } => files::export(&mapping, &out),
    };
    let (status, error) = match answer {
        Ok(value) => {
            console.answer(&value);
            return 0;
        }
        Err(Failure::Request(error)) => (2, error),
        Err(Failure::Other(error)) => (1, error),
    };
    say(&format!("error: {error:#}"));
    console.answer(&failed(status, &format!("{error:#}")));
    status
}

/// The script of a shell, on stdout as it is the answer.
fn completions(console: &Console, shell: Shell) -> Value {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "bss1", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    console.text(&script);
    json!({ "shell": shell.to_string(), "script": script })
}

fn failed(status: u8, message: &str) -> Value {
    json!({ "error": message, "exit_status": status })
}

/// Help, version, or a request that does not parse.
fn refuse(error: &clap::Error, json: bool) -> u8 {
    // nothing sensible can be done if the terminal is gone
    let _ = error.print();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return 0;
    }
    Console::new(json).answer(&failed(2, error.to_string().trim_end()));
    2
}
