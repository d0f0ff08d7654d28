//! Where tasks live: a table for each type of task.
//!
//! A hub has tasks of many types (each closure in a program is a type of its own), and must resume any of them
//! without knowing which it is. The usual way is a box for each. But tasks are spawned by the hundred from the same
//! line, all of one type, and for a box of two words `malloc` and `free` take 380 instructions together, a tenth
//! of all that a blocking pop costs. So the box is around a *table* of tasks of one type, an arena:
//!
//! ```text
//!   Home { arena: 2, index: 1 }                 ┌───────┬───────┬───────┐
//!      │      arenas: [ 0 ][ 1 ][ 2 ] ──► dyn   │ pop   │ pop   │ pop   │   Slab<{closure in main}>
//!      └───────────────────────────────────────►└───────┴───────┴───────┘
//! ```
//!
//! A task that is resumed gets the hub as well, to change whatever it likes. Its arena is therefore *out* as long as
//! it runs. A task of the same type that is spawned meanwhile finds it missing, and goes to a second arena of that
//! type; there are never more than two, since one task runs at a time.

use super::task::{Task, Wait, Wake};
use super::{Hub, Result};
use crate::token::ROOM;
use slab::Slab;
use std::any::{Any, TypeId};
use std::num::NonZeroU32;

/// See the [module](self).
pub(super) struct Arenas {
    arenas: Vec<Arena>,
    /// Which one took the last task in: most often, it takes the next one too.
    latest: usize,
}

struct Arena {
    of: TypeId,
    /// Out while one of its tasks runs.
    table: Option<Box<dyn Table>>,
}

/// Where one task lives. Eight bytes, also as an `Option`: arenas are counted from one here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home {
    arena: NonZeroU32,
    index: u32,
}

const _: () = assert!(size_of::<Option<Home>>() == 8, "a small handle");

/// A task that is out, with the table that it lives in.
pub(super) struct Out {
    home: Home,
    table: Box<dyn Table>,
}

impl Out {
    pub(super) fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        self.table.resume(self.home.index as usize, hub, wake)
    }

    /// Drops the task. Its table must still be put back.
    pub(super) fn drop_task(&mut self) {
        self.table.remove(self.home.index as usize);
    }
}

/// The tasks of one type, whichever it is.
trait Table: Any {
    fn resume(&mut self, index: usize, hub: &mut Hub, wake: Wake) -> Result<Wait>;
    fn remove(&mut self, index: usize);
    fn len(&self) -> usize;

    /// How many tasks it has room for.
    #[cfg(test)]
    fn capacity(&self) -> usize;
}

impl<T: Task + 'static> Table for Slab<T> {
    fn resume(&mut self, index: usize, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        self[index].resume(hub, wake)
    }

    fn remove(&mut self, index: usize) {
        let task = Slab::remove(self, index);
        if self.is_empty() && self.capacity() > ROOM {
            // What a burst has needed is not kept for ever.
            *self = Slab::new();
        }
        drop(task);
    }

    fn len(&self) -> usize {
        Slab::len(self)
    }

    #[cfg(test)]
    fn capacity(&self) -> usize {
        Slab::capacity(self)
    }
}

impl Arenas {
    pub(super) fn new() -> Arenas {
        Arenas {
            arenas: Vec::new(),
            latest: 0,
        }
    }

    /// Gives a task a home.
    ///
    /// # Panics
    ///
    /// When there are 2^32 of its type.
    pub(super) fn insert<T: Task + 'static>(&mut self, task: T) -> Home {
        let of = TypeId::of::<T>();
        if !self.arenas.get(self.latest).is_some_and(|it| it.takes(of)) {
            let known = self.arenas.iter().position(|arena| arena.takes(of));
            self.latest = known.unwrap_or_else(|| {
                let table: Box<dyn Table> = Box::new(Slab::<T>::new());
                self.arenas.push(Arena {
                    of,
                    table: Some(table),
                });
                self.arenas.len() - 1
            });
        }
        let table: &mut dyn Any = self.arenas[self.latest]
            .table
            .as_deref_mut()
            .expect("it is in");
        let table = table.downcast_mut::<Slab<T>>().expect("of this type");
        let number = |number: usize| u32::try_from(number).expect("fewer than 2^32");
        Home {
            arena: NonZeroU32::MIN.saturating_add(number(self.latest)),
            index: number(table.insert(task)),
        }
    }

    /// How many tasks there are. One that is out takes all of its arena along.
    pub(super) fn len(&self) -> usize {
        let tables = self
            .arenas
            .iter()
            .filter_map(|arena| arena.table.as_deref());
        tables.map(Table::len).sum()
    }

    /// Takes a task out, to be resumed or dropped.
    #[inline]
    pub(super) fn take(&mut self, home: Home) -> Option<Out> {
        let table = self.arenas.get_mut(home.arena())?.table.take()?;
        Some(Out { home, table })
    }

    /// Puts it back.
    #[inline]
    pub(super) fn put_back(&mut self, out: Out) {
        let Out { home, table } = out;
        if let Some(arena) = self.arenas.get_mut(home.arena()) {
            let none = arena.table.replace(table);
            debug_assert!(none.is_none());
            // There is nothing to drop: that need not be found out.
            std::mem::forget(none);
        }
    }
}

impl Home {
    fn arena(self) -> usize {
        self.arena.get() as usize - 1
    }
}

impl Arena {
    fn takes(&self, of: TypeId) -> bool {
        self.of == of && self.table.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    /// Spawns another of its kind while it runs, so many times.
    struct Ancestor {
        generations: u32,
        alive: Rc<()>,
    }

    impl Task for Ancestor {
        fn resume(&mut self, hub: &mut Hub, _wake: Wake) -> Result<Wait> {
            if self.generations > 0 {
                hub.spawn_task(Ancestor {
                    generations: self.generations - 1,
                    alive: Rc::clone(&self.alive),
                });
            }
            Ok(Wait::done())
        }
    }

    #[test]
    fn a_task_can_spawn_its_like_and_two_arenas_are_enough() {
        let mut hub = Hub::new().unwrap();
        let alive = Rc::new(());
        for _ in 0..3 {
            hub.spawn_task(Ancestor {
                generations: 10,
                alive: Rc::clone(&alive),
            });
        }
        hub.run().unwrap();
        assert_eq!(Rc::strong_count(&alive), 1, "all were dropped");
        assert_eq!(hub.stats().resumptions, 33);
        assert_eq!(hub.arenas.arenas.len(), 2);
    }

    #[test]
    fn a_burst_leaves_no_large_table_behind() {
        let mut arenas = Arenas::new();
        let homes: Vec<_> = (0..2 * ROOM)
            .map(|_| arenas.insert(|_: &mut Hub, _: Wake| Ok(Wait::done())))
            .collect();
        assert_eq!(arenas.arenas.len(), 1, "one type");
        for home in homes {
            let mut task = arenas.take(home).unwrap();
            task.drop_task();
            arenas.put_back(task);
        }
        let closures = arenas.arenas[0].table.as_deref().unwrap();
        assert_eq!(closures.capacity(), 0);
    }
}
