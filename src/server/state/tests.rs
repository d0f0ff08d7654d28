//! The server without a socket: what is sent, what is answered, and who is woken.

use super::*;
use crate::time::{ms, secs};

/// A server, and a clock that is moved by hand.
struct House {
    state: State,
}

impl House {
    fn new() -> House {
        House::with(Config::default())
    }

    fn with(config: Config) -> House {
        House {
            state: State::new(config, Time::ZERO),
        }
    }

    fn guest(&mut self) -> Key {
        let peer = Endpoint::Unix("".into());
        self.state.connect(peer, "here:0".into()).expect("room")
    }

    fn says(&mut self, guest: Key, text: &str) {
        self.state.receive(guest, text.as_bytes());
    }

    /// What a guest was answered since the last time.
    fn hears(&mut self, guest: Key) -> String {
        let client = self.state.clients.get_mut(guest).expect("a guest");
        let text = String::from_utf8(client.output.unsent().to_vec()).expect("text");
        client.output.sent(text.len());
        self.state.check_output(guest);
        text.replace("\r\n", ".")
    }

    fn asks(&mut self, guest: Key, text: &str) -> String {
        self.says(guest, text);
        self.hears(guest)
    }
}

#[test]
fn a_push_serves_those_who_have_waited_longest() {
    let mut house = House::new();
    let waiters = [house.guest(), house.guest(), house.guest()];
    let pusher = house.guest();
    for waiter in waiters {
        assert_eq!(house.asks(waiter, "BRPOP list 0\r\n"), "");
    }
    assert_eq!(house.asks(pusher, "LPUSH list a b\r\n"), ":2.");
    assert_eq!(house.hears(waiters[0]), "*2.$4.list.$1.a.");
    assert_eq!(house.hears(waiters[1]), "*2.$4.list.$1.b.");
    assert_eq!(house.hears(waiters[2]), "");
    assert_eq!(house.asks(pusher, "EXISTS list\r\n"), ":0.");
    assert_eq!(house.state.stats().blocked, 1);
}

#[test]
fn who_has_left_takes_nothing() {
    let mut house = House::new();
    let (leaver, stayer, pusher) = (house.guest(), house.guest(), house.guest());
    house.says(leaver, "BLPOP a b 0\r\n");
    house.says(stayer, "BLPOP b a 0\r\n");
    house.state.disconnect(leaver);
    assert_eq!(house.asks(pusher, "RPUSH a 1\r\n"), ":1.");
    assert_eq!(house.hears(stayer), "*2.$1.a.$1.1.");
    assert_eq!(house.state.stats().blocked, 0);
}

#[test]
fn a_wait_ends_for_one_reason_only() {
    let mut house = House::new();
    let (waiter, other) = (house.guest(), house.guest());
    house.says(waiter, "BRPOP list 1\r\n");
    assert!(house.state.answer(waiter, None));
    assert!(!house.state.answer(waiter, None));
    house.says(other, "LPUSH list x\r\n");
    assert_eq!(house.hears(waiter), "*-1.");
    assert_eq!(house.hears(other), ":1.");
    assert_eq!(house.asks(other, "LLEN list\r\n"), ":1.");
}

#[test]
fn what_stands_behind_a_wait_is_executed_after_it() {
    let mut house = House::new();
    let (waiter, pusher) = (house.guest(), house.guest());
    assert_eq!(
        house.asks(waiter, "PING\r\nBRPOP list 0\r\nPING\r\nPI"),
        "+PONG."
    );
    house.says(waiter, "NG\r\n");
    house.says(pusher, "LPUSH list x\r\n");
    assert_eq!(house.hears(waiter), "*2.$4.list.$1.x.");
    house.state.go_on(waiter);
    assert_eq!(house.hears(waiter), "+PONG.+PONG.");
    let client = house.state.clients.get(waiter).expect("a guest");
    assert!(client.input.is_none(), "nothing is left to be kept");
}

#[test]
fn one_client_has_a_budget_in_each_turn() {
    let mut house = House::new();
    let guest = house.guest();
    let pings = "PING\r\n".repeat(COMMANDS_PER_TURN_MAX + 1);
    house.says(guest, &pings);
    assert_eq!(
        house.hears(guest).len(),
        "+PONG.".len() * COMMANDS_PER_TURN_MAX
    );
    assert!(house.state.clients.get(guest).expect("a guest").is_behind);
    house.state.go_on(guest);
    assert_eq!(house.hears(guest), "+PONG.");
    assert!(!house.state.clients.get(guest).expect("a guest").is_behind);
}

#[test]
fn much_output_is_written_before_more_is_made() {
    let mut house = House::new();
    let guest = house.guest();
    let text = "x".repeat(OUTPUT_PER_TURN_MAX / 2);
    house.says(
        guest,
        &format!(
            "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n${}\r\n{text}\r\n",
            text.len()
        ),
    );
    house.hears(guest);
    house.says(guest, &"GET key\r\n".repeat(4));
    let at_once = house.hears(guest).len();
    assert!(
        (2 * text.len()..3 * text.len()).contains(&at_once),
        "{at_once}"
    );
    house.state.go_on(guest);
    assert!(house.hears(guest).len() > 2 * text.len());
}

