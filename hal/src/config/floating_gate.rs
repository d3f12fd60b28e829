//! Analog parameter storage (hal-config §1.10; analog §1.1 to §1.3).
//!
//! The letter of a parameter's name does not tell the kind of its cell: odd rows hold currents,
//! even rows voltages, and V_gmax stands in odd rows.

use serde::{Deserialize, Serialize};

use crate::coord::{
    Coordinate, FgBlockOnHicann, FgColumnOnBlock, FgRowOnBlock, NeuronOnHicann, Side, Table, coord,
};
use crate::value::DacCode;

/// Parameters that each circuit has for itself, in the order of hal-config §1.10, where their rows
/// and defaults stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NeuronParameter {
    /// Leak reversal potential.
    #[doc(alias = "E_l")]
    EL,
    /// Reversal potential of the right (inhibitory) input.
    #[doc(alias = "E_syni")]
    ESyni,
    /// Reversal potential of the left (excitatory) input.
    #[doc(alias = "E_synx")]
    ESynx,
    /// Bias of the exponential circuit.
    #[doc(alias = "I_bexp")]
    IBexp,
    /// Bias limiting the inhibitory conductance.
    #[doc(alias = "I_convi")]
    IConvi,
    /// Bias limiting the excitatory conductance.
    #[doc(alias = "I_convx")]
    IConvx,
    /// Charge on the adaptation capacitor per spike.
    #[doc(alias = "I_fire")]
    IFire,
    /// Leak conductance.
    #[doc(alias = "I_gl")]
    IGl,
    /// Sub-threshold adaptation conductance.
    #[doc(alias = "I_gladapt")]
    IGladapt,
    /// Bias of the inhibitory integrator.
    #[doc(alias = "I_intbbi")]
    IIntbbi,
    /// Bias of the excitatory integrator.
    #[doc(alias = "I_intbbx")]
    IIntbbx,
    /// Refractory period.
    #[doc(alias = "I_pl")]
    IPl,
    /// Adaptation time constant.
    #[doc(alias = "I_radapt")]
    IRadapt,
    /// Slope of the exponential term.
    #[doc(alias = "I_rexp")]
    IRexp,
    /// Bias of the threshold comparator.
    #[doc(alias = "I_spikeamp")]
    ISpikeamp,
    /// Onset of the exponential term.
    #[doc(alias = "V_exp")]
    VExp,
    /// Idle voltage of the inhibitory line.
    #[doc(alias = "V_syni")]
    VSyni,
    /// Inhibitory synaptic time constant.
    #[doc(alias = "V_syntci")]
    VSyntci,
    /// Excitatory synaptic time constant.
    #[doc(alias = "V_syntcx")]
    VSyntcx,
    /// Idle voltage of the excitatory line.
    #[doc(alias = "V_synx")]
    VSynx,
    /// Spike threshold.
    #[doc(alias = "V_t")]
    VT,
    /// Offset correction of the inhibitory input.
    #[doc(alias = "V_convoffi")]
    VConvoffi,
    /// Offset correction of the excitatory input.
    #[doc(alias = "V_convoffx")]
    VConvoffx,
}

