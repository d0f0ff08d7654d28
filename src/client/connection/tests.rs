//! A connection alone: bytes and the time in, events out. There is no hub here, no pool, no socket.

mod deadlines;
mod exchanges;

use super::super::handshake::{Handshake, Proofs};
use super::super::outgoing::{NO_LIMIT, timeout_ms};
use super::super::payload::Payload;
use super::super::request::Ticket;
use super::*;
use crate::address::{Address, Protocol};
use crate::config::Config;
use crate::driver::Endpoint;
use crate::time::secs;
use crate::token::Slots;
use std::time::Duration;

const POP: &[u8] = b"*3\r\n$5\r\nBRPOP\r\n$1\r\na\r\n$1\r\n1\r\n";
const POPPED: &[u8] = b"*2\r\n$1\r\na\r\n$1\r\n7\r\n";

/// A connection with what its owner gives it.
struct Bench {
    connection: Connection,
    config: Config,
    handshake: Handshake,
    server: Endpoint,
    buffers: BufferPool,
    keys: Slots<()>,
    now: Time,
    sent: Vec<u8>,
}

impl Bench {
    fn new(in_flight: InFlight) -> Bench {
        let mut keys = Slots::roomy();
        let address = Address::tcp("127.0.0.1", 6379).unwrap();
        Bench {
            connection: Connection::new(keys.insert(()), in_flight, Time::ZERO),
            config: Config::default(),
            handshake: Handshake::new(&address, Protocol::Resp2),
            server: Endpoint::Tcp("127.0.0.1:6379".parse().unwrap()),
            buffers: BufferPool::default(),
            keys,
            now: Time::ZERO,
            sent: Vec::new(),
        }
    }

    fn dedicated() -> Bench {
        Bench::new(InFlight::One(None))
    }

    /// A shared connection that is up.
    fn shared() -> Bench {
        let mut bench = Bench::new(InFlight::Many(Box::default()));
        bench.connection.state = State::Idle;
        bench
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    /// Finishes the connect, with `CLIENT ID` as the opening.
    fn connect(&mut self) {
        let mut bytes = Vec::new();
        let proofs = Proofs {
            client_id: true,
            ..Proofs::default()
        };
        let opening = self.handshake.open(proofs, &mut bytes);
        self.connection
            .on_connected(opening, &bytes, 0, &mut self.buffers, self.now);
        self.connection.state = State::Idle;
    }

    fn ticket(&mut self) -> Ticket {
        Ticket(self.keys.insert(()))
    }

    /// Puts a pop on a dedicated connection.
    fn pop(&mut self, timeout: Option<Duration>) -> Ticket {
        let ticket = self.ticket();
        let outgoing = Outgoing {
            ticket,
            payload: Payload::new(WriteBuf::new(POP.to_vec(), 0)),
            since: UNSENT,
            timeout_ms: timeout.map_or(NO_LIMIT, timeout_ms),
            repeats: false,
            tries: 0,
        };
        self.connection
            .put(outgoing, 0, &mut self.buffers, self.now);
        self.connection.state = State::Busy;
        ticket
    }

    /// Puts a command with its replies on a shared connection.
    fn ask(&mut self, bytes: &[u8], replies: ReplyCount) -> Ticket {
        let ticket = self.ticket();
        self.connection.send(bytes, 0, &mut self.buffers);
        let len = bytes.len() as u64;
        self.connection
            .push(Pending::Request(ticket), replies, len, self.now);
        self.connection.state = State::Busy;
        ticket
    }

    /// The kernel takes the next `count` bytes.
    fn write(&mut self, count: usize) {
        self.sent
            .extend_from_slice(&self.connection.unsent()[..count]);
        self.connection.on_written(count);
    }

    fn write_all(&mut self) {
        self.write(self.connection.unsent().len());
    }

    /// Hands bytes to the connection, and lists what comes of them.
    fn read(&mut self, mut bytes: &[u8]) -> Vec<String> {
        let mut events = Vec::new();
        loop {
            let (config, handshake) = (&self.config, &self.handshake);
            let event =
                self.connection
                    .receive(&mut bytes, config, handshake, &self.server, self.now);
            let text = match event {
                Event::Drained => return events,
                Event::Opened => "opened".to_owned(),
                Event::Info(_) => "info".to_owned(),
                Event::Answered(outgoing, value) => {
                    self.connection.state = State::Idle;
                    format!("answered {:?}: {value:?}", outgoing.ticket.0)
                }
                Event::Replied(entry, value) => format!("replied {:?}: {value:?}", key(&entry)),
                Event::Rejected(error, _) | Event::Failed(error) => {
                    events.push(format!("{:?}: {error}", error.kind()));
                    return events;
                }
                Event::NotServed => "not served".to_owned(),
                Event::Rested(_) => "rested".to_owned(),
            };
            events.push(text);
        }
    }

    /// Hands bytes to the connection one by one.
    fn read_bytewise(&mut self, bytes: &[u8]) -> Vec<String> {
        bytes.chunks(1).flat_map(|byte| self.read(byte)).collect()
    }

    fn overdue(&self) -> Overdue {
        self.connection.on_deadline(&self.config, self.now)
    }

    /// How long it is until the deadline.
    fn left(&self) -> Option<Duration> {
        let at = self.connection.deadline(&self.config)?;
        Some(Duration::from_nanos(at.as_nanos() - self.now.as_nanos()))
    }
}

fn key(entry: &Entry) -> Key {
    match &entry.pending {
        Pending::Request(ticket) => ticket.0,
        other => panic!("{other:?} was not asked"),
    }
}

/// Runs an exchange with its bytes whole, and byte by byte.
fn both_ways(check: impl Fn(&dyn Fn(&mut Bench, &[u8]) -> Vec<String>)) {
    check(&|bench, bytes| bench.read(bytes));
    check(&|bench, bytes| bench.read_bytewise(bytes));
}

/// A pop that is written, on a connection whose opening is done.
fn popping(timeout: Option<Duration>) -> Bench {
    let mut bench = Bench::dedicated();
    bench.connect();
    bench.pop(timeout);
    bench.write_all();
    assert_eq!(bench.read(b":12\r\n"), ["opened"]);
    bench
}
