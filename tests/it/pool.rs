//! The pool: who gets a connection, when one is made, what becomes of it, and that every request ends once.

use crate::kernel::{Tap, Tapped};
use crate::notes::Notes;
use crate::peer::{Door, Link, PATIENCE, Peer, wire};
use greenroom::resp::Value;
use greenroom::{
    Address, Command, Config, ErrorKind, Hub, Pipeline, PoolStats, Redis, Reply, Result, TaskId,
    Timeout, Wait, Wake, WhenFull, ms, secs,
};
use std::sync::mpsc;
use std::time::Instant;

const SECOND: Timeout = Timeout::After(secs(1));
const NIL: &[u8] = b"*-1\r\n";

fn open(hub: &mut Hub, peer: &Peer, config: Config) -> Redis {
    let address = peer.url("").parse::<Address>().unwrap();
    Redis::open_with(hub, address, config).unwrap()
}

fn limited(max: usize) -> Config {
    let mut config = Config::default();
    config.max_connections = Some(max);
    config
}

fn tapped() -> (Hub, Tap) {
    let (kernel, tap) = Tapped::new();
    (Hub::with_driver(kernel), tap)
}

#[track_caller]
fn answer(hub: &mut Hub, asked: Wait) -> Result<Reply> {
    match hub.wait(asked.within(PATIENCE)).unwrap() {
        Wake::Reply(reply) => reply,
        other => panic!("no answer: {other:?}"),
    }
}

/// A task that pops once, and notes its list and how the pop has ended.
fn popper(hub: &mut Hub, redis: Redis, list: &'static str, notes: &Notes<String>) -> TaskId {
    let notes = notes.clone();
    hub.spawn(move |hub, wake| match wake {
        Wake::Start => redis.brpop(hub, list, SECOND),
        wake => {
            let how = match wake {
                Wake::Killed => "killed".to_string(),
                wake => match wake.reply() {
                    Ok(reply) if reply.is_none() => "nil".into(),
                    Ok(_) => "popped".into(),
                    Err(error) => format!("{:?}", error.kind()),
                },
            };
            notes.add(format!("{list}: {how}"));
            Ok(Wait::done())
        }
    })
}

#[track_caller]
fn expect_pop(link: &mut Link, list: &str) {
    link.expect_command(&["BRPOP", list, "1"]);
}

/// The counters: created, in use, available, waiting.
fn counters(redis: Redis, hub: &Hub) -> [usize; 4] {
    let PoolStats {
        created,
        in_use,
        available,
        waiting,
        ..
    } = redis.stats(hub);
    [created, in_use, available, waiting]
}

/// Makes turns until the counters are these.
#[track_caller]
fn settle(hub: &mut Hub, redis: Redis, wanted: [usize; 4]) {
    let start = Instant::now();
    while counters(redis, hub) != wanted {
        let now = counters(redis, hub);
        assert!(start.elapsed() < secs(3), "{now:?} instead of {wanted:?}");
        hub.sleep(ms(1)).unwrap();
    }
}

mod counting {
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
}

mod limits {
    use super::*;

