//! The ladder, rung 5: a hub in one file.
//!
//! ```text
//! cargo run --release --example ladder_5_hub
//! cargo run --release --example ladder_5_hub -- -c 5000         # so many pops
//! ```
//!
//! Rung 4 had its bookkeeping and its work in the same functions, and both for two sockets. Here they part. A *task* says
//! what it does when it goes on, and what it wants to wait for; the *hub* knows who waits for what. With tasks in a slab (the
//! key of a task is the token of its socket) and timers in a binary heap, that takes these two hundred lines: a loop like
//! gevent's, with the state of each task in its fields and not on a stack. Expect 500 pops that wait at the same time, and a cron
//! task that runs every 0.2 s beside them, all on one thread (the second one that is counted is the server's).

mod support {
    pub(crate) mod flags;
    pub(crate) mod kernel;
    pub(crate) mod server;
}

use greenroom::resp::{Decoder, Limits, Value, encode};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::binary_heap::{BinaryHeap, PeekMut};
use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use support::{flags, kernel, server};

/// How often cron runs.
const PERIOD: Duration = Duration::from_millis(200);
/// How many connects may be under way at once.
const CONNECTING: usize = 100;

/// Resumed when what it waits for may have happened, or for no reason at all: it looks for itself.
trait Task {
    fn resume(&mut self, hub: &mut Hub) -> io::Result<Wait>;
}

enum Wait {
    /// Until this moment, or until the task's socket is ready.
    Until(Instant),
    Done,
}

struct Slot {
    /// Not here while it runs.
    task: Option<Box<dyn Task>>,
    /// The number of its latest wait. No other wait of any task has had it.
    wait: u64,
}

struct Hub {
    poll: Poll,
    tasks: Slab<Slot>,
    /// A heap does not find what is in its middle. So timers stay when their wait ends early, and its number tells.
    timers: BinaryHeap<Reverse<(Instant, u64, usize)>>,
    /// Who goes on in this turn; or in the next, once this one resumes.
    line: Vec<usize>,
    waits: u64,
    failures: usize,
}

impl Hub {
    fn new() -> io::Result<Hub> {
        Ok(Hub {
            poll: Poll::new()?,
            tasks: Slab::new(),
            timers: BinaryHeap::new(),
            line: Vec::new(),
            waits: 0,
            failures: 0,
        })
    }

    /// The next task will have the key [`Slab::vacant_key`].
    fn spawn(&mut self, task: impl Task + 'static) {
        let key = self.tasks.insert(Slot {
            task: Some(Box::new(task)),
            wait: 0,
        });
        self.line.push(key);
    }

    /// One turn: sleeps until something happens, finds out who has waited for it, and resumes those tasks.
    fn turn(&mut self, events: &mut Events) -> io::Result<()> {
        let first = self.timers.peek().map(|Reverse((at, ..))| *at);
        let until_first = first.map(|at| at.saturating_duration_since(Instant::now()));
        let timeout = match self.line.is_empty() {
            true => until_first,
            false => Some(Duration::ZERO),
        };
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() == ErrorKind::Interrupted => events.clear(),
            result => result?,
        }
        let now = Instant::now();
        self.line.extend(events.iter().map(|event| event.token().0));
        while let Some(first) = self.timers.peek_mut().filter(|first| first.0.0 <= now) {
            let Reverse((_, wait, key)) = PeekMut::pop(first);
            if self.tasks.get(key).is_some_and(|slot| slot.wait == wait) {
                self.line.push(key);
            }
        }
        // Who is spawned meanwhile has the next turn.
        for key in std::mem::take(&mut self.line) {
            self.resume(key);
        }
        Ok(())
    }

    /// The key may stand in the line twice, or be that of another task by now: this is why tasks look for themselves.
    fn resume(&mut self, key: usize) {
        let Some(mut task) = self.tasks.get_mut(key).and_then(|slot| slot.task.take()) else {
            return;
        };
        match task.resume(self) {
            Ok(Wait::Until(at)) => {
                self.waits += 1;
                self.timers.push(Reverse((at, self.waits, key)));
                self.tasks[key] = Slot {
                    task: Some(task),
                    wait: self.waits,
                };
            }
            ended => {
                self.failures += usize::from(ended.is_err());
                // With the task goes its socket, and with that what `poll` knows of it.
                self.tasks.remove(key);
            }
        }
    }
}

/// What the tasks have in common. They run one at a time: a `Cell` is all the locking there is.
struct Shared {
    server: SocketAddr,
    unborn: Cell<u16>,
    nil: Cell<u16>,
    ticks: Cell<u32>,
    worst: Cell<Duration>,
}

