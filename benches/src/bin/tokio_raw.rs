//! tokio without a client library: what somebody would write by hand who knows it well.
//!
//! One thread (`LocalRuntime`, so that tasks share by `Rc` and not by atomics). Commands are
//! constant bytes. Replies go into a small buffer of the task, so that nothing is allocated for
//! them, and the buffer is larger than any reply: a read that does not fill its buffer tells tokio
//! that the socket is drained, and saves the read that would find `WouldBlock`. (`try_read` does
//! not do this; `AsyncRead` does.)
//!
//! It has no deadlines, no pool and no replies but those of the workloads. A client library has,
//! and so has greenroom: what they cost more than this is what these take.

use greenroom_bench::tokio_gives_up::Popping;
use greenroom_bench::wire::{self, GET, PING, PONG, POP, Popped, REPLY_BYTES};
use greenroom_bench::{
    Consumed, Countdown, Job, Outcome, PROOF, Place, Result, SETTLE, WINDOW, Workload, fail,
    late_us, on_tokio, program, proves, ready, tokio_gives_up,
};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::spawn_local;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

const NAME: &str = "tokio_raw";

fn main() {
    program(NAME, |job| on_tokio(job, run(job)));
}

async fn run(job: &Job) -> Result<Outcome> {
    match job.workload {
        Workload::Pops {
            clients,
            timeout,
            cron,
        } => pops(job, clients, timeout, cron).await,
        Workload::Latency {
            consumers,
            elements,
        } => latency(job, consumers, elements).await,
        Workload::Drain {
            consumers,
            elements,
        } => drain(job, consumers, elements).await,
        Workload::Ping {
            connections,
            pipeline,
            ops,
        } => ping(job, connections, pipeline, ops).await,
        Workload::Shared { tasks, ops } => shared(job, tasks, ops).await,
        Workload::Cancel { pops } => tokio_gives_up::cancel(Pops(job.place.clone()), pops).await,
        Workload::Losses {
            way,
            consumers,
            run,
        } => tokio_gives_up::losses(Pops(job.place.clone()), way, consumers, run).await,
    }
}

async fn pops(job: &Job, clients: usize, timeout: u64, period: Duration) -> Result<Outcome> {
    let late = Rc::new(RefCell::new(Vec::new()));
    let cron = spawn_local(cron(period, Rc::clone(&late)));

    let command = wire::brpop(timeout);
    let dialer = Rc::new(Dialer::new(job));
    let mut pops = Vec::with_capacity(clients);
    for number in 0..clients {
        dialer.wait_for_turn().await;
        let dialer = Rc::clone(&dialer);
        pops.push(spawn_local(async move {
            if let Err(error) = pop(&dialer, number, command).await {
                fail(NAME, &error.into());
            }
        }));
    }
    for pop in &mut pops {
        pop.await?;
    }
    cron.abort();
    Ok(Outcome::Pops {
        nil: pops.len(),
        wall: job.begin.elapsed(),
        late_us: late.take(),
    })
}

async fn pop(dialer: &Dialer, number: usize, command: &'static [u8]) -> io::Result<()> {
    let mut socket = dialer.dial(number).await?;
    socket.write_all(command).await?;
    let mut reply = [0; REPLY_BYTES];
    match socket.read_popped(&mut reply).await? {
        Popped::Nil => Ok(()),
        Popped::Element(element) => Err(wire::unexpected(&reply[element])),
    }
}

async fn cron(period: Duration, late: Rc<RefCell<Vec<u64>>>) {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let due = ticks.tick().await;
        late.borrow_mut().push(late_us(due.into_std()));
    }
}

async fn latency(job: &Job, consumers: usize, elements: usize) -> Result<Outcome> {
    let all = Consumers::spawn(job, consumers, Consumed::stamped(elements)?).await;
    while all.asked.get() < consumers {
        sleep(Duration::from_millis(1)).await;
    }
    sleep(SETTLE).await;
    ready();
    all.done.notified().await;
    Ok(Outcome::Latency(all.consumed.replace(Consumed::counted(0))))
}

async fn drain(job: &Job, consumers: usize, elements: usize) -> Result<Outcome> {
    let all = Consumers::spawn(job, consumers, Consumed::counted(elements)).await;
    all.done.notified().await;
    let wall = job.begin.elapsed();
    Ok(Outcome::Drain { elements, wall })
}

/// What consumers share. The last of them to get an element notifies main.
struct Consumers {
    dialer: Dialer,
    consumed: RefCell<Consumed>,
    /// How many pops were asked.
    asked: Cell<usize>,
    done: Notify,
}

impl Consumers {
    async fn spawn(job: &Job, consumers: usize, consumed: Consumed) -> Rc<Consumers> {
        let all = Rc::new(Consumers {
            dialer: Dialer::new(job),
            consumed: RefCell::new(consumed),
            asked: Cell::new(0),
            done: Notify::new(),
        });
        for number in 0..consumers {
            all.dialer.wait_for_turn().await;
            let all = Rc::clone(&all);
            spawn_local(async move {
                if let Err(error) = all.consume(number).await {
                    fail(NAME, &error.into());
                }
            });
        }
        all
    }

