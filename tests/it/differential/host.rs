//! One of the two servers, with the connections that a script has to it.

use super::commands::{Asked, is_calm, is_short, looks_around, may_block, may_close, unblocks};
use super::line::{Line, parse};
use super::masks::{Names, masked, masked_all};
use super::script::{CONNECTIONS, Command, Quoted, Script, Step, What, Word};
use crate::embedded::hosted::Hosted;
use crate::server::{PATIENCE, Server};
use greenroom::Password;
use greenroom::server::Config;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub(super) struct Host {
    pub(super) name: &'static str,
    socket: PathBuf,
    password: Option<&'static str>,
    /// What is to come, and has not after so long, will not.
    pub(super) patience: Duration,
    /// Looks, and is no part of a script.
    control: Option<Line>,
    pub(super) lines: [Option<Line>; CONNECTIONS],
    /// Who has which id, those of closed connections too.
    ids: HashMap<i64, usize>,
    /// The highest id there ever was: a connection that is new has a higher one.
    newest: i64,
    /// Whether the script has sent what may close a connection that waits for nothing.
    pub(super) may_close: bool,
    /// Whether the step leaves alone those who wait.
    pub(super) calm: bool,
    /// True while writes are paused: any command may be postponed.
    pub(super) paused: bool,
    /// Kept for its end, which comes after that of the connections.
    _server: Box<dyn fmt::Debug>,
}

/// What servers are started with.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Setting {
    pub(super) password: Option<&'static str>,
    /// Further flags of a `redis-server`.
    pub(super) flags: &'static [&'static str],
}

/// What has come of a step on one connection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    who: usize,
    pub(super) replies: Vec<Vec<u8>>,
    end: &'static str,
}

impl Host {
    pub(super) fn redis(setting: &Setting) -> Option<Host> {
        // The timeouts of blocked clients are looked at so often, and many scripts have them.
        let mut flags = vec!["--hz", "500"];
        if let Some(password) = setting.password {
            flags.extend(["--requirepass", password]);
        }
        flags.extend(setting.flags);
        let server = Server::start(&flags)?.may_crash();
        Some(Host::new("redis", setting, server.socket(), server))
    }

    pub(super) fn embedded(setting: &Setting) -> Host {
        let mut config = Config::default();
        config.password = setting.password.map(Password::new);
        let server = Hosted::start(config);
        Host::new("greenroom", setting, server.socket(), server)
    }

    fn new(
        name: &'static str,
        setting: &Setting,
        socket: PathBuf,
        server: impl fmt::Debug + 'static,
    ) -> Host {
        Host {
            name,
            socket,
            password: setting.password,
            patience: PATIENCE,
            control: None,
            lines: Default::default(),
            ids: HashMap::new(),
            newest: 0,
            calm: false,
            may_close: false,
            paused: false,
            _server: Box::new(server),
        }
    }

    /// Ends what a script has left behind.
    pub(super) fn clear(&mut self) -> Result<(), String> {
        self.drops(0..CONNECTIONS)?;
        self.ids.clear();
        self.may_close = false;
        self.paused = false;
        self.control(&[
            &["CLIENT", "UNPAUSE"],
            &["REPLICAOF", "NO", "ONE"],
            &["FLUSHALL"],
        ])
        .map(drop)
    }

    /// Sends what the step says.
    pub(super) fn begin(&mut self, step: &Step) -> Result<(), String> {
        self.calm = false;
        match &step.what {
            What::Drops => self.drops(step.who..step.who + 1),
            What::Asks(commands) => {
                // It may name its own id, and so needs one.
                self.line(step.who)?;
                let commands: Vec<Asked> =
                    commands.iter().map(|words| self.filled(words)).collect();
                if self.is_matter_of_luck(step.who, &commands) {
                    return Ok(());
                }
                self.may_close |= commands.iter().any(|words| may_close(words));
                let calm = commands.iter().all(|words| is_calm(words));
                let line = self.line(step.who)?;
                let idle = line.asked.is_empty();
                line.send(commands);
                self.calm = calm && idle && !self.paused;
                Ok(())
            }
            What::Raw { replies, bytes } => {
                self.may_close = true;
                self.line(step.who)?.send_raw(bytes, *replies);
                Ok(())
            }
            What::Pauses(pauses) => {
                self.paused = *pauses;
                let command: &[&str] = match pauses {
                    true => &["CLIENT", "PAUSE", "3600000", "WRITE"],
                    false => &["CLIENT", "UNPAUSE"],
                };
                self.control(&[command]).map(drop)
            }
            What::Until { reply, command } => self.until(step.who, command, reply),
        }
    }

