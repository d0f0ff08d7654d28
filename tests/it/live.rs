//! The client against a real server: what Redis really answers, and what it does to connections.
//!
//! A scripted peer sends what its author believes a server to send. Here the server is the real
//! one, so that these tests hold the belief itself to account: reply types in both protocols,
//! timeouts as Redis keeps them, who gets an element, and what clients see when the server dies,
//! stops, loads or is full.
//!
//! Facts about the server (how many clients it has blocked, what a list holds) come from
//! [`Side`](crate::server::Side), not from the client under test.

use crate::server::{PATIENCE, Server, Side, by_the_clock, eventually};
use bytes::Bytes;
use greenroom::resp::{FromValue, Value};
use greenroom::{
    Address, Command, Config, Error, ErrorKind, Hub, Pipeline, Protocol, Rank, Redis, Result,
    Side as End, TaskId, Timeout, Wait, Wake, WhenFull, ms, secs,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for a server on a busy machine to have answered, had it anything to answer.
const SOON: Timeout = Timeout::After(ms(30));

/// What came of the pops that have ended, in this order.
type Results = Rc<RefCell<Vec<Result<Value>>>>;

/// A hub, a client of it, and the server that both kinds of tests talk to.
struct Live<S> {
    server: S,
    hub: Hub,
    redis: Redis,
}

/// On the UNIX socket of the shared server.
fn live() -> Option<Live<Arc<Server>>> {
    let server = Server::shared()?;
    let address = server.unix();
    Some(Live::new(server, address))
}

/// On the UNIX socket of a server of the test's own.
fn private(flags: &[&str]) -> Option<Live<Server>> {
    let server = Server::start(flags)?;
    let address = server.unix();
    Some(Live::new(server, address))
}

fn open(hub: &mut Hub, address: Address) -> Redis {
    Redis::open_with(hub, address, Config::default()).unwrap()
}

impl<S> Live<S> {
    fn new(server: S, address: Address) -> Live<S> {
        let mut hub = Hub::new().unwrap();
        // Failures are what many of these tests are about: the log is not where they are looked
        // for.
        hub.on_error(|_| {});
        let redis = open(&mut hub, address);
        Live { server, hub, redis }
    }

    /// The answer to what `ask` asks, as a value of any type.
    fn get<T: FromValue>(&mut self, ask: impl FnOnce(Redis, &mut Hub) -> Result<Wait>) -> T {
        self.result(ask).unwrap()
    }

    fn result<T: FromValue>(
        &mut self,
        ask: impl FnOnce(Redis, &mut Hub) -> Result<Wait>,
    ) -> Result<T> {
        let asked = ask(self.redis, &mut self.hub)?;
        self.hub.wait(asked).unwrap().reply()?.to()
    }

    fn error(&mut self, ask: impl FnOnce(Redis, &mut Hub) -> Result<Wait>) -> Error {
        self.result::<Value>(ask).unwrap_err()
    }

    /// The answer to a command without a function of its own.
    fn send<T: FromValue>(&mut self, name: &str, args: &[&str]) -> T {
        self.get(|redis, hub| redis.send(hub, Command::new(name).arg(args)))
    }

    /// Starts tasks that each pop once, and keep what came of it.
    fn spawn_pops(
        &mut self,
        count: usize,
        key: &'static str,
        timeout: Timeout,
    ) -> (Vec<TaskId>, Results) {
        let results = Rc::new(RefCell::new(Vec::new()));
        let redis = self.redis;
        let tasks = (0..count).map(|_| {
            let results = Rc::clone(&results);
            self.hub.spawn(move |hub, wake| match wake {
                Wake::Start => redis.brpop(hub, key, timeout),
                wake => {
                    let value = wake.reply().map(greenroom::Reply::into_value);
                    results.borrow_mut().push(value);
                    Ok(Wait::done())
                }
            })
        });
        (tasks.collect(), results)
    }

    /// Makes turns until the server says that so many clients are blocked.
    fn run_until_blocked(&mut self, count: usize, side: &mut Side) {
        let deadline = Instant::now() + PATIENCE;
        while side.blocked() != count {
            assert!(Instant::now() < deadline, "{} are blocked", side.blocked());
            self.hub.sleep(ms(5)).unwrap();
        }
    }
}

/// Both kinds of socket, with a key for each.
fn on_both(test: impl FnMut(&mut Live<Arc<Server>>, &str)) {
    if let Some(server) = Server::shared() {
        on_both_of(server, test);
    }
}

fn on_both_of(server: Arc<Server>, mut test: impl FnMut(&mut Live<Arc<Server>>, &str)) {
    for (address, kind) in [(server.tcp(), "tcp"), (server.unix(), "unix")] {
        test(&mut Live::new(Arc::clone(&server), address), kind);
    }
}

fn pair(list: &str, element: &str) -> Option<(String, String)> {
    Some((list.to_owned(), element.to_owned()))
}

// Pops.

#[test]
fn a_pop_of_an_empty_list_is_answered_nil_when_its_timeout_has_passed() {
    on_both(|live, kind| {
        let list = format!("empty:{kind}");
        let timeout = Timeout::After(ms(100));
        let asked = live.redis.brpop(&mut live.hub, &list, timeout).unwrap();
        let reply = live.hub.wait(asked).unwrap().reply().unwrap();
        assert!(reply.is_none(), "{reply:?}");
        assert!((ms(95)..ms(1000)).contains(&reply.elapsed()), "{reply:?}");
    });
}

#[test]
fn a_pop_takes_an_element_that_is_there_at_once() {
    on_both(|live, kind| {
        let list = format!("there:{kind}");
        live.server.side().ask(["LPUSH", &list, "element"]);
        let begin = Instant::now();
        let popped: Option<(String, String)> =
            live.get(|redis, hub| redis.brpop(hub, &list, Timeout::After(secs(10))));
        assert_eq!(popped, pair(&list, "element"));
        assert!(begin.elapsed() < secs(5));
        assert_eq!(live.server.side().number(["LLEN", &list]), 0);
    });
}

#[test]
fn brpop_takes_the_tail_and_blpop_the_head() {
    let Some(mut live) = live() else { return };
    live.server.side().ask(["RPUSH", "ends", "1", "2", "3"]);
    let tail: Option<(String, String)> = live.get(|redis, hub| redis.brpop(hub, "ends", SOON));
    let head: Option<(String, String)> = live.get(|redis, hub| redis.blpop(hub, "ends", SOON));
    assert_eq!((tail, head), (pair("ends", "3"), pair("ends", "1")));
}

#[test]
fn a_pop_of_several_lists_takes_from_the_first_that_has_an_element() {
    let Some(mut live) = live() else { return };
    let mut side = live.server.side();
    side.ask(["RPUSH", "order:b", "b"]);
    side.ask(["RPUSH", "order:c", "c"]);
    let lists = ["order:a", "order:b", "order:c"];
    for expected in [pair("order:b", "b"), pair("order:c", "c"), None] {
        let popped: Option<(String, String)> = live.get(|redis, hub| redis.brpop(hub, lists, SOON));
        assert_eq!(popped, expected);
    }
}

#[test]
fn blmove_takes_from_either_end_and_gives_to_either_end() {
    let Some(mut live) = live() else { return };
    let mut side = live.server.side();
    for (from, to, element, list) in [
        (End::Left, End::Left, "1", ["1", "x"]),
        (End::Left, End::Right, "1", ["x", "1"]),
        (End::Right, End::Left, "2", ["2", "x"]),
        (End::Right, End::Right, "2", ["x", "2"]),
    ] {
        side.ask(["DEL", "move:from", "move:to"]);
        side.ask(["RPUSH", "move:from", "1", "2"]);
        side.ask(["RPUSH", "move:to", "x"]);
        let moved: Option<String> =
            live.get(|redis, hub| redis.blmove(hub, ("move:from", from), ("move:to", to), SOON));
        assert_eq!(moved.as_deref(), Some(element), "{from:?} {to:?}");
        let there: Vec<String> = side
            .ask(["LRANGE", "move:to", "0", "-1"])
            .convert()
            .unwrap();
        assert_eq!(there, list, "{from:?} {to:?}");
    }
}

#[test]
fn brpoplpush_moves_the_tail_to_the_head() {
    let Some(mut live) = live() else { return };
    let mut side = live.server.side();
    side.ask(["RPUSH", "rotate:from", "1", "2"]);
    side.ask(["RPUSH", "rotate:to", "x"]);
    let moved: Option<String> =
        live.get(|redis, hub| redis.brpoplpush(hub, "rotate:from", "rotate:to", SOON));
    assert_eq!(moved.as_deref(), Some("2"));
    let there: Vec<String> = side
        .ask(["LRANGE", "rotate:to", "0", "-1"])
        .convert()
        .unwrap();
    assert_eq!(there, ["2", "x"]);
}

#[test]
fn blmpop_takes_up_to_a_count_from_the_side_that_is_asked_for() {
    let Some(mut live) = live() else { return };
    let filled = ["RPUSH", "many:b", "1", "2", "3", "4", "5"];
    live.server.side().ask(filled);
    let lists = ["many:a", "many:b"];
    let mut pop = |side, count| -> Option<(String, Vec<String>)> {
        live.get(|redis, hub| redis.blmpop(hub, &lists, side, count, SOON))
    };
    let of_b = |elements: &[&str]| {
        let elements = elements.iter().map(|&element| element.to_owned());
        Some(("many:b".to_owned(), elements.collect()))
    };
    assert_eq!(pop(End::Left, 2), of_b(&["1", "2"]));
    assert_eq!(pop(End::Right, 10), of_b(&["5", "4", "3"]));
}

#[test]
fn bzpop_takes_the_lowest_or_the_highest_score() {
    let Some(mut live) = live() else { return };
    let filled = ["ZADD", "ranks", "1.5", "low", "2", "middle", "inf", "high"];
    live.server.side().ask(filled);
    let mut pop = |rank| -> Option<(String, String, f64)> {
        live.get(|redis, hub| redis.bzpop(hub, ["ranks:none", "ranks"], rank, SOON))
    };
    assert_eq!(pop(Rank::Min), Some(("ranks".into(), "low".into(), 1.5)));
    let highest = Some(("ranks".into(), "high".into(), f64::INFINITY));
    assert_eq!(pop(Rank::Max), highest);
}

#[test]
fn every_kind_of_pop_answers_nil_when_nothing_comes() {
    type Pop = fn(Redis, &mut Hub) -> Result<Wait>;
    let pops: [Pop; 6] = [
        |redis, hub| redis.brpop(hub, ["no:1", "no:2"], SOON),
        |redis, hub| redis.blpop(hub, "no:1", SOON),
        |redis, hub| redis.blmove(hub, ("no:1", End::Left), ("no:2", End::Left), SOON),
        |redis, hub| redis.brpoplpush(hub, "no:1", "no:2", SOON),
        |redis, hub| redis.blmpop(hub, &["no:1"], End::Left, 3, SOON),
        |redis, hub| redis.bzpop(hub, "no:1", Rank::Max, SOON),
    ];
    let Some(server) = Server::shared() else {
        return;
    };
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let mut live = Live::new(&server, server.unix().with_protocol(protocol));
        for (number, pop) in pops.iter().enumerate() {
            let value: Value = live.get(pop);
            assert!(value.is_null(), "{protocol:?}, pop {number}: {value:?}");
        }
    }
}

