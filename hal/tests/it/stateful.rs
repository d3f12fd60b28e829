//! Configuration from a known state: the words lead exactly to the new configuration, and cost
//! what has changed.

use std::ops::ControlFlow;

use hal::archive;
use hal::check::ConfigFault;
use hal::codec::{Access, FgPass, Operation, Programming, Stage, Unit, WaferState, encode_wafer};
use hal::config::{HicannConfig, RepeaterMode, WaferConfig};
use hal::coord::*;
use hal::defects::Defects;
use hal::stateful::{
    AllocationError, Checks, ConfigureError, Differential, Plan, Settings, StatefulWafer,
    Subsystems, Writing,
};
use hal::value::{DacCode, SynapseWeight};
use hal::wafer::*;
use proptest::prelude::*;

use crate::configs;
use crate::stream::CHIP;

pub(crate) const SMART: Differential = Differential::Sthal(Subsystems::all(Writing::Smart));

/// A wafer that only has registers.
#[derive(Default)]
pub(crate) struct Registers {
    pub(crate) state: WaferState,
    /// Fails at this call from now on.
    fails_in: Option<usize>,
}

impl Wafer for Registers {
    fn configure(&mut self, words: &ConfigurationWords) -> Result<(), WaferError> {
        if let Some(left) = &mut self.fails_in {
            *left = left.checked_sub(1).ok_or(WaferError::NotReady { needed: "switch it on" })?;
        }
        self.state.apply(words).map_err(|e| WaferError::Configuration(e.into()))
    }
    fn read(&mut self, words: &ConfigurationWords) -> Result<ConfigurationWords, WaferError> {
        self.state.answer(words).map_err(|e| WaferError::Configuration(e.into()))
    }
    fn stimulate(&mut self, _: &PlaybackWords) -> Result<(), WaferError> {
        Ok(())
    }
    fn run(&mut self, _: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<(), WaferError> {
        Ok(())
    }
    fn read_trace(&self) -> Result<TraceWords, WaferError> {
        Ok(TraceWords::default())
    }
    fn read_adc(&self, _: DncOnWafer, _: AnalogOnHicann) -> Result<AdcTrace, WaferError> {
        Ok(AdcTrace { samples: Vec::new() })
    }
    fn counters(&self) -> Counters {
        Counters::default()
    }
}

fn settings(differential: Differential) -> Settings {
    Settings { differential, checks: Checks::Skip, ..Settings::default() }
}

pub(crate) fn wafer(differential: Differential, config: &WaferConfig) -> StatefulWafer {
    let mut wafer = StatefulWafer::new(settings(differential));
    wafer.replace(config.clone()).unwrap();
    wafer
}

/// Accesses to the chip in a plan.
pub(crate) fn accesses(plan: &Plan) -> Vec<Access> {
    let words = plan.stages.iter().flat_map(|stage| stage.words.by_fpga.values().flatten());
    words.map(|word| Access::from_word(*word).unwrap().1).collect()
}

/// Commands that write to a synapse array: control words by array.
pub(crate) fn commands(plan: &Plan) -> Vec<(SynapseArrayOnHicann, u32)> {
    let control = |access: &Access| match *access {
        Access { unit: Unit::Synapse(array), local: 0x4000, operation: Operation::Write(data) } => {
            (data & 0x40 != 0).then_some((array, data))
        }
        _ => None,
    };
    accesses(plan).iter().filter_map(control).collect()
}

pub(crate) fn programs_gates(plan: &Plan) -> bool {
    plan.cost().programming_clocks > 0
}

/// A chip in use: loops released, some drivers with synapses, a generator, a route.
pub(crate) fn busy() -> HicannConfig {
    let mut c = HicannConfig::default();
    c.repeater_blocks.values_mut().iter_mut().for_each(|b| b.dll_released = true);
    c.synapse_controllers.values_mut().iter_mut().for_each(|c| c.dll_released = [true; 2]);
    for (i, driver) in c.synapses.drivers.values_mut().iter_mut().enumerate().step_by(7) {
        driver.enable = true;
        driver.locin = i % 2 == 0;
    }
    for driver in SynapseDriverOnHicann::all().step_by(7) {
        let row = driver.row(RowOnSynapseDriver::new::<0>());
        c.synapses.weights[row.synapse(SynapseColumnOnHicann::new::<3>())] = SynapseWeight::MAX;
    }
    c.mergers.background[BackgroundGeneratorOnHicann::new::<0>()].enable = true;
    c.repeaters.horizontal[HRepeaterOnHicann::new::<48>()].mode =
        RepeaterMode::Forwarding(Side::Right);
    c
}

pub(crate) fn busy_wafer() -> WaferConfig {
    let chips = CHIP.dnc().hicanns().filter(|chip| *chip != CHIP).take(2).chain([CHIP]);
    WaferConfig { hicanns: chips.map(|chip| (chip, busy())).collect() }
}

fn differential() -> impl Strategy<Value = Differential> {
    let writing = || prop_oneof![Just(Writing::Smart), Just(Writing::Force)];
    let sthal = (writing(), writing(), writing(), writing(), writing(), writing(), writing());
    let sthal = sthal.prop_map(|(a, b, c, d, e, f, g)| Subsystems {
        floating_gates: a,
        synapses: b,
        drivers: c,
        reset: d,
        repeaters: e,
        repeater_locking: f,
        driver_locking: g,
    });
    prop_oneof![Just(Differential::Minimal), Just(SMART), sthal.prop_map(Differential::Sthal)]
}

/// A chip of which some containers are those of another one.
pub(crate) fn changed() -> impl Strategy<Value = (HicannConfig, HicannConfig)> {
    (configs::hicann(), configs::hicann(), any::<[bool; 12]>()).prop_map(|(old, other, take)| {
        let mut new = old.clone();
        macro_rules! take {
            ($($i:literal $($field:ident).+),*) => {$(
                if take[$i] {
                    new.$($field).+ = other.$($field).+.clone();
                }
            )*};
        }
        take!(
            0 neurons, 1 analog, 2 synapses.weights, 3 synapses.decoders, 4 synapses.drivers,
            5 synapse_controllers, 6 crossbar, 7 repeaters, 8 repeater_blocks, 9 mergers,
            10 floating_gates, 11 current_stimuli
        );
        (old, new)
    })
}

/// Synapses of drivers in use; those of others do not travel.
pub(crate) fn without_idle_synapses(mut c: HicannConfig) -> HicannConfig {
    for driver in SynapseDriverOnHicann::all() {
        if !c.synapses.drivers[driver].enable {
            for row in RowOnSynapseDriver::all().map(|row| driver.row(row)) {
                for synapse in SynapseColumnOnHicann::all().map(|column| row.synapse(column)) {
                    c.synapses.weights[synapse] = SynapseWeight::default();
                    c.synapses.decoders[synapse] = SynapseDecoder::DISABLED;
                }
            }
        }
    }
    c
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn differential_words_lead_exactly_to_the_new_configuration(
        (old, new) in changed(), differential in differential(),
    ) {
        let config = |chip: &HicannConfig| WaferConfig { hicanns: [(CHIP, chip.clone())].into() };
        let mut hardware = Registers::default();
        let mut wafer = wafer(differential, &config(&old));
        wafer.configure(&mut hardware).unwrap();
        prop_assert!(hardware.state.config().unwrap() == config(&old));
        wafer.replace(config(&new)).unwrap();
        wafer.configure(&mut hardware).unwrap();
        prop_assert!(hardware.state.config().unwrap() == config(&new));
        prop_assert!(wafer.held(CHIP) == Some(&new));
        // from any state of the hardware, once the wafer has been told to forget
        hardware.state.apply(&encode_wafer(&config(&old)).unwrap()).unwrap();
        wafer.forget();
        wafer.configure(&mut hardware).unwrap();
        let found = hardware.state.config().unwrap().hicanns.remove(&CHIP).unwrap();
        prop_assert!(without_idle_synapses(found) == without_idle_synapses(new));
    }
}

#[test]
fn the_same_again_costs_nothing_in_minimal() {
    let mut hardware = Registers::default();
    let mut wafer = wafer(Differential::Minimal, &busy_wafer());
    wafer.configure(&mut hardware).unwrap();
    assert_eq!(wafer.plan().unwrap().cost().words, 0);
}

#[test]
fn a_changed_weight_row_costs_exactly_its_words() {
    let driver = SynapseDriverOnHicann::new::<119>();
    let row = driver.row(RowOnSynapseDriver::new::<1>());
    for differential in [SMART, Differential::Minimal] {
        let mut hardware = Registers::default();
        let mut wafer = wafer(differential, &busy_wafer());
        wafer.configure(&mut hardware).unwrap();
        let unchanged = wafer.plan().unwrap();
        let chip = wafer.hicann_mut(CHIP).unwrap();
        for column in SynapseColumnOnHicann::all() {
            let weight = SynapseWeight::try_from(column.index() % 16).unwrap();
            chip.synapses.weights[row.synapse(column)] = weight;
        }
        let plan = wafer.plan().unwrap();
        // four inputs, a command and three guards for each of the eight column sets
        assert_eq!(plan.cost().words, unchanged.cost().words + 64);
        let found = commands(&plan);
        assert_eq!(found.len(), 8);
        for (set, (array, word)) in found.into_iter().enumerate() {
            assert_eq!(SynapseRowOnHicann::from_array(array, row.on_array()), row);
            // hardware row, command and column set; rows of the bottom array count as they are
            assert_eq!(word & 0x0700_ff4f, (set as u32) << 24 | 15 << 8 | 0x43);
        }
        if differential == Differential::Minimal {
            assert_eq!(plan.cost().words, 64);
            assert_eq!(plan.cost().reads, 0);
        }
        wafer.configure(&mut hardware).unwrap();
        assert!(hardware.state.config().unwrap() == *wafer.config());
    }
}

#[test]
fn changes_of_l1_anywhere_lock_all_chips_anew() {
    for differential in [SMART, Differential::Minimal] {
        let mut wafer = wafer(differential, &busy_wafer());
        wafer.configure(&mut Registers::default()).unwrap();
        let chip = wafer.hicann_mut(CHIP).unwrap();
        chip.crossbar.set(CrossbarSwitchOnHicann::new::<385>(), true);
        let plan = wafer.plan().unwrap();
        // by chip: the stage in which each loop is held, and in which it is released
        let mut held = [0, 0];
        let mut released = [0, 0];
        for (i, stage) in plan.stages.iter().enumerate() {
            for word in stage.words.by_fpga.values().flatten() {
                let (_, access) = Access::from_word(*word).unwrap();
                let Operation::Write(data) = access.operation else { continue };
                let (kind, dll) = match (access.unit, access.local) {
                    (Unit::Repeater(_), 0x80) => (0, data & 0x10 != 0),
                    (Unit::Synapse(_), 0x4001) => (1, data >> 20 & 3 != 0),
                    _ => continue,
                };
                match (Stage::ALL[i], dll) {
                    (Stage::TimingUncritical, false) => held[kind] += 1,
                    (Stage::LockingRepeaterBlocks | Stage::LockingSynapseDrivers, true) => {
                        released[kind] += 1;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!((held, released), ([18, 6], [18, 6]), "three chips");
        assert!(!programs_gates(&plan) && commands(&plan).is_empty());
    }
}

#[test]
fn cells_are_programmed_again_only_if_they_change() {
    let gates = |plan: &Plan| plan.cost().programming_clocks;
    for differential in [SMART, Differential::Minimal] {
        let mut wafer = wafer(differential, &busy_wafer());
        let first = wafer.configure(&mut Registers::default()).unwrap();
        let whole = Programming::default().worst_case_clocks(&busy().floating_gates);
        assert_eq!(gates(&first), whole, "three chips at the same time");
        assert!(first.cost().hardware_s > whole as f64 / 125e6);
        let cell = &mut wafer.hicann_mut(CHIP).unwrap().floating_gates.blocks.values_mut()[2].cells;
        cell.values_mut()[129 * 6 + 17] = DacCode::new::<700>();
        let again = gates(&wafer.plan().unwrap());
        if differential == SMART {
            assert_eq!(again, whole);
        } else {
            assert!(again > 0 && again < whole / 10);
        }
    }
}

/// Passes of one's own lead to the same cells, in their own time.
#[test]
fn cells_are_programmed_with_the_passes_of_the_settings() {
    let [_, _, down, up] = FgPass::DEFAULT;
    let programming = Programming { passes: vec![down, up], fast_upwards_limit: DacCode::MAX };
    let mut wafer = wafer(SMART, &busy_wafer());
    let slow = wafer.plan().unwrap().cost().programming_clocks;
    wafer.settings.programming = programming.clone();
    let mut hardware = Registers::default();
    let cost = wafer.configure(&mut hardware).unwrap().cost();
    assert_eq!(cost.programming_clocks, programming.worst_case_clocks(&busy().floating_gates));
    assert!(cost.programming_clocks < slow / 4);
    assert!(hardware.state.config().unwrap() == busy_wafer());
}

#[test]
fn skipped_subsystems_stay_as_they_were() {
    let skip = Subsystems { synapses: Writing::Skip, ..Subsystems::default() };
    let mut hardware = Registers::default();
    let mut wafer = wafer(SMART, &busy_wafer());
    wafer.configure(&mut hardware).unwrap();
    wafer.settings.differential = Differential::Sthal(skip);
    let weights = &mut wafer.hicann_mut(CHIP).unwrap().synapses.weights;
    weights.values_mut().fill(SynapseWeight::MAX);
    wafer.configure(&mut hardware).unwrap();
    assert!(hardware.state.config().unwrap().hicanns[&CHIP] == busy());
    assert!(wafer.held(CHIP) == Some(&busy()));
    // and are written when they are no longer skipped
    wafer.settings.differential = SMART;
    wafer.configure(&mut hardware).unwrap();
    assert!(hardware.state.config().unwrap() == *wafer.config());
}

#[test]
fn after_a_failure_everything_is_written_again() {
    let mut hardware = Registers { fails_in: Some(2), ..Registers::default() };
    let mut wafer = wafer(Differential::Minimal, &busy_wafer());
    let error = wafer.configure(&mut hardware).unwrap_err();
    assert_eq!(error.to_string(), "switch it on first");
    assert_eq!(wafer.held(CHIP), None);
    hardware.fails_in = None;
    let plan = wafer.configure(&mut hardware).unwrap();
    assert!(!plan.stages[0].words.is_empty(), "initialisation");
    assert!(hardware.state.config().unwrap() == busy_wafer());
}

#[test]
fn allocation_follows_defects_and_ends_with_the_first_configuration() {
    let mut defects = Defects::default();
    let broken = HicannOnWafer::new::<7>();
    defects.insert(broken);
    let mut wafer = StatefulWafer::with_defects(Settings::default(), &defects);
    assert_eq!(wafer.allocate(broken), Err(AllocationError::Defective { hicann: broken }));
    wafer.allocate(CHIP).unwrap();
    assert!(!wafer.listens_globally());
    assert_eq!(wafer.fpgas().into_iter().collect::<Vec<_>>(), [CHIP.fpga()]);
    // a second FPGA needs the master to start with it
    let far = HicannOnWafer::new::<300>();
    wafer.allocate(far).unwrap();
    assert!(wafer.listens_globally());
    assert!(wafer.fpgas().contains(&FpgaOnWafer::MASTER) && wafer.fpgas().len() == 3);
    wafer.settings.force_listen_local = true;
    assert_eq!(wafer.fpgas().len(), 2);
    wafer.configure(&mut Registers::default()).unwrap();
    let late = HicannOnWafer::new::<94>();
    let text = "H94 comes too late, the wafer is connected; disconnect it first";
    assert_eq!(wafer.allocate(late).unwrap_err().to_string(), text);
    assert!(wafer.allocate(CHIP).is_ok());
    wafer.disconnect();
    wafer.allocate(late).unwrap();
    // chips that a new configuration does not use go back to their state after reset
    wafer.replace(WaferConfig::default()).unwrap();
    assert_eq!(wafer.config().hicanns.len(), 3);
}

#[test]
fn broken_rules_keep_the_words_back() {
    let mut wafer = StatefulWafer::new(Settings::default());
    let chip = wafer.allocate(CHIP).unwrap();
    chip.neurons.circuits[NeuronOnHicann::new::<5>()].enable_spl1_output = true;
    let mut hardware = Registers { fails_in: Some(0), ..Registers::default() };
    let error = wafer.configure(&mut hardware).unwrap_err();
    assert!(matches!(&error, ConfigureError::Rules(faults)
        if matches!(faults[..], [ConfigFault::SilentOutput { .. }])));
    assert_eq!(
        error.to_string(),
        "1 rules are broken, the first one: H93.nrn5 has its output enabled but does not fire; \
         set activate_firing"
    );
    wafer.settings.checks = Checks::Report;
    assert!(wafer.configure(&mut Registers::default()).is_ok());
    assert_eq!(wafer.faults().len(), 1);
}

#[test]
fn a_wafer_survives_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wafer.bss1");
    let mut hardware = Registers::default();
    let mut wafer = wafer(Differential::Minimal, &busy_wafer());
    wafer.configure(&mut hardware).unwrap();
    archive::write(&path, &wafer).unwrap();
    let mut read: StatefulWafer = archive::read(&path).unwrap();
    assert!(read == wafer);
    // it goes on where it was, or from the beginning if it is told to
    assert_eq!(read.plan().unwrap().cost().words, 0);
    read.forget();
    assert_eq!(read.plan().unwrap().cost().words, {
        wafer.forget();
        wafer.plan().unwrap().cost().words
    });
}
