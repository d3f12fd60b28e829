//! House rules that no compiler checks. Each rule lists what breaks it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::shell;

/// Most lines of a source file.
const MAX_LINES: usize = 600;

/// Longer all the same: one file, so that it can be taken along to any back end of PyNN.
const LONG: &str = "pynn-front/tests/python/pynn_conformance.py";

/// Which crates of the workspace a crate may know: arrows point down only.
const MAY_KNOW: [(&str, &[&str]); 6] = [
    ("hal", &[]),
    ("calib", &["hal"]),
    ("emulator", &["hal"]),
    ("marocco", &["hal", "calib"]),
    ("pynn-front", &["hal", "calib", "marocco", "emulator"]),
    ("xtask", &[]),
];

/// Modules of marocco that the verifier may use; the mapper's are not among them.
const VERIFIER_MAY_USE: [&str; 3] = ["network", "mapping", "verify"];

/// A named rule that lists what breaks it.
type Rule = (&'static str, fn() -> Result<Vec<String>>);

/// Runs all rules.
pub(crate) fn check() -> Result<()> {
    let rules: [Rule; 7] = [
        ("headers", headers),
        ("lengths", lengths),
        ("dependencies", dependencies),
        ("verifier", verifier_independence),
        ("paths in ARCHITECTURE.md", architecture_paths),
        ("tests in docs/mapping-tests.md", mapping_tests),
        ("machine paths", machine_paths),
    ];
    let mut broken = 0;
    for (name, rule) in rules {
        for complaint in rule()? {
            eprintln!("{name}: {complaint}");
            broken += 1;
        }
    }
    if broken > 0 {
        bail!("{broken} house rules are broken; see above");
    }
    Ok(())
}

/// Files of the project with one of these extensions, sorted; what is built or hidden is left out.
fn files(extensions: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![shell::root().to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            let built = matches!(name, "target" | "out" | "__pycache__" | "proptest-regressions");
            if path.is_dir() {
                if !built && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|e| extensions.iter().any(|x| e == *x)) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// Name of a file as seen from the top of the project.
fn short(path: &Path) -> String {
    path.strip_prefix(shell::root()).unwrap_or(path).display().to_string()
}

/// Every source file says in its first line what it is about.
fn headers() -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for path in files(&["rs"])? {
        let text = text(&path)?;
        let first = text.lines().next().unwrap_or_default();
        if !first.starts_with("//! ") && !first.starts_with("#![doc = include_str!") {
            complaints.push(format!("{} does not begin with a //! line", short(&path)));
        }
    }
    Ok(complaints)
}

/// No file is too long to be about one thing.
fn lengths() -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for path in files(&["rs", "py"])? {
        let lines = text(&path)?.lines().count();
        if lines > MAX_LINES && short(&path) != LONG {
            complaints.push(format!("{} has {lines} lines, more than {MAX_LINES}", short(&path)));
        }
    }
    Ok(complaints)
}

/// Crates know only what lies below them, in tests too.
fn dependencies() -> Result<Vec<String>> {
    let output = Command::new(shell::cargo_program())
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(shell::root())
        .output()
        .context("cargo metadata does not start")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let may_know: BTreeMap<&str, &[&str]> = MAY_KNOW.into_iter().collect();
    let mut complaints = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(allowed) = may_know.get(name) else {
            complaints.push(format!("{name} is a new crate; say in xtask what it may know"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let dependency = dependency["name"].as_str().unwrap_or_default();
            if may_know.contains_key(dependency) && !allowed.contains(&dependency) {
                complaints.push(format!("{name} must not know {dependency}"));
            }
        }
    }
    Ok(complaints)
}

/// The verifier shares no module with the mapper that it judges.
fn verifier_independence() -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for path in files(&["rs"])? {
        if !short(&path).starts_with("marocco/src/verify") {
            continue;
        }
        for line in text(&path)?.lines() {
            for used in line.split("crate::").skip(1) {
                let module = used.split(|c: char| !c.is_alphanumeric() && c != '_').next();
                if !module.is_some_and(|m| VERIFIER_MAY_USE.contains(&m)) {
                    complaints.push(format!("{}: {}", short(&path), line.trim()));
                }
            }
        }
    }
    Ok(complaints)
}

/// Whether a file with this extension is written by people.
fn is_text(extension: &OsStr) -> bool {
    ["rs", "md", "py", "toml"].iter().any(|e| extension == *e)
}

/// What ARCHITECTURE.md points to is there.
fn architecture_paths() -> Result<Vec<String>> {
    let text = text(&shell::root().join("ARCHITECTURE.md"))?;
    let mut complaints = Vec::new();
    for quoted in text.split('`').skip(1).step_by(2) {
        let is_path = !quoted.contains(char::is_whitespace)
            && !quoted.contains("::")
            && (quoted.contains('/') || Path::new(quoted).extension().is_some_and(is_text));
        if is_path && !shell::root().join(quoted).exists() {
            complaints.push(format!("`{quoted}` does not exist"));
        }
    }
    Ok(complaints)
}

/// The tests that docs/mapping-tests.md names are there.
fn mapping_tests() -> Result<Vec<String>> {
    let list = text(&shell::root().join("docs").join("mapping-tests.md"))?;
    let mut code = String::new();
    for path in files(&["rs"])? {
        code += &text(&path)?;
    }
    let mut complaints = Vec::new();
    for name in list.split('`').skip(1).step_by(2) {
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_name && !code.contains(&format!("fn {name}(")) {
            complaints.push(format!("`{name}` does not exist"));
        }
    }
    Ok(complaints)
}

/// Nothing refers to a folder of the machine it was written on.
fn machine_paths() -> Result<Vec<String>> {
    // in pieces, so that this file passes
    let forbidden = ["/wo|rk/", "/ro|ot/", "/ho|me/", "/t|mp/", "../sha|red"];
    let forbidden: Vec<String> = forbidden.iter().map(|p| p.replace('|', "")).collect();
    let mut complaints = Vec::new();
    for path in files(&["rs", "py", "md", "toml", "txt", "json"])? {
        let text = text(&path)?;
        for (number, line) in text.lines().enumerate() {
            if let Some(found) = forbidden.iter().find(|f| line.contains(f.as_str())) {
                complaints.push(format!("{}:{}: `{found}`", short(&path), number + 1));
            }
        }
    }
    Ok(complaints)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(rule: fn() -> Result<Vec<String>>) {
        assert_eq!(rule().expect("the project can be read"), Vec::<String>::new());
    }

    #[test]
    fn every_file_has_a_header() {
        none(headers);
    }

    #[test]
    fn no_file_is_too_long() {
        none(lengths);
    }

    #[test]
    fn dependencies_point_down() {
        none(dependencies);
    }

    #[test]
    fn the_verifier_does_not_know_the_mapper() {
        none(verifier_independence);
    }

    #[test]
    fn the_architecture_points_to_what_exists() {
        none(architecture_paths);
    }

    #[test]
    fn the_list_of_mapping_tests_names_what_exists() {
        none(mapping_tests);
    }

    #[test]
    fn no_paths_of_a_machine() {
        none(machine_paths);
    }
}
