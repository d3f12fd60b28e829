//! Decoders meet any input without a panic. The committed inputs in tests/corpus and a short fixed
//! sequence of mutations run with every test; `cargo xtask fuzz --seconds N` goes on for longer.
//!
//! What guides the mutations is not coverage of the code, which a stable toolchain cannot read while
//! a test runs without unsafe code. Instead a decoder tells its findings: which containers have
//! changed, kinds and coarse numbers of what was found, or the error and how far inside it came. An
//! input with a finding that no input had before joins the pool that is mutated further.
//!
//! An execution that takes longer than [`HANG`] ends the run, and its input is kept.

mod decoders;
mod mutate;
mod watchdog;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use decoders::{DECODERS, Decoder, is_accepted};
use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;
use watchdog::Watchdog;

/// How long `cargo xtask fuzz` wants it, and from which seed.
const SECONDS: &str = "BSS1_FUZZ_SECONDS";
const SEED: &str = "BSS1_FUZZ_SEED";
/// Whether inputs with new findings join the committed ones.
const KEEP: &str = "BSS1_FUZZ_KEEP";
/// No input of 4 kB takes a decoder longer than this, not even on a busy machine.
const HANG: Duration = Duration::from_secs(20);
/// Most inputs of a pool, so that messages full of values do no harm.
const MAX_POOL: usize = 1000;
/// Executions per decoder in every test run.
const SHORT: u64 = 200;

/// Inputs of one decoder and what it has found in them.
struct Pool<'a> {
    decoder: &'static Decoder,
    watchdog: &'a Watchdog,
    inputs: Vec<Vec<u8>>,
    findings: BTreeSet<String>,
    executions: u64,
}

impl<'a> Pool<'a> {
    /// The examples and the committed inputs.
    fn new(decoder: &'static Decoder, watchdog: &'a Watchdog) -> Self {
        let (inputs, findings) = (Vec::new(), BTreeSet::new());
        let mut pool = Self { decoder, watchdog, inputs, findings, executions: 0 };
        let committed =
            committed(decoder.name).into_iter().map(|path| std::fs::read(path).unwrap());
        for input in (decoder.examples)().into_iter().chain(committed) {
            pool.run(&input);
            pool.inputs.push(input);
        }
        pool
    }

    /// Runs the decoder; an input that makes it panic is saved and ends the test. Tells whether
    /// any finding is new.
    fn run(&mut self, input: &[u8]) -> bool {
        self.executions += 1;
        let run = || (self.decoder.run)(input);
        let watched = || {
            catch_unwind(AssertUnwindSafe(|| self.watchdog.watch(self.decoder.name, input, run)))
        };
        let Ok(outcome) = watched() else {
            let path = save(&format!("failing-{}", self.decoder.name), input);
            panic!(
                "the decoder `{}` panics on {}; mend it and keep the input in tests/corpus/{}",
                self.decoder.name,
                path.display(),
                self.decoder.name
            );
        };
        let known = self.findings.len();
        if is_accepted(&outcome) {
            self.findings.extend(outcome.split(';').map(without_values));
        } else {
            // a message may quote semicolons of the input
            self.findings.insert(without_values(&outcome));
        }
        self.findings.len() > known
    }

    /// Runs one mutated input.
    fn step(&mut self, random: &mut ChaCha8Rng) {
        let input = mutate::mutated(&self.inputs, random);
        if self.run(&input) && self.inputs.len() < MAX_POOL {
            self.inputs.push(input);
        }
    }
}

/// A message without what it quotes and without words that contain a number: messages that differ
/// in these only are the same finding.
fn without_values(message: &str) -> String {
    let quotes = ['`', '"'];
    let before = message.split(quotes).next().unwrap_or_default();
    let behind = message.rsplit_once(quotes).map_or("", |(_, behind)| behind);
    let words = before.split_whitespace().chain(behind.split_whitespace());
    let plain = words.filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
    plain.take(20).collect::<Vec<_>>().join(" ")
}

/// Ends the process: a thread that hangs cannot be ended otherwise.
fn hangs(decoder: &'static str, input: &[u8]) {
    let path = save(&format!("hanging-{decoder}"), input);
    let message = format!("the decoder `{decoder}` does not end on {}\n", path.display());
    // past the output that the test harness holds back
    let _ = std::io::stderr().write_all(message.as_bytes());
    std::process::exit(1);
}

/// Saves an input below the build folder and tells where.
fn save(folder: &str, input: &[u8]) -> PathBuf {
    write(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz").join(folder), input)
}

/// Writes an input to a folder, by its checksum.
fn write(folder: &Path, input: &[u8]) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(format!("{:08x}", crc32fast::hash(input)));
    std::fs::write(&path, input).unwrap();
    path
}

/// Where the committed inputs of a decoder are.
fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name)
}

/// The committed inputs of a decoder, sorted.
fn committed(name: &str) -> Vec<PathBuf> {
    let folder = corpus(name);
    let entries =
        std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort_unstable();
    paths
}

/// A number of the environment.
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|e| panic!("{name}: {e}")))
}

#[test]
fn no_input_makes_a_decoder_panic() {
    let seconds = setting(SECONDS);
    let share = Duration::from_secs(seconds.unwrap_or(0)) / DECODERS.len() as u32;
    let seed = setting(SEED).unwrap_or(0);
    let watchdog = Watchdog::new(HANG, hangs);
    println!(
        "seed {seed}\n{:<16} {:>12} {:>12} {:>9}",
        "decoder", "executions", "per second", "findings"
    );
    for decoder in &DECODERS {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut pool = Pool::new(decoder, &watchdog);
        let known = pool.inputs.len();
        let start = Instant::now();
        match seconds {
            Some(_) => {
                while start.elapsed() < share {
                    pool.step(&mut random);
                }
            }
            None => (0..SHORT).for_each(|_| pool.step(&mut random)),
        }
        if setting(KEEP) == Some(1) {
            pool.inputs[known..].iter().for_each(|input| drop(write(&corpus(decoder.name), input)));
        }
        let rate = pool.executions as f64 / start.elapsed().as_secs_f64();
        let (name, findings) = (decoder.name, pool.findings.len());
        println!("{name:<16} {:>12} {rate:>12.0} {findings:>9}", pool.executions);
    }
}

#[test]
fn examples_are_accepted() {
    for decoder in &DECODERS {
        for example in (decoder.examples)() {
            let outcome = (decoder.run)(&example);
            assert!(is_accepted(&outcome), "{}: {outcome}", decoder.name);
        }
    }
}

#[test]
fn every_folder_of_the_corpus_has_a_decoder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut folders: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort_unstable();
    let mut names = DECODERS.map(|decoder| decoder.name);
    names.sort_unstable();
    assert_eq!(folders, names);
    assert!(names.iter().all(|name| !committed(name).is_empty()));
}

#[test]
fn mutations_depend_on_the_seed_only() {
    let inputs = [b"examined H0-23\n".to_vec(), b"H93.drv110-113".to_vec()];
    let run = |seed| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        (0..100).map(|_| mutate::mutated(&inputs, &mut random)).collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    assert!(run(1).iter().filter(|input| !inputs.contains(input)).count() > 80);
}
