//! Bytes that are no commands, and peers that behave as none should: it costs them their
//! connection, and nobody else anything.

use super::*;

/// More than a line may have before its end comes.
const ENDLESS: usize = 70_000;

/// A bystander on each kind of socket, who is there before and answered after.
struct Bystanders(Vec<Caller>);

impl Bystanders {
    fn of(server: &Embedded) -> Bystanders {
        Bystanders(server.both().collect())
    }

    #[track_caller]
    fn are_well(&mut self) {
        for caller in &mut self.0 {
            caller.send("PING\r\n");
            caller.expect("+PONG\r\n");
        }
    }
}

#[test]
fn what_is_no_command_is_told_and_ends_the_connection() {
    let mut server = Embedded::start();
    let mut bystanders = Bystanders::of(&server);
    let digits = "1".repeat(ENDLESS);
    for (bytes, why) in [
        (format!("*{digits}"), "too big mbulk count string"),
        (format!("*1\r\n${digits}"), "too big bulk count string"),
        ("a".repeat(ENDLESS), "too big inline request"),
        ("*x\r\n".into(), "invalid multibulk length"),
        ("*2147483648\r\n".into(), "invalid multibulk length"),
        (
            format!("*{}\r\n", &digits[..30]),
            "invalid multibulk length",
        ),
        ("*1\r\n!4\r\nPING\r\n".into(), "expected '$', got '!'"),
        ("*1\r\nPING\r\n".into(), "expected '$', got 'P'"),
        ("*1\r\n$-1\r\n".into(), "invalid bulk length"),
        ("*1\r\n$four\r\n".into(), "invalid bulk length"),
        ("*1\r\n$536870913\r\n".into(), "invalid bulk length"),
        ("ECHO \"a\r\n".into(), "unbalanced quotes in request"),
        ("ECHO 'a'b\r\n".into(), "unbalanced quotes in request"),
    ] {
        for mut caller in server.both() {
            // What comes before is answered, and what comes behind is nothing.
            caller.send("PING\r\n");
            caller.send(&bytes);
            if bytes.ends_with('\n') {
                let _ = caller.socket.write_all(b"LPUSH ghost boo\r\n");
            }
            caller.expect("+PONG\r\n");
            caller.expect(format!("-ERR Protocol error: {why}\r\n"));
            caller.expect_end();
        }
        bystanders.are_well();
    }
    server.await_clients(2);
    assert_eq!(server.ask(["EXISTS", "ghost"]), Value::Int(0));
}

#[test]
fn strangers_may_not_announce_much() {
    let secret = config(|config| config.password = Some(Password::new("secret")));
    let server = Embedded::with(secret);
    for (bytes, why) in [
        ("*11\r\n", "unauthenticated multibulk length"),
        ("*1\r\n$16385\r\n", "unauthenticated bulk length"),
    ] {
        for mut caller in server.both() {
            caller.send("PING\r\n");
            caller.expect("-NOAUTH Authentication required.\r\n");
            caller.send(bytes);
            caller.expect(format!("-ERR Protocol error: {why}\r\n"));
            caller.expect_end();
        }
    }
    for mut caller in server.both() {
        caller.send("AUTH wrong\r\nAUTH secret\r\n");
        caller.expect("-WRONGPASS invalid username-password pair or user is disabled.\r\n");
        caller.expect("+OK\r\n");
        let text = "x".repeat(20_000);
        assert_eq!(caller.ask(["ECHO", &text]).as_str(), Some(&*text));
        let many: Vec<&str> = [&["RPUSH", "list"], &["x"; 10][..]].concat();
        caller.say(many);
        assert!(caller.reply().as_int().is_some());
    }
}

#[test]
fn a_web_browser_is_hung_up_on() {
    let mut server = Embedded::start();
    let mut bystanders = Bystanders::of(&server);
    for request in [
        "POST / HTTP/1.1\r\n",
        "post /\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n",
        "PING\r\nHost: localhost\r\n",
        "*1\r\n$4\r\nPOST\r\n",
    ] {
        for mut caller in server.both() {
            // The body of a request is what a page on the web could do harm with.
            caller.send([request, "\r\nLPUSH ghost boo\r\n"].concat());
            caller.expect_end();
        }
        bystanders.are_well();
    }
    server.await_clients(2);
    assert_eq!(server.ask(["EXISTS", "ghost"]), Value::Int(0));
}