    /// A peer with one connection, on which these pops come one after the other and are answered with nil.
    fn one_by_one(lists: &'static [&'static str]) -> Peer {
        Peer::unix(move |door| {
            let mut link = door.accept();
            for list in lists {
                expect_pop(&mut link, list);
                // The next one must not come before this one is answered.
                link.expect_nothing(ms(5));
                link.say(NIL);
            }
            link.expect_end();
        })
    }

    #[test]
    fn who_waits_for_a_connection_gets_it_first_come_first_served() {
        let peer = one_by_one(&["a", "b", "c", "d"]);
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer, limited(1));
        let notes = Notes::new();
        let tasks = ["a", "b", "c", "d"].map(|list| popper(&mut hub, redis, list, &notes));
        hub.turn().unwrap();
        assert_eq!(counters(redis, &hub), [1, 1, 0, 3]);
        hub.join_all(&tasks).unwrap();
        assert_eq!(notes.take(), ["a: nil", "b: nil", "c: nil", "d: nil"]);
        assert_eq!(counters(redis, &hub), [1, 0, 1, 0]);
        assert_eq!(hub.timers_armed(), 0);
    }

    #[test]
    fn who_is_killed_while_he_waits_for_a_connection_leaves_the_queue() {
        let peer = one_by_one(&["a", "c"]);
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer, limited(1));
        let notes = Notes::new();
        let tasks = ["a", "b", "c"].map(|list| popper(&mut hub, redis, list, &notes));
        hub.turn().unwrap();
        hub.kill(tasks[1]);
        assert_eq!(counters(redis, &hub), [1, 1, 0, 1]);
        hub.join_all(&tasks).unwrap();
        assert_eq!(notes.take(), ["b: killed", "a: nil", "c: nil"]);
    }

    #[test]
    fn a_queue_that_everybody_has_left_has_no_timer() {
        let peer = one_by_one(&["a"]);
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer, limited(1));
        let notes = Notes::new();
        let tasks = ["a", "b"].map(|list| popper(&mut hub, redis, list, &notes));
        hub.turn().unwrap();
        hub.kill(tasks[1]);
        hub.join_all(&tasks).unwrap();
        assert_eq!(hub.timers_armed(), 0, "else run() would sit it out");
    }

    #[test]
    fn a_full_pool_may_fail_instead_of_waiting() {
        let peer = one_by_one(&["a"]);
        let mut hub = Hub::new().unwrap();
        let mut config = limited(1);
        config.when_full = WhenFull::Fail;
        let redis = open(&mut hub, &peer, config);
        let a = redis.brpop(&mut hub, "a", SECOND).unwrap();
        hub.turn().unwrap();
        let error = redis.brpop(&mut hub, "b", SECOND).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PoolFull, "{error}");
        assert!(!error.maybe_executed());
        assert_eq!(counters(redis, &hub), [1, 1, 0, 0]);
        answer(&mut hub, a).unwrap();
    }

    #[test]
    fn a_full_pool_that_may_fail_does_so_also_for_what_one_turn_asks() {
        let peer = one_by_one(&["a"]);
        let mut hub = Hub::new().unwrap();
        let mut config = limited(1);
        config.when_full = WhenFull::Fail;
        config.pool_timeout = ms(300);
        let redis = open(&mut hub, &peer, config);
        let notes = Notes::new();
        hub.on_error(|_| {});
        let a = popper(&mut hub, redis, "a", &notes);
        let b = popper(&mut hub, redis, "b", &notes);
        hub.join(a).unwrap();
        let error = hub.join(b).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PoolFull, "{error}");
    }

    #[test]
    fn who_waits_too_long_for_a_connection_has_sent_nothing() {
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            expect_pop(&mut link, "a");
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let mut config = limited(1);
        config.pool_timeout = ms(40);
        let redis = open(&mut hub, &peer, config);
        let a = redis.brpop(&mut hub, "a", SECOND).unwrap();
        hub.turn().unwrap();
        let start = Instant::now();
        let b = redis.brpop(&mut hub, "b", SECOND).unwrap();
        hub.sleep(ms(20)).unwrap();
        let c = redis.brpop(&mut hub, "c", SECOND).unwrap();
        for (asked, after) in [(b, ms(40)), (c, ms(60))] {
            let error = answer(&mut hub, asked).unwrap_err();
            assert!(error.is_timeout(), "{error:?}");
            assert!(!error.maybe_executed(), "{error}");
            let took = start.elapsed();
            assert!((after..secs(1)).contains(&took), "{took:?}");
        }
        assert_eq!(counters(redis, &hub), [1, 1, 0, 0]);
        assert!(matches!(hub.wait(a.within(ms(1))), Ok(Wake::Deadline)));
    }
}

/// What gives a request up, and what that does to its connection.
mod giving_up {
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
}

