//! The client against a scripted peer: what it says, byte for byte, and what it makes of what comes
//! back.
//!
//! Most scripts run over a UNIX socket, where a connect is finished at once. What is about TCP
//! itself (RST, refused and lost connects) runs over TCP.

mod connects;
mod ends;
mod handshakes;
mod nonsense;
mod pushes;
mod replies;
mod tickets;

use crate::kernel::{Tap, Tapped};
use crate::notes::Notes;
use crate::peer::{Door, Full, Link, PATIENCE, Peer, refusing, wire};
use greenroom::resp::Value;
use greenroom::{
    Address, ClientIds, Command, Config, Error, ErrorKind, Hub, Redis, Reply, Result, TaskId,
    Timeout, Wait, Wake, ms, secs,
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
    // These peers play their parts to the letter, and this is not among them.
    config.client_ids = ClientIds::Never;
    config.forever_round = None;
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

/// How two pops in a row end that the same connection carries, when the peer sends its replies as
/// `say` does.
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
