//! The command line. Flags are those of redis-benchmark where it has them, so `-h` is the host.

use super::arguments::{self, number, text};
use super::kernel;
use greenroom::address::DEFAULT_PORT;
use greenroom::sim::Faults;
use greenroom::{Address, Timeout};
use lexopt::prelude::*;
use std::num::NonZeroU16;
use std::process::ExitCode;
use std::time::Duration;

/// What `--help` prints; `FAULTS` stands for the names.
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
                       instead of all the above; else $REDIS_URL
      --embedded       a server in this very process, instead of all the above

Where none of these says which (-a alone does: whoever has a password has a server), it is the server
at 127.0.0.1:6379; if nothing listens there, the embedded one.

No server and no network at all, but the same program:
      --simulate SEED  on a simulated kernel, where time is a number and chance follows from the seed
      --faults LIST    what goes wrong there: all, or some of FAULTS

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
reached; 2 wrong usage; 130 ended by SIGINT (Ctrl-C), 143 by SIGTERM: a second signal does so at once.
";

/// Descriptors besides those of the pops: standard streams, epoll, the signals' sockets, the shared connection,
/// and the listener of the embedded server.
const OTHER_FILES: u64 = 16;

fn help() -> String {
    HELP.replace(
        "FAULTS",
        &Faults::names()
            .collect::<Vec<_>>()
            .join(",\n                       "),
    )
}

/// What the command line says.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) server: Which,
    pub(crate) clients: usize,
    pub(crate) key: String,
    pub(crate) timeout: Timeout,
    pub(crate) cron: Duration,
    pub(crate) quiet: bool,
    pub(crate) json: bool,
    /// The seed of a simulated kernel, instead of the real one.
    pub(crate) simulate: Option<u64>,
    pub(crate) faults: Option<Faults>,
}

/// Which server to ask.
#[derive(Debug)]
pub(crate) enum Which {
    /// This one and no other.
    Named(Address),
    /// The one at the default address; the embedded one where nothing listens there.
    Usual,
    /// The embedded one.
    Embedded,
}

/// The ends of each connection that are open files of this process.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ends {
    Ours,
    Both,
}

/// The flags that say which server, before they are made sense of.
#[derive(Default)]
struct Server {
    host: Option<String>,
    port: Option<u16>,
    socket: Option<Address>,
    password: Option<String>,
    user: Option<String>,
    url: Option<String>,
    embedded: bool,
}

impl Options {
    /// Reads the command line. `Err` is the status to exit with.
    pub(crate) fn from_args() -> Result<Options, ExitCode> {
        arguments::read(Options::parse)
    }

    /// `None` when there is nothing left to do.
    fn parse(mut args: lexopt::Parser) -> Result<Option<Options>, String> {
        let mut server = Server::default();
        let mut options = Options {
            server: Which::Usual,
            clients: 500,
            key: "list".into(),
            timeout: Timeout::After(Duration::from_secs(1)),
            cron: Duration::from_millis(200),
            quiet: false,
            json: false,
            simulate: None,
            faults: None,
        };
        while let Some(arg) = arguments::next(&mut args)? {
            match arg {
                Short('h') => server.host = Some(text(&mut args, "-h")?),
                Short('p') => {
                    let port: NonZeroU16 = number(&mut args, "-p", "a port from 1 to 65535")?;
                    server.port = Some(port.get());
                }
                Short('s') => server.socket = Some(arguments::socket(&mut args, "-s")?),
                Short('a') => server.password = Some(text(&mut args, "-a")?),
                Long("user") => server.user = Some(text(&mut args, "--user")?),
                Long("url") => server.url = Some(text(&mut args, "--url")?),
                Long("embedded") => server.embedded = true,
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
                Long("help") => return arguments::print(&help()).map(|()| None),
                Long("simulate") => {
                    options.simulate = Some(number(&mut args, "--simulate", "a number from 0")?);
                }
                Long("faults") => {
                    let list = text(&mut args, "--faults")?;
                    let faults = list.parse::<Faults>().map_err(|error| error.to_string())?;
                    options.faults = Some(faults);
                }
                Long("version") => return arguments::print_version().map(|()| None),
                // A URL may hold a password: it is not to be repeated.
                Value(value) if value.to_string_lossy().contains("://") => {
                    return Err("a URL is given with --url".into());
                }
                other => return Err(arguments::unexpected(other)),
            }
        }
        options.server = match options.simulate {
            Some(_) if server.is_named() => {
                return Err("--simulate has a server of its own: name none".into());
            }
            Some(_) => Which::Embedded,
            None if options.faults.is_some() => {
                return Err("--faults goes with --simulate".into());
            }
            None => server.which()?,
        };
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
        // With the embedded server there are more, but whether it comes to that is known later.
        self.check_files(Ends::Ours)
    }

    /// Whether the process may have so many connections.
    pub(crate) fn check_files(&self, ends: Ends) -> Result<(), String> {
        if self.simulate.is_some() {
            return Ok(());
        }
        let (per_client, why) = match ends {
            Ends::Ours => (1, ""),
            Ends::Both => (2, " (with the embedded server, two each)"),
        };
        let needed = (self.clients as u64).saturating_mul(per_client);
        let needed = needed.saturating_add(OTHER_FILES);
        let limit = kernel::open_files_max();
        if needed > limit {
            return Err(format!(
                "--clients {} needs {needed} open files{why}, and the limit is {limit}: \
                 run `ulimit -n {needed}` first, or ask for fewer",
                self.clients
            ));
        }
        Ok(())
    }
}

impl Server {
    /// Whether any flag says which.
    fn is_named(&self) -> bool {
        let place = self.host.is_some() || self.port.is_some() || self.socket.is_some();
        place
            || self.password.is_some()
            || self.user.is_some()
            || self.url.is_some()
            || self.embedded
    }

    fn which(self) -> Result<Which, String> {
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
        if !named && !signed && self.url.is_none() && environment.is_none() {
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
