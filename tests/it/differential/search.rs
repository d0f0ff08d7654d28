//! Looks for a script on which two servers differ, and for the shortest one like it.

use super::generate::any_script;
use super::host::Host;
use super::pair::Pair;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// Each has servers of its own. More than processors, since they mostly wait for the servers.
const THREADS: usize = 4;

/// Where one of the servers hangs, each script that is tried takes its time.
const SHRINKING_MAX: Duration = Duration::from_secs(60);

pub(super) struct Search {
    pub(super) seed: u64,
    pub(super) scripts: u64,
    pub(super) start: fn() -> Option<[Host; 2]>,
}

impl Search {
    /// The report of the first difference that was found.
    pub(super) fn run(&self) -> Option<String> {
        let next = AtomicU64::new(0);
        let stop = AtomicBool::new(false);
        let found = Mutex::new(None);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    let Some(mut pair) = Pair::start(self.start) else {
                        return;
                    };
                    let take = || Some(next.fetch_add(1, Relaxed)).filter(|n| *n < self.scripts);
                    while let Some(number) = take().filter(|_| !stop.load(Relaxed)) {
                        if let Some(report) = self.try_one(&mut pair, number, &stop) {
                            *found.lock().unwrap() = Some(report);
                        }
                    }
                });
            }
        });
        found.into_inner().unwrap()
    }

    fn try_one(&self, pair: &mut Pair, number: u64, stop: &AtomicBool) -> Option<String> {
        let seed = scattered(self.seed ^ scattered(number));
        let seed = [seed, scattered(seed)].map(u64::to_le_bytes).concat();
        let rng = TestRng::from_seed(RngAlgorithm::XorShift, &seed);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let mut tree = any_script().new_tree(&mut runner).unwrap();
        let first = pair.run(&tree.current()).err()?;
        // The others may stop, and only one of two that have found something goes on.
        if stop.swap(true, Relaxed) {
            return None;
        }
        let steps = tree.current().0.len();
        let shortest = shrink(pair, &mut tree).unwrap_or(first);
        Some(format!(
            "script {number} of seed {} ({steps} steps, made shorter): the servers differ in the last\n{shortest}",
            self.seed
        ))
    }
}

/// A number whose bits all depend on all bits of the given one (the last steps of SplitMix64).
/// Numbers that come out of an Xorshift which began with nearly all bits 0 are small for a while.
fn scattered(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The report of the shortest script that still makes a difference, if there is a shorter one.
fn shrink(pair: &mut Pair, tree: &mut impl ValueTree<Value = super::Script>) -> Option<String> {
    let deadline = Instant::now() + SHRINKING_MAX;
    let mut report = None;
    let mut go_on = tree.simplify();
    while go_on && Instant::now() < deadline {
        go_on = match pair.run(&tree.current()) {
            Err(shorter) => {
                report = Some(shorter);
                tree.simplify()
            }
            Ok(()) => tree.complicate(),
        };
    }
    report
}
