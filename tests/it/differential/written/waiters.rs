//! Who waits for what, who is served, and in which order.

use super::super::plain;
use super::{Row, check};

#[test]
fn who_waits_longest_is_served_first() {
    check(plain, ORDER);
}

const ORDER: &[Row] = &[
    (
        "one element each, to those who wait, in the order in which they came",
        "c2: BLPOP a 0
         c1: BRPOP a 0
         c3: BLPOP a 0
         c0: RPUSH a x
         c0: RPUSH a y
         c0: RPUSH a z
         c0: RPUSH a w",
    ),
    (
        "one push of three serves three",
        "c1: BLPOP a 0
         c2: BRPOP a 0
         c3: BLPOP a 0
         c0: RPUSH a x y z",
    ),
    (
        "one push of three serves two, and one element stays",
        "c3: BRPOP a 0
         c1: BRPOP a 0
         c0: LPUSH a x y z",
    ),
    (
        "who is served waits anew, behind the others",
        "c1: BLPOP a 0 | BLPOP a 0
         c2: BLPOP a 0
         c0: RPUSH a x
         c0: RPUSH a y
         c0: RPUSH a z",
    ),
    (
        "several of both kinds wait, and one takes more than one",
        "c1: BLMPOP 0 1 a LEFT COUNT 2
         c2: BLPOP a 0
         c3: BLMPOP 0 2 b a RIGHT COUNT 10
         c0: RPUSH a 1 2 3 4 5 6 7
         c0: LPUSH b x y",
    ),
    (
        "the one that gave up is not served",
        "c1: BLPOP a 0
         c2: BLPOP a 0
         c3: BLPOP a 0
         c0: CLIENT UNBLOCK @c2
         c0: RPUSH a x y z",
    ),
    (
        "the one that left is not served",
        "c1: BLPOP a 0
         c2: BLPOP a 0
         c1 drops
         c0: RPUSH a x
         c1: BLPOP a 0
         c0: RPUSH a y",
    ),
    (
        "the one that was killed is not served, nor is what stood behind its pop run",
        "c1: BLPOP a 0 | SET b x
         c2: BLPOP a 0
         c0: CLIENT KILL ID @c1
         c0: RPUSH a x y
         c0: GET b",
    ),
    (
        "a timeout takes one out of the middle",
        "c1: BLPOP a 0
         c2: BLPOP a 0.02
         c3: BLPOP a 0
         c0: RPUSH a x y z",
    ),
];

#[test]
fn keys_are_looked_at_in_the_order_of_the_command() {
    check(plain, KEYS);
}

const KEYS: &[Row] = &[
    (
        "elements are there: the first key that has one",
        "c0: RPUSH b x
         c0: RPUSH c y
         c1: BLPOP a b c 0
         c1: BLPOP a b c 0
         c1: BRPOP c b a 0",
    ),
    (
        "several keys get elements while somebody waits, in one transaction",
        "c1: BLPOP a b c 0
         c0: MULTI | RPUSH c z | RPUSH b y | RPUSH a x | EXEC",
    ),
    (
        "two keys for which the waiters came in different orders",
        "c1: BLPOP a b 0
         c2: BLPOP b a 0
         c3: BLPOP b 0
         c0: MULTI | RPUSH b 1 | RPUSH a 2 | EXEC
         c0: RPUSH b 3 4",
    ),
    (
        "the same, the other way round",
        "c2: BLPOP b a 0
         c1: BLPOP a b 0
         c3: BLPOP a 0
         c0: MULTI | RPUSH a 1 2 | RPUSH b 3 | EXEC",
    ),
    (
        "the same key named twice",
        "c1: BLPOP a a 0
         c2: BLPOP a b a 0
         c0: RPUSH a x
         c0: RPUSH a y
         c0: RPUSH a z",
    ),
    (
        "the same key named twice, and given up",
        "c1: BLPOP a b a 0
         c0: CLIENT UNBLOCK @c1
         c1: BRPOP a a 0
         c1 drops
         c0: RPUSH a x",
    ),
    (
        "who waits for several keys is served once",
        "c1: BLPOP a b c 0
         c0: RPUSH b x
         c0: RPUSH a y
         c0: RPUSH c z",
    ),
    (
        "a key of the wrong type among them: at once if it stands before the element",
        "c0: SET b x
         c0: RPUSH c y
         c1: BLPOP a b c 0
         c1: BLPOP a c b 0
         c1: BLPOP a b 0
         c1: BLMPOP 0 2 a b LEFT",
    ),
    (
        "waiters for the same key in two databases",
        "c1: SELECT 1
         c1: BLPOP a 0
         c2: BLPOP a 0
         c0: RPUSH a x y
         c3: SELECT 1 | LPUSH a z
         c3: LRANGE a 0 -1",
    ),
];

