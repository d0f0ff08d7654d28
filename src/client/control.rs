//! The connection that carries what the client asks for itself: the ends of waits, and pushes that
//! put elements back.
//!
//! Control commands have a connection of their own, made when the first one needs it. On the shared
//! connection they would wait behind users' commands and hold those up: a question to a server whose
//! writes are paused is answered when the pause ends (`guard.rs`). Nothing that happens to this
//! connection touches a user's command.
//!
//! **A question is never queued across a reconnect.** A client id is valid for the server process
//! that assigned it: one that has been started again gives the same ids to other clients. A question
//! waits until the control connection has been answered, and by then it is known, from the end of
//! the connection that it asks about, whether its server is still the same. Where a name has several
//! addresses, a question is put only at the address that the pop's connection goes to.
//!
//! **An element on its way back must not be lost because the server is away.** The client holds the
//! only copy. A push that was certainly not executed is repeated with backoff, without a limit
//! unless the client is closed or the program ends ([`Hub::drain`](crate::Hub::drain)). What the
//! server will never take, and what it may have taken when the connection was lost, is logged and
//! counted as indeterminate.

use super::guard::UnblockMode;
use super::requeue::Undelivered;
use crate::config::Config;
use crate::error::Error;
use crate::time::Time;
use crate::token::Key;
use std::collections::VecDeque;
use std::time::Duration;

/// The control connection of a client, if there is one, and what waits for it.
#[derive(Debug)]
pub(super) struct ControlConnection {
    pub(super) conn: Option<Key>,
    /// How the server at its other end may be asked to end a wait.
    pub(super) mode: UnblockMode,
    /// Connections whose waits are to be ended.
    pub(super) questions: Vec<Key>,
    pub(super) requeues: RequeueQueue,
    /// True if there was no room for it the last time it was dialed.
    pub(super) found_no_room: bool,
    /// True once a refusal was logged.
    pub(super) refusal_logged: bool,
}

/// Elements that are to be put back.
#[derive(Debug, Default)]
pub(super) struct RequeueQueue {
    /// Elements that are on their way back, those included that a hook of the program has.
    held: usize,
    /// Elements that wait for the control connection.
    pub(super) ready: VecDeque<Undelivered>,
    /// Elements that wait for the end of a pause.
    retry: Vec<Undelivered>,
    pause_until: Option<Time>,
    /// Pushes in a row that the server did not take.
    tries: u32,
    /// They are repeated until then.
    until: Option<Time>,
}

impl ControlConnection {
    pub(super) fn new() -> ControlConnection {
        ControlConnection {
            conn: None,
            mode: UnblockMode::Guarded,
            questions: Vec::new(),
            requeues: RequeueQueue::default(),
            found_no_room: false,
            refusal_logged: false,
        }
    }

    /// True if it is to be dialed.
    pub(super) fn wants_dial(&self) -> bool {
        let is_needed = !self.questions.is_empty() || !self.requeues.ready.is_empty();
        self.conn.is_none() && is_needed
    }
}

impl RequeueQueue {
    pub(super) fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// A hook of the program has an element.
    pub(super) fn hold(&mut self) {
        self.held += 1;
    }

    /// An element is no longer on its way.
    pub(super) fn release(&mut self) {
        self.held -= 1;
    }

    /// Adds an element that is to be put back.
    pub(super) fn push(&mut self, undelivered: Undelivered) {
        self.held += 1;
        self.ready.push_back(undelivered);
    }

    /// The server has taken one.
    pub(super) fn on_success(&mut self) {
        self.tries = 0;
        self.release();
    }

    /// The server has not taken one. Returns it if it will not be repeated.
    pub(super) fn on_failure(
        &mut self,
        undelivered: Undelivered,
        error: &Error,
        now: Time,
        config: &Config,
    ) -> Option<Undelivered> {
        if !may_succeed_later(error) || self.until.is_some_and(|until| until <= now) {
            self.release();
            return Some(undelivered);
        }
        self.retry.push(undelivered);
        if self.pause_until.is_none() {
            let pause = config.retry_first.saturating_mul(1 << self.tries.min(20));
            self.tries += 1;
            self.pause_until = Some(now + pause.min(config.retry_max));
        }
        None
    }

    /// True for the first failure of a series: it is worth a line in the log.
    pub(super) fn is_first_failure(&self) -> bool {
        self.tries == 1 && self.retry.len() == 1
    }

    /// When a pause ends.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.pause_until
    }

    /// Ends a pause that is over.
    pub(super) fn on_time(&mut self, now: Time) {
        if self.pause_until.take_if(|until| *until <= now).is_some() {
            self.ready.extend(self.retry.drain(..));
        }
    }

    /// Limits how long elements are still repeated: the program or the client wants to end.
    pub(super) fn limit(&mut self, now: Time, timeout: Duration) {
        self.until.get_or_insert(now + timeout);
    }

    /// Repeats without a limit again: the program goes on.
    pub(super) fn unlimit(&mut self) {
        self.until = None;
    }

    /// True if elements are still held when their time is over.
    pub(super) fn is_overdue(&self, now: Time) -> bool {
        !self.ready.is_empty() && self.until.is_some_and(|until| until <= now)
    }
}

/// True if a push was certainly not executed, and may be another time. What the server says of the
/// command, or of the user's rights, it will say again.
fn may_succeed_later(error: &Error) -> bool {
    let final_codes = ["ERR", "NOPERM", "NOAUTH", "WRONGTYPE"];
    !error.maybe_executed() && error.code().is_none_or(|code| !final_codes.contains(&code))
}
