//! Commands on one key after the other: values, counts, indices, options.

use super::super::plain;
use super::{Row, check};

#[test]
fn keys_hold_the_same() {
    check(plain, ROWS);
}

const ROWS: &[Row] = &[
    (
        "ranges",
        r#"c0: RPUSH a 0 1 2 3 4
         c0: LRANGE a 0 -1 | LRANGE a 1 2 | LRANGE a -2 -1 | LRANGE a 3 1 | LRANGE a -100 100 | LRANGE a 5 9
         c0: LRANGE a -9223372036854775808 9223372036854775807 | LRANGE a 9223372036854775808 0
         c0: LRANGE a x 0 | LRANGE a 0 x | LRANGE a 1.0 2 | LRANGE a "" 2 | LRANGE nothing x y | LRANGE a 0
         c0: LRANGE a " 1" 2 | LRANGE a +1 2 | LRANGE a 01 2 | LRANGE a -0 2"#,
    ),
    (
        "counts of pops",
        "c0: RPUSH a 0 1 2 3 4 5 6 7 8 9
         c0: LPOP a 0 | LPOP a 2 | RPOP a 2 | LPOP a -1 | LPOP a x | LPOP a 1.0 | LPOP a 9223372036854775808
         c0: LPOP nothing | LPOP nothing 0 | LPOP nothing 1 | RPOP nothing | RPOP nothing -1 | LPOP nothing x
         c0: LPOP a 100 | EXISTS a | LPOP | LPOP a 1 2 | RPOP a 9223372036854775807",
    ),
    (
        "LREM from both ends",
        "c0: RPUSH a x y x y x
         c0: LREM a 1 x | LRANGE a 0 -1 | LREM a -1 y | LRANGE a 0 -1 | LREM a 0 x | LRANGE a 0 -1
         c0: LREM a 0 nosuch | LREM a x y | LREM nothing 0 y | LREM nothing x y | LREM a 0 y | EXISTS a
         c0: RPUSH a 1 01 1.0 | LREM a -9223372036854775808 1 | LREM a 0 01 | LREM a 0",
    ),
    (
        "values are bytes",
        r#"c0: RPUSH a "" "\r\n" "\x00" "\xff\xfe" "x"*100000
         c0: LRANGE a 0 3
         c0: SET b "a\x00b\r\n" | GET b
         c0: SET "" x | GET "" | RPUSH "\r\n" "\r\n" | BLPOP "\r\n" 0 | DEL ""
         c1: BLPOP a 0 | BRPOP a 0 | LPOP a 9"#,
    ),
    (
        "LMPOP",
        "c0: RPUSH a 1 2 3 4 5
         c0: LMPOP 1 a LEFT | LMPOP 2 nothing a RIGHT | LMPOP 1 a LEFT COUNT 2 | LMPOP 1 nothing LEFT
         c0: LMPOP 0 a LEFT | LMPOP -1 a LEFT | LMPOP x a LEFT | LMPOP 2 a LEFT | LMPOP 1 a UP | LMPOP 1 a
         c0: LMPOP 1 a LEFT COUNT 0 | LMPOP 1 a LEFT COUNT -1 | LMPOP 1 a LEFT COUNT x | LMPOP 1 a LEFT COUNT
         c0: LMPOP 1 a LEFT COUNT 1 COUNT 1 | LMPOP 1 a LEFT x | LMPOP 1 a LEFT x y | LMPOP 9223372036854775807 a LEFT
         c0: LMPOP 1 a LEFT COUNT 9223372036854775807
         c0: SET b x | LMPOP 2 a b LEFT | RPUSH a x | LMPOP 2 a b LEFT | LMPOP 2 b a LEFT",
    ),
    (
        "INCR",
        r#"c0: INCR a | INCR a | GET a
         c0: SET a 9223372036854775806 | INCR a | INCR a | GET a
         c0: SET a -9223372036854775808 | INCR a
         c0: SET a x | INCR a | SET a "" | INCR a | SET a " 1" | INCR a | SET a 01 | INCR a | SET a 1.0 | INCR a
         c0: SET a +1 | INCR a | SET a -0 | INCR a | SET a 9223372036854775808 | INCR a | SET a "1\x00" | INCR a
         c0: INCR | INCR a b | DEL a | RPUSH a 1 | INCR a"#,
    ),
    (
        "SET and its options",
        "c0: SET a x NX | SET a y NX | GET a | SET a z XX | GET a | SET b x XX | EXISTS b
         c0: SET a 1 GET | SET b 1 GET | SET b 2 XX GET | SET c 1 XX GET | SET a 2 NX GET | SET d 1 NX GET | GET d
         c0: SET a x EX 100 | SET a x PX 100000 | SET a x KEEPTTL | SET a x ex 100 nx | SET a x GET EX 100
         c0: SET a x NX XX | SET a x EX 1 PX 1 | SET a x EX 1 KEEPTTL | SET a x KEEPTTL PX 1 | SET a x EX
         c0: SET a x EX 0 | SET a x EX -1 | SET a x PX 0 | SET a x EX x | SET a x EX 1.0 | SET a x NOSUCH
         c0: SET a x EX 9223372036854775807 | SET a x PX 9223372036854775807 | SET a x EX 9223372036854775808
         c0: SET a x NX NX | SET a x GET GET | SET a x KEEPTTL KEEPTTL | SET a x PERSIST | SET a | SET",
    ),
    (
        "SET over a list",
        "c0: RPUSH a x
         c0: SET a y GET
         c0: SET a y NX
         c0: SET a y XX
         c0: TYPE a
         c0: RPUSH b x | SET b y EX x | TYPE b | SET b y | TYPE b",
    ),
    (
        "a key ends in time, and KEEPTTL keeps that, and SET forgets it",
        r#"c0: SET a x PX 30 | SET a y KEEPTTL | SET b x PX 30 | SET b y | SET c x PX 30
         c0: INCR d | SET d 5 PX 30 | INCR d
         c1 until: GET a | "$-1\r\n"
         c1 until: EXISTS c | ":0\r\n"
         c1 until: EXISTS d | ":0\r\n"
         c0: GET b | TYPE a | DEL a | RPUSH c x"#,
    ),
    (
        "a key that has ended is none: it can be waited for, and pushed to",
        r#"c0: SET a x PX 20
         c1 until: TYPE a | "+none\r\n"
         c1: BLPOP a 0
         c0: RPUSH a x"#,
    ),
    (
        "EXISTS, DEL and TYPE",
        "c0: SET a x | RPUSH b y
         c0: EXISTS a a b nothing | TYPE a | TYPE b | TYPE nothing | DEL a a b nothing | EXISTS a b
         c0: EXISTS | DEL | TYPE | TYPE a b",
    ),
    (
        "a list that is empty is gone",
        "c0: RPUSH a x | LPOP a | EXISTS a | TYPE a | LLEN a
         c0: RPUSH a x | RPOPLPUSH a b | EXISTS a | LMOVE b b LEFT RIGHT | EXISTS b | SET a x | GET a",
    ),
    (
        "the wrong type",
        "c0: SET a x | RPUSH b y
         c0: LPUSH a y | RPUSH a y | LPOP a | RPOP a 1 | LLEN a | LRANGE a 0 1 | LREM a 0 x | LMPOP 1 a LEFT
         c0: LMOVE a b LEFT LEFT | LMOVE b a LEFT LEFT | RPOPLPUSH a b | RPOPLPUSH b a | GET b | INCR b
         c0: LPOP a x | LRANGE a x y | LREM a x y | LPOP a 0 | LMPOP 1 a LEFT COUNT 0 | LMOVE a b LEFT UP
         c0: LMOVE nothing a LEFT LEFT | RPOPLPUSH nothing a | BLPOP a 0 | BRPOP nothing a 0 | BLMPOP 0 1 a LEFT",
    ),
];
