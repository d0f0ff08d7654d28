//! What comes in on a connection: bytes become replies, and replies find their requests.

use super::clients::Clients;
use super::connection::State;
use super::request::Ticket;
use crate::error::{Error, ErrorKind, printable};
use crate::resp::Value;
use crate::timers::Timers;
use crate::token::Key;
use log::trace;

/// How a server that has no room for one more client greets it: with an error that answers nothing.
const NO_ROOM: &[u8] = b"ERR max number of clients reached";

impl Clients {
    /// Takes in bytes that were read on a connection.
    pub(crate) fn received(&mut self, key: Key, mut bytes: &[u8], timers: &mut Timers) {
        loop {
            let Some((conn, pool)) = self.conn_and_pool(key) else {
                return;
            };
            let value = match conn.decoder.decode(&mut bytes, &pool.config.limits) {
                Ok(Some(value)) => value,
                Ok(None) => break,
                Err(error) => return self.ended(key, &error, timers),
            };
            let first = !std::mem::replace(&mut conn.answered, true);
            if first {
                pool.hear(conn.number);
                let pool = conn.pool;
                self.mark_hungry(pool);
            }
            if let Value::Push(_) = value {
                trace!("connection {key:?}: a push frame, for which there is no listener");
            } else if let Err(error) = self.reply(key, value, first, timers) {
                return self.ended(key, &error, timers);
            }
        }
        self.after_replies(key, timers);
    }

    /// Gives one reply to whom it belongs. An error ends the connection.
    fn reply(
        &mut self,
        key: Key,
        value: Value,
        first: bool,
        timers: &mut Timers,
    ) -> Result<(), Error> {
        let Some((conn, _)) = self.conn_and_pool(key) else {
            return Ok(());
        };
        if let (true, Value::Error(text)) = (first, &value) {
            let unasked = conn.written() == 0;
            if unasked || text.as_ref().starts_with(NO_ROOM) {
                let text = printable(text.as_ref());
                let message = format!("the server rejected the connection: {text}");
                self.refused(key, &Error::new(ErrorKind::Connect, message), timers);
                return Ok(());
            }
        }
        match conn.state {
            State::Handshake { .. } => self.greet(key, &value, timers),
            State::Ready => {
                let Some(ticket) = conn.lane.pop() else {
                    let message = format!("a reply that nobody asked for: {value:?}");
                    return Err(Error::new(ErrorKind::Protocol, message));
                };
                let pool = conn.pool;
                self.answer(pool, ticket, value, timers);
            }
            State::Dialing | State::Connecting => {
                return Err(Error::new(
                    ErrorKind::Protocol,
                    "a reply before the connect",
                ));
            }
        }
        Ok(())
    }

    fn answer(&mut self, pool: Key, ticket: Ticket, value: Value, timers: &Timers) {
        let Some(request) = self.requests.get_mut(ticket.0) else {
            if let Some(pool) = self.pools.get_mut(pool) {
                pool.dropped += 1;
            }
            return;
        };
        if request.answer(value, timers.now()) {
            self.pending -= 1;
            self.done.push(ticket);
        }
    }

    /// The server has closed the door before it read anything: nothing was executed, and the others who
    /// wait for a connection would fare no better.
    fn refused(&mut self, key: Key, error: &Error, timers: &mut Timers) {
        let Some((conn, _)) = self.conn_and_pool(key) else {
            return;
        };
        let (pool, shared) = (conn.pool, conn.is_shared());
        if conn.state != State::Ready {
            return self.connect_failed(key, error.clone(), timers);
        }
        while let Some(ticket) = self.conns.get_mut(key).and_then(|conn| conn.lane.pop()) {
            self.finish(ticket, error.clone());
        }
        self.lost(key, error, timers);
        if !shared {
            self.fail_waiting(pool, error, usize::MAX);
        }
    }

    /// Everything that was read has been decoded: a connection whose work is done is free again.
    ///
    /// Not earlier: bytes behind the last reply would be taken for the reply to the next request.
    fn after_replies(&mut self, key: Key, timers: &mut Timers) {
        let Some((conn, _)) = self.conn_and_pool(key) else {
            return;
        };
        if conn.state != State::Ready || conn.idle || !conn.lane.is_empty() {
            return;
        }
        timers.disarm(&mut conn.timer);
        if !conn.is_shared() && !conn.decoder.is_partial() {
            self.release(key, timers);
        }
    }
}
