//! What can be asked of the mapper for single populations, and its limits: flags of `bss1 map`, and a
//! file of requests.
//!
//! ```toml
//! chain_length = 3
//! exclude = [0, 1]
//! max_route_hicanns = 30
//!
//! [[request]]
//! population = "exc"
//! members = [0, 100]
//! chips = [93, 94]
//! size = 8
//!
//! [[priority]]
//! projection = "exc->inh"
//! weight = 10
//! ```

use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use hal::coord::{FpgaOnWafer, HicannOnWafer, NeuronBlockOnHicann, OnWafer};
use marocco::mapping::LogicalNeuron;
use marocco::network::{Network, PopulationId};
use marocco::options::{Prioritised, Priority};
use marocco::requests::{Place, Request};
use marocco::{MapOptions, ModeChoice, NeuronSize, NeuronSizeChoice, VariedReset};
use serde::Deserialize;

use super::Failure;
use crate::session::{capacitor, leak, neuron_size};

/// Wishes and limits on the command line.
#[derive(Debug, Args)]
pub(super) struct Wishes {
    /// A TOML file of requests, priorities and limits; flags add to it
    #[arg(long, value_name = "FILE")]
    requests: Option<PathBuf>,
    /// Place a population on these chips: neurons, or the inputs of spike sources
    #[arg(long = "pin", value_name = "POPULATION=CHIP,...", value_parser = pin)]
    pins: Vec<(String, Vec<usize>)>,
    /// Circuits per neuron of a population, auto or an even number
    #[arg(long = "size", value_name = "POPULATION=N", value_parser = size)]
    sizes: Vec<(String, NeuronSizeChoice)>,
    /// What a synapse of a projection, or from a population, is worth, 1 to 100: the most valuable
    /// ones are lost last
    #[arg(long = "priority", value_name = "LABEL=WEIGHT", value_parser = priority)]
    priorities: Vec<(String, u8)>,
    /// Chips that get no neurons and no inputs
    #[arg(long, value_name = "CHIP,...", value_delimiter = ',')]
    exclude: Vec<usize>,
    /// Longest chain of synapse drivers on one bus, 1 to 8 [default: 3]
    #[arg(long)]
    chain_length: Option<usize>,
    /// Most closed crossbar switches per line of a chip [default: 1]
    #[arg(long)]
    max_crossbar_switches: Option<usize>,
    /// Most closed synapse switches per vertical line of a chip [default: 1]
    #[arg(long)]
    max_synapse_switches: Option<usize>,
    /// Most chips of a route [default: any number]
    #[arg(long, value_name = "CHIPS")]
    max_route: Option<usize>,
    /// Neurons of a population that want different v_reset: average or refuse [default: average]
    #[arg(long, value_name = "average|refuse", value_parser = varied_reset)]
    varied_reset: Option<VariedReset>,
}

/// A file of requests.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    chain_length: Option<usize>,
    exclude: Option<Vec<usize>>,
    max_crossbar_switches: Option<usize>,
    max_synapse_switches: Option<usize>,
    max_route_hicanns: Option<usize>,
    bandwidth_utilisation: Option<f64>,
    varied_reset: Option<String>,
    #[serde(default, rename = "request")]
    requests: Vec<RequestEntry>,
    #[serde(default, rename = "priority")]
    priorities: Vec<PriorityEntry>,
}

/// One `[[request]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestEntry {
    population: String,
    /// First member and end; all members if absent.
    members: Option<[usize; 2]>,
    chips: Option<Vec<usize>>,
    fpgas: Option<Vec<usize>>,
    /// Like `H93.nb0`.
    blocks: Option<Vec<String>>,
    /// Chip, first column and number of columns of each member.
    circuits: Option<Vec<[usize; 3]>>,
    size: Option<usize>,
    capacitor: Option<String>,
    leak: Option<String>,
}

/// One `[[priority]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriorityEntry {
    projection: Option<String>,
    population: Option<String>,
    weight: u8,
}

impl Wishes {
    /// Adds all wishes to the options.
    pub(super) fn apply(&self, network: &Network, options: &mut MapOptions) -> Result<(), Failure> {
        if let Some(path) = &self.requests {
            let mut read = || -> anyhow::Result<()> {
                let file: File = toml::from_str(&std::fs::read_to_string(path)?)?;
                file.apply(network, options)
            };
            read().with_context(|| path.display().to_string()).map_err(Failure::Request)?;
        }
        self.apply_flags(network, options).map_err(Failure::Request)
    }

