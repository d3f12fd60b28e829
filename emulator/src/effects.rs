//! The effects of the wafer that can be switched (contract §2).
//!
//! What is constant on the wafer (4-bit weights, 10-bit cells, route delays, the address space) is
//! not an effect and cannot be switched off.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A group of effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EffectGroup {
    /// Deviations of circuits.
    Analog,
    /// When events arrive, and whether.
    Timing,
}

macro_rules! effects {
    ($($(#[$doc:meta])* $effect:ident, $name:literal, $group:ident;)*) => {
        /// One deviation of the wafer from the ideal network.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Effect {
            $($(#[$doc])* $effect,)*
        }

        impl Effect {
            /// All effects.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$effect),*];

            /// Name in commands and reports.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$effect => $name,)*
                }
            }

            /// The group the effect belongs to.
            pub const fn group(self) -> EffectGroup {
                match self {
                    $(Self::$effect => EffectGroup::$group,)*
                }
            }
        }

        /// The names, for messages.
        const NAMES: &str = concat!($($name, ", "),*);
    };
}

effects! {
    /// Every circuit and block deviates from the nominal law. Standard deviations: V_t 14.5 mV,
    /// E_synx 24.5, E_syni, E_l and V_exp 20, V_reset 14 by block and 8 by circuit; time constants
    /// 25 %, adaptation and slope 20 %, synaptic inputs 10 %, V_gmax 5 %; of drivers with short-term
    /// plasticity the recovery time 25 % by block, the utilisation 10 % by block and 5 % by driver
    /// (contract §2; analog §3.5; those of adaptation, slope, inputs, V_gmax and utilisation are
    /// assumptions, and so is that drivers of a block recover alike). Synaptic inputs whose V_convoff is too low conduct all the time (analog §3.2, §5.1).
    Mismatch, "mismatch", Analog;
    /// Each pass over a row of floating gates leaves another value in its cells. Standard
    /// deviations: voltages 4.6 mV, 7.7 mV without the fine passes, 15 mV below code 100; currents
    /// 1 % but at least one code, three times that without the fine passes (analog §4.3).
    FgNoise, "fg_noise", Analog;
    /// The cells have aged: what was measured 49 minutes after programming, voltages
    /// 1.6 ± 4.4 mV, currents 0.1 ± 1.7 mV on the same scale (analog §4.2).
    FgDrift, "fg_drift", Analog;
    /// The conductance of each synapse has a factor of its own, 1 ± 0.2 and never below 0
    /// (contract §2).
    SynapseMismatch, "synapse_mismatch", Analog;
    /// Synapses of weight 0 conduct: the constant part of the synapse law (analog §1.7).
    WeightOffset, "weight_offset", Analog;
    /// The conductance of a synaptic input is bounded: by I_conv over 0.32 V, 7.8 uS at code 1023
    /// (analog §5.1; size and shape are assumptions). Equal inputs of joined circuits saturate one by
    /// one.
    SynapseSaturation, "synapse_saturation", Analog;
    /// The leak current is bounded by its value at 0.6 V from the leak potential (analog §5.1; size
    /// and shape are assumptions).
    OtaSaturation, "ota_saturation", Analog;
    /// A reset takes time: the membrane moves towards V_reset with a time constant of 10 ns at
    /// I_breset 1023, inversely proportional to I_breset (analog §5.1; the size is an assumption).
    FiniteReset, "finite_reset", Analog;
    /// The output amplifier of each circuit adds a voltage, standard deviation 13.9 mV
    /// (analog §3.5). Only the ADC sees it.
    ReadoutOffset, "readout_offset", Analog;
    /// Samples of the ADC are noisy: standard deviation 1.5 mV, an assumption.
    AdcNoise, "adc_noise", Analog;
    /// Events wait for each other in priority encoders and mergers, and are lost where too many
    /// come (topology §5, analog §6.4).
    Arbitration, "arbitration", Timing;
    /// Each arrival of an event at a chip is early or late: standard deviation 10 ns (analog §5.5),
    /// 32 ns at most.
    L1Jitter, "l1_jitter", Timing;
    /// One event per 56 ns from the FPGA to a chip, 16 wait, more are lost (topology §8.2).
    LinkBandwidth, "link_bandwidth", Timing;
    /// One event per 40 ns from a chip to the FPGA, 16 wait, more are lost (topology §8.2).
    ReadoutBandwidth, "readout_bandwidth", Timing;
    /// The events of background generators with address 0, which keep receivers locked, take part
    /// like all others: they occupy mergers and reach synapses that answer to address 0
    /// (topology §5.6). Generators with another address always do.
    BackgroundEvents, "background_events", Timing;
    /// Receivers on a bus lock only if a background generator sends on it; events of a bus without
    /// reach no repeater and no driver (topology §5.6, §8.3).
    DllLocking, "dll_locking", Timing;
}

impl Effect {
    const fn bit(self) -> u32 {
        1 << self as u32
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
    "unknown effect `{name}`; effects are {}; groups are timing, analog, all, none",
    NAMES.trim_end_matches(", ")
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
/// assert!("noise".parse::<Effects>().is_err());
/// # Ok::<(), emulator::UnknownEffect>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Effects(u32);

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

    /// The effects of a group.
    pub fn of(group: EffectGroup) -> Self {
        Effect::ALL.into_iter().filter(|e| e.group() == group).collect()
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
            "timing" => Ok(Self::of(EffectGroup::Timing)),
            "analog" => Ok(Self::of(EffectGroup::Analog)),
            _ => name.parse::<Effect>().map(Self::from),
        }
    }
}