#[test]
fn random_bytes_do_no_harm() {
    let mut server = Embedded::start();
    let mut bystanders = Bystanders::of(&server);
    let mut state = 0x9e37_79b9_u32;
    let mut random = move |below: u32| {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state % below
    };
    const PIECES: [&[u8]; 12] = [
        b"*",
        b"$",
        b"\r\n",
        b"\n",
        b"1",
        b"3",
        b"-1",
        b"\"",
        b"LPUSH",
        b"BRPOP k 0",
        b" ",
        b"\0\xff",
    ];
    for _ in 0..300 {
        let mut caller = server.caller();
        let pieces = (0..random(60)).map(|_| PIECES[random(12) as usize]);
        let bytes = pieces.collect::<Vec<_>>().concat();
        caller.send(&bytes);
        if random(2) == 0 {
            caller.socket.shutdown(Shutdown::Write).unwrap();
            caller.rest();
        }
    }
    bystanders.are_well();
    server.await_clients(2);
}

#[test]
fn a_session_may_come_one_byte_at_a_time() {
    let server = Embedded::start();
    let session = [
        &b"PING\r\nSET key \"a \\x41\"\r\n\r\n"[..],
        &wire(["GET", "key"]),
        &wire(["RPUSH", "list", "", "two\r\n", "three"]),
        b"*0\r\n*-1\r\nLRANGE list 0 -1\r\n",
        &wire(["BLPOP", "none", "list", "0"]),
        b"MULTI\r\nLLEN list\r\nEXEC\r\nnosuch\r\nQUIT\r\n",
    ]
    .concat();
    for mut caller in server.both() {
        // Each byte is a segment, and most come alone.
        caller.socket.set_tcp_nodelay(true).unwrap_or_default();
        for (number, byte) in session.iter().enumerate() {
            caller.send([*byte]);
            if number % 8 == 0 {
                thread::sleep(Duration::from_micros(200));
            }
        }
        caller.expect("+PONG\r\n+OK\r\n$3\r\na A\r\n:3\r\n");
        caller.expect(wire(["", "two\r\n", "three"]));
        caller.expect(popped("list", ""));
        caller.expect("+OK\r\n+QUEUED\r\n*1\r\n:2\r\n");
        caller.expect("-ERR unknown command 'nosuch', with args beginning with: \r\n+OK\r\n");
        caller.expect_end();
        server.caller().ask(["DEL", "list"]);
    }
}

#[test]
fn who_says_nothing_more_is_answered_what_was_asked() {
    let mut server = Embedded::start();
    server.ask(["RPUSH", "list", "element"]);
    for mut caller in server.both() {
        caller.send("PING\r\nLLEN list\r\nECHO unfini");
        caller.socket.shutdown(Shutdown::Write).unwrap();
        caller.expect("+PONG\r\n:1\r\n");
        caller.expect_end();
    }
    server.await_clients(0);
}

#[test]
fn who_says_nothing_more_while_blocked_waits_no_longer() {
    let mut server = Embedded::start();
    for mut caller in server.both() {
        caller.say(["BRPOP", "list", "0"]);
        server.await_blocked(1);
        caller.socket.shutdown(Shutdown::Write).unwrap();
        caller.expect_end();
        server.await_clients(0);
        assert_eq!(server.figure("blocked_clients"), 0);
        assert_eq!(server.ask(["LPUSH", "list", "x"]), Value::Int(1));
        assert_eq!(server.ask(["DEL", "list"]), Value::Int(1));
    }
}

#[test]
fn a_connection_that_is_reset_is_one_that_has_ended() {
    let mut server = Embedded::start();
    let reset = |caller: Caller| {
        caller.socket.set_linger(Some(Duration::ZERO)).unwrap();
        drop(caller);
    };
    // Blocked.
    let mut blocked = server.tcp_caller();
    blocked.say(["BRPOP", "list", "0"]);
    server.await_blocked(1);
    reset(blocked);
    server.await_clients(0);
    // In the middle of a command.
    let mut partial = server.tcp_caller();
    partial.send("*2\r\n$4\r\nECHO\r\n$1000000\r\nx");
    server.await_clients(1);
    reset(partial);
    server.await_clients(0);
    // With answers under way that are more than fit.
    server.ask(["SET", "text", &"x".repeat(1 << 20)]);
    let mut deaf = server.tcp_caller();
    deaf.send("GET text\r\n".repeat(20));
    deaf.expect("$1048576\r\n");
    reset(deaf);
    server.await_clients(0);
    assert_eq!(server.figure("blocked_clients"), 0);
}
