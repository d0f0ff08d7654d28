//! The part of a command line that says which server. Flags are those of redis-benchmark where it has them, so `-h` is
//! the host.

use super::arguments::{number, socket, text};
use greenroom::Address;
use greenroom::address::DEFAULT_PORT;
use lexopt::Parser;
use std::num::NonZeroU16;

/// Which server to ask.
#[derive(Debug)]
pub(crate) enum Which {
    /// This one and no other.
    Named(Address),
    /// None was named: the one at the default address, or what the program makes of it.
    Usual,
    /// The embedded one.
    Embedded,
}

/// The flags that say which server, before they are made sense of.
#[derive(Default)]
pub(crate) struct Server {
    host: Option<String>,
    port: Option<u16>,
    socket: Option<Address>,
    password: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) embedded: bool,
}

impl Server {
    /// Takes the value of `-h`, `-p`, `-s` or `-a`.
    pub(crate) fn short(&mut self, letter: char, args: &mut Parser) -> Result<(), String> {
        match letter {
            'h' => self.host = Some(text(args, "-h")?),
            'p' => {
                let port: NonZeroU16 = number(args, "-p", "a port from 1 to 65535")?;
                self.port = Some(port.get());
            }
            's' => self.socket = Some(socket(args, "-s")?),
            _ => self.password = Some(text(args, "-a")?),
        }
        Ok(())
    }

    /// Whether any flag says which.
    pub(crate) fn is_named(&self) -> bool {
        let place = self.host.is_some() || self.port.is_some() || self.socket.is_some();
        place
            || self.password.is_some()
            || self.user.is_some()
            || self.url.is_some()
            || self.embedded
    }

    /// What the flags say together, and `$REDIS_URL` where they do not.
    pub(crate) fn which(self) -> Result<Which, String> {
        let named = self.host.is_some() || self.port.is_some() || self.socket.is_some();
        let signed = self.user.is_some() || self.password.is_some();
        if self.embedded {
            return match named || signed || self.url.is_some() {
                true => Err(
                    "--embedded is a server of its own: leave --url, -h, -p, -s, -a and --user out"
                        .into(),
                ),
                false => Ok(Which::Embedded),
            };
        }
        if self.url.is_some() && (named || signed) {
            return Err(
                "--url already says which server: leave -h, -p, -s, -a and --user out".into(),
            );
        }
        if self.user.is_some() && self.password.is_none() {
            return Err("--user needs a password: -a".into());
        }
        if self.socket.is_some() && (self.host.is_some() || self.port.is_some()) {
            return Err("-s is another place than -h and -p: give one of them".into());
        }
        let environment = std::env::var("REDIS_URL").ok();
        let environment = environment.filter(|url| !named && !url.is_empty());
        if !self.is_named() && environment.is_none() {
            return Ok(Which::Usual);
        }
        self.address(environment).map(Which::Named)
    }

    fn address(self, environment: Option<String>) -> Result<Address, String> {
        let (url, whence) = match self.url {
            Some(url) => (Some(url), "--url"),
            None => (environment, "$REDIS_URL"),
        };
        let mut address = match (url, self.socket) {
            (Some(url), _) => url.parse().map_err(|error| format!("{whence}: {error}"))?,
            (None, Some(socket)) => socket,
            (None, None) => {
                let host = self.host.as_deref().unwrap_or("127.0.0.1");
                let port = self.port.unwrap_or(DEFAULT_PORT);
                Address::tcp(host, port).map_err(|error| format!("-h: {error}"))?
            }
        };
        if let Some(user) = self.user {
            address = address.with_user(user);
        }
        if let Some(password) = self.password {
            address = address.with_password(password);
        }
        Ok(address)
    }
}
