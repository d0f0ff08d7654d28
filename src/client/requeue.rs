//! Elements that were popped for a task which no longer waits, and the commands that put them back.
//!
//! A blocking command changes a key when it is answered. If the task has stopped waiting by then,
//! the element must go back: to the end of the list that it came from, or with its score into the
//! sorted set. A sorted set's member goes back with `ZADD NX`, so that a score that a producer has
//! set since is kept. `BLMOVE` and `BRPOPLPUSH` need none of this: they have put the element into
//! another list in the same step.

use super::command::Command;
use crate::resp::Value;
use crate::token::Key;
use std::fmt;

/// The command that puts back what a blocking command has popped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requeue {
    /// Nothing was removed.
    Nothing,
    /// `[key, element]`
    LPush,
    RPush,
    /// `[key, [element ...]]`
    LPushMany,
    RPushMany,
    /// `[key, member, score]`
    ZAdd,
    /// `[key, [[member, score] ...]]`
    ZAddMany,
}

/// An element that no task claims: the argument of
/// [`Redis::on_undelivered`](crate::Redis::on_undelivered).
#[derive(Clone, Debug)]
pub struct Undelivered {
    pub(crate) client: Key,
    pub(super) requeue: Requeue,
    pub(super) reply: Value,
}

impl Requeue {
    /// For a command whose name is known to pop.
    pub(crate) fn of(command: &Command) -> Requeue {
        let is = |name: &str| command.name().eq_ignore_ascii_case(name.as_bytes());
        if is("BRPOP") {
            Requeue::RPush
        } else if is("BLPOP") {
            Requeue::LPush
        } else if is("BLMPOP") {
            match command.side_of_many() {
                Some(side) if side.eq_ignore_ascii_case(b"LEFT") => Requeue::LPushMany,
                Some(side) if side.eq_ignore_ascii_case(b"RIGHT") => Requeue::RPushMany,
                _ => Requeue::Nothing,
            }
        } else if is("BZPOPMIN") || is("BZPOPMAX") {
            Requeue::ZAdd
        } else if is("BZMPOP") {
            Requeue::ZAddMany
        } else {
            Requeue::Nothing
        }
    }

    /// True if a reply has the shape of the command's answer. A peer that is no Redis server, or
    /// that has lost its place in the stream, must not deliver an element.
    pub(super) fn fits(self, reply: &Value) -> bool {
        if reply.is_null() || reply.is_error() {
            return true;
        }
        let parts = reply.as_slice().unwrap_or_default();
        let is_text = |value: &Value| value.as_bytes().is_some();
        match (self, parts) {
            (Requeue::Nothing, _) => true,
            (Requeue::LPush | Requeue::RPush, [key, element]) => is_text(key) && is_text(element),
            (Requeue::ZAdd, [key, member, score]) => {
                let is_score = is_text(score) || matches!(score, Value::Double(_));
                is_text(key) && is_text(member) && is_score
            }
            (Requeue::LPushMany | Requeue::RPushMany | Requeue::ZAddMany, [key, elements]) => {
                is_text(key) && elements.as_slice().is_some()
            }
            _ => false,
        }
    }
}

impl Undelivered {
    /// The server's answer: of `BRPOP`, the list and the element.
    pub fn reply(&self) -> &Value {
        &self.reply
    }

    /// The server's answer, to keep.
    pub fn into_reply(self) -> Value {
        self.reply
    }

    /// The command that puts the element back where it came from. `None` where nothing was removed,
    /// as by `BLMOVE`: its element is in the other list.
    pub fn requeue_command(&self) -> Option<Command> {
        let parts = self.reply.as_slice()?;
        let (key, rest) = parts.split_first()?;
        let push = |name: &str| Some(Command::new(name).arg(key.as_bytes()?));
        match (self.requeue, rest) {
            (Requeue::LPush, [element]) => Some(push("LPUSH")?.arg(element.as_bytes()?)),
            (Requeue::RPush, [element]) => Some(push("RPUSH")?.arg(element.as_bytes()?)),
            (Requeue::LPushMany, [elements]) => add_all(push("LPUSH")?, elements),
            (Requeue::RPushMany, [elements]) => add_all(push("RPUSH")?, elements),
            (Requeue::ZAdd, [member, score]) => add(push("ZADD")?.arg("NX"), member, score),
            (Requeue::ZAddMany, [pairs]) => {
                let mut command = push("ZADD")?.arg("NX");
                for pair in pairs.as_slice()? {
                    let [member, score] = pair.as_slice()? else {
                        return None;
                    };
                    command = add(command, member, score)?;
                }
                Some(command)
            }
            _ => None,
        }
    }
}

