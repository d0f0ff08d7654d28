//! The simulated kernel: what it promises, fault by fault.

mod computing;
mod edges;

use greenroom::driver::Endpoint;
use greenroom::server::{self, Fault, Server};
use greenroom::sim::{Faults, Script, Sim, Strike};
use greenroom::{
    ClientIds, Config, Error, ErrorKind, Hub, Redis, Reply, Result, Time, Timeout, Wait, Wake, ms,
    secs,
};
use std::time::Duration;

const URL: &str = "redis://127.0.0.1:6379";
const GET: [&str; 2] = ["GET", "key"];
const VALUE: &[u8] = b"$5\r\nvalue\r\n";

fn at() -> std::net::SocketAddr {
    "127.0.0.1:6379".parse().unwrap()
}

/// A hub with an embedded server, and a client of it.
fn world(sim: &Sim, config: Config) -> (Hub, Server, Redis) {
    let mut hub = Hub::simulated(sim);
    let server = Server::new(&mut hub, server::Config::default());
    server.refuse(sim.error_replies());
    server.listen(&mut hub, &Endpoint::Tcp(at())).unwrap();
    let redis = Redis::open_with(&mut hub, URL.parse().unwrap(), config).unwrap();
    (hub, server, redis)
}

fn pop(hub: &mut Hub, redis: &Redis, timeout: Timeout) -> Result<Reply> {
    let asked = redis.brpop(hub, "list", timeout)?;
    hub.wait(asked)?.reply()
}

/// What one GET gets from peers that follow these scripts.
fn get_from(scripts: impl IntoIterator<Item = Script>) -> (Result<Reply>, Sim) {
    let sim = Sim::new(1);
    sim.scripts(at(), scripts);
    let mut hub = Hub::simulated(&sim);
    let redis = Redis::open_with(&mut hub, URL.parse().unwrap(), silent()).unwrap();
    let asked = redis.get(&mut hub, "key").unwrap();
    let reply = hub.wait(asked).unwrap().reply();
    (reply, sim)
}

/// Limits under which a connection sends nothing but what it is asked to.
fn silent() -> Config {
    let mut config = Config::default();
    config.client_ids = ClientIds::Never;
    config
}

fn faults(list: &str) -> Faults {
    list.parse().unwrap()
}

#[test]
fn an_hour_takes_no_time() {
    let sim = Sim::new(1);
    let (mut hub, _, redis) = world(&sim, Config::default());
    let reply = pop(&mut hub, &redis, Timeout::After(secs(3600))).unwrap();
    assert!(reply.is_none());
    let took = reply.elapsed();
    assert!(took >= secs(3600) && took < secs(3600) + ms(1), "{took:?}");
}

#[test]
fn the_time_that_passes_is_what_the_latencies_say() {
    let sim = Sim::new(1);
    let (mut hub, _, redis) = world(&sim, Config::default());
    let latency = ms(7);
    let mut slow = Faults::none();
    slow.latency = latency..=latency;
    sim.set_faults(slow);
    assert!(
        pop(&mut hub, &redis, Timeout::After(secs(1)))
            .unwrap()
            .is_none()
    );
    // There and back for the connect, there for the command, back for the reply.
    let expected = secs(1) + 4 * latency;
    let took = sim.now().since(Time::ZERO);
    assert!(took >= expected && took < expected + ms(1), "{took:?}");
}

#[test]
fn equal_seeds_are_equal_runs_and_others_are_not() {
    let hash = |seed| {
        let sim = Sim::new(seed);
        let (mut hub, _, redis) = world(&sim, Config::default());
        sim.set_faults(faults("latency,splits,short-reads,short-writes,spurious"));
        for _ in 0..20 {
            pop(&mut hub, &redis, Timeout::After(ms(10))).unwrap();
        }
        sim.trace_hash()
    };
    assert_eq!(hash(7), hash(7));
    assert_ne!(hash(7), hash(8));
}

#[test]
fn a_trace_tells_what_happened() {
    let sim = Sim::new(1);
    sim.keep_trace(100);
    let (mut hub, _, redis) = world(&sim, Config::default());
    pop(&mut hub, &redis, Timeout::After(ms(10))).unwrap();
    let trace = sim.trace().join("\n");
    for what in [
        "listens at 127.0.0.1:6379",
        "connects to",
        "is accepted",
        "writes 60 bytes",
        "a timer of",
    ] {
        assert!(trace.contains(what), "no {what:?} in\n{trace}");
    }
}

#[test]
fn a_script_says_what_it_is_told_to() {
    let script = Script::new().expect_command(&GET).wait(ms(20)).send(VALUE);
    let (reply, sim) = get_from([script]);
    let reply = reply.unwrap();
    assert_eq!(reply.elapsed(), ms(20));
    assert_eq!(reply.to::<String>().unwrap(), "value");
    sim.verify().unwrap();
}

#[test]
fn a_script_that_gets_something_else_ends_and_tells() {
    let (reply, sim) = get_from([Script::new().expect_command(&["GET", "other"])]);
    assert!(reply.is_err());
    let what = sim.verify().unwrap_err();
    assert!(what.contains("other") && what.contains("key"), "{what}");
}

