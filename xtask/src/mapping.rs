//! `bench mapping`: all benchmark networks at all their sizes onto whole and damaged wafers.
//!
//! Every mapping is a process of its own, so that its peak memory is its own. Each row is on disk as
//! soon as it is done. A full run also writes a table and plots to `docs`.

mod cases;
mod goals;
mod page;
mod plots;
mod row;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::shell;
use cases::cases;
use row::Results;

/// A run that takes longer leaves the rest of its rows out and says so.
const BUDGET: Duration = Duration::from_hours(3);
const QUICK_BUDGET: Duration = Duration::from_mins(10);

/// What to run, and where to write it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    /// Whole wafers, automatic sizes, least effort.
    pub(crate) quick: bool,
    /// This network only.
    pub(crate) only: Option<&'a str>,
    /// Results, rewritten after each row.
    pub(crate) json: &'a Path,
    /// Only write the page and plots of results that are there.
    pub(crate) docs_only: bool,
}

/// Runs the benchmark.
pub(crate) fn bench(request: &Request<'_>) -> Result<()> {
    if request.docs_only {
        let text = fs::read_to_string(request.json).context(request.json.display().to_string())?;
        let results: Results =
            serde_json::from_str(&text).context(request.json.display().to_string())?;
        return write_docs(&results);
    }
    let bss1 = shell::bss1()?;
    let cases = cases(&bss1, request.quick, request.only)?;
    if cases.is_empty() {
        bail!("no network `{}`; see bss1 network list", request.only.unwrap_or_default());
    }
    let clock = Instant::now();
    let budget = if request.quick { QUICK_BUDGET } else { BUDGET };
    let mut results = Results::new(request.quick);
    eprintln!("{} rows; each is in {} when it is done", cases.len(), request.json.display());
    eprintln!("{}", row::HEAD);
    for case in &cases {
        let row = case.run(&bss1, clock + budget)?;
        eprintln!("{}", row.line());
        results.rows.push(row);
        results.wall_s = clock.elapsed().as_secs_f64();
        write(request.json, &results)?;
    }
    let lost = results.rows.iter().filter(|r| r.error.is_some()).count();
    eprintln!("{} rows in {:.0} s, {lost} without a mapping", cases.len(), results.wall_s);
    for goal in goals::goals(&results) {
        eprintln!("{goal}");
    }
    if !request.quick && request.only.is_none() {
        write_docs(&results)?;
    }
    Ok(())
}

/// Replaces the file as a whole or not at all.
fn write(path: &Path, results: &Results) -> Result<()> {
    let text = serde_json::to_string_pretty(results)? + "\n";
    let new = path.with_extension("new");
    fs::write(&new, text).with_context(|| new.display().to_string())?;
    fs::rename(&new, path).with_context(|| path.display().to_string())
}

fn write_docs(results: &Results) -> Result<()> {
    let docs = shell::root().join("docs");
    let mut files = vec![("mapping-benchmark.md".to_owned(), page::page(results))];
    files.extend(plots::plots(results)?);
    for (name, text) in files {
        let path = docs.join(name);
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        eprintln!("{} written", path.display());
    }
    Ok(())
}
