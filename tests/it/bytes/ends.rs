//! Ends and resets, before, within and after a reply.

use super::*;

/// What one pop gets from a peer that does this with its connection.
fn popping(unix: bool, script: impl FnOnce(Link) + Send + 'static) -> Result<Reply> {
    let script = move |door: &Door| {
        let mut link = door.accept();
        link.expect_command(&BRPOP);
        script(link);
    };
    let peer = if unix {
        Peer::unix(script)
    } else {
        Peer::tcp(script)
    };
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    let result = answer(&mut hub, asked);
    hub.run().unwrap();
    peer.join();
    let stats = redis.stats(&hub);
    assert!(stats.in_use == 0, "{stats:?}");
    result
}

#[track_caller]
fn is_closed(result: Result<Reply>) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
    assert!(error.maybe_executed(), "{error}");
}

#[test]
fn the_end_instead_of_a_reply_is_an_error() {
    is_closed(popping(true, drop));
    is_closed(popping(false, drop));
}

#[test]
fn the_end_within_a_reply_is_the_end_and_not_bad_protocol() {
    for unix in [true, false] {
        is_closed(popping(unix, |mut link| link.say(&POPPED[..20])));
    }
}

#[test]
fn a_reply_before_the_end_is_delivered() {
    for unix in [true, false] {
        let result = popping(unix, |mut link| link.say(POPPED));
        assert_eq!(popped(result.unwrap()), ("list".into(), "element".into()));
    }
}

#[test]
fn a_peer_that_closes_one_way_is_gone() {
    is_closed(popping(false, |mut link| {
        link.finish();
        link.expect_end();
    }));
}

#[test]
fn a_reset_instead_of_a_reply_is_an_error() {
    is_closed(popping(false, Link::reset));
}

#[test]
fn a_reset_within_a_reply_is_an_error() {
    is_closed(popping(false, |mut link| {
        link.say(&POPPED[..20]);
        link.reset();
    }));
}

/// A pop whose peer has said and done everything before the hub looks at the connection again.
fn unseen(script: impl FnOnce(Link) + Send + 'static) -> Result<Reply> {
    let (done, is_done) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut link = door.accept();
        link.expect_command(&BRPOP);
        script(link);
        done.send(()).unwrap();
    });
    let (mut hub, tap) = tapped();
    tap.read_at_most(1000);
    let redis = open(&mut hub, &peer.url(""), quick());
    let asked = redis
        .brpop(&mut hub, "list", Timeout::After(secs(1)))
        .unwrap();
    // Over a UNIX socket one turn connects and writes.
    hub.turn().unwrap();
    is_done.recv_timeout(PATIENCE).unwrap();
    match hub.wait(asked.within(ms(900))).unwrap() {
        Wake::Reply(reply) => reply,
        other => panic!("the end was not noticed: {other:?}"),
    }
}

#[test]
fn a_reply_and_the_end_in_one_event_are_both_seen() {
    let reply = unseen(|mut link| link.say(POPPED)).unwrap();
    assert_eq!(popped(reply), ("list".into(), "element".into()));
    is_closed(unseen(|mut link| link.say(&POPPED[..20])));
}

#[test]
fn the_end_behind_more_bytes_than_one_turn_reads_is_seen() {
    // A turn makes a few reads of one connection. The end stands behind, and no event will say
    // so again.
    is_closed(unseen(|mut link| {
        link.say(b"$1000000\r\n");
        link.say(&[b'x'; 20_500]);
    }));
}

#[test]
fn a_reply_in_front_of_a_reset_is_delivered() {
    let (done, is_done) = mpsc::channel();
    let peer = Peer::tcp(move |door| {
        let mut link = door.accept();
        link.wait_unread();
        link.say(POPPED);
        // What was not read makes the kernel send RST.
        drop(link);
        done.send(()).unwrap();
    });
    let (mut hub, tap) = tapped();
    let redis = open(&mut hub, &peer.url(""), quick());
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    while tap.writes().is_empty() {
        hub.turn().unwrap();
    }
    // The peer does all of it before the hub looks again.
    is_done.recv_timeout(PATIENCE).unwrap();
    let reply = answer(&mut hub, asked).unwrap();
    assert_eq!(popped(reply), ("list".into(), "element".into()));
}

