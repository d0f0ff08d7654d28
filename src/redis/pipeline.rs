//! Several commands at once.

use crate::client::{Command, Lane};
use crate::error::{Error, ErrorKind, Result};
use std::fmt;

/// Commands that are sent together: see [`Redis::send_all`](crate::Redis::send_all). They are encoded as they are added,
/// so that a clone is one copy.
#[derive(Clone, Default)]
#[must_use]
pub struct Pipeline {
    pub(super) bytes: Vec<u8>,
    pub(super) count: usize,
    in_transaction: bool,
    /// What is wrong with the first command that cannot be sent like this.
    refusal: Option<Error>,
}

impl Pipeline {
    /// Without commands yet.
    pub fn new() -> Pipeline {
        Pipeline::default()
    }

    /// Adds a command.
    pub fn command(mut self, command: Command) -> Pipeline {
        if let Err(refusal) = self.admit(&command) {
            self.refusal.get_or_insert(refusal);
        }
        self.bytes
            .extend_from_slice(command.into_write_buf().unsent());
        self.count += 1;
        self
    }

    /// A command that blocks would hold up all others. Between `MULTI` and `EXEC` it does not block;
    /// but if the server refuses `MULTI`, it does.
    fn admit(&mut self, command: &Command) -> Result<()> {
        match command.name().to_ascii_uppercase().as_slice() {
            b"MULTI" => self.in_transaction = true,
            b"EXEC" | b"DISCARD" => self.in_transaction = false,
            _ if command.lane() == Lane::Shared => command.check()?,
            _ => {
                command.check()?;
                let way = match self.in_transaction {
                    true => "use the command that does not block (RPOP for BRPOP)",
                    false => "send it on its own",
                };
                let message = format!("{command:?} may block: {way}");
                return Err(Error::new(ErrorKind::Misuse, message));
            }
        }
        Ok(())
    }

    pub(super) fn check(&self) -> Result<()> {
        let misuse = |message| Err(Error::new(ErrorKind::Misuse, message));
        match &self.refusal {
            Some(refusal) => Err(refusal.clone()),
            None if self.count == 0 => misuse("a pipeline needs a command"),
            None if self.in_transaction => {
                misuse("the pipeline begins a transaction and does not end it")
            }
            None => Ok(()),
        }
    }
}

/// Shows no arguments: they may be secrets.
impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pipeline({} commands)", self.count)
    }
}
