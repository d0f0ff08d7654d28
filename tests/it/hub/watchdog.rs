//! Who holds the hub, on a clock that tasks move themselves.

use super::*;
use crate::tape::Tape;
use greenroom::Hold;
use std::panic::Location;

fn holds(hub: &mut Hub) -> Notes<Hold> {
    let notes = Notes::new();
    let hook = notes.clone();
    hub.on_hold(move |hold| hook.add(hold.clone()));
    notes
}

/// A task that takes so long, once, and ends.
#[track_caller]
fn holding(hub: &mut Hub, kernel: &Clockwork, time: Duration) -> TaskId {
    let kernel = kernel.clone();
    acting(hub, move |_| kernel.pass(time))
}

/// Tasks of which one takes so long, all in the line of one turn.
fn crowd(hub: &mut Hub, kernel: &Clockwork, count: usize, culprit: usize) -> Vec<TaskId> {
    let time = |index| if index == culprit { ms(150) } else { ms(0) };
    (0..count)
        .map(|index| holding(hub, kernel, time(index)))
        .collect()
}

fn lines(hold: &Hold) -> Vec<u32> {
    let places = hold.spawned_at.iter();
    places.map(|place| place.line()).collect()
}

#[test]
fn a_task_that_holds_the_hub_is_named_with_the_place_that_spawned_it() {
    let (mut hub, kernel) = clockwork();
    let holds = holds(&mut hub);
    let other = lasting(&mut hub, ms(5));
    let line = line!() + 1;
    let task = hub.spawn(move |_hub, wake| match wake {
        Wake::Start => {
            kernel.pass(ms(150));
            Ok(Wait::sleep(ms(1)))
        }
        _ => Ok(Wait::done()),
    });
    hub.join_all(&[task, other]).unwrap();
    let told = holds.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].task, told[0].one_of), (Some(task), 1));
    assert_eq!(lines(&told[0]), [line]);
    assert!(told[0].spawned_at[0].file().ends_with(file!()));
    assert_eq!((told[0].held, told[0].untold), (ms(150), 0));
    let text = format!(
        "{task:?}, spawned at {}, held the hub for 150.0ms",
        told[0].spawned_at[0]
    );
    assert_eq!(told[0].to_string(), text);
}

#[test]
fn a_task_that_ends_or_panics_meanwhile_is_named_all_the_same() {
    let (mut hub, kernel) = clockwork();
    let _ = failures(&mut hub);
    let holds = holds(&mut hub);
    let ended = holding(&mut hub, &kernel, secs(2));
    let clock = kernel.clone();
    let panicked = hub.spawn(move |_hub, _wake| {
        clock.pass(secs(2));
        panic!("on purpose")
    });
    hub.run().unwrap();
    let told = holds.take();
    let tasks: Vec<_> = told.iter().map(|hold| hold.task).collect();
    assert_eq!(tasks, [Some(ended), Some(panicked)]);
}

#[test]
fn it_is_told_what_took_longer_than_the_limit_and_nothing_else() {
    let (mut hub, kernel) = clockwork();
    let holds = holds(&mut hub);
    let held = |hub: &mut Hub, time| {
        holding(hub, &kernel, time);
        hub.run().unwrap();
        kernel.pass(secs(1));
        holds.take().len()
    };
    assert_eq!(held(&mut hub, ms(100)), 0, "not longer than by default");
    assert_eq!(held(&mut hub, ms(101)), 1);
    hub.set_watchdog(Some(ms(10)));
    assert_eq!(held(&mut hub, ms(10)), 0);
    assert_eq!(held(&mut hub, ms(11)), 1);
    hub.set_watchdog(Some(Duration::MAX));
    assert_eq!(held(&mut hub, secs(1000)), 0);
    hub.set_watchdog(None);
    assert_eq!(held(&mut hub, secs(1000)), 0, "off");
    hub.set_watchdog(Some(ms(100)));
    assert_eq!(held(&mut hub, ms(150)), 1, "on again");
}

