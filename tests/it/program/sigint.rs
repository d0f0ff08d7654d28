//! SIGINT: the tasks are killed, the summary is still printed, and the status is 130.

use super::*;

/// Ends a run of `--timeout 0` by SIGINT, so long after its beginning.
fn interrupted_after(delay: Duration) {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let mut side = server.side();
    let running = start(program(["-s", &path(&server), "--timeout", "0", "--json"]));
    await_blocked(&mut side, 500);
    thread::sleep(delay.saturating_sub(running.begin.elapsed()));
    assert_eq!(side.blocked(), 500, "a pop without timeout has ended");
    let begin = Instant::now();
    running.interrupt();
    let ended = running.finish();
    assert!(
        begin.elapsed() < Duration::from_millis(500),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(ended.code, Some(130), "{ended:?}");
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
    by_the_clock(|| interrupted_after(Duration::ZERO));
}

#[test]
fn sigint_while_main_joins_ends_a_run_that_would_last_for_ever() {
    by_the_clock(|| interrupted_after(Duration::from_millis(1500)));
}
