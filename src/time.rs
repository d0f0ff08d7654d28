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
