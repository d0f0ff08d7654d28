//! Deadlines of commands.

use super::*;

#[test]
fn a_command_that_is_not_answered_ends_its_connection_and_those_behind_it() {
    let peer = Peer::unix(|door| {
        let mut first = door.accept();
        first.expect(&[wire(&["GET", "a"]), wire(&["GET", "b"])].concat());
        first.expect_end();
        let mut second = door.accept();
        second.expect_probe();
        second.expect_command(&["PING"]);
        second.say(b"+PONG\r\n");
        second.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let mut config = Config::default();
    config.command_timeout = ms(40);
    let redis = open(&mut hub, &peer, config);
    let start = Instant::now();
    let a = redis.get(&mut hub, "a").unwrap();
    let b = redis.get(&mut hub, "b").unwrap();
    let error = answer(&mut hub, a).unwrap_err();
    assert!(error.is_timeout() && error.maybe_executed(), "{error:?}");
    assert!((ms(40)..secs(2)).contains(&start.elapsed()));
    let error = answer(&mut hub, b).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
    assert!(error.maybe_executed(), "{error}");
    let asked = redis.ping(&mut hub).unwrap();
    answer(&mut hub, asked).unwrap();
}

#[test]
fn an_answer_to_one_command_does_not_excuse_the_next() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect(&[wire(&["GET", "a"]), wire(&["GET", "b"])].concat());
        link.say(b"+A\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let mut config = Config::default();
    config.command_timeout = ms(40);
    let redis = open(&mut hub, &peer, config);
    let a = redis.get(&mut hub, "a").unwrap();
    let b = redis.get(&mut hub, "b").unwrap();
    answer(&mut hub, a).unwrap();
    let error = answer(&mut hub, b).unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
}

#[test]
fn a_connection_that_says_nothing_is_noticed_although_everybody_gives_up_early() {
    let (told, is_noticed) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut first = door.accept();
        while !first.read_some(4096).is_empty() {}
        let mut second = door.accept();
        told.send(()).unwrap();
        while !second.read_some(4096).is_empty() {}
    });
    let mut hub = Hub::new().unwrap();
    let mut config = Config::default();
    config.command_timeout = ms(200);
    let redis = open(&mut hub, &peer, config);
    let start = Instant::now();
    while is_noticed.try_recv().is_err() {
        assert!(start.elapsed() < secs(5), "nobody notices");
        let asked = redis.get(&mut hub, "key").unwrap();
        let wake = hub.wait(asked.within(ms(20))).unwrap();
        assert!(
            matches!(wake, Wake::Deadline | Wake::Reply(Err(_))),
            "{wake:?}"
        );
    }
    let took = start.elapsed();
    assert!((ms(200)..secs(2)).contains(&took), "{took:?}");
    assert!(redis.stats(&hub).connects >= 2);
}

#[test]
fn a_slow_server_keeps_its_connection_although_everybody_gives_up_early() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        for _ in 0..12 {
            link.expect_command(&["GET", "key"]);
            std::thread::sleep(ms(30));
            link.say(b"_\r\n");
        }
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let mut config = Config::default();
    config.command_timeout = ms(200);
    let redis = open(&mut hub, &peer, config);
    for _ in 0..12 {
        let asked = redis.get(&mut hub, "key").unwrap();
        let _ = hub.wait(asked.within(ms(5))).unwrap();
        hub.sleep(ms(15)).unwrap();
    }
    let start = Instant::now();
    while redis.stats(&hub).replies_dropped < 12 {
        assert!(start.elapsed() < secs(5), "{:?}", redis.stats(&hub));
        hub.sleep(ms(1)).unwrap();
    }
    assert_eq!(redis.stats(&hub).connects, 1);
    assert_eq!(hub.timers_armed(), 0);
}

#[test]
fn a_shared_connection_without_a_request_has_no_deadline() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        for _ in 0..2 {
            link.expect_command(&["PING"]);
            link.say(b"+PONG\r\n");
        }
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let mut config = Config::default();
    config.command_timeout = ms(20);
    let redis = open(&mut hub, &peer, config);
    for _ in 0..2 {
        let asked = redis.ping(&mut hub).unwrap();
        answer(&mut hub, asked).unwrap();
        assert_eq!(hub.timers_armed(), 0);
        hub.sleep(ms(30)).unwrap();
    }
    assert_eq!(redis.stats(&hub).connects, 1);
}

#[test]
fn a_pop_may_be_answered_until_its_own_timeout_and_the_grace_are_over() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect_command(&["BRPOP", "a", "0.050"]);
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let mut config = Config::default();
    // Counts as one second.
    config.blocking_grace = ms(1);
    let redis = open(&mut hub, &peer, config);
    let start = Instant::now();
    let asked = redis.brpop(&mut hub, "a", Timeout::After(ms(50))).unwrap();
    let error = answer(&mut hub, asked).unwrap_err();
    let took = start.elapsed();
    assert!(error.is_timeout() && error.maybe_executed(), "{error:?}");
    assert!((ms(1050)..ms(2500)).contains(&took), "{took:?}");
    assert_eq!(counters(redis, &hub), [0, 0, 0, 0]);
}

