//! Around the wafer: boards, power, triggers, analog readout and JTAG (topology §1, §2.3).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{AnalogOnHicann, Coordinate, DncOnWafer, OutOfRange, ParseCoordinateError, coord};

coord! {
    /// One of the four wafer I/O boards.
    #[doc(alias = "WIOOnWafer")]
    WioOnWafer: u8, 4, "wio"
}
coord! {
    /// One of the twelve FPGA sockets of a wafer I/O board.
    #[doc(alias = "SocketOnWIO")]
    SocketOnWio: u8, 12, "socket"
}
coord! {
    /// One of the twelve trigger groups of the ADCs; four reticles each.
    TriggerOnWafer: u8, 12, "trg"
}
coord! {
    /// One of the six ADC groups; two trigger groups each.
    #[doc(alias = "ADCGroupOnWafer")]
    AdcGroupOnWafer: u8, 6, "adcg"
}
coord! {
    /// One of the two auxiliary power boards: 0 top, 1 bottom.
    #[doc(alias = "AuxPwrOnWafer")]
    AuxPowerOnWafer: u8, 2, "aux"
}
coord! {
    /// One of the two analog readout boards (Ananas).
    AnanasOnWafer: u8, 2, "ananas"
}
coord! {
    /// One of the six slices of a readout board.
    AnanasSliceOnAnanas: u8, 6, "soa"
}
coord! {
    /// One of the twelve slices of both readout boards, `6 * board + slice on board`.
    AnanasSliceOnWafer: u8, 12, "slice"
}
coord! {
    /// One of the eight channels of a slice: two for each of its four reticles.
    AnanasChannelOnSlice: u8, 8, "anc"
}
coord! {
    /// One of the eight inputs of an ADC board.
    InputOnAdc: u8, 8, "ch"
}
coord! {
    /// One of the two trigger inputs of an ADC board.
    #[doc(alias = "TriggerOnADC")]
    TriggerOnAdc: u8, 2, "adctrg"
}

impl TriggerOnWafer {
    /// The ADC group of the trigger group; no closed form (topology §10, invariant 6).
    pub const fn adc_group(self) -> AdcGroupOnWafer {
        const GROUP: [usize; 12] = [5, 3, 3, 1, 1, 0, 0, 2, 2, 4, 4, 5];
        AdcGroupOnWafer::wrap(GROUP[self.index()])
    }

    /// The readout board of the trigger group: 1 for 3..=8, else 0.
    pub const fn ananas(self) -> AnanasOnWafer {
        AnanasOnWafer::wrap((self.index() >= 3 && self.index() <= 8) as usize)
    }

    /// The slice of the readout board, `trigger mod 6`.
    pub const fn slice_on_ananas(self) -> AnanasSliceOnAnanas {
        AnanasSliceOnAnanas::wrap(self.index() % 6)
    }

    /// The slice among those of both boards.
    pub const fn slice(self) -> AnanasSliceOnWafer {
        AnanasSliceOnWafer::at(self.ananas(), self.slice_on_ananas())
    }
}

impl AnanasSliceOnWafer {
    /// The slice of a board.
    pub const fn at(ananas: AnanasOnWafer, slice: AnanasSliceOnAnanas) -> Self {
        Self::wrap(6 * ananas.index() + slice.index())
    }

    /// The board.
    pub const fn ananas(self) -> AnanasOnWafer {
        AnanasOnWafer::wrap(self.index() / 6)
    }

    /// The slice on its board.
    pub const fn on_ananas(self) -> AnanasSliceOnAnanas {
        AnanasSliceOnAnanas::wrap(self.index() % 6)
    }
}

impl DncOnWafer {
    /// The channel of the readout slice that sees an analog output of this reticle. The slice is
    /// that of the reticle's trigger.
    pub const fn ananas_channel(self, output: AnalogOnHicann) -> AnanasChannelOnSlice {
        AnanasChannelOnSlice::wrap(2 * PAIR_OF_DNC[self.index()] as usize + output.index())
    }
}

/// Number of the reticle's pair of channels on its slice, by DNC (topology §2.3; no closed form).
const PAIR_OF_DNC: [u8; 48] = [
    3, 2, 0, 3, 1, 0, 1, 2, 3, 2, 0, 0, 1, 3, 0, 1, 2, 0, 1, 2, 3, 3, 1, 2, 2, 1, 3, 3, 0, 1, 0, 2,
    1, 0, 2, 1, 2, 3, 1, 3, 0, 3, 0, 2, 3, 2, 1, 0,
];

/// The switch of a reticle's power supply. The only coordinate that counts from one: 1..=48.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
#[doc(alias = "PowerCoordinate")]
pub struct PowerOnWafer(u8);

impl PowerOnWafer {
    /// What the text form starts with; the number follows.
    pub const PREFIX: &'static str = "P";

    /// The number, 1..=48.
    pub const fn number(self) -> usize {
        self.0 as usize
    }

