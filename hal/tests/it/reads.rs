//! Reads are answered as the chip does, and what was written is found again.

use hal::codec::{Access, Answer, FgAnswer, Operation, Unit, WaferState, encode_hicann};
use hal::config::{HicannConfig, WaferConfig};
use hal::coord::*;
use hal::defects::Defects;
use hal::value::SynapseWeight;
use hal::verify::{VerifyError, verify};
use hal::wafer::ConfigurationWords;
use proptest::prelude::*;

use crate::configs;
use crate::stream::CHIP;

/// A chip that is written to and asked.
#[derive(Default)]
struct Chip(WaferState);

impl Chip {
    fn with(config: &HicannConfig) -> Self {
        let mut chip = Self::default();
        chip.send(encode_hicann(CHIP, config).unwrap()).unwrap();
        chip
    }

    fn send(&mut self, words: Vec<u64>) -> Result<Vec<Answer>, String> {
        let words = ConfigurationWords { by_fpga: [(CHIP.fpga(), words)].into() };
        let answers = self.0.answer(&words).map_err(|e| e.to_string())?;
        let answers = answers.by_fpga[&CHIP.fpga()].iter();
        Ok(answers.map(|word| Answer::from_word(*word).unwrap().1).collect())
    }

    fn access(
        &mut self,
        unit: Unit,
        local: u16,
        operation: Operation,
    ) -> Result<Vec<Answer>, String> {
        self.send(vec![Access { unit, local, operation }.to_word(CHIP.link())])
    }

    fn write(&mut self, unit: Unit, local: u16, data: u32) -> Result<(), String> {
        self.access(unit, local, Operation::Write(data)).map(|_| ())
    }

    fn read(&mut self, unit: Unit, local: u16) -> Result<u32, String> {
        self.access(unit, local, Operation::Read).map(|answers| answers[0].data)
    }
}

const TOP: Unit = Unit::Synapse(SynapseArrayOnHicann::new::<0>());
const STATUS: u16 = 0x4002;

#[test]
fn registers_give_back_what_was_written() {
    let mut chip = Chip::default();
    let places = [
        (Unit::Crossbar(Side::Left), 5, 0b1010),
        (Unit::SynapseSwitch(Vertical::Bottom, Side::Right), 99, 0x1234),
        (Unit::Repeater(RepeaterBlockOnHicann::new::<3>()), 31, 0x5b),
        (Unit::NeuronControl, 16, 0x3f01),
        (Unit::NeuronBuilder, 0x201, 0x20_8000),
        (Unit::FloatingGate(FgBlockOnHicann::new::<1>()), 64, 0x3ff),
        (Unit::FloatingGate(FgBlockOnHicann::new::<1>()), 0x102, 0x04f2_68ff),
        (TOP, 0x4001, 0x0bc5_ff96),
        (TOP, 0x4103, 0x1234_5678),
        (TOP, 0x4500, 0xdead_beef),
    ];
    for (unit, local, data) in places {
        chip.write(unit, local, data).unwrap();
        assert_eq!(chip.read(unit, local), Ok(data), "{unit:?} {local:#x}");
    }
}

#[test]
fn peculiar_registers() {
    let mut chip = Chip::with(&HicannConfig::default());
    // the resets are not read back
    assert_eq!(chip.read(Unit::NeuronBuilder, 0x200), Ok(0x3000));
    // the bias currents come reversed, everything else straight
    let gates = Unit::FloatingGate(FgBlockOnHicann::new::<2>());
    chip.write(gates, 0x108, 0x3958).unwrap();
    assert_eq!(chip.read(gates, 0x108), Ok(0x39a1));
    // all generators give the seed that was written last
    chip.write(Unit::NeuronControl, 6, 77).unwrap();
    assert_eq!(chip.read(Unit::NeuronControl, 6), Ok(77));
    // upper bits of addresses get lost on the way back
    let returned =
        |chip: &mut Chip, unit, local| chip.access(unit, local, Operation::Read).unwrap()[0].local;
    assert_eq!(returned(&mut chip, Unit::NeuronControl, 16), 0);
    assert_eq!(returned(&mut chip, Unit::NeuronBuilder, 0x201), 1);
    assert_eq!(returned(&mut chip, gates, 0x102), 0x102);
    assert_eq!(returned(&mut chip, TOP, 0x4001), 0x4001);
    // the status of test ports stands where their settings are written
    let block = Unit::Repeater(RepeaterBlockOnHicann::new::<0>());
    chip.write(block, 0x80, 0xbf).unwrap();
    assert_eq!(chip.read(block, 0x80), Ok(0));
}

