//! Pausing clients: which commands a pause postpones, and what happens when it ends.
//!
//! A postponed client counts as blocked, but waits for no key and has no timeout. Its command stays
//! at the front of its input and is dispatched again when the pause ends. Redis dispatches
//! postponed commands in the order in which they were postponed, after the event that ended the
//! pause. So does this server: see [`State::go_on_unblocked`].

use super::call::Flags;
use super::clients::End;
use super::mode::Pause;
use super::refusal::Refusal;
use super::state::State;
use crate::time::Time;
use crate::token::Key;

/// The line that Redis 7.0.15 logs when `CLIENT UNBLOCK` ends the wait of a postponed client.
const PANIC: &str =
    "Guru Meditation: Unknown btype in replyToBlockedClientTimedOut(). #blocked.c:230";

impl State {
    /// Starts a pause. During another one, the stricter of the two and the later end count.
    pub(super) fn pause(&mut self, what: Pause, until: Time) {
        let (before, end) = self.pause.unwrap_or((what, until));
        self.pause = Some((before.max(what), end.max(until)));
        self.end_what_is_over();
    }

    /// Ends the pause. [`go_on_unblocked`](State::go_on_unblocked) executes what it has postponed.
    pub(super) fn unpause(&mut self) {
        if self.pause.take().is_some() {
            for key in self.blocked.postponed() {
                self.unblock(key);
            }
        }
    }

    /// Ends the pause and an injected demotion when their times are over.
    pub(super) fn end_what_is_over(&mut self) {
        let now = self.now();
        if self.pause.is_some_and(|(_, until)| until <= now) {
            self.unpause();
        }
        if self.promoted_at.is_some_and(|at| at <= now) {
            self.set_role(super::Role::Master);
        }
    }

    /// Returns true if the pause postpones a command with these flags.
    pub(super) fn postpones(&self, flags: Flags) -> bool {
        match self.pause {
            None => false,
            Some((Pause::Writes, _)) => flags.has(Flags::WRITE.and(Flags::MAY_REPLICATE)),
            Some((Pause::All, _)) => true,
        }
    }

    pub(super) fn postpone(&mut self, key: Key) {
        if let Some(client) = self.clients.get_mut(key) {
            client.waiting = Some(self.blocked.postpone(key));
        }
    }

    pub(super) fn is_postponed(&self, key: Key) -> bool {
        let client = self.clients.get(key);
        let waiting = client.and_then(|client| client.waiting.as_ref());
        waiting.is_some_and(|waiting| waiting.pop.is_none())
    }

    /// Executes `CLIENT UNBLOCK` of a postponed client. Returns true if Redis answers 1.
    ///
    /// Redis 7.0.15 panics. With `ERROR` it sends the error and dispatches the command all the
    /// same, so the client receives two replies to one command.
    pub(super) fn unblock_postponed(&mut self, key: Key, refusal: Option<&Refusal>) -> bool {
        if !self.config.unblock_panics {
            return false;
        }
        let Some(refusal) = refusal else {
            self.crash(PANIC);
            return true;
        };
        self.unblock(key);
        if let Some(client) = self.clients.get_mut(key) {
            client.output.refusal(refusal);
        }
        true
    }

    /// Ends the server as a crash of its process would: nothing more is sent.
    fn crash(&mut self, report: &'static str) {
        log::error!("{report}");
        self.crash = Some(report);
        self.is_stopping = true;
        let clients: Vec<_> = self.clients.keys().collect();
        for client in clients {
            self.end(client, End::Now);
        }
        self.woken.extend(self.keeper);
    }
}
