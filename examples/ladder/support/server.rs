//! A Redis for the rungs that have no hub: the embedded server, on a thread of its own.

use greenroom::driver::Endpoint;
use greenroom::server::{Config, Server};
use greenroom::{Hub, Result};
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread;

/// Where it is. A `port` that is not 0 means another one, which runs on this machine already.
pub(crate) fn at(port: u16) -> std::result::Result<SocketAddr, Box<dyn Error>> {
    // Each connection is an open file: as many as may be had. It is what it was where it may not be raised.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    if port != 0 {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    let (tell, told) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        let ended = serve(&tell);
        // Nobody listens any more once the address is told.
        let _ = ended.map_err(|error| tell.send(Err(error)));
    })?;
    match told.recv()?? {
        Endpoint::Tcp(address) => Ok(address),
        Endpoint::Unix(_) => Err("a TCP listener has a path".into()),
    }
}

/// Serves until the program ends.
fn serve(tell: &mpsc::Sender<Result<Endpoint>>) -> Result<()> {
    let mut hub = Hub::new()?;
    let server = Server::new(&mut hub, Config::default());
    let any_port = Endpoint::Tcp((Ipv4Addr::LOCALHOST, 0).into());
    let _ = tell.send(server.listen(&mut hub, &any_port));
    hub.run()
}
