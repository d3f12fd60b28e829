//! The defects of the emulated wafer in the form in which the emulator asks for them.

use hal::coord::{Coordinate as _, HicannOnWafer, NeuronOnHicann};
use hal::defects::{Component, Defects, HicannDefects};

use crate::instance::Instance;
use crate::silicon::{Fault, fault};

/// The defects of a wafer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flaws<'a> {
    instance: Instance,
    /// Propagated: what is unusable for any reason is marked itself.
    defects: Option<&'a Defects>,
}

impl<'a> Flaws<'a> {
    /// Everything works.
    pub(crate) const NONE: Self = Self { instance: Instance::Ideal, defects: None };

    /// The defects, [propagated](Defects::propagated), of a wafer.
    pub(crate) fn new(instance: Instance, defects: &'a Defects) -> Self {
        Self { instance, defects: Some(defects) }
    }

    /// The defects of a chip, none if everything on it works.
    pub(crate) fn record(&self, hicann: HicannOnWafer) -> Option<&'a HicannDefects> {
        self.defects.and_then(|d| d.record(hicann))
    }

    /// Whether a component works.
    pub(crate) fn works(&self, component: impl Into<Component>) -> bool {
        self.defects.is_none_or(|d| !d.is_defective(component))
    }

    /// Whether the comparator of a circuit ever fires. Defective ones may: see [`Fault::Wild`].
    pub(crate) fn fires(&self, hicann: HicannOnWafer, neuron: NeuronOnHicann) -> bool {
        let whole = self.works(neuron.on(hicann));
        whole || fault(self.instance, hicann, neuron) == Fault::Wild
    }
}
