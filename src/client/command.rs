//! Commands: arguments in wire format, and the lane that they need.
//!
//! The caller never chooses a connection. A command that may block takes a *dedicated* connection,
//! every other one is pipelined on the *shared* connection. The lane follows from the command's
//! name, or, for names that this table does not know, from [`Command::blocking`].

use super::write_buf::WriteBuf;
use crate::error::{Error, ErrorKind, Result, printable};
use crate::resp::encode;
use crate::time::Timeout;
use bytes::Bytes;

/// One command, encoded as its arguments are added.
///
/// Arguments are binary-safe: each is preceded by its length, so that no byte in it can end it.
///
/// ```
/// use greenroom::Command;
/// let push = Command::new("LPUSH").arg("list").arg(42).arg(b"any\r\nbytes");
/// assert_eq!(push.name(), b"LPUSH");
/// ```
#[derive(Clone)]
pub struct Command {
    /// `HEADER_BYTES` bytes of room, then the arguments.
    bytes: Vec<u8>,
    args: usize,
    name_bytes: usize,
    blocking: Option<Timeout>,
}

/// The kind of connection that a command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// It may block: a connection that carries no other command meanwhile.
    Dedicated(Timeout),
    /// It does not block: the connection that all such commands share.
    Shared,
}

/// How many replies come back for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplyCount {
    /// One reply.
    One,
    /// The replies to a pipeline, delivered as one array.
    Many(usize),
}

/// Room for `*`, 13 digits and CR LF.
const HEADER_BYTES: usize = 16;
const CRLF_BYTES: usize = 2;

/// Most commands fit this without a second allocation.
pub(super) const COMMAND_BYTES: usize = 128;

/// Commands that wait in the server, whatever their arguments.
const BLOCKING: [&str; 10] = [
    "BRPOP",
    "BLPOP",
    "BLMOVE",
    "BRPOPLPUSH",
    "BLMPOP",
    "BZPOPMIN",
    "BZPOPMAX",
    "BZMPOP",
    "WAIT",
    "WAITAOF",
];

/// Commands that change what a connection *is*, or how many replies come, for its next user.
const CHANGES_CONNECTION: [&str; 18] = [
    "AUTH",
    "HELLO",
    "SELECT",
    "RESET",
    "QUIT",
    "MONITOR",
    "SUBSCRIBE",
    "PSUBSCRIBE",
    "SSUBSCRIBE",
    "UNSUBSCRIBE",
    "PUNSUBSCRIBE",
    "SUNSUBSCRIBE",
    "MULTI",
    "WATCH",
    "SYNC",
    "PSYNC",
    "REPLCONF",
    "ASKING",
];

impl Command {
    /// A command without arguments yet.
    pub fn new(name: &str) -> Command {
        Command::in_buffer(Vec::with_capacity(COMMAND_BYTES), name)
    }

    /// The same, in a buffer that has been used before.
    pub(crate) fn in_buffer(mut bytes: Vec<u8>, name: &str) -> Command {
        bytes.clear();
        bytes.extend_from_slice(&[0; HEADER_BYTES]);
        let mut command = Command {
            bytes,
            args: 0,
            name_bytes: name.len(),
            blocking: None,
        };
        command.add(name.as_bytes());
        command
    }

    /// Adds one argument, or several where `arg` is a list.
    #[must_use]
    pub fn arg(mut self, arg: impl ToArgs) -> Command {
        arg.add_to(&mut self);
        self
    }

    /// Marks a command that waits in the server, and for how long: it takes a connection for itself, and
    /// its deadline follows from `timeout`.
    ///
    /// The timeout is also an argument of the command, at a place and in a unit of its own, which the caller
    /// adds. Known names (`BRPOP` and its like, `XREAD` with `BLOCK`) take a connection of their own without
    /// this mark, and count as waiting without an end.
    ///
    /// ```
    /// use greenroom::{Command, Timeout, secs};
    /// let read = Command::new("XREAD").arg("BLOCK").arg(5000).arg(["STREAMS", "s", "$"]);
    /// let read = read.blocking(Timeout::After(secs(5)));
    /// ```
    #[must_use]
    pub fn blocking(mut self, timeout: Timeout) -> Command {
        self.blocking = Some(timeout);
        self
    }

