//! What a fresh connection says before anybody may use it.
//!
//! The handshake is one write (HELLO or AUTH, CLIENT SETNAME, SELECT) and as many replies. No byte of a
//! user's command leaves before the last of them: a pop that ran before its SELECT would have popped
//! from another database.
//!
//! A connection that is to prove something says PING at the end: that the server has accepted it (`pool.rs`, pacing), or
//! that a server which was lost is there again, and ready (`link.rs`).
//!
//! A server from before Redis 6 does not know HELLO. If RESP3 was asked for and refused, the same
//! connection says it all again in RESP2, and the pool remembers.

use super::command::Command;
use super::link::Trouble;
use crate::address::{Address, Password, Protocol};
use crate::error::{Error, ErrorKind, printable};
use crate::resp::Value;

const CLIENT_ID: &str = "CLIENT ID";

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";

/// The commands of a handshake, encoded once for a pool.
pub(crate) struct Handshake {
    protocol: Protocol,
    /// With a PING at the end.
    bytes: Vec<u8>,
    steps: Vec<&'static str>,
    replies: u8,
    password: Option<Password>,
}

/// What a reply to the handshake means for the connection.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Go on.
    Accepted,
    /// The server does not speak RESP3: say it again in RESP2.
    FallBack,
    /// The server does not want us, or not now.
    Rejected(Error, Trouble),
}

impl Handshake {
    pub(crate) fn new(address: &Address, protocol: Protocol, asks_id: bool) -> Handshake {
        let mut handshake = Handshake {
            protocol,
            bytes: Vec::new(),
            steps: Vec::new(),
            replies: 0,
            password: address.password.clone(),
        };
        let password = address.password.as_ref().map(|password| password.expose());
        if protocol == Protocol::Resp3 {
            let mut hello = Command::new("HELLO").arg("3");
            if let Some(password) = password {
                hello = hello
                    .arg("AUTH")
                    .arg(address.user.as_deref().unwrap_or("default"))
                    .arg(password);
            }
            handshake.say("HELLO", hello);
        } else if let Some(password) = password {
            let auth = Command::new("AUTH");
            let auth = match &address.user {
                Some(user) => auth.arg(user),
                None => auth,
            };
            handshake.say("AUTH", auth.arg(password));
        }
        if let Some(name) = &address.client_name {
            handshake.say(
                "CLIENT SETNAME",
                Command::new("CLIENT").arg("SETNAME").arg(name),
            );
        }
        if address.db != 0 {
            handshake.say("SELECT", Command::new("SELECT").arg(address.db));
        }
        if asks_id {
            handshake.say(CLIENT_ID, Command::new("CLIENT").arg("ID"));
        }
        handshake.bytes.extend_from_slice(PING);
        handshake
    }

    fn say(&mut self, step: &'static str, command: Command) {
        self.bytes.extend_from_slice(command.into_outbox().unsent());
        self.steps.push(step);
        self.replies += 1;
    }

    /// How many replies belong to it, without the PING.
    pub(crate) fn len(&self) -> u8 {
        self.replies
    }

    /// What it says, with a PING or without.
    pub(crate) fn bytes(&self, pings: bool) -> &[u8] {
        let without = self.bytes.len() - if pings { 0 } else { PING.len() };
        &self.bytes[..without]
    }

    /// The version of RESP that it says hello in.
    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// What the reply to step number `step` means to a connection that said hello in `protocol`. The pool may have
    /// fallen back to another one meanwhile.
    pub(crate) fn judge(&self, protocol: Protocol, step: u8, reply: &Value) -> Verdict {
        let Value::Error(text) = reply else {
            return Verdict::Accepted;
        };
        let hello = protocol == Protocol::Resp3 && step == 0;
        if hello && (text.starts_with(b"NOPROTO") || text.starts_with(b"ERR unknown command")) {
            return Verdict::FallBack;
        }
        if self.steps.get(usize::from(step)) == Some(&CLIENT_ID) {
            // Without it, what blocks cannot be taken back, which is told when that is wanted.
            return Verdict::Accepted;
        }
        let trouble = Trouble::of(text);
        let name = match self.steps.get(usize::from(step)) {
            _ if hello => "HELLO",
            Some(name) if self.protocol == protocol => name,
            None if self.protocol == protocol => match trouble {
                Trouble::NotNow => "PING",
                // To whom it says that is there.
                _ => return Verdict::Accepted,
            },
            _ => "the handshake",
        };
        let message = format!("the server rejected {name}: {}", self.quotable(text));
        Verdict::Rejected(Error::new(ErrorKind::Connect, message), trouble)
    }

    /// The server's id of the connection, if the reply to step number `step` tells it.
    pub(super) fn id(&self, step: u8, reply: &Value) -> Option<u64> {
        let id = match *self.steps.get(usize::from(step))? {
            CLIENT_ID => reply.as_int()?,
            "HELLO" => id_in_hello(reply)?,
            _ => return None,
        };
        u64::try_from(id).ok()
    }

    /// What the server said, for an error message. A server that does not know a command repeats its
    /// arguments, and one of ours is the password.
    fn quotable(&self, text: &[u8]) -> String {
        // There it may stand cut short, which is told all the same.
        const ARGS: &[u8] = b", with args beginning with";
        let args = text.windows(ARGS.len()).position(|window| window == ARGS);
        let text = &text[..args.unwrap_or(text.len())];
        let holds = |secret: &Password| {
            let secret = secret.expose().as_bytes();
            text.windows(secret.len().max(1))
                .any(|window| window == secret)
        };
        match &self.password {
            Some(password) if holds(password) => {
                let code = text.split(|&byte| byte == b' ').next().unwrap_or_default();
                format!("{} (and it repeats the password)", printable(code))
            }
            _ => printable(text),
        }
    }
}

/// What a server says of itself in RESP3, and of the connection.
fn id_in_hello(reply: &Value) -> Option<i64> {
    let Value::Map(fields) = reply else {
        return None;
    };
    let (_, id) = fields
        .iter()
        .find(|(name, _)| name.as_str() == Some("id"))?;
    id.as_int()
}

/// Shows no bytes: they hold the password.
impl std::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Handshake").field(&self.steps).finish()
    }
}
