//! The table of tasks, and the line of those that are ready.
//!
//! ```text
//!                     a wait that has ended already
//!                   ┌────────────────────────────┐
//!  spawn            ▼          its turn comes    │          returns Wait::done(), an error, or panics
//!  ──────────► in the line ──────────────────► running ─────────────────────────────────────────────► ended
//!                   ▲                            │
//!                   │   event, deadline,         │ returns any other Wait
//!                   │   notify, kill             ▼
//!                   └───────────────────────── waiting
//! ```
//!
//! A task stands in the line at most once, with the one reason that has ended its wait. That is what makes
//! *exactly one of event, deadline, notify and kill* true: whichever comes first moves the task from *waiting*
//! to the line, and finds it there no more when it comes second.

use super::arenas::Home;
use super::task::Event;
use crate::client::Ticket;
use crate::error::{Error, Result};
use crate::time::Time;
use crate::token::{Key, ROOM, Slots};
use crate::wheel::Timer;
use std::collections::{BTreeMap, VecDeque};
use std::panic::Location;
use std::time::Duration;

/// All tasks of a hub.
pub(super) struct Tasks {
    slots: Slots<Slot>,
    line: VecDeque<(Key, Why)>,
    /// The errors of tasks that have ended, until somebody joins them. By their keys as words.
    pub(super) failures: BTreeMap<usize, Error>,
    /// How many tasks wait for a stream or a listener.
    pub(super) waiting_for_io: usize,
}

pub(super) struct Slot {
    /// Where it lives. Main lives outside.
    pub(super) home: Option<Home>,
    pub(super) state: State,
    /// The end of a sleep, or the deadline of a wait.
    pub(super) timer: Option<Timer>,
    pub(super) spawned_at: &'static Location<'static>,
    /// Who waits for the end of this task.
    #[expect(
        clippy::box_collection,
        reason = "most have none: 8 bytes instead of 24"
    )]
    pub(super) joiners: Option<Box<Vec<Key>>>,
    /// The ports that it owns: the first of a list.
    pub(super) port: Option<Key>,
    /// When its last wait began.
    pub(super) since: Since,
    /// It may have asked something that it does not wait for.
    pub(super) loose: bool,
    /// Somebody has notified it while it did not wait.
    pub(super) notified: bool,
    pub(super) killed: bool,
    /// Nobody will join it: its failure need not be kept.
    pub(super) detached: bool,
}

/// A budget: a blocked pop has a slot, a home, a request and a connection in 512 bytes.
const _: () = assert!(size_of::<Slot>() <= 72, "a small row");

/// A moment for people to read, in the four bytes that a row has left: in units of 2^24 ns = 16.8 ms, which come round
/// again after 2.3 years. What began longer ago than that seems to be younger.
#[derive(Clone, Copy, Debug)]
pub(super) struct Since(u32);

const SINCE_SHIFT: u32 = 24;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    InLine,
    Running,
    Waiting(Event),
}

/// Why a wait has ended: what becomes a `Wake` when the task's turn comes.
#[derive(Debug)]
pub(super) enum Why {
    Start,
    Reply(Ticket),
    Elapsed,
    Ready,
    Joined(Result<()>),
    Notified,
    Deadline,
    Killed,
}

impl Tasks {
    pub(super) fn new() -> Tasks {
        Tasks {
            slots: Slots::roomy(),
            line: VecDeque::with_capacity(ROOM),
            failures: BTreeMap::new(),
            waiting_for_io: 0,
        }
    }

    /// A new task, at the end of the line.
    pub(super) fn spawn(&mut self, home: Home, spawned_at: &'static Location<'static>) -> Key {
        let key = self.add(Some(home), State::InLine, spawned_at);
        self.line.push_back((key, Why::Start));
        key
    }

    /// The task that stands for the main program. It is running.
    pub(super) fn add_main(&mut self, spawned_at: &'static Location<'static>) -> Key {
        self.add(None, State::Running, spawned_at)
    }

    fn add(
        &mut self,
        home: Option<Home>,
        state: State,
        spawned_at: &'static Location<'static>,
    ) -> Key {
        self.slots.insert(Slot {
            home,
            state,
            timer: None,
            spawned_at,
            joiners: None,
            port: None,
            since: Since::at(Time::ZERO),
            loose: false,
            notified: false,
            killed: false,
            detached: false,
        })
    }