#[test]
fn a_script_that_is_not_at_its_end_is_told_of() {
    let script = Script::new()
        .expect_command(&GET)
        .send(VALUE)
        .expect_command(&["PING"]);
    let (reply, sim) = get_from([script]);
    reply.unwrap();
    assert!(sim.verify().unwrap_err().contains("PING"));
}

#[test]
fn a_reply_may_come_byte_by_byte() {
    let byte_by_byte = VALUE
        .iter()
        .fold(Script::new().expect_command(&GET), |script, byte| {
            script.send(&[*byte]).wait(ms(1))
        });
    let (reply, _) = get_from([byte_by_byte]);
    assert_eq!(reply.unwrap().to::<String>().unwrap(), "value");
}

#[test]
fn ends_and_resets_are_told_as_what_they_are() {
    let ask = || Script::new().expect_command(&GET);
    let cases = [
        (ask().close(), ErrorKind::Closed),
        (ask().send(&VALUE[..6]).close(), ErrorKind::Closed),
        (ask().finish().expect_end(), ErrorKind::Closed),
        (ask().reset(), ErrorKind::Closed),
        (ask().send(&VALUE[..6]).reset(), ErrorKind::Closed),
        (ask().send(b"HTTP/1.1 400\r\n"), ErrorKind::Protocol),
        (ask().vanish(), ErrorKind::Timeout),
    ];
    for (script, kind) in cases {
        let (reply, _) = get_from([script.clone()]);
        let error = reply.unwrap_err();
        assert_eq!(error.kind(), kind, "{script:?}: {error}");
        assert!(error.maybe_executed(), "{script:?}: {error}");
    }
}

#[test]
fn a_reply_in_front_of_the_end_is_delivered() {
    let script = Script::new().expect_command(&GET).send(VALUE);
    for script in [script.clone().close(), script.reset()] {
        let (reply, _) = get_from([script]);
        assert_eq!(reply.unwrap().to::<String>().unwrap(), "value");
    }
}

#[test]
fn error_replies_come_at_any_moment() {
    for text in [
        "LOADING",
        "NOAUTH",
        "OOM",
        "READONLY",
        "MOVED 1 127.0.0.1:1",
    ] {
        let line = format!("-{text} words\r\n");
        let (reply, _) = get_from([Script::new().expect_command(&GET).send(line.as_bytes())]);
        let error = reply.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server);
        assert_eq!(error.code(), text.split(' ').next());
    }
}

/// The error of a pop in a world where something is certain to go wrong.
fn pop_with(set: impl FnOnce(&mut Faults), config: Config) -> (Error, Duration) {
    let sim = Sim::new(1);
    let (mut hub, _, redis) = world(&sim, config);
    let mut certain = Faults::none();
    set(&mut certain);
    sim.set_faults(certain);
    let error = pop(&mut hub, &redis, Timeout::After(secs(1))).unwrap_err();
    (error, sim.now().since(Time::ZERO))
}

fn patient() -> Config {
    let mut config = Config::default();
    config.connect_timeout = secs(60);
    config.pool_timeout = secs(60);
    config
}

#[test]
fn a_refused_connect_is_an_error_at_once() {
    let (error, took) = pop_with(|it| it.refused = 1.0, patient());
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    assert!(
        !error.maybe_executed() && took < ms(1),
        "{error} after {took:?}"
    );
}

#[test]
fn a_connect_that_hangs_ends_with_its_deadline() {
    let mut config = patient();
    config.connect_timeout = secs(3);
    let (error, took) = pop_with(|it| it.hanging = 1.0, config);
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(took >= secs(3) && took < secs(3) + ms(1), "{took:?}");
}

#[test]
fn no_descriptors_are_waited_for() {
    let mut config = patient();
    config.pool_timeout = secs(2);
    let (error, took) = pop_with(|it| it.no_descriptors = 1.0, config);
    assert!(took <= secs(2) + ms(1), "{error} after {took:?}");
}

#[test]
fn a_server_refuses_what_chance_says() {
    let (error, _) = pop_with(|it| it.error_replies = 1.0, patient());
    assert!(error.code().is_some(), "{error}");
}

/// Draws faults for so many commands, with the named ones switched on.
fn drawn(names: &str, commands: usize) -> Vec<Fault> {
    let sim = Sim::new(1);
    sim.set_faults(faults(names));
    let mut draw = sim.server_faults();
    (0..commands).filter_map(|_| draw("get")).collect()
}

#[test]
fn server_faults_are_drawn_with_their_times() {
    let lasts = |time: Duration| (ms(1)..=ms(400)).contains(&time);
    let pauses = drawn("write-pauses", 10_000);
    assert!((20..100).contains(&pauses.len()), "{}", pauses.len());
    let is_pause = |fault: &Fault| matches!(fault, Fault::PauseWrites(time) if lasts(*time));
    assert!(pauses.iter().all(is_pause), "{pauses:?}");
    let changes = drawn("role-changes", 10_000);
    assert!((5..50).contains(&changes.len()), "{}", changes.len());
    let is_change = |fault: &Fault| matches!(fault, Fault::Demote(time) if lasts(*time));
    assert!(changes.iter().all(is_change), "{changes:?}");
}

