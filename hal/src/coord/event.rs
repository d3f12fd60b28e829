//! Event sources and merger tree, L1 addresses and pulse labels (topology §4.1, §5, §6, §8.1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{
    Coordinate, HLineOnHicann, HRepeaterOnHicann, HighspeedLinkOnDnc, NeuronBlockOnHicann,
    OutOfRange, ParseCoordinateError, coord,
};

coord! {
    /// One of the eight event links between a chip and its FPGA.
    GbitLinkOnHicann: u8, 8, "gbit"
}
coord! {
    /// One of the eight mergers in front of the sending repeaters; D0..D7 of topology §5.
    DncMergerOnHicann: u8, 8, "dnc"
}
coord! {
    /// One of the eight background generators.
    BackgroundGeneratorOnHicann: u8, 8, "bg"
}
coord! {
    /// One of the eight repeaters that put events onto L1.
    SendingRepeaterOnHicann: u8, 8, "sr"
}
coord! {
    /// One of the fifteen tree mergers in register order: level 0 (0..=7, one per neuron block and
    /// background generator), level 1 (8..=11), level 2 (12..=13), level 3 (14).
    MergerOnHicann: u8, 15, "mrg"
}
coord! {
    /// One of the eight mergers of level 0, between a background generator and a neuron block.
    Merger0OnHicann: u8, 8, "m0."
}
coord! {
    /// One of the four mergers of level 1.
    Merger1OnHicann: u8, 4, "m1."
}
coord! {
    /// One of the two mergers of level 2.
    Merger2OnHicann: u8, 2, "m2."
}
coord! {
    /// The merger of level 3, the last one.
    Merger3OnHicann: u8, 1, "m3."
}
coord! {
    /// Six-bit address of an event on an L1 bus.
    L1Address: u8, 64, "adr"
}
coord! {
    /// The two upper bits of an L1 address, compared in the driver.
    DriverDecoder: u8, 4, "dd"
}
coord! {
    /// The four lower bits of an L1 address, compared in the synapse.
    SynapseDecoder: u8, 16, "sd"
}

impl L1Address {
    /// Address of background and locking events; neurons must not use it.
    pub const BACKGROUND: Self = Self::new::<0>();

    /// Upper two bits.
    pub const fn driver_decoder(self) -> DriverDecoder {
        DriverDecoder::wrap(self.index() / 16)
    }

    /// Lower four bits.
    pub const fn synapse_decoder(self) -> SynapseDecoder {
        SynapseDecoder::wrap(self.index() % 16)
    }

    /// The address with these bits.
    pub const fn from_decoders(driver: DriverDecoder, synapse: SynapseDecoder) -> Self {
        Self::wrap(16 * driver.index() + synapse.index())
    }

    /// Whether a neuron or an input may have this address: not the background address, and not one
    /// whose lower bits equal [`SynapseDecoder::DISABLED`]. 59 remain (topology §6).
    pub const fn is_usable(self) -> bool {
        self.index() != 0 && self.index() % 16 != SynapseDecoder::DISABLED.index()
    }
}

impl SynapseDecoder {
    /// The value that no source sends, so that a synapse with it is switched off.
    pub const DISABLED: Self = Self::new::<1>();
}

impl SendingRepeaterOnHicann {
    /// The horizontal line of its own chip that it drives, `6 + 8 s`.
    pub const fn hline(self) -> HLineOnHicann {
        HLineOnHicann::wrap(6 + 8 * self.index())
    }

    /// The repeater it is.
    pub const fn repeater(self) -> HRepeaterOnHicann {
        HRepeaterOnHicann::wrap(6 + 8 * self.index())
    }

    /// The DNC merger that feeds it.
    pub const fn dnc_merger(self) -> DncMergerOnHicann {
        DncMergerOnHicann::wrap(7 - self.index())
    }
}

impl DncMergerOnHicann {
    /// The sending repeater it feeds, `7 - m`.
    pub const fn sending_repeater(self) -> SendingRepeaterOnHicann {
        SendingRepeaterOnHicann::wrap(7 - self.index())
    }

    /// The horizontal line of its own chip, `62 - 8 m`.
    pub const fn hline(self) -> HLineOnHicann {
        self.sending_repeater().hline()
    }

    /// The event link at its left input.
    pub const fn gbit_link(self) -> GbitLinkOnHicann {
        GbitLinkOnHicann::wrap(self.index())
    }

    /// The tree merger at its right input (topology §5.1).
    pub const fn tree_input(self) -> MergerOnHicann {
        const TAP: [usize; 8] = [0, 8, 2, 14, 4, 13, 11, 7];
        MergerOnHicann::wrap(TAP[self.index()])
    }

