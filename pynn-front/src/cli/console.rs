//! What a person and a script see: text and progress on stderr, JSON on stdout.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use marocco::Stage;
use serde_json::Value;

use crate::run::Progress;

/// A line or page for people.
pub(super) fn say(text: &str) {
    // a closed pipe is no reason to stop working
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Where answers go.
#[derive(Debug)]
pub(super) struct Console {
    json: bool,
}

impl Console {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// An answer that is a text, for those who did not ask for JSON.
    pub(super) fn text(&self, text: &str) {
        if !self.json {
            let _ = write!(std::io::stdout(), "{text}");
        }
    }

    /// The answer for scripts, if they asked for it.
    pub(super) fn answer(&self, value: &Value) {
        if self.json {
            let _ = writeln!(std::io::stdout(), "{value:#}");
        }
    }
}

/// Shows the stages of a run: a bar on a terminal, a line per stage elsewhere.
#[derive(Debug)]
pub(super) struct Stages {
    bar: Option<ProgressBar>,
    last: Mutex<Option<&'static str>>,
}

impl Stages {
    pub(super) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{msg:<28} {bar:30} {percent:>3} % {elapsed}")
                .expect("the template is well formed");
            ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr())
                .with_style(style)
        });
        Self { bar, last: Mutex::new(None) }
    }

    /// Takes note of progress.
    pub(super) fn note(&self, progress: Progress) {
        let name = name(progress);
        let Ok(mut last) = self.last.lock() else { return };
        let is_new = *last != Some(name);
        *last = Some(name);
        match &self.bar {
            Some(bar) => {
                if is_new {
                    bar.set_message(name);
                    bar.tick();
                }
                bar.set_position((1000.0 * share(progress)) as u64);
            }
            None if is_new => say(&format!("{name} ...")),
            None => {}
        }
    }

    /// Removes the bar.
    pub(super) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

const fn name(progress: Progress) -> &'static str {
    match progress {
        Progress::Calibrating { .. } => "calibrating chips",
        Progress::Mapping(Stage::Placement) => "placing neurons and inputs",
        Progress::Mapping(Stage::Routing) => "routing on L1",
        Progress::Mapping(Stage::Synapses) => "assigning drivers, synapses",
        Progress::Mapping(Stage::Parameters) => "translating parameters",
        Progress::Trimming => "choosing the circuits that fire",
        Progress::Encoding => "encoding words",
        Progress::Verifying => "verifying the words",
        Progress::Configuring => "configuring the wafer",
        Progress::Emulating(_) => "running the wafer",
        Progress::Reading => "reading the trace",
    }
}

/// Share of the whole, from how long the parts take as a rule.
fn share(progress: Progress) -> f64 {
    match progress {
        Progress::Calibrating { .. } | Progress::Mapping(Stage::Placement) => 0.0,
        Progress::Mapping(Stage::Routing) => 0.1,
        Progress::Mapping(Stage::Synapses) => 0.15,
        Progress::Mapping(Stage::Parameters) => 0.4,
        Progress::Trimming => 0.42,
        Progress::Encoding => 0.45,
        Progress::Verifying => 0.5,
        Progress::Configuring => 0.55,
        Progress::Emulating(share) => 0.6 + 0.35 * share,
        Progress::Reading => 0.95,
    }
}
