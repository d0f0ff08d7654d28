//! How a pop is given up on tokio, whoever pops: an aborted task, a timeout around a future.
//!
//! Both drop the future that waits for the reply. The server does not hear of it, and what becomes of its reply is up to
//! the library: it may close the connection, or read the reply and throw it away, or keep it for the next one. So all
//! programs are treated alike here, and differ in nothing but how they connect and pop.

use crate::giving_up::{AFTERMATH, Delivered, Way};
use crate::{Outcome, Result, SETTLE, clock, fail, ready};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

/// A client in which pops are given up.
pub trait Popping: 'static {
    const NAME: &'static str;
    /// What one pop at a time has to itself.
    type Connection: 'static;

    fn dial(&self) -> impl Future<Output = Result<Self::Connection>>;

    /// Takes an element from `queue`, however long that takes.
    fn pop(&self, connection: &mut Self::Connection) -> impl Future<Output = Result<Vec<u8>>>;
}

/// Aborts pops that all wait, each with a connection of its own, which it takes along.
pub async fn cancel<P: Popping>(client: P, pops: usize) -> Result<Outcome> {
    let client = Rc::new(client);
    let asked = Rc::new(Cell::new(0));
    let mut tasks = Vec::with_capacity(pops);
    for mut connection in dial(&*client, pops).await? {
        let (client, asked) = (Rc::clone(&client), Rc::clone(&asked));
        tasks.push(spawn_local(async move {
            asked.set(asked.get() + 1);
            if let Err(stop) = client.pop(&mut connection).await {
                fail(P::NAME, &stop);
            }
        }));
    }
    while asked.get() < pops {
        sleep(Duration::from_millis(1)).await;
    }
    ready();
    sleep(SETTLE).await;

    let (begin, began_ns) = (Instant::now(), clock::now());
    tasks.iter().for_each(|task| task.abort());
    let mut cancelled = 0;
    for task in tasks {
        cancelled += usize::from(task.await.is_err_and(|error| error.is_cancelled()));
    }
    let wall = begin.elapsed();
    sleep(AFTERMATH).await;
    Ok(Outcome::Cancelled {
        cancelled,
        began_ns,
        ended_ns: clock::now(),
        wall,
    })
}

/// Consumers that give up again and again, for so long.
pub async fn losses<P: Popping>(
    client: P,
    way: Way,
    consumers: usize,
    run: Duration,
) -> Result<Outcome> {
    let client = Rc::new(client);
    let delivered = Rc::new(RefCell::new(Delivered::default()));
    let mut tasks = Vec::with_capacity(consumers);
    for (number, connection) in dial(&*client, consumers).await?.into_iter().enumerate() {
        let consumer = Consumer {
            client: Rc::clone(&client),
            delivered: Rc::clone(&delivered),
        };
        tasks.push(spawn_local(async move {
            let ended = match way {
                Way::Timeouts => consumer.times_out(number, connection).await,
                Way::Aborts => consumer.is_aborted(number, connection).await,
            };
            if let Err(stop) = ended {
                fail(P::NAME, &stop);
            }
        }));
    }
    sleep(SETTLE).await;
    ready();
    sleep(run).await;
    tasks.iter().for_each(|task| task.abort());
    for task in tasks {
        // It was aborted: the only result there is.
        let _ = task.await;
    }
    Ok(Outcome::Delivered(delivered.take()))
}

/// One after the other, so that no SYN is lost; that is not what is measured.
async fn dial<P: Popping>(client: &P, count: usize) -> Result<Vec<P::Connection>> {
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        connections.push(client.dial().await?);
    }
    Ok(connections)
}

struct Consumer<P> {
    client: Rc<P>,
    delivered: Rc<RefCell<Delivered>>,
}

impl<P: Popping> Consumer<P> {
    /// Asks again after each timeout, on the same connection.
    async fn times_out(&self, number: usize, mut connection: P::Connection) -> Result<()> {
        let mut moments = Way::Timeouts.moments(number);
        loop {
            match timeout(moments.draw(), self.client.pop(&mut connection)).await {
                Ok(element) => self.delivered.borrow_mut().take(&element?)?,
                Err(_elapsed) => self.delivered.borrow_mut().give_up(),
            }
        }
    }

    /// Each task takes its connection along when it is aborted, and the next one makes another.
    async fn is_aborted(&self, number: usize, connection: P::Connection) -> Result<()> {
        let mut moments = Way::Aborts.moments(number);
        let mut first = Some(connection);
        loop {
            let connection = first.take();
            let (client, delivered) = (Rc::clone(&self.client), Rc::clone(&self.delivered));
            let task = AbortOnDrop(spawn_local(async move {
                if let Err(stop) = consume(&*client, connection, &delivered).await {
                    fail(P::NAME, &stop);
                }
            }));
            sleep(moments.draw()).await;
            drop(task);
            self.delivered.borrow_mut().give_up();
        }
    }
}

async fn consume<P: Popping>(
    client: &P,
    connection: Option<P::Connection>,
    delivered: &RefCell<Delivered>,
) -> Result<()> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => client.dial().await?,
    };
    loop {
        let element = client.pop(&mut connection).await?;
        delivered.borrow_mut().take(&element)?;
    }
}

/// A task that ends with who looks after it, when that is aborted itself.
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