#[test]
fn unreadable_registers_are_refused() {
    let mut chip = Chip::default();
    let quad = chip.read(Unit::NeuronBuilder, 7).unwrap_err();
    assert!(quad.ends_with("reading a quad destroys its content (issue 818 of the original)"));
    let gates = Unit::FloatingGate(FgBlockOnHicann::new::<0>());
    for (unit, local) in [(Unit::Spl1, 0), (gates, 0x101), (Unit::NeuronBuilder, 0x210)] {
        let text = chip.read(unit, local).unwrap_err();
        assert!(text.ends_with("this register cannot be read"), "{text}");
    }
    assert!(chip.read(Unit::DncInterface, 0).unwrap_err().contains("without a register"));
    // a read alone does not wake a chip
    assert_eq!(chip.read(TOP, STATUS), Ok(0));
    assert_eq!(chip.0.config().unwrap(), WaferConfig::default());
}

#[test]
fn programming_is_busy_until_it_has_been_asked() {
    let mut chip = Chip::default();
    let gates = Unit::FloatingGate(FgBlockOnHicann::new::<0>());
    let ask = |chip: &mut Chip| FgAnswer::from_register(chip.read(gates, 0x104).unwrap());
    assert!(!ask(&mut chip).busy);
    chip.write(gates, 0x101, 2 << 14 | 6).unwrap();
    assert!(ask(&mut chip).busy);
    let done = ask(&mut chip);
    assert!(!done.busy && !done.error && done.is_valid());
}

#[test]
fn commands_need_their_guards() {
    let control = |command: u32| 0x30df_df40 | command;
    let word = |local, data| {
        Access { unit: TOP, local, operation: Operation::Write(data) }.to_word(CHIP.link())
    };
    let status = Access { unit: TOP, local: STATUS, operation: Operation::Read };
    // a write takes write_delay + 4 = 6 clocks, a packet two
    let written = |guards: usize| {
        let mut words = vec![word(0x4000, control(3))];
        words.extend(vec![word(0x4001, 0x0bc0_ff00); guards]);
        words.push(word(0x4200, 1));
        Chip::default().send(words)
    };
    assert!(written(1).unwrap_err().ends_with("put guards before it"));
    assert!(written(2).is_ok() && written(3).is_ok());
    // whoever asks at once sees it busy, and has waited long enough by then
    let asked = vec![word(0x4000, control(3)), status.to_word(CHIP.link()), word(0x4200, 1)];
    let answers = Chip::default().send(asked).unwrap();
    assert_eq!(answers[0].data, 0b10);
    // the drivers have a memory of their own: 20 clocks to write
    let driver = |guards: usize| {
        let mut words = vec![word(0x200, 0x11)];
        words.extend(vec![word(0x4001, 0x0bc0_ff00); guards]);
        words.push(status.to_word(CHIP.link()));
        Chip::default().send(words).unwrap()[0].data
    };
    assert_eq!((driver(8), driver(9)), (1, 0));
    // reads of a row that is not open
    let text = Chip::default().send(vec![word(0x4000, control(1))]).unwrap_err();
    assert!(text.ends_with("a read of a row that is not open"));
}

#[test]
fn drivers_answer_with_what_was_fetched_before() {
    let mut config = HicannConfig::default();
    let driver = SynapseDriverOnHicann::new::<111>();
    config.synapses.drivers[driver].enable = true;
    let mut chip = Chip::with(&config);
    let first = chip.read(TOP, 0x000).unwrap();
    let second = chip.read(TOP, 0x000).unwrap();
    let third = chip.read(TOP, 0x200).unwrap();
    assert_eq!((first, second), (0, 0x40));
    assert_eq!(third, second, "the word that was fetched by the read before");
    assert_eq!(chip.read(TOP, 0x200), Ok(0x11));
}

