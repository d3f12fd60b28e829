//! Invariants 1 to 3 for whole chips and for labels and addresses.

use hal::codec::{EncodeError, Unencodable, decode_wafer, encode_hicann};
use hal::config::{AnalogSource, HicannConfig};
use hal::coord::*;
use hal::wafer::ConfigurationWords;
use proptest::prelude::*;

use crate::configs;
use crate::stateful::{changed, without_idle_synapses};
use crate::stream::CHIP;

fn decoded(words: Vec<u64>) -> HicannConfig {
    let by_fpga = [(CHIP.fpga(), words)].into();
    decode_wafer(&ConfigurationWords { by_fpga }).unwrap().hicanns.remove(&CHIP).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn hal_invariant_01_chips(config in configs::hicann()) {
        prop_assert!(decoded(encode_hicann(CHIP, &config).unwrap()) == config);
    }

    /// Two chips of which some containers differ have the same words only if they are the same.
    #[test]
    fn hal_invariant_02_chips((a, b) in changed()) {
        let same_words = encode_hicann(CHIP, &a).unwrap() == encode_hicann(CHIP, &b).unwrap();
        // what does not travel: synapses of drivers that are off
        prop_assert_eq!(same_words, without_idle_synapses(a) == without_idle_synapses(b));
    }
}

/// All labels of 12 bits, and all 8 x 8 x 64 chips, links and addresses; bits 13 and 12, which
/// name a DNC, are dropped.
#[test]
fn hal_invariant_01_labels() {
    for bits in 0..1 << 14 {
        let label = PulseLabel::from_bits(bits);
        assert_eq!(label.bits(), bits & 0xfff);
        assert_eq!(PulseLabel::from_bits(label.bits()), label);
        let link = usize::from(bits >> 9 & 7);
        assert_eq!(label.link.index(), link);
        assert_eq!(label.gbit_link.index(), 7 - usize::from(bits >> 6 & 7));
        assert_eq!(label.address.index(), usize::from(bits & 63));
    }
}

#[test]
fn hal_invariant_01_addresses() {
    for address in L1Address::all() {
        let (driver, synapse) = (address.driver_decoder(), address.synapse_decoder());
        assert_eq!(16 * driver.index() + synapse.index(), address.index());
        assert_eq!(L1Address::from_decoders(driver, synapse), address);
    }
}

/// A chip with anything that no register expresses has no words at all.
#[test]
fn hal_invariant_03_chips() {
    let refused = |change: &dyn Fn(&mut HicannConfig)| {
        let mut config = HicannConfig::default();
        change(&mut config);
        let EncodeError { hicann, reason } = encode_hicann(CHIP, &config).unwrap_err();
        assert_eq!(hicann, CHIP);
        reason
    };
    for merger in DncMergerOnHicann::all().step_by(2) {
        let partner = merger.loopback_partner();
        let reason = refused(&|c| {
            c.mergers.dnc[merger].loopback = true;
            c.mergers.dnc[partner].loopback = true;
        });
        assert_eq!(reason, Unencodable::Loopback { merger, partner });
    }
    let fire_line = refused(&|c| {
        c.analog.source[AnalogOnHicann::new::<1>()] = Some(AnalogSource::FireLine);
    });
    assert_eq!(fire_line, Unencodable::FireLine);
    for circuit in NeuronOnHicann::all() {
        // the current input of one circuit and the output of its neighbour
        let neighbour = NeuronOnHicann::at(circuit.column() as u8 ^ 1, circuit.vertical());
        let reason = refused(&|c| {
            c.neurons.circuits[circuit].enable_current_input = true;
            c.neurons.circuits[neighbour].enable_aout = true;
        });
        assert!(matches!(reason, Unencodable::IoCode(e) if e.quad == circuit.quad()));
    }
}
