//! One turn of the hub, in seven phases.
//!
//! 1. **Timeout**: zero if there is work left, else until the wheel's next timer is due, else for ever.
//! 2. **Poll**: the only blocking call.
//! 3. **Clock**: `now` is read once.
//! 4. **Sockets**: who was notified from other threads is told; sockets are read to the end, bytes
//!    decoded; replies are collected, no user code runs.
//! 5. **Timers**: due entries are collected, no user code runs.
//! 6. **Tasks**: those in line are resumed, up to a budget; the rest keep their place.
//! 7. **Flush and reap**: connects are started, each connection that has something to send is written
//!    to once, and what asked to be closed is closed.
//!
//! Collect, then call: while the tables of the hub change, in phases 4 and 5, no task runs; while tasks
//! run, in phase 6, nothing changes but by their own calls, and what must not happen at once waits for
//! phase 7. Sockets come before timers, so that a reply that has arrived wins over its own deadline.
//!
//! The budgets keep a turn to a few milliseconds, and with it the lateness of every timer, when ten
//! thousand connections are opened or answered at once. (Hundreds of connections that all move
//! megabytes take longer.)

use super::task::Event as WaitEvent;
use super::tasks::Why;
use super::{Hub, Result};
use crate::conn::State;
use crate::driver::{Connect, Event, Socket, is_not_yet};
use crate::error::{Error, ErrorKind};
use crate::time::{Time, ms};
use crate::token::{Key, Owner};
use log::trace;
use std::io;
use std::time::Duration;

/// Reads of one connection in a turn: 512 KiB, about 0.1 ms of copying. The rest waits for the next
/// turn.
const READS_PER_CONNECTION_MAX: usize = 4;

/// Bytes written to one connection in a turn. One large command must not hold up ten thousand small
/// ones.
const WRITE_BYTES_MAX: usize = 256 * 1024;

/// Resumptions in a turn. A task that asks something takes about 0.5 µs.
const TASKS_PER_TURN_MAX: usize = 1024;

/// Connections written to in a turn. A write of a small command takes 5 to 10 µs, nearly all in the
/// kernel.
const FLUSHES_PER_TURN_MAX: usize = 128;

/// Connects started in a turn. One takes 30 to 50 µs, since on loopback the kernel does the server's
/// half as well: 1 to 1.6 ms in all.
const DIALS_PER_TURN_MAX: usize = 32;

/// But it takes a hundred times as long where tens of thousands of local ports are still taken
/// (`TIME_WAIT`), and the kernel has to search for a free one. So connecting stops when a timer is due,
/// or after this long.
const DIALING_MAX: Duration = ms(50);

/// Deadlines of what comes from the network are put off, by so much, while it has not been looked at as it should: when a poll
/// has brought a full batch, what they wait for may be in the next one; when a turn was longer than this, what its tasks have
/// asked left late, and the server has had no time.
const PUT_OFF: Duration = ms(1);

/// But no more than so many full batches in a row, or a busy hub would never notice a dead connection. And for a long turn only
/// once, or nobody would be told anything beside tasks that compute all the time.
const FULL_POLLS_MAX: u32 = 64;

/// A simulated hub may look at so many of its tasks after each turn, and at one more for each event: with fewer,
/// it looks at all of them every time; with ten thousand, at all of them every few turns.
pub(super) const VERIFIED_PER_TURN: u64 = 512;

impl Hub {
    /// Makes one turn; for ever, if nothing is left that could end its poll. [`run`](Hub::run),
    /// [`wait`](Hub::wait) and their like call it; call it yourself only to embed the hub in a loop of
    /// your own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misuse`] from inside a task, [`ErrorKind::Io`] when the kernel's poll fails.
    pub fn turn(&mut self) -> Result<()> {
        self.refuse_inside_task("turn")?;
        let timeout = self.timeout(); // 1
        self.poll(timeout)?; // 2
        self.read_clock(); // 3
        self.in_turn = true;
        self.sockets(); // 4
        self.timers(); // 5
        self.resume_tasks(); // 6
        self.flush_and_reap(); // 7
        self.in_turn = false;
        if self.is_simulated {
            self.must_be_well();
        }
        Ok(())
    }

