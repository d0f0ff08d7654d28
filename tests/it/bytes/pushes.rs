//! Push frames, which answer nothing.

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
