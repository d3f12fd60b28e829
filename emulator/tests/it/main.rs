//! Integration tests of the emulator: words in, words and samples out.

mod membrane;
mod support;