/// Parameters shared by a block, in the order of hal-config §1.10, where their rows and defaults
/// stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SharedParameter {
    /// Reset potential: left block for even circuits of its row, right block for odd ones.
    #[doc(alias = "V_reset")]
    VReset,
    /// Bias of the array's amplifiers.
    #[doc(alias = "int_op_bias")]
    IntOpBias,
    /// Control voltage of the L1 receivers in reset.
    #[doc(alias = "V_dllres")]
    VDllres,
    /// Bias of the neuron read-out; left blocks.
    #[doc(alias = "V_bout")]
    VBout,
    /// Bias of the exponential circuit's driver; right blocks.
    #[doc(alias = "V_bexp")]
    VBexp,
    /// Facilitation offset.
    #[doc(alias = "V_fac")]
    VFac,
    /// Reset pull-down current.
    #[doc(alias = "I_breset")]
    IBreset,
    /// Depression offset.
    #[doc(alias = "V_dep")]
    VDep,
    /// Bias of the current stimulus.
    #[doc(alias = "I_bstim")]
    IBstim,
    /// Upper compare voltage of plasticity.
    #[doc(alias = "V_thigh")]
    VThigh,
    /// Maximum synaptic conductance 3.
    #[doc(alias = "V_gmax3")]
    VGmax3,
    /// Lower compare voltage of plasticity.
    #[doc(alias = "V_tlow")]
    VTlow,
    /// Maximum synaptic conductance 0.
    #[doc(alias = "V_gmax0")]
    VGmax0,
    /// Clear voltage, acausal; left blocks.
    #[doc(alias = "V_clra")]
    VClra,
    /// Clear voltage, causal; right blocks.
    #[doc(alias = "V_clrc")]
    VClrc,
    /// Maximum synaptic conductance 1.
    #[doc(alias = "V_gmax1")]
    VGmax1,
    /// Reset voltage of short-term plasticity.
    #[doc(alias = "V_stdf")]
    VStdf,
    /// Maximum synaptic conductance 2.
    #[doc(alias = "V_gmax2")]
    VGmax2,
    /// Start load of plasticity capacitors.
    #[doc(alias = "V_m")]
    VM,
    /// Bias of short-term plasticity.
    #[doc(alias = "V_bstdf")]
    VBstdf,
    /// Recovery time of short-term plasticity.
    #[doc(alias = "V_dtc")]
    VDtc,
    /// Bias of the plasticity read-out.
    #[doc(alias = "V_br")]
    VBr,
    /// Bias of the L1 input amplifiers.
    #[doc(alias = "V_ccas")]
    VCcas,
}

