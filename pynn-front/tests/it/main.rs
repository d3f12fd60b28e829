//! Integration tests: configurations by hand, mutations, and the pipeline as a whole.

mod hand;