    async fn consume(&self, number: usize) -> io::Result<()> {
        let mut socket = self.dialer.dial(number).await?;
        let mut reply = [0; REPLY_BYTES];
        loop {
            socket.write_all(POP).await?;
            self.asked.set(self.asked.get() + 1);
            let Popped::Element(element) = socket.read_popped(&mut reply).await? else {
                return Err(wire::unexpected(wire::NIL));
            };
            if self.consumed.borrow_mut().take(&reply[element])? {
                self.done.notify_one();
            }
        }
    }
}

async fn ping(job: &Job, connections: usize, pipeline: usize, ops: usize) -> Result<Outcome> {
    let rounds = ops.div_ceil(pipeline);
    let left = Rc::new(Countdown::new(rounds));
    let pings: Rc<[u8]> = PING.repeat(pipeline).into();
    let pongs: Rc<[u8]> = PONG.repeat(pipeline).into();
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let (left, pings, pongs) = (Rc::clone(&left), Rc::clone(&pings), Rc::clone(&pongs));
        let place = job.place.clone();
        tasks.push(spawn_local(async move {
            // No TCP_NODELAY: nothing is written before all that was written has been answered.
            let mut socket = Socket::connect(&place).await?;
            let mut buffer = vec![0; pongs.len() + 1];
            while left.take() {
                socket.write_all(&pings).await?;
                socket.expect(&pongs, &mut buffer).await?;
            }
            io::Result::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(Outcome::Ops {
        ops: rounds * pipeline,
        wall: job.begin.elapsed(),
    })
}

/// Pops that are given up, as somebody would write it who knows what is lost otherwise: a pop that was given up on a
/// connection which goes on is still in flight, and the next one waits for its reply instead of asking.
struct Pops(Place);

/// A connection that knows whether it has asked.
struct Asking {
    socket: Socket,
    is_asked: bool,
    reply: [u8; REPLY_BYTES],
    got: usize,
}

impl Popping for Pops {
    const NAME: &'static str = NAME;
    type Connection = Asking;

    async fn dial(&self) -> Result<Asking> {
        Ok(Asking {
            socket: Socket::connect(&self.0).await?,
            is_asked: false,
            reply: [0; REPLY_BYTES],
            got: 0,
        })
    }

    async fn pop(&self, asking: &mut Asking) -> Result<Vec<u8>> {
        if !asking.is_asked {
            // It is so short that the kernel takes it at once and whole.
            asking.socket.write_all(POP).await?;
            asking.is_asked = true;
        }
        loop {
            asking.got += asking.socket.read(&mut asking.reply[asking.got..]).await?;
            let popped = wire::popped(&asking.reply[..asking.got])?;
            if let Some(popped) = popped {
                (asking.is_asked, asking.got) = (false, 0);
                return match popped {
                    Popped::Element(element) => Ok(asking.reply[element].to_vec()),
                    Popped::Nil => Err(wire::unexpected(wire::NIL).into()),
                };
            }
        }
    }
}

/// Connections in the making: see "Ten thousand connections" in the library.
struct Dialer {
    place: Place,
    window: Semaphore,
}

impl Dialer {
    fn new(job: &Job) -> Dialer {
        Dialer {
            place: job.place.clone(),
            window: Semaphore::new(WINDOW),
        }
    }

    async fn wait_for_turn(&self) {
        if let Ok(permit) = self.window.acquire().await {
            permit.forget();
        }
    }

    async fn dial(&self, number: usize) -> io::Result<Socket> {
        let mut socket = Socket::connect(&self.place).await?;
        if proves(number) {
            socket.write_all(PING).await?;
            socket.expect(PONG, &mut [0; PONG.len() + 1]).await?;
            self.window.add_permits(PROOF);
        }
        Ok(socket)
    }
}

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    async fn connect(place: &Place) -> io::Result<Socket> {
        Ok(match place {
            Place::Tcp(address) => Socket::Tcp(TcpStream::connect(*address).await?),
            Place::Unix(path) => Socket::Unix(UnixStream::connect(path).await?),
        })
    }

    async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Socket::Tcp(stream) => stream.write_all(bytes).await,
            Socket::Unix(stream) => stream.write_all(bytes).await,
        }
    }

    /// Reads something.
    async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = match self {
            Socket::Tcp(stream) => stream.read(into).await?,
            Socket::Unix(stream) => stream.read(into).await?,
        };
        match count {
            0 => Err(wire::ended()),
            _ => Ok(count),
        }
    }

    /// Reads the reply to a pop; the element stands in `reply`.
    async fn read_popped(&mut self, reply: &mut [u8]) -> io::Result<Popped> {
        let mut got = 0;
        loop {
            got += self.read(&mut reply[got..]).await?;
            if let Some(popped) = wire::popped(&reply[..got])? {
                return Ok(popped);
            }
        }
    }

    /// Reads exactly these replies, by way of a buffer that is larger.
    async fn expect(&mut self, replies: &[u8], buffer: &mut [u8]) -> io::Result<()> {
        let mut rest = replies;
        while !rest.is_empty() {
            let count = self.read(buffer).await?;
            rest = rest
                .strip_prefix(&buffer[..count])
                .ok_or_else(|| wire::unexpected(&buffer[..count]))?;
        }
        Ok(())
    }
}

