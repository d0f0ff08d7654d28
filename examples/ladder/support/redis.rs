//! A client for the rungs that have a hub, and the embedded server on the same hub.

use greenroom::driver::Endpoint;
use greenroom::server::{self, Server};
use greenroom::{Config, Hub, Redis, Result};
use std::net::{Ipv4Addr, SocketAddr};

/// A client of the embedded server, which is started; or, where `port` is not 0, of another one that runs on this machine
/// already.
pub(crate) fn open(hub: &mut Hub, port: u16) -> Result<Redis> {
    // Each connection is an open file, or two with the server's end. It is what it was where it may not be raised.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let mut config = Config::default();
    let mut at = Endpoint::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    if port == 0 {
        at = Server::new(hub, server::Config::default()).listen(hub, &at)?;
        // The backlog of its listener is short: 128.
        config.max_connecting = 100;
    }
    Redis::open_with(hub, format!("redis://{at}").parse()?, config)
}
