//! What membranes send when they cross their thresholds.

use std::ops::Range;

use hal::coord::{L1Address, NeuronOnHicann, PulseLabel};

use super::network::SourceId;

/// A circuit whose comparator sends.
#[derive(Debug, Clone)]
pub(super) struct Output {
    /// The circuit, and the address that it sends.
    pub(super) neuron: NeuronOnHicann,
    pub(super) address: L1Address,
    /// Threshold relative to the leak potential of the membrane, V.
    threshold: f32,
    sources: Range<u32>,
    labels: Range<u32>,
}

/// The outputs of a chip.
#[derive(Debug, Clone, Default)]
pub(super) struct Outputs {
    /// By membrane, the end of its outputs.
    ends: Vec<u32>,
    all: Vec<Output>,
    sources: Vec<SourceId>,
    labels: Vec<PulseLabel>,
}

impl Outputs {
    /// Adds an output of the present membrane: the bus addresses of its events that somebody listens
    /// to, and the labels under which the FPGA receives them.
    pub(super) fn add(
        &mut self,
        (neuron, address): (NeuronOnHicann, L1Address),
        threshold: f32,
        sources: impl Iterator<Item = SourceId>,
        labels: impl Iterator<Item = PulseLabel>,
    ) {
        let sources = append(&mut self.sources, sources);
        let labels = append(&mut self.labels, labels);
        self.all.push(Output { neuron, address, threshold, sources, labels });
    }

    /// Goes on to the next membrane.
    pub(super) fn end_membrane(&mut self) {
        self.ends.push(self.all.len() as u32);
    }

    /// Those of a membrane that fire at a voltage, relative to its leak potential.
    pub(super) fn fired(&self, membrane: usize, v: f32) -> impl Iterator<Item = &Output> {
        let first = membrane.checked_sub(1).map_or(0, |before| self.ends[before]);
        let of_membrane = &self.all[first as usize..self.ends[membrane] as usize];
        of_membrane.iter().filter(move |output| v >= output.threshold)
    }

    /// The bus addresses of an output.
    pub(super) fn sources(&self, output: &Output) -> &[SourceId] {
        &self.sources[output.sources.start as usize..output.sources.end as usize]
    }

    /// The labels of an output.
    pub(super) fn labels(&self, output: &Output) -> &[PulseLabel] {
        &self.labels[output.labels.start as usize..output.labels.end as usize]
    }
}

/// Appends to a list; the places where that stands now.
fn append<T>(list: &mut Vec<T>, more: impl Iterator<Item = T>) -> Range<u32> {
    let first = list.len() as u32;
    list.extend(more);
    first..list.len() as u32
}
