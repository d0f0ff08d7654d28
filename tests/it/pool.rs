//! The pool: who gets a connection, when one is made, what becomes of it, and that every request
//! ends once.

mod counting;
mod deadlines;
mod giving_up;
mod limits;
mod load;
mod sharing;

use crate::kernel::{Tap, Tapped};
use crate::notes::Notes;
use crate::peer::{Door, Link, PATIENCE, Peer, wire};
use greenroom::resp::Value;
use greenroom::{
    Address, ClientIds, Command, Config, ErrorKind, Hub, Pipeline, PoolStats, Redis, Reply, Result,
    TaskId, Timeout, Wait, Wake, WhenFull, ms, secs,
};
use std::sync::mpsc;
use std::time::Instant;

const SECOND: Timeout = Timeout::After(secs(1));
const NIL: &[u8] = b"*-1\r\n";

/// A client that takes nothing back: these peers play their parts to the letter.
fn open(hub: &mut Hub, peer: &Peer, mut config: Config) -> Redis {
    config.client_ids = ClientIds::Never;
    config.forever_round = None;
    let address = peer.url("").parse::<Address>().unwrap();
    Redis::open_with(hub, address, config).unwrap()
}

fn limited(max: usize) -> Config {
    let mut config = Config::default();
    config.max_connections = Some(max);
    config
}

fn tapped() -> (Hub, Tap) {
    let (kernel, tap) = Tapped::new();
    (Hub::with_driver(kernel), tap)
}

#[track_caller]
fn answer(hub: &mut Hub, asked: Wait) -> Result<Reply> {
    match hub.wait(asked.within(PATIENCE)).unwrap() {
        Wake::Reply(reply) => reply,
        other => panic!("no answer: {other:?}"),
    }
}

/// A task that pops once, and notes its list and how the pop has ended.
fn popper(hub: &mut Hub, redis: Redis, list: &'static str, notes: &Notes<String>) -> TaskId {
    let notes = notes.clone();
    hub.spawn(move |hub, wake| match wake {
        Wake::Start => redis.brpop(hub, list, SECOND),
        wake => {
            let how = match wake {
                Wake::Killed => "killed".to_string(),
                wake => match wake.reply() {
                    Ok(reply) if reply.is_none() => "nil".into(),
                    Ok(_) => "popped".into(),
                    Err(error) => format!("{:?}", error.kind()),
                },
            };
            notes.add(format!("{list}: {how}"));
            Ok(Wait::done())
        }
    })
}

#[track_caller]
fn expect_pop(link: &mut Link, list: &str) {
    link.expect_command(&["BRPOP", list, "1"]);
}

/// The counters: created, in use, available, waiting.
fn counters(redis: Redis, hub: &Hub) -> [usize; 4] {
    let PoolStats {
        created,
        in_use,
        available,
        waiting,
        ..
    } = redis.stats(hub);
    [created, in_use, available, waiting]
}

/// Makes turns until the counters are these.
#[track_caller]
fn settle(hub: &mut Hub, redis: Redis, wanted: [usize; 4]) {
    let start = Instant::now();
    while counters(redis, hub) != wanted {
        let now = counters(redis, hub);
        assert!(start.elapsed() < secs(3), "{now:?} instead of {wanted:?}");
        hub.sleep(ms(1)).unwrap();
    }
}
