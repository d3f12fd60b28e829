//! Synapse drivers, rows, columns and single synapses (topology §4.4, §7.3, §7.5).

use super::{
    FgBlockOnHicann, NeuronOnHicann, Parity, SendingRepeaterOnHicann, Side, Vertical, coord,
};

coord! {
    /// One of the 224 synapse drivers, numbered by height; 0..=111 in the top half.
    #[doc(alias = "SynapseDriverOnHICANN")]
    SynapseDriverOnHicann: u8, 224, "drv"
}
coord! {
    /// One of the four quadrants, `2 * bottom + right`.
    QuadrantOnHicann: u8, 4, "q"
}
coord! {
    /// Position of a driver in its quadrant, from north to south.
    DriverOnQuadrant: u8, 56, "doq"
}
coord! {
    /// Upper (0) or lower (1) row of a driver.
    RowOnSynapseDriver: u8, 2, "r"
}
coord! {
    /// One of the two synapse arrays: 0 top, 1 bottom.
    SynapseArrayOnHicann: u8, 2, "arr"
}
coord! {
    /// One of the 448 synapse rows, `2 * driver + row on driver`.
    SynapseRowOnHicann: u16, 448, "row"
}
coord! {
    /// A synapse row counted within its array.
    SynapseRowOnArray: u8, 224, "roa"
}
coord! {
    /// One of the 256 synapse columns.
    SynapseColumnOnHicann: u8, 256, "col"
}
coord! {
    /// One of the 114,688 synapses, `256 * row + column`.
    SynapseOnHicann: u32, 114688, "syn"
}
coord! {
    /// One of the two synaptic inputs of a circuit: 0 left (synx, excitatory), 1 right (syni,
    /// inhibitory).
    SynapticInputOnNeuron: u8, 2, "in"
}
coord! {
    /// One of the 1024 synaptic inputs of a chip, `2 * circuit + input on circuit`.
    SynapticInputOnHicann: u16, 1024, "si"
}

impl SynapseDriverOnHicann {
    /// The sending repeater of the same chip that reaches this driver; there is one (topology
    /// §4.7).
    pub const fn sending_repeater(self) -> SendingRepeaterOnHicann {
        let b = self.index() / 2 % 8;
        SendingRepeaterOnHicann::wrap(match self.vertical() {
            Vertical::Top => 7 - b,
            Vertical::Bottom => b,
        })
    }

    /// Half of the chip.
    pub const fn vertical(self) -> Vertical {
        if self.index() < 112 { Vertical::Top } else { Vertical::Bottom }
    }

    /// Side of the chip. Drivers alternate, and the alternation flips between the halves: even is
    /// right on top and left at the bottom.
    pub const fn side(self) -> Side {
        if (self.index() % 2 == 0) == (self.index() < 112) { Side::Right } else { Side::Left }
    }

    /// Quadrant of the driver.
    pub const fn quadrant(self) -> QuadrantOnHicann {
        QuadrantOnHicann::wrap(2 * (self.index() / 112) + self.side().index())
    }

    /// Position in its quadrant.
    pub const fn on_quadrant(self) -> DriverOnQuadrant {
        DriverOnQuadrant::wrap((self.index() / 2) % 56)
    }

    /// The row of synapses driven by the upper or lower half of the driver.
    pub const fn row(self, row: RowOnSynapseDriver) -> SynapseRowOnHicann {
        SynapseRowOnHicann::wrap(2 * self.index() + row.index())
    }

    /// The next driver of the same quadrant away from the centre of the chip; `connect_neighbor`
    /// bridges to it (topology §7.5).
    pub fn outward(self) -> Option<Self> {
        let y = self.index();
        match self.vertical() {
            Vertical::Top => y.checked_sub(2).map(Self::wrap),
            Vertical::Bottom => (y + 2 < Self::SIZE).then(|| Self::wrap(y + 2)),
        }
    }

    /// The next driver of the same quadrant towards the centre of the chip.
    pub fn inward(self) -> Option<Self> {
        let y = self.index();
        match self.vertical() {
            Vertical::Top => (y + 2 < 112).then(|| Self::wrap(y + 2)),
            Vertical::Bottom => (y >= 114).then(|| Self::wrap(y - 2)),
        }
    }

