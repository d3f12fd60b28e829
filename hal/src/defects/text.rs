//! Defects as text, one component or run of components per line (hal-config §6.3).
//!
//! ```text
//! bss1-defects 1
//! # leading comment lines are the remark of the record
//! wafer W30
//! examined H0-23 H93
//! D12
//! D10.hs1
//! H93.nrn17
//! H93.drv110-113          # a run of components
//! end
//! ```
//!
//! The order of the lines between head and end does not matter. `wafer` is left out if the record
//! belongs to no certain wafer; `examined` names chips that have a record, also those without any
//! defect. The last line shows that nothing is cut off. Everything from `#` to the end of a line is
//! a comment.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use thiserror::Error;

use super::{Component, ComponentOnHicann, Defects};
use crate::archive::{ArchiveError, write_atomically};
use crate::coord::{
    Coordinate, DncOnWafer, HicannOnWafer, HighspeedLinkOnDnc, ParseCoordinateError, WaferNumber,
};

const HEAD: &str = "bss1-defects";
const VERSION: u32 = 1;

/// A text is no record of defects.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseDefectsError {
    /// The first line is not the head of a file of ours.
    #[error("not a record of defects; the first line must be `{HEAD} {VERSION}`")]
    Foreign,
    /// The text was written by another version.
    #[error("format version `{0}`, this program reads version {VERSION}")]
    WrongVersion(String),
    /// The last line is missing.
    #[error("cut off after line {lines}; the last line must be `end`")]
    Truncated {
        /// Number of lines.
        lines: usize,
    },
    /// Something stands behind the last line.
    #[error("line {line}: `{text}` stands behind `end`")]
    Trailing {
        /// Line number, from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// A second line for the wafer.
    #[error("line {line}: the wafer is named a second time")]
    SecondWafer {
        /// Line number, from 1.
        line: usize,
    },
    /// A line names no component.
    #[error("line {line}: {reason}")]
    Component {
        /// Line number, from 1.
        line: usize,
        /// What is wrong with it.
        reason: ParseCoordinateError,
    },
    /// A run that does not ascend.
    #[error("line {line}: the run `{text}` does not ascend; write it like `H93.drv110-113`")]
    Run {
        /// Line number, from 1.
        line: usize,
        /// The run.
        text: String,
    },
}

/// A file of defects could not be read or written.
#[derive(Debug, Error)]
pub enum DefectsError {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] ArchiveError),
    /// The file does not hold a record of defects.
    #[error("{path}: {reason}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: ParseDefectsError,
    },
    /// The file describes another wafer.
    #[error("{path}: describes {found}, not wafer {expected}")]
    OtherWafer {
        /// The file.
        path: PathBuf,
        /// What it describes.
        found: String,
        /// The wafer asked for.
        expected: WaferNumber,
    },
}

impl Defects {
    /// Writes a file; it is replaced as a whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), DefectsError> {
        Ok(write_atomically(path, self.to_text().as_bytes())?)
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, DefectsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|reason| ArchiveError::Io { path: path.to_owned(), reason })?;
        text.parse().map_err(|reason| DefectsError::Parse { path: path.to_owned(), reason })
    }

    /// Reads a file that must describe a certain wafer.
    pub fn read_for(path: &Path, wafer: WaferNumber) -> Result<Self, DefectsError> {
        let defects = Self::read(path)?;
        if defects.wafer == Some(wafer) {
            return Ok(defects);
        }
        let found = defects.wafer.map_or("no certain wafer".into(), |w| format!("wafer {w}"));
        Err(DefectsError::OtherWafer { path: path.to_owned(), found, expected: wafer })
    }

    /// The text form. Blanks at the ends of the comment and of its lines are lost.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEAD} {VERSION}\n");
        for line in self.comment.lines() {
            text += format!("# {line}").trim_end();
            text += "\n";
        }
        if let Some(wafer) = self.wafer {
            writeln!(text, "wafer {wafer}").expect("strings take everything");
        }
        let examined = HicannOnWafer::all().filter(|&h| self.record(h).is_some());
        for run in runs(examined.map(Component::Hicann)) {
            writeln!(text, "examined {run}").expect("strings take everything");
        }
        for run in runs(self.iter()) {
            text += &run;
            text += "\n";
        }
        text + "end\n"
    }
}

/// Names of components, those with ascending numbers joined.
fn runs(components: impl Iterator<Item = Component>) -> impl Iterator<Item = String> {
    let mut components = components.peekable();
    std::iter::from_fn(move || {
        let first = components.next()?;
        let mut last = first;
        while let Some(next) =
            components.next_if(|&next| Some(next) == last.with_number(last.number() + 1))
        {
            last = next;
        }
        let mut text = first.to_string();
        if last != first {
            write!(text, "-{}", last.number()).expect("strings take everything");
        }
        Some(text)
    })
}

