//! Programs that pop from a server that has paused its writes, as during a failover.

use super::*;

/// Waits until `count` takes are blocked.
fn await_takes(queue: &mut Queue, count: usize) {
    eventually("the takes are blocked", || queue.side.blocked() == count);
}

#[test]
fn worker_stopped_during_a_write_pause_loses_nothing() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let mut queue = Queue::on(Arc::new(server), "paused");
    let running = queue.work("--jobs 8");
    await_takes(&mut queue, 8);
    let begin = Instant::now();
    let pause = Duration::from_millis(3500);
    queue.side.ask(["CLIENT", "PAUSE", "3500", "WRITE"]);
    // A take lasts 2 s: the present ones have reached the server during the pause.
    thread::sleep(Duration::from_millis(2500));
    running.signal("TERM");
    let ended = running.finish();
    assert_eq!(queue.server.crash_report(), None, "{ended:?}");
    assert_eq!(counts(&ended, ["killed", "done"]), [0, 0], "{ended:?}");
    thread::sleep(pause.saturating_sub(begin.elapsed()));
    queue.push_all(8, "job");
    thread::sleep(Duration::from_millis(50));
    assert_eq!(queue.lengths(), [8, 0, 0]);
    let rest = queue.work("--until-empty").finish();
    assert_eq!(counts(&rest, ["done", "recovered"]), [8, 0], "{rest:?}");
}

#[test]
fn worker_started_during_a_write_pause_does_its_jobs() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let mut queue = Queue::on(Arc::new(server), "started-paused");
    queue.push_all(20, "job");
    queue.side.ask(["CLIENT", "PAUSE", "1500", "WRITE"]);
    let ended = queue.work("--until-empty").finish();
    assert_eq!(counts(&ended, COUNTS), [20, 0, 0, 0], "{ended:?}");
    assert_eq!(queue.lengths(), [0; 3]);
}

#[test]
fn program_of_many_pops_outlasts_a_write_pause() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    server.side().ask(["CLIENT", "PAUSE", "2600", "WRITE"]);
    let ended = run(["-s", &path(&server), "-c", "50", "--json"]);
    assert_eq!(server.crash_report(), None, "{ended:?}");
    assert_eq!(
        counts(&ended, ["timed_out", "failed"]),
        [50, 0],
        "{ended:?}"
    );
}
