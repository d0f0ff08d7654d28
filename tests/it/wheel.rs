//! The wheel against a sorted map, over random sequences of everything that can be done with it.

use greenroom::wheel::{Timer, Wheel};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};

#[derive(Clone, Debug)]
enum Op {
    Arm(Tick),
    /// Cancels one of the handles ever given out, be it stale.
    Cancel(prop::sample::Index),
    /// Cancels as above and arms what was cancelled anew.
    Rearm(prop::sample::Index, Tick),
    Advance(Tick),
    /// Advances to where the wheel asks to be woken.
    Sleep,
}

/// A point in time, as seen from the present.
#[derive(Clone, Debug)]
enum Tick {
    Past(u64),
    Ahead(u64),
    /// So many ticks after or before the present's next multiple of 64^k.
    Boundary(u32, i64),
    At(u64),
}

proptest! {
    #[test]
    fn the_wheel_does_what_a_sorted_map_does(start in any_start(), ops in vec(any_op(), 1..120)) {
        let mut pair = Pair::starting_at(start);
        for op in ops {
            pair.apply(op);
            pair.check();
        }
        pair.advance(u64::MAX);
        pair.check();
        prop_assert!(pair.wheel.is_empty());
    }

    #[test]
    fn who_sleeps_until_woken_is_woken_at_each_tick_once(
        start in any_start(),
        first in vec(any_tick(), 1..40),
        later in vec(any_tick(), 0..40),
    ) {
        let mut pair = Pair::starting_at(start);
        for tick in first {
            pair.arm(&tick);
        }
        let mut later = later.into_iter();
        while let Some(wake) = pair.wheel.next_wake().filter(|_| pair.now < u64::MAX) {
            let soonest = pair.soonest();
            prop_assert_eq!(Some(wake), soonest, "without a cancellation, the wake-up is exact");
            prop_assert!(pair.advance(wake) > 0, "woken at {} for nothing", wake);
            if let Some(tick) = later.next() {
                pair.arm(&tick);
            }
        }
    }

    #[test]
    fn a_cancellation_causes_at_most_one_wake_up_for_nothing(
        start in any_start(),
        ticks in vec(any_tick(), 1..60),
        cancelled in vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let mut pair = Pair::starting_at(start);
        for tick in ticks {
            pair.arm(&tick);
        }
        for index in cancelled {
            pair.cancel(index);
        }
        let mut for_nothing = 0;
        while let Some(wake) = pair.wheel.next_wake().filter(|_| pair.now < u64::MAX) {
            prop_assert!(wake > pair.now, "a sleep makes headway");
            for_nothing += usize::from(pair.advance(wake) == 0);
        }
        prop_assert!(for_nothing <= pair.cancellations);
    }
}

/// A wheel, and the map that says what the wheel ought to do.
struct Pair {
    wheel: Wheel<u64>,
    now: u64,
    /// What is armed, by tick and serial number; the serial number is the value in the wheel.
    armed: BTreeMap<(u64, u64), Timer>,
    /// All handles ever given out, with the key each had in `armed`.
    handles: Vec<(Timer, (u64, u64))>,
    cancellations: usize,
}

impl Pair {
    fn starting_at(start: u64) -> Pair {
        let mut wheel = Wheel::new();
        wheel.advance(start, &mut Vec::new());
        Pair {
            wheel,
            now: start,
            armed: BTreeMap::new(),
            handles: Vec::new(),
            cancellations: 0,
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Arm(tick) => self.arm(&tick),
            Op::Cancel(index) => {
                self.cancel(index);
            }
            Op::Rearm(index, tick) => {
                if self.cancel(index) {
                    self.arm(&tick);
                }
            }
            Op::Advance(tick) => {
                self.advance(tick.seen_from(self.now));
            }
            Op::Sleep => {
                if let Some(wake) = self.wheel.next_wake() {
                    self.advance(wake);
                }
            }
        }
    }

    fn arm(&mut self, tick: &Tick) {
        let when = tick.seen_from(self.now);
        let serial = self.handles.len() as u64;
        let timer = self.wheel.arm(when, serial);
        let key = (when.max(self.now.saturating_add(1)), serial);
        assert_eq!(self.wheel.when(timer), Some(key.0));
        self.armed.insert(key, timer);
        self.handles.push((timer, key));
    }

