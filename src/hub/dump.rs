//! The dump: what every task of a hub waits for, in words.
//!
//! A program that does nothing looks the same whether it is idle or stuck. Where there is a thread for each thing to do, a
//! debugger shows the stacks of all of them. Tasks have no stacks; but each has told the hub what it waits for, so the
//! hub can say it: for each task what, for how long already, and where it was spawned.
//!
//! Ten thousand lines help nobody. With 20 tasks or more, those that were spawned at the same place and wait for the
//! same kind of thing are one line, with their number and the one that has waited longest. So a program of any size
//! fills a screen at most, and what does not belong there stands out.
//!
//! It costs nothing until it is asked for, but one word for each wait: when it began.

use super::Hub;
use super::ids::TaskId;
use super::task::{Direction, Event};
use super::tasks::{Slot, State};
use crate::client::RequestLocation;
use crate::time::Time;
use crate::token::Key;
use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// With so many tasks, those that are alike share a line. Fewer fit on a screen.
const GROUPED_FROM: usize = 20;

/// What every task of a hub waits for: see [`Hub::dump`]. It is written by `Display`.
#[derive(Clone, Copy, Debug)]
pub struct Dump<'hub> {
    hub: &'hub Hub,
}

/// What a task does, as far as those that do it are alike.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Runs,
    /// Main, while a task runs in a turn that main has called for itself.
    Turns,
    Ready,
    Sleeps,
    Notify,
    Connection(Key),
    Reply(Key),
    SharedReply(Key, bool),
    NoReply,
    Read,
    Write,
    ReadOrWrite,
    Accept,
    Join,
    Nothing,
}

struct Row<'hub> {
    key: Key,
    slot: &'hub Slot,
    kind: Kind,
}

struct Group<'hub> {
    count: usize,
    longest: Row<'hub>,
}

impl Hub {
    /// What every task waits for, since when, and where it was spawned; and what the pools have and the hub has done: to
    /// be printed, with a line for each.
    ///
    /// It may be called anywhere, also by a task, which is then the one that runs. The usual place is a task that
    /// waits for a signal, `SIGUSR1`: `eprintln!("{}", hub.dump())`. With 20 tasks or more, those that were
    /// spawned at the same place and wait for the same kind of thing are one line. Ten thousand tasks take about a
    /// millisecond. Passwords are not shown. The text is for people: it may change with any version.
    ///
    /// Times are rounded to 0.1 s. A wait that has lasted for 2.3 years begins again at zero.
    ///
    /// ```
    /// use greenroom::{Hub, Wait, secs};
    /// let mut hub = Hub::new()?;
    /// for _ in 0..500 {
    ///     hub.spawn(|_hub, _wake| Ok(Wait::sleep(secs(9))));
    /// }
    /// let watcher = hub.spawn(|hub, _wake| {
    ///     let dump = hub.dump().to_string();
    ///     assert!(dump.contains("500 tasks sleep, the longest (task"), "{dump}");
    ///     Ok(Wait::done())
    /// });
    /// hub.join(watcher)?;
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    ///
    /// A program with a hundred pops, fifty of which wait for a connection, prints something like this:
    ///
    /// ```text
    /// hub: 103 tasks, 0 ready; 5 timers, 100 requests; 1 streams and listeners
    /// done: 41 turns, 41 polls, 103 events (0 stale), 208 resumptions, 0 failures
    /// pool 0.1 redis://:***@127.0.0.1:6379: 50 connections, 50 in use, 0 available; 50 commands wait for one; no shared connection; 50 connects (0 again), 0 replies dropped
    /// main waits for the end of task 1.3, for 1.2 s
    /// task 103.105 runs; spawned at src/main.rs:31:9
    /// 50 tasks wait for a reply of pool 0.1, the longest (task 1.3) for 1.2 s; spawned at src/main.rs:18:17
    /// 50 tasks wait for a connection of pool 0.1, the longest (task 51.53) for 1.2 s; spawned at src/main.rs:18:17
    /// task 101.103 sleeps, for 0.1 s, 0.1 s to go; spawned at src/main.rs:25:9
    /// task 102.104 waits to accept at listener 0.1, for 1.2 s; spawned at src/main.rs:27:9
    /// ```
    pub fn dump(&self) -> Dump<'_> {
        Dump { hub: self }
    }

    fn kind(&self, key: Key, slot: &Slot) -> Kind {
        let event = match slot.state {
            State::InLine => return Kind::Ready,
            State::Running if self.running.is_some_and(|running| running != key) => {
                return Kind::Turns;
            }
            State::Running => return Kind::Runs,
            State::Waiting(event) => event,
        };
        match event {
            Event::Done => Kind::Nothing,
            Event::Sleep(_) => Kind::Sleeps,
            Event::Notify => Kind::Notify,
            Event::Reply(ticket) => match self.clients.locate(ticket) {
                Some(RequestLocation::Queued { client }) => Kind::Connection(client),
                Some(RequestLocation::Dedicated { client, .. }) => Kind::Reply(client),
                Some(RequestLocation::Shared { client, is_up }) => Kind::SharedReply(client, is_up),
                None => Kind::NoReply,
            },
            Event::Stream(_, Direction::Read) => Kind::Read,
            Event::Stream(_, Direction::Write) => Kind::Write,
            Event::Stream(_, Direction::Either) => Kind::ReadOrWrite,
            Event::Accept(_) => Kind::Accept,
            Event::Join(_) => Kind::Join,
        }
    }
}