#[test]
fn every_not_executed_code_is_drawn() {
    let is_drawn = |code: &str| {
        let draws = drawn("error-replies", 10_000);
        draws.iter().any(|fault| match fault {
            Fault::Error(text) => text.split(' ').next() == Some(code),
            _ => false,
        })
    };
    for code in [
        "LOADING",
        "MASTERDOWN",
        "BUSY",
        "MISCONF",
        "NOREPLICAS",
        "TRYAGAIN",
        "CLUSTERDOWN",
        "READONLY",
        "OOM",
        "NOAUTH",
    ] {
        assert!(is_drawn(code), "{code}");
    }
}

#[test]
fn a_server_refuses_everything_for_as_long_as_it_is_told_to() {
    let sim = Sim::new(1);
    let (mut hub, _, redis) = world(&sim, patient());
    sim.strike(Strike::ErrorReplies("LOADING wait".into(), secs(1)));
    let error = pop(&mut hub, &redis, Timeout::After(ms(1))).unwrap_err();
    assert_eq!(error.to_string(), "LOADING wait");
    hub.sleep(secs(1)).unwrap();
    pop(&mut hub, &redis, Timeout::After(ms(1))).unwrap();
}

#[test]
fn whoever_closes_its_half_says_no_more() {
    let (error, took) = pop_with(|it| it.half_closes = 1.0, patient());
    assert!(
        error.is_disconnect() && took < ms(1),
        "{error} after {took:?}"
    );
}

#[test]
fn whoever_is_deaf_answers_nothing() {
    let (error, took) = pop_with(|it| it.deafness = 1.0, patient());
    assert!(
        error.is_timeout() && took > secs(1),
        "{error} after {took:?}"
    );
}

#[test]
fn a_lost_syn_is_sent_again_after_one_second_and_after_three() {
    let sim = Sim::new(1);
    let (mut hub, _, redis) = world(&sim, patient());
    let mut lossy = Faults::none();
    lossy.lost_syns = 1.0;
    sim.set_faults(lossy);
    sim.strike_at(
        Time::ZERO + ms(1500),
        Strike::Change(Box::new(Faults::none())),
    );
    assert!(
        pop(&mut hub, &redis, Timeout::After(ms(1)))
            .unwrap()
            .is_none()
    );
    let took = sim.now().since(Time::ZERO);
    assert!(took >= secs(3) && took < secs(3) + ms(3), "{took:?}");
    assert_eq!(redis.stats(&hub).connects_retried, 1);
}

#[test]
fn whoever_waits_survives_a_clock_that_jumps_and_a_signal() {
    let sim = Sim::new(1);
    let (mut hub, _, redis) = world(&sim, Config::default());
    let mut strange = Faults::none();
    strange.interrupts = 0.5;
    sim.set_faults(strange);
    sim.strike_at(Time::ZERO + ms(500), Strike::JumpClock(secs(100)));
    let reply = pop(&mut hub, &redis, Timeout::After(secs(1)));
    // The server's timeout and the client's deadline have both passed: either may be first.
    if let Err(error) = reply {
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    }
    assert!(sim.now() >= Time::ZERO + secs(100));
}

#[test]
fn a_restarted_server_is_found_again() {
    let sim = Sim::new(1);
    let (mut hub, _, redis) = world(&sim, Config::default());
    let asked = redis.brpop(&mut hub, "list", Timeout::Forever).unwrap();
    sim.strike_at(Time::ZERO + ms(10), Strike::ResetAll);
    let error = hub.wait(asked).unwrap().reply().unwrap_err();
    assert!(error.maybe_executed(), "{error}");
    assert!(
        pop(&mut hub, &redis, Timeout::After(ms(1)))
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_wait_that_nothing_can_end_is_found_out() {
    let sim = Sim::new(1);
    let mut config = Config::default();
    config.forever_round = None;
    let (mut hub, _, redis) = world(&sim, config);
    let asked = redis.brpop(&mut hub, "list", Timeout::Forever).unwrap();
    let error = hub.wait(asked).unwrap_err();
    assert!(error.to_string().contains("poll"), "{error}");
}

#[test]
fn a_task_is_told_by_its_own_remote() {
    let sim = Sim::new(1);
    let mut hub = Hub::simulated(&sim);
    let remote = hub.remote().unwrap();
    let task = hub.spawn(|_, wake| match wake {
        Wake::Start => Ok(Wait::notified()),
        _ => Ok(Wait::done()),
    });
    hub.sleep(ms(1)).unwrap();
    remote.notify(task).unwrap();
    hub.join(task).unwrap();
}

#[test]
fn faults_have_names() {
    assert_eq!(faults("all"), Faults::all());
    assert_eq!(faults(""), Faults::none());
    let each = Faults::names().map(faults);
    assert!(each.into_iter().all(|one| one != Faults::none()));
    let error = "latency,gremlins".parse::<Faults>().unwrap_err();
    assert!(error.to_string().contains("gremlins"), "{error}");
}