    /// Whether there was anything to cancel.
    fn cancel(&mut self, index: prop::sample::Index) -> bool {
        if self.handles.is_empty() {
            return false;
        }
        let (timer, key) = *index.get(&self.handles);
        let value = self.wheel.cancel(timer);
        assert_eq!(value, self.armed.remove(&key).map(|_| key.1));
        assert_eq!(self.wheel.cancel(timer), None, "cancelled twice");
        self.cancellations += usize::from(value.is_some());
        value.is_some()
    }

    /// How many timers fired: exactly those that had to, in the order of their ticks.
    fn advance(&mut self, now: u64) -> usize {
        let mut expected = Vec::new();
        while let Some(first) = self.armed.first_entry().filter(|e| e.key().0 <= now) {
            expected.push(first.remove_entry().0);
        }
        let ticks: HashMap<u64, u64> = expected
            .iter()
            .map(|&(when, serial)| (serial, when))
            .collect();

        let mut due = Vec::new();
        self.wheel.advance(now, &mut due);
        let fired = due
            .iter()
            .map(|serial| (ticks.get(serial).copied(), *serial));
        let mut fired: Vec<_> = fired
            .map(|(when, serial)| (when.expect("too early"), serial))
            .collect();
        assert!(
            fired.is_sorted_by_key(|&(when, _)| when),
            "out of order: {fired:?}"
        );
        fired.sort_unstable();
        assert_eq!(fired, expected);

        self.now = self.now.max(now);
        due.len()
    }

    fn soonest(&self) -> Option<u64> {
        self.armed.first_key_value().map(|(key, _)| key.0)
    }

    fn check(&self) {
        assert_eq!(self.wheel.now(), self.now);
        assert_eq!(self.wheel.len(), self.armed.len());
        assert_eq!(self.wheel.is_empty(), self.armed.is_empty());
        let (wake, soonest) = (self.wheel.next_wake(), self.soonest());
        assert_eq!(wake.is_some(), soonest.is_some());
        assert!(wake <= soonest, "{wake:?} is too late for {soonest:?}");
        assert!(wake.is_none_or(|wake| wake > self.now || self.now == u64::MAX));
        assert!(
            wake == soonest || self.cancellations > 0,
            "too soon for no reason"
        );
        for (timer, key) in &self.handles {
            let when = self.armed.contains_key(key).then_some(key.0);
            assert_eq!(self.wheel.when(*timer), when);
        }
    }
}

impl Tick {
    fn seen_from(&self, now: u64) -> u64 {
        match *self {
            Tick::Past(ticks) => now.saturating_sub(ticks),
            Tick::Ahead(ticks) => now.saturating_add(ticks),
            Tick::Boundary(digit, offset) => {
                let below = (1 << (6 * digit)) - 1;
                (now | below)
                    .saturating_add(1)
                    .saturating_add_signed(offset)
            }
            Tick::At(tick) => tick,
        }
    }
}

fn any_op() -> impl Strategy<Value = Op> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        6 => any_tick().prop_map(Op::Arm),
        2 => index().prop_map(Op::Cancel),
        2 => (index(), any_tick()).prop_map(|(index, tick)| Op::Rearm(index, tick)),
        3 => any_tick().prop_map(Op::Advance),
        3 => Just(Op::Sleep),
    ]
}

/// Near ticks, so that lists hold several; boundaries; and now and then the end of time, not so
/// often that most of a sequence is spent there.
fn any_tick() -> impl Strategy<Value = Tick> {
    prop_oneof![
        20 => (0..200_u64).prop_map(Tick::Ahead),
        10 => (0..20_000_u64).prop_map(Tick::Ahead),
        10 => (0..=10_u32, -1..=1_i64).prop_map(|(digit, offset)| Tick::Boundary(digit, offset)),
        10 => (0..=3_u32, -1..=1_i64).prop_map(|(digit, offset)| Tick::Boundary(digit, offset)),
        5 => (0..58_u32, any::<u64>()).prop_map(|(bits, ticks)| Tick::Ahead(ticks >> (63 - bits))),
        3 => (0..100_u64).prop_map(Tick::Past),
        1 => any::<u64>().prop_map(Tick::At),
        1 => Just(Tick::At(u64::MAX)),
    ]
}

fn any_start() -> impl Strategy<Value = u64> {
    let near = (0..=10_u32, 0..3_u64)
        .prop_map(|(digit, back)| (1_u64 << (6 * digit)).saturating_sub(back));
    prop_oneof![3 => Just(0), 3 => near, 1 => any::<u64>(), 1 => Just(u64::MAX - 2)]
}
