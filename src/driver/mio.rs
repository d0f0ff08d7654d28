//! The real kernel, through mio. No other file names mio.
//!
//! What mio asks of its users ([`mio::Poll`]'s section on portability) is answered here, once:
//!
//! - *Events are edges.* On Linux a read that fills less than its buffer has emptied a stream socket
//!   (epoll(7), question 9), which saves the second read that would only say `WouldBlock`. A FIN that
//!   arrives later is a new edge; one that had arrived already is reported as `ended`.
//! - *A finished connect* is known by `take_error`, then `peer_addr`, or by the first successful write.
//! - *`EINTR` is not retried by mio*; for us it is an empty batch, since the hub computes its timeout
//!   anew every turn, but one that more may follow: what came while the process was stopped is still to be read.
//! - *Timeouts are whole milliseconds*, rounded up.
//! - *Dropping a socket deregisters it* with epoll and kqueue, because nobody duplicates its descriptor.
//!
//! A socket is registered for writing only where there is an edge to wait for: a TCP connect that has not
//! finished at once, and any socket after a write that did not fit. A UNIX socket would otherwise report *writable* each time its
//! peer has read, one useless event for each command.
//!
//! A UNIX socket that somebody has listened on leaves a file behind, in whose place nobody can listen again.
//! It is removed with its listener. One that is found left behind (its process was killed) is known
//! by a connect that is refused, and replaced.

use super::{
    Alarm, Connect, Driver, EVENTS_PER_POLL_MAX, Endpoint, Event, Polled, Socket, is_not_yet,
};
use crate::time::Time;
use crate::token::{Key, Owner, Slots};
use ::mio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use ::mio::{Events, Interest, Poll, Token, Waker, event::Source};
use std::fmt;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{self, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The token of the waker. No key is packed like this: its index would be 2^32 - 1.
const ALARM: Token = Token(usize::MAX);

/// A driver on the operating system's own readiness queue (epoll, kqueue).
pub struct MioDriver {
    poll: Poll,
    events: Events,
    sockets: Slots<Entry>,
    waker: Option<Arc<Waker>>,
    started: Instant,
}

struct Entry {
    kind: Kind,
    owner: Owner,
    /// Whether the kernel reports when there is room to write.
    watches_writes: bool,
}

enum Kind {
    Tcp(TcpStream),
    TcpListener(TcpListener),
    Unix(UnixStream),
    /// Boxed: there are few of them, and each stream would be as large as they.
    UnixListener(Box<AtPath>),
}

// (To debug builds mio adds a word of checks of its own.)
#[cfg(not(debug_assertions))]
const _: () = assert!(size_of::<Entry>() <= 40, "each stream has one");

/// A listener, and the file that people find it by.
struct AtPath {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode. By the time it is to be removed, another file may stand in its place.
    file: Option<(u64, u64)>,
}

impl MioDriver {
    /// Opens the readiness queue. The clock starts now.
    ///
    /// # Errors
    ///
    /// What the operating system says, such as that the process is out of descriptors.
    pub fn new() -> io::Result<MioDriver> {
        Ok(MioDriver {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_PER_POLL_MAX),
            sockets: Slots::roomy(),
            waker: None,
            started: Instant::now(),
        })
    }

    fn add(&mut self, kind: Kind, owner: Owner, interest: Interest) -> io::Result<Socket> {
        let watches_writes = interest.is_writable();
        let key = self.sockets.insert(Entry {
            kind,
            owner,
            watches_writes,
        });
        let entry = self.sockets.get_mut(key).ok_or_else(stale)?;
        let token = Token(key.to_usize());
        if let Err(error) = entry
            .kind
            .source()
            .register(self.poll.registry(), token, interest)
        {
            self.sockets.remove(key);
            return Err(error);
        }
        Ok(Socket(key))
    }

    fn entry(&self, socket: Socket) -> io::Result<&Entry> {
        self.sockets.get(socket.0).ok_or_else(stale)
    }
}

