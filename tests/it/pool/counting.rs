//! The counters, and which connection is used next.

use super::*;

#[test]
fn the_counters_are_exact_at_each_step() {
    let (go, wait) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut a = door.accept();
        expect_pop(&mut a, "a");
        let mut b = door.accept();
        expect_pop(&mut b, "b");
        wait.recv().unwrap();
        a.say(NIL);
        wait.recv().unwrap();
        b.say(NIL);
        wait.recv().unwrap();
        drop(a);
        b.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, Config::default());
    assert_eq!(counters(redis, &hub), [0, 0, 0, 0]);
    let a = redis.brpop(&mut hub, "a", SECOND).unwrap();
    assert_eq!(counters(redis, &hub), [0, 0, 0, 1]);
    let b = redis.brpop(&mut hub, "b", SECOND).unwrap();
    assert_eq!(counters(redis, &hub), [0, 0, 0, 2]);
    hub.turn().unwrap();
    assert_eq!(counters(redis, &hub), [2, 2, 0, 0]);
    go.send(()).unwrap();
    answer(&mut hub, a).unwrap();
    assert_eq!(counters(redis, &hub), [2, 1, 1, 0]);
    go.send(()).unwrap();
    answer(&mut hub, b).unwrap();
    assert_eq!(counters(redis, &hub), [2, 0, 2, 0]);
    go.send(()).unwrap();
    settle(&mut hub, redis, [1, 0, 1, 0]);
    redis.close(&mut hub);
    assert_eq!(counters(redis, &hub), [0, 0, 0, 0]);
    hub.turn().unwrap();
}

#[test]
fn the_shared_connection_is_not_counted() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect_command(&["PING"]);
        link.say(b"+PONG\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, Config::default());
    assert!(!redis.stats(&hub).shared);
    let asked = redis.ping(&mut hub).unwrap();
    answer(&mut hub, asked).unwrap();
    assert!(redis.stats(&hub).shared);
    assert_eq!(counters(redis, &hub), [0, 0, 0, 0]);
    assert_eq!(redis.stats(&hub).connects, 1);
}

#[test]
fn the_connection_that_was_used_last_is_used_next() {
    let (go, wait) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut links = door.accept_all(3);
        for (link, list) in links.iter_mut().zip(["a", "b", "c"]) {
            expect_pop(link, list);
        }
        for at in [0, 2, 1] {
            wait.recv().unwrap();
            links[at].say(NIL);
        }
        for (at, list) in [(1, "d"), (2, "e"), (0, "f")] {
            expect_pop(&mut links[at], list);
            links[at].say(NIL);
        }
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer, Config::default());
    let asked = ["a", "b", "c"].map(|list| redis.brpop(&mut hub, list, SECOND).unwrap());
    for at in [0, 2, 1] {
        go.send(()).unwrap();
        answer(&mut hub, asked[at]).unwrap();
    }
    let asked = ["d", "e", "f"].map(|list| redis.brpop(&mut hub, list, SECOND).unwrap());
    for asked in asked {
        answer(&mut hub, asked).unwrap();
    }
    assert_eq!(redis.stats(&hub).connects, 3);
}

#[test]
fn two_clients_on_one_hub_do_not_know_of_each_other() {
    let script = |door: &Door| {
        let mut link = door.accept();
        expect_pop(&mut link, "a");
        link.say(NIL);
        link.expect_end();
    };
    let (one, two) = (Peer::unix(script), Peer::unix(script));
    let mut hub = Hub::new().unwrap();
    let (first, second) = (
        open(&mut hub, &one, limited(1)),
        open(&mut hub, &two, limited(1)),
    );
    let a = first.brpop(&mut hub, "a", SECOND).unwrap();
    let b = second.brpop(&mut hub, "a", SECOND).unwrap();
    answer(&mut hub, a).unwrap();
    first.close(&mut hub);
    answer(&mut hub, b).unwrap();
    assert_eq!(counters(second, &hub), [1, 0, 1, 0]);
}
