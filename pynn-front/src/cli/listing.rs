//! `bss1 experiment list` and `bss1 network list`: what there is, and what of it can be set.

use serde_json::{Value, json};

use super::console::say;
use crate::experiment::EXPERIMENTS;
use crate::networks::RECIPES;
use crate::parameter::Parameter;

pub(super) fn experiments() -> Value {
    let describe = |e: &crate::experiment::Experiment| {
        describe(e.name, e.summary, e.parameters);
        json!({ "name": e.name, "summary": e.summary, "parameters": parameters(e.parameters) })
    };
    json!({ "experiments": EXPERIMENTS.iter().map(describe).collect::<Vec<_>>() })
}

pub(super) fn networks() -> Value {
    let describe = |r: &crate::networks::Recipe| {
        describe(r.name, r.summary, r.parameters);
        json!({
            "name": r.name, "summary": r.summary, "parameters": parameters(r.parameters),
            "benchmark": r.benchmark, "benchmark_neuron_sizes": r.benchmark_neuron_sizes,
        })
    };
    json!({ "networks": RECIPES.iter().map(describe).collect::<Vec<_>>() })
}

/// For people.
fn describe(name: &str, summary: &str, parameters: &[Parameter]) {
    say(&format!("{name}\n  {summary}"));
    for p in parameters {
        let range = format!("{} {}", p.domain, p.unit);
        say(&format!(
            "    {:<16} {:<7} {:<36} {}",
            p.name,
            p.default.to_string(),
            range.trim_end(),
            p.meaning
        ));
    }
}

/// For scripts.
fn parameters(parameters: &[Parameter]) -> Vec<Value> {
    let describe = |p: &Parameter| {
        json!({
            "name": p.name, "default": p.default, "range": p.domain.to_string(),
            "unit": p.unit, "meaning": p.meaning,
        })
    };
    parameters.iter().map(describe).collect()
}
