//! The shared connection, and pipelines.

use super::*;

#[test]
fn what_many_tasks_ask_in_one_turn_leaves_in_one_write() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect_command(&["PING"]);
        link.say(b"+PONG\r\n");
        for _ in 0..100 {
            link.expect_command(&["GET", "key"]);
        }
        link.say(&b"_\r\n".repeat(100));
        link.expect_end();
    });
    let (mut hub, tap) = tapped();
    let redis = open(&mut hub, &peer, Config::default());
    let asked = redis.ping(&mut hub).unwrap();
    answer(&mut hub, asked).unwrap();
    tap.writes();
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            hub.spawn(move |hub, wake| match wake {
                Wake::Start => redis.get(hub, "key"),
                wake => wake.reply().map(|_| Wait::done()),
            })
        })
        .collect();
    hub.join_all(&tasks).unwrap();
    assert_eq!(tap.writes(), [100 * wire(&["GET", "key"]).len()]);
}

#[test]
fn what_was_asked_before_the_connect_leaves_in_one_write() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        for _ in 0..10 {
            link.expect_command(&["GET", "key"]);
        }
        link.say(&b"_\r\n".repeat(10));
        link.expect_end();
    });
    let (mut hub, tap) = tapped();
    let redis = open(&mut hub, &peer, Config::default());
    let asked = [(); 10].map(|()| redis.get(&mut hub, "key").unwrap());
    for asked in asked {
        answer(&mut hub, asked).unwrap();
    }
    assert_eq!(tap.writes(), [10 * wire(&["GET", "key"]).len()]);
}

#[test]
fn a_blocked_pop_holds_up_no_other_command() {
    let peer = Peer::unix(|door| {
        let mut blocked = door.accept();
        expect_pop(&mut blocked, "a");
        let mut shared = door.accept();
        shared.expect_command(&["LPUSH", "a", "x"]);
        shared.say(b":1\r\n");
        blocked.say(b"*2\r\n$1\r\na\r\n$1\r\nx\r\n");
        blocked.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, Config::default());
    let pop = redis.brpop(&mut hub, "a", SECOND).unwrap();
    hub.turn().unwrap();
    let push = redis.lpush(&mut hub, "a", "x").unwrap();
    answer(&mut hub, push).unwrap();
    answer(&mut hub, pop).unwrap();
}

#[test]
fn a_command_that_would_change_the_shared_connection_is_refused_and_not_sent() {
    let peer = Peer::unix(|door| door.expect_nobody(ms(20)));
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, Config::default());
    for name in ["SELECT", "subscribe", "MULTI", "Auth", "WATCH", "MONITOR"] {
        let command = Command::new(name).arg("1");
        let error = redis.send(&mut hub, command).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
        assert!(error.to_string().contains(name), "it names {name}: {error}");
    }
    for way in ["REPLY", "reply"] {
        let command = Command::new("CLIENT").arg(way).arg("OFF");
        let error = redis.send(&mut hub, command).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    }
    let error = redis.send(&mut hub, Command::new("")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    hub.run().unwrap();
    peer.join();
}

#[test]
fn a_command_with_any_number_of_replies_is_refused_and_not_sent() {
    let peer = Peer::unix(|door| door.expect_nobody(ms(20)));
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, Config::default());
    for words in [
        "UNSUBSCRIBE",
        "PUnsubscribe *",
        "SUNSUBSCRIBE channel",
        "replconf ACK 0",
        "SCRIPT DEBUG YES",
        "script debug sync",
    ] {
        let (name, args) = words.split_once(' ').unwrap_or((words, ""));
        let args: Vec<_> = args.split(' ').collect();
        let command = || Command::new(name).arg(&args[..]);
        let error = redis.send(&mut hub, command()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
        assert!(error.to_string().contains(name), "it names {name}: {error}");
        let pipeline = Pipeline::new().command(command());
        let error = redis.send_all(&mut hub, pipeline).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    }
    hub.run().unwrap();
    peer.join();
}

#[test]
fn a_command_that_would_change_its_connection_is_refused_also_on_one_of_its_own() {
    let peer = Peer::unix(|door| door.expect_nobody(ms(20)));
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, Config::default());
    for name in ["SELECT", "MULTI", "subscribe", "AUTH", "UNSUBSCRIBE"] {
        for timeout in [SECOND, Timeout::Forever] {
            let command = Command::new(name).arg("1").blocking(timeout);
            let error = redis.send(&mut hub, command).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
            assert!(error.to_string().contains(name), "it names {name}: {error}");
        }
    }
    for (name, arg) in [("CLIENT", "REPLY"), ("SCRIPT", "DEBUG")] {
        let command = Command::new(name).arg(arg).arg("NO").blocking(SECOND);
        let error = redis.send(&mut hub, command).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    }
    hub.run().unwrap();
    peer.join();
}

#[test]
fn a_transaction_cannot_change_the_shared_connection() {
    let peer = Peer::unix(|door| door.expect_nobody(ms(20)));
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, Config::default());
    let select = || Command::new("SELECT").arg(1);
    let refused = [
        select(),
        select().blocking(SECOND),
        Command::new("UNSUBSCRIBE"),
        Command::new("SCRIPT").arg("DEBUG").arg("YES"),
    ];
    for command in refused {
        let pipeline = Pipeline::new()
            .command(Command::new("MULTI"))
            .command(command)
            .command(Command::new("EXEC"));
        let error = redis.send_all(&mut hub, pipeline).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    }
    hub.run().unwrap();
    peer.join();
}

