//! Connections that end: who closes them, and what becomes of what was asked.

use super::super::plain;
use super::{Row, check};

#[test]
fn connections_end_alike() {
    check(plain, ROWS);
}

const ROWS: &[Row] = &[
    (
        "QUIT, and what stands behind it",
        "c0: QUIT
         c0: SET a x | QUIT | SET a y
         c0: GET a
         c1: quit x
         c2: BLPOP a 0 | QUIT | PING
         c0: DEL a | RPUSH a x",
    ),
    (
        "KILL by id, of others, of oneself, and of nobody",
        "c1: PING
         c2: BLPOP a 0
         c3: MULTI
         c0: CLIENT KILL ID @c1
         c0: CLIENT KILL ID @c2
         c0: CLIENT KILL ID @c3
         c0: CLIENT KILL ID @c3
         c0: CLIENT KILL ID @c0
         c0: CLIENT KILL ID @c0 SKIPME yes
         c0: CLIENT KILL ID @c0 SKIPME no
         c0: PING",
    ),
    (
        "KILL of oneself, and what stands behind it",
        "c0: SET a x | CLIENT KILL ID @c0 SKIPME no | SET a y
         c0: SET b x
         c0: SET a x | CLIENT KILL ID @c0 SKIPME no | SET a y
         c1: GET a",
    ),
    (
        "KILL by type",
        "c1: PING
         c2: BLPOP a 0
         c0: CLIENT KILL TYPE pubsub
         c0: CLIENT KILL TYPE master
         c0: CLIENT KILL TYPE normal
         c1: PING
         c0: CLIENT KILL TYPE normal SKIPME no
         c2: PING",
    ),
    (
        "KILL of those who are dead already, in one write",
        "c1: PING
         c2: BLPOP a 0
         c0: CLIENT KILL ID @c1 | CLIENT KILL ID @c1 | CLIENT KILL ID @c2 | CLIENT UNBLOCK @c2
         c1: PING
         c0: CLIENT KILL TYPE normal | CLIENT KILL TYPE normal | CLIENT KILL ID @c1",
    ),
    (
        "KILL by several filters, all of which must hold",
        "c1: PING
         c2: PING
         c0: CLIENT KILL ID @c1 TYPE pubsub
         c0: CLIENT KILL ID @c1 ID @c2
         c0: CLIENT KILL ID @c1 TYPE normal SKIPME yes
         c0: CLIENT KILL ADDR 1.2.3.4:5
         c0: CLIENT KILL 1.2.3.4:5
         c0: CLIENT KILL LADDR 1.2.3.4:5
         c0: CLIENT KILL USER default ID @c2
         c0: CLIENT KILL USER nobody",
    ),
    (
        "KILL that is refused",
        "c0: CLIENT KILL | CLIENT KILL x | CLIENT KILL ID | CLIENT KILL ID x | CLIENT KILL ID 0 | CLIENT KILL ID -1
         c0: CLIENT KILL ID 1.0 | CLIENT KILL TYPE x | CLIENT KILL SKIPME | CLIENT KILL SKIPME x
         c0: CLIENT KILL NOSUCH x | CLIENT KILL ID 999999 NOSUCH x | CLIENT KILL ID 999999 SKIPME
         c0: CLIENT KILL ID 99999999999999999999",
    ),
    (
        "KILL of one that waits, with more behind",
        "c1: BLPOP a 0 | RPUSH b x
         c2: BLPOP b 0
         c0: CLIENT KILL ID @c1
         c0: RPUSH a y
         c1: PING
         c0: RPUSH b z",
    ),
    (
        "who leaves takes nothing, and what it has sent is not run",
        "c1: BLPOP a b 0 | RPUSH c x
         c1 drops
         c0: RPUSH a 1 | RPUSH b 2
         c2: BLMOVE d c LEFT LEFT 0
         c2 drops
         c0: RPUSH d 3 | LRANGE c 0 -1",
    ),
    (
        "who leaves in the middle of a command has not asked it",
        r#"c1 raw 0: "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n"
         c1 drops
         c2 raw 0: "SET a x"
         c2 drops
         c0: GET a"#,
    ),
    (
        "who is killed in the middle of a command has not asked it",
        r#"c1 raw 0: "*2\r\n$5\r\nRPUSH\r\n"
         c0: CLIENT KILL ID @c1
         c1: PING"#,
    ),
];
