//! Servers that are lost and found again: who waits keeps his place and his own deadline.

use crate::notes::Notes;
use greenroom::server::{self, Server};
use greenroom::sim::{Faults, Script, Sim, Strike};
use greenroom::{
    Config, Endpoint, ErrorKind, Hub, PoolState, Redis, TaskId, Time, Timeout, Wait, Wake, ms, secs,
};
use std::net::SocketAddr;
use std::time::Duration;

fn at() -> SocketAddr {
    "127.0.0.1:6379".parse().unwrap()
}

fn serve(hub: &mut Hub) -> Server {
    let server = Server::new(hub, server::Config::default());
    server.listen(hub, &Endpoint::Tcp(at())).unwrap();
    server
}

fn config() -> Config {
    let mut config = Config::default();
    config.pool_timeout = secs(10);
    config
}

fn client(hub: &mut Hub, config: Config) -> Redis {
    Redis::open_with(hub, "redis://127.0.0.1:6379".parse().unwrap(), config).unwrap()
}

/// Notes `name: what it got` when a ping has been answered.
fn ping(hub: &mut Hub, redis: Redis, name: &'static str, notes: &Notes<String>) -> TaskId {
    let notes = notes.clone();
    hub.spawn(move |hub, wake| {
        if let Wake::Start = wake {
            return redis.ping(hub);
        }
        notes.add(match wake.reply() {
            Ok(_) => format!("{name}: answered"),
            Err(error) => format!("{name}: {:?} {}", error.kind(), error.maybe_executed()),
        });
        Ok(Wait::done())
    })
}

/// A server that was there, and is not any more.
fn lost() -> (Sim, Hub, Redis) {
    let sim = Sim::new(1);
    let mut hub = Hub::simulated(&sim);
    let server = serve(&mut hub);
    let redis = client(&mut hub, config());
    let asked = redis.ping(&mut hub).unwrap();
    hub.wait(asked).unwrap().reply().unwrap();
    assert_eq!(redis.state(&hub), PoolState::Connected);
    server.shutdown(&mut hub);
    hub.join(server.task()).unwrap();
    hub.sleep(ms(1)).unwrap();
    (sim, hub, redis)
}

#[test]
fn a_server_that_comes_back_is_found_and_those_who_waited_are_served_in_their_order() {
    let (_, mut hub, redis) = lost();
    let notes = Notes::new();
    for name in ["first", "second", "third"] {
        ping(&mut hub, redis, name, &notes);
    }
    let lost = hub.now();
    hub.sleep(secs(3)).unwrap();
    assert_eq!(notes.take(), [""; 0]);
    let PoolState::Down { since, tries } = redis.state(&hub) else {
        panic!("{:?}", redis.state(&hub));
    };
    assert!(since.since(lost) < ms(1) && tries > 5, "{tries}");
    let failure = redis.last_failure(&hub).unwrap();
    assert_eq!(failure.kind(), ErrorKind::Connect);
    serve(&mut hub);
    hub.sleep(config().retry_max).unwrap();
    let expected = ["first: answered", "second: answered", "third: answered"];
    assert_eq!(notes.take(), expected);
    assert_eq!(redis.state(&hub), PoolState::Connected);
    assert!(redis.last_failure(&hub).is_none());
}

#[test]
fn each_waits_as_long_as_he_is_allowed_to_and_no_longer() {
    let (_, mut hub, redis) = lost();
    let notes = Notes::new();
    ping(&mut hub, redis, "first", &notes);
    hub.sleep(secs(6)).unwrap();
    ping(&mut hub, redis, "second", &notes);
    hub.sleep(secs(4) + ms(1)).unwrap();
    assert_eq!(notes.take(), ["first: Timeout false"]);
    // What the first has asked is not sent for it any more.
    let server = serve(&mut hub);
    hub.sleep(secs(2)).unwrap();
    assert_eq!(notes.take(), ["second: answered"]);
    assert_eq!(
        server.stats().commands,
        2,
        "whether it is there, and the second"
    );
}

#[test]
fn pops_wait_for_the_server_too() {
    let (_, mut hub, redis) = lost();
    let begin = hub.now();
    let asked = redis
        .brpop(&mut hub, "list", Timeout::After(ms(100)))
        .unwrap();
    let error = hub.wait(asked).unwrap().reply().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(
        error.to_string().contains("refused"),
        "it says why: {error}"
    );
    assert!(!error.maybe_executed());
    let waited = hub.now().since(begin);
    assert!(
        waited >= secs(10) && waited < secs(10) + ms(2),
        "{waited:?}"
    );
    let asked = redis
        .brpop(&mut hub, "list", Timeout::After(ms(100)))
        .unwrap();
    serve(&mut hub);
    assert!(hub.wait(asked).unwrap().reply().unwrap().is_none());
}

