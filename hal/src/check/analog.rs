//! Rules of the analog outputs (topology §7.7).

use std::collections::BTreeMap;

use super::ConfigFault;
use crate::config::{Neurons, WaferConfig};
use crate::coord::{AnalogOnHicann, Coordinate, DncOnWafer, HicannOnWafer};

/// Per row and parity of columns one circuit is connected to the analog line.
pub(super) fn check_lines(hicann: HicannOnWafer, neurons: &Neurons, faults: &mut Vec<ConfigFault>) {
    let mut connected = [None; 4];
    for (circuit, _) in neurons.circuits.iter().filter(|(_, c)| c.enable_aout) {
        let line = &mut connected[2 * circuit.vertical().index() + circuit.column() % 2];
        match *line {
            None => *line = Some(circuit.on(hicann)),
            Some(first) => {
                faults.push(ConfigFault::SharedAnalogLine { first, second: circuit.on(hicann) });
            }
        }
    }
}

/// Per reticle and output one chip drives.
pub(super) fn check_outputs(config: &WaferConfig, faults: &mut Vec<ConfigFault>) {
    let mut drivers: BTreeMap<(DncOnWafer, AnalogOnHicann), HicannOnWafer> = BTreeMap::new();
    for (&second, chip) in &config.hicanns {
        for (output, _) in chip.analog.source.iter().filter(|(_, source)| source.is_some()) {
            let dnc = second.dnc();
            let first = *drivers.entry((dnc, output)).or_insert(second);
            if first != second {
                faults.push(ConfigFault::SharedAnalogOutput { dnc, output, first, second });
            }
        }
    }
}
