//! The end: everybody is told what was answered and nothing else, nobody holds it up for long, and
//! nothing is left.

use super::*;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

/// Nobody listens any more, at neither place.
fn is_refused(socket: &Path, tcp: SocketAddr) {
    UnixStream::connect(socket).expect_err("nobody listens at the UNIX socket");
    TcpStream::connect(tcp).expect_err("nobody listens at the port");
}

/// Ends a server with 1,000 blocked clients and some that do other things.
fn ends_with_a_thousand_blocked(end: impl FnOnce(&mut Embedded)) {
    const CLIENTS: usize = 1000;
    let mut server = Embedded::start();
    let mut callers: Vec<_> = (0..CLIENTS / 2).flat_map(|_| server.both()).collect();
    for caller in &mut callers {
        caller.say(["BRPOP", "list", "0"]);
    }
    server.await_blocked(CLIENTS);
    callers.extend(server.both());
    let mut partial = server.caller();
    partial.send("*2\r\n$4\r\nECHO\r\n$10\r\nx");
    callers.push(partial);
    server.await_clients(CLIENTS + 3);
    let begin = Instant::now();
    end(&mut server);
    for caller in &mut callers {
        caller.expect_end();
    }
    server.hosted.await_end();
    assert!(begin.elapsed() < secs(5), "{:?}", begin.elapsed());
    is_refused(&server.hosted.socket(), server.hosted.tcp());
}

#[test]
fn the_command_shutdown_ends_a_server_with_a_thousand_blocked_clients() {
    ends_with_a_thousand_blocked(Embedded::tell_to_end);
}

#[test]
fn the_call_of_shutdown_ends_a_server_with_a_thousand_blocked_clients() {
    ends_with_a_thousand_blocked(|server| server.hosted.call_shutdown());
}

#[test]
fn a_server_without_clients_ends_at_once() {
    for _ in 0..20 {
        let mut server = Embedded::start();
        server.control.send("QUIT\r\n");
        server.control.expect("+OK\r\n");
        server.control.expect_end();
        let begin = Instant::now();
        server.hosted.call_shutdown();
        server.hosted.await_end();
        assert!(begin.elapsed() < secs(2), "{:?}", begin.elapsed());
        is_refused(&server.hosted.socket(), server.hosted.tcp());
    }
}

#[test]
fn what_was_answered_is_delivered_before_the_end() {
    const SIZE: usize = 8 << 20;
    for by_command in [true, false] {
        let mut server = Embedded::with(config(|config| config.drain = secs(10)));
        server.ask(["SET", "text", &"x".repeat(SIZE)]);
        let mut callers: Vec<_> = server.both().collect();
        for caller in &mut callers {
            caller.send("GET text\r\n");
            // The answer has begun, so that the command was executed.
            caller.expect(format!("${SIZE}\r\n"));
        }
        match by_command {
            true => server.tell_to_end(),
            false => server.hosted.call_shutdown(),
        }
        server.control.expect_end();
        for caller in &mut callers {
            thread::sleep(ms(20));
            caller.expect("x".repeat(SIZE));
            caller.expect("\r\n");
            caller.expect_end();
        }
        server.hosted.await_end();
    }
}

#[test]
fn who_does_not_read_holds_up_the_end_for_as_long_as_was_configured() {
    let drain = ms(300);
    let mut server = Embedded::with(config(|config| config.drain = drain));
    server.ask(["SET", "text", &"x".repeat(64 << 20)]);
    let mut callers: Vec<_> = server.both().collect();
    for caller in &mut callers {
        caller.send("GET text\r\n");
        caller.expect("$67108864\r\n");
    }
    let begin = Instant::now();
    server.hosted.call_shutdown();
    server.hosted.await_end();
    let took = begin.elapsed();
    assert!((drain..drain + secs(2)).contains(&took), "{took:?}");
    for caller in &mut callers {
        let got = caller.rest().len();
        assert!(got < 64 << 20, "the connection was cut");
    }
}

#[test]
fn what_comes_after_the_end_has_begun_is_not_executed() {
    let mut server = Embedded::with(config(|config| config.drain = secs(2)));
    let mut caller = server.caller();
    caller.send("LPUSH list a\r\nSHUTDOWN\r\nLPUSH list b\r\n");
    let got = caller.rest();
    // As in Redis, nobody is there to send the answer that came before.
    assert!(got.is_empty() || got == b":1\r\n", "{}", got.escape_ascii());
    server.hosted.await_end();
}

#[test]
fn a_shutdown_that_is_not_one_is_refused() {
    let mut server = Embedded::start();
    for (words, why) in [
        ("SAVE NOSAVE", "ERR syntax error"),
        ("SOON", "ERR syntax error"),
        ("ABORT", "ERR No shutdown in progress."),
    ] {
        server.control.send(format!("SHUTDOWN {words}\r\n"));
        server.control.expect(format!("-{why}\r\n"));
    }
    server.control.send("MULTI\r\nSHUTDOWN\r\n");
    server
        .control
        .expect("+OK\r\n-ERR Command not allowed inside a transaction\r\n");
    server.control.send("DISCARD\r\n");
    server.control.expect("+OK\r\n");
}

#[test]
fn connects_that_come_during_the_end_are_refused_or_closed() {
    for _ in 0..10 {
        let mut server = Embedded::start();
        let (socket, tcp) = (server.hosted.socket(), server.hosted.tcp());
        let connects = thread::spawn(move || {
            while let Ok(mut stream) = UnixStream::connect(&socket) {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                // Closed before or after this, the answer is an end and not a silence.
                let _ = stream.write_all(b"PING\r\n");
                match stream.read(&mut [0; 7]) {
                    Ok(0 | 7) => {}
                    Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
                    other => panic!("{other:?}"),
                }
            }
        });
        thread::sleep(ms(2));
        server.tell_to_end();
        server.hosted.await_end();
        connects.join().unwrap();
        is_refused(&server.hosted.socket(), tcp);
    }
}
