//! Who is connected, and what the server remembers of each.

use super::blocked::Waiting;
use super::call::{Command, Flags};
use super::reply::Reply;
use super::request::{OwnedArgs, Parser};
use crate::driver::Endpoint;
use crate::hub::TaskId;
use crate::resp::encode::Protocol;
use crate::time::Time;
use crate::token::{Key, Slots};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

/// All clients, by handle and by the number that the protocol knows them by.
#[derive(Debug, Default)]
pub(super) struct Clients {
    slots: Slots<Client>,
    by_id: BTreeMap<i64, Key>,
    last_id: i64,
}

/// One connected client.
#[derive(Debug)]
pub(super) struct Client {
    /// Counts up, and is never given out again.
    pub(super) id: i64,
    /// Its session, once that has been spawned.
    pub(super) task: Option<TaskId>,
    pub(super) peer: Endpoint,
    pub(super) local: Rc<str>,
    pub(super) name: Box<[u8]>,
    pub(super) library: [Box<[u8]>; 2],
    pub(super) db: usize,
    pub(super) signed_in: bool,
    pub(super) connected_at: Time,
    pub(super) heard_at: Time,
    pub(super) last_command: Option<&'static Command>,
    pub(super) transaction: Option<Box<Transaction>>,
    /// What it is blocked in.
    pub(super) waiting: Option<Box<Waiting>>,
    /// Bytes that it has sent and that are not executed yet.
    pub(super) input: Option<Box<Input>>,
    /// It has sent more commands than a turn's budget allows.
    pub(super) is_behind: bool,
    pub(super) output: Reply,
    pub(super) end: End,
}

/// What has come of a command that is not complete, or that stands behind one that waits.
#[derive(Debug)]
pub(super) struct Input {
    bytes: Vec<u8>,
    /// How many of `bytes` have been executed.
    done: usize,
    /// Where reading stands in the rest.
    pub(super) parser: Parser,
}

/// What was queued since `MULTI`.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    /// Empty while `EXEC` executes it.
    pub(super) queued: Vec<(&'static Command, OwnedArgs)>,
    pub(super) count: usize,
    /// The flags of all queued commands together.
    pub(super) flags: Flags,
    /// The lengths of all their arguments together.
    pub(super) bytes: usize,
    /// A command was refused, and so `EXEC` will be.
    pub(super) is_refused: bool,
}

/// Whether a connection goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    #[default]
    Open,
    /// It ends when its output is sent; nothing more is read.
    AfterReply,
    /// It ends at once.
    Now,
}

impl Input {
    pub(super) fn new(bytes: &[u8], parser: Parser) -> Input {
        Input {
            bytes: bytes.to_vec(),
            done: 0,
            parser,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.done
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// What is not executed, and where reading stands in it.
    pub(super) fn rest(&mut self) -> (&[u8], &mut Parser) {
        (&self.bytes[self.done..], &mut self.parser)
    }

    /// So many more bytes have been executed. The rest is moved to the front when it is the smaller
    /// half: moved each time, a long queue of short commands would be moved again and again.
    pub(super) fn executed(&mut self, count: usize) {
        self.done += count;
        if self.done > self.bytes.len() / 2 {
            self.bytes.drain(..self.done);
            self.done = 0;
        }
    }
}

impl Clients {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn get(&self, key: Key) -> Option<&Client> {
        self.slots.get(key)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Client> {
        self.slots.get_mut(key)
    }

    pub(super) fn by_id(&self, id: i64) -> Option<Key> {
        self.by_id.get(&id).copied()
    }

    /// In the order in which they connected.
    pub(super) fn keys(&self) -> impl Iterator<Item = Key> {
        self.by_id.values().copied()
    }

    /// The sessions of all clients, also of those that were [struck off](Clients::strike).
    pub(super) fn sessions(&self) -> impl Iterator<Item = TaskId> {
        self.slots.iter().filter_map(|(_, client)| client.task)
    }

    /// A client that is to end at once is not told of any more, although its session still has to end.
    pub(super) fn strike(&mut self, key: Key) {
        if let Some(client) = self.slots.get(key) {
            self.by_id.remove(&client.id);
        }
    }

    pub(super) fn add(&mut self, peer: Endpoint, local: Rc<str>, now: Time) -> Key {
        self.last_id += 1;
        let id = self.last_id;
        let key = self.slots.insert(Client {
            id,
            task: None,
            peer,
            local,
            name: Box::default(),
            library: Default::default(),
            db: 0,
            signed_in: false,
            connected_at: now,
            heard_at: now,
            last_command: None,
            transaction: None,
            waiting: None,
            input: None,
            is_behind: false,
            output: Reply::default(),
            end: End::Open,
        });
        self.by_id.insert(id, key);
        key
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.strike(key);
        self.slots.remove(key);
    }
}

impl Client {
    /// Where it comes from, as `CLIENT LIST` says it. The peer of a UNIX socket has no name: it goes by
    /// ours.
    pub(super) fn address(&self) -> String {
        match &self.peer {
            Endpoint::Tcp(address) => address.to_string(),
            Endpoint::Unix(_) => self.local.to_string(),
        }
    }

    /// Its line in `CLIENT LIST`.
    pub(super) fn line(&self, now: Time, protocol: Protocol) -> String {
        let mut line = String::new();
        let queued = self.transaction.as_ref().map(|open| open.count);
        let queued = queued.map_or("-1".into(), |count| count.to_string());
        let held = self.input.as_ref().map_or(0, |input| input.len());
        let resp = protocol.version();
        // Writing to a String cannot fail.
        let _ = writeln!(
            line,
            "id={} addr={} laddr={} name={} age={} idle={} flags={} db={} sub=0 psub=0 ssub=0 multi={queued} \
             qbuf={held} omem={} events=r cmd={} user=default redir=-1 resp={resp}{}",
            self.id,
            self.address(),
            self.local,
            String::from_utf8_lossy(&self.name),
            now.since(self.connected_at).as_secs(),
            now.since(self.heard_at).as_secs(),
            self.flags(),
            self.db,
            self.output.unsent().len(),
            self.last_command.map_or("NULL", |command| command.name),
            self.library(),
        );
        line
    }

    /// What it has told of its library.
    fn library(&self) -> String {
        let [name, version] = self
            .library
            .each_ref()
            .map(|text| String::from_utf8_lossy(text));
        match name.is_empty() && version.is_empty() {
            true => String::new(),
            false => format!(" lib-name={name} lib-ver={version}"),
        }
    }

    fn flags(&self) -> String {
        let flags = [
            (self.transaction.is_some(), 'x'),
            (self.waiting.is_some(), 'b'),
            (self.end == End::AfterReply, 'c'),
            (matches!(self.peer, Endpoint::Unix(_)), 'U'),
        ];
        let set: String = flags
            .iter()
            .filter(|flag| flag.0)
            .map(|flag| flag.1)
            .collect();
        if set.is_empty() { "N".into() } else { set }
    }
}