#[test]
fn an_automatic_update_shows_in_the_status() {
    let mut config = HicannConfig::default();
    config.synapse_controllers.values_mut()[0].plasticity.automatic =
        Some(hal::config::AutomaticUpdate {
            first_row: SynapseRowOnArray::new::<3>(),
            last_row: SynapseRowOnArray::new::<200>(),
            continuous: true,
        });
    let mut chip = Chip::with(&config);
    assert_eq!(chip.read(TOP, STATUS), Ok(0b100));
    assert_eq!(chip.read(TOP, 0x4000), Ok(0x3017_dc64));
    // another command ends it
    chip.write(TOP, 0x4000, 0x30df_df49).unwrap();
    assert_eq!(chip.read(TOP, STATUS).unwrap() & 0b100, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_chip_is_found_as_it_was_written(chip in configs::hicann()) {
        let config = WaferConfig { hicanns: [(CHIP, chip.clone())].into() };
        let mut registers = Chip::with(&chip).0;
        let found = verify(&config, &Defects::default(), |words| registers.answer(words)).unwrap();
        prop_assert_eq!(found, []);
        // reading changes nothing
        prop_assert!(registers.config().unwrap() == config);
    }
}

#[test]
fn every_difference_is_named() {
    let wanted = HicannConfig::default();
    let config = WaferConfig { hicanns: [(CHIP, wanted.clone())].into() };
    let text = |change: &dyn Fn(&mut HicannConfig), defects: &Defects| -> Vec<String> {
        let mut other = wanted.clone();
        change(&mut other);
        let mut chip = Chip::with(&other).0;
        let found = verify(&config, defects, |words| chip.answer(words)).unwrap();
        found.iter().map(ToString::to_string).collect()
    };
    let whole = Defects::default();
    let driver = SynapseDriverOnHicann::new::<110>();
    let enable = |c: &mut HicannConfig| c.synapses.drivers[driver].enable = true;
    assert_eq!(text(&|_| {}, &whole), [""; 0]);
    assert_eq!(
        text(&|c| c.crossbar.set(CrossbarSwitchOnHicann::new::<0>(), true), &whole),
        ["H93: Crossbar(Left) 0x3f: 0x1 instead of 0x0"]
    );
    assert_eq!(
        text(&|c| c.mergers.tree[MergerOnHicann::new::<0>()].slow = true, &whole),
        ["H93: NeuronControl 0x2: 0x80 instead of 0x0"]
    );
    assert_eq!(text(&enable, &whole), ["H93: Synapse(arr0) 0x2: 0x4000 instead of 0x0"]);
    let weight = |c: &mut HicannConfig| {
        enable(c);
        let row = driver.row(RowOnSynapseDriver::new::<0>());
        c.synapses.weights[row.synapse(SynapseColumnOnHicann::new::<200>())] = SynapseWeight::MAX;
    };
    assert_eq!(
        text(&weight, &whole)[1..],
        ["H93: weights of row220 from col200: 0xf0000000 instead of 0x0"]
    );
    // what is known to be broken is not complained about
    let mut defects = Defects::default();
    defects.insert(driver.on(CHIP));
    assert_eq!(text(&weight, &defects), [""; 0]);
}

#[test]
fn answers_from_elsewhere_are_no_answers() {
    let config = WaferConfig { hicanns: [(CHIP, HicannConfig::default())].into() };
    let mut chip = Chip::with(&HicannConfig::default()).0;
    let none = verify(&config, &Defects::default(), |_| {
        Ok::<_, std::convert::Infallible>(ConfigurationWords::default())
    });
    assert!(matches!(none, Err(VerifyError::Count { found: 0, .. })));
    let swapped = verify(&config, &Defects::default(), |words| {
        let mut answers = chip.answer(words)?;
        answers.by_fpga.values_mut().for_each(|list| list.swap(0, 40));
        Ok::<_, hal::codec::DecodeError>(answers)
    });
    assert!(matches!(swapped, Err(VerifyError::Misplaced { index: 0, .. })));
    let silent = verify(&config, &Defects::default(), |_| Err("nobody is there"));
    assert_eq!(silent.unwrap_err().to_string(), "the wafer did not answer: nobody is there");
}
