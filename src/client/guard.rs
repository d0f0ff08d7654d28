//! How the server is asked to end a wait, without harm to it.
//!
//! While a server's writes are paused (`CLIENT PAUSE n WRITE`, `FAILOVER`, a shutdown with lagging
//! replicas), a pop that arrives is *postponed*: blocked, but in no list. `CLIENT UNBLOCK` of such a
//! client is a server panic in Redis from 6.2 and in Valkey, until it was fixed in 2025
//! ([redis#14164], [valkey#2117]). Any client that sends `CLIENT UNBLOCK` can do this to such a
//! server. So the question is not sent alone. It is in a transaction, behind a *guard*: the pop's
//! own command, with a timeout that is no number.
//!
//! - A pause of writes holds the guard back as it does the pop, and all that is behind it with it.
//!   The question is put when the pause is over.
//! - The guard changes nothing: the server refuses its timeout before it looks at a key. An error
//!   inside `EXEC` does not keep the next command from running.
//! - Its user may run it: it is the command, and the keys, that the user has just run.
//!
//! Where the server refuses the guard before it queues it (`LOADING`, `NOREPLICAS`, `NOPERM`), it
//! executes none of the transaction (`EXECABORT`). Where it refuses `MULTI` alone, the guard still
//! holds back what is behind it. Servers that have the fix are asked without a guard, and so are
//! commands that a pause of writes does not hold back.
//!
//! `CLIENT UNBLOCK id ERROR` is no way out: a postponed command is answered, and runs all the same.
//!
//! [redis#14164]: https://github.com/redis/redis/pull/14164
//! [valkey#2117]: https://github.com/valkey-io/valkey/pull/2117

use super::cancel::UnblockReply;
use super::command::{Command, arguments};
use super::verdict::error_code;
use crate::resp::Value;
use std::num::NonZeroU64;

/// How the server may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnblockMode {
    /// Inside a transaction, behind a guard.
    Guarded,
    /// Alone: the server has the fix.
    Straight,
}

/// A question: its bytes, and how many replies it has.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) bytes: Vec<u8>,
    pub(super) replies: usize,
}

const MULTI: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";
const EXEC: &[u8] = b"*1\r\n$4\r\nEXEC\r\n";

/// A timeout that every server refuses.
const NO_NUMBER: &str = "x";

impl Question {
    /// The question that ends the wait of client `id`, which has sent the command `payload`.
    /// `None` if it cannot be put safely.
    pub(super) fn new(id: NonZeroU64, payload: &[u8], mode: UnblockMode) -> Option<Question> {
        let unblock = Command::new("CLIENT").arg("UNBLOCK").arg(id.get());
        let unblock = unblock.into_write_buf();
        if mode == UnblockMode::Straight || is_read(payload) {
            return Some(Question {
                bytes: unblock.unsent().to_vec(),
                replies: 1,
            });
        }
        let guard = guard(payload)?.into_write_buf();
        let bytes = [MULTI, guard.unsent(), unblock.unsent(), EXEC].concat();
        Some(Question { bytes, replies: 4 })
    }
}

fn is_name_of(payload: &[u8], names: &[&str]) -> bool {
    let name = arguments(payload).next().unwrap_or_default();
    let mut names = names.iter();
    names.any(|it| it.as_bytes().eq_ignore_ascii_case(name))
}

/// True for a blocking command that a pause of writes does not hold back.
fn is_read(payload: &[u8]) -> bool {
    is_name_of(payload, &["XREAD", "WAIT", "WAITAOF"])
}

/// A blocking command with a timeout that is no number; `None` where it is not known which argument
/// the timeout is.
fn guard(payload: &[u8]) -> Option<Command> {
    let args: Vec<_> = arguments(payload).collect();
    let last = [
        "BRPOP",
        "BLPOP",
        "BLMOVE",
        "BRPOPLPUSH",
        "BZPOPMIN",
        "BZPOPMAX",
    ];
    let timeout = if is_name_of(payload, &last) {
        args.len().checked_sub(1).filter(|&at| at > 0)?
    } else if is_name_of(payload, &["BLMPOP", "BZMPOP"]) {
        1
    } else if is_name_of(payload, &["XREADGROUP"]) {
        let block = args
            .iter()
            .position(|arg| arg.eq_ignore_ascii_case(b"BLOCK"));
        block? + 1
    } else {
        return None;
    };
    let (name, rest) = args.split_first()?;
    let mut command = Command::new(std::str::from_utf8(name).ok()?);
    for (at, arg) in rest.iter().enumerate() {
        command = match at + 1 == timeout {
            true => command.arg(NO_NUMBER),
            false => command.arg(*arg),
        };
    }
    (timeout < args.len()).then_some(command)
}

