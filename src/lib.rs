//! greenroom
pub mod address;
mod config;
mod conn;
pub mod driver;
mod error;
mod hub;
mod redis;
pub mod resp;
mod time;
mod timers;
pub mod token;
pub mod wheel;

pub use crate::address::{Address, Host, Password, Place, Protocol};
pub use crate::config::{Config, WhenFull};
pub use crate::conn::{Command, PoolStats, Reply, Ticket, Timeout, ToArgs};
pub use crate::driver::Endpoint;
pub use crate::error::{Error, ErrorKind, Result};
pub use crate::hub::{
    Failure, Hub, HubStats, Listener, Missed, Remote, Stream, Task, TaskId, Tick, Wait, Wake,
};
pub use crate::redis::{Pipeline, Rank, Redis, Side};
pub use crate::time::{Time, ms, secs};
