//! How a worker ends, or loses its connections, and what becomes of its jobs then.

use super::*;
use std::os::unix::net::UnixStream;

/// A worker that has done some of a hundred jobs, and is about the next.
fn in_the_middle(queue: &mut Queue) -> Running {
    // Of several lengths, or all takers would keep step, and have nothing at the same moment.
    for id in 1..=100 {
        queue.push(&envelope(id, &format!("sleep {}", 10 + id * 7 % 20)));
    }
    let running = queue.work("");
    eventually("some are done", || done(&running.said()).len() >= 20);
    running
}

#[test]
fn killed_in_the_middle_it_loses_nothing() {
    let Some(mut queue) = Queue::new("killed") else {
        return;
    };
    let killed = in_the_middle(&mut queue).kill();
    let left = queue.length(&queue.processing());
    assert!(left > 0, "nothing was being done");
    let ended = queue.work("--until-empty").finish();
    assert_eq!(queue.lengths(), [0; 3]);
    let [recovered] = counts(&ended, ["recovered"]);
    assert!((1..=8).contains(&recovered), "{ended:?}");
    let twice = sorted([&killed.err, &ended.err]).len().saturating_sub(100);
    assert!(twice <= 8, "{twice}");
    let ids = distinct([&killed.err, &ended.err]);
    assert_eq!(ids, (1..=100).collect::<Vec<_>>());
}

#[test]
fn stopped_in_the_middle_it_does_nothing_twice() {
    for signal in ["TERM", "INT"] {
        let Some(mut queue) = Queue::new(&format!("stopped-by-{signal}")) else {
            return;
        };
        let running = in_the_middle(&mut queue);
        running.signal(signal);
        let stopped = running.finish();
        let [killed, begun] = counts(&stopped, ["killed", "done"]);
        assert_eq!(killed, 0, "{stopped:?}");
        assert!(begun < 100, "it has done all");
        let [waiting, processing, dead] = queue.lengths();
        assert_eq!([processing, dead], [0, 0], "{stopped:?}");
        assert_eq!(u64::try_from(waiting).unwrap(), 100 - begun);
        let ended = queue.work("--until-empty").finish();
        assert_eq!(queue.lengths(), [0; 3]);
        let ids = sorted([&stopped.err, &ended.err]);
        assert_eq!(ids, (1..=100).collect::<Vec<_>>());
    }
}

#[test]
fn what_comes_while_it_stops_is_done_once_or_left() {
    let Some(mut queue) = Queue::new("late") else {
        return;
    };
    // More takers than jobs: most of them are blocked, and what is pushed wakes them at once.
    let running = queue.work("--jobs 50");
    await_moves(&mut queue, 50);
    let mut pushed = 0;
    let mut told = None;
    while told.is_none_or(|told| pushed < told + 300) {
        pushed += 1;
        queue.push(&envelope(pushed, "sleep 0"));
        if pushed == 300 {
            running.signal("TERM");
        }
        if told.is_none() && running.said().contains("A signal") {
            told = Some(pushed);
        }
    }
    let ended = running.finish();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(queue.length(&queue.processing()), 0, "{ended:?}");
    let rest = queue.work("--until-empty").finish();
    let ids = sorted([&ended.err, &rest.err]);
    assert_eq!(ids, (1..=pushed).collect::<Vec<_>>());
}

#[test]
fn a_job_that_is_moved_while_its_take_is_taken_back_goes_back_too() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let mut queue = Queue::on(Arc::new(server), "moved");
    let running = queue.work("");
    await_moves(&mut queue, 8);
    // What the server reads first when it goes on: before it hears that nobody waits any more.
    let mut stream = UnixStream::connect(queue.server.socket()).unwrap();
    stream.write_all(b"PING\r\n").unwrap();
    stream.read_exact(&mut [0; 7]).unwrap();
    queue.server.pause();
    let push = format!("LPUSH {} x\r\n", queue.key);
    stream.write_all(push.as_bytes()).unwrap();
    running.signal("TERM");
    eventually("it ends", || running.said().contains("A signal"));
    queue.server.go_on();
    let ended = running.finish();
    assert_eq!(queue.lengths(), [1, 0, 0], "{ended:?}");
    assert_eq!(counts(&ended, ["returned", "done"]), [1, 0], "{ended:?}");
}

/// Waits until so many takes are blocked; others may be blocked on the same server.
fn await_moves(queue: &mut Queue, count: usize) {
    eventually("all are blocked", || {
        queue
            .side
            .text(["CLIENT", "LIST"])
            .matches("cmd=blmove")
            .count()
            >= count
    });
}

#[test]
fn a_job_that_outlasts_the_grace_goes_back_to_the_queue() {
    let Some(mut queue) = Queue::new("grace") else {
        return;
    };
    queue.push_all(10, "sleep 60000");
    let running = queue.work("--jobs 4 --grace 0.2");
    let processing = queue.processing();
    eventually("four are begun", || queue.length(&processing) == 4);
    running.signal("TERM");
    let ended = running.finish();
    let names = ["killed", "returned", "done"];
    assert_eq!(counts(&ended, names), [4, 4, 0], "{ended:?}");
    assert_eq!(queue.lengths(), [10, 0, 0]);
    // In their old order: the first is the next.
    let next = queue.side.text(["RPOP", &queue.key]);
    assert_eq!(next, envelope(1, "sleep 60000"));
    queue.side.number(["DEL", &queue.key]);
}

#[test]
fn what_a_lost_connection_has_left_in_the_list_is_done_too() {
    let Some(mut queue) = Queue::new("swept") else {
        return;
    };
    queue.push(&envelope(1, "sleep 200"));
    let running = queue.work("--until-empty");
    let processing = queue.processing();
    eventually("it is begun", || queue.length(&processing) == 1);
    // As a take does whose answer never arrives.
    queue.side.number(["LPUSH", &processing, &envelope(2, "x")]);
    let ended = running.finish();
    assert_eq!(counts(&ended, ["recovered", "done"]), [1, 2], "{ended:?}");
    assert_eq!(done(&ended.err), [1, 2]);
}

#[test]
fn it_goes_on_when_its_connections_are_lost() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let mut queue = Queue::on(Arc::new(server), "lost");
    let running = queue.work("");
    await_moves(&mut queue, 8);
    for count in [0, 10, 30, 50] {
        eventually("some are done", || done(&running.said()).len() >= count);
        queue
            .side
            .number(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        if count == 0 {
            queue.push_all(100, "sleep 20");
        }
    }
    // Those that were moved for a connection that was lost take a while.
    let all: Vec<_> = (1..=100).collect();
    eventually("all are done", || {
        distinct([&running.said(), ""]) == all && queue.lengths() == [0; 3]
    });
    running.signal("TERM");
    let ended = running.finish();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(queue.lengths(), [0; 3]);
}
