//! Chapter 2.

use super::super::drain::drain as read_all;
use super::super::level::Level;
use super::super::outbox::Outbox;
use super::tools::{Scripted, Step};
use std::io::ErrorKind;

pub fn drain() {
    let would_block = || Step::Fails(ErrorKind::WouldBlock);
    let mut into = b"before ".to_vec();
    let long = b"more than fits into any chunk, and then some";
    let mut stream = Scripted::new([Step::Bytes(long), would_block(), Step::Bytes(b"later")]);
    assert!(!read_all(&mut stream, &mut into).unwrap(), "no end yet");
    let expected = format!("before {}", long.escape_ascii());
    assert_eq!(into.escape_ascii().to_string(), expected);
    assert_eq!(stream.left(), 1, "what comes later is not waited for");

    let interrupted = Step::Fails(ErrorKind::Interrupted);
    let mut stream = Scripted::new([Step::Bytes(b"a"), interrupted, Step::Bytes(b"b")]);
    let mut into = Vec::new();
    assert!(read_all(&mut stream, &mut into).unwrap(), "the end");
    assert_eq!(into, b"ab");

    let reset = Step::Fails(ErrorKind::ConnectionReset);
    let mut stream = Scripted::new([Step::Bytes(b"last words"), reset]);
    let mut into = Vec::new();
    let error = read_all(&mut stream, &mut into).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(into, b"last words", "what came before the error");
}

pub fn outbox() {
    let fails = Step::Fails;
    let mut outbox = Outbox::default();
    assert!(!outbox.flush(&mut Scripted::default()).unwrap(), "nothing");
    outbox.push(b"hello, ");
    outbox.push(b"world");
    let mut stream = Scripted::new([
        Step::Room(3),
        fails(ErrorKind::Interrupted),
        Step::Room(2),
        fails(ErrorKind::WouldBlock),
        Step::Room(4),
        fails(ErrorKind::WouldBlock),
        fails(ErrorKind::BrokenPipe),
        Step::Room(100),
    ]);
    assert!(outbox.flush(&mut stream).unwrap(), "the rest waits");
    assert_eq!(stream.written, b"hello");
    outbox.push(b"!");
    assert!(outbox.flush(&mut stream).unwrap());
    assert_eq!(stream.written, b"hello, wo");
    let error = outbox.flush(&mut stream).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    assert!(!outbox.flush(&mut stream).unwrap(), "all is written");
    assert_eq!(stream.written, b"hello, world!");
    let calls = stream.calls;
    assert!(!outbox.flush(&mut stream).unwrap());
    assert_eq!(stream.calls, calls, "nothing is left to be written");
}

pub fn level() {
    let mut level = Level::default();
    assert!(!level.may_read(), "nobody has said so");
    level.event(false);
    assert!(level.may_read());
    level.did_read(10, Some(10));
    assert!(level.may_read(), "a full read says nothing about the rest");
    level.did_read(10, Some(4));
    assert!(!level.may_read(), "a short one does");

    level.event(false);
    level.did_read(10, None);
    assert!(!level.may_read(), "the hint was wrong");

    level.event(true);
    level.event(false);
    level.did_read(10, Some(4));
    assert!(
        level.may_read(),
        "the end is behind, and nobody says it again"
    );
    level.did_read(10, Some(0));
    assert!(level.may_read(), "the end is there each time");

    let mut spurious = Level::default();
    spurious.event(true);
    spurious.did_read(10, None);
    assert!(!spurious.may_read(), "it was not the end");
}
