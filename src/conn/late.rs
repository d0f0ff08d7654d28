//! What was popped for somebody who does not wait any more.
//!
//! A blocking command changes a key when it is answered. Whoever gave it up too late gets the answer all the same, and if
//! there is nobody left to get it, what was taken out must go back: to the end of the list that it came from, or with
//! its score into the sorted set. `BLMOVE` and `BRPOPLPUSH` need none of this, since they put the element somewhere else
//! in the same step: it stands in the other list, where whoever looks after that list will find it.

use super::command::Command;
use crate::resp::Value;
use crate::token::Key;

/// How what a command has popped goes back to where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undo {
    /// Nothing was taken away.
    Nothing,
    /// `[key, element]`, from the end that `LPUSH` or `RPUSH` pushes to.
    Left,
    Right,
    /// `[key, [element ...]]`, likewise.
    LeftMany,
    RightMany,
    /// `[key, member, score]`
    Add,
    /// `[key, [[member, score] ...]]`
    AddMany,
}

/// An element that came too late for the task that had asked for it: what
/// [`Redis::on_late`](crate::Redis::on_late) is told.
#[derive(Clone, Debug)]
pub struct Late {
    pub(crate) pool: Key,
    pub(super) undo: Undo,
    pub(super) reply: Value,
}

impl Undo {
    /// For a command whose name is known to pop.
    pub(crate) fn of(command: &Command) -> Undo {
        let is = |name: &str| command.name().eq_ignore_ascii_case(name.as_bytes());
        let side = |left: Undo, right: Undo| match command.side_of_many() {
            Some(side) if side.eq_ignore_ascii_case(b"LEFT") => left,
            Some(side) if side.eq_ignore_ascii_case(b"RIGHT") => right,
            _ => Undo::Nothing,
        };
        if is("BRPOP") {
            Undo::Right
        } else if is("BLPOP") {
            Undo::Left
        } else if is("BLMPOP") {
            side(Undo::LeftMany, Undo::RightMany)
        } else if is("BZPOPMIN") || is("BZPOPMAX") {
            Undo::Add
        } else if is("BZMPOP") {
            Undo::AddMany
        } else {
            Undo::Nothing
        }
    }
}

impl Late {
    /// What the server answered: of `BRPOP`, the list and the element.
    pub fn reply(&self) -> &Value {
        &self.reply
    }

    /// The same, to keep.
    pub fn into_reply(self) -> Value {
        self.reply
    }

    /// The command that puts it back where it came from. `None` where nothing was taken away, as by `BLMOVE`: its element
    /// stands in the other list.
    pub fn give_back(&self) -> Option<Command> {
        let parts = self.reply.as_slice()?;
        let (key, rest) = parts.split_first()?;
        let push = |verb: &str| Some(Command::new(verb).arg(key.as_bytes()?));
        match (self.undo, rest) {
            (Undo::Left, [element]) => Some(push("LPUSH")?.arg(element.as_bytes()?)),
            (Undo::Right, [element]) => Some(push("RPUSH")?.arg(element.as_bytes()?)),
            (Undo::LeftMany, [elements]) => add_all(push("LPUSH")?, elements),
            (Undo::RightMany, [elements]) => add_all(push("RPUSH")?, elements),
            (Undo::Add, [member, score]) => add(push("ZADD")?, member, score),
            (Undo::AddMany, [pairs]) => {
                let mut command = push("ZADD")?;
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

/// Each is pushed in front of the last: the first that was popped comes to stand outside again.
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

    fn given_back(command: &Command, reply: Vec<Value>) -> Option<String> {
        let late = Late {
            pool: Slots::new().insert(()),
            undo: Undo::of(command),
            reply: Value::Array(reply),
        };
        let words = late.give_back()?.into_outbox();
        let text = String::from_utf8(words.unsent().to_vec()).unwrap();
        let words = text
            .split("\r\n")
            .filter(|word| !word.starts_with(['*', '$']));
        Some(words.collect::<Vec<_>>().join(" ").trim_end().to_owned())
    }

    #[test]
    fn what_was_popped_goes_back_to_the_end_it_came_from() {
        let popped = || vec![bulk("list"), bulk("element")];
        let back = |name: &str| given_back(&Command::new(name).arg("list").arg(0), popped());
        assert_eq!(back("brpop").unwrap(), "RPUSH list element");
        assert_eq!(back("BLPOP").unwrap(), "LPUSH list element");
        assert_eq!(back("BLMOVE"), None);
        assert_eq!(back("BRPOPLPUSH"), None);
    }

    #[test]
    fn several_go_back_in_their_order() {
        let command = |side: &str| {
            Command::new("BLMPOP")
                .arg(0)
                .arg(2)
                .arg(["left", "right"])
                .arg(side)
        };
        let popped = || vec![bulk("left"), Value::Array(vec![bulk("1"), bulk("2")])];
        let back = |side| given_back(&command(side), popped()).unwrap();
        assert_eq!(back("right"), "RPUSH left 2 1");
        assert_eq!(back("LEFT"), "LPUSH left 2 1");
    }

    #[test]
    fn members_go_back_with_their_scores() {
        let popped = vec![bulk("set"), bulk("a"), bulk("1.5")];
        let command = Command::new("BZPOPMIN").arg("set").arg(0);
        assert_eq!(given_back(&command, popped).unwrap(), "ZADD set 1.5 a");
        let pair = |member, score| Value::Array(vec![bulk(member), Value::Double(score)]);
        let popped = vec![
            bulk("set"),
            Value::Array(vec![pair("a", 1.0), pair("b", f64::INFINITY)]),
        ];
        let command = Command::new("BZMPOP").arg(0).arg(1).arg("set").arg("MIN");
        assert_eq!(given_back(&command, popped).unwrap(), "ZADD set 1 a inf b");
    }
}
