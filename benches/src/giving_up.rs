//! What the programs share where pops are given up: when that is, and what was delivered nevertheless.
//!
//! All programs draw the same moments, since each consumer has a sequence of its own, which begins with its
//! number. Whether an element was lost only the whole can tell: the programs say which have come, and whoever pushed
//! them counts.

use crate::{Result, wire};
use greenroom::sim::Random;
use jzon::JsonValue;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How long a pop may take, where each has a deadline.
pub const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_millis(20);

/// How long a consumer lives, where consumers are aborted. Most who lose their consumer lose its connection too and
/// make another one: with lives as short as the deadlines they would run out of local ports.
pub const LIVES: RangeInclusive<Duration> = Duration::from_millis(20)..=Duration::from_millis(400);

/// How long a program goes on after its pops were given up, for whoever looks at the server meanwhile.
pub const AFTERMATH: Duration = Duration::from_secs(1);

/// What gives pops up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Each pop has a deadline, and its consumer asks again.
    Timeouts,
    /// The consumers are ended, and others begin.
    Aborts,
}

impl Way {
    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Way::Timeouts => "timeouts",
            Way::Aborts => "aborts",
        }
    }

    /// The moments of one consumer.
    pub fn moments(self, consumer: usize) -> Moments {
        Moments {
            random: Random::new(consumer as u64),
            range: match self {
                Way::Timeouts => TIMEOUTS,
                Way::Aborts => LIVES,
            },
        }
    }
}

/// When one consumer gives up, again and again.
#[derive(Debug)]
pub struct Moments {
    random: Random,
    range: RangeInclusive<Duration>,
}

impl Moments {
    /// How long the next one lasts.
    pub fn draw(&mut self) -> Duration {
        self.random.duration(&self.range)
    }
}

/// What consumers got, and how often they have given up.
#[derive(Debug, Default)]
pub struct Delivered {
    numbers: Vec<u64>,
    given_up: usize,
    late: Option<u64>,
}

impl Delivered {
    /// An element has come to somebody who wanted it.
    pub fn take(&mut self, element: &[u8]) -> Result<()> {
        let number = wire::number(element).ok_or_else(|| wire::unexpected(element))?;
        self.numbers.push(number);
        Ok(())
    }

    pub fn give_up(&mut self) {
        self.given_up += 1;
    }

    /// So many elements were on their way when their pops were given up, as far as the library knows.
    pub fn tell_late(&mut self, late: u64) {
        self.late = Some(late);
    }

    pub(crate) fn json(self) -> JsonValue {
        jzon::object! { delivered: self.numbers, given_up: self.given_up, late: self.late }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_programs_draw_the_same_moments() {
        for way in [Way::Timeouts, Way::Aborts] {
            let (mut one, mut same) = (way.moments(7), way.moments(7));
            let drawn: Vec<_> = (0..100).map(|_| one.draw()).collect();
            assert!(drawn.iter().all(|moment| *moment == same.draw()));
            assert!(drawn.iter().all(|moment| one.range.contains(moment)));
            assert_ne!(way.moments(8).draw(), drawn[0]);
        }
    }

    #[test]
    fn what_has_come_is_told_by_its_number() {
        let mut delivered = Delivered::default();
        delivered.take(b"7").unwrap();
        delivered.give_up();
        delivered.take(b"0").unwrap();
        assert!(delivered.take(b"seven").is_err());
        delivered.tell_late(2);
        assert_eq!(
            delivered.json().dump(),
            "{\"delivered\":[7,0],\"given_up\":1,\"late\":2}"
        );
    }
}