impl Driver for MioDriver {
    fn now(&self) -> Time {
        let elapsed = self.started.elapsed();
        let nanos = u64::from(elapsed.subsec_nanos());
        Time::from_nanos(
            elapsed
                .as_secs()
                .saturating_mul(1_000_000_000)
                .saturating_add(nanos),
        )
    }

    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok((host, port).to_socket_addrs()?.collect())
    }

    fn connect(&mut self, peer: &Endpoint, owner: Owner, first: &[u8]) -> io::Result<Connect> {
        let kind = match peer {
            Endpoint::Tcp(address) => Kind::Tcp(TcpStream::connect(*address)?),
            Endpoint::Unix(path) => Kind::Unix(UnixStream::connect(path)?),
        };
        // Written before it is registered, it need not be watched for room.
        let written = write_first(&kind, first)?;
        let interest = match written {
            Some(count) if count == first.len() => Interest::READABLE,
            _ => Interest::READABLE | Interest::WRITABLE,
        };
        let socket = self.add(kind, owner, interest)?;
        Ok(match written {
            Some(count) => Connect::Done(socket, count),
            None => Connect::Started(socket),
        })
    }

    fn connected(&self, socket: Socket) -> io::Result<bool> {
        let (error, peer) = match &self.entry(socket)?.kind {
            Kind::Tcp(stream) => (stream.take_error()?, stream.peer_addr().map(drop)),
            Kind::Unix(stream) => (stream.take_error()?, stream.peer_addr().map(drop)),
            _ => return Err(ErrorKind::InvalidInput.into()),
        };
        match (error, peer) {
            (Some(error), _) => Err(error),
            (None, Ok(())) => Ok(true),
            (None, Err(error)) if error.kind() == ErrorKind::NotConnected => Ok(false),
            (None, Err(error)) => Err(error),
        }
    }

    fn listen(&mut self, at: &Endpoint, owner: Owner) -> io::Result<Socket> {
        let kind = match at {
            Endpoint::Tcp(address) => Kind::TcpListener(TcpListener::bind(*address)?),
            Endpoint::Unix(path) => Kind::UnixListener(Box::new(AtPath::bind(path)?)),
        };
        self.add(kind, owner, Interest::READABLE)
    }

    fn local(&self, socket: Socket) -> io::Result<Endpoint> {
        match &self.entry(socket)?.kind {
            Kind::Tcp(stream) => stream.local_addr().map(Endpoint::Tcp),
            Kind::TcpListener(listener) => listener.local_addr().map(Endpoint::Tcp),
            Kind::Unix(stream) => Ok(unix_endpoint(&stream.local_addr()?)),
            Kind::UnixListener(at) => Ok(unix_endpoint(&at.listener.local_addr()?)),
        }
    }

    fn peer(&self, socket: Socket) -> io::Result<Endpoint> {
        match &self.entry(socket)?.kind {
            Kind::Tcp(stream) => stream.peer_addr().map(Endpoint::Tcp),
            Kind::Unix(stream) => Ok(unix_endpoint(&stream.peer_addr()?)),
            _ => Err(ErrorKind::InvalidInput.into()),
        }
    }

    fn accept(&mut self, listener: Socket, owner: Owner) -> io::Result<Socket> {
        let kind = match &self.entry(listener)?.kind {
            Kind::TcpListener(listener) => Kind::Tcp(listener.accept()?.0),
            Kind::UnixListener(at) => Kind::Unix(at.listener.accept()?.0),
            _ => return Err(ErrorKind::InvalidInput.into()),
        };
        self.add(kind, owner, Interest::READABLE)
    }

    fn adopt(
        &mut self,
        stream: std::os::unix::net::UnixStream,
        owner: Owner,
    ) -> io::Result<Socket> {
        stream.set_nonblocking(true)?;
        self.add(
            Kind::Unix(UnixStream::from_std(stream)),
            owner,
            Interest::READABLE,
        )
    }

    fn set_owner(&mut self, socket: Socket, owner: Owner) {
        if let Some(entry) = self.sockets.get_mut(socket.0) {
            entry.owner = owner;
        }
    }

    fn no_delay(&self, socket: Socket) -> io::Result<()> {
        match &self.entry(socket)?.kind {
            Kind::Tcp(stream) => stream.set_nodelay(true),
            _ => Ok(()),
        }
    }

    #[cfg(feature = "keepalive")]
    fn keepalive(&self, socket: Socket, idle: Duration) -> io::Result<()> {
        match &self.entry(socket)?.kind {
            Kind::Tcp(stream) => super::keepalive::set(stream, idle),
            _ => Ok(()),
        }
    }

    fn read(&mut self, socket: Socket, into: &mut [u8]) -> io::Result<usize> {
        let mut source = &self.entry(socket)?.kind;
        retry(|| source.read(into))
    }

    fn write(&mut self, socket: Socket, bytes: &[u8]) -> io::Result<usize> {
        let entry = self.sockets.get_mut(socket.0).ok_or_else(stale)?;
        let written = retry(|| (&entry.kind).write(bytes));
        let blocked = match &written {
            Ok(count) => *count < bytes.len(),
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        };
        if blocked && !entry.watches_writes {
            let both = Interest::READABLE | Interest::WRITABLE;
            let token = Token(socket.0.to_usize());
            entry
                .kind
                .source()
                .reregister(self.poll.registry(), token, both)?;
            entry.watches_writes = true;
        }
        written
    }

    fn close(&mut self, socket: Socket) {
        self.sockets.remove(socket.0);
    }

    fn poll(&mut self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<Polled> {
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                // Nobody has looked at the sockets, perhaps for as long as the process was stopped.
                return Ok(Polled {
                    full: true,
                    ..Polled::default()
                });
            }
            result => result?,
        }
        let mut polled = Polled::default();
        let mut seen = 0;
        for event in &self.events {
            seen += 1;
            if event.token() == ALARM {
                continue;
            }
            let key = Key::from_usize(event.token().0);
            let Some((key, entry)) = key.and_then(|key| Some((key, self.sockets.get(key)?))) else {
                polled.stale += 1;
                continue;
            };
            let ended = event.is_read_closed() || event.is_write_closed() || event.is_error();
            events.push(Event {
                socket: Socket(key),
                owner: entry.owner,
                readable: event.is_readable() || ended,
                writable: event.is_writable(),
                ended,
            });
        }
        polled.full = seen == EVENTS_PER_POLL_MAX;
        Ok(polled)
    }

    fn alarm(&mut self) -> io::Result<Alarm> {
        let waker = match &self.waker {
            Some(waker) => Arc::clone(waker),
            None => {
                let waker = Arc::new(Waker::new(self.poll.registry(), ALARM)?);
                self.waker = Some(Arc::clone(&waker));
                waker
            }
        };
        Ok(Arc::new(move || waker.wake()))
    }

    fn entropy(&mut self) -> u64 {
        RandomState::new().build_hasher().finish()
    }
}

