//! Connections to Redis servers: pools, lanes, handshakes, requests and their replies.
//!
//! This is the client without its input and output: state machines that are told what the kernel did and
//! what time it is, and that say what is to be done. They run the same on a real network, on a
//! simulated one, and in a test that has none at all.
//!
//! **Two lanes.** Redis answers in order, so a blocking pop holds up whatever is sent behind it on
//! the same connection. Therefore a command that may block has a connection to itself, taken from the
//! [pool](PoolStats) and given back when the reply has come. All other commands share one connection, one behind
//! the other, and what the tasks of one turn ask leaves in one write.
//!
//! **A reply finds its request by its place in the line**, nothing else. So a connection whose place in the
//! line is in doubt is never used again: it is closed.

mod aside;
mod cancel;
mod clients;
mod command;
mod connection;
mod control_types;
mod deadlines;
mod dialing;
mod endpoints;
mod events;
mod giving_back;
mod giving_up;
mod handshake;
mod invariant;
mod late;
mod lifecycle;
mod line;
mod link;
mod outbox;
mod pool;
mod replies;
mod request;
mod returns;
mod round;
mod rounds;
mod seen;
mod verify;
mod whereabouts;
mod work;

pub use self::command::{Command, ToArgs};
pub use self::events::{CommandName, ConnId, Given};
pub use self::late::Late;
pub use self::link::PoolState;
pub use self::pool::PoolStats;
pub use self::request::{Reply, Ticket};

pub(crate) use self::cancel::Said;
pub(crate) use self::clients::{Ask, Clients};
pub(crate) use self::command::Lane;
pub(crate) use self::connection::State;
pub(crate) use self::dialing::connect_error;
pub(crate) use self::endpoints::ENDPOINTS_MAX;
pub(crate) use self::events::{Heard, Seen};
pub(crate) use self::giving_up::GaveUp;
pub(crate) use self::invariant::must;
pub(crate) use self::late::Undo;
pub(crate) use self::outbox::Outbox;
pub(crate) use self::request::{Expect, GivenUp};
pub(crate) use self::whereabouts::Whereabouts;
