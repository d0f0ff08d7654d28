//! Chapter 3, exercise 2: a table whose keys go stale.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The place in the table.
    pub index: usize,
    generation: u64,
}

pub struct Slots<T> {
    places: Vec<Option<(u64, T)>>,
    free: Vec<usize>,
    /// One counter for the table: no two insertions have the same.
    next: u64,
}

impl<T> Slots<T> {
    pub fn new() -> Slots<T> {
        Slots {
            places: Vec::new(),
            free: Vec::new(),
            next: 1,
        }
    }

    /// Puts a value into a free place.
    pub fn insert(&mut self, value: T) -> Key {
        let generation = self.next;
        self.next += 1;
        let index = self.free.pop().unwrap_or(self.places.len());
        if index == self.places.len() {
            self.places.push(None);
        }
        self.places[index] = Some((generation, value));
        Key { index, generation }
    }

    /// What the key names.
    pub fn get(&self, key: Key) -> Option<&T> {
        let (generation, value) = self.places.get(key.index)?.as_ref()?;
        (*generation == key.generation).then_some(value)
    }

    /// Takes out what the key names, and frees its place.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        let (_, value) = self.places[key.index].take()?;
        self.free.push(key.index);
        Some(value)
    }
}
