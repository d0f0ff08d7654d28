//! The client against a real server: what Redis really answers, and what it does to connections.
//!
//! A scripted peer sends what its author believes a server to send. Here the server is the real
//! one, so that these tests hold the belief itself to account: reply types in both protocols,
//! timeouts as Redis keeps them, who gets an element, and what clients see when the server dies,
//! stops, loads or is full.
//!
//! Facts about the server (how many clients it has blocked, what a list holds) come from
//! [`Side`](crate::server::Side), not from the client under test.

mod errors;
mod giving_up;
mod handshakes;
mod pipelines;
mod pools;
mod pops;
mod replies;
mod trouble;

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
