//! Blocking pops that somebody gives up: no element is lost, and everybody is told what has happened.
//!
//! On the simulated kernel, so that each race is run exactly as it is told.

mod late;
mod stage;

use crate::notes::Notes;
use greenroom::sim::{Faults, Script, Sim, Strike};
use greenroom::{
    ClientIds, Command, Config, ErrorKind, Hub, PoolStats, Redis, Timeout, Wait, Wake, ms, secs,
};
use stage::{LATENCY, Stage, at, stage};
use std::time::Duration;

#[test]
fn a_killed_pop_takes_nothing_and_its_connection_is_used_again() {
    let mut stage = stage();
    let task = stage.pop(None);
    stage.sleep(ms(10));
    stage.hub.kill(task);
    stage.hub.drain().unwrap();
    stage.push(&["a"]);
    assert_eq!(stage.list(), ["a"]);
    assert_eq!(stage.counts(), [1, 0, 0, 0]);
    assert_eq!((stage.stats().available, stage.stats().connects), (1, 2));
    stage.pop(None);
    stage.sleep(ms(10));
    assert_eq!(stage.ends.take(), ["Killed", "a"]);
    assert_eq!(stage.stats().connects, 2, "one to pop, and the shared one");
}

#[test]
fn an_element_that_comes_after_the_kill_goes_back_to_where_it_came_from() {
    let mut stage = stage();
    let task = stage.pop(None);
    stage.sleep(ms(10));
    stage.push_halfway(&["next", "last"]);
    stage.hub.kill(task);
    stage.hub.drain().unwrap();
    assert_eq!(stage.ends.take(), ["Killed"]);
    assert_eq!(stage.list(), ["last", "next"]);
    assert_eq!(stage.counts(), [0, 1, 1, 0]);
}

#[test]
fn a_kill_in_the_turn_in_which_the_reply_has_come_loses_nothing() {
    let mut stage = stage();
    let (victim, ends) = (stage.pop(None), stage.ends.clone());
    // Whoever is resumed first in the turn that brings the element kills the one that it is for.
    let redis = stage.redis;
    stage.hub.spawn(move |hub, wake| match wake {
        Wake::Start => redis.brpop(hub, "signal", Timeout::Forever),
        _ => {
            hub.kill(victim);
            ends.add("killer".into());
            Ok(Wait::done())
        }
    });
    stage.sleep(ms(10));
    let both = greenroom::Pipeline::new()
        .command(Command::new("LPUSH").arg("signal").arg("x"))
        .command(Command::new("LPUSH").arg("list").arg("a"));
    let asked = stage.other.send_all(&mut stage.hub, both).unwrap();
    stage.hub.wait(asked).unwrap().reply().unwrap();
    stage.hub.drain().unwrap();
    assert_eq!(stage.ends.take(), ["killer", "Killed"]);
    assert_eq!(stage.list(), ["a"]);
}

#[test]
fn a_deadline_is_told_when_the_pop_has_been_taken_back() {
    let mut stage = stage();
    stage.pop(Some(ms(100)));
    stage.sleep(ms(100));
    assert_eq!(stage.ends.take(), [""; 0], "it is being taken back");
    stage.sleep(ms(20));
    assert_eq!(stage.ends.take(), ["Deadline"]);
    stage.push(&["a"]);
    assert_eq!(stage.list(), ["a"]);
    assert_eq!(stage.counts(), [1, 0, 0, 0]);
}

#[test]
fn an_element_that_comes_with_the_deadline_is_delivered() {
    let mut stage = stage();
    stage.pop(Some(ms(20)));
    stage.sleep(Duration::from_micros(18_600));
    // The deadline comes half a millisecond before the element.
    stage.push_halfway(&["a"]);
    stage.sleep(ms(20));
    assert_eq!(stage.ends.take(), ["late a"]);
    assert_eq!(stage.counts(), [0, 1, 0, 0]);
}

#[test]
fn a_pop_that_was_never_written_is_taken_back_without_a_word() {
    let mut stage = stage();
    stage.pop(None);
    stage.push(&["first"]);
    stage.sleep(ms(10));
    // There is a connection now. The next pop is asked and killed in one turn.
    let commands = stage.server.stats().commands;
    let task = stage.pop(None);
    stage.hub.spawn(move |hub, _| {
        hub.kill(task);
        Ok(Wait::done())
    });
    stage.hub.drain().unwrap();
    stage.sleep(ms(10));
    assert_eq!(stage.ends.take(), ["first", "Killed"]);
    assert_eq!(stage.server.stats().commands, commands);
    assert_eq!((stage.stats().cancelled, stage.stats().available), (1, 1));
}

