//! Rows and synapses: the whole array against the claim, in both directions (V25 to V28, V30).

use hal::config::HicannConfig;
use hal::coord::{
    Coordinate, DncMergerOnHicann, DriverDecoder, HicannOnWafer, NeuronOnHicann, OnWafer,
    SynapseDecoder, SynapseDriverOnHicann, SynapseOnHicann, SynapseRowOnHicann, Table,
};
use hal::value::SynapseWeight;

use super::flood::Carried;
use super::functional::{FunctionalSynapse, Heard, Sent, heard, scan};
use super::{Case, Faults, Rule, per_chip, plasticity};
use crate::mapping::{Bus, BusAddress, LogicalNeuron, SynapseFate};
use crate::network::{ProjectionId, Receptor};

/// One realised synapse of the claim.
#[derive(Clone, Copy)]
struct Claimed {
    synapse: SynapseOnHicann,
    weight: SynapseWeight,
    source: BusAddress,
    receptor: Receptor,
    /// The neuron it shall act on.
    target: LogicalNeuron,
    projection: ProjectionId,
    index: u32,
}

/// Returns the number of functional synapses.
pub(super) fn check(case: &Case<'_>, carried: &Carried, faults: &mut Faults) -> usize {
    let claimed = claims(case, faults);
    for (hicann, list) in claimed.iter() {
        let configured = case.config.hicanns.contains_key(&hicann);
        faults.demand(Rule::V19, list.is_empty() || configured, || {
            format!("{} synapses are claimed on {hicann}, which has no words", list.len())
        });
    }
    let sent = sent(case);
    let heard = heard(&case.chips, carried);
    let mut drivers: Table<HicannOnWafer, Vec<(SynapseDriverOnHicann, Bus)>> = Table::default();
    for chain in &case.mapping.chains {
        drivers[chain.hicann].extend(chain.members.iter().map(|&driver| (driver, chain.bus)));
    }
    let counts = per_chip(case, faults, |hicann, chip, faults| {
        let checker = Checker { case, hicann, chip, claimed: &claimed[hicann] };
        let claims = checker.index(faults);
        checker.rows(faults);
        checker.places(&drivers[hicann], faults);
        checker.plasticity(faults);
        checker.settings(&claims, faults);
        checker.function(&claims, &heard[hicann], &sent, faults)
    });
    counts.into_iter().sum()
}

/// The realised synapses by chip.
fn claims(case: &Case<'_>, faults: &mut Faults) -> Table<HicannOnWafer, Vec<Claimed>> {
    let mut claimed: Table<HicannOnWafer, Vec<Claimed>> = Table::default();
    let placement = &case.mapping.placement;
    for ((projection, it), fates) in case.network.projections().zip(&case.mapping.synapses) {
        let (pre, post) = case.network.endpoints(projection);
        let (pre, post) = (case.offsets[pre.index()], case.offsets[post.index()]);
        for (index, (wanted, fate)) in it.synapses.iter().zip(fates).enumerate() {
            let SynapseFate::Realised { synapse, weight } = *fate else { continue };
            let (pre, post) = (pre + wanted.pre as usize, post + wanted.post as usize);
            let Some(source) = placement.addresses[pre] else {
                let label = &it.label;
                let name = case.name(pre);
                faults.add(Rule::V01, format!("`{label}`, synapse {index}: {name} has no address"));
                continue;
            };
            // neurons without circuits are reported where neurons are checked
            let Some(target) = placement.neurons[post] else { continue };
            claimed[synapse.hicann].push(Claimed {
                synapse: synapse.local,
                weight,
                source,
                receptor: it.receptor,
                target,
                projection,
                index: index as u32,
            });
        }
    }
    claimed
}

/// Addresses that appear on the buses; of a link's only those given to its sources.
fn sent(case: &Case<'_>) -> Sent {
    let mut given: Table<OnWafer<DncMergerOnHicann>, u64> = Table::default();
    for BusAddress { bus, address } in case.mapping.placement.addresses.iter().flatten() {
        given[bus.merger.on(bus.hicann)] |= 1 << address.index();
    }
    Sent::of(&case.chips, |bus| given[bus.merger.on(bus.hicann)])
}

