//! Pauses: which commands they postpone, and what happens when they end.

use super::super::script::{Step, What};
use super::super::{both, plain};
use super::{Row, Script, check};
use crate::differential::host::{Host, Setting};
use crate::server::eventually;

#[test]
fn paused_writes_run_in_order_when_the_pause_ends() {
    check(plain, WRITES);
}

const WRITES: &[Row] = &[
    (
        "what is postponed, and what is not",
        "writes pause
         c1: SET a x
         c2: BRPOP b 0
         c3: PFCOUNT a
         c4: FLUSHALL
         c0: GET a | LLEN b | PING | CLIENT ID | INFO | ROLE | CONFIG GET save | SELECT 0 | ECHO x
         c0: NOSUCH | GET | SET | LPUSH b | BRPOP b x
         writes go on
         c0: RPUSH b y",
    ),
    (
        "the order of the pause is the order of execution",
        "writes pause
         c3: RPUSH a 3
         c1: RPUSH a 1 | RPUSH a 1b | LRANGE a 0 -1
         c2: RPUSH a 2 | LLEN a
         c0: LRANGE a 0 -1
         writes go on
         c0: LRANGE a 0 -1",
    ),
    (
        "what stands behind a postponed command waits too",
        "writes pause
         c1: GET a | SET a x | GET a | PING
         c1: ECHO y
         c2: SET a z
         c2 drops
         writes go on
         c0: GET a",
    ),
    (
        "an EXEC is what it executes",
        "c1: MULTI | SET a x
         c2: MULTI | GET a
         c3: MULTI | PFCOUNT a
         c4: MULTI | NOSUCH
         writes pause
         c1: EXEC
         c2: EXEC
         c3: EXEC
         c4: EXEC
         c4: MULTI | GET a | SET b y | EXEC
         c2: MULTI | PING | EXEC | EXEC | DISCARD
         writes go on",
    ),
    (
        "a transaction that was spoilt, and one that is discarded",
        "c1: MULTI | SET a x | NOSUCH
         c2: MULTI | SET a y
         writes pause
         c2: DISCARD
         c1: EXEC
         writes go on
         c0: GET a",
    ),
    (
        "UNPAUSE runs what was postponed behind what stands in the same write",
        "c0: CLIENT PAUSE 3600000 WRITE
         writes pause
         c1: SET a x
         c2: GET a | SET a y
         c0: CLIENT UNPAUSE | GET a
         c0: GET a",
    ),
    (
        "a postponed pop is served by a push that was postponed before it, or behind it",
        "writes pause
         c1: RPUSH a x
         c2: BLPOP a 0
         c3: BLPOP b 0 | PING
         c4: RPUSH b y z
         writes go on",
    ),
    (
        "a client that was blocked before is found, one that is postponed is not served",
        "c1: BLPOP a 0
         writes pause
         c2: BLPOP a 0
         c0: CLIENT LIST
         c3: RPUSH a x y
         writes go on",
    ),
    (
        "a killed one executes nothing",
        "writes pause
         c1: SET a x | SET b y
         c0: CLIENT KILL ID @c1
         writes go on
         c0: GET a | GET b",
    ),
    (
        "in a transaction: what stands behind the pause is executed, a waiter is served",
        "c1: BLPOP a 0
         c0: MULTI | CLIENT PAUSE 3600000 WRITE | RPUSH a x y | SET b z | EXEC
         writes pause
         c2: SET b w
         c0: MULTI | CLIENT UNPAUSE | GET b | CLIENT PAUSE 3600000 WRITE | GET b | EXEC
         c0: CLIENT UNPAUSE
         writes go on
         c0: GET b",
    ),
    (
        "the guard of a cancel, behind the pop: it ends the pop if the list is absent",
        "writes pause
         c1: BRPOP a 0
         c2: MULTI | PFCOUNT a
         writes go on
         c2: CLIENT UNBLOCK @c1 | EXEC",
    ),
    (
        "the same with a list of one, of two, and of a string",
        "c0: RPUSH a x | RPUSH b x y | SET d z
         c1: MULTI | PFCOUNT a | PFCOUNT b | PFCOUNT d | EXEC
         writes pause
         c2: BRPOP a 0
         c3: BRPOP b 0
         c4: BRPOP d 0
         c1: MULTI | PFCOUNT a | PFCOUNT b | PFCOUNT d | EXEC
         writes go on",
    ),
];

