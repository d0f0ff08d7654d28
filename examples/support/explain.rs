//! The run, narrated: who runs, what it asks for, who is woken by what, and why the hub sleeps; and beside it the same in the words of
//! gevent.
//!
//! Everything that is told comes from the hub's own hook, see `Hub::observe`. A few pops are told in full, the first and the last;
//! what the others do meanwhile is counted, and so is what the embedded server does, whose tasks run on the same hub.

use super::options::Options;
use super::progress;
use greenroom::observe::{Answer, Awaits, By, ConnId, Ending, Event, Observer, Sleeps};
use greenroom::{Hub, TaskId, Tick, Time};
use std::collections::HashMap;
use std::fmt::Display;
use std::io::{Write, stderr};

/// So many pops are all told in full; of more, so many of the first and of the last.
const ALL_MAX: usize = 6;
const FIRST: usize = 2;
const LAST: usize = 2;

/// So many ticks of the cron task are told.
const TICKS_MAX: u64 = 10;

/// See the [module](self).
pub(crate) struct Explain {
    begin: Time,
    main: TaskId,
    pops: usize,
    /// How many were spawned.
    spawned: usize,
    names: HashMap<TaskId, String>,
    /// The numbers of connections, and whether they have had a pop that is told.
    conns: HashMap<ConnId, (u64, bool)>,
    /// Whether main waits for the end of one of many that are not told.
    main_waits: bool,
    /// What the hub did before it had something to tell: told if something is.
    sleep: Option<(Time, String, &'static str)>,
    meanwhile: Meanwhile,
}

/// What is only counted.
#[derive(Default)]
struct Meanwhile {
    spawned: u64,
    asked: u64,
    answered: u64,
    ended: u64,
    others: u64,
}

impl Explain {
    pub(crate) fn new(hub: &Hub, options: &Options) -> Explain {
        let explain = Explain {
            begin: hub.now(),
            main: hub.main(),
            pops: options.clients,
            spawned: 0,
            names: HashMap::from([(hub.main(), "main".into())]),
            conns: HashMap::new(),
            main_waits: false,
            sleep: None,
            meanwhile: Meanwhile::default(),
        };
        explain.put("seconds", "who", "what happens", "in gevent");
        explain
    }

    fn put(&self, at: &str, who: &str, what: &str, gevent: &str) {
        // What cannot be told is not worth ending the run.
        let line = format!("{at:<9} {who:<8} {what:<62} {gevent}");
        let _ = writeln!(stderr(), "{}{}", progress::wipe(), line.trim_end());
    }

    /// Tells, after what has led up to it.
    fn tell(&mut self, at: Time, who: &str, what: impl Display, gevent: &str) {
        let since = |at: Time, begin| format!("{:.6}", at.since(begin).as_secs_f64());
        if let Some(counted) = self.meanwhile.take() {
            self.put("", "", &counted, "");
        }
        if let Some((at, what, gevent)) = self.sleep.take() {
            self.put(&since(at, self.begin), "hub", &what, gevent);
        }
        self.put(&since(at, self.begin), who, &what.to_string(), gevent);
    }

    /// The cron task is spawned first, and then the pops; whatever is not spawned by the main file is not ours.
    fn name(&mut self, file: &str) -> Option<String> {
        if !file.ends_with("concurrent_brpop.rs") {
            return None;
        }
        self.spawned += 1;
        match self.spawned - 1 {
            0 => Some("cron".into()),
            pop if self.pops <= ALL_MAX || pop <= FIRST || pop > self.pops - LAST => {
                Some(format!("pop {pop}"))
            }
            _ => {
                self.meanwhile.spawned += 1;
                Some(String::new())
            }
        }
    }

    /// The name of a task that is told.
    fn name_of(&self, task: TaskId) -> Option<String> {
        self.names
            .get(&task)
            .filter(|name| !name.is_empty())
            .cloned()
    }

