//! A server that becomes a replica under its pops, and a master again.

use super::*;
use crate::kernel::Tapped;
use std::cell::Cell;
use std::rc::Rc;

const KEY: &str = "jobs";
const POPS: usize = 500;

/// Connects in one second to a server that cannot execute what is asked.
const CONNECTS_A_SECOND: u64 = 40;

/// The address of a master that does not exist.
fn nowhere() -> [String; 2] {
    ["127.0.0.1".into(), crate::server::free_port().to_string()]
}

fn become_replica(side: &mut Side) {
    let [host, port] = nowhere();
    side.ask(["REPLICAOF", &host, &port]);
}

/// The connects of a time in which all pops found a replica.
fn connects_on_a_replica(field: &mut Field, time: Duration) -> u64 {
    // What the change itself costs is not counted: each pop may have lost its connection once.
    field.hub.sleep(ms(500)).unwrap();
    let before = field.redis.stats(&field.hub).connects;
    field.hub.sleep(time).unwrap();
    field.redis.stats(&field.hub).connects - before
}

#[test]
fn pops_without_timeout_outlast_a_time_as_replica() {
    let Some(mut field) = Field::start(&[]) else {
        return;
    };
    field.pops(POPS, KEY, Timeout::Forever);
    field.await_blocked(POPS);
    become_replica(&mut field.side);
    let connects = connects_on_a_replica(&mut field, secs(2));
    assert!(
        connects <= 2 * CONNECTS_A_SECOND,
        "{connects} connects in 2 s"
    );
    check_all(&field.ends.take(), 0, |_| false);
    field.side.ask(["REPLICAOF", "NO", "ONE"]);
    field.await_blocked(POPS);
    let numbers: Vec<String> = (0..POPS).map(|number| number.to_string()).collect();
    let push = ["RPUSH", KEY].map(str::to_owned).into_iter();
    field.side.ask(push.chain(numbers).collect::<Vec<_>>());
    let ends = field.await_ends(POPS);
    check_all(&ends, POPS, |end| matches!(end, End::Popped(_)));
}

#[test]
fn looping_pops_do_not_reconnect_without_a_pause() {
    let Some(mut field) = Field::start(&[]) else {
        return;
    };
    let popped = Rc::new(Cell::new(0));
    for _ in 0..50 {
        let (redis, popped) = (field.redis, Rc::clone(&popped));
        // As a worker that logs its errors and goes on.
        field.hub.spawn(move |hub, wake| match wake {
            Wake::Killed => Ok(Wait::done()),
            wake => {
                if let End::Popped(_) = End::of(wake) {
                    popped.set(popped.get() + 1);
                }
                redis.brpop(hub, KEY, Timeout::After(secs(5)))
            }
        });
    }
    field.await_blocked(50);
    become_replica(&mut field.side);
    let connects = connects_on_a_replica(&mut field, secs(2));
    assert!(
        connects <= 2 * CONNECTS_A_SECOND,
        "{connects} connects in 2 s"
    );
    field.side.ask(["REPLICAOF", "NO", "ONE"]);
    field.await_blocked(50);
    field.side.ask(["RPUSH", KEY, "1", "2", "3"]);
    field.until("the pops are served", |_| popped.get() == 3);
}

#[test]
fn pop_refused_by_a_replica_is_asked_at_the_next_address() {
    let (Some(old), Some(new)) = (Server::start_tcp(&[]), Server::start_tcp(&[])) else {
        return;
    };
    let (kernel, tap) = Tapped::new();
    let addresses = [&old, &new].map(|server| ([127, 0, 0, 1], server.port()).into());
    tap.resolve_to(addresses);
    let hub = Hub::with_driver(kernel);
    let address = Address::tcp("redis.test", 6379).unwrap();
    let mut field = Field::of(hub, old, address, Config::default());
    field.pops(10, KEY, Timeout::Forever);
    field.await_blocked(10);
    become_replica(&mut field.side);
    let mut side = new.side();
    field.until("the pops wait at the new master", |_| side.blocked() == 10);
    side.ask([
        "RPUSH", KEY, "1", "2", "3", "4", "5", "6", "7", "8", "9", "10",
    ]);
    let ends = field.await_ends(10);
    check_all(&ends, 10, |end| matches!(end, End::Popped(_)));
}
