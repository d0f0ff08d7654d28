//! Servers in trouble: killed, stopped, full, loading.

use super::*;

#[test]
fn a_server_that_is_killed_ends_three_hundred_pops_within_a_second() {
    by_the_clock(|| {
        let Some(mut live) = private(&[]) else { return };
        let mut side = live.server.side();
        let (tasks, results) = live.spawn_pops(300, "doomed", Timeout::Forever);
        live.run_until_blocked(300, &mut side);
        let begin = Instant::now();
        live.server.kill();
        live.hub.join_all(&tasks).unwrap();
        assert!(begin.elapsed() < secs(1), "{:?}", begin.elapsed());
        let results = results.take();
        assert_eq!(results.len(), 300);
        for error in results.into_iter().map(Result::unwrap_err) {
            assert!(error.is_disconnect() && error.maybe_executed(), "{error:?}");
        }
        assert_eq!(live.redis.stats(&live.hub).created, 0);
    });
}

#[test]
fn a_client_finds_its_server_again_after_a_restart() {
    let Some(server) = Server::start_tcp(&[]) else {
        return;
    };
    let address = server.tcp();
    let mut live = Live::new((), address);
    live.get::<()>(|redis, hub| redis.ping(hub));
    live.get::<()>(|redis, hub| redis.brpop(hub, "list", SOON));
    let server = server.restart(&[]);
    // One turn, in which the old connections are seen to have ended.
    live.hub.sleep(ms(20)).unwrap();
    live.get::<()>(|redis, hub| redis.ping(hub));
    live.get::<()>(|redis, hub| redis.brpop(hub, "list", SOON));
    assert_eq!(live.redis.stats(&live.hub).connects, 4);
    drop(server);
}

#[test]
fn a_server_that_is_not_there_is_an_error_at_once() {
    let Some(mut live) = private(&[]) else { return };
    live.server.kill();
    let begin = Instant::now();
    let (tasks, results) = live.spawn_pops(100, "nowhere", Timeout::Forever);
    live.hub.join_all(&tasks).unwrap();
    assert!(begin.elapsed() < secs(1));
    for error in results.take().into_iter().map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert!(!error.maybe_executed());
    }
}

#[test]
fn a_command_on_a_stopped_server_ends_by_its_deadline() {
    let Some(mut live) = private(&[]) else { return };
    let mut config = Config::default();
    config.command_timeout = ms(150);
    live.redis = Redis::open_with(&mut live.hub, live.server.unix(), config).unwrap();
    live.get::<()>(|redis, hub| redis.ping(hub));
    live.server.pause();
    let begin = Instant::now();
    let error = live.error(|redis, hub| redis.send(hub, Command::new("INCR").arg("n")));
    let took = begin.elapsed();
    assert!(error.is_timeout() && error.maybe_executed(), "{error:?}");
    assert!((ms(150)..ms(1000)).contains(&took), "{took:?}");
    live.server.go_on();
    // Its place in the line of replies is in doubt: the connection is not used again.
    live.get::<()>(|redis, hub| redis.ping(hub));
    assert_eq!(live.redis.stats(&live.hub).connects, 2);
}

#[test]
fn what_was_asked_behind_a_late_command_ends_with_its_connection() {
    let Some(mut live) = private(&[]) else { return };
    let mut config = Config::default();
    config.command_timeout = ms(150);
    live.redis = Redis::open_with(&mut live.hub, live.server.unix(), config).unwrap();
    live.get::<()>(|redis, hub| redis.ping(hub));
    live.server.pause();
    let first = live.redis.get(&mut live.hub, "late").unwrap();
    live.hub.sleep(ms(50)).unwrap();
    let second = live.redis.get(&mut live.hub, "behind").unwrap();
    let mut error = |asked| live.hub.wait(asked).unwrap().reply().unwrap_err();
    assert_eq!(error(first).kind(), ErrorKind::Timeout);
    // Closed, and not late: it did not wait for a deadline of its own.
    assert_eq!(error(second).kind(), ErrorKind::Closed);
}

#[test]
fn a_handshake_with_a_stopped_server_ends_by_its_deadline() {
    let Some(mut live) = private(&[]) else { return };
    let mut config = Config::default();
    config.handshake_timeout = ms(150);
    let address = live.server.unix().with_db(1);
    live.redis = Redis::open_with(&mut live.hub, address, config).unwrap();
    live.server.pause();
    let error = live.error(|redis, hub| redis.ping(hub));
    assert!(error.is_timeout() && !error.maybe_executed(), "{error:?}");
}

