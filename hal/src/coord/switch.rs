//! Crossbar and synapse switches: which exist, and what they join (topology §4.3, §4.4).

use super::{
    Coordinate, HLineOnHicann, OnWafer, Side, SynapseDriverOnHicann, VLineOnHicann, Vertical, coord,
};
use crate::coord::HicannOnWafer;

coord! {
    /// One of the 512 crossbar switches between a horizontal and a vertical line,
    /// `8 * hline + vline / 32`.
    CrossbarSwitchOnHicann: u16, 512, "xb"
}
coord! {
    /// One of the four crossbar switches of a horizontal line on one side, by vertical line.
    #[doc(alias = "CrossbarSwitchOnCrossbarSwitchRow")]
    CrossbarSwitchOnRow: u8, 4, "xor"
}
coord! {
    /// One of the 7168 switches between a vertical line and the input row of a driver,
    /// `32 * row + 4 * (vline / 32) + vline % 4`.
    SynapseSwitchOnHicann: u16, 7168, "ss"
}
coord! {
    /// One of the 448 rows of 16 synapse switches, `2 * y + side`.
    SynapseSwitchRowOnHicann: u16, 448, "ssr"
}
coord! {
    /// One of the sixteen switches of a row of synapse switches, by vertical line.
    #[doc(alias = "SynapseSwitchOnSynapseSwitchRow")]
    SynapseSwitchOnRow: u8, 16, "sor"
}

impl CrossbarSwitchOnHicann {
    /// The switch between two lines, if it exists: lines of equal class.
    pub fn between(hline: HLineOnHicann, vline: VLineOnHicann) -> Option<Self> {
        (hline.class() == vline.class()).then(|| Self::wrap(8 * hline.index() + vline.index() / 32))
    }

    /// The horizontal line.
    pub const fn hline(self) -> HLineOnHicann {
        HLineOnHicann::wrap(self.index() / 8)
    }

    /// The vertical line.
    pub const fn vline(self) -> VLineOnHicann {
        let (half, k) = (self.index() / 16, self.index() % 8);
        VLineOnHicann::wrap(if k < 4 { 31 - half + 32 * k } else { half + 32 * k })
    }

    /// The switch of a horizontal line on one side.
    pub const fn at(hline: HLineOnHicann, side: Side, on_row: CrossbarSwitchOnRow) -> Self {
        Self::wrap(8 * hline.index() + 4 * side.index() + on_row.index())
    }

    /// Position among the four switches of its horizontal line and side.
    pub const fn on_row(self) -> CrossbarSwitchOnRow {
        CrossbarSwitchOnRow::wrap(self.index() % 4)
    }
}

impl SynapseSwitchRowOnHicann {
    /// The row of switches at driver height `y` on one side of the chip.
    pub fn at(side: Side, y: SynapseDriverOnHicann) -> Self {
        Self::wrap(2 * y.index() + side.index())
    }

    /// Side of the chip; the switches join vertical lines of this side.
    pub const fn side(self) -> Side {
        if self.index() % 2 == 0 { Side::Left } else { Side::Right }
    }

    /// Height of the row, as number of the driver at that height.
    pub const fn y(self) -> SynapseDriverOnHicann {
        SynapseDriverOnHicann::wrap(self.index() / 2)
    }

    /// The vertical lines that have a switch in this row, ascending.
    pub fn vlines(self) -> impl Iterator<Item = VLineOnHicann> {
        let b = (self.y().index() % 16) / 2;
        let top = self.y().vertical() == Vertical::Top;
        let left = self.side() == Side::Left;
        let group = if left == top { b } else { 7 - b };
        let base = 128 * self.side().index() + 4 * group;
        (0..16).map(move |i| VLineOnHicann::wrap(base + 32 * (i / 4) + i % 4))
    }

    /// The switch at a position of this row.
    pub fn switch(self, on_row: SynapseSwitchOnRow) -> SynapseSwitchOnHicann {
        SynapseSwitchOnHicann::wrap(16 * self.index() + on_row.index())
    }

    /// Whether the row ends at a driver of its own chip.
    pub fn is_local(self) -> bool {
        self.y().side() == self.side()
    }

    /// The driver at the end of this row of `hicann`: on the same chip, or beyond the border on
    /// this side; none at the rim of the wafer.
    pub fn driver(self, hicann: HicannOnWafer) -> Option<OnWafer<SynapseDriverOnHicann>> {
        let chip = match (self.is_local(), self.side()) {
            (true, _) => Some(hicann),
            (false, Side::Left) => hicann.west(),
            (false, Side::Right) => hicann.east(),
        };
        chip.map(|h| self.y().on(h))
    }

    /// The row of the facing chip beyond this side that ends at the same driver wire: at most one
    /// switch of both rows may be closed (topology §4.6).
    pub fn facing(self, hicann: HicannOnWafer) -> Option<OnWafer<Self>> {
        let chip = match self.side() {
            Side::Left => hicann.west(),
            Side::Right => hicann.east(),
        };
        chip.map(|h| Self::at(self.side().opposite(), self.y()).on(h))
    }
}

impl SynapseSwitchOnHicann {
    /// The switch between a vertical line and the row at height `y`, if it exists.
    pub fn between(vline: VLineOnHicann, y: SynapseDriverOnHicann) -> Option<Self> {
        let b = (y.index() % 16) / 2;
        let mirrored = (vline.side() == Side::Left) != (y.vertical() == Vertical::Top);
        let wanted = if mirrored { 7 - b } else { b };
        (vline.switch_group() == wanted)
            .then(|| Self::wrap(32 * y.index() + 4 * (vline.index() / 32) + vline.index() % 4))
    }

    /// The row of the switch.
    pub fn row(self) -> SynapseSwitchRowOnHicann {
        let side = if self.index() % 32 < 16 { Side::Left } else { Side::Right };
        SynapseSwitchRowOnHicann::at(side, SynapseDriverOnHicann::wrap(self.index() / 32))
    }

    /// Position among the sixteen switches of its row.
    pub const fn on_row(self) -> SynapseSwitchOnRow {
        SynapseSwitchOnRow::wrap(self.index() % 16)
    }

    /// The vertical line of the switch.
    pub fn vline(self) -> VLineOnHicann {
        let row = self.row();
        let first = row.vlines().next().expect("a row has 16 lines").index();
        let i = self.index() % 16;
        VLineOnHicann::wrap(first + 32 * (i / 4) + i % 4)
    }
}

impl VLineOnHicann {
    /// The 28 switches of this line, ascending by height (topology §4.4).
    pub fn synapse_switches(self) -> impl Iterator<Item = SynapseSwitchOnHicann> {
        SynapseDriverOnHicann::all().filter_map(move |y| SynapseSwitchOnHicann::between(self, y))
    }
}
