//! Replies in pieces of any size.

use super::*;

#[test]
fn a_reply_may_come_whole() {
    fed(|link, reply| link.say(reply));
}

#[test]
fn a_reply_may_come_one_byte_at_a_time() {
    fed(|link, reply| link.say_bytewise(reply));
}

#[test]
fn a_reply_may_be_cut_anywhere() {
    for at in 1..POPPED.len() {
        fed(move |link, reply| link.say_split(reply, at.min(reply.len() - 1)));
    }
}

#[test]
fn a_reply_may_be_read_in_any_pieces_and_between_spurious_events() {
    for bytes in [1, 2, 3, 7] {
        let peer = Peer::tcp(|door| {
            let mut link = door.accept();
            link.expect_command(&BRPOP);
            link.say(POPPED);
            link.expect_end();
        });
        let (mut hub, tap) = tapped();
        tap.read_at_most(bytes);
        tap.report_everything();
        let redis = open(&mut hub, &peer.url(""), quick());
        let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
        let reply = answer(&mut hub, asked).unwrap();
        assert_eq!(popped(reply), ("list".into(), "element".into()));
    }
}

#[test]
fn two_replies_in_one_segment_go_to_their_commands() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect_command(&["GET", "a"]);
        link.expect_command(&["GET", "b"]);
        link.say(b"$1\r\nA\r\n$1\r\nB\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let a = redis.get(&mut hub, "a").unwrap();
    let b = redis.get(&mut hub, "b").unwrap();
    let second: String = answer(&mut hub, b).unwrap().to().unwrap();
    let first: String = answer(&mut hub, a).unwrap().to().unwrap();
    assert_eq!((first.as_str(), second.as_str()), ("A", "B"));
}

#[test]
fn a_short_reply_costs_one_write_and_one_read() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect_command(&BRPOP);
        link.say(POPPED);
        link.expect_end();
    });
    let (mut hub, tap) = tapped();
    let redis = open(&mut hub, &peer.url(""), quick());
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    answer(&mut hub, asked).unwrap();
    assert_eq!((tap.writes().len(), tap.reads()), (1, 1));
}

#[test]
fn nil_has_three_spellings() {
    for nil in ["*-1\r\n", "$-1\r\n", "_\r\n"] {
        let peer = Peer::unix(move |door| {
            let mut link = door.accept();
            link.expect_command(&BRPOP);
            link.say(nil.as_bytes());
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url(""), quick());
        let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
        assert!(answer(&mut hub, asked).unwrap().is_none(), "{nil:?}");
    }
}

#[test]
fn an_element_may_hold_any_bytes() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect_command(&BRPOP);
        link.say(b"*2\r\n$4\r\nlist\r\n$6\r\n\r\n\0\xff$1\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    let reply = answer(&mut hub, asked).unwrap();
    let elements = reply.value().as_slice().unwrap();
    assert_eq!(elements[1].as_bytes(), Some(&b"\r\n\0\xff$1"[..]));
}

#[test]
fn the_servers_error_leaves_the_connection_as_it_was() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        for reply in ["-BUSY a script runs\r\n", "-WRONGTYPE no list\r\n"] {
            link.expect_command(&BRPOP);
            link.say(reply.as_bytes());
        }
        link.expect_command(&BRPOP);
        link.say(b"*-1\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    for code in ["BUSY", "WRONGTYPE"] {
        let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
        let error = answer(&mut hub, asked).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server);
        assert_eq!(error.code(), Some(code));
        assert_eq!(redis.stats(&hub).available, 1);
    }
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    assert!(answer(&mut hub, asked).unwrap().is_none());
}

#[test]
fn what_a_server_says_cannot_forge_a_log_line() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect_command(&["PING"]);
        link.say(b"-ERR first\x1b[2J\x07line\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let asked = redis.ping(&mut hub).unwrap();
    let error = answer(&mut hub, asked).unwrap_err();
    assert_eq!(error.to_string(), "ERR first\\u{1b}[2J\\u{7}line");
}

#[test]
fn a_reply_says_how_long_it_took() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect_command(&["PING"]);
        std::thread::sleep(ms(20));
        link.say(b"+PONG\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let asked = redis.ping(&mut hub).unwrap();
    let took = answer(&mut hub, asked).unwrap().elapsed();
    assert!((ms(19)..secs(5)).contains(&took), "{took:?}");
}

/// The turns in which a task is resumed that pops and sleeps, and how many there are in all.
fn turns_of_a_pop_and_a_sleep(connects_slowly: bool) -> (Vec<u64>, u64) {
    let peer = Peer::tcp(|door| {
        let mut link = door.accept();
        link.expect_command(&BRPOP);
        // The reply must not come before the hub waits for it.
        std::thread::sleep(ms(20));
        link.say(b"*-1\r\n");
        link.expect_end();
    });
    let (mut hub, tap) = tapped();
    if connects_slowly {
        tap.connect_slowly();
    }
    let redis = open(&mut hub, &peer.url(""), quick());
    let notes = Notes::new();
    let seen = notes.clone();
    let task = hub.spawn(move |hub, wake| {
        seen.add(hub.stats().turns);
        match wake {
            Wake::Start => redis.brpop(hub, "list", SECOND),
            Wake::Reply(_) => Ok(Wait::sleep(ms(5))),
            _ => Ok(Wait::done()),
        }
    });
    hub.join(task).unwrap();
    (notes.take(), hub.stats().turns)
}

/// The table at the end of `docs/turn.md`, and what it says of other machines.
#[test]
fn a_pop_and_a_sleep_take_the_turns_that_the_document_counts() {
    assert_eq!(turns_of_a_pop_and_a_sleep(false), (vec![1, 2, 3], 4));
    assert_eq!(turns_of_a_pop_and_a_sleep(true), (vec![1, 3, 4], 5));
}
