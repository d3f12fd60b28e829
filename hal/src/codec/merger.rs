//! Mergers, background generators and event links (hal-config §2.16, §2.17).

use super::Unencodable;
use super::bus::{NO_REGISTER, Refusal, Register, Unit, Writer, width};
use crate::config::{
    BackgroundGenerator, DncMerger, GbitDirection, GbitLinks, Merger, MergerMode, MergerTree,
};
use crate::coord::{
    BackgroundGeneratorOnHicann, Coordinate, DncMergerOnHicann, GbitLinkOnHicann, L1Address,
    MergerOnHicann, Table,
};

const REGISTERS: usize = 20;
const TREE_ENABLE: usize = 0;
const TREE_SELECT: usize = 1;
const TREE_SLOW: usize = 2;
const DNC_SELECT_LOOPBACK: usize = 3;
const BG_RANDOM_ENABLE: usize = 4;
const PHASE: usize = 5;
const BG_SEED: usize = 6;
const BG_PERIOD: usize = 7;
const DNC_SLOW_ENABLE: usize = 15;
const BG_ADDRESS: usize = 16;

/// Registers that tell about the configuration: all but the seed, of which there is only one.
pub(super) const READABLE: [u16; REGISTERS - 1] =
    [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];

/// Bit of a tree merger: the chip counts each level from the other end.
fn tree_bit(merger: MergerOnHicann) -> u32 {
    [7, 6, 5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 13, 12, 14][merger.index()]
}

fn dnc_bit(merger: DncMergerOnHicann) -> u32 {
    7 - merger.index() as u32
}

fn background_bit(generator: BackgroundGeneratorOnHicann) -> u32 {
    7 - generator.index() as u32
}

/// The enable and the select bit.
fn mode_bits(mode: MergerMode) -> (u16, u16) {
    match mode {
        MergerMode::RightOnly => (0, 0),
        MergerMode::LeftOnly => (0, 1),
        MergerMode::Merge => (1, 0),
    }
}

/// The registers of the neuron control and the seeds that its generators have taken over.
#[derive(Debug, Clone)]
pub(super) struct NeuronControl {
    registers: [u16; REGISTERS],
    seeds: [u16; 8],
}

impl Default for NeuronControl {
    /// The registers of the default configuration.
    fn default() -> Self {
        let mut control = Self { registers: [0; REGISTERS], seeds: [0; 8] };
        let mergers = MergerTree::default();
        let tree = tree_registers(&mergers.tree).into_iter();
        let dnc = dnc_registers(&mergers.dnc).into_iter();
        let background = background_writes(&mergers.background).into_iter();
        let phase = phase_registers(&mergers.phase).into_iter();
        for (register, data) in tree.chain(dnc).chain(background).chain(phase) {
            control.registers[register] = data;
        }
        control
    }
}

impl NeuronControl {
    pub(super) fn write(&mut self, local: u16, data: u32) -> Result<(), Refusal> {
        let register = usize::from(local);
        if register >= REGISTERS {
            return Err(NO_REGISTER);
        }
        width(data, 16)?;
        let data = data as u16;
        if register == PHASE {
            width(data.into(), 8)?;
        }
        if register == BG_RANDOM_ENABLE {
            // there is one seed register; a generator takes its content over when it is enabled
            let started = data & !self.registers[BG_RANDOM_ENABLE];
            for generator in BackgroundGeneratorOnHicann::all() {
                if started >> background_bit(generator) & 1 != 0 {
                    self.seeds[generator.index()] = self.registers[BG_SEED];
                }
            }
        }
        self.registers[register] = data;
        Ok(())
    }

    /// All generators give the seed that was written last, since there is one register for it.
    pub(super) fn read(&self, local: u16) -> Result<u32, Refusal> {
        self.registers.get(usize::from(local)).map(|&data| data.into()).ok_or(NO_REGISTER)
    }

    fn bit(&self, register: usize, bit: u32) -> bool {
        self.registers[register] >> bit & 1 != 0
    }

