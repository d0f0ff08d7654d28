//! Signals that this very process sends itself. Each test has a signal of its own, since all run in one process, and
//! a handler is the process'. What ends a process is tested on programs.

use crate::notes::Notes;
use crate::peer::PATIENCE;
use crate::server::signal;
use greenroom::signals::{self, SIGHUP, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
use greenroom::sim::Sim;
use greenroom::{Error, ErrorKind, Hub, Shutdown, TaskId, Wait, Wake, ms};

fn raise(name: &str) {
    signal(name, std::process::id());
}

/// A hub, and what has come to a task of it that watches these signals. Main is notified each time.
fn watching(numbers: &[i32]) -> (Hub, TaskId, Notes<i32>) {
    let mut hub = Hub::new().unwrap();
    let notes = Notes::new();
    let (inner, main) = (notes.clone(), hub.main());
    let watcher = signals::on(&mut hub, numbers, move |hub, number| {
        inner.add(number);
        hub.notify(main);
        Ok(())
    });
    (hub, watcher.unwrap(), notes)
}

#[track_caller]
fn await_signal(hub: &mut Hub) {
    let wake = hub.wait(Wait::notified().within(PATIENCE)).unwrap();
    assert!(matches!(wake, Wake::Notified), "{wake:?}");
}

#[test]
fn each_signal_calls_the_function_with_its_number_and_again() {
    let (mut hub, _, notes) = watching(&[SIGUSR1, SIGUSR2, SIGUSR1]);
    for (name, number) in [("USR1", SIGUSR1), ("USR2", SIGUSR2), ("USR1", SIGUSR1)] {
        raise(name);
        await_signal(&mut hub);
        assert_eq!(notes.take(), [number]);
    }
}

#[test]
fn a_watch_ends_with_its_task_and_the_signal_has_no_effect_then() {
    let (mut hub, watcher, notes) = watching(&[SIGWINCH, SIGQUIT]);
    raise("QUIT");
    await_signal(&mut hub);
    assert_eq!(notes.take(), [SIGQUIT]);
    hub.kill(watcher);
    hub.run().unwrap();
    assert!(hub.is_ended(watcher));
    // Without any handler it would end this process.
    raise("QUIT");
    hub.sleep(ms(5)).unwrap();
    assert_eq!(notes.len(), 0);
}

#[test]
fn an_error_ends_the_watch_and_is_told() {
    let mut hub = Hub::new().unwrap();
    let failures = Notes::new();
    let hook = failures.clone();
    hub.on_error(move |failure| hook.add(failure.error.to_string()));
    let watcher = signals::on(&mut hub, &[SIGHUP], |_, _| {
        Err(Error::new(ErrorKind::Config, "on purpose"))
    });
    raise("HUP");
    hub.run().unwrap();
    assert_eq!(failures.take(), ["on purpose"]);
    assert!(hub.is_ended(watcher.unwrap()));
}

#[test]
fn what_cannot_be_watched_is_an_error() {
    let mut hub = Hub::new().unwrap();
    for (number, kind) in [
        (9, ErrorKind::Config),
        (11, ErrorKind::Config),
        (0, ErrorKind::Io),
        (-1, ErrorKind::Io),
        (i32::MAX, ErrorKind::Io),
    ] {
        let error = signals::on(&mut hub, &[number], |_, _| Ok(())).unwrap_err();
        assert_eq!(error.kind(), kind, "{number}: {error}");
    }
    let mut simulated = Hub::simulated(&Sim::new(1));
    let error = signals::on(&mut simulated, &[SIGWINCH], |_, _| Ok(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    // Nothing is watched: the hub is idle.
    let none = signals::on(&mut hub, &[], |_, _| Ok(())).unwrap();
    hub.run().unwrap();
    assert!(hub.is_ended(none));
}

/// The only test that may have SIGTERM: what follows a request ends the process.
#[test]
fn a_signal_requests_a_shutdown_and_nothing_is_watched_after_it() {
    let mut hub = Hub::new().unwrap();
    let shutdown = Shutdown::on_signals(&mut hub).unwrap();
    let stop = shutdown.clone();
    let worker = hub.spawn(move |_hub, _wake| match stop.is_requested() {
        true => Ok(Wait::done()),
        false => Ok(Wait::sleep(ms(5))),
    });
    raise("TERM");
    shutdown.wait(&mut hub).unwrap();
    assert_eq!(shutdown.signal(), Some(SIGTERM));
    let report = shutdown.finish(&mut hub, PATIENCE, &[worker]).unwrap();
    assert_eq!((report.ended, report.failed, report.killed), (1, 0, 0));
    hub.run().unwrap();
    assert!(hub.tasks().is_empty());
}
