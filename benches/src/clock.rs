//! What is measured inside a program: lateness, and the way of an element from whoever pushed it.

use crate::{Result, wire};
use hdrhistogram::Histogram;
use jzon::{JsonValue, object};
use rustix::time::{ClockId, clock_gettime};
use std::io;
use std::time::Instant;

/// How late it is for what was due then, in microseconds.
pub fn late_us(due: Instant) -> u64 {
    u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Tells whoever pushes the elements to begin: all consumers wait.
pub fn ready() {
    eprintln!("ready");
}

/// Nanoseconds of `CLOCK_MONOTONIC`, which all processes share. An `Instant` comes from the same
/// clock, but does not say what it shows.
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let [seconds, nanos] = [now.tv_sec, now.tv_nsec].map(|part| u64::try_from(part).unwrap_or(0));
    seconds * 1_000_000_000 + nanos
}

/// The elements that were consumed, and how long each was on its way if they say when they were
/// pushed.
#[derive(Debug)]
pub struct Consumed {
    elements: usize,
    left: usize,
    latencies: Option<Histogram<u64>>,
}

impl Consumed {
    /// Elements that are only counted.
    pub fn counted(elements: usize) -> Consumed {
        Consumed {
            elements,
            left: elements,
            latencies: None,
        }
    }

    /// Elements that are decimal nanoseconds of `CLOCK_MONOTONIC`.
    pub fn stamped(elements: usize) -> Result<Consumed> {
        Ok(Consumed {
            // From a nanosecond to a minute, to a thousandth.
            latencies: Some(Histogram::new_with_bounds(1, 60_000_000_000, 3)?),
            ..Consumed::counted(elements)
        })
    }

    /// Takes in one element; true when it was the last.
    pub fn take(&mut self, element: &[u8]) -> io::Result<bool> {
        if let Some(latencies) = &mut self.latencies {
            let stamp = wire::number(element).ok_or_else(|| wire::unexpected(element))?;
            latencies.saturating_record(now().saturating_sub(stamp));
        }
        self.left = self.left.saturating_sub(1);
        Ok(self.left == 0)
    }

    pub(crate) fn json(&self) -> JsonValue {
        let Some(latencies) = &self.latencies else {
            return object! { elements: self.elements };
        };
        let micros = |nanos: u64| nanos as f64 / 1000.0;
        let quantile = |quantile| micros(latencies.value_at_quantile(quantile));
        object! {
            elements: self.elements,
            p50_us: quantile(0.5),
            p90_us: quantile(0.9),
            p99_us: quantile(0.99),
            max_us: micros(latencies.max()),
        }
    }
}
