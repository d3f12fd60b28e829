//! Cells as columns of PyNN's parameters, and what of them the wafer is asked for.

use std::collections::BTreeMap;

use calib::{CellParameters, EifCondExpIsfaIsta, IfCondExp, NeuronCalibration, Scaling};
use marocco::ModeChoice;
use marocco::network::{Network, PerMember, PopulationKind};

use super::error::SessionError;
use super::setup::{Setup, VoltageWindow};

/// A cell type of PyNN that the wafer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellModel {
    /// `IF_cond_exp`.
    IfCondExp,
    /// `EIF_cond_exp_isfa_ista`.
    EifCondExpIsfaIsta,
}

impl CellModel {
    /// PyNN's defaults.
    fn default_cell(self) -> CellParameters {
        match self {
            Self::IfCondExp => CellParameters::IfCondExp(IfCondExp::default()),
            Self::EifCondExpIsfaIsta => {
                CellParameters::EifCondExpIsfaIsta(EifCondExpIsfaIsta::default())
            }
        }
    }

    /// PyNN's name.
    pub fn name(self) -> &'static str {
        self.default_cell().model()
    }

    /// PyNN's names and defaults of all parameters, `i_offset` among them.
    pub fn defaults(self) -> Vec<(&'static str, f64)> {
        let mut defaults = self.default_cell().values();
        defaults.push((I_OFFSET, 0.0));
        defaults
    }
}

/// The constant current, nA. The wafer has none: it is folded into the leak potential.
const I_OFFSET: &str = "i_offset";

/// The parameters of a population, by PyNN's names: one value for all members, or one for each.
/// Parameters that are absent have their defaults.
pub type Columns = BTreeMap<String, Vec<f64>>;

/// The cells of a population.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    pub(super) model: CellModel,
    /// As asked for, by member, without `i_offset`.
    asked: Vec<CellParameters>,
    i_offset_na: Vec<f64>,
}

impl Cells {
    /// Cells with PyNN's defaults.
    pub(super) fn new(model: CellModel, size: usize) -> Self {
        Self { model, asked: vec![model.default_cell(); size], i_offset_na: vec![0.0; size] }
    }

    /// Sets parameters and leaves the others as they are.
    pub(super) fn set(&mut self, label: &str, columns: &Columns) -> Result<(), SessionError> {
        let size = self.asked.len();
        let (mut asked, mut current) = (self.asked.clone(), self.i_offset_na.clone());
        for (name, values) in columns {
            if values.len() != 1 && values.len() != size {
                let what = format!("population `{label}`: {name}");
                return Err(SessionError::Length { what, expected: size, given: values.len() });
            }
            let value = |member: usize| values[if values.len() == 1 { 0 } else { member }];
            if name == I_OFFSET {
                for (member, current) in current.iter_mut().enumerate() {
                    *current = value(member);
                    if !current.is_finite() {
                        return Err(SessionError::Parameter {
                            population: label.to_owned(),
                            member,
                            parameter: I_OFFSET,
                            value: *current,
                            rule: "it must be a finite number".to_owned(),
                        });
                    }
                }
                continue;
            }
            for (member, cell) in asked.iter_mut().enumerate() {
                if !cell.set(name, value(member)) {
                    let known =
                        self.model.defaults().iter().map(|(name, _)| *name).collect::<Vec<_>>();
                    return Err(SessionError::UnknownParameter {
                        population: label.to_owned(),
                        model: self.model.name(),
                        parameter: name.clone(),
                        known: known.join(", "),
                    });
                }
            }
        }
        (self.asked, self.i_offset_na) = (asked, current);
        Ok(())
    }

    /// What the wafer is asked for: the current raises the leak potential by what it would raise
    /// the membrane, `i_offset tau_m / cm`.
    pub(super) fn wanted(&self) -> PerMember<CellParameters> {
        let folded = |(cell, &current): (&CellParameters, &f64)| {
            let mut cell = *cell;
            cell.shift_v_rest(shift_mv(&cell, current));
            cell
        };
        let wanted: Vec<CellParameters> =
            self.asked.iter().zip(&self.i_offset_na).map(folded).collect();
        match wanted.first() {
            Some(first) if wanted.iter().all(|cell| cell == first) => PerMember::Uniform(*first),
            _ => PerMember::Each(wanted),
        }
    }

    /// Whether a current is folded into a leak potential that adaptation refers to as well.
    pub(super) fn folds_adaptation(&self) -> bool {
        let adapts = |cell: &CellParameters| match cell {
            CellParameters::IfCondExp(_) => false,
            CellParameters::EifCondExpIsfaIsta(cell) => cell.a != 0.0,
        };
        self.asked.iter().zip(&self.i_offset_na).any(|(cell, &i)| i != 0.0 && adapts(cell))
    }

