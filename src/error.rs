//! What can go wrong, as one type.
//!
//! Every fallible function of the crate returns [`Error`]. Its [`kind`](Error::kind) separates the four that a caller may
//! have to blame: himself ([`Config`](ErrorKind::Config), [`Misuse`](ErrorKind::Misuse), [`Convert`](ErrorKind::Convert)), the server
//! ([`Server`](ErrorKind::Server), [`Protocol`](ErrorKind::Protocol)), the network ([`Connect`](ErrorKind::Connect),
//! [`Closed`](ErrorKind::Closed)) and time ([`Timeout`](ErrorKind::Timeout)). The predicates answer what callers really ask.
//!
//! A command that failed has either not been sent, and may be repeated without a second thought, or may have been executed
//! although no reply came: [`maybe_executed`](Error::maybe_executed) says which.
//!
//! An error is cheap to clone, since one broken connection may fail hundreds of requests with the same words.

use std::fmt;
use std::sync::Arc;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something failed. Displays as one line that never holds a password.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    maybe_executed: bool,
    /// The server's code, where the message does not begin with it.
    code: Option<Box<str>>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The classes of failure. More may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An address, a limit or an argument that cannot be meant.
    Config,
    /// A call that is not allowed here, such as running the hub from inside a task.
    Misuse,
    /// A reply that is not of the asked type.
    Convert,
    /// The server answered with an error (`-ERR ...`). The connection stays usable.
    Server,
    /// The peer sent bytes that are not RESP, or a reply that nobody asked for. The connection is closed.
    Protocol,
    /// No connection could be made: refused, unreachable, out of descriptors, rejected in the handshake.
    Connect,
    /// The server refuses the user, the password or the rights of a connection (`WRONGPASS`, `NOPERM`). Trying again does not
    /// help; [`code`](Error::code) says which it is.
    Auth,
    /// A connection was lost.
    Closed,
    /// A deadline passed.
    Timeout,
    /// The pool is at its limit of connections, and configured not to wait for one.
    PoolFull,
    /// The task was killed, or the request given up.
    Killed,
    /// A task failed or panicked; this is what a join reports.
    Task,
    /// Nothing is left that could ever end the wait.
    Deadlock,
    /// The operating system refused something else.
    Io,
}

impl Error {
    /// An error of `kind` with a one-line message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::build(kind, message.into(), false, None)
    }

    /// An error of `kind` that says what was attempted and carries what the operating system answered.
    pub(crate) fn io(kind: ErrorKind, attempt: impl fmt::Display, source: std::io::Error) -> Error {
        Error::build(
            kind,
            format!("{attempt}: {source}"),
            false,
            Some(Box::new(source)),
        )
    }

    /// The error that the server sent as a reply: `text` without the leading `-`.
    pub(crate) fn server(text: &[u8]) -> Error {
        Error::new(ErrorKind::Server, printable(text))
    }

    /// The error of a server that refuses the credentials of a connection, with its code.
    pub(crate) fn auth(message: String, code: &[u8]) -> Error {
        Error(Arc::new(Inner {
            kind: ErrorKind::Auth,
            message,
            maybe_executed: false,
            code: Some(printable(code).into()),
            source: None,
        }))
    }

    /// The same failure, told about a command whose last byte had been handed to the kernel.
    pub(crate) fn after_sending(self) -> Error {
        let message = format!(
            "{} (the command was sent and may have been executed)",
            self.0.message
        );
        Error::build(self.0.kind, message, true, Some(Box::new(self)))
    }

    fn build(
        kind: ErrorKind,
        message: String,
        maybe_executed: bool,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        Error(Arc::new(Inner {
            kind,
            message,
            maybe_executed,
            code: None,
            source,
        }))
    }

    /// The class of the failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether a deadline passed.
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
    }

    /// Whether the server could not be reached, or the connection to it was lost.
    pub fn is_disconnect(&self) -> bool {
        matches!(self.kind(), ErrorKind::Connect | ErrorKind::Closed)
    }

    /// Whether the server answered with an error.
    pub fn is_server(&self) -> bool {
        self.kind() == ErrorKind::Server
    }

    /// The first word of the server's error, such as `WRONGTYPE`, or `None` when the failure is not the server's.
    pub fn code(&self) -> Option<&str> {
        match &self.0.code {
            Some(code) => Some(code),
            None => self
                .is_server()
                .then(|| self.0.message.split(' ').next().unwrap_or_default()),
        }
    }

    /// Whether the command may have been executed although no reply to it came. When `false`, it is safe to repeat.
    pub fn maybe_executed(&self) -> bool {
        self.0.maybe_executed
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Bytes of a peer as text for a log line: control characters escaped, cut after 200 bytes.
///
/// What a server says is not trusted: it could hold terminal escapes, or a line break that forges a second log line.
pub(crate) fn printable(bytes: &[u8]) -> String {
    const SHOWN_BYTES_MAX: usize = 200;
    let shown = &bytes[..bytes.len().min(SHOWN_BYTES_MAX)];
    let mut text = String::with_capacity(shown.len());
    for character in String::from_utf8_lossy(shown).chars() {
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    if shown.len() < bytes.len() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_error_is_told_apart_by_its_code() {
        let error =
            Error::server(b"WRONGTYPE Operation against a key holding the wrong kind of value");
        assert_eq!(error.code(), Some("WRONGTYPE"));
        assert!(error.is_server() && !error.is_disconnect() && !error.maybe_executed());
        assert_eq!(Error::new(ErrorKind::Timeout, "late").code(), None);
    }

    #[test]
    fn an_error_after_sending_keeps_its_kind_and_says_so() {
        let error = Error::new(ErrorKind::Closed, "connection lost").after_sending();
        assert!(error.maybe_executed() && error.is_disconnect());
        assert!(
            error.to_string().starts_with("connection lost ("),
            "{error}"
        );
    }

    #[test]
    fn what_a_peer_says_cannot_forge_a_log_line() {
        assert_eq!(printable(b"a\r\nb\x1b[2J"), "a\\r\\nb\\u{1b}[2J");
        assert!(printable(&[b'x'; 1000]).len() < 210);
    }

    #[test]
    fn an_error_travels_between_threads() {
        fn check<T: Send + Sync>() {}
        check::<Error>();
    }
}
