//! Elements that came too late for their pops, and extremes of a timeout.

use super::*;
use crate::tape::Tape;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

/// Stops the server, has `commands` wait before it, kills the pop and lets the server go on: it
/// reads the commands before it reads of the kill.
fn kill_too_late(field: &mut Field, task: TaskId, commands: &str) {
    let mut stream = UnixStream::connect(field.server.socket()).unwrap();
    stream.write_all(b"PING\r\n").unwrap();
    stream.read_exact(&mut [0; 7]).unwrap();
    field.server.pause();
    stream.write_all(commands.as_bytes()).unwrap();
    field.hub.kill(task);
    // The cancel leaves in the next turn, behind the commands.
    field.hub.sleep(ms(20)).unwrap();
    field.server.go_on();
    field.hub.drain().unwrap();
}

/// A blocked pop of a client that has its connections.
fn blocked(field: &mut Field, pop: impl Fn(Redis, &mut Hub) -> Result<Wait> + 'static) -> TaskId {
    field.reply::<()>(|redis, hub| redis.ping(hub)).unwrap();
    let task = field.spawn(pop);
    field.await_blocked(1);
    task
}

#[test]
fn requeued_member_keeps_a_newer_score() {
    let Some(mut field) = Field::start(&[]) else {
        return;
    };
    let task = blocked(&mut field, |redis, hub| {
        redis.bzpop(hub, "ranks", greenroom::Rank::Min, Timeout::Forever)
    });
    // The pop gets the member with the score 1; then a producer adds it again.
    kill_too_late(&mut field, task, "ZADD ranks 1 m\r\nZADD ranks 5 m\r\n");
    let counts = field.counts();
    assert_eq!(
        (counts.requeued, counts.indeterminate),
        (1, 0),
        "{counts:?}"
    );
    assert_eq!(field.side.text(["ZSCORE", "ranks", "m"]), "5");
}

#[test]
fn requeued_member_returns_with_its_score() {
    let Some(mut field) = Field::start(&[]) else {
        return;
    };
    let task = blocked(&mut field, |redis, hub| {
        redis.bzpop(hub, "ranks", greenroom::Rank::Min, Timeout::Forever)
    });
    kill_too_late(&mut field, task, "ZADD ranks 1.5 m\r\n");
    assert_eq!(field.counts().requeued, 1);
    assert_eq!(field.side.text(["ZSCORE", "ranks", "m"]), "1.5");
}

#[test]
fn element_that_cannot_be_requeued_is_counted_and_logged() {
    let tape = Tape::start("greenroom");
    let Some(mut field) = Field::start(&[]) else {
        return;
    };
    let task = blocked(&mut field, |redis, hub| {
        redis.brpop(hub, "orders", Timeout::Forever)
    });
    let element = "s3cr3t".repeat(707);
    let commands = format!("RPUSH orders {element}\r\nSET orders x\r\n");
    kill_too_late(&mut field, task, &commands);
    let counts = field.counts();
    assert_eq!(
        (counts.requeued, counts.indeterminate),
        (0, 1),
        "{counts:?}"
    );
    let lines = tape.take();
    let named = lines
        .iter()
        .filter(|line| line.contains("orders") && line.contains("4242"));
    assert_eq!(named.count(), 1, "{lines:#?}");
    assert!(!lines.concat().contains("s3cr3t"), "{lines:#?}");
}

#[test]
fn longest_timeout_of_all_is_a_long_wait() {
    let mut config = Config::default();
    config.forever_round = Some(Duration::MAX);
    let Some(mut field) = Field::with(&[], config) else {
        return;
    };
    field.pops(1, "jobs", Timeout::After(Duration::MAX));
    field.pops(1, "jobs", Timeout::Forever);
    field.pops_within(1, "jobs", Duration::MAX);
    let fifty_days = secs(50 * 24 * 3600);
    field.pops(1, "jobs", Timeout::After(fifty_days));
    field.hub.sleep(ms(50)).unwrap();
    check_all(&field.ends.take(), 0, |_| false);
    field.await_blocked(4);
    field.side.ask(["RPUSH", "jobs", "1", "2", "3", "4"]);
    let ends = field.await_ends(4);
    check_all(&ends, 4, |end| matches!(end, End::Popped(_)));
}