#[test]
fn no_timeout_is_so_short_that_it_means_for_ever() {
    let Some(mut live) = live() else { return };
    // Redis reads 0 as for ever, and some of its versions read 0.0004 as 0.
    for timeout in [
        Duration::ZERO,
        Duration::from_nanos(1),
        ms(1),
        Duration::from_micros(1500),
    ] {
        let asked = live
            .redis
            .brpop(&mut live.hub, "short", Timeout::After(timeout));
        let wake = live.hub.wait(asked.unwrap().within(secs(5))).unwrap();
        let reply = wake.reply().unwrap();
        assert!(reply.is_none() && reply.elapsed() >= timeout, "{timeout:?}");
    }
}

#[test]
fn a_pop_that_waits_for_ever_is_answered_by_a_later_push() {
    on_both(|live, kind| {
        let list = format!("later:{kind}");
        let mut side = live.server.side();
        let asked = live.redis.brpop(&mut live.hub, &list, Timeout::Forever);
        let pushed = list.clone();
        let pusher = live.hub.spawn(move |_hub, wake| match wake {
            Wake::Start => Ok(Wait::sleep(ms(60))),
            _ => {
                side.ask(["LPUSH", &pushed, "late"]);
                Ok(Wait::done())
            }
        });
        live.hub.detach(pusher);
        let reply = live.hub.wait(asked.unwrap()).unwrap().reply().unwrap();
        assert!(reply.elapsed() >= ms(30), "{:?}", reply.elapsed());
        assert_eq!(
            reply.to::<Option<(String, String)>>().unwrap(),
            pair(&list, "late")
        );
    });
}

