//! Bytes that are no reply, and replies that nobody asked for.

use super::*;

/// One pop gets `bytes` for an answer. It fails for what the protocol says, and what it has
/// been sent may have been executed; another pop of the same pool, blocked meanwhile, gets its
/// own answer later.
fn rejected(bytes: impl Into<Vec<u8>>) -> Error {
    let bytes = bytes.into();
    let (gone, is_gone) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut good = door.accept();
        good.expect_command(&["BRPOP", "good", "1"]);
        let mut bad = door.accept();
        bad.expect_command(&["BRPOP", "bad", "1"]);
        bad.say(&bytes);
        bad.expect_end();
        is_gone.recv().unwrap();
        good.say(POPPED);
        good.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let good = redis.brpop(&mut hub, "good", SECOND).unwrap();
    let bad = redis.brpop(&mut hub, "bad", SECOND).unwrap();
    let error = answer(&mut hub, bad).unwrap_err();
    let stats = redis.stats(&hub);
    assert_eq!((stats.created, stats.in_use, stats.available), (1, 1, 0));
    gone.send(()).unwrap();
    let reply = answer(&mut hub, good).unwrap();
    assert_eq!(popped(reply), ("list".into(), "element".into()));
    error
}

#[track_caller]
fn is_protocol_error(bytes: impl Into<Vec<u8>>) {
    let error = rejected(bytes);
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(error.maybe_executed(), "{error}");
}

#[test]
fn an_http_server_is_no_redis() {
    is_protocol_error("HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n");
}

#[test]
fn random_bytes_are_no_reply() {
    is_protocol_error([0x16, 3, 1, 0, 0xa5, 1, 0, 0, 0xff, 13, 10]);
}

#[test]
fn a_negative_length_is_no_length() {
    is_protocol_error("$-2\r\n");
}

#[test]
fn a_length_that_is_not_a_number_is_no_length() {
    is_protocol_error("*two\r\n");
}

#[test]
fn an_absurd_number_of_elements_is_refused() {
    is_protocol_error("*2147483647\r\n");
}

#[test]
fn a_string_that_is_longer_than_any_is_refused() {
    is_protocol_error("$536870913\r\n");
    is_protocol_error("$9223372036854775807\r\n");
}

#[test]
fn nesting_without_end_is_refused() {
    is_protocol_error("*1\r\n".repeat(10_000));
}

#[test]
fn a_string_that_does_not_end_where_it_said_is_refused() {
    is_protocol_error("$2\r\nabc\r\n");
}

