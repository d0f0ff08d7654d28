//! Chapter 6.

use super::super::cascade::Wheel;
use super::super::heap::Timers;
use super::super::place::place as file;
use greenroom::sim::Random;

pub fn place() {
    assert_eq!(file(60, 63), (0, 63));
    assert_eq!(file(60, 70), (1, 1), "near, and in another slot of level 1");
    assert_eq!(file(0, 63), (0, 63));
    assert_eq!(file(0, 64), (1, 1));
    assert_eq!(file(4095, 4096), (2, 1), "one tick away");
    let digits = |two: u64, one: u64, zero: u64| (two * 64 + one) * 64 + zero;
    let now = digits(1, 2, 60);
    assert_eq!(file(now, digits(1, 2, 63)), (0, 63));
    assert_eq!(file(now, digits(1, 5, 7)), (1, 5));
    assert_eq!(file(now, digits(3, 0, 7)), (2, 3));
    assert_eq!(file(now, now), (0, 60));
    assert_eq!(file(0, u64::MAX), (10, 15));
    assert_eq!(file(u64::MAX, u64::MAX), (0, 63));
}

pub fn heap() {
    let mut timers = Timers::default();
    assert_eq!(timers.next(), None);
    let [late, soon, same] = [30, 10, 10].map(|when| timers.arm(when));
    assert!(late != soon && soon != same);
    assert_eq!(timers.next(), Some(10));
    assert!(timers.cancel(soon));
    assert!(!timers.cancel(soon), "it was taken back already");
    assert!(!timers.cancel(same + 100), "nobody has this number");
    assert_eq!(timers.next(), Some(10));
    let again = timers.arm(10);
    assert_eq!(timers.advance(9), [0; 0]);
    assert_eq!(timers.advance(20), [same, again], "the dead do not fire");
    assert!(!timers.cancel(same), "it has fired");
    assert_eq!(timers.next(), Some(30));
    assert!(timers.cancel(late));
    assert_eq!(timers.next(), None, "no wake-up for the dead");
    assert_eq!(timers.advance(1_000), [0; 0]);

    // A deadline's life, ten thousand times, beside a few that stay.
    for when in 0..10 {
        timers.arm(1_000_000 + when);
    }
    for now in 0..10_000 {
        let deadline = timers.arm(now + 20_000);
        assert!(timers.cancel(deadline));
        assert!(timers.entries() <= 2 * 10 + 64, "it fills up with the dead");
    }
    assert_eq!(timers.next(), Some(1_000_000));
    assert_eq!(timers.advance(2_000_000).len(), 10);
}

pub fn cascade() {
    let mut wheel = Wheel::default();
    assert_eq!(wheel.next_wake(), None);
    for when in [9, 2, 63, 8] {
        wheel.arm(when);
    }
    assert_eq!(wheel.next_wake(), Some(2));
    assert_eq!(wheel.advance(1), [0; 0]);
    assert_eq!(wheel.advance(8), [2, 8]);
    assert_eq!(wheel.advance(40), [9]);
    assert_eq!(wheel.advance(63), [63]);
    assert_eq!(wheel.next_wake(), None);

    // Against a sorted list, for many seeds.
    for seed in 0..500 {
        let mut random = Random::new(seed);
        let (mut wheel, mut armed, mut now) = (Wheel::default(), Vec::new(), 0);
        let mut count = 0;
        while now < 63 {
            for _ in 0..random.index(4) {
                let when = now + 1 + random.index(63 - now);
                wheel.arm(when);
                armed.push(when);
                count += 1;
            }
            armed.sort_unstable();
            let wake = wheel.next_wake();
            assert_eq!(wake.is_some(), !armed.is_empty(), "seed {seed}");
            let sound = wake.is_none_or(|wake| now < wake && wake <= armed[0]);
            assert!(sound, "seed {seed}: {wake:?} at {now}, {armed:?}");
            now = match wake.filter(|_| random.chance(0.5)) {
                Some(wake) => wake,
                None => (now + 1 + random.index(20)).min(63),
            };
            let later = armed.partition_point(|when| *when <= now);
            let due: Vec<_> = armed.drain(..later).collect();
            assert_eq!(wheel.advance(now), due, "seed {seed}, at {now}");
        }
        let most = 3 * count;
        assert!(wheel.work <= most, "seed {seed}: too many looks");
        assert!(
            count == 0 || wheel.work >= count,
            "seed {seed}: not counted"
        );
    }
}
