//! What a new connection sends before its first command.
//!
//! The *handshake* (HELLO or AUTH, CLIENT SETNAME, SELECT) is encoded once for a client. No byte of
//! a user's command leaves before its last reply: a pop that ran before its SELECT would have popped
//! from another database. An *opening* is what one connection sends: the handshake, and commands
//! that prove something:
//!
//! | command | sent on | its answer proves |
//! |---|---|---|
//! | `CLIENT ID` | dedicated connections in RESP2 (in RESP3, `HELLO` brings the id) | the server has accepted the connection; the peer is a Redis server, and not an echo of ourselves |
//! | `PING` | the shared and the control connection; all connections to a [suspect](super::backoff) server | the server is ready: it is refused while the server loads |
//! | `INFO server` | the control connection | its version: how the server may be asked to end a wait, see [`guard`](super::guard) |
//!
//! An opening without a handshake, to a server that is not suspect, costs no round trip: the first
//! command follows in the same write. The answers are checked all the same before anything that
//! comes behind them is believed.
//!
//! A server from before Redis 6 does not know HELLO. If RESP3 was asked for and refused, the same
//! connection starts again in RESP2, and the client remembers.

use super::backoff::ConnectFailure;
use super::command::Command;
use super::verdict::{Verdict, error_code};
use crate::address::{Address, Password, Protocol};
use crate::driver::Endpoint;
use crate::error::{Error, ErrorKind, printable};
use crate::resp::Value;
use std::num::NonZeroU64;

/// The commands of a handshake, encoded once for a client.
pub(super) struct Handshake {
    protocol: Protocol,
    bytes: Vec<u8>,
    steps: Vec<Step>,
    password: Option<Password>,
}

/// One command of an opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Hello,
    Auth,
    SetName,
    Select,
    /// A step of a handshake that has been replaced since.
    Outdated,
    ClientId,
    Ping,
    Info,
}

const CLIENT_ID: &[u8] = b"*2\r\n$6\r\nCLIENT\r\n$2\r\nID\r\n";
const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
const INFO: &[u8] = b"*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n";

/// What one connection sends first, and how much of it has been answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    protocol: Protocol,
    handshake: u8,
    proofs: Proofs,
    answered: u8,
    /// The server does not know RESP3: start again once the other replies have come.
    falls_back: bool,
}

/// Which proofs an opening asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Proofs {
    pub(super) client_id: bool,
    pub(super) ping: bool,
    /// The server's version.
    pub(super) info: bool,
    /// No command may be sent before the answers have come.
    pub(super) waits: bool,
}

/// What a reply to an opening means.
#[derive(Debug)]
pub(super) enum StepOutcome {
    Accepted,
    ClientId(NonZeroU64),
    /// The server does not say.
    NoClientId,
    /// The server's `INFO server`.
    Info(Vec<u8>),
    /// The connection is of no use.
    Failed(Error, ConnectFailure),
}

impl Handshake {
    pub(super) fn new(address: &Address, protocol: Protocol) -> Handshake {
        let mut handshake = Handshake {
            protocol,
            bytes: Vec::new(),
            steps: Vec::new(),
            password: address.password.clone(),
        };
        let password = address.password.as_ref().map(|password| password.expose());
        // A user without a password signs in with an empty one.
        let signs_in = password.is_some() || address.user.is_some();
        let password = password.unwrap_or_default();
        if protocol == Protocol::Resp3 {
            let mut hello = Command::new("HELLO").arg("3");
            if signs_in {
                let user = address.user.as_deref().unwrap_or("default");
                hello = hello.arg("AUTH").arg(user).arg(password);
            }
            handshake.push(Step::Hello, hello);
        } else if signs_in {
            let auth = Command::new("AUTH");
            let auth = match &address.user {
                Some(user) => auth.arg(user),
                None => auth,
            };
            handshake.push(Step::Auth, auth.arg(password));
        }
        if let Some(name) = &address.client_name {
            let set_name = Command::new("CLIENT").arg("SETNAME").arg(name);
            handshake.push(Step::SetName, set_name);
        }
        if address.db != 0 {
            let select = Command::new("SELECT").arg(address.db);
            handshake.push(Step::Select, select);
        }
        handshake
    }

    fn push(&mut self, step: Step, command: Command) {
        self.bytes.extend(command.into_write_buf().unsent());
        self.steps.push(step);
    }

    /// True if there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The opening of a connection, whose bytes are added to `bytes`.
    pub(super) fn open(&self, mut proofs: Proofs, bytes: &mut Vec<u8>) -> Opening {
        // HELLO brings it.
        proofs.client_id &= self.protocol != Protocol::Resp3;
        proofs.waits |= !self.is_empty();
        debug_assert!(proofs.ping || !proofs.info, "what INFO says opens nothing");
        bytes.extend_from_slice(&self.bytes);
        if proofs.client_id {
            bytes.extend_from_slice(CLIENT_ID);
        }
        if proofs.info {
            bytes.extend_from_slice(INFO);
        }
        if proofs.ping {
            bytes.extend_from_slice(PING);
        }
        Opening {
            protocol: self.protocol,
            handshake: u8::try_from(self.steps.len()).expect("four steps at most"),
            proofs,
            answered: 0,
            falls_back: false,
        }
    }

