//! Requests that somebody gives up, and hubs with nothing to do.

use super::*;

#[test]
fn what_a_killed_task_would_have_popped_stays_in_the_list() {
    let Some(mut live) = private(&[]) else { return };
    let mut side = live.server.side();
    let (tasks, results) = live.spawn_pops(1, "spared", Timeout::Forever);
    live.run_until_blocked(1, &mut side);
    live.hub.kill(tasks[0]);
    live.hub.join_all(&tasks).unwrap();
    live.hub.drain().unwrap();
    eventually("the server has seen the end of the pop", || {
        side.blocked() == 0
    });
    side.ask(["LPUSH", "spared", "element"]);
    live.hub.sleep(ms(20)).unwrap();
    assert_eq!(side.number(["LLEN", "spared"]), 1);
    let killed = results.take().pop().unwrap().unwrap_err();
    assert_eq!(killed.kind(), ErrorKind::Killed);
    let stats = live.redis.stats(&live.hub);
    assert_eq!((stats.cancelled, stats.indeterminate), (1, 0));
    assert_eq!((stats.created, stats.available), (1, 1), "it is used again");
}

#[test]
fn what_a_pop_past_its_deadline_would_have_got_stays_in_the_list() {
    let Some(mut live) = private(&[]) else { return };
    let mut side = live.server.side();
    let asked = live.redis.brpop(&mut live.hub, "waived", Timeout::Forever);
    let wake = live.hub.wait(asked.unwrap().within(ms(50))).unwrap();
    assert!(matches!(wake, Wake::Deadline), "{wake:?}");
    live.hub.sleep(ms(5)).unwrap();
    eventually("the server has seen the end of the pop", || {
        side.blocked() == 0
    });
    side.ask(["LPUSH", "waived", "element"]);
    assert_eq!(side.number(["LLEN", "waived"]), 1);
}

#[test]
fn a_closed_client_fails_what_is_under_way_and_leaves_no_connection() {
    let Some(mut live) = private(&[]) else { return };
    let mut side = live.server.side();
    let (tasks, results) = live.spawn_pops(5, "closing", Timeout::Forever);
    live.run_until_blocked(5, &mut side);
    live.redis.close(&mut live.hub);
    live.hub.join_all(&tasks).unwrap();
    for error in results.take().into_iter().map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::Closed);
    }
    let clients = || side.info("connected_clients") == "1";
    eventually("only the side client is left", clients);
    assert_eq!(
        live.error(|redis, hub| redis.ping(hub)).kind(),
        ErrorKind::Misuse
    );
}

#[test]
fn a_hub_whose_pops_wait_for_ever_makes_no_turn() {
    let Some(mut live) = private(&[]) else { return };
    let mut side = live.server.side();
    let (tasks, results) = live.spawn_pops(100, "idle", Timeout::Forever);
    live.run_until_blocked(100, &mut side);
    let (remote, main) = (live.hub.remote().unwrap(), live.hub.main());
    let before = live.hub.stats().turns;
    let waker = thread::spawn(move || {
        thread::sleep(ms(300));
        remote.notify(main)
    });
    let begin = Instant::now();
    let wake = live.hub.wait(Wait::notified()).unwrap();
    assert!(matches!(wake, Wake::Notified), "{wake:?}");
    assert!(begin.elapsed() >= ms(290));
    waker.join().unwrap().unwrap();
    // The one turn is the one that the notify has ended.
    assert_eq!(live.hub.stats().turns - before, 1);
    // One is armed for each, at the end of its round.
    assert_eq!(live.hub.timers_armed(), 100);
    assert!(results.borrow().is_empty() && tasks.len() == 100);
}

/// Kills so many pops at once, each on a connection of its own, and tells how long it takes until all are taken back.
fn take_back(live: &mut Live<Server>, side: &mut Side, count: usize) -> Duration {
    let (tasks, _results) = live.spawn_pops(count, "list", Timeout::Forever);
    live.run_until_blocked(count, side);
    let begin = Instant::now();
    for task in tasks {
        live.hub.kill(task);
    }
    live.hub.drain().unwrap();
    let took = begin.elapsed();
    assert_eq!(side.blocked(), 0);
    took
}

#[test]
fn a_pop_is_taken_back_within_five_milliseconds() {
    by_the_clock(|| {
        let Some(server) = Server::start_tcp(&[]) else {
            return;
        };
        let (mut side, address) = (server.side(), server.tcp());
        let mut live = Live::new(server, address);
        let mut took: Vec<_> = (0..200)
            .map(|_| take_back(&mut live, &mut side, 1))
            .collect();
        took.sort_unstable();
        let [half, most, all] = [100, 197, 199].map(|rank| took[rank]);
        println!("taken back: p50 {half:?}, p99 {most:?}, the last {all:?}");
        // What the most of them take on an idle machine (docs/measurements.md) is what half of them may on any.
        assert!(half <= ms(5), "{half:?}");
        assert_eq!(live.redis.stats(&live.hub).cancelled, 200);
    });
}

/// `GREENROOM_CANCELS=10000` kills so many.
#[test]
fn thousands_are_taken_back_within_a_second() {
    let count = std::env::var("GREENROOM_CANCELS").map_or(2000, |count| count.parse().unwrap());
    by_the_clock(|| {
        let Some(server) = Server::start_tcp(&["--maxclients", "12000"]) else {
            return;
        };
        let (mut side, address) = (server.side(), server.tcp());
        let mut live = Live::new(server, address);
        let took = take_back(&mut live, &mut side, count);
        println!("{count} taken back in {took:?}");
        assert!(took <= secs(1), "{took:?}");
        let stats = live.redis.stats(&live.hub);
        assert_eq!((stats.cancelled, stats.indeterminate), (count as u64, 0));
    });
}
