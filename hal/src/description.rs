//! Which boards and chips a wafer module consists of and how to reach them (hal-config §5.11).
//!
//! The original keeps this as a stream of YAML documents. Here it is TOML, a format that people
//! know and that has one reading only; [`HardwareDescription::from_text`] tells what is wrong in
//! which line.
//!
//! ```
//! use hal::coord::{FpgaOnWafer, WaferNumber};
//! use hal::description::HardwareDescription;
//! let text = r#"
//! version = 1
//!
//! [[wafer]]
//! wafer = 30
//! setup = "bsswafer"
//! macu = { ip = "192.168.30.251", version = 2 }
//! hicanns = { version = 4, label = "v4" }       # all chips of the FPGAs below
//!
//! [[wafer.fpga]]
//! fpga = 12
//! ip = "192.168.30.33"
//! "#;
//! let hardware = HardwareDescription::from_text(text).unwrap();
//! let wafer = hardware.wafer(WaferNumber(30)).unwrap();
//! assert_eq!(wafer.hicanns_of(FpgaOnWafer::MASTER).count(), 8);
//! ```

mod text;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::coord::{
    AnalogOnHicann, AnanasOnWafer, ChannelOnAdc, Coordinate, DncOnWafer, FpgaGlobal, FpgaOnWafer,
    HicannOnDnc, HicannOnWafer, TriggerOnAdc, WaferNumber,
};

pub use text::{DescriptionError, ParseDescriptionError};

/// Kind of machine a wafer or a few chips are built into. Upper and lower case mean the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SetupKind {
    /// A board with single chips, `vsetup`.
    VSetup,
    /// The wafer of the project before, `facetswafer`.
    FacetsWafer,
    /// A small system in a cube, `cubesetup`.
    CubeSetup,
    /// A wafer module, `bsswafer`.
    BssWafer,
    /// A test board, `jboa`.
    Jboa,
}

impl SetupKind {
    const NAMES: [(Self, &'static str); 5] = [
        (Self::VSetup, "vsetup"),
        (Self::FacetsWafer, "facetswafer"),
        (Self::CubeSetup, "cubesetup"),
        (Self::BssWafer, "bsswafer"),
        (Self::Jboa, "jboa"),
    ];

    /// Whether the chips stand alone instead of on a wafer.
    pub const fn is_off_wafer(self) -> bool {
        matches!(self, Self::VSetup | Self::CubeSetup)
    }

    /// Name in files.
    pub fn name(self) -> &'static str {
        let (_, name) = Self::NAMES[self as usize];
        name
    }
}

impl TryFrom<String> for SetupKind {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(&text));
        found.map(|(kind, _)| *kind).ok_or_else(|| {
            let names = Self::NAMES.map(|(_, name)| name).join(", ");
            format!("`{text}` is no kind of setup; there are {names}")
        })
    }
}

impl From<SetupKind> for String {
    fn from(kind: SetupKind) -> Self {
        kind.name().to_owned()
    }
}

/// Version of a HICANN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum HicannVersion {
    /// The first wafers.
    V2,
    /// The wafers of today.
    V4,
}

impl TryFrom<u8> for HicannVersion {
    type Error = String;
    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            2 => Ok(Self::V2),
            4 => Ok(Self::V4),
            _ => Err(format!("HICANN version {number} does not exist; there are 2 and 4")),
        }
    }
}

impl From<HicannVersion> for u8 {
    fn from(version: HicannVersion) -> Self {
        match version {
            HicannVersion::V2 => 2,
            HicannVersion::V4 => 4,
        }
    }
}

/// The computer that controls the power of a wafer module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Macu {
    /// Its address.
    pub ip: Ipv4Addr,
    /// Version of its protocol.
    pub version: u32,
}

const fn yes() -> bool {
    true
}

/// An FPGA that serves a reticle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FpgaDescription {
    /// Which one.
    pub fpga: FpgaOnWafer,
    /// Its address.
    pub ip: Ipv4Addr,
    /// Whether it reaches its chips through the high-speed links and not only through JTAG.
    #[serde(default = "yes")]
    pub highspeed: bool,
}

/// A reticle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReticleDescription {
    /// Which one.
    pub reticle: DncOnWafer,
    /// Whether it is to be switched on.
    #[serde(default = "yes")]
    pub to_be_powered: bool,
}

/// What is known about a chip besides its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChipKind {
    /// Version of the chip.
    pub version: HicannVersion,
    /// Name of the production run.
    pub label: String,
}

