//! Waits: each of the four ways in which one ends.

use super::*;

#[test]
fn a_wait_ends_by_its_event() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let other = lasting(&mut hub, ms(5));
    waiter(&mut hub, &notes, Wait::join(other).within(ms(10)));
    hub.run().unwrap();
    assert_eq!(notes.take(), ["Joined(Ok(()))"]);
    assert_eq!(hub.timers_armed(), 0, "the deadline was taken back");
    assert!(hub.now() < Time::ZERO + ms(6));
}

#[test]
fn a_wait_ends_by_its_deadline() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let other = lasting(&mut hub, ms(10));
    waiter(&mut hub, &notes, Wait::join(other).within(ms(5)));
    hub.run().unwrap();
    assert_eq!(notes.take(), ["Deadline"]);
}

#[test]
fn a_wait_ends_by_a_notify() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let task = waiter(&mut hub, &notes, Wait::sleep(secs(9)).within(secs(5)));
    hub.sleep(ms(1)).unwrap();
    assert!(hub.notify(task));
    hub.run().unwrap();
    assert_eq!(notes.take(), ["Notified"]);
    assert_eq!(hub.timers_armed(), 0, "the sleep was taken back");
}

#[test]
fn a_wait_ends_by_a_kill() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let task = waiter(&mut hub, &notes, Wait::sleep(secs(9)).within(secs(5)));
    hub.sleep(ms(1)).unwrap();
    hub.kill(task);
    hub.run().unwrap();
    assert_eq!(notes.take(), ["Killed"]);
    assert_eq!(hub.timers_armed(), 0, "the sleep was taken back");
}

#[test]
fn event_deadline_notify_and_kill_in_one_turn_end_a_wait_once() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let other = lasting(&mut hub, ms(5));
    let inner = notes.clone();
    let task = hub.spawn(move |_hub, wake| {
        inner.add(format!("{wake:?}"));
        Ok(match wake {
            Wake::Start => Wait::join(other).within(ms(5)),
            _ => Wait::sleep(secs(1)),
        })
    });
    hub.spawn(move |hub, wake| match wake {
        Wake::Start => Ok(Wait::sleep(ms(5))),
        _ => {
            hub.notify(task);
            hub.kill(task);
            Ok(Wait::done())
        }
    });
    hub.run().unwrap();
    assert_eq!(notes.take().len(), 2, "Start, and one end of the wait");
    assert!(hub.is_ended(task));
}

#[test]
fn a_sleep_that_is_cut_short_by_its_deadline_says_so() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    waiter(&mut hub, &notes, Wait::sleep(ms(10)).within(ms(5)));
    waiter(&mut hub, &notes, Wait::sleep(ms(10)).within(ms(15)));
    hub.run().unwrap();
    assert_eq!(notes.take(), ["Deadline", "Elapsed"]);
}

#[test]
fn a_wait_until_a_time_that_is_past_ends_in_the_next_turn() {
    let (mut hub, kernel) = clockwork();
    kernel.pass(secs(1));
    let notes = Notes::new();
    waiter(&mut hub, &notes, Wait::until(Time::ZERO));
    hub.run().unwrap();
    assert_eq!(notes.take(), ["Elapsed"]);
    assert_eq!((hub.stats().turns, hub.now()), (2, Time::ZERO + secs(1)));
}

#[test]
fn main_does_not_wait_for_what_is_over_already() {
    let (mut hub, kernel) = clockwork();
    kernel.pass(secs(1));
    lasting(&mut hub, secs(9));
    for over in [
        Wait::done(),
        Wait::done().within(secs(5)),
        Wait::until(Time::ZERO),
        Wait::until(Time::ZERO).within(secs(5)),
        Wait::sleep(Duration::ZERO),
    ] {
        let wake = hub.wait(over).unwrap();
        assert!(matches!(wake, Wake::Elapsed), "{over:?}: {wake:?}");
        assert_eq!(hub.now(), Time::ZERO + secs(1), "{over:?}");
    }
    assert_eq!(hub.timers_armed(), 1, "that of the task");
}

#[test]
fn main_that_waits_for_nothing_at_all_needs_nobody_else() {
    let (mut hub, _) = clockwork();
    let wake = hub.wait(Wait::done()).unwrap();
    assert!(matches!(wake, Wake::Elapsed), "{wake:?}");
}

