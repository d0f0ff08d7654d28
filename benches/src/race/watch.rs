//! Looks at the server while a program gives its pops up.
//!
//! A program cannot say when the server has stopped waiting for it, since closing a connection, as most do it, has no
//! answer. So the server is asked from outside, by one connection for all programs alike, a thousand times a second.

use super::Result;
use super::kernel::field;
use super::raw::Raw;
use greenroom_bench::now;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The figures are as fine as this.
const PERIOD: Duration = Duration::from_millis(1);

/// What the server has said once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// By the clock that all processes share, when the answer had come.
    pub(crate) at_ns: u64,
    /// Clients that wait in a blocking command.
    pub(crate) blocked: u64,
    /// All clients but the one that asks.
    pub(crate) connected: u64,
}

/// Looks in a thread, which stops with its handle.
#[derive(Debug)]
pub(crate) struct Watcher {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<std::result::Result<Vec<Look>, String>>>,
}

impl Watcher {
    pub(crate) fn start(socket: PathBuf) -> Watcher {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let look = move || look(Raw::connect(&socket)?, &stopped);
        Watcher {
            stop,
            thread: Some(thread::spawn(move || {
                look().map_err(|error: super::Error| error.to_string())
            })),
        }
    }

    /// All that was seen.
    pub(crate) fn finish(mut self) -> Result<Vec<Look>> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().ok_or("it has finished already")?;
        Ok(thread.join().map_err(|_| "the watcher has panicked")??)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn look(mut raw: Raw, stop: &AtomicBool) -> Result<Vec<Look>> {
    let mut looks = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let clients = raw.ask(&["INFO", "clients"])?;
        let at_ns = now();
        let look = read(&clients, at_ns);
        looks.push(look.ok_or_else(|| format!("the server does not count clients: {clients}"))?);
        thread::sleep(PERIOD);
    }
    Ok(looks)
}

fn read(clients: &str, at_ns: u64) -> Option<Look> {
    let count = |name| Some(field(clients, name)? as u64);
    Some(Look {
        at_ns,
        blocked: count("blocked_clients:")?,
        connected: count("connected_clients:")?.saturating_sub(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_counted_without_the_one_that_asks() {
        let clients =
            "# Clients\r\nconnected_clients:1002\r\nmaxclients:15000\r\nblocked_clients:1000\r\n";
        let look = Look {
            at_ns: 7,
            blocked: 1000,
            connected: 1001,
        };
        assert_eq!(read(clients, 7), Some(look));
        assert_eq!(read("# Clients\r\nconnected_clients:1\r\n", 7), None);
    }
}
