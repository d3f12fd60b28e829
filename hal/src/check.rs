//! Rules that a configuration has to keep although the registers would allow more
//! (topology §4.6, §5.3, §7.2; hal-config §1.7, §5.8).
//!
//! Some protect the chip, some the signals. None is enforced by the containers, since a
//! configuration breaks them on its way from one good state to the next; check before sending.

mod analog;
mod lines;
mod neurons;
mod switches;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::{self, EncodeError};
use crate::config::{HicannConfig, WaferConfig};
use crate::coord::{
    AnalogOnHicann, BackgroundGeneratorOnHicann, DncMergerOnHicann, DncOnWafer, HLineOnHicann,
    HicannOnWafer, NeuronOnHicann, OnWafer, QuadOnHicann, RepeaterBlockOnHicann,
    SynapseSwitchRowOnHicann, TestPortOnRepeaterBlock, VLineOnHicann,
};
use crate::l1::{L1Line, L1Repeater};

/// How many switches may be closed at once. One each is what signal quality was measured with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchLimits {
    /// Crossbar switches per horizontal line.
    pub crossbar_per_hline: usize,
    /// Crossbar switches per vertical line.
    pub crossbar_per_vline: usize,
    /// Synapse switches per row of one side of a chip.
    pub synapse_per_row: usize,
    /// Synapse switches per vertical line, top and bottom together.
    pub synapse_per_vline: usize,
}

impl Default for SwitchLimits {
    fn default() -> Self {
        Self {
            crossbar_per_hline: 1,
            crossbar_per_vline: 1,
            synapse_per_row: 1,
            synapse_per_vline: 1,
        }
    }
}

/// What a repeater uses its test port for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TestPortUse {
    /// Emits test data.
    Output,
    /// Records events.
    Input,
}

