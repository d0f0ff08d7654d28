//! `MULTI` and what can go wrong before `EXEC`, and in it.

use super::super::plain;
use super::{Row, check};

#[test]
fn transactions_end_as_they_do_in_redis() {
    check(plain, ROWS);
}

const ROWS: &[Row] = &[
    (
        "the good case, in RESP2 and RESP3",
        "c0: MULTI
         c0: SET a x
         c0: GET a
         c1: GET a
         c0: GET nothing | LRANGE b 0 -1 | EXEC
         c0: HELLO 3
         c0: MULTI | GET a | GET nothing | EXEC
         c0: MULTI | EXEC",
    ),
    (
        "nothing is begun",
        "c0: EXEC
         c0: DISCARD
         c0: EXEC x
         c0: MULTI x",
    ),
    (
        "one in another is an error, and the outer one goes on",
        "c0: MULTI
         c0: MULTI
         c0: SET a x
         c0: EXEC
         c0: MULTI | MULTI | MULTI | DISCARD | EXEC",
    ),
    (
        "an unknown command spoils it",
        "c0: MULTI
         c0: SET a x
         c0: NOSUCH y
         c0: SET a z
         c0: EXEC
         c0: EXEC
         c0: GET a",
    ),
    (
        "so does a wrong number of arguments",
        "c0: MULTI | GET | EXEC
         c0: MULTI | LPUSH a | SET a x | EXEC | GET a
         c0: MULTI | CLIENT | EXEC
         c0: MULTI | CLIENT NOSUCH | EXEC
         c0: MULTI | CONFIG NOSUCH | EXEC
         c0: MULTI | CLIENT GETNAME x | EXEC
         c0: MULTI | EXEC x | EXEC
         c0: MULTI | DISCARD x | EXEC
         c0: MULTI | MULTI x | EXEC",
    ),
    (
        "DISCARD forgets, spoilt or not",
        "c0: MULTI | SET a x | DISCARD | GET a
         c0: MULTI | NOSUCH | DISCARD | EXEC
         c0: MULTI | GET a | EXEC",
    ),
    (
        "what fails in it fails alone",
        "c0: SET a x
         c0: MULTI | INCR a | LPUSH a y | SET b z | LMOVE a b LEFT UP | BLPOP a -1 | SET a y EX 0 | EXEC
         c0: MULTI | INCR c | INCR c | EXEC
         c0: MULTI | BLPOP a 0 | BLMOVE c d LEFT RIGHT nan | BLMPOP 0 0 a LEFT | EXEC",
    ),
    (
        "QUIT in it",
        "c0: MULTI | SET a x | QUIT | SET b y
         c0: GET a
         c1: MULTI
         c1: QUIT
         c0: MULTI | SET a x
         c0 drops
         c0: GET a | EXEC",
    ),
    (
        "what is about the connection, in it",
        "c0: MULTI | CLIENT ID | CLIENT SETNAME me | CLIENT GETNAME | PING | ECHO x | EXEC
         c0: MULTI | HELLO 3 | GET nothing | HELLO 2 | GET nothing | EXEC
         c0: MULTI | HELLO 3 | EXEC
         c0: MULTI | SELECT 1 | SET a x | SELECT 0 | GET a | EXEC
         c0: MULTI | SELECT 16 | AUTH x | AUTH default x | HELLO 4 | EXEC
         c0: MULTI | CLIENT LIST | CONFIG GET save | EXEC
         c1: CLIENT LIST",
    ),
    (
        "it closes itself",
        "c0: MULTI | SET a x | CLIENT KILL ID @c0 SKIPME no | EXEC | SET c x
         c0: MULTI | SET a x | CLIENT KILL ID @c0 SKIPME no | SET b x | EXEC | SET c x
         c0: MULTI | CLIENT KILL ID @c0 SKIPME no | CLIENT KILL ID @c0 SKIPME no | EXEC",
    ),
    (
        "it closes others",
        "c1: PING
         c2: BLPOP a 0
         c0: MULTI | CLIENT KILL ID @c1 | CLIENT KILL ID @c2 | CLIENT KILL ID @c2 | EXEC",
    ),
];
