//! What a run costs: time on the wafer and around it, on this computer, and energy.
//!
//! Configuration counts what has to be sent and programmed: everything the first time, afterwards only
//! what differs. Where figures are not published the table says so.

use hal::codec::EncodeError;
use hal::config::{FgCellOnBlock, FloatingGates, WaferConfig};
use hal::coord::{Coordinate as _, FgBlockOnHicann, FgColumnOnBlock, FgRowOnBlock};
use hal::stateful::{Checks, Differential, Settings, StatefulWafer};
use hal::wafer::ConfigurationWords;
use serde::Serialize;

use crate::peer::PeerTimes;
use crate::report::RunReport;

/// Bytes per second from the host to the wafer: one Gigabit Ethernet link.
const HOST_LINK_BYTES_PER_S: f64 = 125e6;
/// Seconds that a row of floating gates takes to be programmed; 0.19 to 0.35 s were measured
/// (analog §4.1).
const FLOATING_GATE_ROW_S: f64 = 0.27;
/// Row programmings of a chip that is set up: all 24 rows to zero, then each to its values. All blocks
/// of all chips are programmed at once (analog §4.1).
const FIRST_ROWS: usize = 48;
/// Watts of a wafer module with its FPGAs: the rated maximum of its power supply, and what summaries of
/// arXiv 2412.02619 quote (analog §8). Idle and active power are not published apart.
pub const MODULE_POWER_W: f64 = 2e3;

/// What a configuration takes on a real wafer.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Configuring {
    /// Words that are sent.
    pub words: usize,
    /// Rows of floating gates that are programmed one after the other; all chips at once.
    pub floating_gate_rows: usize,
    /// Seconds of all of it: the words over one Gigabit link, and the rows. An estimate; verification by
    /// reading back is not counted.
    pub hardware_s: f64,
}

impl Configuring {
    fn new(words: usize, floating_gate_rows: usize) -> Self {
        let hardware_s = 8.0 * words as f64 / HOST_LINK_BYTES_PER_S
            + floating_gate_rows as f64 * FLOATING_GATE_ROW_S;
        Self { words, floating_gate_rows, hardware_s }
    }

    /// Of chips in an unknown state.
    pub fn first(words: &ConfigurationWords) -> Self {
        Self::new(words.len(), FIRST_ROWS)
    }

    /// Of chips that hold another configuration: registers that differ, and rows of floating gates with
    /// a cell that differs.
    pub fn change(before: &WaferConfig, after: &WaferConfig) -> Result<Self, EncodeError> {
        let settings = Settings {
            // the verifier has seen to the rules
            checks: Checks::Skip,
            differential: Differential::Minimal,
            ..Settings::default()
        };
        let mut wafer = StatefulWafer::new(settings);
        wafer.replace(before.clone()).expect("no chip of this wafer is called defective");
        wafer.assume_configured();
        wafer.replace(after.clone()).expect("no chip of this wafer is called defective");
        let words = wafer.plan()?.cost().words;
        let blank = FloatingGates::default();
        let gates = |config: &'_ WaferConfig, hicann| {
            config.hicanns.get(hicann).map_or_else(|| blank.clone(), |c| c.floating_gates.clone())
        };
        let chips = after.hicanns.keys();
        let rows = chips.map(|h| changed_rows(&gates(before, h), &gates(after, h))).max();
        Ok(Self::new(words, rows.unwrap_or_default()))
    }
}

/// Rows that differ, of the block that has most of them: the four blocks of a chip are programmed
/// at once.
fn changed_rows(before: &FloatingGates, after: &FloatingGates) -> usize {
    let differs = |block: FgBlockOnHicann, row: FgRowOnBlock| {
        let cells = FgColumnOnBlock::all().map(|column| FgCellOnBlock::at(row, column));
        let (before, after) = (&before.blocks[block].cells, &after.blocks[block].cells);
        cells.into_iter().any(|cell| before[cell] != after[cell])
    };
    let of_block = |block| FgRowOnBlock::all().filter(|&row| differs(block, row)).count();
    FgBlockOnHicann::all().map(of_block).max().unwrap_or_default()
}

/// Energy in joules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Energy {
    /// Of the module while it emulates.
    pub wafer_run_j: f64,
    /// The same over the synaptic events; none without events.
    pub wafer_run_per_event_j: Option<f64>,
    /// Of the module from the configuration of a wafer in an unknown state to the end of the run.
    pub wafer_first_j: f64,
    /// Of the module with a configuration that changes only what differs from the run before.
    pub wafer_again_j: f64,
    /// The same over the synaptic events; none without events.
    pub wafer_again_per_event_j: Option<f64>,
    /// Of the processor packages during the emulation; none where they do not tell.
    pub cpu_emulation_j: Option<f64>,
    /// The same over the synaptic events.
    pub cpu_emulation_per_event_j: Option<f64>,
    /// Of the processor packages during the other simulation; none where they do not tell, and where an
    /// earlier simulation was used.
    pub cpu_peer_j: Option<f64>,
    /// The same over the synaptic events on the wafer.
    pub cpu_peer_per_event_j: Option<f64>,
    /// What this rests on.
    pub assumption: String,
}

