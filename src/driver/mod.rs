//! The kernel's seam: everything the hub asks of an operating system, as one trait.
//!
//! The hub above it cannot tell which driver it runs on. [`MioDriver`] is the real kernel. Everything
//! that would make a run differ from the next one (the clock, the network, the order of events) comes
//! through this trait and nowhere else, so that a simulated kernel can take its place.
//!
//! # The contract
//!
//! **Edges, not levels.** An event is reported when something *changes*. Whoever is told that a socket
//! is readable must read until the driver says [`WouldBlock`](io::ErrorKind::WouldBlock), or until a
//! read brings fewer bytes than there was room for: both mean *drained*, and the next byte brings a new
//! event. Whoever stops earlier must remember it himself. An event with [`ended`](Event::ended) set is
//! the exception: the end or the error stands behind the bytes and brings no further event, so that
//! reading goes on until it shows.
//!
//! **Readiness is a hint.** An event may be spurious; the read or write that follows has the last word.
//!
//! **A connect is finished** when [`connect`](Driver::connect) says [`Done`](Connect::Done), when a
//! write succeeds, or when [`connected`](Driver::connected) says so. The writable event alone proves
//! nothing.
//!
//! **The first bytes go with the connect.** A peer on the same machine is connected by the time
//! `connect` returns, though the kernel calls it under way. A write tells: it either succeeds, which saves the
//! event, the look at it and a write in a later turn, or it would block, and nothing is lost but one call.
//!
//! **Handles go stale.** A [`Socket`] that was closed answers every call with
//! [`NotConnected`](io::ErrorKind::NotConnected); its late events are dropped by the driver and counted.

#[cfg(feature = "keepalive")]
mod keepalive;
mod mio;
pub mod sim;

pub use self::mio::MioDriver;

use crate::time::Time;
use crate::token::{Key, Owner};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How many events one poll reports at most.
///
/// Reading and decoding one short reply costs about 2 µs, most of it in the kernel, so that a full
/// batch delays a timer by about half a millisecond.
pub const EVENTS_PER_POLL_MAX: usize = 256;

/// What a hub needs of a kernel. The [module](self) has the contract that goes with it.
///
/// Errors are those of the operating system. Two of them mean something of their own everywhere:
/// [`WouldBlock`](io::ErrorKind::WouldBlock), that an event will say when it is worth trying again, and
/// [`NotConnected`](io::ErrorKind::NotConnected), that the socket is not connected yet or was closed.
pub trait Driver: fmt::Debug {
    /// The time. It never goes backwards.
    fn now(&self) -> Time;

    /// The addresses of a host name. This may block for seconds: it is never called inside a turn.
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;

    /// Starts to connect, and writes `first` if the connection is there already. Events of the new socket
    /// name `owner`.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when the backlog of a UNIX socket is full: there is
    /// nothing to wait on, and the caller tries again after a while.
    fn connect(&mut self, peer: &Endpoint, owner: Owner, first: &[u8]) -> io::Result<Connect>;

    /// Whether a connect has finished: `Ok(false)` means *not yet*, an error is how it failed.
    fn connected(&self, socket: Socket) -> io::Result<bool>;

    /// Listens. Port 0 takes any free one, see [`local`](Driver::local).
    ///
    /// The file of a UNIX socket is removed when the listener is closed or the driver dropped. One that
    /// a listener has left behind that is gone is replaced; a file of any other kind never is.
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) when somebody listens there.
    fn listen(&mut self, at: &Endpoint, owner: Owner) -> io::Result<Socket>;

    /// Where a socket is bound.
    fn local(&self, socket: Socket) -> io::Result<Endpoint>;

    /// Whom a socket is connected to. Who has connected to a UNIX socket has no name: an empty path.
    fn peer(&self, socket: Socket) -> io::Result<Endpoint>;

    /// Takes one connection that came in on a listener.
    fn accept(&mut self, listener: Socket, owner: Owner) -> io::Result<Socket>;

    /// Takes over a connected UNIX stream that somebody else has made, such as one half of a pair.
    fn adopt(&mut self, stream: std::os::unix::net::UnixStream, owner: Owner)
    -> io::Result<Socket>;

    /// Names another owner for the events of a socket, from the next poll on.
    fn set_owner(&mut self, socket: Socket, owner: Owner);

    /// Sends small segments at once (`TCP_NODELAY`). Does nothing where there are no segments.
    fn no_delay(&self, socket: Socket) -> io::Result<()>;

    /// Has the kernel find out whether the peer is still there once a connection was silent for `idle`, and end the
    /// connection if it is not. Does nothing where that cannot be.
    ///
    /// It is called only with the feature `keepalive`, see [`Config::keepalive`](crate::Config::keepalive).
    fn keepalive(&self, _socket: Socket, _idle: Duration) -> io::Result<()> {
        Ok(())
    }

    /// Reads what is there. `Ok(0)` is the end.
    fn read(&mut self, socket: Socket, into: &mut [u8]) -> io::Result<usize>;

    /// Writes what fits.
    fn write(&mut self, socket: Socket, bytes: &[u8]) -> io::Result<usize>;

    /// Closes. The handle is stale from now on.
    fn close(&mut self, socket: Socket);

    /// Waits for events, or until `timeout` is over, or for ever. An interrupted wait is an empty one.
    fn poll(&mut self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<Polled>;

    /// What ends a [`poll`](Driver::poll) from another thread.
    fn alarm(&mut self) -> io::Result<Alarm>;

    /// A number that nobody can foretell, for what should not happen everywhere at once.
    fn entropy(&mut self) -> u64;

    /// Takes down something that the hub did, for a driver that keeps a record of the run.
    fn note(&mut self, _what: fmt::Arguments<'_>) {}
}

/// Ends a poll from another thread when it is called. One that is called early ends the next poll.
pub type Alarm = Arc<dyn Fn() -> io::Result<()> + Send + Sync>;

/// A socket of a driver: a handle that goes stale when the socket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Socket(pub(crate) Key);

impl Socket {
    /// The handle of the socket that stands in a driver's table at `key`.
    pub fn new(key: Key) -> Socket {
        Socket(key)
    }
}

/// How far a connect came at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connect {
    /// It is finished, and so many of the first bytes are written. No event will say so.
    Done(Socket, usize),
    /// It is under way, and nothing is written: an event will say when it is worth asking.
    Started(Socket),
}

/// Whether a read or write has only to be tried again: the socket is not connected yet, or there are no
/// bytes or no room. An event will say when.
pub(crate) fn is_not_yet(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected
    )
}

/// Where a connect goes or a listener stands, once names are resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// An address and a port.
    Tcp(SocketAddr),
    /// The path of a UNIX socket.
    Unix(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp(address) => address.fmt(f),
            Endpoint::Unix(path) => path.display().fmt(f),
        }
    }
}

/// What happened to one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The socket.
    pub socket: Socket,
    /// Whom its events are for.
    pub owner: Owner,
    /// There may be something to read or to accept, or the end.
    pub readable: bool,
    /// There may be room to write, or a connect may have finished.
    pub writable: bool,
    /// The peer has closed, or the socket has failed: read until it shows.
    pub ended: bool,
}

/// What a poll says besides its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Polled {
    /// More events may be waiting: the batch was full, or the wait was interrupted.
    pub full: bool,
    /// Events that were dropped because their socket had been closed.
    pub stale: usize,
}
