//! The elements that a pool pushes back into their lists.

use super::late::Late;
use crate::config::Config;
use crate::time::Time;
use crate::wheel::Timer;
use std::time::Duration;

/// The elements of a pool that go back.
#[derive(Debug, Default)]
pub(super) struct Returns {
    /// How many there are, those included about which a task of the program's decides.
    pub(super) count: usize,
    /// Those that are to be offered again, and when.
    pub(super) again: Vec<Late>,
    pub(super) pause: Option<(Time, Timer)>,
    /// How often in a row the server did not take one.
    pub(super) refusals: u32,
    /// They are offered until then.
    pub(super) until: Option<Time>,
}

impl Returns {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How long to wait before the next offer.
    pub(super) fn pause(&mut self, config: &Config) -> Duration {
        let doubled = config
            .retry_first
            .saturating_mul(1 << self.refusals.min(20));
        self.refusals += 1;
        doubled.min(config.retry_max)
    }
}
