//! Timers: what is due at which tick.
//!
//! Nearly every timer of a network program is a deadline, and nearly every deadline is cancelled,
//! because the reply came in time. A heap pays O(log n) to arm a timer and again to cancel it. A
//! *timing wheel* pays O(1) for both: it is an array of lists, one for each tick to come, so that
//! the right list is found by indexing, and a doubly linked list lets go of a timer without a
//! search.
//!
//! One array would have to reach as far as the farthest deadline. So there are several, each 64
//! times as coarse as the one below: a *hierarchical* wheel, after G. Varghese and T. Lauck,
//! "Hashed and Hierarchical Timing Wheels" (1987). Write ticks in base 64, and each *level* is one
//! digit, each of its *slots* one value of that digit:
//!
//! | level | ticks in a slot | ticks in the level | with a tick of 1 ms |
//! |------:|----------------:|-------------------:|--------------------:|
//! |     0 |               1 |                 64 |               64 ms |
//! |     1 |              64 |              4,096 |                 4 s |
//! |     2 |           4,096 |            262,144 |               4 min |
//! |     3 |         262,144 |               2^24 |                 5 h |
//! |     4 |            2^24 |               2^30 |             12 days |
//! |     5 |            2^30 |               2^36 |             2 years |
//! |     k |            64^k |           64^(k+1) |                     |
//! |    10 |            2^60 |               2^64 |      all of a `u64` |
//!
//! A timer is filed under the highest digit in which its tick differs from the present one. An
//! exclusive or and a count of leading zeros find it:
//!
//! ```text
//!                digit 2   digit 1   digit 0
//!    the present    1         2        60
//!    a timer        1         2       [63]      level 0, slot 63
//!    a timer        1        [5]        7       level 1, slot 5
//!    a timer       [3]        0         7       level 2, slot 3
//! ```
//!
//! When the present enters a slot, say 1:5:0, that digit does not differ any more, and the timers
//! of the slot *cascade*: each is filed anew, in a lower level, until its very tick comes. Hence a
//! timer moves at most ten times, and most are cancelled before they move once.
//!
//! **The order.** A timer shares with the present all digits above its level, and in its own digit
//! it is ahead. So every timer of a level is due before any in the levels above, which are ahead in
//! a higher digit already; and within a level, lower slots come first. The earliest timer is
//! therefore in the first occupied slot of the lowest occupied level. One word of occupancy bits
//! for each level finds that slot without a look at any list, however many empty ticks lie before
//! it.
//!
//! **The promise** has two clauses. A timer never fires early. The wake-up that the wheel asks for
//! may be too soon, never too late. It is too soon only after a cancellation: a slot remembers the
//! soonest tick that was filed in it, not where the slot begins, so a sleeper with one distant
//! timer sleeps right up to it; but cancelling that soonest timer leaves the memory behind, since a
//! search for the new one would not be O(1). The cascade sets it right. A cancellation costs at
//! most one wake-up for nothing, and none where it empties the slot.
//!
//! The wheel knows neither a clock nor how long a tick is. Its owner converts, and rounds deadlines
//! up: rounding down is firing early.

use crate::token::{Key, Slots};
use std::fmt;

/// Timers of a program, each with a value that is handed back when it is due.
///
/// Time is counted in ticks of any length, from 0 to [`u64::MAX`]. It passes only in
/// [`advance`](Wheel::advance).
///
/// ```
/// use greenroom::wheel::Wheel;
///
/// let mut wheel = Wheel::new();
/// let reply = wheel.arm(5_000, "no reply in time");
/// wheel.arm(200, "heartbeat");
/// assert_eq!(wheel.next_wake(), Some(200));
///
/// let mut due = Vec::new();
/// wheel.advance(200, &mut due);
/// assert_eq!(due, ["heartbeat"]);
///
/// assert_eq!(wheel.cancel(reply), Some("no reply in time"));
/// assert_eq!(wheel.next_wake(), None);
/// ```
pub struct Wheel<T> {
    /// The last tick that has passed. Every timer is filed relative to it.
    now: u64,
    timers: Slots<Entry<T>>,
    /// A word for each level, a bit for each slot: whether its list holds a timer.
    occupied: [u64; LEVELS],
    slots: Box<[[Slot; SLOTS]; LEVELS]>,
}

