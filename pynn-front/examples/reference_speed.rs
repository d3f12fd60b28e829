//! Speed of the reference engine on the networks of the two experiments: wall seconds per
//! biological second.
//!
//!     cargo run --release --package pynn-front --example reference_speed -- [THREADS] [SECONDS]
#![expect(clippy::print_stdout, reason = "an example that prints a table")]

use std::ops::ControlFlow;
use std::time::Instant;

use calib::CellParameters;
use marocco::network::{Network, PopulationKind};
use pynn_front::experiment::Experiment;
use pynn_front::reference::{Dynamics, Engine, Model, Settings, Synapses};

fn reference(
    network: &Network,
    threads: Option<usize>,
    delay_ms: &dyn Fn(usize) -> f64,
) -> anyhow::Result<Engine> {
    let mut engine = Engine::new(Settings { step_ms: 0.1, seed: 1, threads })?;
    for (_, population) in network.populations() {
        match &population.kind {
            PopulationKind::Sources(rates) => {
                let id = engine.add_population(Model::SpikeSourcePoisson, population.size)?;
                engine.set_parameter(id, "rate", &[*rates.get(0)])?;
            }
            PopulationKind::Neurons(cells) => {
                let id = engine.add_population(Model::IfCondExp, population.size)?;
                let CellParameters::IfCondExp(cell) = cells.get(0) else { continue };
                for (name, value) in [
                    ("v_reset", cell.v_reset),
                    ("v_thresh", cell.v_thresh),
                    ("v_rest", cell.v_rest),
                    ("cm", cell.cm),
                    ("tau_m", cell.tau_m),
                    ("tau_refrac", cell.tau_refrac),
                    ("tau_syn_E", cell.tau_syn_e),
                    ("tau_syn_I", cell.tau_syn_i),
                    ("e_rev_E", cell.e_rev_e),
                    ("e_rev_I", cell.e_rev_i),
                ] {
                    engine.set_parameter(id, name, &[value])?;
                }
            }
        }
    }
    let offsets = network.member_offsets();
    for (id, projection) in network.projections() {
        let (pre, post) = network.endpoints(id);
        let (pre, post) = (offsets[pre.index()] as u32, offsets[post.index()] as u32);
        let all = &projection.synapses;
        let synapses = Synapses {
            pre: all.iter().map(|s| pre + s.pre).collect(),
            post: all.iter().map(|s| post + s.post).collect(),
            weight: all.iter().map(|s| f64::from(s.weight_us)).collect(),
            delay_ms: (0..all.len()).map(delay_ms).collect(),
            dynamics: Dynamics::Static,
        };
        engine.connect(projection.receptor.index(), synapses)?;
    }
    Ok(engine)
}

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1).map(|a| a.parse::<f64>());
    let threads = arguments.next().transpose()?.map(|n| n as usize);
    let seconds = arguments.next().transpose()?.unwrap_or(2.0);
    println!("{:<26} {:>8} {:>10} {:>9}", "network", "delays", "s per s", "rate Hz");
    // constant delays, and delays between one step and 3 ms, so that all exchange spikes each step
    let same: &dyn Fn(usize) -> f64 = &|_| 1.5;
    let many: &dyn Fn(usize) -> f64 = &|k| 0.1 + (k * 7919 % 30) as f64 * 0.1;
    for name in ["balanced-random-network", "cortical-microcircuit"] {
        let experiment = Experiment::find(name)?;
        let protocol = experiment.build(&experiment.defaults())?;
        let network = protocol.model.network();
        for (what, delay_ms) in [("1.5 ms", same), ("0.1-3 ms", many)] {
            let mut engine = reference(network, threads, delay_ms)?;
            let mut neurons = 0;
            for (id, population) in network.populations().filter(|(_, p)| !p.is_source()) {
                let members: Vec<u32> = (0..population.size as u32).collect();
                engine.record_spikes(engine.population(id.index())?, &members)?;
                neurons += population.size;
            }
            let go = &mut |_| ControlFlow::Continue(());
            engine.run(500.0, go)?;
            let clock = Instant::now();
            engine.run(500.0 + seconds * 1e3, go)?;
            let wall = clock.elapsed().as_secs_f64() / seconds;
            let spikes: usize = network
                .populations()
                .filter(|(_, p)| !p.is_source())
                .map(|(id, _)| Ok(engine.spikes(engine.population(id.index())?)?.1.len()))
                .sum::<anyhow::Result<usize>>()?;
            let rate = spikes as f64 / neurons as f64 / (0.5 + seconds);
            println!("{name:<26} {what:>8} {wall:>10.4} {rate:>9.2}");
        }
    }
    Ok(())
}
