//! Who waits for which key.
//!
//! A client that waits stands in one queue for each key that it has named, with the same number in
//! each: numbers count up, so that the lowest in a queue has waited longest, and leaving takes a
//! logarithm and no search.
//!
//! A list that comes into being *signals* its key. Signalled keys are looked at when the command that
//! has caused it is over (after all of an `EXEC`), in the order of their signals: the list may be gone
//! again by then, and then nobody is woken. Serving one client can signal the next key: `BLMOVE`
//! pushes.

use super::keyspace::Side;
use crate::time::Time;
use crate::token::Key;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// What a blocked client waits for.
#[derive(Debug)]
pub(super) struct Waiting {
    number: u64,
    pub(super) db: usize,
    keys: Vec<Box<[u8]>>,
    /// `None` if the client is postponed: it waits for the end of a pause.
    pub(super) pop: Option<Pop>,
    /// `None` is for ever.
    pub(super) until: Option<Time>,
}

/// What is to be done with the first of several keys that has a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pop {
    /// One element, told with its key: `BRPOP`.
    One(Side),
    /// Several at most, told with their key: `BLMPOP`.
    Many(Side, usize),
    /// One element moves to another list: `BLMOVE`.
    Move {
        from: Side,
        to: Side,
        target: Box<[u8]>,
    },
}

/// The queues of all keys that somebody waits for.
#[derive(Debug)]
pub(super) struct Blocked {
    databases: Vec<HashMap<Box<[u8]>, Queue>>,
    signalled: VecDeque<(usize, Box<[u8]>)>,
    postponed: BTreeMap<u64, Key>,
    next_number: u64,
    count: usize,
}

#[derive(Debug, Default)]
struct Queue {
    clients: BTreeMap<u64, Key>,
    is_signalled: bool,
}

impl Blocked {
    pub(super) fn new(databases: usize) -> Blocked {
        Blocked {
            databases: (0..databases).map(|_| HashMap::new()).collect(),
            signalled: VecDeque::new(),
            postponed: BTreeMap::new(),
            next_number: 0,
            count: 0,
        }
    }

    /// How many clients wait.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// A client queues up. What is returned is to be kept, and given back to [`leave`](Blocked::leave).
    pub(super) fn enter<'k>(
        &mut self,
        client: Key,
        db: usize,
        keys: impl Iterator<Item = &'k [u8]>,
        pop: Pop,
        until: Option<Time>,
    ) -> Box<Waiting> {
        let number = self.number();
        let keys: Vec<Box<[u8]>> = keys.map(Box::from).collect();
        for key in &keys {
            let queue = self.databases[db].entry(key.clone()).or_default();
            queue.clients.insert(number, client);
        }
        Box::new(Waiting {
            number,
            db,
            keys,
            pop: Some(pop),
            until,
        })
    }

    /// Adds a client whose command a pause postpones. Returns what [`enter`](Blocked::enter) does.
    pub(super) fn postpone(&mut self, client: Key) -> Box<Waiting> {
        let number = self.number();
        self.postponed.insert(number, client);
        Box::new(Waiting {
            number,
            db: 0,
            keys: Vec::new(),
            pop: None,
            until: None,
        })
    }

    /// Returns the postponed clients, the longest postponed first.
    pub(super) fn postponed(&self) -> Vec<Key> {
        self.postponed.values().copied().collect()
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.count += 1;
        self.next_number
    }

    /// A client waits no longer.
    pub(super) fn leave(&mut self, waiting: &Waiting) {
        self.count -= 1;
        if waiting.pop.is_none() {
            self.postponed.remove(&waiting.number);
        }
        let queues = &mut self.databases[waiting.db];
        for key in &waiting.keys {
            let Some(queue) = queues.get_mut(key) else {
                continue;
            };
            queue.clients.remove(&waiting.number);
            if queue.clients.is_empty() {
                queues.remove(key);
            }
        }
    }

    /// There is a list at this key now.
    pub(super) fn signal(&mut self, db: usize, key: &[u8]) {
        if self.count == 0 {
            return;
        }
        if let Some(queue) = self.databases[db].get_mut(key) {
            if !std::mem::replace(&mut queue.is_signalled, true) {
                self.signalled.push_back((db, key.into()));
            }
        }
    }

    /// The key that was signalled first. From now on it may be signalled again.
    pub(super) fn next_signalled(&mut self) -> Option<(usize, Box<[u8]>)> {
        let (db, key) = self.signalled.pop_front()?;
        if let Some(queue) = self.databases[db].get_mut(&key) {
            queue.is_signalled = false;
        }
        Some((db, key))
    }

    /// Who has waited longest for a key.
    pub(super) fn first(&self, db: usize, key: &[u8]) -> Option<Key> {
        let queue = self.databases[db].get(key)?;
        queue.clients.values().next().copied()
    }
}