    fn apply_flags(&self, network: &Network, options: &mut MapOptions) -> anyhow::Result<()> {
        for (label, list) in &self.pins {
            let place = Some(Place::Hicanns(chips(list)?));
            request_about(network, options, label)?.place = place;
        }
        for (label, size) in &self.sizes {
            request_about(network, options, label)?.size = Some(*size);
        }
        for (label, weight) in &self.priorities {
            add_priority(network, options, label, *weight)?;
        }
        options.excluded.extend(chips(&self.exclude)?);
        set(&mut options.chain_length, self.chain_length);
        set(&mut options.max_crossbar_switches, self.max_crossbar_switches);
        set(&mut options.max_synapse_switches, self.max_synapse_switches);
        set(&mut options.varied_reset, self.varied_reset);
        options.max_route_hicanns = self.max_route.or(options.max_route_hicanns);
        Ok(())
    }
}

fn set<T>(option: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *option = value;
    }
}

impl File {
    fn apply(self, network: &Network, options: &mut MapOptions) -> anyhow::Result<()> {
        set(&mut options.chain_length, self.chain_length);
        set(&mut options.max_crossbar_switches, self.max_crossbar_switches);
        set(&mut options.max_synapse_switches, self.max_synapse_switches);
        set(&mut options.bandwidth_utilisation, self.bandwidth_utilisation);
        options.max_route_hicanns = self.max_route_hicanns.or(options.max_route_hicanns);
        options.excluded.extend(chips(&self.exclude.unwrap_or_default())?);
        if let Some(name) = &self.varied_reset {
            options.varied_reset = varied_reset(name).map_err(|e| anyhow!("varied_reset: {e}"))?;
        }
        for entry in self.requests {
            let label = entry.population.clone();
            let request = entry
                .request(network, options)
                .with_context(|| format!("request about `{label}`"))?;
            options.requests.push(request);
        }
        for PriorityEntry { projection, population, weight } in self.priorities {
            match (projection, population) {
                (Some(label), None) => {
                    let of = projections(network, &label);
                    options.priorities.extend(of.map(|of| Priority { of, weight }));
                    if projections(network, &label).next().is_none() {
                        bail!("no projection is called `{label}`");
                    }
                }
                (None, Some(label)) => {
                    let of = Prioritised::Population(population_called(network, &label)?);
                    options.priorities.push(Priority { of, weight });
                }
                _ => bail!("a priority has either a projection or a population"),
            }
        }
        Ok(())
    }
}

impl RequestEntry {
    fn request(self, network: &Network, options: &MapOptions) -> anyhow::Result<Request> {
        let population = population_called(network, &self.population)?;
        let mut places = Vec::new();
        if let Some(list) = &self.chips {
            places.push(Place::Hicanns(chips(list)?));
        }
        if let Some(list) = &self.fpgas {
            let fpga = |&n: &usize| FpgaOnWafer::try_from(n).map_err(|e| anyhow!("FPGA {n}: {e}"));
            places.push(Place::Fpgas(list.iter().map(fpga).collect::<anyhow::Result<_>>()?));
        }
        if let Some(list) = &self.blocks {
            let block = |name: &String| {
                let block: Result<OnWafer<NeuronBlockOnHicann>, _> = name.parse();
                block.map_err(|e| anyhow!("block `{name}`: {e}; write one like H93.nb0"))
            };
            places.push(Place::Blocks(list.iter().map(block).collect::<anyhow::Result<_>>()?));
        }
        if let Some(list) = &self.circuits {
            places.push(Place::Circuits(list.iter().map(circuits).collect::<anyhow::Result<_>>()?));
        }
        if places.len() > 1 {
            bail!("it has several kinds of places; give chips, fpgas, blocks or circuits");
        }
        let mode = if self.capacitor.is_some() || self.leak.is_some() {
            let mut mode: ModeChoice = options.mode;
            if let Some(name) = &self.capacitor {
                mode.capacitor = capacitor(name)?;
            }
            if let Some(name) = &self.leak {
                mode.leak = leak(name)?;
            }
            Some(mode)
        } else {
            None
        };
        let size = self.size.map(NeuronSize::try_from).transpose()?.map(NeuronSizeChoice::Fixed);
        let members = self.members.map(|[first, end]| first..end);
        Ok(Request { population, members, place: places.pop(), size, mode })
    }
}

