//! A thread for each connection, and nothing but the standard library: the operating system as the
//! event loop.

use greenroom_bench::wire::{self, PING, PONG, POP, Popped, REPLY_BYTES};
use greenroom_bench::{
    Consumed, Job, Outcome, Place, Result, SETTLE, Stop, Workload, fail, late_us, program, proves,
    ready,
};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const NAME: &str = "threads";

/// The default of 2 MiB is address space, of which only what is touched becomes memory: two pages
/// here, whatever the limit. But ten thousand times 2 MiB is more than some systems are willing to
/// promise.
const STACK_BYTES: usize = 64 * 1024;

fn main() {
    program(NAME, |job| match job.workload {
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
        Workload::Shared { .. } => Err(Stop::NotRun("threads that share a connection need a lock")),
        Workload::Cancel { .. } | Workload::Losses { .. } => {
            Err(Stop::NotRun("a thread that waits cannot be ended"))
        }
    });
}

fn pops(job: &Job, clients: usize, timeout: u64, period: Duration) -> Result<Outcome> {
    let (stop, stopped) = channel();
    let cron = spawn(move || Ok(cron(period, &stopped)))?;

    let command = wire::brpop(timeout);
    let mut pops = Vec::with_capacity(clients);
    for number in 0..clients {
        let socket = dial(&job.place, number)?;
        pops.push(spawn(move || pop(socket, command))?);
    }
    for pop in pops {
        join(pop)?;
    }
    drop(stop);
    Ok(Outcome::Pops {
        nil: clients,
        late_us: join(cron)?,
        wall: job.begin.elapsed(),
    })
}

fn pop(mut socket: Socket, command: &[u8]) -> io::Result<()> {
    socket.write_all(command)?;
    let mut reply = [0; REPLY_BYTES];
    match socket.read_popped(&mut reply)? {
        Popped::Nil => Ok(()),
        Popped::Element(element) => Err(wire::unexpected(&reply[element])),
    }
}

fn cron(period: Duration, stopped: &Receiver<()>) -> Vec<u64> {
    let mut late = Vec::new();
    let mut due = Instant::now() + period;
    // The sender is dropped when it is time to stop, and that is no timeout.
    while stopped.recv_timeout(due - Instant::now()) == Err(RecvTimeoutError::Timeout) {
        late.push(late_us(due));
        while due <= Instant::now() {
            due += period;
        }
    }
    late
}

fn latency(job: &Job, consumers: usize, elements: usize) -> Result<Outcome> {
    let (all, done) = Consumers::spawn(job, consumers, Consumed::stamped(elements)?)?;
    thread::sleep(SETTLE);
    ready();
    done.recv()?;
    let consumed = std::mem::replace(&mut *lock(&all.consumed), Consumed::counted(0));
    Ok(Outcome::Latency(consumed))
}

fn drain(job: &Job, consumers: usize, elements: usize) -> Result<Outcome> {
    let (_all, done) = Consumers::spawn(job, consumers, Consumed::counted(elements))?;
    done.recv()?;
    let wall = job.begin.elapsed();
    Ok(Outcome::Drain { elements, wall })
}

/// What consumers share. The last of them to get an element tells main.
struct Consumers {
    consumed: Mutex<Consumed>,
    done: Sender<()>,
}

impl Consumers {
    fn spawn(job: &Job, consumers: usize, consumed: Consumed) -> Result<(Arc<Self>, Receiver<()>)> {
        let (done, is_done) = channel();
        let all = Arc::new(Consumers {
            consumed: Mutex::new(consumed),
            done,
        });
        for number in 0..consumers {
            let socket = dial(&job.place, number)?;
            let all = Arc::clone(&all);
            spawn(move || match all.consume(socket) {
                Err(error) => fail(NAME, &error.into()),
                done => done,
            })?;
        }
        Ok((all, is_done))
    }

    fn consume(&self, mut socket: Socket) -> io::Result<()> {
        let mut reply = [0; REPLY_BYTES];
        loop {
            socket.write_all(POP)?;
            let Popped::Element(element) = socket.read_popped(&mut reply)? else {
                return Err(wire::unexpected(wire::NIL));
            };
            if lock(&self.consumed).take(&reply[element])? {
                // Nobody listens any more when main has all it wants.
                let _ = self.done.send(());
            }
        }
    }
}

fn ping(job: &Job, connections: usize, pipeline: usize, ops: usize) -> Result<Outcome> {
    let rounds = ops.div_ceil(pipeline);
    let left = Arc::new(AtomicUsize::new(rounds));
    let pings: Arc<[u8]> = PING.repeat(pipeline).into();
    let pongs: Arc<[u8]> = PONG.repeat(pipeline).into();
    let mut threads = Vec::new();
    for number in 0..connections {
        let mut socket = dial(&job.place, number)?;
        let (left, pings, pongs) = (Arc::clone(&left), Arc::clone(&pings), Arc::clone(&pongs));
        threads.push(spawn(move || {
            let mut buffer = vec![0; pongs.len()];
            while take(&left) {
                socket.write_all(&pings)?;
                socket.expect(&pongs, &mut buffer)?;
            }
            Ok(())
        })?);
    }
    for thread in threads {
        join(thread)?;
    }
    Ok(Outcome::Ops {
        ops: rounds * pipeline,
        wall: job.begin.elapsed(),
    })
}

/// Takes one of what is left to do, if there is one.
fn take(left: &AtomicUsize) -> bool {
    let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
        left.checked_sub(1)
    });
    taken.is_ok()
}

fn spawn<T: Send + 'static>(
    run: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<JoinHandle<io::Result<T>>> {
    thread::Builder::new().stack_size(STACK_BYTES).spawn(run)
}

fn join<T>(thread: JoinHandle<io::Result<T>>) -> Result<T> {
    let outcome = thread.join();
    Ok(outcome.map_err(|_| Stop::Failed("a thread has panicked".into()))??)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Main dials one after the other: see "Ten thousand connections" in the library. Here the proof is
/// waited for, which keeps the connects beyond it at 64.
fn dial(place: &Place, number: usize) -> io::Result<Socket> {
    let mut socket = match place {
        Place::Tcp(address) => Socket::Tcp(TcpStream::connect(address)?),
        Place::Unix(path) => Socket::Unix(UnixStream::connect(path)?),
    };
    if proves(number) {
        socket.write_all(PING)?;
        socket.expect(PONG, &mut [0; PONG.len()])?;
    }
    Ok(socket)
}

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Socket::Tcp(stream) => stream.write_all(bytes),
            Socket::Unix(stream) => stream.write_all(bytes),
        }
    }

    /// Reads something.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = match self {
            Socket::Tcp(stream) => stream.read(into)?,
            Socket::Unix(stream) => stream.read(into)?,
        };
        match count {
            0 => Err(wire::ended()),
            _ => Ok(count),
        }
    }

    /// Reads the reply to a pop; the element stands in `reply`.
    fn read_popped(&mut self, reply: &mut [u8]) -> io::Result<Popped> {
        let mut got = 0;
        loop {
            got += self.read(&mut reply[got..])?;
            if let Some(popped) = wire::popped(&reply[..got])? {
                return Ok(popped);
            }
        }
    }

    /// Reads exactly these replies.
    fn expect(&mut self, replies: &[u8], buffer: &mut [u8]) -> io::Result<()> {
        let mut rest = replies;
        while !rest.is_empty() {
            let count = self.read(buffer)?;
            rest = rest
                .strip_prefix(&buffer[..count])
                .ok_or_else(|| wire::unexpected(&buffer[..count]))?;
        }
        Ok(())
    }
}
