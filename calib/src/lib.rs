#![doc = include_str!("../README.md")]

mod adc;
mod calibration;
pub mod campaign;
mod cell;
pub mod database;
pub mod evaluation;
pub mod fit;
mod gmax;
mod pairs;
mod plasticity;
pub mod procedure;
mod scaling;
mod translate;
mod weight;

pub use adc::AdcCalibration;
pub use calibration::{
    BlockCalibration, CircuitMode, HicannCalibration, NeuronCalibration, WaferCalibration,
};
pub use cell::{CellParameters, EifCondExpIsfaIsta, IfCondExp, InvalidCell, unit};
pub use gmax::{GmaxChoice, GmaxSetting, InvalidConductance, choose_v_gmax};
pub use pairs::{PairError, PairRule, PairSettings, PairTranslation, translate_pairs};
pub use plasticity::{
    BlockPlasticity, DriverPlasticity, PlasticityError, PlasticityTranslation, TsodyksMarkram,
    translate_plasticity,
};
pub use scaling::{InvalidScaling, Scaling};
pub use translate::{
    Clipped, TranslateError, Translation, realised_cell, translate_cell, translate_v_reset,
};
pub use weight::{DigitalWeight, digital_weight, weight_siemens, weight_us};