async fn shared(job: &Job, tasks: usize, ops: usize) -> Result<Outcome> {
    let (reader, writer) = split(&job.place).await?;
    let all = Rc::new(Shared {
        left: Countdown::new(ops),
        unsent: RefCell::default(),
        unanswered: RefCell::default(),
        asked: Notify::new(),
    });
    let (reads, writes) = (Rc::clone(&all), Rc::clone(&all));
    spawn_local(async move {
        if let Err(error) = reads.read(reader).await {
            fail(NAME, &error.into());
        }
    });
    spawn_local(async move {
        if let Err(error) = writes.write(writer).await {
            fail(NAME, &error.into());
        }
    });
    let asks = |_| {
        let all = Rc::clone(&all);
        spawn_local(async move {
            let slot = Rc::new(Slot::default());
            while all.left.take() {
                all.get(&slot).await;
                wire::check_value(&slot.value.borrow())?;
            }
            io::Result::Ok(())
        })
    };
    for task in (0..tasks).map(asks).collect::<Vec<_>>() {
        task.await??;
    }
    let wall = job.begin.elapsed();
    Ok(Outcome::Ops { ops, wall })
}

/// A multiplexer: tasks append their commands to one buffer, which leaves in one write when all
/// tasks that are ready have run; replies come in the order of the commands.
struct Shared {
    left: Countdown,
    unsent: RefCell<Vec<u8>>,
    unanswered: RefCell<VecDeque<Rc<Slot>>>,
    asked: Notify,
}

/// Where a task gets its replies, one after the other.
#[derive(Default)]
struct Slot {
    value: RefCell<Vec<u8>>,
    is_answered: Cell<bool>,
    waker: Cell<Option<Waker>>,
}

impl Shared {
    async fn get(&self, slot: &Rc<Slot>) {
        self.append(GET);
        slot.is_answered.set(false);
        self.unanswered.borrow_mut().push_back(Rc::clone(slot));
        poll_fn(|context| {
            if slot.is_answered.get() {
                return Poll::Ready(());
            }
            slot.waker.set(Some(context.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    fn append(&self, command: &[u8]) {
        let mut unsent = self.unsent.borrow_mut();
        if unsent.is_empty() {
            // The writer gets its turn behind all tasks that are ready now.
            self.asked.notify_one();
        }
        unsent.extend_from_slice(command);
    }

    async fn write(&self, mut writer: impl AsyncWrite + Unpin) -> io::Result<()> {
        let mut sending = Vec::new();
        loop {
            self.asked.notified().await;
            std::mem::swap(&mut sending, &mut self.unsent.borrow_mut());
            writer.write_all(&sending).await?;
            sending.clear();
        }
    }

    async fn read(&self, mut reader: impl AsyncRead + Unpin) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        let mut got = 0;
        loop {
            let count = reader.read(&mut buffer[got..]).await?;
            if count == 0 {
                return Err(wire::ended());
            }
            got += count;
            let taken = self.answer(&buffer[..got])?;
            buffer.copy_within(taken..got, 0);
            got -= taken;
        }
    }

    /// Gives all complete replies to those who wait for them; how many bytes these are.
    fn answer(&self, replies: &[u8]) -> io::Result<usize> {
        let mut rest = replies;
        while let Some((length, head)) = rest.strip_prefix(b"$").and_then(wire::length) {
            let value = 1 + head..1 + head + length;
            let Some(b"\r\n") = rest.get(value.end..value.end + 2) else {
                break;
            };
            let waiting = self.unanswered.borrow_mut().pop_front();
            let slot = waiting.ok_or_else(|| wire::unexpected(rest))?;
            let mut kept = slot.value.borrow_mut();
            kept.clear();
            kept.extend_from_slice(&rest[value.clone()]);
            slot.is_answered.set(true);
            if let Some(waker) = slot.waker.take() {
                waker.wake();
            }
            rest = &rest[value.end + 2..];
        }
        match rest.first() {
            Some(b'$') | None => Ok(replies.len() - rest.len()),
            Some(_) => Err(wire::unexpected(rest)),
        }
    }
}

type Reader = Box<dyn AsyncRead + Unpin>;
type Writer = Box<dyn AsyncWrite + Unpin>;

/// A connection that is read by one task and written by another.
async fn split(place: &Place) -> io::Result<(Reader, Writer)> {
    match Socket::connect(place).await? {
        Socket::Tcp(stream) => {
            // Commands follow commands that are not answered yet.
            stream.set_nodelay(true)?;
            let (reader, writer) = stream.into_split();
            Ok((Box::new(reader), Box::new(writer)))
        }
        Socket::Unix(stream) => {
            let (reader, writer) = stream.into_split();
            Ok((Box::new(reader), Box::new(writer)))
        }
    }
}
