//! Faults that the program injects into the server: see [`Server::inject`](super::Server::inject).

use super::mode::{Pause, Role};
use super::refusal::Refusal;
use super::state::State;
use crate::driver::sim::Fault;

impl State {
    /// Injects the fault that the program has chosen for this command, if any.
    pub(super) fn inject(&mut self, name: &str) -> Result<(), Refusal> {
        let now = self.now();
        match self.faults.choose(name) {
            None => {}
            Some(Fault::Error(text)) => {
                // A line end would be a second reply.
                let line = text.replace(['\r', '\n'], " ");
                return Err(Refusal::Coded(line.into_bytes().into()));
            }
            Some(Fault::PauseWrites(time)) => self.pause(Pause::Writes, now + time),
            Some(Fault::Demote(time)) => {
                self.set_role(Role::unreachable());
                self.promoted_at = Some(now + time);
            }
        }
        Ok(())
    }
}
