//! Integration tests: configurations by hand, mutations, and the pipeline as a whole.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod hand;
