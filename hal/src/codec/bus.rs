//! The on-chip bus: units, addresses and HICANNCONFIG words (hal-config §2.1, §4.3).

use std::num::NonZeroU8;

use crate::config::SramTiming;
use crate::coord::{
    Coordinate, FgBlockOnHicann, HicannOnWafer, HighspeedLinkOnDnc, RepeaterBlockOnHicann, Side,
    SynapseArrayOnHicann, Vertical,
};
use crate::value::SramDelay;

/// A unit of the chip with addresses of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Crossbar switches to the vertical lines of a side.
    Crossbar(Side),
    /// Synapse switches of one corner.
    SynapseSwitch(Vertical, Side),
    /// A block of repeaters.
    Repeater(RepeaterBlockOnHicann),
    /// Mergers and background generators.
    NeuronControl,
    /// Neuron circuits and analog outputs.
    NeuronBuilder,
    /// The controller of a floating-gate block.
    FloatingGate(FgBlockOnHicann),
    /// The interface to the FPGA; it has no register that software uses.
    DncInterface,
    /// The event links.
    Spl1,
    /// A synapse array with its drivers and its controller.
    Synapse(SynapseArrayOnHicann),
}

/// Units on tag 0 by ascending start address. They fill the address space; each unit ends where
/// the next one starts.
const TAG_0: [(u16, Unit); 20] = {
    use Side::{Left, Right};
    use Vertical::{Bottom, Top};
    [
        (0x0000, Unit::Crossbar(Left)),
        (0x2000, Unit::Repeater(RepeaterBlockOnHicann::new::<2>())),
        (0x4000, Unit::NeuronControl),
        (0x6000, Unit::NeuronBuilder),
        (0x8000, Unit::FloatingGate(FgBlockOnHicann::new::<0>())),
        (0xa000, Unit::SynapseSwitch(Bottom, Left)),
        (0xb000, Unit::FloatingGate(FgBlockOnHicann::new::<2>())),
        (0xc000, Unit::Repeater(RepeaterBlockOnHicann::new::<4>())),
        (0xd000, Unit::SynapseSwitch(Top, Right)),
        (0xd200, Unit::SynapseSwitch(Bottom, Right)),
        (0xd400, Unit::Crossbar(Right)),
        (0xd600, Unit::Repeater(RepeaterBlockOnHicann::new::<3>())),
        (0xd800, Unit::Repeater(RepeaterBlockOnHicann::new::<1>())),
        (0xda00, Unit::Repeater(RepeaterBlockOnHicann::new::<5>())),
        (0xdc00, Unit::FloatingGate(FgBlockOnHicann::new::<1>())),
        (0xde00, Unit::FloatingGate(FgBlockOnHicann::new::<3>())),
        (0xe000, Unit::SynapseSwitch(Top, Left)),
        (0xe800, Unit::Repeater(RepeaterBlockOnHicann::new::<0>())),
        (0xf000, Unit::DncInterface),
        (0xf800, Unit::Spl1),
    ]
};
/// Tag 1 holds the two synapse arrays, one in each half of the address space.
const TAG_1_HALF: u16 = 0x8000;

impl Unit {
    /// The tag, which is the channel of the link to the chip; order is kept within a tag only.
    pub const fn tag(self) -> u8 {
        matches!(self, Self::Synapse(_)) as u8
    }

    /// First bus address of the unit.
    pub fn start(self) -> u16 {
        if let Self::Synapse(array) = self {
            return TAG_1_HALF * array.index() as u16;
        }
        let found = TAG_0.iter().find(|(_, unit)| *unit == self);
        found.expect("every unit of tag 0 stands in the table").0
    }

    /// Largest local address of the unit.
    pub fn max_local(self) -> u16 {
        if let Self::Synapse(_) = self {
            return TAG_1_HALF - 1;
        }
        let next = TAG_0.iter().map(|(start, _)| *start).find(|&s| s > self.start());
        next.map_or(u16::MAX, |s| s - 1) - self.start()
    }

