//! What is done beside a program from when it is ready: elements are pushed, or the server is looked at.

use super::feed::Feeder;
use super::plan::Work;
use super::server::Server;
use super::watch::{Look, Watcher};
use super::{Result, cancel};
use jzon::JsonValue;

#[derive(Debug)]
pub(crate) struct Beside<'race> {
    work: &'race Work,
    server: &'race Server,
    state: State,
}

#[derive(Debug)]
enum State {
    Waiting,
    Feeding(Feeder),
    Watching(Watcher),
    Over(Vec<Look>),
}

impl<'race> Beside<'race> {
    pub(crate) fn new(work: &'race Work, server: &'race Server) -> Beside<'race> {
        Beside {
            work,
            server,
            state: State::Waiting,
        }
    }

    /// Whether something begins when the program is ready, which it is not known to be.
    pub(crate) fn waits(&self) -> bool {
        let is_wanted = self.work.fed().is_some() || self.work.is_watched();
        is_wanted && matches!(self.state, State::Waiting)
    }

    pub(crate) fn start(&mut self) {
        let socket = self.server.socket();
        self.state = match self.work.fed() {
            Some(feed) => State::Feeding(Feeder::start(socket, feed)),
            None => State::Watching(Watcher::start(socket)),
        };
    }

    /// The program has ended well.
    pub(crate) fn finish(&mut self) -> Result<()> {
        let looks = match std::mem::replace(&mut self.state, State::Waiting) {
            State::Feeding(feeder) => {
                feeder.finish()?;
                Vec::new()
            }
            State::Watching(watcher) => watcher.finish()?,
            State::Waiting | State::Over(_) => Vec::new(),
        };
        self.state = State::Over(looks);
        Ok(())
    }

    /// Adds what only the whole can tell to what the program says, when all its connections are gone.
    pub(crate) fn account(&self, said: &mut JsonValue) -> Result<(), String> {
        match (self.work, &self.state) {
            (Work::Cancel { pops }, State::Over(looks)) => cancel::cancelled(said, looks, *pops),
            (Work::Losses { elements, .. }, _) => {
                let left = left(self.server).map_err(|error| error.to_string())?;
                cancel::losses(said, *elements, &left)
            }
            _ => Ok(()),
        }
    }
}

/// Takes what is in the queue.
fn left(server: &Server) -> Result<Vec<usize>> {
    let mut side = server.side()?;
    let count: usize = side.ask(&["LLEN", "queue"])?.parse()?;
    let mut left = Vec::with_capacity(count);
    for _ in 0..count {
        left.push(side.ask(&["RPOP", "queue"])?.parse()?);
    }
    Ok(left)
}
