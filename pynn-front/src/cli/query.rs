//! Questions to a mapping: one neuron, chip, bus or driver, as text and as JSON.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, anyhow};
use clap::Args;
use hal::coord::{
    Coordinate as _, DncMergerOnHicann, HicannOnWafer, OnWafer, SynapseDriverOnHicann,
};
use marocco::SavedMapping;
use marocco::mapping::{Bus, DriverChain, SynapseFate};
use marocco::query::{Atlas, Member, SynapseId};
use serde_json::{Value, json};

use super::Failure;
use super::console::say;

/// What is asked for; one of these.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct Question {
    /// Tell about a neuron or source
    #[arg(long, value_name = "POPULATION:INDEX")]
    neuron: Option<String>,
    /// Tell about a chip
    #[arg(long, value_name = "N")]
    hicann: Option<usize>,
    /// Tell about a bus, like H93.dnc3
    #[arg(long, value_name = "H<N>.dnc<M>")]
    bus: Option<String>,
    /// Tell about a synapse driver, like H93.drv17
    #[arg(long, value_name = "H<N>.drv<M>")]
    driver: Option<String>,
}

impl Question {
    /// The answer, if something is asked.
    pub(super) fn answer(&self, saved: &SavedMapping) -> Result<Option<Value>, Failure> {
        self.answered(saved).map_err(Failure::Request)
    }

    fn answered(&self, saved: &SavedMapping) -> anyhow::Result<Option<Value>> {
        if self.neuron.is_none()
            && self.hicann.is_none()
            && self.bus.is_none()
            && self.driver.is_none()
        {
            return Ok(None);
        }
        let atlas = Atlas::new(&saved.network, &saved.mapping);
        let teller = Teller { saved, atlas };
        let answer = if let Some(name) = &self.neuron {
            teller.neuron(name)?
        } else if let Some(number) = self.hicann {
            let chip =
                HicannOnWafer::try_from(number).map_err(|e| anyhow!("chip {number}: {e}"))?;
            teller.hicann(chip)
        } else if let Some(name) = &self.bus {
            let bus: OnWafer<DncMergerOnHicann> =
                name.parse().map_err(|e| anyhow!("bus `{name}`: {e}"))?;
            teller.bus(Bus { hicann: bus.hicann, merger: bus.local })?
        } else {
            let name = self.driver.as_deref().unwrap_or_default();
            let driver: OnWafer<SynapseDriverOnHicann> =
                name.parse().map_err(|e| anyhow!("driver `{name}`: {e}"))?;
            teller.driver(driver)?
        };
        print(&answer);
        Ok(Some(answer))
    }
}

/// The entries of an answer, lists by their length.
fn print(answer: &Value) {
    for (key, value) in answer.as_object().into_iter().flatten() {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Array(list) if list.len() > 12 || list.iter().any(Value::is_object) => {
                format!("{} entries, see --json", list.len())
            }
            other => other.to_string(),
        };
        say(&format!("  {key:<20} {text}"));
    }
}

/// A mapping that answers.
struct Teller<'a> {
    saved: &'a SavedMapping,
    atlas: Atlas<'a>,
}

