//! The page: each known number and figure of the paper, ours beside it, and what differs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::peers::read_json;
use crate::shell;

use super::tables::{alike, apart, balanced, compared, shown, sweep, uniform, varied};

const PAGE: &str = "docs/paper.md";

/// Pictures that the page shows: file of the results, name beside the page.
const PICTURES: [(&str, &str); 18] = [
    // those of the ideal wafer stand in where the sweep was not run on the other one
    ("sweep-ideal/g1-eta0.8/raster.png", "paper-raster-g1.png"),
    ("sweep-ideal/g8-eta0.8/raster.png", "paper-raster-g8.png"),
    ("sweep/heat.png", "paper-heat.png"),
    ("sweep/heat-peer.png", "paper-heat-nest.png"),
    ("sweep/rates.png", "paper-rates.png"),
    ("sweep/g1-eta0.8/raster.png", "paper-raster-g1.png"),
    ("sweep/g8-eta0.8/raster.png", "paper-raster-g8.png"),
    ("sweep-ideal/heat.png", "paper-ideal-heat.png"),
    ("sweep-ideal/heat-peer.png", "paper-ideal-heat-nest.png"),
    ("sweep-ideal/rates.png", "paper-ideal-rates.png"),
    ("point/nest/compare/rates.png", "paper-point-rates.png"),
    ("cortical/raster.png", "paper-cortical-raster.png"),
    ("cortical-compared/rates.png", "paper-cortical-rates.png"),
    ("cortical-compared/irregularity.png", "paper-cortical-irregularity.png"),
    ("cortical-uniform/raster.png", "paper-cortical-uniform-raster.png"),
    ("cortical-uniform/nest/compare/rates.png", "paper-cortical-uniform-rates.png"),
    ("cortical/wafer.png", "paper-cortical-wafer.png"),
    ("cortical-ideal/raster.png", "paper-cortical-ideal-raster.png"),
];

/// Results of the runs; null where there are none.
struct Results {
    sweep: Value,
    sweep_ideal: Value,
    point: Value,
    cortical: Value,
    ideal: Value,
    compared: Value,
    uniform_compared: Value,
    ideal_compared: Value,
    point_compared: Value,
    second_compared: Value,
}

/// Copies the pictures and writes the page.
pub(super) fn write(results: &Path, wafer: &str) -> Result<()> {
    let read = |file: &str| read_json(&results.join(file)).unwrap_or(Value::Null);
    let results_of = Results {
        sweep: read("sweep/report.json"),
        sweep_ideal: read("sweep-ideal/report.json"),
        point: read("point/report.json"),
        cortical: read("cortical/report.json"),
        ideal: read("cortical-ideal/report.json"),
        compared: read("cortical-compared/compare.json"),
        uniform_compared: read("cortical-uniform/nest/compare/compare.json"),
        ideal_compared: read("cortical-ideal/nest/compare/compare.json"),
        point_compared: read("point/nest/compare/compare.json"),
        second_compared: read("cortical/second/compare/compare.json"),
    };
    let images = shell::root().join("docs").join("images");
    for (from, to) in PICTURES {
        let from = results.join(from);
        if from.is_file() {
            fs::copy(&from, images.join(to)).with_context(|| from.display().to_string())?;
        }
    }
    let path = shell::root().join(PAGE);
    let text = results_of.page(wafer);
    // pictures of what was not run are left out
    let is_there = |line: &&str| {
        let picture = line.strip_prefix("![").and_then(|l| l.split_once("](images/"));
        picture.is_none_or(|(_, rest)| images.join(rest.trim_end_matches(')')).is_file())
    };
    let text: String = text.lines().filter(is_there).map(|line| line.to_owned() + "\n").collect();
    fs::write(&path, text).with_context(|| path.display().to_string())?;
    eprintln!("{} written", path.display());
    Ok(())
}

pub(super) fn number(value: &Value, digits: usize) -> String {
    value.as_f64().map_or_else(|| "not run".to_owned(), |v| format!("{v:.digits$}"))
}

