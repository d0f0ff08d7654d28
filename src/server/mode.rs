//! The modes that a server may be in besides its ordinary one: a pause, a role, injected faults.

use crate::driver::sim::Fault;
use std::fmt;

/// What a pause postpones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pause {
    /// Commands that write, `PFCOUNT`, and an `EXEC` of any of them.
    Writes,
    /// All commands, `CLIENT UNPAUSE` included.
    All,
}

/// The role of a server. Nothing is replicated: a replica only refuses writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// Accepts writes.
    #[default]
    Master,
    /// Answers writes with `-READONLY`, and says that its link to the master is down.
    Replica {
        /// The host of the master.
        host: String,
        /// The port of the master.
        port: u16,
    },
}

impl Role {
    /// Returns the role of a replica whose master no client can reach.
    pub(super) fn unreachable() -> Role {
        let host = "127.0.0.1".into();
        Role::Replica { host, port: 1 }
    }

    pub(super) fn is_replica(&self) -> bool {
        matches!(self, Role::Replica { .. })
    }
}

/// The program's choice of a fault for each command.
#[derive(Default)]
pub(super) struct Faults(Option<Box<Choose>>);

type Choose = dyn FnMut(&str) -> Option<Fault>;

impl Faults {
    pub(super) fn new(choose: impl FnMut(&str) -> Option<Fault> + 'static) -> Faults {
        Faults(Some(Box::new(choose)))
    }

    /// The fault for a command, if any.
    pub(super) fn choose(&mut self, name: &str) -> Option<Fault> {
        self.0.as_mut().and_then(|choose| choose(name))
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faults").field(&self.0.is_some()).finish()
    }
}
