//! Around the wafer: wafer numbers, boards, power, triggers and readout (topology §1, §2.3).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ParseCoordinateError;

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
            .ok_or_else(|| ParseCoordinateError::Malformed {
                text: text.to_owned(),
                kind: "WaferNumber",
                prefix: Self::PREFIX,
            })
    }
}
