//! Reads an address from text. The grammar is told in the module above.

use super::{Address, BAD_PORT, DEFAULT_PORT, Host, Protocol, config};
use crate::error::{Error, Result};
use std::net::Ipv6Addr;
use std::str::FromStr;

/// The longest name that the DNS can hold.
const NAME_BYTES_MAX: usize = 253;

impl FromStr for Address {
    type Err = Error;

    /// Parses a URL, as the [module](super) describes it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], saying which part of the URL is wrong, but not what it contains.
    ///
    /// [`ErrorKind::Config`]: crate::error::ErrorKind::Config
    fn from_str(text: &str) -> Result<Address> {
        let url = Url::split(text)?;
        let address = if url.unix {
            url.socket()?
        } else {
            url.server()?
        };
        address
            .with_user(decode(url.user, "the user")?)
            .with_password(decode(url.password, "the password")?)
            .with_parameters(url.query)
    }
}

impl Address {
    fn with_parameters(mut self, query: &str) -> Result<Address> {
        let mut seen = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let Some((name, value)) = pair.split_once('=') else {
                return Err(config("a parameter of the URL has no `=`"));
            };
            if seen.contains(&name) {
                return Err(config(format!(
                    "the URL gives the parameter `{name}` twice"
                )));
            }
            let decoded = || decode(value, "the value of a parameter");
            self = match name {
                "db" => self.with_db(database(&decoded()?)?),
                "protocol" => self.with_protocol(protocol(&decoded()?)?),
                "client_name" => self.with_client_name(decoded()?)?,
                _ => return Err(unknown_parameter(name)),
            };
            seen.push(name);
        }
        Ok(self)
    }
}

impl FromStr for Host {
    type Err = Error;

    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the text is neither an IP address nor can be a name.
    ///
    /// [`ErrorKind::Config`]: crate::error::ErrorKind::Config
    fn from_str(text: &str) -> Result<Host> {
        if let Some(literal) = text.strip_prefix('[') {
            let literal = literal
                .strip_suffix(']')
                .and_then(|literal| literal.parse().ok());
            let address: Ipv6Addr = literal
                .ok_or_else(|| config("between the brackets of the host is no IPv6 address"))?;
            return Ok(Host::Ip(address.into()));
        }
        if let Ok(address) = text.parse() {
            return Ok(Host::Ip(address));
        }
        let foreign = |c: char| !c.is_ascii_alphanumeric() && !".-_".contains(c);
        if let Some(character) = text.chars().find(|&c| foreign(c)) {
            return Err(config(format!("the host contains {character:?}")));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.len() > NAME_BYTES_MAX || name.split('.').any(str::is_empty) {
            return Err(config(
                "the host is empty, has two dots in a row, or is too long",
            ));
        }
        // Resolvers read `127.1`, `0x7f.1` and `2130706433` as addresses, each in its own way.
        let last = name.rsplit('.').next().unwrap_or_default();
        if is_decimal(last) || last.starts_with("0x") || last.starts_with("0X") {
            return Err(config(
                "the host looks like an IPv4 address but is not one, such as 127.0.0.1",
            ));
        }
        Ok(Host::Name(text.to_owned()))
    }
}

/// A URL in pieces, still encoded.
struct Url<'a> {
    unix: bool,
    user: &'a str,
    password: &'a str,
    /// With its port.
    host: &'a str,
    /// From its first slash on.
    path: &'a str,
    query: &'a str,
}

