//! Shutdowns without a signal, on a simulated hub: every moment is known exactly.

use crate::notes::Notes;
use greenroom::sim::Sim;
use greenroom::{
    Error, ErrorKind, Hub, Result, Shutdown, ShutdownReport, TaskId, Time, Wait, Wake, ms, secs,
};
use std::time::Duration;

/// A timer is rounded up to the next tick of the wheel, which is 2^17 ns long.
const TICK: Duration = Duration::from_nanos(1 << 17);

fn simulated() -> (Hub, Shutdown) {
    (Hub::simulated(&Sim::new(1)), Shutdown::new())
}

/// A task that is told, and ends so long after it was.
fn ends_after(hub: &mut Hub, shutdown: &Shutdown, time: Duration) -> TaskId {
    let task = hub.spawn(move |_hub, wake| match wake {
        Wake::Start => Ok(Wait::sleep(secs(3600))),
        Wake::Notified => Ok(Wait::sleep(time)),
        Wake::Elapsed => Ok(Wait::done()),
        other => Err(other.unexpected()),
    });
    shutdown.tell(hub, task);
    task
}

/// A task that works for ever, and notes its end.
fn never_ends(hub: &mut Hub, notes: &Notes<String>) -> TaskId {
    let notes = notes.clone();
    hub.spawn(move |_hub, wake| {
        if let Wake::Killed = wake {
            notes.add(format!("{wake:?}"));
        }
        Ok(Wait::sleep(ms(10)))
    })
}

fn requests_after(hub: &mut Hub, shutdown: &Shutdown, time: Duration) -> TaskId {
    let shutdown = shutdown.clone();
    hub.spawn(move |hub, wake| match wake {
        Wake::Start => Ok(Wait::sleep(time)),
        _ => {
            shutdown.request(hub);
            Ok(Wait::done())
        }
    })
}

fn counts(report: ShutdownReport) -> (usize, usize, usize) {
    (report.ended, report.failed, report.killed)
}

#[track_caller]
fn is_at(hub: &Hub, expected: Duration) {
    let now = hub.now().since(Time::ZERO);
    assert!(now >= expected && now < expected + 4 * TICK, "{now:?}");
}

#[test]
fn tasks_that_end_by_themselves_are_waited_for_and_no_longer() {
    let (mut hub, shutdown) = simulated();
    let times = [ms(300), ms(100), ms(200)];
    let tasks = times.map(|time| ends_after(&mut hub, &shutdown, time));
    requests_after(&mut hub, &shutdown, secs(1));
    assert!(!shutdown.is_requested());
    shutdown.wait(&mut hub).unwrap();
    assert!(shutdown.is_requested());
    assert_eq!(shutdown.signal(), None);
    is_at(&hub, secs(1));
    let report = shutdown.finish(&mut hub, secs(5), &tasks).unwrap();
    assert_eq!(counts(report), (3, 0, 0));
    is_at(&hub, secs(1) + ms(300));
}

#[test]
fn tasks_that_do_not_end_are_killed_when_the_grace_is_over() {
    let (mut hub, shutdown) = simulated();
    let notes = Notes::new();
    let tasks = [
        never_ends(&mut hub, &notes),
        ends_after(&mut hub, &shutdown, secs(1)),
        ends_after(&mut hub, &shutdown, secs(3)),
        never_ends(&mut hub, &notes),
    ];
    hub.sleep(ms(5)).unwrap();
    let report = shutdown.finish(&mut hub, secs(2), &tasks).unwrap();
    assert_eq!(counts(report), (1, 0, 3));
    assert_eq!(notes.take(), ["Killed", "Killed"]);
    assert!(hub.tasks().is_empty());
    is_at(&hub, secs(2) + ms(5));
}

#[test]
fn no_grace_kills_at_once() {
    let (mut hub, shutdown) = simulated();
    let notes = Notes::new();
    let tasks = [
        never_ends(&mut hub, &notes),
        ends_after(&mut hub, &shutdown, secs(1)),
    ];
    hub.sleep(ms(5)).unwrap();
    let report = shutdown.finish(&mut hub, Duration::ZERO, &tasks).unwrap();
    assert_eq!(counts(report), (0, 0, 2));
    is_at(&hub, ms(5));
}

#[test]
fn a_grace_without_end_is_one() {
    let (mut hub, shutdown) = simulated();
    let task = ends_after(&mut hub, &shutdown, secs(100_000));
    hub.sleep(ms(5)).unwrap();
    let report = shutdown.finish(&mut hub, Duration::MAX, &[task]).unwrap();
    assert_eq!(counts(report), (1, 0, 0));
}

#[test]
fn two_requests_are_one() {
    let (mut hub, shutdown) = simulated();
    let notes = Notes::new();
    let (inner, again) = (notes.clone(), shutdown.clone());
    shutdown.on_request(&mut hub, move |hub| {
        inner.add("callback".into());
        again.request(hub);
    });
    let inner = notes.clone();
    let task = hub.spawn(move |_hub, wake| {
        inner.add(format!("{wake:?}"));
        Ok(Wait::sleep(secs(9)))
    });
    shutdown.tell(&mut hub, task);
    requests_after(&mut hub, &shutdown, ms(20));
    requests_after(&mut hub, &shutdown, ms(30));
    shutdown.wait(&mut hub).unwrap();
    shutdown.clone().request(&mut hub);
    let report = shutdown.finish(&mut hub, secs(1), &[task]).unwrap();
    assert_eq!(counts(report), (0, 0, 1));
    assert_eq!(notes.take(), ["Start", "callback", "Notified", "Killed"]);
    let report = shutdown.finish(&mut hub, secs(1), &[task]).unwrap();
    assert_eq!(counts(report), (1, 0, 0), "it has ended since");
}

