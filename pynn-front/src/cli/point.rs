//! The folder of a run: words, spikes, figures, mapping, the other simulator, report.

use std::collections::BTreeMap;

use anyhow::anyhow;
use hal::defects::Defects;
use marocco::SavedMapping;
use marocco::mapping::StageTimes;

use super::console::say;
use super::experiment::How;
use super::folder::Folder;
use super::simulate::{OnWafer, simulate};
use super::{Failure, SHOWN_VIOLATIONS, wafer_name};
use crate::accounting::{Accounting, Configuring};
use crate::experiment::{Experiment, Protocol};
use crate::figure::{Quantity, distributions_svg, raster_svg, rates_svg};
use crate::parameter::{Parameters, Value as Setting};
use crate::peer::{Peer, PeerRun};
use crate::picture::{self, Facts, View};
use crate::report::{ExperimentReport, Recorded};
use crate::run::Outcome;

/// Populations up to which one histogram shows all rates.
const FEW_POPULATIONS: usize = 4;

/// What a run is of.
#[derive(Debug)]
pub(super) struct Point<'a> {
    pub(super) experiment: &'a Experiment,
    pub(super) parameters: &'a Parameters,
    pub(super) protocol: &'a Protocol,
    /// Of the wafer.
    pub(super) defects: &'a Defects,
    pub(super) how: &'a How,
}

/// What it cost to come to the run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Costs {
    pub(super) mapping_s: f64,
    pub(super) first: Configuring,
    pub(super) again: Configuring,
}

/// A run that lies in its folder.
#[derive(Debug)]
pub(super) struct SavedRun {
    pub(super) report: ExperimentReport,
    pub(super) mapping: SavedMapping,
    /// Of the other simulator, if there was one.
    pub(super) peer: Option<PeerRun>,
    /// Its folder, below that of the run.
    pub(super) peer_folder: Option<&'static str>,
    /// Rules that the words break.
    pub(super) violations: usize,
}

/// Words that do not realise what the mapping claims are a failure, once everything is saved.
pub(super) fn must_verify(violations: usize) -> Result<(), Failure> {
    if violations == 0 {
        return Ok(());
    }
    Err(Failure::other(anyhow!("{violations} violations; the words do not realise the mapping")))
}

impl Point<'_> {
    /// Name of the experiment and the parameters that shape its dynamics.
    pub(super) fn title(&self) -> String {
        let values: &BTreeMap<&'static str, Setting> = self.parameters.values();
        let shaping = ["g", "eta"].into_iter().filter_map(|key| {
            let value = values.get(key)?;
            Some(format!("{key} = {value}"))
        });
        let name = self.experiment.name.replace('-', " ");
        std::iter::once(name).chain(shaping).collect::<Vec<_>>().join(", ")
    }

    /// Writes everything, and runs the other simulator if one was asked for.
    pub(super) fn save(
        &self,
        mut folder: Folder,
        outcome: Outcome,
        costs: Costs,
    ) -> Result<SavedRun, Failure> {
        let Outcome { mut mapping, words, rules, released, recording, .. } = outcome;
        let wafer = wafer_name(&outcome.run_report.wafer);
        let title = format!("{}, {wafer}", self.title());
        folder.archive("words.bss1", &words)?;
        folder.archive("input.bss1", &outcome.input)?;
        folder.archive("trace.bss1", &outcome.trace)?;
        folder.bytes("spikes.csv", recording.to_csv().as_bytes())?;
        let columns = recording.to_parquet().map_err(Failure::other)?;
        folder.bytes("spikes.parquet", &columns)?;
        folder.figure("raster", &raster_svg(&recording, &title).map_err(Failure::other)?)?;
        let network = self.protocol.model.network().clone();
        if recording.populations.len() > FEW_POPULATIONS {
            let run = [(wafer.as_str(), &recording)];
            for (file, quantity) in
                [("rates", Quantity::Rate), ("irregularity", Quantity::Irregularity)]
            {
                let svg = distributions_svg(&run, quantity, &title).map_err(Failure::other)?;
                folder.figure(file, &svg)?;
            }
        } else {
            folder.figure("rates", &rates_svg(&recording, &title).map_err(Failure::other)?)?;
        }
        let facts = Facts::new(&network, &mapping, self.defects);
        folder.figure("wafer", &picture::svg(&facts, View::Wafer))?;
        // times of the mapper would make equal mappings unequal files
        mapping.times = StageTimes::default();
        let mapping = SavedMapping { network, mapping, words, rules, released };
        folder.archive("mapping.bss1", &mapping)?;

        let peer_folder = self.how.peer.map(Peer::name);
        let peer = match self.how.peer {
            None => None,
            Some(peer) => {
                let run = OnWafer {
                    mapping: &mapping,
                    experiment: self.experiment,
                    cells_vary: self.parameters.is("variation", "on"),
                    recorded: &Recorded::of(&recording),
                    duration_ms: self.protocol.duration_ms,
                };
                let folder = folder.path().join(peer.name());
                Some(simulate(&run, peer, &self.how.peer_arguments, &folder)?)
            }
        };
        folder.announce("report.json");
        let run = &outcome.run_report;
        let times = peer.as_ref().map(|p| p.times.clone());
        let Costs { mapping_s, first, again } = costs;
        let report = ExperimentReport::new(
            self.experiment.name,
            self.parameters.values().clone(),
            outcome.mapping_report,
            run.clone(),
            &recording,
            Accounting::new(run, mapping_s, first, again, times),
            folder.files(),
        );
        let text = serde_json::to_string_pretty(&report).map_err(Failure::other)?;
        folder.bytes("report.json", text.as_bytes())?;

        let violations = &outcome.verification.violations;
        for violation in violations.iter().take(SHOWN_VIOLATIONS) {
            say(&violation.to_string());
        }
        let violations = violations.len();
        Ok(SavedRun { report, mapping, peer, peer_folder, violations })
    }
}
