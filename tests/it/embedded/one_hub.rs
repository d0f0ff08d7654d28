//! The server and its clients on one hub, and so on one thread; and several servers.

use super::*;
use greenroom::{Command, Pipeline, Redis, Timeout};
use std::cell::RefCell;
use std::rc::Rc;

/// A hub with a server on it, and a client of this crate.
struct Both {
    hub: Hub,
    failures: Notes<String>,
    server: Server,
    redis: Redis,
    at: Endpoint,
}

fn both() -> Both {
    let mut hub = Hub::new().unwrap();
    let failures = watch(&mut hub);
    let server = Server::new(&mut hub, Config::default());
    let at = server.listen(&mut hub, &any_port()).unwrap();
    // A busy machine shows on one thread more than elsewhere.
    let mut patient = greenroom::Config::default();
    patient.command_timeout = PATIENCE;
    let address = format!("redis://{at}").parse().unwrap();
    let redis = Redis::open_with(&mut hub, address, patient).unwrap();
    Both {
        hub,
        failures,
        server,
        redis,
        at,
    }
}

impl Both {
    fn end(mut self) {
        self.server.shutdown(&mut self.hub);
        self.hub.join(self.server.task()).unwrap();
        assert_eq!(self.server.stats().clients, 0);
        assert_eq!(self.hub.tasks(), []);
        assert_eq!(self.failures.take(), [""; 0]);
    }
}

/// The answer to a command, awaited by main.
fn get(hub: &mut Hub, redis: Redis, name: &str, args: &[&str]) -> Value {
    let asked = redis.send(hub, Command::new(name).arg(args)).unwrap();
    hub.wait(asked).unwrap().reply().unwrap().into_value()
}

#[test]
fn five_hundred_pops_and_as_many_pushes_meet_on_one_thread() {
    const POPS: usize = 500;
    let mut both = both();
    let (hub, redis) = (&mut both.hub, both.redis);
    let got = Notes::new();
    let mut tasks = Vec::new();
    for _ in 0..POPS {
        let got = got.clone();
        tasks.push(hub.spawn(move |hub, wake| match wake {
            Wake::Start => redis.brpop(hub, "list", Timeout::After(secs(20))),
            wake => {
                let pair: Option<(String, usize)> = wake.reply()?.to()?;
                got.add(pair.expect("an element has come").1);
                Ok(Wait::done())
            }
        }));
    }
    while both.server.stats().blocked < POPS {
        hub.sleep(ms(1)).unwrap();
    }
    for element in 0..POPS {
        tasks.push(hub.spawn(move |hub, wake| match wake {
            Wake::Start => redis.lpush(hub, "list", element),
            wake => wake.reply().map(|_| Wait::done()),
        }));
    }
    hub.join_all(&tasks).unwrap();
    let mut got = got.take();
    got.sort_unstable();
    assert_eq!(got, (0..POPS).collect::<Vec<_>>());
    assert_eq!(both.server.stats().blocked, 0);
    redis.close(hub);
    both.end();
}

#[test]
fn a_pop_times_out_and_a_killed_task_takes_nothing() {
    let mut both = both();
    let (hub, redis) = (&mut both.hub, both.redis);
    let asked = redis.brpop(hub, "list", Timeout::After(ms(30))).unwrap();
    let reply = hub.wait(asked).unwrap().reply().unwrap();
    assert!(reply.is_none());
    assert!((ms(30)..ms(500)).contains(&reply.elapsed()), "{reply:?}");
    let pop = hub.spawn(move |hub, wake| match wake {
        Wake::Start => redis.brpop(hub, "list", Timeout::Forever),
        wake => Err(wake.unexpected()),
    });
    while both.server.stats().blocked == 0 {
        hub.sleep(ms(1)).unwrap();
    }
    hub.kill(pop);
    hub.join(pop).unwrap();
    while both.server.stats().blocked > 0 {
        hub.sleep(ms(1)).unwrap();
    }
    assert_eq!(get(hub, redis, "LPUSH", &["list", "x"]), Value::Int(1));
    assert_eq!(get(hub, redis, "LLEN", &["list"]), Value::Int(1));
    redis.close(hub);
    both.end();
}

#[test]
fn a_pipeline_of_megabytes_and_a_transaction_are_answered_on_one_thread() {
    let mut both = both();
    let (hub, redis) = (&mut both.hub, both.redis);
    let text = "x".repeat(100_000);
    let mut pipeline = Pipeline::new();
    for _ in 0..100 {
        pipeline = pipeline.command(Command::new("ECHO").arg(&text));
    }
    let asked = redis.send_all(hub, pipeline).unwrap();
    let reply = hub.wait(asked).unwrap().reply().unwrap();
    let texts: Vec<String> = reply.to().unwrap();
    assert!(texts.len() == 100 && texts.iter().all(|echo| *echo == text));
    let transaction = Pipeline::new()
        .command(Command::new("MULTI"))
        .command(Command::new("INCR").arg("key"))
        .command(Command::new("INCR").arg("key"))
        .command(Command::new("EXEC"));
    let asked = redis.send_all(hub, transaction).unwrap();
    let replies: Vec<Value> = hub.wait(asked).unwrap().reply().unwrap().to().unwrap();
    let done = Value::Array(vec![Value::Int(1), Value::Int(2)]);
    assert_eq!(replies.last(), Some(&done));
    redis.close(hub);
    both.end();
}

