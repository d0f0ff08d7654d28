//! What commands look like on the wire, and which lane they take.

use super::*;
use crate::time::{ms, secs};
use std::time::Duration;

fn wire(command: Command) -> String {
    let bytes = command.into_write_buf();
    String::from_utf8(bytes.unsent().to_vec()).expect("the test asks in UTF-8")
}

#[test]
fn every_kind_of_argument_is_a_string_on_the_wire() {
    let command = Command::new("X")
        .arg("text")
        .arg(String::from("é"))
        .arg(b"\r\n")
        .arg(vec![b'v'])
        .arg(bytes::Bytes::from_static(b"b"))
        .arg(-7i64)
        .arg(0.5);
    let expected = "*8\r\n$1\r\nX\r\n$4\r\ntext\r\n$2\r\né\r\n$2\r\n\r\n\r\n$1\r\nv\r\n$1\r\nb\r\n\
                    $2\r\n-7\r\n$3\r\n0.5\r\n";
    assert_eq!(wire(command), expected);
    let numbers = Command::new("X").arg(i8::MIN).arg(u16::MAX).arg(0.1f32);
    let expected = "*4\r\n$1\r\nX\r\n$4\r\n-128\r\n$5\r\n65535\r\n$3\r\n0.1\r\n";
    assert_eq!(wire(numbers), expected);
}

#[test]
fn a_list_is_as_many_arguments_as_it_has_elements() {
    let command = Command::new("DEL")
        .arg(["a", "b"])
        .arg(vec!["c"])
        .arg(&["d"][..]);
    let expected = "*5\r\n$3\r\nDEL\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n";
    assert_eq!(wire(command), expected);
    let none: [&str; 0] = [];
    assert_eq!(wire(Command::new("PING").arg(none)), "*1\r\n$4\r\nPING\r\n");
}

#[test]
fn the_header_holds_any_number_of_arguments() {
    for count in [8, 9, 98, 99, 998, 999, 9_999] {
        let command = Command::new("DEL").arg(vec!["k"; count]);
        assert!(wire(command).starts_with(&format!("*{}\r\n$3\r\nDEL\r\n", count + 1)));
    }
}

#[test]
fn a_name_is_found_again_whatever_its_length() {
    for length in [0, 1, 9, 10, 99, 100, 1000] {
        let name = "N".repeat(length);
        assert_eq!(Command::new(&name).arg("x").name(), name.as_bytes());
    }
}

#[test]
fn a_timeout_is_rounded_up_to_milliseconds_and_never_to_for_ever() {
    let cases = [
        (Timeout::Forever, "0"),
        (Timeout::After(Duration::ZERO), "0.001"),
        (Timeout::After(Duration::from_nanos(1)), "0.001"),
        (Timeout::After(Duration::from_micros(1001)), "0.002"),
        (Timeout::After(ms(50)), "0.050"),
        (Timeout::After(ms(1500)), "1.500"),
        (Timeout::After(Duration::from_nanos(999_999_999)), "1"),
        (Timeout::After(secs(1)), "1"),
        (Timeout::After(secs(9)), "9"),
        (Timeout::After(secs(10)), "10"),
        (Timeout::After(secs(86_400)), "86400"),
    ];
    for (timeout, text) in cases {
        let expected = format!("*2\r\n$1\r\nX\r\n${}\r\n{text}\r\n", text.len());
        assert_eq!(
            wire(Command::new("X").arg(timeout)),
            expected,
            "{timeout:?}"
        );
    }
}

#[test]
fn what_may_block_takes_a_connection_of_its_own() {
    let own = |command: Command| matches!(command.lane(), Lane::Dedicated(_));
    assert!(own(Command::new("brpop").arg("list").arg(0)));
    assert!(own(Command::new("WAIT").arg(1).arg(0)));
    assert!(own(Command::new("XREAD").arg("block").arg(0)));
    assert!(own(Command::new("FUTURE").blocking(Timeout::Forever)));
    assert!(!own(Command::new("XREAD").arg(["STREAMS", "s", "0"])));
    assert!(!own(Command::new("RPOP").arg("list")));
    let timeout = Timeout::After(secs(3));
    let marked = Command::new("BRPOP").arg("list").arg(3).blocking(timeout);
    assert_eq!(marked.lane(), Lane::Dedicated(timeout));
}

#[test]
fn what_would_change_the_shared_connection_is_refused() {
    let refused = |command: Command| command.check().is_err();
    for name in CHANGES_CONNECTION {
        assert!(refused(Command::new(&name.to_lowercase())), "{name}");
    }
    assert!(refused(Command::new("")));
    assert!(refused(Command::new("CLIENT").arg("reply").arg("OFF")));
    assert!(!refused(Command::new("CLIENT").arg("SETNAME").arg("REPLY")));
    assert!(!refused(Command::new("CLIENT")));
    assert!(!refused(Command::new("GET").arg("SELECT")));
}

#[test]
fn the_arguments_of_a_command_are_not_for_the_log() {
    let command = Command::new("AUTH").arg("S3NTINEL");
    assert_eq!(format!("{command:?}"), "Command(AUTH + 1 arguments)");
}
