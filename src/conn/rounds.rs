//! Waits without end, in rounds.
//!
//! Who asks a server to block for ever cannot tell a quiet list from a server that is gone: nothing comes, and nothing is
//! due. So a wait without end is asked in rounds of a minute or so. When a round brings nil, the same command is sent
//! again on the same connection, which its request never leaves; an answer that brings an element ends it. In between, the
//! client stands in no line of the server's, and comes to the end of it again: others that wait for the same list may get
//! the next element first, but none is missed.

use super::connection::Conn;
use super::outbox::Outbox;
use super::pool::Pool;
use super::request::{Expect, GivenUp, Progress, Ticket};
use super::work::Work;
use crate::time::Time;
use crate::timers::Timers;
use crate::token::Key;

impl Work {
    /// A round is over, which has brought nothing: the next begins. False when there is none, because it is being taken back.
    #[cold]
    pub(super) fn next_round(
        &mut self,
        key: Key,
        conn: &mut Conn,
        ticket: Ticket,
        now: Time,
    ) -> bool {
        if conn.cancels() {
            return false;
        }
        let buffer = self.buffer();
        let request = self.requests.get_mut(ticket.0);
        let (Some(rounds), Some(request)) = (conn.take_rounds(), request) else {
            return false;
        };
        conn.queued += rounds.bytes.len() as u64;
        conn.out.append(Outbox::new(buffer, 0));
        conn.out.extend(&rounds.bytes);
        conn.cancel.get_or_insert_default().rounds = Some(rounds);
        conn.begun = false;
        conn.lane.push(ticket, Expect::One);
        request.since = now;
        request.ends_at(conn.queued);
        self.mark_dirty(key, conn);
        true
    }

    /// Whether it was us who had the server end a round, because it should have ended long before.
    pub(super) fn round_was_ended(&self, ticket: Ticket) -> bool {
        let request = self.requests.get(ticket.0);
        request.is_some_and(|it| it.given_up == GivenUp::ByPool)
    }

    /// The next round goes to whichever connection is free: this one may not be before a question about it is answered, or
    /// has a server that is not ready.
    #[cold]
    pub(super) fn begin_anew(
        &mut self,
        conn: &mut Conn,
        pool: &mut Pool,
        ticket: Ticket,
        timers: &mut Timers,
    ) {
        let request = self.requests.get_mut(ticket.0);
        let (Some(rounds), Some(request)) = (conn.take_rounds(), request) else {
            return;
        };
        request.progress = Progress::Waiting;
        request.given_up = GivenUp::No;
        request.since = timers.now();
        self.wait_in_line(conn.pool, pool, ticket, &rounds.bytes, timers);
    }

    /// The wait has ended: it has lasted since its first round.
    #[cold]
    pub(super) fn end_rounds(&mut self, conn: &mut Conn, ticket: Ticket) {
        let request = self.requests.get_mut(ticket.0);
        if let (Some(rounds), Some(request)) = (conn.take_rounds(), request) {
            request.since = rounds.began;
        }
    }
}
