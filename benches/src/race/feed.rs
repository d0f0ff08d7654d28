//! Pushes elements at a steady speed, each of which is the moment at which it was sent.

use super::Result;
use super::plan::PUSHED_PER_SECOND;
use super::raw::{Raw, command};
use rustix::time::{ClockId, clock_gettime};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// As often as a thread can be expected to wake.
const PERIOD: Duration = Duration::from_millis(1);
const PUSHED_PER_PERIOD: usize = PUSHED_PER_SECOND / 1000;

/// Pushes in a thread, which stops with its handle.
#[derive(Debug)]
pub(crate) struct Feeder {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<std::result::Result<(), String>>>,
}

impl Feeder {
    pub(crate) fn start(socket: PathBuf, elements: usize) -> Feeder {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let push = move || push(Raw::connect(&socket)?, elements, &stopped);
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
fn push(mut raw: Raw, elements: usize, stop: &AtomicBool) -> Result<()> {
    let begin = Instant::now();
    let mut bytes = Vec::new();
    let mut pushed = 0;
    let mut due = begin;
    while pushed < elements && !stop.load(Ordering::Relaxed) {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due += PERIOD;
        let count = PUSHED_PER_PERIOD.min(elements - pushed);
        bytes.clear();
        for _ in 0..count {
            command(&mut bytes, &["LPUSH", "queue", &now().to_string()]);
        }
        raw.send(&bytes)?;
        for _ in 0..count {
            raw.reply()?;
        }
        pushed += count;
    }
    Ok(())
}

/// Nanoseconds of `CLOCK_MONOTONIC`, which all processes share.
fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let [seconds, nanos] = [now.tv_sec, now.tv_nsec].map(|part| u64::try_from(part).unwrap_or(0));
    seconds * 1_000_000_000 + nanos
}
