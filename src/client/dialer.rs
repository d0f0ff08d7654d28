//! When a client may start another connect, and to which address.
//!
//! # Pacing
//!
//! A server accepts connections from a queue of limited length, its *backlog* (Redis: 511). A
//! connect that finds it full is not refused: its SYN is dropped, and the kernel repeats it a second
//! later. A client that opens ten thousand connections at once therefore waits for seconds. Counting
//! the connects that have not finished does not help, because the kernel finishes them before the
//! server has accepted them.
//!
//! But a backlog is a queue, so a reply on the connection that was dialed as number *n* proves that
//! all up to *n* have been accepted. The dialer lets at most `max_connecting` dials run ahead of the
//! highest number that has been answered. The answer to `CLIENT ID`, the first command of each
//! dedicated connection, is that proof; where ids are not wanted, every 64th connection sends a
//! `PING` instead.
//!
//! # Refusals
//!
//! A server that answers commands with `READONLY` or `NOAUTH` accepts connections as ever, so that a
//! failed connect is not what slows a client down. After a refusal the dialer pauses as after a
//! failed connect, advances to the next address, and makes one connection on *trial*. Only when a
//! pause has passed after it without another refusal does it dial freely again.

use super::backoff::{Backoff, ConnectFailure};
use super::endpoints::Endpoints;
use crate::config::Config;
use crate::driver::Endpoint;
use crate::error::Error;
use crate::time::{Time, ms};
use std::io;
use std::time::Duration;

/// Every 64th dial is answered where ids are not wanted. A quarter of the default window: the proof
/// for one part is under way while the next is dialed.
const PROBE_EVERY: u64 = 64;

/// How long to wait before a connect is tried again for which the kernel had no room: a full backlog
/// (a server drains it within one turn of its own loop), or no free descriptor.
const BACKLOG_PAUSE: Duration = ms(10);
const DESCRIPTORS_PAUSE: Duration = ms(100);

/// `ENFILE` and `EMFILE`: the limits of open files, of the system and of the process. They have no
/// `io::ErrorKind`.
const NO_DESCRIPTORS: [i32; 2] = [23, 24];

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Dialer {
    pub(super) endpoints: Endpoints,
    pub(super) backoff: Backoff,
    /// Connects that were started: the number of the latest.
    started: u64,
    /// The highest number that the server is known to have accepted.
    accepted_up_to: u64,
    /// Nothing is dialed until then.
    pause_until: Option<Time>,
    refusal: Refusal,
    /// Connects that had to be started again.
    pub(super) retried: u64,
    /// True while the client is in the queue of those that may dial.
    pub(super) is_queued: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    None,
    /// Commands were refused; after the pause, one connection is made on trial.
    Refused,
    /// The trial runs.
    OnTrial,
}

/// How a connect that the kernel had no room for is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    Backlog,
    Descriptors,
}

impl NoRoom {
    pub(super) fn of(error: &io::Error) -> Option<NoRoom> {
        match error.raw_os_error() {
            _ if error.kind() == io::ErrorKind::WouldBlock => Some(NoRoom::Backlog),
            Some(code) if NO_DESCRIPTORS.contains(&code) => Some(NoRoom::Descriptors),
            _ => None,
        }
    }
}

impl Dialer {
    pub(super) fn new(endpoints: Vec<Endpoint>, seed: u64) -> Dialer {
        Dialer {
            endpoints: Endpoints::new(endpoints),
            backoff: Backoff::new(seed),
            started: 0,
            accepted_up_to: 0,
            pause_until: None,
            refusal: Refusal::None,
            retried: 0,
            is_queued: false,
        }
    }

    /// Connects that were started since the client was opened.
    pub(super) fn started(&self) -> u64 {
        self.started
    }

    /// True if a connect may be started now.
    pub(super) fn may_dial(&self, config: &Config) -> bool {
        let ahead = self.started - self.accepted_up_to;
        self.pause_until.is_none() && ahead < config.max_connecting.max(1) as u64
    }

    /// Counts one dial, and returns its number.
    pub(super) fn start(&mut self, now: Time, config: &Config) -> u64 {
        self.started += 1;
        if self.refusal == Refusal::Refused {
            self.refusal = Refusal::OnTrial;
            let tries = self.backoff.tries().saturating_sub(1);
            self.pause_until = Some(now + self.backoff.pause(tries, config));
        }
        self.started
    }

    /// True if connection `number` must be answered before it proves nothing: see
    /// [pacing](self#pacing).
    pub(super) fn is_probe(number: u64, config: &Config) -> bool {
        number % PROBE_EVERY.min(config.max_connecting.max(1) as u64) == 0
    }

