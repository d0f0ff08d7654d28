//! The embedded server as its clients meet it: real sockets, hostile input, thousands of clients,
//! and programs that others have written.
//!
//! What it answers is compared with a real Redis elsewhere. Here it is held to what a server owes
//! all its clients at once: that none of them can harm the others, that nobody waits longer than he
//! must, that an element is neither lost nor given twice, and that it ends when it is told to.
//!
//! `hosted` is a server on a thread and a hub of its own, whose end is part of every test; `caller` is
//! a client that knows nothing but bytes.

mod blocked;
mod caller;
mod clients;
mod crowd;
pub(crate) mod hosted;
mod hostile;
mod limits;
mod modes;
mod one_hub;
mod sessions;
mod shutdown;
mod timeouts;

use self::caller::Caller;
use self::hosted::{Aftermath, Hosted, any_port, watch};
use crate::notes::Notes;
use crate::server::{PATIENCE, by_the_clock, eventually};
use greenroom::resp::{Value, encode};
use greenroom::server::{Config, Server};
use greenroom::{Endpoint, Hub, Password, Wait, Wake, ms, secs};
use socket2::{Domain, SockAddr};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A server on a thread and hub of its own, and the connection that was there before any other.
struct Embedded {
    hosted: Hosted,
    /// To ask about the server, and to end it.
    control: Caller,
}

/// What some tests start from: a change to the default.
fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::default();
    change(&mut config);
    config
}

impl Embedded {
    fn start() -> Embedded {
        Embedded::with(Config::default())
    }

    fn with(config: Config) -> Embedded {
        let password = config.password.clone();
        let hosted = Hosted::start(config);
        let mut control = Caller::unix(&hosted.socket());
        if let Some(password) = password {
            control.ask(["AUTH", password.expose()]);
        }
        Embedded { hosted, control }
    }

    /// A client on the UNIX socket.
    fn caller(&self) -> Caller {
        Caller::unix(&self.hosted.socket())
    }

    fn tcp_caller(&self) -> Caller {
        Caller::connect(Domain::IPV4, &self.hosted.tcp().into()).unwrap()
    }

    /// A client of each kind, the second one connected when it is asked for.
    fn both(&self) -> impl Iterator<Item = Caller> + use<> {
        let unix = (Domain::UNIX, SockAddr::unix(self.hosted.socket()).unwrap());
        let places = [unix, (Domain::IPV4, self.hosted.tcp().into())];
        let connect = |(domain, at)| Caller::connect(domain, &at).unwrap();
        places.into_iter().map(connect)
    }

    /// Asks on the connection that was there first.
    fn ask<A: AsRef<[u8]>>(&mut self, args: impl AsRef<[A]>) -> Value {
        self.control.ask(args)
    }

    /// A figure of `INFO`.
    fn figure(&mut self, field: &str) -> usize {
        let info: String = self.ask(["INFO"]).convert().unwrap();
        let of_field = |line: &str| Some(line.strip_prefix(field)?.strip_prefix(':')?.to_owned());
        let figure = info.lines().find_map(of_field);
        figure.expect("there is such a field").parse().unwrap()
    }

    /// Waits until so many clients are connected, besides the one that asks.
    #[track_caller]
    fn await_clients(&mut self, count: usize) {
        self.await_figure("connected_clients", count + 1);
    }

    #[track_caller]
    fn await_blocked(&mut self, count: usize) {
        self.await_figure("blocked_clients", count);
    }

    /// Asks without a pause at first: most of what tests wait for takes less than a sleep.
    #[track_caller]
    fn await_figure(&mut self, field: &str, wanted: usize) {
        let begin = Instant::now();
        loop {
            let found = self.figure(field);
            if found == wanted {
                return;
            }
            let took = begin.elapsed();
            assert!(took < PATIENCE, "{field} is {found} instead of {wanted}");
            if took > ms(20) {
                thread::sleep(ms(1));
            }
        }
    }

    /// Ends the server, unless it was told to, and says what has become of it.
    fn end(mut self) -> Aftermath {
        self.tell_to_end();
        self.hosted.await_end()
    }

    fn tell_to_end(&mut self) {
        // Nobody is there to read it when the server has been told already.
        let _ = self.control.try_say(["SHUTDOWN", "NOSAVE"]);
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if self.hosted.is_awaited() || thread::panicking() {
            return;
        }
        self.tell_to_end();
        self.hosted.await_end();
    }
}

/// A command as it travels.
fn wire<A: AsRef<[u8]>>(args: impl AsRef<[A]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode::command(&mut bytes, args.as_ref());
    bytes
}

/// What a pop of one element is answered with.
fn popped(list: &str, element: &str) -> Vec<u8> {
    wire([list, element])
}

/// A client that says `PING` again and again, on a thread of its own, and looks at the clock.
struct Pinger {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Duration>>,
}

impl Pinger {
    fn start(server: &Embedded) -> Pinger {
        let mut caller = server.caller();
        let ends = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            let mut took = Vec::new();
            while !flag.load(Ordering::Relaxed) {
                let begin = Instant::now();
                caller.send("PING\r\n");
                caller.expect("+PONG\r\n");
                took.push(begin.elapsed());
                thread::sleep(Duration::from_micros(500));
            }
            took
        });
        Pinger { ends, thread }
    }

    /// How long the pings took, in this order.
    fn finish(self) -> Vec<Duration> {
        self.ends.store(true, Ordering::Relaxed);
        let mut took = self.thread.join().unwrap();
        took.sort_unstable();
        took
    }
}

/// The value that `percent` of the sorted values do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}
