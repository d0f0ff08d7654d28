//! The floor: mio and a table of sockets. No tasks, no pool, no parser, no timers, no deadlines.
//!
//! A reply is compared with the bytes that are expected, and has to come in one piece: a server on
//! the same machine writes these few bytes at once. Whoever wants less than this has to leave out
//! system calls.

use greenroom_bench::wire::{self, NIL, PING, PONG, POP, POPPED};
use greenroom_bench::{
    Consumed, Job, Outcome, PROOF, Place, Result, SETTLE, Stop, WINDOW, Workload, late_us, program,
    proves, ready,
};
use mio::net::{TcpStream, UnixStream};
use mio::{Events, Interest, Poll, Token};
use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

fn main() {
    program("bare_mio", |job| match job.workload {
        Workload::Pops {
            clients,
            timeout,
            cron,
        } => pops(job, clients, timeout, cron),
        Workload::Latency {
            consumers,
            elements,
        } => latency(job, consumers, elements),
        Workload::Drain {
            consumers,
            elements,
        } => drain(job, consumers, elements),
        Workload::Ping {
            connections,
            pipeline,
            ops,
        } => ping(job, connections, pipeline, ops),
        Workload::Shared { .. } => Err(Stop::NotRun("what shares a connection is no floor")),
        Workload::Cancel { .. } | Workload::Losses { .. } => {
            Err(Stop::NotRun("what gives pops up is no floor"))
        }
    });
}

fn pops(job: &Job, clients: usize, timeout: u64, period: Duration) -> Result<Outcome> {
    let mut late_us = Vec::new();
    let mut due = Instant::now() + period;
    let mut sockets = Sockets::new(&job.place, clients, wire::brpop(timeout))?;
    let mut nil = 0;
    while nil < clients {
        sockets.turn(Some(due), |sockets, number, reply| {
            if reply != NIL {
                return Err(wire::unexpected(reply));
            }
            nil += 1;
            sockets.close(number);
            Ok(())
        })?;
        cron(&mut due, period, &mut late_us);
    }
    Ok(Outcome::Pops {
        nil,
        wall: job.begin.elapsed(),
        late_us,
    })
}

/// Runs what is due, and skips what has been missed.
fn cron(due: &mut Instant, period: Duration, late: &mut Vec<u64>) {
    let now = Instant::now();
    if now >= *due {
        late.push(late_us(*due));
        while *due <= now {
            *due += period;
        }
    }
}

fn latency(job: &Job, consumers: usize, elements: usize) -> Result<Outcome> {
    let mut sockets = Sockets::new(&job.place, consumers, POP)?;
    while sockets.asked < consumers {
        sockets.turn(None, |_, _, reply| Err(wire::unexpected(reply)))?;
    }
    std::thread::sleep(SETTLE);
    ready();
    Ok(Outcome::Latency(
        sockets.consume(Consumed::stamped(elements)?)?,
    ))
}

fn drain(job: &Job, consumers: usize, elements: usize) -> Result<Outcome> {
    let mut sockets = Sockets::new(&job.place, consumers, POP)?;
    sockets.consume(Consumed::counted(elements))?;
    let wall = job.begin.elapsed();
    Ok(Outcome::Drain { elements, wall })
}

fn ping(job: &Job, connections: usize, pipeline: usize, ops: usize) -> Result<Outcome> {
    let rounds = ops.div_ceil(pipeline);
    let mut left = rounds;
    let pings = PING.repeat(pipeline);
    let pongs = PONG.repeat(pipeline);
    let mut sockets = Sockets::new(&job.place, connections, &pings)?;
    while left > 0 {
        sockets.turn(None, |sockets, number, reply| {
            if reply != pongs {
                return Err(wire::unexpected(reply));
            }
            left -= 1;
            // The other connections still have one round each to finish.
            if left >= sockets.open {
                return sockets.ask(number);
            }
            sockets.close(number);
            Ok(())
        })?;
    }
    Ok(Outcome::Ops {
        ops: rounds * pipeline,
        wall: job.begin.elapsed(),
    })
}

struct Sockets<'job> {
    poll: Poll,
    events: Events,
    place: &'job Place,
    command: &'job [u8],
    sockets: Vec<Option<(Socket, State)>>,
    /// How many are to be dialed in all, and up to which one that may be now.
    wanted: usize,
    window: usize,
    /// How many are open, and how many commands were written.
    open: usize,
    asked: usize,
    buffer: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Connecting,
    Proving,
    Asked,
}

