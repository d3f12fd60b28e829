//! The 13 invariants of hal-config §9, named after their number. `cargo test -p hal hal_invariant`
//! runs all of them.
//!
//! | number | about | where |
//! |---|---|---|
//! | 1 to 5 | words and back, register by register, exhaustive | `src/codec/invariants` |
//! | 1, 2, 3 | words and back, whole chips | [`chips`] |
//! | 6, 7 | playback and trace | [`streams`] |
//! | 8 | Host-ARQ | [`transport`] |
//! | 9, 12 | floating gates | [`gates`] |
//! | 10 | defects | `defects.rs` |
//! | 11 | differential configuration | [`smart`] |
//! | 13 | hardware description | `description.rs` |

mod chips;
mod gates;
mod smart;
mod streams;
mod transport;
