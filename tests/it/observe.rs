//! Observers: what they are told, in which order, and that it changes nothing.

use crate::notes::Notes;
use greenroom::driver::Endpoint;
use greenroom::observe::{Answer, Event, Observer};
use greenroom::server::{self, Server};
use greenroom::sim::{Script, Sim};
use greenroom::{
    Command, Config, Error, ErrorKind, Hub, Pipeline, Redis, Time, Timeout, Wait, Wake, ms, secs,
};
use std::collections::BTreeSet;

const URL: &str = "redis://127.0.0.1:6379";

fn at() -> std::net::SocketAddr {
    "127.0.0.1:6379".parse().unwrap()
}

/// Writes every event down, in words.
fn listen(hub: &mut Hub) -> Notes<String> {
    let notes = Notes::new();
    let told = notes.clone();
    hub.observe(move |at: Time, event: &Event<'_>| {
        let micros = at.as_nanos() / 1000;
        // Where a task was spawned moves with this file.
        let words = event.to_string();
        let words = words.split(" at tests").next().unwrap();
        told.add(format!("{micros} {words}"));
    });
    notes
}

/// A hub with an embedded server, and a client of it.
fn world(sim: &Sim, url: &str, config: Config) -> (Hub, Redis) {
    let mut hub = Hub::simulated(sim);
    let server = Server::new(&mut hub, server::Config::default());
    server.listen(&mut hub, &Endpoint::Tcp(at())).unwrap();
    let redis = Redis::open_with(&mut hub, url.parse().unwrap(), config).unwrap();
    (hub, redis)
}

#[test]
fn a_pop_is_told_from_its_spawning_to_its_end() {
    let sim = Sim::new(1);
    let script = Script::new()
        .expect_command(&["CLIENT", "ID"])
        .send(b":1\r\n")
        .expect_command(&["BRPOP", "list", "1"]);
    sim.scripts(at(), [script.wait(ms(20)).send(b"*-1\r\n")]);
    let mut hub = Hub::simulated(&sim);
    let redis = Redis::open(&mut hub, URL).unwrap();
    let notes = listen(&mut hub);
    let task = hub.spawn(move |hub, wake| match wake {
        Wake::Start => redis.brpop(hub, "list", Timeout::After(secs(1))),
        Wake::Reply(reply) => reply.map(|_| Wait::done()),
        other => Err(other.unexpected()),
    });
    hub.join(task).unwrap();
    let told = notes.take();
    let wanted = [
        "0 task 1.3 is spawned",
        "0 task 0.2 waits for the end of task 1.3",
        "0 turn 1: the hub sleeps not at all: there is something to do",
        "0 turn 1: 0 events",
        "0 task 1.3 is resumed: it starts",
        "0 task 1.3 asks BRPOP",
        "0 task 1.3 waits for a reply",
        "0 connection 0.1 is dialed, as number 1, to 127.0.0.1:6379",
        "0 connection 0.1 is connected",
        "0 connection 0.1 is ready",
        "0 connection 0.1 sends BRPOP for task 1.3",
        "0 turn 1 has ended: 1 tasks were resumed",
        "0 turn 2: the hub sleeps for 2.000027648s at most: then the next timer is due",
        "0 turn 2: 1 events",
        "0 turn 2 has ended: 0 tasks were resumed",
        "0 turn 3: the hub sleeps for 2.000027648s at most: then the next timer is due",
        "20000 turn 3: 1 events",
        "20000 connection 0.1 is answered, with nil, after 20ms, for task 1.3",
        "20000 connection 0.1 is idle",
        "20000 task 1.3 is resumed: its reply has come",
        "20000 task 1.3 has ended",
        "20000 turn 3 has ended: 1 tasks were resumed",
        "20000 turn 4: the hub sleeps not at all: there is something to do",
        "20000 turn 4: 0 events",
        "20000 task 0.2 is resumed: the task that it waited for has ended",
        "20000 turn 4 has ended: 0 tasks were resumed",
    ];
    assert_eq!(told, wanted, "{told:#?}");
}

#[test]
fn every_kind_of_event_is_told() {
    let mut kinds = BTreeSet::new();
    for run in [good_days, bad_days] {
        let notes = Notes::new();
        run(notes.clone());
        kinds.extend(notes.take());
    }
    let wanted = "Answered Asked Closed Connected Dialed Ended Fired \
                  CancelRequested HandshakeStarted Idle NotConnected NothingLeft \
                  Polls Ready Resumed Sent Spawned Ticked TurnBegan TurnEnded Waits";
    let wanted: BTreeSet<_> = wanted.split_whitespace().map(str::to_owned).collect();
    assert_eq!(kinds, wanted);
}

/// Writes down which kinds of events there are.
fn kinds(notes: Notes<String>) -> impl Observer {
    move |_: Time, event: &Event<'_>| {
        let words = format!("{event:?}");
        let kind = words.split([' ', '{']).next().unwrap();
        notes.add(kind.to_owned());
    }
}

fn good_days(notes: Notes<String>) {
    let sim = Sim::new(1);
    let (mut hub, redis) = world(&sim, "redis://127.0.0.1:6379/1", Config::default());
    hub.observe(kinds(notes));
    let cron = hub.every(ms(5), |_, _| Ok(()));
    let pop = hub.spawn(move |hub, _| redis.brpop(hub, "list", Timeout::Forever));
    let asked = redis.send(&mut hub, Command::new("PING")).unwrap();
    hub.wait(asked).unwrap().reply().unwrap();
    hub.sleep(ms(20)).unwrap();
    hub.kill(cron);
    hub.kill(pop);
    hub.drain().unwrap();
}

