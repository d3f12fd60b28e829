//! The wafer: HICANNs, reticles (DNCs), FPGAs and their tables (topology §2).

use super::{
    AdcGroupOnWafer, AuxPowerOnWafer, Coordinate, PowerOnWafer, SocketOnWio, TriggerOnWafer,
    WioOnWafer, coord,
};

coord! {
    /// One of the 384 chips, row-major over the existing points of a 36 x 16 grid (topology §2.1).
    #[doc(alias = "HICANNOnWafer")]
    HicannOnWafer: u16, 384, "H"
}
coord! {
    /// One of the eight chips of a reticle, `4 * y + x`, x 0..3, y 0..1.
    HicannOnDnc: u8, 8, "hod"
}
coord! {
    /// Number of the high-speed link of a chip on its reticle, `2 * x + y` (topology §2.3).
    HighspeedLinkOnDnc: u8, 8, "hs"
}
coord! {
    /// One of the 48 reticles. Each has one DNC, served by one FPGA.
    #[doc(alias = "reticle")]
    DncOnWafer: u8, 48, "D"
}
coord! {
    /// The DNC of an FPGA. Each FPGA serves one reticle, so that there is only number 0.
    DncOnFpga: u8, 1, "dof"
}
coord! {
    /// One of the 48 FPGAs. A permutation of the reticles, not the same number.
    FpgaOnWafer: u8, 48, "F"
}
coord! {
    /// One of the two analog outputs. They belong to the reticle and are shared by its eight chips.
    #[doc(alias = "AnalogOnDNC")]
    AnalogOnHicann: u8, 2, "A"
}

/// First x of the chip rows, by row pair `y / 2` (topology §2.1).
const X_MIN: [usize; 8] = [12, 8, 4, 0, 0, 4, 8, 12];
/// Number of chips in the rows above, by row.
const ROW_START: [usize; 17] = {
    let mut start = [0; 17];
    let mut y = 0;
    while y < 16 {
        start[y + 1] = start[y] + 36 - 2 * X_MIN[y / 2];
        y += 1;
    }
    start
};

/// Column and row by chip.
const GRID: [(u8, u8); 384] = {
    let mut grid = [(0, 0); 384];
    let (mut chip, mut y) = (0, 0);
    while chip < 384 {
        if chip == ROW_START[y + 1] {
            y += 1;
        }
        grid[chip] = ((X_MIN[y / 2] + chip - ROW_START[y]) as u8, y as u8);
        chip += 1;
    }
    grid
};

impl HicannOnWafer {
    /// Chips per row of the grid, including points that do not exist.
    pub const GRID_WIDTH: usize = 36;
    /// Rows of the grid.
    pub const GRID_HEIGHT: usize = 16;

    /// The chip at column `x` (0..=35) and row `y` (0..=15), if it exists.
    pub const fn at(x: usize, y: usize) -> Option<Self> {
        if y >= 16 || x < X_MIN[y / 2] || x > 35 - X_MIN[y / 2] {
            return None;
        }
        Some(Self::wrap(ROW_START[y] + x - X_MIN[y / 2]))
    }

    /// Row 0..=15, growing southwards.
    pub const fn y(self) -> usize {
        GRID[self.index()].1 as usize
    }

    /// Column 0..=35, growing eastwards.
    pub const fn x(self) -> usize {
        GRID[self.index()].0 as usize
    }

    /// Neighbour to the north, none at the rim.
    pub fn north(self) -> Option<Self> {
        Self::at(self.x(), self.y().checked_sub(1)?)
    }

    /// Neighbour to the east, none at the rim.
    pub fn east(self) -> Option<Self> {
        Self::at(self.x() + 1, self.y())
    }

    /// Neighbour to the south, none at the rim.
    pub fn south(self) -> Option<Self> {
        Self::at(self.x(), self.y() + 1)
    }

    /// Neighbour to the west, none at the rim.
    pub fn west(self) -> Option<Self> {
        Self::at(self.x().checked_sub(1)?, self.y())
    }

    /// The reticle of this chip: `(x / 4, y / 2)` on the reticle grid.
    pub fn dnc(self) -> DncOnWafer {
        DncOnWafer::at(self.x() / 4, self.y() / 2).expect("every chip lies on a reticle")
    }

    /// Position on the reticle.
    pub fn on_dnc(self) -> HicannOnDnc {
        HicannOnDnc::wrap(4 * (self.y() % 2) + self.x() % 4)
    }

