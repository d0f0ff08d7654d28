//! Tasks that fail or panic, and calls that a task must not make.

use super::*;

#[test]
fn a_panic_ends_its_task_and_nothing_else() {
    let (mut hub, _) = clockwork();
    let failures = failures(&mut hub);
    let line = line!() + 1;
    let task = hub.spawn(|_hub, _wake| panic!("on {}", "purpose"));
    let other = lasting(&mut hub, ms(5));
    hub.run().unwrap();
    let told = failures.take();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].task, told[0].spawned_at.line()), (task, line));
    assert!(told[0].spawned_at.file().ends_with(file!()));
    assert_eq!(told[0].error.to_string(), "panicked: on purpose");
    let error = hub.join(task).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Task, "panicked: on purpose")
    );
    hub.join(other).unwrap();
    assert_eq!(hub.stats().failures, 1);
}

#[test]
fn the_error_of_a_task_is_told_once() {
    let (mut hub, _) = clockwork();
    let failures = failures(&mut hub);
    let task = failing(&mut hub, "on purpose");
    hub.run().unwrap();
    assert_eq!(failures.len(), 1);
    let error = hub.join(task).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Config, "on purpose")
    );
    hub.join(task).unwrap();
}

#[test]
fn everybody_who_joins_before_the_end_learns_how_it_was() {
    let (mut hub, _) = clockwork();
    let _ = failures(&mut hub);
    let notes = Notes::new();
    let task = failing(&mut hub, "on purpose");
    for _ in 0..3 {
        // Spawned behind it, they run behind it: only their names stand in front.
        waiter(&mut hub, &notes, Wait::join(task));
    }
    let slow = hub.spawn(|_hub, wake| match wake {
        Wake::Start => Ok(Wait::sleep(ms(5))),
        _ => Err(Error::new(ErrorKind::Config, "later")),
    });
    for _ in 0..3 {
        waiter(&mut hub, &notes, Wait::join(slow));
    }
    hub.run().unwrap();
    let told = notes.take();
    assert_eq!(told[0], "Joined(Err(Config: on purpose))");
    assert_eq!(told[1..3], ["Joined(Ok(()))", "Joined(Ok(()))"]);
    assert_eq!(told[3..], ["Joined(Err(Config: later))"; 3]);
}

#[test]
fn joining_a_task_that_has_ended_takes_no_turn() {
    let (mut hub, _) = clockwork();
    let task = lasting(&mut hub, ms(1));
    hub.run().unwrap();
    let turns = hub.stats().turns;
    hub.join(task).unwrap();
    hub.join_all(&[task, task]).unwrap();
    assert_eq!(hub.stats().turns, turns);
}

#[test]
fn join_all_says_how_many_have_failed_and_how_the_first() {
    let (mut hub, _) = clockwork();
    let _ = failures(&mut hub);
    let slow = hub.spawn(|_hub, wake| match wake {
        Wake::Start => Ok(Wait::sleep(ms(5))),
        _ => Err(Error::new(ErrorKind::Config, "the slow one")),
    });
    let fine = lasting(&mut hub, ms(9));
    let fast = failing(&mut hub, "the fast one");
    let error = hub.join_all(&[slow, fine, fast]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Task);
    let text = "2 of 3 tasks failed, the first: the slow one";
    assert_eq!(error.to_string(), text);
    assert!(hub.is_ended(fine), "it waited for all of them");
}

#[test]
fn the_failure_of_a_detached_task_is_told_to_the_hook_alone() {
    let (mut hub, _) = clockwork();
    let failures = failures(&mut hub);
    let before = failing(&mut hub, "detached before");
    let after = failing(&mut hub, "detached after");
    hub.detach(before);
    hub.run().unwrap();
    hub.detach(after);
    assert_eq!(failures.len(), 2);
    hub.join(before).unwrap();
    hub.join(after).unwrap();
}

/// What a task gets that calls something which would make turns within its turn.
fn refused(call: impl Fn(&mut Hub, TaskId) -> Result<()> + 'static) -> String {
    let (mut hub, _) = clockwork();
    let other = lasting(&mut hub, ms(5));
    let notes = Notes::new();
    let inner = notes.clone();
    let task = acting(&mut hub, move |hub| {
        let turns = hub.stats().turns;
        let error = call(hub, other).expect_err("it is refused");
        assert_eq!(error.kind(), ErrorKind::Misuse);
        assert_eq!(hub.stats().turns, turns);
        inner.add(error.to_string());
    });
    hub.join(task).unwrap();
    let text = notes.take().remove(0);
    assert!(text.starts_with(&format!("{task:?}")), "{text}");
    assert!(text.contains(".rs:"), "where it was spawned: {text}");
    text
}

#[test]
fn a_task_cannot_run_the_hub_that_runs_it() {
    assert!(refused(|hub, _| hub.run()).contains("Hub::run"));
    assert!(refused(|hub, _| hub.turn()).contains("Hub::turn"));
    assert!(refused(|hub, _| hub.sleep(ms(1))).contains("Hub::wait"));
    let wait = |hub: &mut Hub, _| hub.wait(Wait::notified()).map(drop);
    assert!(refused(wait).contains("Hub::wait"));
    assert!(refused(|hub, other| hub.join(other)).contains("Hub::join"));
    let join_all = |hub: &mut Hub, other| hub.join_all(&[other]);
    assert!(refused(join_all).contains("Hub::join_all"));
}

#[test]
fn a_hook_that_panics_keeps_nobody_from_learning_of_the_end() {
    let (mut hub, kernel) = clockwork();
    hub.on_error(|_| panic!("the hook, on purpose"));
    let task = hub.spawn(|_hub, wake| match wake {
        Wake::Start => Ok(Wait::sleep(ms(5))),
        _ => Err(Error::new(ErrorKind::Config, "on purpose")),
    });
    let notes = Notes::new();
    for _ in 0..2 {
        waiter(&mut hub, &notes, Wait::join(task));
    }
    let later = lasting(&mut hub, ms(20));
    hub.join(later).unwrap();
    assert_eq!(notes.take(), ["Joined(Err(Config: on purpose))"; 2]);
    assert_eq!(hub.stats().failures, 1);
    // Outside of a turn the time does not stand still.
    let before = hub.now();
    kernel.pass(secs(1));
    assert_eq!(hub.now().since(before), secs(1));
}

#[test]
fn a_failure_at_which_the_hook_panics_is_kept_for_who_joins_later() {
    let (mut hub, _) = clockwork();
    hub.on_error(|_| panic!("the hook, on purpose"));
    let task = failing(&mut hub, "on purpose");
    let panicking = hub.spawn(|_hub, _wake| panic!("the task, on purpose"));
    hub.run().unwrap();
    let error = hub.join(task).unwrap_err();
    assert_eq!(error.to_string(), "on purpose");
    let error = hub.join(panicking).unwrap_err();
    assert_eq!(error.to_string(), "panicked: the task, on purpose");
    assert_eq!(hub.stats().failures, 2);
    hub.sleep(ms(1)).unwrap();
}