/// The request about all of a population that flags make, one for each population.
fn request_about<'a>(
    network: &Network,
    options: &'a mut MapOptions,
    label: &str,
) -> anyhow::Result<&'a mut Request> {
    let population = population_called(network, label)?;
    let is_ours = |r: &Request| r.population == population && r.members.is_none();
    let place = options.requests.iter().position(is_ours).unwrap_or_else(|| {
        let fresh = Request { population, members: None, place: None, size: None, mode: None };
        options.requests.push(fresh);
        options.requests.len() - 1
    });
    Ok(&mut options.requests[place])
}

/// A priority of all projections with a label, or of what starts at a population.
fn add_priority(
    network: &Network,
    options: &mut MapOptions,
    label: &str,
    weight: u8,
) -> anyhow::Result<()> {
    let mut of: Vec<Prioritised> = projections(network, label).collect();
    if of.is_empty() {
        let population = population_called(network, label)
            .map_err(|e| anyhow!("no projection is called `{label}`, and {e}"))?;
        of.push(Prioritised::Population(population));
    }
    options.priorities.extend(of.into_iter().map(|of| Priority { of, weight }));
    Ok(())
}

fn projections(network: &Network, label: &str) -> impl Iterator<Item = Prioritised> {
    network
        .projections()
        .filter(move |(_, p)| p.label == label)
        .map(|(id, _)| Prioritised::Projection(id))
}

fn population_called(network: &Network, label: &str) -> anyhow::Result<PopulationId> {
    let found = network.populations().find(|(_, p)| p.label == label);
    found.map(|(id, _)| id).ok_or_else(|| {
        let known: Vec<&str> =
            network.populations().map(|(_, p)| p.label.as_str()).take(20).collect();
        anyhow!("no population is called `{label}`; there are {}", known.join(", "))
    })
}

fn chips(numbers: &[usize]) -> anyhow::Result<Vec<HicannOnWafer>> {
    let chip = |&n: &usize| HicannOnWafer::try_from(n).map_err(|e| anyhow!("chip {n}: {e}"));
    numbers.iter().map(chip).collect()
}

fn circuits(&[chip, column, width]: &[usize; 3]) -> anyhow::Result<LogicalNeuron> {
    let hicann = HicannOnWafer::try_from(chip).map_err(|e| anyhow!("chip {chip}: {e}"))?;
    let byte = |n: usize, what| u8::try_from(n).with_context(|| format!("{what} {n}: 0 to 255"));
    let (column, width) = (byte(column, "column")?, byte(width, "number of columns")?);
    Ok(LogicalNeuron { hicann, column, width })
}

/// `LABEL=VALUE`, split at the last equals sign.
fn labelled(text: &str) -> Result<(String, &str), String> {
    let (label, value) = text.rsplit_once('=').ok_or("write LABEL=VALUE")?;
    Ok((label.to_owned(), value))
}

fn pin(text: &str) -> Result<(String, Vec<usize>), String> {
    let (label, list) = labelled(text)?;
    let chip = |n: &str| n.trim().parse().map_err(|_| format!("`{n}` is no number of a chip"));
    Ok((label, list.split(',').map(chip).collect::<Result<_, _>>()?))
}

fn size(text: &str) -> Result<(String, NeuronSizeChoice), String> {
    let (label, value) = labelled(text)?;
    Ok((label, neuron_size(value).map_err(|e| e.to_string())?))
}

fn priority(text: &str) -> Result<(String, u8), String> {
    let (label, value) = labelled(text)?;
    Ok((label, value.parse().map_err(|_| format!("`{value}` is no number from 1 to 100"))?))
}

fn varied_reset(text: &str) -> Result<VariedReset, String> {
    match text {
        "average" => Ok(VariedReset::Average),
        "refuse" => Ok(VariedReset::Refuse),
        _ => Err("write average or refuse".to_owned()),
    }
}