#[test]
fn what_passes_outside_of_tasks_is_nobodys() {
    let (mut hub, kernel) = clockwork();
    let holds = holds(&mut hub);
    kernel.oversleep(secs(5));
    let task = lasting(&mut hub, ms(5));
    hub.join(task).unwrap();
    kernel.pass(secs(5));
    hub.sleep(ms(5)).unwrap();
    assert_eq!(holds.len(), 0);
}

#[test]
fn a_hold_is_told_at_most_once_a_second_with_a_count_of_the_others() {
    let (mut hub, kernel) = clockwork();
    let holds = holds(&mut hub);
    // From 0 to 200, 400, 600, 800, 1000, 1200, ...: told at 200, and not again before 1200.
    for _ in 0..12 {
        holding(&mut hub, &kernel, ms(200));
        hub.run().unwrap();
    }
    let told = holds.take();
    let untold: Vec<_> = told.iter().map(|hold| hold.untold).collect();
    assert_eq!(untold, [0, 4, 4]);
    let text = told[1].to_string();
    assert!(
        text.ends_with("held the hub for 200.0ms (and 4 times before that were not told)"),
        "{text}"
    );
}

#[test]
fn the_first_four_of_a_turn_are_known_one_by_one() {
    for culprit in 0..4 {
        let (mut hub, kernel) = clockwork();
        let holds = holds(&mut hub);
        let tasks = crowd(&mut hub, &kernel, 40, culprit);
        hub.run().unwrap();
        let told = holds.take();
        assert_eq!((told.len(), told[0].task), (1, Some(tasks[culprit])));
    }
}

#[test]
fn a_culprit_in_a_batch_is_one_of_its_tasks_and_every_place_is_named_once() {
    let (mut hub, kernel) = clockwork();
    let holds = holds(&mut hub);
    crowd(&mut hub, &kernel, 4, usize::MAX);
    let first = line!() + 1;
    holding(&mut hub, &kernel, ms(0));
    for _ in 0..7 {
        holding(&mut hub, &kernel, ms(0));
    }
    holding(&mut hub, &kernel, ms(120));
    for _ in 0..40 {
        lasting(&mut hub, ms(1));
    }
    hub.run().unwrap();
    let told = holds.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].task, told[0].one_of), (None, 16));
    assert_eq!(told[0].held, ms(120));
    let found = lines(&told[0]);
    assert_eq!(found[..1], [first]);
    assert_eq!(found.len(), 4, "three here, and that of `lasting`");
    let text = told[0].to_string();
    let begins = "one of 16 tasks, or several together, spawned at ";
    assert!(text.starts_with(begins), "{text}");
    for place in &told[0].spawned_at {
        assert_eq!(text.matches(&place.to_string()).count(), 1, "{text}");
    }
}

#[test]
fn no_more_than_four_places_of_a_batch_are_named() {
    let (mut hub, kernel) = clockwork();
    let holds = holds(&mut hub);
    crowd(&mut hub, &kernel, 4, usize::MAX);
    holding(&mut hub, &kernel, ms(0));
    holding(&mut hub, &kernel, ms(0));
    holding(&mut hub, &kernel, ms(0));
    holding(&mut hub, &kernel, ms(0));
    holding(&mut hub, &kernel, secs(1));
    hub.run().unwrap();
    let told = holds.take();
    assert_eq!((told[0].one_of, told[0].spawned_at.len()), (5, 4));
}

#[test]
fn a_batch_that_took_too_long_has_every_task_looked_at_for_ten_seconds() {
    let (mut hub, kernel) = clockwork();
    let holds = holds(&mut hub);
    let told = |hub: &mut Hub| {
        let tasks = crowd(hub, &kernel, 40, 30);
        hub.run().unwrap();
        let told = holds.take();
        assert_eq!(told.len(), 1, "{told:?}");
        kernel.pass(secs(2));
        told[0].task.map(|task| task == tasks[30])
    };
    assert_eq!(told(&mut hub), None, "one of sixteen");
    for _ in 0..4 {
        assert_eq!(told(&mut hub), Some(true), "it came again");
    }
    kernel.pass(secs(2));
    assert_eq!(told(&mut hub), None, "that was long ago");
}

