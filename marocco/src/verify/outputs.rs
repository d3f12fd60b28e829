//! Analog outputs and current sources (V31, V32), as far as the words express them.

use hal::config::{AnalogSource, HicannConfig};
use hal::coord::{
    AnalogOnHicann, Coordinate, DncOnWafer, HicannOnWafer, NeuronOnHicann, Parity, Table, Vertical,
};

use super::{Case, Faults, Rule, per_chip};

pub(super) fn check(case: &Case<'_>, faults: &mut Faults) {
    per_chip(case, faults, |hicann, chip, faults| {
        check_outputs(case, hicann, chip, faults);
        check_currents(hicann, chip, faults);
    });
    // the two outputs of a reticle are shared by its eight chips (topology §7.7)
    let mut shown: Table<DncOnWafer, [Option<HicannOnWafer>; 2]> = Table::default();
    for (&hicann, chip) in &case.config.hicanns {
        for output in AnalogOnHicann::all().filter(|&o| shows(chip, o)) {
            let on_reticle = &mut shown[hicann.dnc()][output.index()];
            if let Some(other) = on_reticle.replace(hicann) {
                let message = format!("{other} and {hicann} both drive {output} of their reticle");
                faults.add(Rule::V31, message);
            }
        }
    }
}

/// Whether a chip drives an analog output.
fn shows(chip: &HicannConfig, output: AnalogOnHicann) -> bool {
    chip.analog.source[output].is_some_and(|source| source != AnalogSource::Nothing)
}

/// The circuits whose membranes a source shows: a line for each row and parity of the column.
fn membranes(source: AnalogSource) -> Option<(Parity, Vertical)> {
    match source {
        AnalogSource::MembraneBottomOdd => Some((Parity::Odd, Vertical::Bottom)),
        AnalogSource::MembraneTopOdd => Some((Parity::Odd, Vertical::Top)),
        AnalogSource::MembraneBottomEven => Some((Parity::Even, Vertical::Bottom)),
        AnalogSource::MembraneTopEven => Some((Parity::Even, Vertical::Top)),
        _ => None,
    }
}

fn check_outputs(case: &Case<'_>, hicann: HicannOnWafer, chip: &HicannConfig, faults: &mut Faults) {
    let mut connected: [[usize; 2]; 2] = [[0; 2]; 2];
    for (circuit, settings) in chip.neurons.circuits.iter() {
        let line = &mut connected[circuit.vertical().index()][circuit.column() % 2];
        *line += usize::from(settings.enable_aout);
    }
    for (vertical, lines) in Vertical::ALL.into_iter().zip(connected) {
        for (parity, n) in lines.into_iter().enumerate() {
            faults.demand(Rule::V31, n <= 1, || {
                format!("{hicann}: {n} membranes on the {vertical:?} analog line of columns {parity} mod 2")
            });
        }
    }
    for output in AnalogOnHicann::all().filter(|&o| shows(chip, o)) {
        let usable = case.rules.defects.is_usable(output.on(hicann));
        faults.demand(Rule::V31, usable, || format!("{hicann}.{output} is in use, but defective"));
        if let Some((parity, vertical)) = chip.analog.source[output].and_then(membranes) {
            let n = connected[vertical.index()][parity.index()];
            faults.demand(Rule::V31, n > 0, || {
                format!("{hicann}.{output} shows an analog line without a membrane")
            });
        }
    }
    let [first, second] = [0, 1].map(|i| chip.analog.source.values()[i]);
    let both = first == second && AnalogOnHicann::all().all(|o| shows(chip, o));
    faults.demand(Rule::V31, !both, || format!("{hicann}: both analog outputs show {first:?}"));
}

fn check_currents(hicann: HicannOnWafer, chip: &HicannConfig, faults: &mut Faults) {
    let fed: Vec<NeuronOnHicann> = NeuronOnHicann::all()
        .filter(|&circuit| chip.neurons.circuits[circuit].enable_current_input)
        .collect();
    faults.demand(Rule::V32, fed.len() <= 1, || {
        format!(
            "{hicann}: {} circuits take a current, {} and {} among them",
            fed.len(),
            fed[0],
            fed[1]
        )
    });
}