/// The control connection of a client, up to where it asks.
fn greeted_control() -> Script {
    Script::new()
        .expect_command(&["INFO", "server"])
        .expect_command(&["PING"])
        .send(b"$22\r\nredis_version:7.0.15\r\n\r\n+PONG\r\n")
}

#[test]
fn a_question_that_overtakes_its_pop_is_put_again() {
    let sim = Sim::new(1);
    // The pop's own connection says nothing until it has been asked for three times.
    let first = Script::new()
        .expect_command(&["CLIENT", "ID"])
        .send(b":7\r\n")
        .expect_command(&["BRPOP", "list", "60"])
        .wait(ms(60))
        .send(b"*-1\r\n");
    let mut control = greeted_control();
    for reply in [":0", ":0", ":1"] {
        let results = format!("*2\r\n-ERR timeout is not a float or out of range\r\n{reply}\r\n");
        control = control
            .expect_command(&["MULTI"])
            .expect_command(&["BRPOP", "list", "x"])
            .expect_command(&["CLIENT", "UNBLOCK", "7"])
            .expect_command(&["EXEC"])
            .send(b"+OK\r\n+QUEUED\r\n+QUEUED\r\n")
            .send(results.as_bytes());
    }
    sim.scripts(at(), [first, control]);
    let mut hub = Hub::simulated(&sim);
    let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379").unwrap();
    let asked = redis
        .brpop(&mut hub, "list", Timeout::After(secs(60)))
        .unwrap();
    let begin = hub.now();
    let wake = hub.wait(asked.within(ms(10))).unwrap();
    assert!(matches!(wake, Wake::Deadline), "{wake:?}");
    assert!(hub.now().since(begin) >= ms(60));
    sim.verify().unwrap();
    assert_eq!(redis.stats(&hub).available, 1);
}

#[test]
fn a_server_that_takes_nothing_back_is_told_of_and_the_pop_is_unknown() {
    for refused in ["unblock", "id"] {
        let mut stage = stage();
        let no_right = "NOPERM this user has no permissions to run the command";
        stage
            .server
            .refuse(move |name| (name.ends_with(refused)).then(|| no_right.into()));
        stage.pop(Some(ms(10)));
        stage.sleep(ms(40));
        assert_eq!(stage.ends.take(), ["Closed true"], "{refused}");
        assert_eq!(stage.counts(), [0, 0, 0, 1], "{refused}");
        assert_eq!(stage.stats().created, 0, "{refused}");
    }
}

#[test]
fn a_server_that_is_loading_is_asked_again() {
    let mut stage = stage();
    let task = stage.pop(None);
    stage.sleep(ms(10));
    let loading = "LOADING Redis is loading the dataset in memory";
    stage
        .sim
        .strike(Strike::ErrorReplies(loading.into(), ms(100)));
    stage.hub.kill(task);
    stage.hub.drain().unwrap();
    assert_eq!(stage.counts(), [1, 0, 0, 0]);
}

#[test]
fn a_dead_server_holds_a_deadline_up_no_longer_than_it_is_allowed_to() {
    let mut stage = stage();
    stage.pop(Some(ms(100)));
    stage.sleep(ms(50));
    stage.sim.strike(Strike::VanishAll);
    stage.sleep(ms(50) + Config::default().cancel_timeout);
    stage.sleep(ms(2));
    assert_eq!(stage.ends.take(), ["Timeout true"]);
    assert_eq!(stage.counts(), [0, 0, 0, 1]);
}

#[test]
fn ten_thousand_are_taken_back_at_once() {
    let mut stage = stage();
    let tasks: Vec<_> = (0..10_000).map(|_| stage.pop(None)).collect();
    while stage.server.stats().blocked < 10_000 {
        stage.sleep(ms(10));
    }
    let begin = stage.hub.now();
    for task in tasks {
        stage.hub.kill(task);
    }
    stage.hub.drain().unwrap();
    let took = stage.hub.now().since(begin);
    assert!(took < ms(100), "{took:?}");
    assert_eq!(stage.counts(), [10_000, 0, 0, 0]);
    assert_eq!(stage.stats().available, 10_000);
    assert_eq!(stage.server.stats().blocked, 0);
}

