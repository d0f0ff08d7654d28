//! Replies that take longer to arrive than their command may take: each must be delivered, as long
//! as it arrives.

use super::relay::Relay;
use super::*;
use bytes::Bytes;

const MIB: usize = 1 << 20;

/// Bytes in a second.
const RATE: usize = 4 * MIB;

/// A client behind a slow link, and the link.
fn slow(config: Config) -> Option<(Field, Relay)> {
    let server = Server::start_tcp(&[])?;
    let relay = Relay::to(server.port(), Some(RATE));
    let address = Address::tcp("127.0.0.1", relay.port()).unwrap();
    Some((Field::on(server, address, config), relay))
}

fn fill(field: &mut Field, command: &str, key: &str, bytes: usize) {
    field
        .side
        .ask([command.as_bytes(), key.as_bytes(), &vec![b'x'; bytes]]);
}

/// The length of the element that a pop has brought.
fn popped_bytes(reply: Reply) -> usize {
    let pair: (Bytes, Bytes) = reply.to().unwrap();
    pair.1.len()
}

#[test]
fn large_element_on_a_slow_link_is_popped_whole() {
    // Overdue after 2 s; the element takes 3 s.
    let mut config = Config::default();
    config.blocking_grace = secs(1);
    let Some((mut field, _relay)) = slow(config) else {
        return;
    };
    for _ in 0..2 {
        fill(&mut field, "RPUSH", "jobs", 12 * MIB);
        let redis = field.redis;
        let pop = redis.brpop(&mut field.hub, "jobs", Timeout::After(secs(1)));
        let reply = field.hub.wait(pop.unwrap()).unwrap().reply();
        assert_eq!(reply.map(popped_bytes).unwrap(), 12 * MIB);
    }
    assert_eq!(field.counts().indeterminate, 0);
}

#[test]
fn large_value_on_a_slow_link_is_read_whole() {
    let mut config = Config::default();
    config.command_timeout = secs(1);
    let Some((mut field, _relay)) = slow(config) else {
        return;
    };
    fill(&mut field, "SET", "value", 10 * MIB);
    let (redis, hub) = (field.redis, &mut field.hub);
    let read = redis.get(hub, "value").unwrap();
    let behind = redis.ping(hub).unwrap();
    let value: Bytes = hub.wait(read).unwrap().reply().unwrap().to().unwrap();
    assert_eq!(value.len(), 10 * MIB);
    hub.wait(behind).unwrap().reply().unwrap();
    assert_eq!(redis.stats(hub).connects, 1);
}

#[test]
fn element_that_has_begun_to_arrive_outlasts_a_deadline() {
    let mut config = Config::default();
    config.cancel_timeout = ms(500);
    let Some((mut field, _relay)) = slow(config) else {
        return;
    };
    let pop = field.redis.brpop(&mut field.hub, "jobs", Timeout::Forever);
    let pop = pop.unwrap().within(secs(1));
    field.await_blocked(1);
    fill(&mut field, "RPUSH", "jobs", 12 * MIB);
    match field.hub.wait(pop).unwrap().outcome() {
        Outcome::Popped(reply) | Outcome::Late(reply) => {
            assert_eq!(popped_bytes(reply), 12 * MIB);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(field.counts().indeterminate, 0);
}

#[test]
fn element_that_has_begun_to_arrive_is_requeued_after_a_kill() {
    let mut config = Config::default();
    config.cancel_timeout = ms(500);
    let Some((mut field, _relay)) = slow(config) else {
        return;
    };
    let tasks = field.pops(1, "jobs", Timeout::Forever);
    field.await_blocked(1);
    fill(&mut field, "RPUSH", "jobs", 8 * MIB);
    field.hub.sleep(ms(500)).unwrap();
    field.hub.kill(tasks[0]);
    field.hub.drain().unwrap();
    let counts = field.counts();
    assert_eq!(
        (counts.requeued, counts.indeterminate),
        (1, 0),
        "{counts:?}"
    );
    let length = field.side.ask(["LINDEX", "jobs", "0"]);
    assert_eq!(length.as_bytes().map(<[u8]>::len), Some(8 * MIB));
}
