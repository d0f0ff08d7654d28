//! A request on its way: in a queue, then on a connection, perhaps back again.

use super::payload::Payload;
use super::request::Ticket;
use crate::time::{Time, nanos};
use std::time::Duration;

/// What a request sends, and how long its answer may take.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) ticket: Ticket,
    pub(super) payload: Payload,
    /// When it was first put on a connection; `UNSENT` until then.
    pub(super) since: Time,
    /// How many milliseconds the answer may take; `NO_LIMIT` is no deadline.
    pub(super) timeout_ms: u32,
    /// True for one slice of a wait without a timeout: nil is followed by the next one.
    pub(super) repeats: bool,
    /// How often in a row the server was not ready for it.
    pub(super) tries: u8,
}

/// The time of what has not happened.
pub(super) const UNSENT: Time = Time::from_nanos(u64::MAX);

/// A timeout that is none.
pub(super) const NO_LIMIT: u32 = u32::MAX;

/// A timeout in milliseconds, rounded up. More than 49 days are no limit.
pub(super) fn timeout_ms(time: Duration) -> u32 {
    u32::try_from(nanos(time).div_ceil(1_000_000)).unwrap_or(NO_LIMIT)
}

impl Outgoing {
    /// How long the answer may take, if there is a limit.
    pub(super) fn timeout(&self) -> Option<Duration> {
        let limited = self.timeout_ms != NO_LIMIT;
        limited.then(|| Duration::from_millis(self.timeout_ms.into()))
    }
}

const _: () = assert!(size_of::<Outgoing>() <= 32, "each blocked pop has one");