    /// The FPGA that serves this chip.
    pub fn fpga(self) -> FpgaOnWafer {
        self.dnc().fpga()
    }

    /// High-speed link number on the reticle.
    pub fn link(self) -> HighspeedLinkOnDnc {
        self.on_dnc().link()
    }
}

impl HicannOnDnc {
    /// Link number `2 * x + y`.
    pub const fn link(self) -> HighspeedLinkOnDnc {
        HighspeedLinkOnDnc::wrap(2 * (self.index() % 4) + self.index() / 4)
    }
}

impl HighspeedLinkOnDnc {
    /// The chip behind this link.
    pub const fn hicann(self) -> HicannOnDnc {
        HicannOnDnc::wrap(4 * (self.index() % 2) + self.index() / 2)
    }
}

/// First x of the reticle rows (topology §2.3).
const DNC_X_MIN: [usize; 8] = [3, 2, 1, 0, 0, 1, 2, 3];

/// The board around one reticle (topology §2.3).
struct Reticle {
    fpga: u8,
    power: u8,
    trigger: u8,
    aux_power: u8,
}

/// By DNC number (topology §2.3; the tables have no closed form).
const RETICLES: [Reticle; 48] = [
    Reticle { fpga: 12, power: 1, trigger: 5, aux_power: 1 },
    Reticle { fpga: 13, power: 4, trigger: 5, aux_power: 1 },
    Reticle { fpga: 11, power: 5, trigger: 6, aux_power: 0 },
    Reticle { fpga: 16, power: 2, trigger: 4, aux_power: 1 },
    Reticle { fpga: 14, power: 45, trigger: 5, aux_power: 1 },
    Reticle { fpga: 15, power: 6, trigger: 5, aux_power: 1 },
    Reticle { fpga: 10, power: 7, trigger: 6, aux_power: 0 },
    Reticle { fpga: 9, power: 8, trigger: 6, aux_power: 0 },
    Reticle { fpga: 20, power: 44, trigger: 3, aux_power: 1 },
    Reticle { fpga: 17, power: 43, trigger: 4, aux_power: 1 },
    Reticle { fpga: 19, power: 3, trigger: 4, aux_power: 1 },
    Reticle { fpga: 7, power: 12, trigger: 7, aux_power: 1 },
    Reticle { fpga: 6, power: 11, trigger: 7, aux_power: 0 },
    Reticle { fpga: 8, power: 10, trigger: 6, aux_power: 0 },
    Reticle { fpga: 3, power: 14, trigger: 8, aux_power: 0 },
    Reticle { fpga: 22, power: 41, trigger: 3, aux_power: 1 },
    Reticle { fpga: 21, power: 42, trigger: 3, aux_power: 1 },
    Reticle { fpga: 23, power: 47, trigger: 3, aux_power: 1 },
    Reticle { fpga: 18, power: 48, trigger: 4, aux_power: 1 },
    Reticle { fpga: 5, power: 46, trigger: 7, aux_power: 1 },
    Reticle { fpga: 4, power: 9, trigger: 7, aux_power: 0 },
    Reticle { fpga: 0, power: 15, trigger: 8, aux_power: 0 },
    Reticle { fpga: 2, power: 16, trigger: 8, aux_power: 0 },
    Reticle { fpga: 1, power: 13, trigger: 8, aux_power: 0 },
    Reticle { fpga: 25, power: 37, trigger: 2, aux_power: 1 },
    Reticle { fpga: 26, power: 40, trigger: 2, aux_power: 1 },
    Reticle { fpga: 24, power: 39, trigger: 2, aux_power: 1 },
    Reticle { fpga: 28, power: 36, trigger: 1, aux_power: 1 },
    Reticle { fpga: 43, power: 34, trigger: 10, aux_power: 0 },
    Reticle { fpga: 42, power: 24, trigger: 10, aux_power: 0 },
    Reticle { fpga: 47, power: 23, trigger: 9, aux_power: 0 },
    Reticle { fpga: 45, power: 18, trigger: 9, aux_power: 0 },
    Reticle { fpga: 46, power: 17, trigger: 9, aux_power: 0 },
    Reticle { fpga: 27, power: 38, trigger: 2, aux_power: 1 },
    Reticle { fpga: 29, power: 33, trigger: 1, aux_power: 1 },
    Reticle { fpga: 30, power: 35, trigger: 1, aux_power: 1 },
    Reticle { fpga: 41, power: 21, trigger: 10, aux_power: 0 },
    Reticle { fpga: 40, power: 22, trigger: 10, aux_power: 0 },
    Reticle { fpga: 38, power: 19, trigger: 11, aux_power: 0 },
    Reticle { fpga: 44, power: 20, trigger: 9, aux_power: 0 },
    Reticle { fpga: 31, power: 32, trigger: 1, aux_power: 1 },
    Reticle { fpga: 32, power: 31, trigger: 0, aux_power: 1 },
    Reticle { fpga: 39, power: 27, trigger: 11, aux_power: 0 },
    Reticle { fpga: 37, power: 28, trigger: 11, aux_power: 0 },
    Reticle { fpga: 36, power: 26, trigger: 11, aux_power: 0 },
    Reticle { fpga: 33, power: 29, trigger: 0, aux_power: 1 },
    Reticle { fpga: 34, power: 30, trigger: 0, aux_power: 0 },
    Reticle { fpga: 35, power: 25, trigger: 0, aux_power: 0 },
];

