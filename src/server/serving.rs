//! Elements on their way: into a list, out of it, or to a client that has waited for one.
//!
//! A command that pushes does not hand its elements to those who wait. It only signals the key, and whoever has waited longest is
//! served when the command is over, from the list as it is then: so that three elements pushed at once are all there when the
//! first is popped, as in Redis.

use super::blocked::{Pop, Waiting};
use super::keyspace::Side;
use super::refusal::Refusal;
use super::reply::Reply;
use super::state::State;
use crate::time::Time;
use crate::token::Key;

impl State {
    /// A client waits from now on.
    pub(super) fn block<'k>(
        &mut self,
        key: Key,
        db: usize,
        keys: impl Iterator<Item = &'k [u8]>,
        pop: Pop,
        until: Option<Time>,
    ) {
        if let Some(client) = self.clients.get_mut(key) {
            debug_assert!(client.waiting.is_none(), "who waits asks nothing");
            client.waiting = Some(self.blocked.enter(key, db, keys, pop, until));
        }
    }

    /// A client waits no longer, if it did. What it has sent meanwhile is to be executed.
    pub(super) fn unblock(&mut self, key: Key) -> Option<Box<Waiting>> {
        let client = self.clients.get_mut(key)?;
        let waiting = client.waiting.take()?;
        if client.input.is_some() {
            self.unblocked.push_back(key);
        }
        self.blocked.leave(&waiting);
        Some(waiting)
    }

    /// Executes what clients that wait no longer have sent meanwhile, in the order in which their
    /// waits ended. Redis does so after each event, so a session does after each resumption.
    pub(super) fn go_on_unblocked(&mut self) {
        while let Some(key) = self.unblocked.pop_front() {
            self.go_on(key);
            self.woken
                .extend(self.clients.get(key).and_then(|client| client.task));
        }
    }

    /// Answers a client that has waited as long as it wanted to.
    pub(super) fn time_out(&mut self, key: Key) {
        let client = self.clients.get(key);
        let until = client.and_then(|client| client.waiting.as_ref()?.until);
        if until.is_some_and(|until| until <= self.now()) {
            self.answer(key, None);
        }
    }

    /// Ends the wait of a client with this reply. False when it did not wait.
    pub(super) fn answer(&mut self, key: Key, refusal: Option<&Refusal>) -> bool {
        if self.unblock(key).is_none() {
            return false;
        }
        if let Some(client) = self.clients.get_mut(key) {
            match refusal {
                None => client.output.null_array(),
                Some(refusal) => client.output.refusal(refusal),
            }
            self.woken.extend(client.task);
        }
        true
    }

    /// Gives the elements that have come to those who have waited for them.
    pub(super) fn serve_signalled(&mut self) {
        while let Some((db, key)) = self.blocked.next_signalled() {
            while let (Some(client), Ok(Some(_))) =
                (self.blocked.first(db, &key), self.keyspace.list(db, &key))
            {
                self.serve(client, db, &key);
            }
        }
    }

    fn serve(&mut self, client: Key, db: usize, key: &[u8]) {
        let Some(waiting) = self.unblock(client) else {
            return;
        };
        let Some(entry) = self.clients.get_mut(client) else {
            return;
        };
        self.woken.extend(entry.task);
        let mut reply = std::mem::take(&mut entry.output);
        let popped = waiting
            .pop
            .as_ref()
            .map(|pop| self.pop(db, key, pop, &mut reply));
        if let Some(Err(refusal)) = popped {
            reply.refusal(&refusal);
        }
        if let Some(entry) = self.clients.get_mut(client) {
            entry.output = reply;
        }
    }

    /// Pops from a list that is there, as it was asked for, and replies.
    pub(super) fn pop(
        &mut self,
        db: usize,
        key: &[u8],
        pop: &Pop,
        reply: &mut Reply,
    ) -> Result<(), Refusal> {
        match pop {
            Pop::One(side) => {
                let element = self.keyspace.pop(db, key, *side)?.unwrap_or_default();
                reply.array(2);
                reply.bulk(key);
                reply.bulk(element);
            }
            Pop::Many(side, count) => {
                let length = self.keyspace.list(db, key)?.map_or(0, |list| list.len());
                let count = length.min(*count);
                reply.array(2);
                reply.bulk(key);
                reply.array(count);
                self.pop_each(db, key, *side, count, reply)?;
            }
            Pop::Move { from, to, target } => {
                self.keyspace.list(db, target)?;
                let element = self.keyspace.pop(db, key, *from)?.unwrap_or_default();
                reply.bulk(&element);
                self.push(db, target, *to, std::iter::once(element))?;
            }
        }
        Ok(())
    }

    /// Pops `count` elements of a list that has as many.
    pub(super) fn pop_each(
        &mut self,
        db: usize,
        key: &[u8],
        side: Side,
        count: usize,
        reply: &mut Reply,
    ) -> Result<(), Refusal> {
        for _ in 0..count {
            reply.bulk(self.keyspace.pop(db, key, side)?.unwrap_or_default());
        }
        Ok(())
    }

    /// Adds elements to a list; says how long it is now. A list that comes into being is news to those
    /// who wait for it.
    pub(super) fn push(
        &mut self,
        db: usize,
        key: &[u8],
        side: Side,
        elements: impl Iterator<Item = Box<[u8]>>,
    ) -> Result<usize, Refusal> {
        let (length, is_new) = self.keyspace.push(db, key, side, elements)?;
        if is_new {
            self.blocked.signal(db, key);
        }
        Ok(length)
    }
}