    /// The unit at a bus address, and the local address in it. Every address has a unit.
    pub fn at(tag: u8, address: u16) -> (Self, u16) {
        if tag == 0 {
            let (start, unit) = TAG_0[TAG_0.partition_point(|(start, _)| *start <= address) - 1];
            (unit, address - start)
        } else {
            let array = SynapseArrayOnHicann::wrap(usize::from(address / TAG_1_HALF));
            (Self::Synapse(array), address % TAG_1_HALF)
        }
    }
}

/// What an access does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Writes the register.
    Write(u32),
    /// Reads the register; a wafer answers, and the words after it wait for the answer.
    Read,
}

/// One access to a register of a chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// The unit.
    pub unit: Unit,
    /// Address within the unit.
    pub local: u16,
    /// What it does.
    pub operation: Operation,
}

/// Data of a word that reads.
const READ_DATA: u32 = 0x8000_0000;
const ADDRESS_SHIFT: u32 = 32;
const WRITE_BIT: u64 = 1 << 48;
const TAG_SHIFT: u32 = 49;
const LINK_SHIFT: u32 = 59;
/// Bits 63..62 name a DNC and bits 58..50 are unused; all are 0.
const RESERVED: u64 = 0b11 << 62 | 0x1ff << 50;

impl Access {
    /// The HICANNCONFIG word of this access to the chip behind a link.
    pub fn to_word(self, link: HighspeedLinkOnDnc) -> u64 {
        let head = head(self.unit, link) + (u64::from(self.local) << ADDRESS_SHIFT);
        match self.operation {
            Operation::Write(data) => head | WRITE_BIT | u64::from(data),
            Operation::Read => head | u64::from(READ_DATA),
        }
    }

    /// The access of a HICANNCONFIG word and the link of its chip; none if reserved bits are set.
    pub fn from_word(word: u64) -> Option<(HighspeedLinkOnDnc, Self)> {
        if word & RESERVED != 0 {
            return None;
        }
        let link = HighspeedLinkOnDnc::from_index((word >> LINK_SHIFT) as usize)?;
        let (unit, local) = Unit::at((word >> TAG_SHIFT & 1) as u8, (word >> ADDRESS_SHIFT) as u16);
        let operation = match word & WRITE_BIT {
            0 => Operation::Read,
            _ => Operation::Write(word as u32),
        };
        Some((link, Self { unit, local, operation }))
    }
}

fn head(unit: Unit, link: HighspeedLinkOnDnc) -> u64 {
    (link.index() as u64) << LINK_SHIFT
        | u64::from(unit.tag()) << TAG_SHIFT
        | u64::from(unit.start()) << ADDRESS_SHIFT
}

/// The answer of a chip to a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The unit.
    pub unit: Unit,
    /// Address within the unit, as far as the chip returns it: see [`Unit::answered_address`].
    pub local: u16,
    /// Content of the register.
    pub data: u32,
}

impl Unit {
    /// What comes back of a local address. Neuron control, neuron builder and floating gates cut
    /// off its upper bits, so that it is not to be compared with the one that was sent
    /// (hal-config §2.16).
    pub const fn answered_address(self, local: u16) -> u16 {
        match self {
            Self::NeuronControl => local & 0xf,
            Self::NeuronBuilder | Self::FloatingGate(_) => local & 0x1ff,
            _ => local,
        }
    }
}

impl Answer {
    /// The word of this answer from the chip behind a link.
    pub fn to_word(self, link: HighspeedLinkOnDnc) -> u64 {
        let address = u64::from(self.local) << ADDRESS_SHIFT;
        (head(self.unit, link) + address) | u64::from(self.data)
    }

    /// The answer of a word and the link of its chip; none if it is no answer.
    pub fn from_word(word: u64) -> Option<(HighspeedLinkOnDnc, Self)> {
        if word & (RESERVED | WRITE_BIT) != 0 {
            return None;
        }
        let (link, Access { unit, local, .. }) = Access::from_word(word)?;
        Some((link, Self { unit, local, data: word as u32 }))
    }
}

