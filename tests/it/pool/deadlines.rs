//! Deadlines of commands.

use super::*;

#[test]
fn a_command_that_is_not_answered_ends_its_connection_and_those_behind_it() {
    let peer = Peer::unix(|door| {
        let mut first = door.accept();
        first.expect(&[wire(&["GET", "a"]), wire(&["GET", "b"])].concat());
        first.expect_end();
        let mut second = door.accept();
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
