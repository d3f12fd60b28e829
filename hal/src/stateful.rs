//! A wafer that remembers what it was told (hal-config §5).
//!
//! Chips are allocated, configured in memory, and written all at once by
//! [`configure`](StatefulWafer::configure). From the second time on only what has changed is
//! written, in one of two ways: [`Differential::Sthal`] follows the original configurator, which
//! compares whole containers and writes many of them in any case; [`Differential::Minimal`]
//! writes single registers. [`plan`](StatefulWafer::plan) tells the words and the time in advance.
//!
//! ```
//! use hal::coord::{HicannOnWafer, SynapseDriverOnHicann, SynapseOnHicann};
//! use hal::stateful::{Differential, Settings, StatefulWafer};
//! use hal::value::SynapseWeight;
//! # struct Accepts;
//! # use hal::wafer::*;
//! # impl Wafer for Accepts {
//! #     fn configure(&mut self, _: &ConfigurationWords) -> Result<(), WaferError> { Ok(()) }
//! #     fn read(&mut self, _: &ConfigurationWords) -> Result<ConfigurationWords, WaferError> {
//! #         Ok(ConfigurationWords::default())
//! #     }
//! #     fn stimulate(&mut self, _: &PlaybackWords) -> Result<(), WaferError> { Ok(()) }
//! #     fn run(&mut self, _: &mut dyn FnMut(Progress) -> std::ops::ControlFlow<()>)
//! #         -> Result<(), WaferError> { Ok(()) }
//! #     fn read_trace(&self) -> Result<TraceWords, WaferError> { Ok(TraceWords::default()) }
//! #     fn read_adc(&self, _: hal::coord::DncOnWafer, _: hal::coord::AnalogOnHicann)
//! #         -> Result<AdcTrace, WaferError> { unreachable!() }
//! #     fn counters(&self) -> Counters { Counters::default() }
//! # }
//! # let mut hardware = Accepts;
//! let settings = Settings { differential: Differential::Minimal, ..Settings::default() };
//! let mut wafer = StatefulWafer::new(settings);
//! let chip = HicannOnWafer::new::<93>();
//! let config = wafer.allocate(chip).unwrap();
//! config.synapses.drivers[SynapseDriverOnHicann::new::<0>()].enable = true;
//! wafer.configure(&mut hardware).unwrap();
//!
//! let config = wafer.hicann_mut(chip).unwrap();
//! config.synapses.weights[SynapseOnHicann::new::<0>()] = SynapseWeight::MAX;
//! let plan = wafer.plan().unwrap();
//! // one row: eight times four words, a command and three guards
//! assert_eq!(plan.cost().words, 64);
//! ```

mod change;
mod plan;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::archive::Archive;
use crate::check::{ConfigFault, SwitchLimits, check_wafer};
use crate::codec::{EncodeError, Programming};
use crate::config::{HicannConfig, WaferConfig};
use crate::coord::{Coordinate, FpgaOnWafer, HicannOnWafer};
use crate::defects::Defects;
use crate::fpga::PllFrequency;
use crate::wafer::{Wafer, WaferError};

pub use plan::{Cost, Plan, StagePlan};

/// Whether a subsystem is written by the differential configuration of the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Writing {
    /// Never; the chip keeps what it has.
    Skip,
    /// If it has changed.
    #[default]
    Smart,
    /// Always.
    Force,
}

/// The seven subsystems that the original can skip or force (hal-config §5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Subsystems {
    /// Cells of the floating gates.
    pub floating_gates: Writing,
    /// Weights and decoders.
    pub synapses: Writing,
    /// Synapse drivers.
    pub drivers: Writing,
    /// Reset and initialisation; smart means once per FPGA.
    pub reset: Writing,
    /// Horizontal and vertical repeaters.
    pub repeaters: Writing,
    /// Locking of the repeaters.
    pub repeater_locking: Writing,
    /// Locking of the drivers.
    pub driver_locking: Writing,
}

impl Subsystems {
    /// The same for all seven.
    pub const fn all(writing: Writing) -> Self {
        Self {
            floating_gates: writing,
            synapses: writing,
            drivers: writing,
            reset: writing,
            repeaters: writing,
            repeater_locking: writing,
            driver_locking: writing,
        }
    }
}