#[test]
fn two_hundred_pops_get_one_each_of_two_hundred_elements() {
    const COUNT: usize = 200;
    let Some(mut live) = private(&[]) else { return };
    let mut side = live.server.side();
    let (tasks, results) = live.spawn_pops(COUNT, "jobs", Timeout::Forever);
    live.run_until_blocked(COUNT, &mut side);
    let numbers: Vec<String> = (0..COUNT).map(|number| number.to_string()).collect();
    // In two commands, so that some of them are served while others go on waiting.
    for half in numbers.chunks(COUNT / 2) {
        let command = ["LPUSH", "jobs"].map(str::to_owned).into_iter();
        side.ask(command.chain(half.iter().cloned()).collect::<Vec<_>>());
    }
    live.hub.join_all(&tasks).unwrap();

    let results = results.take();
    assert_eq!(results.len(), COUNT);
    let popped = results.into_iter().map(|result| {
        let (_, element): (String, String) = result.unwrap().convert().unwrap();
        element
    });
    assert_eq!(
        popped.collect::<BTreeSet<_>>(),
        numbers.into_iter().collect()
    );
    assert_eq!(side.number(["LLEN", "jobs"]), 0);
}

#[test]
fn five_hundred_pops_wait_at_the_same_time() {
    by_the_clock(|| {
        let Some(mut live) = live() else { return };
        let begin = Instant::now();
        let (tasks, results) = live.spawn_pops(500, "five:hundred", Timeout::After(secs(1)));
        live.hub.join_all(&tasks).unwrap();
        let took = begin.elapsed();
        let nil = |result: &Result<Value>| result.as_ref().is_ok_and(Value::is_null);
        assert_eq!(
            results.borrow().iter().filter(|result| nil(result)).count(),
            500
        );
        assert!((secs(1)..ms(1500)).contains(&took), "{took:?}");
        let stats = live.redis.stats(&live.hub);
        assert_eq!(
            (stats.created, stats.in_use, stats.available),
            (500, 0, 500)
        );
    });
}

