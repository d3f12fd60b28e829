//! Times the configuration words of full chips: `cargo run --release -p hal --example codec_speed`.
#![expect(clippy::print_stdout, reason = "the output is the point of an example")]

use std::error::Error;
use std::time::Instant;

use hal::codec::{decode_wafer, encode_hicann, encode_wafer};
use hal::config::WaferConfig;
use hal::coord::{Coordinate as _, HicannOnWafer, SynapseDecoder, SynapseOnHicann};
use hal::value::SynapseWeight;

fn main() -> Result<(), Box<dyn Error>> {
    let mut wafer = WaferConfig::default();
    for hicann in HicannOnWafer::all() {
        let chip = wafer.hicann_mut(hicann);
        for synapse in SynapseOnHicann::all() {
            let i = synapse.index() + hicann.index();
            chip.synapses.weights[synapse] = SynapseWeight::try_from(i % 16)?;
            chip.synapses.decoders[synapse] = SynapseDecoder::try_from(i / 16 % 16)?;
        }
        for driver in chip.synapses.drivers.values_mut() {
            driver.enable = true;
            driver.locin = true;
        }
    }
    let (&hicann, chip) = wafer.hicanns.first_key_value().ok_or("no chip")?;
    let start = Instant::now();
    let words = encode_hicann(hicann, chip)?;
    println!("one chip: {} words in {:?}", words.len(), start.elapsed());

    let start = Instant::now();
    let words = encode_wafer(&wafer)?;
    println!("{} chips: encoded in {:?}", wafer.hicanns.len(), start.elapsed());
    let start = Instant::now();
    let decoded = decode_wafer(&words)?;
    println!("{} words: decoded in {:?}", words.len(), start.elapsed());
    println!("identical: {}", decoded == wafer);
    Ok(())
}
