//! Decoders meet any input without a panic. The committed inputs in tests/corpus and a short fixed
//! sequence of mutations run with every test; `cargo xtask fuzz --seconds N` goes on for longer.
//!
//! An input that ends in a new way (accepted, or another message) joins the pool that is mutated
//! further; this leads the mutations deeper without any instrumentation.

mod decoders;
mod mutate;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use decoders::{DECODERS, Decoder};
use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;

/// How long `cargo xtask fuzz` wants it, and from which seed.
const SECONDS: &str = "BSS1_FUZZ_SECONDS";
const SEED: &str = "BSS1_FUZZ_SEED";
/// Most inputs of a pool, so that messages full of values do no harm.
const MAX_POOL: usize = 1000;
/// Executions per decoder in every test run.
const SHORT: u64 = 200;

/// Inputs of one decoder and the ways in which they ended.
struct Pool {
    decoder: &'static Decoder,
    inputs: Vec<Vec<u8>>,
    outcomes: BTreeSet<String>,
    executions: u64,
}

impl Pool {
    /// The examples and the committed inputs.
    fn new(decoder: &'static Decoder) -> Self {
        let mut pool =
            Self { decoder, inputs: Vec::new(), outcomes: BTreeSet::new(), executions: 0 };
        let committed = corpus(decoder.name).into_iter().map(|path| std::fs::read(path).unwrap());
        for input in (decoder.examples)().into_iter().chain(committed) {
            pool.run(&input);
            pool.inputs.push(input);
        }
        pool
    }

    /// Runs the decoder; an input that makes it panic is saved and ends the test. Tells whether
    /// the outcome is new.
    fn run(&mut self, input: &[u8]) -> bool {
        self.executions += 1;
        let run = AssertUnwindSafe(|| (self.decoder.run)(input));
        let Ok(outcome) = catch_unwind(run) else {
            let path = save(&format!("failing-{}", self.decoder.name), input);
            panic!(
                "the decoder `{}` panics on {}; mend it and keep the input in tests/corpus/{}",
                self.decoder.name,
                path.display(),
                self.decoder.name
            );
        };
        self.outcomes.insert(without_values(&outcome))
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
/// in these only are the same outcome.
fn without_values(message: &str) -> String {
    let quotes = ['`', '"'];
    let before = message.split(quotes).next().unwrap_or_default();
    let behind = message.rsplit_once(quotes).map_or("", |(_, behind)| behind);
    let words = before.split_whitespace().chain(behind.split_whitespace());
    let plain = words.filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
    plain.take(20).collect::<Vec<_>>().join(" ")
}

/// Saves an input below the build folder and tells where.
fn save(folder: &str, input: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz").join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{:08x}", crc32fast::hash(input)));
    std::fs::write(&path, input).unwrap();
    path
}

/// The committed inputs of a decoder, sorted.
fn corpus(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
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
    println!(
        "seed {seed}\n{:<16} {:>12} {:>12} {:>9}",
        "decoder", "executions", "per second", "outcomes"
    );
    for decoder in &DECODERS {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut pool = Pool::new(decoder);
        let start = Instant::now();
        match seconds {
            Some(_) => {
                while start.elapsed() < share {
                    pool.step(&mut random);
                }
            }
            None => (0..SHORT).for_each(|_| pool.step(&mut random)),
        }
        if seconds.is_some() {
            // candidates for the corpus
            pool.inputs.iter().for_each(|input| drop(save(decoder.name, input)));
        }
        let rate = pool.executions as f64 / start.elapsed().as_secs_f64();
        let (name, outcomes) = (decoder.name, pool.outcomes.len());
        println!("{name:<16} {:>12} {rate:>12.0} {outcomes:>9}", pool.executions);
    }
}

#[test]
fn examples_are_accepted() {
    for decoder in &DECODERS {
        for example in (decoder.examples)() {
            assert_eq!((decoder.run)(&example), decoders::ACCEPTED, "{}", decoder.name);
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
    assert!(names.iter().all(|name| !corpus(name).is_empty()));
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
