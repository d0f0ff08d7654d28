//! Who waits for an element, and who gets it: the one that has waited longest, once, and never one
//! that has left.

use super::*;

const NIL: &str = "*-1\r\n";

/// Clients that wait in `BRPOP list 0`, in this order.
fn waiters(server: &mut Embedded, count: usize) -> Vec<Caller> {
    let waiter = |number: usize| {
        let mut caller = match number % 2 {
            0 => server.caller(),
            _ => server.tcp_caller(),
        };
        caller.say(["BRPOP", "list", "0"]);
        server.await_blocked(number + 1);
        caller
    };
    (0..count).map(waiter).collect()
}

fn list(server: &mut Embedded) -> Vec<String> {
    let list = server.ask(["LRANGE", "list", "0", "-1"]);
    list.convert().unwrap()
}

#[test]
fn a_hundred_clients_are_served_in_the_order_in_which_they_came() {
    let mut server = Embedded::start();
    let mut callers = waiters(&mut server, 100);
    for (number, caller) in callers.iter_mut().enumerate() {
        let element = number.to_string();
        assert_eq!(server.ask(["LPUSH", "list", &element]), Value::Int(1));
        caller.expect(popped("list", &element));
        server.await_blocked(99 - number);
    }
    assert_eq!(server.ask(["EXISTS", "list"]), Value::Int(0));
}

#[test]
fn one_push_of_a_hundred_elements_serves_them_in_that_order_too() {
    let mut server = Embedded::start();
    let mut callers = waiters(&mut server, 100);
    let elements: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    let push = [vec!["LPUSH".into(), "list".into()], elements.clone()].concat();
    assert_eq!(server.ask(push), Value::Int(100));
    for (caller, element) in callers.iter_mut().zip(&elements) {
        caller.expect(popped("list", element));
    }
}

#[test]
fn three_elements_serve_three() {
    let mut server = Embedded::start();
    let mut callers = waiters(&mut server, 5);
    assert_eq!(server.ask(["LPUSH", "list", "a", "b", "c"]), Value::Int(3));
    for (caller, element) in callers.iter_mut().zip(["a", "b", "c"]) {
        caller.expect(popped("list", element));
    }
    server.await_blocked(2);
    assert_eq!(server.ask(["EXISTS", "list"]), Value::Int(0));
    server.ask(["LPUSH", "list", "d", "e", "f"]);
    for (caller, element) in callers[3..].iter_mut().zip(["d", "e"]) {
        caller.expect(popped("list", element));
    }
    assert_eq!(list(&mut server), ["f"]);
}

#[test]
fn who_leaves_takes_nothing() {
    let mut server = Embedded::start();
    let mut stays = server.caller();
    for round in 0..1000 {
        let mut leaves = match round % 2 {
            0 => server.caller(),
            _ => server.tcp_caller(),
        };
        leaves.say(["BRPOP", "list", "0"]);
        server.await_blocked(1);
        stays.say(["BRPOP", "list", "0"]);
        server.await_blocked(2);
        drop(leaves);
        server.await_blocked(1);
        let element = round.to_string();
        server.ask(["LPUSH", "list", &element]);
        stays.expect(popped("list", &element));
    }
    assert_eq!(server.ask(["EXISTS", "list"]), Value::Int(0));
}

/// To the microsecond, which a sleep does not keep to.
fn spin_until(time: Instant) {
    while Instant::now() < time {
        std::hint::spin_loop();
    }
}

/// A client that leaves says so by closing its half, and still reads what was on its way.
#[test]
fn who_leaves_while_an_element_comes_has_it_or_has_not() {
    const ROUNDS: usize = 500;
    let mut server = Embedded::start();
    let mut pusher = server.caller();
    let mut delivered = 0;
    for round in 0..ROUNDS {
        let element = round.to_string();
        let mut leaver = server.caller();
        leaver.say(["BRPOP", "list", "0"]);
        server.await_blocked(1);
        // From 300 µs in front of the push to as much behind it.
        let [ahead, behind] = [round, ROUNDS - round].map(|part| part as u64 * 600 / ROUNDS as u64);
        let start = Instant::now() + Duration::from_micros(300);
        thread::scope(|scope| {
            scope.spawn(|| {
                spin_until(start + Duration::from_micros(ahead));
                leaver.socket.shutdown(Shutdown::Write).unwrap();
            });
            spin_until(start + Duration::from_micros(behind));
            assert_eq!(pusher.ask(["LPUSH", "list", &element]), Value::Int(1));
        });
        let got = leaver.rest().to_vec();
        let left = list(&mut server);
        if got.is_empty() {
            assert_eq!(left, [element], "round {round}: it is lost");
            server.ask(["DEL", "list"]);
        } else {
            assert_eq!(got, popped("list", &element), "round {round}");
            assert_eq!(left, [""; 0], "round {round}: it is there twice");
            delivered += 1;
        }
        server.await_clients(1);
    }
    assert!((1..ROUNDS).contains(&delivered), "there was no race");
}

