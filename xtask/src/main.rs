//! The workbench: runs, tests and checks everything. `cargo xtask --help` lists what it does.
//!
//! It knows no other crate of the workspace: it builds and calls the programs that users call.

#![expect(clippy::print_stderr, reason = "a workbench talks to the person at the terminal")]

mod agreement;
mod calib;
mod ci;
mod e2e;
mod fuzz;
mod mapping;
mod paper;
mod peers;
mod python;
mod shell;
mod speed;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Runs, tests and checks the project")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// The balanced random network from end to end; results in out/demo
    Demo,
    /// All tests
    Test,
    /// Formatting, lints, tidy checks, documentation, all tests
    Ci,
    /// An experiment, its verification, and the same run again from the words alone; without a name
    /// both experiments in quick form, a sweep and wafer 30
    E2e {
        /// Name of the experiment
        experiment: Option<String>,
        /// A small network for a second
        #[arg(long)]
        quick: bool,
    },
    /// Both experiments as their paper has them, beside NEST; writes docs/paper.md. What has results in
    /// target/paper is not run again
    Paper {
        /// Number of the wafer
        #[arg(long, default_value_t = 30)]
        wafer: u32,
        /// Threads of NEST; more than one are slow beside other programs
        #[arg(long, default_value_t = 2)]
        peer_threads: u32,
        /// Write the page of results that are there
        #[arg(long)]
        page_only: bool,
        /// Run anew what rests on the calibration of the wafer, as after a change of it
        #[arg(long, conflicts_with = "page_only")]
        again: bool,
    },
    /// Measurements, and comparisons with other programs
    #[command(subcommand)]
    Bench(Bench),
    /// Random and mutated inputs for every decoder of hal
    Fuzz {
        /// Time for all decoders together
        #[arg(long)]
        seconds: u64,
        /// Repeats an earlier run, which printed this number
        #[arg(long)]
        seed: Option<u64>,
        /// Adds inputs with new findings to the committed ones
        #[arg(long)]
        keep: bool,
    },
    /// API documentation in target/doc
    Doc,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Spreads before and after calibration on three wafers, and the balanced random network
    /// calibrated and not, against the goals
    Calib {
        /// One chip per wafer, and a small network
        #[arg(long)]
        quick: bool,
        /// Results, written after each wafer
        #[arg(long)]
        json: PathBuf,
    },
    /// Times of the Python package: weights read and written, long lists, a second run, first plots
    Front {
        /// Without a script on wafer 30, whose chips are calibrated first
        #[arg(long)]
        quick: bool,
        /// Results
        #[arg(long)]
        json: PathBuf,
    },
    /// Times of hal: the graph of the L1 network, the words of a full wafer
    Hal,
    /// Rates and irregularity of realised networks against NEST; the full run writes
    /// docs/nest-agreement.md
    Nest {
        /// One short point instead of nine long ones and the microcircuit
        #[arg(long)]
        quick: bool,
        /// Keep the points that the file has already, of a run that was stopped
        #[arg(long)]
        resume: bool,
        /// Results, written after each point
        #[arg(long)]
        json: PathBuf,
    },
    /// Speed of the emulator on the published networks, alone or beside other simulators
    Emulator {
        /// Two short runs of each
        #[arg(long)]
        quick: bool,
        /// Installs NEST and Brian2 and runs them in turn with the emulator
        #[arg(long)]
        peers: bool,
        /// Calibration of the manufactured wafer: none, which raises its rates, or a database, in
        /// which missing chips are measured; that takes minutes
        #[arg(long, value_name = "none|FILE", default_value = "none")]
        calibration: String,
        /// Results, written after each network
        #[arg(long)]
        json: PathBuf,
    },
    /// All benchmark networks on whole and damaged wafers; a full run takes up to 3 hours and
    /// writes docs/mapping-benchmark.md
    Mapping {
        /// Whole wafers and automatic sizes only, within 10 minutes
        #[arg(long)]
        quick: bool,
        /// One network only
        #[arg(long)]
        only: Option<String>,
        /// Write the page and plots of results that are there
        #[arg(long, conflicts_with_all = ["quick", "only"])]
        docs_only: bool,
        /// Results, written after each row
        #[arg(long)]
        json: PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Demo => e2e::demo(),
        Task::Test => ci::test(),
        Task::Ci => ci::ci(),
        Task::E2e { experiment, quick } => e2e::e2e(experiment.as_deref(), quick),
        Task::Paper { wafer, peer_threads, page_only, again } => paper::paper(&paper::Request {
            wafer: &wafer.to_string(),
            threads: peer_threads,
            page_only,
            again,
        }),
        Task::Bench(Bench::Calib { quick, json }) => calib::bench(quick, &json),
        Task::Bench(Bench::Hal) => {
            shell::cargo(["run", "--release", "--package", "hal", "--example", "speed"])
        }
        Task::Bench(Bench::Nest { quick, resume, json }) => agreement::nest(quick, resume, &json),
        Task::Bench(Bench::Front { quick, json }) => python::bench(quick, &json),
        Task::Bench(Bench::Emulator { quick, peers, calibration, json }) => {
            speed::bench(quick, peers, &calibration, &json)
        }
        Task::Bench(Bench::Mapping { quick, only, docs_only, json }) => {
            let only = only.as_deref();
            mapping::bench(&mapping::Request { quick, only, json: &json, docs_only })
        }
        Task::Fuzz { seconds, seed, keep } => fuzz::fuzz(seconds, seed, keep),
        Task::Doc => ci::doc(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