#[test]
fn a_server_that_was_never_there_is_not_waited_for() {
    let sim = Sim::new(1);
    let mut hub = Hub::simulated(&sim);
    let redis = client(&mut hub, config());
    assert_eq!(redis.state(&hub), PoolState::New);
    let asked = redis.ping(&mut hub).unwrap();
    let error = hub.wait(asked).unwrap().reply().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    assert_eq!(hub.now(), Time::ZERO);
}

/// Tells how a ping ends when the first two connections get these replies to their AUTH.
fn after_auth(replies: [&str; 2]) -> (String, Duration) {
    let sim = Sim::new(1);
    let auth = Script::new().expect_command(&["AUTH", "secret"]);
    let scripts = replies.map(|reply| auth.clone().send(reply.as_bytes()).close());
    let ping = |script: Script| script.expect_command(&["PING"]).send(b"+PONG\r\n");
    // One to see whether it is ready, and the program's own.
    let works = ping(ping(auth.send(b"+OK\r\n")));
    sim.scripts(at(), scripts.into_iter().chain([works]));
    let mut hub = Hub::simulated(&sim);
    let address = "redis://:secret@127.0.0.1:6379".parse().unwrap();
    let redis = Redis::open_with(&mut hub, address, config()).unwrap();
    let asked = redis.ping(&mut hub).unwrap();
    let end = match hub.wait(asked).unwrap().reply() {
        Ok(_) => "answered".into(),
        Err(error) => error.to_string(),
    };
    (end, hub.now().since(Time::ZERO))
}

#[test]
fn a_server_that_is_not_ready_is_asked_again() {
    let (end, took) = after_auth([
        "-LOADING Redis is loading the dataset in memory\r\n",
        "-ERR max number of clients reached\r\n",
    ]);
    assert_eq!(end, "answered");
    assert!(took >= ms(5 + 10) && took <= ms(10 + 20 + 1), "{took:?}");
    let (end, _) = after_auth(["-MASTERDOWN Link with MASTER is down\r\n", "-BUSY x\r\n"]);
    assert_eq!(end, "answered");
}

#[test]
fn a_connection_that_the_server_does_not_serve_any_more_is_not_used_again() {
    for told in [
        "-NOAUTH Authentication required.\r\n",
        "-READONLY You can't write.\r\n",
        "-LOADING Redis is loading the dataset in memory\r\n",
        "-MASTERDOWN Link with MASTER is down\r\n",
    ] {
        let sim = Sim::new(1);
        let id = Script::new().expect_command(&["CLIENT", "ID"]);
        let spoiled = id
            .clone()
            .send(b":1\r\n")
            .expect_command(&["BRPOP", "list", "1"])
            .send(told.as_bytes())
            .expect_end();
        let works = id
            .expect_command(&["PING"])
            .send(b":2\r\n+PONG\r\n")
            .expect_command(&["BRPOP", "list", "1"])
            .send(b"*-1\r\n");
        let ping = Script::new().expect_command(&["PING"]);
        let ready = ping.send(b"+PONG\r\n").expect_command(&["PING"]);
        let shared = ready.clone().send(told.as_bytes()).expect_end();
        let next = ready.send(b"+PONG\r\n");
        sim.scripts(at(), [spoiled, works, shared, next]);
        let mut hub = Hub::simulated(&sim);
        let redis = client(&mut hub, config());
        for expected in [false, true] {
            let asked = redis
                .brpop(&mut hub, "list", Timeout::After(secs(1)))
                .unwrap();
            assert_eq!(hub.wait(asked).unwrap().reply().is_ok(), expected);
        }
        for expected in [false, true] {
            let asked = redis.ping(&mut hub).unwrap();
            assert_eq!(hub.wait(asked).unwrap().reply().is_ok(), expected);
            // The shared connection serves what it can until it may be dialed again.
            hub.sleep(ms(20)).unwrap();
        }
        sim.verify().unwrap();
    }
}

