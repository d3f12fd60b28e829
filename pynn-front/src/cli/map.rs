//! `bss1 map`: a network by name, from a file or from a PyNN script onto the wafer, without a run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::anyhow;
use clap::Args;
use hal::archive::{self, ArchiveError};
use hal::config::CurrentScaling;
use marocco::mapping::StageTimes;
use marocco::options::Effort;
use marocco::{Capacitor, Choice, MapOptions, ModeChoice, NeuronSizeChoice, SavedMapping};
use serde_json::{Value as Json, json};

use super::console::{Stages, say};
use super::defects::WaferDefects;
use super::wishes::Wishes;
use super::{Failure, SHOWN_VIOLATIONS, experiment, summary};
use crate::described::{Described, of_script};
use crate::networks::{Drawn, Recipe};
use crate::parameter::Value;
use crate::realise::{Realised, on_threads, realise};
use crate::session::{capacitor, leak, neuron_size};

/// What to map, and how.
#[derive(Debug, Args)]
pub(super) struct MapArguments {
    /// Name of the network, see `bss1 network list`; or a PyNN script (.py), which runs until its first
    /// `run` with the Python of BSS1_PYTHON [default: python3]; or a file of a network or a mapping
    /// (.bss1)
    network: String,
    /// Set a parameter of the network
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    #[command(flatten)]
    wafer: WaferDefects,
    /// Time for the search: quick, normal or max
    #[arg(long, default_value = "normal")]
    effort: Effort,
    /// Circuits per neuron: auto or an even number, 2 to 64 [default: that of the network]
    #[arg(long, value_name = "auto|N", value_parser = neuron_size)]
    neuron_size: Option<NeuronSizeChoice>,
    /// Membrane capacitor of the chips: auto, big or small [default: that of the network]
    #[arg(long, value_name = "auto|big|small", value_parser = capacitor)]
    capacitor: Option<Choice<Capacitor>>,
    /// Leak of the chips: auto, slow, normal or fast [default: that of the network]
    #[arg(long, value_name = "auto|slow|normal|fast", value_parser = leak)]
    leak: Option<Choice<CurrentScaling>>,
    #[command(flatten)]
    wishes: Wishes,
    /// Seed of the mapper
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Number of threads; results do not depend on it [default: all processors]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Mapping to write; without it there is a report only
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(super) fn map(arguments: &MapArguments) -> Result<Json, Failure> {
    let defects = arguments.wafer.load()?.unwrap_or_default();
    let clock = Instant::now();
    let (described, values) = described(&arguments.network, &arguments.settings)?;
    let draw_s = clock.elapsed().as_secs_f64();
    let Described { network, scaling, mode, neuron_size } = described;

    let mut options = MapOptions::new(scaling, mode);
    options.neuron_size = arguments.neuron_size.unwrap_or(neuron_size);
    options.mode.capacitor = arguments.capacitor.unwrap_or(options.mode.capacitor);
    options.mode.leak = arguments.leak.unwrap_or(options.mode.leak);
    options.effort = arguments.effort;
    options.seed = arguments.seed;
    arguments.wishes.apply(&network, &mut options)?;
    let stages = Stages::new();
    let realised = on_threads(arguments.threads.map(usize::from), |_| {
        realise(&network, &options, &defects, &mut |p| stages.note(p))
    });
    stages.done();
    let realised = realised.and_then(|r| r).map_err(experiment::failure)?;
    let Realised { mut mapping, words, rules, verification, encode_s, verify_s, .. } = realised;

    let report = marocco::report(&network, &mapping, verification.is_ok());
    say(&summary::mapping_page(&arguments.network, &values, &report));
    let violations = &verification.violations;
    for violation in violations.iter().take(SHOWN_VIOLATIONS) {
        say(&violation.to_string());
    }
    if !violations.is_empty() {
        let n = violations.len();
        return Err(Failure::other(anyhow!(
            "{n} violations; the words do not realise the mapping"
        )));
    }
    if let Some(out) = &arguments.out {
        // times of the mapper would make equal mappings unequal files
        mapping.times = StageTimes::default();
        let saved = SavedMapping { network, mapping, words, rules, released: None };
        archive::write(out, &saved).map_err(Failure::request)?;
        say(&format!("  mapping        {}", out.display()));
    }
    let mut answer = serde_json::to_value(&report).map_err(Failure::other)?;
    let wall_s = &mut answer["wall_s"];
    wall_s["draw"] = json!(draw_s);
    wall_s["encode"] = json!(encode_s);
    wall_s["verify"] = json!(verify_s);
    wall_s["verified"] = json!(report.wall_s.total + encode_s + verify_s);
    answer["parameters"] = json!(values);
    Ok(answer)
}

/// The network that is asked for, and the parameters of one that has a name.
fn described(
    name: &str,
    settings: &[String],
) -> Result<(Described, BTreeMap<&'static str, Value>), Failure> {
    let path = Path::new(name);
    let extension = path.extension().and_then(|e| e.to_str());
    let of_file = match extension {
        Some("py") => Some(of_script(path).map_err(Failure::request)?),
        Some("bss1") => Some(of_archive(path)?),
        _ => None,
    };
    if let Some(described) = of_file {
        if let Some(setting) = settings.first() {
            let text = format!("--set {setting}: networks of files have no parameters to set");
            return Err(Failure::request(anyhow!(text)));
        }
        return Ok((described, BTreeMap::new()));
    }
    let recipe = Recipe::find(name).map_err(Failure::request)?;
    let mut parameters = recipe.defaults();
    for setting in settings {
        parameters.set(setting).map_err(Failure::request)?;
    }
    let Drawn { model, scaling, mode, neuron_size } =
        recipe.draw(&parameters).map_err(Failure::request)?;
    let (network, mode) = (model.into_network(), mode.into());
    Ok((Described { network, scaling, mode, neuron_size }, parameters.values().clone()))
}

/// The network of a file of one, or of a mapping, whose chips then have any capacitor and leak.
fn of_archive(path: &Path) -> Result<Described, Failure> {
    match archive::read::<Described>(path) {
        Err(ArchiveError::WrongKind { .. }) => {
            let saved: SavedMapping = archive::read(path).map_err(Failure::request)?;
            let (network, scaling) = (saved.network, saved.mapping.scaling);
            let (mode, neuron_size) = (ModeChoice::default(), NeuronSizeChoice::Auto);
            Ok(Described { network, scaling, mode, neuron_size })
        }
        read => read.map_err(Failure::request),
    }
}
