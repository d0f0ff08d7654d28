//! The role of the server: a master, or a read-only replica whose link to its master is down.

use super::clients::End;
use super::refusal::Refusal;
use super::state::State;

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

impl State {
    /// Changes the role. A server that becomes a replica ends the waits of blocked clients with an
    /// error, and closes their connections. Postponed clients stay: their commands have not begun.
    pub(super) fn set_role(&mut self, role: Role) {
        self.promoted_at = None;
        self.role = role;
        if !self.role.is_replica() {
            return;
        }
        let clients: Vec<_> = self.clients.keys().collect();
        for client in clients {
            if !self.is_postponed(client) && self.answer(client, Some(&Refusal::DEMOTED)) {
                self.end(client, End::AfterReply);
            }
        }
    }
}