#[test]
fn pauses_take_what_redis_takes() {
    check(plain, ARGUMENTS);
}

const ARGUMENTS: &[Row] = &[
    (
        "what cannot be meant",
        "c0: CLIENT PAUSE | CLIENT PAUSE x | CLIENT PAUSE -1 | CLIENT PAUSE 1.5 | CLIENT PAUSE \"\"
         c0: CLIENT PAUSE 1 x | CLIENT PAUSE x x | CLIENT PAUSE 1 WRITE x | CLIENT PAUSE x WRITE
         c0: CLIENT UNPAUSE x | client unpause
         c0: MULTI | CLIENT PAUSE | EXEC",
    ),
    (
        "pauses that are over at once",
        "c0: CLIENT PAUSE 0 | SET a x | CLIENT PAUSE 0 WRITE | CLIENT PAUSE 9223372036854775807 | SET a y",
    ),
    (
        "all commands, for a moment",
        "c0: CLIENT PAUSE 30 all | PING | MULTI | SET a x | EXEC
         c0: client pause 30 | GET a | CLIENT UNPAUSE | QUIT",
    ),
    (
        "a second pause does not shorten the first",
        "c0: CLIENT PAUSE 60 WRITE | CLIENT PAUSE 1 WRITE | CLIENT PAUSE 0 | SET a x | GET a",
    ),
];

/// Starts both servers, and runs these steps on each.
fn after(steps: &str) -> Option<[Host; 2]> {
    let mut hosts = both(&Setting::default())?;
    for host in &mut hosts {
        for step in Script::parse(steps).0 {
            host.begin(&step).unwrap();
            host.settle().unwrap();
        }
    }
    Some(hosts)
}

#[test]
fn unblock_of_a_postponed_client_crashes_both() {
    for reason in ["", " TIMEOUT"] {
        let Some(mut hosts) = after("writes pause\nc1: BRPOP a 0") else {
            return;
        };
        for host in &mut hosts {
            // `begin` would leave it out.
            host.send_raw(0, &format!("CLIENT UNBLOCK @c1{reason}"));
            let ends = [0, 1].map(|who| host.replies_until_end(who));
            assert_eq!(ends, [b"", b""], "{}", host.name);
            eventually("nothing listens", || !host.listens());
        }
    }
}

#[test]
fn unblock_error_of_a_postponed_client_adds_a_reply() {
    let Some(mut hosts) = after("writes pause\nc1: BRPOP a 0.01 | PING") else {
        return;
    };
    let came = hosts.each_mut().map(|host| {
        host.send_raw(
            0,
            "CLIENT UNBLOCK @c1 ERROR | CLIENT UNBLOCK @c1 | CLIENT UNBLOCK @c1 ERROR | QUIT",
        );
        let replies = host.replies_until_end(0);
        let end = Step {
            who: 0,
            what: What::Pauses(false),
        };
        host.begin(&end).unwrap();
        host.send_raw(1, "QUIT");
        [replies, host.replies_until_end(1)].map(|bytes| String::from_utf8(bytes).unwrap())
    });
    let unblocked = "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n";
    assert_eq!(came[0][0], ":1\r\n:0\r\n:0\r\n+OK\r\n");
    assert_eq!(came[0][1], format!("{unblocked}*-1\r\n+PONG\r\n+OK\r\n"));
    assert_eq!(came[0], came[1]);
}
