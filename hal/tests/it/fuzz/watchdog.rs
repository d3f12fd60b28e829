//! Tells when an execution does not end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// An execution under way.
struct Execution {
    since: Instant,
    decoder: &'static str,
    input: Vec<u8>,
}

/// Watches executions from a thread of its own until it is dropped.
pub(super) struct Watchdog {
    current: Arc<Mutex<Option<Execution>>>,
}

impl Watchdog {
    /// Calls `report` with decoder and input of an execution that takes longer than `limit`.
    pub(super) fn new(
        limit: Duration,
        report: impl Fn(&'static str, &[u8]) + Send + 'static,
    ) -> Self {
        let current = Arc::new(Mutex::new(None::<Execution>));
        let seen = Arc::downgrade(&current);
        std::thread::spawn(move || {
            while let Some(current) = seen.upgrade() {
                // an execution that panicked is over
                let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(hung) = current.take_if(|e| e.since.elapsed() > limit) {
                    report(hung.decoder, &hung.input);
                }
                drop(current);
                std::thread::sleep(limit / 10);
            }
        });
        Self { current }
    }

    /// Runs something under watch.
    pub(super) fn watch<T>(
        &self,
        decoder: &'static str,
        input: &[u8],
        run: impl FnOnce() -> T,
    ) -> T {
        let set = |execution| {
            *self.current.lock().unwrap_or_else(PoisonError::into_inner) = execution;
        };
        set(Some(Execution { since: Instant::now(), decoder, input: input.to_vec() }));
        let result = run();
        set(None);
        result
    }
}

#[test]
fn an_execution_that_hangs_is_reported_with_its_input() {
    let (report, reports) = std::sync::mpsc::channel();
    let watchdog = Watchdog::new(Duration::from_millis(20), move |decoder, input| {
        report.send((decoder, input.to_vec())).unwrap();
    });
    watchdog.watch("quick", b"a", || ());
    // this one ends only after it was reported
    let found = watchdog.watch("slow", b"some bytes", || reports.recv().unwrap());
    assert_eq!(found, ("slow", b"some bytes".to_vec()));
    drop(watchdog);
    assert!(reports.recv().is_err(), "nothing else is reported, and the thread ends");
}