mod deadlines {
    use super::*;

    #[test]
    fn a_command_that_is_not_answered_ends_its_connection_and_those_behind_it() {
        let peer = Peer::unix(|door| {
            let mut first = door.accept();
            first.expect(&[wire(&["GET", "a"]), wire(&["GET", "b"])].concat());
            first.expect_end();
            let mut second = door.accept();
            second.expect_command(&["PING"]);
            second.say(b"+PONG\r\n");
            second.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let mut config = Config::default();
        config.command_timeout = ms(40);
        let redis = open(&mut hub, &peer, config);
        let start = Instant::now();
        let a = redis.get(&mut hub, "a").unwrap();
        let b = redis.get(&mut hub, "b").unwrap();
        let error = answer(&mut hub, a).unwrap_err();
        assert!(error.is_timeout() && error.maybe_executed(), "{error:?}");
        assert!((ms(40)..secs(2)).contains(&start.elapsed()));
        let error = answer(&mut hub, b).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
        assert!(error.maybe_executed(), "{error}");
        let asked = redis.ping(&mut hub).unwrap();
        answer(&mut hub, asked).unwrap();
    }

    #[test]
    fn an_answer_to_one_command_does_not_excuse_the_next() {
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            link.expect(&[wire(&["GET", "a"]), wire(&["GET", "b"])].concat());
            link.say(b"+A\r\n");
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let mut config = Config::default();
        config.command_timeout = ms(40);
        let redis = open(&mut hub, &peer, config);
        let a = redis.get(&mut hub, "a").unwrap();
        let b = redis.get(&mut hub, "b").unwrap();
        answer(&mut hub, a).unwrap();
        let error = answer(&mut hub, b).unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
    }

    #[test]
    fn a_shared_connection_without_a_request_has_no_deadline() {
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            for _ in 0..2 {
                link.expect_command(&["PING"]);
                link.say(b"+PONG\r\n");
            }
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let mut config = Config::default();
        config.command_timeout = ms(20);
        let redis = open(&mut hub, &peer, config);
        for _ in 0..2 {
            let asked = redis.ping(&mut hub).unwrap();
            answer(&mut hub, asked).unwrap();
            assert_eq!(hub.timers_armed(), 0);
            hub.sleep(ms(30)).unwrap();
        }
        assert_eq!(redis.stats(&hub).connects, 1);
    }

    #[test]
    fn a_pop_may_be_answered_until_its_own_timeout_and_the_grace_are_over() {
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            link.expect_command(&["BRPOP", "a", "0.050"]);
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let mut config = Config::default();
        // Counts as one second.
        config.blocking_grace = ms(1);
        let redis = open(&mut hub, &peer, config);
        let start = Instant::now();
        let asked = redis.brpop(&mut hub, "a", Timeout::After(ms(50))).unwrap();
        let error = answer(&mut hub, asked).unwrap_err();
        let took = start.elapsed();
        assert!(error.is_timeout() && error.maybe_executed(), "{error:?}");
        assert!((ms(1050)..ms(2500)).contains(&took), "{took:?}");
        assert_eq!(counters(redis, &hub), [0, 0, 0, 0]);
    }

    #[test]
    fn a_pop_that_waits_for_ever_has_no_deadline() {
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            link.expect_command(&["BRPOP", "a", "0"]);
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer, Config::default());
        let _asked = redis.brpop(&mut hub, "a", Timeout::Forever).unwrap();
        hub.turn().unwrap();
        assert_eq!(counters(redis, &hub), [1, 1, 0, 0]);
        assert_eq!(hub.timers_armed(), 0);
        drop(hub);
        peer.join();
    }

    #[test]
    fn a_reply_that_comes_in_the_turn_of_its_deadline_wins() {
        let (done, is_done) = mpsc::channel();
        let peer = Peer::unix(move |door| {
            let mut link = door.accept();
            link.expect_command(&["GET", "a"]);
            link.say(b"+A\r\n");
            done.send(()).unwrap();
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let mut config = Config::default();
        config.command_timeout = ms(30);
        let redis = open(&mut hub, &peer, config);
        let start = Instant::now();
        let asked = redis.get(&mut hub, "a").unwrap();
        hub.turn().unwrap();
        // The hub is held up: when it looks again, the reply is there and the deadline has passed.
        is_done.recv_timeout(PATIENCE).unwrap();
        std::thread::sleep(ms(40).saturating_sub(start.elapsed()));
        let reply = answer(&mut hub, asked).unwrap();
        assert_eq!(reply.value(), &Value::Simple("A".into()));
    }
}

mod sharing {
    use super::*;

    #[test]
    fn what_many_tasks_ask_in_one_turn_leaves_in_one_write() {
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            link.expect_command(&["PING"]);
            link.say(b"+PONG\r\n");
            for _ in 0..100 {
                link.expect_command(&["GET", "key"]);
            }
            link.say(&b"_\r\n".repeat(100));
            link.expect_end();
        });
        let (mut hub, tap) = tapped();
        let redis = open(&mut hub, &peer, Config::default());
        let asked = redis.ping(&mut hub).unwrap();
        answer(&mut hub, asked).unwrap();
        tap.writes();
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                hub.spawn(move |hub, wake| match wake {
                    Wake::Start => redis.get(hub, "key"),
                    wake => wake.reply().map(|_| Wait::done()),
                })
            })
            .collect();
        hub.join_all(&tasks).unwrap();
        assert_eq!(tap.writes(), [100 * wire(&["GET", "key"]).len()]);
    }

    #[test]
    fn what_was_asked_before_the_connect_leaves_in_one_write() {
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            for _ in 0..10 {
                link.expect_command(&["GET", "key"]);
            }
            link.say(&b"_\r\n".repeat(10));
            link.expect_end();
        });
        let (mut hub, tap) = tapped();
        let redis = open(&mut hub, &peer, Config::default());
        let asked = [(); 10].map(|()| redis.get(&mut hub, "key").unwrap());
        for asked in asked {
            answer(&mut hub, asked).unwrap();
        }
        assert_eq!(tap.writes(), [10 * wire(&["GET", "key"]).len()]);
    }

    #[test]
    fn a_blocked_pop_holds_up_no_other_command() {
        let peer = Peer::unix(|door| {
            let mut blocked = door.accept();
            expect_pop(&mut blocked, "a");
            let mut shared = door.accept();
            shared.expect_command(&["LPUSH", "a", "x"]);
            shared.say(b":1\r\n");
            blocked.say(b"*2\r\n$1\r\na\r\n$1\r\nx\r\n");
            blocked.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer, Config::default());
        let pop = redis.brpop(&mut hub, "a", SECOND).unwrap();
        hub.turn().unwrap();
        let push = redis.lpush(&mut hub, "a", "x").unwrap();
        answer(&mut hub, push).unwrap();
        answer(&mut hub, pop).unwrap();
    }

    #[test]
    fn a_command_that_would_change_the_shared_connection_is_refused_and_not_sent() {
        let peer = Peer::unix(|door| door.expect_nobody(ms(20)));
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer, Config::default());
        for name in ["SELECT", "subscribe", "MULTI", "Auth", "WATCH", "MONITOR"] {
            let command = Command::new(name).arg("1");
            let error = redis.send(&mut hub, command).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
            assert!(error.to_string().contains(name), "it names {name}: {error}");
        }
        for way in ["REPLY", "reply"] {
            let command = Command::new("CLIENT").arg(way).arg("OFF");
            let error = redis.send(&mut hub, command).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
        }
        let error = redis.send(&mut hub, Command::new("")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
        hub.run().unwrap();
        peer.join();
    }

    #[test]
    fn a_pipeline_arrives_in_one_piece_and_its_errors_stand_in_their_places() {
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            let commands: [&[&str]; 3] = [&["INCR", "n"], &["LPUSH", "n", "x"], &["GET", "n"]];
            link.expect(&commands.map(wire).concat());
            link.expect_command(&["PING"]);
            link.say(b":1\r\n");
            link.say(b"-WRONGTYPE no list\r\n$1\r\n1\r\n+PONG\r\n");
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer, Config::default());
        let pipeline = Pipeline::new()
            .command(Command::new("INCR").arg("n"))
            .command(Command::new("LPUSH").arg("n").arg("x"))
            .command(Command::new("GET").arg("n"));
        let asked = redis.send_all(&mut hub, pipeline).unwrap();
        let ping = redis.ping(&mut hub).unwrap();
        let reply = answer(&mut hub, asked).unwrap();
        let wanted = [
            Value::Int(1),
            Value::Error("WRONGTYPE no list".into()),
            Value::Bulk("1".into()),
        ];
        assert_eq!(reply.value().as_slice(), Some(&wanted[..]));
        let pong = answer(&mut hub, ping).unwrap();
        assert_eq!(pong.value(), &Value::Simple("PONG".into()));
    }

    #[test]
    fn a_pipeline_of_one_command_is_answered_with_an_array_of_one() {
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            link.expect_command(&["PING"]);
            link.say(b"+PONG\r\n");
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer, Config::default());
        let pipeline = Pipeline::new().command(Command::new("PING"));
        let asked = redis.send_all(&mut hub, pipeline).unwrap();
        let reply = answer(&mut hub, asked).unwrap();
        let wanted = Value::Array(vec![Value::Simple("PONG".into())]);
        assert_eq!(reply.value(), &wanted);
    }

    #[test]
    fn the_error_of_a_pipeline_of_one_command_stands_in_its_place() {
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            link.expect_command(&["INCR", "n"]);
            link.say(b"-WRONGTYPE no number\r\n");
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer, Config::default());
        let pipeline = Pipeline::new().command(Command::new("INCR").arg("n"));
        let asked = redis.send_all(&mut hub, pipeline).unwrap();
        let reply = answer(&mut hub, asked).unwrap();
        let wanted = Value::Array(vec![Value::Error("WRONGTYPE no number".into())]);
        assert_eq!(reply.value(), &wanted);
    }

    #[test]
    fn a_transaction_is_a_pipeline() {
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            let commands: [&[&str]; 3] = [&["MULTI"], &["INCR", "n"], &["EXEC"]];
            link.expect(&commands.map(wire).concat());
            link.say(b"+OK\r\n+QUEUED\r\n*1\r\n:1\r\n");
            link.expect_end();
        });
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer, Config::default());
        let pipeline = Pipeline::new()
            .command(Command::new("MULTI"))
            .command(Command::new("INCR").arg("n"))
            .command(Command::new("EXEC"));
        let asked = redis.send_all(&mut hub, pipeline).unwrap();
        let reply = answer(&mut hub, asked).unwrap();
        let wanted = Value::Array(vec![Value::Int(1)]);
        assert_eq!(reply.value().as_slice().unwrap()[2], wanted);
    }

    #[test]
    fn a_pipeline_that_cannot_be_meant_is_refused_and_not_sent() {
        let peer = Peer::unix(|door| door.expect_nobody(ms(20)));
        let mut hub = Hub::new().unwrap();
        let redis = open(&mut hub, &peer, Config::default());
        let pop = Command::new("BRPOP").arg("list").arg(1);
        let refused = [
            Pipeline::new(),
            Pipeline::new().command(Command::new("MULTI")),
            Pipeline::new().command(Command::new("PING")).command(pop),
            Pipeline::new().command(Command::new("SELECT").arg(1)),
        ];
        for pipeline in refused {
            let error = redis.send_all(&mut hub, pipeline).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
        }
        hub.run().unwrap();
        peer.join();
    }
}

