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

use super::{Hub, Result};
use crate::error::{Error, ErrorKind};
use crate::time::{Time, ms};
use crate::token::Owner;
use log::trace;
use std::time::Duration;

/// Resumptions in a turn. A task that asks something takes about 0.5 µs.
const TASKS_PER_TURN_MAX: usize = 1024;

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
        self.deliver_replies();
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
                Owner::Conn(_) | Owner::Pool(_) if puts_off => {
                    self.clients.postpone(owner, PUT_OFF, &mut self.timers);
                }
                Owner::Conn(key) => self.clients.on_conn_timer(key, &mut self.timers),
                Owner::Pool(key) => self.clients.on_client_timer(key, &mut self.timers),
            }
        }
        self.due = due;
        self.deliver_replies();
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
        self.flush();
        // What has ended meanwhile may end connections.
        self.deliver_replies();
        self.clients.finish_closing(&mut self.timers);
        self.deliver_replies();
        for socket in self.closing.drain(..).chain(self.clients.poll_close()) {
            self.driver.close(socket);
        }
        trace!(
            "turn {}: {} in line",
            self.stats.turns,
            self.tasks.in_line()
        );
        self.tell_turn_end();
    }
}

#[cfg(test)]
mod tests {
    use super::super::client_io::*;
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
