//! `bss1 map`: a network by name onto the wafer, without a run.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::anyhow;
use clap::Args;
use hal::archive;
use hal::config::CurrentScaling;
use marocco::mapping::StageTimes;
use marocco::options::Effort;
use marocco::{Capacitor, Choice, MapOptions, NeuronSizeChoice, SavedMapping};
use serde_json::{Value, json};

use super::console::{Stages, say};
use super::defects::WaferDefects;
use super::wishes::Wishes;
use super::{Failure, SHOWN_VIOLATIONS, experiment, summary};
use crate::networks::{Drawn, Recipe};
use crate::realise::{Realised, on_threads, realise};
use crate::session::{capacitor, leak, neuron_size};

/// What to map, and how.
#[derive(Debug, Args)]
pub(super) struct MapArguments {
    /// Name of the network, see `bss1 network list`
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

pub(super) fn map(arguments: &MapArguments) -> Result<Value, Failure> {
    let defects = arguments.wafer.load()?.unwrap_or_default();
    let recipe = Recipe::find(&arguments.network).map_err(Failure::request)?;
    let mut parameters = recipe.defaults();
    for setting in &arguments.settings {
        parameters.set(setting).map_err(Failure::request)?;
    }
    let clock = Instant::now();
    let drawn = recipe.draw(&parameters).map_err(Failure::request)?;
    let draw_s = clock.elapsed().as_secs_f64();
    let Drawn { model, scaling, mode, neuron_size } = drawn;
    let network = model.into_network();

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
    say(&summary::mapping_page(recipe.name, parameters.values(), &report));
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
    answer["parameters"] = json!(parameters.values());
    Ok(answer)
}
