//! Openings: what they send, and what each reply to them means.

use super::*;
use crate::address::Address;
use crate::resp::{Decoder, Limits};

const NOTHING: Proofs = Proofs {
    client_id: false,
    ping: false,
    info: false,
    waits: false,
};
const ID: Proofs = Proofs {
    client_id: true,
    ..NOTHING
};
const PING: Proofs = Proofs {
    ping: true,
    ..NOTHING
};
const ID_AND_PING: Proofs = Proofs { ping: true, ..ID };
const CONTROL: Proofs = Proofs { info: true, ..PING };

/// RESP in one line: `;` is the end of a line.
fn wire(text: &str) -> Vec<u8> {
    text.replace(';', "\r\n").into_bytes()
}

fn handshake(url: &str) -> Handshake {
    let address: Address = url.parse().unwrap();
    Handshake::new(&address, address.protocol)
}

/// The commands that an opening sends, each as words.
fn sent(handshake: &Handshake, proofs: Proofs) -> Vec<String> {
    let mut bytes = Vec::new();
    handshake.open(proofs, &mut bytes);
    let (mut input, mut commands) = (bytes.as_slice(), Vec::new());
    while let Some(value) = Decoder::new().decode(&mut input, &Limits::DEFAULT).unwrap() {
        let words = value.as_slice().unwrap().iter().map(|it| it.as_str());
        commands.push(words.map(Option::unwrap).collect::<Vec<_>>().join(" "));
    }
    commands
}

/// Checks the replies to an opening in turn. Lists what each of them means.
fn run(handshake: &Handshake, opening: &mut Opening, replies: &str) -> Vec<String> {
    let server = Endpoint::Tcp("127.0.0.1:6379".parse().unwrap());
    let (bytes, mut decoder) = (wire(replies), Decoder::new());
    let (mut input, mut outcomes) = (bytes.as_slice(), Vec::new());
    while let Some(value) = decoder.decode(&mut input, &Limits::DEFAULT).unwrap() {
        assert!(!opening.is_done(), "more replies than commands");
        outcomes.push(match handshake.on_reply(opening, &value, &server) {
            StepOutcome::Accepted => "ok".to_owned(),
            StepOutcome::ClientId(id) => format!("id {id}"),
            StepOutcome::NoClientId => "no id".to_owned(),
            StepOutcome::Info(info) => format!("info of {} bytes", info.len()),
            StepOutcome::Failed(error, failure) => {
                format!("{:?} {failure:?}: {error}", error.kind())
            }
        });
    }
    outcomes
}

fn open(handshake: &Handshake, proofs: Proofs) -> Opening {
    handshake.open(proofs, &mut Vec::new())
}

#[test]
fn opening_sends_the_handshake_before_its_proofs() {
    let cases = [
        ("redis://h", NOTHING, &[][..]),
        ("redis://h", ID, &["CLIENT ID"]),
        ("redis://h", ID_AND_PING, &["CLIENT ID", "PING"]),
        ("redis://h", CONTROL, &["INFO server", "PING"]),
        ("redis://:pw@h", NOTHING, &["AUTH pw"]),
        (
            "redis://me:pw@h/3?client_name=n",
            ID,
            &["AUTH me pw", "CLIENT SETNAME n", "SELECT 3", "CLIENT ID"],
        ),
        ("redis://h?protocol=3", ID, &["HELLO 3"]),
        (
            "redis://:pw@h/3?protocol=3",
            ID_AND_PING,
            &["HELLO 3 AUTH default pw", "SELECT 3", "PING"],
        ),
    ];
    for (url, proofs, expected) in cases {
        let handshake = handshake(url);
        assert_eq!(sent(&handshake, proofs), expected, "{url}");
        let opening = open(&handshake, proofs);
        assert_eq!(usize::from(opening.replies()), expected.len(), "{url}");
        assert_eq!(opening.waits(), !handshake.is_empty(), "{url}");
    }
}

#[test]
fn last_accepted_reply_ends_the_opening() {
    let all = "redis://:pw@h/3?client_name=n";
    let cases = [
        ("redis://h", ID, ":7;", &["id 7"][..]),
        ("redis://h", ID, ":0;", &["no id"]),
        ("redis://h", ID, "-NOPERM no;", &["no id"]),
        ("redis://h", ID_AND_PING, ":7;+PONG;", &["id 7", "ok"]),
        ("redis://h", PING, "-MISCONF disk;", &["ok"]),
        (
            "redis://h",
            CONTROL,
            "$3;a:b;+PONG;",
            &["info of 3 bytes", "ok"],
        ),
        (
            "redis://h",
            CONTROL,
            "=7;txt:a:b;+PONG;",
            &["info of 3 bytes", "ok"],
        ),
        (
            "redis://h",
            CONTROL,
            "-NOPERM no;-NOPERM no;",
            &["ok", "ok"],
        ),
        (all, ID, "+OK;+OK;+OK;:7;", &["ok", "ok", "ok", "id 7"]),
        ("redis://h?protocol=3", ID, "%2;+a;:1;+id;:7;", &["id 7"]),
        ("redis://h?protocol=3", ID, "%1;+a;:1;", &["ok"]),
    ];
    for (url, proofs, replies, expected) in cases {
        let handshake = handshake(url);
        let mut opening = open(&handshake, proofs);
        assert_eq!(run(&handshake, &mut opening, replies), expected, "{url}");
        assert!(
            opening.is_done() && !opening.falls_back(),
            "{url}: {replies}"
        );
    }
}

