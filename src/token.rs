//! Handles: an index and a generation.
//!
//! Everything that outlives a function call lives in a slab: sockets, connections, requests, tasks, timers. A slab gives
//! an index out again as soon as its slot is free, so a bare index that somebody kept means another thing after a while.
//! The kernel keeps such indices too: an event that it reported a moment ago may name a socket that was closed since, and
//! whose slot now holds a new one. A [`Key`] therefore carries the *generation* of what it names, and [`Slots`] compares
//! it at every access: a stale key finds nothing.
//!
//! Generations are drawn from one counter per table. The counter wraps after 2^32 - 1 insertions; to be mistaken, a key
//! must be kept for exactly that many insertions and find its own index in use.

use slab::Slab;
use std::num::{NonZeroU32, NonZeroU64};

/// Names one slot of one [`Slots`] table, at one time. Eight bytes, also as an `Option`.
///
/// The generation is the upper half of the word, the index the lower one. Keys are passed, stored and
/// compared more often than anything else here; as one word, each of these is one instruction.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(NonZeroU64);

// A key travels through the kernel as a machine word (`Key::to_usize`).
const _: () = assert!(usize::BITS == u64::BITS, "greenroom needs a 64-bit target");

impl Key {
    fn new(index: u32, generation: NonZeroU32) -> Key {
        let word = u64::from(generation.get()) << 32 | u64::from(index);
        Key(NonZeroU64::new(word).expect("a generation is not zero"))
    }

    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    fn index(self) -> usize {
        self.0.get() as u32 as usize
    }

    fn generation(self) -> u64 {
        self.0.get() >> 32
    }

    /// The key as one machine word, as it travels through the kernel's event queue.
    #[expect(clippy::cast_possible_truncation, reason = "usize has 64 bits")]
    pub(crate) fn to_usize(self) -> usize {
        self.0.get() as usize
    }

    /// The key that [`to_usize`](Key::to_usize) packed; `None` for a word that never was one.
    pub(crate) fn from_usize(word: usize) -> Option<Key> {
        let key = Key(NonZeroU64::new(word as u64)?);
        (key.generation() != 0).then_some(key)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.index(), self.generation())
    }
}

/// Whom an event of the kernel or of the wheel is for.
///
/// The driver and the wheel carry an owner about without looking at it, as `epoll_data` is carried: what is below does
/// not know what is above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A task: its sleep is over, or the deadline of its wait has passed.
    Task(Key),
    /// A connection to a server.
    Conn(Key),
    /// A pool: its next waiting request runs out of time, or it may dial again.
    Pool(Key),
    /// A stream or a listener with which a task does its own input and output.
    Port(Key),
}

/// Room for what a hub with some thousand connections needs: what the long tables and lists begin with.
///
/// Memory that nobody has touched costs nothing, but each growth of a table copies it whole, and leaves
/// a hole that the allocator must look into from then on.
pub(crate) const ROOM: usize = 4096;

/// A slab whose keys cannot be mistaken for one another.
#[derive(Debug)]
pub struct Slots<T> {
    slab: Slab<Slot<T>>,
    next: NonZeroU32,
}

#[derive(Debug)]
struct Slot<T> {
    key: Key,
    value: T,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Slots {
            slab: Slab::new(),
            next: NonZeroU32::MIN,
        }
    }
}

impl<T> Slots<T> {
    /// An empty table. Allocates nothing until the first insertion.
    pub fn new() -> Slots<T> {
        Slots::default()
    }

    /// An empty table with `ROOM`.
    pub fn roomy() -> Slots<T> {
        Slots {
            slab: Slab::with_capacity(ROOM),
            next: NonZeroU32::MIN,
        }
    }

    /// Puts `value` into a free slot and returns the key that names it.
    ///
    /// # Panics
    ///
    /// When 2^32 values are in the table at once.
    pub fn insert(&mut self, value: T) -> Key {
        let generation = self.next;
        self.next = generation.checked_add(1).unwrap_or(NonZeroU32::MIN);
        let index = u32::try_from(self.slab.vacant_key()).expect("fewer than 2^32 slots");
        let key = Key::new(index, generation);
        self.slab.insert(Slot { key, value });
        key
    }

    /// The value that `key` names, or `None` when it is gone.
    pub fn get(&self, key: Key) -> Option<&T> {
        let slot = self.slab.get(key.index())?;
        (slot.key == key).then_some(&slot.value)
    }

    /// The value that `key` names, to change it, or `None` when it is gone.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slab.get_mut(key.index())?;
        (slot.key == key).then_some(&mut slot.value)
    }

    /// Takes the value out and frees its slot, or returns `None` when it is gone already.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        Some(self.slab.remove(key.index()).value)
    }

    /// How many values are in the table.
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether nothing is in the table.
    pub fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    /// All keys and values, in the order of their indices.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slab.iter().map(|(_, slot)| (slot.key, &slot.value))
    }

    /// All values, in no order that means anything.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slab.iter_mut().map(|(_, slot)| &mut slot.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_a_slot_that_was_used_again_finds_nothing() {
        let mut slots = Slots::new();
        let first = slots.insert("first");
        assert_eq!(slots.remove(first), Some("first"));
        let second = slots.insert("second");
        assert_eq!(
            first.index(),
            second.index(),
            "the slab gives the same index out again"
        );
        assert_eq!(slots.get(first), None);
        assert_eq!(slots.get_mut(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get(second), Some(&"second"));
    }

    #[test]
    fn a_key_travels_through_a_machine_word() {
        let mut slots = Slots::new();
        slots.insert(());
        let key = slots.insert(());
        assert_eq!(Key::from_usize(key.to_usize()), Some(key));
        assert_eq!(Key::from_usize(0), None, "generation 0 does not exist");
    }

    #[test]
    fn generations_wrap_without_a_zero() {
        let mut slots = Slots {
            slab: Slab::new(),
            next: NonZeroU32::MAX,
        };
        let last = slots.insert(1);
        let first = slots.insert(2);
        assert_eq!((slots.get(last), slots.get(first)), (Some(&1), Some(&2)));
        assert_eq!(first.generation(), 1);
    }

    #[test]
    fn an_optional_key_costs_no_more_than_a_key() {
        assert_eq!(size_of::<Option<Key>>(), 8);
    }
}