    /// Checks the next reply to an opening, and counts it.
    pub(super) fn on_reply(
        &self,
        opening: &mut Opening,
        reply: &Value,
        server: &Endpoint,
    ) -> StepOutcome {
        let step = self.step(opening);
        opening.answered += 1;
        let outcome = match reply {
            Value::Error(text) => self.on_error(opening, step, text),
            _ => on_answer(step, reply, server),
        };
        match outcome {
            // The refused HELLO held the password: the replies to the rest of it do not count.
            StepOutcome::Failed(..) if opening.falls_back => StepOutcome::Accepted,
            outcome => outcome,
        }
    }

    /// The step that is answered next.
    fn step(&self, opening: &Opening) -> Step {
        let answered = usize::from(opening.answered);
        let handshake = usize::from(opening.handshake);
        if answered < handshake {
            return match self.steps.get(answered) {
                Some(&step) if self.protocol == opening.protocol => step,
                _ if answered == 0 && opening.protocol == Protocol::Resp3 => Step::Hello,
                _ => Step::Outdated,
            };
        }
        let Proofs {
            client_id,
            ping,
            info,
            ..
        } = opening.proofs;
        let proofs = [
            (client_id, Step::ClientId),
            (info, Step::Info),
            (ping, Step::Ping),
        ];
        let mut asked = proofs.iter().filter(|(is_asked, _)| *is_asked);
        asked
            .nth(answered - handshake)
            .map_or(Step::Outdated, |&(_, step)| step)
    }

    fn on_error(&self, opening: &mut Opening, step: Step, text: &[u8]) -> StepOutcome {
        let verdict = Verdict::of(text);
        if verdict == Verdict::Full {
            let message = format!("the server rejected the connection: {}", printable(text));
            let error = Error::new(ErrorKind::Connect, message);
            return StepOutcome::Failed(error, ConnectFailure::Full);
        }
        match step {
            Step::Hello if text.starts_with(b"NOPROTO") || is_unknown_command(text) => {
                opening.falls_back = true;
                StepOutcome::Accepted
            }
            // Said before anything was asked, and then the connection is closed.
            _ if text.starts_with(b"DENIED ") => self.rejected(step, text, verdict),
            // Nothing is cancelled on a connection without an id; its commands work.
            Step::ClientId => StepOutcome::NoClientId,
            Step::Info => StepOutcome::Accepted,
            // A refused PING proves as much, unless the server takes no command at all. (`MISCONF`
            // refuses PING, and not reads.)
            Step::Ping if matches!(verdict, Verdict::NotNow | Verdict::Final) => {
                match text.starts_with(b"BUSY ") {
                    true => self.rejected(step, text, verdict),
                    false => StepOutcome::Accepted,
                }
            }
            _ => self.rejected(step, text, verdict),
        }
    }

    fn rejected(&self, step: Step, text: &[u8], verdict: Verdict) -> StepOutcome {
        let message = format!(
            "the server rejected {}: {}",
            step.name(),
            self.redacted(text)
        );
        let code = error_code(text);
        let is_auth = verdict == Verdict::Credentials || code == b"NOPERM";
        let error = match is_auth {
            true => Error::auth(message, code),
            false => Error::new(ErrorKind::Connect, message),
        };
        let failure = match verdict {
            Verdict::NotReady | Verdict::NotNow => ConnectFailure::NotReady,
            _ => ConnectFailure::Rejected,
        };
        StepOutcome::Failed(error, failure)
    }

    /// A server's words, for an error message. A server that does not know a command repeats its
    /// arguments, and one of ours is the password.
    fn redacted(&self, text: &[u8]) -> String {
        // The arguments may be cut short, so that the password is not found as a whole.
        const ARGS: &[u8] = b", with args beginning with";
        let args = text.windows(ARGS.len()).position(|window| window == ARGS);
        let text = &text[..args.unwrap_or(text.len())];
        let secret = self.password.as_ref().map_or("", |it| it.expose());
        let secret = secret.as_bytes();
        let has_secret = |text: &[u8]| {
            let mut windows = text.windows(secret.len().max(1));
            !secret.is_empty() && windows.any(|window| window == secret)
        };
        let code = error_code(text);
        match () {
            () if has_secret(code) => "an error that repeats the password".to_owned(),
            () if has_secret(text) => format!("{} (and it repeats the password)", printable(code)),
            () => printable(text),
        }
    }
}

impl Opening {
    /// The opening of a connection that sends nothing of its own.
    pub(super) fn none() -> Opening {
        Opening {
            protocol: Protocol::Resp2,
            handshake: 0,
            proofs: Proofs::default(),
            answered: 0,
            falls_back: false,
        }
    }

    /// True once all replies have come.
    #[inline]
    pub(super) fn is_done(&self) -> bool {
        self.answered == self.replies()
    }