#[test]
fn reply_that_ends_the_connection_says_why() {
    let refused = |what: &str| format!("the server rejected {what}");
    let no_redis = |answer| format!("127.0.0.1:6379 is not a Redis server: it answered {answer}");
    let full = "ERR max number of clients reached";
    let cases = [
        (
            ID,
            format!("-{full};"),
            format!("Connect Full: the server rejected the connection: {full}"),
        ),
        (
            PING,
            "-LOADING x;".into(),
            format!("Connect NotReady: {}: LOADING x", refused("PING")),
        ),
        (
            PING,
            "-BUSY x;".into(),
            format!("Connect NotReady: {}: BUSY x", refused("PING")),
        ),
        (
            PING,
            "-NOAUTH x;".into(),
            format!("Auth Rejected: {}: NOAUTH x", refused("PING")),
        ),
        (
            ID,
            "-DENIED x;".into(),
            format!("Auth Rejected: {}: DENIED x", refused("CLIENT ID")),
        ),
        (
            ID,
            "*2;$6;CLIENT;$2;ID;".into(),
            format!("Connect Rejected: {}", no_redis("CLIENT ID with an array")),
        ),
        (
            ID,
            "+OK;".into(),
            format!("Connect Rejected: {}", no_redis("CLIENT ID with a status")),
        ),
        (
            ID,
            "$-1;".into(),
            format!("Connect Rejected: {}", no_redis("CLIENT ID with nil")),
        ),
        (
            PING,
            ":1;".into(),
            format!("Connect Rejected: {}", no_redis("PING with an integer")),
        ),
        (
            PING,
            "$4;PONG;".into(),
            format!("Connect Rejected: {}", no_redis("PING with a string")),
        ),
    ];
    let handshake = handshake("redis://h");
    for (proofs, reply, expected) in cases {
        let outcomes = run(&handshake, &mut open(&handshake, proofs), &reply);
        assert_eq!(outcomes, [expected], "{reply}");
    }
}

#[test]
fn peer_is_named_by_its_first_bytes() {
    let cases = [
        (&b"HTTP/1.1 400 Bad Request\r\n"[..], "it speaks HTTP"),
        (b"\x15\x03\x03\0\x02\x02\x46", "it speaks TLS (rediss://)"),
        (b"\x16\x03\x01\0\x05", "it speaks TLS (rediss://)"),
        (b"\x15", "it speaks TLS (rediss://)"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "it speaks SSH"),
        (b"220 smtp\r\n", "what the decoder says"),
    ];
    let server = Endpoint::Unix("/r.sock".into());
    let decoder = Error::new(ErrorKind::Protocol, "what the decoder says");
    for (first, hint) in cases {
        let error = not_redis(&server, first, &decoder).to_string();
        assert_eq!(error, format!("/r.sock is not a Redis server: {hint}"));
    }
}

#[test]
fn refused_hello_falls_back_whatever_follows_it() {
    let handshake = handshake("redis://:pw@h/3?protocol=3");
    for hello in ["-NOPROTO sorry;", "-ERR unknown command `HELLO`;"] {
        let mut opening = open(&handshake, PING);
        let replies = format!("{hello}-NOAUTH first;-LOADING x;");
        assert_eq!(run(&handshake, &mut opening, &replies), ["ok", "ok", "ok"]);
        assert!(opening.is_done() && opening.falls_back());
    }
    let outcomes = run(&handshake, &mut open(&handshake, PING), "-WRONGPASS no;");
    assert_eq!(
        outcomes,
        ["Auth Rejected: the server rejected HELLO: WRONGPASS no"]
    );
}

#[test]
fn opening_outlives_the_fallback_of_another_connection() {
    let old = handshake("redis://:pw@h/3?protocol=3");
    let new = handshake("redis://:pw@h/3");
    let mut opening = open(&old, PING);
    let outcomes = run(&new, &mut opening, "%1;+id;:7;+OK;+PONG;");
    assert_eq!(outcomes, ["id 7", "ok", "ok"]);
    assert!(opening.is_done() && !opening.falls_back());
    let mut opening = open(&old, PING);
    run(&new, &mut opening, "-NOPROTO sorry;-NOAUTH first;+PONG;");
    assert!(opening.is_done() && opening.falls_back());
}

#[test]
fn password_is_never_repeated_in_an_error() {
    let cases = [
        (
            "-WRONGPASS not s3cret;",
            "WRONGPASS (and it repeats the password)",
        ),
        (
            "-ERR unknown command `AUTH`, with args beginning with: `s3c",
            "ERR unknown command `AUTH`",
        ),
        (
            "-ERR what is `AUTH s3cret`",
            "ERR (and it repeats the password)",
        ),
        ("-s3cret is not it", "an error that repeats the password"),
        ("-ERR no password is set", "ERR no password is set"),
    ];
    let handshake = handshake("redis://:s3cret@h");
    for (reply, shown) in cases {
        let mut opening = open(&handshake, NOTHING);
        let reply = format!("{};", reply.trim_end_matches(';'));
        let outcome = run(&handshake, &mut opening, &reply).remove(0);
        assert!(
            outcome.ends_with(&format!("the server rejected AUTH: {shown}")),
            "{outcome}"
        );
        assert!(!outcome.contains("s3c"), "{outcome}");
    }
    assert_eq!(format!("{handshake:?}"), "Handshake([Auth])");
}
