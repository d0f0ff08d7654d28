//! Modes in which the server postpones or refuses commands: pauses, roles, injected faults.
//!
//! The differential tests compare the replies with those of Redis. These tests check times, on the
//! simulated clock, and the methods of `Server`.

use super::*;
use greenroom::server::{Fault, Pause, Role};
use greenroom::sim::Sim;
use greenroom::{Command, Error, Redis, Reply, Time, Timeout};
use std::cell::Cell;
use std::rc::Rc;

/// A server and a client on a simulated kernel in which nothing takes any time.
struct Stage {
    sim: Sim,
    hub: Hub,
    server: Server,
    redis: Redis,
}

fn stage(config: Config) -> Stage {
    let sim = Sim::new(1);
    let mut hub = Hub::simulated(&sim);
    let server = Server::new(&mut hub, config);
    let at = Endpoint::Tcp(([127, 0, 0, 1], 6379).into());
    server.listen(&mut hub, &at).unwrap();
    // The client is to wait for whatever the server does.
    let mut patient = greenroom::Config::default();
    patient.command_timeout = secs(100);
    patient.blocking_grace = secs(100);
    let address = "redis://127.0.0.1:6379".parse().unwrap();
    let redis = Redis::open_with(&mut hub, address, patient).unwrap();
    Stage {
        sim,
        hub,
        server,
        redis,
    }
}

impl Stage {
    fn ask(&mut self, words: &str) -> greenroom::Result<Reply> {
        let wait = self.redis.send(&mut self.hub, command(words))?;
        self.hub.wait(wait)?.reply()
    }

    /// Asks in a task, and notes the reply and its time.
    fn spawn(&mut self, words: &str) -> Notes<(Time, String)> {
        let (redis, words, ends) = (self.redis, words.to_owned(), Notes::new());
        let noted = ends.clone();
        let task = self.hub.spawn(move |hub, wake| match wake {
            Wake::Start if words == "BRPOP list 0.1" => {
                redis.brpop(hub, "list", Timeout::After(ms(100)))
            }
            Wake::Start => redis.send(hub, command(&words)),
            other => {
                let end = other.reply().map(|reply| format!("{:?}", reply.value()));
                noted.add((hub.now(), end.unwrap_or_else(|error| error.to_string())));
                Ok(Wait::done())
            }
        });
        self.hub.detach(task);
        self.hub.sleep(ms(1)).unwrap();
        ends
    }

    /// Returns how long a command takes.
    fn took(&mut self, words: &str) -> Duration {
        let begin = self.hub.now();
        self.ask(words).unwrap();
        self.hub.now().since(begin)
    }

    fn end(mut self) {
        self.redis.close(&mut self.hub);
        self.server.shutdown(&mut self.hub);
        self.hub.join(self.server.task()).unwrap();
        self.hub.sleep(secs(1)).unwrap();
        assert_eq!((self.hub.tasks().len(), self.sim.sockets()), (0, 0));
    }
}

fn command(words: &str) -> Command {
    let mut words = words.split(' ');
    let name = words.next().unwrap();
    words.fold(Command::new(name), Command::arg)
}

/// Panics unless `took` is `expected`, to a millisecond.
#[track_caller]
fn assert_is(took: Duration, expected: Duration) {
    let range = expected..=expected + ms(1);
    assert!(range.contains(&took), "{took:?} instead of {expected:?}");
}

#[test]
fn paused_write_runs_when_the_pause_ends() {
    let mut stage = stage(Config::default());
    stage.ask("PING").unwrap();
    stage.server.pause(&mut stage.hub, Pause::Writes, ms(300));
    assert_is(stage.took("GET key"), ms(0));
    assert_is(stage.took("SET key value"), ms(300));
    assert_is(stage.took("SET key value"), ms(0));
    stage.end();
}

#[test]
fn pause_of_all_postpones_reads() {
    let mut stage = stage(Config::default());
    stage.ask("PING").unwrap();
    stage.server.pause(&mut stage.hub, Pause::All, ms(300));
    assert_is(stage.took("CLIENT UNPAUSE"), ms(300));
    assert_is(stage.took("GET key"), ms(0));
    stage.end();
}

