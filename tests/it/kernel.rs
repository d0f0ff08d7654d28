//! Kernels for tests: one without sockets whose clock jumps, and one that is real and can be
//! meddled with.

use greenroom::driver::{Alarm, Connect, Driver, Event, MioDriver, Polled, Socket};
use greenroom::token::Owner;
use greenroom::{Endpoint, Time};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

/// A kernel with a clock and nothing else. A poll sleeps in no time: it moves the clock by what it
/// was to sleep.
#[derive(Clone, Debug, Default)]
pub struct Clockwork(Rc<RefCell<Clock>>);

#[derive(Debug, Default)]
struct Clock {
    now: Time,
    reads: Cell<usize>,
    /// How much longer than asked the next polls sleep.
    oversleeps: VecDeque<Duration>,
    naps: Vec<Duration>,
}

impl Clockwork {
    pub fn new() -> Clockwork {
        Clockwork::default()
    }

    /// The next poll that sleeps at all sleeps so much longer than it should.
    pub fn oversleep(&self, by: Duration) {
        self.0.borrow_mut().oversleeps.push_back(by);
    }

    /// Lets time pass outside of any poll, as a task that computes does.
    pub fn pass(&self, time: Duration) {
        let mut clock = self.0.borrow_mut();
        clock.now = clock.now + time;
    }

    /// How often somebody wanted to know the time.
    pub fn clock_reads(&self) -> usize {
        self.0.borrow().reads.get()
    }

    /// How long each poll was asked to sleep, since the last call.
    pub fn naps(&self) -> Vec<Duration> {
        std::mem::take(&mut self.0.borrow_mut().naps)
    }
}

impl Driver for Clockwork {
    fn entropy(&mut self) -> u64 {
        42
    }

    fn now(&self) -> Time {
        let clock = self.0.borrow();
        clock.reads.set(clock.reads.get() + 1);
        clock.now
    }

    fn poll(&mut self, timeout: Option<Duration>, _: &mut Vec<Event>) -> io::Result<Polled> {
        let timeout = timeout.expect("a poll without a timeout would never end");
        let mut clock = self.0.borrow_mut();
        clock.naps.push(timeout);
        clock.now = clock.now + timeout;
        if !timeout.is_zero() {
            clock.now = clock.now + clock.oversleeps.pop_front().unwrap_or_default();
        }
        Ok(Polled::default())
    }

    fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        Err(ErrorKind::Unsupported.into())
    }

    fn connect(&mut self, _: &Endpoint, _: Owner, _: &[u8]) -> io::Result<Connect> {
        Err(ErrorKind::Unsupported.into())
    }

    fn connected(&self, _: Socket) -> io::Result<bool> {
        Err(ErrorKind::Unsupported.into())
    }

    fn listen(&mut self, _: &Endpoint, _: Owner) -> io::Result<Socket> {
        Err(ErrorKind::Unsupported.into())
    }

    fn local(&self, _: Socket) -> io::Result<Endpoint> {
        Err(ErrorKind::Unsupported.into())
    }

    fn peer(&self, _: Socket) -> io::Result<Endpoint> {
        Err(ErrorKind::Unsupported.into())
    }

    fn accept(&mut self, _: Socket, _: Owner) -> io::Result<Socket> {
        Err(ErrorKind::Unsupported.into())
    }

    fn adopt(&mut self, _: UnixStream, _: Owner) -> io::Result<Socket> {
        Err(ErrorKind::Unsupported.into())
    }

    fn set_owner(&mut self, _: Socket, _: Owner) {}

    fn no_delay(&self, _: Socket) -> io::Result<()> {
        Ok(())
    }

    fn read(&mut self, _: Socket, _: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::NotConnected.into())
    }

    fn write(&mut self, _: Socket, _: &[u8]) -> io::Result<usize> {
        Err(ErrorKind::NotConnected.into())
    }

    fn close(&mut self, _: Socket) {}

    fn alarm(&mut self) -> io::Result<Alarm> {
        Err(ErrorKind::Unsupported.into())
    }
}

/// The real kernel, with a tap at its seam: it counts what passes, and makes things happen that the
/// kernel may do and rarely does.
#[derive(Debug)]
pub struct Tapped {
    inner: MioDriver,
    tap: Tap,
}

/// The handle to a [`Tapped`] kernel that has been given away to a hub.
#[derive(Clone, Debug, Default)]
pub struct Tap(Rc<RefCell<Meddling>>);

