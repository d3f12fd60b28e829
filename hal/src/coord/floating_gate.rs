//! Floating-gate blocks, rows and columns (topology §7.7, hal-config §1.10).

use super::{NeuronOnHicann, Side, coord};

coord! {
    /// One of the four floating-gate blocks: top left, top right, bottom left, bottom right.
    FgBlockOnHicann: u8, 4, "fgb"
}
coord! {
    /// One of the 24 rows of a block. Odd rows hold current cells, even rows voltage cells.
    FgRowOnBlock: u8, 24, "fgr"
}
coord! {
    /// One of the 129 columns of a block: 0 the shared parameter, 1..=128 the circuits.
    FgColumnOnBlock: u8, 129, "fgc"
}

impl FgBlockOnHicann {
    /// Side of the block; the rows of the parameters differ between left and right.
    pub const fn side(self) -> Side {
        if self.index() % 2 == 0 { Side::Left } else { Side::Right }
    }
}

impl FgRowOnBlock {
    /// Whether the cells of the row are current cells.
    pub const fn is_current(self) -> bool {
        self.index() % 2 == 1
    }
}

impl FgColumnOnBlock {
    /// The column of the shared parameters.
    pub const SHARED: Self = Self::new::<0>();

    /// The column of a circuit in its block: ascending in left blocks, mirrored in right blocks.
    pub const fn of_neuron(neuron: NeuronOnHicann) -> Self {
        let on_block = neuron.index() % 128;
        Self::wrap(match neuron.fg_block().side() {
            Side::Left => on_block + 1,
            Side::Right => 128 - on_block,
        })
    }

    /// The circuit whose individual parameters stand in this column of a block; none for the
    /// shared column.
    pub fn neuron(self, block: FgBlockOnHicann) -> Option<NeuronOnHicann> {
        let c = self.index();
        let on_block = match (c, block.side()) {
            (0, _) => return None,
            (_, Side::Left) => c - 1,
            (_, Side::Right) => 128 - c,
        };
        Some(NeuronOnHicann::wrap(128 * block.index() + on_block))
    }
}
