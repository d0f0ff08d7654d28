//! The ladder, rung 4: two sockets on bare mio, and everything that has to be kept in mind.
//!
//! ```text
//! cargo run --release --example ladder_4_mio
//! ```
//!
//! Rung 3 did not know when to look. `epoll` does: the thread sleeps in `poll`, which names the sockets that became ready. One
//! socket here pops from an empty list, as before; the other pushes 16 MiB and pops them again, so that neither fits into one
//! `write` or `read`. Expect a dozen reads without bytes where rung 3 had a million, and next to no processor time.
//!
//! What it takes, and rung 3 did not need:
//! - *Tokens.* An event names its socket with a number. Whose number it is, we remember.
//! - *Interest.* What is not registered is never reported.
//! - *Connects take time.* A writable event may mean that one has ended; `take_error` says how.
//! - *Writes are short.* What did not fit is kept, and goes on at the next writable event.
//! - *Reads are short.* Half a reply is kept, in the decoder.
//! - *Events are edges.* A socket that became readable is reported once. It must be read until `WouldBlock`: what is left
//!   there is not mentioned again.
//! - *Time.* `poll` sleeps for as long as it is told, and only we know how long that may be.

mod support {
    pub(crate) mod flags;
    pub(crate) mod processor;
    pub(crate) mod server;
}

use greenroom::resp::{Decoder, Limits, Value, encode};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use support::{flags, processor, server};

/// More than both conversations may take together.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> Result<(), Box<dyn Error>> {
    let [port] = flags::read([('p', 0)]);
    let server = server::at(port)?;
    let (begin, used) = (Instant::now(), processor::time());
    let mut poll = Poll::new()?;

    let big = vec![b'x'; 16 << 20];
    let mut conns = [Conn::connect(server)?, Conn::connect(server)?];
    conns[0].ask(&[b"LPUSH", b"ladder:big", &big]);
    conns[0].ask(&[b"BRPOP", b"ladder:big", b"1"]);
    conns[1].ask(&[b"BRPOP", b"ladder", b"1"]);
    for (token, conn) in conns.iter_mut().enumerate() {
        let both = Interest::READABLE | Interest::WRITABLE;
        poll.registry()
            .register(&mut conn.stream, Token(token), both)?;
    }
    let polls = converse(&mut poll, &mut conns, begin + PATIENCE)?;

    for conn in &conns {
        println!("{conn}");
    }
    println!(
        "{polls} polls. Processor time: {:.3} s of {:.3} s.",
        (processor::time() - used).as_secs_f64(),
        begin.elapsed().as_secs_f64()
    );
    Ok(())
}

/// The loop: sleeps, and hands events on, until everything is answered. Returns how often it has slept.
fn converse(poll: &mut Poll, conns: &mut [Conn], until: Instant) -> io::Result<u64> {
    let mut events = Events::with_capacity(64);
    let mut polls = 0;
    while conns.iter().any(|conn| conn.awaited > 0) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        match poll.poll(&mut events, Some(left)) {
            // A signal has come by.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        }
        polls += 1;
        for event in &events {
            // Nothing is closed here; or the number might be somebody else's by now.
            let Some(conn) = conns.get_mut(event.token().0) else {
                continue;
            };
            conn.counts.events += 1;
            if event.is_writable() {
                conn.write()?;
            }
            // The end, too, is found by reading.
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                conn.read()?;
            }
        }
    }
    Ok(polls)
}

struct Conn {
    stream: TcpStream,
    is_connected: bool,
    /// What is to be sent, and how much of it has been.
    output: Vec<u8>,
    sent: usize,
    decoder: Decoder,
    /// Replies that are still to come.
    awaited: usize,
    last: Option<Value>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    events: u64,
    writes: u64,
    short_writes: u64,
    reads: u64,
    short_replies: u64,
    would_block: u64,
}

impl Conn {
    /// Starts to connect.
    fn connect(server: SocketAddr) -> io::Result<Conn> {
        Ok(Conn {
            stream: TcpStream::connect(server)?,
            is_connected: false,
            output: Vec::new(),
            sent: 0,
            decoder: Decoder::new(),
            awaited: 0,
            last: None,
            counts: Counts::default(),
        })
    }

    fn ask(&mut self, command: &[&[u8]]) {
        encode::command(&mut self.output, command);
        self.awaited += 1;
    }

    /// Whether the connect has ended, and well.
    fn is_connected(&mut self) -> io::Result<bool> {
        if !self.is_connected {
            if let Some(error) = self.stream.take_error()? {
                return Err(error);
            }
            match self.stream.peer_addr() {
                Ok(_) => self.is_connected = true,
                Err(error) if error.kind() == ErrorKind::NotConnected => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.is_connected)
    }

    /// Writes what fits.
    fn write(&mut self) -> io::Result<()> {
        while self.is_connected()? && self.sent < self.output.len() {
            self.counts.writes += 1;
            match self.stream.write(&self.output[self.sent..]) {
                Ok(count) => {
                    self.sent += count;
                    self.counts.short_writes += u64::from(self.sent < self.output.len());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.counts.would_block += 1;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads until there is nothing.
    fn read(&mut self) -> io::Result<()> {
        let mut chunk = [0; 64 << 10];
        loop {
            self.counts.reads += 1;
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.receive(&chunk[..count])?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.counts.would_block += 1;
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Bytes may hold no whole reply, or several.
    fn receive(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let decode = |decoder: &mut Decoder, bytes: &mut &[u8]| {
            decoder
                .decode(bytes, &Limits::DEFAULT)
                .map_err(io::Error::other)
        };
        while let Some(value) = decode(&mut self.decoder, &mut bytes)? {
            self.awaited = self.awaited.saturating_sub(1);
            self.last = Some(value);
        }
        self.counts.short_replies += u64::from(self.decoder.is_partial());
        Ok(())
    }
}

impl std::fmt::Display for Conn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let popped = self.last.as_ref().and_then(Value::as_slice);
        match popped.and_then(|pair| pair.get(1)?.as_bytes()) {
            Some(element) => write!(f, "{} bytes popped: ", element.len())?,
            None => write!(f, "nil: ")?,
        }
        let of = &self.counts;
        write!(
            f,
            "{} events; {} writes, {} of them short; {} reads, {} of them short; {} times WouldBlock.",
            of.events, of.writes, of.short_writes, of.reads, of.short_replies, of.would_block
        )
    }
}
