//! What a script is, and how it is written down.
//!
//! A script is read from text and printed as the same text, so that what a failed run prints can
//! be pasted into a table of scripts, and is a test from then on. One step a line:
//!
//! ```text
//! c0: BLPOP a 0 | PING           two commands in one write
//! c1: CLIENT UNBLOCK @c0 ERROR   the id that c0 has on the server that is asked
//! c1: SET a "\r\n\x00" | ECHO "x"*200
//! c2 raw 1: "PING\r\n"           bytes as they are; one reply will come
//! c1 until: EXISTS a | ":0\r\n"   asked again and again, until that is the reply
//! c0 drops                       closes the connection; the next step of c0 opens a new one
//! writes pause                   CLIENT PAUSE WRITE, from a connection that is none of these
//! writes go on                   CLIENT UNPAUSE
//! ```

use std::fmt;

/// How many connections a script may use.
pub(super) const CONNECTIONS: usize = 5;

/// The steps that begin and end a pause of writes.
const PAUSES: [&str; 2] = ["writes pause", "writes go on"];

/// A repeated byte is printed as such from this length on.
const LONG: usize = 24;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Script(pub(super) Vec<Step>);

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) who: usize,
    pub(super) what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    Asks(Vec<Command>),
    Raw {
        replies: usize,
        bytes: Vec<u8>,
    },
    Until {
        reply: Vec<u8>,
        command: Command,
    },
    Drops,
    /// Begins or ends a pause of writes; no connection of the script does it.
    Pauses(bool),
}

pub(super) type Command = Vec<Word>;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    Bytes(Vec<u8>),
    /// The id of a connection of the script; 0 while it has none.
    Id(usize),
}

impl From<&str> for Word {
    fn from(text: &str) -> Word {
        Word::Bytes(text.into())
    }
}

impl Script {
    /// Reads a script. One that cannot be read is a mistake in a test.
    pub(super) fn parse(text: &str) -> Script {
        let lines = text.lines().map(str::trim);
        let steps = lines.filter(|line| !line.is_empty()).map(|line| {
            step(line).unwrap_or_else(|| panic!("this is no step of a script: {line}"))
        });
        Script(steps.collect())
    }
}

fn step(line: &str) -> Option<Step> {
    if let Some(pauses) = PAUSES.iter().position(|text| *text == line) {
        let what = What::Pauses(pauses == 0);
        return Some(Step { who: 0, what });
    }
    let mut rest = line;
    let who = rest.find([':', ' ']).map(|end| rest.split_at(end))?;
    rest = who.1;
    let who = connection(who.0)?;
    let what = if let Some(commands) = rest.strip_prefix(':') {
        let commands: Option<Vec<Command>> = tokens(commands)?
            .split(|token| *token == Token::Bar)
            .map(command)
            .collect();
        What::Asks(commands?)
    } else if let Some(raw) = rest.strip_prefix(" raw ") {
        let (replies, bytes) = raw.split_once(": ")?;
        What::Raw {
            replies: replies.parse().ok()?,
            bytes: quoted(bytes)?,
        }
    } else if let Some(until) = rest.strip_prefix(" until:") {
        let tokens = tokens(until)?;
        let [asked @ .., Token::Bar, Token::Word(Word::Bytes(reply))] = tokens.as_slice() else {
            return None;
        };
        What::Until {
            command: command(asked)?,
            reply: reply.clone(),
        }
    } else {
        (rest == " drops").then_some(What::Drops)?
    };
    Some(Step { who, what })
}

fn connection(name: &str) -> Option<usize> {
    let index = name.strip_prefix('c')?.parse().ok()?;
    (index < CONNECTIONS).then_some(index)
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(Word),
    Bar,
}

fn command(tokens: &[Token]) -> Option<Command> {
    let word = |token: &Token| match token {
        Token::Word(word) => Some(word.clone()),
        Token::Bar => None,
    };
    tokens.iter().map(word).collect()
}

