//! One client: a task that reads its requests and writes the responses, one after the other.
//!
//! A wait is for one event, and while Redis is asked there are two to wait for: the reply, and that the client goes away. So
//! these are two tasks. The one that asks puts the response on the *desk* of the connection, and notifies it. The
//! connection waits for its stream meanwhile, and if that ends, it kills the other, which takes the pop back.
//!
//! ```text
//!    client ◄── stream ──► Connection ──spawns, kills──► asks ──► Redis
//!                              ▲                          │
//!                              └──── desk, notify ────────┘
//! ```
//!
//! The end of what a client says is taken for its departure, even if it would still read: nobody can tell. An element
//! that was popped for a client who is gone goes back to its end of the list. Beyond the last `write` nobody can tell either
//! whether the client has read it; who cannot live with that needs an acknowledgement, as every queue does.

use super::request::{self, HEAD_BYTES_MAX, Request};
use super::response::Response;
use super::route::{LIST, Route};
use greenroom::{Hub, Redis, Result, Shutdown, Stream, Task, TaskId, Time, Wait, Wake, secs};
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

/// How long a client may take to read a response, and then to its next complete request; who takes longer is closed.
const PATIENCE: Duration = secs(10);

/// How long a client that was refused may go on talking. Were it closed at once, the kernel would answer what it still sends with
/// a reset, on which the client might lose the response that it has not read.
const LINGER: Duration = secs(1);

/// Reads in a turn: who sends without end takes turns with the others.
const READS_MAX: usize = 4;

/// What a connection shares with the others.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) redis: Redis,
    pub(crate) shutdown: Shutdown,
    /// The connections that are open.
    pub(crate) open: Rc<RefCell<HashSet<TaskId>>>,
}

/// What a connection shares with the task that asks for it.
#[derive(Default)]
struct Desk {
    /// Whose it is: known once it is spawned.
    owner: Cell<Option<TaskId>>,
    response: RefCell<Option<Response>>,
}

pub(crate) struct Connection {
    stream: Stream,
    shared: Shared,
    desk: Rc<Desk>,
    input: Vec<u8>,
    output: Vec<u8>,
    /// Popped, and not written to its last byte.
    element: Option<Vec<u8>>,
    asks: Option<TaskId>,
    /// Nothing comes after what is to be written.
    is_last: bool,
    /// It was written, and the client may read it in peace.
    lingers: bool,
    until: Time,
}

/// The client is gone, or is to go.
struct Gone;

impl Connection {
    /// Gives a client a task.
    pub(crate) fn spawn(hub: &mut Hub, stream: Stream, shared: &Shared) -> Result<()> {
        let desk = Rc::new(Desk::default());
        let connection = Connection {
            stream,
            shared: shared.clone(),
            desk: Rc::clone(&desk),
            input: Vec::new(),
            output: Vec::new(),
            element: None,
            asks: None,
            is_last: false,
            lingers: false,
            until: hub.now() + PATIENCE,
        };
        let task = hub.spawn_task(connection);
        hub.detach(task);
        desk.owner.set(Some(task));
        shared.open.borrow_mut().insert(task);
        shared.shutdown.tell(hub, task);
        hub.hand_over(stream, task)
    }

    /// Does what can be done now, and says what to wait for.
    fn advance(&mut self, hub: &mut Hub) -> Result<Wait, Gone> {
        self.read(hub)?;
        let ends = self.shared.shutdown.is_requested();
        self.is_last |= ends;
        if let Some(response) = self.desk.response.take() {
            self.asks = None;
            self.respond(hub, response);
        } else if let Some(asks) = self.asks.take_if(|_| ends) {
            hub.kill(asks);
            self.respond(hub, Response::line(503, "the server ends"));
        }
        loop {
            let left = self.until.since(hub.now());
            self.write(hub)?;
            if !self.output.is_empty() {
                return Ok(Wait::writable(self.stream).within(left));
            }
            self.element = None;
            if self.asks.is_some() {
                return Ok(match self.input.len() < HEAD_BYTES_MAX {
                    true => Wait::readable(self.stream),
                    // The requests behind this one have their turn later.
                    false => Wait::notified(),
                });
            }
            if self.is_last {
                return self.linger(hub);
            }
            match request::parse(&self.input) {
                Ok(None) => return Ok(Wait::readable(self.stream).within(left)),
                Ok(Some((request, length))) => {
                    self.input.drain(..length);
                    self.serve(hub, &request);
                }
                Err(refusal) => {
                    self.is_last = true;
                    self.respond(hub, refusal);
                }
            }
        }
    }

