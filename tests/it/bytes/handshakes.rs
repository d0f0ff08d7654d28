//! Handshakes, byte for byte.

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
    let (through, is_through) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut first = door.accept();
        old_server(&mut first);
        first.expect_command(&BRPOP);
        through.send(()).unwrap();
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
    while is_through.try_recv().is_err() {
        hub.sleep(ms(1)).unwrap();
    }
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
fn a_handshake_that_shrinks_to_nothing_leaves_no_timer() {
    for (timeout, seconds, timers) in [(SECOND, "1", 1), (Timeout::Forever, "0", 0)] {
        let (through, is_through) = mpsc::channel();
        let peer = Peer::unix(move |door| {
            let mut link = door.accept();
            link.expect_command(&["HELLO", "3"]);
            link.say(b"-ERR unknown command 'HELLO'\r\n");
            link.expect_command(&["BRPOP", "list", seconds]);
            through.send(()).unwrap();
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer.url("?protocol=3"), quick());
        let _asked = redis.brpop(&mut hub, "list", timeout).unwrap();
        while is_through.try_recv().is_err() {
            hub.sleep(ms(1)).unwrap();
        }
        assert_eq!(hub.timers_armed(), timers, "{timeout:?}");
        redis.close(&mut hub);
        assert_eq!(hub.timers_armed(), 0, "{timeout:?}");
    }
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

/// What one pop gets from a server that answers AUTH like this; its error, with everything that
/// could give the password away.
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
fn a_wrong_password_is_an_error_of_its_own_that_does_not_tell_it() {
    let wrong = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
    let (error, all) = rejected(wrong);
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert_eq!(error.code(), Some("WRONGPASS"));
    assert!(!error.is_disconnect() && !error.maybe_executed());
    assert!(error.to_string().contains("WRONGPASS"), "{error}");
    assert!(!all.contains(SECRET), "{all}");
}

#[test]
fn a_server_that_does_not_know_auth_repeats_the_password_and_the_error_does_not() {
    let unknown = "-ERR unknown command 'AUTH', with args beginning with: 'S3NTINEL' \r\n";
    let (error, all) = rejected(unknown);
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("AUTH: ERR"), "{error}");
    assert!(!all.contains(SECRET), "{all}");
}

#[test]
fn a_server_that_repeats_a_part_of_the_password_is_not_quoted_either() {
    // Redis cuts what it repeats after 128 bytes, and makes spaces of line breaks.
    for password in [SECRET.repeat(40), format!("{SECRET}\n{SECRET}")] {
        let repeated: String = password.replace('\n', " ").chars().take(120).collect();
        let args = ["AUTH", &password].map(str::to_owned);
        let peer = Peer::unix(move |door| {
            let mut link = door.accept();
            link.expect_command(&args.each_ref().map(String::as_str));
            let unknown = "-ERR unknown command 'AUTH', with args beginning with:";
            link.say(format!("{unknown} '{repeated}' \r\n").as_bytes());
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let address = peer.url("").parse::<Address>().unwrap();
        let address = address.with_password(&password);
        let redis = Redis::open_with(&mut hub, address, quick()).unwrap();
        let asked = redis.ping(&mut hub).unwrap();
        let error = answer(&mut hub, asked).unwrap_err();
        assert!(error.to_string().contains("AUTH: ERR"), "{error}");
        assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
    }
}

/// The error of a PING behind a handshake in RESP3 that is answered by these, one after the other,
/// and everything that could give the password away.
fn rejected_in_resp3(replies: &'static [&'static str]) -> (Error, String) {
    let peer = Peer::unix(move |door| {
        let mut link = door.accept();
        link.expect_command(&["HELLO", "3", "AUTH", "me", SECRET]);
        link.say(replies[0].as_bytes());
        for reply in &replies[1..] {
            link.expect_command(&["AUTH", "me", SECRET]);
            link.say(reply.as_bytes());
        }
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let url = peer.url_as(&format!("me:{SECRET}"), "?protocol=3");
    let redis = open(&mut hub, &url, quick());
    let asked = redis.ping(&mut hub).unwrap();
    let error = answer(&mut hub, asked).unwrap_err();
    let address = redis.address(&hub).unwrap();
    let all = format!("{error} {error:?} {error:#?} {address} {address:?} {hub:?} {redis:?}");
    (error, all)
}

#[test]
fn a_hello_that_the_server_repeats_does_not_tell_the_password_either() {
    let cases: [&[&str]; 2] = [
        &["-ERR syntax error in HELLO option 'S3NTINEL'\r\n"],
        &[
            "-ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'me' 'S3NTINEL' \r\n",
            "-ERR unknown command 'AUTH', with args beginning with: 'me' 'S3NTINEL' \r\n",
        ],
    ];
    for replies in cases {
        let (error, all) = rejected_in_resp3(replies);
        assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
        assert!(error.to_string().contains(": ERR"), "{error}");
        assert!(!all.contains(SECRET), "{all}");
    }
}

#[test]
fn a_loading_server_is_tried_again_and_whoever_waits_in_vain_learns_why() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect_command(&["AUTH", SECRET]);
        link.say(b"-LOADING Redis is loading the dataset in memory\r\n");
        link.expect_end();
        // It is not there when it is tried again.
    });
    let mut hub = Hub::new().unwrap();
    let mut config = quick();
    config.pool_timeout = ms(300);
    let redis = open(&mut hub, &peer.url_as(&format!(":{SECRET}"), ""), config);
    let pop = redis.brpop(&mut hub, "list", SECOND).unwrap();
    let error = answer(&mut hub, pop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(!error.maybe_executed(), "{error}");
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
        assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
    }
    // The first to be rejected speaks for all; the connections of the others are still to end.
    while redis.stats(&hub).created > 0 {
        hub.sleep(ms(1)).unwrap();
    }
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
        let mut config = quick();
        config.pool_timeout = ms(300);
        let redis = open(&mut hub, &peer.url(rest), config);
        let pop = redis.brpop(&mut hub, "list", SECOND).unwrap();
        let error = answer(&mut hub, pop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert!(!error.maybe_executed(), "{error}");
        // It was tried again, and this peer is gone by then.
        let failure = redis.last_failure(&hub).unwrap().to_string();
        assert!(failure.contains("refused"), "{failure}");
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

#[test]
fn a_probe_that_is_answered_with_an_error_has_proved_as_much() {
    for error in [
        "-NOPERM this user has no permissions to run the 'ping' command\r\n",
        "-ERR unknown command 'PING'\r\n",
    ] {
        let peer = Peer::unix(move |door| {
            let mut links = Vec::new();
            for list in ["a", "b", "c"] {
                let mut link = door.accept();
                link.expect_command(&["PING"]);
                link.say(error.as_bytes());
                link.expect_command(&["BRPOP", list, "1"]);
                links.push(link);
            }
            for link in &mut links {
                link.say(b"*-1\r\n");
            }
        });
        let mut hub = Hub::new().unwrap();
        let mut config = quick();
        // Every connection is a probe.
        config.max_connecting = 1;
        let redis = open(&mut hub, &peer.url(""), config);
        let pops = ["a", "b", "c"].map(|list| redis.brpop(&mut hub, list, SECOND).unwrap());
        for pop in pops {
            assert!(answer(&mut hub, pop).unwrap().is_none(), "{error}");
        }
        assert_eq!(redis.stats(&hub).connects, 3);
    }
}

#[test]
fn a_step_that_is_refused_in_resp3_counts_although_the_pool_has_fallen_back() {
    let peer = Peer::unix(|door| {
        let mut links = door.accept_all(2);
        for link in &mut links {
            link.expect(&[wire(&["HELLO", "3"]), wire(&["SELECT", "2"])].concat());
        }
        links[0].say(b"-ERR unknown command 'HELLO'\r\n+OK\r\n");
        links[0].expect_command(&["SELECT", "2"]);
        links[1].say(b"%1\r\n+proto\r\n:3\r\n-ERR DB index is out of range\r\n");
        links[1].expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url("?protocol=3&db=2"), quick());
    let pops = [(); 2].map(|()| redis.brpop(&mut hub, "list", SECOND).unwrap());
    let [_, last] = pops;
    let error = answer(&mut hub, last).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
}