// The pool.

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

// Replies and their types. What keeps a server busy for long has one of its own: on the shared one,
// it would be the others who are late.

#[test]
fn replies_become_the_types_that_a_program_asks_for() {
    let Some(mut live) = live() else { return };
    live.get::<()>(|redis, hub| redis.set(hub, "type:text", "grün"));
    assert_eq!(
        live.get::<String>(|redis, hub| redis.get(hub, "type:text")),
        "grün"
    );
    assert_eq!(
        live.get::<Option<Bytes>>(|redis, hub| redis.get(hub, "type:none")),
        None
    );
    assert_eq!(
        live.get::<i64>(|redis, hub| redis.rpush(hub, "type:list", [1, 2, 3])),
        3
    );
    assert_eq!(
        live.get::<i64>(|redis, hub| redis.lpush(hub, "type:list", "0")),
        4
    );
    assert_eq!(
        live.send::<Vec<u32>>("LRANGE", &["type:list", "0", "-1"]),
        [0, 1, 2, 3]
    );
    assert!(live.send::<bool>("EXISTS", &["type:list"]));
    assert_eq!(live.send::<u16>("INCRBY", &["type:number", "7"]), 7);
    assert_eq!(
        live.get::<u16>(|redis, hub| redis.get(hub, "type:number")),
        7
    );
    assert_eq!(live.get::<String>(|redis, hub| redis.ping(hub)), "PONG");
}

#[test]
fn a_hash_and_a_sorted_set_become_pairs_in_both_protocols() {
    let Some(server) = Server::shared() else {
        return;
    };
    let mut side = server.side();
    side.ask(["HSET", "pairs:hash", "a", "1", "b", "2"]);
    side.ask(["ZADD", "pairs:set", "1.5", "x", "-inf", "y"]);
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let mut live = Live::new(&server, server.unix().with_protocol(protocol));
        let hash: BTreeMap<String, u32> = live.send("HGETALL", &["pairs:hash"]);
        assert_eq!(hash, BTreeMap::from([("a".into(), 1), ("b".into(), 2)]));
        let range = ["pairs:set", "0", "-1", "WITHSCORES"];
        let set: Vec<(String, f64)> = live.send("ZRANGE", &range);
        assert_eq!(set, [("y".into(), f64::NEG_INFINITY), ("x".into(), 1.5)]);
    }
}

