//! Where a server is, and how to sign in there.
//!
//! An [`Address`] is what a URL says. The grammar is that of the [`redis` scheme], a profile of
//! [RFC 3986], and what client libraries made of it since:
//!
//! ```text
//! redis://[user][:password@]host[:port][/db][?parameters]      host: name, 127.0.0.1 or [::1]
//! unix://[user][:password@]/path/of/socket[?parameters]
//!
//! parameters: db=N (wins over the path), protocol=2 or 3, client_name=NAME
//! ```
//!
//! `valkey://` means `redis://`, and `redis+unix://` means `unix://`. What is left out, or empty,
//! is the default: host 127.0.0.1, port 6379, database 0, RESP2, no user, no password, no name.
//! User, password, path and values may hold percent escapes of UTF-8; a `+` is a plus sign.
//!
//! # Where a password ends
//!
//! People put passwords into URLs as they are. The *last* `@` ends the password, so an `@` or a `:`
//! within does no harm. A `/`, `?` or `#` within would cut it in two and make its pieces a port or
//! a path. To catch this, an `@` behind the first of these three is always an error; a socket path
//! or a name writes its own as `%40`.
//!
//! # Secrets
//!
//! Which piece of a mistyped URL was meant as the password cannot be known: `redis://me:secret` has
//! the password where the port should be. An error therefore names the part that is wrong and never
//! repeats what stood there. Exempt are a scheme and the name of a parameter, provided they look
//! like one, and the one character that a host cannot have. `Display` and `Debug` write a password
//! as `***`.
//!
//! [`redis` scheme]: https://www.iana.org/assignments/uri-schemes/prov/redis
//! [RFC 3986]: https://www.rfc-editor.org/rfc/rfc3986

use crate::error::{Error, ErrorKind, Result};
pub use crate::resp::encode::Protocol;
use encoded::Encoded;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

mod encoded;
mod url;

#[cfg(test)]
mod tests;

/// Where Redis listens unless it is told otherwise.
pub const DEFAULT_PORT: u16 = 6379;

/// The kernel's `sun_path` has 108 bytes; a NUL takes one.
const UNIX_PATH_BYTES_MAX: usize = 107;

const BAD_PORT: &str = "the port must be a number from 1 to 65535 \
    (an IPv6 address goes in brackets, and an `@` ends a password)";

/// What a driver connects to or listens at, before names are resolved. Displays as in a log line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A TCP port; port 0, to listen at, is one that the kernel chooses.
    Tcp {
        /// The machine.
        host: Host,
        /// The port.
        port: u16,
    },
    /// A UNIX socket.
    Unix(PathBuf),
}

/// A machine: an address to connect to, or a name to be resolved first. Displays as in a URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A literal address.
    Ip(IpAddr),
    /// A name of ASCII letters, digits, `.`, `-` and `_`, as it was written.
    Name(String),
}

/// A password. It cannot be printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// A [`Place`] and how to sign in there: what a URL says.
///
/// It displays as a URL of plain ASCII that is safe in a log line. Parsed again, this gives an
/// equal address, except that the password is `***` now.
///
/// ```
/// use greenroom::address::Address;
///
/// let address: Address = "redis://worker:p%40ss@[::1]/2".parse()?;
/// assert_eq!(address.to_string(), "redis://worker:***@[::1]:6379/2");
/// assert_eq!(address.password.as_ref().map(|password| password.expose()), Some("p@ss"));
/// assert_eq!(Address::unix("/tmp/r.sock")?.with_db(2).to_string(), "unix:///tmp/r.sock?db=2");
/// # Ok::<(), greenroom::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Where the server is.
    pub place: Place,
    /// Whom to sign in as; `None` is the server's default user.
    pub user: Option<String>,
    /// The password to sign in with.
    pub password: Option<Password>,
    /// The database to select.
    pub db: u32,
    /// The protocol to ask for.
    pub protocol: Protocol,
    /// What the connection calls itself in `CLIENT LIST`.
    pub client_name: Option<String>,
}

impl Address {
    /// The server at a TCP port, given as on a command line: `host` is a name, `127.0.0.1`, `::1`
    /// or `[::1]`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when `host` is none of these, or `port` is 0.
    pub fn tcp(host: &str, port: u16) -> Result<Address> {
        if port == 0 {
            return Err(config(BAD_PORT));
        }
        Ok(Address::from(Place::Tcp {
            host: host.parse()?,
            port,
        }))
    }

