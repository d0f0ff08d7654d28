//! One wake that leads to others: moves between lists, and what waits behind them.

use super::super::plain;
use super::{Row, check};

#[test]
fn a_move_that_waited_serves_who_waits_for_its_target() {
    check(plain, MOVES);
}

const MOVES: &[Row] = &[
    (
        "a chain of moves",
        "c1: BLMOVE a b LEFT RIGHT 0
         c2: BLMOVE b c LEFT RIGHT 0
         c3: BLMOVE c d RIGHT LEFT 0
         c4: BLPOP d 0
         c0: RPUSH a x
         c0: RPUSH a y",
    ),
    (
        "a chain that came in the other order",
        "c4: BLPOP d 0
         c3: BRPOPLPUSH c d 0
         c2: BLMOVE b c RIGHT LEFT 0
         c1: BLMOVE a b LEFT LEFT 0
         c0: RPUSH a x y",
    ),
    (
        "a circle",
        "c1: BLMOVE a b LEFT RIGHT 0
         c2: BLMOVE b a LEFT RIGHT 0
         c0: RPUSH a x
         c0: RPUSH b y z",
    ),
    (
        "a list onto itself",
        "c1: BLMOVE a a LEFT RIGHT 0
         c2: BLPOP a 0
         c0: RPUSH a x y
         c1: BRPOPLPUSH a a 0
         c0: LMOVE a a LEFT LEFT | RPOPLPUSH a a",
    ),
    (
        "the target has the wrong type when the element comes",
        "c1: BLMOVE a b LEFT RIGHT 0
         c2: BRPOPLPUSH a b 0
         c3: BLPOP a 0
         c0: SET b x
         c0: RPUSH a 1
         c0: RPUSH a 2",
    ),
    (
        "the target has the wrong type before",
        "c0: SET b x
         c0: RPUSH a y
         c1: BLMOVE a b LEFT RIGHT 0
         c1: BRPOPLPUSH a b 0
         c1: LMOVE a b LEFT RIGHT
         c0: DEL a
         c1: BLMOVE a b LEFT RIGHT 0.02
         c1: LMOVE a b LEFT RIGHT",
    ),
    (
        "the source has the wrong type, now or later",
        "c0: SET a x
         c1: BLMOVE a b LEFT RIGHT 0
         c1: LMOVE a b LEFT RIGHT
         c1: RPOPLPUSH a b
         c0: DEL a
         c1: BLMOVE a b LEFT RIGHT 0
         c0: SET a x
         c0: DEL a | RPUSH a y",
    ),
    (
        "the target is waited for, by more than come",
        "c1: BLPOP b 0
         c2: BLPOP b 0
         c3: BLMOVE a b LEFT RIGHT 0
         c4: BLMOVE a b RIGHT LEFT 0
         c0: RPUSH a 1 2 3",
    ),
    (
        "a waiter's commands behind its pop serve the next",
        "c1: BLPOP a 0 | RPUSH b x
         c2: BLPOP b 0 | RPUSH c y
         c3: BLPOP c 0 | RPUSH a z
         c4: BLPOP a 0
         c0: RPUSH a start",
    ),
    (
        "a pop with a count, and those behind it",
        "c1: BLMPOP 0 1 a LEFT COUNT 2
         c2: BLMPOP 0 1 a RIGHT COUNT 2
         c3: BLMPOP 0 1 a LEFT COUNT 9223372036854775807
         c0: RPUSH a 1 2 3 4 5 6 7 8
         c0: LLEN a",
    ),
    (
        "sides, in any case of letters",
        "c0: RPUSH a 1 2 3 4 5 6
         c0: LMOVE a b left RIGHT
         c0: LMOVE a b Right lEFT
         c1: blmove a b LEFT left 0
         c0: lrange b 0 -1
         c1: BLMPOP 0 1 a right count 2",
    ),
];

#[test]
fn a_transaction_wakes_others_when_it_is_done() {
    check(plain, TRANSACTIONS);
}

const TRANSACTIONS: &[Row] = &[
    (
        "the replies of a transaction come before those that it wakes have run",
        "c1: BLPOP a 0 | LLEN b
         c0: MULTI | RPUSH a x | RPUSH b y | LLEN a | LLEN b | EXEC",
    ),
    (
        "pops inside never wait",
        "c0: MULTI | BLPOP a 0 | BRPOP a b 60 | BLMOVE a b LEFT LEFT 0 | BRPOPLPUSH a b 0 | BLMPOP 0 1 a LEFT | EXEC
         c0: HELLO 3
         c0: MULTI | BLPOP a 0 | BRPOP a b 60 | BLMOVE a b LEFT LEFT 0 | BRPOPLPUSH a b 0 | BLMPOP 0 1 a LEFT | EXEC
         c0: RPUSH a 1 2 3 4 5 6
         c0: MULTI | BLPOP a 0 | BRPOP a b 60 | BLMOVE a b LEFT LEFT 0 | BRPOPLPUSH a b 0 | BLMPOP 0 1 a LEFT | EXEC",
    ),
    (
        "somebody waits, and a transaction pushes and pops",
        "c1: BLPOP a 0
         c0: MULTI | RPUSH a x | BLPOP a 0 | EXEC
         c0: MULTI | RPUSH a x y | BLPOP a 0 | EXEC",
    ),
    (
        "in two databases in one transaction",
        "c1: BLPOP a 0
         c2: SELECT 1 | BLPOP a 0
         c0: MULTI | SELECT 1 | RPUSH a x | SELECT 0 | RPUSH a y | EXEC
         c0: RPUSH a z",
    ),
    (
        "one is killed, and another given up, in a transaction that serves them too",
        "c1: BLPOP a 0
         c2: BLPOP a 0
         c3: BLPOP a 0
         c0: MULTI | RPUSH a x y z | CLIENT KILL ID @c1 | CLIENT UNBLOCK @c2 ERROR | EXEC",
    ),
    (
        "everything is flushed, with somebody waiting",
        "c1: BLPOP a 0
         c0: FLUSHALL
         c0: RPUSH a x
         c0: FLUSHALL SYNC | FLUSHALL ASYNC | FLUSHALL x | FLUSHALL SYNC x",
    ),
];
