//! Kills, of tasks in every state.

use super::*;

#[test]
fn a_task_that_was_never_started_is_never_resumed() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let inner = notes.clone();
    let task = hub.spawn(move |_hub, wake| {
        inner.add(format!("{wake:?}"));
        Ok(Wait::done())
    });
    hub.kill(task);
    hub.join(task).unwrap();
    assert_eq!(notes.len(), 0);
    assert!(hub.is_ended(task));
}

#[test]
fn a_task_that_stands_in_line_learns_that_it_was_killed_and_nothing_else() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let victim = waiter(&mut hub, &notes, Wait::notified());
    let killer = hub.spawn(move |hub, wake| match wake {
        Wake::Start => Ok(Wait::notified()),
        _ => {
            hub.kill(victim);
            Ok(Wait::done())
        }
    });
    hub.turn().unwrap();
    hub.notify(killer);
    hub.notify(victim);
    hub.run().unwrap();
    assert_eq!(notes.take(), ["Killed"]);
}

#[test]
fn a_task_that_kills_itself_ends_when_it_returns() {
    let (mut hub, _) = clockwork();
    let failures = failures(&mut hub);
    let notes = Notes::new();
    let myself = Rc::new(Cell::new(None));
    let (inner, name) = (notes.clone(), Rc::clone(&myself));
    let task = hub.spawn(move |hub, wake| {
        hub.kill(name.get().unwrap());
        inner.add(format!("{wake:?}"));
        Ok(Wait::sleep(secs(1)))
    });
    myself.set(Some(task));
    hub.join(task).unwrap();
    assert_eq!(notes.take(), ["Start"]);
    assert_eq!((failures.len(), hub.timers_armed()), (0, 0));
}

#[test]
fn a_kill_is_delivered_once_however_often_it_is_asked_for() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let inner = notes.clone();
    let task = hub.spawn(move |_hub, wake| {
        inner.add(format!("{wake:?}"));
        Ok(Wait::sleep(secs(1)))
    });
    hub.sleep(ms(1)).unwrap();
    hub.kill(task);
    hub.kill(task);
    hub.turn().unwrap();
    hub.kill(task);
    hub.run().unwrap();
    assert_eq!(notes.take(), ["Start", "Killed"]);
    assert!(hub.is_ended(task), "whatever it returned");
}

#[test]
fn a_task_that_kills_another_and_joins_it_sees_it_end_well() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let victim = lasting(&mut hub, secs(9));
    let inner = notes.clone();
    hub.spawn(move |hub, wake| match wake {
        Wake::Start => Ok(Wait::sleep(ms(1))),
        Wake::Elapsed => {
            hub.kill(victim);
            Ok(Wait::join(victim))
        }
        wake => {
            inner.add(format!("{wake:?}"));
            Ok(Wait::done())
        }
    });
    hub.run().unwrap();
    assert_eq!(notes.take(), ["Joined(Ok(()))"]);
}

#[test]
fn an_error_on_the_way_out_of_a_killed_task_is_not_a_failure() {
    let (mut hub, _) = clockwork();
    let failures = failures(&mut hub);
    let task = hub.spawn(|_hub, wake| match wake {
        Wake::Start => Ok(Wait::sleep(secs(1))),
        wake => Err(wake.unexpected()),
    });
    hub.sleep(ms(1)).unwrap();
    hub.kill(task);
    hub.join(task).unwrap();
    assert_eq!((failures.len(), hub.stats().failures), (0, 0));
}

#[test]
fn main_cannot_be_killed() {
    let (mut hub, _) = clockwork();
    let main = hub.main();
    acting(&mut hub, move |hub| hub.kill(main));
    hub.sleep(ms(5)).unwrap();
    assert!(hub.now() >= Time::ZERO + ms(5));
}

#[test]
fn a_killed_joiner_is_forgotten_by_whom_it_joined() {
    let (mut hub, _) = clockwork();
    let failures = failures(&mut hub);
    let other = hub.spawn(|_hub, wake| match wake {
        Wake::Start => Ok(Wait::sleep(ms(5))),
        _ => Err(Error::new(ErrorKind::Config, "on purpose")),
    });
    let notes = Notes::new();
    let joiner = waiter(&mut hub, &notes, Wait::join(other));
    hub.sleep(ms(1)).unwrap();
    hub.kill(joiner);
    hub.run().unwrap();
    assert_eq!(notes.take(), ["Killed"]);
    assert_eq!(failures.len(), 1);
    let error = hub.join(other).unwrap_err();
    assert_eq!(error.to_string(), "on purpose", "kept for who asks next");
}