impl Component {
    /// The number that ends the name.
    fn number(self) -> usize {
        match self {
            Self::Reticle(dnc) => dnc.index(),
            Self::Hicann(hicann) => hicann.index(),
            Self::HighspeedLink(hicann) => hicann.link().index(),
            Self::OnHicann(_, component) => component.index(),
        }
    }

    /// The component of the same kind in the same place with another number.
    fn with_number(self, number: usize) -> Option<Self> {
        match self {
            Self::Reticle(_) => DncOnWafer::from_index(number).map(Self::Reticle),
            Self::Hicann(_) => HicannOnWafer::from_index(number).map(Self::Hicann),
            Self::HighspeedLink(hicann) => HighspeedLinkOnDnc::from_index(number)
                .map(|link| Self::HighspeedLink(hicann.dnc().hicann(link.hicann()))),
            Self::OnHicann(hicann, component) => {
                ComponentOnHicann::from_index(component.kind(), number)
                    .map(|other| Self::OnHicann(hicann, other))
            }
        }
    }
}

/// The components of a run like `H93.drv110-113`, or the one that is named.
fn parse_run(line: usize, run: &str) -> Result<Vec<Component>, ParseDefectsError> {
    let parse = |text: &str| {
        text.parse::<Component>().map_err(|reason| ParseDefectsError::Component { line, reason })
    };
    let Some((first, end)) = run.split_once('-') else { return Ok(vec![parse(run)?]) };
    let stem = first.trim_end_matches(|c: char| c.is_ascii_digit());
    let (first, last) = (parse(first)?, parse(&format!("{stem}{end}"))?);
    if last.number() < first.number() {
        return Err(ParseDefectsError::Run { line, text: run.to_owned() });
    }
    Ok((first.number()..=last.number()).filter_map(|number| first.with_number(number)).collect())
}

impl FromStr for Defects {
    type Err = ParseDefectsError;
    fn from_str(text: &str) -> Result<Self, ParseDefectsError> {
        let mut lines = text.lines().enumerate().map(|(i, line)| (i + 1, line.trim()));
        let head = lines.next().map_or("", |(_, head)| head);
        match head.strip_prefix(HEAD).map(str::trim) {
            None => return Err(ParseDefectsError::Foreign),
            Some(version) if version != VERSION.to_string() => {
                return Err(ParseDefectsError::WrongVersion(version.to_owned()));
            }
            Some(_) => {}
        }
        let mut defects = Self::default();
        let mut lines = lines.peekable();
        let mut remark = Vec::new();
        while let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with('#')) {
            remark.push(line[1..].strip_prefix(' ').unwrap_or(&line[1..]));
        }
        remark.join("\n").trim_end().clone_into(&mut defects.comment);
        while let Some((line, content)) = lines.next() {
            let content = content.split('#').next().unwrap_or_default().trim();
            match content.split_once(char::is_whitespace) {
                None if content.is_empty() => {}
                None if content == "end" => return nothing_behind(lines).map(|()| defects),
                Some(("wafer", number)) => {
                    let number = number
                        .trim()
                        .parse()
                        .map_err(|reason| ParseDefectsError::Component { line, reason })?;
                    if defects.wafer.replace(number).is_some() {
                        return Err(ParseDefectsError::SecondWafer { line });
                    }
                }
                Some(("examined", runs)) => {
                    for run in runs.split_whitespace() {
                        for hicann in parse_hicanns(line, run)? {
                            defects.record_mut(hicann);
                        }
                    }
                }
                _ => {
                    for run in content.split_whitespace() {
                        for component in parse_run(line, run)? {
                            defects.insert(component);
                        }
                    }
                }
            }
        }
        Err(ParseDefectsError::Truncated { lines: text.lines().count() })
    }
}

/// The chips of a run like `H0-23`.
fn parse_hicanns(line: usize, run: &str) -> Result<Vec<HicannOnWafer>, ParseDefectsError> {
    let hicann = |component| {
        if let Component::Hicann(hicann) = component {
            return Ok(hicann);
        }
        let reason = ParseCoordinateError::malformed(run, "chip", "H93");
        Err(ParseDefectsError::Component { line, reason })
    };
    parse_run(line, run)?.into_iter().map(hicann).collect()
}

/// Only comments may stand behind the last line.
fn nothing_behind<'a>(
    mut lines: impl Iterator<Item = (usize, &'a str)>,
) -> Result<(), ParseDefectsError> {
    match lines.find(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        None => Ok(()),
        Some((line, text)) => Err(ParseDefectsError::Trailing { line, text: text.to_owned() }),
    }
}