impl fmt::Debug for MioDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MioDriver")
            .field("sockets", &self.sockets.len())
            .finish_non_exhaustive()
    }
}

impl Kind {
    fn source(&mut self) -> &mut dyn Source {
        match self {
            Kind::Tcp(source) => source,
            Kind::TcpListener(source) => source,
            Kind::Unix(source) => source,
            Kind::UnixListener(at) => &mut at.listener,
        }
    }
}

impl AtPath {
    fn bind(path: &Path) -> io::Result<AtPath> {
        // The working directory may be another one when the file is to be removed.
        let lasting = path::absolute(path)?;
        let listener = match UnixListener::bind(path) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && is_left_behind(path) => {
                fs::remove_file(path)?;
                UnixListener::bind(path)?
            }
            bound => bound?,
        };
        Ok(AtPath {
            listener,
            file: identity(&lasting),
            path: lasting,
        })
    }
}

impl Drop for AtPath {
    /// Before the listener is closed: it is what keeps the inode from being given to another file.
    fn drop(&mut self) {
        if self.file.is_some() && identity(&self.path) == self.file {
            // What cannot be removed will be replaced.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a file is a socket that nobody listens on. (Or not yet: two that start in the same microseconds
/// are not told apart.)
fn is_left_behind(path: &Path) -> bool {
    // A file of any other kind refuses a connect as well, and a link leads to another file.
    let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    is_socket
        && UnixStream::connect(path)
            .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

/// Which file stands at a path.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let file = fs::symlink_metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

impl Read for &Kind {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Kind::Tcp(stream) => (&mut &*stream).read(into),
            Kind::Unix(stream) => (&mut &*stream).read(into),
            _ => Err(ErrorKind::InvalidInput.into()),
        }
    }
}

impl Write for &Kind {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Kind::Tcp(stream) => (&mut &*stream).write(bytes),
            Kind::Unix(stream) => (&mut &*stream).write(bytes),
            _ => Err(ErrorKind::InvalidInput.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes to a socket whose connect has just been started; `None` if it has not finished.
fn write_first(mut socket: &Kind, first: &[u8]) -> io::Result<Option<usize>> {
    let is_tcp = matches!(socket, Kind::Tcp(_));
    if first.is_empty() {
        return Ok(if is_tcp { None } else { Some(0) });
    }
    match retry(|| socket.write(first)) {
        Ok(count) => Ok(Some(count)),
        Err(error) if is_not_yet(&error) => Ok(if is_tcp { None } else { Some(0) }),
        // The peer has closed already, but it may have said why: reading will show.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Some(0)),
        Err(error) => Err(error),
    }
}

/// Repeats a call that a signal has interrupted before it did anything.
fn retry(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn stale() -> io::Error {
    io::Error::new(ErrorKind::NotConnected, "the socket was closed")
}

fn unix_endpoint(address: &std::os::unix::net::SocketAddr) -> Endpoint {
    Endpoint::Unix(address.as_pathname().map(Into::into).unwrap_or_default())
}
