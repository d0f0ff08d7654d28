//! The limit of connections, and those who wait.

use super::*;

/// A peer with one connection, on which these pops come one after the other and are answered
/// with nil.
fn one_by_one(lists: &'static [&'static str]) -> Peer {
    Peer::unix(move |door| {
        let mut link = door.accept();
        for list in lists {
            expect_pop(&mut link, list);
            // The next one must not come before this one is answered.
            link.expect_nothing(ms(5));
            link.say(NIL);
        }
        link.expect_end();
    })
}

#[test]
fn who_waits_for_a_connection_gets_it_first_come_first_served() {
    let peer = one_by_one(&["a", "b", "c", "d"]);
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, limited(1));
    let notes = Notes::new();
    let tasks = ["a", "b", "c", "d"].map(|list| popper(&mut hub, redis, list, &notes));
    hub.turn().unwrap();
    assert_eq!(counters(redis, &hub), [1, 1, 0, 3]);
    hub.join_all(&tasks).unwrap();
    assert_eq!(notes.take(), ["a: nil", "b: nil", "c: nil", "d: nil"]);
    assert_eq!(counters(redis, &hub), [1, 0, 1, 0]);
    assert_eq!(hub.timers_armed(), 0);
}

#[test]
fn who_is_killed_while_he_waits_for_a_connection_leaves_the_queue() {
    let peer = one_by_one(&["a", "c"]);
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, limited(1));
    let notes = Notes::new();
    let tasks = ["a", "b", "c"].map(|list| popper(&mut hub, redis, list, &notes));
    hub.turn().unwrap();
    hub.kill(tasks[1]);
    assert_eq!(counters(redis, &hub), [1, 1, 0, 1]);
    hub.join_all(&tasks).unwrap();
    assert_eq!(notes.take(), ["b: killed", "a: nil", "c: nil"]);
}

#[test]
fn a_queue_that_everybody_has_left_has_no_timer() {
    let peer = one_by_one(&["a"]);
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, limited(1));
    let notes = Notes::new();
    let tasks = ["a", "b"].map(|list| popper(&mut hub, redis, list, &notes));
    hub.turn().unwrap();
    hub.kill(tasks[1]);
    hub.join_all(&tasks).unwrap();
    assert_eq!(hub.timers_armed(), 0, "else run() would sit it out");
}

#[test]
fn a_full_pool_may_fail_instead_of_waiting() {
    let peer = one_by_one(&["a"]);
    let mut hub = Hub::new().unwrap();
    let mut config = limited(1);
    config.when_full = WhenFull::Fail;
    let redis = open(&mut hub, &peer, config);
    let a = redis.brpop(&mut hub, "a", SECOND).unwrap();
    hub.turn().unwrap();
    let error = redis.brpop(&mut hub, "b", SECOND).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PoolFull, "{error}");
    assert!(!error.maybe_executed());
    assert_eq!(counters(redis, &hub), [1, 1, 0, 0]);
    answer(&mut hub, a).unwrap();
}

#[test]
fn a_full_pool_that_may_fail_does_so_also_for_what_one_turn_asks() {
    let peer = one_by_one(&["a"]);
    let mut hub = Hub::new().unwrap();
    let mut config = limited(1);
    config.when_full = WhenFull::Fail;
    config.pool_timeout = ms(300);
    let redis = open(&mut hub, &peer, config);
    let notes = Notes::new();
    hub.on_error(|_| {});
    let a = popper(&mut hub, redis, "a", &notes);
    let b = popper(&mut hub, redis, "b", &notes);
    hub.join(a).unwrap();
    let error = hub.join(b).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PoolFull, "{error}");
}

#[test]
fn who_waits_too_long_for_a_connection_has_sent_nothing() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        expect_pop(&mut link, "a");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let mut config = limited(1);
    config.pool_timeout = ms(40);
    let redis = open(&mut hub, &peer, config);
    let a = redis.brpop(&mut hub, "a", SECOND).unwrap();
    hub.turn().unwrap();
    let start = Instant::now();
    let b = redis.brpop(&mut hub, "b", SECOND).unwrap();
    hub.sleep(ms(20)).unwrap();
    let c = redis.brpop(&mut hub, "c", SECOND).unwrap();
    for (asked, after) in [(b, ms(40)), (c, ms(60))] {
        let error = answer(&mut hub, asked).unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        assert!(!error.maybe_executed(), "{error}");
        let took = start.elapsed();
        assert!((after..secs(1)).contains(&took), "{took:?}");
    }
    assert_eq!(counters(redis, &hub), [1, 1, 0, 0]);
    assert!(matches!(hub.wait(a.within(ms(1))), Ok(Wake::Deadline)));
}

#[test]
fn those_who_give_up_do_not_disturb_the_order_of_those_who_wait() {
    let (go, wait) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut link = door.accept();
        expect_pop(&mut link, "first");
        wait.recv().unwrap();
        link.say(NIL);
        for number in (0..400).step_by(8) {
            expect_pop(&mut link, &format!("list{number}"));
            let length = number.to_string().len();
            link.say(format!("*2\r\n$1\r\nl\r\n${length}\r\n{number}\r\n").as_bytes());
        }
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, limited(1));
    let first = redis.brpop(&mut hub, "first", SECOND).unwrap();
    hub.turn().unwrap();
    let mut waiting = Vec::new();
    for number in 0..400 {
        let list = format!("list{number}");
        let asked = redis.brpop(&mut hub, &list, SECOND).unwrap();
        if number % 8 == 0 {
            waiting.push((number, asked));
        } else {
            let wake = hub.wait(asked.within(ms(0))).unwrap();
            assert!(matches!(wake, Wake::Deadline), "{wake:?}");
        }
        assert_eq!(counters(redis, &hub), [1, 1, 0, waiting.len()]);
    }
    go.send(()).unwrap();
    answer(&mut hub, first).unwrap();
    for (number, asked) in waiting {
        let (_, element): (String, i64) = answer(&mut hub, asked).unwrap().to().unwrap();
        assert_eq!(element, number);
    }
    assert_eq!(counters(redis, &hub), [1, 0, 1, 0]);
    assert_eq!(hub.timers_armed(), 0);
}

/// How much memory the process has, in bytes.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let field = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
    let kib = field.unwrap().trim().strip_suffix(" kB").unwrap();
    kib.parse::<usize>().unwrap() * 1024
}

#[test]
fn what_those_who_have_given_up_wanted_to_say_is_not_kept() {
    const COMMAND: usize = 1 << 20;
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        expect_pop(&mut link, "first");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, limited(1));
    let _first = redis.brpop(&mut hub, "first", SECOND).unwrap();
    hub.turn().unwrap();
    let list = "x".repeat(COMMAND);
    let before = memory();
    for _ in 0..500 {
        let asked = redis.brpop(&mut hub, &list, SECOND).unwrap();
        let wake = hub.wait(asked.within(ms(0))).unwrap();
        assert!(matches!(wake, Wake::Deadline), "{wake:?}");
    }
    assert_eq!(counters(redis, &hub), [1, 1, 0, 0]);
    // Other tests run beside this one, and need some as well.
    let grown = memory().saturating_sub(before);
    assert!(grown < 250 * COMMAND, "{grown} bytes");
}
