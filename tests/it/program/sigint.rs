//! SIGINT and SIGTERM: the tasks are killed, the summary is still printed, and the status is 130 or 143.

use super::*;

/// Ends a run of `--timeout 0` by a signal, so long after its beginning.
fn ended_by(signal: &str, status: i32, delay: Duration) {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let mut side = server.side();
    let running = start(program(["-s", &path(&server), "--timeout", "0", "--json"]));
    await_blocked(&mut side, 500);
    thread::sleep(delay.saturating_sub(running.begin.elapsed()));
    assert_eq!(side.blocked(), 500, "a pop without timeout has ended");
    let begin = Instant::now();
    running.signal(signal);
    let ended = running.finish();
    assert!(
        begin.elapsed() < Duration::from_millis(500),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(ended.code, Some(status), "{ended:?}");
    let summary = ended.summary();
    let counts = ["timed_out", "popped", "failed"].map(|name| summary[name].as_u64());
    assert_eq!(counts, [Some(0), Some(0), Some(500)], "{summary}");
    assert_eq!(
        summary["pool_after"]["in_use"].as_u64(),
        Some(0),
        "{summary}"
    );
    assert_eq!(ended.complaints(), [""; 0], "{ended:?}");
    // Elements that come now are nobody's.
    eventually("the server has seen the end of the pops", || {
        side.blocked() == 0
    });
    assert_eq!(side.number(["LPUSH", "list", "x"]), 1);
}

#[test]
fn sigint_while_main_sleeps_ends_the_run_with_its_summary() {
    by_the_clock(|| ended_by("INT", 130, Duration::ZERO));
}

#[test]
fn sigint_while_main_joins_ends_a_run_that_would_last_for_ever() {
    by_the_clock(|| ended_by("INT", 130, Duration::from_millis(1500)));
}

#[test]
fn sigterm_does_the_same_with_a_status_of_its_own() {
    by_the_clock(|| ended_by("TERM", 143, Duration::ZERO));
}

/// A run that waits for ever on the embedded server, once its cron task has run.
fn lasting() -> Running {
    let running = start(program(["--embedded", "-c", "20", "--timeout", "0"]));
    eventually("the cron task runs", || running.said().contains("(cron)"));
    running
}

#[test]
fn a_second_signal_ends_it_by_that_signal_and_without_a_summary() {
    let running = lasting();
    // Both wait for it when it goes on: the second comes before the hub has seen the first.
    for signal in ["STOP", "INT", "TERM", "CONT"] {
        running.signal(signal);
    }
    let ended = running.finish();
    assert_eq!((ended.code, &*ended.out), (None, ""), "{ended:?}");
}

#[test]
fn one_signal_needs_no_server_but_its_own() {
    let running = lasting();
    running.signal("TERM");
    let ended = running.finish();
    assert_eq!(ended.code, Some(143), "{ended:?}");
    assert_eq!(ended.complaints(), [""; 0], "{ended:?}");
}