#[test]
fn a_notify_before_the_wait_ends_it_at_once() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let task = waiter(&mut hub, &notes, Wait::sleep(secs(1)));
    assert!(hub.notify(task), "it stands in line and does not wait yet");
    hub.run().unwrap();
    assert_eq!(notes.take(), ["Notified"]);
    assert_eq!(hub.now(), Time::ZERO);
}

#[test]
fn several_notifies_before_the_wait_count_as_one() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let inner = notes.clone();
    let task = hub.spawn(move |_hub, wake| {
        inner.add(format!("{wake:?}"));
        Ok(match wake {
            Wake::Elapsed => Wait::done(),
            _ => Wait::sleep(ms(1)),
        })
    });
    for _ in 0..3 {
        hub.notify(task);
    }
    hub.run().unwrap();
    assert_eq!(notes.take(), ["Start", "Notified", "Elapsed"]);
}

#[test]
fn a_task_that_notifies_itself_finds_its_next_wait_ended() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let myself = Rc::new(Cell::new(None));
    let (inner, name) = (notes.clone(), Rc::clone(&myself));
    let task = hub.spawn(move |hub, wake| {
        inner.add(format!("{wake:?}"));
        if let Wake::Start = wake {
            assert!(hub.notify(name.get().unwrap()));
            return Ok(Wait::sleep(secs(1)));
        }
        Ok(Wait::done())
    });
    myself.set(Some(task));
    hub.join(task).unwrap();
    assert_eq!(notes.take(), ["Start", "Notified"]);
}

#[test]
fn main_is_notified_as_any_task() {
    let (mut hub, _) = clockwork();
    let main = hub.main();
    acting(&mut hub, move |hub| assert!(hub.notify(main)));
    let wake = hub.wait(Wait::notified().within(secs(1))).unwrap();
    assert!(matches!(wake, Wake::Notified), "{wake:?}");
    assert_eq!(hub.now(), Time::ZERO);
}

#[test]
fn a_joiner_that_was_notified_is_not_woken_by_the_end_of_the_other() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let other = lasting(&mut hub, ms(10));
    let inner = notes.clone();
    let joiner = hub.spawn(move |_hub, wake| {
        inner.add(format!("{wake:?}"));
        Ok(match wake {
            Wake::Start => Wait::join(other),
            Wake::Notified => Wait::sleep(ms(50)),
            _ => Wait::done(),
        })
    });
    hub.sleep(ms(5)).unwrap();
    hub.notify(joiner);
    hub.run().unwrap();
    assert_eq!(notes.take(), ["Start", "Notified", "Elapsed"]);
    assert!(hub.now() >= Time::ZERO + ms(55));
}

#[test]
fn a_join_that_main_was_notified_out_of_does_not_end_its_next_wait() {
    let (mut hub, _) = clockwork();
    let main = hub.main();
    let other = lasting(&mut hub, ms(10));
    acting(&mut hub, move |hub| assert!(hub.notify(main)));
    let error = hub.join(other).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    hub.sleep(ms(50)).unwrap();
    assert!(hub.now() >= Time::ZERO + ms(50), "{:?}", hub.now());
}

#[test]
fn main_that_waits_for_nothing_is_told_that_it_would_wait_for_ever() {
    let (mut hub, _) = clockwork();
    let waits = hub.spawn(|_hub, _wake| Ok(Wait::notified()));
    let error = hub.wait(Wait::notified()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadlock, "{error}");
    let error = hub.join(waits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadlock, "{error}");
    hub.sleep(ms(1)).unwrap();
}

#[test]
fn a_name_that_has_gone_stale_reaches_nobody() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let first = lasting(&mut hub, ms(1));
    hub.join(first).unwrap();
    // It gets the place in the table that the first has left.
    waiter(&mut hub, &notes, Wait::sleep(ms(5)));
    hub.sleep(ms(1)).unwrap();
    assert!(!hub.notify(first));
    hub.kill(first);
    hub.detach(first);
    assert!(hub.is_ended(first));
    hub.join(first).unwrap();
    hub.run().unwrap();
    assert_eq!(notes.take(), ["Elapsed"]);
}
