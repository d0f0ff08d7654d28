//! The command line. Flags are those of redis-benchmark where it has them, so `-h` is the host.

use super::kernel;
use super::summary::Exit;
use greenroom::{Address, Timeout};
use lexopt::prelude::*;
use std::io::{self, Write};
use std::num::NonZeroU16;
use std::process::ExitCode;
use std::time::Duration;

const HELP: &str = "\
Hundreds of blocking pops and a cron task, on one thread.

Usage: concurrent_brpop [OPTIONS]

Which server:
  -h HOST              host name or address (127.0.0.1)
  -p PORT              port (6379)
  -s SOCKET            UNIX socket, instead of host and port
  -a PASSWORD          password
      --user NAME      user name, with -a
      --url URL        redis://[user][:password@]host[:port][/db] or unix:///path[?db=N],
                       instead of all the above; else $REDIS_URL, else redis://127.0.0.1:6379

What to do:
  -c, --clients N      blocking pops at the same time, each on a connection of its own (500)
      --key KEY        list to pop from (list)
      --timeout S      seconds that a pop waits in the server, 0 for ever (1)
      --cron S         seconds between two runs of the cron task (0.2)

What to say:
  -q, --quiet          no log lines
      --json           a summary as one line of JSON on stdout
      --help           this text
      --version        the version

Exit status: 0 all pops timed out as they should; 1 one of them did not, or the server could not be
reached; 2 wrong usage; 130 interrupted.
";

/// Descriptors besides those of the pops: standard streams, epoll, the signal's sockets, the shared connection.
const OTHER_FILES: u64 = 16;

/// What the command line says.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) address: Address,
    pub(crate) clients: usize,
    pub(crate) key: String,
    pub(crate) timeout: Timeout,
    pub(crate) cron: Duration,
    pub(crate) quiet: bool,
    pub(crate) json: bool,
}

/// The flags that say which server, before they become an address.
#[derive(Default)]
struct Server {
    host: Option<String>,
    port: Option<u16>,
    socket: Option<String>,
    password: Option<String>,
    user: Option<String>,
    url: Option<String>,
}

impl Options {
    /// Reads the command line. What is wrong with it is told in one line on stderr; `Err` is the status to exit with.
    pub(crate) fn from_args() -> Result<Options, ExitCode> {
        match Options::parse(lexopt::Parser::from_env()) {
            Ok(Some(options)) => Ok(options),
            Ok(None) => Err(Exit::Succeeded.into()),
            Err(message) => {
                // What was typed may hold a line break, and this is to be one line.
                eprintln!(
                    "concurrent_brpop: {}",
                    message.replace(char::is_control, " ")
                );
                Err(Exit::Misused.into())
            }
        }
    }

    /// `None` when there is nothing left to do.
    fn parse(mut args: lexopt::Parser) -> Result<Option<Options>, String> {
        let mut server = Server::default();
        let mut options = Options {
            address: Address::default(),
            clients: 500,
            key: "list".into(),
            timeout: Timeout::After(Duration::from_secs(1)),
            cron: Duration::from_millis(200),
            quiet: false,
            json: false,
        };
        while let Some(arg) = args.next().map_err(|error| error.to_string())? {
            match arg {
                Short('h') => server.host = Some(text(&mut args, "-h")?),
                Short('p') => {
                    let port: NonZeroU16 = number(&mut args, "-p", "a port from 1 to 65535")?;
                    server.port = Some(port.get());
                }
                Short('s') => server.socket = Some(text(&mut args, "-s")?),
                Short('a') => server.password = Some(text(&mut args, "-a")?),
                Long("user") => server.user = Some(text(&mut args, "--user")?),
                Long("url") => server.url = Some(text(&mut args, "--url")?),
                Short('c') | Long("clients") => {
                    options.clients = number(&mut args, "--clients", "a number from 1")?;
                }
                Long("key") => options.key = text(&mut args, "--key")?,
                Long("timeout") => {
                    let timeout = seconds(&mut args, "--timeout")?;
                    options.timeout = match timeout.is_zero() {
                        true => Timeout::Forever,
                        false => Timeout::After(timeout),
                    };
                }
                Long("cron") => options.cron = seconds(&mut args, "--cron")?,
                Short('q') | Long("quiet") => options.quiet = true,
                Long("json") => options.json = true,
                Long("help") => return print(HELP).map(|()| None),
                Long("version") => {
                    let version = env!("CARGO_PKG_VERSION");
                    return print(&format!("concurrent_brpop {version}\n")).map(|()| None);
                }
                // A URL may hold a password: it is not to be repeated.
                Value(value) if value.to_string_lossy().contains("://") => {
                    return Err("a URL is given with --url".into());
                }
                other => {
                    return Err(format!(
                        "{}; --help lists what there is",
                        other.unexpected()
                    ));
                }
            }
        }
        options.address = server.address()?;
        options.check()?;
        Ok(Some(options))
    }

