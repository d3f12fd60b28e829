//! Neuron circuits (denmems), quads and neuron blocks (topology §7.1).

use super::{FgBlockOnHicann, Vertical, coord};

coord! {
    /// One of the 512 neuron circuits, `256 * bottom + column`.
    #[doc(alias = "denmem")]
    NeuronOnHicann: u16, 512, "nrn"
}
coord! {
    /// One of the eight neuron blocks of 32 columns x 2 rows.
    NeuronBlockOnHicann: u8, 8, "nb"
}
coord! {
    /// One of the 128 quads of 2 x 2 circuits.
    QuadOnHicann: u8, 128, "quad"
}
coord! {
    /// A circuit within its quad, `2 * bottom + right`.
    NeuronOnQuad: u8, 4, "noq"
}
coord! {
    /// A circuit within its neuron block, `32 * bottom + column`.
    NeuronOnNeuronBlock: u8, 64, "nonb"
}
coord! {
    /// A circuit within the floating-gate block of its individual parameters, by column.
    NeuronOnFgBlock: u8, 128, "nofg"
}

impl NeuronOnHicann {
    /// The circuit in a column (0..=255) of a row of circuits; the column wraps at 256.
    pub const fn at(column: u8, vertical: Vertical) -> Self {
        Self::wrap(256 * vertical.index() + column as usize)
    }

    /// Column 0..=255.
    pub const fn column(self) -> usize {
        self.index() % 256
    }

    /// Row of circuits.
    pub const fn vertical(self) -> Vertical {
        if self.index() < 256 { Vertical::Top } else { Vertical::Bottom }
    }

    /// The neuron block of the circuit.
    pub const fn block(self) -> NeuronBlockOnHicann {
        NeuronBlockOnHicann::wrap(self.column() / 32)
    }

    /// The quad of the circuit.
    pub const fn quad(self) -> QuadOnHicann {
        QuadOnHicann::wrap(self.column() / 2)
    }

    /// Position within the quad.
    pub const fn on_quad(self) -> NeuronOnQuad {
        NeuronOnQuad::wrap(2 * self.vertical().index() + self.column() % 2)
    }

    /// Position within the neuron block.
    pub const fn on_block(self) -> NeuronOnNeuronBlock {
        NeuronOnNeuronBlock::wrap(32 * self.vertical().index() + self.column() % 32)
    }

    /// The floating-gate block of its individual parameters.
    pub const fn fg_block(self) -> FgBlockOnHicann {
        FgBlockOnHicann::wrap(self.index() / 128)
    }

    /// Position within the floating-gate block. In which column of the block its cells stand is
    /// told by [`FgColumnOnBlock::of_neuron`](super::FgColumnOnBlock::of_neuron).
    pub const fn on_fg_block(self) -> NeuronOnFgBlock {
        NeuronOnFgBlock::wrap(self.index() % 128)
    }

    /// The floating-gate block whose shared V_reset and I_breset this circuit uses: the left block
    /// of its row feeds even columns, the right block odd ones.
    pub const fn shared_fg_block(self) -> FgBlockOnHicann {
        FgBlockOnHicann::wrap(2 * self.vertical().index() + self.column() % 2)
    }

    /// The circuit above or below.
    pub const fn other_row(self) -> Self {
        Self::wrap((self.index() + 256) % 512)
    }
}

impl QuadOnHicann {
    /// The circuit at a position of this quad.
    pub const fn neuron(self, on_quad: NeuronOnQuad) -> NeuronOnHicann {
        let (y, x) = (on_quad.index() / 2, on_quad.index() % 2);
        NeuronOnHicann::wrap(256 * y + 2 * self.index() + x)
    }
}

impl NeuronBlockOnHicann {
    /// The circuit at a position of this block.
    pub const fn neuron(self, on_block: NeuronOnNeuronBlock) -> NeuronOnHicann {
        let (y, x) = (on_block.index() / 32, on_block.index() % 32);
        NeuronOnHicann::wrap(256 * y + 32 * self.index() + x)
    }
}

impl FgBlockOnHicann {
    /// The circuit at a position of this block.
    pub const fn neuron(self, on_block: NeuronOnFgBlock) -> NeuronOnHicann {
        NeuronOnHicann::wrap(128 * self.index() + on_block.index())
    }
}