impl<'job> Sockets<'job> {
    fn new(place: &'job Place, wanted: usize, command: &'job [u8]) -> io::Result<Self> {
        let mut sockets = Sockets {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            place,
            command,
            sockets: Vec::with_capacity(wanted),
            wanted,
            window: WINDOW,
            open: 0,
            asked: 0,
            buffer: vec![0; 64 * 1024],
        };
        sockets.dial()?;
        Ok(sockets)
    }

    /// Dials as far as it may: see "Ten thousand connections" in the library.
    fn dial(&mut self) -> io::Result<()> {
        for number in self.sockets.len()..self.wanted.min(self.window) {
            let mut socket = match self.place {
                Place::Tcp(address) => Socket::Tcp(TcpStream::connect(*address)?),
                Place::Unix(path) => Socket::Unix(UnixStream::connect(path)?),
            };
            let interest = Interest::READABLE | Interest::WRITABLE;
            let (registry, token) = (self.poll.registry(), Token(number));
            match &mut socket {
                Socket::Tcp(stream) => registry.register(stream, token, interest)?,
                Socket::Unix(stream) => registry.register(stream, token, interest)?,
            }
            self.sockets.push(Some((socket, State::Connecting)));
            self.open += 1;
        }
        Ok(())
    }

    /// Waits for events and gives each reply to `answered`. A connection has one command under way,
    /// so that one read takes all there is.
    fn turn(
        &mut self,
        due: Option<Instant>,
        mut answered: impl FnMut(&mut Self, usize, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let mut buffer = std::mem::take(&mut self.buffer);
        let timeout = due.map(|due| due.saturating_duration_since(Instant::now()));
        match self.poll.poll(&mut events, timeout) {
            Err(error) if error.kind() == ErrorKind::Interrupted => events.clear(),
            polled => polled?,
        }
        for event in &events {
            let Token(number) = event.token();
            match self.sockets[number].as_mut() {
                Some((_, State::Connecting)) => self.begin(number)?,
                Some((socket, state)) if event.is_readable() => {
                    let count = socket.read(&mut buffer)?;
                    match (*state, &buffer[..count]) {
                        (_, b"") => return Err(wire::ended()),
                        (State::Proving, PONG) => self.proved(number)?,
                        (_, reply) => answered(self, number, reply)?,
                    }
                }
                _ => {}
            }
        }
        (self.events, self.buffer) = (events, buffer);
        Ok(())
    }

    /// The first write on a new connection.
    fn begin(&mut self, number: usize) -> io::Result<()> {
        if !proves(number) {
            return self.ask(number);
        }
        self.write(number, PING, State::Proving)
    }

    fn proved(&mut self, number: usize) -> io::Result<()> {
        self.window += PROOF;
        self.ask(number)?;
        self.dial()
    }

    fn ask(&mut self, number: usize) -> io::Result<()> {
        self.asked += 1;
        self.write(number, self.command, State::Asked)
    }

    fn write(&mut self, number: usize, bytes: &[u8], then: State) -> io::Result<()> {
        let Some((socket, state)) = &mut self.sockets[number] else {
            return Err(wire::ended());
        };
        *state = then;
        match socket.write(bytes)? == bytes.len() {
            true => Ok(()),
            false => Err(ErrorKind::WriteZero.into()),
        }
    }

    fn close(&mut self, number: usize) {
        self.sockets[number] = None;
        self.open -= 1;
    }

    fn consume(&mut self, mut consumed: Consumed) -> io::Result<Consumed> {
        let mut is_done = false;
        while !is_done {
            self.turn(None, |sockets, number, reply| {
                is_done |= consumed.take(element(reply)?)?;
                sockets.ask(number)
            })?;
        }
        Ok(consumed)
    }
}

/// What stands between the second length and the last line end.
fn element(reply: &[u8]) -> io::Result<&[u8]> {
    let element = || {
        let rest = reply.strip_prefix(POPPED)?;
        let (length, head) = wire::length(rest)?;
        rest[head..]
            .strip_suffix(b"\r\n")
            .filter(|element| element.len() == length)
    };
    element().ok_or_else(|| wire::unexpected(reply))
}

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.write(bytes),
            Socket::Unix(stream) => stream.write(bytes),
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.read(into),
            Socket::Unix(stream) => stream.read(into),
        }
    }
}
