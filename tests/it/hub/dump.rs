//! The dump: each kind of wait, and what is written of it.

use super::*;
use crate::peer::{Door, Peer};
use greenroom::{Address, ClientIds, Config, Endpoint, Redis, Timeout, ms};
use std::os::unix::net::UnixStream;

const OK: &[u8] = b"+OK\r\n";

/// The line of one task.
#[track_caller]
fn line_of(dump: &str, task: TaskId) -> String {
    let begins = format!("{task:?} ");
    let line = dump.lines().find(|line| line.starts_with(&begins));
    line.unwrap_or_else(|| panic!("no {task:?} in {dump}"))
        .into()
}

/// A task that waits for this once.
#[track_caller]
fn waiting(hub: &mut Hub, wait: Wait) -> TaskId {
    hub.spawn(move |_hub, _wake| Ok(wait))
}

#[test]
fn every_wait_without_a_server_is_told_with_its_time_and_its_place() {
    let (mut hub, kernel) = clockwork();
    let sleeps = waiting(&mut hub, Wait::sleep(secs(5)));
    let line = line!() - 1;
    let notified = waiting(&mut hub, Wait::notified());
    let briefly = waiting(&mut hub, Wait::notified().within(secs(4)));
    let joins = waiting(&mut hub, Wait::join(sleeps));
    hub.turn().unwrap();
    kernel.pass(secs(3));
    let dump = hub.dump().to_string();
    let place = format!("; spawned at {}:{line}:18", file!());
    let told = line_of(&dump, sleeps);
    let text = format!("{sleeps:?} sleeps, for 3.0 s, 2.0 s to go{place}");
    assert_eq!(told, text);
    let told = line_of(&dump, notified);
    assert!(
        told.contains(" waits for a notify, for 3.0 s; spawned"),
        "{told}"
    );
    let told = line_of(&dump, briefly);
    assert!(told.contains(", for 3.0 s, deadline in 1.0 s;"), "{told}");
    let told = line_of(&dump, joins);
    let text = format!(" waits for the end of {sleeps:?}, for 3.0 s;");
    assert!(told.contains(&text), "{told}");
    assert!(dump.contains("\nmain runs\n"), "{dump}");
    let hub_line = "hub: 4 tasks, 0 ready; 2 timers, 0 requests; 0 streams and listeners\n";
    assert!(dump.starts_with(hub_line), "{dump}");
    assert!(dump.contains("\ndone: 1 turns, 1 polls, 0 events (0 stale), 4 resumptions,"));
}

#[test]
fn the_task_that_asks_is_the_one_that_runs() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let inner = notes.clone();
    let asks = acting(&mut hub, move |hub| inner.add(hub.dump().to_string()));
    let ready = lasting(&mut hub, ms(1));
    hub.join(asks).unwrap();
    let dump = notes.take().remove(0);
    let told = line_of(&dump, asks);
    assert!(
        told.starts_with(&format!("{asks:?} runs; spawned at ")),
        "{told}"
    );
    let told = line_of(&dump, ready);
    assert!(
        told.starts_with(&format!("{ready:?} is ready; spawned at ")),
        "{told}"
    );
    let text = format!("\nmain waits for the end of {asks:?}, for 0.0 s\n");
    assert!(dump.contains(&text), "{dump}");
    let inner = notes.clone();
    acting(&mut hub, move |hub| inner.add(hub.dump().to_string()));
    hub.turn().unwrap();
    let dump = notes.take().remove(0);
    assert!(dump.contains("\nmain makes a turn\n"), "{dump}");
}

#[test]
fn streams_and_listeners_are_told_with_their_direction() {
    let mut hub = Hub::new().unwrap();
    let at = Endpoint::Tcp(([127, 0, 0, 1], 0).into());
    let listener = hub.listen(&at).unwrap();
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let stream = hub.adopt(ours).unwrap();
    let accepts = waiting(&mut hub, Wait::acceptable(listener));
    let reads = hub.spawn(move |hub, _wake| {
        while hub.read(stream, &mut [0; 8])?.is_some() {}
        Ok(Wait::readable(stream))
    });
    let (full, _theirs) = UnixStream::pair().unwrap();
    let full = hub.adopt(full).unwrap();
    let writes = hub.spawn(move |hub, _wake| {
        while hub.write(full, &[0; 4096])?.is_some() {}
        Ok(Wait::writable(full))
    });
    let either = hub.spawn(move |hub, _wake| {
        while hub.read(full, &mut [0; 8])?.is_some() {}
        Ok(Wait::readable_or_writable(full))
    });
    // It may be resumed for nothing first: a listener may be ready from the start.
    hub.spawn(move |hub, _wake| {
        while hub.accept(listener)?.is_some() {}
        Ok(Wait::done())
    });
    hub.sleep(ms(5)).unwrap();
    let dump = hub.dump().to_string();
    for (task, what) in [
        (accepts, "waits to accept at listener "),
        (reads, "waits to read stream "),
        (writes, "waits to write stream "),
        (either, "waits to read or write stream "),
    ] {
        let told = line_of(&dump, task);
        assert!(told.contains(what), "{told}");
        let object = told.split(what).nth(1).unwrap();
        assert!(object.starts_with(|first: char| first.is_ascii_digit()));
    }
    assert!(dump.contains("; 3 streams and listeners\n"), "{dump}");
}

/// Signs everybody in when it is told to, and says nothing more until the clients are gone.
fn mute(connections: usize, go: mpsc::Receiver<()>) -> impl FnOnce(&Door) + Send + 'static {
    move |door| {
        let mut links = door.accept_all(connections);
        go.recv().unwrap();
        for link in &mut links {
            link.expect_command(&["AUTH", "S3NTINEL"]);
            link.say(OK);
        }
        for mut link in links {
            link.read_some(64);
            link.expect_end();
        }
    }
}

