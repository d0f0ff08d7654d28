//! Situations from the field, on a real Redis: paused and failing servers, tunnels, restricted
//! users, slow links, full servers, and peers that are no Redis.
//!
//! Each test asserts three things: the server lives (a [`Server`] that is dropped looks for a crash
//! report in its log), every wait ends in time with an outcome that is true, and no element is
//! lost: what was pushed was popped, is left, or may have gone with a pop that is reported as
//! indeterminate.

mod crowd;
mod failover;
mod full;
mod leftovers;
mod links;
mod pauses;
mod refusals;
mod relay;
mod replicas;
mod stalls;
mod strangers;
mod tunnels;
mod users;

use crate::notes::Notes;
use crate::server::{PATIENCE, Server, Side, raise_open_files};
use greenroom::resp::FromValue;
use greenroom::{
    Address, Command, Config, Error, Hub, Outcome, Redis, Reply, Result, TaskId, Timeout, Wait,
    Wake, ms, secs,
};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How a pop has ended.
#[derive(Clone, Debug)]
enum End {
    Popped(String),
    Nil,
    Cancelled,
    /// It was cancelled, and an element came nevertheless.
    Late(String),
    /// It was not executed.
    Failed(Error),
    /// It is not known whether it was executed.
    Indeterminate(Error),
}

/// What a pool has counted.
#[derive(Debug, PartialEq)]
struct Counts {
    cancelled: u64,
    requeued: u64,
    indeterminate: u64,
}

/// A server, a client of it, and a client to look at the server from the side.
struct Field {
    hub: Hub,
    redis: Redis,
    side: Side,
    ends: Notes<End>,
    // What is declared last is dropped last: it looks at what the client has done to it.
    server: Server,
}

impl PartialEq<&str> for End {
    /// Compares an element.
    fn eq(&self, element: &&str) -> bool {
        matches!(self, End::Popped(it) | End::Late(it) if it == element)
    }
}

impl End {
    fn of(wake: Wake) -> End {
        let element = |reply: Reply| {
            let pair = reply.to::<(String, String)>();
            pair.map_or_else(|error| error.to_string(), |(_, element)| element)
        };
        match wake.outcome() {
            Outcome::Popped(reply) => End::Popped(element(reply)),
            Outcome::TimedOut => End::Nil,
            Outcome::Cancelled => End::Cancelled,
            Outcome::Late(reply) => End::Late(element(reply)),
            Outcome::Failed(error) => End::Failed(error),
            Outcome::Indeterminate(error) => End::Indeterminate(error),
            other => panic!("an outcome that these tests do not know: {other:?}"),
        }
    }
}

impl Field {
    /// Starts a server on TCP, and a client with the default limits.
    fn start(flags: &[&str]) -> Option<Field> {
        Field::with(flags, Config::default())
    }

    fn with(flags: &[&str], config: Config) -> Option<Field> {
        let server = Server::start_tcp(flags)?;
        let address = server.tcp();
        Some(Field::on(server, address, config))
    }

    fn on(server: Server, address: Address, config: Config) -> Field {
        let hub = Hub::new().unwrap();
        Field::of(hub, server, address, config)
    }

    fn of(mut hub: Hub, server: Server, address: Address, config: Config) -> Field {
        raise_open_files();
        hub.on_error(|_| {});
        let redis = Redis::open_with(&mut hub, address, config).unwrap();
        Field {
            hub,
            redis,
            side: server.side(),
            ends: Notes::new(),
            server,
        }
    }

    /// Spawns a task that makes one request, and notes its end.
    fn spawn(&mut self, ask: impl Fn(Redis, &mut Hub) -> Result<Wait> + 'static) -> TaskId {
        let (redis, ends) = (self.redis, self.ends.clone());
        self.hub.spawn(move |hub, wake| match wake {
            Wake::Start => ask(redis, hub),
            wake => {
                ends.add(End::of(wake));
                Ok(Wait::done())
            }
        })
    }

    /// Spawns tasks that each pop once from `key`.
    fn pops(&mut self, count: usize, key: &'static str, timeout: Timeout) -> Vec<TaskId> {
        let pop = move |redis: Redis, hub: &mut Hub| redis.brpop(hub, key, timeout);
        (0..count).map(|_| self.spawn(pop)).collect()
    }