#[test]
fn later_end_and_stricter_pause_count() {
    let mut stage = stage(Config::default());
    stage.ask("PING").unwrap();
    for times in [[300, 100], [100, 300]] {
        for time in times {
            stage.server.pause(&mut stage.hub, Pause::Writes, ms(time));
        }
        assert_is(stage.took("SET key value"), ms(300));
    }
    stage.server.pause(&mut stage.hub, Pause::Writes, ms(300));
    stage.server.pause(&mut stage.hub, Pause::All, ms(100));
    assert_is(stage.took("GET key"), ms(300));
    stage.end();
}

#[test]
fn pause_that_grows_keeps_what_it_has_postponed() {
    let mut stage = stage(Config::default());
    stage.ask("PING").unwrap();
    let begin = stage.hub.now();
    stage.server.pause(&mut stage.hub, Pause::Writes, ms(100));
    let write = stage.spawn("SET key value");
    stage.server.pause(&mut stage.hub, Pause::Writes, ms(300));
    stage.hub.sleep(ms(500)).unwrap();
    let (at, reply) = write.take().remove(0);
    assert_eq!(reply, r#"Simple("OK")"#);
    assert_is(at.since(begin), ms(301));
    stage.end();
}

#[test]
fn unpause_runs_what_was_postponed() {
    let mut stage = stage(Config::default());
    stage.ask("PING").unwrap();
    stage.server.pause(&mut stage.hub, Pause::All, secs(50));
    let write = stage.spawn("SET key value");
    assert_eq!(stage.server.stats().blocked, 1);
    stage.server.unpause(&mut stage.hub);
    stage.hub.sleep(ms(1)).unwrap();
    assert_eq!(write.take().len(), 1);
    assert_eq!(stage.server.stats().blocked, 0);
    stage.end();
}

/// As in Redis: a timeout runs during a pause, and that of a postponed command begins behind it.
#[test]
fn pause_does_not_stop_timeouts() {
    for what in [Pause::Writes, Pause::All] {
        let mut stage = stage(Config::default());
        stage.ask("PING").unwrap();
        let begin = stage.hub.now();
        let before = stage.spawn("BRPOP list 0.1");
        stage.server.pause(&mut stage.hub, what, secs(1));
        let during = stage.spawn("BRPOP list 0.1");
        stage.hub.sleep(secs(2)).unwrap();
        for (pop, expected) in [(before, ms(100)), (during, ms(1_101))] {
            let (at, reply) = pop.take().remove(0);
            assert_eq!(reply, "Null");
            assert_is(at.since(begin), expected);
        }
        stage.end();
    }
}

#[test]
fn unblock_of_postponed_pop_crashes_the_server() {
    let mut stage = stage(Config::default());
    let id = stage.ask("CLIENT ID").unwrap().to::<i64>().unwrap();
    stage.server.pause(&mut stage.hub, Pause::Writes, secs(50));
    let pop = stage.spawn("BRPOP list 0.1");
    assert_eq!(stage.server.crash_report(), None);
    let lost = |error: Error| error.kind() == greenroom::ErrorKind::Closed;
    let unblock = format!("CLIENT UNBLOCK {}", id + 1);
    assert!(stage.ask(&unblock).is_err_and(lost));
    let report = stage.server.crash_report().unwrap();
    assert!(report.contains("Unknown btype"), "{report}");
    stage.hub.join(stage.server.task()).unwrap();
    assert_eq!(stage.server.stats().clients, 0);
    stage.redis.close(&mut stage.hub);
    stage.hub.sleep(secs(1)).unwrap();
    assert_eq!(pop.take().len(), 1);
    let at = Endpoint::Tcp(([127, 0, 0, 1], 6379).into());
    assert!(stage.server.listen(&mut stage.hub, &at).is_err());
    assert_eq!((stage.hub.tasks().len(), stage.sim.sockets()), (0, 0));
}

#[test]
fn fixed_server_leaves_postponed_pops_alone() {
    let mut stage = stage(config(|config| config.unblock_panics = false));
    let id = stage.ask("CLIENT ID").unwrap().to::<i64>().unwrap();
    stage.server.pause(&mut stage.hub, Pause::Writes, ms(300));
    let pop = stage.spawn("BRPOP list 0.1");
    for reason in ["TIMEOUT", "ERROR"] {
        let unblock = format!("CLIENT UNBLOCK {} {reason}", id + 1);
        assert_eq!(stage.ask(&unblock).unwrap().to::<i64>().unwrap(), 0);
    }
    stage.hub.sleep(secs(1)).unwrap();
    assert_eq!(pop.take()[0].1, "Null");
    assert_eq!(stage.server.crash_report(), None);
    stage.end();
}

#[test]
fn demoted_server_ends_waits_and_refuses_writes() {
    let mut stage = stage(Config::default());
    stage.ask("PING").unwrap();
    let pop = stage.spawn("BRPOP list 0.1");
    let (host, port) = ("example.org".into(), 6379);
    let replica = Role::Replica { host, port };
    stage.server.set_role(&mut stage.hub, replica.clone());
    stage.hub.sleep(ms(1)).unwrap();
    let (_, error) = pop.take().remove(0);
    assert!(error.starts_with("UNBLOCKED force unblock"), "{error}");
    assert_eq!(stage.server.stats().clients, 1);
    assert_eq!(stage.server.role(&mut stage.hub), replica);
    let error = stage.ask("SET key value").unwrap_err();
    assert_eq!(error.code(), Some("READONLY"));
    let info: String = stage.ask("INFO replication").unwrap().to().unwrap();
    for field in [
        "role:slave",
        "master_host:example.org",
        "master_link_status:down",
    ] {
        assert!(info.contains(field), "{info}");
    }
    stage.server.set_role(&mut stage.hub, Role::Master);
    stage.ask("SET key value").unwrap();
    stage.end();
}

#[test]
fn injected_faults_end_in_time() {
    let mut stage = stage(Config::default());
    stage.ask("PING").unwrap();
    let next = Rc::new(Cell::new(None));
    let fault = Rc::clone(&next);
    stage.server.inject(move |_| fault.take());
    next.set(Some(Fault::PauseWrites(ms(200))));
    assert_is(stage.took("SET key value"), ms(200));
    next.set(Some(Fault::Demote(ms(200))));
    assert_eq!(stage.ask("INCR n").unwrap_err().code(), Some("READONLY"));
    stage.hub.sleep(ms(199)).unwrap();
    assert_ne!(stage.server.role(&mut stage.hub), Role::Master);
    stage.hub.sleep(ms(1)).unwrap();
    assert_eq!(stage.server.role(&mut stage.hub), Role::Master);
    stage.ask("INCR n").unwrap();
    next.set(Some(Fault::Error("BUSY for\r\na while".into())));
    let error = stage.ask("INCR n").unwrap_err();
    assert_eq!(error.to_string(), "BUSY for  a while");
    stage.ask("INCR n").unwrap();
    stage.end();
}

/// A pause ends for all at once: each runs once, in the order in which it was postponed.
#[test]
fn many_postponed_clients_run_in_order() {
    const CLIENTS: usize = 500;
    let mut server = Embedded::start();
    server.ask(["CLIENT", "PAUSE", "60000", "WRITE"]);
    let mut callers: Vec<_> = (0..CLIENTS).map(|_| server.caller()).collect();
    for (number, caller) in callers.iter_mut().enumerate() {
        caller.say(["RPUSH", "list", &number.to_string()]);
        server.await_blocked(number + 1);
    }
    server.ask(["CLIENT", "UNPAUSE"]);
    for (number, caller) in callers.iter_mut().enumerate() {
        caller.expect(format!(":{}\r\n", number + 1));
    }
}

#[test]
fn postponed_client_that_leaves_writes_nothing() {
    let mut server = Embedded::start();
    server.ask(["CLIENT", "PAUSE", "60000", "WRITE"]);
    for mut caller in server.both() {
        caller.say(["SET", "key", "value"]);
        server.await_blocked(1);
        drop(caller);
        server.await_blocked(0);
    }
    server.ask(["CLIENT", "UNPAUSE"]);
    assert_eq!(server.ask(["EXISTS", "key"]), Value::Int(0));
}