#[test]
fn a_write_that_fails_does_not_lose_the_reply_in_front_of_it() {
    let (told, hang_up) = mpsc::channel();
    let (done, is_done) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut link = door.accept();
        link.expect_command(&["GET", "a"]);
        hang_up.recv().unwrap();
        link.say(b"+A\r\n");
        drop(link);
        done.send(()).unwrap();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let a = redis.get(&mut hub, "a").unwrap();
    hub.turn().unwrap();
    // The second command is written in the turn that has not read the reply: its poll came
    // before.
    let notes = Notes::new();
    let inner = notes.clone();
    let second = hub.spawn(move |hub, wake| match wake {
        Wake::Start => {
            told.send(()).unwrap();
            is_done.recv_timeout(PATIENCE).unwrap();
            redis.get(hub, "b")
        }
        wake => {
            inner.add(wake.reply().map(drop).unwrap_err());
            Ok(Wait::done())
        }
    });
    let reply = answer(&mut hub, a).unwrap();
    assert_eq!(reply.value(), &Value::Simple("A".into()));
    hub.join(second).unwrap();
    let error = notes.take().remove(0);
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
    assert!(!error.maybe_executed(), "the kernel refused it: {error}");
}

#[test]
fn an_idle_connection_that_the_peer_closes_is_dropped_without_a_word() {
    let (next, close) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut first = door.accept();
        first.expect_command(&BRPOP);
        first.say(b"*-1\r\n");
        close.recv().unwrap();
        drop(first);
        let mut second = door.accept();
        second.expect_probe();
        second.expect_command(&BRPOP);
        second.say(POPPED);
        second.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    answer(&mut hub, asked).unwrap();
    assert_eq!(redis.stats(&hub).available, 1);
    next.send(()).unwrap();
    while redis.stats(&hub).created > 0 {
        hub.sleep(ms(1)).unwrap();
    }
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    assert!(!answer(&mut hub, asked).unwrap().is_none());
}

/// Two pops and one connection at most. The first peer answers and closes before the hub looks
/// again; the second pop must not be put on what is about to end.
fn closing_behind_its_reply(unix: bool) {
    let (done, is_done) = mpsc::channel();
    let script = move |door: &Door| {
        let mut first = door.accept();
        first.expect_command(&["BRPOP", "first", "1"]);
        first.say(POPPED);
        drop(first);
        done.send(()).unwrap();
        let mut second = door.accept();
        second.expect_probe();
        second.expect_command(&["BRPOP", "second", "1"]);
        second.say(b"*-1\r\n");
        second.expect_end();
    };
    let peer = if unix {
        Peer::unix(script)
    } else {
        Peer::tcp(script)
    };
    let (mut hub, tap) = tapped();
    let mut config = quick();
    config.max_connections = Some(1);
    let redis = open(&mut hub, &peer.url(""), config);
    let first = redis.brpop(&mut hub, "first", SECOND).unwrap();
    let second = redis.brpop(&mut hub, "second", SECOND).unwrap();
    while tap.writes().is_empty() {
        hub.turn().unwrap();
    }
    is_done.recv_timeout(PATIENCE).unwrap();
    let reply = answer(&mut hub, first).unwrap();
    assert_eq!(popped(reply), ("list".into(), "element".into()));
    assert!(answer(&mut hub, second).unwrap().is_none());
    assert_eq!(redis.stats(&hub).connects, 2);
}

#[test]
fn a_connection_that_ends_behind_its_reply_is_given_to_nobody() {
    closing_behind_its_reply(true);
    closing_behind_its_reply(false);
}

#[test]
fn a_connection_whose_end_is_a_false_report_is_used_again() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        for _ in 0..3 {
            link.expect_command(&BRPOP);
            link.say(b"*-1\r\n");
        }
        link.expect_end();
    });
    let (mut hub, tap) = tapped();
    tap.report_everything();
    // The last byte is read because of a report that this is the end.
    tap.read_at_most(1);
    let mut config = quick();
    config.max_connections = Some(1);
    config.pool_timeout = ms(500);
    let redis = open(&mut hub, &peer.url(""), config);
    for _ in 0..3 {
        let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
        assert!(answer(&mut hub, asked).unwrap().is_none());
    }
    assert_eq!(redis.stats(&hub).connects, 1);
}