    /// Whether commands are left out because of the moment in which they would run: that in which
    /// somebody serves the connection. Times that are short would run beside others then; and
    /// whether he who serves is still there when he is listed or killed, and whether his reply
    /// has left already, is nothing that a client could rely on. During a pause of writes, `CLIENT
    /// UNBLOCK` may find a postponed client, and crash both servers.
    fn is_matter_of_luck(&self, who: usize, commands: &[Asked]) -> bool {
        let has_queued = |line: &Line| line.queued.iter().any(|words| unblocks(words));
        let has_queued = self.lines[who].as_ref().is_some_and(has_queued);
        if self.paused && (has_queued || commands.iter().any(|words| unblocks(words))) {
            return true;
        }
        let busy = |line: &Line| !line.asked.is_empty();
        let busy = self.lines[who].as_ref().is_some_and(busy);
        let waits = commands.iter().position(|words| may_block(words));
        let first = if busy { Some(0) } else { waits };
        let behind = &commands[first.unwrap_or(commands.len())..];
        behind.iter().any(|words| looks_around(words))
            || (busy && commands.iter().any(|words| is_short(words)))
    }

    /// What there is to say about a connection; nothing about one that is silent as before.
    pub(super) fn seen(&mut self, who: usize) -> Option<Seen> {
        let line = self.lines[who].as_mut()?;
        let names = Names {
            own: line.id,
            all: &self.ids,
        };
        let mut replies = Vec::new();
        for (asked, reply) in std::mem::take(&mut line.came) {
            let is = |name: &[u8]| {
                asked
                    .first()
                    .is_some_and(|word| word.eq_ignore_ascii_case(name))
            };
            if is(b"EXEC") || is(b"DISCARD") {
                let queued = std::mem::take(&mut line.queued);
                replies.push(match reply.starts_with(b"*") {
                    true => masked_all(&queued, &reply, &names),
                    false => reply,
                });
            } else {
                replies.push(masked(&asked, &reply, &names));
                if reply == b"+QUEUED\r\n" {
                    line.queued.push(asked);
                }
            }
        }
        let end = match (line.open, line.waits) {
            (false, _) => "is closed",
            (true, true) => "waits",
            (true, false) => "",
        };
        if !line.open {
            self.lines[who] = None;
        }
        (!replies.is_empty() || !end.is_empty()).then_some(Seen { who, replies, end })
    }

    /// What the keys hold: questions, with the bytes of the replies.
    pub(super) fn state(&mut self, keys: &[&str]) -> Result<Vec<String>, String> {
        let mut commands: Vec<Vec<&str>> = Vec::new();
        for db in ["1", "0"] {
            commands.push(vec!["SELECT", db]);
            for key in keys {
                commands.push(vec!["TYPE", key]);
                commands.push(vec!["GET", key]);
                commands.push(vec!["LRANGE", key, "0", "-1"]);
            }
        }
        let words: Vec<&[&str]> = commands.iter().map(Vec::as_slice).collect();
        let replies = self.control(&words)?;
        let mut db = "";
        let told = commands.iter().zip(replies).map(|(words, reply)| {
            db = if words[0] == "SELECT" { words[1] } else { db };
            format!("in db {db}: {} {}", words.join(" "), Quoted(&reply))
        });
        let mut told: Vec<String> = told.collect();
        for line in self.lines.iter_mut().flatten() {
            line.drain();
        }
        let unasked = (0..CONNECTIONS).filter_map(|who| self.seen(who));
        told.extend(unasked.map(|seen| seen.to_string()));
        Ok(told)
    }

    /// Sends commands in the syntax of a script, including those that [`begin`](Host::begin) skips.
    pub(super) fn send_raw(&mut self, who: usize, commands: &str) {
        let script = Script::parse(&format!("c{who}: {commands}"));
        let What::Asks(commands) = &script.0[0].what else {
            unreachable!("it is parsed as commands")
        };
        self.line(who).unwrap();
        let commands: Vec<Asked> = commands.iter().map(|words| self.filled(words)).collect();
        self.line(who).unwrap().send(commands);
    }

    /// Reads a connection until the server closes it. Returns the replies.
    pub(super) fn replies_until_end(&mut self, who: usize) -> Vec<u8> {
        let line = self.lines[who].as_mut().expect("it was opened");
        while line.open {
            line.await_bytes().unwrap();
        }
        let replies = line.came.drain(..).map(|(_, reply)| reply);
        replies.collect::<Vec<_>>().concat()
    }

