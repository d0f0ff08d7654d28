//! Which server is asked: one that was named, or the usual one, or one that this program brings along.
//!
//! Nobody needs a server to try the program: where nothing listens at the usual place, the embedded one
//! is started, in the same hub and thread. A server that was *named* and cannot be reached is an error.
//! So is one that is there and does not let us in, or says nothing: it is somebody's, who should hear
//! of it.

use super::files::Ends;
use super::options::Options;
use super::simulation;
use super::which::Which;
use greenroom::driver::Endpoint;
use greenroom::server::{self, Server};
use greenroom::{Address, Command, Config, Error, ErrorKind, Hub, Redis, Result};
use log::info;
use std::error::Error as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

/// A server that answers, or will.
#[derive(Debug)]
pub(crate) struct Reached {
    pub(crate) redis: Redis,
    /// Its name and version, such as `redis 7.0.15`.
    pub(crate) name: String,
    pub(crate) address: Address,
}

/// Finds the server, or starts it.
pub(crate) fn server(hub: &mut Hub, options: &Options) -> Result<Reached> {
    let usual = match &options.server {
        Which::Named(address) => return existing(hub, address.clone()),
        Which::Usual => Address::default(),
        Which::Embedded => {
            let reached = embedded(hub, options)?;
            info!(target: "main", "The embedded server listens at {}.", reached.address.place);
            return Ok(reached);
        }
    };
    let place = usual.place.clone();
    match existing(hub, usual) {
        Err(error) if is_refused(&error) => {
            let reached = embedded(hub, options)?;
            let own = &reached.address.place;
            info!(target: "main", "No server at {place}: the embedded one is started, at {own}.");
            Ok(reached)
        }
        result => result,
    }
}

/// Its name is the first thing that it is asked. If it cannot be reached or does not let us in, this
/// fails.
fn existing(hub: &mut Hub, address: Address) -> Result<Reached> {
    let redis = Redis::open_with(hub, address.clone(), Config::default())?;
    let asked = redis.send(hub, Command::new("INFO").arg("server"))?;
    let info = match hub.wait(asked)?.reply() {
        Ok(reply) => reply.to::<String>()?,
        // A user who may pop need not be allowed to ask this.
        Err(error) if error.code() == Some("NOPERM") => String::new(),
        Err(error) => {
            redis.close(hub);
            return Err(error);
        }
    };
    Ok(Reached {
        redis,
        name: name_in(&info),
        address,
    })
}

/// Those that take after Redis say whose version they have, besides their own.
fn name_in(info: &str) -> String {
    let named = ["greenroom", "valkey", "redis"].iter().find_map(|name| {
        let of_name = |line: &str| {
            line.strip_prefix(name)?
                .strip_prefix("_version:")
                .map(str::to_owned)
        };
        let version = info.lines().find_map(of_name)?;
        Some(format!("{name} {}", version.trim()))
    });
    named.unwrap_or_else(|| "unknown".into())
}

/// Whether nobody listens there. Anything else (silence, a closed door, an error) is somebody.
fn is_refused(error: &Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref());
    error.kind() == ErrorKind::Connect
        && source
            .is_some_and(|source: &io::Error| source.kind() == io::ErrorKind::ConnectionRefused)
}

/// Starts a server in this hub, on a free port.
fn embedded(hub: &mut Hub, options: &Options) -> Result<Reached> {
    let error = |message| Error::new(ErrorKind::Config, message);
    options.check_files(Ends::Both).map_err(error)?;
    let mut ours = server::Config::default();
    // All of them, and whoever wants to look in.
    ours.max_clients = options.clients.saturating_add(16);
    let mut theirs = Config::default();
    // The backlog is that of Rust's listeners, 128: one that did not fit would be tried again after a
    // second.
    theirs.max_connecting = 100;
    let server = Server::new(hub, ours);
    if let Some(sim) = simulation::get() {
        server.inject(sim.server_faults());
    }
    let port = Endpoint::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let at = server.listen(hub, &port)?;
    let address: Address = format!("redis://{at}").parse()?;
    Ok(Reached {
        redis: Redis::open_with(hub, address.clone(), theirs)?,
        name: match options.simulate {
            Some(_) => "simulated".into(),
            None => "embedded".into(),
        },
        address,
    })
}