/// Names the key and the element's length, for a log line: contents may be secrets.
impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.reply.as_slice().unwrap_or_default();
        let (key, rest) = parts.split_first().map_or((None, parts), |(key, rest)| {
            (key.as_bytes().map(crate::error::printable), rest)
        });
        let bytes: usize = rest.iter().map(text_bytes).sum();
        write!(
            f,
            "{bytes} bytes from {}",
            key.as_deref().unwrap_or("an unknown key")
        )
    }
}

fn text_bytes(value: &Value) -> usize {
    let elements = value.as_slice().unwrap_or_default();
    let own = value.as_bytes().map_or(0, <[u8]>::len);
    own + elements.iter().map(text_bytes).sum::<usize>()
}

/// Pushes the last element first, so that the one that was popped first is outermost again.
fn add_all(mut command: Command, elements: &Value) -> Option<Command> {
    for element in elements.as_slice()?.iter().rev() {
        command = command.arg(element.as_bytes()?);
    }
    Some(command)
}

fn add(command: Command, member: &Value, score: &Value) -> Option<Command> {
    let command = match score {
        Value::Double(score) => command.arg(*score),
        score => command.arg(score.as_bytes()?),
    };
    Some(command.arg(member.as_bytes()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Slots;

    fn bulk(text: &str) -> Value {
        Value::Bulk(text.to_owned().into())
    }

    fn undelivered(command: &Command, reply: Vec<Value>) -> Undelivered {
        Undelivered {
            client: Slots::new().insert(()),
            requeue: Requeue::of(command),
            reply: Value::Array(reply),
        }
    }

    fn requeued(command: &Command, reply: Vec<Value>) -> Option<String> {
        let undelivered = undelivered(command, reply);
        assert!(undelivered.requeue.fits(&undelivered.reply));
        let bytes = undelivered.requeue_command()?.into_write_buf();
        let text = String::from_utf8(bytes.unsent().to_vec()).unwrap();
        let words = text
            .split("\r\n")
            .filter(|word| !word.starts_with(['*', '$']));
        Some(words.collect::<Vec<_>>().join(" ").trim_end().to_owned())
    }

    #[test]
    fn element_goes_back_to_the_end_it_came_from() {
        let popped = || vec![bulk("list"), bulk("element")];
        let back = |name: &str| requeued(&Command::new(name).arg("list").arg(0), popped());
        assert_eq!(back("brpop").unwrap(), "RPUSH list element");
        assert_eq!(back("BLPOP").unwrap(), "LPUSH list element");
        assert_eq!(back("BLMOVE"), None);
        assert_eq!(back("BRPOPLPUSH"), None);
    }

    #[test]
    fn several_elements_go_back_in_their_order() {
        let command = |side: &str| {
            Command::new("BLMPOP")
                .arg(0)
                .arg(2)
                .arg(["left", "right"])
                .arg(side)
        };
        let popped = || vec![bulk("left"), Value::Array(vec![bulk("1"), bulk("2")])];
        let back = |side| requeued(&command(side), popped()).unwrap();
        assert_eq!(back("right"), "RPUSH left 2 1");
        assert_eq!(back("LEFT"), "LPUSH left 2 1");
    }

    #[test]
    fn members_go_back_without_overwriting_a_newer_score() {
        let popped = vec![bulk("set"), bulk("a"), bulk("1.5")];
        let command = Command::new("BZPOPMIN").arg("set").arg(0);
        assert_eq!(requeued(&command, popped).unwrap(), "ZADD set NX 1.5 a");
        let pair = |member, score| Value::Array(vec![bulk(member), Value::Double(score)]);
        let popped = vec![
            bulk("set"),
            Value::Array(vec![pair("a", 1.0), pair("b", f64::INFINITY)]),
        ];
        let command = Command::new("BZMPOP").arg(0).arg(1).arg("set").arg("MIN");
        assert_eq!(requeued(&command, popped).unwrap(), "ZADD set NX 1 a inf b");
    }

    #[test]
    fn reply_of_another_shape_is_no_element() {
        let echo = Value::Array(vec![bulk("BRPOP"), bulk("q"), bulk("1")]);
        for value in [Value::Simple("OK".into()), Value::Int(1), echo] {
            assert!(!Requeue::RPush.fits(&value), "{value:?}");
            assert!(!Requeue::LPushMany.fits(&value), "{value:?}");
            assert!(Requeue::Nothing.fits(&value), "{value:?}");
        }
        assert!(Requeue::ZAdd.fits(&Value::Null));
        assert!(Requeue::ZAdd.fits(&Value::Error("ERR x".into())));
    }

    #[test]
    fn log_line_names_the_key_and_the_length() {
        let command = Command::new("BRPOP").arg("jobs").arg(0);
        let lost = undelivered(&command, vec![bulk("jobs"), bulk("secret")]);
        assert_eq!(lost.to_string(), "6 bytes from jobs");
    }
}