#[test]
fn tasks_that_take_long_together_and_not_alone_are_told_once() {
    let (mut hub, kernel) = clockwork();
    let holds = holds(&mut hub);
    for _ in 0..3 {
        for _ in 0..36 {
            holding(&mut hub, &kernel, ms(20));
        }
        hub.run().unwrap();
    }
    let told = holds.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].one_of, told[0].held), (16, ms(320)));
}

#[test]
fn the_clock_is_read_for_four_tasks_and_then_for_every_sixteenth() {
    let (mut hub, kernel) = clockwork();
    let reads = |hub: &mut Hub, count| {
        crowd(hub, &kernel, count, usize::MAX);
        let before = kernel.clock_reads();
        hub.turn().unwrap();
        kernel.clock_reads() - before
    };
    hub.set_watchdog(None);
    let idle = reads(&mut hub, 1);
    assert_eq!(reads(&mut hub, 1000), idle);
    hub.set_watchdog(Some(ms(100)));
    assert_eq!(reads(&mut hub, 1) - idle, 2, "before it, and after it");
    assert_eq!(reads(&mut hub, 4) - idle, 5);
    assert_eq!(reads(&mut hub, 5) - idle, 6);
    assert_eq!(reads(&mut hub, 4 + 16 + 1) - idle, 7);
    assert_eq!(reads(&mut hub, 4 + 16 * 62) - idle, 5 + 62);
}

#[test]
fn a_limit_that_a_task_sets_is_that_of_the_next_turn() {
    let (mut hub, kernel) = clockwork();
    let holds = holds(&mut hub);
    hub.set_watchdog(None);
    let clock = kernel.clone();
    acting(&mut hub, move |hub| {
        clock.pass(secs(5));
        hub.set_watchdog(Some(ms(100)));
    });
    holding(&mut hub, &kernel, secs(5));
    hub.turn().unwrap();
    assert_eq!(holds.len(), 0);
    holding(&mut hub, &kernel, secs(5));
    hub.turn().unwrap();
    assert_eq!(holds.take().len(), 1);
}

#[test]
fn a_hook_that_takes_long_or_panics_is_nobodys_hold() {
    let (mut hub, kernel) = clockwork();
    let notes = Notes::new();
    let (inner, clock) = (notes.clone(), kernel.clone());
    hub.on_hold(move |hold| {
        inner.add(hold.task);
        clock.pass(secs(3));
        panic!("the hook, on purpose");
    });
    let culprit = holding(&mut hub, &kernel, secs(1));
    holding(&mut hub, &kernel, ms(1));
    let other = lasting(&mut hub, ms(1));
    hub.join(other).unwrap();
    assert_eq!(notes.take(), [Some(culprit)]);
}

#[test]
fn a_task_on_the_real_kernel_is_named() {
    let mut hub = Hub::new().unwrap();
    let holds = holds(&mut hub);
    let task = acting(&mut hub, |_| thread::sleep(ms(150)));
    hub.join(task).unwrap();
    let told = holds.take();
    assert_eq!((told.len(), told[0].task), (1, Some(task)));
    assert!(told[0].held >= ms(150), "{:?}", told[0].held);
}

#[test]
fn without_a_hook_it_is_logged_as_a_warning() {
    let tape = Tape::start("greenroom::watchdog");
    let (mut hub, kernel) = clockwork();
    let place = Location::caller().file();
    let task = holding(&mut hub, &kernel, ms(150));
    hub.run().unwrap();
    let logged = tape.take();
    assert_eq!(logged.len(), 1, "{logged:?}");
    let begins = format!("WARN {task:?}, spawned at {place}:");
    assert!(logged[0].starts_with(&begins), "{logged:?}");
    assert!(
        logged[0].ends_with(", held the hub for 150.0ms"),
        "{logged:?}"
    );
}
