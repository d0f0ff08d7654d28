//! How a pool finds its server again.
//!
//! ```text
//!             a connect succeeds                a connect fails
//!    New ─────────────────────────► Connected ───────────────────► Degraded, if some connections still work;
//!     │                              ▲                             else Down
//!     │ it fails                     │ a connect succeeds              │  ▲
//!     ▼                              └─────────────────────────────────┘  │ a pause, and the next one fails
//!  (whoever waits is told at once)                                        └──
//! ```
//!
//! A pool that was never connected fails at once: its address is probably wrong, and nobody is helped by waiting. One that
//! was connected has lost a server that will come back. So it tries again, and those who wait keep their places and
//! their own deadlines. The pauses between the tries double, or a server that is starting would be met by a storm; and
//! chance takes up to half of each away, or thousands of clients that lost it together would come back together.
//!
//! What a server says while it is not ready (`-LOADING`, `-MASTERDOWN`, `-BUSY`, too many clients) is such a failure as
//! well, also the first time. What it will say again (a wrong password) is not, and is told at once.
//!
//! A server that has just been started accepts connections, lets clients say hello, and answers the first command with
//! `-LOADING`. So once a connection has been lost, the server is *in doubt*: what is dialed from then on, one
//! connection after the other, must have a PING answered before anybody may use it. The first that has ends the doubt.

use crate::config::Config;
use crate::error::Error;
use crate::random::Random;
use crate::time::Time;
use std::time::Duration;

/// Whether a pool can reach its server, see [`Redis::state`](crate::Redis::state).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolState {
    /// Nothing was connected yet.
    #[default]
    New,
    /// The last connect has succeeded.
    Connected,
    /// The last connect has failed, and some connections still work.
    Degraded {
        /// When the first of the connects failed that have failed since the last success.
        since: Time,
        /// How many times they were tried, see [`Config::retry_first`].
        tries: u32,
    },
    /// The last connect has failed, and there is no connection left.
    Down {
        /// As above.
        since: Time,
        /// As above.
        tries: u32,
    },
}

/// Why a connection could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The server was not reached, or did not answer.
    Network,
    /// The server is there and not ready.
    NotNow,
    /// The server does not want us.
    Rejected,
}

impl Trouble {
    /// What it means that a server refuses with these words: it may accept after a while, or never will.
    pub(super) fn of(text: &[u8]) -> Trouble {
        const PASSING: [&[u8]; 5] = [
            b"LOADING",
            b"MASTERDOWN",
            b"BUSY ",
            b"TRYAGAIN",
            b"ERR max number of clients reached",
        ];
        match PASSING.iter().any(|words| text.starts_with(words)) {
            true => Trouble::NotNow,
            false => Trouble::Rejected,
        }
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Link {
    was_up: bool,
    was_met: bool,
    is_in_doubt: bool,
    since: Time,
    tries: u32,
    failure: Option<Error>,
    random: Random,
}

impl Link {
    pub(super) fn new(seed: u64) -> Link {
        Link {
            was_up: false,
            was_met: false,
            is_in_doubt: false,
            since: Time::ZERO,
            tries: 0,
            failure: None,
            random: Random::new(seed),
        }
    }

    /// A connection has been made.
    pub(super) fn works(&mut self) {
        (self.was_up, self.was_met) = (true, true);
        self.tries = 0;
    }

    /// A connection was lost, or could not be made: who knows whether the server is there?
    pub(super) fn doubt(&mut self) {
        self.is_in_doubt = true;
    }

    /// It has answered a PING.
    pub(super) fn trust(&mut self) {
        self.is_in_doubt = false;
    }

    /// Whether connections must prove that the server is there.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.is_in_doubt
    }

    /// Whether it is worth trying again.
    pub(super) fn is_worth_it(&mut self, trouble: Trouble) -> bool {
        // Who says no is there.
        self.was_met |= trouble != Trouble::Network;
        match trouble {
            Trouble::Network => self.was_met,
            Trouble::NotNow => true,
            Trouble::Rejected => false,
        }
    }

    /// A connect has failed. Returns how long to wait before the next.
    pub(super) fn fails(&mut self, error: &Error, now: Time, config: &Config) -> Duration {
        if self.tries == 0 {
            self.since = now;
        }
        self.failure = Some(error.clone());
        self.doubt();
        let doubled = config.retry_first.saturating_mul(1 << self.tries.min(20));
        self.tries += 1;
        let most = doubled.min(config.retry_max);
        self.random.duration(&(most / 2..=most))
    }

    /// Why the last connect failed, if it did.
    pub(crate) fn failure(&self) -> Option<&Error> {
        self.failure.as_ref().filter(|_| self.tries > 0)
    }

    /// `has_any` connection works.
    pub(super) fn state(&self, has_any: bool) -> PoolState {
        let (since, tries) = (self.since, self.tries);
        match (tries, has_any) {
            (0, _) if self.was_up => PoolState::Connected,
            (0, _) => PoolState::New,
            (_, true) => PoolState::Degraded { since, tries },
            (_, false) => PoolState::Down { since, tries },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::time::{ms, secs};

    fn pauses(seed: u64, count: usize) -> Vec<Duration> {
        let (mut link, config) = (Link::new(seed), Config::default());
        let error = Error::new(ErrorKind::Connect, "refused");
        let mut pause = || link.fails(&error, Time::ZERO, &config);
        (0..count).map(|_| pause()).collect()
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_chance_takes_up_to_half() {
        for (n, pause) in pauses(1, 100).into_iter().enumerate() {
            let most = ms(10 << n.min(7)).min(secs(1));
            assert!((most / 2..=most).contains(&pause), "{n}: {pause:?}");
        }
        assert_eq!(pauses(1, 5), pauses(1, 5), "by its seed");
        assert_ne!(pauses(1, 5), pauses(2, 5));
    }

    #[test]
    fn a_server_that_never_was_there_is_not_waited_for() {
        let mut link = Link::new(1);
        assert!(!link.is_worth_it(Trouble::Network));
        assert!(link.is_worth_it(Trouble::NotNow));
        assert!(link.is_worth_it(Trouble::Network));
        assert!(!link.is_worth_it(Trouble::Rejected));
    }

    #[test]
    fn the_state_says_since_when() {
        let mut link = Link::new(1);
        assert_eq!(link.state(false), PoolState::New);
        link.works();
        assert_eq!(link.state(true), PoolState::Connected);
        let error = Error::new(ErrorKind::Connect, "refused");
        let since = Time::from_nanos(5);
        link.fails(&error, since, &Config::default());
        link.fails(&error, Time::from_nanos(9), &Config::default());
        assert_eq!(link.state(true), PoolState::Degraded { since, tries: 2 });
        assert_eq!(link.state(false), PoolState::Down { since, tries: 2 });
        assert_eq!(link.failure().unwrap().kind(), ErrorKind::Connect);
        link.works();
        assert!(link.failure().is_none());
    }
}
