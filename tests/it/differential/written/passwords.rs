//! Servers that want a password.

use super::super::{both, host::Host, host::Setting};
use super::{Row, check};

#[test]
fn passwords_are_asked_for_alike() {
    check(locked, ROWS);
}

fn locked() -> Option<[Host; 2]> {
    both(&Setting {
        password: Some("secret"),
        ..Setting::default()
    })
}

const ROWS: &[Row] = &[
    (
        "nothing is done without it",
        "c0: PING
         c0: GET a | SET a x | BLPOP a 0 | CLIENT ID | CLIENT LIST | ECHO x | SELECT 1 | INFO | EXEC | MULTI
         c0: NOSUCH | GET | CLIENT NOSUCH
         c0: HELLO | HELLO 2 | HELLO 3
         c0: HELLO 3 SETNAME me
         c0: QUIT",
    ),
    (
        "AUTH, wrong and right",
        "c0: AUTH wrong
         c0: PING
         c0: AUTH default wrong | AUTH nobody secret | AUTH | AUTH default secret x
         c0: AUTH secret
         c0: PING
         c0: AUTH wrong
         c0: PING
         c0: AUTH default secret",
    ),
    (
        "HELLO with AUTH",
        "c0: HELLO 3 AUTH default wrong
         c0: PING
         c0: HELLO 3 AUTH default wrong SETNAME me
         c0: HELLO 3 AUTH default secret SETNAME me
         c0: CLIENT GETNAME | GET a
         c1: HELLO 2 SETNAME you AUTH default secret
         c1: CLIENT GETNAME | GET a
         c2: HELLO 4 AUTH default secret
         c2: PING
         c3: HELLO 3 NOSUCH
         c3: HELLO 3 AUTH nobody secret",
    ),
    (
        "in one write with what follows",
        "c0: GET a | AUTH secret | SET a x | GET a
         c1: AUTH wrong | GET a
         c2: MULTI | AUTH secret | MULTI | GET a | EXEC",
    ),
    (
        "it protects who waits",
        "c1: AUTH secret
         c1: BLPOP a 0
         c0: RPUSH a x
         c0: CLIENT KILL ID @c1 | CLIENT UNBLOCK @c1
         c0: AUTH default secret | CONFIG GET requirepass | CLIENT UNBLOCK @c1",
    ),
    (
        "who has not said it may not send much",
        r#"c0 raw 1: "*11\r\n"
         c1 raw 1: "*1\r\n$16385\r\n"
         c2 raw 1: "GET a\r\n""#,
    ),
];
