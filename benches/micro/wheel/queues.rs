//! Three queues of timers, each used as its documents intend, each with one `u64` for a timer.
//!
//! **`wheel`** is [`greenroom::wheel::Wheel`]. Its owner counts time; a tick is a millisecond here,
//! as in the hub.
//!
//! **`DelayQueue`** is that of tokio-util: a hierarchical wheel of 64 slots a level, a slab, and
//! one `Sleep` of the runtime for the earliest deadline. Its time is the runtime's, which is
//! paused, so that a minute passes when it is told to. Deadlines are handed over as ready
//! `Instant`s: no clock is read while a timer is armed. Waking is part of the queue, hence of each
//! figure: it sets its `Sleep` when the earliest deadline changes, and makes a new one for each
//! timer that it hands back. The task is exempt from the budget that would have it yield every 128
//! timers.
//!
//! **`heap`** is [`BinaryHeap`], with *lazy* cancellation, as most programs have it that keep
//! timers in one: a heap cannot find an entry in its middle, so the value is taken out of a table
//! and the entry stays as a husk, dropped when it comes to the top. When more than half of the
//! entries are husks, all of them are swept out, as Python's asyncio does: else a program whose
//! deadlines are long and whose replies are quick would hold a hundred husks for each timer. The
//! table is [`Slots`], that of the wheel, with the same keys, so that what differs is the queue.

use greenroom::token::{Key, Slots};
use greenroom::wheel::{Timer, Wheel};
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::unconstrained;
use tokio::time::{self, Instant};
use tokio_util::time::{DelayQueue, delay_queue};

/// All timers are due within so much time.
pub(crate) const SPAN_MS: u64 = 60_000;

pub(crate) trait Timers {
    const NAME: &str;
    /// A moment, as the queue takes it.
    type Deadline: Copy;
    type Armed;

    fn new() -> Self;

    /// The moment that comes so many milliseconds from the queue's present.
    fn deadline(&self, delay_ms: u64) -> Self::Deadline;

    /// Works where timers can be armed and cancelled.
    fn enter<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        work(self)
    }

    fn arm(&mut self, deadline: Self::Deadline, value: u64) -> Self::Armed;

    fn cancel(&mut self, timer: Self::Armed) -> u64;

    /// Whether there is no deadline to wake up for.
    fn is_idle(&mut self) -> bool;

    /// Lets [`SPAN_MS`] pass and appends what was due.
    fn pass_span(&mut self, due: &mut Vec<u64>);
}

impl Timers for Wheel<u64> {
    const NAME: &str = "wheel";
    type Deadline = u64;
    type Armed = Timer;

    fn new() -> Self {
        Wheel::new()
    }

    fn deadline(&self, delay_ms: u64) -> u64 {
        self.now() + delay_ms
    }

    fn arm(&mut self, deadline: u64, value: u64) -> Timer {
        Wheel::arm(self, deadline, value)
    }

    fn cancel(&mut self, timer: Timer) -> u64 {
        Wheel::cancel(self, timer).expect("an armed timer")
    }

    fn is_idle(&mut self) -> bool {
        self.next_wake().is_none()
    }

    fn pass_span(&mut self, due: &mut Vec<u64>) {
        self.advance(self.now() + SPAN_MS, due);
    }
}

pub(crate) struct Tokio {
    runtime: Rc<Runtime>,
    queue: DelayQueue<u64>,
}

impl Timers for Tokio {
    const NAME: &str = "DelayQueue";
    type Deadline = Instant;
    type Armed = delay_queue::Key;

    fn new() -> Self {
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build();
        let runtime = Rc::new(runtime.expect("a runtime"));
        let entered = runtime.enter();
        let queue = DelayQueue::new();
        drop(entered);
        Tokio { runtime, queue }
    }

    fn deadline(&self, delay_ms: u64) -> Instant {
        let _entered = self.runtime.enter();
        Instant::now() + Duration::from_millis(delay_ms)
    }

    fn enter<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let runtime = self.runtime.clone();
        let _entered = runtime.enter();
        work(self)
    }

    fn arm(&mut self, deadline: Instant, value: u64) -> delay_queue::Key {
        self.queue.insert_at(value, deadline)
    }

    fn cancel(&mut self, timer: delay_queue::Key) -> u64 {
        self.queue.remove(&timer).into_inner()
    }

    fn is_idle(&mut self) -> bool {
        self.queue.peek().is_none()
    }

    fn pass_span(&mut self, due: &mut Vec<u64>) {
        let queue = &mut self.queue;
        self.runtime.block_on(unconstrained(async move {
            time::advance(Duration::from_millis(SPAN_MS)).await;
            while let Some(expired) = poll_fn(|cx| queue.poll_expired(cx)).await {
                due.push(expired.into_inner());
            }
        }));
    }
}

pub(crate) struct Heap {
    now: u64,
    /// Timers, and husks whose keys name nothing any more.
    entries: BinaryHeap<Entry>,
    values: Slots<u64>,
}

#[derive(PartialEq, Eq)]
struct Entry {
    deadline: u64,
    key: Key,
}

/// The earliest is the greatest: a [`BinaryHeap`] has its greatest entry on top.
impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> Ordering {
        other.deadline.cmp(&self.deadline)
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// So few entries are never swept.
const SWEPT_MIN: usize = 64;

impl Timers for Heap {
    const NAME: &str = "heap";
    type Deadline = u64;
    type Armed = Key;

    fn new() -> Self {
        Heap {
            now: 0,
            entries: BinaryHeap::new(),
            values: Slots::new(),
        }
    }

    fn deadline(&self, delay_ms: u64) -> u64 {
        self.now + delay_ms
    }

    fn arm(&mut self, deadline: u64, value: u64) -> Key {
        let key = self.values.insert(value);
        self.entries.push(Entry { deadline, key });
        key
    }

    fn cancel(&mut self, timer: Key) -> u64 {
        let value = self.values.remove(timer).expect("an armed timer");
        if self.entries.len() > SWEPT_MIN.max(2 * self.values.len()) {
            let values = &self.values;
            self.entries.retain(|entry| values.get(entry.key).is_some());
        }
        value
    }

    fn is_idle(&mut self) -> bool {
        while let Some(entry) = self.entries.peek() {
            if self.values.get(entry.key).is_some() {
                return false;
            }
            self.entries.pop();
        }
        true
    }

    fn pass_span(&mut self, due: &mut Vec<u64>) {
        self.now += SPAN_MS;
        while self
            .entries
            .peek()
            .is_some_and(|entry| entry.deadline <= self.now)
        {
            let entry = self.entries.pop();
            due.extend(entry.and_then(|entry| self.values.remove(entry.key)));
        }
    }
}
