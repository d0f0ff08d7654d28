//! The hub's clock: nanoseconds since the driver was made.
//!
//! A point in time is one `u64`, not a [`std::time::Instant`], because it must be possible to *make* one: a simulated
//! kernel jumps its clock from event to event. Arithmetic saturates, so that neither a clock that stood still nor a
//! deadline of centuries can overflow.

use std::ops::Add;
use std::time::Duration;

/// A point in time, in nanoseconds since the driver was made. It never goes backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The moment at which the driver was made.
    pub const ZERO: Time = Time(0);

    /// The point `nanos` nanoseconds after the driver was made.
    pub const fn from_nanos(nanos: u64) -> Time {
        Time(nanos)
    }

    /// Nanoseconds since the driver was made.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The point so many nanoseconds after this one, as far as there is one.
    pub(crate) const fn after_nanos(self, nanos: u64) -> Time {
        Time(self.0.saturating_add(nanos))
    }

    /// How long ago `earlier` was; zero when it lies in the future.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    /// The point `after` this one; the end of time (584 years) where that would overflow.
    fn add(self, after: Duration) -> Time {
        self.after_nanos(nanos(after))
    }
}

/// A duration as one word of nanoseconds; 584 years where it is longer.
pub(crate) const fn nanos(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(duration.subsec_nanos() as u64)
}

/// Servers refuse longer timeouts, which overflow their clocks: 100 years.
const BLOCKS_MAX: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// How long a blocking command waits in the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    /// For so long. Rounded up to whole milliseconds; zero counts as one millisecond, because the
    /// number 0 means *for ever* to Redis.
    After(Duration),
    /// Until an element comes. A server whose machine vanishes without a word is not noticed meanwhile, unless the feature
    /// `keepalive` is on: see [`Config::keepalive`](crate::Config::keepalive).
    Forever,
}

impl Timeout {
    pub(crate) fn duration(self) -> Option<Duration> {
        match self {
            Timeout::After(duration) => Some(duration),
            Timeout::Forever => None,
        }
    }

    /// Seconds and milliseconds, rounded up; zero is for ever.
    pub(crate) fn seconds_and_millis(self) -> (u64, u32) {
        let Some(duration) = self.duration() else {
            return (0, 0);
        };
        let duration = duration.min(BLOCKS_MAX);
        let seconds = duration.as_secs();
        match (seconds, duration.subsec_nanos().div_ceil(1_000_000)) {
            (0, 0) => (0, 1),
            (_, 1000) => (seconds.saturating_add(1), 0),
            (_, millis) => (seconds, millis),
        }
    }
}

/// `n` seconds, to write `secs(1)` where a duration is wanted.
pub const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// `n` milliseconds, to write `ms(200)` where a duration is wanted.
pub const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Time::ZERO.since(Time::from_nanos(5)), Duration::ZERO);
        assert_eq!(
            Time::from_nanos(5) + Duration::MAX,
            Time::from_nanos(u64::MAX)
        );
        assert_eq!((Time::ZERO + ms(2)).since(Time::ZERO + ms(1)), ms(1));
    }
}