#[test]
fn a_pop_on_a_stopped_server_ends_when_its_grace_is_over() {
    let Some(mut live) = private(&[]) else { return };
    let mut config = Config::default();
    config.blocking_grace = secs(1);
    live.redis = Redis::open_with(&mut live.hub, live.server.unix(), config).unwrap();
    let mut side = live.server.side();
    let timeout = Timeout::After(ms(200));
    let (tasks, results) = live.spawn_pops(20, "stopped", timeout);
    live.run_until_blocked(20, &mut side);
    live.server.pause();
    live.hub.join_all(&tasks).unwrap();
    for error in results.take().into_iter().map(Result::unwrap_err) {
        assert!(error.is_timeout() && error.maybe_executed(), "{error:?}");
    }
}

#[test]
fn a_server_that_is_full_runs_pops_when_it_has_room() {
    let Some(server) = Server::start_tcp(&["--maxclients", "10"]) else {
        return;
    };
    for address in [server.tcp(), server.unix(), server.tcp().with_db(1)] {
        let mut live = Live::new(&server, address);
        let (tasks, results) = live.spawn_pops(100, "full", Timeout::After(ms(300)));
        live.hub.join_all(&tasks).unwrap();
        let results = results.take();
        for result in results {
            assert!(result.unwrap().is_null());
        }
    }
}

#[test]
fn a_server_that_is_full_says_so() {
    let Some(mut live) = private(&[]) else { return };
    // Not from its start: whether a client that has left still counts is a matter of luck.
    let mut only = live.server.side();
    only.ask(["CONFIG", "SET", "maxclients", "1"]);
    let mut config = Config::default();
    config.pool_timeout = ms(300);
    let address = live.server.unix();
    live.redis = Redis::open_with(&mut live.hub, address, config).unwrap();
    let error = live.error(|redis, hub| redis.ping(hub));
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(!error.maybe_executed());
    let told = error.to_string();
    assert!(told.contains("max number of clients"), "{told}");
    // There is room before the next gives up.
    let asked = live.redis.ping(&mut live.hub).unwrap();
    only.ask(["CONFIG", "SET", "maxclients", "10"]);
    live.hub.wait(asked).unwrap().reply().unwrap();
}

#[test]
fn a_server_that_is_loading_says_so() {
    // One key in 2 ms, of 2000: that is the time that the server needs to start.
    let slow = [
        "--key-load-delay",
        "2000",
        "--loading-process-events-interval-bytes",
        "1024",
    ];
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let mut side = server.side();
    let fill = "for i = 1, 2000 do redis.call('SET', i, i) end";
    side.ask(["EVAL", fill, "0"]);
    side.ask(["SAVE"]);
    let server = server.restart(&slow);
    let mut live = Live::new(&server, server.unix());
    let error = live.error(|redis, hub| redis.brpop(hub, "list", SOON));
    assert_eq!(error.code(), Some("LOADING"), "{error:?}");
    // Who asks now waits until it is ready.
    let asked = live.redis.get(&mut live.hub, "1").unwrap();
    let reply = live.hub.wait(asked).unwrap().reply().unwrap();
    assert_eq!(reply.to::<u32>().unwrap(), 1);
}

#[test]
fn a_client_that_the_server_kills_fails_alone() {
    let Some(mut live) = private(&[]) else { return };
    let mut side = live.server.side();
    let (tasks, results) = live.spawn_pops(3, "hunted", Timeout::Forever);
    live.run_until_blocked(3, &mut side);
    let list = side.text(["CLIENT", "LIST"]);
    let of_pop = list
        .lines()
        .find(|line| line.contains(" cmd=brpop "))
        .unwrap();
    let id = of_pop.split(' ').next().unwrap().trim_start_matches("id=");
    assert_eq!(side.number(["CLIENT", "KILL", "ID", id]), 1);
    while results.borrow().is_empty() {
        live.hub.sleep(ms(5)).unwrap();
    }
    side.ask(["RPUSH", "hunted", "1", "2"]);
    live.hub.join_all(&tasks).unwrap();
    let results = results.take();
    let error = results[0].as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert!(error.maybe_executed());
    assert_eq!(
        results[1..].iter().filter(|result| result.is_ok()).count(),
        2
    );
}
