//! The wire: what becomes of bytes between a write and their arrival.

use super::network::{Happening, Network, WINDOW_BYTES};
use super::server_fault::Fault;
use crate::time::Time;
use crate::token::Key;
use std::time::Duration;

/// So many pieces at most are made of one write.
const PIECES_MAX: u64 = 6;

/// What a server may reply at any moment.
const ERRORS: [&str; 11] = [
    "LOADING Redis is loading the dataset in memory",
    "NOAUTH Authentication required.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "READONLY You can't write against a read only replica.",
    "MOVED 3999 127.0.0.1:6381",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "MISCONF Errors writing to the AOF file: No space left on device",
    "NOREPLICAS Not enough good replicas to write.",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "CLUSTERDOWN The cluster is down",
];

impl Network {
    /// Sends bytes to the other end, in one piece or several, to arrive behind those that are under way.
    pub(super) fn send(&mut self, from: Key, bytes: &[u8]) {
        let Ok(stream) = self.peek(from) else {
            return;
        };
        let Some(to) = stream.other.filter(|_| !stream.silent) else {
            return;
        };
        if self.random.chance(self.faults.vanishing) {
            self.note(format_args!(
                "{from:?} and {to:?} hear no more of each other"
            ));
            return self.vanish(from);
        }
        if self.random.chance(self.faults.stalls) {
            let stall = self.faults.stall.clone();
            let until = self.now + self.random.duration(&stall);
            self.note(format_args!(
                "what goes to {to:?} is held up until {until:?}"
            ));
            if let Ok(other) = self.stream(to) {
                other.arrives = other.arrives.max(until);
            }
        }
        if self.random.chance(self.faults.deafness) {
            self.note(format_args!("{to:?} reads no more"));
            if let Ok(other) = self.stream(to) {
                other.deaf = true;
            }
        }
        let resets = self.random.chance(self.faults.resets);
        if !(resets && self.random.chance(0.5)) {
            for piece in self.cut(bytes) {
                self.send_piece(from, to, piece);
            }
        }
        if resets {
            self.break_off(from);
        } else if self.random.chance(self.faults.half_closes) {
            self.note(format_args!("{from:?} closes its half"));
            self.finish(from);
        }
    }

    pub(super) fn send_piece(&mut self, from: Key, to: Key, piece: Vec<u8>) {
        let at = self.arrival_at(to);
        let Ok(stream) = self.stream(to) else {
            return self.plan(at, Happening::Reset { to: from });
        };
        stream.in_flight += piece.len();
        match at == self.now {
            true => self.arrive(from, to, &piece),
            false => self.plan(
                at,
                Happening::Bytes {
                    from,
                    to,
                    bytes: piece,
                },
            ),
        }
    }

    /// Cuts bytes into pieces, with a liking for the place between a CR and its LF.
    pub(super) fn cut(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        if bytes.len() < 2 || !self.random.chance(self.faults.splits) {
            return vec![bytes.to_vec()];
        }
        let mut cuts: Vec<_> = (0..=self.random.below(PIECES_MAX - 1))
            .map(|_| 1 + self.random.index(bytes.len() - 1))
            .collect();
        let in_line_ends = bytes.windows(2).enumerate();
        let in_line_ends: Vec<_> = in_line_ends
            .filter(|(_, pair)| pair == b"\r\n")
            .map(|(at, _)| at + 1)
            .collect();
        if self.random.chance(0.5) {
            cuts.extend(in_line_ends.get(self.random.index(in_line_ends.len())));
        }
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        cuts.dedup();
        cuts.windows(2)
            .map(|ends| bytes[ends[0]..ends[1]].to_vec())
            .collect()
    }

    /// What a server is to reply to a command instead of executing it.
    pub(super) fn error_reply(&mut self, command: &str) -> Option<String> {
        let drawn = self.random.chance(self.faults.error_replies);
        let drawn = drawn.then(|| ERRORS[self.random.index(ERRORS.len())]);
        let ordered = self.answers_with.as_ref();
        let ordered = ordered.filter(|(_, until)| self.now < *until);
        let text = ordered.map_or(drawn, |(text, _)| Some(text))?.to_owned();
        self.note(format_args!("{command} is refused: {text}"));
        Some(text)
    }

    /// Draws the fault of a server that is about to execute a command.
    pub(super) fn server_fault(&mut self, command: &str) -> Option<Fault> {
        if let Some(text) = self.error_reply(command) {
            return Some(Fault::Error(text));
        }
        if self.random.chance(self.faults.write_pauses) {
            let time = self.random.duration(&self.faults.write_pause);
            self.note(format_args!("{command} begins a pause of writes: {time:?}"));
            return Some(Fault::PauseWrites(time));
        }
        if self.random.chance(self.faults.role_changes) {
            let time = self.random.duration(&self.faults.role_change);
            self.note(format_args!("{command} finds a replica: {time:?}"));
            return Some(Fault::Demote(time));
        }
        None
    }

    /// Tells the other end that nothing follows.
    pub(super) fn finish(&mut self, from: Key) {
        if let Ok(stream) = self.stream(from) {
            stream.said_all = true;
        }
        let other = self.peek(from).ok().filter(|stream| !stream.silent);
        if let Some(to) = other.and_then(|stream| stream.other) {
            let at = self.arrival_at(to);
            self.plan(at, Happening::Finish { to });
        }
    }

    /// When something arrives that is sent now and has nothing to wait for.
    pub(super) fn arrival(&mut self) -> Time {
        let latency = self.faults.latency.clone();
        let at = self.now + self.random.duration(&latency);
        at.max(self.stalls_until)
    }

    /// When something arrives at this end, behind all that is under way there. Pieces that would come at once
    /// come one behind the other where pieces are wanted.
    pub(super) fn arrival_at(&mut self, to: Key) -> Time {
        let mut at = self.arrival();
        let apart = match self.faults.splits > 0.0 {
            true => Duration::from_micros(1 + self.random.below(200)),
            false => Duration::ZERO,
        };
        if let Ok(stream) = self.stream(to) {
            if stream.arrives > Time::ZERO {
                at = at.max(stream.arrives + apart);
            }
            stream.arrives = at;
        }
        at
    }

    /// Resets a connection, and forgets this end.
    pub(super) fn break_off_and_forget(&mut self, key: Key) {
        self.break_off(key);
        self.sockets.remove(key);
    }

    /// Resets a connection at both ends, now.
    pub(super) fn break_off(&mut self, key: Key) {
        let other = self.peek(key).ok().and_then(|stream| stream.other);
        self.reset(key);
        if let Some(other) = other {
            self.reset(other);
        }
    }

    /// Nothing arrives at either end of a connection any more.
    pub(super) fn vanish(&mut self, key: Key) {
        let other = self.peek(key).ok().and_then(|stream| stream.other);
        for key in [Some(key), other].into_iter().flatten() {
            if let Ok(stream) = self.stream(key) {
                stream.silent = true;
            }
        }
    }

    /// Something has been read at this end: the other one may have waited for that.
    pub(super) fn make_room(&mut self, key: Key) {
        let Some(other) = self.peek(key).ok().and_then(|stream| stream.other) else {
            return;
        };
        let starved = self
            .stream(other)
            .is_ok_and(|stream| std::mem::take(&mut stream.starved));
        if starved {
            self.edge(other);
        }
    }

    /// How much may still be sent to this end.
    pub(super) fn room_at(&self, key: Key) -> usize {
        self.peek(key).map_or(WINDOW_BYTES, |stream| {
            WINDOW_BYTES.saturating_sub(stream.inbox.len() + stream.in_flight)
        })
    }
}
