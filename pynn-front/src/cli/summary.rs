//! The page that a run prints: network, losses, chips, rates, times, files.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

use marocco::MappingReport;

use crate::parameter::Value;
use crate::report::ExperimentReport;

/// Projections that are listed; of more, those that lose the most are.
const SHOWN_PROJECTIONS: usize = 12;

/// Everything about a run that fits one page.
pub(super) fn page(report: &ExperimentReport) -> String {
    let mut page = String::new();
    // writing to a string cannot fail
    let _ = mapping(&mut page, &report.experiment, &report.parameters, &report.mapping_report)
        .and_then(|()| run(&mut page, report));
    page
}

/// Everything about a mapping that fits one page.
pub(super) fn mapping_page(
    name: &str,
    parameters: &BTreeMap<&'static str, Value>,
    report: &MappingReport,
) -> String {
    let mut page = String::new();
    // writing to a string cannot fail
    let _ = mapping(&mut page, name, parameters, report);
    page
}

fn mapping(
    page: &mut String,
    name: &str,
    parameters: &BTreeMap<&'static str, Value>,
    map: &MappingReport,
) -> std::fmt::Result {
    writeln!(page, "\n{name}")?;
    let parameters: Vec<String> =
        parameters.iter().map(|(key, value)| format!("{key}={value}")).collect();
    writeln!(page, "  parameters     {}", parameters.join(" "))?;
    writeln!(
        page,
        "  network        {} neurons, {} sources, {} synapses",
        map.neurons, map.sources, map.synapses_requested
    )?;
    writeln!(
        page,
        "  realised       {} synapses; lost {} ({:.4} %); verified: {}",
        map.synapses_realised,
        map.synapses_lost,
        100.0 * map.loss_fraction,
        if map.verified { "yes" } else { "NO" }
    )?;
    let causes: Vec<String> =
        map.loss_by_cause.iter().map(|(cause, n)| format!("{cause} {n}")).collect();
    let causes = if causes.is_empty() { "none".to_owned() } else { causes.join(", ") };
    writeln!(
        page,
        "  loss           causes: {causes}; bound {:.4} %, without L1 limits {:.4} %",
        100.0 * map.bound_loss_fraction,
        100.0 * map.ideal_l1_loss_fraction
    )?;
    let mut projections: Vec<_> = map.loss_by_projection.iter().collect();
    let are_many = projections.len() > SHOWN_PROJECTIONS;
    if are_many {
        projections.retain(|p| p.realised < p.requested);
        projections.sort_by_key(|p| Reverse(p.requested - p.realised));
    }
    for projection in projections.iter().take(SHOWN_PROJECTIONS) {
        let error = map.weight_error.get(&projection.label);
        let (mean, abs, clipped) =
            error.map_or((0.0, 0.0, 0), |e| (100.0 * e.mean, 100.0 * e.abs, e.clipped));
        writeln!(
            page,
            "    {:<12} {:>8} of {:>8}   weight error: mean {mean:+.2} %, absolute {abs:.2} %, \
             clipped {clipped}",
            projection.label, projection.realised, projection.requested
        )?;
    }
    if are_many {
        let all = map.loss_by_projection.len();
        let losing = projections.len();
        writeln!(page, "    {all} projections, of which {losing} lose synapses")?;
    }
    let sizes: Vec<String> =
        map.neuron_sizes.iter().map(|(size, n)| format!("{n} of {size} circuits")).collect();
    writeln!(
        page,
        "  wafer          {} chips, {} L1 buses, {} synapse drivers; neurons: {}; {} capacitor, \
         {} leak",
        map.hicanns_used,
        map.l1_buses,
        map.drivers_used,
        sizes.join(", "),
        map.capacitor,
        map.leak
    )?;
    for (label, p) in &map.pairs {
        writeln!(
            page,
            "  pairs          {label}: tau {:.1} ms, A_plus {:.4}, A_minus {:.4}",
            p.tau_plus, p.a_plus, p.a_minus
        )?;
    }
    for (label, p) in &map.plasticity {
        writeln!(
            page,
            "  plasticity     {label}: U {:.3}, tau_rec {:.1} ms, tau_facil {:.1} ms",
            p.u, p.tau_rec, p.tau_facil
        )?;
    }
    let clipped: Vec<String> =
        map.clipped.iter().map(|(name, n)| format!("{name} {n} times")).collect();
    if !clipped.is_empty() {
        writeln!(page, "  clipped        {}", clipped.join(", "))?;
    }
    Ok(())
}

fn run(page: &mut String, report: &ExperimentReport) -> std::fmt::Result {
    let run = &report.run_report;
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.2}"));
    for (label, rate) in &report.rates_hz {
        writeln!(
            page,
            "  rate           {label}: {:.2} +- {:.2} Hz, CV {}, synchrony {}",
            rate.mean,
            rate.std,
            number(report.cv_isi.get(label).copied().flatten()),
            number(report.synchrony.get(label).copied().flatten())
        )?;
    }
    let dropped = run.stimulus.dropped + run.readout.dropped;
    writeln!(
        page,
        "  events         {} spikes, {} synaptic events; dropped {dropped}",
        run.spikes.emitted, run.synaptic_events
    )?;
    for row in report.accounting.table().lines() {
        writeln!(page, "  {row}")?;
    }
    writeln!(
        page,
        "                             assuming {}",
        report.accounting.energy_j.assumption
    )?;
    if run.peak_rss_bytes > 0 {
        writeln!(
            page,
            "  memory         {:.0} MiB at most",
            run.peak_rss_bytes as f64 / 1048576.0
        )?;
    }
    files(page, &report.files)
}

/// The folder, and what is in it.
fn files(page: &mut String, files: &[String]) -> std::fmt::Result {
    let paths = files.iter().map(Path::new);
    if let Some(folder) = paths.clone().find_map(Path::parent) {
        writeln!(page, "  folder         {}", folder.display())?;
    }
    let names: Vec<_> = paths.filter_map(Path::file_name).map(OsStr::to_string_lossy).collect();
    for line in names.chunks(6) {
        writeln!(page, "                 {}", line.join(" "))?;
    }
    Ok(())
}