#[test]
fn who_comes_too_late_is_told_at_once() {
    let (mut hub, shutdown) = simulated();
    shutdown.request(&mut hub);
    let notes = Notes::new();
    let inner = notes.clone();
    shutdown.on_request(&mut hub, move |_| inner.add("called".to_owned()));
    assert_eq!(notes.take(), ["called"]);
    let task = ends_after(&mut hub, &shutdown, ms(1));
    shutdown.wait(&mut hub).unwrap();
    let report = shutdown.finish(&mut hub, secs(1), &[task]).unwrap();
    assert_eq!(counts(report), (1, 0, 0));
    // Main was not told, for it did not wait.
    let before = hub.now();
    hub.sleep(ms(50)).unwrap();
    assert!(hub.now().since(before) >= ms(50));
}

#[test]
fn tasks_that_fail_are_counted_and_reported_once() {
    let (mut hub, shutdown) = simulated();
    let failures = Notes::new();
    let hook = failures.clone();
    hub.on_error(move |failure| hook.add(failure.error.to_string()));
    let fails = |_: &mut Hub, wake: Wake| -> Result<Wait> {
        match wake {
            Wake::Start => Ok(Wait::sleep(ms(10))),
            _ => Err(Error::new(ErrorKind::Config, "on purpose")),
        }
    };
    let early = hub.spawn(fails);
    hub.sleep(ms(20)).unwrap();
    let late = hub.spawn(fails);
    let report = shutdown.finish(&mut hub, secs(1), &[early, late]).unwrap();
    assert_eq!(counts(report), (2, 2, 0));
    assert_eq!(failures.take(), ["on purpose", "on purpose"]);
    assert_eq!(hub.stats().failures, 2);
}

#[test]
fn main_among_the_tasks_is_passed_over() {
    let (mut hub, shutdown) = simulated();
    let main = hub.main();
    let task = ends_after(&mut hub, &shutdown, ms(10));
    let report = shutdown
        .finish(&mut hub, secs(1), &[main, task, main])
        .unwrap();
    assert_eq!(counts(report), (1, 0, 0));
}

#[test]
fn a_notify_of_main_does_not_shorten_the_grace() {
    let (mut hub, shutdown) = simulated();
    let main = hub.main();
    let nudges = hub.every(ms(7), move |hub, _| {
        hub.notify(main);
        Ok(())
    });
    let task = ends_after(&mut hub, &shutdown, ms(500));
    let waiting = requests_after(&mut hub, &shutdown, ms(100));
    shutdown.wait(&mut hub).unwrap();
    let tasks = [waiting, task];
    let report = shutdown.finish(&mut hub, secs(1), &tasks).unwrap();
    assert_eq!(counts(report), (2, 0, 0));
    hub.kill(nudges);
}

#[test]
fn nobody_who_could_request_it_is_a_deadlock() {
    let (mut hub, shutdown) = simulated();
    let error = shutdown.wait(&mut hub).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadlock, "{error}");
    assert!(!shutdown.is_requested());
}

#[test]
fn a_task_may_request_it_but_not_wait_for_its_end() {
    let (mut hub, shutdown) = simulated();
    let notes = Notes::new();
    let (inner, inside) = (notes.clone(), shutdown.clone());
    let task = hub.spawn(move |hub, _wake| {
        let errors = [
            inside.wait(hub).unwrap_err(),
            inside.finish(hub, secs(1), &[]).unwrap_err(),
        ];
        inner.add((errors.map(|error| error.kind()), inside.is_requested()));
        Ok(Wait::done())
    });
    hub.join(task).unwrap();
    assert_eq!(notes.take(), [([ErrorKind::Misuse; 2], false)]);
}

#[test]
fn who_has_ended_is_forgotten_and_the_others_are_told() {
    let (mut hub, shutdown) = simulated();
    let lasting = ends_after(&mut hub, &shutdown, ms(1));
    for _ in 0..1000 {
        let task = hub.spawn(|_, _| Ok(Wait::done()));
        shutdown.tell(&mut hub, task);
        hub.join(task).unwrap();
    }
    let report = shutdown.finish(&mut hub, secs(1), &[lasting]).unwrap();
    assert_eq!(counts(report), (1, 0, 0));
}

#[test]
fn a_thousand_tasks_take_one_grace() {
    let (mut hub, shutdown) = simulated();
    let notes = Notes::new();
    let mut tasks: Vec<_> = (0..1000).map(|_| never_ends(&mut hub, &notes)).collect();
    tasks.extend((0..1000).map(|_| ends_after(&mut hub, &shutdown, ms(900))));
    hub.sleep(ms(5)).unwrap();
    let report = shutdown.finish(&mut hub, secs(1), &tasks).unwrap();
    assert_eq!(counts(report), (1000, 0, 1000));
    is_at(&hub, secs(1) + ms(5));
}
