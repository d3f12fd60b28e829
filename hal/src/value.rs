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

coord! {
    /// Sum of the two divisors of a synapse row, 0..=30 (hal-config §0.3).
    GmaxDivisorSum: u8, 31, "divsum"
}
coord! {
    /// Clocks of precharge or of writing of a small memory, 0..=15 (hal-config §2.2).
    SramDelay: u8, 16, "sram"
}
coord! {
    /// Clocks that a synapse controller takes to write, 0..=3 (hal-config §1.6).
    WriteDelay: u8, 4, "wd"
}
coord! {
    /// Other delays of a synapse controller in clocks, 0..=15 (hal-config §1.6).
    ControllerDelay: u8, 16, "cd"
}
coord! {
    /// Setting `gen` of a synapse controller, four bits. Its meaning is not documented; 0 is what
    /// the original always writes (hal-config §1.6, §11).
    PatternGenerator: u8, 16, "gen"
}
coord! {
    /// Time of an event at a test port of a repeater block, ten bits (hal-config §1.8).
    TestTime: u16, 1024, "tt"
}
coord! {
    /// Position in a current stimulus, 0..=128 (hal-config §1.10).
    StimulusSample: u8, 129, "stim"
}
coord! {
    /// Length of a clock of the floating-gate controllers, and so of a current stimulus step:
    /// `4 (length + 1)` PLL clocks (hal-config §1.10).
    PulseLength: u8, 16, "pl"
}
coord! {
    /// Time or count of the floating-gate controllers, six bits, 0..=63 (hal-config §1.10).
    FgTime: u8, 64, "fgt"
}
coord! {
    /// Bias current of the floating-gate controllers, four bits (hal-config §2.18).
    FgBiasCurrent: u8, 16, "fgb"
}

impl GmaxDivisorSum {
    /// The sum as left and right divisor: the left one is used up first (hal-config §0.3).
    pub const fn split(self) -> [GmaxDivisor; 2] {
        let left = if self.index() < 15 { self.index() } else { 15 };
        [GmaxDivisor::wrap(left), GmaxDivisor::wrap(self.index() - left)]
    }
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
zero_default!(
    SynapseWeight,
    DacCode,
    GmaxSelect,
    StpCapacitor,
    RepeaterCapacitor,
    PatternGenerator,
    TestTime
);

impl From<DacCode> for f64 {
    fn from(code: DacCode) -> Self {
        code.index() as Self
    }
}