impl Teller<'_> {
    fn name(&self, member: Member) -> String {
        format!("{}:{}", self.saved.network.population(member.population).label, member.index)
    }

    fn neuron(&self, name: &str) -> anyhow::Result<Value> {
        let network = &self.saved.network;
        let (label, index) = name
            .rsplit_once(':')
            .with_context(|| format!("neuron `{name}`: write POPULATION:INDEX"))?;
        let (population, found) =
            network.populations().find(|(_, p)| p.label == label).with_context(|| {
                let known: Vec<&str> =
                    network.populations().map(|(_, p)| p.label.as_str()).take(20).collect();
                format!("no population is called `{label}`; there are {}", known.join(", "))
            })?;
        let index: usize =
            index.parse().ok().filter(|&index| index < found.size).with_context(|| {
                format!("`{label}` has members 0 to {}, not `{index}`", found.size.max(1) - 1)
            })?;
        let member = Member { population, index };
        let inputs: Vec<SynapseId> = self.atlas.inputs(member).collect();
        let outputs: Vec<SynapseId> = self.atlas.outputs(member).collect();
        let place = self.atlas.neuron(member);
        let address = self.atlas.address(member);
        let listeners: BTreeSet<HicannOnWafer> =
            outputs.iter().filter_map(|&id| Some(self.atlas.place(id)?.hicann)).collect();
        Ok(json!({
            "neuron": self.name(member),
            "hicann": place.map(|p| p.hicann.to_string()),
            "circuits": place.map_or(Vec::new(), |p| {
                p.circuits().map(|c| c.on(p.hicann).to_string()).collect()
            }),
            "firing_circuit": self.atlas.firing_circuit(member).map(|c| c.to_string()),
            "bus": address.map(|a| a.bus.to_string()),
            "address": address.map(|a| a.address.index()),
            "inputs_requested": inputs.len(),
            "inputs_lost": self.lost(&inputs),
            "outputs_requested": outputs.len(),
            "outputs_lost": self.lost(&outputs),
            "heard_on": listeners.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "inputs": inputs.iter().map(|&id| self.synapse(id)).collect::<Vec<_>>(),
            "outputs": outputs.iter().map(|&id| self.synapse(id)).collect::<Vec<_>>(),
        }))
    }

    /// Lost synapses by cause.
    fn lost(&self, ids: &[SynapseId]) -> BTreeMap<&'static str, usize> {
        let mut lost = BTreeMap::new();
        for &id in ids {
            if let SynapseFate::Lost(cause) = self.atlas.fate(id) {
                *lost.entry(cause.name()).or_default() += 1;
            }
        }
        lost
    }

    fn synapse(&self, id: SynapseId) -> Value {
        let [pre, post] = self.atlas.ends(id).map(|member| self.name(member));
        let projection = &self.saved.network.projection(id.projection).label;
        let mut entry = json!({
            "projection": projection,
            "index": id.index,
            "pre": pre,
            "post": post,
        });
        match self.atlas.fate(id) {
            SynapseFate::Realised { synapse, weight } => {
                let (row, column) = (synapse.local.row(), synapse.local.column());
                let weights = &self.saved.mapping.realised_weights_us[id.projection.index()];
                entry["hicann"] = json!(synapse.hicann.to_string());
                entry["driver"] = json!(row.driver().on(synapse.hicann).to_string());
                entry["row"] = json!(row.index());
                entry["column"] = json!(column.index());
                entry["weight"] = json!(weight.index());
                entry["weight_us"] = json!(weights[id.index]);
            }
            SynapseFate::Lost(cause) => entry["lost"] = json!(cause.name()),
        }
        entry
    }

    fn hicann(&self, hicann: HicannOnWafer) -> Value {
        let atlas = &self.atlas;
        let neurons = atlas.neurons_on(hicann);
        let inputs: Vec<String> = atlas
            .buses_from(hicann)
            .flat_map(|bus| atlas.senders(bus))
            .filter(|&(_, member)| atlas.neuron(member).is_none())
            .map(|(_, member)| self.name(member))
            .collect();
        let heard: Vec<&DriverChain> = atlas.chains_on(hicann).collect();
        let drivers: usize = heard.iter().map(|chain| chain.members.len()).sum();
        let synapses: usize = heard
            .iter()
            .flat_map(|chain| chain.members.iter().map(|d| d.on(hicann)))
            .map(|driver| atlas.synapses_on(driver).count())
            .sum();
        let mode = self.saved.mapping.mode(hicann);
        json!({
            "hicann": hicann.to_string(),
            "x": hicann.x(),
            "y": hicann.y(),
            "capacitor": if mode.big_capacitor { "big" } else { "small" },
            "leak": format!("{:?}", mode.leak).to_lowercase(),
            "neurons": neurons.iter().map(|&m| self.name(m)).collect::<Vec<_>>(),
            "inputs": inputs,
            "sends": atlas.buses_from(hicann).map(|bus| bus.to_string()).collect::<Vec<_>>(),
            "hears": heard.iter().map(|chain| chain.bus.to_string()).collect::<Vec<_>>(),
            "drivers_used": drivers,
            "synapses_realised": synapses,
            "chains": heard.iter().map(|chain| self.chain(chain)).collect::<Vec<_>>(),
        })
    }

    fn chain(&self, chain: &DriverChain) -> Value {
        let drivers = chain.members.iter().map(|driver| driver.on(chain.hicann));
        let synapses: usize = drivers.clone().map(|d| self.atlas.synapses_on(d).count()).sum();
        json!({
            "hicann": chain.hicann.to_string(),
            "bus": chain.bus.to_string(),
            "line": chain.vline.to_string(),
            "primary": chain.primary.on(chain.hicann).to_string(),
            "drivers": drivers.map(|driver| driver.to_string()).collect::<Vec<_>>(),
            "synapses": synapses,
        })
    }

    fn bus(&self, bus: Bus) -> anyhow::Result<Value> {
        let route = self.atlas.route(bus).with_context(|| {
            let from: Vec<String> =
                self.atlas.buses_from(bus.hicann).map(|bus| bus.to_string()).collect();
            let others = if from.is_empty() { "none".to_owned() } else { from.join(", ") };
            format!("{bus} carries nothing; buses from {}: {others}", bus.hicann)
        })?;
        let chips: BTreeSet<HicannOnWafer> = route.lines.iter().map(|l| l.line.hicann).collect();
        let longest = (0..route.lines.len()).map(|line| route.hicanns_to(line)).max();
        let senders: Vec<Value> = self
            .atlas
            .senders(bus)
            .map(|(at, m)| json!({ "address": at.address.index(), "member": self.name(m) }))
            .collect();
        let chains: Vec<Value> = self.atlas.chains_of(bus).map(|c| self.chain(c)).collect();
        Ok(json!({
            "bus": bus.to_string(),
            "senders": senders,
            "lines": route.lines.iter().map(|l| l.line.to_string()).collect::<Vec<_>>(),
            "chips_crossed": chips.len(),
            "longest_way_chips": longest,
            "heard_on": chains.len(),
            "chains": chains,
        }))
    }

    fn driver(&self, driver: OnWafer<SynapseDriverOnHicann>) -> anyhow::Result<Value> {
        let chain = self.atlas.chain_at(driver).with_context(|| {
            format!(
                "{driver} is not in use; `--hicann {}` lists those that are",
                driver.hicann.index()
            )
        })?;
        let place = chain.members.iter().position(|&member| member == driver.local);
        let plasticity = place.and_then(|place| chain.plasticity[place]);
        let synapses: Vec<Value> =
            self.atlas.synapses_on(driver).map(|id| self.synapse(id)).collect();
        Ok(json!({
            "driver": driver.to_string(),
            "chain": self.chain(chain),
            "is_primary": chain.primary == driver.local,
            "plasticity": plasticity.map(|p| {
                json!({ "mode": format!("{:?}", p.mode).to_lowercase(), "capacitor": p.capacitor.index() })
            }),
            "synapses_realised": synapses.len(),
            "synapses": synapses,
        }))
    }
}
