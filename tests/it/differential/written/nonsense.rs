//! What nobody should send: every error has its words.

use super::super::plain;
use super::{Row, check};

#[test]
fn errors_have_the_same_words() {
    check(plain, ROWS);
}

const ROWS: &[Row] = &[
    (
        "unknown commands, with arguments of all kinds",
        r#"c0: NOSUCH | nosuch a | NoSuch a b c | "" | "" x | "a b" c | NOSUCH ""
         c0: NOSUCH "\r\n" "\x00" | "NO\r\nSUCH" x | "NO\x00SUCH" x | NOSUCH "a'b" | NOSUCH "\xff\x80"
         c0: "x"*127 | "x"*128 | "x"*129 | "x"*100000 a
         c0: NOSUCH "y"*100 | NOSUCH "y"*127 | NOSUCH "y"*128 b | NOSUCH "y"*129 b | NOSUCH "y"*40 "z"*40 "w"*60
         c0: NOSUCH "a\x00b" c | NOSUCH "y"*60 "\x00" "z"*60 w | NOSUCH "y"*124 z"#,
    ),
    (
        "unknown subcommands",
        r#"c0: CLIENT NOSUCH | client nosuch x | CLIENT "" | CLIENT "\r\n" | CLIENT "x"*200 | CLIENT "a\x00b"
         c0: CONFIG NOSUCH | CONFIG "" | COMMAND NOSUCH x | CLIENT | CONFIG | GET|a | CLIENT|ID | "CLIENT|LIST" x"#,
    ),
    (
        "wrong numbers of arguments",
        "c0: PING x y | ECHO | ECHO x y | SELECT | CLIENT ID x | CLIENT SETNAME | CLIENT GETNAME x | CLIENT UNBLOCK
         c0: EXISTS | DEL | TYPE | GET | GET a b | SET | SET a | INCR | LPUSH | LPUSH a | RPUSH a | LPOP | LLEN
         c0: LRANGE a | LRANGE a 1 | LRANGE a 1 2 3 | LREM a 1 | LMOVE a b | LMOVE a b LEFT | RPOPLPUSH a
         c0: LMPOP | LMPOP 1 | LMPOP 1 a | BLPOP | BLPOP a | BRPOP a | BLMOVE a b LEFT RIGHT | BRPOPLPUSH a b
         c0: BLMPOP | BLMPOP 0 1 a | MULTI x | EXEC x | DISCARD x | CONFIG GET | AUTH | AUTH a b c | lpush a
         c0: RPOPLPUSH a b c | BLMOVE a b LEFT RIGHT 0 x | BRPOPLPUSH a b 0 x | LLEN a b | LMOVE a b LEFT RIGHT x",
    ),
    (
        "timeouts: in a transaction nobody waits, be it a time or not",
        r#"c0: MULTI
         c0: BLPOP a -1 | BLPOP a nan | BLPOP a inf | BLPOP a -inf | BLPOP a 1e300 | BLPOP a x | BLPOP a ""
         c0: BLPOP a "1 " | BLPOP a " 1" | BLPOP a 1s | BLPOP a -0.0001 | BLPOP a 9223372036854775807
         c0: BLPOP a 9223372036854776 | BLPOP a "1\x00" | BLPOP a --1 | BLPOP a -0
         c0: BRPOP a -1 | BLMOVE a b LEFT LEFT -1 | BRPOPLPUSH a b x | BLMPOP -1 1 a LEFT | BLMPOP inf 1 a LEFT
         c0: BLPOP a infinity | BLPOP a -nan | BLPOP a NaN | BLPOP a 1e | BLPOP a . | BLPOP a 1_0 | BLPOP a 1,5
         c0: BLPOP a 0.01 | BLPOP a .01 | BLPOP a 1e-2 | BLPOP a +0.01 | BLPOP a 0.0001 | BLPOP a 1. | BLPOP a 1e+1
         c0: BLPOP a "0"*300 | BLPOP a 0x | BLPOP a 0b1 | BLPOP a "1\n"
         c0: BLPOP a 1e-2000 | BLPOP a 1e4000 | BLPOP a nan(1)
         c0: BLPOP a -0.00099 | BLPOP a -1e-300 | BLPOP a 9e15
         c0: EXEC"#,
    ),
    (
        "timeouts that end at once",
        "c0: BLPOP a 0.01 | PING
         c0: BLPOP a .01 | PING
         c0: BLPOP a 1e-2 | PING
         c0: BLPOP a +0.01 | PING
         c0: BLPOP a 0.0001 | PING",
    ),
    (
        "timeouts that are no time, and so never end",
        "c1: BLPOP a -0.0001
         c2: BLPOP a 9e15
         c0: RPUSH a 1 2",
    ),
    (
        "timeouts that are long, as odd as they look",
        "c1: BLPOP a 6e1
         c2: BLPOP a 6.0e1
         c3: BLPOP a -0
         c4: BLPOP a 9000000000000
         c0: RPUSH a 1 2 3 4
         c1: BLPOP a 00060
         c2: BLPOP a 60.
         c3: BLPOP a 0e5
         c4: BLPOP a 0.0
         c0: RPUSH a 1 2 3 4",
    ),
    (
        "which of several errors is told",
        "c0: SET a x
         c0: BLPOP a -1 | BLPOP a x | BLMOVE a b UP LEFT x | BLMOVE a b LEFT LEFT x | BLMPOP x 0 a UP
         c0: BLMPOP 0 0 a UP | BLMPOP 0 1 a UP | BLMPOP 0 1 a LEFT COUNT 0 | BLMPOP 0 2 a LEFT | BLMPOP 0 1 a LEFT x
         c0: BLMPOP x 1 b LEFT COUNT 0 | BLMPOP 0 1 b LEFT COUNT x | BLMPOP 0 1 b LEFT COUNT 1 COUNT 1 | LMOVE a b UP x
         c0: LMPOP 0 a UP | LMPOP 1 a LEFT COUNT 0 | BRPOPLPUSH a b -1 | LPUSH a | LRANGE a x 0",
    ),
    (
        "commands as lines",
        r#"c0 raw 1: "PING\r\n"
         c0 raw 1: "ping\n"
         c0 raw 2: "PING\r\nPING x\r\n"
         c0 raw 0: "\r\n\n  \r\n"
         c0 raw 1: "  SET   a   x  \r\n"
         c0 raw 1: "SET a \"x y\\r\\n\\x00\\t\\q\\\"\"\r\n"
         c0: GET a
         c0 raw 1: "SET a 'x \\'y\\' \\n'\r\n"
         c0: GET a
         c0 raw 1: "SET a ''\r\n"
         c0 raw 1: "NOSUCH a b\r\n"
         c0 raw 1: "GET\ta\r\n"
         c0 raw 1: "\"GET\" \"\\x61\"\r\n"
         c0: GET a"#,
    ),
    (
        "lines with quotes that do not fit",
        r#"c0 raw 1: "SET a \"x\r\n"
         c0 raw 1: "SET a 'x\r\n"
         c0 raw 1: "SET a \"x\"y\r\n"
         c0 raw 1: "SET a 'x'y\r\n"
         c0 raw 1: "PING\r\nSET a \"\r\nPING\r\n"
         c0: EXISTS a"#,
    ),
    (
        "a line that waits, and more behind it",
        r#"c0 raw 2: "BLPOP a 0\r\nPING\r\n"
         c0 raw 1: "ECHO x\r\n"
         c1: RPUSH a x"#,
    ),
    (
        "arrays that are none, or empty",
        r#"c0 raw 0: "*0\r\n"
         c0 raw 0: "*-1\r\n"
         c0 raw 1: "*-5\r\n*0\r\n*1\r\n$4\r\nPING\r\n"
         c0 raw 1: "*1\r\n$0\r\n\r\n"
         c0 raw 1: "*01\r\n$04\r\nPING\r\n"
         c0: PING"#,
    ),
    (
        "arrays that are wrong",
        r#"c0 raw 1: "*x\r\n"
         c0 raw 1: "*\r\n"
         c0 raw 1: "*1.0\r\n"
         c0 raw 1: "*1\r\nPING\r\n"
         c0 raw 1: "*1\r\n:1\r\n"
         c0 raw 1: "*1\r\n$x\r\n"
         c0 raw 1: "*1\r\n$-1\r\n"
         c0 raw 1: "*1\r\n$536870913\r\n"
         c0 raw 1: "*2147483648\r\n"
         c0 raw 1: "*99999999999999999999\r\n"
         c0 raw 2: "PING\r\n*1\r\n$x\r\nPING\r\n"
         c0 raw 1: "*1\r\n\r\n"
         c0: PING"#,
    ),
    (
        "a command in pieces",
        r#"c0 raw 0: "*2\r"
         c0 raw 0: "\n$4\r\nEC"
         c1: PING
         c0 raw 0: "HO\r\n$3\r\nx\r"
         c0 raw 1: "\n\r\n"
         c0 raw 0: "PI"
         c0 raw 0: "NG\r"
         c0 raw 1: "\n"
         c0 raw 0: "*1\r\n$4\r\nPING"
         c0 raw 1: "\r\n""#,
    ),
    (
        "a wrong array from one that waits is found when it does no longer",
        r#"c0: BLPOP a 0
         c0 raw 1: "*x\r\n"
         c1: RPUSH a x"#,
    ),
];
