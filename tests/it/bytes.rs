//! The client against a scripted peer: what it says, byte for byte, and what it makes of what comes back.
//!
//! Most scripts run over a UNIX socket, where a connect is finished at once. What is about TCP itself (RST, refused and
//! lost connects) runs over TCP.

use crate::kernel::{Tap, Tapped};
use crate::notes::Notes;
use crate::peer::{Door, Full, Link, PATIENCE, Peer, refusing, wire};
use greenroom::resp::Value;
use greenroom::{
    Address, Command, Config, Error, ErrorKind, Hub, Redis, Reply, Result, Timeout, Wait, Wake, ms,
    secs,
};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const SECOND: Timeout = Timeout::After(secs(1));
const BRPOP: [&str; 3] = ["BRPOP", "list", "1"];
const POPPED: &[u8] = b"*2\r\n$4\r\nlist\r\n$7\r\nelement\r\n";

fn open(hub: &mut Hub, url: &str, config: Config) -> Redis {
    Redis::open_with(hub, url.parse::<Address>().unwrap(), config).unwrap()
}

/// Limits under which a test that goes wrong does so soon.
fn quick() -> Config {
    let mut config = Config::default();
    config.pool_timeout = secs(5);
    config.connect_timeout = secs(5);
    config
}

/// What main gets for what it has asked, but not for ever.
#[track_caller]
fn answer(hub: &mut Hub, asked: Wait) -> Result<Reply> {
    match hub.wait(asked.within(PATIENCE)).unwrap() {
        Wake::Reply(reply) => reply,
        other => panic!("no answer: {other:?}"),
    }
}

fn popped(reply: Reply) -> (String, String) {
    reply.to().unwrap()
}

fn tapped() -> (Hub, Tap) {
    let (kernel, tap) = Tapped::new();
    (Hub::with_driver(kernel), tap)
}