#[test]
fn a_wait_ends_only_for_a_reason() {
    check(plain, ENDS);
}

const ENDS: &[Row] = &[
    (
        "what was pushed is gone again when the transaction ends",
        "c1: BLPOP a 0
         c0: MULTI | LPUSH a x | DEL a | EXEC
         c0: RPUSH a y",
    ),
    (
        "of what was pushed in a transaction, some was taken in it",
        "c1: BLPOP a 0
         c2: BLPOP a 0
         c0: MULTI | RPUSH a x y z | LPOP a | RPOP a | EXEC",
    ),
    (
        "the key has become a string, and later a list",
        "c1: BLPOP a 0
         c0: SET a x
         c2: BLPOP a 0
         c0: DEL a
         c0: RPUSH a y",
    ),
    (
        "the key is a list, and at the end of the transaction a string",
        "c1: BLPOP a 0
         c0: MULTI | RPUSH a x | SET a y | EXEC
         c0: DEL a | RPUSH a z",
    ),
    (
        "it was emptied, by every means",
        "c1: BLPOP a 0
         c0: MULTI | RPUSH a x | FLUSHALL | EXEC
         c0: MULTI | RPUSH a x | LREM a 0 x | EXEC
         c0: MULTI | RPUSH a x | RPOPLPUSH a b | EXEC
         c0: MULTI | RPUSH a x | LMPOP 1 a LEFT | EXEC",
    ),
    (
        "a list that comes by a move serves as one that is pushed",
        "c1: BLPOP b 0
         c2: BRPOP b 0
         c0: RPUSH a x y
         c0: LMOVE a b LEFT RIGHT
         c0: RPOPLPUSH a b",
    ),
    (
        "UNBLOCK of those that wait, of those that do not, and of nobody",
        "c1: BLPOP a 0
         c0: CLIENT UNBLOCK @c1 TIMEOUT
         c0: CLIENT UNBLOCK @c1
         c1: BLMOVE a b LEFT LEFT 0
         c0: CLIENT UNBLOCK @c1 error
         c1: BLMPOP 0 1 a LEFT
         c0: CLIENT UNBLOCK @c1
         c1: BRPOPLPUSH a b 0
         c0: CLIENT UNBLOCK @c1 Timeout
         c0: CLIENT UNBLOCK @c0
         c0: CLIENT UNBLOCK @c4 ERROR
         c0: CLIENT UNBLOCK 999999
         c0: CLIENT UNBLOCK -1
         c0: CLIENT UNBLOCK x | CLIENT UNBLOCK 1 x | CLIENT UNBLOCK | CLIENT UNBLOCK 1 ERROR x",
    ),
    (
        "a list on which the same is asked in RESP3",
        "c1: HELLO 3
         c1: BLPOP a 0
         c0: CLIENT UNBLOCK @c1
         c1: BLMOVE a b LEFT LEFT 0
         c0: CLIENT UNBLOCK @c1
         c1: BLMPOP 0 1 a LEFT
         c0: CLIENT UNBLOCK @c1
         c1: BLMPOP 0 1 a LEFT
         c0: RPUSH a x
         c1: LPOP a | LPOP a 1 | LMPOP 1 a LEFT | GET a | BLPOP a 0.01 | BLMOVE a b LEFT LEFT 0.01",
    ),
    (
        "timeouts, each of its kind",
        "c1: BLPOP a 0.01
         c1: BRPOP a b 0.01
         c1: BLMOVE a b LEFT LEFT 0.01
         c1: BRPOPLPUSH a b 0.01
         c1: BLMPOP 0.01 1 a LEFT
         c1: BLPOP a 0.0001
         c0: RPUSH a x y",
    ),
    (
        "what stands behind a pop runs when it has ended, however it has",
        "c1: BLPOP a 0 | LLEN a | RPUSH b x | BLPOP a 0 | PING
         c2: BLPOP b 0 | ECHO x
         c0: RPUSH a x
         c0: CLIENT UNBLOCK @c1 ERROR
         c3: BLPOP a 0.02 | ECHO y
         c1: GET a",
    ),
    (
        "more is sent while it waits",
        "c1: BLPOP a 0
         c1: PING | RPUSH b x
         c1: ECHO y
         c2: BLPOP b 0
         c0: RPUSH a z",
    ),
];