#[test]
fn requests_are_told_with_their_pool_and_connection_and_without_the_password() {
    let (go, wait) = mpsc::channel();
    let peer = Peer::tcp(mute(2, wait));
    let mut hub = Hub::new().unwrap();
    let address: Address = peer.url_as(":S3NTINEL", "").parse().unwrap();
    let mut config = Config::default();
    config.max_connections = Some(1);
    config.client_ids = ClientIds::Never;
    let redis = Redis::open_with(&mut hub, address, config).unwrap();
    let pop = move |hub: &mut Hub, _: Wake| redis.brpop(hub, "list", Timeout::Forever);
    let first = hub.spawn(pop);
    let second = hub.spawn(pop);
    let shared = hub.spawn(move |hub, _| redis.get(hub, "key"));
    hub.turn().unwrap();
    let dump = hub.dump().to_string();
    let told = line_of(&dump, shared);
    assert!(
        told.contains("on the shared connection, which is not ready,"),
        "{told}"
    );
    let told = line_of(&dump, first);
    assert!(told.contains(" waits for a connection of pool "), "{told}");
    go.send(()).unwrap();
    until(|| {
        hub.sleep(ms(1)).unwrap();
        let dump = hub.dump().to_string();
        line_of(&dump, first).contains("reply") && !dump.contains("not ready")
    });
    let dump = hub.dump().to_string();
    let told = line_of(&dump, first);
    assert!(told.contains(" waits for a reply of pool "), "{told}");
    assert!(told.contains(" on connection "), "{told}");
    let told = line_of(&dump, second);
    assert!(told.contains(" waits for a connection of pool "), "{told}");
    let told = line_of(&dump, shared);
    assert!(told.contains(" on the shared connection, for "), "{told}");
    let pool = dump.lines().find(|line| line.starts_with("pool ")).unwrap();
    assert!(pool.contains(" redis://:***@127.0.0.1:"), "{pool}");
    let text = ": 1 connections, 1 in use, 0 available; 1 commands wait for one; \
        a shared connection; 2 connects (0 again), 0 replies dropped";
    assert!(pool.ends_with(text), "{pool}");
    assert!(dump.contains(" 3 requests; "), "{dump}");
    assert!(!dump.contains("S3NTINEL"), "{dump}");
    let debug = format!("{:?}", hub.dump());
    assert!(!debug.contains("S3NTINEL"), "{debug}");
    drop(hub);
    peer.join();
}

#[test]
fn a_wait_for_a_request_that_another_task_has_taken_over_is_told() {
    let peer = Peer::tcp(|door| {
        let mut link = door.accept();
        link.expect_probe();
        link.expect_command(&["GET", "key"]);
        link.say(b"$-1\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = Redis::open(&mut hub, &peer.url("")).unwrap();
    let asked = redis.get(&mut hub, "key").unwrap();
    let robbed = waiting(&mut hub, asked);
    hub.turn().unwrap();
    hub.wait(asked).unwrap().reply().unwrap();
    let told = line_of(&hub.dump().to_string(), robbed);
    assert!(
        told.contains(" waits for a request that has ended, for "),
        "{told}"
    );
    drop(hub);
}

#[test]
fn tasks_that_are_alike_share_a_line_where_there_are_many() {
    let (mut hub, kernel) = clockwork();
    let first = waiting(&mut hub, Wait::notified());
    for _ in 0..3 {
        lasting(&mut hub, secs(50));
    }
    hub.turn().unwrap();
    kernel.pass(secs(2));
    let spawn = |hub: &mut Hub| waiting(hub, Wait::notified());
    let oldest = spawn(&mut hub);
    hub.turn().unwrap();
    kernel.pass(secs(1));
    for _ in 0..14 {
        spawn(&mut hub);
    }
    hub.turn().unwrap();
    assert_eq!(hub.tasks().len(), 19);
    let dump = hub.dump().to_string();
    assert_eq!(dump.lines().count(), 2 + 1 + 19, "one each: {dump}");
    spawn(&mut hub);
    hub.turn().unwrap();
    let dump = hub.dump().to_string();
    let lines: Vec<_> = dump.lines().skip(2).collect();
    assert_eq!(lines.len(), 4, "{dump}");
    assert_eq!(lines[0], "main runs");
    let begins =
        format!("16 tasks wait for a notify, the longest ({oldest:?}) for 1.0 s; spawned at ");
    assert!(lines[1].starts_with(&begins), "{dump}");
    assert!(
        lines[2].starts_with("3 tasks sleep, the longest ("),
        "{dump}"
    );
    assert_eq!(lines[3], line_of(&dump, first), "alone, and told in full");
    assert!(lines[3].contains(", for 3.0 s;"), "{dump}");
}

#[test]
fn tasks_of_one_place_that_wait_for_different_things_are_different_lines() {
    let (mut hub, _) = clockwork();
    for index in 0..30 {
        let wait = if index < 10 {
            Wait::notified()
        } else {
            Wait::sleep(secs(1))
        };
        waiting(&mut hub, wait);
    }
    let joined = lasting(&mut hub, secs(1));
    for _ in 0..2 {
        waiting(&mut hub, Wait::join(joined));
    }
    let ready = hub.dump().to_string();
    assert!(
        ready.contains("\n30 tasks are ready; spawned at "),
        "{ready}"
    );
    hub.turn().unwrap();
    let dump = hub.dump().to_string();
    assert!(dump.contains("\n20 tasks sleep, "), "{dump}");
    assert!(dump.contains("\n10 tasks wait for a notify, "), "{dump}");
    assert!(
        dump.contains("\n2 tasks wait for the end of a task, "),
        "{dump}"
    );
}