/// What the replies to a question say.
pub(super) fn unblock_reply(reply: &Value) -> UnblockReply {
    match reply {
        Value::Array(replies) => transaction_reply(replies),
        reply => single_reply(reply),
    }
}

/// The replies to `MULTI`, the guard, `CLIENT UNBLOCK` and `EXEC`.
fn transaction_reply(replies: &[Value]) -> UnblockReply {
    match replies {
        [_, _, _, Value::Array(results)] => match results.as_slice() {
            [_, unblock] => single_reply(unblock),
            _ => UnblockReply::NotNow,
        },
        // Without MULTI, the question was put by itself, behind the guard.
        [Value::Error(_), _, unblock, _] => single_reply(unblock),
        // One of the two was refused before EXEC: nothing was executed.
        [_, guard, unblock, _] => {
            let refused = [guard, unblock].into_iter().find(|reply| reply.is_error());
            refused.map_or(UnblockReply::NotNow, single_reply)
        }
        _ => UnblockReply::NotNow,
    }
}

fn single_reply(reply: &Value) -> UnblockReply {
    match reply {
        Value::Int(1) => UnblockReply::Unblocked,
        Value::Error(text) => {
            let code = error_code(text);
            let refused: [&[u8]; 3] = [b"ERR", b"NOPERM", b"NOAUTH"];
            match refused.contains(&code) {
                true => UnblockReply::Refused,
                false => UnblockReply::NotNow,
            }
        }
        _ => UnblockReply::NotBlocked,
    }
}

/// How a server may be asked, by its answer to `INFO server`.
///
/// The release notes name the fix in Redis 7.4.6, 8.0.4 and 8.2.0, and in Valkey 8.0.5; Valkey
/// 9.0.0 has it. No release of Redis 6.2, 7.0 and 7.2 or of Valkey 7.2 and 8.1 is known to.
pub(super) fn unblock_mode(info: &[u8]) -> UnblockMode {
    let field = |name: &str| {
        let mut lines = info.split(|&byte| byte == b'\n');
        let value = lines.find_map(|line| line.strip_prefix(name.as_bytes()))?;
        parse(std::str::from_utf8(value).ok()?.trim())
    };
    let is_fixed = match (field("valkey_version:"), field("redis_version:")) {
        (Some([8, 0, patch]), _) => patch >= 5,
        (Some([major, ..]), _) => major >= 9,
        (None, Some([7, 4, patch])) => patch >= 6,
        (None, Some([8, 0, patch])) => patch >= 4,
        (None, Some([major, minor, _])) => (major, minor) >= (8, 2),
        (None, None) => false,
    };
    match is_fixed {
        true => UnblockMode::Straight,
        false => UnblockMode::Guarded,
    }
}