    /// Verifies everything, if the turns since the last time have paid for it.
    fn must_be_well(&mut self) {
        let paid = self.stats.events + self.stats.turns * VERIFIED_PER_TURN;
        if paid - self.verified < self.tasks.len() as u64 {
            return;
        }
        self.verified = paid;
        if let Err(what) = self.verify() {
            panic!("turn {}: {what}", self.stats.turns);
        }
    }

    /// Phase 1. The time of the last turn is over: its tasks have taken some, and the hub must not sleep for it once more.
    fn timeout(&mut self) -> Option<Duration> {
        let now = self.look_at_clock();
        if self.tasks.in_line() > 0 || self.has_work() {
            return Some(Duration::ZERO);
        }
        let until = self.timers.next_wake()?;
        Some(until.since(now))
    }

    /// What time it is, and not only for the turn; notes whether that has gone on for too long.
    pub(super) fn look_at_clock(&mut self) -> Time {
        let now = self.driver.now();
        self.was_long |= now.since(self.timers.now()) > PUT_OFF;
        now
    }

    /// Whether a turn has something to do without any event.
    pub(super) fn has_work(&self) -> bool {
        !self.unread.is_empty() || !self.closing.is_empty() || self.clients.has_work()
    }

    /// Phase 2.
    fn poll(&mut self, timeout: Option<Duration>) -> Result<()> {
        self.tell_sleep(timeout);
        self.stats.turns += 1;
        self.stats.polls += 1;
        let polled = self
            .driver
            .poll(timeout, &mut self.events)
            .map_err(|error| Error::io(ErrorKind::Io, "the kernel's poll failed", error))?;
        self.stats.events += self.events.len() as u64;
        self.stats.stale_events += polled.stale as u64;
        let was_long = std::mem::take(&mut self.was_long);
        self.put_offs = match polled.full {
            true => self.put_offs + 1,
            false => u32::from(was_long && self.put_offs == 0),
        };
        Ok(())
    }

    /// Phase 3.
    fn read_clock(&mut self) {
        self.timers.set_now(self.driver.now());
    }

    /// Phase 4.
    fn sockets(&mut self) {
        self.tell_turn();
        self.open_mailbox();
        let mut events = std::mem::take(&mut self.events);
        for (conn, ended) in std::mem::take(&mut self.unread) {
            if let Some(socket) = self.clients.socket(conn) {
                self.read_conn(conn, socket, ended);
            }
        }
        for event in events.drain(..) {
            match event.owner {
                Owner::Conn(key) => self.conn_event(key, &event),
                Owner::Port(key) => self.port_event(key, &event),
                // Neither has a socket.
                Owner::Task(_) | Owner::Pool(_) => {}
            }
        }
        self.events = events;
        self.hand_out_replies();
    }