    pub(super) fn get(&self, key: Key) -> Option<&Slot> {
        self.slots.get(key)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Slot> {
        self.slots.get_mut(key)
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Slot> {
        self.slots.remove(key)
    }

    /// All tasks that have not ended.
    pub(super) fn alive(&self) -> impl Iterator<Item = Key> {
        self.slots.iter().map(|(key, _)| key)
    }

    /// How many there are, main among them.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// All tasks, main among them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, &Slot)> {
        self.slots.iter()
    }

    /// Those in the line.
    pub(super) fn line(&self) -> impl Iterator<Item = Key> {
        self.line.iter().map(|&(key, _)| key)
    }

    /// The error with which a task has ended, unless it was told before.
    pub(super) fn failure(&mut self, key: Key) -> Option<Error> {
        self.failures.remove(&key.to_usize())
    }

    pub(super) fn in_line(&self) -> usize {
        self.line.len()
    }

    pub(super) fn next_in_line(&mut self) -> Option<(Key, Why)> {
        self.line.pop_front()
    }

    /// What a task waits for, if it waits.
    pub(super) fn waits_for(&self, key: Key) -> Option<Event> {
        match self.slots.get(key)?.state {
            State::Waiting(event) => Some(event),
            _ => None,
        }
    }

    /// Moves a running task to the end of the line.
    pub(super) fn line_up(&mut self, key: Key, why: Why) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.state = State::InLine;
            self.line.push_back((key, why));
        }
    }

    /// Moves a running task into a wait, which begins `now`.
    pub(super) fn wait(&mut self, key: Key, event: Event, timer: Option<Timer>, now: Time) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.state = State::Waiting(event);
            slot.since = Since::at(now);
            slot.timer = timer;
            self.waiting_for_io += usize::from(is_io(event));
        }
    }

    /// Takes a task out of its wait, or out of the line. Returns the timer that it was to be woken by.
    pub(super) fn stop_waiting(&mut self, key: Key) -> Option<Timer> {
        let slot = self.slots.get_mut(key)?;
        if let State::InLine = slot.state {
            self.line.retain(|&(other, _)| other != key);
        }
        let State::Waiting(event) = slot.state else {
            return None;
        };
        self.waiting_for_io -= usize::from(is_io(event));
        slot.state = State::Running;
        slot.timer.take()
    }

    /// Moves a task from its wait to the end of the line. Returns the timer that it was to be woken by. If the
    /// wait is `only` for this event, any other is left alone.
    pub(super) fn wake(&mut self, key: Key, why: Why, only: Option<Event>) -> Option<Timer> {
        let slot = self.slots.get_mut(key)?;
        let State::Waiting(event) = slot.state else {
            return None;
        };
        if only.is_some_and(|only| only != event) {
            return None;
        }
        self.waiting_for_io -= usize::from(is_io(event));
        slot.state = State::InLine;
        self.line.push_back((key, why));
        slot.timer.take()
    }
}

impl Since {
    #[expect(clippy::cast_possible_truncation, reason = "the units come round")]
    pub(super) fn at(time: Time) -> Since {
        Since((time.as_nanos() >> SINCE_SHIFT) as u32)
    }

    /// How long ago that is, rounded to units.
    pub(super) fn until(self, now: Time) -> Duration {
        let units = Since::at(now).0.wrapping_sub(self.0);
        Duration::from_nanos(u64::from(units) << SINCE_SHIFT)
    }
}

fn is_io(event: Event) -> bool {
    matches!(event, Event::Stream(..) | Event::Accept(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::ms;

    #[test]
    fn a_moment_is_known_to_a_unit_and_comes_round_after_two_years() {
        let unit = Duration::from_nanos(1 << SINCE_SHIFT);
        let year = Duration::from_secs(365 * 24 * 3600);
        for start in [Time::ZERO, Time::ZERO + 2 * year, Time::ZERO + 3 * year] {
            let since = Since::at(start);
            assert_eq!(since.until(start), Duration::ZERO);
            for lasts in [ms(100), 2 * year] {
                let seems = since.until(start + lasts);
                assert!(seems.abs_diff(lasts) < unit, "{lasts:?} seems {seems:?}");
            }
        }
    }
}
