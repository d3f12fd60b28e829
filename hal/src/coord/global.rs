//! Numbers of wafers, and places on a certain wafer (topology §1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Coordinate, FpgaOnWafer, HicannOnWafer, ParseCoordinateError};

/// The number of a wafer; any number is valid. Prints as `W30` (topology §1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[doc(alias = "Wafer")]
pub struct WaferNumber(pub u32);

impl WaferNumber {
    /// What the text form starts with; the number follows.
    pub const PREFIX: &'static str = "W";
}

impl From<u32> for WaferNumber {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

impl fmt::Display for WaferNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.0)
    }
}

impl fmt::Debug for WaferNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for WaferNumber {
    type Err = ParseCoordinateError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix(Self::PREFIX)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .map(Self)
            .ok_or_else(|| ParseCoordinateError::malformed(text, "WaferNumber", "W30"))
    }
}

/// A place on a certain wafer. Sorts by wafer first; prints as `W30.H93`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Global<C> {
    /// The wafer.
    pub wafer: WaferNumber,
    /// The place on the wafer.
    pub place: C,
}

/// A chip of a certain wafer.
#[doc(alias = "HICANNGlobal")]
pub type HicannGlobal = Global<HicannOnWafer>;
/// An FPGA of a certain wafer.
#[doc(alias = "FPGAGlobal")]
pub type FpgaGlobal = Global<FpgaOnWafer>;

impl<C: Coordinate> Global<C> {
    /// Number among the places of all wafers, `wafer * places per wafer + place`.
    pub fn number(self) -> u64 {
        u64::from(self.wafer.0) * C::SIZE as u64 + self.place.index() as u64
    }

    /// The place with this number; none if its wafer number would not fit.
    pub fn from_number(number: u64) -> Option<Self> {
        let size = C::SIZE as u64;
        let wafer = WaferNumber(u32::try_from(number / size).ok()?);
        Some(Self { wafer, place: C::from_index((number % size) as usize)? })
    }
}

impl<C: fmt::Display> fmt::Display for Global<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.wafer, self.place)
    }
}

impl<C: fmt::Display> fmt::Debug for Global<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<C: FromStr<Err = ParseCoordinateError>> FromStr for Global<C> {
    type Err = ParseCoordinateError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || ParseCoordinateError::malformed(text, "place on a wafer", "W30.H93");
        let (wafer, place) = text.split_once('.').ok_or_else(malformed)?;
        Ok(Self { wafer: wafer.parse()?, place: place.parse()? })
    }
}
