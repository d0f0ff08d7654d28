//! What can go wrong, and how often.

use crate::error::{Error, ErrorKind, Result};
use crate::time::{ms, secs};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// The faults of a simulated network and kernel. All probabilities are between 0 and 1; by default nothing goes wrong
/// and nothing takes any time.
///
/// As a text it is a list of names, each with the strength that [`Faults::all`] gives it:
///
/// ```
/// use greenroom::sim::Faults;
/// let faults: Faults = "latency,splits".parse()?;
/// assert!(faults.splits > 0.0 && faults.resets == 0.0);
/// assert!("gremlins".parse::<Faults>().is_err());
/// # Ok::<(), greenroom::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Faults {
    /// How long connects, bytes and ends travel. What is sent on one connection arrives in order.
    pub latency: RangeInclusive<Duration>,
    /// What is written arrives in several pieces, cut anywhere, also between a CR and its LF. For each write.
    pub splits: f64,
    /// A read takes only a part of what is there. For each read.
    pub short_reads: f64,
    /// A write takes only a part of what there is room for. For each write.
    pub short_writes: f64,
    /// A poll reports an event of which nothing is true. For each poll.
    pub spurious: f64,
    /// A signal ends a poll with nothing (`EINTR`). For each poll.
    pub interrupts: f64,
    /// Nobody listens. For each connect.
    pub refused: f64,
    /// Nobody ever answers. For each connect.
    pub hanging: f64,
    /// The backlog is full, and the kernel repeats the SYN after 1 s, 3 s, 7 s and so on; over a UNIX socket the
    /// connect would block. For each SYN.
    pub lost_syns: f64,
    /// The process has no descriptor left. For each connect and accept.
    pub no_descriptors: f64,
    /// The connection is reset, with or without what was just written. For each write.
    pub resets: f64,
    /// The machine at the other end vanishes without a word: nothing arrives any more, in either direction. For each
    /// write.
    pub vanishing: f64,
    /// One direction of a connection ends: what was written arrives and then the end, and nothing can be written behind
    /// it (`EPIPE`); the other direction works on. For each write.
    pub half_closes: f64,
    /// The other end reads no more, not even the end: what is written piles up until there is no room. The other
    /// direction works on. For each write.
    pub deafness: f64,
    /// A server replies with an error instead of executing a command, if it [asks](super::Sim::error_replies). For each
    /// command.
    pub error_replies: f64,
    /// A server pauses writes for as long as [`write_pause`](Faults::write_pause) says, if it
    /// [asks](super::Sim::server_faults). For each command.
    pub write_pauses: f64,
    /// How long a pause of writes lasts.
    pub write_pause: RangeInclusive<Duration>,
    /// A server becomes a replica for as long as [`role_change`](Faults::role_change) says, if it
    /// [asks](super::Sim::server_faults). For each command.
    pub role_changes: f64,
    /// How long a server stays a replica.
    pub role_change: RangeInclusive<Duration>,
    /// Everything on its way to one end is held up for so long as [`stall`](Faults::stall) says. For each write.
    pub stalls: f64,
    /// How long a stall lasts.
    pub stall: RangeInclusive<Duration>,
    /// The clock jumps forward, as after the machine was suspended. For each poll.
    pub clock_jumps: f64,
    /// How far it jumps.
    pub jump: RangeInclusive<Duration>,
}

impl Default for Faults {
    fn default() -> Faults {
        Faults::none()
    }
}

impl Faults {
    /// Nothing goes wrong, and nothing takes any time.
    pub const fn none() -> Faults {
        const NO_TIME: RangeInclusive<Duration> = Duration::ZERO..=Duration::ZERO;
        Faults {
            latency: NO_TIME,
            splits: 0.0,
            short_reads: 0.0,
            short_writes: 0.0,
            spurious: 0.0,
            interrupts: 0.0,
            refused: 0.0,
            hanging: 0.0,
            lost_syns: 0.0,
            no_descriptors: 0.0,
            resets: 0.0,
            vanishing: 0.0,
            half_closes: 0.0,
            deafness: 0.0,
            error_replies: 0.0,
            write_pauses: 0.0,
            write_pause: NO_TIME,
            role_changes: 0.0,
            role_change: NO_TIME,
            stalls: 0.0,
            stall: NO_TIME,
            clock_jumps: 0.0,
            jump: NO_TIME,
        }
    }

    /// Everything goes wrong, each thing often enough to be met in a short run and seldom enough that work gets done.
    pub fn all() -> Faults {
        let mut faults = Faults::none();
        for (_, set) in NAMES {
            set(&mut faults);
        }
        faults
    }

    /// The names of all faults.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }
}

type SwitchOn = fn(&mut Faults);

/// The faults by name, each with what [`Faults::all`] sets.
const NAMES: [(&str, SwitchOn); 19] = [
    ("latency", |it| {
        it.latency = Duration::from_micros(50)..=ms(2)
    }),
    ("splits", |it| it.splits = 0.3),
    ("short-reads", |it| it.short_reads = 0.2),
    ("short-writes", |it| it.short_writes = 0.1),
    ("spurious", |it| it.spurious = 0.1),
    ("interrupts", |it| it.interrupts = 0.05),
    ("refused", |it| it.refused = 0.02),
    ("hanging", |it| it.hanging = 0.01),
    ("lost-syns", |it| it.lost_syns = 0.02),
    ("no-descriptors", |it| it.no_descriptors = 0.01),
    ("resets", |it| it.resets = 0.005),
    ("vanishing", |it| it.vanishing = 0.002),
    ("half-closes", |it| it.half_closes = 0.002),
    ("deafness", |it| it.deafness = 0.002),
    ("error-replies", |it| it.error_replies = 0.02),
    ("write-pauses", |it| {
        it.write_pauses = 0.005;
        it.write_pause = ms(1)..=ms(400);
    }),
    ("role-changes", |it| {
        it.role_changes = 0.002;
        it.role_change = ms(1)..=ms(400);
    }),
    ("stalls", |it| {
        it.stalls = 0.005;
        it.stall = ms(1)..=secs(2);
    }),
    ("clock-jumps", |it| {
        it.clock_jumps = 0.001;
        it.jump = ms(1)..=secs(5);
    }),
];

impl FromStr for Faults {
    type Err = Error;

    fn from_str(list: &str) -> Result<Faults> {
        let mut faults = Faults::none();
        for name in list.split(',').filter(|name| !name.is_empty()) {
            if name == "all" {
                faults = Faults::all();
                continue;
            }
            let Some((_, set)) = NAMES.iter().find(|(known, _)| *known == name) else {
                let known = Faults::names().collect::<Vec<_>>().join(", ");
                let message = format!("no such fault: {name:?} (there are all, {known})");
                return Err(Error::new(ErrorKind::Config, message));
            };
            set(&mut faults);
        }
        Ok(faults)
    }
}

/// A fault that strikes once, at a moment that is known.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Strike {
    /// Every connection is reset: a server that was restarted.
    ResetAll,
    /// Every connection falls silent for ever: the machine at the other end is gone.
    VanishAll,
    /// Nobody listens for so long.
    Refuse(Duration),
    /// Whatever is sent arrives only after so long.
    Stall(Duration),
    /// A server that [asks](super::Sim::error_replies) replies with this error to everything, for so long.
    ErrorReplies(String, Duration),
    /// The clock jumps forward, as when the machine was suspended; from within a task, as when that task has computed for so long.
    /// The network goes on meanwhile.
    JumpClock(Duration),
    /// Other faults from now on.
    Change(Box<Faults>),
}
