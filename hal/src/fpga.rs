//! Words to the FPGA itself: time base, resets, PLL, event generator, link directions, statistics
//! (hal-config §3.1, §3.5, §3.6, §4.2).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::config::{GbitDirection, GbitLinks};
use crate::coord::{
    Coordinate, FpgaOnWafer, GbitLinkOnHicann, HicannOnDnc, HighspeedLinkOnDnc, L1Address, Table,
};

/// UDP port that takes reset datagrams.
pub const RESET_PORT: u16 = 1801;
/// JTAG identity of the Kintex-7 FPGA.
pub const FPGA_JTAG_ID: u32 = 0x1c56_c007;
/// JTAG identity of a HICANN.
pub const HICANN_JTAG_ID: u32 = 0x1484_9434;

/// One FPGACONFIG word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FpgaCommand {
    /// Starts playback and trace.
    StartPlayback,
    /// Stops the trace.
    StopTrace,
    /// Sends the trace memory to the host.
    StartTraceRead,
    /// Sets the system time counter.
    SystemTime {
        /// Lets it run.
        enable: bool,
        /// Waits for the master FPGA's signal.
        listen_global: bool,
        /// Starts an experiment instead of the counter alone.
        experiment: bool,
    },
}

impl FpgaCommand {
    /// Gets the system time of an FPGA ready: the counter stands still until it is started.
    pub const fn prime_system_time(listen_global: bool) -> Self {
        Self::SystemTime { enable: false, listen_global, experiment: false }
    }

    /// The system time start of an FPGA: only the master and FPGAs that do not wait for it start
    /// by themselves.
    pub fn start_system_time(fpga: FpgaOnWafer, listen_global: bool, experiment: bool) -> Self {
        let enable = !listen_global || fpga == FpgaOnWafer::MASTER;
        Self::SystemTime { enable, listen_global, experiment }
    }

    /// The word.
    pub const fn bits(self) -> u64 {
        match self {
            Self::StartPlayback => 1 << 29,
            Self::StopTrace => 1 << 27,
            Self::StartTraceRead => 1 << 26,
            Self::SystemTime { enable, listen_global, experiment } => {
                1 << 22
                    | (enable as u64) << 21
                    | (listen_global as u64) << 20
                    | (experiment as u64) << 19
            }
        }
    }

    /// The command of a word; none if the word is none of these.
    pub const fn from_bits(word: u64) -> Option<Self> {
        const SYSTEM_TIME_BITS: u64 = 0b1111 << 19;
        match word {
            0x2000_0000 => Some(Self::StartPlayback),
            0x0800_0000 => Some(Self::StopTrace),
            0x0400_0000 => Some(Self::StartTraceRead),
            _ if word & 1 << 22 != 0 && word & !SYSTEM_TIME_BITS == 0 => Some(Self::SystemTime {
                enable: word & 1 << 21 != 0,
                listen_global: word & 1 << 20 != 0,
                experiment: word & 1 << 19 != 0,
            }),
            _ => None,
        }
    }
}

/// Which parts a reset datagram holds in reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FpgaReset {
    /// The core.
    pub core: bool,
    /// The link layer towards the chips.
    pub fpga_dnc: bool,
    /// Memory on the board.
    pub onboard_memory: bool,
    /// Memory module.
    pub memory_module: bool,
    /// The HICANN-ARQ.
    pub hicann_arq: bool,
}

impl FpgaReset {
    /// Everything in reset.
    pub const ALL: Self = Self {
        core: true,
        fpga_dnc: true,
        onboard_memory: true,
        memory_module: true,
        hicann_arq: true,
    };

    /// The datagram, in network order.
    pub const fn datagram(self) -> [u8; 4] {
        let flags = self.core as u32
            | (self.fpga_dnc as u32) << 1
            | (self.onboard_memory as u32) << 2
            | (self.memory_module as u32) << 3
            | (self.hicann_arq as u32) << 4;
        (0x5500_0000 | flags).to_be_bytes()
    }
}

/// Clock of the chips: 100 to 250 MHz in steps of 25.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct PllFrequency(u8);

/// The PLL cannot run at this frequency.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("{hz} Hz: the PLL of a HICANN runs at 100 to 250 MHz in steps of 25 MHz")]
pub struct InvalidPllFrequency {
    /// The frequency asked for.
    pub hz: f64,
}

impl TryFrom<f64> for PllFrequency {
    type Error = InvalidPllFrequency;
    fn try_from(hz: f64) -> Result<Self, InvalidPllFrequency> {
        let steps = hz / 25e6;
        if steps.fract() == 0.0 && (4.0..=10.0).contains(&steps) {
            Ok(Self(steps as u8))
        } else {
            Err(InvalidPllFrequency { hz })
        }
    }
}

impl From<PllFrequency> for f64 {
    fn from(frequency: PllFrequency) -> Self {
        frequency.hz()
    }
}

impl PllFrequency {
    /// 125 MHz, at which experiments run.
    pub const DEFAULT: Self = Self(5);

    /// Hertz.
    pub fn hz(self) -> f64 {
        f64::from(self.0) * 25e6
    }

    /// Multiplier and divider of the 50 MHz reference.
    pub const fn factors(self) -> (u8, u8) {
        if self.0 % 2 == 0 { (self.0 / 2, 1) } else { (self.0, 2) }
    }

    /// The 15-bit JTAG control word: divider, multiplier, not powered down, upper range.
    pub const fn control_word(self) -> u16 {
        let (multiplier, divider) = self.factors();
        (divider as u16) << 9 | (multiplier as u16) << 3 | 1 << 2 | 1 << 1
    }
}