    /// The server at a UNIX socket.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when `path` is relative, is not UTF-8, holds a NUL, or is longer than
    /// 107 bytes.
    pub fn unix(path: impl AsRef<Path>) -> Result<Address> {
        let path = path.as_ref();
        // A relative path has no URL, and names another file once the working directory changes.
        let Some(text) = path.to_str().filter(|text| text.starts_with('/')) else {
            return Err(config(
                "the path of a UNIX socket must be absolute, and UTF-8",
            ));
        };
        if text.contains('\0') {
            return Err(config("the path of the UNIX socket contains a NUL"));
        }
        if text.len() > UNIX_PATH_BYTES_MAX {
            let excess = format!("the path of the UNIX socket has {} bytes", text.len());
            return Err(config(format!(
                "{excess}, at most {UNIX_PATH_BYTES_MAX} are possible"
            )));
        }
        Ok(Address::from(Place::Unix(path.to_owned())))
    }

    /// The same, signing in as `user`; as the default user when that is empty.
    pub fn with_user(self, user: impl Into<String>) -> Address {
        Address {
            user: non_empty(user.into()),
            ..self
        }
    }

    /// The same, signing in with `password`; with none when that is empty.
    pub fn with_password(self, password: impl Into<String>) -> Address {
        Address {
            password: non_empty(password.into()).map(Password),
            ..self
        }
    }

    /// The same, with another database.
    pub fn with_db(self, db: u32) -> Address {
        Address { db, ..self }
    }

    /// The same, with another protocol.
    pub fn with_protocol(self, protocol: Protocol) -> Address {
        Address { protocol, ..self }
    }

    /// The same, calling itself `name`; nothing when that is empty.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when `name` holds a space, a control character or one outside ASCII:
    /// Redis refuses it.
    pub fn with_client_name(self, name: impl Into<String>) -> Result<Address> {
        let name = name.into();
        if !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(config(
                "the client name must consist of ASCII characters without spaces",
            ));
        }
        Ok(Address {
            client_name: non_empty(name),
            ..self
        })
    }
}

impl Default for Address {
    /// `redis://127.0.0.1:6379`
    fn default() -> Address {
        let host = Host::Ip(Ipv4Addr::LOCALHOST.into());
        Address::from(Place::Tcp {
            host,
            port: DEFAULT_PORT,
        })
    }
}

impl From<Place> for Address {
    fn from(place: Place) -> Address {
        let protocol = Protocol::default();
        Address {
            place,
            user: None,
            password: None,
            db: 0,
            protocol,
            client_name: None,
        }
    }
}

impl From<SocketAddr> for Place {
    fn from(address: SocketAddr) -> Place {
        Place::Tcp {
            host: Host::Ip(address.ip()),
            port: address.port(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unix = matches!(self.place, Place::Unix(_));
        f.write_str(if unix { "unix://" } else { "redis://" })?;
        if let Some(user) = &self.user {
            write!(f, "{}", Encoded(user.as_bytes(), b""))?;
        }
        if self.password.is_some() {
            f.write_str(":***")?;
        }
        if self.user.is_some() || self.password.is_some() {
            f.write_str("@")?;
        }
        write!(f, "{}", self.place)?;
        let mut separator = '?';
        let mut parameter = |f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display| {
            write!(
                f,
                "{}{name}={value}",
                std::mem::replace(&mut separator, '&')
            )
        };
        match self.db {
            0 => {}
            db if unix => parameter(f, "db", &db)?,
            db => write!(f, "/{db}")?,
        }
        if self.protocol == Protocol::Resp3 {
            parameter(f, "protocol", &3)?;
        }
        if let Some(name) = &self.client_name {
            parameter(f, "client_name", &Encoded(name.as_bytes(), b""))?;
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Tcp { host, port } => write!(f, "{host}:{port}"),
            Place::Unix(path) => {
                write!(f, "{}", Encoded(path.as_os_str().as_encoded_bytes(), b"/"))
            }
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Ip(IpAddr::V4(address)) => write!(f, "{address}"),
            Host::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Host::Name(name) => write!(f, "{}", Encoded(name.as_bytes(), b"")),
        }
    }
}

impl Password {
    /// Keeps a password.
    pub fn new(password: impl Into<String>) -> Password {
        Password(password.into())
    }

    /// The password itself, for the command that signs in.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

fn non_empty(text: String) -> Option<String> {
    if text.is_empty() { None } else { Some(text) }
}

fn config(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}