    pub(super) fn listens(&self) -> bool {
        UnixStream::connect(&self.socket).is_ok()
    }

    fn until(&mut self, who: usize, command: &Command, reply: &[u8]) -> Result<(), String> {
        let words = self.filled(command);
        let deadline = Instant::now() + self.patience;
        while Instant::now() < deadline {
            let line = self.line(who)?;
            line.send([words.clone()]);
            while line.open && line.came.is_empty() {
                line.await_bytes()?;
            }
            if line.came.pop().is_none_or(|(_, came)| came == reply) {
                return Ok(());
            }
        }
        Err(format!("the reply has never been {}", Quoted(reply)))
    }

    /// Closes connections, and waits until the server knows.
    fn drops(&mut self, which: Range<usize>) -> Result<(), String> {
        let lines: Vec<Line> = self.lines[which]
            .iter_mut()
            .filter_map(Option::take)
            .collect();
        let ids: Vec<i64> = lines.iter().map(|line| line.id).collect();
        drop(lines);
        let deadline = Instant::now() + self.patience;
        while !ids.is_empty() {
            let clients = self.clients()?;
            if !ids.iter().any(|id| clients.contains_key(id)) {
                break;
            }
            if Instant::now() > deadline {
                return Err("a connection was closed, and CLIENT LIST still has it".into());
            }
        }
        Ok(())
    }

    fn filled(&self, command: &Command) -> Asked {
        let id = |who: usize| {
            let ids = self.ids.iter().filter(|(_, owner)| **owner == who);
            ids.map(|(id, _)| *id).max().unwrap_or_default()
        };
        let words = command.iter().map(|word| match word {
            Word::Bytes(bytes) => bytes.clone(),
            Word::Id(who) => id(*who).to_string().into_bytes(),
        });
        words.collect()
    }

    /// A connection of the script, opened if it is not.
    fn line(&mut self, who: usize) -> Result<&mut Line, String> {
        if self.lines[who].is_none() {
            let mut line = Line::open(&self.socket, self.patience)?;
            let newest = self.newest;
            let deadline = Instant::now() + self.patience;
            while line.id == 0 {
                let clients = self.clients()?;
                let control = self.control.as_ref().map_or(0, |control| control.id);
                let new = clients.keys().find(|id| **id > newest && **id != control);
                line.id = new.copied().unwrap_or_default();
                if Instant::now() > deadline {
                    return Err("CLIENT LIST does not have a new connection".into());
                }
            }
            self.ids.insert(line.id, who);
            self.lines[who] = Some(line);
        }
        Ok(self.lines[who].as_mut().expect("it was just opened"))
    }

    /// Asks the control connection.
    pub(super) fn control(&mut self, commands: &[&[&str]]) -> Result<Vec<Vec<u8>>, String> {
        // A script may kill it, like any other connection.
        if let Some(Ok(replies)) = self.control.as_mut().map(|line| line.ask(commands)) {
            return Ok(replies);
        }
        let line = self
            .control
            .insert(Line::open(&self.socket, self.patience)?);
        if let Some(password) = self.password {
            line.ask(&[&["AUTH", password]])?;
        }
        let id = line.ask(&[&["CLIENT", "ID"]])?;
        line.id = parse(&id[0], b":").unwrap_or_default();
        self.newest = self.newest.max(line.id);
        line.ask(commands)
    }

    /// The ids of all connections, with their flags.
    pub(super) fn clients(&mut self) -> Result<HashMap<i64, String>, String> {
        let replies = self.control(&[&["CLIENT", "LIST"]])?;
        let text = String::from_utf8_lossy(&replies[0]);
        let mut clients = HashMap::new();
        for line in text.lines().filter(|line| line.starts_with("id=")) {
            let id = parse(
                line.split(' ').next().unwrap_or_default().as_bytes(),
                b"id=",
            );
            let flags = line
                .split(" flags=")
                .nth(1)
                .and_then(|rest| rest.split(' ').next());
            clients.extend(id.zip(flags.map(str::to_owned)));
        }
        self.newest = clients.keys().copied().fold(self.newest, i64::max);
        Ok(clients)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.who)?;
        for reply in &self.replies {
            write!(f, " {}", Quoted(reply))?;
        }
        match self.end {
            "" => Ok(()),
            end => write!(f, " {end}"),
        }
    }
}