#[test]
fn a_thousand_clients_are_unblocked() {
    const CLIENTS: usize = 1000;
    let mut server = Embedded::start();
    let mut callers: Vec<_> = (0..CLIENTS).map(|_| server.caller()).collect();
    let ids: Vec<_> = callers.iter_mut().map(Caller::id).collect();
    for caller in &mut callers {
        caller.say(["BRPOP", "list", "other", "0"]);
    }
    server.await_blocked(CLIENTS);
    let mut other = server.tcp_caller();
    let ways = ["TIMEOUT", "ERROR"];
    let unblock =
        |(number, id): (usize, &String)| wire(["CLIENT", "UNBLOCK", id, ways[number % 2]]);
    let all: Vec<_> = ids.iter().enumerate().map(unblock).collect();
    other.send(all.concat());
    other.expect(":1\r\n".repeat(CLIENTS));
    other.send(all.concat());
    other.expect(":0\r\n".repeat(CLIENTS));
    for (number, caller) in callers.iter_mut().enumerate() {
        caller.expect(match number % 2 {
            0 => NIL,
            _ => "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n",
        });
        caller.send("PING\r\n");
        caller.expect("+PONG\r\n");
    }
    assert_eq!(server.figure("blocked_clients"), 0);
    server.ask(["LPUSH", "list", "x"]);
    assert_eq!(server.ask(["LLEN", "list"]), Value::Int(1));
}

#[test]
fn a_client_that_is_killed_while_blocked_takes_nothing() {
    let mut server = Embedded::start();
    for mut caller in server.both() {
        let id = caller.id();
        caller.say(["BRPOP", "list", "0"]);
        server.await_blocked(1);
        let mut other = server.caller();
        // In one write: the element comes before the session of the victim has run.
        other.send(["CLIENT KILL ID ", &id, "\r\nLPUSH list x\r\nLLEN list\r\n"].concat());
        other.expect(":1\r\n:1\r\n:1\r\n");
        caller.expect_end();
        server.ask(["DEL", "list"]);
    }
}

#[test]
fn nothing_waits_in_a_transaction() {
    let server = Embedded::start();
    for mut caller in server.both() {
        caller.send("MULTI\r\nBRPOP none 0\r\nBLPOP none 0\r\nBLMOVE none to LEFT LEFT 0\r\n");
        caller.send("BRPOPLPUSH none to 0\r\nBLMPOP 0 1 none LEFT\r\nRPUSH list a b\r\n");
        caller.send("BLPOP none list 0\r\nBLMOVE list to LEFT LEFT 0\r\nEXEC\r\n");
        caller.expect("+OK\r\n");
        caller.expect("+QUEUED\r\n".repeat(8));
        caller.expect("*8\r\n*-1\r\n*-1\r\n$-1\r\n$-1\r\n*-1\r\n:2\r\n");
        caller.expect(popped("list", "a"));
        caller.expect("$1\r\nb\r\n");
    }
}

#[test]
fn what_a_transaction_pushes_is_given_away_when_it_is_over() {
    let mut server = Embedded::start();
    let mut callers = waiters(&mut server, 2);
    let mut other = server.caller();
    other.send("MULTI\r\nLPUSH list a\r\nRPOP list\r\nLPUSH list b c\r\nLLEN list\r\nEXEC\r\n");
    other.expect("+OK\r\n");
    other.expect("+QUEUED\r\n".repeat(4));
    other.expect("*4\r\n:1\r\n$1\r\na\r\n:2\r\n:2\r\n");
    for (caller, element) in callers.iter_mut().zip(["b", "c"]) {
        caller.expect(popped("list", element));
    }
}

#[test]
fn a_chain_of_moves_runs_to_its_end() {
    const LINKS: usize = 100;
    let mut server = Embedded::start();
    let mut callers = Vec::new();
    for link in 0..LINKS {
        let mut caller = server.caller();
        let (from, to) = (link.to_string(), (link + 1).to_string());
        caller.say(["BLMOVE", &from, &to, "LEFT", "RIGHT", "0"]);
        callers.push(caller);
    }
    server.await_blocked(LINKS);
    server.ask(["LPUSH", "0", "ball"]);
    for caller in &mut callers {
        caller.expect("$4\r\nball\r\n");
    }
    let end = LINKS.to_string();
    assert_eq!(server.ask(["LPOP", &end]).as_str(), Some("ball"));
}
