//! Lanes become a page.
//!
//! The data are one JSON object in the page, whose times are whole microseconds from the beginning, each told as what it is later than the one
//! before: most of them have a few digits then.
//!
//! | field | what it is |
//! |---|---|
//! | `span` | how long all of it took |
//! | `totals` | figures, by name, also of what was dropped |
//! | `dropped` | `null`, or `[how many marks, from, to]` |
//! | `texts` | `commands`, `reasons`, `places`, `to`: lists of texts, which are named by number |
//! | `tasks` | index, generation, number of a place (or -1) and of a reason (or -1), for each task that a lane names |
//! | `sends` | number of a command and a timeout in ms (or -1), for each kind of sending there is |
//! | `conns` | for each lane its number, 1 if it is shared, where it leads to (or -1), and marks of three: later, code, argument |
//! | `crons` | for each task its number, and ticks of four: due later, late, number, missed |
//! | `turns` | asleep later than the last turn's end, asleep for, awake for, resumptions, events |
//!
//! The codes of a connection's marks are the places of their names in `CODES`; what comes behind them is a kind of sending.

use super::json::{List, Text};
use super::lanes::{Conn, Cron, Lanes, name};
use super::marks::{FOR_EVER, Kind, Mark, Marks};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};

const HTML: &str = include_str!("page/page.html");
const CSS: &str = include_str!("page/page.css");

/// The program of the page, in the order in which its parts need each other.
const SCRIPTS: [&str; 5] = [
    include_str!("page/data.js"),
    include_str!("page/view.js"),
    include_str!("page/draw.js"),
    include_str!("page/words.js"),
    include_str!("page/main.js"),
];

const CODES: [&str; 14] = [
    "dialed",
    "connected",
    "greets",
    "ready",
    "idle",
    "nil",
    "value",
    "error",
    "unwanted",
    "givenUp",
    "notConnected",
    "closed",
    "unknown",
    "sent",
];

pub(super) fn write(marks: &Marks, out: &mut impl Write) -> io::Result<()> {
    for piece in HTML.split("{{").flat_map(|piece| piece.split("}}")) {
        match piece {
            "title" => write_escaped(&marks.title, out)?,
            "css" => out.write_all(CSS.as_bytes())?,
            "scripts" => SCRIPTS
                .iter()
                .try_for_each(|script| out.write_all(script.as_bytes()))?,
            "data" => out.write_all(Data::of(marks).text.as_bytes())?,
            html => out.write_all(html.as_bytes())?,
        }
    }
    out.flush()
}

fn write_escaped(text: &str, out: &mut impl Write) -> io::Result<()> {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    out.write_all(text.as_bytes())
}

/// The data, while they are written.
struct Data<'a> {
    text: String,
    began: u64,
    marks: &'a Marks,
    tasks: Vec<u64>,
    numbers: HashMap<u64, usize>,
    sends: Vec<(u16, u32)>,
}

