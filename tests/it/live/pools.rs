//! The pool, against a server that keeps books too.

use super::*;

#[test]
fn pops_one_after_the_other_share_one_connection() {
    let Some(mut live) = live() else { return };
    for _ in 0..5 {
        live.get::<()>(|redis, hub| redis.brpop(hub, "again", Timeout::After(ms(1))));
    }
    let stats = live.redis.stats(&live.hub);
    assert_eq!((stats.connects, stats.created, stats.available), (1, 1, 1));
}

#[test]
fn a_pool_at_its_limit_lets_pops_wait_for_each_other() {
    let Some(server) = Server::shared() else {
        return;
    };
    let mut live = Live::new(&server, server.unix());
    let mut config = Config::default();
    config.max_connections = Some(2);
    live.redis = Redis::open_with(&mut live.hub, server.unix(), config).unwrap();
    let (tasks, results) = live.spawn_pops(6, "limited", SOON);
    live.hub.join_all(&tasks).unwrap();
    assert!(results.borrow().iter().all(Result::is_ok), "{results:?}");
    assert_eq!(live.redis.stats(&live.hub).connects, 2);
}

#[test]
fn a_pool_at_its_limit_refuses_where_it_was_told_to() {
    let Some(mut live) = live() else { return };
    let mut config = Config::default();
    config.max_connections = Some(1);
    config.when_full = WhenFull::Fail;
    live.redis = Redis::open_with(&mut live.hub, live.server.unix(), config).unwrap();
    let first = live.redis.brpop(&mut live.hub, "refused", SOON).unwrap();
    live.hub.sleep(ms(5)).unwrap();
    let second = live
        .redis
        .brpop(&mut live.hub, "refused", SOON)
        .unwrap_err();
    assert_eq!(second.kind(), ErrorKind::PoolFull);
    assert!(live.hub.wait(first).unwrap().reply().unwrap().is_none());
}

#[test]
fn two_thousand_connections_are_opened_without_overrunning_the_backlog() {
    const COUNT: usize = 2000;
    // Four times as many as the server's backlog holds: all at once, they would overrun it.
    let Some(server) = Server::start_tcp(&["--tcp-backlog", "511"]) else {
        return;
    };
    let (soft, _) = rlimit::Resource::NOFILE.get().unwrap();
    if soft < 2 * COUNT as u64 {
        eprintln!("{soft} open files are too few for this test: it did not run");
        return;
    }
    let address = server.tcp();
    let mut live = Live::new(server, address);
    let mut side = live.server.side();
    // A server that does not accept for a while: only then does it matter how many connects stand
    // in its backlog.
    live.server.pause();
    let (tasks, results) = live.spawn_pops(COUNT, "crowd", Timeout::Forever);
    live.hub.sleep(ms(100)).unwrap();
    let ahead = live.redis.stats(&live.hub).connects;
    assert!(ahead <= Config::default().max_connecting as u64, "{ahead}");
    live.server.go_on();
    live.run_until_blocked(COUNT, &mut side);
    let stats = live.redis.stats(&live.hub);
    assert_eq!((stats.connects, stats.connects_retried), (COUNT as u64, 0));
    assert_eq!((stats.created, stats.in_use), (COUNT, COUNT));
    for task in tasks {
        live.hub.kill(task);
    }
    assert!(results.borrow().is_empty());
}
