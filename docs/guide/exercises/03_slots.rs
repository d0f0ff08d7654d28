//! Chapter 3, exercise 2, difficulty 2: a table whose keys go stale.
//!
//! `insert` takes the place that became free last, or a new one at the end, and returns a key for it. Once a value is removed, its
//! key names nothing, for good: not the next value in the same place either. What stands here has bare indices for keys.
//!
//! Add whatever fields you need. `Key` must remain `Copy` and comparable.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The place in the table.
    pub index: usize,
}

pub struct Slots<T> {
    places: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Slots<T> {
    pub fn new() -> Slots<T> {
        Slots {
            places: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Puts a value into a free place.
    pub fn insert(&mut self, value: T) -> Key {
        let index = self.free.pop().unwrap_or(self.places.len());
        if index == self.places.len() {
            self.places.push(None);
        }
        self.places[index] = Some(value);
        Key { index }
    }

    /// What the key names.
    pub fn get(&self, key: Key) -> Option<&T> {
        self.places[key.index].as_ref()
    }

    /// Takes out what the key names, and frees its place.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let value = self.places[key.index].take()?;
        self.free.push(key.index);
        Some(value)
    }
}
