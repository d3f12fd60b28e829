//! Random inputs for the decoders of hal, for as long as one likes.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;

use crate::shell;

/// Fuzzes each decoder for its share of the time. The test that does it prints executions and
/// findings per decoder, and saves an input that makes one panic or hang. Overflow checks stay on.
pub(crate) fn fuzz(seconds: u64, seed: Option<u64>, keep: bool) -> Result<()> {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut command = Command::new(shell::cargo_program());
    command
        .args(["test", "--package", "hal", "--test", "it", "--"])
        .args(["--exact", "fuzz::no_input_makes_a_decoder_panic", "--nocapture"])
        .env("BSS1_FUZZ_SECONDS", seconds.to_string())
        .env("BSS1_FUZZ_SEED", seed.unwrap_or(clock).to_string())
        .env("BSS1_FUZZ_KEEP", u8::from(keep).to_string())
        .current_dir(shell::root());
    shell::finish(command)
}