/// One chip with the synapses that are claimed to be there.
struct Checker<'a> {
    case: &'a Case<'a>,
    hicann: HicannOnWafer,
    chip: &'a HicannConfig,
    claimed: &'a [Claimed],
}

impl Checker<'_> {
    /// The claim of each synapse.
    fn index(&self, faults: &mut Faults) -> Table<SynapseOnHicann, Option<&Claimed>> {
        let mut claims: Table<SynapseOnHicann, Option<&Claimed>> = Table::default();
        for claim in self.claimed {
            if let Some(other) = claims[claim.synapse].replace(claim) {
                let (one, two) = (self.name(other), self.name(claim));
                faults.add(Rule::V27, format!("{one} and {two} share one hardware synapse"));
            }
        }
        claims
    }

    /// V25: one input per used row, none for others; one driver decoder per half row.
    fn rows(&self, faults: &mut Faults) {
        let mut inputs: Table<SynapseRowOnHicann, [bool; 2]> = Table::default();
        let mut uppers: Table<SynapseRowOnHicann, [Option<DriverDecoder>; 2]> = Table::default();
        for claim in self.claimed {
            let row = claim.synapse.row();
            inputs[row][claim.receptor.index()] = true;
            let wanted = claim.source.address.driver_decoder();
            let upper = &mut uppers[row][claim.synapse.column().parity().index()];
            let other = *upper.get_or_insert(wanted);
            faults.demand(Rule::V25, other == wanted, || {
                let name = self.name(claim);
                format!("{name} wants {wanted} in a half row that is claimed for {other}")
            });
        }
        for row in SynapseRowOnHicann::all() {
            let (found, want) = (self.chip.synapses.row(row).synaptic_input, inputs[row]);
            faults.demand(Rule::V25, want != [true; 2], || {
                format!("{}.{row} is claimed for both synaptic inputs", self.hicann)
            });
            faults.demand(Rule::V25, found == want, || {
                format!("{}.{row} is connected to inputs {found:?}, not {want:?}", self.hicann)
            });
        }
    }

    /// V26: source, decoders, target and input of each claimed synapse.
    fn places(&self, drivers: &[(SynapseDriverOnHicann, Bus)], faults: &mut Faults) {
        let mut buses: Table<SynapseDriverOnHicann, Option<Bus>> = Table::default();
        for &(driver, bus) in drivers {
            buses[driver] = Some(bus);
        }
        for claim in self.claimed {
            let (row, column) = (claim.synapse.row(), claim.synapse.column());
            let BusAddress { bus, address } = claim.source;
            let mut demand = |good: bool, what: &dyn Fn() -> String| {
                faults.demand(Rule::V26, good, || format!("{}: {}", self.name(claim), what()));
            };
            let heard = buses[row.driver()];
            demand(heard == Some(bus), &|| match heard {
                Some(other) => format!("its driver listens to {other}, not to {bus}"),
                None => format!("its driver is in no chain of {bus}"),
            });
            let settings = self.chip.synapses.row(row);
            let upper = settings.decoder[column.parity().index()];
            demand(upper == address.driver_decoder(), &|| {
                format!("its half row decodes {upper}, not {}", address.driver_decoder())
            });
            let lower = self.chip.synapses.decoders[claim.synapse];
            demand(lower == address.synapse_decoder(), &|| {
                format!("it decodes {lower}, not {}", address.synapse_decoder())
            });
            let circuit = claim.synapse.neuron();
            demand(owns(claim.target, self.hicann, circuit), &|| {
                format!("it drives {circuit}, which is not of its target")
            });
            let input = claim.receptor.index();
            demand(settings.synaptic_input[input], &|| {
                format!("its row is not connected to its input {input}")
            });
        }
    }

    /// V26: each driver has the short-term plasticity of all its synapses.
    fn plasticity(&self, faults: &mut Faults) {
        // the projection that a driver was looked at for last: neighbours in the list share it
        let mut seen: Table<SynapseDriverOnHicann, Option<ProjectionId>> = Table::default();
        for claim in self.claimed {
            let driver = claim.synapse.row().driver();
            if seen[driver].replace(claim.projection) == Some(claim.projection) {
                continue;
            }
            let claimed = self.case.mapping.plasticity[claim.projection.index()];
            faults.demand(
                Rule::V26,
                plasticity::fits(self.case, self.hicann, self.chip, driver, claimed),
                || format!("{}: {driver} does not do {claimed:?}", self.name(claim)),
            );
        }
    }

    /// V30: claimed weights, and everything else off.
    fn settings(&self, claims: &Table<SynapseOnHicann, Option<&Claimed>>, faults: &mut Faults) {
        let arrays = &self.chip.synapses;
        let cells = arrays.weights.values().iter().zip(arrays.decoders.values());
        let may_grow =
            |claim: &Claimed| self.case.mapping.pairs[claim.projection.index()].is_some();
        for ((synapse, claim), (&weight, &decoder)) in claims.iter().zip(cells) {
            let good = match claim {
                Some(claim) => {
                    weight == claim.weight && (weight > SynapseWeight::default() || may_grow(claim))
                }
                None => weight == SynapseWeight::default() && decoder == SynapseDecoder::DISABLED,
            };
            faults.demand(Rule::V30, good, || {
                let (row, column) = (synapse.row(), synapse.column());
                claim.map_or_else(
                    || format!("{}.{row}.{column} is not off: {weight}, {decoder}", self.hicann),
                    |c| format!("{}: found {weight}, claimed {}", self.name(c), c.weight),
                )
            });
        }
    }

    /// V28: what events really reach is what is claimed. Returns how many synapses that are.
    fn function(
        &self,
        claims: &Table<SynapseOnHicann, Option<&Claimed>>,
        heard: &Heard,
        sent: &Sent,
        faults: &mut Faults,
    ) -> usize {
        let mut functional = 0;
        let mut reached: Table<SynapseOnHicann, bool> = Table::default();
        scan(self.hicann, self.chip, heard, sent, |found| {
            functional += usize::from(found.weight > SynapseWeight::default());
            let synapse = found.synapse.local;
            let good = claims[synapse].is_some_and(|claim| {
                claim.source == found.source
                    && claim.receptor.index() == found.input.index()
                    && owns(claim.target, self.hicann, found.target.local)
            });
            faults.demand(Rule::V28, good, || self.false_synapse(&found));
            faults.demand(Rule::V28, !reached[synapse] || !good, || {
                format!("{} is driven in more than one way", self.false_synapse(&found))
            });
            reached[synapse] |= good;
        });
        for claim in self.claimed {
            faults.demand(Rule::V28, reached[claim.synapse], || {
                let BusAddress { bus, address } = claim.source;
                format!("{}: events of {bus} {address} do not reach it", self.name(claim))
            });
        }
        functional
    }

    fn false_synapse(&self, found: &FunctionalSynapse) -> String {
        let (row, column) = (found.synapse.local.row(), found.synapse.local.column());
        let BusAddress { bus, address } = found.source;
        format!(
            "{bus} {address} drives {}.{row}.{column} to {} {} with {}, unclaimed",
            self.hicann, found.target, found.input, found.weight
        )
    }

    fn name(&self, claim: &Claimed) -> String {
        let label = &self.case.network.projection(claim.projection).label;
        let (row, column) = (claim.synapse.row(), claim.synapse.column());
        format!("`{label}`, synapse {} at {}.{row}.{column}", claim.index, self.hicann)
    }
}

/// Whether a circuit of a chip is one of a neuron's.
fn owns(neuron: LogicalNeuron, hicann: HicannOnWafer, circuit: NeuronOnHicann) -> bool {
    let first = neuron.column as usize;
    neuron.hicann == hicann && (first..first + neuron.width as usize).contains(&circuit.column())
}