    /// The command's name.
    pub fn name(&self) -> &[u8] {
        let (before, _) = self.bytes.split_at(self.args_start() - CRLF_BYTES);
        &before[before.len() - self.name_bytes..]
    }

    /// Where the first argument begins.
    fn args_start(&self) -> usize {
        let digits = self.name_bytes.max(1).ilog10() as usize + 1;
        HEADER_BYTES + 1 + digits + CRLF_BYTES + self.name_bytes + CRLF_BYTES
    }

    fn add(&mut self, bytes: &[u8]) {
        encode::bulk(&mut self.bytes, bytes);
        self.args += 1;
    }

    pub(crate) fn lane(&self) -> Lane {
        match self.blocking {
            Some(timeout) => Lane::Dedicated(timeout),
            None if is_one_of(self.name(), &BLOCKING) => Lane::Dedicated(Timeout::Forever),
            None if is_one_of(self.name(), &["XREAD", "XREADGROUP"]) && self.has_arg(b"BLOCK") => {
                Lane::Dedicated(Timeout::Forever)
            }
            None => Lane::Shared,
        }
    }

    /// Refuses a command that would change the connection for the commands that use it next.
    pub(crate) fn check(&self) -> Result<()> {
        let name = self.name();
        if name.is_empty() {
            return Err(Error::new(ErrorKind::Misuse, "a command needs a name"));
        }
        if is_one_of(name, &CHANGES_CONNECTION)
            || is_one_of(name, &["CLIENT"]) && self.has_first_arg(b"REPLY")
            || is_one_of(name, &["SCRIPT"]) && self.has_first_arg(b"DEBUG")
        {
            let instead = instead_of(name);
            let name = printable(name);
            let why = "it would change the connection that other commands use";
            let message = format!("{name} is not supported here: {why}{instead}");
            return Err(Error::new(ErrorKind::Misuse, message));
        }
        Ok(())
    }

    /// The arguments behind the name.
    fn args(&self) -> impl Iterator<Item = &[u8]> {
        bulks(&self.bytes[self.args_start()..])
    }

    /// The side of `BLMPOP timeout numkeys key ... side`, or what stands there.
    pub(super) fn side_of_many(&self) -> Option<&[u8]> {
        let keys = self.args().nth(1)?;
        let keys = std::str::from_utf8(keys).ok()?.parse::<usize>().ok()?;
        self.args().nth(keys.checked_add(2)?)
    }

    fn has_first_arg(&self, wanted: &[u8]) -> bool {
        let mut quoted = Vec::new();
        encode::bulk(&mut quoted, wanted);
        let args = &self.bytes[self.args_start()..];
        args.len() >= quoted.len() && args[..quoted.len()].eq_ignore_ascii_case(&quoted)
    }

    fn has_arg(&self, wanted: &[u8]) -> bool {
        let mut quoted = Vec::new();
        encode::bulk(&mut quoted, wanted);
        let args = &self.bytes[self.args_start()..];
        args.windows(quoted.len())
            .any(|window| window.eq_ignore_ascii_case(&quoted))
    }

    /// The finished bytes. The header is written into the room that was left for it.
    pub(crate) fn into_write_buf(mut self) -> WriteBuf {
        let mut at = HEADER_BYTES - CRLF_BYTES;
        self.bytes[at..HEADER_BYTES].copy_from_slice(b"\r\n");
        let mut rest = self.args;
        loop {
            at -= 1;
            self.bytes[at] = b"0123456789"[rest % 10];
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        at -= 1;
        self.bytes[at] = b'*';
        WriteBuf::new(self.bytes, at)
    }
}

/// Shows the name only: arguments may be secrets.
impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Command({} + {} arguments)",
            printable(self.name()),
            self.args - 1
        )
    }
}