impl DncOnWafer {
    /// The reticle at column `x` (0..=8) and row `y` (0..=7) of the reticle grid, if it exists.
    pub fn at(x: usize, y: usize) -> Option<Self> {
        let min = *DNC_X_MIN.get(y)?;
        if x < min || x > 8 - min {
            return None;
        }
        let above: usize = DNC_X_MIN[..y].iter().map(|m| 9 - 2 * m).sum();
        Some(Self::wrap(above + x - min))
    }

    /// Column on the reticle grid.
    pub fn x(self) -> usize {
        self.xy().0
    }

    /// Row on the reticle grid.
    pub fn y(self) -> usize {
        self.xy().1
    }

    fn xy(self) -> (usize, usize) {
        let mut rest = self.index();
        for (y, min) in DNC_X_MIN.iter().enumerate() {
            let width = 9 - 2 * min;
            if rest < width {
                return (rest + min, y);
            }
            rest -= width;
        }
        unreachable!("48 reticles in eight rows")
    }

    /// The chip at a position of this reticle.
    pub fn hicann(self, on_dnc: HicannOnDnc) -> HicannOnWafer {
        let (x, y) = self.xy();
        HicannOnWafer::at(4 * x + on_dnc.index() % 4, 2 * y + on_dnc.index() / 4)
            .expect("every reticle has eight chips")
    }

    /// The eight chips of this reticle.
    pub fn hicanns(self) -> impl Iterator<Item = HicannOnWafer> {
        HicannOnDnc::all().map(move |h| self.hicann(h))
    }

    /// The FPGA that serves this reticle.
    pub fn fpga(self) -> FpgaOnWafer {
        FpgaOnWafer::wrap(RETICLES[self.index()].fpga as usize)
    }

    /// The switch of its power supply.
    pub const fn power(self) -> PowerOnWafer {
        PowerOnWafer::wrap(RETICLES[self.index()].power as usize)
    }

    /// Trigger group of the ADCs.
    pub const fn trigger(self) -> TriggerOnWafer {
        TriggerOnWafer::wrap(RETICLES[self.index()].trigger as usize)
    }

    /// Auxiliary power board.
    pub const fn aux_power(self) -> AuxPowerOnWafer {
        AuxPowerOnWafer::wrap(RETICLES[self.index()].aux_power as usize)
    }

    /// ADC group.
    pub const fn adc_group(self) -> AdcGroupOnWafer {
        self.trigger().adc_group()
    }
}

impl FpgaOnWafer {
    /// The FPGA that starts all others.
    pub const MASTER: Self = Self::new::<12>();

    /// The reticle that this FPGA serves.
    pub fn dnc(self) -> DncOnWafer {
        let found = RETICLES.iter().position(|r| r.fpga as usize == self.index());
        DncOnWafer::wrap(found.expect("the table is a permutation"))
    }

    /// The wafer I/O board of this FPGA, `FPGA / 12`.
    pub const fn wio(self) -> WioOnWafer {
        WioOnWafer::wrap(self.index() / 12)
    }

    /// Its socket on the board, `FPGA mod 12`.
    pub const fn socket(self) -> SocketOnWio {
        SocketOnWio::wrap(self.index() % 12)
    }

    /// The FPGA in a socket of a board.
    pub const fn at(wio: WioOnWafer, socket: SocketOnWio) -> Self {
        Self::wrap(12 * wio.index() + socket.index())
    }

    /// Last octet of its address in the network of its wafer, 192.168.`wafer`.0.
    pub const fn ip_last_octet(self) -> u8 {
        (1 + 32 * self.wio().index() + self.socket().index()) as u8
    }
}
