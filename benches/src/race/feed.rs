//! Pushes elements at a steady speed.

use super::Result;
use super::raw::{Raw, command};
use greenroom_bench::now;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// As often as a thread can be expected to wake.
const PERIOD: Duration = Duration::from_millis(1);

/// What is to be pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Feed {
    pub(crate) elements: usize,
    /// In whole thousands.
    pub(crate) per_second: usize,
    pub(crate) of: Of,
}

/// What an element says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// The moment at which it was sent.
    Moments,
    /// How many were pushed before it.
    Numbers,
}

/// Pushes in a thread, which stops with its handle.
#[derive(Debug)]
pub(crate) struct Feeder {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<std::result::Result<(), String>>>,
}

impl Feeder {
    pub(crate) fn start(socket: PathBuf, feed: Feed) -> Feeder {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let push = move || push(Raw::connect(&socket)?, feed, &stopped);
        Feeder {
            stop,
            thread: Some(thread::spawn(move || {
                push().map_err(|error: super::Error| error.to_string())
            })),
        }
    }

    /// Waits for the end, and says how it was.
    pub(crate) fn finish(mut self) -> Result<()> {
        let thread = self.thread.take().ok_or("it has finished already")?;
        Ok(thread.join().map_err(|_| "the feeder has panicked")??)
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Who is late catches up: each period has its place in time, and is not moved by those before it.
fn push(mut raw: Raw, feed: Feed, stop: &AtomicBool) -> Result<()> {
    let Feed {
        elements,
        per_second,
        of,
    } = feed;
    let begin = Instant::now();
    let mut bytes = Vec::new();
    let mut pushed = 0;
    let mut due = begin;
    while pushed < elements && !stop.load(Ordering::Relaxed) {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due += PERIOD;
        let count = (per_second / 1000).min(elements - pushed);
        bytes.clear();
        for number in pushed..pushed + count {
            let element = match of {
                Of::Moments => now(),
                Of::Numbers => number as u64,
            };
            command(&mut bytes, &["LPUSH", "queue", &element.to_string()]);
        }
        raw.send(&bytes)?;
        for _ in 0..count {
            raw.reply()?;
        }
        pushed += count;
    }
    Ok(())
}
