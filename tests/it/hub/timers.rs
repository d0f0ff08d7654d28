//! Sleeps and deadlines.

use super::*;

/// Numbers that look random and are the same each time.
fn scattered(count: usize, below: u64) -> Vec<u64> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    (0..count).map(|_| next()).collect()
}

/// Tasks that sleep for so many microseconds: how late each woke, in the order in which they
/// did.
fn wake_up(hub: &mut Hub, micros: &[u64]) -> Vec<(Time, Duration)> {
    let notes = Notes::new();
    for &micros in micros {
        let notes = notes.clone();
        let mut due = Time::ZERO;
        hub.spawn(move |hub, wake| {
            let sleep = Duration::from_micros(micros);
            if let Wake::Start = wake {
                due = hub.now() + sleep;
                return Ok(Wait::sleep(sleep));
            }
            assert!(hub.now() >= due, "early");
            notes.add((due, hub.now().since(due)));
            Ok(Wait::done())
        });
    }
    hub.run().unwrap();
    notes.take()
}

#[test]
fn sleepers_wake_in_order_and_never_early_and_less_than_a_tick_late() {
    let (mut hub, _) = clockwork();
    // From microseconds to hours: all levels of the wheel.
    let mut sleeps = scattered(500, 1_000);
    sleeps.extend(scattered(500, 1_000_000));
    sleeps.extend(scattered(500, 10_000_000_000));
    let woken = wake_up(&mut hub, &sleeps);
    assert_eq!(woken.len(), sleeps.len());
    for pair in woken.windows(2) {
        assert!(pair[0].0 < pair[1].0 + TICK, "out of order: {pair:?}");
    }
    let latest = woken.iter().map(|(_, late)| *late).max().unwrap();
    assert!(latest < TICK, "{latest:?} late");
}

#[test]
fn a_hub_that_was_held_up_wakes_all_who_are_due_in_order() {
    let (mut hub, kernel) = clockwork();
    kernel.oversleep(secs(60));
    let woken = wake_up(&mut hub, &[30_000_000, 5_000, 70_000_000, 1_000_000]);
    let due: Vec<_> = woken.iter().map(|(due, _)| *due).collect();
    let wanted = [ms(5), secs(1), secs(30), secs(70)];
    assert_eq!(due, wanted.map(|after| Time::ZERO + after));
    assert!(woken[3].1 < TICK, "the last was not due yet");
}

#[test]
fn a_timer_that_is_armed_while_the_wheel_moves_is_neither_early_nor_lost() {
    let (mut hub, kernel) = clockwork();
    let notes = Notes::new();
    for step in scattered(200, 40_000) {
        let notes = notes.clone();
        let mut due = Time::ZERO;
        let mut rounds = 0;
        hub.spawn(move |hub, wake| {
            if let Wake::Elapsed = wake {
                notes.add((hub.now() >= due, hub.now().since(due)));
            }
            rounds += 1;
            if rounds > 20 {
                return Ok(Wait::done());
            }
            let sleep = Duration::from_micros(step * rounds + 1);
            due = hub.now() + sleep;
            Ok(Wait::sleep(sleep))
        });
    }
    // The wheel moves over many slots at once, and then by single ones.
    for by in [ms(3), secs(2), ms(70), ms(1), ms(9)] {
        kernel.oversleep(by);
    }
    hub.run().unwrap();
    let woken = notes.take();
    assert_eq!(woken.len(), 200 * 20);
    assert!(woken.iter().all(|(in_time, _)| *in_time), "early");
    let late = woken.iter().filter(|(_, late)| *late >= TICK).count();
    assert!(late < 5 * 200, "{late} were late, also without a reason");
}

#[test]
fn a_hub_sleeps_once_for_a_timer_however_far_away() {
    let (mut hub, kernel) = clockwork();
    let task = lasting(&mut hub, secs(3));
    hub.join(task).unwrap();
    let naps = kernel.naps();
    assert!(
        naps.len() <= 6,
        "one poll for each level of the wheel at most: {naps:?}"
    );
}

#[test]
fn a_real_sleep_is_not_early_and_hardly_late() {
    let mut hub = Hub::new().unwrap();
    let start = Instant::now();
    hub.sleep(ms(20)).unwrap();
    let slept = start.elapsed();
    assert!(slept >= ms(20), "{slept:?}");
    assert!(slept < ms(500), "{slept:?}");
}