    fn mode(&self, enable: (usize, u32), select: (usize, u32)) -> Result<MergerMode, Refusal> {
        match (self.bit(enable.0, enable.1), self.bit(select.0, select.1)) {
            (false, false) => Ok(MergerMode::RightOnly),
            (false, true) => Ok(MergerMode::LeftOnly),
            (true, false) => Ok(MergerMode::Merge),
            (true, true) => Err("a merger with both its enable and its select bit set"),
        }
    }

    /// What the registers mean. The mode of a merger is spread over two registers, so that it may
    /// make no sense in between.
    pub(super) fn mergers(&self) -> Result<MergerTree, Refusal> {
        let mut mergers = MergerTree::default();
        for place in MergerOnHicann::all() {
            let bit = tree_bit(place);
            let mode = self.mode((TREE_ENABLE, bit), (TREE_SELECT, bit))?;
            mergers.tree[place] = Merger { mode, slow: self.bit(TREE_SLOW, bit) };
        }
        for place in DncMergerOnHicann::all() {
            let bit = dnc_bit(place);
            mergers.dnc[place] = DncMerger {
                mode: self.mode((DNC_SLOW_ENABLE, bit), (DNC_SELECT_LOOPBACK, bit + 8))?,
                slow: self.bit(DNC_SLOW_ENABLE, bit + 8),
                loopback: self.bit(DNC_SELECT_LOOPBACK, dnc_bit(place.loopback_partner())),
            };
        }
        for place in BackgroundGeneratorOnHicann::all() {
            let bit = background_bit(place);
            let enable = self.bit(BG_RANDOM_ENABLE, bit);
            let addresses = self.registers[BG_ADDRESS + bit as usize / 2];
            let address = if place.index() % 2 == 0 { addresses >> 8 } else { addresses & 0xff };
            mergers.background[place] = BackgroundGenerator {
                enable,
                random: self.bit(BG_RANDOM_ENABLE, bit + 8),
                period: self.registers[BG_PERIOD + bit as usize],
                seed: if enable { self.seeds[place.index()] } else { 0 },
                address: L1Address::from_index(usize::from(address))
                    .ok_or("a background address above 63")?,
            };
        }
        for place in DncMergerOnHicann::all() {
            mergers.phase[place] = self.bit(PHASE, dnc_bit(place));
        }
        Ok(mergers)
    }
}

/// Clears all registers of the neuron control.
pub(super) fn clear(w: &mut Writer<'_>) {
    let mut unit = w.unit(Unit::NeuronControl);
    (0..REGISTERS).for_each(|register| unit.write(register as u16, 0));
}

/// Registers and their values, in writing order.
type Writes<const N: usize> = [(usize, u16); N];

/// The writes as accesses to the unit.
pub(super) fn on_bus(
    writes: impl IntoIterator<Item = (usize, u16)>,
) -> impl Iterator<Item = Register> {
    writes.into_iter().map(|(local, data)| (Unit::NeuronControl, local as u16, data.into()))
}

/// Sampling edges of the outputs.
pub(super) fn phase_registers(phase: &Table<DncMergerOnHicann, bool>) -> Writes<1> {
    let bits = phase.iter().map(|(place, &edge)| u16::from(edge) << dnc_bit(place));
    [(PHASE, bits.sum())]
}

/// Modes of the mergers of the tree.
pub(super) fn tree_registers(tree: &Table<MergerOnHicann, Merger>) -> Writes<3> {
    let (mut enable, mut select, mut slow) = (0, 0, 0);
    for (place, merger) in tree.iter() {
        let bit = tree_bit(place);
        let (e, s) = mode_bits(merger.mode);
        enable |= e << bit;
        select |= s << bit;
        slow |= u16::from(merger.slow) << bit;
    }
    [(TREE_ENABLE, enable), (TREE_SELECT, select), (TREE_SLOW, slow)]
}

/// Whether the loopback connections can be set like this: one direction per pair.
pub(super) fn check_dnc(dnc: &Table<DncMergerOnHicann, DncMerger>) -> Result<(), Unencodable> {
    let twice = |m: &DncMergerOnHicann| dnc[*m].loopback && dnc[m.loopback_partner()].loopback;
    match DncMergerOnHicann::all().find(twice) {
        None => Ok(()),
        Some(merger) => Err(Unencodable::Loopback { merger, partner: merger.loopback_partner() }),
    }
}

