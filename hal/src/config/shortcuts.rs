//! Settings that belong together (hal-config §5.7): a route on one chip, a membrane at an analog
//! output, a current into a circuit.

use thiserror::Error;

use super::{AnalogSource, CurrentStimulus, HicannConfig, RepeaterMode};
use crate::coord::{
    AnalogOnHicann, CrossbarSwitchOnHicann, DncMergerOnHicann, NeuronOnHicann, Parity, Side,
    SynapseDriverOnHicann, SynapseSwitchOnHicann, VLineOnHicann, Vertical,
};

/// A merger does not reach a driver on its own chip this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoRoute {
    /// A horizontal line has four vertical lines on each side.
    #[error("line {number} of {merger} on the side of {driver}; there are four, 0 to 3")]
    Line {
        /// The merger.
        merger: DncMergerOnHicann,
        /// The driver.
        driver: SynapseDriverOnHicann,
        /// Number of the vertical line asked for.
        number: usize,
    },
    /// There is no synapse switch between the line and the driver.
    #[error("{vline} of {merger} has no switch to {driver}; use {reaching}")]
    Switch {
        /// The merger.
        merger: DncMergerOnHicann,
        /// The vertical line.
        vline: VLineOnHicann,
        /// The driver.
        driver: SynapseDriverOnHicann,
        /// The merger that reaches the driver (topology §4.7).
        reaching: DncMergerOnHicann,
    },
}

impl HicannConfig {
    /// Brings the events of a DNC merger to a driver of the same chip: its sending repeater sends
    /// to the right, and two switches are closed, on the `number`-th of the four vertical lines
    /// on the side of the driver. Merger and driver themselves are left as they are.
    pub fn route(
        &mut self,
        merger: DncMergerOnHicann,
        driver: SynapseDriverOnHicann,
        number: usize,
    ) -> Result<VLineOnHicann, NoRoute> {
        let hline = merger.hline();
        let vline = hline
            .crossbar_vlines()
            .filter(|vline| vline.side() == driver.side())
            .nth(number)
            .ok_or(NoRoute::Line { merger, driver, number })?;
        let reaching = driver.sending_repeater().dnc_merger();
        let crossbar = CrossbarSwitchOnHicann::between(hline, vline);
        let synapse = SynapseSwitchOnHicann::between(vline, driver);
        let (Some(crossbar), Some(synapse)) = (crossbar, synapse) else {
            return Err(NoRoute::Switch { merger, vline, driver, reaching });
        };
        let repeater = merger.sending_repeater().repeater();
        self.repeaters.horizontal[repeater].mode = RepeaterMode::Output(Side::Right);
        self.crossbar.set(crossbar, true);
        self.synapse_switches.set(synapse, true);
        Ok(vline)
    }

    /// Shows the membrane of a circuit, and of no other of its row and column parity, at an analog
    /// output.
    pub fn show_membrane(&mut self, neuron: NeuronOnHicann, output: AnalogOnHicann) {
        for (place, circuit) in self.neurons.circuits.iter_mut() {
            if place.shared_fg_block() == neuron.shared_fg_block() {
                circuit.enable_aout = place == neuron;
            }
        }
        self.analog.source[output] = Some(AnalogSource::membrane(neuron));
    }

    /// The circuit whose membrane an output shows; none if it shows something else, or if not
    /// exactly one circuit is connected.
    pub fn shown_membrane(&self, output: AnalogOnHicann) -> Option<NeuronOnHicann> {
        let source = self.analog.source[output]?;
        let mut connected = self.neurons.circuits.iter().filter(|(place, circuit)| {
            circuit.enable_aout && AnalogSource::membrane(*place) == source
        });
        match (connected.next(), connected.next()) {
            (Some((place, _)), None) => Some(place),
            _ => None,
        }
    }

    /// Feeds a current into a circuit, and into no other of its row and column parity.
    pub fn stimulate(&mut self, neuron: NeuronOnHicann, stimulus: CurrentStimulus) {
        for (place, circuit) in self.neurons.circuits.iter_mut() {
            if place.shared_fg_block() == neuron.shared_fg_block() {
                circuit.enable_current_input = place == neuron;
            }
        }
        self.current_stimuli[neuron.shared_fg_block()] = stimulus;
    }
}

impl AnalogSource {
    /// The source that shows the membrane of this circuit.
    pub const fn membrane(neuron: NeuronOnHicann) -> Self {
        let parity = if neuron.column() % 2 == 0 { Parity::Even } else { Parity::Odd };
        match (neuron.vertical(), parity) {
            (Vertical::Top, Parity::Even) => Self::MembraneTopEven,
            (Vertical::Top, Parity::Odd) => Self::MembraneTopOdd,
            (Vertical::Bottom, Parity::Even) => Self::MembraneBottomEven,
            (Vertical::Bottom, Parity::Odd) => Self::MembraneBottomOdd,
        }
    }
}
