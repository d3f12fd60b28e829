//! Words to the FPGA and JTAG messages.

use hal::coord::{Coordinate as _, FpgaOnWafer, GbitLinkOnHicann, HicannOnDnc, JtagFrequency};
use hal::fpga::{
    FpgaBackgroundGenerator, FpgaCommand, FpgaErrors, FpgaStatistic, FpgaVersion,
    InvalidFpgaGenerator, dropped_pulses,
};
use hal::jtag;

#[test]
fn only_the_master_starts_a_common_time() {
    for fpga in FpgaOnWafer::all() {
        let command = FpgaCommand::start_system_time(fpga, true, true);
        let starts = fpga == FpgaOnWafer::MASTER;
        assert_eq!(command.bits() & 1 << 21 != 0, starts, "{fpga}");
    }
    assert_eq!(FpgaCommand::from_bits(0), None);
}

#[test]
fn a_generator_that_would_stand_still_is_refused() {
    let new = |rate, seed| {
        let (hicann, link) = (HicannOnDnc::new::<0>(), GbitLinkOnHicann::new::<0>());
        FpgaBackgroundGenerator::new(hicann, link, rate, seed).err()
    };
    assert_eq!(new(1, 1), Some(InvalidFpgaGenerator::Rate(1)));
    assert_eq!(new(2, 0), Some(InvalidFpgaGenerator::Seed(0)));
    assert_eq!(new(2, 1), None);
}

#[test]
fn a_bulk_message_counts_its_nibbles_and_is_padded_to_words() {
    let cycles = [jtag::cycle(true, false, false); 3];
    let message = jtag::bulk(&cycles);
    assert_eq!(message, [0x0c, 0x33, 0, 6, 0x62, 0x62, 0x62, 0]);
    assert_eq!(jtag::to_packet(&message), [0x0c33_0006_0000_0002, 0x6262_6200]);
    assert_eq!(jtag::set_frequency(JtagFrequency::MIN)[2], 255, "the divider saturates");
}

#[test]
fn statistics_have_the_numbers_of_the_firmware() {
    assert!(FpgaStatistic::ALL.iter().map(|s| s.id()).eq(0..9));
    assert_eq!((FpgaStatistic::Version.id(), FpgaStatistic::Errors.id()), (6, 7));
    let version = FpgaVersion::from_value(0xdfb0_e251_0000_0001);
    assert_eq!(version, FpgaVersion { git_hash: 0xdfb0_e251, is_dirty: true });
    for value in 0..4 {
        let FpgaErrors { release, arq_queue_full } = FpgaErrors::from_value(value);
        assert_eq!(u64::from(release) | u64::from(arq_queue_full) << 1, value);
    }
    assert_eq!(dropped_pulses(0xabc0_0000_0000_0049), 0xabc);
}