#[test]
fn protocol_3_brings_its_own_types_of_replies() {
    let Some(server) = Server::shared() else {
        return;
    };
    let address = format!("{}?protocol=3", server.unix()).parse().unwrap();
    let mut live = Live::new(server, address);
    live.send::<()>("ZADD", &["three:set", "2.5", "member"]);
    let score: Value = live.send("ZSCORE", &["three:set", "member"]);
    assert_eq!(score, Value::Double(2.5));
    let setting: Value = live.send("CONFIG", &["GET", "maxmemory-policy"]);
    let expected = ("maxmemory-policy".into(), "noeviction".into());
    assert_eq!(
        setting,
        Value::Map(vec![(Value::Bulk(expected.0), Value::Bulk(expected.1))])
    );
    let info: Value = live.send("INFO", &["server"]);
    assert!(matches!(info, Value::Verbatim { format, .. } if &format == b"txt"));
    let missing: Value = live.get(|redis, hub| redis.get(hub, "three:none"));
    assert_eq!(missing, Value::Null);
    let popped: Value = live.get(|redis, hub| redis.bzpop(hub, "three:set", Rank::Min, SOON));
    assert_eq!(popped.as_slice().unwrap()[2], Value::Double(2.5));
}

#[test]
fn any_byte_survives_the_way_there_and_back() {
    let Some(mut live) = live() else { return };
    let all: Vec<u8> = (0..=255).chain(*b"\r\n$3\r\n").collect();
    live.get::<()>(|redis, hub| redis.set(hub, &all, &all));
    assert_eq!(live.get::<Vec<u8>>(|redis, hub| redis.get(hub, &all)), all);
}

#[test]
fn a_value_of_64_mib_survives_the_way_there_and_back() {
    const BYTES: usize = 64 << 20;
    // The period is a prime: a piece that was lost or came twice would shift the pattern.
    let pattern: Vec<u8> = (0..251).collect();
    let mut big = pattern.repeat(BYTES.div_ceil(pattern.len()));
    big.truncate(BYTES);
    let Some(server) = Server::start_tcp(&[]) else {
        return;
    };
    on_both_of(Arc::new(server), |live, kind| {
        let key = format!("big:{kind}");
        live.get::<()>(|redis, hub| redis.set(hub, &key, &big));
        let back: Bytes = live.get(|redis, hub| redis.get(hub, &key));
        assert!(back == big, "{} bytes came back", back.len());
    });
}

#[test]
fn a_reply_of_a_hundred_thousand_elements_is_whole() {
    let Some(mut live) = private(&[]) else { return };
    let fill = "for i = 1, 100000 do redis.call('RPUSH', KEYS[1], i) end";
    live.server.side().ask(["EVAL", fill, "1", "long"]);
    let long: Vec<u32> = live.send("LRANGE", &["long", "0", "-1"]);
    assert!(long.into_iter().eq(1..=100_000));
}

// Errors that the server answers.

#[test]
fn an_error_reply_leaves_the_shared_connection_as_it_was() {
    let Some(mut live) = live() else { return };
    live.server.side().ask(["SET", "wrong:shared", "text"]);
    let error = live.error(|redis, hub| redis.lpush(hub, "wrong:shared", "x"));
    assert_eq!(
        (error.code(), error.maybe_executed()),
        (Some("WRONGTYPE"), false)
    );
    assert_eq!(
        live.get::<String>(|redis, hub| redis.get(hub, "wrong:shared")),
        "text"
    );
    assert_eq!(live.redis.stats(&live.hub).connects, 1);
}

#[test]
fn an_error_reply_leaves_the_connection_of_a_pop_as_it_was() {
    let Some(mut live) = live() else { return };
    live.server.side().ask(["SET", "wrong:own", "text"]);
    let error = live.error(|redis, hub| redis.brpop(hub, "wrong:own", SOON));
    assert_eq!(error.code(), Some("WRONGTYPE"));
    live.get::<()>(|redis, hub| redis.brpop(hub, "wrong:none", SOON));
    let stats = live.redis.stats(&live.hub);
    assert_eq!((stats.connects, stats.available), (1, 1));
}

// Pipelines.

