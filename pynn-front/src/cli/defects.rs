//! `bss1 defects`: what of a wafer cannot be used.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use emulator::Instance;
use hal::coord::WaferNumber;
use hal::defects::{Component, ComponentKind, Defects};
use serde_json::{Value, json};

use super::Failure;
use super::console::say;
use crate::defects::uniform;

/// Defects at one rate for all kinds of components.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct UniformDefects {
    /// Probability of each circuit, synapse, driver, line, repeater, switch and merger to fail
    #[arg(long)]
    rate: f64,
    /// Number of reticles that are missing besides, 0 to 48
    #[arg(long, default_value_t = 0)]
    missing_reticles: usize,
    /// Seed of the defects
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl UniformDefects {
    fn draw(self) -> Result<Defects, Failure> {
        uniform(self.rate, self.missing_reticles, self.seed).map_err(Failure::request)
    }
}

/// Which components of the wafer cannot be used.
#[derive(Debug, Args)]
pub(super) struct WaferDefects {
    /// Which wafer: ideal, or the number of a manufactured one with its defects
    #[arg(long, value_name = "ideal|N")]
    wafer: Option<Instance>,
    /// Instead of the wafer's defects: none, or a file like that of `bss1 defects draw`
    #[arg(long, value_name = "none|FILE", conflicts_with = "defect_rate")]
    defects: Option<PathBuf>,
    /// Instead of the wafer's defects: each component fails with this probability
    #[arg(long, value_name = "RATE", conflicts_with = "wafer")]
    defect_rate: Option<f64>,
    /// With a rate: number of missing reticles
    #[arg(long, default_value_t = 0, requires = "defect_rate")]
    missing_reticles: usize,
    /// With a rate: seed of the defects
    #[arg(long, default_value_t = 1, requires = "defect_rate")]
    defect_seed: u64,
}

impl WaferDefects {
    /// Reads or draws them; none if nothing is named.
    pub(super) fn load(&self) -> Result<Option<Defects>, Failure> {
        let named = self.wafer.is_some() || self.defects.is_some() || self.defect_rate.is_some();
        named.then(|| self.load_named()).transpose()
    }

    fn load_named(&self) -> Result<Defects, Failure> {
        if let Some(rate) = self.defect_rate {
            let drawn = uniform(rate, self.missing_reticles, self.defect_seed);
            return drawn.map_err(Failure::request);
        }
        match (&self.defects, self.wafer.unwrap_or_default()) {
            (None, wafer) => Ok(wafer.defects()),
            (Some(path), _) if path.as_os_str() == "none" => Ok(Defects::default()),
            (Some(path), Instance::Ideal) => Defects::read(path).map_err(Failure::request),
            (Some(path), Instance::Manufactured(wafer)) => {
                Defects::read_for(path, wafer).map_err(Failure::request)
            }
        }
    }
}

/// The defects of a manufactured wafer.
pub(super) fn show(wafer: u32) -> Value {
    let defects = Defects::manufactured(WaferNumber(wafer));
    page(&format!("wafer {wafer}"), &defects);
    answer(&defects)
}

/// Draws defects and writes them to a file.
pub(super) fn draw(request: &UniformDefects, out: &Path) -> Result<Value, Failure> {
    let defects = request.draw()?;
    defects.write(out).map_err(Failure::request)?;
    page(&out.display().to_string(), &defects);
    Ok(json!({ "counts": counts(&defects), "files": [out] }))
}

/// Marked components of each kind that occurs, and how many there are on a wafer.
fn page(name: &str, defects: &Defects) {
    say(name);
    for (kind, count) in defects.counts() {
        if count > 0 {
            let all = kind.per_wafer();
            let percent = 100.0 * count as f64 / all as f64;
            say(&format!("  {:<22} {count:>8} of {all:>9} ({percent:.2} %)", kind.name()));
        }
    }
}

fn counts(defects: &Defects) -> BTreeMap<&'static str, usize> {
    defects.counts().into_iter().map(|(kind, count)| (kind.name(), count)).collect()
}

/// Counts by kind, and the names of the marked components by kind; `not_usable` counts those that
/// cannot be used because of another as well.
fn answer(defects: &Defects) -> Value {
    let mut lists: BTreeMap<&'static str, Vec<String>> =
        ComponentKind::ALL.map(|kind| (kind.name(), Vec::new())).into();
    for component in defects.iter() {
        let kind = match component {
            Component::Reticle(_) => ComponentKind::Reticle,
            Component::Hicann(_) => ComponentKind::Hicann,
            Component::HighspeedLink(_) => ComponentKind::HighspeedLink,
            Component::OnHicann(_, local) => local.kind(),
        };
        lists.entry(kind.name()).or_default().push(component.to_string());
    }
    json!({
        "wafer": defects.wafer.map(|wafer| wafer.0),
        "counts": counts(defects),
        "not_usable": counts(&defects.propagated()),
        "components": lists,
    })
}
