//! The program `bss1`; see [`pynn_front::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    pynn_front::cli::main(std::env::args_os())
}