/// Name, row in left blocks, row in right blocks, default value.
struct NeuronCell(&'static str, u8, u8, u16);
/// Name, row in left blocks, row in right blocks, default value.
struct SharedCell(&'static str, Option<u8>, Option<u8>, u16);

const NEURON_CELLS: [(NeuronParameter, NeuronCell); NeuronParameter::COUNT] = {
    use NeuronParameter as P;
    [
        (P::EL, NeuronCell("E_l", 6, 16, 300)),
        (P::ESyni, NeuronCell("E_syni", 18, 2, 100)),
        (P::ESynx, NeuronCell("E_synx", 16, 0, 570)),
        (P::IBexp, NeuronCell("I_bexp", 1, 15, 1023)),
        (P::IConvi, NeuronCell("I_convi", 3, 1, 1023)),
        (P::IConvx, NeuronCell("I_convx", 17, 3, 1023)),
        (P::IFire, NeuronCell("I_fire", 7, 19, 511)),
        (P::IGl, NeuronCell("I_gl", 11, 21, 200)),
        (P::IGladapt, NeuronCell("I_gladapt", 9, 11, 100)),
        (P::IIntbbi, NeuronCell("I_intbbi", 21, 7, 511)),
        (P::IIntbbx, NeuronCell("I_intbbx", 19, 5, 511)),
        (P::IPl, NeuronCell("I_pl", 13, 9, 511)),
        (P::IRadapt, NeuronCell("I_radapt", 15, 23, 511)),
        (P::IRexp, NeuronCell("I_rexp", 23, 13, 511)),
        (P::ISpikeamp, NeuronCell("I_spikeamp", 5, 17, 1023)),
        (P::VExp, NeuronCell("V_exp", 20, 4, 400)),
        (P::VSyni, NeuronCell("V_syni", 8, 10, 511)),
        (P::VSyntci, NeuronCell("V_syntci", 10, 8, 800)),
        (P::VSyntcx, NeuronCell("V_syntcx", 14, 12, 800)),
        (P::VSynx, NeuronCell("V_synx", 22, 6, 511)),
        (P::VT, NeuronCell("V_t", 12, 14, 500)),
        (P::VConvoffi, NeuronCell("V_convoffi", 4, 18, 1023)),
        (P::VConvoffx, NeuronCell("V_convoffx", 2, 20, 1023)),
    ]
};

const SHARED_CELLS: [(SharedParameter, SharedCell); SharedParameter::COUNT] = {
    use SharedParameter as P;
    [
        (P::VReset, SharedCell("V_reset", Some(0), Some(0), 300)),
        (P::IntOpBias, SharedCell("int_op_bias", Some(1), Some(1), 1023)),
        (P::VDllres, SharedCell("V_dllres", Some(2), Some(2), 200)),
        (P::VBout, SharedCell("V_bout", Some(3), None, 1023)),
        (P::VBexp, SharedCell("V_bexp", None, Some(3), 1023)),
        (P::VFac, SharedCell("V_fac", Some(4), Some(4), 0)),
        (P::IBreset, SharedCell("I_breset", Some(5), Some(5), 1023)),
        (P::VDep, SharedCell("V_dep", Some(6), Some(6), 0)),
        (P::IBstim, SharedCell("I_bstim", Some(7), Some(7), 1023)),
        (P::VThigh, SharedCell("V_thigh", Some(8), Some(8), 0)),
        (P::VGmax3, SharedCell("V_gmax3", Some(9), Some(9), 1000)),
        (P::VTlow, SharedCell("V_tlow", Some(10), Some(10), 0)),
        (P::VGmax0, SharedCell("V_gmax0", Some(11), Some(11), 1000)),
        (P::VClra, SharedCell("V_clra", Some(12), None, 0)),
        (P::VClrc, SharedCell("V_clrc", None, Some(12), 0)),
        (P::VGmax1, SharedCell("V_gmax1", Some(13), Some(13), 1000)),
        (P::VStdf, SharedCell("V_stdf", Some(14), Some(14), 0)),
        (P::VGmax2, SharedCell("V_gmax2", Some(15), Some(15), 1000)),
        (P::VM, SharedCell("V_m", Some(16), Some(16), 0)),
        (P::VBstdf, SharedCell("V_bstdf", Some(17), Some(17), 0)),
        (P::VDtc, SharedCell("V_dtc", Some(19), Some(19), 0)),
        (P::VBr, SharedCell("V_br", Some(21), Some(21), 0)),
        (P::VCcas, SharedCell("V_ccas", Some(23), Some(23), 800)),
    ]
};

impl NeuronParameter {
    /// How many parameters a circuit has.
    pub const COUNT: usize = 23;

    /// All, in order.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        NEURON_CELLS.iter().map(|(p, _)| *p)
    }

    /// Position in the order, `0..COUNT`.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Name as users of the original stack know it, like `E_l`.
    pub const fn name(self) -> &'static str {
        NEURON_CELLS[self.index()].1.0
    }

    /// Row of the parameter in a block on this side.
    pub const fn row(self, side: Side) -> FgRowOnBlock {
        let cell = &NEURON_CELLS[self.index()].1;
        FgRowOnBlock::wrap(match side {
            Side::Left => cell.1,
            Side::Right => cell.2,
        } as usize)
    }

    /// Value after reset.
    pub const fn default_code(self) -> DacCode {
        DacCode::wrap(NEURON_CELLS[self.index()].1.3 as usize)
    }
}

impl SharedParameter {
    /// How many shared parameters exist.
    pub const COUNT: usize = 23;

    /// All, in order.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        SHARED_CELLS.iter().map(|(p, _)| *p)
    }

    /// Position in the order, `0..COUNT`.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Name as users of the original stack know it, like `V_reset`.
    pub const fn name(self) -> &'static str {
        SHARED_CELLS[self.index()].1.0
    }

    /// Row of the parameter in a block on this side; some exist on one side only.
    pub fn row(self, side: Side) -> Option<FgRowOnBlock> {
        let cell = &SHARED_CELLS[self.index()].1;
        let row = match side {
            Side::Left => cell.1,
            Side::Right => cell.2,
        };
        row.map(|r| FgRowOnBlock::wrap(r as usize))
    }

    /// Value after reset.
    pub const fn default_code(self) -> DacCode {
        DacCode::wrap(SHARED_CELLS[self.index()].1.3 as usize)
    }

    /// The parameter that holds a selectable maximum conductance.
    pub const fn gmax(select: crate::value::GmaxSelect) -> Self {
        [Self::VGmax0, Self::VGmax1, Self::VGmax2, Self::VGmax3][select.index()]
    }
}