/// How two pops in a row end that the same connection carries, when the peer sends its replies as `say` does.
fn fed(say: impl Fn(&mut Link, &[u8]) + Send + 'static) {
    let peer = Peer::unix(move |door| {
        let mut link = door.accept();
        link.expect_command(&BRPOP);
        say(&mut link, POPPED);
        link.expect_command(&BRPOP);
        say(&mut link, b"*-1\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    let reply = answer(&mut hub, asked).unwrap();
    assert_eq!(popped(reply), ("list".into(), "element".into()));
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    assert!(answer(&mut hub, asked).unwrap().is_none());
    assert_eq!(redis.stats(&hub).connects, 1);
}

mod replies {
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
            for reply in ["-LOADING Redis is loading\r\n", "-WRONGTYPE no list\r\n"] {
                link.expect_command(&BRPOP);
                link.say(reply.as_bytes());
            }
            link.expect_command(&BRPOP);
            link.say(b"*-1\r\n");
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url(""), quick());
        for code in ["LOADING", "WRONGTYPE"] {
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
}

/// Messages that answer no command (RESP3).
mod pushes {
    use super::*;

    const PUSH: &[u8] = b">2\r\n+invalidate\r\n*1\r\n$3\r\nkey\r\n";
    const GREETING: &[u8] = b"%1\r\n+proto\r\n:3\r\n";

    fn resp3(script: impl FnOnce(&mut Link) + Send + 'static) -> Peer {
        Peer::unix(move |door| {
            let mut link = door.accept();
            link.expect_command(&["HELLO", "3"]);
            link.say(GREETING);
            script(&mut link);
            link.expect_end();
        })
    }

    #[test]
    fn a_push_before_a_reply_is_not_the_reply() {
        let peer = resp3(|link| {
            link.expect_command(&BRPOP);
            link.say(&[PUSH, PUSH, POPPED].concat());
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url("?protocol=3"), quick());
        let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
        let reply = answer(&mut hub, asked).unwrap();
        assert_eq!(popped(reply), ("list".into(), "element".into()));
    }

    #[test]
    fn a_push_between_two_replies_moves_neither() {
        let peer = resp3(|link| {
            link.expect_command(&["GET", "a"]);
            link.expect_command(&["GET", "b"]);
            link.say(&[b"+A\r\n", PUSH, b"_\r\n"].concat());
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url("?protocol=3"), quick());
        let a = redis.get(&mut hub, "a").unwrap();
        let b = redis.get(&mut hub, "b").unwrap();
        let first = answer(&mut hub, a).unwrap();
        assert_eq!(first.value(), &Value::Simple("A".into()));
        assert!(answer(&mut hub, b).unwrap().is_none());
    }

    #[test]
    fn a_push_after_a_reply_does_not_cost_the_connection() {
        let peer = resp3(|link| {
            link.expect_command(&BRPOP);
            link.say(&[POPPED, PUSH].concat());
            link.expect_command(&BRPOP);
            link.say(b"_\r\n");
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url("?protocol=3"), quick());
        let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
        answer(&mut hub, asked).unwrap();
        let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
        assert!(answer(&mut hub, asked).unwrap().is_none());
        assert_eq!(redis.stats(&hub).connects, 1);
    }

    #[test]
    fn a_push_within_the_handshake_is_not_a_reply_to_it() {
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            link.expect(&[wire(&["HELLO", "3"]), wire(&["SELECT", "2"])].concat());
            link.say(&[PUSH, GREETING, PUSH].concat());
            link.expect_nothing(ms(20));
            link.say(b"+OK\r\n");
            link.expect_command(&["PING"]);
            link.say(b"+PONG\r\n");
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url("?protocol=3&db=2"), quick());
        let asked = redis.ping(&mut hub).unwrap();
        answer(&mut hub, asked).unwrap();
    }
}

/// Bytes that no Redis server sends.
mod nonsense {
    use super::*;

    /// One pop gets `bytes` for an answer. It fails for what the protocol says, and what it has been sent may have
    /// been executed; another pop of the same pool, blocked meanwhile, gets its own answer later.
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

    /// The first half of a stray reply comes while nobody waits, the second half once somebody does.
    fn stray_halves(
        ask: fn(&Redis, &mut Hub) -> Wait,
        args: &'static [&'static str],
    ) -> Result<Reply> {
        let (next, go_on) = mpsc::channel();
        let peer = Peer::unix(move |door| {
            let mut link = door.accept();
            link.expect_command(args);
            link.say(b"*-1\r\n");
            go_on.recv().unwrap();
            link.say(b"+str");
            // A client that closes here has seen enough. One that does not must not fall for the rest.
            if link.read_some(256).is_empty() {
                link = door.accept();
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
}

/// How connections end.
mod ends {
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
        let mut hub = Hub::new().unwrap();
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
        // A turn reads 256 KiB of one connection. The end stands behind, and no event will say so again.
        is_closed(unseen(|mut link| {
            link.set_room(4 << 20);
            link.say(b"$1000000\r\n");
            let bytes = vec![b'x'; 264 * 1024];
            assert_eq!(
                link.say_what_fits(&bytes),
                bytes.len(),
                "the kernel has room"
            );
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
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url(""), quick());
        let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
        // The peer does all of it while this task holds up the hub.
        hub.spawn(move |_hub, wake| match wake {
            Wake::Start => Ok(Wait::sleep(ms(5))),
            _ => {
                is_done.recv_timeout(PATIENCE).unwrap();
                Ok(Wait::done())
            }
        });
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
        // The second command is written in the turn that has not read the reply: its poll came before.
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
}

mod handshakes {
    use super::*;

    const SECRET: &str = "S3NTINEL";

    #[test]
    fn nothing_is_said_before_the_handshake_has_ended() {
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            let steps: [&[&str]; 3] = [
                &["AUTH", "me", SECRET],
                &["CLIENT", "SETNAME", "tester"],
                &["SELECT", "7"],
            ];
            link.expect(&steps.map(wire).concat());
            link.say(b"+OK\r\n+OK\r\n");
            link.expect_nothing(ms(20));
            link.say(b"+OK\r\n");
            link.expect_command(&BRPOP);
            link.say(b"*-1\r\n");
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let url = peer.url_as(&format!("me:{SECRET}"), "?db=7&client_name=tester");
        let redis = open(&mut hub, &url, quick());
        let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
        assert!(answer(&mut hub, asked).unwrap().is_none());
    }

    #[test]
    fn the_shared_connection_shakes_hands_as_well() {
        let peer = Peer::tcp(|door| {
            let mut link = door.accept();
            link.expect(&[wire(&["AUTH", SECRET]), wire(&["SELECT", "3"])].concat());
            link.expect_nothing(ms(20));
            link.say(b"+OK\r\n+OK\r\n");
            link.expect(&[wire(&["SET", "k", "v"]), wire(&["GET", "k"])].concat());
            link.say(b"+OK\r\n$1\r\nv\r\n");
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url_as(&format!(":{SECRET}"), "/3"), quick());
        let set = redis.set(&mut hub, "k", "v").unwrap();
        let get = redis.get(&mut hub, "k").unwrap();
        answer(&mut hub, set).unwrap();
        let value: String = answer(&mut hub, get).unwrap().to().unwrap();
        assert_eq!(value, "v");
    }

    #[test]
    fn resp3_is_asked_for_together_with_the_password() {
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            link.expect_command(&["HELLO", "3", "AUTH", "default", SECRET]);
            link.say(b"%1\r\n+proto\r\n:3\r\n");
            link.expect_command(&["PING"]);
            link.say(b"+PONG\r\n");
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let url = peer.url_as(&format!(":{SECRET}"), "?protocol=3");
        let redis = open(&mut hub, &url, quick());
        let asked = redis.ping(&mut hub).unwrap();
        answer(&mut hub, asked).unwrap();
    }

    /// A server from before Redis 6, on one connection.
    fn old_server(link: &mut Link) {
        let hello = ["HELLO", "3", "AUTH", "default", SECRET];
        link.expect(&[wire(&hello), wire(&["SELECT", "2"])].concat());
        link.say(b"-ERR unknown command 'HELLO'\r\n-NOAUTH Authentication required.\r\n");
        link.expect(&[wire(&["AUTH", SECRET]), wire(&["SELECT", "2"])].concat());
        link.expect_nothing(ms(10));
        link.say(b"+OK\r\n+OK\r\n");
    }

    #[test]
    fn a_server_without_hello_is_spoken_to_in_resp2_on_the_same_connection() {
        let peer = Peer::unix(|door| {
            let mut first = door.accept();
            old_server(&mut first);
            first.expect_command(&BRPOP);
            // The pool remembers.
            let mut second = door.accept();
            second.expect(&[wire(&["AUTH", SECRET]), wire(&["SELECT", "2"])].concat());
            second.say(b"+OK\r\n+OK\r\n");
            second.expect_command(&["PING"]);
            second.say(b"+PONG\r\n");
            first.say(b"*-1\r\n");
            first.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let url = peer.url_as(&format!(":{SECRET}"), "?protocol=3&db=2");
        let redis = open(&mut hub, &url, quick());
        let pop = redis.brpop(&mut hub, "list", SECOND).unwrap();
        while hub.stats().events < 2 {
            hub.sleep(ms(1)).unwrap();
        }
        hub.sleep(ms(15)).unwrap();
        let ping = redis.ping(&mut hub).unwrap();
        answer(&mut hub, ping).unwrap();
        assert!(answer(&mut hub, pop).unwrap().is_none());
    }

    #[test]
    fn a_server_that_knows_hello_but_not_resp3_is_spoken_to_in_resp2() {
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            link.expect_command(&["HELLO", "3"]);
            link.say(b"-NOPROTO unsupported protocol version\r\n");
            link.expect_command(&["PING"]);
            link.say(b"+PONG\r\n");
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url("?protocol=3"), quick());
        let asked = redis.ping(&mut hub).unwrap();
        answer(&mut hub, asked).unwrap();
    }

    #[test]
    fn two_connections_that_are_greeted_at_once_both_fall_back_to_resp2() {
        let peer = Peer::unix(|door| {
            let mut links = door.accept_all(2);
            for link in &mut links {
                link.expect_command(&["HELLO", "3"]);
            }
            for link in &mut links {
                link.say(b"-ERR unknown command 'HELLO'\r\n");
            }
            for link in &mut links {
                link.expect_command(&BRPOP);
                link.say(b"*-1\r\n");
            }
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url("?protocol=3"), quick());
        let pops = [(); 2].map(|()| redis.brpop(&mut hub, "list", SECOND).unwrap());
        for pop in pops {
            assert!(answer(&mut hub, pop).unwrap().is_none());
        }
    }

    /// What one pop gets from a server that answers AUTH like this; its error, with everything that could give the
    /// password away.
    fn rejected(reply: &'static str) -> (Error, String) {
        let peer = Peer::unix(move |door| {
            let mut link = door.accept();
            link.expect_command(&["AUTH", SECRET]);
            link.say(reply.as_bytes());
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url_as(&format!(":{SECRET}"), ""), quick());
        let pop = redis.brpop(&mut hub, "list", SECOND).unwrap();
        let error = answer(&mut hub, pop).unwrap_err();
        let address = redis.address(&hub).unwrap();
        let all = format!("{error} {error:?} {error:#?} {address} {address:?} {hub:?} {redis:?}");
        (error, all)
    }

    #[test]
    fn a_wrong_password_is_a_connect_error_that_does_not_tell_it() {
        let wrong = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
        let (error, all) = rejected(wrong);
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert!(!error.maybe_executed());
        assert!(error.to_string().contains("WRONGPASS"), "{error}");
        assert!(!all.contains(SECRET), "{all}");
    }

    #[test]
    fn a_loading_server_is_a_connect_error_that_says_so() {
        let (error, _) = rejected("-LOADING Redis is loading the dataset in memory\r\n");
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert!(error.to_string().contains("LOADING"), "{error}");
    }

    #[test]
    fn a_missing_password_is_the_servers_error_of_the_command() {
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            link.expect_command(&BRPOP);
            link.say(b"-NOAUTH Authentication required.\r\n");
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url(""), quick());
        let pop = redis.brpop(&mut hub, "list", SECOND).unwrap();
        let error = answer(&mut hub, pop).unwrap_err();
        assert_eq!(error.code(), Some("NOAUTH"));
    }

    #[test]
    fn everybody_who_waits_learns_that_the_server_wants_another_password() {
        let peer = Peer::unix(|door| {
            // How many come before the first is told is up to the pool; all are told the same.
            let mut links = door.accept_all(3);
            for link in &mut links {
                link.expect_command(&["AUTH", SECRET]);
                link.say(b"-WRONGPASS invalid password\r\n");
            }
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url_as(&format!(":{SECRET}"), ""), quick());
        let pops = [(); 3].map(|()| redis.brpop(&mut hub, "list", SECOND).unwrap());
        for pop in pops {
            let error = answer(&mut hub, pop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
        }
        assert_eq!(redis.stats(&hub).created, 0);
    }

    #[test]
    fn a_server_that_is_full_has_executed_nothing() {
        for handshake in [false, true] {
            let peer = Peer::unix(|door| {
                let mut link = door.accept();
                link.wait_unread();
                link.say(b"-ERR max number of clients reached\r\n");
            });
            let mut hub = Hub::new().unwrap();
            let rest = if handshake { "?db=1" } else { "" };
            let redis = open(&mut hub, &peer.url(rest), quick());
            let pop = redis.brpop(&mut hub, "list", SECOND).unwrap();
            let error = answer(&mut hub, pop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
            assert!(!error.maybe_executed(), "{error}");
            assert!(
                error.to_string().contains("max number of clients"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_server_that_closes_within_the_handshake_fails_who_waits_for_it() {
        for shared in [true, false] {
            let peer = Peer::unix(|door| {
                let mut link = door.accept();
                link.expect_command(&["SELECT", "1"]);
            });
            let mut hub = Hub::new().unwrap();
            let redis = open(&mut hub, &peer.url("?db=1"), quick());
            let asked = if shared {
                redis.get(&mut hub, "key").unwrap()
            } else {
                redis.brpop(&mut hub, "list", SECOND).unwrap()
            };
            let error = answer(&mut hub, asked).unwrap_err();
            assert!(
                error.is_disconnect() && !error.maybe_executed(),
                "{error:?}"
            );
        }
    }

    #[test]
    fn a_handshake_that_is_never_answered_ends_with_its_deadline() {
        for shared in [true, false] {
            let peer = Peer::unix(|door| {
                let mut link = door.accept();
                link.expect_command(&["SELECT", "1"]);
                link.expect_end();
            });
            let mut hub = Hub::new().unwrap();
            let mut config = quick();
            config.handshake_timeout = ms(30);
            let redis = open(&mut hub, &peer.url("?db=1"), config);
            let asked = if shared {
                redis.get(&mut hub, "key").unwrap()
            } else {
                redis.brpop(&mut hub, "list", SECOND).unwrap()
            };
            let error = answer(&mut hub, asked).unwrap_err();
            assert!(error.is_timeout() && !error.maybe_executed(), "{error:?}");
            assert!(error.to_string().contains("handshake"), "{error}");
        }
    }
}

mod connects {
    use super::*;

    #[test]
    fn a_connect_that_never_finishes_ends_with_its_deadline() {
        let full = Full::tcp();
        for shared in [true, false] {
            let mut hub = Hub::new().unwrap();
            let mut config = quick();
            config.connect_timeout = ms(40);
            let redis = open(&mut hub, &full.url(""), config);
            let asked = if shared {
                redis.get(&mut hub, "key").unwrap()
            } else {
                redis.brpop(&mut hub, "list", SECOND).unwrap()
            };
            let start = Instant::now();
            let error = answer(&mut hub, asked).unwrap_err();
            assert!(error.is_timeout() && !error.maybe_executed(), "{error:?}");
            assert!(start.elapsed() >= ms(40) && start.elapsed() < secs(2));
        }
    }

    #[test]
    fn a_full_backlog_of_a_unix_socket_is_tried_again_until_there_is_room() {
        let full = Full::unix();
        let mut hub = Hub::new().unwrap();
        let mut config = quick();
        config.pool_timeout = ms(60);
        let redis = open(&mut hub, &full.url(""), config);
        let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
        let error = answer(&mut hub, asked).unwrap_err();
        assert!(error.is_timeout() && !error.maybe_executed(), "{error:?}");
        let retried = redis.stats(&hub).connects_retried;
        assert!((2..=8).contains(&retried), "every 10 ms: {retried}");
    }

    #[test]
    fn the_shared_connection_does_not_wait_for_ever_for_a_full_backlog() {
        let full = Full::unix();
        let mut hub = Hub::new().unwrap();
        let mut config = quick();
        config.connect_timeout = ms(60);
        config.command_timeout = ms(60);
        config.pool_timeout = ms(60);
        let redis = open(&mut hub, &full.url(""), config);
        let asked = redis.get(&mut hub, "key").unwrap();
        let wake = hub.wait(asked.within(secs(1))).unwrap();
        assert!(matches!(wake, Wake::Reply(Err(_))), "{wake:?}");
    }

    #[test]
    fn everybody_who_waits_for_a_server_that_is_not_there_learns_it_soon() {
        let (_bound, address) = refusing();
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &format!("redis://{address}"), quick());
        let start = Instant::now();
        let notes = Notes::new();
        for number in 0..100 {
            let notes = notes.clone();
            hub.spawn(move |hub, wake| match wake {
                Wake::Start if number % 10 == 0 => redis.get(hub, "key"),
                Wake::Start => redis.brpop(hub, "list", SECOND),
                wake => {
                    notes.add(wake.reply().map(drop).unwrap_err());
                    Ok(Wait::done())
                }
            });
        }
        let cron = hub.every(ms(1), |_hub, _tick| Ok(()));
        while hub.tasks().len() > 1 {
            hub.sleep(ms(1)).unwrap();
        }
        assert!(!hub.is_ended(cron), "the hub goes on");
        let errors = notes.take();
        assert_eq!(errors.len(), 100);
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
            assert!(!error.maybe_executed());
            assert!(error.to_string().contains(&address.to_string()), "{error}");
        }
        assert!(start.elapsed() < secs(1), "{:?}", start.elapsed());
        let stats = redis.stats(&hub);
        assert_eq!((stats.created, stats.waiting, stats.shared), (0, 0, false));
    }

    #[test]
    fn a_pool_for_which_nobody_waits_any_more_has_no_timer() {
        let (_bound, address) = refusing();
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &format!("redis://{address}"), quick());
        let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
        answer(&mut hub, asked).unwrap_err();
        assert_eq!(hub.timers_armed(), 0, "else run() would sit it out");
        let start = Instant::now();
        hub.run().unwrap();
        assert!(start.elapsed() < secs(1), "{:?}", start.elapsed());
    }

    #[test]
    fn a_server_that_comes_back_is_found_again() {
        let (bound, address) = refusing();
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &format!("redis://{address}"), quick());
        let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
        answer(&mut hub, asked).unwrap_err();
        bound.listen(1).unwrap();
        let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
        let server = std::thread::spawn(move || {
            let (mut socket, _) = bound.accept().unwrap();
            std::io::Write::write_all(&mut socket, b"*-1\r\n").unwrap();
            socket
        });
        assert!(answer(&mut hub, asked).unwrap().is_none());
        server.join().unwrap();
    }

    #[test]
    fn a_unix_socket_that_is_not_there_is_a_connect_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nobody");
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &format!("unix://{}", path.display()), quick());
        for shared in [true, false] {
            let asked = if shared {
                redis.ping(&mut hub).unwrap()
            } else {
                redis.brpop(&mut hub, "list", SECOND).unwrap()
            };
            let error = answer(&mut hub, asked).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Connect);
            assert!(error.to_string().contains("nobody"), "{error}");
        }
    }

    fn two_addresses(pops: usize) -> Vec<Result<Reply>> {
        let (_bound, nobody) = refusing();
        let peer = Peer::tcp(move |door| {
            let mut links = door.accept_all(pops);
            for link in &mut links {
                link.expect_command(&BRPOP);
                link.say(b"*-1\r\n");
            }
        });
        let greenroom::Endpoint::Tcp(somebody) = *peer.endpoint() else {
            unreachable!("it was started on TCP")
        };
        let (mut hub, tap) = tapped();
        tap.resolve_to([nobody, somebody]);
        let redis = open(&mut hub, "redis://two.addresses:6379", quick());
        let asked: Vec<_> = (0..pops)
            .map(|_| redis.brpop(&mut hub, "list", SECOND).unwrap())
            .collect();
        let results: Vec<_> = asked
            .into_iter()
            .map(|asked| answer(&mut hub, asked))
            .collect();
        if results.iter().any(Result::is_err) {
            // The script waits for connections that will never come.
            std::mem::forget(peer);
        }
        results
    }

    #[test]
    fn the_second_address_of_a_name_is_tried_when_the_first_refuses() {
        let results = two_addresses(1);
        assert!(results[0].as_ref().unwrap().is_none());
    }

    #[test]
    fn several_connects_that_the_first_address_refuses_all_try_the_second() {
        for result in two_addresses(3) {
            assert!(result.unwrap().is_none());
        }
    }

    #[test]
    fn a_name_without_addresses_is_a_connect_error_that_names_it() {
        let (mut hub, _tap) = tapped();
        let error = Redis::open(&mut hub, "redis://no.addresses").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert!(error.to_string().contains("no.addresses"), "{error}");
    }

    #[test]
    fn a_name_is_not_resolved_inside_a_task() {
        let (mut hub, _tap) = tapped();
        let task = hub.spawn(|hub, _wake| {
            Redis::open(hub, "redis://some.name")?;
            Ok(Wait::done())
        });
        hub.on_error(|_| {});
        let error = hub.join(task).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    }
}

/// Waiting for a request in ways that the simple case never does.
mod tickets {
    use super::*;

    fn ponging() -> Peer {
        Peer::unix(|door| {
            let mut link = door.accept();
            link.expect_command(&["PING"]);
            link.say(b"+PONG\r\n");
            link.expect_end();
        })
    }

    #[test]
    fn a_reply_that_came_while_nobody_waited_is_kept() {
        let peer = ponging();
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url(""), quick());
        let asked = redis.ping(&mut hub).unwrap();
        hub.sleep(ms(20)).unwrap();
        answer(&mut hub, asked).unwrap();
    }

    #[test]
    fn a_ticket_is_good_for_one_reply() {
        let peer = ponging();
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url(""), quick());
        let asked = redis.ping(&mut hub).unwrap();
        answer(&mut hub, asked).unwrap();
        let error = answer(&mut hub, asked).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    }

    #[test]
    fn a_notify_does_not_give_a_request_up() {
        let peer = ponging();
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url(""), quick());
        let notes = Notes::new();
        let inner = notes.clone();
        let mut ticket = None;
        let task = hub.spawn(move |hub, wake| match wake {
            Wake::Start => {
                let asked = redis.ping(hub)?;
                ticket = asked.ticket();
                Ok(asked)
            }
            Wake::Notified => Ok(Wait::reply(ticket.expect("it has asked"))),
            wake => {
                inner.add(wake.reply()?.into_value());
                Ok(Wait::done())
            }
        });
        hub.turn().unwrap();
        hub.notify(task);
        hub.join(task).unwrap();
        assert_eq!(notes.take(), [Value::Simple("PONG".into())]);
    }

    #[test]
    fn a_request_that_a_deadline_has_ended_is_given_up() {
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            link.expect_command(&BRPOP);
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url(""), quick());
        let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
        let wake = hub.wait(asked.within(ms(20))).unwrap();
        assert!(matches!(wake, Wake::Deadline), "{wake:?}");
        let error = answer(&mut hub, asked).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
        assert_eq!(redis.stats(&hub).created, 0, "its connection is closed");
    }

    /// A task waits for what main has asked, before the reply comes or after.
    fn asked_by_main(wait_first: Duration) {
        let peer = ponging();
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url(""), quick());
        let asked = redis.ping(&mut hub).unwrap();
        hub.sleep(wait_first).unwrap();
        let notes = Notes::new();
        let inner = notes.clone();
        let task = hub.spawn(move |_hub, wake| match wake {
            Wake::Start => Ok(asked.within(ms(500))),
            wake => {
                inner.add(matches!(wake, Wake::Reply(_)));
                Ok(Wait::done())
            }
        });
        hub.join(task).unwrap();
        assert_eq!(notes.take(), [true], "a reply, or that it may not");
    }

    #[test]
    fn a_task_may_wait_for_the_reply_to_what_another_has_asked() {
        asked_by_main(Duration::ZERO);
    }

    #[test]
    fn a_task_may_take_the_reply_to_what_another_has_asked() {
        asked_by_main(ms(20));
    }
}

#[test]
fn a_command_arrives_byte_for_byte() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect(b"*4\r\n$3\r\nSET\r\n$5\r\na b\r\n\r\n$0\r\n\r\n$2\r\n42\r\n");
        link.say(b"+OK\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let command = Command::new("SET").arg("a b\r\n").arg("").arg(42);
    let asked = redis.send(&mut hub, command).unwrap();
    answer(&mut hub, asked).unwrap();
}