#[test]
fn a_pipeline_is_answered_in_order_with_errors_in_their_places() {
    let Some(mut live) = live() else { return };
    let pipeline = Pipeline::new()
        .command(Command::new("SET").arg("pipe").arg("text"))
        .command(Command::new("LPUSH").arg("pipe").arg("x"))
        .command(Command::new("GET").arg("pipe"));
    let values: Vec<Value> = live.get(|redis, hub| redis.send_all(hub, pipeline));
    let [set, push, get] = values.as_slice() else {
        panic!("{values:?}");
    };
    assert_eq!((set.as_str(), get.as_str()), (Some("OK"), Some("text")));
    assert!(push.is_error() && push.as_str().unwrap().starts_with("WRONGTYPE"));
}

#[test]
fn a_transaction_runs_as_one() {
    let Some(mut live) = live() else { return };
    let pipeline = Pipeline::new()
        .command(Command::new("MULTI"))
        .command(Command::new("INCR").arg("multi"))
        // Nothing blocks inside a transaction, so that this may stand here.
        .command(
            Command::new("BRPOP")
                .arg("multi:none")
                .arg(Timeout::Forever),
        )
        .command(Command::new("INCR").arg("multi"))
        .command(Command::new("EXEC"));
    let values: Vec<Value> = live.get(|redis, hub| redis.send_all(hub, pipeline));
    let done = Value::Array(vec![Value::Int(1), Value::Null, Value::Int(2)]);
    assert_eq!(values.last(), Some(&done));
    assert_eq!(live.get::<i64>(|redis, hub| redis.get(hub, "multi")), 2);
}

#[test]
fn commands_of_many_tasks_each_get_the_reply_of_their_own() {
    let Some(mut live) = live() else { return };
    let redis = live.redis;
    let tasks: Vec<_> = (0..300_i64)
        .map(|number| {
            live.hub.spawn(move |hub, wake| match wake {
                Wake::Start => redis.send(hub, Command::new("ECHO").arg(number)),
                wake => {
                    assert_eq!(wake.reply()?.to::<i64>()?, number);
                    Ok(Wait::done())
                }
            })
        })
        .collect();
    live.hub.join_all(&tasks).unwrap();
    assert_eq!(redis.stats(&live.hub).connects, 1);
}

// The handshake.

#[test]
fn the_database_of_the_address_is_the_one_that_is_used() {
    let Some(server) = Server::start_tcp(&[]) else {
        return;
    };
    let urls = [
        (format!("{}?db=3", server.unix()), "3"),
        (format!("{}/4", server.tcp()), "4"),
        (format!("{}?db=5&protocol=3", server.tcp()), "5"),
    ];
    for (url, db) in urls {
        let mut live = Live::new(&server, url.parse().unwrap());
        live.get::<()>(|redis, hub| redis.set(hub, "here", db));
        let mut side = server.side();
        side.ask(["SELECT", db]);
        assert_eq!(side.text(["GET", "here"]), db, "{url}");
        // Pops have connections of their own, with a handshake each.
        side.ask(["RPUSH", "list", db]);
        let popped: Option<(String, String)> =
            live.get(|redis, hub| redis.brpop(hub, "list", SOON));
        assert_eq!(popped, pair("list", db), "{url}");
    }
    assert_eq!(server.side().number(["DBSIZE"]), 0, "database 0 was used");
}

#[test]
fn a_database_that_does_not_exist_is_said_to_be_rejected() {
    let Some(server) = Server::shared() else {
        return;
    };
    let address = server.unix().with_db(9999);
    let mut live = Live::new(server, address);
    let error = live.error(|redis, hub| redis.ping(hub));
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("SELECT"), "{error}");
}

#[test]
fn the_client_name_of_the_address_is_what_the_server_lists() {
    let Some(server) = Server::shared() else {
        return;
    };
    let address = format!("{}?client_name=green-1", server.unix())
        .parse()
        .unwrap();
    let mut live = Live::new(server, address);
    live.get::<()>(|redis, hub| redis.ping(hub));
    live.get::<()>(|redis, hub| redis.brpop(hub, "named", Timeout::After(ms(1))));
    let list = live.server.side().text(["CLIENT", "LIST"]);
    // The shared connection, and that of the pop.
    assert_eq!(list.matches(" name=green-1 ").count(), 2, "{list}");
}

#[test]
fn a_password_lets_in_with_either_protocol() {
    let Some(server) = Server::start(&["--requirepass", "se cret"]) else {
        return;
    };
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let address = server
            .unix()
            .with_password("se cret")
            .with_protocol(protocol);
        let mut live = Live::new(&server, address);
        assert_eq!(live.get::<String>(|redis, hub| redis.ping(hub)), "PONG");
    }
}