impl fmt::Display for Dump<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_hub(f)?;
        self.write_pools(f)?;
        let rows = self.hub.tasks.iter().map(|(key, slot)| {
            let kind = self.hub.kind(key, slot);
            Row { key, slot, kind }
        });
        // Main counts as none, and comes first: its place in the table is the first.
        if self.hub.tasks.len() <= GROUPED_FROM {
            for row in rows {
                self.write_row(f, &row)?;
            }
            return Ok(());
        }
        let now = self.hub.now();
        for group in groups(rows, self.hub.main, now) {
            self.write_group(f, &group, now)?;
        }
        Ok(())
    }
}

/// Those that are alike, the largest group first. Main stands alone before all.
fn groups<'hub>(rows: impl Iterator<Item = Row<'hub>>, main: Key, now: Time) -> Vec<Group<'hub>> {
    type Like = (Option<&'static Location<'static>>, Kind);
    let mut places: HashMap<Like, usize> = HashMap::new();
    let mut groups: Vec<Group<'hub>> = Vec::new();
    for row in rows {
        let place = (row.key != main).then_some(row.slot.spawned_at);
        let index = *places.entry((place, row.kind)).or_insert(groups.len());
        match groups.get_mut(index) {
            None => groups.push(Group {
                count: 1,
                longest: row,
            }),
            Some(group) => {
                group.count += 1;
                if row.slot.since.until(now) > group.longest.slot.since.until(now) {
                    group.longest = row;
                }
            }
        }
    }
    groups.sort_by_key(|group| (group.longest.key != main, usize::MAX - group.count));
    groups
}

