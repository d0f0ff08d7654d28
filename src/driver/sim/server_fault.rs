//! Faults of a server on the simulated network.

use std::time::Duration;

/// A fault that [`Server::inject`](crate::server::Server::inject) injects before a command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Replies with this error instead of executing the command. The code is the first word.
    Error(String),
    /// Pauses writes for this long, as `CLIENT PAUSE` does.
    PauseWrites(Duration),
    /// Makes the server a replica for this long, and a master again afterwards.
    Demote(Duration),
}
