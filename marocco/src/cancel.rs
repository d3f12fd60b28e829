//! A wish that can be taken back: one flag, which the caller raises and long work looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tells work in progress to stop. Clones share the flag: keep one, hand the other over with
/// [`MapOptions::cancel`](crate::MapOptions::cancel).
///
/// The mapper looks at it between its stages and within those that take long, and ends with
/// [`MapError::Cancelled`](crate::MapError::Cancelled) within a fraction of a second.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

/// The work was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped before the end, as asked for")]
pub struct Cancelled;

impl Cancel {
    /// Raises the flag.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Takes the flag down, for work to come.
    pub fn rearm(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Whether to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The same as an error.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

/// What is asked for does not depend on who may take it back.
impl PartialEq for Cancel {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
