//! Clients of Redis servers: connections, queues, requests and their replies. No input or output.
//!
//! These are state machines that take in what the kernel did and what time it is, and say what
//! is to be done. They run the same on a real network, on a simulated one, and in a test that has
//! none at all.
//!
//! **Two lanes.** A server answers in order, so a blocking pop holds up whatever is sent behind it on
//! the same connection. Therefore a command that may block gets a *dedicated* connection, taken from
//! the client's [pool](PoolStats) and returned when the reply has come. All other commands are
//! pipelined on one *shared* connection, and what the tasks of one turn send leaves in one write.
//! What the client asks for itself has a third one, the *control* connection.
//!
//! ```text
//! Clients                           tables, and one queue for each kind of work
//!  ├─ requests: Requests            Ticket -> its task, and where it is, or the result
//!  ├─ conns: Connection             one per socket: bytes and the time in, replies out
//!  ├─ clients: Client               one per Redis handle
//!  │    ├─ pool: Pool               idle connections, WaitQueue, one counter per state
//!  │    ├─ shared: SharedConnection its connection, and its own WaitQueue
//!  │    ├─ control: ControlConnection  questions and requeues that wait for it
//!  │    └─ dialer: Dialer           pacing, addresses, Backoff
//!  └─ out: Output                   dials, writes, closes, events
//! ```
//!
//! Read `connection.rs`, `pool.rs`, `wait_queue.rs` and `cancel.rs` first; imports run from
//! `clients.rs` down.

mod backoff;
mod cancel;
#[expect(clippy::module_inception, reason = "one client of the clients")]
mod client;
mod clients;
mod command;
mod connection;
mod control;
mod dialer;
mod endpoints;
mod events;
mod guard;
mod handshake;
mod in_flight;
mod invariant;
mod outgoing;
mod output;
mod payload;
mod pool;
mod request;
mod requeue;
mod shared;
mod verdict;
mod wait_queue;
mod write_buf;

pub use self::backoff::PoolState;
pub use self::command::{Command, ToArgs};
pub use self::events::{CancelAction, CommandName, ConnId};
pub use self::pool::PoolStats;
pub use self::request::{Reply, Ticket};
pub use self::requeue::Undelivered;

pub(crate) use self::cancel::CancelCause;
pub(crate) use self::clients::{CancelResult, Clients, RequestLocation, Submission, connect_error};
pub(crate) use self::command::{Lane, ReplyCount};
pub(crate) use self::endpoints::ENDPOINTS_MAX;
pub(crate) use self::events::{AnswerKind, ClientEvent};
pub(crate) use self::invariant::ensure;
pub(crate) use self::request::Completion;
pub(crate) use self::requeue::Requeue;
pub(crate) use self::write_buf::WriteBuf;
