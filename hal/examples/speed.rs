//! Times what the mapping and every experiment wait for: the graph of the L1 network, and the
//! configuration words of a full wafer in both directions. `cargo xtask bench hal` runs it.
#![expect(clippy::print_stdout, reason = "the output is the point of an example")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use hal::codec::{decode_wafer, encode_hicann, encode_wafer};
use hal::config::WaferConfig;
use hal::coord::{Coordinate as _, HicannOnWafer, SynapseDecoder, SynapseOnHicann};
use hal::l1::graph;
use hal::value::SynapseWeight;

/// The shortest and the median time of an odd number of runs.
fn times<T>(runs: usize, mut run: impl FnMut() -> T) -> [Duration; 2] {
    let mut times: Vec<_> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    [times[0], times[runs / 2]]
}

fn print(what: &str, limit: &str, [shortest, median]: [Duration; 2]) {
    println!("{what:<44} {shortest:>10.1?} {median:>10.1?}   {limit}");
}

/// All 384 chips with every driver in use and all 44 million synapses set.
fn full_wafer() -> Result<WaferConfig, Box<dyn Error>> {
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
    Ok(wafer)
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{:<44} {:>10} {:>10}   limit", "", "shortest", "median");
    let lines = graph();
    let name = format!("graph of {} lines, {} joints", lines.node_count(), lines.edge_count());
    print(&name, "50 ms", times(11, graph));

    let wafer = full_wafer()?;
    let (&hicann, chip) = wafer.hicanns.first_key_value().ok_or("no chip")?;
    let words = encode_hicann(hicann, chip)?;
    print(
        &format!("encode one chip, {} words", words.len()),
        "",
        times(11, || encode_hicann(hicann, chip)),
    );
    let words = encode_wafer(&wafer)?;
    print(
        &format!("encode {} chips, {} words", wafer.hicanns.len(), words.len()),
        "2 s",
        times(5, || encode_wafer(&wafer)),
    );
    print("decode them", "2 s", times(5, || decode_wafer(&words)));
    println!("decoded as they were: {}", decode_wafer(&words)? == wafer);
    Ok(())
}