/// The one token that is to be there, a string.
fn quoted(text: &str) -> Option<Vec<u8>> {
    match tokens(text)?.as_slice() {
        [Token::Word(Word::Bytes(bytes))] => Some(bytes.clone()),
        _ => None,
    }
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let token = if rest.starts_with('"') {
            let (bytes, behind) = string(&rest[1..])?;
            rest = behind;
            Token::Word(Word::Bytes(bytes))
        } else {
            let end = rest.find(' ').unwrap_or(rest.len());
            let (bare, behind) = rest.split_at(end);
            rest = behind;
            match bare.strip_prefix('@') {
                _ if bare == "|" => Token::Bar,
                Some(name) => Token::Word(Word::Id(connection(name)?)),
                None => Token::Word(bare.into()),
            }
        };
        tokens.push(token);
        rest = rest.trim_start();
    }
    Some(tokens)
}

/// What stands behind an opening quote: the bytes up to the closing one, and what is left.
fn string(text: &str) -> Option<(Vec<u8>, &str)> {
    let mut bytes = Vec::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some(repeated(bytes, &text[at + 1..])),
            '\\' => bytes.push(match chars.next()?.1 {
                'r' => b'\r',
                'n' => b'\n',
                't' => b'\t',
                'x' => {
                    let digits = text.get(at + 2..at + 4)?;
                    chars.nth(1)?;
                    u8::from_str_radix(digits, 16).ok()?
                }
                same => u8::try_from(same).ok()?,
            }),
            _ => bytes.push(u8::try_from(char).ok()?),
        }
    }
    None
}

fn repeated(bytes: Vec<u8>, rest: &str) -> (Vec<u8>, &str) {
    let Some(times) = rest.strip_prefix('*') else {
        return (bytes, rest);
    };
    let (digits, rest) = times.split_at(times.find([' ', ':']).unwrap_or(times.len()));
    (bytes.repeat(digits.parse().unwrap()), rest)
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let What::Pauses(pauses) = self.what {
            return write!(f, "{}", PAUSES[usize::from(!pauses)]);
        }
        write!(f, "c{}", self.who)?;
        match &self.what {
            What::Pauses(_) => Ok(()),
            What::Asks(commands) => {
                write!(f, ":")?;
                for (index, command) in commands.iter().enumerate() {
                    write!(f, "{}", if index > 0 { " |" } else { "" })?;
                    words(f, command)?;
                }
                Ok(())
            }
            What::Raw { replies, bytes } => write!(f, " raw {replies}: {}", Quoted(bytes)),
            What::Until { reply, command } => {
                write!(f, " until:")?;
                words(f, command)?;
                write!(f, " | {}", Quoted(reply))
            }
            What::Drops => write!(f, " drops"),
        }
    }
}

fn words(f: &mut fmt::Formatter<'_>, command: &Command) -> fmt::Result {
    command.iter().try_for_each(|word| match word {
        Word::Id(who) => write!(f, " @c{who}"),
        Word::Bytes(bytes) if is_bare(bytes) => write!(f, " {}", String::from_utf8_lossy(bytes)),
        Word::Bytes(bytes) => write!(f, " {}", Quoted(bytes)),
    })
}

fn is_bare(bytes: &[u8]) -> bool {
    let graphic = |byte: &u8| byte.is_ascii_graphic() && *byte != b'"';
    let special = bytes == b"|" || bytes.starts_with(b"@");
    !bytes.is_empty() && bytes.len() < LONG && bytes.iter().all(graphic) && !special
}

/// Bytes as a string of a script.
pub(super) struct Quoted<'a>(pub(super) &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0;
        let same = bytes.len() >= LONG && bytes.iter().all(|byte| *byte == bytes[0]);
        if same {
            bytes = &bytes[..1];
        }
        write!(f, "\"")?;
        for byte in bytes {
            match byte {
                b'\r' => write!(f, "\\r")?,
                b'\n' => write!(f, "\\n")?,
                b'\t' => write!(f, "\\t")?,
                b'"' | b'\\' => write!(f, "\\{}", char::from(*byte))?,
                b' '..=b'~' => write!(f, "{}", char::from(*byte))?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        write!(f, "\"")?;
        match same {
            true => write!(f, "*{}", self.0.len()),
            false => Ok(()),
        }
    }
}
