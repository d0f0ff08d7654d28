//! How a server comes to rest after a step.
//!
//! It is at rest when each connection of the script has been answered all it has asked, or waits in
//! a blocking command, or is closed. Who waits, and who is gone, the server itself says, to a
//! connection that only looks. Nothing here sleeps. What is waited for is a reply that must come, or
//! a time that the script gave to a blocking command and that is short.

use super::host::{Host, Seen};
use super::line::{Line, parse};
use super::script::CONNECTIONS;
use std::time::Instant;

impl Host {
    /// Waits for the server to come to rest, and says what has come.
    pub(super) fn settle(&mut self) -> Result<Vec<Seen>, String> {
        let deadline = Instant::now() + self.patience;
        while !self.rests()? {
            if Instant::now() > deadline {
                return Err("it does not come to rest".into());
            }
        }
        Ok((0..CONNECTIONS).filter_map(|who| self.seen(who)).collect())
    }

    /// One look at all connections. Whether nothing more will come.
    fn rests(&mut self) -> Result<bool, String> {
        let paused = self.paused;
        for line in self.lines.iter_mut().flatten() {
            while !paused && line.hurries() {
                line.await_bytes()?;
            }
        }
        let open = || self.lines.iter().flatten().filter(|line| line.open);
        let owed = open().filter(|line| line.is_owed()).count();
        if self.calm || (owed == 0 && !self.may_close) {
            return Ok(true);
        }
        // Numbers are cheaper than a list, and mostly tell as much.
        let expected = [open().count() + 1, owed];
        if self.census()? == expected {
            for line in self.lines.iter_mut().flatten() {
                line.waits = line.is_owed();
            }
        } else if self.drain() {
            return Ok(false);
        } else {
            self.look()?;
        }
        // One that waits with more behind may wait for the second time, and the reply to the first
        // be on its way: whatever the server had written before it was asked who waits is here
        // after one more reply.
        let has_more = |line: &Line| line.waits && line.asked.len() > 1;
        if self.lines.iter().flatten().any(has_more) {
            self.control(&[&["PING"]])?;
        }
        let done = |line: &Line| !line.is_owed() || (line.waits && (paused || !line.hurries()));
        let done = self.lines.iter().flatten().all(done);
        Ok(!self.drain() && done)
    }

    /// Takes what has come for those that are owed something. Whether anything has.
    fn drain(&mut self) -> bool {
        let lines = self.lines.iter_mut().flatten();
        let drained: Vec<bool> = lines
            .filter(|line| line.is_owed())
            .map(Line::drain)
            .collect();
        drained.contains(&true)
    }

    /// How many clients there are, and how many of them wait.
    fn census(&mut self) -> Result<[usize; 2], String> {
        let info = self.control(&[&["INFO", "clients"]])?;
        let field = |name: &[u8]| {
            let mut lines = info[0].split(|byte| *byte == b'\n');
            let number = lines.find_map(|line| parse(line, name));
            number
                .and_then(|number| usize::try_from(number).ok())
                .ok_or("INFO has no clients")
        };
        Ok([field(b"connected_clients:")?, field(b"blocked_clients:")?])
    }

    /// Learns who waits, and awaits the end of those that the server has closed.
    fn look(&mut self) -> Result<(), String> {
        let clients = self.clients()?;
        for line in self.lines.iter_mut().flatten().filter(|line| line.open) {
            let flags = clients.get(&line.id);
            line.waits = flags.is_some_and(|flags| flags.contains('b'));
            while flags.is_none() && line.open {
                line.await_bytes()?;
            }
        }
        Ok(())
    }
}
