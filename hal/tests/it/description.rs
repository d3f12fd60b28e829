//! Hardware descriptions: text form, faults and what follows from them.

use std::net::Ipv4Addr;

use hal::coord::*;
use hal::description::{
    AdcDescription, AnanasDescription, ChipKind, DescriptionError, DescriptionFault,
    FpgaDescription, HardwareDescription, HicannVersion, Macu, ParseDescriptionError,
    ReticleDescription, SetupKind, WaferDescription,
};
use proptest::prelude::*;

const WAFER: WaferNumber = WaferNumber(30);

fn fpga(fpga: FpgaOnWafer) -> FpgaDescription {
    let ip = FpgaGlobal { wafer: WAFER, place: fpga }.standard_ip().unwrap();
    FpgaDescription { fpga, ip, highspeed: fpga.index() % 5 > 0 }
}

fn kind(label: &str) -> ChipKind {
    ChipKind { version: HicannVersion::V4, label: label.to_owned() }
}

/// A module with some FPGAs and those of the chips that one of them serves.
fn module(fpgas: &[FpgaOnWafer], mut has: impl FnMut(HicannOnWafer) -> bool) -> WaferDescription {
    let macu = Macu { ip: Ipv4Addr::new(192, 168, 30, 251), version: 2 };
    let mut wafer = WaferDescription::new(SetupKind::BssWafer, Some(macu)).unwrap();
    for &number in fpgas {
        wafer.add_fpga(fpga(number)).unwrap();
        let reticle = number.dnc();
        let to_be_powered = reticle.index() % 7 > 0;
        wafer.add_reticle(ReticleDescription { reticle, to_be_powered }).unwrap();
        for hicann in reticle.hicanns().filter(|&hicann| has(hicann)) {
            wafer.add_hicann(hicann, kind("v4-26")).unwrap();
        }
        let analog = AnalogOnHicann::new::<1>();
        let channel = ChannelOnAdc::try_from(number.index() as i8 % 9 - 1).unwrap();
        let adc = AdcDescription {
            fpga: number,
            analog,
            adc: format!("B2012{}", number.index()),
            channel,
            trigger: TriggerOnAdc::new::<0>(),
            remote_ip: Ipv4Addr::LOCALHOST,
            remote_port: 44_000,
        };
        wafer.add_adc(adc).unwrap();
    }
    let ip = Ipv4Addr::new(192, 168, 30, 240);
    let ananas = AnanasOnWafer::new::<1>();
    let board = AnanasDescription { ananas, ip, baseport_data: 1, baseport_reset: u16::MAX };
    wafer.add_ananas(board).unwrap();
    wafer
}

fn hardware(
    wafers: impl IntoIterator<Item = (WaferNumber, WaferDescription)>,
) -> HardwareDescription {
    let mut hardware = HardwareDescription::default();
    for (number, wafer) in wafers {
        hardware.add_wafer(number, wafer).unwrap();
    }
    hardware
}

