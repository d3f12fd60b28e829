//! Long work on a thread of its own, while the caller's thread listens for Ctrl-C and tells of
//! progress.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use marocco::Cancel;
use pyo3::prelude::*;

use crate::run::Progress;

/// How often the interpreter is asked.
const PAUSE: Duration = Duration::from_millis(50);

/// What the two threads tell each other.
#[derive(Debug)]
pub(super) struct Shared {
    stop: Cancel,
    progress: Mutex<Option<(String, f64)>>,
}

impl Shared {
    /// Tells of progress; the answer is whether to go on.
    pub(super) fn tell(&self, stage: impl FnOnce() -> String, share: f64) -> ControlFlow<()> {
        // a lock that somebody else holds means that progress is being read: skip this one
        if let Ok(mut progress) = self.progress.try_lock() {
            *progress = Some((stage(), share));
        }
        if self.stop.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Tells of the progress of a session.
    pub(super) fn watch(&self, progress: Progress) -> ControlFlow<()> {
        let (stage, share) = match progress {
            Progress::Mapping(stage) => (format!("{stage:?}").to_lowercase(), f64::NAN),
            Progress::Emulating(share) => ("emulating".to_owned(), share),
            other => (format!("{other:?}").to_lowercase(), f64::NAN),
        };
        self.tell(|| stage, share)
    }
}

/// Does some work without the interpreter's lock. `progress`, if it is not None, is called with the
/// stage and its share now and then. An exception of a signal handler or of `progress` raises the flag
/// that stops the work, and is returned beside its result.
pub(super) fn supervise<T: Send>(
    py: Python<'_>,
    progress: Option<&Py<PyAny>>,
    stop: Cancel,
    work: impl FnOnce(&Shared) -> T + Send,
) -> (T, Option<PyErr>) {
    py.detach(|| {
        let shared = &Shared { stop, progress: Mutex::default() };
        let mut raised = None;
        let (done, wait) = mpsc::channel::<()>();
        let result = std::thread::scope(|scope| {
            let worker = scope.spawn(move || {
                let result = work(shared);
                // dropping the sender ends the wait
                drop(done);
                result
            });
            while wait.recv_timeout(PAUSE) == Err(mpsc::RecvTimeoutError::Timeout) {
                let told = shared.progress.lock().unwrap_or_else(PoisonError::into_inner).take();
                let heard = Python::attach(|py| {
                    py.check_signals()?;
                    if let (Some(progress), Some(told)) = (progress, told) {
                        progress.call1(py, told)?;
                    }
                    Ok(())
                });
                if let Err(error) = heard {
                    shared.stop.cancel();
                    raised.get_or_insert(error);
                }
            }
            worker.join()
        });
        match result {
            Ok(result) => (result, raised),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