/// Numbers: large, many, and all at once.
mod load {
    use super::*;

    /// Resident memory of this process in KiB, all tests that run at the same time included.
    fn resident_kib() -> Option<usize> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    #[test]
    fn sixty_four_mebibytes_to_a_slow_reader_hold_up_nobody_and_are_kept_once() {
        const SIZE: usize = 64 << 20;
        let peer = Peer::unix(|door| {
            let mut link = door.accept();
            link.expect(format!("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n${SIZE}\r\n").as_bytes());
            let mut left = SIZE + 2;
            while left > 0 {
                left -= link.read_some(256 * 1024).len();
                std::thread::sleep(ms(1));
            }
            link.say(b"+OK\r\n");
            link.expect_end();
        });
        let before = resident_kib();
        let mut hub = Hub::new().unwrap();
        let mut config = Config::default();
        config.command_timeout = secs(60);
        let redis = open(&mut hub, &peer, config);
        let command = Command::new("SET").arg("key").arg(vec![b'x'; SIZE]);
        let late = Notes::new();
        let memory = Notes::new();
        let (told, measured) = (late.clone(), memory.clone());
        hub.every(ms(5), move |_hub, tick| {
            told.add(tick.late);
            measured.add(resident_kib());
            Ok(())
        });
        let asked = redis.send(&mut hub, command).unwrap();
        let Wake::Reply(reply) = hub.wait(asked.within(secs(60))).unwrap() else {
            panic!("it was never answered")
        };
        reply.unwrap();
        let late = late.take();
        assert!(late.len() > 10, "it took a while: {late:?}");
        let latest = late.iter().max().unwrap();
        assert!(*latest < ms(50), "{latest:?}");
        if let (Some(before), Some(peak)) = (before, memory.take().into_iter().max().flatten()) {
            let times = (peak - before) as f64 * 1024.0 / SIZE as f64;
            assert!(times < 1.75, "{times} times the payload");
        }
    }