    /// The name of a task that is told; those that are not count as `others`.
    fn told(&mut self, task: TaskId, count: fn(&mut Meanwhile) -> &mut u64) -> Option<String> {
        match self.names.get(&task) {
            Some(name) if !name.is_empty() => return Some(name.clone()),
            Some(_) => *count(&mut self.meanwhile) += 1,
            None => self.meanwhile.others += 1,
        }
        None
    }
}

impl Meanwhile {
    fn take(&mut self) -> Option<String> {
        let it = std::mem::take(self);
        let counts = [
            (it.spawned, "are spawned"),
            (it.asked, "ask"),
            (it.answered, "are answered"),
            (it.ended, "end"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        (!counts.is_empty()).then(|| format!("... of the other pops, {}", counts.join(", ")))
    }
}

impl Observer for Explain {
    fn event(&mut self, at: Time, event: &Event<'_>) {
        match *event {
            Event::Polls { sleeps, .. } => self.sleeps(at, sleeps),
            Event::NothingLeft => {
                self.tell(at, "hub", "finds nothing left to wait for", "LoopExit")
            }
            Event::Spawned { task, spawned_at } => {
                let Some(name) = self.name(spawned_at.file()) else {
                    return;
                };
                if !name.is_empty() {
                    let what = format!("is spawned as {task:?}, and is ready");
                    self.tell(
                        at,
                        &name,
                        what,
                        "gevent.spawn(...): starts in the next iteration",
                    );
                }
                self.names.insert(task, name);
            }
            Event::Resumed { task, by } => self.resumed(at, task, by),
            Event::Asked { task, command } => {
                if let Some(name) = self.told(task, |it| &mut it.asked) {
                    self.tell(
                        at,
                        &name,
                        format_args!("asks {command}"),
                        "redis.brpop(...): sends, and reads",
                    );
                }
            }
            Event::Waits { task, what, until } => self.waits(at, task, what, until),
            Event::Ended { task, how } => self.ended(at, task, how),
            Event::Ticked { task, tick } => self.ticked(at, task, &tick),
            _ => self.connection(at, event),
        }
    }
}

impl Explain {
    fn sleeps(&mut self, at: Time, sleeps: Sleeps) {
        let (what, gevent) = match sleeps {
            Sleeps::NotAtAll => (
                "does not sleep: somebody is ready, or bytes are to be sent".into(),
                "loop.run(): callbacks are pending",
            ),
            Sleeps::UntilTimer(time) => (
                format!(
                    "sleeps for {:.6} s at most: a timer is due then",
                    time.as_secs_f64()
                ),
                "loop.run(): epoll_wait, until the next timer",
            ),
            _ => (
                "sleeps until a socket has something: no timer is due".into(),
                "loop.run(): epoll_wait, for ever",
            ),
        };
        self.sleep = Some((at, what, gevent));
    }

    fn ticked(&mut self, at: Time, task: TaskId, tick: &Tick) {
        let Some(name) = self.told(task, |it| &mut it.others) else {
            return;
        };
        let late = tick.late.as_secs_f64() * 1e3;
        let mut what = format!("runs its tick {}, {late:.3} ms late", tick.number);
        if tick.number == TICKS_MAX {
            what.push_str(" (later ones are not told)");
            self.names.remove(&task);
        }
        self.tell(at, &name, what, "the body of its loop");
    }

    fn resumed(&mut self, at: Time, task: TaskId, by: By) {
        if by == By::Joined && std::mem::take(&mut self.main_waits) {
            return;
        }
        let Some(name) = self.told(task, |it| &mut it.others) else {
            return;
        };
        let gevent = match by {
            By::Start => "Greenlet.run()",
            By::Killed => "GreenletExit is raised in it",
            By::Joined if task == self.main => "joinall(): one more is dead",
            _ => "the hub switches back to it",
        };
        let what = match task == self.main {
            true => format!("is to go on: {by}"),
            false => format!("is resumed: {by}"),
        };
        self.tell(at, &name, what, gevent);
    }

    fn waits(&mut self, at: Time, task: TaskId, what: Awaits, until: Option<Time>) {
        // Who waits has asked or was resumed: it is counted already.
        let Some(name) = self.name_of(task) else {
            return;
        };
        let until = until.map(|at| at.since(self.begin).as_secs_f64());
        let (what, gevent) = match (what, until) {
            (Awaits::Sleep, Some(until)) => (
                format!("sleeps until {until:.6}; meanwhile others run"),
                "gevent.sleep(...): switches to the hub",
            ),
            (Awaits::Reply(_), _) => (
                "waits for the reply; meanwhile others run".into(),
                "wait_read(socket): switches to the hub",
            ),
            (Awaits::Join(other), _) => {
                let Some(other) = self.name_of(other) else {
                    // It waits for all in turn: for most it need not be told.
                    self.main_waits = true;
                    return;
                };
                (
                    format!("waits for the end of {other}"),
                    "joinall(...): switches to the hub",
                )
            }
            (other, _) => (format!("waits for {other}"), "switches to the hub"),
        };
        self.tell(at, &name, what, gevent);
    }

    fn ended(&mut self, at: Time, task: TaskId, how: Ending<'_>) {
        let Some(name) = self.told(task, |it| &mut it.ended) else {
            return;
        };
        let gevent = match how {
            Ending::Failed(_) | Ending::Panicked(_) => "the exception ends it: Hub.handle_error",
            Ending::Killed => "dead",
            _ => "its function returns: dead",
        };
        self.tell(at, &name, how, gevent);
        self.names.insert(task, String::new());
    }

    fn connection(&mut self, at: Time, event: &Event<'_>) {
        match *event {
            Event::Dialed { conn, number, .. } => {
                self.conns.insert(conn, (number, false));
            }
            Event::Sent {
                conn,
                task: Some(task),
                command,
                ..
            } => {
                // It is counted when it asks.
                let Some(name) = self.name_of(task) else {
                    return;
                };
                let conn = self.tell_from_now_on(conn);
                let what = format!("is connected, and sends {command} for {name}");
                self.tell(at, &conn, what, "socket.connect, socket.send");
            }
            Event::Answered {
                conn,
                task: Some(task),
                answer,
                took,
                ..
            } => {
                let Some(name) = self.told(task, |it| &mut it.answered) else {
                    return;
                };
                let conn = self.tell_from_now_on(conn);
                let answer = match answer {
                    Answer::Nil => "nil",
                    Answer::Value => "an element",
                    _ => "an error",
                };
                let took = took.as_secs_f64();
                let what = format!("has {answer} for {name}, after {took:.6} s: it is ready");
                self.tell(at, &conn, what, "its watcher fires: Waiter.switch");
            }
            Event::Closed { conn, why } => {
                if let Some((number, true)) = self.conns.remove(&conn) {
                    let what = format!("is gone: {why}");
                    self.tell(at, &format!("conn {number}"), what, "the socket is closed");
                }
            }
            _ => {}
        }
    }

    /// The name of a connection that has something to do with a pop that is told.
    fn tell_from_now_on(&mut self, conn: ConnId) -> String {
        let known = self.conns.get_mut(&conn);
        known.map_or_else(
            || "conn ?".into(),
            |(number, told)| {
                *told = true;
                format!("conn {number}")
            },
        )
    }
}