/// `PING`, and when that is answered, `BRPOP`.
struct Pop {
    shared: Rc<Shared>,
    stream: TcpStream,
    output: Vec<u8>,
    decoder: Decoder,
    deadline: Instant,
}

impl Pop {
    fn spawn(hub: &mut Hub, shared: &Rc<Shared>) -> io::Result<()> {
        let Some(unborn) = shared.unborn.get().checked_sub(1) else {
            return Ok(());
        };
        shared.unborn.set(unborn);
        let mut stream = TcpStream::connect(shared.server)?;
        let token = Token(hub.tasks.vacant_key());
        let both = Interest::READABLE | Interest::WRITABLE;
        hub.poll.registry().register(&mut stream, token, both)?;
        let mut output = Vec::new();
        encode::command(&mut output, &["PING"]);
        hub.spawn(Pop {
            shared: Rc::clone(shared),
            stream,
            output,
            decoder: Decoder::new(),
            deadline: Instant::now() + Duration::from_secs(10),
        });
        Ok(())
    }

    /// Writes and reads what can be; the reply, when one is complete.
    fn advance(&mut self) -> io::Result<Option<Value>> {
        while !self.output.is_empty() {
            let Some(count) = now_or_later(self.stream.write(&self.output))? else {
                break;
            };
            self.output.drain(..count);
        }
        let mut chunk = [0; 512];
        while let Some(count) = now_or_later(self.stream.read(&mut chunk))? {
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let decoded = self.decoder.decode(&mut &chunk[..count], &Limits::DEFAULT);
            if let Some(value) = decoded.map_err(io::Error::other)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

impl Task for Pop {
    fn resume(&mut self, hub: &mut Hub) -> io::Result<Wait> {
        while let Some(value) = self.advance()? {
            if value.as_str() != Some("PONG") {
                let nil = &self.shared.nil;
                nil.set(nil.get() + u16::from(value.is_null()));
                return Ok(Wait::Done);
            }
            encode::command(&mut self.output, &["BRPOP", "ladder", "1"]);
            // A listener's backlog is short: the next one connects when the server has got round to this one.
            Pop::spawn(hub, &self.shared)?;
        }
        match Instant::now() < self.deadline {
            true => Ok(Wait::Until(self.deadline)),
            false => Err(ErrorKind::TimedOut.into()),
        }
    }
}

struct Cron {
    shared: Rc<Shared>,
    due: Instant,
}

impl Task for Cron {
    fn resume(&mut self, _hub: &mut Hub) -> io::Result<Wait> {
        let (now, shared) = (Instant::now(), &self.shared);
        if now >= self.due {
            shared.ticks.set(shared.ticks.get() + 1);
            shared.worst.set(shared.worst.get().max(now - self.due));
            // From when this one was due: a tick that is late makes no other late.
            self.due += PERIOD;
        }
        Ok(Wait::Until(self.due))
    }
}

/// What could not be done now, an event will say when to try again.
fn now_or_later(result: io::Result<usize>) -> io::Result<Option<usize>> {
    const LATER: [ErrorKind; 2] = [ErrorKind::WouldBlock, ErrorKind::NotConnected];
    match result {
        Err(error) if LATER.contains(&error.kind()) => Ok(None),
        result => result.map(Some),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let [clients, port] = flags::read([('c', 500), ('p', 0)]);
    let shared = Rc::new(Shared {
        server: server::at(port)?,
        unborn: Cell::new(clients),
        nil: Cell::new(0),
        ticks: Cell::new(0),
        worst: Cell::new(Duration::ZERO),
    });
    let begin = Instant::now();
    let mut hub = Hub::new()?;
    hub.spawn(Cron {
        shared: Rc::clone(&shared),
        due: begin + PERIOD,
    });
    for _ in 0..CONNECTING {
        Pop::spawn(&mut hub, &shared)?;
    }
    let mut events = Events::with_capacity(256);
    // Cron never ends.
    while hub.tasks.len() > 1 {
        hub.turn(&mut events)?;
    }
    let (nil, failed) = (shared.nil.get(), hub.failures);
    println!("{nil} of {clients} pops: nil. {failed} failed.");
    let (ticks, worst) = (shared.ticks.get(), shared.worst.get().as_secs_f64() * 1e3);
    println!("Cron: {ticks} ticks, the worst {worst:.1} ms late.");
    let (threads, took) = (kernel::status("Threads"), begin.elapsed().as_secs_f64());
    println!("OS threads: {threads}. Done in {took:.3} s.");
    Ok(())
}