impl Dump<'_> {
    fn write_hub(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hub = self.hub;
        let (tasks, ready) = (hub.tasks.len() - 1, hub.tasks.in_line());
        let (timers, requests) = (hub.timers.len(), hub.clients.pending());
        let streams = hub.ports.len();
        writeln!(
            f,
            "hub: {tasks} tasks, {ready} ready; {timers} timers, {requests} requests; \
             {streams} streams and listeners"
        )?;
        let stats = &hub.stats;
        writeln!(
            f,
            "done: {} turns, {} polls, {} events ({} stale), {} resumptions, {} failures",
            stats.turns,
            stats.polls,
            stats.events,
            stats.stale_events,
            stats.resumptions,
            stats.failures
        )
    }

    fn write_pools(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, address, stats) in self.hub.clients.iter() {
            // An address displays its password as stars.
            write!(f, "pool {key:?} {address}: {} connections, ", stats.created)?;
            write!(
                f,
                "{} in use, {} available; ",
                stats.in_use, stats.available
            )?;
            write!(f, "{} commands wait for one; ", stats.waiting)?;
            let shared = if stats.shared { "a" } else { "no" };
            writeln!(
                f,
                "{shared} shared connection; {} connects ({} again), {} replies dropped",
                stats.connects, stats.connects_retried, stats.replies_dropped
            )?;
        }
        Ok(())
    }

    /// One task, with all that is known of it.
    fn write_row(&self, f: &mut fmt::Formatter<'_>, row: &Row<'_>) -> fmt::Result {
        let is_main = row.key == self.hub.main;
        match is_main {
            true => f.write_str("main")?,
            false => write!(f, "{:?}", TaskId(row.key))?,
        }
        row.kind.write_verb(f, 1)?;
        self.write_object(f, row)?;
        let now = self.hub.now();
        if let State::Waiting(event) = row.slot.state {
            write!(f, ", for {}", Seconds(row.slot.since.until(now)))?;
            let end = row.slot.timer.and_then(|it| self.hub.timers.when(it));
            match (end, event) {
                (None, _) => {}
                (Some(end), Event::Sleep(_)) => {
                    write!(f, ", {} to go", Seconds(end.since(now)))?;
                }
                (Some(end), _) => write!(f, ", deadline in {}", Seconds(end.since(now)))?,
            }
        }
        match is_main {
            true => writeln!(f),
            false => writeln!(f, "; spawned at {}", row.slot.spawned_at),
        }
    }

    /// Which one it waits for, of the kind that it waits for.
    fn write_object(&self, f: &mut fmt::Formatter<'_>, row: &Row<'_>) -> fmt::Result {
        let State::Waiting(event) = row.slot.state else {
            return Ok(());
        };
        match event {
            Event::Reply(ticket) => match self.hub.clients.locate(ticket) {
                Some(RequestLocation::Dedicated { number, .. }) => {
                    write!(f, " on connection {number}")
                }
                _ => Ok(()),
            },
            Event::Stream(stream, _) => write!(f, " {:?}", stream.key()),
            Event::Accept(listener) => write!(f, " {:?}", listener.key()),
            Event::Join(task) => write!(f, " {:?}", task.0),
            Event::Done | Event::Sleep(_) | Event::Notify => Ok(()),
        }
    }

    fn write_group(&self, f: &mut fmt::Formatter<'_>, group: &Group<'_>, now: Time) -> fmt::Result {
        let longest = &group.longest;
        if group.count == 1 {
            return self.write_row(f, longest);
        }
        write!(f, "{} tasks", group.count)?;
        longest.kind.write_verb(f, group.count)?;
        if let State::Waiting(_) = longest.slot.state {
            let waited = Seconds(longest.slot.since.until(now));
            write!(f, ", the longest ({:?}) for {waited}", TaskId(longest.key))?;
        }
        writeln!(f, "; spawned at {}", longest.slot.spawned_at)
    }
}

impl Kind {
    /// What so many tasks of this kind do.
    fn write_verb(self, f: &mut fmt::Formatter<'_>, count: usize) -> fmt::Result {
        let (s, are, a) = match count {
            1 => ("s", "is", ""),
            _ => ("", "are", "a "),
        };
        match self {
            Kind::Runs => write!(f, " run{s}"),
            Kind::Turns => write!(f, " make{s} a turn"),
            Kind::Ready => write!(f, " {are} ready"),
            Kind::Sleeps => write!(f, " sleep{s}"),
            Kind::Notify => write!(f, " wait{s} for a notify"),
            Kind::Connection(pool) => write!(f, " wait{s} for a connection of pool {pool:?}"),
            Kind::Reply(pool) => write!(f, " wait{s} for a reply of pool {pool:?}"),
            Kind::SharedReply(pool, ready) => {
                let state = if ready { "" } else { ", which is not ready" };
                write!(
                    f,
                    " wait{s} for a reply of pool {pool:?} on the shared connection{state}"
                )
            }
            Kind::NoReply => write!(f, " wait{s} for a request that has ended"),
            Kind::Read => write!(f, " wait{s} to read {a}stream"),
            Kind::Write => write!(f, " wait{s} to write {a}stream"),
            Kind::ReadOrWrite => write!(f, " wait{s} to read or write {a}stream"),
            Kind::Accept => write!(f, " wait{s} to accept at {a}listener"),
            Kind::Join => write!(f, " wait{s} for the end of {a}task"),
            Kind::Nothing => write!(f, " wait{s} for nothing"),
        }
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s", self.0.as_secs_f64())
    }
}
