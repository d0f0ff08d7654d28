//! Tunnels, and other translations of addresses: the client and the server know a connection by
//! different ones.

use super::relay::Relay;
use super::*;
use crate::kernel::Tapped;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};

const KEY: &str = "jobs";
const POPS: usize = 20;

/// A client of another program, blocked in a `BLPOP` without a timeout.
struct Foreign(TcpStream);

impl Foreign {
    fn block(port: u16) -> Foreign {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(b"BLPOP foreign 0\r\n").unwrap();
        Foreign(stream)
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// Whether its wait has been ended: something has come.
    fn has_ended(&self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        self.0.peek(&mut [0]).is_ok()
    }
}

/// Cancels half of the pops by a kill and half by a deadline, while `others` are blocked as well.
fn cancel(field: &mut Field, others: usize) -> Vec<End> {
    let killed = field.pops(POPS / 2, KEY, Timeout::Forever);
    field.pops_within(POPS / 2, KEY, ms(1500));
    field.until("the pops are blocked", |field| {
        field.side.blocked() == POPS + others
    });
    for task in killed {
        field.hub.kill(task);
    }
    let ends = field.await_ends(POPS);
    field.hub.drain().unwrap();
    ends
}

/// Asserts that each cancel has succeeded.
#[track_caller]
fn check_cancelled(field: &Field, ends: &[End]) {
    check_all(ends, POPS, |end| matches!(end, End::Cancelled));
    let counts = field.counts();
    assert_eq!((counts.cancelled, counts.indeterminate), (POPS as u64, 0));
}

#[test]
fn foreign_waits_outlast_cancels_through_a_tunnel() {
    let Some(server) = Server::start_tcp(&[]) else {
        return;
    };
    let foreign: Vec<_> = (0..2 * POPS)
        .map(|_| Foreign::block(server.port()))
        .collect();
    let (kernel, tap) = Tapped::new();
    // The far end of the tunnel uses other local ports, and the foreign clients have the same ports
    // at this end.
    tap.translate_to(foreign.iter().map(Foreign::address));
    let (hub, address) = (Hub::with_driver(kernel), server.tcp());
    let mut field = Field::of(hub, server, address, Config::default());
    field.await_blocked(foreign.len());
    let ends = cancel(&mut field, foreign.len());
    let ended = foreign.iter().filter(|it| it.has_ended()).count();
    assert_eq!(ended, 0, "of {} foreign waits", foreign.len());
    check_cancelled(&field, &ends);
}

#[test]
fn cancels_succeed_behind_a_forwarded_port() {
    let Some(server) = Server::start_tcp(&[]) else {
        return;
    };
    let relay = Relay::to(server.port(), None);
    let address = Address::tcp("127.0.0.1", relay.port()).unwrap();
    let mut field = Field::on(server, address, Config::default());
    let ends = cancel(&mut field, 0);
    check_cancelled(&field, &ends);
    assert!(field.redis.stats(&field.hub).connects <= POPS as u64 + 2);
}

#[test]
fn cancels_behind_a_forwarded_port_list_no_clients() {
    let Some(server) = Server::start_tcp(&[]) else {
        return;
    };
    let relay = Relay::to(server.port(), None);
    let address = Address::tcp("127.0.0.1", relay.port()).unwrap();
    let mut field = Field::on(server, address, Config::default());
    field.pops_within(POPS, KEY, ms(300));
    field.await_ends(POPS);
    field.hub.drain().unwrap();
    let stats = field.side.text(["INFO", "commandstats"]);
    assert!(!stats.contains("cmdstat_client|list"), "{stats}");
}

#[test]
fn cancel_is_never_asked_at_another_address() {
    let (Some(old), Some(other)) = (Server::start_tcp(&[]), Server::start_tcp(&[])) else {
        return;
    };
    let relay = Relay::to(old.port(), None);
    let (kernel, tap) = Tapped::new();
    let ports = [relay.port(), other.port()];
    tap.resolve_to(ports.map(|port| ([127, 0, 0, 1], port).into()));
    let hub = Hub::with_driver(kernel);
    let address = Address::tcp("redis.test", 6379).unwrap();
    let mut field = Field::of(hub, old, address, Config::default());
    field.pops_within(1, KEY, ms(600));
    field.await_blocked(1);
    // At the other server, each id that ours may have is a stranger's.
    let strangers: Vec<_> = (0..30).map(|_| Foreign::block(other.port())).collect();
    let mut side = other.side();
    field.until("the strangers wait", |_| side.blocked() == 30);
    // The first address refuses the control connection, and the second one does not.
    drop(relay);
    let ends = field.await_ends(1);
    check_all(&ends, 1, |end| matches!(end, End::Indeterminate(_)));
    field.hub.drain().unwrap();
    assert_eq!(side.blocked(), 30);
    drop(strangers);
}