    /// Takes in the answer to `CLIENT ID`, if nothing else was asked and nothing else has come.
    #[inline]
    pub(super) fn take_client_id(&mut self, bytes: &[u8]) -> Option<NonZeroU64> {
        let is_alone = self.proofs.client_id && !self.proofs.waits && self.replies() == 1;
        if !is_alone || self.answered > 0 {
            return None;
        }
        let digits = bytes.strip_prefix(b":")?.strip_suffix(b"\r\n")?;
        if !(1..=18).contains(&digits.len()) {
            return None;
        }
        let mut id = 0;
        for &digit in digits {
            if !digit.is_ascii_digit() {
                return None;
            }
            id = 10 * id + u64::from(digit - b'0');
        }
        let id = NonZeroU64::new(id)?;
        self.answered = 1;
        Some(id)
    }

    /// True if the client id is still to come.
    pub(super) fn awaits_id(&self) -> bool {
        let asks = self.proofs.client_id || self.protocol == Protocol::Resp3;
        asks && !self.is_done()
    }

    /// True if no command may be sent before the last reply.
    pub(super) fn waits(&self) -> bool {
        self.proofs.waits
    }

    /// True if it proves that the server is ready.
    pub(super) fn proves_readiness(&self) -> bool {
        self.proofs.ping
    }

    /// True if the connection must start again in RESP2.
    pub(super) fn falls_back(&self) -> bool {
        self.falls_back
    }

    pub(super) fn proofs(&self) -> Proofs {
        self.proofs
    }

    /// How many replies belong to it.
    #[inline]
    pub(super) fn replies(&self) -> u8 {
        let Proofs {
            client_id,
            ping,
            info,
            ..
        } = self.proofs;
        self.handshake + u8::from(client_id) + u8::from(ping) + u8::from(info)
    }
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Step::Hello => "HELLO",
            Step::Auth => "AUTH",
            Step::SetName => "CLIENT SETNAME",
            Step::Select => "SELECT",
            Step::Outdated => "the handshake",
            Step::ClientId => "CLIENT ID",
            Step::Ping => "PING",
            Step::Info => "INFO",
        }
    }
}

/// Checks that a reply that is no error has the shape of the step's answer.
fn on_answer(step: Step, reply: &Value, server: &Endpoint) -> StepOutcome {
    let fits = match (step, reply) {
        (Step::ClientId, Value::Int(id)) => {
            let id = u64::try_from(*id).ok().and_then(NonZeroU64::new);
            return id.map_or(StepOutcome::NoClientId, StepOutcome::ClientId);
        }
        (Step::Hello, Value::Map(_) | Value::Array(_)) => {
            let id = id_in_hello(reply);
            return id.map_or(StepOutcome::Accepted, StepOutcome::ClientId);
        }
        (Step::Info, Value::Bulk(_) | Value::Verbatim { .. }) => {
            let text = reply.as_bytes().unwrap_or_default();
            return StepOutcome::Info(text.to_vec());
        }
        (Step::Ping, Value::Simple(text)) => text.eq_ignore_ascii_case(b"PONG"),
        (Step::Auth | Step::SetName | Step::Select, Value::Simple(_)) => true,
        (Step::Outdated, Value::Simple(_)) => true,
        _ => false,
    };
    if fits {
        return StepOutcome::Accepted;
    }
    let kind = match reply {
        Value::Int(_) => "an integer",
        Value::Simple(_) => "a status",
        Value::Bulk(_) | Value::Verbatim { .. } => "a string",
        Value::Array(_) => "an array",
        Value::Null => "nil",
        _ => "another type",
    };
    let name = step.name();
    let message = format!("{server} is not a Redis server: it answered {name} with {kind}");
    let error = Error::new(ErrorKind::Connect, message);
    StepOutcome::Failed(error, ConnectFailure::Rejected)
}

/// The error of a peer whose first bytes are not RESP.
pub(super) fn not_redis(server: &Endpoint, first: &[u8], error: &Error) -> Error {
    let hint = match first {
        // A TLS alert or handshake record begins so. Its first byte may come alone.
        [0x15 | 0x16] | [0x15 | 0x16, 0x03, ..] => "it speaks TLS (rediss://)".to_owned(),
        _ if first.starts_with(b"HTTP/") => "it speaks HTTP".to_owned(),
        _ if first.starts_with(b"SSH-") => "it speaks SSH".to_owned(),
        _ => error.to_string(),
    };
    let message = format!("{server} is not a Redis server: {hint}");
    Error::new(ErrorKind::Connect, message)
}

fn is_unknown_command(text: &[u8]) -> bool {
    text.starts_with(b"ERR unknown command")
}

/// The id in a server's answer to HELLO, which is a map in RESP3.
fn id_in_hello(reply: &Value) -> Option<NonZeroU64> {
    let id = match reply {
        Value::Map(fields) => {
            let mut fields = fields.iter();
            let (_, id) = fields.find(|(name, _)| name.as_str() == Some("id"))?;
            id.as_int()?
        }
        _ => return None,
    };
    NonZeroU64::new(u64::try_from(id).ok()?)
}

/// Shows no bytes: they hold the password.
impl std::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Handshake").field(&self.steps).finish()
    }
}

#[cfg(test)]
mod tests;