/// A whole number with separators.
pub(super) fn grouped(value: &Value) -> String {
    let Some(n) = value.as_u64() else { return "not run".to_owned() };
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Events per biological second, in millions.
fn events_per_second(report: &Value) -> String {
    let accounting = &report["accounting"];
    let (Some(events), Some(bio_s)) =
        (accounting["synaptic_events"].as_f64(), accounting["bio_s"].as_f64())
    else {
        return "not run".to_owned();
    };
    format!("{:.1} million", 1e-6 * events / bio_s)
}

fn nanojoules(value: &Value) -> String {
    value.as_f64().map_or_else(|| "not run".to_owned(), |v| format!("{:.2} nJ", 1e9 * v))
}

pub(super) fn seconds(value: &Value) -> String {
    value.as_f64().map_or_else(
        || "not run".to_owned(),
        |v| if v < 0.1 { format!("{:.2} ms", 1e3 * v) } else { format!("{v:.1} s") },
    )
}

impl Results {
    fn page(&self, wafer: &str) -> String {
        let mut page = format!(
            "# The published experiments\n\n\
             \"Demonstrating the Advantages of Analog Wafer-Scale Neuromorphic Hardware\" \
             (arXiv 2412.02619) shows a balanced random network and a cortical microcircuit on the real \
             wafer 30. This page runs both on the emulated wafer {wafer}, with its defects, after \
             calibration and with all effects, and in NEST beside it. Written by `cargo xtask paper`; `bss1 experiment run` \
             makes each run by itself. The PyNN scripts in [pynn-front/examples](../pynn-front/examples) have the same \
             networks, and on the ideal wafer the same spikes.\n\n\
             What is known of the paper here is its abstract, the text and the programs of its public \
             demos (tag D), what others say about it (tag S), and what follows from these by arithmetic \
             (tag A). Its tables were not at hand. Where it says \"not run\", the command was stopped before \
             that; it goes on where it was when it is called again.\n"
        );
        // writing to a string cannot fail
        let _ = self
            .numbers(&mut page)
            .and_then(|()| self.balanced(&mut page))
            .and_then(|()| self.cortical(&mut page))
            .and_then(|()| self.costs(&mut page));
        page.push_str(DIFFERENCES);
        page
    }

    fn numbers(&self, page: &mut String) -> std::fmt::Result {
        let (balanced, cortical) =
            (&self.point["mapping_report"], &self.cortical["mapping_report"]);
        // the busiest point of the sweep, on the wafer itself if it was run there
        let on_wafer = self.sweep["points"].as_array();
        let points = on_wafer.or_else(|| self.sweep_ideal["points"].as_array());
        let busiest = points.and_then(|points| {
            points.iter().max_by_key(|p| p["synaptic_events"].as_u64().unwrap_or_default())
        });
        let busiest = busiest.unwrap_or(&Value::Null);
        let sizes = |map: &Value| -> String {
            let sizes = map["neuron_sizes"].as_object();
            let sizes = sizes.map(|s| s.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
            let mut sizes: Vec<u32> = sizes.iter().filter_map(|s| s.parse().ok()).collect();
            sizes.sort_unstable();
            match sizes.as_slice() {
                [] => "not run".to_owned(),
                [one] => one.to_string(),
                [first, .., last] => format!("{first} to {last}"),
            }
        };
        let realised = |map: &Value| match map["loss_fraction"].as_f64() {
            Some(loss) => {
                format!("{}: {:.3} % lost", grouped(&map["synapses_realised"]), 100.0 * loss)
            }
            None => "not run".to_owned(),
        };
        let verified = |map: &Value| match map["verified"].as_bool() {
            Some(true) => "yes".to_owned(),
            Some(false) => "no: see the messages of the run".to_owned(),
            None => "not run".to_owned(),
        };
        writeln!(page, "\n## Numbers\n\n| | published | here |\n|---|---|---|")?;
        let rows: Vec<(&str, &str, String)> = vec![
            ("balanced network: neurons", "2,083 (D)", grouped(&balanced["neurons"])),
            ("synapses realised of 847,781", "690,157: 18.6 % lost (D, A)", realised(balanced)),
            ("circuits per neuron", "8 (D)", sizes(balanced)),
            ("its words verified", "-", verified(balanced)),
            (
                "microcircuit: neurons",
                "7,712 (D; its formula gives 7,713)",
                grouped(&cortical["neurons"]),
            ),
            ("synapses realised of 2,987,316", "2,373,933: 20.5 % lost (D, A)", realised(cortical)),
            ("circuits per neuron", "8 (D)", sizes(cortical)),
            ("its words verified", "-", verified(cortical)),
            (
                "10 s of biology take on the wafer",
                "1 ms (D)",
                seconds(&self.point["accounting"]["wafer_s"]),
            ),
            (
                "first set-up",
                "about a minute, mapping and calibration loaded (D)",
                format!(
                    "{} (words and rows of floating gates; estimate)",
                    seconds(&self.point["accounting"]["first"]["hardware_s"])
                ),
            ),
            (
                "other weights and inputs",
                "within seconds (D)",
                format!("{} (estimate)", seconds(&busiest["accounting"]["again"]["hardware_s"])),
            ),
            (
                "synaptic events per biological second, balanced network",
                "162 million (S)",
                format!("{} at its busiest point", events_per_second(busiest)),
            ),
            ("the same, microcircuit", "16 million (S)", events_per_second(&self.cortical)),
            (
                "energy per synaptic event at 2 kW, run only, balanced network",
                "1.2 nJ (A)",
                nanojoules(&busiest["accounting"]["energy_j"]["wafer_run_per_event_j"]),
            ),
            (
                "the same, microcircuit",
                "12.5 nJ (A)",
                nanojoules(&self.cortical["accounting"]["energy_j"]["wafer_run_per_event_j"]),
            ),
        ];
        for (what, published, here) in rows {
            writeln!(page, "| {what} | {published} | {here} |")?;
        }
        Ok(())
    }

    fn balanced(&self, page: &mut String) -> std::fmt::Result {
        writeln!(
            page,
            "\n## Balanced random network\n\n\
             The points of a sweep share one mapping: only weights and inputs change. Where g <= 4 a \
             sweep reads 30 neurons on chips of their own, as published, because the links of chips with \
             many neurons overflow. NEST runs the network that was realised, with the cells as asked for. \
             Synchrony is that of the published heat maps: deviation over mean of the common histogram in \
             bins of 0.2 ms. \"Fired\" is the rate at which the circuits of all neurons fired, before merger \
             trees and links; \"lost on links\" counts spikes that did not fit there.\n\n\
             Bands are three standard deviations, rounded up, of single draws of the network in NEST and a \
             second simulator: of networks whose cells vary for the manufactured wafer, of one network for \
             the ideal wafer. They hold for ten seconds. Where three standard errors of these samples are more, \
             because neurons fire together, the band is that; [nest-agreement.md](nest-agreement.md) has ten seconds. \
             Above 50 Hz in NEST the manufactured wafer has none."
        )?;
        sweep(page, &self.sweep, "paper")?;
        writeln!(
            page,
            "\nThe same on the ideal wafer, where what differs from NEST is integration alone:"
        )?;
        sweep(page, &self.sweep_ideal, "paper-ideal")?;
        let wafer = shown(&self.point["run_report"]["wafer"]);
        writeln!(
            page,
            "\nThe points whose rasters the published notebook shows, g = 1 and g = 8 at eta = 0.8, from the sweep with \
             all sixteen points:\n\n\
             ![Raster at g = 1](images/paper-raster-g1.png)\n\n\
             ![Raster at g = 8](images/paper-raster-g8.png)\n\n\
             g = 8, eta = 0.8 for 10 s, all neurons; A is wafer {wafer}, B NEST:\n"
        )?;
        compared(page, &self.point_compared, balanced)?;
        writeln!(
            page,
            "\n![Distribution of rates at g = 8, eta = 0.8](images/paper-point-rates.png)"
        )
    }

    fn cortical(&self, page: &mut String) -> std::fmt::Result {
        let seeds = &self.compared["populations"]["23e"]["distances"]["rate"]["between_seeds"];
        let draws = if seeds.is_null() {
            "One draw of it was made."
        } else {
            "Three draws of it were made; `seeds` is the mean distance between them."
        };
        writeln!(
            page,
            "\n## Cortical microcircuit\n\n\
             ![The microcircuit on the wafer](images/paper-cortical-wafer.png)\n\n\
             ![Raster by layer](images/paper-cortical-raster.png)\n\n\
             Cells are asked for as the published comparison has them, with the spread of the real wafer 30 \
             (above all 8 ms of tau_m around 10 ms), and NEST runs the network that was realised, with the \
             same cells and the published variation of weights and delays; A is NEST, B the wafer. {draws} Bands \
             are three standard deviations, rounded up, of single draws of such networks in NEST and a second \
             simulator; what misses its band is in bold type.\n"
        )?;
        compared(page, &self.compared, varied)?;
        writeln!(
            page,
            "\n![Rates by population](images/paper-cortical-rates.png)\n\n\
             ![Irregularity by population](images/paper-cortical-irregularity.png)\n\n\
             With all cells of a population asked for alike (`--set variation=off`) the calibrated wafer is \
             asynchronous and irregular as well, but more even than the published one, whose tau_m could not \
             be calibrated as well as that of the emulated one: the few neurons with a short time constant, \
             which fire most, are not there. NEST with equal cells is synchronous, even with the published variation \
             of weights and delays: what calibration leaves over keeps the wafer from that. There are no bands \
             between the two states. A is the wafer, B NEST:\n"
        )?;
        compared(page, &self.uniform_compared, apart)?;
        let slowdown = self.cortical["accounting"]["emulator_real_time_factor"].as_f64();
        let day = match slowdown {
            Some(slowdown) => format!("some {:.0} hours", 24.0 * slowdown),
            None => "hours".to_owned(),
        };
        writeln!(
            page,
            "\n![Raster with all cells alike](images/paper-cortical-uniform-raster.png)\n\n\
             ![Rates with all cells alike](images/paper-cortical-uniform-rates.png)\n\n\
             A second sample, after a thousand more seconds of biology instead of the published day (which takes \
             the wafer 8.64 s, and this emulator {day}: `--set second_sample_after_s=86400` does \
             it, and goes on where it was stopped). A is the first sample, B the second one. They differ by chance \
             alone, and a band is three standard errors of that: of rates from their scatter between sixteenths \
             of the samples, of CVs from that between neurons.\n"
        )?;
        compared(page, &self.second_compared, alike)?;
        writeln!(
            page,
            "\nOn the ideal wafer, where all cells of a population are alike and delays nearly so, the \
             network is synchronous, in NEST as on the wafer (A is the wafer, B NEST, without variation). Bands are \
             those of single draws whose cells are alike; of regular populations CVs may differ by 0.03, because \
             NEST and a second simulator differ by 0.02 there.\n\n\
             ![Raster on the ideal wafer](images/paper-cortical-ideal-raster.png)\n"
        )?;
        compared(page, &self.ideal_compared, uniform)
    }

    fn costs(&self, page: &mut String) -> std::fmt::Result {
        writeln!(
            page,
            "\n## Time and energy\n\n| | balanced, g = 8, eta = 0.8 | microcircuit | microcircuit, ideal wafer |\n|---|---|---|---|"
        )?;
        let both = [&self.point, &self.cortical, &self.ideal].map(|report| &report["accounting"]);
        let factor = |v: &Value| match v.as_f64() {
            Some(factor) => format!(", {factor:.2} x biological time"),
            None => String::new(),
        };
        let peer = |a: &Value| {
            let of = |key: &str| a["peer"][key].as_f64();
            match (of("simulate_s"), a["bio_s"].as_f64()) {
                (Some(s), Some(bio)) => format!("{s:.1} s, {:.2} x biological time", s / bio),
                _ => "not run".to_owned(),
            }
        };
        let wafer = |a: &Value| match (a["wafer_s"].as_f64(), a["bio_s"].as_f64()) {
            (Some(s), Some(bio)) => {
                format!("{}, {:.4} x biological time", seconds(&a["wafer_s"]), s / bio)
            }
            _ => "not run".to_owned(),
        };
        let first_per_event = |a: &Value| {
            let (joules, events) = (&a["energy_j"]["wafer_first_j"], &a["synaptic_events"]);
            match joules.as_f64().zip(events.as_f64()) {
                Some((joules, events)) => format!("{:.1} µJ", 1e6 * joules / events),
                None => "not run".to_owned(),
            }
        };
        let joules =
            |v: &Value| v.as_f64().map_or_else(|| "not run".to_owned(), |v| format!("{v:.0} J"));
        let processor = |v: &Value| {
            v.as_f64().map_or_else(|| "not measurable here".to_owned(), |v| format!("{v:.3} J"))
        };
        // a point of the sweep against the one before; the microcircuit was run once
        let changed = self.sweep["points"].as_array().and_then(|points| points.last());
        let changed = changed.map_or(&Value::Null, |point| &point["accounting"]["again"]);
        let other_weights =
            |show: fn(&Value) -> String| [show(changed), "-".to_owned(), "-".to_owned()];
        let rows: Vec<(&str, [String; 3])> = vec![
            ("biological time", both.map(|a| seconds(&a["bio_s"]))),
            ("wafer, run", both.map(wafer)),
            ("wafer, first set-up (estimate)", both.map(|a| seconds(&a["first"]["hardware_s"]))),
            ("its words", both.map(|a| grouped(&a["first"]["words"]))),
            (
                "its rows of floating gates, one after the other",
                both.map(|a| grouped(&a["first"]["floating_gate_rows"])),
            ),
            (
                "wafer, set-up for other weights (estimate)",
                other_weights(|a| seconds(&a["hardware_s"])),
            ),
            ("its words", other_weights(|a| grouped(&a["words"]))),
            ("its rows of floating gates", other_weights(|a| grouped(&a["floating_gate_rows"]))),
            ("emulator, mapping", both.map(|a| seconds(&a["mapping_s"]))),
            (
                "emulator, run",
                both.map(|a| {
                    format!(
                        "{}{}",
                        seconds(&a["emulator_s"]),
                        factor(&a["emulator_real_time_factor"])
                    )
                }),
            ),
            ("NEST, build", both.map(|a| seconds(&a["peer"]["build_s"]))),
            ("NEST, run", both.map(peer)),
            ("synaptic events", both.map(|a| grouped(&a["synaptic_events"]))),
            ("energy of the module, run", both.map(|a| joules(&a["energy_j"]["wafer_run_j"]))),
            (
                "the same per synaptic event",
                both.map(|a| nanojoules(&a["energy_j"]["wafer_run_per_event_j"])),
            ),
            (
                "energy of the module, with first set-up",
                both.map(|a| joules(&a["energy_j"]["wafer_first_j"])),
            ),
            ("the same per synaptic event", both.map(first_per_event)),
            (
                "energy of this processor, emulation",
                both.map(|a| processor(&a["energy_j"]["cpu_emulation_j"])),
            ),
            ("the same, NEST", both.map(|a| processor(&a["energy_j"]["cpu_peer_j"]))),
        ];
        for (what, [balanced, cortical, ideal]) in rows {
            writeln!(page, "| {what} | {balanced} | {cortical} | {ideal} |")?;
        }
        let threads = &self.point["accounting"]["peer"]["threads"];
        writeln!(
            page,
            "\nEnergy assumes 2 kW of the module, idle or active: the rated maximum of its power supply, \
             and what others quote of the paper. The two are not published apart. A single short run is \
             dominated by its set-up; long and repeated runs are not. Wall times are those of two \
             cores with whatever else ran on them at the time, NEST with {threads} thread(s): on a busy \
             machine they say little. `cargo xtask bench emulator --peers` compares speeds.\n\n\
             What others report of the microcircuit at full scale, 77,169 neurons, from the benchmark of Senk et \
             al. (doi 10.1088/2634-4386/ae379a); ours is the tenth of it above, with its first set-up left out:\n\n\
             | system | wall over biological time | energy per synaptic event |\n|---|---|---|"
        )?;
        for (system, factor, energy) in RECORDS {
            writeln!(page, "| {system} | {factor} | {energy} µJ |")?;
        }
        let ours = &self.cortical["accounting"];
        let per_event = ours["energy_j"]["wafer_run_per_event_j"].as_f64();
        let per_event = per_event
            .map_or_else(|| "not run".to_owned(), |joules| format!("{:.4} µJ", 1e6 * joules));
        let factor = ours["wafer_s"].as_f64().zip(ours["bio_s"].as_f64());
        let factor =
            factor.map_or_else(|| "not run".to_owned(), |(s, bio)| format!("{:.4}", s / bio));
        writeln!(page, "| one wafer, the tenth, run only | {factor} | {per_event} |")
    }
}

/// Published speeds and energies of the full microcircuit, as its benchmark lists them.
const RECORDS: [(&str, &str, &str); 7] = [
    ("NEST, 12 nodes (van Albada 2018)", "2.465", "9.941"),
    ("SpiNNaker 1, 12 boards (Rhodes 2020)", "1.0", "0.601"),
    ("NEST, 1 node of 2 EPYC 7702 (Kurth 2022)", "0.67", "0.33"),
    ("CsNN, 345 FPGA nodes (Heittmann 2022)", "0.25", "0.284"),
    ("NEST GPU, RTX 4090 (Golosio 2023)", "0.386", "0.104"),
    ("GeNN, RTX 4090 (Golosio 2023)", "0.272", "0.074"),
    ("neuroAIx, 35 FPGAs (Kauth 2023)", "0.05", "0.048"),
];

const DIFFERENCES: &str = "
## What differs, and why

- Loss: the published mappings come from a tool that routes greedily and gives every neuron eight circuits. Here sizes are
  chosen per neuron, drivers are searched for, and detours are negotiated ([mapping-benchmark.md](mapping-benchmark.md)).
  The defects of the emulated wafer 30 are drawn at published rates; those of the real one are not known here.
- Excitatory weights of the microcircuit: the published setting was 1, the weakest that the hardware had, estimated to act as
  0.1. On this wafer weights mean what they say, so both run with 0.1; `--set w_exc_factor=1` restores the other.
- Read-out: published heat maps read all neurons where g >= 7 and eta <= 1.2, and 30 isolated ones elsewhere. Here all are read
  where inhibition outweighs excitation (g > 4.05), because the links carry them.
- High rates: the synaptic inputs saturate and the merger trees queue, on the wafer and not in NEST. Published agreement ends
  at about 50 Hz for this reason.
- g = 4: neurons fire together there, in bursts that come and go over seconds, and inputs saturate in bursts although mean rates are
  below 50 Hz. Over 10 s of this sweep's network the 30 neurons of wafer 30 fire with 18.5 Hz at (4, 0.8), and with 22.5 Hz if both
  saturations are off (`--set g=4 --set eta=0.8,3.2 --set simulation_time=10000`, `--effect synapse_saturation=off --effect
  ota_saturation=off`). Their sizes are assumptions ([emulator/README.md](../emulator/README.md)). Three seconds are few for such
  bursts: over them the rate was 15.7 Hz. The rate at (4, 0.8) also hangs on delays of routes, which differ between mappings: NEST
  has 13.6 Hz in [nest-agreement.md](nest-agreement.md).
- g = 1, all neurons read out on a manufactured wafer: thirty neurons that fire with hundreds of Hz overrun the merger tree of
  their chip (published: routing works up to mean rates of 250 Hz) and then its link, so that what is read out is slower and less
  regular than what fires. That is what the 30 isolated neurons are for. What is lost in merger trees is missing in the network
  too, which makes it slower than in NEST.
- g = 1: cells fire as soon as their refractory time ends. A step of NEST is then a few percent of the interval, so that its rate
  comes in such steps.
- Cells: calibrated cells deviate from the request by what calibration leaves over, fresh noise of every programming and the
  weights of single synapses. NEST knows nothing of this: distances of CVs on wafer 30 are larger than between draws, on the ideal
  wafer CVs agree ([nest-agreement.md](nest-agreement.md)). On the real wafer tau_m of the microcircuit's cells (small capacitor,
  slow leak) was spread by 8 ms around 10 ms, and its comparison with NEST draws that; on the emulated wafer calibration leaves
  some 7 %. So the published spread is asked for, where it is compared with: the wafer and NEST then have the same cells.
- Events: 162 million per second of biology are 235 Hz at each of 690,157 synapses, which the balanced network reaches where g is
  small. Ours are counted where they arrive, after losses in the merger trees.
";
