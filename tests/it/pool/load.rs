//! Many requests, and large ones.

use super::*;

/// Resident memory of this process in KiB, all tests that run at the same time included.
fn resident_kib() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn sixty_four_mebibytes_to_a_slow_reader_hold_up_nobody_and_are_kept_once() {
    const SIZE: usize = 64 << 20;
    // Over TCP the kernel takes more at once than a turn writes, over a UNIX socket less.
    let peer = Peer::tcp(|door| {
        let mut link = door.accept();
        link.expect(format!("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n${SIZE}\r\n").as_bytes());
        let mut left = SIZE + 2;
        while left > 0 {
            left -= link.read_some(256 * 1024).len();
            std::thread::sleep(ms(1));
        }
        link.say(b"+OK\r\n");
        link.expect_end();
    });
    let before = resident_kib();
    let mut hub = Hub::new().unwrap();
    let mut config = Config::default();
    config.command_timeout = secs(30);
    let redis = open(&mut hub, &peer, config);
    let command = Command::new("SET").arg("key").arg(vec![b'x'; SIZE]);
    let late = Notes::new();
    let memory = Notes::new();
    let (told, measured) = (late.clone(), memory.clone());
    hub.every(ms(5), move |_hub, tick| {
        told.add(tick.late);
        measured.add(resident_kib());
        Ok(())
    });
    let asked = redis.send(&mut hub, command).unwrap();
    let Wake::Reply(reply) = hub.wait(asked.within(secs(60))).unwrap() else {
        panic!("it was never answered")
    };
    reply.unwrap();
    let mut late = late.take();
    late.sort();
    assert!(late.len() > 10, "it took a while: {late:?}");
    // The few that are later than the rest are the work of other tests on the same processors.
    let usual = late[late.len() * 9 / 10];
    assert!(usual < ms(50), "{late:?}");
    if let (Some(before), Some(peak)) = (before, memory.take().into_iter().max().flatten()) {
        let times = (peak - before) as f64 * 1024.0 / SIZE as f64;
        assert!(times < 1.75, "{times} times the payload");
    }
}

/// A hundred tasks with a connection each and a hundred who share one have asked something that
/// is never answered. What each was woken with, when `end` has made an end of it.
fn unanswered(end: impl FnOnce(&mut Hub, Redis, mpsc::Sender<()>)) -> Vec<(usize, String)> {
    let (end_peer, is_over) = mpsc::channel();
    let (ready, is_ready) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut links = door.accept_all(101);
        for link in &mut links {
            link.wait_unread();
        }
        ready.send(()).unwrap();
        // Whether it is told to or the test is over: it ends, with everything unread.
        let _ = is_over.recv();
    });
    let mut hub = Hub::new().unwrap();
    let mut config = Config::default();
    config.pool_timeout = ms(500);
    let redis = open(&mut hub, &peer, config);
    let notes = Notes::new();
    for number in 0..200 {
        let notes = notes.clone();
        hub.spawn(move |hub, wake| {
            notes.add((number, format!("{wake:?}")));
            match wake {
                Wake::Start if number % 2 == 0 => redis.get(hub, "key"),
                Wake::Start => redis.brpop(hub, "list", Timeout::Forever),
                _ => Ok(Wait::done()),
            }
        });
    }
    let start = Instant::now();
    while is_ready.try_recv().is_err() {
        assert!(start.elapsed() < PATIENCE, "they have all asked");
        hub.sleep(ms(1)).unwrap();
    }
    assert_eq!(notes.take().len(), 200);
    let start = Instant::now();
    end(&mut hub, redis, end_peer);
    hub.run().unwrap();
    assert!(start.elapsed() < secs(2), "{:?}", start.elapsed());
    assert!(hub.tasks().is_empty());
    assert_eq!(counters(redis, &hub), [0, 0, 0, 0]);
    assert_eq!(hub.timers_armed(), 0);
    let mut notes = notes.take();
    notes.sort();
    notes
}

