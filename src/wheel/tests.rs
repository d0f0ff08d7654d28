use super::*;
use crate::token::Owner;
use std::collections::HashSet;

#[test]
fn a_timer_fires_at_its_tick_and_not_one_before() {
    for when in boundaries() {
        let mut wheel = Wheel::new();
        wheel.arm(when, ());
        check(&wheel);
        assert_eq!(advance(&mut wheel, when - 1), [], "{when} is still to come");
        assert_eq!(wheel.next_wake(), Some(when));
        assert_eq!(advance(&mut wheel, when), [()], "{when} has come");
        assert_eq!(wheel.next_wake(), None);
    }
}

#[test]
fn a_timer_fires_wherever_time_stood_when_it_was_armed_and_stands_since() {
    for (armed, seen) in pairs(&boundaries()) {
        for when in boundaries().into_iter().filter(|&when| when > seen) {
            let mut wheel = Wheel::new();
            advance(&mut wheel, armed);
            wheel.arm(when, ());
            assert_eq!(advance(&mut wheel, seen), []);
            assert_eq!(wheel.next_wake(), Some(when), "{armed} {seen}");
            assert_eq!(advance(&mut wheel, when), [()], "{armed} {seen} {when}");
        }
    }
}

#[test]
fn one_jump_over_everything_keeps_the_order_of_the_ticks() {
    let mut wheel = Wheel::new();
    for &when in boundaries().iter().rev() {
        wheel.arm(when, when);
    }
    check(&wheel);
    assert_eq!(advance(&mut wheel, u64::MAX), boundaries());
    assert!(wheel.is_empty());
}

#[test]
fn a_timer_for_the_past_or_the_present_is_due_at_the_next_tick() {
    for now in [0, 1, 63, 64, 4_095, 1 << 36, u64::MAX - 1] {
        let mut wheel = Wheel::new();
        advance(&mut wheel, now);
        let timers = [0, now - now.min(1), now].map(|when| wheel.arm(when, when));
        check(&wheel);
        for timer in timers {
            assert_eq!(wheel.when(timer), Some(now + 1));
        }
        assert_eq!(advance(&mut wheel, now), [], "not within the same tick");
        assert_eq!(wheel.next_wake(), Some(now + 1));
        assert_eq!(advance(&mut wheel, now + 1).len(), 3);
    }
}

#[test]
fn at_the_last_tick_a_timer_is_due_at_the_next_advance() {
    let mut wheel = Wheel::new();
    advance(&mut wheel, u64::MAX);
    let timer = wheel.arm(7, "seven");
    wheel.arm(u64::MAX, "last");
    assert_eq!(wheel.when(timer), Some(u64::MAX));
    assert_eq!(wheel.next_wake(), Some(u64::MAX));
    assert_eq!(wheel.cancel(timer), Some("seven"));
    assert_eq!(advance(&mut wheel, u64::MAX), ["last"]);
    assert_eq!(wheel.next_wake(), None);
}

#[test]
fn time_does_not_go_backwards() {
    let mut wheel = Wheel::new();
    advance(&mut wheel, 1_000);
    wheel.arm(1_001, ());
    assert_eq!(advance(&mut wheel, 10), []);
    assert_eq!(wheel.now(), 1_000);
    check(&wheel);
}

#[test]
fn a_timer_leaves_its_list_from_the_head_the_middle_and_the_tail() {
    for gone in 0..3 {
        let mut wheel = Wheel::new();
        let timers = [200, 201, 202].map(|when| wheel.arm(when, when));
        assert_eq!(wheel.occupied[1], 1 << 3, "all three in one list");
        assert_eq!(wheel.cancel(timers[gone]), Some(200 + gone as u64));
        check(&wheel);
        let mut left = vec![200, 201, 202];
        left.remove(gone);
        assert_eq!(advance(&mut wheel, 300), left);
    }
}

#[test]
fn the_last_timer_to_leave_a_list_vacates_the_slot() {
    let mut wheel = Wheel::new();
    let timers = [200, 201].map(|when| wheel.arm(when, when));
    for timer in timers {
        wheel.cancel(timer);
        check(&wheel);
    }
    assert_eq!(wheel.next_wake(), None);
    wheel.arm(203, 203);
    assert_eq!(
        wheel.next_wake(),
        Some(203),
        "what was soonest then is forgotten"
    );
}

#[test]
fn a_cancellation_costs_one_wake_up_for_nothing_and_no_more() {
    let mut wheel = Wheel::new();
    let soonest = wheel.arm(200_000, ());
    wheel.arm(200_001, ());
    wheel.cancel(soonest);
    assert_eq!(wheel.next_wake(), Some(200_000), "too soon");
    assert_eq!(advance(&mut wheel, 200_000), []);
    assert_eq!(wheel.next_wake(), Some(200_001), "exact again");
    assert_eq!(advance(&mut wheel, 200_001), [()]);
}

