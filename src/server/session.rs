//! One connection of the server: a task that reads, has the bytes executed, and writes.
//!
//! ```text
//!              ┌───────── readable ◄──────────┐
//!              ▼                              │ nothing to send
//!    read ─► execute ─► write what is answered┤ output left: readable or writable
//!                ▲                            │ commands left: once all others have run
//!                │                            │ blocked: readable, until the timeout of the pop
//!                │                            │ to be closed: writable, until patience ends
//!                └── notified (answered, or  ─┘
//!                    unblocked, or killed
//!                    by somebody else)
//! ```
//!
//! Who is blocked is still read, for the end of the stream is the news that it will not take anything.

use super::clients::{Client, End};
use super::state::{Shared, State};
use crate::error::Result;
use crate::hub::{Hub, Stream, Task, Wait, Wake};
use crate::time::secs;
use crate::token::Key;
use std::time::Duration;

/// How long a peer that is to be closed has to read what it was answered.
const LAST_WORDS: Duration = secs(5);

#[derive(Debug)]
pub(super) struct Session {
    server: Shared,
    client: Key,
    stream: Stream,
    /// True if the last wait ends with the patience for a peer that is to be closed.
    is_closing: bool,
}

/// The peer is gone, or is to go.
struct Gone;

impl Session {
    pub(super) fn new(server: Shared, client: Key, stream: Stream) -> Session {
        Session {
            server,
            client,
            stream,
            is_closing: false,
        }
    }

    /// Takes what the peer has sent, and has it executed; false when there is nothing.
    fn read(&self, hub: &mut Hub, state: &mut State) -> Result<bool, Gone> {
        let mut buffer = state.take_buffer();
        let read = hub.read(self.stream, &mut buffer);
        if let Ok(Some(count @ 1..)) = read {
            state.receive(self.client, &buffer[..count]);
        }
        state.buffer = buffer;
        match read {
            // It may still read: an element that it was given a moment ago is not to be lost.
            Ok(Some(0)) => state.end(self.client, End::AfterReply),
            Ok(_) => {}
            Err(_) => return Err(Gone),
        }
        Ok(matches!(read, Ok(Some(_))))
    }

    /// Writes what fits. Who is to go at once is not even told what it was answered, as in Redis.
    fn write(&self, hub: &mut Hub, state: &mut State) -> Result<(), Gone> {
        let client = state.clients.get_mut(self.client).ok_or(Gone)?;
        if client.end == End::Now {
            return Err(Gone);
        }
        if !client.output.is_empty() {
            let written = hub.write(self.stream, client.output.unsent());
            client.output.sent(written.map_err(|_| Gone)?.unwrap_or(0));
        }
        state.check_output(self.client);
        Ok(())
    }

    /// Does what can be done now, and says what to wait for.
    fn advance(&mut self, hub: &mut Hub, state: &mut State, wake: &Wake) -> Result<Wait, Gone> {
        let end = state.clients.get(self.client).ok_or(Gone)?.end;
        // Whatever has woken it: a peer that goes on sending is ready again before any deadline.
        state.time_out(self.client);
        let has_read = match (wake, end) {
            (Wake::Killed, _) | (_, End::Now) => return Err(Gone),
            (Wake::Deadline, _) if self.is_closing => return Err(Gone),
            (Wake::Start | Wake::Ready, End::Open) => self.read(hub, state)?,
            _ => false,
        };
        if !has_read {
            state.go_on(self.client);
        }
        self.write(hub, state)?;
        let client = state.clients.get(self.client).ok_or(Gone)?;
        self.next_wait(client, state)
    }

    fn next_wait(&mut self, client: &Client, state: &State) -> Result<Wait, Gone> {
        let all_sent = client.output.is_empty();
        let wait = match client.end {
            End::Now => return Err(Gone),
            End::AfterReply if all_sent => return Err(Gone),
            End::AfterReply => {
                self.is_closing = true;
                return Ok(Wait::writable(self.stream).within(LAST_WORDS));
            }
            // Zero: all others that are ready go first.
            End::Open if client.is_behind && all_sent => return Ok(Wait::sleep(Duration::ZERO)),
            End::Open if all_sent => Wait::readable(self.stream),
            End::Open => Wait::readable_or_writable(self.stream),
        };
        let until = client
            .waiting
            .as_ref()
            .and_then(|waiting| match waiting.pop {
                Some(_) => waiting.until,
                None => state.pause.map(|(_, until)| until),
            });
        Ok(until.map_or(wait, |until| wait.within(until.since(state.now()))))
    }
}

impl Task for Session {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        let server = self.server.clone();
        let mut state = server.borrow_mut();
        state.keyspace.now = hub.now();
        state.end_what_is_over();
        state.go_on_unblocked();
        let wait = self.advance(hub, &mut state, &wake);
        state.go_on_unblocked();
        for task in state.woken.drain(..) {
            hub.notify(task);
        }
        Ok(wait.unwrap_or(Wait::done()))
    }
}

impl Drop for Session {
    /// However the task has ended, nobody waits in its name any more.
    fn drop(&mut self) {
        if let Ok(mut state) = self.server.try_borrow_mut() {
            state.disconnect(self.client);
        }
    }
}