    /// A hundred tasks with a connection each and a hundred who share one have asked something that is never
    /// answered. What each was woken with, when `end` has made an end of it.
    fn unanswered(end: impl FnOnce(&mut Hub, Redis, mpsc::Sender<()>)) -> Vec<(usize, String)> {
        let (end_peer, is_over) = mpsc::channel();
        let (ready, is_ready) = mpsc::channel();
        let peer = Peer::unix(move |door| {
            let mut links = door.accept_all(101);
            for link in &mut links {
                link.wait_unread();
            }
            ready.send(()).unwrap();
            // Whether it is told to or the test is over: it ends, with everything unread.
            let _ = is_over.recv();
        });
        let mut hub = Hub::new().unwrap();
        let mut config = Config::default();
        config.pool_timeout = secs(2);
        let redis = open(&mut hub, &peer, config);
        let notes = Notes::new();
        for number in 0..200 {
            let notes = notes.clone();
            hub.spawn(move |hub, wake| {
                notes.add((number, format!("{wake:?}")));
                match wake {
                    Wake::Start if number % 2 == 0 => redis.get(hub, "key"),
                    Wake::Start => redis.brpop(hub, "list", Timeout::Forever),
                    _ => Ok(Wait::done()),
                }
            });
        }
        let start = Instant::now();
        while is_ready.try_recv().is_err() {
            assert!(start.elapsed() < PATIENCE, "they have all asked");
            hub.sleep(ms(1)).unwrap();
        }
        assert_eq!(notes.take().len(), 200);
        let start = Instant::now();
        end(&mut hub, redis, end_peer);
        hub.run().unwrap();
        assert!(start.elapsed() < secs(1), "{:?}", start.elapsed());
        assert!(hub.tasks().is_empty());
        assert_eq!(counters(redis, &hub), [0, 0, 0, 0]);
        assert_eq!(hub.timers_armed(), 0);
        let mut notes = notes.take();
        notes.sort();
        notes
    }