#[test]
fn a_reply_that_nobody_asked_for_ends_its_connection_alone() {
    let peer = Peer::unix(|door| {
        let mut good = door.accept();
        good.expect_command(&["BRPOP", "good", "1"]);
        let mut bad = door.accept();
        bad.expect_command(&BRPOP);
        bad.say(&[POPPED, b"+stray\r\n"].concat());
        bad.expect_end();
        let mut next = door.accept();
        next.expect_probe();
        next.expect_command(&BRPOP);
        next.say(b"*-1\r\n");
        good.say(b"*-1\r\n");
        good.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let good = redis.brpop(&mut hub, "good", SECOND).unwrap();
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    let reply = answer(&mut hub, asked).unwrap();
    assert_eq!(popped(reply), ("list".into(), "element".into()));
    assert_eq!(redis.stats(&hub).available, 0, "it was not put back");
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    assert!(answer(&mut hub, asked).unwrap().is_none());
    assert!(answer(&mut hub, good).unwrap().is_none());
}

#[test]
fn a_stray_reply_is_not_given_to_who_waits_for_the_connection() {
    let peer = Peer::unix(|door| {
        let mut bad = door.accept();
        bad.expect_command(&["BRPOP", "first", "1"]);
        bad.say(&[POPPED, POPPED].concat());
        let mut next = door.accept();
        next.expect_probe();
        next.expect_command(&["BRPOP", "second", "1"]);
        next.say(b"*-1\r\n");
        next.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let mut config = quick();
    config.max_connections = Some(1);
    let redis = open(&mut hub, &peer.url(""), config);
    let first = redis.brpop(&mut hub, "first", SECOND).unwrap();
    let second = redis.brpop(&mut hub, "second", SECOND).unwrap();
    assert!(!answer(&mut hub, first).unwrap().is_none());
    assert!(answer(&mut hub, second).unwrap().is_none());
}

#[test]
fn a_stray_reply_on_an_idle_connection_is_not_given_to_the_next_command() {
    let (ask, asked_next) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut bad = door.accept();
        bad.expect_command(&BRPOP);
        bad.say(b"*-1\r\n");
        asked_next.recv().unwrap();
        bad.say(POPPED);
        bad.expect_end();
        let mut next = door.accept();
        next.expect_probe();
        next.expect_command(&BRPOP);
        next.say(b"*-1\r\n");
        next.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    assert!(answer(&mut hub, asked).unwrap().is_none());
    ask.send(()).unwrap();
    while redis.stats(&hub).available > 0 {
        hub.sleep(ms(1)).unwrap();
    }
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    assert!(answer(&mut hub, asked).unwrap().is_none());
}

/// The first half of a stray reply comes while nobody waits, the second half once somebody
/// does.
fn stray_halves(ask: fn(&Redis, &mut Hub) -> Wait, args: &'static [&'static str]) -> Result<Reply> {
    let (next, go_on) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut link = door.accept();
        link.expect_command(args);
        link.say(b"*-1\r\n");
        go_on.recv().unwrap();
        link.say(b"+str");
        // A client that closes here has seen enough. One that does not must not fall for the
        // rest.
        if link.read_some(256).is_empty() {
            link = door.accept();
            link.expect_probe();
            link.expect_command(args);
            link.say(b"*-1\r\n");
        } else {
            link.say(b"ay\r\n");
        }
        link.expect_end();
    });
    let (mut hub, tap) = tapped();
    let redis = open(&mut hub, &peer.url(""), quick());
    let asked = ask(&redis, &mut hub);
    answer(&mut hub, asked).unwrap();
    tap.events();
    next.send(()).unwrap();
    while tap.events().is_empty() {
        hub.sleep(ms(1)).unwrap();
    }
    let asked = ask(&redis, &mut hub);
    answer(&mut hub, asked)
}

#[test]
fn half_a_stray_reply_on_an_idle_connection_is_not_completed_for_the_next_command() {
    let brpop = |redis: &Redis, hub: &mut Hub| redis.brpop(hub, "list", SECOND).unwrap();
    let result = stray_halves(brpop, &BRPOP);
    let fell_for_it = result.is_ok_and(|reply| !reply.is_none());
    assert!(!fell_for_it, "it got the stray one");
}

#[test]
fn half_a_stray_reply_on_the_shared_connection_is_not_completed_for_the_next_command() {
    let get = |redis: &Redis, hub: &mut Hub| redis.get(hub, "key").unwrap();
    let result = stray_halves(get, &["GET", "key"]);
    let fell_for_it = result.is_ok_and(|reply| !reply.is_none());
    assert!(!fell_for_it, "it got the stray one");
}

#[test]
fn a_connection_that_says_half_a_stray_reply_does_not_keep_its_place_in_the_pool() {
    let peer = Peer::unix(|door| {
        let mut bad = door.accept();
        bad.expect_command(&BRPOP);
        bad.say(b"*-1\r\n+str");
        let mut next = door.accept();
        next.expect_probe();
        next.expect_command(&BRPOP);
        next.say(b"*-1\r\n");
        next.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let mut config = quick();
    config.max_connections = Some(1);
    config.pool_timeout = ms(300);
    let redis = open(&mut hub, &peer.url(""), config);
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    assert!(answer(&mut hub, asked).unwrap().is_none());
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    assert!(answer(&mut hub, asked).unwrap().is_none());
}

#[test]
fn a_string_that_never_comes_ends_with_the_deadline_and_says_how_much_came() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect_command(&["GET", "key"]);
        link.say(b"$536870912\r\nhello");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let mut config = quick();
    config.command_timeout = ms(50);
    let redis = open(&mut hub, &peer.url(""), config);
    let asked = redis.get(&mut hub, "key").unwrap();
    let error = answer(&mut hub, asked).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.maybe_executed());
    let text = error.to_string();
    assert!(text.contains("5 of 536870912 bytes"), "{text}");
}

/// What a command gets whose peer says nil before it has read anything, and its pool's dials.
fn answered_too_early(ask: fn(&Redis, &mut Hub) -> Wait) -> Error {
    let (done, is_done) = mpsc::channel();
    let (gone, is_gone) = mpsc::channel();
    let peer = Peer::tcp(move |door| {
        let mut good = door.accept();
        good.expect_command(&["BRPOP", "good", "1"]);
        let mut hasty = door.accept();
        hasty.say(b"*-1\r\n");
        done.send(()).unwrap();
        hasty.expect_end();
        is_gone.recv().unwrap();
        good.say(POPPED);
        good.expect_end();
    });
    let (mut hub, tap) = tapped();
    let redis = open(&mut hub, &peer.url(""), quick());
    let good = redis.brpop(&mut hub, "good", SECOND).unwrap();
    while tap.writes().is_empty() {
        hub.turn().unwrap();
    }
    tap.connect_slowly();
    let asked = ask(&redis, &mut hub);
    // The connect is under way; the hub sees its end and the reply in one event.
    hub.turn().unwrap();
    is_done.recv_timeout(PATIENCE).unwrap();
    let error = answer(&mut hub, asked).unwrap_err();
    assert!(tap.writes().is_empty(), "it was written");
    gone.send(()).unwrap();
    let reply = answer(&mut hub, good).unwrap();
    assert_eq!(popped(reply), ("list".into(), "element".into()));
    error
}

#[test]
fn a_reply_to_a_command_that_was_not_sent_ends_the_connection() {
    let brpop = |redis: &Redis, hub: &mut Hub| redis.brpop(hub, "list", SECOND).unwrap();
    let get = |redis: &Redis, hub: &mut Hub| redis.get(hub, "key").unwrap();
    for ask in [brpop, get] {
        let error = answered_too_early(ask);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert!(!error.maybe_executed(), "{error}");
    }
}

#[test]
fn an_error_in_the_middle_of_a_command_ends_the_connection() {
    let (gone, is_gone) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut good = door.accept();
        good.expect_command(&["BRPOP", "good", "1"]);
        let mut link = door.accept();
        link.wait_unread();
        link.say(b"-ERR Protocol error: invalid bulk length\r\n");
        is_gone.recv().unwrap();
        while !link.read_some(1 << 20).is_empty() {}
        good.say(POPPED);
        let mut next = door.accept();
        next.expect_probe();
        next.expect_command(&["PING"]);
        next.say(b"+PONG\r\n");
        next.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let good = redis.brpop(&mut hub, "good", SECOND).unwrap();
    hub.turn().unwrap();
    let long = "x".repeat(8 << 20);
    let set = redis.set(&mut hub, "key", &long).unwrap();
    let behind = redis.get(&mut hub, "key").unwrap();
    let error = answer(&mut hub, set).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(!error.maybe_executed(), "{error}");
    assert!(error.to_string().contains("invalid bulk length"), "{error}");
    let error = answer(&mut hub, behind).unwrap_err();
    assert!(!error.maybe_executed(), "{error}");
    gone.send(()).unwrap();
    let reply = answer(&mut hub, good).unwrap();
    assert_eq!(popped(reply), ("list".into(), "element".into()));
    let asked = redis.ping(&mut hub).unwrap();
    answer(&mut hub, asked).unwrap();
}
