//! L1 lines and repeaters of one chip, and how lanes cross chip borders (topology §4.2, §4.5).

use serde::{Deserialize, Serialize};

use super::{SendingRepeaterOnHicann, Side, Vertical, coord};

coord! {
    /// One of the 64 horizontal lines.
    #[doc(alias = "HLineOnHICANN")]
    HLineOnHicann: u8, 64, "hl"
}
coord! {
    /// One of the 256 vertical lines; 0..=127 on the left side, 128..=255 on the right.
    #[doc(alias = "VLineOnHICANN")]
    VLineOnHicann: u8, 256, "vl"
}
coord! {
    /// The repeater of a horizontal line; same number as the line.
    HRepeaterOnHicann: u8, 64, "hr"
}
coord! {
    /// The repeater of a vertical line, `128 * bottom + vline / 2`.
    VRepeaterOnHicann: u8, 256, "vr"
}
coord! {
    /// One of the six repeater blocks: top left, top right, centre left, centre right, bottom
    /// left, bottom right.
    RepeaterBlockOnHicann: u8, 6, "rb"
}
coord! {
    /// One of the two test ports of a repeater block.
    TestPortOnRepeaterBlock: u8, 2, "tp"
}
coord! {
    /// The class k of a line on its chip: crossbar switches join lines of equal class only, and
    /// `(k - x - 2 y) mod 32` is the same along every possible L1 path (topology §4.7).
    L1Class: u8, 32, "k"
}

/// A direction of travel on the wafer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// Towards smaller y.
    North,
    /// Towards larger x.
    East,
    /// Towards larger y.
    South,
    /// Towards smaller x.
    West,
}

impl Direction {
    /// All four, clockwise from north.
    pub const ALL: [Self; 4] = [Self::North, Self::East, Self::South, Self::West];

    /// The opposite direction.
    pub const fn opposite(self) -> Self {
        match self {
            Self::North => Self::South,
            Self::East => Self::West,
            Self::South => Self::North,
            Self::West => Self::East,
        }
    }
}

impl HLineOnHicann {
    /// The line of the eastern neighbour that continues this one.
    pub const fn east(self) -> Self {
        Self::wrap((self.index() + 2) % 64)
    }

    /// The line of the western neighbour that continues this one.
    pub const fn west(self) -> Self {
        Self::wrap((self.index() + 62) % 64)
    }

    /// The repeater of this line on its own chip.
    pub const fn repeater(self) -> HRepeaterOnHicann {
        HRepeaterOnHicann::wrap(self.index())
    }

    /// Class of the line, `h / 2`.
    pub const fn class(self) -> L1Class {
        L1Class::wrap(self.index() / 2)
    }

    /// The eight vertical lines with a crossbar switch to this line, ascending (topology §4.3).
    pub fn crossbar_vlines(self) -> impl Iterator<Item = VLineOnHicann> {
        let half = self.index() / 2;
        (0..8).map(move |k| {
            VLineOnHicann::wrap(if k < 4 { 31 - half + 32 * k } else { half + 32 * k })
        })
    }
}

impl VLineOnHicann {
    /// Side of the chip on which the line runs.
    pub const fn side(self) -> Side {
        if self.index() < 128 { Side::Left } else { Side::Right }
    }

    /// The line of the southern neighbour that continues this one: left lanes decrease by two,
    /// right lanes increase.
    pub const fn south(self) -> Self {
        let v = self.index();
        Self::wrap(if v < 128 { (v + 126) % 128 } else { 128 + (v - 126) % 128 })
    }

    /// The line of the northern neighbour that continues this one.
    pub const fn north(self) -> Self {
        let v = self.index();
        Self::wrap(if v < 128 { (v + 2) % 128 } else { 128 + (v - 2) % 128 })
    }

    /// The repeater of this line on its own chip.
    pub const fn repeater(self) -> VRepeaterOnHicann {
        let bottom = (self.index() % 2 == 0) == (self.index() < 128);
        VRepeaterOnHicann::wrap(128 * bottom as usize + self.index() / 2)
    }

    /// Class of the line: `31 - v % 32` on the left, `v % 32` on the right.
    pub const fn class(self) -> L1Class {
        let m = self.index() % 32;
        L1Class::wrap(if self.index() < 128 { 31 - m } else { m })
    }

    /// The two horizontal lines with a crossbar switch to this line.
    pub fn crossbar_hlines(self) -> [HLineOnHicann; 2] {
        let even = 2 * self.class().index();
        [HLineOnHicann::wrap(even), HLineOnHicann::wrap(even + 1)]
    }

    /// The sixteenth of the lines (`(v % 32) / 4`) that shares its synapse switches, 0..=7.
    pub const fn switch_group(self) -> usize {
        (self.index() % 32) / 4
    }
}

impl HRepeaterOnHicann {
    /// The line of this repeater.
    pub const fn line(self) -> HLineOnHicann {
        HLineOnHicann::wrap(self.index())
    }

    /// The side on which the repeater sits: even left, odd right.
    pub const fn side(self) -> Side {
        if self.index() % 2 == 0 { Side::Left } else { Side::Right }
    }

    /// The sending repeater this is, if it is one of the eight (`h % 8 == 6`).
    pub fn sending(self) -> Option<SendingRepeaterOnHicann> {
        (self.index() % 8 == 6).then(|| SendingRepeaterOnHicann::wrap(self.index() / 8))
    }

    /// The block of the repeater, centre left or centre right.
    pub const fn block(self) -> RepeaterBlockOnHicann {
        RepeaterBlockOnHicann::wrap(2 + self.index() % 2)
    }

    /// The test port of the repeater; sending repeaters have none.
    pub fn test_port(self) -> Option<TestPortOnRepeaterBlock> {
        match self.sending() {
            Some(_) => None,
            None => Some(TestPortOnRepeaterBlock::wrap([1, 1, 0, 0][self.index() % 4])),
        }
    }
}

impl VRepeaterOnHicann {
    /// The line of this repeater.
    pub const fn line(self) -> VLineOnHicann {
        let (a, bottom) = (self.index() % 128, self.index() / 128);
        let left = (a < 64) as usize;
        VLineOnHicann::wrap(2 * a + (bottom ^ left))
    }

    /// The edge at which the repeater sits.
    pub const fn vertical(self) -> Vertical {
        if self.index() < 128 { Vertical::Top } else { Vertical::Bottom }
    }

    /// The block of the repeater, one of the four corners.
    pub const fn block(self) -> RepeaterBlockOnHicann {
        let row = if self.index() < 128 { 0 } else { 4 };
        let right = self.line().index() / 128;
        RepeaterBlockOnHicann::wrap(row + right)
    }

    /// The test port of the repeater.
    pub const fn test_port(self) -> TestPortOnRepeaterBlock {
        let v = self.line().index();
        let c = if v < 128 { v } else { 383 - v };
        TestPortOnRepeaterBlock::wrap(1 - (c / 2) % 2)
    }
}