    #[track_caller]
    fn each_ends_once(notes: &[(usize, String)], with: &str) {
        let numbers: Vec<_> = notes.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (0..200).collect::<Vec<_>>());
        for (_, wake) in notes {
            assert!(wake.starts_with(with), "{wake}");
        }
    }

    #[test]
    fn every_request_ends_once_when_the_server_dies() {
        let notes = unanswered(|_hub, _redis, end_peer| end_peer.send(()).unwrap());
        each_ends_once(&notes, "Reply(Err(Closed: ");
        let executed = notes
            .iter()
            .all(|(_, wake)| wake.contains("may have been executed"));
        let wrong: Vec<_> = notes.iter().filter(|(_, wake)| !wake.contains("may have been executed")).collect(); assert!(executed, "{wrong:?}");
    }

    #[test]
    fn every_request_ends_once_when_the_client_is_closed() {
        let notes = unanswered(|hub, redis, _end_peer| redis.close(hub));
        each_ends_once(&notes, "Reply(Err(Closed: the client was closed");
    }

    #[test]
    fn every_request_ends_once_when_its_task_is_killed() {
        let notes = unanswered(|hub, redis, _end_peer| {
            for task in hub.tasks() {
                hub.kill(task);
            }
            redis.close(hub);
        });
        each_ends_once(&notes, "Killed");
    }

    #[test]
    fn no_more_connects_are_started_than_may_stand_in_the_backlog() {
        let peer = Peer::unix(|door| {
            let mut all = Vec::new();
            for _ in 0..3 {
                let mut links = door.accept_all(4);
                for link in &mut links[..3] {
                    expect_pop(link, "a");
                }
                links[3].expect_command(&["PING"]);
                // Blocked pops say nothing: without the answer to this PING it would stay like that.
                door.expect_nobody(ms(20));
                links[3].expect_nothing(ms(1));
                links[3].say(b"+PONG\r\n");
                expect_pop(&mut links[3], "a");
                all.append(&mut links);
            }
            for link in &mut all {
                link.say(NIL);
            }
            for link in &mut all {
                link.expect_end();
            }
        });
        let mut hub = Hub::new().unwrap();
        let mut config = Config::default();
        config.max_connecting = 4;
        let redis = open(&mut hub, &peer, config);
        let notes = Notes::new();
        let tasks: Vec<_> = (0..12)
            .map(|_| popper(&mut hub, redis, "a", &notes))
            .collect();
        hub.join_all(&tasks).unwrap();
        assert_eq!(notes.take(), ["a: nil"; 12]);
        assert_eq!(counters(redis, &hub), [12, 0, 12, 0]);
        assert_eq!(redis.stats(&hub).connects_retried, 0);
    }

    #[test]
    fn an_answer_on_any_connection_lets_as_many_more_connect() {
        let peer = Peer::unix(|door| {
            let mut links = door.accept_all(4);
            door.expect_nobody(ms(20));
            for link in &mut links[..3] {
                expect_pop(link, "a");
            }
            // Whoever accepts the second has accepted the first, and there is room for two more. Three still wait: one
            // for the fourth connection, which has to answer a PING, and one takes over the second.
            links[1].say(NIL);
            expect_pop(&mut links[1], "a");
            links.push(door.accept());
            expect_pop(&mut links[4], "a");
            links[3].expect_command(&["PING"]);
            links[3].say(b"+PONG\r\n");
            expect_pop(&mut links[3], "a");
            for link in &mut links {
                link.say(NIL);
            }
            for link in &mut links {
                link.expect_end();
            }
        });
        let mut hub = Hub::new().unwrap();
        let mut config = Config::default();
        config.max_connecting = 4;
        let redis = open(&mut hub, &peer, config);
        let notes = Notes::new();
        let tasks: Vec<_> = (0..6)
            .map(|_| popper(&mut hub, redis, "a", &notes))
            .collect();
        hub.join_all(&tasks).unwrap();
        assert_eq!(notes.take(), ["a: nil"; 6]);
        redis.close(&mut hub);
        hub.run().unwrap();
    }
}
