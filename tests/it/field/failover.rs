//! `FAILOVER`, which pauses writes until the replica has caught up.

use super::crowd::Crowd;
use super::*;

const CONSUMERS: usize = 300;

/// Elements that each of eight producers pushes, one about every 20 ms.
const EACH: u64 = 60;

/// A master with consumers, and its replica, which is online.
fn pair() -> Option<(Field, Server)> {
    let fast = [
        "--repl-diskless-sync-delay",
        "0",
        "--repl-ping-replica-period",
        "1",
    ];
    let field = Field::start(&fast)?;
    let port = field.server.port().to_string();
    let replica = Server::start_tcp(&["--replicaof", &format!("127.0.0.1 {port}")])?;
    let mut side = replica.side();
    crate::server::eventually("the replica is online", || {
        side.info("master_link_status") == "up"
    });
    Some((field, replica))
}

fn role(side: &mut Side) -> String {
    side.info("role")
}

#[test]
fn healthy_failover_loses_nothing() {
    let Some((mut field, replica)) = pair() else {
        return;
    };
    let mut crowd = Crowd::new(&mut field, CONSUMERS, EACH);
    crowd.churn(&mut field.hub, ms(500));
    field.side.ask(["FAILOVER"]);
    let mut promoted = replica.side();
    let deadline = Instant::now() + PATIENCE;
    while role(&mut promoted) != "master" {
        assert!(Instant::now() < deadline, "there was no failover");
        assert_eq!(field.server.crash_report(), None);
        crowd.churn(&mut field.hub, ms(20));
    }
    crowd.churn(&mut field.hub, ms(500));
    crowd.end(&mut field);
    crowd.settle(&field, &mut promoted);
    // The old master serves pops again once it is one.
    promoted.ask(["DEL", "queue"]);
    field.side.ask(["REPLICAOF", "NO", "ONE"]);
    field.side.ask(["DEL", "queue"]);
    field.check_that_nothing_is_lost("queue", 10);
}

#[test]
fn failover_that_waits_for_a_replica_loses_nothing() {
    let Some((mut field, replica)) = pair() else {
        return;
    };
    let mut crowd = Crowd::new(&mut field, CONSUMERS, EACH);
    crowd.churn(&mut field.hub, ms(300));
    replica.pause();
    crowd.churn(&mut field.hub, ms(100));
    // Writes are paused until the timeout is over, since the replica does not catch up.
    field.side.ask(["FAILOVER", "TIMEOUT", "1000"]);
    crowd.churn(&mut field.hub, ms(1500));
    replica.go_on();
    crowd.end(&mut field);
    let mut side = field.server.side();
    assert_eq!(role(&mut side), "master");
    crowd.settle(&field, &mut side);
    assert_eq!(field.counts().indeterminate, 0);
}

#[test]
fn shutdown_that_waits_for_a_replica_saves_everything() {
    let Some((mut field, replica)) = pair() else {
        return;
    };
    let pops = field.pops_within(20, "jobs", secs(1));
    field.await_blocked(20);
    replica.pause();
    // Something for the replica to lag behind with.
    field.side.ask(["SET", "key", "value"]);
    for parameter in [["shutdown-timeout", "2"], ["save", "3600 1000000"]] {
        field
            .side
            .ask(["CONFIG", "SET", parameter[0], parameter[1]]);
    }
    crate::server::signal("TERM", field.server.pid());
    field.hub.sleep(ms(100)).unwrap();
    let late = field.pops_within(20, "jobs", ms(300));
    let ends = field.await_ends(pops.len() + late.len());
    check_all(&ends, 40, |end| {
        !matches!(end, End::Popped(_) | End::Late(_))
    });
    let dump = field.server.folder().join("dump.rdb");
    field.until("the server has saved", |_| dump.exists());
    replica.go_on();
}

#[test]
fn pushes_pops_and_kills_settle_over_repeated_pauses() {
    let Some(mut field) = Field::start(&[]) else {
        return;
    };
    let mut crowd = Crowd::new(&mut field, 100, EACH);
    for _ in 0..3 {
        crowd.churn(&mut field.hub, ms(200));
        field.side.ask(["CLIENT", "PAUSE", "300", "WRITE"]);
        crowd.churn(&mut field.hub, ms(400));
    }
    crowd.end(&mut field);
    let mut side = field.server.side();
    crowd.settle(&field, &mut side);
    assert_eq!(field.counts().indeterminate, 0);
}