/// Times and energy of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Accounting {
    /// Biological seconds.
    pub bio_s: f64,
    /// Seconds that the wafer emulates.
    pub wafer_s: f64,
    /// Biological over wafer time.
    pub wafer_speedup: f64,
    /// First set-up of the wafer.
    pub first: Configuring,
    /// What this run needs after the one before, or after itself with other inputs.
    pub again: Configuring,
    /// Events that arrived at synapses.
    pub synaptic_events: u64,
    /// Wall seconds of mapping, 0 if an earlier mapping was used.
    pub mapping_s: f64,
    /// Wall seconds of building the emulated wafer and its stimulus.
    pub emulator_build_s: f64,
    /// Wall seconds of the emulation.
    pub emulator_s: f64,
    /// Emulation over biological time.
    pub emulator_real_time_factor: f64,
    /// The other simulator, if there was one.
    pub peer: Option<PeerTimes>,
    /// Energy.
    pub energy_j: Energy,
}

impl Accounting {
    /// Of a run with the costs of its configuration.
    pub fn new(
        run: &RunReport,
        mapping_s: f64,
        first: Configuring,
        again: Configuring,
        peer: Option<PeerTimes>,
    ) -> Self {
        let per_event =
            |joules: f64| (run.synaptic_events > 0).then(|| joules / run.synaptic_events as f64);
        let module = |seconds: f64| MODULE_POWER_W * seconds;
        let (run_j, again_j) = (module(run.hardware_s), module(run.hardware_s + again.hardware_s));
        let cpu = run.cpu_energy_j;
        let cpu_peer = peer.as_ref().and_then(|peer| peer.cpu_energy_j);
        let cpu_source = match cpu {
            Some(_) => "the processor by its own counters (RAPL), all programs on it included",
            None => "the processor of this machine does not tell its energy",
        };
        Self {
            bio_s: 1e-3 * run.bio_ms,
            wafer_s: run.hardware_s,
            wafer_speedup: 1e-3 * run.bio_ms / run.hardware_s,
            first,
            again,
            synaptic_events: run.synaptic_events,
            mapping_s,
            emulator_build_s: run.wall_s.build,
            emulator_s: run.wall_s.emulate,
            emulator_real_time_factor: run.real_time_factor,
            peer,
            energy_j: Energy {
                wafer_run_j: run_j,
                wafer_run_per_event_j: per_event(run_j),
                wafer_first_j: module(run.hardware_s + first.hardware_s),
                wafer_again_j: again_j,
                wafer_again_per_event_j: per_event(again_j),
                cpu_emulation_j: cpu,
                cpu_emulation_per_event_j: cpu.and_then(per_event),
                cpu_peer_j: cpu_peer,
                cpu_peer_per_event_j: cpu_peer.and_then(per_event),
                assumption: format!(
                    "{MODULE_POWER_W} W of the module, idle or active (rated maximum of its supply; \
                     the two are not published apart); {cpu_source}"
                ),
            },
        }
    }