/// A register and what is written to it.
pub(super) type Register = (Unit, u16, u32);

/// One pass of the floating-gate controllers among the words of a chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PassWords {
    /// Number of words that start it.
    pub(super) started: usize,
    /// Number of words when it has been waited for.
    pub(super) awaited: usize,
    /// PLL clocks that it takes at worst.
    pub(super) clocks: u64,
}

/// Writes words for one chip.
pub(super) struct Writer<'a> {
    link: HighspeedLinkOnDnc,
    words: &'a mut Vec<u64>,
    /// What the floating-gate controllers were told to program.
    pub(super) passes: Vec<PassWords>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(hicann: HicannOnWafer, words: &'a mut Vec<u64>) -> Self {
        Self { link: hicann.link(), words, passes: Vec::new() }
    }

    /// Number of words written so far.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// Access to one unit; its start address is looked up once.
    pub(super) fn unit(&mut self, unit: Unit) -> UnitWriter<'_> {
        UnitWriter { head: head(unit, self.link), words: self.words }
    }

    /// Writes registers, only those with another value than before if that is known.
    pub(super) fn write_changed(
        &mut self,
        before: Option<impl IntoIterator<Item = Register>>,
        registers: impl IntoIterator<Item = Register>,
    ) {
        let mut before = before.into_iter().flatten();
        for register in registers {
            let (unit, local, data) = register;
            if before.next() != Some(register) {
                self.unit(unit).write(local, data);
            }
        }
    }

    /// Waits until everything sent has arrived, by one read on each tag (hal-config §2.1).
    pub(super) fn flush(&mut self) {
        self.unit(Unit::Synapse(SynapseArrayOnHicann::new::<0>()))
            .read(super::synapse_controller::STATUS);
        self.unit(Unit::SynapseSwitch(Vertical::Top, Side::Left)).read(0);
    }
}

/// Writes words for one unit of one chip.
pub(super) struct UnitWriter<'a> {
    head: u64,
    words: &'a mut Vec<u64>,
}

impl UnitWriter<'_> {
    pub(super) fn write(&mut self, local: u16, data: u32) {
        let address = u64::from(local) << ADDRESS_SHIFT;
        self.words.push((self.head + address) | WRITE_BIT | u64::from(data));
    }

    pub(super) fn read(&mut self, local: u16) {
        let address = u64::from(local) << ADDRESS_SHIFT;
        self.words.push((self.head + address) | u64::from(READ_DATA));
    }
}

/// The two timing registers of a small memory: read delay, then precharge and write delay
/// (hal-config §2.2).
pub(super) fn timing_words(timing: SramTiming) -> [u32; 2] {
    let second = timing.setup_precharge.index() << 4 | timing.write_delay.index();
    [timing.read_delay.get().into(), second as u32]
}

/// Writes to the first or second timing register of a small memory.
pub(super) fn write_timing(
    timing: &mut SramTiming,
    register: usize,
    data: u32,
) -> Result<(), Refusal> {
    width(data, 8)?;
    if register == 0 {
        timing.read_delay =
            NonZeroU8::new(data as u8).ok_or("a memory cannot be read without delay")?;
    } else {
        timing.setup_precharge = SramDelay::wrap((data >> 4) as usize);
        timing.write_delay = SramDelay::wrap((data & 15) as usize);
    }
    Ok(())
}

/// Why an access was refused.
pub(super) type Refusal = &'static str;

/// No register has this address.
pub(super) const NO_REGISTER: Refusal = "written to an address without a register";
/// The register takes values but does not give them back.
pub(super) const NOT_READABLE: Refusal = "this register cannot be read";

/// Accepts data of at most `bits` bits.
pub(super) fn width(data: u32, bits: u32) -> Result<(), Refusal> {
    if data >> bits == 0 { Ok(()) } else { Err("wider than the register") }
}
