//! The effects of the wafer that can be switched (contract §2).
//!
//! This version has three of them. What is constant on the wafer (4-bit weights, 10-bit cells,
//! route delays, the address space) is not an effect and cannot be switched off.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One deviation of the wafer from the ideal network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// One event per 56 ns from the FPGA to a chip, 16 wait, more are lost (topology §8.2).
    LinkBandwidth,
    /// One event per 40 ns from a chip to the FPGA, 16 wait, more are lost (topology §8.2).
    ReadoutBandwidth,
    /// Synapses of weight 0 conduct: the constant part of the synapse law (analog §1.7).
    WeightOffset,
}

impl Effect {
    /// All effects, in the order of their names.
    pub const ALL: [Self; 3] = [Self::LinkBandwidth, Self::ReadoutBandwidth, Self::WeightOffset];

    /// Name in commands and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LinkBandwidth => "link_bandwidth",
            Self::ReadoutBandwidth => "readout_bandwidth",
            Self::WeightOffset => "weight_offset",
        }
    }

    /// Name of the group the effect belongs to.
    pub const fn group(self) -> &'static str {
        match self {
            Self::LinkBandwidth | Self::ReadoutBandwidth => "timing",
            Self::WeightOffset => "analog",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is neither an effect nor a group.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "unknown effect `{name}`; effects are link_bandwidth, readout_bandwidth, weight_offset; \
     groups are timing, analog, all, none"
)]
pub struct UnknownEffect {
    /// The name asked for.
    pub name: String,
}

impl FromStr for Effect {
    type Err = UnknownEffect;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|e| e.name() == name)
            .ok_or_else(|| UnknownEffect { name: name.to_owned() })
    }
}

/// A set of effects.
///
/// ```
/// use emulator::{Effect, Effects};
/// let effects: Effects = "timing".parse()?;
/// assert!(effects.contains(Effect::LinkBandwidth));
/// assert!(!effects.contains(Effect::WeightOffset));
/// assert!("jitter".parse::<Effects>().is_err());
/// # Ok::<(), emulator::UnknownEffect>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Effects(u8);

impl Effects {
    /// No effect: the ideal wafer's default.
    pub const NONE: Self = Self(0);
    /// Every effect.
    pub const ALL: Self = Self((1 << Effect::ALL.len()) - 1);

    /// Whether the effect is switched on.
    pub const fn contains(self, effect: Effect) -> bool {
        self.0 & effect.bit() != 0
    }

    /// The set with the effects of `other` switched on or off.
    #[must_use]
    pub const fn with(self, other: Self, on: bool) -> Self {
        if on { Self(self.0 | other.0) } else { Self(self.0 & !other.0) }
    }

    /// Every effect and whether it is switched on.
    pub fn iter(self) -> impl Iterator<Item = (Effect, bool)> {
        Effect::ALL.into_iter().map(move |e| (e, self.contains(e)))
    }
}

impl From<Effect> for Effects {
    fn from(effect: Effect) -> Self {
        Self(effect.bit())
    }
}

impl FromIterator<Effect> for Effects {
    fn from_iter<I: IntoIterator<Item = Effect>>(effects: I) -> Self {
        effects.into_iter().fold(Self::NONE, |set, e| set.with(e.into(), true))
    }
}

impl FromStr for Effects {
    type Err = UnknownEffect;
    /// The name of a group or of a single effect.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "all" => Ok(Self::ALL),
            "none" => Ok(Self::NONE),
            "timing" | "analog" => {
                Ok(Effect::ALL.into_iter().filter(|e| e.group() == name).collect())
            }
            _ => name.parse::<Effect>().map(Self::from),
        }
    }
}
