//! One connection and its client at a time: what nearly every report of the kernel changes.

use super::super::client::Client;
use super::super::command::ReplyCount;
use super::super::connection::{Connection, State};
use super::super::events::{ClientEvent, ConnId};
use super::super::outgoing::Outgoing;
use super::super::output::Output;
use super::super::request::{Place, Requests, Ticket};
use crate::time::Time;
use crate::timers::Timers;
use crate::token::Key;
use std::time::Duration;

/// A connection and its client, and the tables that both change.
pub(super) struct Parts<'a> {
    pub(super) conn: &'a mut Connection,
    pub(super) client: &'a mut Client,
    pub(super) requests: &'a mut Requests,
    pub(super) out: &'a mut Output,
}

impl Parts<'_> {
    /// Gives a free dedicated connection a request, the first `written` bytes of which have left.
    #[inline]
    pub(super) fn put(&mut self, key: Key, outgoing: Outgoing, written: usize, now: Time) {
        let (ticket, timeout) = (outgoing.ticket, outgoing.timeout());
        self.conn.put(outgoing, written, &mut self.out.buffers, now);
        self.client.pool.set_state(self.conn, State::Busy);
        self.requests.set_place(ticket, Place::InFlight(key));
        self.out.queue_write(key, self.conn);
        if self.out.events.on {
            self.log_sent(key, ticket, timeout);
        }
    }

    /// Gives a free dedicated connection to the first request that waits, `written` bytes of which
    /// have left already, or adds it to the idle ones.
    #[inline]
    pub(super) fn release(&mut self, key: Key, written: usize, timers: &mut Timers) {
        let (requests, pool) = (&*self.requests, &mut self.client.pool);
        pool.waiting.skip_cancelled(|it| requests.is_live(it));
        let Some(entry) = pool.waiting.pop() else {
            pool.push_idle(key, self.conn);
            if self.out.events.on {
                self.out.events.push(ClientEvent::Idle(ConnId(key)));
            }
            return;
        };
        let is_last = pool.waiting.is_empty();
        self.put(key, entry.outgoing, written, timers.now());
        if is_last {
            self.sync_client(timers);
        }
    }

    #[cold]
    fn log_sent(&mut self, key: Key, ticket: Ticket, timeout: Option<Duration>) {
        let grace = self.client.config.unblock_after();
        let blocks = timeout.map(|timeout| timeout.saturating_sub(grace));
        let payload = self.conn.request().map(|it| it.payload.clone());
        if let Some(payload) = payload {
            let sent = (&*payload, ReplyCount::One);
            self.out
                .events
                .sent(self.requests, key, ticket, sent, blocks);
        }
    }
}