#[derive(Debug, Default)]
struct Meddling {
    owners: HashMap<Socket, Owner>,
    seen: Vec<Event>,
    writes: Vec<usize>,
    reads: usize,
    closes: usize,
    polls: usize,
    extra: Vec<Event>,
    empty_polls: usize,
    failing_polls: usize,
    full_polls: usize,
    spurious: bool,
    connects_slowly: bool,
    read_at_most: Option<usize>,
    /// Sockets with bytes that a shortened read has left behind.
    left: Vec<Socket>,
    addresses: Vec<SocketAddr>,
    keepalives: Vec<Duration>,
    /// Local addresses for the next connects, and of connected sockets.
    locals: VecDeque<SocketAddr>,
    translated: HashMap<Socket, SocketAddr>,
}

impl Tapped {
    pub fn new() -> (Tapped, Tap) {
        let tap = Tap::default();
        let inner = MioDriver::new().expect("there are descriptors left");
        (
            Tapped {
                inner,
                tap: tap.clone(),
            },
            tap,
        )
    }

    fn own<T>(
        &mut self,
        result: io::Result<T>,
        socket: impl Fn(&T) -> Socket,
        owner: Owner,
    ) -> io::Result<T> {
        if let Ok(made) = &result {
            self.tap.0.borrow_mut().owners.insert(socket(made), owner);
        }
        result
    }
}

impl Tap {
    /// How often the kernel was polled.
    pub fn polls(&self) -> usize {
        self.0.borrow().polls
    }

    /// The events that the kernel has reported, since the last call.
    pub fn events(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.borrow_mut().seen)
    }

    /// The size of each write that was made and not refused, since the last call.
    pub fn writes(&self) -> Vec<usize> {
        std::mem::take(&mut self.0.borrow_mut().writes)
    }

    /// How often a socket was read.
    pub fn reads(&self) -> usize {
        self.0.borrow().reads
    }

    /// How many sockets are open.
    pub fn sockets(&self) -> usize {
        self.0.borrow().owners.len()
    }

    /// How many sockets were closed.
    pub fn closes(&self) -> usize {
        self.0.borrow().closes
    }

    /// The next poll reports these events besides its own, whatever the truth is.
    pub fn report(&self, events: impl IntoIterator<Item = Event>) {
        self.0.borrow_mut().extra.extend(events);
    }

    /// The next `count` polls end at once with nothing, as if a signal had interrupted each.
    pub fn interrupt_polls(&self, count: usize) {
        self.0.borrow_mut().empty_polls = count;
    }

    /// The next poll fails.
    pub fn fail_poll(&self) {
        self.0.borrow_mut().failing_polls = 1;
    }

    /// The next `count` polls end at once with a batch that is full of nothing: a later one reports
    /// what has happened.
    pub fn fill_polls(&self, count: usize) {
        self.0.borrow_mut().full_polls = count;
    }

    /// Every poll that reports anything reports everything: each open socket as readable, writable
    /// and ended.
    pub fn report_everything(&self) {
        self.0.borrow_mut().spurious = true;
    }

    /// A read takes so many bytes at most; the rest is reported by the next poll, as if it had just
    /// come.
    pub fn read_at_most(&self, bytes: usize) {
        self.0.borrow_mut().read_at_most = Some(bytes);
    }

    /// A TCP connect is under way when it returns, as one to another machine is.
    pub fn connect_slowly(&self) {
        self.0.borrow_mut().connects_slowly = true;
    }

    /// What was asked for with each call of `keepalive`, since the last call.
    pub fn keepalives(&self) -> Vec<Duration> {
        std::mem::take(&mut self.0.borrow_mut().keepalives)
    }

    /// Gives the next connects these local addresses, one each, as a tunnel does.
    pub fn translate_to(&self, addresses: impl IntoIterator<Item = SocketAddr>) {
        self.0.borrow_mut().locals.extend(addresses);
    }

    /// Every host name has these addresses.
    pub fn resolve_to(&self, addresses: impl IntoIterator<Item = SocketAddr>) {
        self.0.borrow_mut().addresses = addresses.into_iter().collect();
    }
}

impl Driver for Tapped {
    fn entropy(&mut self) -> u64 {
        self.inner.entropy()
    }

    fn now(&self) -> Time {
        self.inner.now()
    }

    fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(self.tap.0.borrow().addresses.clone())
    }

    fn connect(&mut self, peer: &Endpoint, owner: Owner, first: &[u8]) -> io::Result<Connect> {
        let slow = self.tap.0.borrow().connects_slowly;
        let first = if slow { &[] } else { first };
        let made = self.inner.connect(peer, owner, first);
        if let Ok(Connect::Done(_, written @ 1..)) = made {
            self.tap.0.borrow_mut().writes.push(written);
        }
        let socket = |made: &Connect| match made {
            Connect::Done(socket, _) | Connect::Started(socket) => *socket,
        };
        if let Ok(made) = &made {
            let mut tap = self.tap.0.borrow_mut();
            if let Some(local) = tap.locals.pop_front() {
                tap.translated.insert(socket(made), local);
            }
        }
        self.own(made, socket, owner)
    }

    fn connected(&self, socket: Socket) -> io::Result<bool> {
        self.inner.connected(socket)
    }

    fn listen(&mut self, at: &Endpoint, owner: Owner) -> io::Result<Socket> {
        let made = self.inner.listen(at, owner);
        self.own(made, |socket| *socket, owner)
    }

    fn local(&self, socket: Socket) -> io::Result<Endpoint> {
        match self.tap.0.borrow().translated.get(&socket) {
            Some(&address) => Ok(Endpoint::Tcp(address)),
            None => self.inner.local(socket),
        }
    }

    fn peer(&self, socket: Socket) -> io::Result<Endpoint> {
        self.inner.peer(socket)
    }

    fn accept(&mut self, listener: Socket, owner: Owner) -> io::Result<Socket> {
        let made = self.inner.accept(listener, owner);
        self.own(made, |socket| *socket, owner)
    }

    fn adopt(&mut self, stream: UnixStream, owner: Owner) -> io::Result<Socket> {
        let made = self.inner.adopt(stream, owner);
        self.own(made, |socket| *socket, owner)
    }

    fn set_owner(&mut self, socket: Socket, owner: Owner) {
        self.tap.0.borrow_mut().owners.insert(socket, owner);
        self.inner.set_owner(socket, owner);
    }

    fn no_delay(&self, socket: Socket) -> io::Result<()> {
        self.inner.no_delay(socket)
    }

    fn keepalive(&self, socket: Socket, idle: Duration) -> io::Result<()> {
        self.tap.0.borrow_mut().keepalives.push(idle);
        self.inner.keepalive(socket, idle)
    }

    fn read(&mut self, socket: Socket, into: &mut [u8]) -> io::Result<usize> {
        let mut tap = self.tap.0.borrow_mut();
        tap.reads += 1;
        let room = tap.read_at_most.unwrap_or(into.len()).min(into.len());
        let read = self.inner.read(socket, &mut into[..room]);
        let more = room < into.len() && matches!(read, Ok(count) if count == room);
        if more && !tap.left.contains(&socket) {
            tap.left.push(socket);
        }
        read
    }

    fn write(&mut self, socket: Socket, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(socket, bytes);
        if let Ok(count) = written {
            self.tap.0.borrow_mut().writes.push(count);
        }
        written
    }

    fn close(&mut self, socket: Socket) {
        let mut tap = self.tap.0.borrow_mut();
        tap.closes += 1;
        tap.owners.remove(&socket);
        self.inner.close(socket);
    }

    fn poll(&mut self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<Polled> {
        let mut tap = self.tap.0.borrow_mut();
        tap.polls += 1;
        if tap.failing_polls > 0 {
            tap.failing_polls -= 1;
            return Err(ErrorKind::Other.into());
        }
        if tap.empty_polls > 0 {
            tap.empty_polls -= 1;
            return Ok(Polled::default());
        }
        if tap.full_polls > 0 {
            tap.full_polls -= 1;
            return Ok(Polled {
                full: true,
                ..Polled::default()
            });
        }
        let hurry = !tap.left.is_empty() || !tap.extra.is_empty();
        let timeout = if hurry { Some(Duration::ZERO) } else { timeout };
        let polled = self.inner.poll(timeout, events)?;
        tap.seen.extend_from_slice(events);
        let left = std::mem::take(&mut tap.left);
        let owners = &tap.owners;
        events.extend(left.into_iter().filter_map(|socket| {
            let owner = *owners.get(&socket)?;
            Some(Event {
                socket,
                owner,
                readable: true,
                writable: false,
                ended: false,
            })
        }));
        if tap.spurious && !events.is_empty() {
            events.extend(tap.owners.iter().map(|(&socket, &owner)| Event {
                socket,
                owner,
                readable: true,
                writable: true,
                ended: true,
            }));
        }
        events.append(&mut tap.extra);
        Ok(polled)
    }

    fn alarm(&mut self) -> io::Result<Alarm> {
        self.inner.alarm()
    }
}