/// An ADC that samples an analog output of a reticle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdcDescription {
    /// FPGA of the reticle.
    pub fpga: FpgaOnWafer,
    /// The analog output.
    pub analog: AnalogOnHicann,
    /// Serial number of the ADC board.
    pub adc: String,
    /// Input of the board.
    pub channel: ChannelOnAdc,
    /// Trigger input of the board.
    pub trigger: TriggerOnAdc,
    /// Address of the computer with the board.
    pub remote_ip: Ipv4Addr,
    /// Port of the server on that computer.
    pub remote_port: u16,
}

/// A board for analog readout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnanasDescription {
    /// Which one.
    pub ananas: AnanasOnWafer,
    /// Its address.
    pub ip: Ipv4Addr,
    /// First port for data.
    pub baseport_data: u16,
    /// First port for resets.
    pub baseport_reset: u16,
}

/// Something that a description cannot contain.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DescriptionFault {
    /// The wafer is not described.
    #[error("wafer {0} is not described; add it first")]
    NoWafer(WaferNumber),
    /// A chip without its FPGA.
    #[error("{fpga}, which serves {hicann}, is not described; add it first")]
    NoFpga {
        /// The chip.
        hicann: HicannOnWafer,
        /// Its FPGA.
        fpga: FpgaOnWafer,
    },
    /// A wafer module without control of its power.
    #[error("a bsswafer needs `macu`, the controller of its power")]
    NoMacu,
    /// The same thing twice.
    #[error("{0} is described twice")]
    Twice(String),
}

/// One wafer module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaferDescription {
    setup: SetupKind,
    macu: Option<Macu>,
    fpgas: BTreeMap<FpgaOnWafer, FpgaDescription>,
    reticles: BTreeMap<DncOnWafer, ReticleDescription>,
    hicanns: BTreeMap<HicannOnWafer, ChipKind>,
    adcs: BTreeMap<(FpgaOnWafer, AnalogOnHicann), AdcDescription>,
    ananas: BTreeMap<AnanasOnWafer, AnanasDescription>,
}

/// Adds an entry that must be new.
fn add<K: Ord, V>(
    map: &mut BTreeMap<K, V>,
    key: K,
    value: V,
    name: impl FnOnce() -> String,
) -> Result<(), DescriptionFault> {
    if map.contains_key(&key) {
        return Err(DescriptionFault::Twice(name()));
    }
    map.insert(key, value);
    Ok(())
}

impl WaferDescription {
    /// A module without any boards; a `bsswafer` must have a controller of its power.
    pub fn new(setup: SetupKind, macu: Option<Macu>) -> Result<Self, DescriptionFault> {
        if setup == SetupKind::BssWafer && macu.is_none() {
            return Err(DescriptionFault::NoMacu);
        }
        Ok(Self {
            setup,
            macu,
            fpgas: BTreeMap::new(),
            reticles: BTreeMap::new(),
            hicanns: BTreeMap::new(),
            adcs: BTreeMap::new(),
            ananas: BTreeMap::new(),
        })
    }

    /// Kind of machine.
    pub const fn setup(&self) -> SetupKind {
        self.setup
    }

    /// Controller of the power.
    pub const fn macu(&self) -> Option<Macu> {
        self.macu
    }

    /// Adds an FPGA.
    pub fn add_fpga(&mut self, fpga: FpgaDescription) -> Result<(), DescriptionFault> {
        add(&mut self.fpgas, fpga.fpga, fpga, || fpga.fpga.to_string())
    }

    /// Removes an FPGA with its chips.
    pub fn remove_fpga(&mut self, fpga: FpgaOnWafer) -> Option<FpgaDescription> {
        self.hicanns.retain(|hicann, _| hicann.fpga() != fpga);
        self.fpgas.remove(&fpga)
    }

    /// Adds a reticle.
    pub fn add_reticle(&mut self, reticle: ReticleDescription) -> Result<(), DescriptionFault> {
        add(&mut self.reticles, reticle.reticle, reticle, || reticle.reticle.to_string())
    }

    /// Adds a chip, after its FPGA.
    pub fn add_hicann(
        &mut self,
        hicann: HicannOnWafer,
        kind: ChipKind,
    ) -> Result<(), DescriptionFault> {
        let fpga = hicann.fpga();
        if !self.fpgas.contains_key(&fpga) {
            return Err(DescriptionFault::NoFpga { hicann, fpga });
        }
        add(&mut self.hicanns, hicann, kind, || hicann.to_string())
    }

