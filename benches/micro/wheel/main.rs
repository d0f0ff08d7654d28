//! What a timer costs: greenroom's timing wheel, tokio's `DelayQueue` (a timing wheel too), and a
//! binary heap. How each is driven stands in `queues.rs`.
//!
//! Four workloads, each with 1e3, 1e4, 1e5 and 1e6 timers whose deadlines are spread by chance over
//! a minute, in milliseconds. What is timed:
//!
//! - `arm`: all are armed.
//! - `cancel`: all are cancelled, in the order in which they were armed, as replies come in the
//!   order of their requests; then the queue is asked for the next wake-up, of which there is none.
//! - `deadline`: beside so many armed timers, one is armed and cancelled at once, 1,000 times: the
//!   life of nearly every deadline.
//! - `fire`: the minute passes, and all are handed back in the order of time.
//!
//! The throughput is that of timers; in `deadline`, of whole lives. A queue is used again and
//! again, as in a program that has run for a while: what its tables cost while they grow is not in
//! the figures. Nor is what else a program does between two timers, which takes its share of the
//! caches: there, the large queues cost more than here.
//!
//! What the figures do not say is how a queue sleeps. In `fire` all time passes in one jump. This
//! favours `DelayQueue`, whose runtime would otherwise make a turn for each tick in which something
//! is due; the wheel and the heap leave sleeping to their owner.

mod queues;
#[path = "../settings.rs"]
mod settings;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, SamplingMode, Throughput};
use greenroom::wheel::Wheel;
use queues::{Heap, SPAN_MS, Timers, Tokio};
use std::time::{Duration, Instant};

const SIZES: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// Lives in `deadline`, whatever the number of timers beside them.
const LIVES: usize = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Workload {
    Arm,
    Cancel,
    Deadline,
    Fire,
}

fn main() {
    let mut criterion = settings::criterion();
    for (name, workload) in [
        ("arm", Workload::Arm),
        ("cancel", Workload::Cancel),
        ("deadline", Workload::Deadline),
        ("fire", Workload::Fire),
    ] {
        let mut group = criterion.benchmark_group(name);
        // A pass takes long where the timers are many; the other modes would demand more of them.
        group.sampling_mode(SamplingMode::Flat);
        for size in SIZES {
            measure::<Wheel<u64>>(&mut group, workload, size);
            measure::<Tokio>(&mut group, workload, size);
            measure::<Heap>(&mut group, workload, size);
        }
        group.finish();
    }
    criterion.final_summary();
}

fn measure<Q: Timers>(group: &mut BenchmarkGroup<WallTime>, workload: Workload, size: u64) {
    group.throughput(Throughput::Elements(match workload {
        Workload::Deadline => LIVES as u64,
        _ => size,
    }));
    // Kept from sample to sample, and not made at all where a filter leaves this one out.
    let mut bench = None;
    group.bench_function(BenchmarkId::new(Q::NAME, size), |bencher| {
        let bench = bench.get_or_insert_with(|| Bench::<Q>::new(workload, size));
        bencher.iter_custom(|passes| (0..passes).map(|_| bench.pass(workload)).sum());
    });
}

/// A queue, and room for what goes into it and comes out.
struct Bench<Q: Timers> {
    queue: Q,
    /// When each timer is due, from when it is armed; the timer's value is its index here.
    delays: Vec<u64>,
    deadlines: Vec<Q::Deadline>,
    armed: Vec<Q::Armed>,
    due: Vec<u64>,
}

impl<Q: Timers> Bench<Q> {
    fn new(workload: Workload, size: u64) -> Bench<Q> {
        let mut bench = Bench {
            queue: Q::new(),
            delays: delays(size),
            deadlines: Vec::new(),
            armed: Vec::new(),
            due: Vec::new(),
        };
        // Grows the tables.
        bench.pass(Workload::Cancel);
        bench.pass(workload);
        if workload == Workload::Deadline {
            bench.arm();
        }
        bench
    }

    /// Does the workload once, checks that it was done, and says how long that part took.
    fn pass(&mut self, workload: Workload) -> Duration {
        if workload == Workload::Deadline {
            return self.live();
        }
        let arming = self.arm();
        if workload == Workload::Fire {
            return self.fire();
        }
        let cancelling = self.cancel();
        match workload {
            Workload::Arm => arming,
            _ => cancelling,
        }
    }

    fn arm(&mut self) -> Duration {
        let queue = &self.queue;
        self.deadlines.clear();
        self.deadlines
            .extend(self.delays.iter().map(|delay| queue.deadline(*delay)));
        self.armed.clear();
        self.armed.reserve(self.deadlines.len());
        let (deadlines, armed) = (&self.deadlines, &mut self.armed);
        self.queue.enter(|queue| {
            let start = Instant::now();
            for (value, deadline) in (0..).zip(deadlines) {
                armed.push(queue.arm(*deadline, value));
            }
            start.elapsed()
        })
    }

    fn cancel(&mut self) -> Duration {
        let armed = &mut self.armed;
        let (sum, idle, elapsed) = self.queue.enter(|queue| {
            let start = Instant::now();
            let sum: u64 = armed.drain(..).map(|timer| queue.cancel(timer)).sum();
            let idle = queue.is_idle();
            (sum, idle, start.elapsed())
        });
        assert_eq!(sum, sum_below(self.delays.len()));
        assert!(idle, "{}: a timer is left", Q::NAME);
        elapsed
    }

    fn live(&mut self) -> Duration {
        let queue = &self.queue;
        let delays = self.delays.iter().take(LIVES);
        let deadlines: Vec<_> = delays.map(|delay| queue.deadline(*delay)).collect();
        let (sum, elapsed) = self.queue.enter(|queue| {
            let start = Instant::now();
            let mut sum = 0;
            for (value, deadline) in (0..).zip(deadlines) {
                let timer = queue.arm(deadline, value);
                sum += queue.cancel(timer);
            }
            (sum, start.elapsed())
        });
        assert_eq!(sum, sum_below(LIVES.min(self.delays.len())));
        elapsed
    }

    fn fire(&mut self) -> Duration {
        self.due.clear();
        self.due.reserve(self.delays.len());
        let start = Instant::now();
        self.queue.pass_span(&mut self.due);
        let elapsed = start.elapsed();
        let delay = |value: u64| self.delays[value as usize];
        assert_eq!(self.due.len(), self.delays.len());
        assert!(self.due.is_sorted_by_key(|value| delay(*value)));
        assert!(self.queue.is_idle(), "{}: a timer is left", Q::NAME);
        elapsed
    }
}

/// What the values of so many timers add up to, when each has come back once.
fn sum_below(count: usize) -> u64 {
    (0..count as u64).sum()
}

/// Delays from 1 to [`SPAN_MS`], the same in each run: the upper bits of a linear congruential
/// generator.
fn delays(count: u64) -> Vec<u64> {
    let mut state = 1_u64;
    let delay = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        1 + (state >> 33) % SPAN_MS
    };
    (0..count).map(delay).collect()
}