#[track_caller]
fn each_ends_once(notes: &[(usize, String)], with: &str) {
    let numbers: Vec<_> = notes.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (0..200).collect::<Vec<_>>());
    for (_, wake) in notes {
        assert!(wake.starts_with(with), "{wake}");
    }
}

#[test]
fn every_request_ends_once_when_the_server_dies() {
    let notes = unanswered(|_hub, _redis, end_peer| end_peer.send(()).unwrap());
    each_ends_once(&notes, "Reply(Err(");
    for (_, wake) in notes {
        assert!(wake.contains("may have been executed"), "{wake}");
        assert!(wake.contains("Err(Closed: "), "{wake}");
    }
}

#[test]
fn every_request_ends_once_when_the_client_is_closed() {
    let notes = unanswered(|hub, redis, _end_peer| redis.close(hub));
    each_ends_once(&notes, "Reply(Err(Closed: the client was closed");
}

#[test]
fn every_request_ends_once_when_its_task_is_killed() {
    let notes = unanswered(|hub, redis, _end_peer| {
        for task in hub.tasks() {
            hub.kill(task);
        }
        redis.close(hub);
    });
    each_ends_once(&notes, "Killed");
}

#[test]
fn no_more_connects_are_started_than_may_stand_in_the_backlog() {
    let peer = Peer::unix(|door| {
        let mut all = Vec::new();
        for _ in 0..3 {
            let mut links = door.accept_all(4);
            for link in &mut links[..3] {
                expect_pop(link, "a");
            }
            links[3].expect_command(&["PING"]);
            expect_pop(&mut links[3], "a");
            // Blocked pops say nothing: without the answer to this PING it would stay like
            // that.
            door.expect_nobody(ms(20));
            links[3].say(b"+PONG\r\n");
            all.append(&mut links);
        }
        for link in &mut all {
            link.say(NIL);
        }
        for link in &mut all {
            link.expect_end();
        }
    });
    let mut hub = Hub::new().unwrap();
    let mut config = Config::default();
    config.max_connecting = 4;
    let redis = open(&mut hub, &peer, config);
    let notes = Notes::new();
    let tasks: Vec<_> = (0..12)
        .map(|_| popper(&mut hub, redis, "a", &notes))
        .collect();
    hub.join_all(&tasks).unwrap();
    assert_eq!(notes.take(), ["a: nil"; 12]);
    assert_eq!(counters(redis, &hub), [12, 0, 12, 0]);
    assert_eq!(redis.stats(&hub).connects_retried, 0);
}

#[test]
fn an_answer_on_any_connection_lets_as_many_more_connect() {
    let peer = Peer::unix(|door| {
        let mut links = door.accept_all(4);
        door.expect_nobody(ms(20));
        for link in &mut links[..3] {
            expect_pop(link, "a");
        }
        // Whoever accepts the second has accepted the first, and there is room for two more.
        // Two still wait: one takes over the second connection.
        links[1].say(NIL);
        expect_pop(&mut links[1], "a");
        links.push(door.accept());
        expect_pop(&mut links[4], "a");
        links[3].expect_command(&["PING"]);
        links[3].say(b"+PONG\r\n");
        expect_pop(&mut links[3], "a");
        for link in &mut links {
            link.say(NIL);
        }
        for link in &mut links {
            link.expect_end();
        }
    });
    let mut hub = Hub::new().unwrap();
    let mut config = Config::default();
    config.max_connecting = 4;
    let redis = open(&mut hub, &peer, config);
    let notes = Notes::new();
    let tasks: Vec<_> = (0..6)
        .map(|_| popper(&mut hub, redis, "a", &notes))
        .collect();
    hub.join_all(&tasks).unwrap();
    assert_eq!(notes.take(), ["a: nil"; 6]);
    redis.close(&mut hub);
    hub.run().unwrap();
}
