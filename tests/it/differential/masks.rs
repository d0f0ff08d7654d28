//! What two servers may answer differently, and why: everything else is compared byte by byte.
//!
//! Some commands are not asked for at all: `SHUTDOWN`, which ends the server of all scripts,
//! `CONFIG SET`, which changes it for the next ones, and `CONFIG GET` of more than one name: Redis has
//! them in a table that is shuffled anew at each start.

use super::commands::Asked;
use super::line::parse;
use greenroom::resp::{Decoder, Limits};
use std::collections::HashMap;

struct Exception {
    command: &'static str,
    /// Replaces what cannot be equal.
    mask: fn(&[u8], &Names<'_>) -> Vec<u8>,
    #[expect(dead_code, reason = "it is for the reader")]
    why: &'static str,
}

const EXCEPTIONS: &[Exception] = &[
    Exception {
        command: "CLIENT ID",
        mask: own_id,
        why: "ids count all connections of a server's life; it has to be that of the connection",
    },
    Exception {
        command: "HELLO",
        mask: hello,
        why: "it has the id, and the version of the server, which is nobody's to imitate",
    },
    Exception {
        command: "CLIENT LIST",
        mask: list,
        why: "addresses, descriptors, times and memory: see `LIST_FIELDS`",
    },
    Exception {
        command: "INFO",
        mask: kind,
        why: "figures of a process",
    },
    Exception {
        command: "ROLE",
        mask: role,
        why: "a replica that cannot reach its master tries again now and then",
    },
    Exception {
        command: "COMMAND",
        mask: kind,
        why: "it describes all commands, and there are not as many",
    },
    Exception {
        command: "COMMAND COUNT",
        mask: kind,
        why: "there are not as many commands",
    },
    Exception {
        command: "COMMAND INFO",
        mask: kind,
        why: "key positions, ACL categories and tips are more than a client needs",
    },
];

/// Fields of a line of `CLIENT LIST` that are left out: where the connection comes from, how old it
/// is, and what its buffers take up.
const LIST_FIELDS: [&str; 16] = [
    "addr",
    "laddr",
    "fd",
    "age",
    "idle",
    "qbuf",
    "qbuf-free",
    "argv-mem",
    "multi-mem",
    "rbs",
    "rbp",
    "obl",
    "oll",
    "omem",
    "tot-mem",
    "events",
];

/// The ids of the connections of a script, on the server that has replied.
pub(super) struct Names<'a> {
    /// The one that was answered.
    pub(super) own: i64,
    pub(super) all: &'a HashMap<i64, usize>,
}

impl Names<'_> {
    fn of(&self, id: i64) -> Option<String> {
        self.all.get(&id).map(|who| format!("<id of c{who}>"))
    }
}

/// What is compared of a reply.
pub(super) fn masked(asked: &Asked, reply: &[u8], names: &Names<'_>) -> Vec<u8> {
    match EXCEPTIONS.iter().find(|exception| exception.covers(asked)) {
        // Neither errors nor `QUEUED` tell anything that may differ.
        Some(exception) if !b"-+".contains(&reply[0]) => (exception.mask)(reply, names),
        _ => reply.to_vec(),
    }
}

/// What is compared of the reply to `EXEC`, which is an array of replies to what was queued.
pub(super) fn masked_all(queued: &[Asked], reply: &[u8], names: &Names<'_>) -> Vec<u8> {
    let end = reply.iter().position(|byte| *byte == b'\n').unwrap();
    let (head, mut rest) = reply.split_at(end + 1);
    let mut out = head.to_vec();
    for asked in queued {
        let before = rest;
        if let Ok(Some(_)) = Decoder::new().decode(&mut rest, &Limits::default()) {
            out.extend(masked(asked, &before[..before.len() - rest.len()], names));
        }
    }
    // There is nothing left, unless the reply has more than was queued.
    [&out, rest].concat()
}

impl Exception {
    fn covers(&self, asked: &Asked) -> bool {
        let names = self.command.split(' ').map(str::as_bytes);
        let same = |(name, word): (&[u8], &Vec<u8>)| word.eq_ignore_ascii_case(name);
        let words = self.command.split(' ').count();
        let alone = self.command == "COMMAND" && asked.len() > 1;
        asked.len() >= words && names.zip(asked).all(same) && !alone
    }
}

fn own_id(reply: &[u8], names: &Names<'_>) -> Vec<u8> {
    match parse(reply, b":") {
        Some(id) if id == names.own => b":<its id>\r\n".to_vec(),
        _ => reply.to_vec(),
    }
}

fn hello(reply: &[u8], names: &Names<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut lines = reply.split_inclusive(|byte| *byte == b'\n');
    while let Some(line) = lines.next() {
        out.extend(line);
        match line {
            b"version\r\n" => {
                // Its length, and itself.
                lines.nth(1);
                out.extend(b"<a version>\r\n");
            }
            b"id\r\n" => out.extend(lines.next().into_iter().flat_map(|id| own_id(id, names))),
            _ => {}
        }
    }
    out
}

/// A replica between two attempts to connect is one that connects.
fn role(reply: &[u8], _: &Names<'_>) -> Vec<u8> {
    let text = String::from_utf8_lossy(reply);
    text.replace("$10\r\nconnecting", "$7\r\nconnect")
        .into_bytes()
}

/// The type of the reply.
fn kind(reply: &[u8], _: &Names<'_>) -> Vec<u8> {
    reply[..1].to_vec()
}

/// The lines of those that the script knows, in the order of their names: Redis turns its list
/// round a little in every tick of its cron.
fn list(reply: &[u8], names: &Names<'_>) -> Vec<u8> {
    let text = String::from_utf8_lossy(reply);
    let mut lines = Vec::new();
    for line in text.lines().skip(1) {
        // As a verbatim string, the first begins with its format.
        let line = line.strip_prefix("txt:").unwrap_or(line);
        let mut fields = line
            .split(' ')
            .map(|field| field.split_once('=').unwrap_or((field, "")));
        let id = fields.next().and_then(|(_, id)| id.parse().ok());
        if let Some(name) = id.and_then(|id| names.of(id)) {
            let fields = fields.filter(|(field, _)| !LIST_FIELDS.contains(field));
            let fields = fields.map(|(field, value)| match field {
                // Served a moment ago, and not looked after yet: a state of Redis' loop.
                "flags" => format!(" flags={}", value.replace('u', "")),
                _ => format!(" {field}={value}"),
            });
            lines.push(format!("\n{name}{}", fields.collect::<String>()));
        }
    }
    lines.sort();
    [&text[..1], &lines.concat()].concat().into_bytes()
}