fn parse(version: &str) -> Option<[u32; 3]> {
    let mut parts = version.split('.').map(|part| part.parse::<u32>());
    Some([
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(command: Command, mode: UnblockMode) -> Option<(String, usize)> {
        let id = NonZeroU64::new(7).unwrap();
        let payload = command.into_write_buf();
        let question = Question::new(id, payload.unsent(), mode)?;
        let text = String::from_utf8(question.bytes).unwrap();
        let words = text
            .split("\r\n")
            .filter(|word| !word.starts_with(['*', '$']));
        let text = words.collect::<Vec<_>>().join(" ");
        Some((text.trim_end().to_owned(), question.replies))
    }

    fn guarded(words: &str) -> Option<String> {
        let mut words = words.split(' ');
        let mut command = Command::new(words.next().unwrap());
        for word in words {
            command = command.arg(word);
        }
        let (text, replies) = question(command, UnblockMode::Guarded)?;
        match replies {
            4 => {
                let guard = text.strip_prefix("MULTI ")?;
                Some(guard.strip_suffix(" CLIENT UNBLOCK 7 EXEC")?.to_owned())
            }
            _ => Some(text),
        }
    }

    #[test]
    fn guard_is_the_command_with_a_timeout_that_is_no_number() {
        for (command, guard) in [
            ("BRPOP a b 1", "BRPOP a b x"),
            ("blpop a 0", "blpop a x"),
            ("BLMOVE a b RIGHT LEFT 1", "BLMOVE a b RIGHT LEFT x"),
            ("BRPOPLPUSH a b 1", "BRPOPLPUSH a b x"),
            ("BZPOPMIN a 1", "BZPOPMIN a x"),
            ("BLMPOP 1 2 a b LEFT", "BLMPOP x 2 a b LEFT"),
            ("BZMPOP 1 1 a MIN", "BZMPOP x 1 a MIN"),
            (
                "XREADGROUP GROUP g c BLOCK 5 STREAMS s >",
                "XREADGROUP GROUP g c BLOCK x STREAMS s >",
            ),
            ("XREAD BLOCK 5 STREAMS s $", "CLIENT UNBLOCK 7"),
            ("WAIT 1 0", "CLIENT UNBLOCK 7"),
        ] {
            assert_eq!(guarded(command).as_deref(), Some(guard), "{command}");
        }
        assert_eq!(guarded("MODULE.WAIT a 1"), None);
        assert_eq!(guarded("BRPOP"), None);
    }

    #[test]
    fn a_fixed_server_is_asked_without_a_guard() {
        let pop = Command::new("BRPOP").arg("a").arg(1);
        let asked = question(pop, UnblockMode::Straight);
        assert_eq!(asked, Some(("CLIENT UNBLOCK 7".into(), 1)));
    }

    #[test]
    fn replies_to_a_transaction_say_what_was_executed() {
        let ok = || Value::Simple("OK".into());
        let queued = || Value::Simple("QUEUED".into());
        let error = |text: &str| Value::Error(text.to_owned().into());
        let no_timeout = || error("ERR timeout is not a float or out of range");
        let reply = |replies: [Value; 4]| unblock_reply(&Value::Array(replies.into()));
        for (id, expected) in [(1, UnblockReply::Unblocked), (0, UnblockReply::NotBlocked)] {
            let results = Value::Array(vec![no_timeout(), Value::Int(id)]);
            assert_eq!(reply([ok(), queued(), queued(), results]), expected);
            let no_multi = error("NOPERM this user has no permissions");
            let exec = error("ERR EXEC without MULTI");
            let replies = [no_multi, no_timeout(), Value::Int(id), exec];
            assert_eq!(reply(replies), expected);
        }
        let abort = || error("EXECABORT Transaction discarded");
        let loading = [ok(), error("LOADING x"), queued(), abort()];
        assert_eq!(reply(loading), UnblockReply::NotNow);
        let denied = [ok(), queued(), error("NOPERM x"), abort()];
        assert_eq!(reply(denied), UnblockReply::Refused);
        assert_eq!(unblock_reply(&Value::Int(1)), UnblockReply::Unblocked);
    }

    #[test]
    fn only_versions_with_the_fix_are_asked_directly() {
        let mode = |info: &str| unblock_mode(format!("# Server\r\n{info}\r\n").as_bytes());
        for version in ["6.2.14", "7.0.15", "7.2.11", "7.4.5", "8.0.3", "8.1.0", "x"] {
            let info = format!("redis_version:{version}");
            assert_eq!(mode(&info), UnblockMode::Guarded, "{version}");
        }
        for version in ["7.4.6", "8.0.4", "8.2.0", "8.4.1", "9.0.0"] {
            let info = format!("redis_version:{version}");
            assert_eq!(mode(&info), UnblockMode::Straight, "{version}");
        }
        for (version, expected) in [
            ("7.2.11", UnblockMode::Guarded),
            ("8.0.4", UnblockMode::Guarded),
            ("8.0.5", UnblockMode::Straight),
            ("8.1.3", UnblockMode::Guarded),
            ("9.0.0", UnblockMode::Straight),
        ] {
            let info = format!("redis_version:7.2.4\r\nvalkey_version:{version}");
            assert_eq!(mode(&info), expected, "{version}");
        }
        assert_eq!(mode("os:Linux"), UnblockMode::Guarded);
    }
}
