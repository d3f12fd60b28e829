//! `bss1 co-execute`: the realised network of a run in another simulator, and both side by side.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::RangedU64ValueParser;
use hal::archive;
use marocco::SavedMapping;
use serde_json::{Value, json};

use super::console::say;
use super::folder::Folder;
use super::{Failure, compare, sample};
use crate::compare::{read_duration_ms, read_recorded, read_report};
use crate::experiment::Experiment;
use crate::export::Variation;
use crate::peer::{self, Peer, PeerError, PeerRequest, PeerRun};
use crate::report::Recorded;

/// Which simulator, and how it runs.
#[derive(Debug, Clone, Args)]
pub(super) struct PeerArguments {
    /// Cells, weights and delays as on the wafer, or with the published variation around them; or only
    /// weights and delays with it. Where the cells of the run vary already (`--set variation=on`) they stay
    /// as they are
    #[arg(long, default_value = "off", value_parser = ["on", "synapses", "off"])]
    peer_variation: String,
    /// Seed of the variation
    #[arg(long, default_value_t = 1)]
    peer_seed: u64,
    /// Threads of NEST
    #[arg(long, default_value_t = 2, value_parser = RangedU64ValueParser::<usize>::new().range(1..=1024))]
    peer_threads: usize,
    /// Step of the simulator in ms; NEST takes multiples of 0.02 or 0.1 ms
    #[arg(long, default_value_t = 0.1, value_parser = step_ms)]
    peer_resolution: f64,
    /// The Python that has the simulator [default: BSS1_PYTHON, or python3]
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
}

pub(super) fn run(
    run: &Path,
    peer: Peer,
    arguments: &PeerArguments,
    out: &Path,
) -> Result<Value, Failure> {
    arguments.check(peer)?;
    let report = read_report(run).map_err(Failure::request)?;
    let duration_ms = read_duration_ms(run, &report).map_err(Failure::request)?;
    let recorded = read_recorded(run, &report).map_err(Failure::request)?;
    let saved: SavedMapping = archive::read(&run.join("mapping.bss1")).map_err(Failure::request)?;
    let experiment = report["experiment"].as_str().unwrap_or_default();
    let experiment = Experiment::find(experiment).map_err(Failure::request)?;
    let cells_vary = report["parameters"]["variation"] == "on";
    if arguments.cells_vary() && !cells_vary {
        say(
            "the cells of this run were asked for alike, those of the simulation vary: for equal cells run \
             the experiment with --set variation=on",
        );
    }
    let on_wafer =
        OnWafer { mapping: &saved, experiment, cells_vary, recorded: &recorded, duration_ms };
    let done = simulate(&on_wafer, peer, arguments, out)?;
    let both = compare::run(run, out, &[], &out.join("compare"))?;
    Ok(json!({ "peer": done.times, "comparison": both, "folder": out }))
}

/// A step of a simulator in ms.
fn step_ms(text: &str) -> Result<f64, String> {
    let step = text.parse().ok().filter(|step| (0.001..=1.0).contains(step));
    step.ok_or_else(|| "a step is 0.001 to 1 ms".to_owned())
}

impl PeerArguments {
    /// Whether the simulator is there.
    pub(super) fn check(&self, peer: Peer) -> Result<(), Failure> {
        peer::interpreter(peer, self.python.as_deref()).map(|_| ()).map_err(Failure::request)
    }

    /// Whether anything varies around what the wafer has.
    fn varies(&self) -> bool {
        self.peer_variation != "off"
    }

    /// Whether cells do.
    pub(super) fn cells_vary(&self) -> bool {
        self.peer_variation == "on"
    }
}

/// What was run on the wafer.
#[derive(Debug)]
pub(super) struct OnWafer<'a> {
    pub(super) mapping: &'a SavedMapping,
    pub(super) experiment: &'a Experiment,
    /// Whether its cells vary already.
    pub(super) cells_vary: bool,
    pub(super) recorded: &'a [Recorded],
    pub(super) duration_ms: f64,
}

/// Simulates the same, and saves what a comparison needs.
pub(super) fn simulate(
    run: &OnWafer<'_>,
    peer: Peer,
    arguments: &PeerArguments,
    out: &Path,
) -> Result<PeerRun, Failure> {
    let &OnWafer { mapping, experiment, cells_vary, recorded, duration_ms } = run;
    let varies = arguments.varies();
    let cells = arguments.cells_vary() && !cells_vary;
    let seed = arguments.peer_seed;
    let variation = varies.then_some(Variation { spread: experiment.spread, seed, cells });
    let request = PeerRequest {
        peer,
        python: arguments.python.as_deref(),
        duration_ms,
        recorded,
        variation,
        threads: arguments.peer_threads,
        resolution_ms: arguments.peer_resolution,
    };
    say(&format!("running the realised network in {} ...", peer.name()));
    let mut folder = Folder::new(out)?;
    let done = peer::simulate(mapping, &request, out).map_err(|error| match error {
        PeerError::Python { .. } | PeerError::Missing { .. } => Failure::request(error),
        _ => Failure::other(error),
    })?;
    if done.times.again {
        say("it was run with these settings before; its spikes are used again");
    }
    let more = [("simulator", json!(done.times)), ("variation", json!(varies))];
    sample::save(&mut folder, experiment.name, &done.recording, &more)?;
    Ok(done)
}
