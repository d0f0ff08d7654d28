//! The simulated kernel: a network and a clock in memory, driven by a seed.
//!
//! A failure that a network produces once a month is no use to whoever has to mend it. Here the network is a table of
//! sockets in memory, the clock is a number, and every decision (how long a byte travels, where a write is cut, which
//! connection is reset) is drawn from one [`Random`] generator. The hub above it cannot tell. So a run is a function of
//! its seed: whoever has the seed of a failure has the failure.
//!
//! ```
//! use greenroom::server::{Config, Server};
//! use greenroom::sim::{Faults, Sim};
//! use greenroom::{Endpoint, Hub, Redis, Timeout, secs};
//!
//! let sim = Sim::new(42);
//! let mut hub = Hub::simulated(&sim);
//! let server = Server::new(&mut hub, Config::default());
//! server.listen(&mut hub, &Endpoint::Tcp(([127, 0, 0, 1], 6379).into()))?;
//! sim.set_faults("latency,splits".parse()?);
//!
//! let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
//! let asked = redis.brpop(&mut hub, "list", Timeout::After(secs(3600)))?;
//! assert!(hub.wait(asked)?.reply()?.is_none()); // after an hour, and at once
//! assert!(hub.now().as_nanos() > 3_600_000_000_000);
//! println!("trace {:016x}", sim.trace_hash());
//! # Ok::<(), greenroom::Error>(())
//! ```
//!
//! | file | what it has |
//! |---|---|
//! | `mod.rs` | [`Sim`], and the driver that the hub gets |
//! | `network.rs` | the agenda, and what the driver is asked |
//! | `sockets.rs` | what is known of each end of a connection |
//! | `finding.rs` | adds sockets, finds them, and makes them ready |
//! | `polling.rs` | how time passes, and what is told then |
//! | `happenings.rs` | what happens, once its moment has come |
//! | `wire.rs` | what becomes of bytes between a write and their arrival |
//! | `faults.rs` | what can go wrong, and how often |
//! | `script.rs` | peers that do as they are told |
//! | `playing.rs` | plays their scripts |
//! | `trace.rs` | what happened, as a number |
//!
//! **Time** passes only while a hub polls: a poll takes the next thing that happens, or the end of its timeout, and the
//! clock jumps there. What a program computes takes no time at all, so that it cannot change the order of anything. A task
//! that is to take time says so: [`Sim::strike`] with [`Strike::JumpClock`].
//!
//! **What is not simulated**: threads ([`Remote`](crate::Remote) works, but when its thread runs is up to the machine),
//! the handing over of real sockets, names other than `localhost`.

mod faults;
mod finding;
mod happenings;
mod network;
mod playing;
mod polling;
mod script;
mod server_fault;
mod sockets;
mod trace;
mod wire;

pub use self::faults::{Faults, Strike};
pub use self::script::Script;
pub use self::server_fault::Fault;
pub use crate::random::Random;

use self::network::Network;
use self::sockets::Kind;
use super::{Alarm, Connect, Driver, Endpoint, Event, Polled, Socket};
use crate::time::Time;
use crate::token::Owner;
use std::cell::RefCell;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A simulated network and its clock. Cheap to clone: each clone is a handle to the same.
#[derive(Clone)]
pub struct Sim {
    seed: u64,
    network: Rc<RefCell<Network>>,
    alarm: Arc<AtomicBool>,
}

impl Sim {
    /// A network in which everything that is left to chance follows from `seed`. Nothing goes wrong in it, and nothing
    /// takes any time, until [`set_faults`](Sim::set_faults) says otherwise.
    pub fn new(seed: u64) -> Sim {
        Sim {
            seed,
            network: Rc::new(RefCell::new(Network::new(seed))),
            alarm: Arc::default(),
        }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The kernel of a hub. [`Hub::simulated`](crate::Hub::simulated) takes one.
    pub fn driver(&self) -> SimDriver {
        SimDriver(self.clone())
    }

    /// Sets what goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.network.borrow_mut().faults = faults;
    }

    /// Lets a fault strike at a moment; at once if that has passed.
    pub fn strike_at(&self, at: Time, strike: Strike) {
        self.network.borrow_mut().strike_at(at, strike);
    }

    /// Lets a fault strike now.
    pub fn strike(&self, strike: Strike) {
        self.network.borrow_mut().strike(strike);
    }

    /// Listens at an address with peers that follow scripts: the first connection gets the first script, and so on. Who
    /// connects when there are none left is refused.
    pub fn scripts(&self, at: SocketAddr, scripts: impl IntoIterator<Item = Script>) {
        let scripts = scripts.into_iter().collect();
        let at = Endpoint::Tcp(at);
        self.network.borrow_mut().listen_with(&at, scripts);
    }

    /// What a server is to [refuse](crate::server::Server::refuse): commands drawn with the probability of
    /// [`error_replies`](Faults::error_replies), and everything while [`Strike::ErrorReplies`] strikes.
    ///
    /// ```
    /// # use greenroom::{server::{self, Server}, sim::Sim};
    /// # let sim = Sim::new(42);
    /// # let mut hub = greenroom::Hub::simulated(&sim);
    /// # let server = Server::new(&mut hub, server::Config::default());
    /// server.refuse(sim.error_replies());
    /// ```
    pub fn error_replies(&self) -> impl FnMut(&str) -> Option<String> + use<> {
        let network = Rc::clone(&self.network);
        move |command| network.borrow_mut().error_reply(command)
    }

