//! A stream of configuration words of one chip, taken apart.

use hal::codec::{Access, Operation, Unit, encode_hicann};
use hal::config::HicannConfig;
use hal::coord::{HicannOnWafer, SynapseArrayOnHicann};

/// The chip that the streams are for.
pub(crate) const CHIP: HicannOnWafer = HicannOnWafer::new::<93>();

/// Writes of a stream in their order.
pub(crate) struct Stream {
    pub(crate) writes: Vec<(Unit, u16, u32)>,
}

impl Stream {
    pub(crate) fn of(config: &HicannConfig) -> Self {
        let words = encode_hicann(CHIP, config).expect("an encodable configuration");
        let writes = words
            .into_iter()
            .map(|word| Access::from_word(word).expect("a configuration word"))
            .inspect(|(link, _)| assert_eq!(*link, CHIP.link()))
            .filter_map(|(_, Access { unit, local, operation })| match operation {
                Operation::Write(data) => Some((unit, local, data)),
                Operation::Read => None,
            });
        Self { writes: writes.collect() }
    }

    /// Everything written to a register.
    pub(crate) fn all(&self, unit: Unit, local: u16) -> Vec<u32> {
        let of_register = self.writes.iter().filter(|(u, l, _)| (*u, *l) == (unit, local));
        of_register.map(|(_, _, data)| *data).collect()
    }

    /// What a register holds in the end.
    pub(crate) fn last(&self, unit: Unit, local: u16) -> u32 {
        *self.all(unit, local).last().unwrap_or_else(|| panic!("{unit:?} {local:#x} not written"))
    }

    /// The 32 words that a command of a synapse controller writes to a hardware row.
    pub(crate) fn synapse_row(
        &self,
        array: SynapseArrayOnHicann,
        command: u32,
        row: u32,
    ) -> [u32; 32] {
        let (mut synin, mut words, mut sets) = ([0; 4], [0; 32], 0);
        for &(unit, local, data) in &self.writes {
            match (unit == Unit::Synapse(array), local) {
                (true, 0x4200..=0x4203) => synin[usize::from(local - 0x4200)] = data,
                (true, 0x4000) if data & 0x4f == 0x40 | command && data >> 8 & 0xff == row => {
                    let set = (data >> 24 & 7) as usize;
                    (0..4).for_each(|i| words[8 * i + set] = synin[i]);
                    sets |= 1 << set;
                }
                _ => {}
            }
        }
        assert_eq!(sets, 0xff, "all column sets of row {row} are written");
        words
    }
}
