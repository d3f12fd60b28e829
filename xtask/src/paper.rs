//! `cargo xtask paper`: both experiments as their paper has them, with NEST beside them, and the page
//! `docs/paper.md` about it.

mod page;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::peers::Peer;
use crate::{e2e, shell};

/// What to run.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// The wafer.
    pub(crate) wafer: &'a str,
    /// Threads of NEST; with one it gets along with other programs.
    pub(crate) threads: u32,
    /// Write the page of results that are there.
    pub(crate) page_only: bool,
    /// Run the manufactured wafer anew; NEST where the realised network is another one.
    pub(crate) again: bool,
}

/// Folders of what rests on the calibration.
const MANUFACTURED: [&str; 6] =
    ["sweep", "point", "cortical", "cortical-uniform", "cortical-nest-2", "cortical-nest-3"];

/// Simulations whose times the page shows: they are made anew with the runs of the wafer, so that the same
/// machine in the same state did both.
const TIMED: [&str; 2] = ["point/nest/simulated", "cortical/nest/simulated"];

/// Runs what has no results yet, and writes the page.
pub(crate) fn paper(request: &Request<'_>) -> Result<()> {
    let out = shell::target().join("paper");
    if !request.page_only {
        fs::create_dir_all(&out).with_context(|| out.display().to_string())?;
        if request.again {
            // what NEST made of the same realised network stays of use
            let reports = MANUFACTURED.map(|name| out.join(name).join("report.json"));
            for report in reports.iter().filter(|f| f.exists()) {
                fs::remove_file(report).with_context(|| report.display().to_string())?;
            }
            for folder in TIMED.map(|name| out.join(name)).iter().filter(|f| f.exists()) {
                fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
            }
        }
        let bss1 = shell::bss1()?;
        let python = Peer::Nest.install()?.python().display().to_string();
        let threads = request.threads.to_string();
        let run = Run {
            bss1: &bss1,
            out: &out,
            wafer: request.wafer,
            python: &python,
            threads: &threads,
        };
        run.all()?;
    }
    page::write(&out, request.wafer)
}

/// What every run needs.
struct Run<'a> {
    bss1: &'a Path,
    out: &'a Path,
    wafer: &'a str,
    python: &'a str,
    threads: &'a str,
}

impl Run<'_> {
    fn all(&self) -> Result<()> {
        let balanced = "balanced-random-network";
        let cortical = "cortical-microcircuit";
        // the sweep first: other runs of the network use its calibrated chips again
        self.experiment(
            "sweep",
            balanced,
            &["g=1,4,8,10", "eta=0.8,1.6,2.4,3.2", "simulation_time=3000"],
            self.wafer,
            &[],
        )?;
        self.experiment(
            "sweep-ideal",
            balanced,
            &["g=1,4,8,10", "eta=0.8,1.6,2.4,3.2", "simulation_time=3000"],
            "ideal",
            &["--peer-resolution", "0.05"],
        )?;
        self.experiment("point", balanced, &["g=8", "eta=0.8"], self.wafer, &[])?;
        self.experiment("cortical-ideal", cortical, &[], "ideal", &["--peer-resolution", "0.05"])?;
        self.experiment(
            "cortical",
            cortical,
            &["second_sample_after_s=1000"],
            self.wafer,
            &["--peer-variation", "on"],
        )?;
        self.experiment(
            "cortical-uniform",
            cortical,
            &["variation=off"],
            self.wafer,
            &["--peer-variation", "synapses"],
        )?;
        // how far apart draws of the variation are from each other
        for seed in ["2", "3"] {
            let folder = format!("cortical-nest-{seed}");
            if self.is_missing(&folder) {
                let (run, out) = (self.folder("cortical"), self.folder(&folder));
                let mut arguments = vec!["co-execute", &run, "--peer", "nest", "--out", &out];
                arguments.extend(["--peer-variation", "on", "--peer-seed", seed]);
                arguments.extend(["--python", self.python, "--peer-threads", self.threads]);
                shell::run(self.bss1, arguments)?;
            }
        }
        let (nest, run) = (self.folder("cortical/nest"), self.folder("cortical"));
        let seeds = ["2", "3"].map(|seed| self.folder(&format!("cortical-nest-{seed}")));
        let out = self.folder("cortical-compared");
        let [two, three] = &seeds;
        let arguments =
            ["compare", &nest, &run, "--seed-run", two, "--seed-run", three, "--out", &out];
        shell::run(self.bss1, arguments)
    }

    fn folder(&self, name: &str) -> String {
        self.out.join(name).display().to_string()
    }

    fn is_missing(&self, name: &str) -> bool {
        let report: PathBuf = self.out.join(name).join("report.json");
        !report.exists()
    }

    /// An experiment with NEST beside it, if it has not been run.
    fn experiment(
        &self,
        folder: &str,
        name: &str,
        settings: &[&str],
        wafer: &str,
        more: &[&str],
    ) -> Result<()> {
        if !self.is_missing(folder) {
            eprintln!("{folder}: there are results; remove them to run it anew");
            return Ok(());
        }
        let mut arguments = vec!["--wafer", wafer, "--peer", "nest", "--python", self.python];
        arguments.extend(["--peer-threads", self.threads]);
        arguments.extend_from_slice(more);
        shell::run(self.bss1, e2e::experiment(name, settings, &arguments, &self.out.join(folder)))
    }
}
