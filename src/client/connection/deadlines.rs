//! What has not happened in time on a connection.

use super::super::in_flight::{InFlight, Queue};
use super::{Connection, State};
use crate::config::Config;
use crate::time::{Time, secs};
use std::time::Duration;

/// What has not happened in time.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::client) enum Overdue {
    /// Nothing: the deadline lies ahead.
    Nothing,
    Connect,
    Opening,
    /// The answer to the request of a dedicated connection.
    Answer,
    /// Some requests of a queue are late.
    Requests,
    /// The server has been silent for this long, and owes a reply.
    Silent(Duration),
    /// A pause is over.
    Pause,
    /// A cancel has something to do, or has taken too long.
    Cancel,
}

/// A server may hold a transaction for as long as its writes are paused.
const HELD_MAX: Duration = secs(60);

/// How long a server that owes a reply may be silent.
fn silence_max(queue: &Queue, config: &Config) -> Duration {
    let timeout = config.command_timeout;
    match queue.is_held() {
        true => timeout.max(HELD_MAX),
        false => timeout,
    }
}

impl Connection {
    /// When [`on_deadline`](Connection::on_deadline) has something to say.
    #[inline]
    pub(in crate::client) fn deadline(&self, config: &Config) -> Option<Time> {
        let opening = self.last_progress + config.handshake_timeout;
        let at = match self.state {
            State::Connecting => return Some(self.last_progress + config.connect_timeout),
            State::Handshake => return Some(opening),
            State::Idle => None,
            State::Backoff => return Some(self.last_progress),
            State::Busy => self.busy_deadline(config),
            State::Cancelling => return self.cancel_deadline(config),
        };
        match self.opening.is_done() {
            true => at,
            false => Some(at.map_or(opening, |at| at.min(opening))),
        }
    }

    #[inline]
    fn busy_deadline(&self, config: &Config) -> Option<Time> {
        match &self.in_flight {
            InFlight::One(outgoing) => {
                let timeout = match self.is_reply_arriving() {
                    true => Some(config.grace()),
                    false => outgoing.as_ref()?.timeout(),
                };
                Some(self.last_progress + timeout?)
            }
            InFlight::Many(queue) => {
                let (silent, late) = self.queue_deadlines(queue, config);
                [silent, late].into_iter().flatten().min()
            }
        }
    }

    /// When the server has been silent for too long, and when the next request is late.
    fn queue_deadlines(&self, queue: &Queue, config: &Config) -> (Option<Time>, Option<Time>) {
        let timeout = config.command_timeout;
        let silent = queue.silent_at(self.last_progress, silence_max(queue, config));
        let late = queue.late_at(self.is_reply_arriving(), timeout);
        (silent, late.filter(|_| !queue.is_held()))
    }

    fn cancel_deadline(&self, config: &Config) -> Option<Time> {
        let at = self.cancel.as_ref()?.deadline();
        match self.is_reply_arriving() {
            true => Some(at.max(self.last_progress + config.grace())),
            false => Some(at),
        }
    }

    /// What has not happened in time.
    pub(in crate::client) fn on_deadline(&self, config: &Config, now: Time) -> Overdue {
        if self.deadline(config).is_none_or(|at| at > now) {
            return Overdue::Nothing;
        }
        let opening_is_late = self.last_progress + config.handshake_timeout <= now;
        match self.state {
            State::Connecting => Overdue::Connect,
            State::Handshake | State::Idle => Overdue::Opening,
            State::Backoff => Overdue::Pause,
            State::Busy if !self.opening.is_done() && opening_is_late => Overdue::Opening,
            State::Cancelling => Overdue::Cancel,
            State::Busy => match &self.in_flight {
                InFlight::One(_) => Overdue::Answer,
                InFlight::Many(queue) => match self.queue_deadlines(queue, config).0 {
                    Some(at) if at <= now => Overdue::Silent(silence_max(queue, config)),
                    _ => Overdue::Requests,
                },
            },
        }
    }
}