#[test]
fn a_pipeline_arrives_in_one_piece_and_its_errors_stand_in_their_places() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        let commands: [&[&str]; 3] = [&["INCR", "n"], &["LPUSH", "n", "x"], &["GET", "n"]];
        link.expect(&commands.map(wire).concat());
        link.expect_command(&["PING"]);
        link.say(b":1\r\n");
        link.say(b"-WRONGTYPE no list\r\n$1\r\n1\r\n+PONG\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, Config::default());
    let pipeline = Pipeline::new()
        .command(Command::new("INCR").arg("n"))
        .command(Command::new("LPUSH").arg("n").arg("x"))
        .command(Command::new("GET").arg("n"));
    let asked = redis.send_all(&mut hub, pipeline).unwrap();
    let ping = redis.ping(&mut hub).unwrap();
    let reply = answer(&mut hub, asked).unwrap();
    let wanted = [
        Value::Int(1),
        Value::Error("WRONGTYPE no list".into()),
        Value::Bulk("1".into()),
    ];
    assert_eq!(reply.value().as_slice(), Some(&wanted[..]));
    let pong = answer(&mut hub, ping).unwrap();
    assert_eq!(pong.value(), &Value::Simple("PONG".into()));
}

#[test]
fn a_pipeline_of_one_command_is_answered_with_an_array_of_one() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect_command(&["PING"]);
        link.say(b"+PONG\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, Config::default());
    let pipeline = Pipeline::new().command(Command::new("PING"));
    let asked = redis.send_all(&mut hub, pipeline).unwrap();
    let reply = answer(&mut hub, asked).unwrap();
    let wanted = Value::Array(vec![Value::Simple("PONG".into())]);
    assert_eq!(reply.value(), &wanted);
}

#[test]
fn the_error_of_a_pipeline_of_one_command_stands_in_its_place() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect_command(&["INCR", "n"]);
        link.say(b"-WRONGTYPE no number\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, Config::default());
    let pipeline = Pipeline::new().command(Command::new("INCR").arg("n"));
    let asked = redis.send_all(&mut hub, pipeline).unwrap();
    let reply = answer(&mut hub, asked).unwrap();
    let wanted = Value::Array(vec![Value::Error("WRONGTYPE no number".into())]);
    assert_eq!(reply.value(), &wanted);
}

#[test]
fn a_transaction_is_a_pipeline() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        let commands: [&[&str]; 3] = [&["MULTI"], &["INCR", "n"], &["EXEC"]];
        link.expect(&commands.map(wire).concat());
        link.say(b"+OK\r\n+QUEUED\r\n*1\r\n:1\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, Config::default());
    let pipeline = Pipeline::new()
        .command(Command::new("MULTI"))
        .command(Command::new("INCR").arg("n"))
        .command(Command::new("EXEC"));
    let asked = redis.send_all(&mut hub, pipeline).unwrap();
    let reply = answer(&mut hub, asked).unwrap();
    let wanted = Value::Array(vec![Value::Int(1)]);
    assert_eq!(reply.value().as_slice().unwrap()[2], wanted);
}

#[test]
fn a_pipeline_that_cannot_be_meant_is_refused_and_not_sent() {
    let peer = Peer::unix(|door| door.expect_nobody(ms(20)));
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, Config::default());
    let pop = Command::new("BRPOP").arg("list").arg(1);
    let refused = [
        Pipeline::new(),
        Pipeline::new().command(Command::new("MULTI")),
        Pipeline::new().command(Command::new("PING")).command(pop),
        Pipeline::new().command(Command::new("SELECT").arg(1)),
    ];
    for pipeline in refused {
        let error = redis.send_all(&mut hub, pipeline).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    }
    hub.run().unwrap();
    peer.join();
}

#[test]
fn the_first_replies_to_a_pipeline_may_come_before_its_last_byte_is_sent() {
    const LONG: usize = 8 << 20;
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect_command(&["INCR", "n"]);
        link.say(b":1\r\n");
        let long = "x".repeat(LONG);
        // While the client has read that, and cannot have sent the rest.
        std::thread::sleep(ms(50));
        link.expect_command(&["SET", "k", &long]);
        link.say(b"+OK\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, Config::default());
    let pipeline = Pipeline::new()
        .command(Command::new("INCR").arg("n"))
        .command(Command::new("SET").arg("k").arg("x".repeat(LONG)));
    let asked = redis.send_all(&mut hub, pipeline).unwrap();
    let reply = answer(&mut hub, asked).unwrap();
    let wanted = [Value::Int(1), Value::Simple("OK".into())];
    assert_eq!(reply.value().as_slice(), Some(&wanted[..]));
}

#[test]
fn a_pipeline_of_which_a_part_was_sent_may_have_been_executed() {
    for answered in [true, false] {
        let peer = Peer::unix(move |door| {
            let mut link = door.accept();
            link.expect_command(&["INCR", "n"]);
            if answered {
                link.say(b":1\r\n");
            }
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer, Config::default());
        let pipeline = Pipeline::new()
            .command(Command::new("INCR").arg("n"))
            .command(Command::new("SET").arg("k").arg("x".repeat(8 << 20)));
        let asked = redis.send_all(&mut hub, pipeline).unwrap();
        let error = answer(&mut hub, asked).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
        assert!(error.maybe_executed(), "the INCR was: {error}");
    }
}
