//! What a client may hold of the server: memory, room for output, places.

use super::*;

/// What the process has asked the kernel for, and what it uses, in bytes; `None` where nobody tells.
fn memory() -> Option<(u64, u64)> {
    const PAGE: u64 = 4096;
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = text.split(' ').map(|number| number.parse::<u64>());
    let asked = pages.next()?.ok()? * PAGE;
    Some((asked, pages.next()?.ok()? * PAGE))
}

#[test]
fn memory_follows_bytes_that_came_not_lengths_that_were_announced() {
    const CLIENTS: usize = 500;
    let mut server = Embedded::start();
    let Some((asked, used)) = memory() else {
        return;
    };
    let mut callers: Vec<_> = (0..CLIENTS).map(|_| server.caller()).collect();
    for caller in &mut callers {
        caller.send("*1000000\r\n$536870912\r\n");
    }
    server.await_clients(CLIENTS);
    let held = || server.ask(["CLIENT", "LIST"]).convert::<String>().unwrap();
    let is_held = |list: &String| list.matches(" qbuf=22 ").count() == CLIENTS;
    let mut held = held;
    eventually("all announcements are read", || is_held(&held()));
    let (asked_now, used_now) = memory().unwrap();
    // 500 times 512 MiB would be 250 GiB. The bounds leave room for the other tests of this process.
    assert!(
        asked_now.saturating_sub(asked) < 64 << 30,
        "{asked_now} {asked}"
    );
    assert!(used_now.saturating_sub(used) < 2 << 30, "{used_now} {used}");
}

#[test]
fn who_sends_more_than_may_be_held_is_closed_without_a_word() {
    let mut server = Embedded::with(config(|config| config.query_bytes_max = 100_000));
    let text = "x".repeat(99_000);
    for mut caller in server.both() {
        assert_eq!(caller.ask(["ECHO", &text]).as_str(), Some(&*text));
        let _ = caller.try_say(["ECHO", &"x".repeat(1_000_000)]);
        caller.expect_end();
    }
    server.await_clients(0);
}

#[test]
fn what_is_queued_in_a_transaction_counts_as_held() {
    let mut server = Embedded::with(config(|config| config.query_bytes_max = 100_000));
    let text = "x".repeat(10_000);
    for mut caller in server.both() {
        caller.send("MULTI\r\n");
        caller.expect("+OK\r\n");
        for _ in 0..9 {
            caller.say(["ECHO", &text]);
            caller.expect("+QUEUED\r\n");
        }
        // What was discarded is held no longer.
        caller.send("DISCARD\r\nMULTI\r\n");
        caller.expect("+OK\r\n+OK\r\n");
        let _ = caller.socket.write_all(&wire(["ECHO", &text]).repeat(20));
        let rest = caller.rest().len();
        assert!(rest < 11 * "+QUEUED\r\n".len(), "{rest} bytes of answers");
    }
    server.await_clients(0);
}

#[test]
fn who_is_blocked_may_send_ahead_up_to_the_limit() {
    let mut server = Embedded::with(config(|config| config.query_bytes_max = 100_000));
    let pings = |bytes: usize| "PING\r\n".repeat(bytes / 6);
    for mut caller in server.both() {
        caller.say(["BRPOP", "list", "0"]);
        server.await_blocked(1);
        for _ in 0..9 {
            caller.send(pings(10_000));
        }
        server.ask(["LPUSH", "list", "element"]);
        caller.expect(popped("list", "element"));
        caller.expect("+PONG\r\n".repeat(9 * (10_000 / 6)));
        // And beyond it.
        caller.say(["BRPOP", "list", "0"]);
        server.await_blocked(1);
        let _ = caller.socket.write_all(pings(1_000_000).as_bytes());
        caller.expect_end();
        server.await_clients(0);
        assert_eq!(server.ask(["LPUSH", "list", "left"]), Value::Int(1));
        server.ask(["DEL", "list"]);
    }
}

#[test]
fn who_never_reads_is_closed_while_others_are_served() {
    by_the_clock(|| {
        let limited = config(|config| config.output_bytes_max = 8 << 20);
        let mut server = Embedded::with(limited);
        let element = "x".repeat(1000);
        let elements = vec![&*element; 1000];
        server.ask([&["RPUSH", "list"][..], &elements].concat());
        let pinger = Pinger::start(&server);
        for mut caller in server.both() {
            // It goes on asking, or it would be left waiting with what has been answered.
            for _ in 0..100 {
                let asked = caller.socket.write_all(b"LRANGE list 0 -1\r\n");
                if asked.is_err() {
                    break;
                }
                thread::sleep(ms(1));
            }
            // The connection is closed while this end is still open: it has not been read from.
            server.await_clients(1);
            let got = caller.rest().len();
            assert!((1..32 << 20).contains(&got), "{got} bytes of 100 MB");
        }
        let took = pinger.finish();
        let p90 = percentile(&took, 90);
        assert!(p90 < ms(100), "{p90:?}, {} pings", took.len());
    });
}

#[test]
fn who_asks_for_much_at_once_and_reads_it_slowly_gets_it_all() {
    let limited = config(|config| config.output_bytes_max = 8 << 20);
    let mut server = Embedded::with(limited);
    let text = "x".repeat(1 << 20);
    server.ask(["SET", "text", &text]);
    for mut caller in server.both() {
        caller.send("GET text\r\n".repeat(40));
        for _ in 0..40 {
            thread::sleep(ms(1));
            caller.expect("$1048576\r\n");
            caller.expect(&text);
            caller.expect("\r\n");
        }
    }
}

#[test]
fn who_reads_slowly_gets_all_however_much_it_is() {
    let limited = config(|config| config.output_bytes_max = 8 << 20);
    let mut server = Embedded::with(limited);
    server.ask(["SET", "text", &"x".repeat(4 << 20)]);
    for mut caller in server.both() {
        for _ in 0..5 {
            caller.send("GET text\r\n");
            thread::sleep(ms(2));
            caller.expect("$4194304\r\n");
            caller.expect("x".repeat(4 << 20));
            caller.expect("\r\n");
        }
    }
}

#[test]
fn one_client_more_than_allowed_is_told_and_closed() {
    const MAX: usize = 5;
    // One place is taken by the connection that asks.
    let mut server = Embedded::with(config(|config| config.max_clients = MAX + 1));
    let mut callers: Vec<_> = (0..MAX).map(|_| server.caller()).collect();
    server.await_clients(MAX);
    for mut refused in server.both() {
        refused.expect("-ERR max number of clients reached\r\n");
        refused.expect_end();
    }
    assert_eq!(server.figure("rejected_connections"), 2);
    for caller in &mut callers {
        caller.send("PING\r\n");
        caller.expect("+PONG\r\n");
    }
    // A place is free again after one has left, in whichever way.
    for leave in [
        |mut caller: Caller| {
            caller.send("QUIT\r\n");
            caller.expect("+OK\r\n");
        },
        |mut caller: Caller| caller.send("BRPOP list 0\r\n"),
        |mut caller: Caller| caller.send("*x\r\n"),
    ] {
        leave(callers.pop().unwrap());
        server.await_clients(MAX - 1);
        let mut next = server.tcp_caller();
        next.send("PING\r\n");
        next.expect("+PONG\r\n");
        callers.push(next);
        let mut refused = server.caller();
        refused.expect("-ERR max number of clients reached\r\n");
        refused.expect_end();
    }
    let aftermath = server.end();
    assert_eq!(aftermath.stats.rejected, 5);
}