    /// Columns of what the wafer gives, NaN for members without circuits; currents are taken out of
    /// the leak potential again.
    pub(super) fn realised(
        &self,
        given: &[Option<CellParameters>],
    ) -> BTreeMap<&'static str, Vec<f64>> {
        let mut columns: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
        for ((asked, &current), given) in self.asked.iter().zip(&self.i_offset_na).zip(given) {
            let values = match given {
                Some(cell) => {
                    let mut cell = *cell;
                    cell.shift_v_rest(-shift_mv(asked, current));
                    cell.values()
                }
                None => asked.values().into_iter().map(|(name, _)| (name, f64::NAN)).collect(),
            };
            for (name, value) in values {
                columns.entry(name).or_default().push(value);
            }
        }
        columns.insert(I_OFFSET, self.i_offset_na.clone());
        columns
    }
}

/// What a current raises a membrane by, mV: nA times ms over nF.
fn shift_mv(cell: &CellParameters, current_na: f64) -> f64 {
    if current_na == 0.0 { 0.0 } else { current_na * cell.tau_m() / cell.cm() }
}

/// Voltages that stand for the potentials of a network if nothing else is asked for; the first ones
/// are preferred.
const HW_WINDOWS_V: [[f64; 2]; 3] = [[0.45, 1.3], [0.3, 1.4], [0.5, 1.0]];

/// The scaling of a setup for some cells: what it says, or the window into which all potentials
/// fit and with which fewest values clip.
pub(super) fn scaling_for(
    setup: &Setup,
    network: &Network,
    before: Option<VoltageWindow>,
) -> Result<(VoltageWindow, Scaling), SessionError> {
    if let Some(window) = setup.voltage_window {
        return Ok((window, window.scaling(setup.speedup)?));
    }
    let cells: Vec<&CellParameters> = network
        .populations()
        .flat_map(|(_, population)| match &population.kind {
            PopulationKind::Neurons(PerMember::Uniform(cell)) => std::slice::from_ref(cell),
            PopulationKind::Neurons(PerMember::Each(cells)) => cells,
            PopulationKind::Sources(_) => &[],
        })
        .collect();
    let potentials = || cells.iter().flat_map(|cell| cell.potentials_mv());
    let (low, high) = (
        potentials().fold(f64::INFINITY, f64::min),
        potentials().fold(f64::NEG_INFINITY, f64::max),
    );
    // a network of sources alone has no potentials
    let bio_mv = if low < high { [low, high] } else { [-80.0, 0.0] };
    if let Some(window) = before.filter(|w| w.bio_mv[0] <= bio_mv[0] && bio_mv[1] <= w.bio_mv[1]) {
        return Ok((window, window.scaling(setup.speedup)?));
    }
    let mut kinds: Vec<CellParameters> = Vec::new();
    for &cell in &cells {
        // potentials always fit, and only adaptive neurons have values that depend on the window
        if matches!(cell, CellParameters::EifCondExpIsfaIsta(_)) && !kinds.contains(cell) {
            kinds.push(*cell);
        }
        if kinds.len() == MAX_KINDS {
            break;
        }
    }
    let mut best: Option<(usize, VoltageWindow, Scaling)> = None;
    for hw_v in HW_WINDOWS_V {
        let window = VoltageWindow { bio_mv, hw_v };
        let scaling = window.scaling(setup.speedup)?;
        let misfits = kinds.iter().map(|cell| misfits(cell, &scaling, setup)).sum();
        if best.as_ref().is_none_or(|(least, ..)| misfits < *least) {
            best = Some((misfits, window, scaling));
        }
    }
    let (_, window, scaling) = best.expect("there is a window to try");
    Ok((window, scaling))
}

/// Different cells that the choice of a window looks at.
const MAX_KINDS: usize = 64;
/// What a cell that is refused counts among clipped values.
const REFUSED: usize = 1000;

/// Values of a cell that clip in the best mode of a setup.
fn misfits(cell: &CellParameters, scaling: &Scaling, setup: &Setup) -> usize {
    let ideal = NeuronCalibration::ideal();
    let misfits =
        mode(setup).modes().map(|mode| match calib::translate_cell(cell, scaling, mode, &ideal) {
            Ok(translation) => translation.clipped.len(),
            Err(_) => REFUSED,
        });
    misfits.min().unwrap_or(REFUSED)
}

/// The modes that a setup allows.
pub(super) fn mode(setup: &Setup) -> ModeChoice {
    ModeChoice { capacitor: setup.capacitor, leak: setup.leak }
}
