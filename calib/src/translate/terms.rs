//! Which cell realises which PyNN parameter, and what a neuron switches off (analog §1.6).

use hal::config::NeuronParameter;
use hal::law;

use crate::{CellParameters, CircuitMode, Scaling};

/// What a parameter measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Quantity {
    Potential,
    Difference,
    Time,
    Conductance,
    Current,
}

/// The floating-gate parameter that realises a PyNN parameter of a cell, and what it measures.
/// None for those that no cell of a circuit realises, or whose part of the circuit is off.
pub(super) fn realised_by(
    cell: &CellParameters,
    name: &'static str,
) -> Option<(NeuronParameter, Quantity)> {
    use NeuronParameter as P;
    let realised = match name {
        "tau_m" => (P::IGl, Quantity::Time),
        "v_rest" => (P::EL, Quantity::Potential),
        "e_rev_E" => (P::ESynx, Quantity::Potential),
        "e_rev_I" => (P::ESyni, Quantity::Potential),
        "tau_refrac" => (P::IPl, Quantity::Time),
        "tau_syn_E" => (P::VSyntcx, Quantity::Time),
        "tau_syn_I" => (P::VSyntci, Quantity::Time),
        _ => return realised_by_model(cell, name),
    };
    Some(realised)
}

/// The same for the parameters in which the models differ.
fn realised_by_model(
    cell: &CellParameters,
    name: &'static str,
) -> Option<(NeuronParameter, Quantity)> {
    use NeuronParameter as P;
    let threshold = Some((P::VT, Quantity::Potential));
    match (cell, name) {
        (CellParameters::IfCondExp(_), "v_thresh") => threshold,
        (CellParameters::EifCondExpIsfaIsta(c), "v_thresh") if c.fires_at_v_thresh() => threshold,
        (CellParameters::EifCondExpIsfaIsta(c), "v_spike") if !c.fires_at_v_thresh() => threshold,
        (CellParameters::EifCondExpIsfaIsta(c), "v_thresh") if c.delta_t != 0.0 => {
            Some((P::VExp, Quantity::Potential))
        }
        (CellParameters::EifCondExpIsfaIsta(c), "delta_T") if c.delta_t != 0.0 => {
            Some((P::IRexp, Quantity::Difference))
        }
        (CellParameters::EifCondExpIsfaIsta(c), "a") if c.a != 0.0 => {
            Some((P::IGladapt, Quantity::Conductance))
        }
        (CellParameters::EifCondExpIsfaIsta(c), "b") if c.b != 0.0 => {
            Some((P::IFire, Quantity::Current))
        }
        // the time constant of no adaptation must not be refused for being out of reach
        (CellParameters::EifCondExpIsfaIsta(c), "tau_w") if c.a != 0.0 || c.b != 0.0 => {
            Some((P::IRadapt, Quantity::Time))
        }
        _ => None,
    }
}

/// All that the conversion of a quantity depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Units<'a> {
    scaling: &'a Scaling,
    cm_nf: f64,
    /// Of one circuit: each joined circuit brings its own adaptation.
    capacitance_f: f64,
}

impl<'a> Units<'a> {
    pub(super) fn new(scaling: &'a Scaling, cm_nf: f64, mode: CircuitMode) -> Self {
        Self { scaling, cm_nf, capacitance_f: law::capacitance_f(&mode.half()) }
    }

    /// From the PyNN unit to SI units of the hardware.
    pub(super) fn to_hw(self, quantity: Quantity, bio: f64) -> f64 {
        let Self { scaling, cm_nf, capacitance_f } = self;
        match quantity {
            Quantity::Potential => scaling.potential_to_hw_v(bio),
            Quantity::Difference => scaling.difference_to_hw_v(bio),
            Quantity::Time => scaling.time_to_hw_s(bio),
            Quantity::Conductance => scaling.conductance_to_hw_s(bio, cm_nf, capacitance_f),
            Quantity::Current => scaling.current_to_hw_a(bio, cm_nf, capacitance_f),
        }
    }

    /// From SI units of the hardware to the PyNN unit.
    pub(super) fn to_bio(self, quantity: Quantity, hw: f64) -> f64 {
        let Self { scaling, cm_nf, capacitance_f } = self;
        match quantity {
            Quantity::Potential => scaling.potential_to_bio_mv(hw),
            Quantity::Difference => scaling.difference_to_bio_mv(hw),
            Quantity::Time => scaling.time_to_bio_ms(hw),
            Quantity::Conductance => scaling.conductance_to_bio_ns(hw, cm_nf, capacitance_f),
            Quantity::Current => scaling.current_to_bio_na(hw, cm_nf, capacitance_f),
        }
    }
}
