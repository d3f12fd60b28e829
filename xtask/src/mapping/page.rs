//! The page `docs/mapping-benchmark.md`.

use std::fmt::Write as _;

use super::goals::goals;
use super::plots::files;
use super::row::{Results, Row};

/// The page of these results.
pub(crate) fn page(results: &Results) -> String {
    let mut page = String::from("# Mapping benchmark\n\n");
    // writing to a string cannot fail
    let _ = write(&mut page, results);
    page
}

fn write(page: &mut String, results: &Results) -> std::fmt::Result {
    writeln!(
        page,
        "Written by `cargo xtask bench mapping {}--json FILE`, which took {:.0} minutes on {} \
         processors. The networks are those of `bss1 network list`.\n",
        if results.quick { "--quick " } else { "" },
        results.wall_s / 60.0,
        results.processors
    )?;
    page.push_str(EXPLANATION);
    writeln!(page, "\n## Goals\n\n| goal | measured | |\n|---|---|---|")?;
    for goal in goals(results) {
        let verdict = if goal.reached { "reached" } else { "**missed**" };
        writeln!(page, "| {} | {} | {verdict} |", goal.what, goal.measured)?;
    }
    writeln!(page, "\n## Plots\n")?;
    for (file, _, caption) in files(results) {
        writeln!(page, "![{caption}]({file})\n")?;
    }
    for (wafer, about) in WAFERS {
        let rows: Vec<&Row> = results.rows.iter().filter(|row| row.wafer == wafer).collect();
        if rows.is_empty() {
            continue;
        }
        writeln!(page, "## `{wafer}`: {about}\n")?;
        writeln!(page, "{TABLE_HEAD}")?;
        for row in rows {
            writeln!(page, "{}", line(row))?;
        }
        writeln!(page)?;
    }
    Ok(())
}

const WAFERS: [(&str, &str); 3] = [
    ("perfect", "no defects"),
    ("d1", "1 % of all components defective, worst of three wafers"),
    ("d5", "5 % of all components defective, three reticles missing, worst of three wafers"),
];

const EXPLANATION: &str = "\
- *size*: circuits per neuron; *auto* leaves the choice to the mapper.
- *bound*: no mapping with the chosen sizes can lose less. *ideal*: what the chosen sizes and places lose if every bus
  reaches every chip and any free driver.
- *time*: from the network to verified words; *memory*: peak of the process, network and verifier included.
- Defects are drawn independently for circuits, synapses, drivers, lines, repeaters, switches and mergers. Of three
  wafers the one that loses most is shown, with the longest time and the largest memory of the three.
";

const TABLE_HEAD: &str = "\
| network | settings | size | effort | synapses | lost | loss | bound | ideal | chips | buses | drivers | time | memory |
|---|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|";

fn line(row: &Row) -> String {
    let head =
        format!("| {} | {} | {} | {} |", row.network, row.settings, row.neuron_size, row.effort);
    let Some(f) = &row.mapping else {
        let error = row.error.as_deref().unwrap_or("no mapping");
        return format!("{head} {} | | | | | | | | | |", error.replace('|', "/"));
    };
    format!(
        "{head} {} | {} | {} | {} | {} | {} | {} | {} | {:.1} s | {} MiB |",
        grouped(f.synapses_requested),
        grouped(f.synapses_lost),
        percent(f.loss_fraction),
        percent(f.bound_loss_fraction),
        percent(f.ideal_l1_loss_fraction),
        f.hicanns_used,
        f.l1_buses,
        grouped(f.drivers_used),
        f.wall_s.verified,
        f.peak_rss_bytes >> 20
    )
}

/// A share in percent; nothing is 0, and little is not.
fn percent(share: f64) -> String {
    if share == 0.0 { "0".to_owned() } else { format!("{:.4} %", 100.0 * share) }
}

/// A number with commas between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
