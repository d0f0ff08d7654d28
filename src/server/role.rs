//! The role of the server: a master, or a read-only replica whose link to its master is down.

use super::clients::End;
use super::mode::Role;
use super::refusal::Refusal;
use super::state::State;

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
