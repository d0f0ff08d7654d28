//! Ports: what the hub knows of each stream and listener, whose it is, and who waits for it.
//!
//! The ports of one task are a list through the ports themselves, and its head is in the task's slot: most tasks have none, and
//! one that has some needs no memory of its own for them.

use super::port::Port;
use super::task::{Direction, Event};
use super::tasks::Why;
use super::{Hub, Result};
use crate::driver::{self, Socket};
use crate::error::{Error, ErrorKind};
use crate::token::{Key, Owner};
use std::io;

impl Hub {
    pub(super) fn port(&self, key: Key) -> Result<&Port> {
        self.ports
            .get(key)
            .ok_or_else(|| closed("the stream is closed"))
    }

    pub(super) fn port_mut(&mut self, key: Key) -> Result<&mut Port> {
        self.ports
            .get_mut(key)
            .ok_or_else(|| closed("the stream is closed"))
    }

    /// Makes a port of whatever socket `open` returns, owned by the task that runs. `open` also says
    /// whether the socket is writable from the start.
    pub(super) fn add_port(
        &mut self,
        open: impl FnOnce(&mut dyn driver::Driver, Owner) -> io::Result<(Socket, bool)>,
    ) -> io::Result<Key> {
        // The driver wants to know the owner before there is a port to name.
        let nobody = Owner::Port(self.nobody);
        let (socket, writable) = open(&mut *self.driver, nobody)?;
        let task = self.running.unwrap_or(self.main);
        let key = self.ports.insert(Port {
            socket,
            task,
            next: None,
            readable: true,
            writable,
            ended: false,
            waiters: Vec::new(),
        });
        self.driver.set_owner(socket, Owner::Port(key));
        self.link(key, task);
        Ok(key)
    }

    /// Makes a port belong to another task.
    pub(super) fn move_port(&mut self, key: Key, to: Key) -> Result<()> {
        let from = self.port(key)?.task;
        self.unlink(key, from);
        self.link(key, to);
        Ok(())
    }

    pub(super) fn close_port(&mut self, key: Key) {
        let Some(task) = self.ports.get(key).map(|port| port.task) else {
            return;
        };
        self.unlink(key, task);
        let Some(port) = self.ports.remove(key) else {
            return;
        };
        self.closing.push(port.socket);
        self.wake_waiters(key, port.waiters);
    }

    /// Closes what a task that has ended still owns.
    pub(super) fn close_ports_of(&mut self, mut first: Option<Key>) {
        while let Some(key) = first {
            let Some(port) = self.ports.remove(key) else {
                return;
            };
            self.closing.push(port.socket);
            self.wake_waiters(key, port.waiters);
            first = port.next;
        }
    }

    /// Puts a port in front of a task's list.
    fn link(&mut self, key: Key, task: Key) {
        let slot = self.tasks.get_mut(task);
        let next = slot.and_then(|slot| slot.port.replace(key));
        if let Some(port) = self.ports.get_mut(key) {
            (port.task, port.next) = (task, next);
        }
    }

    /// Takes a port out of its task's list.
    fn unlink(&mut self, key: Key, task: Key) {
        let Some(slot) = self.tasks.get_mut(task) else {
            return;
        };
        let after = self.ports.get(key).and_then(|port| port.next);
        if slot.port == Some(key) {
            slot.port = after;
            return;
        }
        let mut at = slot.port;
        while let Some(port) = at.and_then(|at| self.ports.get_mut(at)) {
            if port.next == Some(key) {
                port.next = after;
                return;
            }
            at = port.next;
        }
    }

    /// The kernel has reported an edge.
    pub(super) fn port_event(&mut self, key: Key, event: &driver::Event) {
        let Some(port) = self.ports.get_mut(key) else {
            return;
        };
        port.readable |= event.readable;
        port.writable |= event.writable || event.ended;
        port.ended |= event.ended;
        let (readable, writable) = (port.readable, port.writable);
        let waiters = std::mem::take(&mut port.waiters);
        let is_ready = |(_, direction): &(Key, Direction)| direction.is(readable, writable);
        let (ready, waiting) = waiters.into_iter().partition(is_ready);
        port.waiters = waiting;
        self.wake_waiters(key, ready);
    }

    /// Whether a wait for this port would end at once. If not, `task` is told when it would.
    pub(super) fn port_is_ready(&mut self, key: Key, direction: Direction, task: Key) -> bool {
        let Some(port) = self.ports.get_mut(key) else {
            return true;
        };
        if direction.is(port.readable, port.writable) {
            return true;
        }
        port.waiters.retain(|&(waiter, _)| waiter != task);
        port.waiters.push((task, direction));
        false
    }

    fn wake_waiters(&mut self, key: Key, waiters: Vec<(Key, Direction)>) {
        for (task, _) in waiters {
            let waits_here = match self.tasks.waits_for(task) {
                Some(Event::Stream(stream, _)) => stream.key() == key,
                Some(Event::Accept(listener)) => listener.key() == key,
                _ => false,
            };
            if waits_here {
                self.wake(task, Why::Ready);
            }
        }
    }
}

pub(super) fn closed(what: &str) -> Error {
    Error::new(ErrorKind::Misuse, what)
}
