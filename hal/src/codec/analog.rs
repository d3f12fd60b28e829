//! The register of the two analog outputs (hal-config §2.8).

use super::bus::{Refusal, Register, Unit, width};
use super::{Unencodable, neuron};
use crate::config::{AnalogOutputs, AnalogSource};
use crate::coord::{AnalogOnHicann, Coordinate};

/// First source bit and enable bit of an output.
const OUTPUT: [(u32, u32); 2] = [(10, 21), (0, 20)];
/// Sources per output that have a bit.
const SOURCES: u32 = 10;

fn word(outputs: &AnalogOutputs) -> Result<u32, Unencodable> {
    let mut word = 0;
    for (output, source) in outputs.source.iter() {
        let Some(source) = source else { continue };
        if *source == AnalogSource::FireLine && output.index() == 1 {
            return Err(Unencodable::FireLine);
        }
        let (first, enable) = OUTPUT[output.index()];
        word |= 1 << enable;
        let bit = AnalogSource::ALL.iter().find(|(s, _)| s == source).map(|(_, bit)| *bit);
        // the source "nothing" has no bit of its own
        if let Some(bit) = bit.filter(|&bit| bit < SOURCES) {
            word |= 1 << (first + bit);
        }
    }
    Ok(word)
}

/// Whether the outputs can be set like this.
pub(super) fn check(outputs: &AnalogOutputs) -> Result<(), Unencodable> {
    word(outputs).map(|_| ())
}

/// The register.
pub(super) fn register(outputs: &AnalogOutputs) -> Result<Register, Unencodable> {
    Ok((Unit::NeuronBuilder, neuron::ANALOG, word(outputs)?))
}

pub(super) fn write(outputs: &mut AnalogOutputs, data: u32) -> Result<(), Refusal> {
    width(data, 22)?;
    for output in AnalogOnHicann::all() {
        let (first, enable) = OUTPUT[output.index()];
        let bits = data >> first & ((1 << SOURCES) - 1);
        outputs.source[output] = if data >> enable & 1 == 0 {
            None
        } else if bits == 0 {
            Some(AnalogSource::Nothing)
        } else {
            let known = AnalogSource::ALL.iter().find(|(_, bit)| 1 << bit == bits);
            match known {
                Some((AnalogSource::FireLine, _)) if output.index() == 1 => {
                    return Err("the fire line on the second analog output, which lacks it");
                }
                Some((source, _)) => Some(*source),
                None => return Err("an analog output with more than one or an unknown source"),
            }
        };
    }
    Ok(())
}

pub(super) fn read(outputs: &AnalogOutputs) -> Result<u32, Refusal> {
    word(outputs).map_err(|_| "the analog outputs hold what no word expresses")
}