    fn conn_event(&mut self, key: Key, event: &Event) {
        if event.ended && self.clients.state(key) == Some(State::Connecting) {
            // The event may be spurious: the socket knows.
            match self.driver.connected(event.socket) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return self.clients.connect_refused(key, error, &mut self.timers),
            }
        }
        if event.writable {
            self.clients.writable(key, &mut self.timers);
        }
        if event.readable {
            self.read_conn(key, event.socket, event.ended);
        }
    }

    /// Reads until the socket is drained, its end is seen, or its budget for this turn is used up.
    fn read_conn(&mut self, key: Key, socket: Socket, ended: bool) {
        for _ in 0..READS_PER_CONNECTION_MAX {
            match self.driver.read(socket, &mut self.buffer) {
                Ok(0) => {
                    let error = Error::new(ErrorKind::Closed, "the server closed the connection");
                    return self.clients.ended(key, &error, &mut self.timers);
                }
                Ok(count) => {
                    let bytes = &self.buffer[..count];
                    if !self.clients.received(key, bytes, ended, &mut self.timers) {
                        return;
                    }
                    if count < self.buffer.len() && !ended {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if ended {
                        // It was not the end: whoever waits may have the connection.
                        self.clients.received(key, &[], false, &mut self.timers);
                    }
                    return;
                }
                Err(error) => {
                    let error = Error::io(ErrorKind::Closed, "the connection was lost", error);
                    return self.clients.ended(key, &error, &mut self.timers);
                }
            }
        }
        match self.unread.iter_mut().find(|(unread, _)| *unread == key) {
            Some((_, known)) => *known |= ended,
            None => self.unread.push((key, ended)),
        }
    }

    /// Phase 5.
    fn timers(&mut self) {
        let mut due = std::mem::take(&mut self.due);
        self.timers.expire(&mut due);
        let puts_off = (1..=FULL_POLLS_MAX).contains(&self.put_offs);
        for owner in due.drain(..) {
            if self.is_observed {
                self.tell_fired(owner);
            }
            match owner {
                // It has no timer: whoever waits for it has.
                Owner::Port(_) => {}
                Owner::Task(key) if puts_off && self.waits_for_io(key) => {
                    self.task_due_later(key, PUT_OFF);
                }
                Owner::Task(key) => self.task_due(key),
                Owner::Conn(key) if puts_off => {
                    self.clients.conn_due_later(key, PUT_OFF, &mut self.timers);
                }
                Owner::Conn(key) => self.clients.conn_due(key, &mut self.timers),
                Owner::Pool(key) if puts_off => {
                    self.clients.pool_due_later(key, PUT_OFF, &mut self.timers);
                }
                Owner::Pool(key) => self.clients.pool_due(key, &mut self.timers),
            }
        }
        self.due = due;
        self.hand_out_replies();
    }

    /// Phase 6. Tasks that become ready meanwhile wait for the next turn.
    fn resume_tasks(&mut self) {
        let mut count = self.tasks.in_line().min(TASKS_PER_TURN_MAX);
        if count > 0 {
            self.start_watching();
        }
        while count > 0 {
            let batch = self.next_batch().min(count);
            for _ in 0..batch {
                let Some((key, why)) = self.tasks.next_in_line() else {
                    break;
                };
                self.resume(key, why);
            }
            self.end_batch();
            count -= batch;
        }
    }

    /// Phase 7.
    fn flush_and_reap(&mut self) {
        self.start_connects();
        for _ in 0..self.clients.dirty().min(FLUSHES_PER_TURN_MAX) {
            let Some(key) = self.clients.next_dirty() else {
                break;
            };
            self.flush(key);
        }
        // What has ended meanwhile may end connections.
        self.hand_out_replies();
        self.clients.finish_closing(&mut self.timers);
        self.hand_out_replies();
        for socket in self.closing.drain(..).chain(self.clients.closing()) {
            self.driver.close(socket);
        }
        trace!(
            "turn {}: {} in line",
            self.stats.turns,
            self.tasks.in_line()
        );
        self.tell_turn_end();
    }

    /// The clock is read again here, as by the watchdog: not to tell the time, but to keep a budget.
    fn start_connects(&mut self) {
        let longest = self.timers.now() + DIALING_MAX;
        let until = self.timers.next_wake().unwrap_or(longest).min(longest);
        for _ in 0..DIALS_PER_TURN_MAX {
            if !self.dial() || self.driver.now() >= until {
                return;
            }
        }
    }

    /// Starts one connect; false when there is none to be started now.
    fn dial(&mut self) -> bool {
        let Some(dial) = self.clients.next_dial(&mut self.timers) else {
            return false;
        };
        let Some((endpoint, first)) = self.clients.what_to_dial(dial) else {
            return false;
        };
        let owner = Owner::Conn(dial.conn);
        let (socket, written) = match self.driver.connect(endpoint, owner, first) {
            Ok(Connect::Done(socket, written)) => (socket, Some(written)),
            Ok(Connect::Started(socket)) => (socket, None),
            Err(error) => {
                self.clients.dial_failed(dial.conn, error, &mut self.timers);
                return true;
            }
        };
        if dial.shared {
            // Without it the connection works, only slower.
            let _ = self.driver.no_delay(socket);
        }
        if cfg!(feature = "keepalive") {
            self.keep_alive(dial.pool, socket);
        }
        let timers = &mut self.timers;
        self.clients.dialed(dial.conn, socket, written, timers);
        true
    }

    fn keep_alive(&self, pool: Key, socket: Socket) {
        let pool = self.clients.pool(pool);
        if let Some(idle) = pool.and_then(|pool| pool.config.keepalive) {
            // Without it a peer that vanishes is noticed later, or not at all, as without the feature.
            let _ = self.driver.keepalive(socket, idle);
        }
    }

    fn flush(&mut self, key: Key) {
        let Some((socket, bytes)) = self.clients.start_flush(key) else {
            return;
        };
        if bytes.is_empty() {
            return;
        }
        let offered = bytes.len().min(WRITE_BYTES_MAX);
        match self.driver.write(socket, &bytes[..offered]) {
            Ok(count) => self.clients.wrote(key, count, count == offered),
            Err(error) if is_not_yet(&error) => {}
            Err(error) => self.write_failed(key, socket, error),
        }
    }

    /// A write failed, but a reply may have come before the connection broke: it is read first.
    fn write_failed(&mut self, key: Key, socket: Socket, error: io::Error) {
        // Also to a handshake: a server that has no room says so before it reads.
        if self.clients.state(key) != Some(State::Connecting) {
            self.read_conn(key, socket, true);
        }
        let error = Error::io(ErrorKind::Closed, "the connection was lost", error);
        self.clients.ended(key, &error, &mut self.timers);
    }

    /// Wakes those whose requests have ended.
    fn hand_out_replies(&mut self) {
        // What is done for nobody may end other requests.
        while self.clients.has_done() {
            let mut done = self.clients.take_done();
            for (task, ticket) in done.drain(..) {
                if task == self.nobody {
                    self.clients.nobody_waits(ticket, &mut self.timers);
                } else {
                    self.wake_from(task, WaitEvent::Reply(ticket), Why::Reply(ticket));
                }
            }
            self.clients.put_done(done);
            self.name_connections();
        }
        self.hand_out_late();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::EVENTS_PER_POLL_MAX;
    use crate::hub::READ_BYTES;

    #[test]
    fn the_document_has_the_budgets_of_the_code() {
        let document = include_str!("../../docs/turn.md");
        let rows = [
            format!("(`EVENTS_PER_POLL_MAX`) | {EVENTS_PER_POLL_MAX} |"),
            format!(
                "(`READS_PER_CONNECTION_MAX`) | {READS_PER_CONNECTION_MAX} of {} KiB |",
                READ_BYTES / 1024
            ),
            format!("(`WRITE_BYTES_MAX`) | {} KiB |", WRITE_BYTES_MAX / 1024),
            format!("(`TASKS_PER_TURN_MAX`) | {TASKS_PER_TURN_MAX} |"),
            format!("(`FLUSHES_PER_TURN_MAX`) | {FLUSHES_PER_TURN_MAX} |"),
            format!(
                "`DIALING_MAX`) | {DIALS_PER_TURN_MAX}, or until a timer is due, or for {} ms |",
                DIALING_MAX.as_millis()
            ),
        ];
        for row in rows {
            assert!(document.contains(&row), "docs/turn.md lacks: {row}");
        }
    }
}
