//! Turns: who is resumed, in which order, and when the hub is done.

use super::*;

#[test]
fn tasks_run_in_the_order_in_which_they_were_spawned() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    for number in 0..2000 {
        let notes = notes.clone();
        acting(&mut hub, move |_| notes.add(number));
    }
    hub.run().unwrap();
    assert_eq!(notes.take(), (0..2000).collect::<Vec<_>>());
}

#[test]
fn a_task_that_a_task_spawns_runs_in_the_next_turn() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let inner = notes.clone();
    acting(&mut hub, move |hub| {
        inner.add(hub.stats().turns);
        let inner = inner.clone();
        acting(hub, move |hub| inner.add(hub.stats().turns));
    });
    hub.run().unwrap();
    assert_eq!(notes.take(), [1, 2]);
}

#[test]
fn a_sleep_of_zero_lets_all_others_go_first() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    for name in ["a", "b", "c"] {
        let notes = notes.clone();
        let mut rounds = 0;
        hub.spawn(move |_hub, _wake| {
            notes.add(name);
            rounds += 1;
            Ok(if rounds < 3 {
                Wait::sleep(Duration::ZERO)
            } else {
                Wait::done()
            })
        });
    }
    hub.run().unwrap();
    assert_eq!(notes.take(), ["a", "b", "c", "a", "b", "c", "a", "b", "c"]);
}

#[test]
fn a_task_that_never_sleeps_does_not_keep_a_timer_from_firing() {
    let mut hub = Hub::new().unwrap();
    let spinner = hub.spawn(|_hub, _wake| Ok(Wait::sleep(Duration::ZERO)));
    hub.sleep(ms(5)).unwrap();
    hub.kill(spinner);
    hub.run().unwrap();
}

#[test]
fn the_time_stands_still_within_a_turn() {
    let (mut hub, kernel) = clockwork();
    let notes = Notes::new();
    let inner = notes.clone();
    acting(&mut hub, move |hub| {
        let before = hub.now();
        kernel.pass(secs(1));
        inner.add(hub.now().since(before));
    });
    hub.run().unwrap();
    assert_eq!(notes.take(), [Duration::ZERO]);
    assert_eq!(hub.now(), Time::ZERO + secs(1));
}

#[test]
fn run_returns_when_nothing_is_left_to_wait_for() {
    let (mut hub, _) = clockwork();
    hub.run().unwrap();
    assert_eq!(hub.stats().turns, 0);
    let waits = hub.spawn(|_hub, _wake| Ok(Wait::notified()));
    lasting(&mut hub, secs(1));
    hub.run().unwrap();
    assert_eq!(hub.now().since(Time::ZERO).as_secs(), 1);
    assert!(!hub.is_ended(waits), "it may still be notified");
}

#[test]
fn the_hub_names_the_tasks_that_have_not_ended() {
    let (mut hub, _) = clockwork();
    let short = lasting(&mut hub, ms(1));
    let long = lasting(&mut hub, ms(9));
    let broken = failing(&mut hub, "on purpose");
    assert_eq!(hub.tasks(), [short, long, broken]);
    hub.sleep(ms(5)).unwrap();
    assert_eq!(hub.tasks(), [long]);
    assert!(hub.is_ended(short) && hub.is_ended(broken) && !hub.is_ended(long));
}

#[test]
fn a_task_that_is_running_has_not_ended() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let inner = notes.clone();
    let task = acting(&mut hub, move |hub| {
        for task in hub.tasks() {
            inner.add((task, hub.is_ended(task)));
        }
    });
    hub.join(task).unwrap();
    assert_eq!(notes.take(), [(task, false)]);
}
