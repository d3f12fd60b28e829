//! `bss1 show`: pictures of a mapping, the mapping on one screen, and answers about its parts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use hal::archive;
use marocco::SavedMapping;
use serde_json::{Value, json};

use super::console::say;
use super::defects::WaferDefects;
use super::files::read;
use super::query::Question;
use super::{Failure, PNG_SCALE};
use crate::figure::png;
use crate::picture::{self, Facts, View};

/// What to draw.
#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    /// A mapping, like mapping.bss1 of a run
    mapping: PathBuf,
    /// What an .svg or .png shows: wafer, drivers, losses, causes, matrix or delays; an .html shows all
    #[arg(long, default_value = "wafer")]
    view: View,
    #[command(flatten)]
    wafer: WaferDefects,
    #[command(flatten)]
    question: Question,
    /// Picture to write, .svg, .png or .html; without it there is text only
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(super) fn show(arguments: &ShowArguments) -> Result<Value, Failure> {
    let saved: SavedMapping = read(&arguments.mapping)?;
    if let Some(answer) = arguments.question.answer(&saved)? {
        return Ok(answer);
    }
    let known = || saved.rules.defects.clone();
    let defects = arguments.wafer.load()?.unwrap_or_else(known);
    let facts = Facts::new(&saved.network, &saved.mapping, &defects);
    let summary = picture::summary(&facts);
    for (name, value) in &summary {
        say(&format!("  {name:<34} {value}"));
    }
    let summary: BTreeMap<&str, String> = summary.into_iter().collect();
    let Some(out) = &arguments.out else { return Ok(json!({ "summary": summary, "files": [] })) };
    let svg = || picture::svg(&facts, arguments.view);
    let bytes = match out.extension().and_then(|e| e.to_str()) {
        Some("svg") => svg().into_bytes(),
        Some("html") => picture::html(&facts).into_bytes(),
        Some("png") => png(&svg(), PNG_SCALE).map_err(Failure::other)?,
        _ => {
            return Err(Failure::request(anyhow!(
                "{}: pictures are .svg, .png or .html; name the file so",
                out.display()
            )));
        }
    };
    archive::write_atomically(out, &bytes).map_err(Failure::request)?;
    say(&format!("{} written", out.display()));
    Ok(json!({ "summary": summary, "files": [out] }))
}