    /// The reticle that it supplies.
    pub fn dnc(self) -> DncOnWafer {
        DncOnWafer::all().find(|dnc| dnc.power() == self).expect("the table is a permutation")
    }

    /// For the table of reticles, whose numbers are valid.
    pub(super) const fn wrap(number: usize) -> Self {
        debug_assert!(number >= 1 && number <= 48);
        Self(number as u8)
    }
}

impl Coordinate for PowerOnWafer {
    const SIZE: usize = DncOnWafer::SIZE;
    fn from_index(index: usize) -> Option<Self> {
        (index < Self::SIZE).then(|| Self(index as u8 + 1))
    }
    fn index(self) -> usize {
        self.number() - 1
    }
}

impl TryFrom<usize> for PowerOnWafer {
    type Error = OutOfRange;
    fn try_from(value: usize) -> Result<Self, OutOfRange> {
        let error = OutOfRange { kind: "PowerOnWafer", value, first: 1, last: Self::SIZE };
        value.checked_sub(1).and_then(Self::from_index).ok_or(error)
    }
}

impl TryFrom<u32> for PowerOnWafer {
    type Error = OutOfRange;
    fn try_from(value: u32) -> Result<Self, OutOfRange> {
        Self::try_from(value as usize)
    }
}

impl From<PowerOnWafer> for u32 {
    fn from(power: PowerOnWafer) -> Self {
        power.0.into()
    }
}

impl fmt::Display for PowerOnWafer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.0)
    }
}

impl fmt::Debug for PowerOnWafer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PowerOnWafer {
    type Err = ParseCoordinateError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        super::parse_prefixed(text, Self::PREFIX, "PowerOnWafer")
    }
}

/// What an ADC board samples. Prints as `ground` or `ch3`; its number is -1 or the input's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i8", into = "i8")]
#[doc(alias = "ChannelOnADC")]
pub enum ChannelOnAdc {
    /// Nothing: both sides of the converter are grounded.
    Ground,
    /// One of the inputs.
    Input(InputOnAdc),
}

/// A number of no ADC channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("ADC channel {0} does not exist; valid are 0..=7 and -1 for ground")]
pub struct NoAdcChannel(pub i8);

impl TryFrom<i8> for ChannelOnAdc {
    type Error = NoAdcChannel;
    fn try_from(number: i8) -> Result<Self, NoAdcChannel> {
        if number == -1 {
            return Ok(Self::Ground);
        }
        let input = usize::try_from(number).ok().and_then(InputOnAdc::from_index);
        input.map(Self::Input).ok_or(NoAdcChannel(number))
    }
}

impl From<ChannelOnAdc> for i8 {
    fn from(channel: ChannelOnAdc) -> Self {
        match channel {
            ChannelOnAdc::Ground => -1,
            ChannelOnAdc::Input(input) => input.index() as Self,
        }
    }
}

impl fmt::Display for ChannelOnAdc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ground => f.write_str("ground"),
            Self::Input(input) => input.fmt(f),
        }
    }
}

impl fmt::Debug for ChannelOnAdc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ChannelOnAdc {
    type Err = ParseCoordinateError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "ground" { Ok(Self::Ground) } else { text.parse().map(Self::Input) }
    }
}

/// Clock of the JTAG chain in hertz, 10 kHz..=50 MHz. Prints as `10000000Hz`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
#[doc(alias = "JTAGFrequency")]
pub struct JtagFrequency(u32);

impl JtagFrequency {
    /// The slowest clock, 10 kHz.
    pub const MIN: Self = Self(10_000);
    /// The fastest clock, 50 MHz.
    pub const MAX: Self = Self(50_000_000);

    /// The frequency in hertz.
    pub const fn hertz(self) -> u32 {
        self.0
    }
}

/// 10 MHz (topology §9).
impl Default for JtagFrequency {
    fn default() -> Self {
        Self(10_000_000)
    }
}

impl TryFrom<u32> for JtagFrequency {
    type Error = OutOfRange;
    fn try_from(hertz: u32) -> Result<Self, OutOfRange> {
        let frequency = Self(hertz);
        if (Self::MIN..=Self::MAX).contains(&frequency) {
            return Ok(frequency);
        }
        let [value, first, last] = [frequency, Self::MIN, Self::MAX].map(|f| f.0 as usize);
        Err(OutOfRange { kind: "JtagFrequency", value, first, last })
    }
}

impl From<JtagFrequency> for u32 {
    fn from(frequency: JtagFrequency) -> Self {
        frequency.0
    }
}

impl fmt::Display for JtagFrequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Hz", self.0)
    }
}

impl fmt::Debug for JtagFrequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for JtagFrequency {
    type Err = ParseCoordinateError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || ParseCoordinateError::malformed(text, "JtagFrequency", "10000000Hz");
        let digits = text.strip_suffix("Hz").filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
        let hertz: u32 = digits.and_then(|d| d.parse().ok()).ok_or_else(malformed)?;
        Ok(Self::try_from(hertz)?)
    }
}
