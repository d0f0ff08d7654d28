//! Requests that somebody gives up.

use super::*;

#[test]
fn the_connection_of_a_killed_pop_is_closed_and_never_used_again() {
    let peer = Peer::unix(|door| {
        let mut first = door.accept();
        expect_pop(&mut first, "a");
        first.expect_end();
        let mut second = door.accept();
        expect_pop(&mut second, "b");
        second.say(NIL);
        second.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, limited(1));
    let notes = Notes::new();
    let a = popper(&mut hub, redis, "a", &notes);
    hub.turn().unwrap();
    assert_eq!(counters(redis, &hub), [1, 1, 0, 0]);
    hub.kill(a);
    assert_eq!(counters(redis, &hub), [0, 0, 0, 0]);
    let b = popper(&mut hub, redis, "b", &notes);
    hub.join(b).unwrap();
    assert_eq!(notes.take(), ["a: killed", "b: nil"]);
}

#[test]
fn who_waits_gets_a_new_connection_when_a_killed_pop_has_closed_its_own() {
    let peer = Peer::unix(|door| {
        let mut first = door.accept();
        expect_pop(&mut first, "a");
        let mut second = door.accept();
        expect_pop(&mut second, "b");
        first.expect_end();
        second.say(NIL);
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, limited(1));
    let notes = Notes::new();
    let a = popper(&mut hub, redis, "a", &notes);
    let b = popper(&mut hub, redis, "b", &notes);
    hub.turn().unwrap();
    hub.kill(a);
    hub.join(b).unwrap();
    assert_eq!(notes.take(), ["a: killed", "b: nil"]);
}

#[test]
fn a_task_that_panics_gives_up_what_it_has_asked() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        expect_pop(&mut link, "a");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    hub.on_error(|_| {});
    let redis = open(&mut hub, &peer, Config::default());
    let task = hub.spawn(move |hub, wake| match wake {
        Wake::Start => {
            let _ = redis.brpop(hub, "a", SECOND)?;
            Ok(Wait::sleep(ms(5)))
        }
        _ => panic!("on purpose"),
    });
    hub.join(task).unwrap_err();
    assert_eq!(counters(redis, &hub), [0, 0, 0, 0]);
    peer.join();
}

#[test]
fn the_late_reply_to_a_killed_task_is_dropped_and_moves_no_other() {
    let (go, wait) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut link = door.accept();
        link.expect(&[wire(&["GET", "a"]), wire(&["GET", "b"])].concat());
        wait.recv().unwrap();
        link.say(b"+A\r\n+B\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, Config::default());
    let killed = hub.spawn(move |hub, wake| match wake {
        Wake::Start => redis.get(hub, "a"),
        _ => Ok(Wait::done()),
    });
    hub.turn().unwrap();
    let b = redis.get(&mut hub, "b").unwrap();
    hub.kill(killed);
    go.send(()).unwrap();
    let reply = answer(&mut hub, b).unwrap();
    assert_eq!(reply.value(), &Value::Simple("B".into()));
    assert_eq!(redis.stats(&hub).replies_dropped, 1);
}

#[test]
fn a_closed_client_fails_what_it_has_not_ended_and_refuses_the_rest() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        expect_pop(&mut link, "a");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, limited(1));
    let a = redis.brpop(&mut hub, "a", SECOND).unwrap();
    let b = redis.brpop(&mut hub, "b", SECOND).unwrap();
    hub.turn().unwrap();
    redis.close(&mut hub);
    let kinds = [a, b].map(|asked| {
        let error = answer(&mut hub, asked).unwrap_err();
        (error.kind(), error.maybe_executed())
    });
    assert_eq!(
        kinds,
        [(ErrorKind::Closed, true), (ErrorKind::Closed, false)]
    );
    let error = redis.ping(&mut hub).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    let error = redis.brpop(&mut hub, "a", SECOND).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    redis.close(&mut hub);
    assert_eq!(hub.timers_armed(), 0);
    peer.join();
}