    /// Adds an ADC.
    pub fn add_adc(&mut self, adc: AdcDescription) -> Result<(), DescriptionFault> {
        let key = (adc.fpga, adc.analog);
        add(&mut self.adcs, key, adc, || format!("the ADC of {}.{}", key.0, key.1))
    }

    /// Adds a board for analog readout.
    pub fn add_ananas(&mut self, ananas: AnanasDescription) -> Result<(), DescriptionFault> {
        add(&mut self.ananas, ananas.ananas, ananas, || ananas.ananas.to_string())
    }

    /// The FPGAs, ascending.
    pub fn fpgas(&self) -> impl Iterator<Item = &FpgaDescription> {
        self.fpgas.values()
    }

    /// One FPGA.
    pub fn fpga(&self, fpga: FpgaOnWafer) -> Option<&FpgaDescription> {
        self.fpgas.get(&fpga)
    }

    /// The reticles, ascending.
    pub fn reticles(&self) -> impl Iterator<Item = &ReticleDescription> {
        self.reticles.values()
    }

    /// The chips, ascending.
    pub fn hicanns(&self) -> impl Iterator<Item = (HicannOnWafer, &ChipKind)> {
        self.hicanns.iter().map(|(&hicann, kind)| (hicann, kind))
    }

    /// The chips of an FPGA by their position on the reticle.
    pub fn hicanns_of(&self, fpga: FpgaOnWafer) -> impl Iterator<Item = HicannOnWafer> {
        let chips = HicannOnDnc::all().map(move |on_dnc| fpga.dnc().hicann(on_dnc));
        chips.filter(|hicann| self.hicanns.contains_key(hicann))
    }

    /// The ADCs by FPGA and analog output.
    pub fn adcs(&self) -> impl Iterator<Item = &AdcDescription> {
        self.adcs.values()
    }

    /// The boards for analog readout.
    pub fn ananas(&self) -> impl Iterator<Item = &AnanasDescription> {
        self.ananas.values()
    }

    /// Position of a chip in the JTAG chain of its FPGA: the chips of the reticle that exist are
    /// numbered downwards in the order of their high-speed links, so that the last one has number
    /// 0 (topology §2.3). None if the chip is not described.
    pub fn jtag_position(&self, hicann: HicannOnWafer) -> Option<usize> {
        self.hicanns.get(&hicann)?;
        let behind = self.hicanns_of(hicann.fpga()).filter(|other| other.link() > hicann.link());
        Some(behind.count())
    }
}

impl FpgaGlobal {
    /// The address that FPGAs of wafer modules have, 192.168.`wafer`.`n`; none for wafer numbers
    /// above 255 (topology §2.3).
    pub fn standard_ip(self) -> Option<Ipv4Addr> {
        let wafer = u8::try_from(self.wafer.0).ok()?;
        Some(Ipv4Addr::new(192, 168, wafer, self.place.ip_last_octet()))
    }
}

/// All wafer modules that can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HardwareDescription {
    wafers: BTreeMap<WaferNumber, WaferDescription>,
}

impl HardwareDescription {
    /// Adds a wafer.
    pub fn add_wafer(
        &mut self,
        number: WaferNumber,
        wafer: WaferDescription,
    ) -> Result<(), DescriptionFault> {
        add(&mut self.wafers, number, wafer, || format!("wafer {number}"))
    }

    /// Removes a wafer.
    pub fn remove_wafer(&mut self, number: WaferNumber) -> Option<WaferDescription> {
        self.wafers.remove(&number)
    }

    /// A wafer that must be described.
    pub fn wafer(&self, number: WaferNumber) -> Result<&WaferDescription, DescriptionFault> {
        self.wafers.get(&number).ok_or(DescriptionFault::NoWafer(number))
    }

    /// A wafer that must be described, to add to it.
    pub fn wafer_mut(
        &mut self,
        number: WaferNumber,
    ) -> Result<&mut WaferDescription, DescriptionFault> {
        self.wafers.get_mut(&number).ok_or(DescriptionFault::NoWafer(number))
    }

    /// All wafers by number.
    pub fn wafers(&self) -> impl Iterator<Item = (WaferNumber, &WaferDescription)> {
        self.wafers.iter().map(|(&number, wafer)| (number, wafer))
    }
}