impl<'a> Url<'a> {
    fn split(text: &'a str) -> Result<Url<'a>> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(config(
                "the address has no scheme: write `redis://localhost:6379`",
            ));
        };
        let unix = is_unix(scheme)?;
        if rest.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(config(
                "the URL contains a space or control character: percent-encode it",
            ));
        }
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if rest.contains('@') {
            let hint =
                "percent-encode these in a user or password (%2F, %3F, %23), else the `@` (%40)";
            return Err(config(format!(
                "the URL has an `@` behind a `/`, `?` or `#`: {hint}"
            )));
        }
        if rest.contains('#') {
            return Err(config(
                "the URL has a fragment: percent-encode the `#` as %23",
            ));
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (login, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        Ok(Url {
            unix,
            user,
            password,
            host,
            path,
            query,
        })
    }

    fn socket(&self) -> Result<Address> {
        if !self.host.is_empty() {
            return Err(config(
                "a UNIX socket has no host: write `unix:///path`, with three slashes",
            ));
        }
        Address::unix(decode(self.path, "the path")?)
    }

    fn server(&self) -> Result<Address> {
        let (host, port) = host_and_port(self.host)?;
        let path = decode(self.path, "the database")?;
        let db = path.strip_prefix('/').unwrap_or_default();
        Ok(Address::tcp(host, port)?.with_db(if db.is_empty() { 0 } else { database(db)? }))
    }
}

/// Whether the scheme is that of a UNIX socket.
fn is_unix(scheme: &str) -> Result<bool> {
    let scheme = scheme.to_ascii_lowercase();
    match scheme.as_str() {
        "redis" | "valkey" => Ok(false),
        "unix" | "redis+unix" => Ok(true),
        "rediss" | "valkeys" => Err(config(format!(
            "{scheme}:// needs TLS, which is not there yet"
        ))),
        // Something else stood before the `://`, such as a whole password.
        other if !is_word(other, "+-.") => Err(config(
            "the URL does not begin with `redis://` or `unix://`",
        )),
        other => Err(config(format!(
            "the scheme {other}:// is unknown: use redis:// or unix://"
        ))),
    }
}

/// The host, 127.0.0.1 for an empty one, and the port of `host[:port]`.
fn host_and_port(text: &str) -> Result<(&str, u16)> {
    // The colons inside the brackets belong to the address.
    let (host, rest) = text.split_at(text.find(']').map_or(0, |bracket| bracket + 1));
    let (name, port) = rest.split_once(':').unwrap_or((rest, ""));
    let host = &text[..host.len() + name.len()];
    let port = if port.is_empty() {
        Some(DEFAULT_PORT)
    } else {
        decimal(port)
    };
    let port = port.ok_or_else(|| config(BAD_PORT))?;
    Ok((if host.is_empty() { "127.0.0.1" } else { host }, port))
}

fn protocol(text: &str) -> Result<Protocol> {
    match text {
        "2" => Ok(Protocol::Resp2),
        "3" => Ok(Protocol::Resp3),
        _ => Err(config("the protocol must be 2 or 3")),
    }
}

fn database(text: &str) -> Result<u32> {
    decimal(text).ok_or_else(|| config("the database must be a decimal number"))
}

/// The number that `text` writes with digits alone; `parse` would take a `+` as well.
fn decimal<T: FromStr>(text: &str) -> Option<T> {
    if is_decimal(text) {
        text.parse().ok()
    } else {
        None
    }
}

fn is_decimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn unknown_parameter(name: &str) -> Error {
    const KNOWN: &str = "known are db, protocol and client_name";
    match name {
        "password" | "user" | "username" => config(format!(
            "the URL gives a `{name}` as a parameter: it goes before the host"
        )),
        name if is_word(name, "_-") => {
            config(format!("the parameter `{name}` is unknown: {KNOWN}"))
        }
        _ => config(format!("a parameter of the URL is unknown: {KNOWN}")),
    }
}

/// Whether `text` is a short word of letters and the characters in `more`: an error may repeat it.
fn is_word(text: &str, more: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphabetic() || more.contains(c))
}

/// `text` with its percent escapes resolved.
fn decode(text: &str, part: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = rest.next().and_then(hex).zip(rest.next().and_then(hex));
        let Some((high, low)) = digits else {
            return Err(config(format!(
                "{part} has a `%` without two hex digits: write it as %25"
            )));
        };
        bytes.push(high << 4 | low);
    }
    String::from_utf8(bytes).map_err(|_| config(format!("{part} is not UTF-8 once decoded")))
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