    /// The server has answered on connection `number`, or that connection has ended.
    #[inline]
    pub(super) fn mark_accepted(&mut self, number: u64) {
        self.accepted_up_to = self.accepted_up_to.max(number);
    }

    /// A connection works.
    pub(super) fn on_success(&mut self) {
        self.endpoints.on_success();
        if self.refusal == Refusal::None {
            self.backoff.on_success();
        }
    }

    /// The kernel had no room for a connect.
    pub(super) fn on_no_room(&mut self, what: NoRoom, now: Time) {
        self.retried += 1;
        let pause = match what {
            NoRoom::Backlog => BACKLOG_PAUSE,
            NoRoom::Descriptors => DESCRIPTORS_PAUSE,
        };
        self.pause_until.get_or_insert(now + pause);
    }

    /// A connect has failed. Returns true if it will be tried again. Connects that fail together
    /// are one failure.
    pub(super) fn on_failure(
        &mut self,
        failure: ConnectFailure,
        error: &Error,
        now: Time,
        config: &Config,
    ) -> bool {
        let retries = self.backoff.should_retry(failure);
        if !retries {
            self.backoff.on_failure(error, now, config);
        } else if self.pause_until.is_none() {
            let pause = self.backoff.on_failure(error, now, config);
            self.pause_until = Some(now + pause);
        }
        retries
    }

    /// The server at address `number` refuses commands. Refusals that come together are one.
    pub(super) fn on_refusal(&mut self, number: u8, error: &Error, now: Time, config: &Config) {
        if self.refusal == Refusal::Refused && self.pause_until.is_some() {
            return;
        }
        self.endpoints.on_refusal(number);
        let pause = self.backoff.on_failure(error, now, config);
        self.pause_until = Some(now + pause);
        self.refusal = Refusal::Refused;
    }

    /// When a pause ends.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.pause_until
    }

    /// Ends a pause that is over. Returns true if there was one.
    pub(super) fn on_time(&mut self, now: Time) -> bool {
        if self.pause_until.take_if(|until| *until <= now).is_none() {
            return false;
        }
        if self.refusal == Refusal::OnTrial {
            self.refusal = Refusal::None;
            self.backoff.on_success();
        }
        true
    }

    /// Dials at once: room has been made.
    pub(super) fn end_pause(&mut self) {
        self.pause_until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn dialer() -> (Dialer, Config) {
        let endpoints = [1, 2].map(|port: u16| Endpoint::Tcp(([127, 0, 0, 1], port).into()));
        let config = Config {
            max_connecting: 4,
            ..Config::default()
        };
        (Dialer::new(endpoints.into(), 1), config)
    }

    #[test]
    fn at_most_the_window_runs_ahead_of_the_last_answer() {
        let (mut dialer, config) = dialer();
        for _ in 0..4 {
            assert!(dialer.may_dial(&config));
            dialer.start(Time::ZERO, &config);
        }
        assert!(!dialer.may_dial(&config));
        dialer.mark_accepted(2);
        dialer.start(Time::ZERO, &config);
        dialer.start(Time::ZERO, &config);
        assert!(!dialer.may_dial(&config));
        dialer.mark_accepted(1);
        assert!(
            !dialer.may_dial(&config),
            "an older answer proves nothing new"
        );
    }

    #[test]
    fn refusals_slow_the_dialer_down_although_connects_succeed() {
        let (mut dialer, config) = dialer();
        let error = Error::new(ErrorKind::Server, "READONLY You can't write");
        let (mut now, mut dials) = (Time::ZERO, 0);
        while now < Time::ZERO + ms(10_000) {
            dials += 1;
            let number = dialer.endpoints.current();
            let latest = dialer.start(now, &config);
            dialer.mark_accepted(latest);
            dialer.on_success();
            for _ in 0..50 {
                dialer.on_refusal(number, &error, now, &config);
            }
            assert!(!dialer.may_dial(&config));
            assert_ne!(dialer.endpoints.current(), number, "the next address");
            now = dialer.deadline().unwrap();
            assert!(dialer.on_time(now) && dialer.may_dial(&config));
        }
        assert!(dials < 30, "{dials}");
    }

    #[test]
    fn trial_without_a_refusal_ends_the_slow_start() {
        let (mut dialer, config) = dialer();
        let error = Error::new(ErrorKind::Server, "READONLY You can't write");
        dialer.on_refusal(0, &error, Time::ZERO, &config);
        let now = dialer.deadline().unwrap();
        dialer.on_time(now);
        dialer.start(now, &config);
        dialer.on_success();
        assert!(!dialer.may_dial(&config), "one on trial");
        assert!(dialer.backoff.failure().is_some());
        dialer.on_time(dialer.deadline().unwrap());
        assert!(dialer.may_dial(&config) && dialer.backoff.failure().is_none());
    }
}
