//! Events become marks.

use super::marks::{FOR_EVER, Kind, Mark, Marks};
use crate::observe::{Answer, Ending, Event, Observer};
use crate::time::Time;
use crate::token::Key;
use crate::{TaskId, Tick, observe::ConnId};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// The observer that a hub is given.
pub(super) struct Recorder {
    marks: Rc<RefCell<Marks>>,
    slept_at: Time,
    /// The turn that has begun, which becomes a mark when it has ended.
    turn: Option<(Time, usize)>,
}

impl Recorder {
    pub(super) fn new(marks: Rc<RefCell<Marks>>) -> Recorder {
        Recorder {
            marks,
            slept_at: Time::ZERO,
            turn: None,
        }
    }
}

impl Observer for Recorder {
    fn event(&mut self, at: Time, event: &Event<'_>) {
        // It is borrowed only while a page is written, by who cannot be a task then.
        let Ok(mut marks) = self.marks.try_borrow_mut() else {
            return;
        };
        let marks = &mut *marks;
        marks.began.get_or_insert(at);
        marks.ended = marks.ended.max(at);
        match *event {
            Event::Polls { .. } => self.slept_at = at,
            Event::TurnBegan { events, .. } => self.turn = Some((at, events)),
            Event::TurnEnded { resumed, .. } => {
                let (woke, events) = self.turn.take().unwrap_or((at, 0));
                marks.turn(self.slept_at, woke, at, resumed, events);
            }
            Event::Ticked { task, tick } => marks.tick(at, word(task.0), &tick),
            Event::Spawned { task, spawned_at } => {
                marks.totals.spawned += 1;
                let code = marks.place(spawned_at);
                marks.mark(at, Kind::Spawned, word(task.0), 0, 0, code);
            }
            Event::Ended { task, how } => {
                if let Ending::Failed(error) | Ending::Panicked(error) = how {
                    marks.totals.failed += 1;
                    let code = marks.reasons.number(&error.to_string());
                    marks.mark(at, Kind::Failed, word(task.0), 0, 0, code);
                }
            }
            _ => marks.connection(at, event),
        }
    }
}

fn word(key: Key) -> u64 {
    key.to_usize() as u64
}

impl Marks {
    fn mark(&mut self, at: Time, kind: Kind, a: u64, b: u64, c: u32, code: u16) {
        self.add(Mark {
            at: at.as_nanos(),
            a,
            b,
            c,
            code,
            kind,
        });
    }

    fn turn(&mut self, slept: Time, woke: Time, ended: Time, resumed: u64, events: usize) {
        self.totals.turns += 1;
        self.totals.resumed += resumed;
        self.totals.awake += ended.since(woke);
        let c = u32::try_from(resumed).unwrap_or(u32::MAX);
        let code = u16::try_from(events).unwrap_or(u16::MAX);
        self.mark(
            slept,
            Kind::Turn,
            woke.as_nanos(),
            ended.as_nanos(),
            c,
            code,
        );
    }

    fn tick(&mut self, at: Time, task: u64, tick: &Tick) {
        self.totals.ticks += 1;
        self.totals.missed += tick.missed;
        self.totals.tick_late_max = self.totals.tick_late_max.max(tick.late);
        let c = u32::try_from(tick.number).unwrap_or(u32::MAX);
        let code = u16::try_from(tick.missed).unwrap_or(u16::MAX);
        self.mark(at, Kind::Tick, task, tick.due.as_nanos(), c, code);
    }

    fn connection(&mut self, at: Time, event: &Event<'_>) {
        let simple = |kind, conn: ConnId| (kind, word(conn.0), 0, 0, 0);
        let (kind, a, b, c, code) = match *event {
            Event::Dialed {
                conn,
                number,
                shared,
                to,
            } => {
                self.totals.dialed += 1;
                let code = self.endpoint(to);
                (Kind::Dialed, word(conn.0), number, shared.into(), code)
            }
            Event::Connected { conn } => simple(Kind::Connected, conn),
            Event::HandshakeStarted { conn } => simple(Kind::Greets, conn),
            Event::Ready { conn } => simple(Kind::Ready, conn),
            Event::Idle { conn } => simple(Kind::Idle, conn),
            Event::Sent {
                conn,
                task,
                command,
                timeout,
                ..
            } => {
                let code = self.commands.number(command.as_str());
                (Kind::Sent, word(conn.0), who(task), millis(timeout), code)
            }
            Event::Answered {
                conn, task, answer, ..
            } => (self.answered(answer), word(conn.0), who(task), 0, 0),
            Event::CancelRequested {
                conn: Some(conn),
                task,
                ..
            } => (Kind::GivenUp, word(conn.0), who(task), 0, 0),
            Event::NotConnected { conn, why } => {
                let code = self.reasons.number(&why.to_string());
                (Kind::NotConnected, word(conn.0), 0, 0, code)
            }
            Event::Closed { conn, why } => {
                let code = self.reasons.number(&why.to_string());
                (Kind::Closed, word(conn.0), 0, 0, code)
            }
            _ => return,
        };
        self.mark(at, kind, a, b, c, code);
    }

    fn answered(&mut self, answer: Answer<'_>) -> Kind {
        let totals = &mut self.totals;
        let (count, kind) = match answer {
            Answer::Nil => (&mut totals.nil, Kind::Nil),
            Answer::Value => (&mut totals.values, Kind::Value),
            Answer::Error(_) => (&mut totals.errors, Kind::Error),
            Answer::Unwanted => (&mut totals.unwanted, Kind::Unwanted),
        };
        *count += 1;
        kind
    }
}

/// A task as a word; 0 for none.
fn who(task: Option<TaskId>) -> u64 {
    task.map_or(0, |task| word(task.0))
}

fn millis(timeout: Option<Duration>) -> u32 {
    let millis = timeout.map(|it| u32::try_from(it.as_millis()).unwrap_or(FOR_EVER));
    millis.unwrap_or(FOR_EVER)
}