#[test]
fn a_pop_that_waits_for_ever_has_no_deadline() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect_command(&["BRPOP", "a", "0"]);
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, Config::default());
    let _asked = redis.brpop(&mut hub, "a", Timeout::Forever).unwrap();
    hub.turn().unwrap();
    assert_eq!(counters(redis, &hub), [1, 1, 0, 0]);
    assert_eq!(hub.timers_armed(), 0);
    drop(hub);
    peer.join();
}

#[test]
fn a_reply_that_comes_in_the_turn_of_its_deadline_wins() {
    let (done, is_done) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut link = door.accept();
        link.expect_command(&["GET", "a"]);
        link.say(b"+A\r\n");
        done.send(()).unwrap();
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let mut config = Config::default();
    config.command_timeout = ms(30);
    let redis = open(&mut hub, &peer, config);
    let start = Instant::now();
    let asked = redis.get(&mut hub, "a").unwrap();
    hub.turn().unwrap();
    // The hub is held up: when it looks again, the reply is there and the deadline has passed.
    is_done.recv_timeout(PATIENCE).unwrap();
    std::thread::sleep(ms(40).saturating_sub(start.elapsed()));
    let reply = answer(&mut hub, asked).unwrap();
    assert_eq!(reply.value(), &Value::Simple("A".into()));
}

/// What a task gets whose deadline has passed when its reply comes, for so many polls that bring
/// full batches of other things first.
fn behind_full_batches(count: usize, config: Config, wait: fn(Wait) -> Wait) -> String {
    let (done, is_done) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut link = door.accept();
        link.expect_command(&["GET", "a"]);
        link.say(b"+A\r\n");
        done.send(()).unwrap();
        link.expect_end();
    });
    let (mut hub, tap) = tapped();
    let redis = open(&mut hub, &peer, config);
    let notes = Notes::new();
    let inner = notes.clone();
    let task = hub.spawn(move |hub, wake| match wake {
        Wake::Start => redis.get(hub, "a").map(wait),
        wake => {
            inner.add(match wake.reply() {
                Ok(reply) => reply.to::<String>()?,
                Err(error) => format!("{:?}", error.kind()),
            });
            Ok(Wait::done())
        }
    });
    hub.turn().unwrap();
    is_done.recv_timeout(PATIENCE).unwrap();
    std::thread::sleep(ms(30));
    tap.fill_polls(count);
    hub.join(task).unwrap();
    notes.take().remove(0)
}

fn impatient() -> Config {
    let mut config = Config::default();
    config.command_timeout = ms(20);
    config
}

#[test]
fn a_reply_in_a_later_full_batch_wins_over_the_deadline_of_a_wait() {
    for polls in [1, 2, 10] {
        let got = behind_full_batches(polls, Config::default(), |wait| wait.within(ms(20)));
        assert_eq!(got, "A", "after {polls} full batches");
    }
}

#[test]
fn a_reply_in_a_later_full_batch_wins_over_the_deadline_of_its_command() {
    for polls in [1, 2, 10] {
        let got = behind_full_batches(polls, impatient(), |wait| wait);
        assert_eq!(got, "A", "after {polls} full batches");
    }
}

#[test]
fn batches_that_are_always_full_put_no_deadline_off_for_ever() {
    // Polls that take no time make some thousand turns in the millisecond after which a deadline is
    // looked at again.
    let many = 1_000_000;
    let got = behind_full_batches(many, Config::default(), |wait| wait.within(ms(20)));
    assert_eq!(got, "Timeout");
    let got = behind_full_batches(many, impatient(), |wait| wait);
    assert_eq!(got, "Timeout");
}

#[test]
fn a_connect_that_ends_in_a_later_full_batch_wins_over_its_deadline() {
    let peer = Peer::tcp(|door| {
        let mut link = door.accept();
        expect_pop(&mut link, "a");
        link.say(NIL);
        link.expect_end();
    });
    let (mut hub, tap) = tapped();
    let mut config = limited(1);
    config.connect_timeout = ms(20);
    config.pool_timeout = ms(20);
    let redis = open(&mut hub, &peer, config);
    let asked = redis.brpop(&mut hub, "a", SECOND).unwrap();
    hub.turn().unwrap();
    std::thread::sleep(ms(30));
    tap.fill_polls(2);
    assert!(answer(&mut hub, asked).unwrap().is_none());
    assert_eq!(redis.stats(&hub).connects, 1);
    // Those that were put off are still to find that there is nothing to do.
    hub.sleep(ms(5)).unwrap();
    assert_eq!(hub.timers_armed(), 0);
}