/// The way to do what a refused command would have done.
fn instead_of(name: &[u8]) -> &'static str {
    if is_one_of(name, &["MULTI"]) {
        "; send the transaction as one Pipeline"
    } else if is_one_of(name, &["AUTH", "HELLO", "SELECT"]) {
        "; name user, password, protocol and database in the URL"
    } else {
        ""
    }
}

/// The arguments of an encoded command, its name first.
pub(super) fn arguments(encoded: &[u8]) -> impl Iterator<Item = &[u8]> {
    let header = encoded.iter().position(|&byte| byte == b'\n');
    bulks(&encoded[header.map_or(encoded.len(), |end| end + 1)..])
}

/// Bulk strings, one behind the other.
fn bulks(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let length = std::str::from_utf8(&rest[1..end]).ok()?.parse::<usize>();
        let (arg, behind) = rest
            .get(end + CRLF_BYTES..)?
            .split_at_checked(length.ok()?)?;
        rest = behind.get(CRLF_BYTES..)?;
        Some(arg)
    })
}

fn is_one_of(name: &[u8], names: &[&str]) -> bool {
    names
        .iter()
        .any(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

/// Something that becomes one argument of a command, or several.
///
/// Text, bytes and numbers are one argument; a slice, an array or a `Vec` of them is as many as it has
/// elements. A single `u8` is none of them, since a slice of them is bytes: say `u32::from(it)`, or `[it]`.
pub trait ToArgs {
    /// Adds itself to the end of `command`.
    fn add_to(&self, command: &mut Command);
}

macro_rules! bytes_to_args {
    ($($type:ty),*) => {$(
        impl ToArgs for $type {
            fn add_to(&self, command: &mut Command) {
                command.add(self.as_ref());
            }
        }
    )*};
}

bytes_to_args!(str, String, [u8], Vec<u8>, Bytes);

impl<const N: usize> ToArgs for [u8; N] {
    fn add_to(&self, command: &mut Command) {
        command.add(self);
    }
}

macro_rules! number_to_args {
    ($($type:ty),*) => {$(
        impl ToArgs for $type {
            fn add_to(&self, command: &mut Command) {
                command.add(self.to_string().as_bytes());
            }
        }
    )*};
}

number_to_args!(i8, i16, i32, i64, isize, u16, u32, u64, usize, f32, f64);

/// A blocking command's timeout as Redis reads it: seconds, with a fraction only where there is one,
/// because servers before 6.0 read whole numbers.
impl ToArgs for Timeout {
    fn add_to(&self, command: &mut Command) {
        match self.seconds_and_millis() {
            (seconds @ 0..=9, 0) => {
                #[expect(clippy::cast_possible_truncation, reason = "one digit")]
                command.add(&[b'0' + seconds as u8]);
            }
            (seconds, 0) => command.add(seconds.to_string().as_bytes()),
            (seconds, millis) => command.add(format!("{seconds}.{millis:03}").as_bytes()),
        }
    }
}

impl<T: ToArgs + ?Sized> ToArgs for &T {
    fn add_to(&self, command: &mut Command) {
        (**self).add_to(command);
    }
}

impl<T: ToArgs> ToArgs for [T] {
    fn add_to(&self, command: &mut Command) {
        self.iter().for_each(|arg| arg.add_to(command));
    }
}

impl<T: ToArgs, const N: usize> ToArgs for [T; N] {
    fn add_to(&self, command: &mut Command) {
        self.as_slice().add_to(command);
    }
}

impl<T: ToArgs> ToArgs for Vec<T> {
    fn add_to(&self, command: &mut Command) {
        self.as_slice().add_to(command);
    }
}

#[cfg(test)]
mod tests;