/// What is written to chips whose state is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Differential {
    /// What the smart configurator of the original writes (hal-config §5.6): floating gates, synapse
    /// rows, drivers and repeaters if they have changed, everything else in any case. All chips
    /// lock anew if L1 has changed on any of them.
    ///
    /// Resets of the delay-locked loops end as the configuration says; the original releases them
    /// whatever it says.
    Sthal(Subsystems),
    /// Registers that have changed, and locking if L1 has changed anywhere. Only the changed rows
    /// of floating gates are programmed, without erasing them first; the others may shift a little.
    Minimal,
}

impl Default for Differential {
    fn default() -> Self {
        Self::Sthal(Subsystems::default())
    }
}

/// What is done about rules that a configuration breaks ([`crate::check`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Checks {
    /// Nothing is written if there is any.
    #[default]
    Refuse,
    /// They are reported, and the configuration is written.
    Report,
    /// They are not looked for.
    Skip,
}

/// Settings of a wafer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Clock of the chips, which floating gates are programmed with.
    pub pll: PllFrequency,
    /// Every FPGA starts its experiment by itself even if there are several.
    pub force_listen_local: bool,
    /// What is written to chips whose state is known.
    pub differential: Differential,
    /// What is done about broken rules.
    pub checks: Checks,
    /// How many switches may be closed at once.
    pub limits: SwitchLimits,
    /// How cells of floating gates are programmed.
    pub programming: Programming,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pll: PllFrequency::DEFAULT,
            force_listen_local: false,
            differential: Differential::default(),
            checks: Checks::default(),
            limits: SwitchLimits::default(),
            programming: Programming::default(),
        }
    }
}

/// A chip cannot be allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AllocationError {
    /// It does not work.
    #[error("{hicann} is marked as defective; place the network elsewhere")]
    Defective {
        /// The chip.
        hicann: HicannOnWafer,
    },
    /// The set of chips is fixed once they have been written to.
    #[error("{hicann} comes too late, the wafer is connected; disconnect it first")]
    Connected {
        /// The chip.
        hicann: HicannOnWafer,
    },
}

/// A wafer could not be configured.
#[derive(Debug, Error)]
pub enum ConfigureError {
    /// The configuration breaks rules; all of them are listed.
    #[error("{} rules are broken, the first one: {}", .0.len(), .0[0])]
    Rules(Vec<ConfigFault>),
    /// A chip cannot be configured like this.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The hardware did not take the words. What it holds now is unknown, so that the next time
    /// everything is written.
    #[error(transparent)]
    Wafer(#[from] WaferError),
}

/// The configuration of a wafer and what its chips hold of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatefulWafer {
    /// Settings; changes take effect with the next configuration.
    pub settings: Settings,
    config: WaferConfig,
    defective: BTreeSet<HicannOnWafer>,
    connected: bool,
    /// What was last written, by chip.
    held: BTreeMap<HicannOnWafer, HicannConfig>,
    /// FPGAs that were reset and whose chips were initialised.
    initialised: BTreeSet<FpgaOnWafer>,
}

