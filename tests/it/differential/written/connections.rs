//! What a connection says about itself: names, protocols, databases.

use super::super::plain;
use super::{Row, check};

#[test]
fn connections_say_the_same_about_themselves() {
    check(plain, ROWS);
}

const ROWS: &[Row] = &[
    (
        "HELLO, and its options",
        "c0: HELLO
         c0: HELLO 2
         c0: HELLO 3
         c0: HELLO
         c0: hello 2
         c0: HELLO 3 SETNAME me | CLIENT GETNAME
         c0: HELLO 3 setname other auth default x | CLIENT GETNAME
         c0: HELLO 2 AUTH default x SETNAME again | CLIENT GETNAME",
    ),
    (
        "HELLO that is refused changes nothing",
        r#"c0: HELLO 1 | HELLO 4 | HELLO x | HELLO -1 | HELLO 99999999999999999999 | HELLO 3.0
         c0: HELLO 3 AUTH | HELLO 3 AUTH default | HELLO 3 SETNAME | HELLO 3 NOSUCH | HELLO 3 NOSUCH x
         c0: HELLO 3 AUTH nobody x | GET a
         c0: HELLO 3 AUTH nobody x SETNAME me | CLIENT GETNAME
         c0: HELLO 3 SETNAME "x y" | CLIENT GETNAME | GET a
         c0: HELLO 3 SETNAME "a\nb" | CLIENT GETNAME
         c0: HELLO 2 SETNAME one SETNAME two | CLIENT GETNAME
         c0: HELLO 4 SETNAME three | CLIENT GETNAME
         c0: HELLO SETNAME four | CLIENT GETNAME"#,
    ),
    (
        "what is different in RESP3",
        "c0: RPUSH a x y
         c0: HELLO 3
         c0: GET nothing | LPOP nothing | LPOP nothing 2 | LRANGE a 0 -1 | CONFIG GET save | CONFIG GET nosuch
         c0: CLIENT GETNAME | CLIENT LIST | LMPOP 1 a LEFT | LMPOP 1 nothing LEFT | EXEC
         c0: SET b x GET | SET b x NX | TYPE b | EXISTS b
         c0: HELLO 2
         c0: GET nothing | CONFIG GET save | CONFIG GET nosuch | CLIENT GETNAME",
    ),
    (
        "names",
        r#"c0: CLIENT GETNAME
         c0: CLIENT SETNAME me
         c0: CLIENT GETNAME
         c1: CLIENT GETNAME
         c0: CLIENT SETNAME "x y" | CLIENT SETNAME "a\nb" | CLIENT SETNAME "\x00" | CLIENT SETNAME "\x7f"
         c0: CLIENT SETNAME ~!@#$%^&*() | CLIENT GETNAME
         c1: CLIENT SETNAME ~!@#$%^&*()
         c1: CLIENT LIST
         c0: CLIENT SETNAME "" | CLIENT GETNAME
         c0: CLIENT SETNAME | CLIENT SETNAME a b | CLIENT GETNAME a"#,
    ),
    (
        "databases",
        r#"c0: SET a x | SELECT 1 | GET a | SET a y | SELECT 0 | GET a
         c0: SELECT 15 | SET a z | EXISTS a | SELECT 16 | EXISTS a | SELECT -1 | EXISTS a
         c0: SELECT x | SELECT | SELECT 0 0 | SELECT 99999999999 | SELECT "" | SELECT 01 | SELECT +1 | SELECT 1.0
         c1: EXISTS a
         c1: FLUSHALL
         c0: EXISTS a | SELECT 1 | EXISTS a"#,
    ),
    (
        "a connection that comes anew has forgotten all",
        "c0: HELLO 3 SETNAME me | SELECT 1 | MULTI | SET a x
         c0 drops
         c0: EXEC | CLIENT GETNAME | SET b y
         c1: GET b | CLIENT LIST",
    ),
    (
        "CLIENT LIST tells who waits, is in a transaction, speaks which protocol, and did what last",
        "c1: HELLO 3 SETNAME one
         c1: BLPOP a 0
         c2: SELECT 1 | MULTI | GET a | GET b
         c3: BLMPOP 0 1 b LEFT
         c4: NOSUCH
         c0: CLIENT LIST
         c4: MULTI | CLIENT LIST | EXEC
         c4: CLIENT ID
         c0: CLIENT LIST x | CLIENT LIST TYPE | CLIENT LIST TYPE x | CLIENT LIST ID | CLIENT LIST ID x",
    ),
    (
        "CLIENT LIST after what was no command, or was refused",
        "c1: GET a
         c1: NOSUCH
         c0: CLIENT LIST
         c1: GET
         c0: CLIENT LIST
         c1: CLIENT NOSUCH
         c0: CLIENT LIST
         c1: CLIENT
         c0: CLIENT LIST
         c1: BLPOP a -1
         c0: CLIENT LIST
         c2: MULTI | NOSUCH
         c0: CLIENT LIST",
    ),
    (
        "CLIENT LIST of some",
        "c1: PING
         c2: BLPOP a 0
         c0: CLIENT LIST TYPE normal
         c0: CLIENT LIST TYPE pubsub
         c0: CLIENT LIST ID @c1
         c0: CLIENT LIST ID @c2 @c1 999999",
    ),
    (
        "PING and ECHO",
        r#"c0: PING | PING x | PING "" | PING x y | ECHO x | ECHO "\r\n\x00" | ECHO | ECHO x y | ping | Echo X
         c0: ECHO "x"*70000 | PING "\xff"*20000"#,
    ),
    (
        "AUTH where no password is asked",
        r#"c0: AUTH x | AUTH default x | AUTH nobody x | AUTH | AUTH a b c | AUTH default "" | PING"#,
    ),
    (
        "configuration",
        r#"c0: CONFIG GET save | CONFIG GET appendonly | CONFIG GET databases | CONFIG GET nosuch
         c0: CONFIG GET SAVE | config get Databases | CONFIG GET save save
         c0: CONFIG GET | CONFIG | CONFIG NOSUCH | CONFIG NOSUCH x | CONFIG GET ""
         c0: CONFIG GET appendonl? | CONFIG GET maxmemory | CONFIG GET timeout | CONFIG GET proto-max-bulk-len"#,
    ),
    (
        "the shape of what describes a server",
        "c0: INFO
         c0: INFO server | INFO nosuch | INFO clients server
         c0: COMMAND COUNT | COMMAND INFO GET | COMMAND INFO nosuch | COMMAND NOSUCH
         c0: COMMAND COUNT x",
    ),
];