/// A rule that a configuration breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigFault {
    /// Crossbar switches of a horizontal line.
    #[error("{line}: {closed} crossbar switches are closed, at most {limit} may be")]
    CrossbarPerHline {
        /// The line.
        line: OnWafer<HLineOnHicann>,
        /// Closed switches.
        closed: usize,
        /// Allowed switches.
        limit: usize,
    },
    /// Crossbar switches of a vertical line.
    #[error("{line}: {closed} crossbar switches are closed, at most {limit} may be")]
    CrossbarPerVline {
        /// The line.
        line: OnWafer<VLineOnHicann>,
        /// Closed switches.
        closed: usize,
        /// Allowed switches.
        limit: usize,
    },
    /// Synapse switches of a row.
    #[error("{row}: {closed} synapse switches are closed, at most {limit} may be")]
    SynapsePerRow {
        /// The row.
        row: OnWafer<SynapseSwitchRowOnHicann>,
        /// Closed switches.
        closed: usize,
        /// Allowed switches.
        limit: usize,
    },
    /// Synapse switches of a vertical line.
    #[error("{line}: {closed} synapse switches are closed, at most {limit} may be")]
    SynapsePerVline {
        /// The line.
        line: OnWafer<VLineOnHicann>,
        /// Closed switches.
        closed: usize,
        /// Allowed switches.
        limit: usize,
    },
    /// Two chips feed the same driver.
    #[error("{west} and {east} both feed the driver between them; open the switches of one")]
    FacingRows {
        /// Row on the right side of the western chip.
        west: OnWafer<SynapseSwitchRowOnHicann>,
        /// Row on the left side of the eastern chip.
        east: OnWafer<SynapseSwitchRowOnHicann>,
    },
    /// Fire signals run against or beside each other. On facing circuits this may destroy them.
    #[error(
        "{hicann}: {count} circuits between {left} and {right} take a fire input, at most 1 may"
    )]
    FireInputs {
        /// The chip.
        hicann: HicannOnWafer,
        /// The left quad.
        left: QuadOnHicann,
        /// The right quad.
        right: QuadOnHicann,
        /// Fire inputs of the four circuits that face each other.
        count: usize,
    },
    /// Two comparators on one membrane.
    #[error("{first} and {second} share a membrane and both fire; switch one of them off")]
    TwoFiring {
        /// The first circuit that fires.
        first: OnWafer<NeuronOnHicann>,
        /// Another one on the same membrane.
        second: OnWafer<NeuronOnHicann>,
    },
    /// An output that never sends.
    #[error("{circuit} has its output enabled but does not fire; set activate_firing")]
    SilentOutput {
        /// The circuit.
        circuit: OnWafer<NeuronOnHicann>,
    },
    /// Two repeaters at one test port.
    #[error("{hicann}: {first} and {second} both use {port} of {block} as {usage:?}")]
    TestPort {
        /// The chip.
        hicann: HicannOnWafer,
        /// Their block.
        block: RepeaterBlockOnHicann,
        /// Their port.
        port: TestPortOnRepeaterBlock,
        /// What for.
        usage: TestPortUse,
        /// One repeater.
        first: L1Repeater,
        /// The other.
        second: L1Repeater,
    },
    /// Two repeaters send onto lines that are joined.
    #[error("{line} is driven by {first} and {second}; let one of them idle")]
    DrivenTwice {
        /// The line that the second one drives.
        line: OnWafer<L1Line>,
        /// One repeater.
        first: OnWafer<L1Repeater>,
        /// The other.
        second: OnWafer<L1Repeater>,
    },
    /// A sending repeater loses events that follow each other without an idle clock.
    #[error("{merger} feeds a sending repeater too fast; set it to merge mode and slow")]
    FastMerger {
        /// The merger.
        merger: OnWafer<DncMergerOnHicann>,
    },
    /// A random generator whose shift register is stuck at zero never fires.
    #[error("{generator} is random with seed 0, which never fires; give it another seed")]
    DeadGenerator {
        /// The generator.
        generator: OnWafer<BackgroundGeneratorOnHicann>,
    },
    /// A random generator sends the background address whatever it is set to.
    #[error("{generator} is random and sends address 0 instead of its own; set that to 0")]
    RandomAddress {
        /// The generator.
        generator: OnWafer<BackgroundGeneratorOnHicann>,
    },
    /// Two membranes on one analog line.
    #[error("{first} and {second} share an analog line; connect one of them")]
    SharedAnalogLine {
        /// One circuit.
        first: OnWafer<NeuronOnHicann>,
        /// The other.
        second: OnWafer<NeuronOnHicann>,
    },
    /// The analog outputs belong to the reticle.
    #[error("{first} and {second} both drive {output} of {dnc}; disable one of them")]
    SharedAnalogOutput {
        /// The reticle.
        dnc: DncOnWafer,
        /// Its output.
        output: AnalogOnHicann,
        /// One chip.
        first: HicannOnWafer,
        /// The other.
        second: HicannOnWafer,
    },
    /// No register value expresses it.
    #[error(transparent)]
    Unencodable(#[from] EncodeError),
}

/// The rules that one chip breaks by itself.
pub fn check_hicann(
    hicann: HicannOnWafer,
    config: &HicannConfig,
    limits: &SwitchLimits,
) -> Vec<ConfigFault> {
    let mut faults = Vec::new();
    switches::check_chip(hicann, config, limits, &mut faults);
    neurons::check(hicann, &config.neurons, &mut faults);
    lines::check_test_ports(hicann, &config.repeaters, &mut faults);
    lines::check_mergers(hicann, config, &mut faults);
    lines::check_generators(hicann, &config.mergers, &mut faults);
    analog::check_lines(hicann, &config.neurons, &mut faults);
    let unencodable = codec::unencodable(config).into_iter();
    faults.extend(unencodable.map(|reason| EncodeError { hicann, reason }.into()));
    faults
}

/// The rules that a configuration breaks: those of each chip, then those between chips.
pub fn check_wafer(config: &WaferConfig, limits: &SwitchLimits) -> Vec<ConfigFault> {
    let chips = config.hicanns.iter();
    let mut faults: Vec<_> = chips.flat_map(|(&h, c)| check_hicann(h, c, limits)).collect();
    switches::check_borders(config, &mut faults);
    lines::check_drivers(config, &mut faults);
    analog::check_outputs(config, &mut faults);
    faults
}