#[test]
fn who_reads_slowly_what_it_has_asked_for_is_served_at_its_own_pace() {
    let mut house = House::new();
    let guest = house.guest();
    let text = "x".repeat(OUTPUT_PER_TURN_MAX / 4);
    house.says(
        guest,
        &format!(
            "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n${}\r\n{text}\r\n",
            text.len()
        ),
    );
    house.hears(guest);
    house.says(guest, &"GET key\r\n".repeat(40));
    let (mut sent, mut held) = (0, 0);
    while sent < 40 * text.len() {
        let output = &mut house.state.clients.get_mut(guest).expect("a guest").output;
        let count = output.unsent().len().min(100_000);
        output.sent(count);
        sent += count;
        held = held.max(output.capacity());
        house.state.check_output(guest);
        house.state.go_on(guest);
    }
    assert!(held < 6 * OUTPUT_PER_TURN_MAX, "{held} bytes held");
}

#[test]
fn a_long_queue_behind_a_wait_is_executed_in_order() {
    let mut house = House::new();
    let (waiter, pusher) = (house.guest(), house.guest());
    let rounds = 5 * COMMANDS_PER_TURN_MAX;
    house.says(waiter, "BRPOP list 0\r\n");
    for number in 0..rounds {
        house.says(waiter, &format!("ECHO {number}\r\n"));
    }
    house.says(pusher, "LPUSH list x\r\n");
    let mut heard = house.hears(waiter);
    for turn in 1..=5 {
        house.state.go_on(waiter);
        let is_behind = house.state.clients.get(waiter).expect("a guest").is_behind;
        assert_eq!(is_behind, turn < 5);
        heard += &house.hears(waiter);
    }
    let popped = "*2.$4.list.$1.x.";
    let answer = |number: usize| format!("${}.{number}.", number.to_string().len());
    let answers: String = (0..rounds).map(answer).collect();
    assert!(heard == format!("{popped}{answers}"), "not in order");
}

#[test]
fn a_key_runs_out_on_time() {
    let mut house = House::new();
    let guest = house.guest();
    assert_eq!(house.asks(guest, "SET key value PX 10\r\n"), "+OK.");
    house.state.keyspace.now = Time::ZERO + ms(10);
    assert_eq!(house.asks(guest, "GET key\r\n"), "$-1.");
    assert_eq!(house.asks(guest, "SET key value EX 10\r\n"), "+OK.");
    assert_eq!(house.asks(guest, "SET key other KEEPTTL\r\n"), "+OK.");
    house.state.keyspace.now = Time::ZERO + secs(9);
    assert_eq!(house.asks(guest, "GET key\r\n"), "$5.other.");
    house.state.keyspace.now = Time::ZERO + secs(11);
    assert_eq!(house.asks(guest, "LPUSH key x\r\n"), ":1.");
}

#[test]
fn whoever_has_not_signed_in_may_do_little() {
    let mut house = House::with(Config {
        password: Some(crate::Password::new("secret")),
        ..Config::default()
    });
    let guest = house.guest();
    let refused = "-NOAUTH Authentication required..";
    assert_eq!(house.asks(guest, "GET key\r\n"), refused);
    let wrong = house.asks(guest, "AUTH secre\r\n");
    assert!(wrong.starts_with("-WRONGPASS "), "{wrong}");
    assert_eq!(house.asks(guest, "GET key\r\n"), refused);
    assert_eq!(house.asks(guest, "AUTH secret\r\nGET key\r\n"), "+OK.$-1.");
}

#[test]
fn limits_close_the_connection_that_breaks_them() {
    let mut house = House::with(Config {
        query_bytes_max: 100,
        output_bytes_max: 100,
        ..Config::default()
    });
    let (sender, reader) = (house.guest(), house.guest());
    let end = |house: &House, guest| house.state.clients.get(guest).expect("a guest").end;

    house.says(sender, &format!("*1\r\n$200\r\n{}", "x".repeat(80)));
    assert_eq!(end(&house, sender), End::Open);
    house.says(sender, &"x".repeat(80));
    assert_eq!(end(&house, sender), End::Now);

    let echo = format!("ECHO {}\r\n", "x".repeat(60));
    for (times, expected) in [(1, End::Open), (2, End::Now)] {
        house.says(reader, &echo.repeat(times));
        house.state.check_output(reader);
        assert_eq!(end(&house, reader), expected);
    }
}

#[test]
fn there_is_room_for_so_many_and_again_when_one_leaves() {
    let mut house = House::with(Config {
        max_clients: 2,
        ..Config::default()
    });
    let (first, _) = (house.guest(), house.guest());
    let knock = |house: &mut House| {
        let peer = Endpoint::Unix("".into());
        house.state.connect(peer, "here:0".into())
    };
    assert!(knock(&mut house).is_none());
    house.state.end(first, End::Now);
    assert!(knock(&mut house).is_some());
    assert_eq!(house.state.stats().rejected, 1);
}
