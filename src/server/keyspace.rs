//! The data: numbered databases of keys, each with a string or a list.
//!
//! There is no empty list: a key goes with its last element. A key that has run out is removed when
//! somebody asks for it; until then it only takes room.

use super::refusal::Refusal;
use crate::time::Time;
use std::collections::{HashMap, VecDeque};

/// As many as Redis has unless told otherwise.
pub(super) const DATABASES: usize = 16;

pub(super) type List = VecDeque<Box<[u8]>>;

#[derive(Debug)]
pub(super) enum Value {
    Text(Box<[u8]>),
    List(List),
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) value: Value,
    /// When the key runs out.
    pub(super) expires: Option<Time>,
}

/// Either end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

#[derive(Debug)]
pub(super) struct Keyspace {
    databases: Vec<HashMap<Box<[u8]>, Entry>>,
    /// Whether any key was ever made to run out. As long as none was, no lookup needs to look twice.
    any_expires: bool,
    /// The time, as the turn has it.
    pub(super) now: Time,
}

impl Keyspace {
    pub(super) fn new(now: Time) -> Keyspace {
        let databases = (0..DATABASES).map(|_| HashMap::new()).collect();
        Keyspace {
            databases,
            any_expires: false,
            now,
        }
    }

    /// The entry of a key that has not run out.
    pub(super) fn entry(&mut self, db: usize, key: &[u8]) -> Option<&mut Entry> {
        let now = self.now;
        let entries = &mut self.databases[db];
        let has_run_out = |entry: &Entry| entry.expires.is_some_and(|at| at <= now);
        if self.any_expires && entries.get(key).is_some_and(has_run_out) {
            entries.remove(key);
        }
        entries.get_mut(key)
    }

    pub(super) fn text(&mut self, db: usize, key: &[u8]) -> Result<Option<&[u8]>, Refusal> {
        match self.entry(db, key).map(|entry| &entry.value) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::List(_)) => Err(Refusal::WRONG_TYPE),
        }
    }

    pub(super) fn list(&mut self, db: usize, key: &[u8]) -> Result<Option<&mut List>, Refusal> {
        match self.entry(db, key).map(|entry| &mut entry.value) {
            None => Ok(None),
            Some(Value::List(list)) => Ok(Some(list)),
            Some(Value::Text(_)) => Err(Refusal::WRONG_TYPE),
        }
    }

    pub(super) fn set(&mut self, db: usize, key: &[u8], value: Value, expires: Option<Time>) {
        self.any_expires |= expires.is_some();
        self.databases[db].insert(key.into(), Entry { value, expires });
    }

    /// Whether the key was there.
    pub(super) fn remove(&mut self, db: usize, key: &[u8]) -> bool {
        self.entry(db, key).is_some() && self.databases[db].remove(key).is_some()
    }

    pub(super) fn clear(&mut self) {
        self.databases.iter_mut().for_each(HashMap::clear);
        self.any_expires = false;
    }

    /// Adds elements, one after the other, to one end of a list, which is made when it is not there.
    /// Says how long it is now, and whether it was made.
    pub(super) fn push(
        &mut self,
        db: usize,
        key: &[u8],
        side: Side,
        elements: impl Iterator<Item = Box<[u8]>>,
    ) -> Result<(usize, bool), Refusal> {
        if let Some(list) = self.list(db, key)? {
            elements.for_each(|element| put(list, side, element));
            return Ok((list.len(), false));
        }
        let mut list = List::new();
        elements.for_each(|element| put(&mut list, side, element));
        let length = list.len();
        self.set(db, key, Value::List(list), None);
        Ok((length, true))
    }

    /// Takes from one end of a list; the key goes with its last element.
    pub(super) fn pop(
        &mut self,
        db: usize,
        key: &[u8],
        side: Side,
    ) -> Result<Option<Box<[u8]>>, Refusal> {
        let Some(list) = self.list(db, key)? else {
            return Ok(None);
        };
        let element = take(list, side);
        if list.is_empty() {
            self.databases[db].remove(key);
        }
        Ok(element)
    }

    /// How many keys each database has, those that nobody has noticed to have run out included.
    pub(super) fn sizes(&self) -> impl Iterator<Item = usize> {
        self.databases.iter().map(HashMap::len)
    }
}

fn put(list: &mut List, side: Side, element: Box<[u8]>) {
    match side {
        Side::Left => list.push_front(element),
        Side::Right => list.push_back(element),
    }
}

fn take(list: &mut List, side: Side) -> Option<Box<[u8]>> {
    match side {
        Side::Left => list.pop_front(),
        Side::Right => list.pop_back(),
    }
}