    /// Spawns tasks that each pop once from `key`, without a timeout and with a deadline of the
    /// task.
    fn pops_within(&mut self, count: usize, key: &'static str, deadline: Duration) -> Vec<TaskId> {
        let pop = move |redis: Redis, hub: &mut Hub| {
            let wait = redis.brpop(hub, key, Timeout::Forever)?;
            Ok(wait.within(deadline))
        };
        (0..count).map(|_| self.spawn(pop)).collect()
    }

    /// Makes turns until `check` is true, unless the server crashes.
    #[track_caller]
    fn until(&mut self, what: &str, mut check: impl FnMut(&mut Field) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !check(self) {
            assert!(Instant::now() < deadline, "this has not come true: {what}");
            assert_eq!(self.server.crash_report(), None, "redis-server has crashed");
            self.hub.sleep(ms(5)).unwrap();
        }
    }

    #[track_caller]
    fn await_blocked(&mut self, count: usize) {
        self.until("the server has blocked the pops", |field| {
            field.side.blocked() == count
        });
    }

    /// Makes turns until `count` pops have ended, and takes their ends.
    #[track_caller]
    fn await_ends(&mut self, count: usize) -> Vec<End> {
        self.until("the pops have ended", |field| field.ends.len() >= count);
        self.ends.take()
    }

    /// The answer to a request, which must come while a test can wait for it.
    fn reply<T: FromValue>(
        &mut self,
        ask: impl FnOnce(Redis, &mut Hub) -> Result<Wait>,
    ) -> Result<T> {
        let wait = ask(self.redis, &mut self.hub)?.within(PATIENCE);
        self.hub.wait(wait).unwrap().reply()?.to()
    }

    /// The answer to a command.
    fn send<T: FromValue>(&mut self, words: &[&str]) -> Result<T> {
        let command = Command::new(words[0]).arg(&words[1..]);
        self.reply(|redis, hub| redis.send(hub, command))
    }

    fn counts(&self) -> Counts {
        let stats = self.redis.stats(&self.hub);
        Counts {
            cancelled: stats.cancelled,
            requeued: stats.requeued,
            indeterminate: stats.indeterminate,
        }
    }

    /// Pushes `count` elements, which all stay in the list: no pop is left in the server. Then as
    /// many pops of a new client get them.
    #[track_caller]
    fn check_that_nothing_is_lost(&mut self, key: &'static str, count: usize) {
        let open = |field: &mut Field| field.side.blocked() > 0;
        self.until("no pop is left in the server", |field| !open(field));
        let elements: Vec<String> = (0..count).map(|number| format!("last {number}")).collect();
        let push = ["RPUSH", key].map(str::to_owned).into_iter();
        self.side
            .ask(push.chain(elements.clone()).collect::<Vec<_>>());
        self.hub.sleep(ms(30)).unwrap();
        assert_eq!(self.side.number(["LLEN", key]), count as i64);
        let address = self.server.tcp();
        let popper = Redis::open_with(&mut self.hub, address, Config::default()).unwrap();
        let redis = std::mem::replace(&mut self.redis, popper);
        self.ends.take();
        self.pops(count, key, Timeout::After(secs(10)));
        let ends = self.await_ends(count);
        check_all(&ends, count, |end| {
            elements.iter().any(|it| *end == it.as_str())
        });
        assert_eq!(self.side.number(["LLEN", key]), 0);
        self.redis.close(&mut self.hub);
        self.redis = redis;
    }

    /// Asks a command from the side, on a thread: the server may take long to answer.
    fn ask_aside(&self, words: &[&str]) -> JoinHandle<()> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let mut side = self.server.side();
        thread::spawn(move || {
            side.ask(words);
        })
    }
}

/// Asserts that each of these ends is as `is_right` demands.
#[track_caller]
fn check_all(ends: &[End], count: usize, is_right: impl Fn(&End) -> bool) {
    let wrong: Vec<_> = ends.iter().filter(|end| !is_right(end)).collect();
    assert!(
        wrong.is_empty(),
        "{} of {}: {wrong:?}",
        wrong.len(),
        ends.len()
    );
    assert_eq!(ends.len(), count);
}
