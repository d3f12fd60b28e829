//! Range-checked small numbers that are not places (hal-config §0.3).

use crate::coord::coord;

coord! {
    /// Digital weight of a synapse, four bits.
    SynapseWeight: u8, 16, "w"
}
coord! {
    /// Value of a floating-gate cell, ten bits. 1023 is nominally 1.8 V or 2.5 uA.
    DacCode: u16, 1024, "dac"
}
coord! {
    /// Which of the four shared maximum conductances V_gmax0..3 a synapse row uses.
    GmaxSelect: u8, 4, "gmax"
}
coord! {
    /// One of the two four-bit divisors of a synapse row; their sum scales the conductance down.
    GmaxDivisor: u8, 16, "div"
}
coord! {
    /// Three-bit capacitor setting of the short-term plasticity of a driver.
    StpCapacitor: u8, 8, "cap"
}
coord! {
    /// Two-bit crosstalk compensation or filter capacitor of repeaters.
    RepeaterCapacitor: u8, 4, "len"
}

impl SynapseWeight {
    /// Largest weight, 15.
    pub const MAX: Self = Self::new::<15>();
}

impl DacCode {
    /// Largest value, 1023.
    pub const MAX: Self = Self::new::<1023>();
}

macro_rules! zero_default {
    ($($name:ident),*) => {$(
        impl Default for $name {
            fn default() -> Self {
                Self::new::<0>()
            }
        }
    )*};
}
zero_default!(SynapseWeight, DacCode, GmaxSelect, StpCapacitor, RepeaterCapacitor);

impl From<DacCode> for f64 {
    fn from(code: DacCode) -> Self {
        code.index() as Self
    }
}
