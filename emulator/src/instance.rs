//! Which wafer is emulated: the ideal one, or one of the manufactured ones (contract §2).

use std::fmt;
use std::str::FromStr;

use hal::coord::WaferNumber;
use hal::defects::Defects;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::effects::{Effect, Effects};

/// A wafer. A manufactured one is a number: everything random about it follows from that number.
///
/// ```
/// use emulator::{Effect, Instance};
/// let wafer: Instance = "30".parse()?;
/// assert!(wafer.default_effects().contains(Effect::Mismatch));
/// assert_eq!(wafer.defects(), "30".parse::<Instance>()?.defects());
/// assert_eq!(Instance::Ideal.defects().iter().count(), 0);
/// assert!("thirty".parse::<Instance>().is_err());
/// # Ok::<(), emulator::UnknownInstance>(())
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub enum Instance {
    /// Nominal circuits and no defects; all 224 drivers of every chip work.
    #[default]
    Ideal,
    /// The manufactured wafer with this number.
    Manufactured(WaferNumber),
}

impl Instance {
    /// The effects that are on unless somebody switches them off: none on the ideal wafer, all but
    /// the drift of floating gates on a manufactured one.
    pub fn default_effects(self) -> Effects {
        match self {
            Self::Ideal => Effects::NONE,
            Self::Manufactured(_) => Effects::ALL.with(Effect::FgDrift.into(), false),
        }
    }

    /// What is broken on this wafer.
    pub fn defects(self) -> Defects {
        match self {
            Self::Ideal => Defects::default(),
            Self::Manufactured(number) => Defects::manufactured(number),
        }
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ideal => f.write_str("ideal"),
            Self::Manufactured(number) => write!(f, "{}", number.0),
        }
    }
}

/// A text that names no wafer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is no wafer; write `ideal` or a number from 0 to 4294967295, like 30")]
pub struct UnknownInstance {
    /// The text.
    pub text: String,
}

impl FromStr for Instance {
    type Err = UnknownInstance;
    /// `ideal` or a number.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "ideal" {
            return Ok(Self::Ideal);
        }
        let number = text.parse::<u32>().ok().filter(|n| n.to_string() == text);
        let number = number.ok_or_else(|| UnknownInstance { text: text.to_owned() })?;
        Ok(Self::Manufactured(WaferNumber(number)))
    }
}
