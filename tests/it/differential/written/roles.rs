//! A server that becomes a replica, and a master again.

use super::super::plain;
use super::{Row, check};

#[test]
fn a_replica_refuses_writes_and_ends_waits() {
    check(plain, ROWS);
}

const ROWS: &[Row] = &[
    (
        "what a replica answers",
        "c0: SET a x | RPUSH b y | ROLE
         c0: REPLICAOF 127.0.0.1 1
         c0: GET a | LLEN b | PFCOUNT c | PFCOUNT b | EXISTS a b | PING | ROLE | HELLO | HELLO 3 | HELLO 2
         c0: SET a y | INCR d | RPUSH b z | LPOP b | DEL a | FLUSHALL | LMPOP 1 b LEFT
         c0: BLPOP b 0 | BRPOP c 1 | BLMOVE b c LEFT LEFT 0 | BLMPOP 0 1 b LEFT
         c0: SET | NOSUCH | BLPOP b x
         c0: REPLICAOF NO ONE | ROLE | SET a z | LPOP b",
    ),
    (
        "blocked clients get an error and are closed, what they sent behind is not executed",
        "c1: BLPOP a 0 | SET b x
         c2: HELLO 3
         c2: BLMOVE a c LEFT LEFT 0
         c3: BLMPOP 60 1 a LEFT
         c4: PING
         c0: REPLICAOF 127.0.0.1 1
         c4: PING | GET b
         c0: REPLICAOF NO ONE
         c0: RPUSH a x | GET b
         c1: BLPOP a 0",
    ),
    (
        "transactions: refused when queued, and when executed",
        "c1: MULTI | SET a x
         c2: MULTI | GET a | PFCOUNT a
         c0: SLAVEOF 127.0.0.1 1
         c1: EXEC
         c2: EXEC
         c3: MULTI | SET a y | GET a | EXEC
         c3: MULTI | GET a | EXEC
         c0: SLAVEOF NO ONE
         c3: MULTI | SET a y | GET a | EXEC",
    ),
    (
        "a change of role in a transaction",
        "c1: BLPOP a 0
         c0: MULTI | REPLICAOF 127.0.0.1 1 | SET b x | ROLE | EXEC | SET b y
         c0: MULTI | REPLICAOF NO ONE | EXEC | SET b z",
    ),
    (
        "masters: the same one, another one, none",
        "c0: REPLICAOF localhost 1 | REPLICAOF LOCALHOST 1 | REPLICAOF localhost 2 | ROLE
         c0: REPLICAOF 127.0.0.1 0 | REPLICAOF h 70000 | REPLICAOF h -1 | REPLICAOF h x | REPLICAOF NO TWO
         c0: replicaof no one | REPLICAOF No One | ROLE
         c0: REPLICAOF | REPLICAOF x | REPLICAOF x y z | SLAVEOF x | ROLE x",
    ),
    (
        "postponed clients stay, and are refused when the pause ends",
        "c1: BLPOP a 0
         writes pause
         c2: BLPOP a 0
         c3: SET a x | GET a
         c0: REPLICAOF 127.0.0.1 1
         c4: SET a y
         writes go on
         c0: REPLICAOF NO ONE",
    ),
    (
        "postponed clients run on the master that it is again",
        "writes pause
         c2: BLPOP a 0
         c3: RPUSH a x
         c0: REPLICAOF 127.0.0.1 1 | REPLICAOF NO ONE
         writes go on",
    ),
];