/// Modes of the mergers in front of the sending repeaters.
pub(super) fn dnc_registers(dnc: &Table<DncMergerOnHicann, DncMerger>) -> Writes<2> {
    let (mut slow_enable, mut select_loopback) = (0, 0);
    for (place, merger) in dnc.iter() {
        let bit = dnc_bit(place);
        let (e, s) = mode_bits(merger.mode);
        slow_enable |= e << bit | u16::from(merger.slow) << (bit + 8);
        select_loopback |=
            s << (bit + 8) | u16::from(merger.loopback) << dnc_bit(place.loopback_partner());
    }
    [(DNC_SLOW_ENABLE, slow_enable), (DNC_SELECT_LOOPBACK, select_loopback)]
}

/// Stops all generators, sets them, and starts them one after another, each with its seed. The
/// seed of a generator that stays off is not kept by the chip.
pub(super) fn background_writes(
    generators: &Table<BackgroundGeneratorOnHicann, BackgroundGenerator>,
) -> Vec<(usize, u16)> {
    let mut writes = vec![(BG_RANDOM_ENABLE, 0)];
    let pairs = generators.values().chunks_exact(2);
    for (pair, register) in pairs.zip((BG_ADDRESS..REGISTERS).rev()) {
        let addresses = pair[0].address.index() << 8 | pair[1].address.index();
        writes.push((register, addresses as u16));
    }
    for (place, generator) in generators.iter() {
        writes.push((BG_PERIOD + background_bit(place) as usize, generator.period));
    }
    let mut random_enable = 0;
    for (place, generator) in generators.iter() {
        let bit = background_bit(place);
        random_enable |=
            u16::from(generator.enable) << bit | u16::from(generator.random) << (bit + 8);
        writes.push((BG_SEED, generator.seed));
        writes.push((BG_RANDOM_ENABLE, random_enable));
    }
    writes
}

/// Sets and starts the generators.
pub(super) fn encode_background(
    generators: &Table<BackgroundGeneratorOnHicann, BackgroundGenerator>,
    w: &mut Writer<'_>,
) {
    w.write_changed(None::<[Register; 0]>, on_bus(background_writes(generators)));
}

/// Data that resets the event links.
const SPL1_RESET: u32 = 0x8000_0000;
const TIMESTAMP_ENABLE: u32 = 1 << 16;

/// Bits of a link: switched on, and pointing to the chip.
fn link_bits(link: GbitLinkOnHicann) -> (u32, u32) {
    let bit = 7 - link.index() as u32;
    (1 << bit, 1 << (bit + 8))
}

pub(super) fn reset_links(w: &mut Writer<'_>) {
    w.unit(Unit::Spl1).write(0, SPL1_RESET);
}

/// Directions of the event links.
pub(super) fn link_register(links: &GbitLinks) -> Register {
    let mut data = if links.timestamp_enable { TIMESTAMP_ENABLE } else { 0 };
    for (link, direction) in links.direction.iter() {
        let (on, to_hicann) = link_bits(link);
        data |= match direction {
            GbitDirection::Off => 0,
            GbitDirection::ToDnc => on,
            GbitDirection::ToHicann => on | to_hicann,
        };
    }
    (Unit::Spl1, 0, data)
}

pub(super) fn write_links(links: &mut GbitLinks, local: u16, data: u32) -> Result<(), Refusal> {
    if local != 0 {
        return Err(NO_REGISTER);
    }
    if data == SPL1_RESET {
        *links = GbitLinks::default();
        return Ok(());
    }
    width(data, 17)?;
    links.timestamp_enable = data & TIMESTAMP_ENABLE != 0;
    for link in GbitLinkOnHicann::all() {
        let (on, to_hicann) = link_bits(link);
        links.direction[link] = match (data & on != 0, data & to_hicann != 0) {
            (false, _) => GbitDirection::Off,
            (true, false) => GbitDirection::ToDnc,
            (true, true) => GbitDirection::ToHicann,
        };
    }
    Ok(())
}