/// Replies to the questions whether the server is ready, and the pop's own.
fn after_a_restart(replies: &'static [&str]) -> (String, Duration) {
    let sim = Sim::new(1);
    let pop = ["BRPOP", "list", "60"];
    let id = Script::new().expect_command(&["CLIENT", "ID"]);
    let lost = id.clone().send(b":1\r\n").expect_command(&pop);
    let lost = lost.wait(ms(1)).close();
    let asked = id.expect_command(&["PING"]).send(b":2\r\n");
    let tries = replies
        .iter()
        .map(|reply| asked.clone().send(reply.as_bytes()));
    let works = asked.clone().send(b"+PONG\r\n").expect_command(&pop);
    let works = works.send(b"*-1\r\n");
    let scripts = std::iter::once(lost).chain(tries).chain([works]);
    sim.scripts(at(), scripts);
    let mut hub = Hub::simulated(&sim);
    let redis = client(&mut hub, config());
    let mut ends = Vec::new();
    let begin = hub.now();
    for _ in 0..2 {
        let asked = redis
            .brpop(&mut hub, "list", Timeout::After(secs(60)))
            .unwrap();
        let end = hub.wait(asked).unwrap().reply();
        ends.push(match end {
            Ok(reply) if reply.is_none() => "nil".into(),
            Ok(reply) => format!("{reply:?}"),
            Err(error) => format!("{:?}", error.kind()),
        });
    }
    sim.verify().unwrap();
    (ends.join(", "), hub.now().since(begin))
}

#[test]
fn nobody_is_told_that_a_server_is_loading_which_was_started_again() {
    let (ends, _) = after_a_restart(&[]);
    assert_eq!(ends, "Closed, nil");
    let (ends, took) = after_a_restart(&[
        "-LOADING Redis is loading the dataset in memory\r\n",
        "-LOADING Redis is loading the dataset in memory\r\n",
        "-MASTERDOWN Link with MASTER is down\r\n",
        "-BUSY Redis is busy running a script\r\n",
    ]);
    assert_eq!(ends, "Closed, nil");
    let least = ms(1 + (10 + 20 + 40 + 80) / 2);
    assert!(took >= least && took < 2 * least, "{took:?}");
}

#[test]
fn a_server_in_doubt_is_asked_by_one_connection_for_all_who_wait() {
    let sim = Sim::new(1);
    let mut slow = Faults::none();
    slow.latency = ms(1)..=ms(1);
    sim.set_faults(slow);
    let mut hub = Hub::simulated(&sim);
    serve(&mut hub);
    let redis = client(&mut hub, config());
    let pops = |hub: &mut Hub| {
        for _ in 0..100 {
            let pop = move |hub: &mut Hub, wake: Wake| match wake {
                Wake::Start => redis.brpop(hub, "list", Timeout::Forever),
                _ => Ok(Wait::done()),
            };
            let task = hub.spawn(pop);
            hub.detach(task);
        }
    };
    hub.on_error(|_| {});
    pops(&mut hub);
    hub.sleep(ms(10)).unwrap();
    sim.strike(Strike::ResetAll);
    hub.sleep(ms(2)).unwrap();
    pops(&mut hub);
    // A connect, and half of a round trip.
    hub.sleep(ms(3)).unwrap();
    assert_eq!(redis.stats(&hub).created, 1);
    hub.sleep(ms(10)).unwrap();
    assert_eq!(
        (redis.stats(&hub).created, redis.stats(&hub).connects),
        (100, 200)
    );
}

#[test]
fn a_wrong_password_is_told_at_once() {
    let wrong = "-WRONGPASS invalid username-password pair\r\n";
    let (end, took) = after_auth([wrong, wrong]);
    assert!(end.contains("WRONGPASS") && took < ms(1), "{end}, {took:?}");
}

#[test]
fn five_hundred_that_lose_their_server_together_try_as_often_as_one() {
    let sim = Sim::new(1);
    let mut hub = Hub::simulated(&sim);
    serve(&mut hub);
    let redis = client(&mut hub, config());
    let notes = Notes::new();
    for _ in 0..500 {
        let notes = notes.clone();
        hub.spawn(move |hub, wake| {
            if let Wake::Reply(Ok(_)) = wake {
                notes.add("nil".to_owned());
                return Ok(Wait::done());
            }
            redis.brpop(hub, "list", Timeout::After(secs(2)))
        });
    }
    hub.sleep(secs(1)).unwrap();
    let before = redis.stats(&hub).connects;
    sim.strike(Strike::Refuse(secs(4)));
    sim.strike(Strike::ResetAll);
    hub.sleep(secs(4)).unwrap();
    // Each failure is met by the connects of one turn at most.
    let tries = redis.stats(&hub).connects - before;
    assert!(tries < 20 * 32, "{tries}");
    hub.sleep(secs(6)).unwrap();
    assert_eq!(notes.take().len(), 500);
}
