//! The client's input and output: what a turn reads, connects, writes and delivers for `client/`.

use super::Hub;
use super::task::Event as WaitEvent;
use super::tasks::Why;
use crate::driver::{Connect, Endpoint, Event, Socket, is_not_yet};
use crate::error::{Error, ErrorKind};
use crate::time::ms;
use crate::token::{Key, Owner};
use std::io;
use std::time::Duration;

/// Reads of one connection in a turn: 512 KiB, about 0.1 ms of copying. The rest waits for the next
/// turn.
pub(super) const READS_PER_CONNECTION_MAX: usize = 4;

/// Bytes written to one connection in a turn. One large command must not hold up ten thousand small
/// ones.
pub(super) const WRITE_BYTES_MAX: usize = 256 * 1024;

/// Connections written to in a turn. A write of a small command takes 5 to 10 µs, nearly all in the
/// kernel.
pub(super) const FLUSHES_PER_TURN_MAX: usize = 128;

/// Connects started in a turn. One takes 30 to 50 µs, since on loopback the kernel does the server's
/// half as well: 1 to 1.6 ms in all.
pub(super) const DIALS_PER_TURN_MAX: usize = 32;

/// But it takes a hundred times as long where tens of thousands of local ports are still taken
/// (`TIME_WAIT`), and the kernel has to search for a free one. So connecting stops when a timer is due,
/// or after this long.
pub(super) const DIALING_MAX: Duration = ms(50);

impl Hub {
    pub(super) fn conn_event(&mut self, key: Key, event: &Event) {
        if event.ended && self.clients.is_connecting(key) {
            // The event may be spurious: the socket knows.
            match self.driver.connected(event.socket) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return self.clients.on_connect_error(key, error, &mut self.timers),
            }
        }
        if event.writable {
            self.clients.on_writable(key, &mut self.timers);
        }
        if event.readable {
            self.read_conn(key, event.socket, event.ended);
        }
    }

    /// Reads until the socket is drained, its end is seen, or its budget for this turn is used up.
    pub(super) fn read_conn(&mut self, key: Key, socket: Socket, ended: bool) {
        for _ in 0..READS_PER_CONNECTION_MAX {
            match self.driver.read(socket, &mut self.buffer) {
                Ok(0) => {
                    let error = Error::new(ErrorKind::Closed, "the server closed the connection");
                    return self.clients.on_closed(key, &error, &mut self.timers);
                }
                Ok(count) => {
                    let bytes = &self.buffer[..count];
                    if !self.clients.on_bytes(key, bytes, ended, &mut self.timers) {
                        return;
                    }
                    if count < self.buffer.len() && !ended {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if ended {
                        // It was not the end: another request may have the connection.
                        self.clients.on_bytes(key, &[], false, &mut self.timers);
                    }
                    return;
                }
                Err(error) => {
                    let error = Error::io(ErrorKind::Closed, "the connection was lost", error);
                    return self.clients.on_closed(key, &error, &mut self.timers);
                }
            }
        }
        match self.unread.iter_mut().find(|(unread, _)| *unread == key) {
            Some((_, known)) => *known |= ended,
            None => self.unread.push((key, ended)),
        }
    }

    /// The clock is read again here, as by the watchdog: not to tell the time, but to keep a budget.
    pub(super) fn start_connects(&mut self) {
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
        let Some(dial) = self.clients.poll_dial(&mut self.timers) else {
            return false;
        };
        let (key, keepalive) = (dial.conn, dial.keepalive);
        let mut connect = self
            .driver
            .connect(dial.endpoint, Owner::Conn(key), dial.first);
        if let Ok(Connect::Done(socket, _) | Connect::Started(socket)) = connect {
            if dial.no_delay {
                // Without it the connection works, only slower.
                let _ = self.driver.no_delay(socket);
            }
            if dial.checks_self && is_self(&self.driver.local(socket), dial.endpoint) {
                self.closing.push(socket);
                connect = Err(io::Error::other("it is connected to itself"));
            } else if let (true, Some(idle)) = (cfg!(feature = "keepalive"), keepalive) {
                // Without it a peer that vanishes is noticed later, or not at all, as without the
                // feature.
                let _ = self.driver.keepalive(socket, idle);
            }
        }
        self.clients.on_dialed(key, connect, &mut self.timers);
        true
    }

    /// Writes once to each connection that has something to send.
    pub(super) fn flush(&mut self) {
        for _ in 0..self.clients.writes().min(FLUSHES_PER_TURN_MAX) {
            let Some((key, socket, bytes)) = self.clients.poll_write() else {
                return;
            };
            let offered = bytes.len().min(WRITE_BYTES_MAX);
            match self.driver.write(socket, &bytes[..offered]) {
                Ok(count) => self.clients.on_written(key, count, count == offered),
                Err(error) if is_not_yet(&error) => {}
                Err(error) => self.write_failed(key, socket, error),
            }
        }
    }

    /// A write failed, but a reply may have come before the connection broke: it is read first.
    fn write_failed(&mut self, key: Key, socket: Socket, error: io::Error) {
        // Also to a handshake: a server that has no room says so before it reads.
        if !self.clients.is_connecting(key) {
            self.read_conn(key, socket, true);
        }
        let error = Error::io(ErrorKind::Closed, "the connection was lost", error);
        self.clients.on_closed(key, &error, &mut self.timers);
    }

    /// Wakes the tasks whose requests have ended.
    pub(super) fn deliver_replies(&mut self) {
        while self.clients.has_completed() {
            let mut completed = self.clients.take_completed();
            for (task, ticket) in completed.drain(..) {
                self.wake_from(task, WaitEvent::Reply(ticket), Why::Reply(ticket));
            }
            self.clients.put_completed(completed);
        }
        self.deliver_undelivered();
    }
}

/// True if a socket is connected to its own address: TCP allows it where a client dials a free port
/// of its own machine.
fn is_self(local: &io::Result<Endpoint>, peer: &Endpoint) -> bool {
    matches!((local, peer), (Ok(Endpoint::Tcp(local)), Endpoint::Tcp(peer)) if local == peer)
}