/// Names one armed timer of one wheel. Eight bytes, also as an `Option`.
///
/// Once the timer has fired or was cancelled, its handle names nothing, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timer(Key);

#[derive(Debug)]
struct Entry<T> {
    when: u64,
    prev: Option<Key>,
    next: Option<Key>,
    value: T,
}

#[derive(Clone, Copy)]
struct Slot {
    head: Option<Key>,
    /// No timer in the list is due before this tick. Stale while the list is empty.
    soonest: u64,
}

/// Where a timer is filed.
#[derive(Clone, Copy)]
struct Place {
    level: usize,
    slot: usize,
}

/// Six, because 64 slots fill one word of occupancy bits.
const BITS_PER_LEVEL: usize = 6;
const SLOTS: usize = 1 << BITS_PER_LEVEL;
const DIGIT: u64 = (1 << BITS_PER_LEVEL) - 1;
/// As many digits as the last tick has: no deadline lies beyond the top level.
const LEVELS: usize = (u64::BITS as usize).div_ceil(BITS_PER_LEVEL);

const _: () = assert!(SLOTS == u64::BITS as usize, "one bit for each slot");
const _: () = assert!(place(0, u64::MAX).level == LEVELS - 1, "no horizon");
const _: () = assert!(size_of::<Option<Timer>>() == 8, "a small handle");

impl<T> Wheel<T> {
    /// An empty wheel at tick 0.
    pub fn new() -> Wheel<T> {
        let empty = Slot {
            head: None,
            soonest: 0,
        };
        Wheel {
            now: 0,
            timers: Slots::new(),
            occupied: [0; LEVELS],
            slots: Box::new([[empty; SLOTS]; LEVELS]),
        }
    }

    /// Arms a timer: `value` is due at tick `when`, or at the next tick if `when` is not to come.
    ///
    /// So a timer that is armed again whenever it fires cannot fire twice in one tick. (At
    /// [`u64::MAX`] there is no next tick, and the value is due at the next `advance`.)
    ///
    /// # Panics
    ///
    /// When 2^32 timers are armed at once.
    pub fn arm(&mut self, when: u64, value: T) -> Timer {
        let when = when.max(self.now.saturating_add(1));
        let key = self.timers.insert(Entry {
            when,
            prev: None,
            next: None,
            value,
        });
        self.link(key, when);
        Timer(key)
    }

    /// Disarms the timer and returns its value, or `None` when it has fired or was cancelled.
    pub fn cancel(&mut self, timer: Timer) -> Option<T> {
        let entry = self.timers.remove(timer.0)?;
        self.unlink(&entry);
        Some(entry.value)
    }

    /// The tick at which the timer is due, or `None` when it has fired or was cancelled.
    pub fn when(&self, timer: Timer) -> Option<u64> {
        self.timers.get(timer.0).map(|entry| entry.when)
    }

    /// The tick up to which it is safe to sleep, or `None` when no timer is armed.
    ///
    /// No timer is due before it. Perhaps none is due at it either, after a cancellation; to
    /// `advance` to it and ask again is then all there is to do.
    pub fn next_wake(&self) -> Option<u64> {
        let place = self.first_occupied()?;
        Some(self.slots[place.level][place.slot].soonest)
    }

