//! Marks become lanes: one for each connection and each cron task, and one for all turns.

use super::marks::{FOR_EVER, Kind, Mark, Marks};
use crate::token::Key;
use std::collections::HashMap;

/// All lanes of a run, those of connections in the order in which they were dialed.
pub(super) struct Lanes {
    pub(super) conns: Vec<Conn>,
    pub(super) crons: Vec<Cron>,
    pub(super) turns: Vec<Mark>,
    /// Where tasks were spawned, as far as it is known, and why they failed.
    pub(super) spawned: HashMap<u64, u16>,
    pub(super) failed: HashMap<u64, u16>,
    /// How much later than its timeout each nil came, in nanoseconds, in order of size.
    pub(super) late: Vec<u64>,
    /// Commands in flight, and connections that are idle, after each change: when, and how many.
    pub(super) counts: Vec<(u64, u32, u32)>,
}

pub(super) struct Conn {
    pub(super) key: u64,
    pub(super) dialed: Option<Mark>,
    /// What happened to it, in order. `None` is the beginning of what was dropped.
    pub(super) marks: Vec<(u64, Option<Mark>)>,
    in_flight: u32,
    idle: bool,
    sent: Option<Mark>,
}

pub(super) struct Cron {
    pub(super) task: u64,
    pub(super) ticks: Vec<Mark>,
}

impl Lanes {
    pub(super) fn of(marks: &Marks) -> Lanes {
        let mut lanes = Lanes {
            conns: Vec::new(),
            crons: Vec::new(),
            turns: Vec::new(),
            spawned: HashMap::new(),
            failed: HashMap::new(),
            late: Vec::new(),
            counts: Vec::new(),
        };
        let mut places = HashMap::new();
        let [first, last] = marks.halves();
        for mark in first {
            lanes.add(mark, &mut places);
        }
        if let Some((from, _)) = marks.gap() {
            lanes.forget(from.as_nanos());
        }
        for mark in last {
            lanes.add(mark, &mut places);
        }
        lanes.late.sort_unstable();
        lanes
    }

    fn add(&mut self, mark: Mark, places: &mut HashMap<u64, usize>) {
        match mark.kind {
            Kind::Turn => self.turns.push(mark),
            Kind::Spawned => drop(self.spawned.insert(mark.a, mark.code)),
            Kind::Failed => drop(self.failed.insert(mark.a, mark.code)),
            Kind::Tick => match self.crons.iter_mut().find(|it| it.task == mark.a) {
                Some(cron) => cron.ticks.push(mark),
                None => self.crons.push(Cron {
                    task: mark.a,
                    ticks: vec![mark],
                }),
            },
            _ => {
                let place = *places.entry(mark.a).or_insert(self.conns.len());
                if place == self.conns.len() {
                    self.conns.push(Conn::new(mark.a));
                }
                self.happened(place, mark);
            }
        }
    }

    fn happened(&mut self, place: usize, mark: Mark) {
        let (mut in_flight, mut idle) = self.counts.last().map_or((0, 0), |it| (it.1, it.2));
        let conn = &mut self.conns[place];
        in_flight -= conn.in_flight;
        idle -= u32::from(conn.idle);
        let late = conn.happened(mark);
        in_flight += conn.in_flight;
        idle += u32::from(conn.idle);
        self.late.extend(late);
        match self.counts.last_mut() {
            Some(last) if last.0 == mark.at => *last = (mark.at, in_flight, idle),
            Some(&mut (_, flying, resting)) if (flying, resting) == (in_flight, idle) => {}
            _ => self.counts.push((mark.at, in_flight, idle)),
        }
    }

    /// What follows is not known.
    fn forget(&mut self, at: u64) {
        for conn in &mut self.conns {
            if !conn.is_closed() {
                conn.marks.push((at, None));
            }
            (conn.in_flight, conn.idle, conn.sent) = (0, false, None);
        }
        self.counts.push((at, 0, 0));
    }

    /// How many commands were in flight at the same time, at most.
    pub(super) fn in_flight_max(&self) -> u32 {
        self.counts.iter().map(|it| it.1).max().unwrap_or(0)
    }
}

impl Conn {
    fn new(key: u64) -> Conn {
        Conn {
            key,
            dialed: None,
            marks: Vec::new(),
            in_flight: 0,
            idle: false,
            sent: None,
        }
    }

    fn is_closed(&self) -> bool {
        let last = self.marks.last().and_then(|it| it.1);
        last.is_some_and(|mark| mark.kind == Kind::Closed)
    }

    /// Whether it is the one that commands share which do not block.
    pub(super) fn is_shared(&self) -> bool {
        self.dialed.is_some_and(|mark| mark.c == 1)
    }

    pub(super) fn name(&self) -> String {
        match self.dialed {
            Some(mark) if mark.c == 1 => format!("shared {}", mark.b),
            Some(mark) => format!("conn {}", mark.b),
            None => format!("conn {}", name(self.key)),
        }
    }

    /// Takes a mark in. Returns how late an answer is that it tells of.
    fn happened(&mut self, mark: Mark) -> Option<u64> {
        self.marks.push((mark.at, Some(mark)));
        let mut late = None;
        match mark.kind {
            Kind::Dialed => self.dialed = Some(mark),
            // A second round takes the place of the first.
            Kind::Sent if !self.is_shared() => self.in_flight = 1,
            Kind::Sent => self.in_flight += 1,
            Kind::Nil | Kind::Value | Kind::Error | Kind::Unwanted => {
                self.in_flight = self.in_flight.saturating_sub(1);
                let due = self.sent.and_then(|sent| due(&sent));
                late = due.filter(|_| mark.kind == Kind::Nil);
                late = late.map(|due| mark.at.saturating_sub(due));
            }
            Kind::Closed => self.in_flight = 0,
            _ => {}
        }
        self.idle = mark.kind == Kind::Idle;
        self.sent = (mark.kind == Kind::Sent).then_some(mark).or(self.sent);
        late
    }
}

/// When the server is to answer a command that blocks.
pub(super) fn due(sent: &Mark) -> Option<u64> {
    (sent.c != FOR_EVER).then(|| sent.at + u64::from(sent.c) * 1_000_000)
}

/// A key as people see it.
pub(super) fn name(word: u64) -> String {
    let key = usize::try_from(word).ok().and_then(Key::from_usize);
    key.map_or_else(|| "none".into(), |key| format!("{key:?}"))
}