/// The event generator of an FPGA, which sends to one chip at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FpgaBackgroundGenerator {
    /// Switches it on.
    pub enable: bool,
    /// Pseudo-random instead of regular intervals.
    pub poisson: bool,
    /// Links of the chip that get events.
    pub links: [bool; GbitLinkOnHicann::SIZE],
    /// First address.
    pub first: L1Address,
    /// Last address.
    pub last: L1Address,
    /// The chip.
    pub hicann: HicannOnDnc,
    rate: u16,
    seed: u32,
}

/// Rate or seed of the FPGA's generator is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidFpgaGenerator {
    /// 14 bits, and the register holds the rate minus 2.
    #[error("rate {0}: the generator of an FPGA takes 2..=16385")]
    Rate(u16),
    /// 24 bits, and 0 is a dead state.
    #[error("seed {0}: the generator of an FPGA takes 1..=16777215")]
    Seed(u32),
}

impl FpgaBackgroundGenerator {
    /// A generator of all addresses on one link, switched off.
    pub fn new(
        hicann: HicannOnDnc,
        link: GbitLinkOnHicann,
        rate: u16,
        seed: u32,
    ) -> Result<Self, InvalidFpgaGenerator> {
        if !(2..=16385).contains(&rate) {
            return Err(InvalidFpgaGenerator::Rate(rate));
        }
        if !(1..1 << 24).contains(&seed) {
            return Err(InvalidFpgaGenerator::Seed(seed));
        }
        let mut links = [false; GbitLinkOnHicann::SIZE];
        links[link.index()] = true;
        let (first, last) = (L1Address::new::<0>(), L1Address::new::<63>());
        Ok(Self { enable: false, poisson: false, links, first, last, hicann, rate, seed })
    }

    /// The 63-bit JTAG word; the links are mirrored on the wire.
    pub fn bits(self) -> u64 {
        let links = (0..8).filter(|&i| self.links[i]).fold(0u64, |bits, i| bits | 1 << (7 - i));
        u64::from(self.enable)
            | u64::from(self.poisson) << 1
            | links << 2
            | (self.first.index() as u64) << 10
            | (self.last.index() as u64) << 16
            | (self.hicann.link().index() as u64) << 22
            | u64::from(self.rate - 2) << 25
            | u64::from(self.seed) << 39
    }
}

/// A number that an FPGA tells when asked for its statistics: the one word of the packet is the
/// [`id`](Self::id), and so is the one of the answer the value (hal-config §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FpgaStatistic {
    /// Pulses that were recorded.
    TracePulses,
    /// Pulses that were played back.
    PlaybackPulses,
    /// Packets from the network.
    NetworkReceived,
    /// Packets to the network.
    NetworkSent,
    /// Reads from the uplink.
    UplinkReads,
    /// Writes to the uplink.
    UplinkWrites,
    /// Which firmware runs; see [`FpgaVersion`].
    Version,
    /// What went wrong; see [`FpgaErrors`].
    Errors,
    /// Wrong checksums.
    ChecksumErrors,
}

impl FpgaStatistic {
    /// All, in the order of their ids.
    pub const ALL: [Self; 9] = [
        Self::TracePulses,
        Self::PlaybackPulses,
        Self::NetworkReceived,
        Self::NetworkSent,
        Self::UplinkReads,
        Self::UplinkWrites,
        Self::Version,
        Self::Errors,
        Self::ChecksumErrors,
    ];

    /// The number that asks for it, 0..=8.
    pub const fn id(self) -> u64 {
        self as u64
    }
}

/// The firmware of an FPGA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FpgaVersion {
    /// First digits of the commit it was built from.
    pub git_hash: u32,
    /// Whether it was built from uncommitted changes.
    pub is_dirty: bool,
}

impl FpgaVersion {
    /// From the value of [`FpgaStatistic::Version`].
    pub const fn from_value(value: u64) -> Self {
        Self { git_hash: (value >> 32) as u32, is_dirty: value & 1 != 0 }
    }
}

/// What went wrong in an FPGA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FpgaErrors {
    /// A pulse came too late to be released in time.
    pub release: bool,
    /// The queue from playback to the HICANN-ARQ was full.
    pub arq_queue_full: bool,
}

impl FpgaErrors {
    /// From the value of [`FpgaStatistic::Errors`].
    pub const fn from_value(value: u64) -> Self {
        Self { release: value & 1 != 0, arq_queue_full: value & 2 != 0 }
    }
}

/// Pulses to a chip that its FPGA dropped, 0..=4095, from the 64-bit status of the link
/// (hal-config §3.1).
pub const fn dropped_pulses(interface_status: u64) -> u16 {
    (interface_status >> 52) as u16
}

/// The word that tells the DNC which links lead to the chips: a byte per chip in the order of its
/// high-speed link, with bit `7 - i` for link i.
pub fn dnc_directions(links: &Table<HicannOnDnc, GbitLinks>) -> u64 {
    let mut word = 0;
    for link in HighspeedLinkOnDnc::all() {
        for (gbit, direction) in links[link.hicann()].direction.iter() {
            if *direction == GbitDirection::ToHicann {
                word |= 1u64 << (8 * link.index() + 7 - gbit.index());
            }
        }
    }
    word
}

/// The two 12-bit samples of a word of the ADC board's memory, in order (hal-config §3.8).
pub const fn adc_samples(word: u32) -> [u16; 2] {
    [(word >> 16 & 0xfff) as u16, (word & 0xfff) as u16]
}