    /// Takes what the client has said, as far as there is room.
    fn read(&mut self, hub: &mut Hub) -> Result<(), Gone> {
        let mut chunk = [0; 4096];
        for _ in 0..READS_MAX {
            if self.input.len() >= HEAD_BYTES_MAX && !self.lingers {
                break;
            }
            match hub.read(self.stream, &mut chunk) {
                Ok(Some(count @ 1..)) if !self.lingers => {
                    self.input.extend_from_slice(&chunk[..count]);
                }
                Ok(Some(1..)) => {}
                Ok(None) => break,
                Ok(Some(0)) | Err(_) => return Err(Gone),
            }
        }
        Ok(())
    }

    /// Writes what fits.
    fn write(&mut self, hub: &mut Hub) -> Result<(), Gone> {
        while !self.output.is_empty() {
            match hub.write(self.stream, &self.output) {
                Ok(Some(count)) => drop(self.output.drain(..count)),
                Ok(None) => break,
                Err(_) => return Err(Gone),
            }
        }
        Ok(())
    }

    fn serve(&mut self, hub: &mut Hub, request: &Request) {
        self.is_last = request.is_last;
        match Route::of(request, hub, self.shared.redis) {
            Ok(route) => self.asks = Some(self.ask(hub, route)),
            Err(response) => self.respond(hub, response),
        }
    }

    /// Has another task ask.
    fn ask(&self, hub: &mut Hub, route: Route) -> TaskId {
        let (redis, desk) = (self.shared.redis, Rc::clone(&self.desk));
        let task = hub.spawn(move |hub, wake| {
            let response = match wake {
                Wake::Start => match route.ask(hub, redis) {
                    Ok(wait) => return Ok(wait),
                    Err(error) => route.answer(Err(error)),
                },
                Wake::Killed => return Ok(Wait::done()),
                wake => route.answer(wake.reply()),
            };
            desk.response.replace(Some(response));
            if let Some(owner) = desk.owner.get() {
                hub.notify(owner);
            }
            Ok(Wait::done())
        });
        hub.detach(task);
        task
    }

    fn respond(&mut self, hub: &Hub, response: Response) {
        response.write_to(&mut self.output, self.is_last);
        self.element = response.element;
        self.until = hub.now() + PATIENCE;
    }

    /// Closes; who has said more than was answered may finish.
    fn linger(&mut self, hub: &Hub) -> Result<Wait, Gone> {
        if !self.lingers {
            if self.input.is_empty() {
                return Err(Gone);
            }
            self.lingers = true;
            self.until = hub.now() + LINGER;
        }
        Ok(Wait::readable(self.stream).within(self.until.since(hub.now())))
    }

    /// Takes back what was asked. What it did not get of what was popped for it goes back to the end from which it came.
    fn leave(&mut self, hub: &mut Hub) {
        if let Some(asks) = self.asks.take() {
            hub.kill(asks);
        }
        let response = self.desk.response.take();
        let popped = response.and_then(|response| response.element);
        for element in [popped, self.element.take()].into_iter().flatten() {
            if let Ok(pushed) = self.shared.redis.rpush(hub, LIST, element) {
                hub.ignore(pushed);
            }
        }
    }
}

impl Task for Connection {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        let wait = match wake {
            Wake::Killed | Wake::Deadline => Err(Gone),
            _ => self.advance(hub),
        };
        Ok(wait.unwrap_or_else(|Gone| {
            self.leave(hub);
            Wait::done()
        }))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(owner) = self.desk.owner.get() {
            self.shared.open.borrow_mut().remove(&owner);
        }
    }
}