#[test]
fn a_user_and_a_password_let_in_as_that_user() {
    let Some(server) = Server::shared() else {
        return;
    };
    let rule = ["ACL", "SETUSER", "greta", "on", ">se@cret", "~*", "+@all"];
    server.side().ask(rule);
    for protocol in ["2", "3"] {
        let place = server.tcp().to_string().replace("redis://", "");
        let url = format!("redis://greta:se%40cret@{place}?protocol={protocol}");
        let mut live = Live::new(&server, url.parse().unwrap());
        assert_eq!(live.send::<String>("ACL", &["WHOAMI"]), "greta");
    }
}

#[test]
fn a_wrong_password_is_an_error_that_does_not_repeat_it() {
    let Some(server) = Server::start(&["--requirepass", "right"]) else {
        return;
    };
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let address = server
            .unix()
            .with_password("wr0ngwr0ng")
            .with_protocol(protocol);
        let mut live = Live::new(&server, address);
        for _ in 0..2 {
            let error = live.error(|redis, hub| redis.brpop(hub, "list", Timeout::Forever));
            assert_eq!(error.kind(), ErrorKind::Connect);
            assert!(!error.maybe_executed());
            let told = format!("{error} {error:?}");
            assert!(
                told.contains("WRONGPASS") && !told.contains("wr0ng"),
                "{told}"
            );
        }
    }
}

#[test]
fn no_password_where_one_is_needed_is_the_answer_of_the_server() {
    let Some(mut live) = private(&["--requirepass", "right"]) else {
        return;
    };
    let error = live.error(|redis, hub| redis.ping(hub));
    assert_eq!(error.code(), Some("NOAUTH"), "{error:?}");
}

// Servers in trouble.

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
fn a_server_that_is_full_refuses_pops_without_having_run_them() {
    let Some(server) = Server::start_tcp(&["--maxclients", "10"]) else {
        return;
    };
    for address in [server.tcp(), server.unix(), server.tcp().with_db(1)] {
        let mut live = Live::new(&server, address);
        let (tasks, results) = live.spawn_pops(100, "full", Timeout::After(ms(300)));
        live.hub.join_all(&tasks).unwrap();
        let results = results.take();
        let failed: Vec<&Error> = results.iter().filter_map(|it| it.as_ref().err()).collect();
        // Ten clients fit, some of which are those of this test's other rounds that have not gone
        // yet.
        assert!((90..=100).contains(&failed.len()), "{}", failed.len());
        for error in failed {
            assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
            assert!(!error.maybe_executed(), "{error:?}");
        }
    }
}

#[test]
fn a_server_that_is_full_says_so() {
    let Some(mut live) = private(&[]) else { return };
    // Not from its start: whether a client that has left still counts is a matter of luck.
    let mut only = live.server.side();
    only.ask(["CONFIG", "SET", "maxclients", "1"]);
    let error = live.error(|redis, hub| redis.ping(hub));
    assert_eq!(error.kind(), ErrorKind::Connect);
    let told = error.to_string();
    assert!(told.contains("max number of clients"), "{told}");
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
    let error = live.error(|redis, hub| redis.get(hub, "1"));
    assert_eq!(error.code(), Some("LOADING"), "{error:?}");
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

// Giving up.

#[test]
fn what_a_killed_task_would_have_popped_stays_in_the_list() {
    let Some(mut live) = private(&[]) else { return };
    let mut side = live.server.side();
    let (tasks, results) = live.spawn_pops(1, "spared", Timeout::Forever);
    live.run_until_blocked(1, &mut side);
    live.hub.kill(tasks[0]);
    live.hub.join_all(&tasks).unwrap();
    eventually("the server has seen the end of the pop", || {
        side.blocked() == 0
    });
    side.ask(["LPUSH", "spared", "element"]);
    live.hub.sleep(ms(20)).unwrap();
    assert_eq!(side.number(["LLEN", "spared"]), 1);
    let killed = results.take().pop().unwrap().unwrap_err();
    assert_eq!(killed.kind(), ErrorKind::Killed);
    assert_eq!(live.redis.stats(&live.hub).created, 0);
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

// Nothing to do.

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
    assert_eq!(live.hub.timers_armed(), 0);
    assert!(results.borrow().is_empty() && tasks.len() == 100);
}