#[test]
fn a_client_that_is_closed_takes_its_pops_back_first() {
    let mut stage = stage();
    stage.pop(None);
    stage.pop(None);
    stage.sleep(ms(10));
    stage.push_halfway(&["a"]);
    stage.redis.close(&mut stage.hub);
    stage.redis.close(&mut stage.hub);
    let refused = stage.redis.ping(&mut stage.hub).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Misuse);
    stage.hub.drain().unwrap();
    stage.sleep(ms(10));
    let mut ends = stage.ends.take();
    ends.sort();
    assert_eq!(ends, ["Closed false", "late a"]);
    assert_eq!(stage.stats(), PoolStats::default(), "the pool is gone");
    assert_eq!(stage.server.stats().clients, 1, "the other client");
}

#[test]
fn a_client_may_be_closed_while_it_takes_back_and_while_it_connects() {
    let mut stage = stage();
    let task = stage.pop(None);
    stage.sleep(ms(10));
    stage.hub.kill(task);
    stage.pop(None);
    stage.sleep(Duration::from_micros(1100));
    stage.redis.close(&mut stage.hub);
    stage.hub.drain().unwrap();
    stage.sleep(ms(10));
    assert_eq!(stage.ends.take(), ["Killed", "Closed false"]);
    stage.push(&["a"]);
    assert_eq!(stage.list(), ["a"]);
}

#[test]
fn each_end_of_a_pop_has_a_name() {
    let mut stage = stage();
    let (redis, outcomes) = (stage.redis, Notes::new());
    let pop = |stage: &mut Stage, timeout: Duration, deadline: Duration| {
        let notes = outcomes.clone();
        stage.hub.spawn(move |hub, wake| match wake {
            Wake::Start => {
                let wait = redis.brpop(hub, "list", Timeout::After(timeout))?;
                Ok(wait.within(deadline))
            }
            other => {
                let outcome = format!("{:?}", other.outcome());
                let name = outcome.split(['(', ' ']).next().unwrap_or_default();
                notes.add(name.to_owned());
                Ok(Wait::done())
            }
        });
        stage.sleep(ms(8));
    };
    pop(&mut stage, ms(4), secs(9));
    pop(&mut stage, secs(9), secs(9));
    stage.push(&["a"]);
    pop(&mut stage, secs(9), ms(4));
    stage.sleep(ms(20));
    let killed = stage.pop(None);
    stage.hub.kill(killed);
    stage.hub.drain().unwrap();
    stage.ask(Command::new("SET").arg("list").arg("a string"));
    pop(&mut stage, secs(9), secs(9));
    stage.ask(Command::new("DEL").arg("list"));
    pop(&mut stage, secs(9), secs(9));
    stage.sim.strike(Strike::ResetAll);
    stage.sleep(ms(10));
    let expected = ["TimedOut", "Popped", "Cancelled", "Failed", "Indeterminate"];
    assert_eq!(outcomes.take(), expected);
}

#[test]
fn a_question_about_a_client_is_never_put_to_a_server_that_was_started_again() {
    let sim = Sim::new(1);
    let mut slow = Faults::none();
    slow.latency = LATENCY..=LATENCY;
    sim.set_faults(slow);
    // The server dies while its control connection is being made.
    let pop = Script::new()
        .expect_command(&["CLIENT", "ID"])
        .send(b":7\r\n")
        .expect_command(&["BRPOP", "list", "60"]);
    let after = greeted_control().expect_end();
    sim.scripts(at(), [pop.wait(ms(10)).close(), after]);
    let mut hub = Hub::simulated(&sim);
    let mut config = Config::default();
    config.client_ids = ClientIds::AtConnect;
    let address = "redis://127.0.0.1:6379".parse().unwrap();
    let redis = Redis::open_with(&mut hub, address, config).unwrap();
    let popped = redis
        .brpop(&mut hub, "list", Timeout::After(secs(60)))
        .unwrap();
    let wait = popped.within(ms(13));
    let error = hub.wait(wait).unwrap().reply().unwrap_err();
    assert!(error.maybe_executed(), "{error}");
    hub.sleep(ms(10)).unwrap();
    redis.close(&mut hub);
    hub.sleep(ms(10)).unwrap();
    sim.verify().unwrap();
}
