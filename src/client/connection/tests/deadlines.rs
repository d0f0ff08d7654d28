//! What is late, and when.

use super::super::super::cancel::Knows;
use super::*;

#[test]
fn each_state_has_its_deadline() {
    let mut bench = Bench::dedicated();
    assert_eq!(bench.left(), Some(bench.config.connect_timeout));
    bench.pass(bench.config.connect_timeout);
    assert_eq!(bench.overdue(), Overdue::Connect);
    bench.connect();
    assert_eq!(bench.overdue(), Overdue::Nothing);
    assert_eq!(bench.left(), Some(bench.config.handshake_timeout));
    bench.write_all();
    bench.read(b":12\r\n");
    assert_eq!(bench.left(), None);
    bench.pop(Some(secs(2)));
    bench.write_all();
    assert_eq!(bench.left(), Some(secs(2)));
    bench.pass(secs(2));
    assert_eq!(bench.overdue(), Overdue::Answer);
}

#[test]
fn a_reply_that_arrives_is_not_late() {
    let mut bench = Bench::dedicated();
    bench.connect();
    bench.write_all();
    bench.read(b":12\r\n");
    bench.pop(Some(secs(2)));
    bench.write_all();
    let grace = bench.config.grace();
    let mut bytes = POPPED.iter();
    for _ in 0..10 {
        bench.pass(secs(1));
        let byte = bytes.next().copied().unwrap();
        assert_eq!(bench.read(&[byte]), [""; 0]);
        assert_eq!(bench.overdue(), Overdue::Nothing);
        assert_eq!(bench.left(), Some(grace));
    }
    bench.pass(grace);
    assert_eq!(bench.overdue(), Overdue::Answer);
}

#[test]
fn on_the_shared_connection_a_late_command_fails_alone() {
    let mut bench = Bench::shared();
    let timeout = bench.config.command_timeout;
    bench.ask(b"*1\r\n$4\r\nPING\r\n", ReplyCount::One);
    bench.pass(timeout / 2);
    let late = bench.ask(b"*1\r\n$4\r\nPING\r\n", ReplyCount::One);
    bench.write_all();
    bench.pass(timeout / 4);
    assert_eq!(bench.read(b"+A\r\n").len(), 1);
    bench.pass(timeout * 3 / 4);
    assert_eq!(bench.overdue(), Overdue::Requests);
    let now = bench.now;
    let queue = bench.connection.queue_mut().unwrap();
    assert_eq!(key(queue.next_late(false, timeout, now).unwrap()), late.0);
    assert!(queue.next_late(false, timeout, now).is_none());
    bench.pass(timeout / 4);
    assert_eq!(bench.overdue(), Overdue::Silent(timeout));
}

#[test]
fn unanswered_opening_is_late_before_a_longer_request() {
    for (timeout, expected) in [(9, Overdue::Opening), (2, Overdue::Answer)] {
        let mut bench = Bench::dedicated();
        bench.connect();
        bench.pop(Some(secs(timeout)));
        bench.write_all();
        let due = bench.config.handshake_timeout.min(secs(timeout));
        assert_eq!(bench.left(), Some(due));
        bench.pass(due);
        assert_eq!(bench.overdue(), expected);
    }
    let mut bench = Bench::dedicated();
    bench.connect();
    bench.connection.state = State::Handshake;
    bench.pass(bench.config.handshake_timeout);
    assert_eq!(bench.overdue(), Overdue::Opening);
}

#[test]
fn cancel_waits_for_a_reply_that_arrives() {
    let mut bench = popping(Some(secs(9)));
    let (cancel, _) = Cancel::begin(Knows::Id, bench.now, bench.now + secs(3));
    bench.connection.cancel = Some(Box::new(cancel));
    bench.connection.state = State::Cancelling;
    assert_eq!(bench.left(), Some(secs(3)));
    bench.pass(secs(3));
    assert_eq!(bench.overdue(), Overdue::Cancel);
    bench.read(&POPPED[..1]);
    assert_eq!(bench.overdue(), Overdue::Nothing);
    assert_eq!(bench.left(), Some(bench.config.grace()));
    bench.pass(bench.config.grace());
    assert_eq!(bench.overdue(), Overdue::Cancel);
}

#[test]
fn held_transaction_may_be_silent_for_longer() {
    let mut bench = Bench::shared();
    let timeout = bench.config.command_timeout;
    let target = bench.keys.insert(());
    bench
        .connection
        .send(b"[4 commands]", 0, &mut bench.buffers);
    let pending = Pending::Unblock(target);
    let replies = ReplyCount::Many(4);
    bench.connection.push(pending, replies, 12, bench.now);
    bench.ask(b"*1\r\n$4\r\nPING\r\n", ReplyCount::One);
    bench.write_all();
    assert_eq!(bench.left(), Some(timeout), "nothing is held yet");
    assert_eq!(bench.read(b"+OK\r\n"), [""; 0]);
    assert_eq!(
        bench.left(),
        Some(secs(60)),
        "late requests behind it wait too"
    );
    bench.pass(secs(59));
    assert_eq!(bench.overdue(), Overdue::Nothing);
    bench.pass(secs(1));
    assert_eq!(bench.overdue(), Overdue::Silent(secs(60)));
}

#[test]
fn opening_that_drips_in_is_late() {
    let mut bench = Bench::dedicated();
    bench.connect();
    bench.write_all();
    bench.pass(secs(4));
    bench.read(b":");
    assert_eq!(bench.overdue(), Overdue::Nothing);
    bench.pass(secs(1));
    assert_eq!(bench.overdue(), Overdue::Opening);
}

#[test]
fn push_leaves_the_deadline() {
    for pieces in [&[">1\r\n+x\r\n"][..], &[">1\r\n", "+x\r\n"], &[">"]] {
        let mut bench = popping(Some(secs(9)));
        bench.pass(secs(8));
        for piece in pieces {
            bench.read(piece.as_bytes());
        }
        assert_eq!(bench.left(), Some(secs(1)), "{pieces:?}");
    }
}
