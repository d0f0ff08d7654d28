//! Lanes become a trace in the Trace Event Format.
//!
//! Process 1 is the hub. Its thread 1 has the turns, from waking to their end; threads 2 to 99 cron tasks; the others a connection each, whose
//! states are complete events (`X`). Ticks are instants (`i`) at the moment at which they ran. Counters (`C`) have what is in flight and
//! what is idle. Events stand in the order of the threads, and within a thread in the order of time.

use super::json::{Micros, Text};
use super::lanes::{Conn, Cron, Lanes, name};
use super::marks::{Kind, Mark, Marks};
use std::io::{self, Write};

const TURNS: u64 = 1;
const CRON: u64 = 2;
const CONNS: u64 = 100;

pub(super) fn write(marks: &Marks, out: &mut impl Write) -> io::Result<()> {
    let lanes = Lanes::of(marks);
    let began = marks.began.unwrap_or_default().as_nanos();
    let mut trace = Trace { out, began, marks };
    write!(
        trace.out,
        "{{\"displayTimeUnit\":\"ms\",\"otherData\":{{\"dropped\":{}}},",
        marks.dropped()
    )?;
    writeln!(trace.out, "\"traceEvents\":[")?;
    write!(
        trace.out,
        "{{\"ph\":\"M\",\"pid\":1,\"tid\":0,\"ts\":0,\"name\":\"process_name\","
    )?;
    write!(trace.out, "\"args\":{{\"name\":{}}}}}", Text(&marks.title))?;
    trace.turns(&lanes)?;
    for (tid, cron) in (CRON..CONNS).zip(&lanes.crons) {
        trace.cron(tid, cron)?;
    }
    for (tid, conn) in (CONNS..).zip(&lanes.conns) {
        trace.conn(tid, conn)?;
    }
    trace.counters(&lanes)?;
    writeln!(trace.out, "\n]}}")?;
    trace.out.flush()
}

struct Trace<'a, W> {
    out: &'a mut W,
    began: u64,
    marks: &'a Marks,
}

impl<W: Write> Trace<'_, W> {
    fn micros(&self, at: u64) -> Micros {
        Micros(at.saturating_sub(self.began))
    }

    fn thread(&mut self, tid: u64, name: &str) -> io::Result<()> {
        for (what, key, value) in [
            ("thread_name", "name", Text(name).to_string()),
            ("thread_sort_index", "sort_index", tid.to_string()),
        ] {
            write!(
                self.out,
                ",\n{{\"ph\":\"M\",\"pid\":1,\"tid\":{tid},\"ts\":0,\"name\":\"{what}\","
            )?;
            write!(self.out, "\"args\":{{\"{key}\":{value}}}}}")?;
        }
        Ok(())
    }

    /// Something that lasts.
    fn complete(&mut self, tid: u64, name: &str, from: u64, to: u64, args: &str) -> io::Result<()> {
        let (at, lasts) = (self.micros(from), Micros(to.saturating_sub(from)));
        write!(
            self.out,
            ",\n{{\"ph\":\"X\",\"pid\":1,\"tid\":{tid},\"ts\":{at},\"dur\":{lasts},"
        )?;
        write!(self.out, "\"name\":{},\"args\":{{{args}}}}}", Text(name))
    }

    fn turns(&mut self, lanes: &Lanes) -> io::Result<()> {
        self.thread(TURNS, "turns")?;
        for turn in &lanes.turns {
            let slept = Micros(turn.a.saturating_sub(turn.at));
            let args = format!(
                "\"resumed\":{},\"events\":{},\"slept_us\":{slept}",
                turn.c, turn.code
            );
            self.complete(TURNS, "turn", turn.a, turn.b, &args)?;
        }
        Ok(())
    }

    fn cron(&mut self, tid: u64, cron: &Cron) -> io::Result<()> {
        self.thread(tid, &format!("cron, task {}", name(cron.task)))?;
        for tick in &cron.ticks {
            let at = self.micros(tick.at);
            let due = self.micros(tick.b);
            write!(
                self.out,
                ",\n{{\"ph\":\"i\",\"s\":\"t\",\"pid\":1,\"tid\":{tid},\"ts\":{at},"
            )?;
            write!(
                self.out,
                "\"name\":\"tick {}\",\"args\":{{\"due_us\":{due},",
                tick.c
            )?;
            let late = Micros(tick.at.saturating_sub(tick.b));
            write!(self.out, "\"late_us\":{late},\"missed\":{}}}}}", tick.code)?;
        }
        Ok(())
    }

    fn conn(&mut self, tid: u64, conn: &Conn) -> io::Result<()> {
        self.thread(tid, &conn.name())?;
        let end = self.marks.ended.as_nanos();
        let mut state: Option<(&str, u64, String)> = None;
        for &(at, mark) in &conn.marks {
            let Some((next, args)) = self.state(mark.as_ref()) else {
                continue;
            };
            // What takes no time is not worth a line, but for commands.
            if let Some((name, from, args)) = state.take() {
                if at > from || !args.is_empty() {
                    self.complete(tid, name, from, at, &args)?;
                }
            }
            state = next.map(|name| (name, at, args));
        }
        match state {
            Some((name, from, args)) => self.complete(tid, name, from, end, &args),
            None => Ok(()),
        }
    }

    /// The state that a mark begins, if it begins one: its name, and what is to be said of it.
    fn state(&self, mark: Option<&Mark>) -> Option<(Option<&'static str>, String)> {
        let Some(mark) = mark else {
            return Some((None, String::new()));
        };
        Some(match mark.kind {
            Kind::Dialed => (Some("connecting"), String::new()),
            Kind::Greets => (Some("handshake"), String::new()),
            Kind::Idle => (Some("idle"), String::new()),
            Kind::Sent => {
                let command = self.marks.commands.texts.get(usize::from(mark.code));
                let command = Text(command.map_or("", String::as_str));
                let task = Text(&name(mark.b)).to_string();
                (
                    Some("in flight"),
                    format!("\"command\":{command},\"task\":{task}"),
                )
            }
            Kind::Closed | Kind::Ready => (None, String::new()),
            Kind::Nil | Kind::Value | Kind::Error | Kind::Unwanted => {
                (Some("answered"), String::new())
            }
            _ => return None,
        })
    }

    fn counters(&mut self, lanes: &Lanes) -> io::Result<()> {
        for &(at, in_flight, idle) in &lanes.counts {
            let at = self.micros(at);
            write!(
                self.out,
                ",\n{{\"ph\":\"C\",\"pid\":1,\"tid\":0,\"ts\":{at},\"name\":\"connections\","
            )?;
            write!(
                self.out,
                "\"args\":{{\"in flight\":{in_flight},\"idle\":{idle}}}}}"
            )?;
        }
        Ok(())
    }
}
