//! The embedded server on its own: for `redis-cli`, and for the tests of other programs.
//!
//! ```text
//! cargo run --release --example server             # 127.0.0.1:6379
//! cargo run --release --example server -- --help
//! ```
//!
//! It is the same server that a program can have in its own hub: a few lines here, since main has nothing else to
//! do than to wait for its end. A signal or the command `SHUTDOWN` brings it about.

mod support {
    pub(crate) mod arguments;
    pub(crate) mod logging;
}

use greenroom::address::DEFAULT_PORT;
use greenroom::driver::Endpoint;
use greenroom::server::{Config, Server};
use greenroom::{Error, ErrorKind, Hub, Password, Place, Result, Shutdown};
use lexopt::prelude::*;
use log::{info, warn};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use support::arguments::{self, NAME, number, text};
use support::logging;

const HELP: &str = "\
A small Redis-compatible server. It keeps everything in memory: what it holds is gone when it ends.

Usage: server [OPTIONS]

Where to listen:
  -p PORT                 port, 0 for any free one (6379)
      --bind ADDRESS      IP address (127.0.0.1)
  -s SOCKET               UNIX socket; nothing else without -p or --bind

Whom to let in:
      --maxclients N      so many clients at once (10000), or what the limit of open files allows
      --requirepass PASSWORD
                          only who knows it (others see it in the list of processes)

What to say:
  -q, --quiet             no log lines
      --help              this text
      --version           the version

SIGINT (Ctrl-C), SIGTERM and the command SHUTDOWN end it; a second signal does so at once.
Exit status: 0 ended as it was told to; 1 it could not listen; 2 wrong usage.
";

/// Descriptors besides those of the clients: standard streams, epoll, the signals' sockets, listeners, and
/// that of a client who is told that there is no room.
const OTHER_FILES: u64 = 16;

fn main() -> ExitCode {
    let options = match arguments::read(parse) {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    logging::start(options.quiet, || None, || "");
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{NAME}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<()> {
    let has_password = options.config.password.is_some();
    let mut hub = Hub::new()?;
    let server = Server::new(&mut hub, affordable(options.config)?);
    let stopped = server.clone();
    Shutdown::on_signals(&mut hub)?.on_request(&mut hub, move |hub| {
        info!(target: NAME, "A signal: ends as soon as all answers are sent.");
        stopped.shutdown(hub);
    });
    for place in &options.places {
        let at = server.listen(&mut hub, place)?;
        info!(target: NAME, "Listens at {at}.");
        if is_open_to_others(&at) && !has_password {
            warn!(target: NAME, "Whoever reaches {at} can read and change everything: see --requirepass.");
        }
    }
    info!(target: NAME, "Everything is in memory only, and gone when this ends.");
    hub.join(server.task())
}

/// As many clients as the limit of open files allows, when it cannot be raised for all of them.
fn affordable(mut config: Config) -> Result<Config> {
    let clients = config.max_clients as u64;
    let needed = clients.saturating_add(OTHER_FILES);
    let raised = rlimit::increase_nofile_limit(needed);
    // It is what it was where it may not be raised.
    let limit = raised.or_else(|_| rlimit::Resource::NOFILE.get_soft());
    let limit = limit.unwrap_or(u64::MAX);
    if limit >= needed {
        return Ok(config);
    }
    let allowed = limit.saturating_sub(OTHER_FILES);
    if allowed == 0 {
        let message =
            format!("{limit} open files are the limit, and that is too few for any client");
        return Err(Error::new(ErrorKind::Io, message));
    }
    warn!(
        target: NAME,
        "{allowed} clients at most, not {clients}: the limit is {limit} open files, see `ulimit -n`."
    );
    config.max_clients = usize::try_from(allowed).unwrap_or(usize::MAX);
    Ok(config)
}

/// Whether other machines may reach it.
fn is_open_to_others(at: &Endpoint) -> bool {
    match at {
        Endpoint::Tcp(address) => !address.ip().to_canonical().is_loopback(),
        Endpoint::Unix(_) => false,
    }
}

/// What the command line says.
struct Options {
    places: Vec<Endpoint>,
    config: Config,
    quiet: bool,
}

/// `None` when there is nothing left to do.
fn parse(mut args: lexopt::Parser) -> Result<Option<Options>, String> {
    let mut port: Option<u16> = None;
    let mut ip: Option<IpAddr> = None;
    let mut socket = None;
    let mut config = Config::default();
    let mut quiet = false;
    while let Some(arg) = arguments::next(&mut args)? {
        match arg {
            Short('p') => port = Some(number(&mut args, "-p", "a port from 0 to 65535")?),
            Short('s') => socket = Some(arguments::socket(&mut args, "-s")?),
            Long("bind") => ip = Some(number(&mut args, "--bind", "an IP address")?),
            Long("maxclients") => {
                config.max_clients = number(&mut args, "--maxclients", "a number from 1")?;
            }
            Long("requirepass") => {
                let password = text(&mut args, "--requirepass")?;
                // As in Redis, an empty one is none.
                config.password = Some(password)
                    .filter(|it| !it.is_empty())
                    .map(Password::new);
            }
            Short('q') | Long("quiet") => quiet = true,
            Long("help") => return arguments::print(HELP).map(|()| None),
            Long("version") => return arguments::print_version().map(|()| None),
            other => return Err(arguments::unexpected(other)),
        }
    }
    if config.max_clients == 0 {
        return Err("--maxclients: 0 is not a number from 1".into());
    }
    let mut places = Vec::new();
    if socket.is_none() || port.is_some() || ip.is_some() {
        let ip = ip.unwrap_or(Ipv4Addr::LOCALHOST.into());
        places.push(Endpoint::Tcp(SocketAddr::new(
            ip,
            port.unwrap_or(DEFAULT_PORT),
        )));
    }
    if let Some(Place::Unix(path)) = socket.map(|address| address.place) {
        places.push(Endpoint::Unix(path));
    }
    Ok(Some(Options {
        places,
        config,
        quiet,
    }))
}