    /// Partner of the loopback connection, `m xor 1`.
    pub const fn loopback_partner(self) -> Self {
        Self::wrap(self.index() ^ 1)
    }
}

impl GbitLinkOnHicann {
    /// The DNC merger behind this link.
    pub const fn dnc_merger(self) -> DncMergerOnHicann {
        DncMergerOnHicann::wrap(self.index())
    }
}

macro_rules! levels {
    ($($name:ident: $first:literal),*) => {$(
        impl From<$name> for MergerOnHicann {
            fn from(merger: $name) -> Self {
                Self::wrap($first + merger.index())
            }
        }

        impl TryFrom<MergerOnHicann> for $name {
            type Error = OutOfRange;
            /// The merger within its level, if it is of this one.
            fn try_from(merger: MergerOnHicann) -> Result<Self, OutOfRange> {
                let (kind, value) = ("MergerOnHicann", merger.index());
                let (first, last) = ($first, $first + $name::SIZE - 1);
                let on_level = value.checked_sub(first).and_then(<Self as Coordinate>::from_index);
                on_level.ok_or(OutOfRange { kind, value, first, last })
            }
        }
    )*};
}

levels!(Merger0OnHicann: 0, Merger1OnHicann: 8, Merger2OnHicann: 12, Merger3OnHicann: 14);

/// What stands at an input of a tree merger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergerInput {
    /// A background generator (left input of a level-0 merger).
    Background(BackgroundGeneratorOnHicann),
    /// A neuron block (right input of a level-0 merger).
    NeuronBlock(NeuronBlockOnHicann),
    /// The output of another tree merger.
    Merger(MergerOnHicann),
}

impl MergerOnHicann {
    /// Level in the tree, 0..=3, from the neuron blocks to the root. The original has a type for
    /// each level: Merger0OnHICANN to Merger3OnHICANN.
    pub const fn level(self) -> usize {
        match self.index() {
            0..8 => 0,
            8..12 => 1,
            12..14 => 2,
            _ => 3,
        }
    }

    /// Position in its level: 0..=7, 0..=3, 0..=1 or 0.
    pub const fn on_level(self) -> usize {
        self.index() - (16 - (16 >> self.level()))
    }

    /// The merger at a position of a level, if it exists.
    pub const fn at_level(level: usize, on_level: usize) -> Option<Self> {
        if level > 3 || on_level >= 8 >> level {
            return None;
        }
        Some(Self::wrap(16 - (16 >> level) + on_level))
    }

    /// Left and right input (topology §5.1).
    pub const fn inputs(self) -> [MergerInput; 2] {
        let m = self.index();
        if m < 8 {
            return [
                MergerInput::Background(BackgroundGeneratorOnHicann::wrap(m)),
                MergerInput::NeuronBlock(NeuronBlockOnHicann::wrap(m)),
            ];
        }
        let left = match m {
            8..12 => 2 * (m - 8),
            12..14 => 8 + 2 * (m - 12),
            _ => 12,
        };
        [MergerInput::Merger(Self::wrap(left)), MergerInput::Merger(Self::wrap(left + 1))]
    }
}

/// Where an event enters or leaves the wafer, as it stands in playback and trace words: 3 bits
/// high-speed link, 3 bits `7 - gbit link`, 6 bits L1 address (topology §8.1, hal-config §3.2).
/// Prints as `hs6.gbit5.adr17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PulseLabel {
    /// The chip, by its link on the reticle.
    pub link: HighspeedLinkOnDnc,
    /// The event link of the chip.
    pub gbit_link: GbitLinkOnHicann,
    /// The address on the bus.
    pub address: L1Address,
}

impl PulseLabel {
    /// Twelve bits of the label.
    pub const fn bits(self) -> u16 {
        (self.link.index() << 9 | (7 - self.gbit_link.index()) << 6 | self.address.index()) as u16
    }

    /// The label in the lower twelve bits.
    pub const fn from_bits(bits: u16) -> Self {
        let b = bits as usize;
        Self {
            link: HighspeedLinkOnDnc::wrap(b >> 9 & 7),
            gbit_link: GbitLinkOnHicann::wrap(7 - (b >> 6 & 7)),
            address: L1Address::wrap(b & 63),
        }
    }
}

impl fmt::Display for PulseLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.link, self.gbit_link, self.address)
    }
}

impl FromStr for PulseLabel {
    type Err = ParseCoordinateError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '.');
        let [Some(link), Some(gbit_link), Some(address)] = std::array::from_fn(|_| parts.next())
        else {
            return Err(ParseCoordinateError::malformed(text, "PulseLabel", "hs6.gbit5.adr17"));
        };
        Ok(Self { link: link.parse()?, gbit_link: gbit_link.parse()?, address: address.parse()? })
    }
}