#[test]
fn clients_that_are_still_connected_learn_the_end() {
    let mut both = both();
    let (hub, redis) = (&mut both.hub, both.redis);
    assert_eq!(get(hub, redis, "INCR", &["key"]), Value::Int(1));
    let pop = hub.spawn(move |hub, wake| match wake {
        Wake::Start => redis.brpop(hub, "list", Timeout::Forever),
        wake => {
            let error = wake.reply().expect_err("the server is gone");
            assert!(error.is_disconnect(), "{error}");
            Ok(Wait::done())
        }
    });
    while both.server.stats().blocked == 0 {
        hub.sleep(ms(1)).unwrap();
    }
    both.server.shutdown(hub);
    hub.join_all(&[both.server.task(), pop]).unwrap();
    let refused = redis.ping(hub).and_then(|asked| hub.wait(asked)?.reply());
    refused.expect_err("nobody listens");
    redis.close(hub);
    assert_eq!(both.failures.take(), [""; 0]);
}

#[test]
fn two_servers_on_one_hub_share_nothing_but_the_thread() {
    let mut one = both();
    let hub = &mut one.hub;
    let mut limited = Config::default();
    limited.password = Some(Password::new("secret"));
    let other = Server::new(hub, limited);
    let at = other.listen(hub, &any_port()).unwrap();
    let redis = Redis::open(hub, &format!("redis://:secret@{at}")).unwrap();
    assert_eq!(
        get(hub, one.redis, "RPUSH", &["list", "one"]),
        Value::Int(1)
    );
    assert_eq!(get(hub, redis, "RPUSH", &["list", "two"]), Value::Int(1));
    assert_eq!(get(hub, one.redis, "LPOP", &["list"]).as_str(), Some("one"));
    assert_eq!(get(hub, redis, "LLEN", &["list"]), Value::Int(1));
    // The end of one is not the end of the other.
    other.shutdown(hub);
    hub.join(other.task()).unwrap();
    assert_eq!(other.stats().clients, 0);
    assert_eq!(get(hub, one.redis, "PING", &[]).as_str(), Some("PONG"));
    one.redis.close(hub);
    redis.close(hub);
    one.end();
}

#[test]
fn a_server_outlives_the_task_that_has_made_it() {
    let mut hub = Hub::new().unwrap();
    let failures = watch(&mut hub);
    let made = Rc::new(RefCell::new(None));
    let inner = Rc::clone(&made);
    let maker = hub.spawn(move |hub, _wake| {
        let server = Server::new(hub, Config::default());
        let at = server.listen(hub, &any_port())?;
        *inner.borrow_mut() = Some((server, at));
        Ok(Wait::done())
    });
    hub.join(maker).unwrap();
    let (server, first) = made.take().expect("it was made");
    let inner = server.clone();
    let told = Rc::clone(&made);
    let lister = hub.spawn(move |hub, _wake| {
        let at = inner.listen(hub, &any_port())?;
        *told.borrow_mut() = Some((inner.clone(), at));
        Ok(Wait::done())
    });
    hub.join(lister).unwrap();
    let (_, second) = made.take().expect("it listens");
    for (number, at) in [(1, first), (2, second)] {
        let redis = Redis::open(&mut hub, &format!("redis://{at}")).unwrap();
        assert_eq!(get(&mut hub, redis, "INCR", &["key"]), Value::Int(number));
        redis.close(&mut hub);
    }
    server.shutdown(&mut hub);
    hub.join(server.task()).unwrap();
    assert_eq!(hub.tasks(), []);
    assert_eq!(failures.take(), [""; 0]);
}

#[test]
fn a_server_that_nobody_holds_goes_on() {
    let Both {
        mut hub,
        failures,
        server,
        redis,
        at: _,
    } = both();
    let task = server.task();
    drop(server);
    assert_eq!(get(&mut hub, redis, "PING", &[]).as_str(), Some("PONG"));
    let asked = redis.send(&mut hub, Command::new("SHUTDOWN"));
    // The client may know that nobody would answer.
    if let Ok(asked) = asked {
        let answer = hub.wait(asked).unwrap().reply();
        answer.expect_err("the server is gone");
    }
    hub.join(task).unwrap();
    redis.close(&mut hub);
    assert_eq!(failures.take(), [""; 0]);
}

#[test]
fn a_place_that_is_taken_is_told_and_harms_nothing() {
    let mut both = both();
    let error = both.server.listen(&mut both.hub, &both.at).unwrap_err();
    assert_eq!(error.kind(), greenroom::ErrorKind::Io, "{error}");
    let (hub, redis) = (&mut both.hub, both.redis);
    assert_eq!(get(hub, redis, "PING", &[]).as_str(), Some("PONG"));
    redis.close(hub);
    both.end();
}

#[test]
fn a_server_may_be_ended_before_anything_has_run() {
    let mut hub = Hub::new().unwrap();
    let failures = watch(&mut hub);
    let server = Server::new(&mut hub, Config::default());
    server.listen(&mut hub, &any_port()).unwrap();
    server.shutdown(&mut hub);
    hub.join(server.task()).unwrap();
    assert_eq!(hub.tasks(), []);
    // A second time does nothing.
    server.shutdown(&mut hub);
    hub.join(server.task()).unwrap();
    assert_eq!(failures.take(), [""; 0]);
}