fn bad_days(notes: Notes<String>) {
    let sim = Sim::new(1);
    let mut hub = Hub::simulated(&sim);
    let redis = Redis::open(&mut hub, URL).unwrap();
    hub.observe(kinds(notes));
    let asked = redis.brpop(&mut hub, "list", Timeout::Forever).unwrap();
    let error = hub.wait(asked).unwrap().reply().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    hub.run().unwrap();
}

#[test]
fn tasks_end_in_four_ways() {
    let mut hub = Hub::simulated(&Sim::new(1));
    hub.on_error(|_| {});
    let notes = listen(&mut hub);
    hub.spawn(|_, _| Ok(Wait::done()));
    hub.spawn(|_, _| Err(Error::new(ErrorKind::Task, "for a reason")));
    hub.spawn(|_, _| panic!("at the wrong moment"));
    let killed = hub.spawn(|_, _| Ok(Wait::notified()));
    let never = hub.spawn(|_, _| Ok(Wait::done()));
    hub.kill(never);
    hub.sleep(ms(1)).unwrap();
    hub.kill(killed);
    hub.run().unwrap();
    let told = notes.take();
    let ends: Vec<_> = told
        .iter()
        .filter_map(|line| line.split_once(" has "))
        .filter(|(who, _)| who.contains("task"))
        .map(|(_, how)| how)
        .collect();
    let wanted = [
        "ended",
        "failed: for a reason",
        "failed: panicked: at the wrong moment",
        "ended: it was killed",
        "ended: it was killed",
    ];
    assert_eq!(ends, wanted, "{told:#?}");
    let resumed = told
        .iter()
        .filter(|line| line.contains("is resumed: it was killed"));
    assert_eq!(resumed.count(), 1, "one was killed before it had begun");
}

#[test]
fn an_answer_is_told_for_what_it_is() {
    let sim = Sim::new(1);
    let (mut hub, redis) = world(&sim, URL, Config::default());
    let notes = Notes::new();
    let told = notes.clone();
    hub.observe(move |_: Time, event: &Event<'_>| match *event {
        Event::Answered { answer, task, .. } => {
            let what = match answer {
                Answer::Nil => "nil",
                Answer::Value => "value",
                Answer::Error(_) => "error",
                _ => "unwanted",
            };
            told.add((what, task.is_some()));
        }
        Event::Sent {
            commands, timeout, ..
        } if commands > 1 || timeout.is_some() => {
            told.add((
                if commands == 2 { "two" } else { "blocks" },
                timeout == Some(ms(10)),
            ));
        }
        _ => {}
    });
    let pop = redis
        .brpop(&mut hub, "list", Timeout::After(ms(10)))
        .unwrap();
    assert!(hub.wait(pop).unwrap().reply().unwrap().is_none());
    let push = Pipeline::new()
        .command(Command::new("LPUSH").arg("list").arg("element"))
        .command(Command::new("PING"));
    let push = redis.send_all(&mut hub, push).unwrap();
    hub.wait(push).unwrap().reply().unwrap();
    let wrong = redis
        .send(&mut hub, Command::new("INCR").arg("list"))
        .unwrap();
    hub.wait(wrong).unwrap().reply().unwrap_err();
    let wanted = [
        ("blocks", true),
        ("nil", true),
        ("two", false),
        ("value", true),
        ("error", true),
    ];
    assert_eq!(notes.take(), wanted);
}

#[test]
fn who_has_stopped_is_told_of_nothing() {
    let (mut hub, redis) = world(&Sim::new(1), URL, Config::default());
    let notes = listen(&mut hub);
    hub.sleep(ms(1)).unwrap();
    assert!(notes.len() > 0);
    hub.stop_observing();
    notes.take();
    let pop = redis
        .brpop(&mut hub, "list", Timeout::After(ms(1)))
        .unwrap();
    hub.wait(pop).unwrap().reply().unwrap();
    assert_eq!(notes.len(), 0);
    // What happened meanwhile is not told later either.
    let notes = listen(&mut hub);
    hub.sleep(ms(1)).unwrap();
    let told = notes.take();
    assert!(
        told.iter().all(|line| !line.contains("connection")),
        "{told:#?}"
    );
}

#[test]
fn an_observer_changes_nothing() {
    let hash = |observed: bool| {
        let sim = Sim::new(7);
        let (mut hub, redis) = world(&sim, URL, Config::default());
        sim.set_faults("latency,splits,resets".parse().unwrap());
        let notes = observed.then(|| listen(&mut hub));
        for _ in 0..20 {
            let pop = redis.brpop(&mut hub, "list", Timeout::After(ms(10)));
            // Some fail, as chance will have it.
            let _ = hub.wait(pop.unwrap()).unwrap();
        }
        assert!(notes.is_none_or(|notes| notes.len() > 100));
        sim.trace_hash()
    };
    assert_eq!(hash(true), hash(false));
}

#[test]
fn an_observer_that_panics_does_not_end_the_run() {
    let mut hub = Hub::simulated(&Sim::new(1));
    hub.observe(|_: Time, _: &Event<'_>| panic!("nobody looks at this"));
    let notes = listen(&mut hub);
    hub.sleep(ms(1)).unwrap();
    assert!(notes.len() > 0, "the other one is told all the same");
}
