//! The kernel without a hub: its edges.

use super::at;
use greenroom::driver::{Connect, Driver, Endpoint, Event, Socket};
use greenroom::sim::{Faults, Sim, SimDriver};
use greenroom::token::{Key, Owner, Slots};
use std::io;
use std::time::Duration;

fn owners() -> (Owner, Owner) {
    let mut slots: Slots<()> = Slots::new();
    let mut key = || -> Key { slots.insert(()) };
    (Owner::Task(key()), Owner::Task(key()))
}

/// Two ends of one connection.
fn pair(kernel: &mut SimDriver) -> (Socket, Socket) {
    let (one, other) = owners();
    let place = Endpoint::Tcp(at());
    let listener = kernel.listen(&place, one).unwrap();
    let Connect::Done(ours, 0) = kernel.connect(&place, one, b"").unwrap() else {
        panic!("nothing takes any time");
    };
    let theirs = kernel.accept(listener, other).unwrap();
    events(kernel);
    (ours, theirs)
}

fn events(kernel: &mut SimDriver) -> Vec<Event> {
    let mut events = Vec::new();
    kernel.poll(Some(Duration::ZERO), &mut events).unwrap();
    events
}

#[test]
fn there_is_one_event_for_a_change_and_none_without() {
    let mut kernel = Sim::new(1).driver();
    let (ours, theirs) = pair(&mut kernel);
    kernel.write(ours, b"one").unwrap();
    kernel.write(ours, b"two").unwrap();
    let seen = events(&mut kernel);
    assert!(matches!(seen[..], [Event { socket, readable: true, .. }] if socket == theirs));
    assert!(
        events(&mut kernel).is_empty(),
        "what lies unread is no change"
    );
    kernel.write(ours, b"three").unwrap();
    assert_eq!(events(&mut kernel).len(), 1, "more of it is one");
    let mut buffer = [0; 64];
    assert_eq!(kernel.read(theirs, &mut buffer).unwrap(), 11);
    let error = kernel.read(theirs, &mut buffer).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn room_is_an_edge_only_for_who_lacked_it() {
    let mut kernel = Sim::new(1).driver();
    let (ours, theirs) = pair(&mut kernel);
    let much = vec![b'x'; 8 * 1024 * 1024];
    let written = kernel.write(ours, &much).unwrap();
    assert!(written < much.len());
    let error = kernel.write(ours, &much).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    events(&mut kernel);
    let mut buffer = vec![0; written];
    kernel.read(theirs, &mut buffer).unwrap();
    let seen = events(&mut kernel);
    assert!(matches!(seen[..], [Event { socket, writable: true, .. }] if socket == ours));
    kernel.write(ours, b"little").unwrap();
    events(&mut kernel);
    kernel.read(theirs, &mut buffer).unwrap();
    assert!(events(&mut kernel).is_empty());
}

#[test]
fn an_end_stands_behind_the_bytes() {
    let mut kernel = Sim::new(1).driver();
    let (ours, theirs) = pair(&mut kernel);
    kernel.write(ours, b"last words").unwrap();
    kernel.close(ours);
    let seen = events(&mut kernel);
    assert!(
        matches!(
            seen[..],
            [Event {
                readable: true,
                ended: true,
                ..
            }]
        ),
        "{seen:?}"
    );
    let mut buffer = [0; 64];
    assert_eq!(kernel.read(theirs, &mut buffer).unwrap(), 10);
    assert_eq!(kernel.read(theirs, &mut buffer).unwrap(), 0);
}

#[test]
fn who_closes_with_something_unread_resets() {
    let mut kernel = Sim::new(1).driver();
    let (ours, theirs) = pair(&mut kernel);
    kernel.write(ours, b"never read").unwrap();
    kernel.close(theirs);
    events(&mut kernel);
    let error = kernel.read(ours, &mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(kernel.read(ours, &mut [0; 8]).unwrap(), 0, "told once");
}

#[test]
fn who_is_deaf_lets_it_pile_up_until_there_is_no_room() {
    let sim = Sim::new(1);
    let mut kernel = sim.driver();
    let (near, far) = pair(&mut kernel);
    let mut deaf = Faults::none();
    deaf.deafness = 1.0;
    sim.set_faults(deaf);
    let mut piled = 0;
    while let Ok(count) = kernel.write(near, &[b'x'; 100_000]) {
        piled += count;
    }
    assert_eq!(piled, 1024 * 1024);
    sim.set_faults(Faults::none());
    events(&mut kernel);
    let nothing = kernel.read(far, &mut [0; 10]).unwrap_err();
    assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
    // The other direction works on.
    kernel.write(far, b"heard").unwrap();
    assert_eq!(kernel.read(near, &mut [0; 10]).unwrap(), 5);
}

#[test]
fn half_a_connection_works_on() {
    let sim = Sim::new(1);
    let mut kernel = sim.driver();
    let (near, far) = pair(&mut kernel);
    let mut halving = Faults::none();
    halving.half_closes = 1.0;
    sim.set_faults(halving);
    kernel.write(near, b"last").unwrap();
    sim.set_faults(Faults::none());
    let broken = kernel.write(near, b"more").unwrap_err();
    assert_eq!(broken.kind(), io::ErrorKind::BrokenPipe);
    events(&mut kernel);
    assert_eq!(kernel.read(far, &mut [0; 10]).unwrap(), 4);
    assert_eq!(kernel.read(far, &mut [0; 10]).unwrap(), 0);
    kernel.write(far, b"heard").unwrap();
    assert_eq!(kernel.read(near, &mut [0; 10]).unwrap(), 5);
}

#[test]
fn a_unix_backlog_that_is_full_would_block() {
    let mut kernel = Sim::new(1).driver();
    let (one, _) = owners();
    let place = Endpoint::Unix("/tmp/redis.sock".into());
    kernel.listen(&place, one).unwrap();
    let full = (0..1_000).find_map(|_| kernel.connect(&place, one, b"").err());
    assert_eq!(full.unwrap().kind(), io::ErrorKind::WouldBlock);
}
