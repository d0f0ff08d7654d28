//! What is kept of a run: marks of a fixed size, in the order of time, the first and the last of them.

use crate::driver::Endpoint;
use crate::time::Time;
use std::collections::VecDeque;
use std::panic::Location;
use std::time::Duration;

/// One thing that happened. What `a`, `b`, `c` and `code` are depends on the kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// In nanoseconds.
    pub(super) at: u64,
    pub(super) a: u64,
    pub(super) b: u64,
    pub(super) c: u32,
    pub(super) code: u16,
    pub(super) kind: Kind,
}

const _: () = assert!(size_of::<Mark>() == 32, "the documents say so");

/// Keys are words; a task that is none is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `a` a connection, `b` its number, `c` 1 if it is shared, `code` where to.
    Dialed,
    /// `a` a connection.
    Connected,
    Greets,
    Ready,
    Idle,
    /// `a` a connection, `b` the task, `c` the timeout in milliseconds (`FOR_EVER` is none), `code` the command.
    Sent,
    /// `a` a connection, `b` the task.
    Nil,
    Value,
    Error,
    Unwanted,
    /// `a` a connection, `b` the task.
    GivenUp,
    /// `a` a connection, `code` why.
    NotConnected,
    Closed,
    /// `at` the hub began to sleep, `a` it woke, `b` it had done all, `c` resumptions, `code` events.
    Turn,
    /// `a` the task, `b` when it was due, `c` which tick, `code` how many were missed.
    Tick,
    /// `a` the task, `code` where.
    Spawned,
    /// `a` the task, `code` why, of one that has failed.
    Failed,
}

/// A timeout that is not one.
pub(super) const FOR_EVER: u32 = u32::MAX;

/// What everything was, also what is not kept.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) dialed: u64,
    pub(super) spawned: u64,
    pub(super) failed: u64,
    pub(super) nil: u64,
    pub(super) values: u64,
    pub(super) errors: u64,
    pub(super) unwanted: u64,
    pub(super) turns: u64,
    pub(super) resumed: u64,
    pub(super) awake: Duration,
    pub(super) ticks: u64,
    pub(super) missed: u64,
    pub(super) tick_late_max: Duration,
}

/// Texts that marks name by numbers. There may be as many as a number has room for, but for those that depend on what comes from
/// outside, which are cut off: the rest is called *other*.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) texts: Vec<String>,
}

const WORDS_MAX: usize = 1000;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Marks {
    pub(super) title: String,
    first: Vec<Mark>,
    last: VecDeque<Mark>,
    half: usize,
    dropped: u64,
    pub(super) began: Option<Time>,
    pub(super) ended: Time,
    pub(super) totals: Totals,
    pub(super) commands: Words,
    pub(super) reasons: Words,
    endpoints: Vec<Endpoint>,
    pub(super) places: Vec<&'static Location<'static>>,
}

impl Marks {
    pub(super) fn new(limit: usize) -> Marks {
        Marks {
            title: "greenroom".into(),
            first: Vec::new(),
            last: VecDeque::new(),
            half: limit / 2,
            dropped: 0,
            began: None,
            ended: Time::ZERO,
            totals: Totals::default(),
            commands: Words::new(),
            reasons: Words::new(),
            endpoints: Vec::new(),
            places: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, mark: Mark) {
        if self.first.len() < self.half {
            return self.first.push(mark);
        }
        if self.last.len() == self.half {
            self.last.pop_front();
            self.dropped += 1;
        }
        self.last.push_back(mark);
    }

    pub(super) fn len(&self) -> usize {
        self.first.len() + self.last.len()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// All that are kept, those before what was dropped first.
    pub(super) fn halves(&self) -> [Vec<Mark>; 2] {
        let last: Vec<_> = self.last.iter().copied().collect();
        match self.dropped {
            0 => [self.first.iter().copied().chain(last).collect(), Vec::new()],
            _ => [self.first.clone(), last],
        }
    }

    /// From when to when something was dropped.
    pub(super) fn gap(&self) -> Option<(Time, Time)> {
        let from = self.first.last().filter(|_| self.dropped > 0)?.at;
        let to = self.last.front()?.at;
        Some((Time::from_nanos(from), Time::from_nanos(to.max(from))))
    }

    /// The number of an address.
    pub(super) fn endpoint(&mut self, to: &Endpoint) -> u16 {
        let known = self.endpoints.iter().position(|it| it == to);
        let number = known.unwrap_or_else(|| {
            if self.endpoints.len() < WORDS_MAX {
                self.endpoints.push(to.clone());
            }
            self.endpoints.len() - 1
        });
        u16::try_from(number).unwrap_or(u16::MAX)
    }

    /// All addresses, by number.
    pub(super) fn endpoints(&self) -> Vec<String> {
        self.endpoints.iter().map(ToString::to_string).collect()
    }

    /// The number of a place in the program. There are as many as it has calls of `spawn`.
    pub(super) fn place(&mut self, place: &'static Location<'static>) -> u16 {
        let known = self.places.iter().position(|&it| it == place);
        let number = known.unwrap_or_else(|| {
            self.places.push(place);
            self.places.len() - 1
        });
        u16::try_from(number).unwrap_or(u16::MAX)
    }
}

impl Words {
    fn new() -> Words {
        Words { texts: Vec::new() }
    }

    /// The number of a text.
    pub(super) fn number(&mut self, text: &str) -> u16 {
        let known = self.texts.iter().position(|it| it == text);
        let number = known.unwrap_or_else(|| {
            let room = self.texts.len() < WORDS_MAX - 1;
            match room {
                true => self.texts.push(text.to_owned()),
                false if self.texts.len() < WORDS_MAX => self.texts.push("other".into()),
                false => {}
            }
            self.texts.len() - 1
        });
        u16::try_from(number).unwrap_or(u16::MAX)
    }
}