coord! {
    /// One cell of a block, `129 * row + column`.
    FgCellOnBlock: u16, 3096, "cell"
}

impl FgCellOnBlock {
    /// The cell of a row in a column.
    pub const fn at(row: FgRowOnBlock, column: FgColumnOnBlock) -> Self {
        Self::wrap(129 * row.index() + column.index())
    }
}

/// The 24 x 129 cells of one block: column 0 shared, 1 to 128 one circuit each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FgBlock {
    /// Value by cell.
    pub cells: Table<FgCellOnBlock, DacCode>,
}

/// The four blocks of a chip (hal-config §1.10): 0 top left, 1 top right, 2 bottom left, 3 bottom
/// right.
///
/// A cell holds a voltage, nominally 0 to 1.8 V, or a current, nominally 0 to 2.5 uA, as a ten-bit
/// code. What the codes do to the circuits is told by [`crate::law`]. Cells cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FloatingGates {
    /// By block.
    pub blocks: Table<FgBlockOnHicann, FgBlock>,
}

impl Default for FloatingGates {
    fn default() -> Self {
        let mut gates = Self { blocks: Table::filled(FgBlock { cells: Table::default() }) };
        for neuron in NeuronOnHicann::all() {
            for parameter in NeuronParameter::all() {
                gates.set_neuron(neuron, parameter, parameter.default_code());
            }
        }
        for block in FgBlockOnHicann::all() {
            for parameter in SharedParameter::all() {
                gates.set_shared(block, parameter, parameter.default_code());
            }
        }
        gates
    }
}

impl FloatingGates {
    /// Block and cell of a circuit's parameter.
    pub const fn neuron_cell(
        neuron: NeuronOnHicann,
        parameter: NeuronParameter,
    ) -> (FgBlockOnHicann, FgCellOnBlock) {
        let block = neuron.fg_block();
        let row = parameter.row(block.side());
        (block, FgCellOnBlock::at(row, FgColumnOnBlock::of_neuron(neuron)))
    }

    /// Value of a circuit's parameter.
    pub fn neuron(&self, neuron: NeuronOnHicann, parameter: NeuronParameter) -> DacCode {
        let (block, cell) = Self::neuron_cell(neuron, parameter);
        self.blocks[block].cells[cell]
    }

    /// Sets a circuit's parameter.
    pub fn set_neuron(
        &mut self,
        neuron: NeuronOnHicann,
        parameter: NeuronParameter,
        code: DacCode,
    ) {
        let (block, cell) = Self::neuron_cell(neuron, parameter);
        self.blocks[block].cells[cell] = code;
    }

    /// Value of a block's shared parameter; none if the block lacks it.
    pub fn shared(&self, block: FgBlockOnHicann, parameter: SharedParameter) -> Option<DacCode> {
        let row = parameter.row(block.side())?;
        Some(self.blocks[block].cells[FgCellOnBlock::at(row, FgColumnOnBlock::SHARED)])
    }

    /// Sets a block's shared parameter. A block that lacks the parameter is left as it is, so that
    /// a value meant for a whole chip can be set on all four blocks.
    pub fn set_shared(
        &mut self,
        block: FgBlockOnHicann,
        parameter: SharedParameter,
        code: DacCode,
    ) {
        if let Some(row) = parameter.row(block.side()) {
            self.blocks[block].cells[FgCellOnBlock::at(row, FgColumnOnBlock::SHARED)] = code;
        }
    }
}