    /// Drivers 110..=113 do not work on HICANN version 4, the version of every manufactured wafer.
    pub const fn usable_on_hicann_v4(self) -> bool {
        !(self.index() >= 110 && self.index() <= 113)
    }
}

impl QuadrantOnHicann {
    /// The quadrant on a side of a half.
    pub const fn at(side: Side, vertical: Vertical) -> Self {
        Self::wrap(2 * vertical.index() + side.index())
    }

    /// Side of the quadrant.
    pub const fn side(self) -> Side {
        if self.index() % 2 == 0 { Side::Left } else { Side::Right }
    }

    /// Half of the quadrant.
    pub const fn vertical(self) -> Vertical {
        if self.index() < 2 { Vertical::Top } else { Vertical::Bottom }
    }

    /// The floating-gate block with the four V_gmax of this quadrant (topology §7.4).
    pub const fn fg_block(self) -> FgBlockOnHicann {
        FgBlockOnHicann::wrap(self.index())
    }

    /// The driver at a position of this quadrant.
    pub const fn driver(self, position: DriverOnQuadrant) -> SynapseDriverOnHicann {
        let (q, i) = (self.index(), position.index());
        let odd = (q.is_multiple_of(2)) != (q >= 2);
        SynapseDriverOnHicann::wrap(2 * (56 * (q / 2) + i) + odd as usize)
    }
}

impl SynapseArrayOnHicann {
    /// The array in a half.
    pub const fn in_half(vertical: Vertical) -> Self {
        Self::wrap(vertical.index())
    }
}

impl SynapseRowOnHicann {
    /// The driver of the row.
    pub const fn driver(self) -> SynapseDriverOnHicann {
        SynapseDriverOnHicann::wrap(self.index() / 2)
    }

    /// Upper or lower row of the driver.
    pub const fn on_driver(self) -> RowOnSynapseDriver {
        RowOnSynapseDriver::wrap(self.index() % 2)
    }

    /// The array of the row.
    pub const fn array(self) -> SynapseArrayOnHicann {
        SynapseArrayOnHicann::wrap(self.index() / 224)
    }

    /// Position within the array.
    pub const fn on_array(self) -> SynapseRowOnArray {
        SynapseRowOnArray::wrap(self.index() % 224)
    }

    /// The row at a position of an array.
    pub const fn from_array(array: SynapseArrayOnHicann, row: SynapseRowOnArray) -> Self {
        Self::wrap(224 * array.index() + row.index())
    }

    /// The synapse of this row in a column.
    pub const fn synapse(self, column: SynapseColumnOnHicann) -> SynapseOnHicann {
        SynapseOnHicann::wrap(256 * self.index() + column.index())
    }
}

impl SynapseColumnOnHicann {
    /// Even columns use the even driver decoder of a row, odd ones the odd.
    pub const fn parity(self) -> Parity {
        if self.index() % 2 == 0 { Parity::Even } else { Parity::Odd }
    }
}

impl SynapseOnHicann {
    /// Row of the synapse.
    pub const fn row(self) -> SynapseRowOnHicann {
        SynapseRowOnHicann::wrap(self.index() / 256)
    }

    /// Column of the synapse.
    pub const fn column(self) -> SynapseColumnOnHicann {
        SynapseColumnOnHicann::wrap(self.index() % 256)
    }

    /// The circuit this synapse drives: same column, top circuit for the top array (topology
    /// §7.3).
    pub const fn neuron(self) -> NeuronOnHicann {
        NeuronOnHicann::wrap(256 * (self.row().index() / 224) + self.column().index())
    }
}

impl SynapticInputOnNeuron {
    /// Left input, synx.
    pub const EXCITATORY: Self = Self::new::<0>();
    /// Right input, syni.
    pub const INHIBITORY: Self = Self::new::<1>();
}

impl SynapticInputOnHicann {
    /// The input of a circuit.
    pub const fn of(neuron: NeuronOnHicann, input: SynapticInputOnNeuron) -> Self {
        Self::wrap(2 * neuron.index() + input.index())
    }

    /// The circuit of the input.
    pub const fn neuron(self) -> NeuronOnHicann {
        NeuronOnHicann::wrap(self.index() / 2)
    }

    /// Left or right input of its circuit.
    pub const fn on_neuron(self) -> SynapticInputOnNeuron {
        SynapticInputOnNeuron::wrap(self.index() % 2)
    }
}