    /// Lets time pass until tick `now` is over, and appends the values that were due to `due`.
    ///
    /// They come in the order of their ticks; the order within one tick is not specified. A `now`
    /// in the past changes nothing.
    ///
    /// ```
    /// # use greenroom::wheel::Wheel;
    /// let mut wheel = Wheel::new();
    /// for when in [3, 1 << 40, 2] {
    ///     wheel.arm(when, when);
    /// }
    /// let mut due = Vec::new();
    /// wheel.advance(1_000, &mut due);
    /// assert_eq!(due, [2, 3]);
    /// ```
    pub fn advance(&mut self, now: u64, due: &mut Vec<T>) {
        while let Some(place) = self.first_occupied() {
            let soonest = self.slots[place.level][place.slot].soonest;
            let shift = place.level * BITS_PER_LEVEL;
            if now >> shift < soonest >> shift {
                break;
            }
            // This passes no timer; and even a stale `soonest` lies inside the slot, so the timers
            // of all other slots stay where they belong.
            self.now = now.min(soonest);
            self.cascade(place, due);
        }
        self.now = self.now.max(now);
    }

    /// The last tick that is over.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// How many timers are armed.
    pub fn len(&self) -> usize {
        self.timers.len()
    }

    /// Whether no timer is armed.
    pub fn is_empty(&self) -> bool {
        self.timers.is_empty()
    }

    fn first_occupied(&self) -> Option<Place> {
        let level = self.occupied.iter().position(|&slots| slots != 0)?;
        let slot = self.occupied[level].trailing_zeros() as usize;
        Some(Place { level, slot })
    }

    /// Empties the slot that the present has entered: what is due goes out, the rest goes down.
    fn cascade(&mut self, place: Place, due: &mut Vec<T>) {
        self.occupied[place.level] &= !(1 << place.slot);
        let mut rest = self.slots[place.level][place.slot].head.take();
        while let Some(key) = rest {
            let entry = self.entry(key);
            let when = entry.when;
            rest = entry.next;
            if when > self.now {
                self.link(key, when);
            } else {
                debug_assert_eq!(when, self.now, "a timer was passed over");
                due.extend(self.timers.remove(key).map(|entry| entry.value));
            }
        }
    }

    /// Puts the timer at the head of the list where it belongs now.
    fn link(&mut self, key: Key, when: u64) {
        let Place { level, slot } = place(self.now, when);
        let list = &mut self.slots[level][slot];
        let next = list.head.replace(key);
        list.soonest = match next {
            Some(_) => when.min(list.soonest),
            None => when,
        };
        self.occupied[level] |= 1 << slot;

        let entry = self.entry(key);
        entry.prev = None;
        entry.next = next;
        if let Some(next) = next {
            self.entry(next).prev = Some(key);
        }
    }

    /// Takes `entry`, which has left the table, out of its list.
    fn unlink(&mut self, entry: &Entry<T>) {
        if let Some(next) = entry.next {
            self.entry(next).prev = entry.prev;
        }
        if let Some(prev) = entry.prev {
            self.entry(prev).next = entry.next;
            return;
        }
        // Its place need not be stored: cascades keep every timer where it would be filed today.
        let Place { level, slot } = place(self.now, entry.when);
        self.slots[level][slot].head = entry.next;
        if entry.next.is_none() {
            self.occupied[level] &= !(1 << slot);
        }
    }

    /// The timer that a link names. Links, unlike handles, never outlive what they name.
    fn entry(&mut self, key: Key) -> &mut Entry<T> {
        self.timers.get_mut(key).expect("a link to an armed timer")
    }
}

impl<T> Default for Wheel<T> {
    fn default() -> Self {
        Wheel::new()
    }
}

impl<T> fmt::Debug for Wheel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wheel")
            .field("now", &self.now)
            .field("len", &self.len())
            .field("next_wake", &self.next_wake())
            .finish_non_exhaustive()
    }
}

/// Where a timer that is due at `when` is filed at the tick `now`.
const fn place(now: u64, when: u64) -> Place {
    // The lowest bit is set for a timer that is armed at the last tick, where nothing differs.
    let level = (now ^ when | 1).ilog2() as usize / BITS_PER_LEVEL;
    let digit = when >> (level * BITS_PER_LEVEL) & DIGIT;
    Place {
        level,
        slot: digit as usize,
    }
}

#[cfg(test)]
mod tests;