fn all_fpgas() -> Vec<FpgaOnWafer> {
    FpgaOnWafer::all().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// hal-config §9, invariant 13: reading what was written gives the same.
    #[test]
    fn hal_invariant_13_load_after_dump(
        fpgas in prop::collection::btree_set(0..48_usize, 0..6),
        missing in prop::collection::vec(any::<bool>(), 8),
        number in any::<u32>(),
    ) {
        let fpgas: Vec<_> = fpgas.into_iter().map(|f| FpgaOnWafer::try_from(f).unwrap()).collect();
        let wafer = module(&fpgas, |hicann| !missing[hicann.on_dnc().index()]);
        let small = WaferDescription::new(SetupKind::VSetup, None).unwrap();
        let other = WaferNumber(number.wrapping_add(1));
        let before = hardware([(WaferNumber(number), wafer), (other, small)]);
        let text = before.to_text();
        let after = HardwareDescription::from_text(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        prop_assert_eq!(&after, &before);
        prop_assert_eq!(after.to_text(), text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(version = 1\n)?([\\[\\]a-z= \"0-9.\n]|wafer|fpga|\\[\\[wafer\\]\\]\n){0,60}") {
        let _ = HardwareDescription::from_text(&text);
    }
}

/// hal-config §9, invariant 13: one entry for all chips stands for 384 chips that are alike.
#[test]
fn hal_invariant_13_one_entry_for_all_chips() {
    let one_entry =
        |text: &str| text.contains("[wafer.hicanns]") && !text.contains("[[wafer.hicann]]");
    let whole = hardware([(WAFER, module(&all_fpgas(), |_| true))]);
    assert!(one_entry(&whole.to_text()));
    assert_eq!(HardwareDescription::from_text(&whole.to_text()).unwrap(), whole);
    // one chip fewer, or one of another run
    let missing = HicannOnWafer::new::<93>();
    let mut wafer = module(&all_fpgas(), |hicann| hicann != missing);
    assert!(!one_entry(&hardware([(WAFER, wafer.clone())]).to_text()));
    wafer.add_hicann(missing, kind("v4-27")).unwrap();
    assert!(!one_entry(&hardware([(WAFER, wafer)]).to_text()));
    // all chips, but only of the FPGAs that are there
    let text = "version = 1\n[[wafer]]\nwafer = 30\nsetup = 'JBOA'\n\
                hicanns = { version = 2, label = 'old' }\nfpga = [{ fpga = 3, ip = '10.0.0.1' }]\n";
    let hardware = HardwareDescription::from_text(text).unwrap();
    let wafer = hardware.wafer(WAFER).unwrap();
    assert_eq!(wafer.setup(), SetupKind::Jboa);
    assert!(wafer.fpga(FpgaOnWafer::new::<3>()).unwrap().highspeed);
    assert!(wafer.hicanns().map(|(hicann, _)| hicann).eq(DncOnWafer::new::<14>().hicanns()));
}

#[test]
fn what_is_wrong_is_refused_by_line_and_culprit() {
    let head = "version = 1\n[[wafer]]\nwafer = 30\nsetup = 'vsetup'\n";
    let fpga = "[[wafer.fpga]]\nfpga = 12\nip = '192.168.30.33'\n";
    for (text, wanted) in [
        (format!("{head}setup = 'vsetup'"), "line 5: duplicate key"),
        (format!("{head}colour = 'red'"), "line 5: unknown field `colour`, expected one of"),
        (
            head.replace("vsetup", "wsetup"),
            "line 4: `wsetup` is no kind of setup; there are vsetup,",
        ),
        (head.replace("vsetup", "bsswafer"), "line 2: a bsswafer needs `macu`"),
        (head.replace("30", "-1"), "line 3: invalid value: integer `-1`, expected u32"),
        (
            format!("{head}{}", fpga.replace("= 12", "= 48")),
            "line 6: FpgaOnWafer 48 does not exist; valid are 0..=47",
        ),
        (format!("{head}{}", fpga.replace(".33", ".333")), "line 7: invalid IPv4 address"),
        (format!("{head}{}", fpga.replace("ip", "#")), "line 5: missing field `ip`"),
        (format!("{head}{fpga}{fpga}"), "line 8: F12 is described twice"),
        (
            format!("{head}{fpga}[[wafer.hicann]]\nhicann = 93\nversion = 4\nlabel = ''"),
            "line 8: F20, which serves H93, is not described",
        ),
        (
            format!("{head}{fpga}[[wafer.hicann]]\nhicann = 0\nversion = 3\nlabel = ''"),
            "line 10: HICANN version 3 does not exist",
        ),
        (
            format!("{head}{}", head.replace("version = 1\n", "")),
            "line 5: wafer W30 is described twice",
        ),
        ("version = 2".into(), "format version 2, this program reads version 1"),
        (String::new(), "line 1: missing field `version`"),
        ("version = [".into(), "line 1: "),
    ] {
        let error = HardwareDescription::from_text(&text).unwrap_err().to_string();
        assert!(error.starts_with(wanted), "{error}\nexpected: {wanted}\n{text}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn nothing_is_added_before_what_it_belongs_to() {
    let mut empty = HardwareDescription::default();
    assert_eq!(empty.wafer_mut(WAFER).unwrap_err(), DescriptionFault::NoWafer(WAFER));
    let mut wafer = module(&[FpgaOnWafer::MASTER], |_| true);
    let (hicann, stranger) = (HicannOnWafer::new::<0>(), HicannOnWafer::new::<93>());
    let fpga_of_stranger = stranger.fpga();
    let fault = DescriptionFault::NoFpga { hicann: stranger, fpga: fpga_of_stranger };
    assert_eq!(wafer.add_hicann(stranger, kind("")), Err(fault));
    assert_eq!(wafer.add_hicann(hicann, kind("")), Err(DescriptionFault::Twice("H0".into())));
    assert!(wafer.add_fpga(fpga(FpgaOnWafer::MASTER)).is_err());
    assert!(wafer.remove_fpga(FpgaOnWafer::MASTER).is_some());
    assert_eq!((wafer.fpgas().count(), wafer.hicanns().count()), (0, 0));
    let mut hardware = hardware([(WAFER, wafer.clone())]);
    let again = hardware.add_wafer(WAFER, wafer.clone()).unwrap_err();
    assert_eq!(again.to_string(), "wafer W30 is described twice");
    assert_eq!(hardware.remove_wafer(WAFER), Some(wafer));
}

#[test]
fn jtag_positions_count_the_chips_behind() {
    let fpga = FpgaOnWafer::MASTER;
    let whole = module(&[fpga], |_| true);
    for hicann in fpga.dnc().hicanns() {
        assert_eq!(whole.jtag_position(hicann), Some(7 - hicann.link().index()));
    }
    // links 2 and 5 are missing
    let gaps = module(&[fpga], |hicann| ![2, 5].contains(&hicann.link().index()));
    let chip = |link: HighspeedLinkOnDnc| fpga.dnc().hicann(link.hicann());
    let positions: Vec<_> =
        HighspeedLinkOnDnc::all().map(|l| gaps.jtag_position(chip(l))).collect();
    assert_eq!(positions, [Some(5), Some(4), None, Some(3), Some(2), None, Some(1), Some(0)]);
}

#[test]
fn files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hardware.toml");
    let hardware = hardware([(WAFER, module(&all_fpgas(), |_| true))]);
    hardware.write(&path).unwrap();
    assert_eq!(HardwareDescription::read(&path).unwrap(), hardware);
    std::fs::write(&path, "version = 7").unwrap();
    let error = HardwareDescription::read(&path).unwrap_err();
    assert!(matches!(
        error,
        DescriptionError::Parse { reason: ParseDescriptionError::WrongVersion(7), .. }
    ));
    assert!(matches!(
        HardwareDescription::read(&folder.path().join("none")),
        Err(DescriptionError::Io(_))
    ));
}