    fn check(&self) -> Result<(), String> {
        if self.clients == 0 {
            return Err("--clients: 0 is not a number from 1".into());
        }
        if self.cron.is_zero() {
            return Err("--cron: 0 is not a time between two runs".into());
        }
        let needed = (self.clients as u64).saturating_add(OTHER_FILES);
        let limit = kernel::open_files_max();
        if needed > limit {
            return Err(format!(
                "--clients {} needs {needed} open files, and the limit is {limit}: \
                 run `ulimit -n {needed}` first, or ask for fewer",
                self.clients
            ));
        }
        Ok(())
    }
}

impl Server {
    fn address(self) -> Result<Address, String> {
        let named = self.host.is_some() || self.port.is_some() || self.socket.is_some();
        let signed = self.user.is_some() || self.password.is_some();
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
        let (url, whence) = match self.url {
            Some(url) => (Some(url), "--url"),
            None => (environment, "$REDIS_URL"),
        };
        let address = match (url, self.socket) {
            (Some(url), _) => url.parse().map_err(|error| format!("{whence}: {error}")),
            (None, Some(socket)) => std::path::absolute(&socket)
                .map_err(|error| format!("-s {socket}: {error}"))
                .and_then(|path| Address::unix(path).map_err(|error| format!("-s: {error}"))),
            (None, None) => {
                let host = self.host.as_deref().unwrap_or("127.0.0.1");
                let port = self.port.unwrap_or(6379);
                Address::tcp(host, port).map_err(|error| format!("-h: {error}"))
            }
        };
        let mut address = address?;
        if let Some(user) = self.user {
            address = address.with_user(user);
        }
        if let Some(password) = self.password {
            address = address.with_password(password);
        }
        Ok(address)
    }
}

fn text(args: &mut lexopt::Parser, flag: &str) -> Result<String, String> {
    let value = args.value().map_err(|_| format!("{flag} needs a value"))?;
    value
        .into_string()
        .map_err(|_| format!("{flag}: the value is not UTF-8"))
}

fn number<T: std::str::FromStr>(
    args: &mut lexopt::Parser,
    flag: &str,
    what: &str,
) -> Result<T, String> {
    let text = text(args, flag)?;
    text.parse()
        .map_err(|_| format!("{flag}: {text:?} is not {what}"))
}

/// Prints an answer to the user, who may have closed the door.
fn print(text: &str) -> Result<(), String> {
    let printed = io::stdout().write_all(text.as_bytes());
    printed.map_err(|error| format!("cannot print: {error}"))
}

/// Seconds with a fraction, from 0 to a century, rounded up to milliseconds: 0 alone is 0.
fn seconds(args: &mut lexopt::Parser, flag: &str) -> Result<Duration, String> {
    const CENTURY: f64 = 3.2e9;
    let text = text(args, flag)?;
    let seconds = text
        .parse::<f64>()
        .ok()
        .filter(|seconds| (0.0..CENTURY).contains(seconds));
    let seconds = seconds.ok_or_else(|| format!("{flag}: {text:?} is not a number of seconds"))?;
    Ok(Duration::from_secs_f64((seconds * 1000.0).ceil() / 1000.0))
}