    /// Returns what a server is to [inject](crate::server::Server::inject): all that
    /// [`error_replies`](Sim::error_replies) draws, pauses of writes and role changes.
    ///
    /// ```
    /// # use greenroom::{server::{self, Server}, sim::Sim};
    /// # let sim = Sim::new(42);
    /// # let mut hub = greenroom::Hub::simulated(&sim);
    /// # let server = Server::new(&mut hub, server::Config::default());
    /// server.inject(sim.server_faults());
    /// ```
    pub fn server_faults(&self) -> impl FnMut(&str) -> Option<Fault> + use<> {
        let network = Rc::clone(&self.network);
        move |command| network.borrow_mut().server_fault(command)
    }

    /// Whether all scripts that were begun have come to their ends, and got what they expected.
    ///
    /// # Errors
    ///
    /// What the first of the others waits for, or what came instead.
    pub fn verify(&self) -> Result<(), String> {
        let network = self.network.borrow();
        if let Some(failure) = network.failures.first() {
            return Err(failure.clone());
        }
        for (key, sock) in network.sockets.iter() {
            if let Kind::Stream(stream) = &sock.kind {
                if let Some(left) = stream.script.as_deref().and_then(script::Run::left) {
                    return Err(format!("{key:?}: {left}"));
                }
            }
        }
        Ok(())
    }

    /// The time.
    pub fn now(&self) -> Time {
        self.network.borrow().now
    }

    /// How many sockets the hub has open.
    pub fn sockets(&self) -> usize {
        self.network.borrow().sockets_of_hub()
    }

    /// A hash over everything that has happened so far, in order: what the hub asked of the kernel, what arrived where,
    /// which task was resumed and why. Equal seeds, in the same program, give equal hashes.
    pub fn trace_hash(&self) -> u64 {
        self.network.borrow().trace.hash()
    }

    /// How many things have happened so far.
    pub fn trace_lines(&self) -> u64 {
        self.network.borrow().trace.lines()
    }

    /// Keeps the last `lines` things that happen as text, for [`trace`](Sim::trace).
    pub fn keep_trace(&self, lines: usize) {
        self.network.borrow_mut().trace.keep(lines);
    }

    /// The last things that happened, if they were [kept](Sim::keep_trace): a line each, with its time in seconds.
    pub fn trace(&self) -> Vec<String> {
        self.network.borrow().trace.kept().to_vec()
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let network = self.network.borrow();
        f.debug_struct("Sim")
            .field("seed", &self.seed)
            .field("now", &network.now)
            .field("sockets", &network.sockets.len())
            .finish_non_exhaustive()
    }
}

/// The kernel that a [`Sim`] gives to a hub.
#[derive(Debug)]
pub struct SimDriver(Sim);

impl Driver for SimDriver {
    fn now(&self) -> Time {
        self.0.now()
    }

    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        match host {
            "localhost" => Ok(vec![(Ipv4Addr::LOCALHOST, port).into()]),
            _ => Err(ErrorKind::NotFound.into()),
        }
    }

    fn connect(&mut self, peer: &Endpoint, owner: Owner, first: &[u8]) -> io::Result<Connect> {
        self.0.network.borrow_mut().connect(peer, owner, first)
    }

    fn connected(&self, socket: Socket) -> io::Result<bool> {
        self.0.network.borrow().connected(socket)
    }

    fn listen(&mut self, at: &Endpoint, owner: Owner) -> io::Result<Socket> {
        self.0.network.borrow_mut().listen(at, owner)
    }

    fn local(&self, socket: Socket) -> io::Result<Endpoint> {
        self.0.network.borrow().local(socket)
    }

    fn peer(&self, socket: Socket) -> io::Result<Endpoint> {
        self.0.network.borrow().peer(socket)
    }

    fn accept(&mut self, listener: Socket, owner: Owner) -> io::Result<Socket> {
        self.0.network.borrow_mut().accept(listener, owner)
    }

    fn adopt(&mut self, _: std::os::unix::net::UnixStream, _: Owner) -> io::Result<Socket> {
        Err(ErrorKind::Unsupported.into())
    }

    fn set_owner(&mut self, socket: Socket, owner: Owner) {
        self.0.network.borrow_mut().set_owner(socket, owner);
    }

    fn no_delay(&self, _: Socket) -> io::Result<()> {
        Ok(())
    }

    fn read(&mut self, socket: Socket, into: &mut [u8]) -> io::Result<usize> {
        self.0.network.borrow_mut().read(socket, into)
    }

    fn write(&mut self, socket: Socket, bytes: &[u8]) -> io::Result<usize> {
        self.0.network.borrow_mut().write(socket, bytes)
    }

    fn close(&mut self, socket: Socket) {
        self.0.network.borrow_mut().close(socket);
    }

    fn poll(&mut self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<Polled> {
        let mut network = self.0.network.borrow_mut();
        network.alarm |= self.0.alarm.swap(false, Ordering::Acquire);
        network.poll(timeout, events)
    }

    fn alarm(&mut self) -> io::Result<Alarm> {
        let alarm = Arc::clone(&self.0.alarm);
        Ok(Arc::new(move || {
            alarm.store(true, Ordering::Release);
            Ok(())
        }))
    }

    fn entropy(&mut self) -> u64 {
        self.0.network.borrow_mut().random.any()
    }

    fn note(&mut self, what: fmt::Arguments<'_>) {
        self.0.network.borrow_mut().note(what);
    }
}
