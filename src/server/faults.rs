//! Faults that the program injects into the server: see [`Server::inject`](super::Server::inject).

use super::pause::Pause;
use super::refusal::Refusal;
use super::role::Role;
use super::state::State;
use std::fmt;
use std::time::Duration;

/// A fault that [`Server::inject`](super::Server::inject) injects before a command.
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

/// The program's choice of a fault for each command.
#[derive(Default)]
pub(super) struct Faults(Option<Box<Choose>>);

type Choose = dyn FnMut(&str) -> Option<Fault>;

impl Faults {
    pub(super) fn new(choose: impl FnMut(&str) -> Option<Fault> + 'static) -> Faults {
        Faults(Some(Box::new(choose)))
    }
}

impl State {
    /// Injects the fault that the program has chosen for this command, if any.
    pub(super) fn inject(&mut self, name: &str) -> Result<(), Refusal> {
        let now = self.now();
        match self.faults.0.as_mut().and_then(|choose| choose(name)) {
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

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faults").field(&self.0.is_some()).finish()
    }
}