impl StatefulWafer {
    /// A wafer of which every chip works.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            config: WaferConfig::default(),
            defective: BTreeSet::new(),
            connected: false,
            held: BTreeMap::new(),
            initialised: BTreeSet::new(),
        }
    }

    /// A wafer with chips that do not work.
    pub fn with_defects(settings: Settings, defects: &Defects) -> Self {
        let defective = HicannOnWafer::all().filter(|&h| !defects.is_usable(h)).collect();
        Self { defective, ..Self::new(settings) }
    }

    /// The configuration of a chip, with defaults if it was not in use yet.
    pub fn allocate(
        &mut self,
        hicann: HicannOnWafer,
    ) -> Result<&mut HicannConfig, AllocationError> {
        self.may_allocate(hicann)?;
        Ok(self.config.hicann_mut(hicann))
    }

    fn may_allocate(&self, hicann: HicannOnWafer) -> Result<(), AllocationError> {
        if self.config.hicanns.contains_key(&hicann) {
            Ok(())
        } else if self.defective.contains(&hicann) {
            Err(AllocationError::Defective { hicann })
        } else if self.connected {
            Err(AllocationError::Connected { hicann })
        } else {
            Ok(())
        }
    }

    /// Takes over a whole configuration. Chips that it does not use go back to their state after
    /// reset; nothing changes if one of its chips cannot be allocated.
    pub fn replace(&mut self, config: WaferConfig) -> Result<(), AllocationError> {
        config.hicanns.keys().try_for_each(|&hicann| self.may_allocate(hicann))?;
        let before = std::mem::replace(&mut self.config, config);
        for hicann in before.hicanns.into_keys() {
            self.config.hicann_mut(hicann);
        }
        Ok(())
    }

    /// The configuration of a chip in use.
    pub fn hicann_mut(&mut self, hicann: HicannOnWafer) -> Option<&mut HicannConfig> {
        self.config.hicanns.get_mut(&hicann)
    }

    /// The configuration of all chips in use.
    pub const fn config(&self) -> &WaferConfig {
        &self.config
    }

    /// What a chip was last told, if it was.
    pub fn held(&self, hicann: HicannOnWafer) -> Option<&HicannConfig> {
        self.held.get(&hicann)
    }

    /// FPGAs in use. If they have to start together the master is among them, with or without
    /// chips.
    pub fn fpgas(&self) -> BTreeSet<FpgaOnWafer> {
        let mut fpgas = self.fpgas_with_chips();
        if self.listens_globally() {
            fpgas.insert(FpgaOnWafer::MASTER);
        }
        fpgas
    }

    fn fpgas_with_chips(&self) -> BTreeSet<FpgaOnWafer> {
        self.config.hicanns.keys().map(|hicann| hicann.fpga()).collect()
    }

    /// Whether FPGAs wait for the signal of the master to start an experiment.
    pub fn listens_globally(&self) -> bool {
        !self.settings.force_listen_local && self.fpgas_with_chips().len() > 1
    }

    /// The rules that the configuration breaks, as far as they are looked for.
    pub fn faults(&self) -> Vec<ConfigFault> {
        match self.settings.checks {
            Checks::Skip => Vec::new(),
            Checks::Refuse | Checks::Report => check_wafer(&self.config, &self.settings.limits),
        }
    }

    /// The words that [`configure`](Self::configure) would send now, stage by stage.
    pub fn plan(&self) -> Result<Plan, EncodeError> {
        plan::plan(self)
    }

    /// Brings the chips into the configuration and returns the plan that was carried out. From now
    /// on no further chip can be allocated.
    pub fn configure(&mut self, wafer: &mut dyn Wafer) -> Result<Plan, ConfigureError> {
        let faults = self.faults();
        if self.settings.checks == Checks::Refuse && !faults.is_empty() {
            return Err(ConfigureError::Rules(faults));
        }
        let plan = self.plan()?;
        self.connected = true;
        for stage in plan.stages.iter().filter(|stage| !stage.words.is_empty()) {
            if let Err(error) = wafer.configure(&stage.words) {
                self.forget();
                return Err(error.into());
            }
        }
        self.assume_configured();
        Ok(plan)
    }

    /// Takes it that the chips hold the configuration, as [`configure`](Self::configure) leaves them:
    /// to plan what changes of it would cost.
    pub fn assume_configured(&mut self) {
        self.held = change::held_after(self);
        self.initialised.extend(self.fpgas_with_chips());
    }

    /// Allows further allocations. What the chips hold remains known.
    pub const fn disconnect(&mut self) {
        self.connected = false;
    }

    /// Takes nothing for granted: the next configuration initialises the chips and writes
    /// everything. To be called if somebody else may have used the wafer, for example after this
    /// value was read from a file.
    pub fn forget(&mut self) {
        self.held.clear();
        self.initialised.clear();
    }
}

impl Archive for StatefulWafer {
    const KIND: [u8; 8] = *b"STATEFUL";
    const VERSION: u32 = 2;
}