    /// The table for people, a line per row.
    pub fn table(&self) -> String {
        let Self { first, again, energy_j: energy, .. } = self;
        let mut rows: Vec<(String, String)> = Vec::new();
        let mut row = |what: &str, value: String| rows.push((what.to_owned(), value));
        row("wafer, run", format!("{} for {} of biology", time(self.wafer_s), time(self.bio_s)));
        let configuring = |c: &Configuring| {
            format!(
                "{}: {} words, {} rows of floating gates",
                time(c.hardware_s),
                c.words,
                c.floating_gate_rows
            )
        };
        row("wafer, first set-up", configuring(first));
        row("wafer, set-up again", configuring(again));
        row("emulator, mapping", time(self.mapping_s));
        row("emulator, build", time(self.emulator_build_s));
        row("emulator, run", per_real_time(self.emulator_s, self.bio_s));
        if let Some(peer) = &self.peer {
            row(&format!("{}, build", peer.simulator), time(peer.build_s));
            let run = per_real_time(peer.simulate_s, self.bio_s);
            row(
                &format!("{}, run", peer.simulator),
                format!("{run}, {} threads, steps of {} ms", peer.threads, peer.resolution_ms),
            );
        }
        let events =
            |j: Option<f64>| j.map_or(String::new(), |j| format!(", {} per event", joules(j)));
        row("synaptic events", self.synaptic_events.to_string());
        let run = joules(energy.wafer_run_j) + &events(energy.wafer_run_per_event_j);
        row("energy, wafer, run", run);
        let again = joules(energy.wafer_again_j) + &events(energy.wafer_again_per_event_j);
        row("energy, with set-up again", again);
        row("energy, with first set-up", joules(energy.wafer_first_j));
        let processor = |total: Option<f64>, per_event| match total {
            Some(total) => joules(total) + &events(per_event),
            None => "not measurable here".to_owned(),
        };
        let emulation = processor(energy.cpu_emulation_j, energy.cpu_emulation_per_event_j);
        row("energy, processor", emulation);
        if energy.cpu_peer_j.is_some() {
            let simulation = processor(energy.cpu_peer_j, energy.cpu_peer_per_event_j);
            row("energy, simulator", simulation);
        }
        let lines = rows.iter().map(|(what, value)| format!("{what:<26} {value}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn per_real_time(wall_s: f64, bio_s: f64) -> String {
    format!("{} ({:.2} x biological time)", time(wall_s), wall_s / bio_s)
}

/// Seconds with a prefix.
pub fn time(seconds: f64) -> String {
    scaled(seconds, "s")
}

/// Joules with a prefix.
pub fn joules(joules: f64) -> String {
    scaled(joules, "J")
}

fn scaled(value: f64, unit: &str) -> String {
    let prefixes = [(1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p")];
    let fits = |&&(size, prefix): &&(f64, &str)| value >= size && !(unit == "s" && prefix == "k");
    match prefixes.iter().find(fits) {
        Some((size, prefix)) => format!("{:.3} {prefix}{unit}", value / size),
        None => format!("0 {unit}"),
    }
}

/// The energy counters of the processor packages.
#[derive(Debug)]
pub struct CpuEnergy {
    /// Counter in microjoules and where it wraps around, by package.
    start: Vec<(std::path::PathBuf, u64, u64)>,
}

impl CpuEnergy {
    /// Reads the counters; none if the system shows none.
    pub fn start() -> Option<Self> {
        let folders = std::fs::read_dir("/sys/class/powercap").ok()?;
        let packages = folders.filter_map(|entry| {
            let path = entry.ok()?.path();
            // packages, not their parts: intel-rapl:0 and not intel-rapl:0:1
            let name = path.file_name()?.to_str()?.to_owned();
            (name.starts_with("intel-rapl:") && name.matches(':').count() == 1).then_some(path)
        });
        let start: Vec<_> = packages
            .filter_map(|path| {
                let now = number(&path.join("energy_uj"))?;
                let range = number(&path.join("max_energy_range_uj"))?;
                Some((path.join("energy_uj"), now, range))
            })
            .collect();
        (!start.is_empty()).then_some(Self { start })
    }

    /// Joules since the start; none if a counter is gone.
    pub fn joules(&self) -> Option<f64> {
        let used = self.start.iter().map(|(path, before, range)| {
            let now = number(path)?;
            Some(1e-6 * (if now >= *before { now - before } else { now + range - before }) as f64)
        });
        used.sum()
    }
}

fn number(path: &std::path::Path) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hal::config::NeuronParameter;
    use hal::coord::HicannOnWafer;
    use hal::value::DacCode;

    #[test]
    fn only_what_differs_is_programmed_again() {
        let mut before = WaferConfig::default();
        for hicann in HicannOnWafer::all().take(3) {
            before.hicann_mut(hicann);
        }
        let same = Configuring::change(&before, &before).unwrap();
        assert_eq!(same.floating_gate_rows, 0);
        let mut after = before.clone();
        let chip = after.hicann_mut(HicannOnWafer::new::<0>());
        for neuron in hal::coord::NeuronOnHicann::all() {
            chip.floating_gates.set_neuron(neuron, NeuronParameter::EL, DacCode::new::<700>());
            chip.floating_gates.set_neuron(neuron, NeuronParameter::VT, DacCode::new::<800>());
        }
        let changed = Configuring::change(&before, &after).unwrap();
        assert_eq!(changed.floating_gate_rows, 2);
        assert!(changed.words > same.words && changed.hardware_s > 0.54);
    }

    #[test]
    fn numbers_have_prefixes() {
        assert_eq!(time(0.001), "1.000 ms");
        assert_eq!(time(3600.0), "3600.000 s");
        assert_eq!(joules(2.5e-9), "2.500 nJ");
        assert_eq!(joules(120e3), "120.000 kJ");
        assert_eq!(joules(0.0), "0 J");
    }
}