#[test]
fn a_cancelled_timer_in_a_list_that_is_passed_on_the_way_costs_nothing() {
    let mut wheel = Wheel::new();
    let soonest = wheel.arm(200, ());
    wheel.arm(201, ());
    wheel.cancel(soonest);
    assert_eq!(advance(&mut wheel, 195), []);
    assert_eq!(wheel.next_wake(), Some(201));
    check(&wheel);
}

#[test]
fn timers_of_one_list_that_a_cascade_parts_can_still_be_cancelled() {
    for gone in 0..4 {
        let ticks = [4_100, 4_200, 4_101, 5_000];
        let mut wheel = Wheel::new();
        let timers = ticks.map(|when| wheel.arm(when, when));
        assert_eq!(wheel.occupied[2], 1 << 1, "all four in one list");
        assert_eq!(advance(&mut wheel, 4_097), []);
        assert_eq!(wheel.cancel(timers[gone]), Some(ticks[gone]));
        check(&wheel);
        let mut left = ticks.to_vec();
        left.remove(gone);
        left.sort_unstable();
        assert_eq!(advance(&mut wheel, 6_000), left);
    }
}

#[test]
fn a_stale_handle_does_not_touch_the_timer_that_took_its_place() {
    let mut wheel = Wheel::new();
    let cancelled = wheel.arm(10, "cancelled");
    assert_eq!(wheel.cancel(cancelled), Some("cancelled"));
    let fired = wheel.arm(20, "fired");
    assert_eq!(advance(&mut wheel, 20), ["fired"]);
    let armed = wheel.arm(30, "armed");
    for stale in [cancelled, fired] {
        assert_eq!(wheel.cancel(stale), None);
        assert_eq!(wheel.when(stale), None);
    }
    assert_eq!(wheel.len(), 1);
    assert_eq!(wheel.when(armed), Some(30));
}

#[test]
fn a_value_that_nobody_asked_for_is_dropped_with_the_wheel() {
    let value = std::rc::Rc::new(());
    let mut wheel = Wheel::new();
    wheel.arm(1, value.clone());
    wheel.arm(1 << 40, value.clone());
    drop(wheel);
    assert_eq!(std::rc::Rc::strong_count(&value), 1);
}

#[test]
fn an_entry_for_the_hub_is_small() {
    assert_eq!(size_of::<Entry<Owner>>(), 40);
    assert_eq!(size_of::<Option<Timer>>(), 8);
}

/// Every power of 64, one more and one less; the middle of a `u64`, and its end.
fn boundaries() -> Vec<u64> {
    let powers = (0..LEVELS).map(|level| 1 << (level * BITS_PER_LEVEL));
    let mut ticks: Vec<u64> = powers
        .chain([1 << 63, u64::MAX - 1])
        .flat_map(|power: u64| [power - 1, power, power + 1])
        .filter(|&tick| tick > 0)
        .collect();
    ticks.sort_unstable();
    ticks.dedup();
    ticks
}

/// All pairs of an earlier and a later element, or twice the same.
fn pairs(ticks: &[u64]) -> impl Iterator<Item = (u64, u64)> {
    let from = move |i: usize| ticks[i..].iter().map(move |&later| (ticks[i], later));
    (0..ticks.len()).flat_map(from)
}

fn advance<T>(wheel: &mut Wheel<T>, now: u64) -> Vec<T> {
    let mut due = Vec::new();
    wheel.advance(now, &mut due);
    check(wheel);
    due
}

/// Panics unless every timer is in the one list where it belongs, and the bits say so.
fn check<T>(wheel: &Wheel<T>) {
    let mut seen = HashSet::new();
    for (level, lists) in wheel.slots.iter().enumerate() {
        for (slot, list) in lists.iter().enumerate() {
            let occupied = wheel.occupied[level] >> slot & 1 == 1;
            assert_eq!(occupied, list.head.is_some(), "level {level}, slot {slot}");
            let (mut prev, mut key) = (None, list.head);
            while let Some(this) = key {
                let entry = wheel.timers.get(this).expect("links name armed timers");
                let place = place(wheel.now, entry.when);
                assert_eq!((place.level, place.slot), (level, slot));
                assert!(entry.when > wheel.now || wheel.now == u64::MAX);
                assert!(entry.when >= list.soonest, "never too late");
                assert_eq!(entry.prev, prev);
                assert!(seen.insert(this), "in two lists, or twice in one");
                (prev, key) = (key, entry.next);
            }
        }
    }
    assert_eq!(seen.len(), wheel.len(), "a timer is in no list");
}
