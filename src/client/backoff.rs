//! How a client finds its server again.
//!
//! ```text
//!             a connect succeeds                a connect fails
//!    New ─────────────────────────► Connected ───────────────────► Degraded, if some connections
//!     │                              ▲                             still work; else Down
//!     │ it fails                     │ a connect succeeds              │  ▲
//!     ▼                              └─────────────────────────────────┘  │ a pause, and the next
//!  (waiting requests fail at once)                                        └── one fails
//! ```
//!
//! A client that was never connected fails at once: its address is probably wrong, and waiting does
//! not help. One that was connected has lost a server that will come back. So it tries again, and
//! waiting requests keep their place and their own deadlines. The pauses double, so that a starting
//! server is not met by a storm; jitter shortens each by up to half, so that clients that lost the
//! server together do not come back together.
//!
//! What a server says while it is not ready (`-LOADING`, `-MASTERDOWN`, `-BUSY`, too many clients)
//! is such a failure too, also the first time. What it will say again (a wrong password), or a peer
//! that is no Redis server, is not, and fails waiting requests at once.
//!
//! A server that has just been started accepts connections, and answers the first command with
//! `-LOADING`; `CLIENT ID` is answered even then. So once a connection has been lost, the server is
//! *suspect*: it is dialed one connection at a time, and each must have a `PING` answered before it
//! carries a command. The first that has one ends the suspicion.

use crate::config::Config;
use crate::error::Error;
use crate::random::Random;
use crate::time::Time;
use std::time::Duration;

/// Whether a client can reach its server, see [`Redis::state`](crate::Redis::state).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolState {
    /// No connection was made yet.
    #[default]
    New,
    /// The last connect has succeeded.
    Connected,
    /// The last connect has failed, and some connections still work.
    Degraded {
        /// When the first connect failed since the last success.
        since: Time,
        /// How many times it was tried, see [`Config::retry_first`].
        tries: u32,
    },
    /// The last connect has failed, and there is no connection left.
    Down {
        /// When the first connect failed since the last success.
        since: Time,
        /// How many times it was tried, see [`Config::retry_first`].
        tries: u32,
    },
}

/// Why a connection could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectFailure {
    /// The server was not reached, or did not answer.
    Network,
    /// The server is there and not ready.
    NotReady,
    /// The server has no room for another client. It has read nothing.
    Full,
    /// The server refuses these credentials, or the peer is no Redis server.
    Rejected,
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Backoff {
    ever_connected: bool,
    ever_responded: bool,
    is_suspect: bool,
    down_since: Time,
    tries: u32,
    failure: Option<Error>,
    random: Random,
}

impl Backoff {
    pub(super) fn new(seed: u64) -> Backoff {
        Backoff {
            ever_connected: false,
            ever_responded: false,
            is_suspect: false,
            down_since: Time::ZERO,
            tries: 0,
            failure: None,
            random: Random::new(seed),
        }
    }

    /// A connection has been made.
    pub(super) fn on_success(&mut self) {
        (self.ever_connected, self.ever_responded) = (true, true);
        self.tries = 0;
    }

    /// A connection was lost or could not be made: it is not known whether the server is there.
    pub(super) fn suspect(&mut self) {
        self.is_suspect = true;
    }

    /// The server has answered a `PING`.
    pub(super) fn confirm(&mut self) {
        self.is_suspect = false;
    }

    /// True if a connection must prove that the server is there and ready.
    pub(super) fn is_suspect(&self) -> bool {
        self.is_suspect
    }

    /// True if it is worth trying again.
    pub(super) fn should_retry(&mut self, failure: ConnectFailure) -> bool {
        // A server that refuses is there.
        self.ever_responded |= failure != ConnectFailure::Network;
        match failure {
            ConnectFailure::Network => self.ever_responded,
            ConnectFailure::NotReady | ConnectFailure::Full => true,
            ConnectFailure::Rejected => false,
        }
    }

    /// A connect has failed. Returns how long to wait before the next one.
    pub(super) fn on_failure(&mut self, error: &Error, now: Time, config: &Config) -> Duration {
        if self.tries == 0 {
            self.down_since = now;
        }
        self.failure = Some(error.clone());
        self.suspect();
        let pause = self.pause(self.tries, config);
        self.tries += 1;
        pause
    }

    /// Failures in a row.
    pub(super) fn tries(&self) -> u32 {
        self.tries
    }

    /// The pause after `tries` failures in a row.
    pub(super) fn pause(&mut self, tries: u32, config: &Config) -> Duration {
        let doubled = config.retry_first.saturating_mul(1 << tries.min(20));
        let longest = doubled.min(config.retry_max);
        self.random.duration(&(longest / 2..=longest))
    }

    /// Why the last connect failed, if it did.
    pub(super) fn failure(&self) -> Option<&Error> {
        self.failure.as_ref().filter(|_| self.tries > 0)
    }

    /// The state, given whether any connection works.
    pub(super) fn state(&self, has_any: bool) -> PoolState {
        let (since, tries) = (self.down_since, self.tries);
        match (tries, has_any) {
            (0, _) if self.ever_connected => PoolState::Connected,
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
        let (mut backoff, config) = (Backoff::new(seed), Config::default());
        let error = Error::new(ErrorKind::Connect, "refused");
        let mut pause = || backoff.on_failure(&error, Time::ZERO, &config);
        (0..count).map(|_| pause()).collect()
    }

    #[test]
    fn pauses_double_up_to_a_limit_with_jitter() {
        for (n, pause) in pauses(1, 100).into_iter().enumerate() {
            let longest = ms(10 << n.min(7)).min(secs(1));
            assert!((longest / 2..=longest).contains(&pause), "{n}: {pause:?}");
        }
        assert_eq!(pauses(1, 5), pauses(1, 5), "by its seed");
        assert_ne!(pauses(1, 5), pauses(2, 5));
    }

    #[test]
    fn server_that_never_was_there_is_not_tried_again() {
        let mut backoff = Backoff::new(1);
        assert!(!backoff.should_retry(ConnectFailure::Network));
        assert!(backoff.should_retry(ConnectFailure::NotReady));
        assert!(backoff.should_retry(ConnectFailure::Network));
        assert!(!backoff.should_retry(ConnectFailure::Rejected));
    }

    #[test]
    fn state_says_since_when_the_server_is_down() {
        let mut backoff = Backoff::new(1);
        assert_eq!(backoff.state(false), PoolState::New);
        backoff.on_success();
        assert_eq!(backoff.state(true), PoolState::Connected);
        let error = Error::new(ErrorKind::Connect, "refused");
        let since = Time::from_nanos(5);
        backoff.on_failure(&error, since, &Config::default());
        backoff.on_failure(&error, Time::from_nanos(9), &Config::default());
        let tries = 2;
        assert_eq!(backoff.state(true), PoolState::Degraded { since, tries });
        assert_eq!(backoff.state(false), PoolState::Down { since, tries });
        assert_eq!(backoff.failure().unwrap().kind(), ErrorKind::Connect);
        backoff.on_success();
        assert!(backoff.failure().is_none());
    }
}