impl<'a> Data<'a> {
    fn of(marks: &'a Marks) -> Data<'a> {
        let lanes = Lanes::of(marks);
        let mut data = Data {
            text: String::from("{"),
            began: marks.began.unwrap_or_default().as_nanos(),
            marks,
            tasks: Vec::new(),
            numbers: HashMap::new(),
            sends: Vec::new(),
        };
        data.head(&lanes);
        data.lanes("conns", &lanes.conns, Data::conn);
        data.lanes("crons", &lanes.crons, Data::cron);
        data.turns(&lanes.turns);
        data.names(&lanes);
        data.text.push('}');
        data
    }

    /// Writing to a string does not fail.
    fn put(&mut self, what: std::fmt::Arguments<'_>) {
        let _ = self.text.write_fmt(what);
    }

    /// Microseconds from the beginning.
    fn micros(&self, at: u64) -> u64 {
        at.saturating_sub(self.began) / 1000
    }

    fn head(&mut self, lanes: &Lanes) {
        let marks = self.marks;
        let span = self.micros(marks.ended.as_nanos());
        self.put(format_args!("\"span\":{span},\"codes\":"));
        self.put(format_args!("{}", List(CODES.map(Text))));
        let dropped = marks.gap().map(|(from, to)| {
            let (from, to) = (self.micros(from.as_nanos()), self.micros(to.as_nanos()));
            format!("[{},{from},{to}]", marks.dropped())
        });
        let dropped = dropped.unwrap_or_else(|| "null".into());
        self.put(format_args!(",\"dropped\":{dropped}"));
        let totals = &marks.totals;
        let late = |percent: usize| {
            let rank = (lanes.late.len() * percent).div_ceil(100).max(1) - 1;
            lanes.late.get(rank).map_or(0, |late| late / 1000)
        };
        let figures = [
            ("connections", totals.dialed),
            ("inFlight", lanes.in_flight_max().into()),
            ("tasks", totals.spawned),
            ("failed", totals.failed),
            ("nil", totals.nil),
            ("values", totals.values),
            ("errors", totals.errors),
            ("unwanted", totals.unwanted),
            ("turns", totals.turns),
            ("resumed", totals.resumed),
            ("awake", micros(totals.awake)),
            ("ticks", totals.ticks),
            ("missed", totals.missed),
            ("tickLate", micros(totals.tick_late_max)),
            ("lateHalf", late(50)),
            ("lateMax", late(100)),
        ];
        let figures = figures.map(|(name, figure)| format!("\"{name}\":{figure}"));
        self.put(format_args!(",\"totals\":{{{}}}", figures.join(",")));
    }

    fn lanes<T>(&mut self, name: &str, lanes: &[T], put: impl Fn(&mut Self, &T)) {
        self.put(format_args!(",\"{name}\":["));
        for (index, lane) in lanes.iter().enumerate() {
            self.text.push_str(if index > 0 { ",[" } else { "[" });
            put(self, lane);
            self.text.push(']');
        }
        self.text.push(']');
    }

    fn conn(&mut self, conn: &Conn) {
        let number = conn.dialed.map_or(0, |mark| mark.b);
        let to = conn.dialed.map_or(-1, |mark| i32::from(mark.code));
        let shared = u8::from(conn.is_shared());
        self.put(format_args!("{number},{shared},{to}"));
        let mut last = 0;
        for &(at, mark) in &conn.marks {
            let at = self.micros(at);
            let (code, argument) = mark.map_or((UNKNOWN, 0), |mark| self.code(&mark));
            self.put(format_args!(
                ",{},{code},{argument}",
                at.saturating_sub(last)
            ));
            last = at;
        }
    }

    fn code(&mut self, mark: &Mark) -> (usize, usize) {
        let code = match mark.kind {
            Kind::Sent => return self.send(mark),
            Kind::Dialed => 0,
            Kind::Connected => 1,
            Kind::Greets => 2,
            Kind::Ready => 3,
            Kind::Idle => 4,
            Kind::Nil => 5,
            Kind::Value => 6,
            Kind::Error => 7,
            Kind::Unwanted => 8,
            Kind::GivenUp => 9,
            Kind::NotConnected => return (10, mark.code.into()),
            Kind::Closed => return (11, mark.code.into()),
            Kind::Turn | Kind::Tick | Kind::Spawned | Kind::Failed => UNKNOWN,
        };
        (code, 0)
    }

    fn send(&mut self, mark: &Mark) -> (usize, usize) {
        let send = (mark.code, mark.c);
        let known = self.sends.iter().rposition(|&it| it == send);
        let number = known.unwrap_or_else(|| {
            self.sends.push(send);
            self.sends.len() - 1
        });
        (UNKNOWN + 1 + number, self.task(mark.b))
    }

    /// The number of a task.
    fn task(&mut self, task: u64) -> usize {
        let next = self.tasks.len();
        let number = *self.numbers.entry(task).or_insert(next);
        if number == next {
            self.tasks.push(task);
        }
        number
    }

    fn cron(&mut self, cron: &Cron) {
        let number = self.task(cron.task);
        self.put(format_args!("{number}"));
        let mut last = 0;
        for tick in &cron.ticks {
            let (due, at) = (self.micros(tick.b), self.micros(tick.at));
            let later = due.saturating_sub(last);
            let late = at.saturating_sub(due);
            self.put(format_args!(",{later},{late},{},{}", tick.c, tick.code));
            last = due;
        }
    }

    fn turns(&mut self, turns: &[Mark]) {
        self.text.push_str(",\"turns\":[");
        let mut last = 0;
        for (index, turn) in turns.iter().enumerate() {
            let [slept, woke, ended] = [turn.at, turn.a, turn.b].map(|at| self.micros(at));
            let comma = if index > 0 { "," } else { "" };
            self.put(format_args!(
                "{comma}{},{},{},{},{}",
                slept.saturating_sub(last),
                woke.saturating_sub(slept),
                ended.saturating_sub(woke),
                turn.c,
                turn.code
            ));
            last = ended;
        }
        self.text.push(']');
    }

    /// What the lanes name by numbers.
    fn names(&mut self, lanes: &Lanes) {
        let sends = std::mem::take(&mut self.sends);
        let sends = sends.iter().map(|&(command, timeout)| match timeout {
            FOR_EVER => format!("{command},-1"),
            timeout => format!("{command},{timeout}"),
        });
        self.put(format_args!(",\"sends\":{}", List(sends)));
        let tasks = std::mem::take(&mut self.tasks);
        let number = |map: &HashMap<u64, u16>, task| map.get(task).map_or(-1, |&it| i32::from(it));
        let tasks = tasks.iter().map(|task| {
            let (index, generation) = match task {
                0 => ("-1".into(), "-1".into()),
                _ => split(&name(*task)),
            };
            let (place, reason) = (number(&lanes.spawned, task), number(&lanes.failed, task));
            format!("{index},{generation},{place},{reason}")
        });
        self.put(format_args!(",\"tasks\":{}", List(tasks)));
        let marks = self.marks;
        let places: Vec<_> = marks.places.iter().map(ToString::to_string).collect();
        let endpoints = marks.endpoints();
        let texts = [
            ("commands", &marks.commands.texts),
            ("reasons", &marks.reasons.texts),
            ("to", &endpoints),
            ("places", &places),
        ];
        let texts = texts.map(|(name, texts)| {
            let texts = List(texts.iter().map(|text| Text(text)));
            format!("\"{name}\":{texts}")
        });
        self.put(format_args!(",\"texts\":{{{}}}", texts.join(",")));
    }
}

/// The code of what is not known. Those of sendings follow it.
const UNKNOWN: usize = CODES.len() - 2;

fn split(name: &str) -> (String, String) {
    let (index, generation) = name.split_once('.').unwrap_or(("-1", "-1"));
    (index.into(), generation.into())
}

fn micros(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
